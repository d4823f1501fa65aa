// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that are watched before their worker sleeps, and what /proc says of the
 * queues: busyloop_us, VHOST_SET_VRING_BUSYLOOP_TIMEOUT, fdinfo.
 */
#include <sched.h>
#include <stdio.h>

#include "vs_fault.h"
#include "vs_hole.h"
#include "vs_proc.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define SERIAL	200	/* commands one after the other */

FIXTURE(watch) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req;
};

typedef FIXTURE_DATA(watch) watch_data;

FIXTURE_SETUP(watch)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.n_io = 3,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_req_get(&self->req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, 8));
	self->req.chain.flags |= VS_INDIRECT;
	vs_req_in(&self->req, vs_mem_page(&self->dev->mem, 1), VS_PAGE);
}

FIXTURE_TEARDOWN(watch)
{
	vs_req_put(&self->req);
	ENV_PUT(&self->env);
}

static int set_attr(const char *value)
{
	return vs_tpg_attr(VS_WWN, TAG, "busyloop_us", value);
}

/* A counter of the first request queue in fdinfo; -1 if it is not there. */
static long counter(struct vs_dev *dev, const char *name)
{
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dev->fd);
	if (vs_read_file(path, text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, "vq2:");
	at = at ? strstr(at, name) : NULL;
	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/*
 * Waits until a ring's next command is done, without sleeping for its interrupt: it
 * spins, or leaves the processor to the worker for a moment each time.
 */
static int wait_one(struct vs_ring *ring, bool rest)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (!vs_ring_take(ring, NULL)) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		if (rest)
			usleep(50);
	}
	return 0;
}

/* One command, with a kick only if the device wants it. */
static int run_req(struct vs_req *req, unsigned int *kicks, bool rest)
{
	struct vs_ring *ring = req->ring;
	uint16_t old = ring->next_avail, event;
	int ret = vs_ring_add(ring, &req->chain);

	if (ret)
		return ret;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = *(volatile uint16_t *)vs_ring_avail_event(ring);
	if (event == old) {
		vs_ring_kick(ring);
		++*kicks;
	}
	return wait_one(ring, rest);
}

static int run_one(watch_data *self, unsigned int *kicks)
{
	int ret = run_req(&self->req, kicks, false);

	if (ret)
		return ret;
	return self->req.rsp->response || self->req.rsp->status ? -EIO : 0;
}

static int run_serial(watch_data *self, unsigned int *kicks)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < SERIAL && !ret; i++)
		ret = run_one(self, kicks);
	return ret;
}

static long polls(struct vs_dev *dev)
{
	return counter(dev, "polls_won ") + counter(dev, "polls_lost ");
}

/* Some commands that come soon enough after each other for a queue to be watched. */
static int run_soon(struct vs_req *req)
{
	unsigned int kicks = 0, i;
	int ret = 0;

	for (i = 0; i < 8 && !ret; i++)
		ret = run_req(req, &kicks, true);
	return ret;
}

/*
 * Commands of an initiator that leaves the processor alone, until the queue was
 * watched.
 * A machine so busy that all waits are too long is not for ever so.
 */
static int run_until_watched(struct vs_req *req)
{
	int64_t end = vs_now_ms() + vs_patience();
	long before = polls(req->dev);
	int ret;

	do {
		ret = run_soon(req);
	} while (!ret && polls(req->dev) == before && vs_now_ms() < end);
	return ret ? ret : polls(req->dev) == before ? -ETIMEDOUT : 0;
}

/*
 * A worker that finds requests by watching goes on with the limit that it began with:
 * one that it has to be kicked for is the first of another turn. It comes as soon as the
 * worker sleeps.
 */
static int run_until_kicked(struct vs_req *req)
{
	unsigned int kicks = 0, pause;
	int ret = 0;

	for (pause = 10; !ret && !kicks; pause *= 2) {
		usleep(pause);
		ret = run_req(req, &kicks, true);
	}
	return ret;
}

static bool two_processors(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

TEST_F(watch, attribute_takes_0_to_1000)
{
	static const char * const bad[] = { "1001", "4294967296", "-1", "x" };
	char path[512], text[32];
	size_t i;

	COVERS("CFG-14");
	vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "attrib/busyloop_us");
	ASSERT_LT(0, vs_read_file(path, text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
	EXPECT_EQ(0, set_attr("1000"));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_GT(0, set_attr(bad[i]));
	ASSERT_LT(0, vs_read_file(path, text, sizeof(text)));
	EXPECT_STREQ("1000\n", text);
	EXPECT_EQ(0, set_attr("0"));
}

TEST_F(watch, nothing_is_watched_unless_asked_for)
{
	unsigned int kicks = 0;

	COVERS("IOC-27");
	ASSERT_EQ(0, run_serial(self, &kicks));
	EXPECT_EQ(0, polls(self->dev));
}

/* With a processor each, the device is there before it must be called. */
TEST_F(watch, attribute_spares_kicks)
{
	int64_t end = vs_now_ms() + vs_patience();
	unsigned int kicks;

	COVERS("IOC-27");
	ASSERT_EQ(0, set_attr("1000"));
	do {
		/* Until a host that has other work runs both processors at once. */
		kicks = 0;
		ASSERT_EQ(0, run_serial(self, &kicks));
	} while (two_processors() && kicks == SERIAL && vs_now_ms() < end);
	TH_LOG("%u kicks for %u commands", kicks, SERIAL);
	if (two_processors()) {
		EXPECT_GT(SERIAL, kicks);
		EXPECT_LT(0, counter(self->dev, "polls_won "));
	}
	EXPECT_EQ(0, set_attr("0"));
	ASSERT_EQ(0, run_serial(self, &kicks));
}

TEST_F(watch, timeout_of_the_queue_comes_before_the_attribute)
{
	struct vhost_vring_state state = { .index = VS_IO, .num = ~0U };
	unsigned int kicks = 0;
	int64_t start;

	COVERS("IOC-27");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
			      &state));
	EXPECT_EQ(0, run_until_watched(&self->req));
	EXPECT_EQ(VS_GOOD, self->req.rsp->status);
	/* An hour was asked for, but who wants the queue does not wait so long. */
	start = vs_now_ms();
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_GT(vs_patience(), vs_now_ms() - start);
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, run_serial(self, &kicks));
}

TEST_F(watch, idle_queue_costs_nothing)
{
	uint64_t before, after;
	unsigned int kicks = 0;

	COVERS("IOC-27");
	ASSERT_EQ(0, set_attr("1000"));
	EXPECT_EQ(0, run_until_watched(&self->req));
	EXPECT_LT(0, polls(self->dev));
	sleep(1);
	EXPECT_LT(0, vs_threads(true, &before));
	sleep(3);
	EXPECT_LT(0, vs_threads(true, &after));
	EXPECT_EQ(before, after);
	ASSERT_EQ(0, run_serial(self, &kicks));
}

/* A worker that watches one queue is there for the others, too. */
TEST_F(watch, other_queues_of_the_worker_are_served)
{
	unsigned int kicks = 0, i;
	struct vs_req other;

	COVERS("IOC-27");
	ASSERT_EQ(0, set_attr("1000"));
	vs_req_get(&other, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	other.ring = &self->dev->ring[VS_IO + 1];
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, run_one(self, &kicks));
		ASSERT_EQ(0, vs_req_run(&other));
		EXPECT_EQ(VS_GOOD, other.rsp->status);
		EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED,
			  vs_tmf(self->dev, TAG, 0,
				 VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0, NULL));
	}
	vs_req_put(&other);
}

TEST_F(watch, counters_tell_what_the_queue_did)
{
	long commands = counter(self->dev, "commands ");
	long bytes = counter(self->dev, "bytes ");
	long refused = counter(self->dev, "refused ");
	long came = counter(self->dev, "kicks ");
	unsigned int kicks = 0;

	COVERS("IOC-27");
	ASSERT_LT(0, commands);
	ASSERT_EQ(0, run_serial(self, &kicks));
	EXPECT_EQ(commands + SERIAL, counter(self->dev, "commands "));
	EXPECT_EQ(bytes + SERIAL * (long)VS_PAGE,
		  counter(self->dev, "bytes "));
	EXPECT_EQ(refused, counter(self->dev, "refused "));
	/* A worker that is at the queue needs no second call. */
	EXPECT_LT(0, counter(self->dev, "kicks "));
	EXPECT_GE(kicks + came, counter(self->dev, "kicks "));
	EXPECT_LE(SERIAL, counter(self->dev, "batches "));
	self->req.hdr->lun[1] = TAG + 1;
	EXPECT_EQ(-EIO, run_one(self, &kicks));
	EXPECT_EQ(refused + 1, counter(self->dev, "refused "));
	EXPECT_EQ(commands + SERIAL, counter(self->dev, "commands "));
}

/* The initiator and the worker share one processor, which the former never leaves. */
TEST_F(watch, processor_that_others_want_is_not_watched_on)
{
	cpu_set_t one, all;
	unsigned int kicks = 0, i;

	COVERS("IOC-27");
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, sched_setaffinity(vs_fault_worker(), sizeof(one), &one));
	ASSERT_EQ(0, set_attr("1000"));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, run_serial(self, &kicks));
	EXPECT_EQ(0, polls(self->dev));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
}

/* A request whose header is not there, with a descriptor of the hole. */
static int stuck_submit(struct vs_req *req, void **page, struct vs_dev *dev,
			struct vs_ring *ring)
{
	int fd;

	*page = vs_mem_page(&dev->mem, 1);
	vs_req_get(req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	req->ring = ring;
	req->chain.out[0].gpa = vs_mem_gpa(&dev->mem, *page);
	fd = vs_hole_get(*page);
	if (fd < 0)
		return fd;
	/* No interrupt: who is woken by it wants a processor. */
	*vs_ring_used_event(ring) = ring->last_used - 1;
	if (vs_ring_add(ring, &req->chain))
		return -ENOSPC;
	vs_ring_kick(ring);
	return fd;
}

/* What stands in the attribute, without the time that it takes to open it. */
static int set_open_attr(int fd, const char *value)
{
	return pwrite(fd, value, strlen(value), 0) < 0 ? -errno : 0;
}

/*
 * Two queues are kicked while their worker is stuck in a third one, so that it takes
 * both at once, and gets stuck in the second. The request to the first is for a unit
 * that is not there, which the worker answers by itself. Whether the queue can be
 * watched then depends on its last wait; what is returned says if it was.
 */
static long watch_before_other(watch_data *self, int attr, bool *early)
{
	struct vs_ring *ring = self->dev->ring;
	struct vs_chain tmf;
	struct vs_req req[2];
	void *page[2];
	int hole[2];
	long before;

	/* The other queues have waited longer than the limit: they have no window. */
	usleep(2000);
	self->req.hdr->lun[3] = 9;
	if (set_open_attr(attr, "1000") || run_soon(&self->req) ||
	    set_open_attr(attr, "0") || run_until_kicked(&self->req))
		return -1;
	before = polls(self->dev);
	hole[0] = stuck_submit(&req[0], &page[0], self->dev, &ring[VS_IO + 1]);
	if (hole[0] < 0 || vs_hole_wait(hole[0]) ||
	    set_open_attr(attr, "1000") ||
	    vs_ring_add(self->req.ring, &self->req.chain))
		return -1;
	vs_ring_kick(self->req.ring);
	hole[1] = stuck_submit(&req[1], &page[1], self->dev, &ring[VS_IO + 2]);
	if (hole[1] < 0 || vs_hole_fill(hole[0], page[0]) ||
	    vs_hole_wait(hole[1]))
		return -1;
	*early = polls(self->dev) != before;
	/* More than the largest window goes by. The function comes last of all. */
	usleep(2000);
	vs_chain_get(&tmf);
	vs_tmf_chain(&tmf, self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0);
	if (vs_ring_add(&ring[VS_CTL], &tmf))
		return -1;
	vs_ring_kick(&ring[VS_CTL]);
	if (vs_hole_fill(hole[1], page[1]) ||
	    vs_chain_wait(&ring[VS_CTL], &tmf, vs_patience()) ||
	    wait_one(&ring[VS_IO + 1], true) ||
	    wait_one(&ring[VS_IO + 2], true) || wait_one(self->req.ring, true))
		return -1;
	vs_chain_put(&tmf);
	close(hole[0]);
	close(hole[1]);
	vs_req_put(&req[0]);
	vs_req_put(&req[1]);
	return polls(self->dev) - before;
}

#define TRIES	9

/*
 * A host that takes the processor away between two instructions of the worker lets the
 * window go by, which counts as a queue that was watched. It does not each time; a
 * worker that waits for the window would.
 */
TEST_F(watch, queues_that_are_next_do_not_wait_for_the_window)
{
	struct sched_param urgent = { .sched_priority = 1 };
	int64_t end = vs_now_ms() + vs_patience();
	size_t mark = self->dev->mem.used;
	unsigned int tries = 0, waited = 0;
	bool early;
	char path[512];
	long watched;
	int attr;

	COVERS("IOC-27");
	vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "attrib/busyloop_us");
	attr = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, attr);
	/* On one processor the worker is alone when this thread waits, not before. */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &urgent));
	do {
		self->dev->mem.used = mark;
		watched = watch_before_other(self, attr, &early);
		ASSERT_LE(0, watched);
		tries += watched > 0;
		waited += watched > 0 && early;
	} while (tries < TRIES && vs_now_ms() < end);
	TH_LOG("%u of %u times", waited, tries);
	EXPECT_LT(0, tries);
	EXPECT_LE(waited, tries / 2);
	close(attr);
}

/* A disk that holds a command is no reason to sleep between those to another. */
FIXTURE(busy) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req held;
	struct vs_req req;
};

FIXTURE_SETUP(busy)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
	vs_req_get(&self->held, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&self->held, vs_mem_page(&self->dev->mem, 1), VS_PAGE);
	vs_req_get(&self->req, self->dev, TAG, 1,
		   vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&self->req, vs_mem_page(&self->dev->mem, 1), VS_PAGE);
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	ASSERT_EQ(0, vs_req_submit(&self->held));
}

FIXTURE_TEARDOWN(busy)
{
	vs_hold_go(&self->env.hold);
	vs_req_put(&self->held);
	vs_req_put(&self->req);
	ENV_PUT(&self->env);
}

TEST_F(busy, queue_with_a_command_in_flight_is_watched)
{
	COVERS("IOC-27");
	ASSERT_EQ(0, set_attr("1000"));
	EXPECT_EQ(0, run_until_watched(&self->req));
	EXPECT_EQ(VS_GOOD, self->req.rsp->status);
	EXPECT_FALSE(self->held.chain.done);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_req_wait(&self->held));
	EXPECT_EQ(VS_GOOD, self->held.rsp->status);
}

TEST_HARNESS_MAIN
