// SPDX-License-Identifier: GPL-2.0
/* Targets and units that come and go while a guest's worker is stuck: nobody else is. */
#include "hotplug.h"
#include "vs_hole.h"
#include "vs_thread.h"

static int clear_endpoint(void *arg)
{
	return vs_dev_clear_endpoint(arg, VS_WWN);
}

static int set_endpoint(void *arg)
{
	return vs_dev_set_endpoint(arg, VS_WWN);
}

static int drop_nexus(void *arg)
{
	(void)arg;
	return vs_nexus_write(VS_WWN, NEW, "NULL");
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
	struct vs_thread clear, drop;

	COVERS("F-AD-03 F-LC-04 EVT-21");
	/* Both wait for the queue, in this order; neither for ever. */
	ASSERT_EQ(0, vs_thread_start(&clear, clear_endpoint, self->dev));
	ASSERT_EQ(0, vs_thread_wait(&clear));
	ASSERT_EQ(0, vs_thread_start(&drop, drop_nexus, NULL));
	ASSERT_EQ(0, vs_thread_wait(&drop));
	EXPECT_FALSE(clear.done);
	EXPECT_FALSE(drop.done);
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->page));
	EXPECT_EQ(0, vs_thread_end(&clear));
	EXPECT_EQ(0, vs_thread_end(&drop));
}

TEST_F(stuck, target_on_its_way_out_holds_up_no_other_device)
{
	struct vs_thread drop, set;
	struct vs_dev other;

	COVERS("F-AD-02 F-AD-03 F-SE-08 IOC-02");
	ASSERT_EQ(0, vs_dev_open(&other, NULL));
	ASSERT_EQ(0, vs_dev_setup(&other));
	ASSERT_EQ(0, vs_thread_start(&drop, drop_nexus, NULL));
	ASSERT_EQ(0, vs_thread_wait(&drop));
	/* There is nothing left under this name, which it says at once. */
	ASSERT_EQ(0, vs_thread_start(&set, set_endpoint, &other));
	EXPECT_EQ(0, vs_thread_wait_done(&set));
	EXPECT_FALSE(drop.done);
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->page));
	EXPECT_EQ(-ENODEV, vs_thread_end(&set));
	EXPECT_EQ(0, vs_thread_end(&drop));
	vs_dev_close(&other);
}

static int link_lun_7(void *arg)
{
	return vs_lun_link(VS_WWN, TAG, 7, arg);
}

static int make_other_target(void *arg)
{
	int ret = vs_wwn_get(VS_WWN2);

	(void)arg;
	if (!ret)
		ret = vs_tpg_get(VS_WWN2, TAG);
	return ret ? ret : vs_nexus_write(VS_WWN2, TAG, NEW_NEXUS);
}

static int serve_other_target(void *arg)
{
	int ret = vs_dev_set_endpoint(arg, VS_WWN2);

	return ret ? ret : vs_dev_clear_endpoint(arg, VS_WWN2);
}

static int protect_target(void *arg)
{
	(void)arg;
	return vs_tpg_attr(VS_WWN, TAG, "fabric_prot_type", "1");
}

TEST_F(stuck, protection_of_its_target_changes)
{
	struct vs_thread protect;

	COVERS("F-SE-08");
	ASSERT_EQ(0, vs_thread_start(&protect, protect_target, NULL));
	EXPECT_EQ(0, vs_thread_wait_done(&protect));
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->page));
	EXPECT_EQ(0, vs_thread_end(&protect));
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
	struct vs_thread link;

	COVERS("EVT-18 F-AD-01");
	ASSERT_EQ(0, vs_thread_start(&link, link_lun_7, &self->env.bs[1]));
	EXPECT_EQ(0, vs_thread_wait_done(&link));
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->evt[0].buf));
	EXPECT_EQ(0, vs_thread_end(&link));
	EXPECT_EVENT(RESCAN, TAG, 5);
	EXPECT_EVENT(RESCAN, TAG, 7);
}

TEST_F(stuck_event, target_that_comes_holds_up_nobody)
{
	int64_t end = vs_now_ms() + vs_patience();
	struct vs_thread make, serve;
	uint8_t response;

	COVERS("EVT-21 F-SE-08 IOC-02");
	SKIP_BEHIND_IOMMU("a change of the IOTLB waits for the worker that is stuck");
	ASSERT_EQ(0, plug());
	do {
		struct vs_result res = inquiry(self->dev, NEW);

		ASSERT_EQ(0, res.err);
		response = res.response;
	} while (response == VIRTIO_SCSI_S_BAD_TARGET && vs_now_ms() < end);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, response);
	ASSERT_EQ(0, vs_thread_start(&make, make_other_target, NULL));
	EXPECT_EQ(0, vs_thread_wait_done(&make));
	ASSERT_EQ(0, vs_thread_start(&serve, serve_other_target, &self->other));
	EXPECT_EQ(0, vs_thread_wait_done(&serve));
	ASSERT_EQ(0, vs_hole_fill(self->hole, self->evt[0].buf));
	EXPECT_EQ(0, vs_thread_end(&make));
	EXPECT_EQ(0, vs_thread_end(&serve));
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
