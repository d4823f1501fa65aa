// SPDX-License-Identifier: GPL-2.0
/* The threads that serve the queues, and queues that change theirs under load. */
#include <sched.h>
#include <unistd.h>

#include "vs_fault.h"
#include "vs_proc.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define N_IO	4
#define DEPTH	16

FIXTURE(worker) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(worker)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.n_io = N_IO,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(worker);

/*
 * Whether there come to be @n to @most workers: a freed one has stopped, and
 * may still be on its way out of the process.
 */
static bool has_workers(unsigned int n, unsigned int most)
{
	int64_t end = vs_now_ms() + vs_patience();
	unsigned int now;

	while ((now = vs_threads(true, NULL)) > most && vs_now_ms() < end)
		usleep(1000);
	return now >= n && now <= most;
}

static void prepare(struct vs_dev *dev, struct vs_req *req, unsigned int i)
{
	vs_req_get(req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, i % 64 * 8, 8));
	req->chain.flags = VS_INDIRECT;
	req->ring = &dev->ring[VS_IO + i % N_IO];
	vs_req_in(req, vs_mem_page(&dev->mem, 1), VS_PAGE);
}

/* Commands on all queues, of which @between does something to the device. */
static int load(struct vs_dev *dev, unsigned int round,
		int (*between)(struct vs_dev *dev, unsigned int round))
{
	struct vs_req req[N_IO * DEPTH];
	size_t mark = dev->mem.used;
	unsigned int i, n;
	int ret = 0;

	for (n = 0; n < ARRAY_SIZE(req) && !ret; n++) {
		prepare(dev, &req[n], n);
		ret = vs_req_submit(&req[n]);
		if (!ret && n == ARRAY_SIZE(req) / 2)
			ret = between(dev, round);
	}
	for (i = 0; i < n; i++) {
		if (!ret)
			ret = vs_req_wait(&req[i]);
		if (!ret && (req[i].rsp->response || req[i].rsp->status ||
			     req[i].chain.times != 1))
			ret = -EIO;
		vs_req_put(&req[i]);
	}
	dev->mem.used = mark;
	return ret;
}

TEST_F(worker, has_an_id_and_serves_what_it_is_attached_to)
{
	int first = vs_dev_get_worker(self->dev, VS_CTL), worker, i;

	COVERS("IOC-15 IOC-16 IOC-17 IOC-18");
	ASSERT_LE(0, first);
	EXPECT_TRUE(has_workers(1, 1));
	for (i = VS_EVT; i < VS_IO + N_IO; i++)
		EXPECT_EQ(first, vs_dev_get_worker(self->dev, i));
	worker = vs_dev_new_worker(self->dev);
	ASSERT_LE(0, worker);
	EXPECT_NE(first, worker);
	EXPECT_TRUE(has_workers(2, 2));
	ASSERT_EQ(0, vs_dev_attach_worker(self->dev, VS_IO, worker));
	EXPECT_EQ(worker, vs_dev_get_worker(self->dev, VS_IO));
	EXPECT_EQ(first, vs_dev_get_worker(self->dev, VS_IO + 1));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	/* Not while it has a queue. */
	EXPECT_EQ(-EBUSY, vs_dev_free_worker(self->dev, worker));
	ASSERT_EQ(0, vs_dev_attach_worker(self->dev, VS_IO, first));
	EXPECT_EQ(0, vs_dev_free_worker(self->dev, worker));
	EXPECT_EQ(-ENODEV, vs_dev_free_worker(self->dev, worker));
	EXPECT_TRUE(has_workers(1, 1));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(worker, bad_arguments_are_refused)
{
	static const unsigned long cmd[] = {
		VHOST_NEW_WORKER, VHOST_FREE_WORKER, VHOST_ATTACH_VRING_WORKER,
		VHOST_GET_VRING_WORKER,
	};
	int fd = open("/dev/vhost-scsi", O_RDWR | O_CLOEXEC), status;
	int first = vs_dev_get_worker(self->dev, VS_CTL);
	struct vhost_vring_worker arg = { .index = VS_IO };
	size_t i;
	pid_t pid;

	COVERS("IOC-15 IOC-16 IOC-17 IOC-18 IOC-19");
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENODEV, vs_dev_attach_worker(self->dev, VS_IO, first + 77));
	EXPECT_EQ(-ENOBUFS, vs_dev_attach_worker(self->dev, 4096, first));
	EXPECT_EQ(-ENOBUFS, vs_dev_get_worker(self->dev, 4096));
	EXPECT_EQ(-ENODEV, vs_dev_free_worker(self->dev, first + 77));
	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		EXPECT_EQ(-EFAULT, vs_ioctl(self->dev->fd, cmd[i], NULL));
		/* A device without an owner has no workers. */
		EXPECT_EQ(-EINVAL, vs_ioctl(fd, cmd[i], &arg));
	}
	close(fd);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int bad = 0;

		for (i = 0; i < ARRAY_SIZE(cmd); i++)
			bad += vs_ioctl(self->dev->fd, cmd[i], &arg) != -EPERM;
		_exit(bad);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

static int swap(struct vs_dev *dev, unsigned int round)
{
	unsigned int index = round % (VS_IO + N_IO);
	int old = vs_dev_get_worker(dev, index);
	int worker = vs_dev_new_worker(dev);
	int ret = worker < 0 ? worker : vs_dev_attach_worker(dev, index, worker);

	/* The first one still has a queue now and then. */
	if (!ret && vs_dev_free_worker(dev, old) == -ENODEV)
		ret = -ENODEV;
	return ret;
}

TEST_F_TIMEOUT(worker, changes_under_load_and_nothing_is_lost, 600)
{
	unsigned int round, rounds = vs_rounds(15, 300);

	COVERS("IOC-17 F-LC-20");
	for (round = 0; round < rounds; round++)
		ASSERT_EQ(0, load(self->dev, round, swap));
	EXPECT_TRUE(has_workers(1, 1 + VS_IO + N_IO));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

static int clear_and_set(struct vs_dev *dev, unsigned int round)
{
	int ret = vs_dev_clear_endpoint(dev, VS_WWN);

	(void)round;
	return ret ? ret : vs_dev_set_endpoint(dev, VS_WWN);
}

TEST_F_TIMEOUT(worker, several_let_go_when_the_endpoint_is_cleared, 600)
{
	unsigned int i, round;

	COVERS("IOC-19 F-LC-20");
	for (i = VS_CTL; i < VS_IO + N_IO; i++)
		ASSERT_EQ(0, vs_dev_attach_worker(self->dev, i,
						  vs_dev_new_worker(self->dev)));
	for (round = 0; round < 20; round++)
		ASSERT_EQ(0, load(self->dev, round, clear_and_set));
}

/*
 * A worker that gets the processor only when nobody else wants it: what is queued
 * to it stays there as long as it can.
 */
static int new_lazy_worker(struct vs_dev *dev)
{
	struct sched_param param = {};
	int worker = vs_dev_new_worker(dev);

	if (worker >= 0 &&
	    sched_setscheduler(vs_fault_worker(), SCHED_IDLE, &param))
		return -errno;
	return worker;
}

static int attach_all(struct vs_dev *dev, int worker)
{
	unsigned int i;
	int ret = 0;

	for (i = VS_CTL; i < VS_IO + N_IO && !ret; i++)
		ret = vs_dev_attach_worker(dev, i, worker);
	return ret;
}

/* Without a kick eventfd the core takes a queue without endpoint for idle. */
static int kick_all(struct vs_dev *dev, bool with)
{
	unsigned int i;
	int ret = 0;

	for (i = VS_CTL; i < VS_IO + N_IO && !ret; i++)
		ret = vs_dev_set_eventfd(dev, VHOST_SET_VRING_KICK, i,
					 with ? dev->ring[i].kick : -1);
	return ret;
}

/* An endpoint that comes and goes while its worker has other things to do. */
static int come_and_go(struct vs_dev *dev, struct vs_backstore *bs,
		       struct vs_req *req)
{
	int ret = vs_req_submit(req);

	if (!ret)
		ret = vs_dev_set_endpoint(dev, VS_WWN);
	if (!ret)
		ret = vs_lun_link(VS_WWN, TAG, 1, bs);
	if (!ret)
		ret = vs_dev_clear_endpoint(dev, VS_WWN);
	return ret;
}

#define ROUNDS	40

TEST_F(worker, has_nothing_left_to_do_when_the_endpoint_is_cleared)
{
	int first = vs_dev_get_worker(self->dev, VS_CTL), worker;
	struct vs_req req[ROUNDS];
	unsigned int i;

	COVERS("IOC-03 IOC-16 IOC-17 F-LC-20");
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, kick_all(self->dev, false));
	for (i = 0; i < ROUNDS; i++) {
		worker = new_lazy_worker(self->dev);
		ASSERT_LE(0, worker);
		ASSERT_EQ(0, attach_all(self->dev, worker));
		prepare(self->dev, &req[i], i);
		ASSERT_EQ(0, come_and_go(self->dev, &self->env.bs[0], &req[i]));
		/* What it has queued now would go with it. */
		ASSERT_EQ(0, attach_all(self->dev, first));
		ASSERT_EQ(0, vs_dev_free_worker(self->dev, worker));
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 1));
	}
	ASSERT_EQ(0, kick_all(self->dev, true));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(1, req[i].chain.times);
		vs_req_put(&req[i]);
	}
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	EXPECT_EQ(0, load(self->dev, 0, clear_and_set));
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vs_tmf(self->dev, TAG, 0,
			 VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0, NULL));
}

TEST_HARNESS_MAIN
