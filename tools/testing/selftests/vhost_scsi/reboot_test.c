// SPDX-License-Identifier: GPL-2.0
/* A guest that boots again on the same device: which of its queues are served. */
#include "vs_evt.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define LAST	(VS_IO + 1)	/* the queue that the second boot leaves out */
#define OLD	1		/* what the disk holds */
#define NEW	2		/* what nobody may write */

FIXTURE(reboot) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req;
	uint8_t *buf;
};

typedef FIXTURE_DATA(reboot) reboot_data;

/* The first boot uses both request queues, and all of them stop with it. */
FIXTURE_SETUP(reboot)
{
	struct vs_env_opts opts = { .dev.n_io = 2 };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_fill(self->buf, VS_PAGE, OLD);
	vs_req_get(&self->req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_WRITE_10, 0, 8));
	self->req.ring = &self->dev->ring[LAST];
	vs_req_out(&self->req, self->buf, VS_PAGE);
	EXPECT_GOOD(vs_req_finish(&self->req));
	vs_req_get(&self->req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_WRITE_10, 0, 8));
	self->req.ring = &self->dev->ring[LAST];
	vs_req_out(&self->req, self->buf, VS_PAGE);
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	vs_fill(self->buf, VS_PAGE, NEW);
}

FIXTURE_TEARDOWN(reboot)
{
	vs_req_put(&self->req);
	ENV_PUT(&self->env);
}

/* A WRITE that the guest left behind: available, and not kicked. */
static int leave_write(struct vs_req *req)
{
	return vs_ring_add(req->ring, &req->chain);
}

/* Sets up rings as a VMM does for those that the guest's driver has started. */
static int start(struct vs_dev *dev, unsigned int from, unsigned int end)
{
	unsigned int i;
	int ret = 0;

	for (i = from; i < end && !ret; i++)
		ret = vs_dev_set_ring(dev, &dev->ring[i]);
	return ret;
}

/* What LUN 0 holds, as the first request queue reads it. */
static int holds(struct vs_dev *dev)
{
	size_t mark = dev->mem.used;
	uint8_t *buf = vs_mem_page(&dev->mem, 1);
	struct vs_result res;

	res = vs_scsi_read(dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8), buf,
			   VS_PAGE);
	dev->mem.used = mark;
	if (res.err || res.response || res.status)
		return -EIO;
	return vs_differs(buf, VS_PAGE, OLD) < 0 ? OLD :
	       vs_differs(buf, VS_PAGE, NEW) < 0 ? NEW : -EILSEQ;
}

/* The used ring, its flags and what lies behind it: memory of somebody else now. */
static size_t used_size(struct vs_ring *ring)
{
	return sizeof(*ring->used) + ring->num * sizeof(ring->used->ring[0]) + 2;
}

/* A boot that leaves the last queue out, whose used ring is 0x5a now. */
static int boot_without_last(reboot_data *self)
{
	struct vs_ring *ring = &self->dev->ring[LAST];
	int ret = leave_write(&self->req);

	memset(ring->used, 0x5a, used_size(ring));
	if (!ret)
		ret = start(self->dev, VS_CTL, LAST);
	if (!ret)
		ret = vs_dev_set_endpoint(self->dev, VS_WWN);
	return ret ? ret : vs_scsi_settle(self->dev, TAG, 0);
}

TEST_F(reboot, queue_that_is_not_set_up_again_is_left_alone)
{
	struct vs_ring *ring = &self->dev->ring[LAST];
	uint8_t was[VS_PAGE];
	size_t len = used_size(ring);

	COVERS("IOC-02 IOC-03 F-LC-14");
	ASSERT_GT(sizeof(was), len);
	ASSERT_EQ(0, boot_without_last(self));
	memset(was, 0x5a, len);
	/* Nor by a kick, which the guest has no reason for. */
	vs_ring_kick(ring);
	EXPECT_EQ(OLD, holds(self->dev));
	/* Afterwards its worker has done all that it was asked for. */
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, memcmp(was, ring->used, len));
	/* A further boot that sets up nothing keeps what this one had. */
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(OLD, holds(self->dev));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, memcmp(was, ring->used, len));
	/* One that sets it up has it back. */
	memset(ring->used, 0, len);
	ring->last_used = 0;
	ring->avail->idx = 0;
	ring->next_avail = 0;
	ASSERT_EQ(0, start(self->dev, VS_CTL, LAST + 1));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(OLD, holds(self->dev));
	ASSERT_EQ(0, leave_write(&self->req));
	vs_ring_kick(ring);
	ASSERT_EQ(0, vs_req_wait(&self->req));
	EXPECT_EQ(NEW, holds(self->dev));
}

TEST_F(reboot, boot_whose_endpoint_was_refused_leaves_no_ring)
{
	struct vs_ring *ring = &self->dev->ring[LAST];
	uint8_t was[VS_PAGE];
	size_t len = used_size(ring);

	COVERS("IOC-02 IOC-03");
	ASSERT_GT(sizeof(was), len);
	ASSERT_EQ(0, start(self->dev, VS_CTL, LAST + 1));
	ASSERT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev, VS_WWN2));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN2));
	ASSERT_EQ(0, boot_without_last(self));
	memset(was, 0x5a, len);
	EXPECT_EQ(OLD, holds(self->dev));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, memcmp(was, ring->used, len));
}

TEST_F(reboot, without_a_ring_ioctl_every_queue_is_served_again)
{
	COVERS("IOC-02 IOC-03");
	ASSERT_EQ(0, leave_write(&self->req));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_req_wait(&self->req));
	EXPECT_EQ(NEW, holds(self->dev));
}

TEST_F(reboot, one_address_or_base_or_size_is_enough)
{
	struct vs_ring *ring = &self->dev->ring[LAST];
	struct vhost_vring_state state = { .index = LAST };
	unsigned int i;
	int ret;

	COVERS("IOC-21 IOC-22 IOC-23");
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, start(self->dev, VS_CTL, LAST));
		state.num = i == 0 ? ring->num : ring->next_avail;
		ret = i == 2 ? vs_dev_set_addr(self->dev, ring) :
		      vs_ioctl(self->dev->fd, i == 0 ? VHOST_SET_VRING_NUM :
			       VHOST_SET_VRING_BASE, &state);
		ASSERT_EQ(0, ret);
		ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
		ASSERT_EQ(0, vs_req_run(&self->req));
		EXPECT_EQ(NEW, holds(self->dev));
		ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	}
}

TEST_F(reboot, eventfds_set_up_nothing)
{
	COVERS("IOC-26");
	ASSERT_EQ(0, leave_write(&self->req));
	/* As a VMM does that stops or masks a queue. */
	ASSERT_EQ(0, vs_dev_set_eventfd(self->dev, VHOST_SET_VRING_KICK, VS_IO,
					-1));
	ASSERT_EQ(0, vs_dev_set_eventfd(self->dev, VHOST_SET_VRING_CALL, VS_IO,
					self->dev->ring[VS_IO].call));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_req_wait(&self->req));
	ASSERT_EQ(0, vs_dev_set_eventfd(self->dev, VHOST_SET_VRING_KICK, VS_IO,
					self->dev->ring[VS_IO].kick));
	EXPECT_EQ(NEW, holds(self->dev));
}

TEST_F(reboot, event_queue_is_left_alone_likewise)
{
	struct vs_ring *ring = &self->dev->ring[VS_EVT];
	uint8_t was[VS_PAGE];
	size_t len = used_size(ring);
	struct vs_evt evt;

	COVERS("IOC-02 EVT-01");
	ASSERT_GT(sizeof(was), len);
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	memcpy(was, ring->used, len);
	ASSERT_EQ(0, start(self->dev, VS_CTL, VS_EVT));
	ASSERT_EQ(0, start(self->dev, VS_IO, LAST + 1));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[0]));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, memcmp(was, ring->used, len));
	EXPECT_EQ(0, vs_ring_pending(ring));
	vs_evt_put(&evt, self->dev);
}

TEST_HARNESS_MAIN
