// SPDX-License-Identifier: GPL-2.0
/* Guest memory that lives: fork and files, while I/O is in flight. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define PAGES	12

FIXTURE(private) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(private)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.mem = VS_MEM_PRIVATE,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(private);

/* Puts one page of pattern at the start of every 4 KiB of the disk. */
static int fill_disk(struct vs_dev *dev, unsigned int pages)
{
	uint8_t *buf = vs_mem_page(&dev->mem, pages);
	struct vs_result res;
	unsigned int i;

	for (i = 0; i < pages; i++)
		vs_fill(buf + i * VS_PAGE, VS_PAGE, i);
	res = vs_scsi_write(dev, TAG, 0,
			    vs_cdb_rw10(VS_WRITE_10, 0, pages * 8), buf,
			    pages * VS_PAGE);
	return res.err || res.response || res.status ? -EIO : 0;
}

TEST_F(private, read_survives_fork_and_a_write_by_the_parent)
{
	struct vs_req req[PAGES];
	uint8_t *buf;
	unsigned int i;
	pid_t pid;

	COVERS("F-RS-02 REQ-48");
	ASSERT_EQ(0, fill_disk(self->dev, PAGES));
	buf = vs_mem_page(&self->dev->mem, PAGES);
	memset(buf, 0x5a, PAGES * VS_PAGE);
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (i = 0; i < PAGES; i++) {
		vs_req_get(&req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		/* The last byte of the page is nobody's but the parent's. */
		vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE - 512);
		req[i].hdr->cdb[8] = 7;
		ASSERT_EQ(0, vs_req_submit(&req[i]));
	}
	ASSERT_EQ(0, vs_ring_wait_taken(req[0].ring, vs_patience()));
	/* The pages of the last one are pinned when the worker leaves the queue. */
	ASSERT_LE(0, vs_dev_get_base(self->dev, VS_IO));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (i = 0; i < PAGES; i++)
			buf[i * VS_PAGE + VS_PAGE - 1] = 0xc0;
		pause();
		_exit(0);
	}
	/* A page that is not really pinned is copied by this write. */
	for (i = 0; i < PAGES; i++)
		buf[i * VS_PAGE + VS_PAGE - 1] = 0x0f;
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(VS_GOOD, req[i].rsp->status);
		EXPECT_EQ(-1, vs_differs(buf + i * VS_PAGE, VS_PAGE - 512, i));
		EXPECT_EQ(0x0f, buf[i * VS_PAGE + VS_PAGE - 1]);
		vs_req_put(&req[i]);
	}
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

TEST_F(private, pages_are_pinned_and_given_back)
{
	int64_t before, during;
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-48 F-RS-02 FAB-13");
	buf = vs_mem_page(&self->dev->mem, 16);
	memset(buf, 0, 16 * VS_PAGE);
	before = vs_pins();
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 128));
	vs_req_in(&req, buf, 16 * VS_PAGE);
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, vs_ring_wait_taken(req.ring, vs_patience()));
	during = vs_pins();
	EXPECT_EQ(16, during - before);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_req_wait(&req));
	vs_req_put(&req);
}

TEST_F(private, works_without_any_locked_memory)
{
	uint8_t *buf = vs_mem_page(&self->dev->mem, 64);

	COVERS("F-RS-06");
	ASSERT_EQ(0, munlockall());
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 512), buf,
				 64 * VS_PAGE));
}

/* Rewrites a buffer over and over, with one of two bytes. */
struct scribbler {
	uint8_t *buf;
	size_t len;
	volatile bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	unsigned int i;

	for (i = 0; !s->stop; i++)
		memset(s->buf, i % 2 ? 0x55 : 0xaa, s->len);
	return NULL;
}

TEST_F(private, data_that_changes_while_it_is_written_is_old_or_new)
{
	static const size_t len = 64 * VS_PAGE;
	struct scribbler s = { .len = len };
	struct vs_dev *dev = self->dev;
	unsigned int round;
	pthread_t thread;
	size_t mark, i;
	uint8_t *back;

	COVERS("F-RG-21");
	s.buf = vs_mem_page(&dev->mem, 64);
	back = vs_mem_page(&dev->mem, 64);
	memset(s.buf, 0xaa, len);
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &s));
	mark = dev->mem.used;
	for (round = 0; round < 50; round++) {
		dev->mem.used = mark;
		ASSERT_GOOD(vs_scsi_write(dev, TAG, 0,
					  vs_cdb_rw10(VS_WRITE_10, 0,
						      len / 512), s.buf, len));
		memset(back, 0, len);
		ASSERT_GOOD(vs_scsi_read(dev, TAG, 0,
					 vs_cdb_rw10(VS_READ_10, 0, len / 512),
					 back, len));
		for (i = 0; i < len; i++)
			if (back[i] != 0xaa && back[i] != 0x55)
				break;
		EXPECT_EQ(len, i);
	}
	s.stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/* Guest memory in a file, on a file system that can be written back. */
#define MOUNT	"/tmp/vs-test-mnt"
#define IMAGE	MOUNT "/memory"
#define FILE_GPA 0x90000000ULL

FIXTURE(file) {
	struct vs_env env;
	struct vs_dev *dev;
	int fd;
	uint8_t *map;
};

FIXTURE_SETUP(file)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
	};
	struct vhost_memory_region region[2];
	uint8_t page[VS_PAGE];
	unsigned int i;

	umount(MOUNT);
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	mkdir(MOUNT, 0755);
	ASSERT_EQ(0, system("mkfs.ext4 -q -F /dev/ram0 8M 2>/dev/null"));
	ASSERT_EQ(0, mount("/dev/ram0", MOUNT, "ext4", 0, NULL));
	self->fd = open(IMAGE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->fd);
	memset(page, 0x5a, sizeof(page));
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(VS_PAGE, write(self->fd, page, sizeof(page)));
	self->map = mmap(NULL, PAGES * VS_PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	region[0] = (struct vhost_memory_region){
		.guest_phys_addr = VS_GPA,
		.memory_size = self->dev->mem.size,
		.userspace_addr = (uintptr_t)self->dev->mem.base,
	};
	region[1] = (struct vhost_memory_region){
		.guest_phys_addr = FILE_GPA,
		.memory_size = PAGES * VS_PAGE,
		.userspace_addr = (uintptr_t)self->map,
	};
	ASSERT_EQ(0, vs_dev_set_regions(self->dev, region, 2));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

FIXTURE_TEARDOWN(file)
{
	vs_hold_release();
	munmap(self->map, PAGES * VS_PAGE);
	close(self->fd);
	vs_dev_close(self->dev);
	EXPECT_EQ(0, umount(MOUNT));
	rmdir(MOUNT);
	ENV_PUT(&self->env);
}

TEST_F(file, read_into_a_file_outlives_writeback_in_the_middle)
{
	uint8_t page[VS_PAGE];
	struct vs_req req;
	unsigned int i;

	COVERS("F-RS-03 REQ-48");
	ASSERT_EQ(0, fill_disk(self->dev, PAGES));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	vs_req_get(&req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, PAGES * 8));
	req.chain.in[req.chain.n_in++] = (struct vs_seg){
		.gpa = FILE_GPA, .len = PAGES * VS_PAGE,
	};
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, vs_ring_wait_taken(req.ring, vs_patience()));
	/* Its pages are pinned when the worker leaves the queue. */
	ASSERT_LE(0, vs_dev_get_base(self->dev, VS_IO));
	/* From here on the pages are clean, unless the device dirties them. */
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	vs_req_put(&req);
	/* What is clean and not mapped goes; what is dirty is written. */
	ASSERT_EQ(0, madvise(self->map, PAGES * VS_PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, vs_write_file("/proc/sys/vm/drop_caches", "3"));
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(VS_PAGE, pread(self->fd, page, VS_PAGE,
					 i * VS_PAGE));
		EXPECT_EQ(-1, vs_differs(page, VS_PAGE, i));
	}
}

TEST_F(file, buffer_behind_the_end_of_the_file_is_answered_failure)
{
	struct vs_req req;

	COVERS("F-RG-11 REQ-47 F-RS-04");
	ASSERT_EQ(0, ftruncate(self->fd, VS_PAGE));
	vs_req_get(&req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, PAGES * 8));
	req.chain.in[req.chain.n_in++] = (struct vs_seg){
		.gpa = FILE_GPA, .len = PAGES * VS_PAGE,
	};
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_FAILURE |
		      1U << VIRTIO_SCSI_S_TRANSPORT_FAILURE,
		      req.rsp->response);
	vs_req_put(&req);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

/* Guest memory whose pages are one page, and a disk that keeps it pinned. */
#define MANY_PAGES	2048
#define MANY_QUEUES	4
#define MANY		1100	/* times 2048 pins is more than a page can count */

FIXTURE(one_page) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req[MANY];
	uint8_t *buf;
};

FIXTURE_SETUP(one_page)
{
	struct vs_env_opts opts = {
		.dev.n_io = MANY_QUEUES,
		.dev.ring_size = 1024,
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
	};
	unsigned int i;
	int fd;

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, MANY_PAGES);
	fd = memfd_create("one page", MFD_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, VS_PAGE));
	for (i = 0; i < MANY_PAGES; i++)
		ASSERT_NE(MAP_FAILED,
			  mmap(self->buf + i * VS_PAGE, VS_PAGE,
			       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			       fd, 0));
	close(fd);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

FIXTURE_TEARDOWN(one_page)
{
	vs_hold_release();
	ENV_PUT(&self->env);
}

TEST_F(one_page, is_pinned_as_often_as_it_can_count)
{
	unsigned int i, held = 0, full = 0;

	COVERS("REQ-77");
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (i = 0; i < MANY; i++) {
		vs_req_get(&self->req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_WRITE_10, 0, MANY_PAGES * 8));
		vs_req_out(&self->req[i], self->buf, MANY_PAGES * VS_PAGE);
		self->req[i].ring = &self->dev->ring[VS_IO + i % MANY_QUEUES];
		ASSERT_EQ(0, vs_req_submit(&self->req[i]));
	}
	for (i = 0; i < MANY_QUEUES; i++)
		ASSERT_EQ(0, vs_ring_wait_taken(&self->dev->ring[VS_IO + i],
						vs_patience()));
	/* Not worth writing: they fail, which says that they were held. */
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "error", VS_HOLD_MIB));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, vs_req_wait(&self->req[i]));
		EXPECT_EQ(0, self->req[i].rsp->response);
		held += self->req[i].rsp->status == VS_CHECK_CONDITION;
		full += self->req[i].rsp->status == VS_TASK_SET_FULL;
		vs_req_put(&self->req[i]);
	}
	TH_LOG("%u held, %u full", held, full);
	EXPECT_EQ(MANY, held + full);
	/* A pin is 1024 references, of 2^30; some others may have a few. */
	EXPECT_LE((1U << 20) / MANY_PAGES - 1, held);
	EXPECT_GE((1U << 20) / MANY_PAGES, held);
}

TEST_HARNESS_MAIN
