// SPDX-License-Identifier: GPL-2.0
/* Whole targets that come and go while a guest runs. */
#include <pthread.h>

#include "hotplug.h"

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
	/* It would be a work of the device that has nothing to do. */
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

TEST_HARNESS_MAIN
