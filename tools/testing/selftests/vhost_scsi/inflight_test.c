// SPDX-License-Identifier: GPL-2.0
/* I/O that is on its way when something ends, or when the VMM asks. */
#include <signal.h>
#include <sys/mount.h>

#include "vs_test.h"
#include "vs_thread.h"

#define TAG VS_TAG

FIXTURE(inflight) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req[8];
};

FIXTURE_SETUP(inflight)
{
	struct vs_env_opts opts = { .disk = VS_DISK_HOLD, .no_dev = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
}

ENV_TEARDOWN(inflight);

/* Opens the device and leaves eight reads with the disk, which holds them. */
static int start_reads(struct vs_dev *dev, struct vs_req *req)
{
	struct vs_dev_opts opts = { .features = VS_F_MODERN | VS_F_EVENT_IDX };
	uint8_t *buf;
	unsigned int i;
	int ret;

	if (dev->fd < 0) {
		ret = vs_dev_open(dev, &opts);
		if (ret)
			return ret;
	}
	ret = vs_dev_setup(dev);
	if (!ret)
		ret = vs_dev_set_endpoint(dev, VS_WWN);
	if (!ret)
		ret = vs_scsi_settle(dev, TAG, 0);
	if (ret)
		return ret;
	buf = vs_mem_page(&dev->mem, 8);
	for (i = 0; i < 8; i++) {
		vs_req_get(&req[i], dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
		ret = vs_req_submit(&req[i]);
		if (ret)
			return ret;
	}
	return vs_ring_wait_taken(req[0].ring, vs_patience());
}

/* The disk has been allowed to answer; in memory shared with who does it. */
static volatile bool *answers;

/* Lets the disk answer from another process, once a thread of @waiter waits for it. */
static pid_t answer_later(struct vs_env *env, pid_t waiter)
{
	int closed[2], late;
	pid_t pid;
	char c;

	answers = mmap(NULL, VS_PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (answers == MAP_FAILED || pipe(closed))
		return -1;
	pid = fork();
	if (!pid) {
		/* Not this process is to make the last close, and wait. */
		if (env->dev.fd >= 0)
			close(env->dev.fd);
		close(closed[0]);
		close(closed[1]);
		late = vs_wait_stuck(waiter, 0);
		*answers = true;
		_exit(vs_hold_go(&env->hold) || late ? 1 : 0);
	}
	close(closed[1]);
	if (read(closed[0], &c, 1))
		pid = -1;
	close(closed[0]);
	return pid;
}

TEST_F(inflight, clear_waits_for_every_command)
{
	unsigned int i;
	pid_t pid;

	COVERS("IOC-03 REQ-58 F-AD-07");
	ASSERT_EQ(0, start_reads(self->dev, self->req));
	pid = answer_later(&self->env, getpid());
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_TRUE(*answers);
	EXPECT_EQ(8, vs_ring_pending(self->req[0].ring));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, vs_req_wait(&self->req[i]));
		EXPECT_EQ(VS_GOOD, self->req[i].rsp->status);
		vs_req_put(&self->req[i]);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	/* Nothing of ours refers to the session any more. */
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN));
}

TEST_F(inflight, close_waits_for_every_command)
{
	pid_t pid;

	COVERS("IOC-34 F-LC-10 F-AD-07 F-RS-04");
	ASSERT_EQ(0, start_reads(self->dev, self->req));
	pid = answer_later(&self->env, getpid());
	ASSERT_LT(0, pid);
	vs_dev_close(self->dev);
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* Starts an owner process with reads in flight, and kills it. */
static int kill_owner(struct vs_env *env, struct vs_dev *dev,
		      struct vs_req *req)
{
	int ready[2], status;
	pid_t pid, helper;
	char c = 'e';

	if (pipe(ready))
		return -errno;
	pid = fork();
	if (!pid) {
		c = start_reads(dev, req) ? 'e' : 'r';
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		c = 'e';
	close(ready[0]);
	kill(pid, SIGKILL);
	/* The last close waits for the disk. */
	helper = answer_later(env, pid);
	if (waitpid(pid, &status, 0) != pid)
		return -ECHILD;
	if (waitpid(helper, &status, 0) != helper || status)
		return -ECHILD;
	return c == 'r' ? 0 : -EIO;
}

TEST_F(inflight, owner_killed_in_the_middle_leaves_nothing)
{
	COVERS("F-LC-10 REQ-59 IOC-34");
	ASSERT_EQ(0, kill_owner(&self->env, self->dev, self->req));
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN));
}

TEST_F(inflight, owner_killed_while_another_holds_the_descriptor)
{
	struct vs_dev_opts opts = { .features = VS_F_MODERN | VS_F_EVENT_IDX };

	COVERS("F-LC-11 REQ-59 IOC-29");
	ASSERT_EQ(0, vs_dev_open(self->dev, &opts));
	ASSERT_EQ(0, kill_owner(&self->env, self->dev, self->req));
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN));
}

TEST_F(inflight, buffers_unmapped_in_flight_go_to_the_old_pages)
{
	uint8_t *buf;
	unsigned int i;

	COVERS("F-RS-04 REQ-48");
	ASSERT_EQ(0, start_reads(self->dev, self->req));
	/* The data pages lie before the first request's header. */
	buf = self->dev->mem.base + self->req[0].chain.in[1].gpa - VS_GPA;
	ASSERT_EQ(0, munmap(buf, 4 * VS_PAGE));
	ASSERT_EQ(0, madvise(buf + 4 * VS_PAGE, 4 * VS_PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, vs_req_wait(&self->req[i]));
		EXPECT_EQ(VS_GOOD, self->req[i].rsp->status);
		vs_req_put(&self->req[i]);
	}
}

/* Everything a VMM may ask for that must not wait for the disk. */
static int ask_everything(struct vs_dev *dev)
{
	struct vhost_vring_state num = { .index = VS_IO, .num = 128 };
	struct vhost_memory bad = { .padding = 1 };
	uint32_t index = VS_IO, missed = 0;
	uint64_t word = 0;
	int fd = dev->fd;

	return vs_ioctl(fd, VHOST_GET_FEATURES, &word) ||
	       vs_dev_set_features(dev, dev->features) ||
	       vs_ioctl(fd, VHOST_SET_OWNER, NULL) != -EBUSY ||
	       vs_ioctl(fd, VHOST_RESET_OWNER, &index) != -ENOTTY ||
	       vs_ioctl(fd, VHOST_SET_MEM_TABLE, &bad) != -EOPNOTSUPP ||
	       vs_ioctl(fd, VHOST_SET_LOG_BASE, &word) ||
	       vs_ioctl(fd, VHOST_SET_LOG_FD, &(int){ -1 }) ||
	       vs_ioctl(fd, VHOST_SET_VRING_NUM, &num) != -EBUSY ||
	       vs_ioctl(fd, VHOST_SET_VRING_BASE, &num) != -EBUSY ||
	       vs_dev_set_addr(dev, &dev->ring[VS_IO]) ||
	       vs_dev_get_base(dev, VS_IO) < 8 ||
	       vs_dev_set_eventfd(dev, VHOST_SET_VRING_CALL, VS_IO,
				  dev->ring[VS_IO].call) ||
	       vs_dev_set_eventfd(dev, VHOST_SET_VRING_ERR, VS_IO, -1) ||
	       vs_dev_set_eventfd(dev, VHOST_SET_VRING_KICK, VS_IO,
				  dev->ring[VS_IO].kick) ||
	       vs_ioctl(fd, VHOST_SET_VRING_BUSYLOOP_TIMEOUT, &num) ||
	       vs_ioctl(fd, VHOST_GET_VRING_BUSYLOOP_TIMEOUT, &num) ||
	       vs_ioctl(fd, VHOST_SCSI_GET_EVENTS_MISSED, &missed) ||
	       vs_ioctl(fd, VHOST_SCSI_SET_EVENTS_MISSED, &missed);
}

TEST_F(inflight, only_a_new_memory_table_waits_for_commands)
{
	unsigned int i;
	pid_t pid;

	COVERS("IOC-32 IOC-12 F-AD-07");
	ASSERT_EQ(0, start_reads(self->dev, self->req));
	EXPECT_EQ(0, ask_everything(self->dev));
	/* The disk still holds what it was given, however long that is. */
	usleep(100000);
	EXPECT_EQ(0, vs_ring_pending(self->req[0].ring));
	pid = answer_later(&self->env, getpid());
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, vs_dev_set_mem(self->dev));
	EXPECT_TRUE(*answers);
	EXPECT_EQ(8, vs_ring_pending(self->req[0].ring));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, vs_req_wait(&self->req[i]));
		EXPECT_EQ(VS_GOOD, self->req[i].rsp->status);
		vs_req_put(&self->req[i]);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

#define TRACING "/sys/kernel/tracing"
#define EVENT	TRACING "/events/vhost_scsi/vhost_scsi_drain/enable"

TEST_F(inflight, who_waits_says_what_for)
{
	int64_t end = vs_now_ms() + vs_patience();
	char text[4096] = "", *line;
	pid_t pid;

	COVERS("F-AD-07 REQ-58 F-TM-11");
	if (access(TRACING "/trace", F_OK))
		mount("none", TRACING, "tracefs", 0, NULL);
	ASSERT_EQ(0, vs_write_file(TRACING "/trace", "\n"));
	ASSERT_EQ(0, vs_write_file(EVENT, "1"));
	ASSERT_EQ(0, start_reads(self->dev, self->req));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		while (!strstr(text, "vhost_scsi_drain:") && vs_now_ms() < end) {
			usleep(10000);
			vs_read_file(TRACING "/trace", text, sizeof(text));
		}
		_exit(vs_hold_go(&self->env.hold) ? 1 : 0);
	}
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_EQ(0, vs_write_file(EVENT, "0"));
	ASSERT_LT(0, vs_read_file(TRACING "/trace", text, sizeof(text)));
	line = strstr(text, "vhost_scsi_drain:");
	ASSERT_NE(NULL, line);
	EXPECT_NE(NULL, strstr(line, "vq=2 left=8"));
}

TEST_HARNESS_MAIN
