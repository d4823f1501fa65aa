// SPDX-License-Identifier: GPL-2.0
/* Whole targets that come and go while a guest runs. */
#include <pthread.h>

#include "vs_evt.h"
#include "vs_hole.h"
#include "vs_test.h"

#define TAG		VS_TAG
#define NEW		2	/* a target that comes later */
#define NEW_NEXUS	"naa.5001405f00d0000c"
#define RESCAN		VIRTIO_SCSI_EVT_RESET_RESCAN
#define REMOVED		VIRTIO_SCSI_EVT_RESET_REMOVED
#define N_EVT		8

FIXTURE(hotplug) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_backstore *bs;
	struct vs_evt evt[N_EVT];
	unsigned int seen;
};

FIXTURE_SETUP(hotplug)
{
	unsigned int i;

	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->bs = &self->env.bs[1];
	ASSERT_EQ(0, vs_ramdisk_get(self->bs, 1, 1, false));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	for (i = 0; i < N_EVT; i++)
		ASSERT_EQ(0, vs_evt_post(&self->evt[i], self->dev));
}

FIXTURE_TEARDOWN(hotplug)
{
	unsigned int i;

	ENV_PUT(&self->env);
	for (i = 0; i < N_EVT; i++)
		vs_chain_put(&self->evt[i].chain);
}

/* The next event is about this unit, and says this. */
#define EXPECT_EVENT(why, tag, lun_nr) do {				\
	struct virtio_scsi_event *__e = self->evt[self->seen].buf;	\
									\
	ASSERT_EQ(0, vs_evt_wait(&self->evt[self->seen], self->dev));	\
	self->seen++;							\
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET, __e->event);		\
	EXPECT_EQ(why, __e->reason);					\
	EXPECT_EQ(tag, __e->lun[1]);					\
	EXPECT_EQ(lun_nr, __e->lun[3]);					\
} while (0)

static struct vs_result inquiry(struct vs_dev *dev, uint8_t tag)
{
	return vs_scsi_read(dev, tag, 0, vs_cdb_inquiry(36),
			    vs_mem_alloc(&dev->mem, 64, 64), 36);
}

static int plug(void)
{
	int ret = vs_tpg_get(VS_WWN, NEW);

	return ret ? ret : vs_nexus_write(VS_WWN, NEW, NEW_NEXUS);
}

TEST_F(hotplug, target_that_comes_is_announced_and_serves)
{
	COVERS("EVT-21 EVT-03 EVT-06 EVT-10 CFG-24");
	EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, inquiry(self->dev, NEW));
	ASSERT_EQ(0, plug());
	EXPECT_EVENT(RESCAN, NEW, 0);
	EXPECT_GOOD(inquiry(self->dev, NEW));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, NEW, 3, self->bs));
	EXPECT_EVENT(RESCAN, NEW, 3);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, NEW, 3));
	/* Task management and its own nexus, too. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vs_tmf(self->dev, NEW, 3,
			 VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0, NULL));
	/* The directory is the guest's now. */
	EXPECT_EQ(-EBUSY, vs_nexus_write(VS_WWN, NEW, "NULL"));
	EXPECT_EQ(-ENOTEMPTY, vs_tpg_put(VS_WWN, NEW));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
}

TEST_F(hotplug, target_that_had_luns_before_its_nexus_is_served_whole)
{
	COVERS("EVT-21 CFG-17 CFG-20");
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, NEW));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, NEW, 0, self->bs));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, inquiry(self->dev, NEW));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, NEW, NEW_NEXUS));
	EXPECT_EVENT(RESCAN, NEW, 0);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, NEW, 0));
	EXPECT_EQ(-ENOTEMPTY, vs_tpg_put(VS_WWN, NEW));
}

TEST_F(hotplug, target_without_nexus_goes)
{
	COVERS("EVT-21 CFG-12 REQ-13 F-AD-03");
	/* A LUN that is there before the target was bound comes with it. */
	ASSERT_EQ(0, plug());
	EXPECT_EVENT(RESCAN, NEW, 0);
	ASSERT_EQ(0, vs_lun_link(VS_WWN, NEW, 3, self->bs));
	EXPECT_EVENT(RESCAN, NEW, 3);
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, NEW, 3));
	EXPECT_EVENT(REMOVED, NEW, 3);
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, NEW, "NULL"));
	EXPECT_EVENT(REMOVED, NEW, 0);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, inquiry(self->dev, NEW));
	EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET,
		  vs_tmf(self->dev, NEW, 0,
			 VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0, NULL));
	/* It can come back, and go for good. */
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, NEW, NEW_NEXUS));
	EXPECT_EVENT(RESCAN, NEW, 0);
	EXPECT_GOOD(inquiry(self->dev, NEW));
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, NEW, "NULL"));
	EXPECT_EQ(0, vs_tpg_put(VS_WWN, NEW));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(hotplug, emptied_target_goes_with_its_directory)
{
	COVERS("EVT-21 CFG-20 CFG-21");
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, NEW));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, NEW, 0, self->bs));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, NEW, NEW_NEXUS));
	EXPECT_EVENT(RESCAN, NEW, 0);
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, NEW, 0));
	EXPECT_EVENT(REMOVED, NEW, 0);
	/* As targetcli deletes it, which knows of no "NULL". */
	EXPECT_EQ(0, vs_tpg_put(VS_WWN, NEW));
	EXPECT_EVENT(REMOVED, NEW, 0);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, inquiry(self->dev, NEW));
}

TEST_F(hotplug, endpoint_outlives_its_last_target)
{
	COVERS("EVT-21 IOC-03 REQ-13");
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	EXPECT_EVENT(REMOVED, TAG, 0);
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	EXPECT_EVENT(REMOVED, TAG, 0);
	ASSERT_EQ(0, vs_tpg_put(VS_WWN, TAG));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, inquiry(self->dev, TAG));
	/* It even survives the name's directory. */
	ASSERT_EQ(0, vs_wwn_put(VS_WWN));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN));
	ASSERT_EQ(0, plug());
	EXPECT_EVENT(RESCAN, NEW, 0);
	EXPECT_GOOD(inquiry(self->dev, NEW));
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
}

TEST_F(hotplug, other_wwns_and_other_devices_get_nothing)
{
	struct vs_dev other;

	COVERS("CFG-24 EVT-21");
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, NEW));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, NEW, NEW_NEXUS));
	ASSERT_EQ(0, vs_dev_open(&other, NULL));
	ASSERT_EQ(0, vs_dev_setup(&other));
	ASSERT_EQ(0, vs_dev_set_endpoint(&other, VS_WWN2));
	usleep(200000);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, inquiry(self->dev, NEW));
	EXPECT_EQ(0, vs_ring_pending(&self->dev->ring[VS_EVT]));
	EXPECT_GOOD(inquiry(&other, NEW));
	vs_dev_close(&other);
}

TEST_F(hotplug, clear_gives_back_what_came_later)
{
	unsigned int i;

	COVERS("IOC-03 EVT-21 CFG-24");
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, plug());
		/* Bound or not yet, whichever comes first. */
		ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
		EXPECT_EQ(0, vs_tpg_put(VS_WWN, NEW));
		ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
		EXPECT_GOOD(inquiry(self->dev, TAG));
	}
}

/* An administrator without rest, until the guest has seen both. */
struct admin {
	struct vs_backstore *bs;
	unsigned int rounds;
	volatile bool seen;
	int ret;
};

static void *come_and_go(void *arg)
{
	struct admin *admin = arg;
	unsigned int i;

	for (i = 0; !admin->ret && (i < admin->rounds || !admin->seen); i++) {
		admin->ret = plug();
		if (!admin->ret)
			admin->ret = vs_lun_link(VS_WWN, NEW, 0, admin->bs);
		usleep(i % 4 * 2000);
		if (!admin->ret)
			admin->ret = vs_lun_unlink(VS_WWN, NEW, 0);
		if (!admin->ret && i % 2)
			admin->ret = vs_nexus_write(VS_WWN, NEW, "NULL");
		if (!admin->ret)
			admin->ret = vs_tpg_put(VS_WWN, NEW);
	}
	__atomic_store_n(&admin->bs, NULL, __ATOMIC_RELEASE);
	return NULL;
}

TEST_F_TIMEOUT(hotplug, targets_come_and_go_under_load_and_nothing_is_lost, 400)
{
	struct admin admin = {
		.bs = self->bs,
		.rounds = vs_rounds(60, 200),
	};
	size_t mark = self->dev->mem.used;
	unsigned int there = 0, gone = 0;
	pthread_t thread;

	COVERS("EVT-21 F-AD-01 F-EV-06 F-LC-09 REQ-13 REQ-57");
	ASSERT_EQ(0, pthread_create(&thread, NULL, come_and_go, &admin));
	while (__atomic_load_n(&admin.bs, __ATOMIC_ACQUIRE)) {
		struct vs_result res;

		self->dev->mem.used = mark;
		res = inquiry(self->dev, NEW);
		ASSERT_EQ(0, res.err);
		EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_OK |
			      1U << VIRTIO_SCSI_S_BUSY |
			      1U << VIRTIO_SCSI_S_BAD_TARGET, res.response);
		there += res.response == VIRTIO_SCSI_S_OK;
		gone += res.response == VIRTIO_SCSI_S_BAD_TARGET;
		admin.seen = there && gone;
		vs_tmf(self->dev, NEW, 0, VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET, 0,
		       NULL);
		ASSERT_GOOD(inquiry(self->dev, TAG));
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, admin.ret);
	TH_LOG("%u cycles: there %u times, gone %u times", admin.rounds, there,
	       gone);
	EXPECT_LT(0, there);
	EXPECT_LT(0, gone);
}

/* A call of another thread: what it is made on, and what came of it. */
struct call {
	pthread_t thread;
	void *on;
	volatile int ret;
};

static void *clear_endpoint(void *arg)
{
	struct call *call = arg;

	call->ret = vs_dev_clear_endpoint(call->on, VS_WWN);
	return NULL;
}

static void *set_endpoint(void *arg)
{
	struct call *call = arg;

	call->ret = vs_dev_set_endpoint(call->on, VS_WWN);
	return NULL;
}

static void *drop_nexus(void *arg)
{
	struct call *call = arg;

	call->ret = vs_nexus_write(VS_WWN, NEW, "NULL");
	return NULL;
}

#define WAITS	1	/* no call returns this */

/* Starts a call, which mostly comes to where it waits, if it does. */
static int call_start(struct call *call, void *(*fn)(void *arg),
		      void *on)
{
	int ret;

	*call = (struct call){ .on = on, .ret = WAITS };
	ret = -pthread_create(&call->thread, NULL, fn, call);
	usleep(200000);
	return ret;
}

/* A guest with a second target, whose worker is stuck. */
FIXTURE(stuck) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req;
	void *page;
	int hole;
};

FIXTURE_SETUP(stuck)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, plug());
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	self->page = vs_mem_page(&self->dev->mem, 1);
	vs_req_get(&self->req, self->dev, TAG, 0,
		   vs_cdb_op(VS_TEST_UNIT_READY));
	self->req.chain.out[0].gpa = vs_mem_gpa(&self->dev->mem, self->page);
	self->hole = vs_hole_get(self->page);
	ASSERT_LE(0, self->hole);
	ASSERT_EQ(0, vs_req_submit(&self->req));
	ASSERT_EQ(0, vs_hole_wait(self->hole));
}

FIXTURE_TEARDOWN(stuck)
{
	close(self->hole);
	vs_req_put(&self->req);
	ENV_PUT(&self->env);
}

TEST_F(stuck, clear_waits_for_a_target_that_is_on_its_way_out)
{
	struct call clear, drop;

	COVERS("F-AD-03 F-LC-04 EVT-21");
	/* Both wait for the queue, mostly in this order; neither for ever. */
	ASSERT_EQ(0, call_start(&clear, clear_endpoint, self->dev));
	ASSERT_EQ(0, call_start(&drop, drop_nexus, NULL));
	EXPECT_EQ(WAITS, clear.ret);
	EXPECT_EQ(WAITS, drop.ret);
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->page));
	ASSERT_EQ(0, pthread_join(clear.thread, NULL));
	ASSERT_EQ(0, pthread_join(drop.thread, NULL));
	EXPECT_EQ(0, clear.ret);
	EXPECT_EQ(0, drop.ret);
}

TEST_F(stuck, target_on_its_way_out_holds_up_no_other_device)
{
	int64_t end = vs_now_ms() + vs_patience();
	struct call drop, set;
	struct vs_dev other;

	COVERS("F-AD-02 F-AD-03 F-SE-08 IOC-02");
	ASSERT_EQ(0, vs_dev_open(&other, NULL));
	ASSERT_EQ(0, vs_dev_setup(&other));
	ASSERT_EQ(0, call_start(&drop, drop_nexus, NULL));
	/* There is nothing left under this name, which it says at once. */
	ASSERT_EQ(0, call_start(&set, set_endpoint, &other));
	while (set.ret == WAITS && vs_now_ms() < end)
		usleep(1000);
	EXPECT_EQ(-ENODEV, set.ret);
	EXPECT_EQ(WAITS, drop.ret);
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->page));
	ASSERT_EQ(0, pthread_join(set.thread, NULL));
	ASSERT_EQ(0, pthread_join(drop.thread, NULL));
	EXPECT_EQ(0, drop.ret);
	vs_dev_close(&other);
}

static void *link_lun_7(void *arg)
{
	struct call *call = arg;

	call->ret = vs_lun_link(VS_WWN, TAG, 7, call->on);
	return NULL;
}

static void *make_other_target(void *arg)
{
	struct call *call = arg;
	int ret = vs_wwn_get(VS_WWN2);

	if (!ret)
		ret = vs_tpg_get(VS_WWN2, TAG);
	call->ret = ret ? ret : vs_nexus_write(VS_WWN2, TAG, NEW_NEXUS);
	return NULL;
}

static void *serve_other_target(void *arg)
{
	struct call *call = arg;
	int ret = vs_dev_set_endpoint(call->on, VS_WWN2);

	call->ret = ret ? ret : vs_dev_clear_endpoint(call->on, VS_WWN2);
	return NULL;
}

static bool call_returns(struct call *call)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (call->ret == WAITS && vs_now_ms() < end)
		usleep(1000);
	return call->ret != WAITS;
}

static void *protect_target(void *arg)
{
	struct call *call = arg;

	call->ret = vs_tpg_attr(VS_WWN, TAG, "fabric_prot_type", "1");
	return NULL;
}

TEST_F(stuck, protection_of_its_target_changes)
{
	struct call protect;

	COVERS("F-SE-08");
	ASSERT_EQ(0, call_start(&protect, protect_target, NULL));
	EXPECT_TRUE(call_returns(&protect));
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->page));
	ASSERT_EQ(0, pthread_join(protect.thread, NULL));
	EXPECT_EQ(0, protect.ret);
	EXPECT_EQ(0, vs_req_wait(&self->req));
}

/* A guest whose event queue's worker is stuck in the buffer of an event. */
FIXTURE(stuck_event) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dev other;
	struct vs_evt evt[N_EVT];
	unsigned int seen;
	int hole;
};

FIXTURE_SETUP(stuck_event)
{
	struct vs_env_opts opts = { .dev.own_workers = true };
	unsigned int i;

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_dev_open(&self->other, NULL));
	ASSERT_EQ(0, vs_dev_setup(&self->other));
	for (i = 0; i < N_EVT; i++)
		ASSERT_EQ(0, vs_evt_post(&self->evt[i], self->dev));
	self->hole = vs_hole_get(self->evt[0].buf);
	ASSERT_LE(0, self->hole);
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, &self->env.bs[1]));
	ASSERT_EQ(0, vs_hole_wait(self->hole));
}

FIXTURE_TEARDOWN(stuck_event)
{
	unsigned int i;

	close(self->hole);
	vs_dev_close(&self->other);
	ENV_PUT(&self->env);
	for (i = 0; i < N_EVT; i++)
		vs_chain_put(&self->evt[i].chain);
}

TEST_F(stuck_event, administrator_gives_and_takes_units)
{
	struct call link;

	COVERS("EVT-18 F-AD-01");
	ASSERT_EQ(0, call_start(&link, link_lun_7, &self->env.bs[1]));
	EXPECT_TRUE(call_returns(&link));
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->evt[0].buf));
	ASSERT_EQ(0, pthread_join(link.thread, NULL));
	EXPECT_EQ(0, link.ret);
	EXPECT_EVENT(RESCAN, TAG, 5);
	EXPECT_EVENT(RESCAN, TAG, 7);
}

TEST_F(stuck_event, target_that_comes_holds_up_nobody)
{
	int64_t end = vs_now_ms() + vs_patience();
	struct call make, serve;
	uint8_t response;

	COVERS("EVT-21 F-SE-08 IOC-02");
	ASSERT_EQ(0, plug());
	do {
		struct vs_result res = inquiry(self->dev, NEW);

		ASSERT_EQ(0, res.err);
		response = res.response;
	} while (response == VIRTIO_SCSI_S_BAD_TARGET && vs_now_ms() < end);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, response);
	ASSERT_EQ(0, call_start(&make, make_other_target, NULL));
	EXPECT_TRUE(call_returns(&make));
	ASSERT_EQ(0, call_start(&serve, serve_other_target, &self->other));
	EXPECT_TRUE(call_returns(&serve));
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->evt[0].buf));
	ASSERT_EQ(0, pthread_join(make.thread, NULL));
	ASSERT_EQ(0, pthread_join(serve.thread, NULL));
	EXPECT_EQ(0, make.ret);
	EXPECT_EQ(0, serve.ret);
	EXPECT_EVENT(RESCAN, TAG, 5);
	EXPECT_EVENT(RESCAN, NEW, 0);
}

/* What comes while nothing is delivered is bounded, and the guest is told. */
TEST_F(stuck_event, too_many_are_missed)
{
	struct virtio_scsi_event *first = self->evt[1].buf;
	unsigned int i;

	COVERS("EVT-08 F-EV-06");
	for (i = 0; i < 65; i++) {
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 7, &self->env.bs[1]));
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 7));
	}
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->evt[0].buf));
	EXPECT_EVENT(RESCAN, TAG, 5);
	ASSERT_EQ(0, vs_evt_wait(&self->evt[1], self->dev));
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET | VIRTIO_SCSI_T_EVENTS_MISSED,
		  first->event);
	EXPECT_EQ(RESCAN, first->reason);
	EXPECT_EQ(7, first->lun[3]);
}

TEST_HARNESS_MAIN
