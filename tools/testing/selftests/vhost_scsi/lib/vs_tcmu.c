// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

/* Both the C library and the kernel's header define struct iovec. */
#define __LINUX_UIO_H
#include <linux/target_core_user.h>

#include "vs_cdb.h"
#include "vs_ring.h"
#include "vs_tcmu.h"

#define CLASS	"/sys/class/uio"

static void fail(struct vs_tcmu_answer *reply, uint8_t key, uint8_t asc)
{
	reply->status = VS_CHECK_CONDITION;
	memset(reply->sense, 0, sizeof(reply->sense));
	reply->sense[0] = 0x70;
	reply->sense[2] = key;
	reply->sense[7] = 10;
	reply->sense[12] = asc;
}

/* Copies between the buffers of a command and ours: how many bytes it was. */
static size_t copy(struct vs_tcmu *tcmu, const struct tcmu_cmd_entry *entry,
		   void *to, const void *from, size_t len)
{
	size_t done = 0;
	uint32_t i;

	for (i = 0; i < entry->req.iov_cnt && done < len; i++) {
		struct iovec iov = entry->req.iov[i];
		uint8_t *at = (uint8_t *)tcmu->ring + (size_t)iov.iov_base;
		size_t n = iov.iov_len < len - done ? iov.iov_len : len - done;

		if (to)
			memcpy((uint8_t *)to + done, at, n);
		else
			memcpy(at, (const uint8_t *)from + done, n);
		done += n;
	}
	return done;
}

/* Where and how much; false if that is not on the disk. */
static bool range(const struct vs_tcmu *tcmu, const uint8_t *cdb, uint64_t *lba,
		  uint64_t *blocks)
{
	switch (cdb[0] >> 5) {
	case 0:
		*lba = (cdb[1] & 0x1f) << 16 | cdb[2] << 8 | cdb[3];
		*blocks = cdb[4] ? cdb[4] : 256;
		break;
	case 1:
		*lba = vs_get_be32(cdb + 2);
		*blocks = cdb[7] << 8 | cdb[8];
		break;
	case 5:
		*lba = vs_get_be32(cdb + 2);
		*blocks = vs_get_be32(cdb + 6);
		break;
	default:
		*lba = (uint64_t)vs_get_be32(cdb + 2) << 32 |
		       vs_get_be32(cdb + 6);
		*blocks = vs_get_be32(cdb + 10);
	}
	return *lba <= tcmu->blocks && *blocks <= tcmu->blocks - *lba;
}

static void move(struct vs_tcmu *tcmu, const struct tcmu_cmd_entry *entry,
		 const uint8_t *cdb, bool is_read, struct vs_tcmu_answer *reply)
{
	uint64_t lba, blocks;
	uint8_t *at;

	if (!range(tcmu, cdb, &lba, &blocks)) {
		fail(reply, 5, 0x21);
		return;
	}
	at = tcmu->disk + lba * VS_TCMU_BLOCK;
	if (is_read) {
		reply->data = at;
		reply->len = blocks * VS_TCMU_BLOCK;
	} else {
		copy(tcmu, entry, at, NULL, blocks * VS_TCMU_BLOCK);
	}
}

static void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = v >> 24;
	p[1] = v >> 16 & 0xff;
	p[2] = v >> 8 & 0xff;
	p[3] = v & 0xff;
}

/* The commands that say what the unit is like. */
static void describe(struct vs_tcmu *tcmu, const uint8_t *cdb,
		     struct vs_tcmu_answer *reply)
{
	static uint8_t buf[64];

	memset(buf, 0, sizeof(buf));
	reply->data = buf;
	switch (cdb[0]) {
	case VS_INQUIRY:
		if (cdb[1] & 1) {
			fail(reply, 5, 0x24);
			reply->data = NULL;
			return;
		}
		memcpy(buf, "\0\0\6\2\x1f\0\0\2VS-TEST user disk       0001", 36);
		reply->len = 36;
		break;
	case VS_READ_CAPACITY_10:
		put_be32(buf, tcmu->blocks - 1);
		put_be32(buf + 4, VS_TCMU_BLOCK);
		reply->len = 8;
		break;
	case VS_READ_CAPACITY_16:
		put_be32(buf + 4, tcmu->blocks - 1);
		put_be32(buf + 8, VS_TCMU_BLOCK);
		reply->len = 32;
		break;
	case VS_MODE_SENSE_6:
		buf[0] = 3;
		reply->len = 4;
		break;
	case VS_MODE_SENSE_10:
		buf[1] = 6;
		reply->len = 8;
		break;
	}
}

static void answer(struct vs_tcmu *tcmu, const struct tcmu_cmd_entry *entry,
		   const uint8_t *cdb, struct vs_tcmu_answer *reply)
{
	switch (cdb[0]) {
	case VS_TEST_UNIT_READY:
	case VS_SYNCHRONIZE_CACHE:
		break;
	case VS_READ_6:
	case VS_READ_10:
	case VS_READ_12:
	case VS_READ_16:
		move(tcmu, entry, cdb, true, reply);
		break;
	case VS_WRITE_6:
	case VS_WRITE_10:
	case VS_WRITE_12:
	case VS_WRITE_16:
		move(tcmu, entry, cdb, false, reply);
		break;
	case VS_INQUIRY:
	case VS_READ_CAPACITY_10:
	case VS_READ_CAPACITY_16:
	case VS_MODE_SENSE_6:
	case VS_MODE_SENSE_10:
		describe(tcmu, cdb, reply);
		break;
	default:
		fail(reply, 5, 0x20);
	}
}

static void serve_cmd(struct vs_tcmu *tcmu, struct tcmu_cmd_entry *entry)
{
	const uint8_t *cdb = (uint8_t *)tcmu->ring + entry->req.cdb_off;
	struct vs_tcmu_answer reply = {};

	pthread_mutex_lock(&tcmu->lock);
	tcmu->count++;
	memcpy(tcmu->cdb, cdb, sizeof(tcmu->cdb));
	if (tcmu->armed && tcmu->op == cdb[0]) {
		tcmu->armed = false;
		reply = tcmu->answer;
	} else {
		answer(tcmu, entry, cdb, &reply);
		reply.read_len = reply.len;
	}
	pthread_mutex_unlock(&tcmu->lock);
	if (reply.data)
		copy(tcmu, entry, NULL, reply.data, reply.len);
	/* The answer lies where the command was. */
	memset(&entry->rsp, 0, sizeof(entry->rsp));
	entry->rsp.scsi_status = reply.status;
	memcpy(entry->rsp.sense_buffer, reply.sense, sizeof(reply.sense));
	if (reply.read_len) {
		entry->rsp.read_len = reply.read_len;
		entry->hdr.uflags |= TCMU_UFLAG_READ_LEN;
	}
}

static void serve_ring(struct vs_tcmu *tcmu)
{
	struct tcmu_mailbox *mb = tcmu->ring;
	uint32_t tail = mb->cmd_tail, poke = 0;

	while (tail != __atomic_load_n(&mb->cmd_head, __ATOMIC_ACQUIRE)) {
		struct tcmu_cmd_entry *entry = (void *)((uint8_t *)tcmu->ring +
						mb->cmdr_off + tail);
		uint32_t len_op = entry->hdr.len_op;

		if (tcmu_hdr_get_op(len_op) == TCMU_OP_CMD)
			serve_cmd(tcmu, entry);
		tail = (tail + tcmu_hdr_get_len(len_op)) % mb->cmdr_size;
		__atomic_store_n(&mb->cmd_tail, tail, __ATOMIC_RELEASE);
	}
	if (write(tcmu->uio, &poke, sizeof(poke)) != sizeof(poke))
		fprintf(stderr, "# tcm_user: %s\n", strerror(errno));
}

static void *serve(void *arg)
{
	struct vs_tcmu *tcmu = arg;
	struct pollfd fd[2] = {
		{ .fd = tcmu->uio, .events = POLLIN },
		{ .fd = tcmu->stop, .events = POLLIN },
	};
	uint32_t n;

	while (poll(fd, 2, -1) > 0 && !fd[1].revents)
		if (fd[0].revents && read(tcmu->uio, &n, sizeof(n)) == sizeof(n))
			serve_ring(tcmu);
	return NULL;
}

/* The unit's device: the name says whose it is. */
static int find_uio(const char *hba, char *node, size_t size)
{
	char path[300], text[256], want[64];
	struct dirent *de;
	DIR *d = opendir(CLASS);
	int ret = -ENODEV;

	snprintf(want, sizeof(want), "tcm-user/%s/", strrchr(hba, '_') + 1);
	while (d && ret && (de = readdir(d))) {
		snprintf(path, sizeof(path), CLASS "/%s/name", de->d_name);
		if (vs_read_file(path, text, sizeof(text)) > 0 &&
		    !strncmp(text, want, strlen(want))) {
			snprintf(node, size, "/dev/%s", de->d_name);
			ret = 0;
		}
	}
	if (d)
		closedir(d);
	return ret;
}

static int map_ring(struct vs_tcmu *tcmu, const char *node)
{
	int64_t end = vs_now_ms() + vs_patience();
	char path[300], text[64];

	/* Whoever names devices may come a little later. */
	while (access(node, F_OK) && vs_now_ms() < end)
		usleep(10000);
	tcmu->uio = open(node, O_RDWR | O_CLOEXEC);
	if (tcmu->uio < 0)
		return -errno;
	snprintf(path, sizeof(path), CLASS "/%s/maps/map0/size",
		 strrchr(node, '/') + 1);
	if (vs_read_file(path, text, sizeof(text)) <= 0)
		return -ENODEV;
	tcmu->ring_size = strtoul(text, NULL, 0);
	tcmu->ring = mmap(NULL, tcmu->ring_size, PROT_READ | PROT_WRITE,
			  MAP_SHARED, tcmu->uio, 0);
	if (tcmu->ring != MAP_FAILED)
		return 0;
	tcmu->ring = NULL;
	return -errno;
}

static int start(struct vs_tcmu *tcmu, const struct vs_backstore *bs,
		 unsigned int mib)
{
	char node[300];
	int ret = find_uio(bs->hba, node, sizeof(node));

	if (!ret)
		ret = map_ring(tcmu, node);
	if (ret)
		return ret;
	tcmu->stop = eventfd(0, EFD_CLOEXEC);
	tcmu->blocks = ((uint64_t)mib << 20) / VS_TCMU_BLOCK;
	tcmu->disk = calloc(tcmu->blocks, VS_TCMU_BLOCK);
	if (tcmu->stop < 0 || !tcmu->disk)
		return -ENOMEM;
	pthread_mutex_init(&tcmu->lock, NULL);
	ret = pthread_create(&tcmu->thread, NULL, serve, tcmu);
	if (ret)
		tcmu->thread = 0;
	return -ret;
}

int vs_tcmu_get(struct vs_tcmu *tcmu, struct vs_backstore *bs, unsigned int n,
		unsigned int mib)
{
	int ret;

	memset(tcmu, 0, sizeof(*tcmu));
	tcmu->uio = -1;
	tcmu->stop = -1;
	if (access("/sys/module/target_core_user", F_OK))
		system("modprobe -q target_core_user 2>/dev/null");
	if (access("/sys/module/target_core_user", F_OK))
		return -ENODEV;
	ret = vs_user_get(bs, n, mib);
	if (ret)
		return ret;
	ret = start(tcmu, bs, mib);
	if (ret) {
		vs_backstore_put(bs);
		vs_tcmu_put(tcmu);
	}
	return ret;
}

void vs_tcmu_put(struct vs_tcmu *tcmu)
{
	if (tcmu->thread) {
		eventfd_write(tcmu->stop, 1);
		pthread_join(tcmu->thread, NULL);
	}
	if (tcmu->ring)
		munmap(tcmu->ring, tcmu->ring_size);
	if (tcmu->uio > 0)
		close(tcmu->uio);
	if (tcmu->stop > 0)
		close(tcmu->stop);
	free(tcmu->disk);
	memset(tcmu, 0, sizeof(*tcmu));
}

void vs_tcmu_answer(struct vs_tcmu *tcmu, uint8_t op,
		    const struct vs_tcmu_answer *answer)
{
	pthread_mutex_lock(&tcmu->lock);
	tcmu->op = op;
	tcmu->answer = *answer;
	tcmu->armed = true;
	pthread_mutex_unlock(&tcmu->lock);
}

unsigned int vs_tcmu_count(struct vs_tcmu *tcmu, uint8_t *cdb)
{
	unsigned int count;

	pthread_mutex_lock(&tcmu->lock);
	count = tcmu->count;
	if (cdb)
		memcpy(cdb, tcmu->cdb, sizeof(tcmu->cdb));
	pthread_mutex_unlock(&tcmu->lock);
	return count;
}
