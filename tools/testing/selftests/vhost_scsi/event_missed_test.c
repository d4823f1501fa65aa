// SPDX-License-Identifier: GPL-2.0
/* Buffers of the event queue that are not there, or are no plain 16 bytes: what a guest misses. */
#include "event_fixture.h"

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
	EXPECT_EQ(1, vs_evt_missed(self->dev));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 6, self->bs));
	EXPECT_EVENT(&evt, RESET | MISSED, RESCAN, 6);
	EXPECT_EQ(0, vs_evt_missed(self->dev));
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, kick_after_a_miss_delivers_no_event)
{
	struct vs_evt evt;
	uint32_t one = 1;

	COVERS("EVT-09 EVT-19 IOC-05 IOC-06");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SCSI_SET_EVENTS_MISSED,
			      &one));
	EXPECT_EQ(1, vs_evt_missed(self->dev));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_EQ(VIRTIO_SCSI_T_NO_EVENT | MISSED, evt.buf->event);
	EXPECT_EQ(-1, vs_not_all(evt.buf->lun, 8, 0));
	EXPECT_EQ(0, evt.buf->reason);
	EXPECT_EQ(16, evt.chain.used_len);
	EXPECT_EQ(0, vs_evt_missed(self->dev));
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
		EXPECT_EQ(!!value[i], vs_evt_missed(self->dev));
	}
	EXPECT_EQ(-EFAULT, vs_ioctl(self->dev->fd,
				    VHOST_SCSI_SET_EVENTS_MISSED, NULL));
	EXPECT_EQ(-EFAULT, vs_ioctl(self->dev->fd,
				    VHOST_SCSI_GET_EVENTS_MISSED, NULL));
	EXPECT_EQ(1, vs_evt_missed(self->dev));
}

TEST_F(event, guest_that_goes_on_is_told_to_look)
{
	struct vs_evt evt;

	COVERS("EVT-22");
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, self->bs));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_EQ(VIRTIO_SCSI_T_NO_EVENT | MISSED, evt.buf->event);
	EXPECT_EQ(0, vs_evt_missed(self->dev));
	vs_evt_put(&evt, self->dev);
}

TEST_F(event, guest_that_boots_is_told_nothing)
{
	unsigned int i;

	COVERS("EVT-22");
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	for (i = 0; i < self->dev->n_rings; i++) {
		vs_ring_reset(&self->dev->ring[i]);
		ASSERT_EQ(0, vs_dev_set_ring(self->dev, &self->dev->ring[i]));
	}
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_evt_missed(self->dev));
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
	EXPECT_EQ(1, vs_evt_missed(self->dev));
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
	EXPECT_EQ(1, vs_evt_missed(self->dev));
	vs_evt_put(&evt, self->dev);
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_NE(0, evt.buf->event & MISSED);
	vs_evt_put(&evt, self->dev);
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
	EXPECT_EQ(1, vs_evt_missed(self->dev));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_NE(0, evt.buf->event & MISSED);
	vs_evt_put(&evt, self->dev);
	EXPECT_EQ(0, vs_evt_missed(self->dev));
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

TEST_HARNESS_MAIN
