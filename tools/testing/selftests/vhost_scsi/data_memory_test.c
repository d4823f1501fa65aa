// SPDX-License-Identifier: GPL-2.0
/* The memory that data is in: how much at most, and pages that cannot be had. */
#include "data_fixture.h"

/* Responses that say "understood, but this host cannot do it". */
#define FAILED	((1U << VIRTIO_SCSI_S_FAILURE) |	\
		 (1U << VIRTIO_SCSI_S_TRANSPORT_FAILURE))

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

TEST_HARNESS_MAIN
