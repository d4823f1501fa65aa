// SPDX-License-Identifier: GPL-2.0
/* The feature bits: what is offered, refused and fixed, and what they make of interrupts. */
#include "vs_test.h"

FIXTURE(features) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(features)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
}

ENV_TEARDOWN(features);

TEST_F(features, offer_holds_what_works_and_nothing_else)
{
	static const uint64_t must = VS_BIT(VIRTIO_SCSI_F_HOTPLUG) |
		VS_BIT(VIRTIO_SCSI_F_CHANGE) |
		VS_BIT(VIRTIO_F_NOTIFY_ON_EMPTY) |
		VS_BIT(VIRTIO_F_ANY_LAYOUT) |
		VS_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
		VS_BIT(VIRTIO_RING_F_EVENT_IDX) |
		VS_BIT(VIRTIO_F_ACCESS_PLATFORM) |
		VS_BIT(VIRTIO_F_VERSION_1);
	static const uint64_t never = VS_BIT(VIRTIO_SCSI_F_INOUT) |
		VS_BIT(34) | VS_BIT(35) | VS_BIT(38) | VS_BIT(40);
	uint64_t offered;
	int fd;

	COVERS("FEA-01 FEA-13 FEA-14 FEA-15 FEA-16 FEA-17 FEA-19 IOC-07");
	/* Before there is an owner, too. */
	fd = open("/dev/vhost-scsi", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vs_ioctl(fd, VHOST_GET_FEATURES, &offered));
	close(fd);
	EXPECT_EQ(must, offered & must);
	EXPECT_EQ(0, offered & never);
}

TEST_F(features, what_is_not_offered_is_refused)
{
	static const unsigned int bit[] = { 0, 4, 23, 34, 35, 63 };
	size_t i;

	COVERS("FEA-02 FEA-14 IOC-08 F-LC-25");
	for (i = 0; i < ARRAY_SIZE(bit); i++)
		EXPECT_EQ(-EOPNOTSUPP,
			  vs_dev_set_features(self->dev, VS_F_MODERN |
					      VS_BIT(bit[i])));
	EXPECT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN));
	EXPECT_EQ(0, vs_dev_set_features(self->dev, 0));
}

TEST_F(features, are_fixed_while_an_endpoint_is_set)
{
	COVERS("FEA-03 IOC-08 F-LC-25");
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-EBUSY, vs_dev_set_features(self->dev, VS_F_MODERN |
					      VS_F_EVENT_IDX));
	EXPECT_EQ(-EBUSY, vs_dev_set_features(self->dev, 0));
	EXPECT_EQ(-EOPNOTSUPP, vs_dev_set_features(self->dev, VS_BIT(63)));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, VS_TAG, 0));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_dev_set_features(self->dev, 0));
}

/* Runs a command without sleeping on the call eventfd. */
static int run_polling(struct vs_dev *dev)
{
	int64_t end = vs_now_ms() + vs_patience();
	struct vs_req req;
	bool done;

	vs_req_get(&req, dev, VS_TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	if (vs_req_submit(&req))
		return -ENOSPC;
	while (!req.chain.done && vs_now_ms() < end)
		if (!vs_ring_take(req.ring, NULL))
			usleep(1000);
	done = req.chain.done;
	vs_req_put(&req);
	/* The interrupt, if there is one, has come when the worker leaves the queue. */
	if (vs_dev_get_base(dev, VS_IO) < 0)
		return -EIO;
	return done ? 0 : -ETIMEDOUT;
}

static uint64_t calls(struct vs_dev *dev)
{
	uint64_t count;

	return read(dev->ring[VS_IO].call, &count, sizeof(count)) ==
	       sizeof(count) ? count : 0;
}

TEST_F(features, interrupts_are_suppressed_by_the_avail_flag)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];

	COVERS("FEA-10 REQ-42");
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ring->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	ASSERT_EQ(0, run_polling(self->dev));
	EXPECT_EQ(0, calls(self->dev));
	ring->avail->flags = 0;
	ASSERT_EQ(0, run_polling(self->dev));
	EXPECT_EQ(1, calls(self->dev));
}

TEST_F(features, interrupts_follow_the_event_index)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];
	unsigned int i;

	COVERS("FEA-10 REQ-42");
	ASSERT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN |
					 VS_F_EVENT_IDX));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	*vs_ring_used_event(ring) = 4;
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, run_polling(self->dev));
	/* The first signal after a start may be one too many. */
	EXPECT_LE(calls(self->dev), 1);
	ASSERT_EQ(0, run_polling(self->dev));
	EXPECT_EQ(0, calls(self->dev));
	ASSERT_EQ(0, run_polling(self->dev));
	EXPECT_EQ(1, calls(self->dev));
	ASSERT_EQ(0, run_polling(self->dev));
	EXPECT_EQ(0, calls(self->dev));
}

TEST_F(features, emptied_ring_interrupts_with_notify_on_empty)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];

	COVERS("FEA-11");
	ASSERT_EQ(0, vs_dev_set_features(self->dev,
					 VS_BIT(VIRTIO_F_NOTIFY_ON_EMPTY)));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ring->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	ASSERT_EQ(0, run_polling(self->dev));
	EXPECT_EQ(1, calls(self->dev));
}

TEST_HARNESS_MAIN
