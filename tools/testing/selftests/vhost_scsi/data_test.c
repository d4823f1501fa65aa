// SPDX-License-Identifier: GPL-2.0
/* What arrives in the guest's buffers: sizes, residuals, and not a byte more. */
#include "vs_test.h"

#define TAG VS_TAG

/* More than the longest transfer. */
#define DATA_MIB 10

/* Responses that say "understood, but this host cannot do it". */
#define FAILED	((1U << VIRTIO_SCSI_S_FAILURE) |	\
		 (1U << VIRTIO_SCSI_S_TRANSPORT_FAILURE))

FIXTURE(data) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_VARIANT(data) {
	bool pin_memory;
};

FIXTURE_VARIANT_ADD(data, pinned_by_the_command) {
	.pin_memory = false,
};

FIXTURE_VARIANT_ADD(data, pinned_beforehand) {
	.pin_memory = true,
};

FIXTURE_SETUP(data)
{
	struct vs_env_opts opts = {
		.dev.ring_size = 1024,
		.dev.mem_size = 64UL << 20,
		.mib = DATA_MIB,
		.pin_memory = variant->pin_memory,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
}

ENV_TEARDOWN(data);

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

TEST_F(data, transfer_of_2048_pages_is_served)
{
	uint8_t *out, *in;
	size_t len = 2048 * VS_PAGE;

	COVERS("F-RG-19 REQ-46 FAB-03");
	out = vs_mem_page(&self->dev->mem, 2048);
	in = vs_mem_page(&self->dev->mem, 2048);
	vs_fill(out, len, 1);
	ASSERT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw16(VS_WRITE_16, 0, len / 512), out,
				  len));
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw16(VS_READ_16, 0, len / 512), in,
				 len));
	EXPECT_EQ(-1, vs_differs(in, len, 1));
}

TEST_F(data, transfer_of_2049_pages_is_answered)
{
	struct vs_result res;
	uint8_t *buf;

	COVERS("F-RG-19 REQ-46 REQ-60 F-SE-06");
	buf = vs_mem_page(&self->dev->mem, 2050);
	res = vs_scsi_read(self->dev, TAG, 0,
			   vs_cdb_rw16(VS_READ_16, 0, 2049 * 8), buf,
			   2049 * VS_PAGE);
	ASSERT_EQ(0, res.err);
	if (res.response == VIRTIO_SCSI_S_OK) {
		EXPECT_EQ(VS_RSP + 2049 * VS_PAGE, res.used_len);
	} else {
		EXPECT_ONE_OF(FAILED, res.response);
	}
	/* 2048 pages long, but over 2049 pages. */
	res = vs_scsi_read(self->dev, TAG, 0,
			   vs_cdb_rw16(VS_READ_16, 0, 2048 * 8), buf + 8,
			   2048 * VS_PAGE);
	ASSERT_EQ(0, res.err);
	if (res.response == VIRTIO_SCSI_S_OK) {
		EXPECT_EQ(VS_RSP + 2048 * VS_PAGE, res.used_len);
	} else {
		EXPECT_ONE_OF(FAILED, res.response);
	}
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(data, page_without_access_is_answered_failure)
{
	/*
	 * Access is looked at when pages are pinned: beforehand, unless the
	 * kernel moved the page since, which it may.
	 */
	const unsigned int refused = FAILED | (variant->pin_memory ?
					       1U << VIRTIO_SCSI_S_OK : 0);
	struct vs_result res;
	uint8_t *buf;

	COVERS("F-RG-11 F-RG-13 REQ-47 REQ-31 REQ-60");
	buf = vs_mem_page(&self->dev->mem, 64);
	memset(buf, 0x5a, 64 * VS_PAGE);
	ASSERT_EQ(0, mprotect(buf + 40 * VS_PAGE, VS_PAGE, PROT_NONE));
	res = vs_scsi_read(self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, 0, 512), buf,
			   64 * VS_PAGE);
	EXPECT_EQ(0, res.err);
	if (!res.err) {
		EXPECT_ONE_OF(refused, res.response);
	}
	res = vs_scsi_write(self->dev, TAG, 0,
			    vs_cdb_rw10(VS_WRITE_10, 0, 512), buf,
			    64 * VS_PAGE);
	EXPECT_EQ(0, res.err);
	if (!res.err) {
		EXPECT_ONE_OF(refused, res.response);
	}
	ASSERT_EQ(0, mprotect(buf + 40 * VS_PAGE, VS_PAGE,
			      PROT_READ | PROT_WRITE));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 512), buf,
				 64 * VS_PAGE));
}

TEST_F(data, read_only_page_is_good_for_writes_and_failure_for_reads)
{
	/*
	 * Access is looked at when pages are pinned: beforehand, unless the
	 * kernel moved the page since, which it may.
	 */
	const unsigned int refused = FAILED | (variant->pin_memory ?
					       1U << VIRTIO_SCSI_S_OK : 0);
	struct vs_result res;
	uint8_t *buf;

	COVERS("F-RG-11 REQ-47");
	buf = vs_mem_page(&self->dev->mem, 2);
	vs_fill(buf, 2 * VS_PAGE, 5);
	ASSERT_EQ(0, mprotect(buf, 2 * VS_PAGE, PROT_READ));
	EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, 8), buf,
				  VS_PAGE));
	res = vs_scsi_read(self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8),
			   buf, VS_PAGE);
	EXPECT_EQ(0, res.err);
	if (!res.err) {
		EXPECT_ONE_OF(refused, res.response);
	}
	EXPECT_EQ(-1, vs_differs(buf, 2 * VS_PAGE, 5));
	ASSERT_EQ(0, mprotect(buf, 2 * VS_PAGE, PROT_READ | PROT_WRITE));
}

TEST_F(data, unmapped_page_is_answered_failure)
{
	struct vs_result res;
	uint8_t *buf;

	COVERS("F-RG-11 REQ-47 F-RS-04");
	buf = vs_mem_page(&self->dev->mem, 4);
	ASSERT_EQ(0, munmap(buf + 2 * VS_PAGE, VS_PAGE));
	res = vs_scsi_read(self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 32),
			   buf, 4 * VS_PAGE);
	EXPECT_EQ(0, res.err);
	if (!res.err) {
		EXPECT_ONE_OF(FAILED, res.response);
	}
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(data, response_on_unwritable_page_returns_the_head)
{
	struct vs_req req;
	uint8_t *page, *buf;

	COVERS("F-RG-14 REQ-40 REQ-60 F-SE-06");
	page = vs_mem_page(&self->dev->mem, 1);
	buf = vs_mem_page(&self->dev->mem, 1);
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_out(&req, req.hdr, VS_HDR);
	vs_req_in(&req, page, VS_RSP);
	vs_req_in(&req, buf, VS_PAGE);
	ASSERT_EQ(0, mprotect(page, VS_PAGE, PROT_READ));
	EXPECT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(0, req.chain.used_len);
	EXPECT_EQ(-1, vs_not_all(page, VS_PAGE, 0));
	vs_req_put(&req);
	ASSERT_EQ(0, mprotect(page, VS_PAGE, PROT_NONE));
	vs_req_bare(&req, self->dev, 99, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	vs_req_out(&req, req.hdr, VS_HDR);
	vs_req_in(&req, page, VS_RSP);
	EXPECT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(0, req.chain.used_len);
	vs_req_put(&req);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
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

FIXTURE(cdb) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(cdb)
{
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 2);
}

ENV_TEARDOWN(cdb);

TEST_F(cdb, longer_than_the_field_is_a_check_condition)
{
	struct vs_cdb cdb = vs_cdb_op(VS_VARIABLE_LENGTH);

	COVERS("REQ-20 F-RQ-05");
	cdb.b[7] = 25;
	EXPECT_CC(5, 0x24, 0, vs_scsi_read(self->dev, TAG, 0, cdb, NULL, 0));
	cdb.b[7] = 255;
	EXPECT_CC(5, 0x24, 0, vs_scsi_read(self->dev, TAG, 0, cdb, self->buf,
					   VS_PAGE));
}

TEST_F(cdb, variable_length_that_fits_is_executed)
{
	struct vs_cdb cdb = vs_cdb_op(VS_VARIABLE_LENGTH);
	struct vs_result res;

	COVERS("REQ-20 REQ-19 F-RQ-05");
	/* READ(32) is for type 2 protection: LIO knows WRITE SAME(32) only. */
	cdb.b[7] = 24;
	cdb.b[9] = 0xff;
	res = vs_scsi_read(self->dev, TAG, 0, cdb, NULL, 0);
	EXPECT_CC(5, 0x20, 0, res);
	cdb.b[7] = 0;
	res = vs_scsi_read(self->dev, TAG, 0, cdb, NULL, 0);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, res);
	EXPECT_EQ(VS_CHECK_CONDITION, res.status);
}

TEST_F(cdb, every_opcode_gets_an_answer)
{
	unsigned int op, len;
	size_t mark = self->dev->mem.used;

	COVERS("REQ-19 F-RQ-05 F-RQ-06 REQ-32");
	for (op = 0; op < 256; op++) {
		/* 2Fh and 8Fh verify, 91h syncs, 48h sanitizes: all harmless. */
		for (len = 0; len <= 512; len += 512) {
			struct vs_result res;

			self->dev->mem.used = mark;
			res = vs_scsi_read(self->dev, TAG, 0, vs_cdb_op(op),
					   self->buf, len);
			ASSERT_EQ(0, res.err) {
				TH_LOG("opcode %02x, %u bytes", op, len);
			}
			EXPECT_LE(res.response, VIRTIO_SCSI_S_FAILURE);
			EXPECT_LE(res.resid, len);
		}
	}
	/* RELEASE and friends may have left nothing in the way. */
	vs_scsi_settle(self->dev, TAG, 0);
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 1), self->buf,
				 512));
}

TEST_F(cdb, direction_against_the_buffer_moves_nothing)
{
	struct vs_result res;

	COVERS("REQ-22 F-RQ-08 F-RQ-10");
	vs_fill(self->buf, VS_PAGE, 3);
	res = vs_scsi_write(self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8),
			    self->buf, VS_PAGE);
	EXPECT_EQ(0, res.err);
	EXPECT_FALSE(res.response == VIRTIO_SCSI_S_OK &&
		     res.status == VS_GOOD);
	res = vs_scsi_read(self->dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 0, 8),
			   self->buf, VS_PAGE);
	EXPECT_EQ(0, res.err);
	EXPECT_FALSE(res.response == VIRTIO_SCSI_S_OK &&
		     res.status == VS_GOOD);
	EXPECT_EQ(-1, vs_differs(self->buf, VS_PAGE, 3));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 8), self->buf,
				 VS_PAGE));
	EXPECT_EQ(-1, vs_not_all(self->buf, VS_PAGE, 0));
}

TEST_F(cdb, parameter_list_in_the_wrong_buffer_changes_nothing)
{
	struct vs_cdb select = vs_cdb_len6(VS_MODE_SELECT_6, 0, 24);
	struct vs_cdb keys = vs_cdb_pr(VS_PR_IN, 0, 64);
	uint8_t *b = self->buf;

	COVERS("REQ-22 F-RQ-08");
	/* REGISTER AND IGNORE EXISTING KEY: 7. A list of zeroes takes it back. */
	memset(b, 0, 24);
	b[15] = 7;
	ASSERT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_pr(VS_PR_OUT, 6, 24), b, 24));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN,
			vs_scsi_read(self->dev, TAG, 0,
				     vs_cdb_pr(VS_PR_OUT, 6, 24), b, 24));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN,
			vs_scsi_read(self->dev, TAG, 0, select, b, 24));
	/* A RAM disk unmaps nothing. */
	EXPECT_CC(5, 0x20, 0,
		  vs_scsi_read(self->dev, TAG, 0,
			       vs_cdb_pr(VS_UNMAP, 0, 24), b, 24));
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0, keys, b, 64));
	EXPECT_EQ(8, vs_get_be32(b + 4));
	EXPECT_EQ(7, b[15]);
}

TEST_F(cdb, report_luns_and_vpd_pages_come_from_the_target_core)
{
	uint8_t *b = self->buf;

	COVERS("SCSI-02 FAB-03 REQ-46");
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_report_luns(256),
				 b, 256));
	EXPECT_EQ(8, vs_get_be32(b));
	EXPECT_EQ(-1, vs_not_all(b + 8, 8, 0));
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_vpd(0x83, 255), b,
				 255));
	EXPECT_EQ(0x83, b[1]);
	/* MAXIMUM TRANSFER LENGTH: no more than can be mapped. */
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_vpd(0xb0, 64), b,
				 64));
	EXPECT_NE(0, vs_get_be32(b + 8));
	EXPECT_LE(vs_get_be32(b + 8), 2048 * 8);
}

TEST_F(cdb, unit_attention_is_reported_once)
{
	struct vs_backstore *bs = &self->env.bs[1];

	COVERS("SCSI-05");
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_ramdisk_get(bs, 1, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 3, bs));
	EXPECT_CC(6, 0x3f, 0x0e,
		  vs_scsi_read(self->dev, TAG, 0,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
}

TEST_HARNESS_MAIN
