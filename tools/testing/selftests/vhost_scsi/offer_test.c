// SPDX-License-Identifier: GPL-2.0
/* What the device offers, and how it refuses what it does not offer. */
#include "vs_test.h"

#define TAG	VS_TAG
#define LEGACY	(VS_BIT(VIRTIO_F_NOTIFY_ON_EMPTY) | \
		 VS_BIT(VIRTIO_RING_F_INDIRECT_DESC) | VS_F_EVENT_IDX)

/* What an event index holds until the device writes it. */
#define UNTOUCHED 0xaaaa

FIXTURE(offer) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(offer)
{
	struct vs_env_opts opts = { .dev.n_io = 2, .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
}

ENV_TEARDOWN(offer);

/* One request on every queue, so that the device has looked at each. */
static int use_every_queue(struct vs_dev *dev)
{
	struct vs_chain chain;
	uint32_t one = 1;
	int ret, i;

	for (i = 0; i < 2; i++) {
		struct vs_req req;

		vs_req_get(&req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
		req.ring = &dev->ring[VS_IO + i];
		ret = vs_req_run(&req);
		vs_req_put(&req);
		if (ret)
			return ret;
	}
	ret = vs_tmf(dev, TAG, 0, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0,
		     NULL);
	if (ret)
		return ret;
	/* A missed event makes the device take the buffer at once. */
	ret = vs_ioctl(dev->fd, VHOST_SCSI_SET_EVENTS_MISSED, &one);
	if (ret)
		return ret;
	vs_chain_get(&chain);
	vs_chain_in(&chain, &dev->mem, vs_mem_alloc(&dev->mem, 16, 16), 16);
	ret = vs_chain_run(&dev->ring[VS_EVT], &chain);
	vs_chain_put(&chain);
	return ret;
}

/* Does the device say by index when it wants to be kicked? It may take it time. */
static bool writes_event_index(struct vs_ring *ring, int ms)
{
	volatile uint16_t *index = vs_ring_avail_event(ring);
	int64_t end = vs_now_ms() + ms;

	while (*index == UNTOUCHED && vs_now_ms() < end)
		usleep(1000);
	return *index != UNTOUCHED;
}

TEST_F(offer, one_feature_word_holds_for_all_queues)
{
	static const uint64_t word[] = {
		VS_F_MODERN | VS_F_EVENT_IDX, VS_F_MODERN,
		VS_F_MODERN | VS_F_EVENT_IDX,
	};
	struct vs_dev *dev = self->dev;
	unsigned int i;
	size_t w;

	COVERS("FEA-04");
	for (w = 0; w < ARRAY_SIZE(word); w++) {
		bool by_index = word[w] & VS_F_EVENT_IDX;

		ASSERT_EQ(0, vs_dev_set_features(dev, word[w]));
		for (i = 0; i < dev->n_rings; i++)
			*vs_ring_avail_event(&dev->ring[i]) = UNTOUCHED;
		ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
		/* No queue's word changes while it runs. */
		EXPECT_EQ(-EBUSY, vs_dev_set_features(dev, word[w] ^
						      VS_F_EVENT_IDX));
		ASSERT_EQ(0, use_every_queue(dev));
		for (i = 0; i < dev->n_rings; i++)
			EXPECT_EQ(by_index,
				  writes_event_index(&dev->ring[i], by_index ?
						     vs_patience() : 100)) {
				TH_LOG("queue %u, word %zu", i, w);
			}
		ASSERT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
	}
}

TEST_F(offer, padding_of_a_legacy_driver_counts_as_data)
{
	struct vs_req req;
	uint8_t *hdr;

	COVERS("FEA-08");
	ASSERT_EQ(0, vs_dev_set_features(self->dev, 0));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	hdr = vs_mem_alloc(&self->dev->mem, 64, 64);
	memset(hdr, 0, 64);
	memcpy(hdr, req.hdr, VS_HDR);
	vs_req_out(&req, hdr, 64);
	vs_req_in(&req, req.rsp, VS_RSP);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	EXPECT_EQ(64 - VS_HDR, req.rsp->resid);
	vs_req_put(&req);
	/* With data-in behind the response there are both directions. */
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_inquiry(36));
	memcpy(hdr, req.hdr, VS_HDR);
	vs_req_out(&req, hdr, 64);
	vs_req_in(&req, req.rsp, VS_RSP);
	vs_req_in(&req, vs_mem_alloc(&self->dev->mem, 64, 64), 36);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, req.rsp->response);
	vs_req_put(&req);
}

TEST_F(offer, configuration_space_is_not_the_drivers)
{
	/* How vhost-vdpa reads, writes and sizes such a space. */
	static const unsigned long cmd[] = {
		_IOR(0xaf, 0x73, uint64_t), _IOW(0xaf, 0x74, uint64_t),
		_IOR(0xaf, 0x79, uint32_t),
	};
	uint32_t arg[64] = {};
	struct vs_req req;
	size_t i;

	COVERS("FEA-21");
	for (i = 0; i < ARRAY_SIZE(cmd); i++)
		EXPECT_EQ(-ENOTTY, vs_ioctl(self->dev->fd, cmd[i], arg));
	/* CDB and sense have the only sizes that a VMM may announce. */
	EXPECT_EQ(32, sizeof(req.hdr->cdb));
	EXPECT_EQ(96, sizeof(req.rsp->sense));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_op(0xff));
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VS_CHECK_CONDITION, req.rsp->status);
	EXPECT_EQ(sense(5, 0x20, 0), vs_req_sense(&req));
	EXPECT_GE(96, req.rsp->sense_len);
	EXPECT_EQ(VS_HDR - 19, sizeof(req.hdr->cdb));
	EXPECT_EQ(12 + 96, req.chain.used_len);
	vs_req_put(&req);
}

TEST_F(offer, words_that_guests_acknowledge_are_accepted_whole)
{
	static const uint64_t word[] = {
		/* firmware; Linux of old; Linux on transitional, and modern */
		0,
		LEGACY,
		LEGACY | VS_BIT(VIRTIO_F_ANY_LAYOUT),
		LEGACY | VS_BIT(VIRTIO_F_ANY_LAYOUT) |
		VS_BIT(VIRTIO_F_VERSION_1),
		VS_F_MODERN | VS_F_EVENT_IDX,
		VS_BIT(VIRTIO_F_VERSION_1),
		VS_BIT(VIRTIO_F_ANY_LAYOUT),
	};
	size_t i;

	COVERS("FEA-23 IOC-40");
	for (i = 0; i < ARRAY_SIZE(word); i++) {
		ASSERT_EQ(0, vs_dev_set_features(self->dev, word[i]));
		ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
		EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
		ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	}
}

TEST_F(offer, these_features_are_offered_and_no_others)
{
	uint64_t offered;
	unsigned int i;

	COVERS("FEA-12 FEA-01");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_GET_FEATURES, &offered));
	EXPECT_EQ(0x33d00000e, offered);
	for (i = 0; i < 64; i++)
		EXPECT_EQ(offered & VS_BIT(i) ? 0 : -EOPNOTSUPP,
			  vs_dev_set_features(self->dev, VS_BIT(i)));
	ASSERT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN));
	/* ACCESS_PLATFORM came and went: rings have no address since. */
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(self->dev, VS_WWN));
	for (i = 0; i < self->dev->n_rings; i++)
		ASSERT_EQ(0, vs_dev_set_ring(self->dev, &self->dev->ring[i]));
	/* What was acknowledged before holds. */
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

/*
 * A request as if T10_PI had been acknowledged: two lengths at 19, the CDB at
 * 27. Without the feature byte 19 is the opcode, and 8 bytes are data-out.
 */
static int run_as_with_pi(struct vs_dev *dev, uint32_t out, uint32_t in,
			  struct virtio_scsi_cmd_resp *rsp)
{
	struct virtio_scsi_cmd_req_pi *pi;
	struct vs_req req;
	int ret;

	vs_req_bare(&req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	pi = vs_mem_alloc(&dev->mem, sizeof(*pi), 64);
	memset(pi, 0, sizeof(*pi));
	memcpy(pi->lun, req.hdr->lun, sizeof(pi->lun));
	pi->pi_bytesout = out;
	pi->pi_bytesin = in;
	pi->cdb[0] = VS_REPORT_LUNS;
	vs_req_out(&req, pi, sizeof(*pi));
	vs_req_in(&req, req.rsp, VS_RSP);
	ret = vs_req_run(&req);
	*rsp = *req.rsp;
	vs_req_put(&req);
	return ret;
}

TEST_F(offer, without_protection_its_lengths_do_not_exist)
{
	/* Both directions, more than the payload, odd, the largest. */
	static const uint32_t len[][2] = {
		{ 0xff, 0 }, { 0xff, 0xff }, { 0xc3, 8 }, { ~0U, ~0U },
	};
	struct virtio_scsi_cmd_resp rsp;
	size_t i;

	COVERS("REQ-02 F-RQ-12");
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	/* Lengths of 0 read as TEST UNIT READY, never as what is at 27. */
	ASSERT_EQ(0, run_as_with_pi(self->dev, 0, 0, &rsp));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, rsp.response);
	EXPECT_EQ(VS_GOOD, rsp.status);
	EXPECT_EQ(8, rsp.resid);
	/* Any others are the first bytes of a CDB that nobody knows. */
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		ASSERT_EQ(0, run_as_with_pi(self->dev, len[i][0], len[i][1],
					    &rsp));
		EXPECT_EQ(VIRTIO_SCSI_S_OK, rsp.response);
		EXPECT_EQ(VS_CHECK_CONDITION, rsp.status);
		EXPECT_EQ(5, rsp.sense[2] & 0xf);
		EXPECT_EQ(0x20, rsp.sense[12]);
	}
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(offer, byte_order_of_a_ring_is_the_hosts_or_can_be_chosen)
{
	struct vhost_vring_state state = { .index = VS_IO, .num = 1 };
	int ret;

	COVERS("IOC-25");
	ret = vs_ioctl(self->dev->fd, VHOST_SET_VRING_ENDIAN, &state);
	if (ret) {
		/* A kernel without CONFIG_VHOST_CROSS_ENDIAN_LEGACY. */
		EXPECT_EQ(-ENOTTY, ret);
		EXPECT_EQ(-ENOTTY, vs_ioctl(self->dev->fd,
					    VHOST_GET_VRING_ENDIAN, &state));
		return;
	}
	state.num = 9;
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_GET_VRING_ENDIAN, &state));
	EXPECT_EQ(VHOST_VRING_BIG_ENDIAN, state.num);
	state.num = 2;
	EXPECT_EQ(-EINVAL, vs_ioctl(self->dev->fd, VHOST_SET_VRING_ENDIAN,
				    &state));
	state.num = VHOST_VRING_LITTLE_ENDIAN;
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_VRING_ENDIAN, &state));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-EBUSY, vs_ioctl(self->dev->fd, VHOST_SET_VRING_ENDIAN,
				   &state));
}

TEST_F(offer, busy_polling_time_is_kept_and_bounded)
{
	struct vhost_vring_state state;
	unsigned int i;

	COVERS("IOC-27");
	for (i = 0; i < self->dev->n_rings; i++) {
		state = (struct vhost_vring_state){ .index = i, .num = 50 + i };
		EXPECT_EQ(0, vs_ioctl(self->dev->fd,
				      VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
				      &state));
	}
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	for (i = 0; i < self->dev->n_rings; i++) {
		state = (struct vhost_vring_state){ .index = i };
		EXPECT_EQ(0, vs_ioctl(self->dev->fd,
				      VHOST_GET_VRING_BUSYLOOP_TIMEOUT,
				      &state));
		EXPECT_EQ(50 + i, state.num);
	}
	/* Hours: a worker that polled so long would serve nobody else. */
	state = (struct vhost_vring_state){ .index = VS_IO, .num = ~0U };
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
			      &state));
	EXPECT_EQ(0, use_every_queue(self->dev));
	state.index = 4096;
	EXPECT_EQ(-ENOBUFS, vs_ioctl(self->dev->fd,
				     VHOST_SET_VRING_BUSYLOOP_TIMEOUT, &state));
}

TEST_HARNESS_MAIN
