// SPDX-License-Identifier: GPL-2.0
/* Header, data and response cut at any byte, and the ends of what is legal. */
#include "vs_test.h"

#define TAG VS_TAG

FIXTURE(layout) {
	struct vs_env env;
	struct vs_dev *dev;
	unsigned int chain_flags;
};

FIXTURE_VARIANT(layout) {
	unsigned int chain_flags;
};

FIXTURE_VARIANT_ADD(layout, direct) {
};

FIXTURE_VARIANT_ADD(layout, indirect) {
	.chain_flags = VS_INDIRECT,
};

FIXTURE_SETUP(layout)
{
	struct vs_env_opts opts = { .dev.ring_size = 1024 };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->chain_flags = variant->chain_flags;
}

ENV_TEARDOWN(layout);

/* Runs a request whose segments are complete, and expects it to be GOOD. */
#define EXPECT_RUN_GOOD(req, stored) do {				\
	(req)->chain.flags = self->chain_flags;				\
	ASSERT_EQ(0, vs_req_run(req));					\
	EXPECT_EQ(VIRTIO_SCSI_S_OK, (req)->rsp->response);		\
	EXPECT_EQ(VS_GOOD, (req)->rsp->status);				\
	EXPECT_EQ(VS_RSP + (stored), (req)->chain.used_len);		\
} while (0)

TEST_F(layout, read_with_header_split_in_bytes)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-04 FEA-07 F-RG-18");
	buf = vs_mem_page(&self->dev->mem, 1);
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_out_cut(&req, req.hdr, VS_HDR, 1);
	vs_req_in(&req, req.rsp, VS_RSP);
	vs_req_in(&req, buf, VS_PAGE);
	EXPECT_RUN_GOOD(&req, VS_PAGE);
	vs_req_put(&req);
}

TEST_F(layout, read_with_response_split_in_bytes)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-05 FEA-07 F-RG-18");
	buf = vs_mem_page(&self->dev->mem, 1);
	memset(buf, 0x5a, VS_PAGE);
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_inquiry(36));
	vs_req_out(&req, req.hdr, VS_HDR);
	vs_req_in_cut(&req, req.rsp, VS_RSP, 1);
	vs_req_in(&req, buf, 36);
	EXPECT_RUN_GOOD(&req, 36);
	EXPECT_EQ(0, memcmp(buf + 8, "LIO-ORG ", 8));
	EXPECT_EQ(-1, vs_not_all(buf + 36, VS_PAGE - 36, 0x5a));
	vs_req_put(&req);
}

TEST_F(layout, failing_read_with_response_split_in_bytes)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-05 REQ-37 F-RG-18");
	buf = vs_mem_page(&self->dev->mem, 1);
	vs_req_bare(&req, self->dev, TAG, 0,
		    vs_cdb_rw10(VS_READ_10, VS_DISK_MIB * 2048, 8));
	vs_req_out_cut(&req, req.hdr, VS_HDR, 7);
	vs_req_in_cut(&req, req.rsp, VS_RSP, 1);
	vs_req_in(&req, buf, VS_PAGE);
	req.chain.flags = self->chain_flags;
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VS_CHECK_CONDITION, req.rsp->status);
	EXPECT_EQ(sense(5, 0x21, 0), vs_req_sense(&req));
	vs_req_put(&req);
}

TEST_F(layout, bad_target_with_response_split_in_bytes)
{
	struct vs_req req;

	COVERS("REQ-05 REQ-13 F-RG-18");
	vs_req_bare(&req, self->dev, 77, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	vs_req_out(&req, req.hdr, VS_HDR);
	vs_req_in_cut(&req, req.rsp, VS_RSP, 1);
	req.chain.flags = self->chain_flags;
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, req.rsp->response);
	EXPECT_EQ(-1, vs_not_all(req.rsp, 11, 0));
	EXPECT_EQ(-1, vs_not_all(req.rsp->sense, sizeof(req.rsp->sense), 0));
	EXPECT_EQ(VS_RSP, req.chain.used_len);
	vs_req_put(&req);
}

TEST_F(layout, header_and_data_share_one_segment)
{
	struct vs_req w, r;
	uint8_t *out, *in;

	COVERS("FEA-07 REQ-04 REQ-45");
	out = vs_mem_page(&self->dev->mem, 2);
	in = vs_mem_page(&self->dev->mem, 2);
	vs_req_bare(&w, self->dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 5, 8));
	memcpy(out, w.hdr, VS_HDR);
	vs_fill(out + VS_HDR, VS_PAGE, 1);
	vs_req_out(&w, out, VS_HDR + VS_PAGE);
	vs_req_in(&w, w.rsp, VS_RSP);
	EXPECT_RUN_GOOD(&w, 0);
	vs_req_get(&r, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 5, 8));
	vs_req_in(&r, in, VS_PAGE);
	EXPECT_RUN_GOOD(&r, VS_PAGE);
	EXPECT_EQ(-1, vs_differs(in, VS_PAGE, 1));
	vs_req_put(&w);
	vs_req_put(&r);
}

TEST_F(layout, response_and_data_share_one_segment)
{
	struct vs_req w, r;
	uint8_t *buf;

	COVERS("FEA-07 REQ-05 REQ-45 F-RG-18");
	buf = vs_mem_page(&self->dev->mem, 2);
	vs_fill(buf, VS_PAGE, 9);
	vs_req_get(&w, self->dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 5, 8));
	vs_req_out(&w, buf, VS_PAGE);
	EXPECT_RUN_GOOD(&w, 0);
	memset(buf, VS_POISON, 2 * VS_PAGE);
	vs_req_bare(&r, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 5, 8));
	vs_req_out(&r, r.hdr, VS_HDR);
	r.rsp = (struct virtio_scsi_cmd_resp *)buf;
	vs_req_in(&r, buf, VS_RSP + VS_PAGE);
	EXPECT_RUN_GOOD(&r, VS_PAGE);
	EXPECT_EQ(-1, vs_differs(buf + VS_RSP, VS_PAGE, 9));
	EXPECT_EQ(-1, vs_not_all(buf + VS_RSP + VS_PAGE, VS_PAGE - VS_RSP,
				 VS_POISON));
	vs_req_put(&w);
	vs_req_put(&r);
}

TEST_F(layout, data_cut_in_odd_pieces)
{
	static const size_t cut[] = { 1, 3, 511, 513, 1000, 4095 };
	uint8_t *out, *in;
	size_t i;

	COVERS("REQ-45 REQ-07 F-RQ-13");
	out = vs_mem_page(&self->dev->mem, 3);
	in = vs_mem_page(&self->dev->mem, 3);
	for (i = 0; i < ARRAY_SIZE(cut); i++) {
		size_t len = cut[i] == 1 ? 512 : cut[i] == 3 ? 1024 : 8192;
		struct vs_req w, r;

		vs_fill(out + 1, len, i);
		memset(in, 0x5a, 3 * VS_PAGE);
		vs_req_get(&w, self->dev, TAG, 0,
			   vs_cdb_rw10(VS_WRITE_10, 64, len / 512));
		vs_req_out_cut(&w, out + 1, len, cut[i]);
		EXPECT_RUN_GOOD(&w, 0);
		vs_req_get(&r, self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, 64, len / 512));
		vs_req_in_cut(&r, in + 3, len, cut[i]);
		EXPECT_RUN_GOOD(&r, len);
		EXPECT_EQ(-1, vs_differs(in + 3, len, i));
		EXPECT_EQ(-1, vs_not_all(in, 3, 0x5a));
		EXPECT_EQ(-1, vs_not_all(in + 3 + len, 64, 0x5a));
		vs_req_put(&w);
		vs_req_put(&r);
	}
}

TEST_F(layout, pieces_land_where_they_belong)
{
	struct vs_req w, r;
	uint8_t *out, *in;
	unsigned int i;

	COVERS("REQ-45 FEA-07");
	/* 16 pieces of 256 bytes, every one on a page of its own, backwards. */
	out = vs_mem_page(&self->dev->mem, 1);
	in = vs_mem_page(&self->dev->mem, 16);
	vs_fill(out, VS_PAGE, 4);
	memset(in, 0x5a, 16 * VS_PAGE);
	vs_req_get(&w, self->dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 0, 8));
	vs_req_out(&w, out, VS_PAGE);
	EXPECT_RUN_GOOD(&w, 0);
	vs_req_get(&r, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	for (i = 0; i < 16; i++)
		vs_req_in(&r, in + (15 - i) * VS_PAGE + 100, 256);
	EXPECT_RUN_GOOD(&r, VS_PAGE);
	for (i = 0; i < 16; i++) {
		uint8_t *at = in + (15 - i) * VS_PAGE;

		EXPECT_EQ(0, memcmp(at + 100, out + i * 256, 256));
		EXPECT_EQ(-1, vs_not_all(at, 100, 0x5a));
		EXPECT_EQ(-1, vs_not_all(at + 356, VS_PAGE - 356, 0x5a));
	}
	vs_req_put(&w);
	vs_req_put(&r);
}

TEST_F(layout, zero_length_segments_count_as_nothing)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-06 F-RG-16");
	buf = vs_mem_page(&self->dev->mem, 1);
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_inquiry(36));
	vs_req_out(&req, buf, 0);
	vs_req_out(&req, req.hdr, VS_HDR);
	vs_req_out(&req, buf, 0);
	vs_req_in(&req, buf, 0);
	vs_req_in(&req, req.rsp, 50);
	vs_req_in(&req, buf, 0);
	vs_req_in(&req, (uint8_t *)req.rsp + 50, VS_RSP - 50);
	vs_req_in(&req, buf, 0);
	vs_req_in(&req, buf, 36);
	vs_req_in(&req, buf, 0);
	EXPECT_RUN_GOOD(&req, 36);
	EXPECT_EQ(0, memcmp(buf + 8, "LIO-ORG ", 8));
	vs_req_put(&req);
}

TEST_F(layout, chain_of_1024_segments_is_served)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-07 FEA-09 F-RG-19");
	/* Header, response, and 1022 pieces of 512 bytes. */
	buf = vs_mem_page(&self->dev->mem, 128);
	vs_req_get(&req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, 1022));
	vs_req_in_cut(&req, buf, 1022 * 512, 512);
	EXPECT_RUN_GOOD(&req, 1022 * 512);
	vs_req_put(&req);
}

/* As the core does it, and for every way that this device has to a table. */
TEST_F(layout, table_is_read_from_first_to_last_whatever_next_says)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];
	struct vring_desc *t;
	struct vs_req req;
	unsigned int round;
	uint8_t *buf;

	COVERS("REQ-07 FEA-09");
	buf = vs_mem_page(&self->dev->mem, 1);
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_inquiry(36));
	vs_req_in(&req, buf, 36);
	req.chain.flags |= VS_INDIRECT;
	for (round = 0; round < 2; round++) {
		memset(buf, 0, 36);
		ASSERT_EQ(0, vs_ring_add(ring, &req.chain));
		t = (void *)(self->dev->mem.base +
			     (ring->desc[req.chain.head].addr - VS_GPA));
		if (round)
			t[0].next = 77;
		vs_ring_kick(ring);
		ASSERT_EQ(0, vs_chain_wait(ring, &req.chain, vs_patience()));
		EXPECT_EQ(VS_RSP + 36, req.chain.used_len);
		EXPECT_EQ(0, memcmp(buf + 8, "LIO-ORG ", 8));
	}
	vs_req_put(&req);
}

TEST_F(layout, buffer_over_two_adjoining_regions_is_served)
{
	struct vs_dev *dev = self->dev;
	struct vhost_memory_region region[2];
	uint64_t half = dev->mem.size / 2;
	struct vs_req w, r;
	uint8_t *buf;

	COVERS("REQ-07 F-RG-09 IOC-12 F-LC-16");
	region[0] = (struct vhost_memory_region){
		.guest_phys_addr = VS_GPA,
		.memory_size = half,
		.userspace_addr = (uintptr_t)dev->mem.base,
	};
	region[1] = (struct vhost_memory_region){
		.guest_phys_addr = VS_GPA + half,
		.memory_size = half,
		.userspace_addr = (uintptr_t)dev->mem.base + half,
	};
	ASSERT_EQ(0, vs_dev_set_regions(dev, region, 2));
	buf = dev->mem.base + half - 2048;
	vs_fill(buf, VS_PAGE, 2);
	vs_req_get(&w, dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 0, 8));
	vs_req_out(&w, buf, VS_PAGE);
	EXPECT_RUN_GOOD(&w, 0);
	memset(buf, 0, VS_PAGE);
	vs_req_get(&r, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&r, buf, VS_PAGE);
	EXPECT_RUN_GOOD(&r, VS_PAGE);
	EXPECT_EQ(-1, vs_differs(buf, VS_PAGE, 2));
	vs_req_put(&w);
	vs_req_put(&r);
}

TEST_F(layout, any_layout_is_accepted_without_the_feature)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("FEA-07");
	buf = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_features(self->dev, 0));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_inquiry(36));
	vs_req_out_cut(&req, req.hdr, VS_HDR, 20);
	vs_req_in_cut(&req, req.rsp, VS_RSP, 10);
	vs_req_in_cut(&req, buf, 36, 12);
	req.chain.flags = 0;
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	EXPECT_EQ(0, memcmp(buf + 8, "LIO-ORG ", 8));
	vs_req_put(&req);
}

TEST_HARNESS_MAIN
