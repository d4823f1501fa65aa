// SPDX-License-Identifier: GPL-2.0
/*
 * A guest behind a virtual IOMMU: queues wait for translations and for nothing else; and
 * the messages between the device and its VMM.
 */
#include <poll.h>

#include "iotlb_queue_fixture.h"
#include "vs_evt.h"

TEST_F(iotlb, queues_wait_until_they_are_translated)
{
	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, end_reads(&self->reads));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
}

TEST_F(iotlb, queue_asks_for_one_thing_however_often_it_is_kicked)
{
	uint64_t iova;
	int i;

	COVERS("FEA-13 F-SE-10");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
		vs_ring_kick(self->ring);
		/* Nothing that the queue needs. */
		ASSERT_EQ(0, vs_iotlb_map(self->dev, 0, VS_PAGE, self->dev->mem.base,
					  VHOST_ACCESS_RW));
	}
	/* The kicks before the last one are through. */
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	for (i = 0; !vs_iotlb_read(self->dev, &iova); i++)
		;
	/* One for each turn of its worker since, and those are no more. */
	EXPECT_GE(3, i);
	vs_iotlb_pause(self->dev, false);
	/* What was read, and is not answered, is asked for again at the next kick only. */
	vs_ring_kick(self->ring);
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, events_wait_and_are_not_missed)
{
	struct vs_evt evt;

	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[0]));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	EXPECT_EQ(0, vs_ring_pending(&self->dev->ring[VS_EVT]));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET, evt.buf->event);
	vs_evt_put(&evt, self->dev);
}

TEST_F(iotlb, requests_that_come_during_an_invalidation_wait_for_its_end)
{
	struct vs_thread call;

	COVERS("FEA-13 F-MG-07");
	ASSERT_EQ(0, hold_reads(self->dev, &self->env.hold, &self->reads));
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_thread_start(&call, invalidate_all, self->dev));
	ASSERT_EQ(0, wait_idle(&call));
	ASSERT_EQ(0, submit_reads(self->dev, &self->more));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&call));
	/* Those of before, through what the ring had, with nobody to ask. */
	EXPECT_EQ(READS, vs_ring_pending(self->ring));
	EXPECT_EQ(0, end_reads(&self->reads));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, end_reads(&self->more));
}

/* A read of the first blocks into a piece of guest addresses of its own. */
TEST_F(iotlb, rings_that_it_may_not_write_are_not_served)
{
	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, self->dev->mem.size,
				  self->dev->mem.base, VHOST_ACCESS_RO));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, self->dev->mem.size,
				  self->dev->mem.base, VHOST_ACCESS_RW));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, endpoint_ends_without_a_translation)
{
	COVERS("FEA-13 F-MG-07 IOC-03");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	vs_iotlb_pause(self->dev, false);
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, end_reads(&self->reads));
}

/* Without vs_iotlb_preload(). */
static int set_endpoint_only(struct vs_dev *dev)
{
	struct vhost_scsi_target target = { .abi_version = VHOST_SCSI_ABI_VERSION };

	strcpy(target.vhost_wwpn, VS_WWN);
	return vs_ioctl(dev->fd, VHOST_SCSI_SET_ENDPOINT, &target);
}

TEST_F(iotlb, endpoint_that_is_refused_asks_once)
{
	unsigned int i, n = 0;
	uint64_t missed;

	COVERS("FEA-13 F-MG-07");
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(-EFAULT, set_endpoint_only(self->dev));
	while (!vs_iotlb_read(self->dev, &missed))
		n++;
	EXPECT_GE(self->dev->n_rings * 2, n);
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
}

TEST_F(iotlb, acknowledging_it_again_begins_anew)
{
	uint64_t features = self->dev->features, iova;

	COVERS("FEA-13 IOC-01");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	/* Under an endpoint it changes nothing. */
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_FEATURES, &features));
	EXPECT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_iotlb_preload(self->dev));
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_FEATURES, &features));
	EXPECT_EQ(-EAGAIN, vs_iotlb_read(self->dev, &iova));
	/* The rings are where they were, but are not translated. */
	EXPECT_EQ(-EFAULT, set_endpoint_only(self->dev));
	vs_iotlb_pause(self->dev, false);
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, ring_that_moves_is_looked_for_where_it_is)
{
	struct vs_ring *ring = self->ring;
	struct vhost_vring_addr addr = {
		.index = ring->index,
		.desc_user_addr = 1 << 20,
		.avail_user_addr = 2 << 20,
		.used_user_addr = 3 << 20,
	};
	uint64_t iova;

	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_VRING_ADDR, &addr));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(0, vs_iotlb_read(self->dev, &iova));
	EXPECT_EQ(1 << 20, iova);
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	/* It is translated here, and no message comes. */
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, self->dev->mem.size,
				  self->dev->mem.base, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_dev_set_addr(self->dev, ring));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, messages_that_are_wrong_are_refused)
{
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2 };
	const struct vhost_iotlb_msg wrong[] = {
		{ .type = 0 },
		{ .type = VHOST_IOTLB_MISS, .size = 1 },
		{ .type = VHOST_IOTLB_UPDATE, .iova = 1, .size = VS_IOTLB_ALL, .perm = 3 },
		{ .type = VHOST_IOTLB_UPDATE, .size = 4096, .uaddr = -4096ULL, .perm = 3 },
		{ .type = VHOST_IOTLB_UPDATE, .size = 4096, .uaddr = 1ULL << 63, .perm = 3 },
		{ .type = VHOST_IOTLB_BATCH_BEGIN },
	};
	uint64_t iova;
	size_t i;

	COVERS("F-MG-07 IOC-35");
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		msg.iotlb = wrong[i];
		EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg)));
		EXPECT_EQ(EFAULT, errno);
	}
	EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg.type)));
	EXPECT_EQ(EINVAL, errno);
	msg.iotlb = (struct vhost_iotlb_msg) { .type = VHOST_IOTLB_UPDATE };
	EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
	msg.type = 0;
	EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
	vs_iotlb_pause(self->dev, true);
	EXPECT_EQ(0, read(self->dev->fd, &msg, 1));
	EXPECT_EQ(-EAGAIN, vs_iotlb_read(self->dev, &iova));
	vs_iotlb_pause(self->dev, false);
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, messages_have_their_first_form_unless_the_second_is_asked_for)
{
	struct vhost_msg msg = { 0 };
	uint64_t features = 0;

	COVERS("IOC-28 IOC-35");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_BACKEND_FEATURES, &features));
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(sizeof(msg), read(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(VHOST_IOTLB_MSG, msg.type);
	EXPECT_EQ(VHOST_IOTLB_MISS, msg.iotlb.type);
	EXPECT_EQ(vs_mem_gpa(&self->dev->mem, self->ring->desc), msg.iotlb.iova);
	msg.iotlb = (struct vhost_iotlb_msg) {
		.iova = VS_GPA, .size = self->dev->mem.size,
		.uaddr = (uintptr_t)self->dev->mem.base, .perm = VHOST_ACCESS_RW,
		.type = VHOST_IOTLB_UPDATE,
	};
	EXPECT_EQ(sizeof(msg), write(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(0, end_reads(&self->reads));
}

FIXTURE(plain) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(plain)
{
	const struct vs_env_opts opts = { };

	unsetenv("VS_IOTLB");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
}

ENV_TEARDOWN(plain);

TEST_F(plain, without_the_feature_there_is_no_iotlb)
{
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2 };
	struct pollfd ready = { .fd = self->dev->fd, .events = POLLIN | POLLOUT };

	COVERS("F-MG-07 IOC-35");
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(ready.events, ready.revents);
	EXPECT_EQ(-1, read(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
	msg.iotlb.type = VHOST_IOTLB_INVALIDATE;
	EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(plain, rings_have_no_address_once_it_is_acknowledged)
{
	struct pollfd ready = { .fd = self->dev->fd, .events = POLLIN | POLLOUT };

	COVERS("FEA-13 IOC-35");
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN |
					 VS_BIT(VIRTIO_F_ACCESS_PLATFORM)));
	EXPECT_EQ(0, poll(&ready, 1, 0));
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(self->dev, VS_WWN));
}

TEST_HARNESS_MAIN
