// SPDX-License-Identifier: GPL-2.0
/* The event queue: units that come and go. */
#include "event_fixture.h"

TEST_F(event, linked_unit_is_announced_when_it_serves)
{
	struct vs_evt evt;

	COVERS("EVT-01 EVT-02 EVT-03 EVT-15 EVT-18 FEA-18 FAB-25");
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	EXPECT_EVENT(&evt, RESET, RESCAN, 5);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
	EXPECT_EQ(0, vs_evt_missed(self->dev));
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, unlinked_unit_is_announced_when_it_is_gone)
{
	struct vs_evt evt;
	int status;
	pid_t pid;

	COVERS("EVT-04 FAB-26 REQ-57");
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
	ASSERT_EQ(0, vs_ring_pending(self->ring));
	/* Takes the flag of the link, which found no buffer. */
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	vs_evt_put(&evt, self->dev);
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(vs_lun_unlink(VS_WWN, TAG, 5) ? 1 : 0);
	EXPECT_EVENT(&evt, RESET, REMOVED, 5);
	/* A guest as fast as can be does not find it any more. */
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(self->dev, TAG, 5,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, lun_bytes_are_those_of_report_luns)
{
	static const unsigned int lun[] = { 1, 255, 256, 300, 16383 };
	uint8_t *list;
	size_t i;

	COVERS("EVT-02 SCSI-02 F-EV-08");
	list = vs_mem_page(&self->dev->mem, 1);
	for (i = 0; i < ARRAY_SIZE(lun); i++) {
		struct vs_evt evt;

		ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, lun[i], self->bs));
		EXPECT_EVENT(&evt, RESET, RESCAN, lun[i]);
		ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
					 vs_cdb_report_luns(64), list, 64));
		EXPECT_TRUE(!memcmp(list + 8, evt.buf->lun + 2, 2) ||
			    !memcmp(list + 16, evt.buf->lun + 2, 2));
		vs_evt_put(&evt, self->dev);
		ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, lun[i]));
		EXPECT_EVENT(&evt, RESET, REMOVED, lun[i]);
		vs_evt_put(&evt, self->dev);
	}
}

TEST_F(event, without_hotplug_nothing_is_sent_or_missed)
{
	struct vs_evt evt;

	COVERS("EVT-05 FEA-18 F-EV-08");
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN &
					 ~VS_BIT(VIRTIO_SCSI_F_HOTPLUG)));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5));
	EXPECT_EQ(-ETIMEDOUT, vs_chain_wait(self->ring, &evt.chain, 300));
	EXPECT_EQ(0, vs_evt_missed(self->dev));
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, order_is_that_of_the_events)
{
	struct vs_evt evt[24];
	unsigned int i;

	COVERS("EVT-10 F-EV-04");
	for (i = 0; i < 24; i++)
		ASSERT_EQ(0, vs_evt_post(&evt[i], self->dev));
	for (i = 0; i < 24; i += 2) {
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1 + i / 2, self->bs));
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 1 + i / 2));
	}
	for (i = 0; i < 24; i++) {
		EXPECT_EVENT(&evt[i], RESET, i % 2 ? REMOVED : RESCAN,
			     1 + i / 2);
		vs_evt_put(&evt[i], self->dev);
	}
}

TEST_F(event, without_endpoint_nothing_is_queued_and_buffers_stay)
{
	struct vs_evt evt;

	COVERS("EVT-17 F-EV-06");
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5));
	EXPECT_EQ(0, vs_evt_missed(self->dev));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-ETIMEDOUT, vs_chain_wait(self->ring, &evt.chain, 200));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 6, self->bs));
	EXPECT_EVENT(&evt, RESET, RESCAN, 6);
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, links_race_with_set_and_clear)
{
	unsigned int i;
	int status;
	pid_t pid;

	COVERS("F-EV-06 F-AD-09 EVT-17 CFG-23");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (i = 0; i < 40; i++)
			if (vs_lun_link(VS_WWN, TAG, 5, self->bs) ||
			    vs_lun_unlink(VS_WWN, TAG, 5))
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
		ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(event, lun_0_is_announced_like_any_other)
{
	struct vs_evt evt;
	uint8_t *list;

	COVERS("EVT-06 EVT-03");
	list = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 3, self->bs));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	vs_evt_put(&evt, self->dev);
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	EXPECT_EVENT(&evt, RESET, RESCAN, 0);
	/* Whoever scans the whole target for it finds all there is. */
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_report_luns(64),
				 list, 64));
	EXPECT_EQ(16, vs_get_be32(list));
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, another_backstore_under_the_same_lun_is_seen)
{
	struct vs_evt evt[2];

	COVERS("F-EV-09 EVT-03 EVT-04 SCSI-05");
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[2], 2, 3, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
	EXPECT_EQ(2048, vs_scsi_blocks(self->dev, TAG, 5));
	/* Takes the flag of the link. */
	ASSERT_EQ(0, vs_evt_post(&evt[0], self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt[0], self->dev));
	vs_evt_put(&evt[0], self->dev);
	ASSERT_EQ(0, vs_evt_post(&evt[0], self->dev));
	ASSERT_EQ(0, vs_evt_post(&evt[1], self->dev));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, &self->env.bs[2]));
	/* Gone and come, no PARAM_CHANGE; the others hear of new LUNs. */
	EXPECT_EVENT(&evt[0], RESET, REMOVED, 5);
	EXPECT_EVENT(&evt[1], RESET, RESCAN, 5);
	EXPECT_CC(6, 0x3f, 0x0e,
		  vs_scsi_read(self->dev, TAG, 0,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
	EXPECT_EQ(3 * 2048, vs_scsi_blocks(self->dev, TAG, 5));
	vs_evt_put(&evt[0], self->dev);
	vs_evt_put(&evt[1], self->dev);
}

TEST_HARNESS_MAIN
