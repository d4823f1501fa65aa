// SPDX-License-Identifier: GPL-2.0
/* What arrives in the guest's buffers: sizes, residuals, and not a byte more. */
#include "data_fixture.h"

TEST_F(data, every_size_and_alignment_reads_what_was_written)
{
	static const unsigned int blocks[] = { 1, 2, 7, 8, 9, 64, 255, 256 };
	static const unsigned int shift[] = { 0, 1, 4, 511, 512, 2049, 4095 };
	uint8_t *out, *in;
	size_t i, j;

	COVERS("REQ-45 F-RQ-13");
	out = vs_mem_page(&self->dev->mem, 34);
	in = vs_mem_page(&self->dev->mem, 34);
	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		for (j = 0; j < ARRAY_SIZE(shift); j++) {
			size_t len = blocks[i] * 512;
			uint8_t *o = out + shift[j];
			uint8_t *n = in + shift[ARRAY_SIZE(shift) - 1 - j];

			vs_fill(o, len, i + j);
			memset(n, 0x5a, len + 1);
			ASSERT_GOOD(vs_scsi_write(self->dev, TAG, 0,
						  vs_cdb_rw10(VS_WRITE_10, 3,
							      blocks[i]),
						  o, len));
			ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
						 vs_cdb_rw10(VS_READ_10, 3,
							     blocks[i]),
						 n, len));
			ASSERT_EQ(-1, vs_differs(n, len, i + j));
			ASSERT_EQ(0x5a, n[len]);
		}
	}
}

TEST_F(data, read_longer_than_the_command_reports_the_rest)
{
	struct vs_result res;
	uint8_t *buf;

	COVERS("REQ-33 REQ-39 F-RQ-11");
	buf = vs_mem_page(&self->dev->mem, 1);
	memset(buf, 0x5a, VS_PAGE);
	res = vs_scsi_read(self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 1),
			   buf, VS_PAGE);
	EXPECT_GOOD(res);
	EXPECT_EQ(VS_PAGE - 512, res.resid);
	EXPECT_EQ(VS_RSP + 512, res.used_len);
	EXPECT_EQ(-1, vs_not_all(buf + 512, VS_PAGE - 512, 0x5a));
}

TEST_F(data, inquiry_into_a_large_buffer_reports_the_rest)
{
	struct vs_result res;
	uint8_t *buf;

	COVERS("REQ-33 REQ-39 F-RQ-11");
	buf = vs_mem_page(&self->dev->mem, 1);
	memset(buf, 0x5a, VS_PAGE);
	res = vs_scsi_read(self->dev, TAG, 0, vs_cdb_inquiry(36), buf,
			   VS_PAGE);
	EXPECT_GOOD(res);
	EXPECT_EQ(VS_PAGE - 36, res.resid);
	EXPECT_EQ(VS_RSP + 36, res.used_len);
	EXPECT_EQ(-1, vs_not_all(buf + 36, VS_PAGE - 36, 0x5a));
}

TEST_F(data, read_that_asks_more_than_the_buffer_is_never_good)
{
	struct vs_result res;
	uint8_t *buf;

	COVERS("REQ-27 REQ-35 F-RQ-10");
	buf = vs_mem_page(&self->dev->mem, 2);
	memset(buf, 0x5a, 2 * VS_PAGE);
	res = vs_scsi_read(self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8),
			   buf, 512);
	EXPECT_EQ(0, res.err);
	EXPECT_TRUE(res.response == VIRTIO_SCSI_S_OVERRUN ||
		    (res.response == VIRTIO_SCSI_S_OK &&
		     res.status == VS_CHECK_CONDITION));
	EXPECT_LE(res.resid, 512);
	EXPECT_EQ(-1, vs_not_all(buf + 512, VS_PAGE, 0x5a));
}

TEST_F(data, write_with_another_length_leaves_the_medium_alone)
{
	struct vs_result res;
	uint8_t *out, *in;

	COVERS("REQ-34 F-RQ-10 F-RQ-11");
	out = vs_mem_page(&self->dev->mem, 1);
	in = vs_mem_page(&self->dev->mem, 1);
	vs_fill(out, VS_PAGE, 1);
	res = vs_scsi_write(self->dev, TAG, 0,
			    vs_cdb_rw10(VS_WRITE_10, 0, 1), out, VS_PAGE);
	EXPECT_CC(5, 0x0e, 3, res);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN,
			vs_scsi_write(self->dev, TAG, 0,
				      vs_cdb_rw10(VS_WRITE_10, 0, 8), out,
				      512));
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 8), in, VS_PAGE));
	EXPECT_EQ(-1, vs_not_all(in, VS_PAGE, 0));
}

TEST_F(data, both_directions_are_refused)
{
	struct vs_req req;
	uint8_t *out, *in;

	COVERS("REQ-23 FEA-17 F-RQ-09");
	out = vs_mem_page(&self->dev->mem, 1);
	in = vs_mem_page(&self->dev->mem, 1);
	vs_fill(out, 512, 1);
	vs_fill(in, 512, 2);
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 0, 1));
	vs_req_out(&req, out, 512);
	vs_req_in(&req, in, 512);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, req.rsp->response);
	EXPECT_EQ(0, req.rsp->status);
	EXPECT_EQ(-1, vs_differs(in, 512, 2));
	vs_req_put(&req);
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 1), in, 512));
	EXPECT_EQ(-1, vs_not_all(in, 512, 0));
}

TEST_F(data, emulated_command_into_small_pieces_on_many_pages)
{
	uint8_t *pages, *whole, got[96];
	struct vs_req req;
	unsigned int i;

	COVERS("SCSI-15 REQ-45");
	whole = vs_mem_page(&self->dev->mem, 1);
	pages = vs_mem_page(&self->dev->mem, 8);
	memset(pages, 0x5a, 8 * VS_PAGE);
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_inquiry(96), whole,
				 96));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_inquiry(96));
	for (i = 0; i < 8; i++)
		vs_req_in(&req, pages + i * VS_PAGE + 1000 + i, 12);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	for (i = 0; i < 8; i++)
		memcpy(got + i * 12, pages + i * VS_PAGE + 1000 + i, 12);
	EXPECT_EQ(0, memcmp(got, whole, 36));
	for (i = 0; i < 8; i++) {
		uint8_t *page = pages + i * VS_PAGE;

		EXPECT_EQ(-1, vs_not_all(page, 1000 + i, 0x5a));
		EXPECT_EQ(-1, vs_not_all(page + 1012 + i, VS_PAGE - 1012 - i,
					 0x5a));
	}
	vs_req_put(&req);
}

TEST_F(data, emulated_command_from_small_pieces_on_many_pages)
{
	uint8_t *pages, param[24] = {};
	struct vs_req req;
	unsigned int i;

	COVERS("SCSI-15 REQ-45 REQ-34");
	/* PR OUT REGISTER: the new key must arrive, or READ KEYS shows it. */
	pages = vs_mem_page(&self->dev->mem, 24);
	memset(pages, 0xff, 24 * VS_PAGE);
	vs_fill(param + 8, 8, 7);
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_pr(VS_PR_OUT, 0, 24));
	for (i = 0; i < 24; i++) {
		pages[i * VS_PAGE + 5 * i] = param[i];
		vs_req_out(&req, pages + i * VS_PAGE + 5 * i, 1);
	}
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	vs_req_put(&req);
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_pr(VS_PR_IN, 0, 64), pages, 64));
	EXPECT_EQ(8, vs_get_be32(pages + 4));
	EXPECT_EQ(0, memcmp(pages + 8, param + 8, 8));
}

TEST_F(data, inquiry_into_400_odd_pieces_leaves_the_bytes_behind_it)
{
	struct vs_req req;
	uint8_t *buf;
	unsigned int i;

	COVERS("F-SE-02 SCSI-15 REQ-33");
	buf = vs_mem_page(&self->dev->mem, 400);
	memset(buf, 0x5a, 400 * VS_PAGE);
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_inquiry(36));
	for (i = 0; i < 400; i++)
		vs_req_in(&req, buf + i * VS_PAGE + 3, 100);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	EXPECT_EQ(400 * 100 - 36, req.rsp->resid);
	EXPECT_EQ(VS_RSP + 36, req.chain.used_len);
	EXPECT_EQ(0, memcmp(buf + 3 + 8, "LIO-ORG ", 8));
	EXPECT_EQ(-1, vs_not_all(buf + 39, 400 * VS_PAGE - 39, 0x5a));
	vs_req_put(&req);
}

TEST_F(data, failed_misaligned_read_leaves_the_buffer)
{
	struct vs_req req;
	uint8_t *buf;
	unsigned int i;

	COVERS("F-SE-02 F-RQ-14");
	buf = vs_mem_page(&self->dev->mem, 512);
	memset(buf, 0x5a, 512 * VS_PAGE);
	vs_req_get(&req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, DATA_MIB * 2048, 512));
	for (i = 0; i < 512; i++)
		vs_req_in(&req, buf + i * VS_PAGE + 1, 512);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VS_CHECK_CONDITION, req.rsp->status);
	EXPECT_EQ(-1, vs_not_all(buf, 512 * VS_PAGE, 0x5a));
	vs_req_put(&req);
}

TEST_F(data, read_and_write_of_512_odd_pieces_is_served)
{
	struct vs_req w, r;
	uint8_t *out, *in;
	unsigned int i;

	COVERS("F-RQ-13 REQ-45 F-SE-07");
	/* 512 pieces of 513 and 511 bytes in turn, each on its own page. */
	out = vs_mem_page(&self->dev->mem, 512);
	in = vs_mem_page(&self->dev->mem, 512);
	memset(in, 0x5a, 512 * VS_PAGE);
	vs_req_get(&w, self->dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 0, 512));
	vs_req_get(&r, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 512));
	for (i = 0; i < 512; i++) {
		size_t len = i % 2 ? 511 : 513;

		vs_fill(out + i * VS_PAGE + 7, len, i);
		vs_req_out(&w, out + i * VS_PAGE + 7, len);
		vs_req_in(&r, in + i * VS_PAGE + 9, len);
	}
	ASSERT_EQ(0, vs_req_run(&w));
	EXPECT_EQ(VS_GOOD, w.rsp->status);
	ASSERT_EQ(0, vs_req_run(&r));
	EXPECT_EQ(VS_GOOD, r.rsp->status);
	EXPECT_EQ(VS_RSP + 512 * 512, r.chain.used_len);
	for (i = 0; i < 512; i++) {
		size_t len = i % 2 ? 511 : 513;

		ASSERT_EQ(-1, vs_differs(in + i * VS_PAGE + 9, len, i));
		ASSERT_EQ(0x5a, in[i * VS_PAGE + 8]);
		ASSERT_EQ(0x5a, in[i * VS_PAGE + 9 + len]);
	}
	vs_req_put(&w);
	vs_req_put(&r);
}

TEST_F(data, slot_shows_nothing_of_the_command_before)
{
	struct vs_req req;
	unsigned int i;

	COVERS("F-SE-03 REQ-37");
	/* Leave sense in every slot, then look at responses without sense. */
	for (i = 0; i < 8; i++)
		EXPECT_CC(5, 0x21, 0,
			  vs_scsi_read(self->dev, TAG, 0,
				       vs_cdb_rw10(VS_READ_10, 0x7fffffff, 0),
				       NULL, 0));
	for (i = 0; i < 8; i++) {
		vs_req_get(&req, self->dev, TAG, 0,
			   vs_cdb_op(VS_TEST_UNIT_READY));
		ASSERT_EQ(0, vs_req_run(&req));
		EXPECT_EQ(-1, vs_not_all(req.rsp, VS_RSP, 0));
		vs_req_put(&req);
	}
}

TEST_F(data, tag_is_opaque)
{
	static const uint64_t tag[] = { 0, 1, ~0ULL, 0x8000000000000000, 0 };
	struct vs_req req[ARRAY_SIZE(tag)];
	size_t i;

	COVERS("REQ-15 F-TM-05");
	for (i = 0; i < ARRAY_SIZE(tag); i++) {
		vs_req_get(&req[i], self->dev, TAG, 0,
			   vs_cdb_op(VS_TEST_UNIT_READY));
		req[i].hdr->tag = tag[i];
		ASSERT_EQ(0, vs_ring_add(req[i].ring, &req[i].chain));
	}
	vs_ring_kick(req[0].ring);
	for (i = 0; i < ARRAY_SIZE(tag); i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(VS_GOOD, req[i].rsp->status);
		vs_req_put(&req[i]);
	}
}

TEST_HARNESS_MAIN
