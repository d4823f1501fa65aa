// SPDX-License-Identifier: GPL-2.0
/* Reads and writes, over every way a guest may have negotiated its rings. */
#include "vs_test.h"

#define TAG VS_TAG

FIXTURE(io) {
	struct vs_env env;
	struct vs_dev *dev;
	unsigned int chain_flags;
};

FIXTURE_VARIANT(io) {
	bool legacy;
	uint64_t features;
	unsigned int chain_flags;
};

FIXTURE_VARIANT_ADD(io, legacy) {
	.legacy = true,
};

FIXTURE_VARIANT_ADD(io, modern) {
	.features = VS_F_MODERN,
};

FIXTURE_VARIANT_ADD(io, event_idx) {
	.features = VS_F_MODERN | VS_F_EVENT_IDX,
};

FIXTURE_VARIANT_ADD(io, indirect) {
	.features = VS_F_MODERN | VS_F_EVENT_IDX,
	.chain_flags = VS_INDIRECT,
};

FIXTURE_SETUP(io)
{
	struct vs_env_opts opts = {
		.dev.legacy = variant->legacy,
		.dev.features = variant->features,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->chain_flags = variant->chain_flags;
}

ENV_TEARDOWN(io);

TEST_F(io, inquiry_answers_with_true_used_length)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-01 REQ-03 REQ-26 REQ-39 FEA-05");
	buf = vs_mem_page(&self->dev->mem, 1);
	memset(buf, 0x5a, VS_PAGE);
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_inquiry(36));
	req.chain.flags = self->chain_flags;
	vs_req_in(&req, buf, 36);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	EXPECT_EQ(0, req.rsp->resid);
	EXPECT_EQ(0, memcmp(buf + 8, "LIO-ORG ", 8));
	EXPECT_EQ(-1, vs_not_all(buf + 36, VS_PAGE - 36, 0x5a));
	EXPECT_EQ(VS_RSP + 36, req.chain.used_len);
	vs_req_put(&req);
}

TEST_F(io, response_is_written_whole_with_zeroes)
{
	struct vs_req req;

	COVERS("REQ-37 REQ-38 F-SE-03");
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	req.chain.flags = self->chain_flags;
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(0, req.rsp->status_qualifier);
	EXPECT_EQ(0, req.rsp->sense_len);
	EXPECT_EQ(-1, vs_not_all(req.rsp->sense, sizeof(req.rsp->sense), 0));
	EXPECT_EQ(VS_RSP, req.chain.used_len);
	vs_req_put(&req);
}

TEST_F(io, what_was_written_reads_back)
{
	uint8_t *out, *in;
	unsigned int i;

	COVERS("REQ-21 REQ-40 FAB-14 FAB-17");
	out = vs_mem_page(&self->dev->mem, 16);
	in = vs_mem_page(&self->dev->mem, 16);
	for (i = 0; i < 8; i++) {
		unsigned int blocks = 1 + i * 17;
		struct vs_req w, r;

		vs_fill(out, blocks * 512, i);
		memset(in, 0, blocks * 512);
		vs_req_get(&w, self->dev, TAG, 0,
			   vs_cdb_rw10(VS_WRITE_10, i * 200, blocks));
		w.chain.flags = self->chain_flags;
		vs_req_out(&w, out, blocks * 512);
		ASSERT_EQ(0, vs_req_run(&w));
		EXPECT_EQ(VIRTIO_SCSI_S_OK, w.rsp->response);
		EXPECT_EQ(VS_GOOD, w.rsp->status);
		EXPECT_EQ(VS_RSP, w.chain.used_len);
		vs_req_get(&r, self->dev, TAG, 0,
			   vs_cdb_rw16(VS_READ_16, i * 200, blocks));
		r.chain.flags = self->chain_flags;
		vs_req_in(&r, in, blocks * 512);
		ASSERT_EQ(0, vs_req_run(&r));
		EXPECT_EQ(VS_GOOD, r.rsp->status);
		EXPECT_EQ(VS_RSP + blocks * 512, r.chain.used_len);
		EXPECT_EQ(-1, vs_differs(in, blocks * 512, i));
		vs_req_put(&w);
		vs_req_put(&r);
	}
}

TEST_F(io, many_in_flight_all_come_back_once)
{
	struct vs_req req[32];
	uint8_t *buf;
	unsigned int i;

	COVERS("REQ-40 REQ-41 REQ-43 FEA-10 FAB-22");
	buf = vs_mem_page(&self->dev->mem, 32);
	for (i = 0; i < 32; i++) {
		vs_req_get(&req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		req[i].chain.flags = self->chain_flags;
		vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
		ASSERT_EQ(0, vs_ring_add(req[i].ring, &req[i].chain));
	}
	vs_ring_kick(req[0].ring);
	for (i = 0; i < 32; i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(VS_GOOD, req[i].rsp->status);
		EXPECT_EQ(1, req[i].chain.times);
	}
	EXPECT_EQ(0, vs_ring_pending(req[0].ring));
	for (i = 0; i < 32; i++)
		vs_req_put(&req[i]);
}

TEST_F(io, ring_wraps_many_times)
{
	unsigned int i;
	size_t mark;

	COVERS("REQ-40 REQ-42");
	mark = self->dev->mem.used;
	for (i = 0; i < 600; i++) {
		struct vs_req req;

		self->dev->mem.used = mark;
		vs_req_get(&req, self->dev, TAG, 0,
			   vs_cdb_op(VS_TEST_UNIT_READY));
		req.chain.flags = self->chain_flags;
		ASSERT_EQ(0, vs_req_run(&req));
		ASSERT_EQ(VS_GOOD, req.rsp->status);
		vs_req_put(&req);
	}
}

TEST_F(io, sense_comes_with_the_response)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-36 REQ-37 SCSI-04 F-RQ-14");
	buf = vs_mem_page(&self->dev->mem, 1);
	vs_fill(buf, VS_PAGE, 3);
	vs_req_get(&req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, VS_DISK_MIB * 2048, 8));
	req.chain.flags = self->chain_flags;
	vs_req_in(&req, buf, VS_PAGE);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(VS_CHECK_CONDITION, req.rsp->status);
	EXPECT_EQ(sense(5, 0x21, 0), vs_req_sense(&req));
	EXPECT_LE(req.rsp->sense_len, 96);
	EXPECT_LE(req.rsp->resid, VS_PAGE);
	EXPECT_EQ(-1, vs_differs(buf, VS_PAGE, 3));
	vs_req_put(&req);
}

FIXTURE(queues) {
	struct vs_env env;
};

FIXTURE_SETUP(queues)
{
	struct vs_env_opts opts = {
		.dev.n_io = 4,
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
	};

	ENV_GET(&self->env, &opts);
}

ENV_TEARDOWN(queues);

TEST_F(queues, each_request_queue_answers_on_itself)
{
	struct vs_dev *dev = &self->env.dev;
	struct vs_req req[4];
	unsigned int i;
	uint8_t *buf;

	COVERS("REQ-40 REQ-41 IOC-30");
	buf = vs_mem_page(&dev->mem, 4);
	for (i = 0; i < 4; i++) {
		vs_req_get(&req[i], dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i, 8));
		vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
		req[i].ring = &dev->ring[VS_IO + i];
		ASSERT_EQ(0, vs_req_submit(&req[i]));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(VS_GOOD, req[i].rsp->status);
		EXPECT_EQ(1, req[i].ring->last_used);
		vs_req_put(&req[i]);
	}
}

TEST_F(queues, task_attributes_and_odd_header_bytes_are_accepted)
{
	struct vs_dev *dev = &self->env.dev;
	static const uint8_t attr[] = { 0, 1, 2, 4, 7, 255 };
	size_t i;

	COVERS("REQ-16 REQ-18 SCSI-12 F-RQ-07");
	for (i = 0; i < sizeof(attr); i++) {
		struct vs_req req;

		vs_req_get(&req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
		req.hdr->task_attr = attr[i];
		req.hdr->prio = 0xff;
		req.hdr->crn = 0xff;
		ASSERT_EQ(0, vs_req_run(&req));
		if (attr[i] <= 2 || req.rsp->response == VIRTIO_SCSI_S_OK) {
			EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
			EXPECT_EQ(VS_GOOD, req.rsp->status);
		} else {
			EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, req.rsp->response);
		}
		vs_req_put(&req);
	}
}

TEST_F(queues, aca_is_refused_by_an_emulated_disk)
{
	struct vs_req req;

	COVERS("REQ-17 F-RQ-07");
	vs_req_get(&req, &self->env.dev, TAG, 0,
		   vs_cdb_op(VS_TEST_UNIT_READY));
	req.hdr->task_attr = VIRTIO_SCSI_S_ACA;
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VS_CHECK_CONDITION, req.rsp->status);
	EXPECT_EQ(sense(5, 0x24, 0), vs_req_sense(&req));
	vs_req_put(&req);
}

TEST_HARNESS_MAIN
