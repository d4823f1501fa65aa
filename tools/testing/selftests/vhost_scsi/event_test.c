// SPDX-License-Identifier: GPL-2.0
/* The event queue: units that come and go, and what a guest misses. */
#include "vs_evt.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define MISSED	VIRTIO_SCSI_T_EVENTS_MISSED
#define RESET	VIRTIO_SCSI_T_TRANSPORT_RESET
#define RESCAN	VIRTIO_SCSI_EVT_RESET_RESCAN
#define REMOVED	VIRTIO_SCSI_EVT_RESET_REMOVED

FIXTURE(event) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_ring *ring;
	struct vs_backstore *bs;
};

FIXTURE_SETUP(event)
{
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->ring = &self->dev->ring[VS_EVT];
	self->bs = &self->env.bs[1];
	ASSERT_EQ(0, vs_ramdisk_get(self->bs, 1, 1, false));
}

ENV_TEARDOWN(event);

static int missed(struct vs_dev *dev)
{
	uint32_t flag = 77;
	int ret = vs_ioctl(dev->fd, VHOST_SCSI_GET_EVENTS_MISSED, &flag);

	return ret ? ret : (int)flag;
}

/* The event is there, or arrives; it is this one. */
#define EXPECT_EVENT(e, what, why, n) do {				\
	struct vs_evt *__e = (e);						\
									\
	ASSERT_EQ(0, vs_evt_wait(__e, self->dev));			\
	EXPECT_EQ(what, __e->buf->event);				\
	EXPECT_EQ(why, __e->buf->reason);				\
	EXPECT_EQ(1, __e->buf->lun[0]);					\
	EXPECT_EQ(TAG, __e->buf->lun[1]);				\
	EXPECT_EQ((n) >> 8, __e->buf->lun[2]);				\
	EXPECT_EQ((n) & 0xff, __e->buf->lun[3]);			\
	EXPECT_EQ(-1, vs_not_all(__e->buf->lun + 4, 4, 0));		\
	EXPECT_EQ(16, __e->chain.used_len);				\
} while (0)

TEST_F(event, linked_unit_is_announced_when_it_serves)
{
	struct vs_evt evt;

	COVERS("EVT-01 EVT-02 EVT-03 EVT-15 EVT-18 FEA-18 FAB-25");
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	EXPECT_EVENT(&evt, RESET, RESCAN, 5);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
	EXPECT_EQ(0, missed(self->dev));
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
	EXPECT_EQ(0, missed(self->dev));
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, without_a_buffer_the_next_event_says_missed)
{
	struct vs_evt evt;

	COVERS("EVT-08 F-EV-01");
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_evt_get(&evt, self->dev);
	vs_chain_in(&evt.chain, &self->dev->mem, evt.buf, 16);
	/* No kick: the buffer is found by the event that comes. */
	ASSERT_EQ(0, vs_ring_add(self->ring, &evt.chain));
	EXPECT_EQ(1, missed(self->dev));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 6, self->bs));
	EXPECT_EVENT(&evt, RESET | MISSED, RESCAN, 6);
	EXPECT_EQ(0, missed(self->dev));
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, kick_after_a_miss_delivers_no_event)
{
	struct vs_evt evt;
	uint32_t one = 1;

	COVERS("EVT-09 EVT-19 IOC-05 IOC-06");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SCSI_SET_EVENTS_MISSED,
			      &one));
	EXPECT_EQ(1, missed(self->dev));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_EQ(VIRTIO_SCSI_T_NO_EVENT | MISSED, evt.buf->event);
	EXPECT_EQ(-1, vs_not_all(evt.buf->lun, 8, 0));
	EXPECT_EQ(0, evt.buf->reason);
	EXPECT_EQ(16, evt.chain.used_len);
	EXPECT_EQ(0, missed(self->dev));
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, missed_flag_reads_back_as_zero_or_one)
{
	static const uint32_t value[] = { 1, 0, 0xffffffff, 0, 2 };
	size_t i;

	COVERS("IOC-05 IOC-06 EVT-19 F-EV-07");
	for (i = 0; i < ARRAY_SIZE(value); i++) {
		ASSERT_EQ(0, vs_ioctl(self->dev->fd,
				      VHOST_SCSI_SET_EVENTS_MISSED,
				      &value[i]));
		EXPECT_EQ(!!value[i], missed(self->dev));
	}
	EXPECT_EQ(-EFAULT, vs_ioctl(self->dev->fd,
				    VHOST_SCSI_SET_EVENTS_MISSED, NULL));
	EXPECT_EQ(-EFAULT, vs_ioctl(self->dev->fd,
				    VHOST_SCSI_GET_EVENTS_MISSED, NULL));
	EXPECT_EQ(1, missed(self->dev));
}

TEST_F(event, longer_buffers_get_sixteen_bytes)
{
	static const size_t len[] = { 17, 64, 4096 };
	size_t i;

	COVERS("EVT-11 F-EV-02");
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		struct vs_evt evt;

		vs_evt_get(&evt, self->dev);
		vs_chain_in(&evt.chain, &self->dev->mem, evt.buf, len[i]);
		ASSERT_EQ(0, vs_ring_add(self->ring, &evt.chain));
		vs_ring_kick(self->ring);
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5 + i, self->bs));
		EXPECT_EVENT(&evt, RESET, RESCAN, 5 + i);
		EXPECT_EQ(-1, vs_not_all(evt.buf + 1, len[i] - 16, VS_POISON));
		vs_evt_put(&evt, self->dev);
		ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5 + i));
		EXPECT_EVENT(&evt, RESET, REMOVED, 5 + i);
		vs_evt_put(&evt, self->dev);
	}
}

TEST_F(event, buffer_in_pieces_is_filled)
{
	static const size_t piece[] = { 1, 3, 4, 15 };
	size_t i;

	COVERS("EVT-12 F-EV-02 REQ-05");
	for (i = 0; i < ARRAY_SIZE(piece); i++) {
		struct vs_evt evt;

		vs_evt_get(&evt, self->dev);
		vs_chain_in_cut(&evt.chain, &self->dev->mem, evt.buf, 16,
				piece[i]);
		vs_chain_in(&evt.chain, &self->dev->mem, evt.buf, 0);
		ASSERT_EQ(0, vs_ring_add(self->ring, &evt.chain));
		vs_ring_kick(self->ring);
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5 + i, self->bs));
		EXPECT_EVENT(&evt, RESET, RESCAN, 5 + i);
		vs_evt_put(&evt, self->dev);
		ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5 + i));
		EXPECT_EVENT(&evt, RESET, REMOVED, 5 + i);
		vs_evt_put(&evt, self->dev);
	}
}

TEST_F(event, buffer_too_short_comes_back_empty)
{
	struct vs_evt bad[3], good;
	unsigned int i;

	COVERS("EVT-13 F-EV-02 F-RG-16");
	for (i = 0; i < 3; i++) {
		vs_evt_get(&bad[i], self->dev);
		if (i == 0)
			vs_chain_in(&bad[i].chain, &self->dev->mem,
				    bad[i].buf, 15);
		else if (i == 1)
			vs_chain_in(&bad[i].chain, &self->dev->mem,
				    bad[i].buf, 0);
		else
			vs_chain_out(&bad[i].chain, &self->dev->mem,
				     bad[i].buf, 16);
		ASSERT_EQ(0, vs_ring_add(self->ring, &bad[i].chain));
		vs_ring_kick(self->ring);
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5 + i, self->bs));
		EXPECT_EQ(0, vs_evt_wait(&bad[i], self->dev));
		EXPECT_EQ(0, bad[i].chain.used_len);
		EXPECT_EQ(-1, vs_not_all(bad[i].buf, VS_PAGE, VS_POISON));
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5 + i));
	}
	EXPECT_EQ(1, missed(self->dev));
	ASSERT_EQ(0, vs_evt_post(&good, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&good, self->dev));
	EXPECT_NE(0, good.buf->event & MISSED);
	for (i = 0; i < 3; i++)
		vs_evt_put(&bad[i], self->dev);
	vs_evt_put(&good, self->dev);
}

TEST_F(event, fault_while_writing_returns_the_buffer_and_counts_as_missed)
{
	struct vs_evt evt;

	COVERS("EVT-14 F-EV-03");
	vs_evt_get(&evt, self->dev);
	vs_chain_in(&evt.chain, &self->dev->mem, evt.buf, 16);
	ASSERT_EQ(0, mprotect(evt.buf, VS_PAGE, PROT_READ));
	ASSERT_EQ(0, vs_ring_add(self->ring, &evt.chain));
	vs_ring_kick(self->ring);
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	EXPECT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_EQ(0, evt.chain.used_len);
	EXPECT_EQ(1, missed(self->dev));
	vs_evt_put(&evt, self->dev);
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_NE(0, evt.buf->event & MISSED);
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

TEST_F(event, many_events_without_buffers_stay_bounded)
{
	struct vs_evt evt;
	unsigned int i;

	COVERS("EVT-08 F-EV-01");
	for (i = 0; i < 140; i++) {
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5));
	}
	EXPECT_EQ(1, missed(self->dev));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_NE(0, evt.buf->event & MISSED);
	vs_evt_put(&evt, self->dev);
	EXPECT_EQ(0, missed(self->dev));
}

TEST_F(event, without_endpoint_nothing_is_queued_and_buffers_stay)
{
	struct vs_evt evt;

	COVERS("EVT-17 F-EV-06");
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5));
	EXPECT_EQ(0, missed(self->dev));
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

#define LINUX_BUFFERS 8

TEST_F(event, linux_guest_finds_what_it_missed)
{
	struct vs_evt evt[LINUX_BUFFERS], again;
	uint8_t *inquiry;
	unsigned int i;

	COVERS("EVT-20 EVT-08 EVT-09");
	inquiry = vs_mem_page(&self->dev->mem, 1);
	for (i = 0; i < LINUX_BUFFERS; i++)
		ASSERT_EQ(0, vs_evt_post(&evt[i], self->dev));
	/* Ten events: LUNs 1 to 5 come and go; the last four find no buffer. */
	for (i = 1; i <= 5; i++)
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, i, self->bs));
	for (i = 1; i <= 5; i++)
		ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, i));
	for (i = 0; i < LINUX_BUFFERS; i++) {
		EXPECT_EVENT(&evt[i], RESET, i < 5 ? RESCAN : REMOVED,
			     1 + i % 5);
		vs_evt_put(&evt[i], self->dev);
	}
	/* It gives the buffers back, with a kick, and learns of it. */
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_evt_post(&again, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&again, self->dev));
	EXPECT_EQ(VIRTIO_SCSI_T_NO_EVENT | MISSED, again.buf->event);
	vs_evt_put(&again, self->dev);
	/* Then it asks each unit: one is left. */
	for (i = 0; i <= 5; i++) {
		ASSERT_GOOD(vs_scsi_read(self->dev, TAG, i, vs_cdb_inquiry(36),
					 inquiry, 36));
		EXPECT_EQ(i ? 0x7f : 0, inquiry[0]);
	}
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
