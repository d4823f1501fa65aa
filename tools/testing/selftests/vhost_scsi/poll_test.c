// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that are watched before their worker sleeps, and what /proc says of the
 * queues: busyloop_us, VHOST_SET_VRING_BUSYLOOP_TIMEOUT, fdinfo.
 */
#include <sched.h>
#include <stdio.h>

#include "poll_fixture.h"
#include "vs_fault.h"
#include "vs_thread.h"

#define SERIAL	200	/* commands one after the other */
#define WEIGHT	256	/* requests of a turn, at most */
#define AT_ONCE	32

/* A counter of the first request queue. */
static long counter(struct vs_dev *dev, const char *name)
{
	return vs_dev_counter(dev, VS_IO, name);
}

static int set_attr(const char *value)
{
	return vs_tpg_attr(VS_WWN, TAG, "busyloop_us", value);
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
		EXPECT_LT(0, counter(self->dev, "polls_won"));
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

/* The worker has given up watching. */
static bool worker_sleeps(void)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (vs_thread_state(getpid(), vs_fault_worker()) != 'S') {
		if (vs_now_ms() > end)
			return false;
		usleep(1000);
	}
	return true;
}

TEST_F(watch, idle_queue_costs_nothing)
{
	uint64_t before, after;
	unsigned int kicks = 0;

	COVERS("IOC-27");
	ASSERT_EQ(0, set_attr("1000"));
	EXPECT_EQ(0, run_until_watched(&self->req));
	EXPECT_LT(0, polls(self->dev));
	ASSERT_TRUE(worker_sleeps());
	EXPECT_LT(0, vs_threads(true, &before));
	/* Nothing happens, however long that is. */
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
	long commands = counter(self->dev, "commands");
	long bytes = counter(self->dev, "bytes");
	long refused = counter(self->dev, "refused");
	long came = counter(self->dev, "kicks");
	unsigned int kicks = 0;

	COVERS("IOC-27");
	ASSERT_LT(0, commands);
	ASSERT_EQ(0, run_serial(self, &kicks));
	EXPECT_EQ(commands + SERIAL, counter(self->dev, "commands"));
	EXPECT_EQ(bytes + SERIAL * (long)VS_PAGE,
		  counter(self->dev, "bytes"));
	EXPECT_EQ(refused, counter(self->dev, "refused"));
	/* A worker that is at the queue needs no second call. */
	EXPECT_LT(0, counter(self->dev, "kicks"));
	EXPECT_GE(kicks + came, counter(self->dev, "kicks"));
	EXPECT_LE(SERIAL, counter(self->dev, "batches"));
	self->req.hdr->lun[1] = TAG + 1;
	EXPECT_EQ(-EIO, run_one(self, &kicks));
	EXPECT_EQ(refused + 1, counter(self->dev, "refused"));
	EXPECT_EQ(commands + SERIAL, counter(self->dev, "commands"));
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

/* They share it, and the worker finds the next command when the initiator has run. */
TEST_F(watch, processor_that_others_want_is_left_to_them_once)
{
	int64_t end = vs_now_ms() + vs_patience();
	unsigned int kicks = 0;
	cpu_set_t one, all;

	COVERS("REQ-78");
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, sched_setaffinity(vs_fault_worker(), sizeof(one), &one));
	do {
		ASSERT_EQ(0, run_serial(self, &kicks));
	} while (!counter(self->dev, "yields_won") && vs_now_ms() < end);
	EXPECT_LT(0, counter(self->dev, "yields_won"));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
}

/* Commands at once, asleep until the last one is done, as a guest without other tasks. */
static int run_asleep(struct vs_req *req, unsigned int n)
{
	struct vs_ring *ring = req->ring;
	uint16_t old = ring->next_avail;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = vs_ring_add(ring, &req[i].chain);
	if (vs_ring_wants_kick(ring, old))
		vs_ring_kick(ring);
	for (i = 0; i < n && !ret; i++)
		ret = vs_ring_wait(ring, NULL, vs_patience());
	return ret;
}

/*
 * Each yield brings the next command, but a turn has an end all the same: the core may
 * wait for the worker, to give the queue to another one.
 */
TEST_F(watch, yields_do_not_outlast_the_weight_of_a_turn)
{
	struct vs_req req[AT_ONCE];
	cpu_set_t one, all;
	long before, turns;
	unsigned int i;

	COVERS("REQ-78");
	for (i = 0; i < AT_ONCE; i++) {
		vs_req_get(&req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, 0, 8));
		vs_req_in(&req[i], vs_mem_page(&self->dev->mem, 1), VS_PAGE);
	}
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, sched_setaffinity(vs_fault_worker(), sizeof(one), &one));
	before = counter(self->dev, "kicks") + counter(self->dev, "wakeups");
	for (i = 0; i < 16 * WEIGHT; i += AT_ONCE)
		ASSERT_EQ(0, run_asleep(req, AT_ONCE));
	turns = counter(self->dev, "kicks") + counter(self->dev, "wakeups") -
		before;
	TH_LOG("%ld turns, %ld yields", turns,
	       counter(self->dev, "yields_won"));
	EXPECT_LE(15, turns);
	for (i = 0; i < AT_ONCE; i++)
		vs_req_put(&req[i]);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
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

	SKIP_BEHIND_IOMMU("queues are not polled");
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
	if (!self->dev)
		return;
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
