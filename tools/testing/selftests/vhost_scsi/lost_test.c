// SPDX-License-Identifier: GPL-2.0
/* A backstore whose device goes away under it, with commands on their way. */
#include <dirent.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "vs_test.h"

#define TAG		VS_TAG
#define DEPTH		8
#define IMAGE		"/tmp/vs-test-lost.img"
#define DEBUG_DRIVER	"/sys/bus/pseudo/drivers/scsi_debug"
#define SCSI_DEVICES	"/sys/bus/scsi/devices"
#define BUSY		0x08

/* How a device comes, and how it goes. */
enum device {
	DM_ERROR,
	LOOP_TRUNCATED,
	SCSI_DELETED,
};

FIXTURE(lost) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req[DEPTH];
	uint8_t *buf;
	char node[64];
	char scsi[300];
	int loop;
};

typedef FIXTURE_DATA(lost) lost_data;

FIXTURE_VARIANT(lost) {
	enum device device;
};

FIXTURE_VARIANT_ADD(lost, dm_error) {
	.device = DM_ERROR,
};

FIXTURE_VARIANT_ADD(lost, loop_truncated) {
	.device = LOOP_TRUNCATED,
};

FIXTURE_VARIANT_ADD(lost, scsi_deleted) {
	.device = SCSI_DELETED,
};

static int dm_get(lost_data *self)
{
	int ret = vs_hold_get(&self->env.hold);

	snprintf(self->node, sizeof(self->node), "%s", self->env.hold.node);
	return ret;
}

static int loop_get(lost_data *self)
{
	int ctl, file, n, ret = -1;

	system("modprobe -qa loop 2>/dev/null");
	ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	n = ctl < 0 ? -1 : ioctl(ctl, LOOP_CTL_GET_FREE);
	close(ctl);
	if (n < 0)
		return -errno;
	snprintf(self->node, sizeof(self->node), "/dev/loop%d", n);
	file = open(IMAGE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	self->loop = open(self->node, O_RDWR | O_CLOEXEC);
	if (file >= 0 && self->loop >= 0 && !ftruncate(file, 4 << 20))
		ret = ioctl(self->loop, LOOP_SET_FD, file);
	close(file);
	return ret ? -errno : 0;
}

/* The block device of the only unit that scsi_debug has. */
static int find_debug(lost_data *self)
{
	char path[600], text[64];
	struct dirent *de, *disk;
	DIR *d = opendir(SCSI_DEVICES), *block;
	int ret = -ENODEV;

	while (d && ret && (de = readdir(d))) {
		snprintf(path, sizeof(path), SCSI_DEVICES "/%s/model",
			 de->d_name);
		if (vs_read_file(path, text, sizeof(text)) <= 0 ||
		    strncmp(text, "scsi_debug", 10))
			continue;
		snprintf(self->scsi, sizeof(self->scsi), SCSI_DEVICES "/%s",
			 de->d_name);
		snprintf(path, sizeof(path), "%s/block", self->scsi);
		block = opendir(path);
		while (block && ret && (disk = readdir(block)))
			if (disk->d_name[0] != '.')
				ret = snprintf(self->node, sizeof(self->node),
					       "/dev/%.32s", disk->d_name) < 0;
		if (block)
			closedir(block);
	}
	if (d)
		closedir(d);
	return ret ? ret : access(self->node, F_OK);
}

static int scsi_get(lost_data *self)
{
	int64_t end = vs_now_ms() + vs_patience();

	/* Every command takes 100 ms, so that some are always on their way. */
	if (system("modprobe -q sd_mod 2>/dev/null; "
		   "modprobe scsi_debug dev_size_mb=8 ndelay=100000000"))
		return -EIO;
	while (find_debug(self)) {
		if (vs_now_ms() > end)
			return -ENODEV;
		usleep(10000);
	}
	return 0;
}

static int device_lose(lost_data *self, enum device device)
{
	char path[320];

	switch (device) {
	case DM_ERROR:
		return vs_hold_table(&self->env.hold, "error", VS_HOLD_MIB);
	case LOOP_TRUNCATED:
		/* What the page cache still held goes with the file's end. */
		return truncate(IMAGE, 0);
	case SCSI_DELETED:
		snprintf(path, sizeof(path), "%s/delete", self->scsi);
		return vs_write_file(path, "1");
	}
	return -EINVAL;
}

/* Whatever a test of this kind, or one that died, has left. */
static void device_put(lost_data *self)
{
	if (self->loop > 0) {
		ioctl(self->loop, LOOP_CLR_FD, 0);
		close(self->loop);
	}
	unlink(IMAGE);
	if (!access(DEBUG_DRIVER, F_OK))
		system("modprobe -qr scsi_debug");
}

FIXTURE_SETUP(lost)
{
	device_put(self);
	/* First: what scsi_debug prints has "bug" in it. */
	if (variant->device == SCSI_DELETED)
		ASSERT_EQ(0, scsi_get(self));
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, DEPTH + 1);
	if (variant->device == LOOP_TRUNCATED)
		ASSERT_EQ(0, loop_get(self));
	if (variant->device == DM_ERROR)
		ASSERT_EQ(0, dm_get(self));
	ASSERT_EQ(0, vs_iblock_get(&self->env.bs[1], 1, self->node));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
}

FIXTURE_TEARDOWN(lost)
{
	ENV_PUT(&self->env);
	device_put(self);
}

static struct vs_result rw(lost_data *self, uint16_t lun, uint8_t op)
{
	struct vs_cdb cdb = vs_cdb_rw10(op, 0, 8);
	uint8_t *buf = self->buf + DEPTH * VS_PAGE;

	return op == VS_READ_10 ?
	       vs_scsi_read(self->dev, TAG, lun, cdb, buf, VS_PAGE) :
	       vs_scsi_write(self->dev, TAG, lun, cdb, buf, VS_PAGE);
}

/* Reads only: a write makes a truncated file longer, and is done then. */
static int submit(lost_data *self)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < DEPTH && !ret; i++) {
		vs_req_get(&self->req[i], self->dev, TAG, 1,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&self->req[i], self->buf + i * VS_PAGE, VS_PAGE);
		ret = vs_req_submit(&self->req[i]);
	}
	return ret;
}

/*
 * Not ready, medium error, hardware error, or busy: LIO's iblock says the
 * first, logical unit communication failure. A disk that was deleted has no
 * blocks any more, which is told once, and every address is out of its range.
 */
static bool says_lost(const struct vs_result *res)
{
	int key = res->sense >> 16;

	if (res->err || res->response)
		return false;
	return res->status == BUSY ||
	       (res->status == VS_CHECK_CONDITION && res->resid == VS_PAGE &&
		((key >= 2 && key <= 4) || res->sense == sense(5, 0x21, 0) ||
		 res->sense == sense(6, 0x2a, 0x09)));
}

/* Waits for all; how many were GOOD, or -1 if one was answered otherwise. */
static int collect(lost_data *self)
{
	unsigned int i;
	int good = 0;

	for (i = 0; i < DEPTH; i++) {
		struct vs_req *req = &self->req[i];
		struct vs_result res = { .err = vs_req_wait(req) };

		res.response = req->rsp->response;
		res.status = req->rsp->status;
		res.sense = vs_req_sense(req);
		res.resid = req->rsp->resid;
		if (!res.err && !res.response && res.status == VS_GOOD)
			good++;
		else if (!says_lost(&res) || req->chain.times != 1)
			good = -DEPTH;
		vs_req_put(req);
	}
	return good < 0 ? -1 : good;
}

TEST_F(lost, commands_end_without_good_and_other_units_go_on)
{
	struct vs_result res;
	int good;

	COVERS("F-AD-05 F-AD-06");
	ASSERT_GOOD(rw(self, 1, VS_WRITE_10));
	ASSERT_GOOD(rw(self, 1, VS_READ_10));
	if (variant->device == DM_ERROR)
		ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	ASSERT_EQ(0, submit(self));
	ASSERT_EQ(0, device_lose(self, variant->device));
	/* Those that the device had may have been read in time. */
	good = collect(self);
	EXPECT_LE(0, good);
	TH_LOG("%d of %d were read before", good, DEPTH);
	ASSERT_EQ(0, submit(self));
	EXPECT_EQ(0, collect(self));
	res = rw(self, 1, VS_READ_10);
	EXPECT_TRUE(says_lost(&res)) {
		TH_LOG("status %#x, sense %#x", res.status, res.sense);
	}
	if (variant->device != LOOP_TRUNCATED) {
		res = rw(self, 1, VS_WRITE_10);
		EXPECT_TRUE(says_lost(&res)) {
			TH_LOG("status %#x, sense %#x", res.status, res.sense);
		}
	}
	EXPECT_GOOD(rw(self, 0, VS_WRITE_10));
	EXPECT_GOOD(rw(self, 0, VS_READ_10));
	EXPECT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 1));
	EXPECT_EQ(0, vs_backstore_put(&self->env.bs[1]));
}

TEST_HARNESS_MAIN
