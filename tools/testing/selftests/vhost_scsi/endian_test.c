// SPDX-License-Identifier: GPL-2.0
/*
 * The byte order of a ring, with every field written and read by hand: a guest
 * of the other order before VERSION_1. Kernels without
 * CONFIG_VHOST_CROSS_ENDIAN_LEGACY refuse the ioctl, and all is little-endian.
 */
#include "vs_test.h"

#define TAG		VS_TAG
#define LITTLE		VHOST_VRING_LITTLE_ENDIAN
#define BIG		VHOST_VRING_BIG_ENDIAN
#define HOTPLUG		VS_BIT(VIRTIO_SCSI_F_HOTPLUG)
#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET

FIXTURE(endian) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(endian)
{
	struct vs_env_opts opts = {
		.dev.features = HOTPLUG,
		.no_endpoint = true,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
}

ENV_TEARDOWN(endian);

/* Numbers as a ring of either order holds them, there and back. */
static uint16_t num16(bool big, uint16_t v)
{
	return big ? htobe16(v) : htole16(v);
}

static uint32_t num32(bool big, uint32_t v)
{
	return big ? htobe32(v) : htole32(v);
}

static uint64_t num64(bool big, uint64_t v)
{
	return big ? htobe64(v) : htole64(v);
}

static int choose(struct vs_dev *dev, unsigned int index, unsigned int order)
{
	struct vhost_vring_state state = { .index = index, .num = order };

	return vs_ioctl(dev->fd, VHOST_SET_VRING_ENDIAN, &state);
}

/* A chain of up to four segments; those from the first writable one on are. */
struct hand {
	struct { void *p; uint32_t len; } seg[4];
	unsigned int n, first_in;
	uint32_t used_len;
};

static void hand_seg(struct hand *hand, void *p, uint32_t len)
{
	hand->seg[hand->n].p = p;
	hand->seg[hand->n++].len = len;
}

/* Makes the chain available from descriptor 4 on, so that no index is 0. */
static void hand_post(struct vs_ring *ring, bool big, const struct hand *hand)
{
	unsigned int i, first = 4, left = hand->n;

	for (i = 0; i < hand->n; i++)
		ring->desc[first + i] = (struct vring_desc){
			.addr = num64(big, vs_mem_gpa(ring->mem,
						      hand->seg[i].p)),
			.len = num32(big, hand->seg[i].len),
			.flags = num16(big, (--left ? VRING_DESC_F_NEXT : 0) |
				       (i >= hand->first_in ?
					VRING_DESC_F_WRITE : 0)),
			.next = num16(big, first + i + 1),
		};
	ring->avail->ring[ring->next_avail % ring->num] = num16(big, first);
	ring->next_avail++;
	__atomic_store_n(&ring->avail->idx, num16(big, ring->next_avail),
			 __ATOMIC_RELEASE);
	vs_ring_kick(ring);
}

/* Waits for the chain; -EIO if it came back under another name. */
static int hand_wait(struct vs_ring *ring, bool big, struct hand *hand)
{
	volatile uint16_t *idx = &ring->used->idx;
	int64_t end = vs_now_ms() + vs_patience();
	struct vring_used_elem *elem;

	while (num16(big, *idx) != ring->next_avail) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	elem = &ring->used->ring[ring->last_used % ring->num];
	ring->last_used = ring->next_avail;
	hand->used_len = num32(big, elem->len);
	return num32(big, elem->id) == 4 ? 0 : -EIO;
}

static int hand_run(struct vs_ring *ring, bool big, struct hand *hand)
{
	hand_post(ring, big, hand);
	return hand_wait(ring, big, hand);
}

/* A command with 64 bytes for what it reads, and the answer's fields. */
static int command(struct vs_dev *dev, bool big, struct vs_cdb cdb, void *buf,
		   struct vs_result *res)
{
	struct hand hand = { .first_in = 1 };
	struct vs_req req;
	int ret;

	vs_req_bare(&req, dev, TAG, 0, cdb);
	req.hdr->tag = num64(big, req.hdr->tag);
	hand_seg(&hand, req.hdr, VS_HDR);
	hand_seg(&hand, req.rsp, VS_RSP);
	hand_seg(&hand, buf, 64);
	ret = hand_run(req.ring, big, &hand);
	/* The rest of the library reads numbers in the host's order. */
	req.rsp->sense_len = num32(big, req.rsp->sense_len);
	*res = (struct vs_result){
		.err = ret,
		.response = req.rsp->response,
		.status = req.rsp->status,
		.sense = vs_req_sense(&req),
		.resid = num32(big, req.rsp->resid),
		.used_len = hand.used_len,
	};
	req.ring = NULL;
	vs_req_put(&req);
	return ret;
}

/* INQUIRY of 36 bytes; does the ring say all of it in this order? */
static bool speaks(struct vs_dev *dev, bool big, uint8_t *buf)
{
	struct vs_result res;

	memset(buf, 0, 64);
	return !command(dev, big, vs_cdb_inquiry(36), buf, &res) &&
	       !res.response && res.status == VS_GOOD && res.resid == 28 &&
	       res.used_len == VS_RSP + 36 && !memcmp(buf + 8, "LIO-ORG ", 8);
}

/* From the start again, so that no index of the other order remains. */
static int attach(struct vs_dev *dev, uint64_t features)
{
	int ret = vs_dev_set_features(dev, features);

	vs_ring_reset(&dev->ring[VS_IO]);
	if (!ret)
		ret = vs_dev_set_ring(dev, &dev->ring[VS_IO]);
	return ret ? ret : vs_dev_set_endpoint(dev, VS_WWN);
}

TEST_F(endian, order_chosen_before_the_endpoint_holds_in_every_field)
{
	struct vs_dev *dev = self->dev;
	struct vs_result res;
	int ret = choose(dev, VS_IO, BIG);
	bool big = !ret;

	COVERS("FEA-06 FEA-05 IOC-25");
	if (ret)
		EXPECT_EQ(-ENOTTY, ret);
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	EXPECT_TRUE(speaks(dev, big, self->buf));
	/* A refused read has a sense length, and no bytes arrived. */
	memset(self->buf, VS_POISON, 64);
	ASSERT_EQ(0, command(dev, big, vs_cdb_rw10(VS_READ_10, 1 << 30, 1),
			     self->buf, &res));
	EXPECT_EQ(VS_CHECK_CONDITION, res.status);
	EXPECT_LT(0, res.sense);
	EXPECT_EQ(64, res.resid);
	EXPECT_EQ(VS_RSP, res.used_len);
	EXPECT_EQ(-1, vs_not_all(self->buf, 64, VS_POISON));
}

TEST_F(endian, order_is_fixed_while_the_ring_runs)
{
	struct vs_dev *dev = self->dev;
	bool big = !choose(dev, VS_IO, BIG);

	COVERS("FEA-06 IOC-25");
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	EXPECT_TRUE(speaks(dev, big, self->buf));
	EXPECT_EQ(big ? -EBUSY : -ENOTTY, choose(dev, VS_IO, LITTLE));
	EXPECT_EQ(big ? -EBUSY : -ENOTTY, choose(dev, VS_IO, BIG));
	EXPECT_TRUE(speaks(dev, big, self->buf));
	ASSERT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
	EXPECT_EQ(big ? 0 : -ENOTTY, choose(dev, VS_IO, LITTLE));
	ASSERT_EQ(0, attach(dev, 0));
	EXPECT_TRUE(speaks(dev, false, self->buf));
}

TEST_F(endian, version_1_overrides_the_choice_until_it_is_dropped)
{
	struct vs_dev *dev = self->dev;
	bool big = !choose(dev, VS_IO, BIG);
	unsigned int i;

	COVERS("FEA-06 FEA-05");
	for (i = 0; i < 3; i++) {
		/* The features of the moment are what counts, not older ones. */
		ASSERT_EQ(0, vs_dev_set_features(dev, i % 2 ? VS_F_MODERN :
						 0));
		ASSERT_EQ(0, attach(dev, i % 2 ? 0 : VS_F_MODERN));
		EXPECT_TRUE(speaks(dev, i % 2 ? big : false, self->buf)) {
			TH_LOG("round %u", i);
		}
		ASSERT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
	}
}

/* A LUN reset; what the device says, or -errno. */
static int reset(struct vs_dev *dev, bool big)
{
	struct virtio_scsi_ctrl_tmf_req *tmf;
	struct hand hand = { .first_in = 1 };
	uint8_t *rsp = vs_mem_alloc(&dev->mem, 64, 64);
	int ret;

	tmf = vs_mem_alloc(&dev->mem, sizeof(*tmf), 64);
	*rsp = VS_POISON;
	tmf->type = num32(big, VIRTIO_SCSI_T_TMF);
	tmf->subtype = num32(big, LUN_RESET);
	vs_lun(tmf->lun, TAG, 0);
	hand_seg(&hand, tmf, sizeof(*tmf));
	hand_seg(&hand, rsp, 1);
	ret = hand_run(&dev->ring[VS_CTL], big, &hand);
	return ret ? ret : *rsp;
}

TEST_F(endian, control_and_event_queue_follow_their_own_order)
{
	struct vs_dev *dev = self->dev;
	struct virtio_scsi_event *event = (void *)self->buf;
	struct hand hand = { .first_in = 0 };
	bool big = !choose(dev, VS_CTL, BIG);

	COVERS("FEA-06 FEA-05");
	EXPECT_EQ(big ? 0 : -ENOTTY, choose(dev, VS_EVT, BIG));
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	EXPECT_EQ(0, reset(dev, big));
	hand_seg(&hand, event, sizeof(*event));
	hand_post(&dev->ring[VS_EVT], big, &hand);
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, &self->env.bs[1]));
	ASSERT_EQ(0, hand_wait(&dev->ring[VS_EVT], big, &hand));
	EXPECT_EQ(sizeof(*event), hand.used_len);
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET, num32(big, event->event));
	EXPECT_EQ(VIRTIO_SCSI_EVT_RESET_RESCAN, num32(big, event->reason));
	/* The request queue was not asked to change. */
	EXPECT_TRUE(speaks(dev, false, self->buf + 1024));
}

TEST_HARNESS_MAIN
