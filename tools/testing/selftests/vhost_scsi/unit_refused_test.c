// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and writing units of every kind with another length or in another direction than the
 * command has, and what LIO would do wrong: the medium is left alone.
 */
#include "unit_fixture.h"

TEST_F(unit, read_of_more_than_the_buffer_is_overrun)
{
	uint8_t *buf = vs_mem_page(&self->dev->mem, 16);
	size_t len = self->block;
	struct vs_result res;

	COVERS("REQ-27 F-RQ-10");
	if (!self->block)
		SKIP(return, NO_BLOCKS);
	memset(buf, GUARD, 16 * VS_PAGE);
	res = in(self, rw_cdb(VS_READ_10, LBA, 8), buf, len);
	EXPECT_EQ(0, res.err);
	if (self->unit.type->emulated)
		EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, res);
	EXPECT_EQ(-1, vs_not_all(buf + len, 16 * VS_PAGE - len, GUARD));
}

TEST_F(unit, write_of_another_length_leaves_the_medium_alone)
{
	const struct { unsigned int blocks; unsigned int per_cent; } t[] = {
		{ 1, 800 }, { 8, 100 }, { 1, 50 }, { 8, 801 }, { 8, 799 },
	};
	uint8_t *old = vs_mem_page(&self->dev->mem, 16);
	uint8_t *buf = vs_mem_page(&self->dev->mem, 16);
	struct vs_result res;
	size_t i;

	COVERS("REQ-34 F-RQ-10 F-RQ-11");
	if (!self->unit.type->emulated)
		SKIP(return, NOT_EMULATED);
	ASSERT_GOOD(prepare(self, LBA, 9, old, 1));
	vs_fill(buf, 16 * VS_PAGE, 2);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		res = out(self, rw_cdb(VS_WRITE_10, LBA, t[i].blocks), buf,
			  self->block * t[i].per_cent / 100);
		EXPECT_EQ(0, res.err);
		EXPECT_TRUE(res.response || res.status);
		EXPECT_TRUE(unchanged(self, LBA, 9, old)) {
			TH_LOG("case %zu", i);
		}
	}
}

TEST_F(unit, read_with_data_out_is_refused)
{
	static const uint8_t op[] = { VS_READ_10, VS_READ_16 };
	uint8_t *old = vs_mem_page(&self->dev->mem, 8);
	uint8_t *buf = vs_mem_page(&self->dev->mem, 8);
	struct vs_result res;
	size_t i;

	COVERS("REQ-22 REQ-63 F-RQ-08");
	if (!self->block)
		SKIP(return, NO_BLOCKS);
	ASSERT_GOOD(prepare(self, LBA, 8, old, 1));
	vs_fill(buf, 8 * VS_PAGE, 2);
	for (i = 0; i < ARRAY_SIZE(op); i++) {
		res = out(self, rw_cdb(op[i], LBA, 8), buf, 8 * self->block);
		EXPECT_EQ(0, res.err);
		if (self->unit.type->emulated)
			EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, res);
		EXPECT_TRUE(unchanged(self, LBA, 8, old));
	}
}

TEST_F(unit, write_without_data_out_is_refused)
{
	static const uint8_t op[] = { VS_WRITE_10, VS_WRITE_16 };
	uint8_t *old = vs_mem_page(&self->dev->mem, 8);
	uint8_t *buf = vs_mem_page(&self->dev->mem, 8);
	struct vs_result res;
	size_t i, len;

	COVERS("REQ-22 REQ-63 F-RQ-08");
	if (!self->unit.type->writable)
		SKIP(return, NO_WRITES);
	ASSERT_GOOD(prepare(self, LBA, 8, old, 1));
	for (i = 0; i < 2 * ARRAY_SIZE(op); i++) {
		/* With data-in, then with none. */
		len = i < ARRAY_SIZE(op) ? 8 * self->block : 0;
		memset(buf, GUARD, 8 * VS_PAGE);
		res = in(self, rw_cdb(op[i % 2], LBA, 8), buf, len);
		EXPECT_EQ(0, res.err);
		if (self->unit.type->emulated)
			EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, res);
		EXPECT_TRUE(unchanged(self, LBA, 8, old));
		EXPECT_EQ(-1, vs_not_all(buf, 8 * VS_PAGE, GUARD));
	}
}

/* In 32 bits, these lengths are 512 and 0 bytes. */
TEST_F(unit, blocks_that_32_bits_cannot_count_are_refused)
{
	static const uint32_t blocks[] = { 0x800001, 0x6800001, 0x800000,
					   0x100001, 0xffffffff };
	uint8_t *old = vs_mem_page(&self->dev->mem, 1);
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
	struct vs_result res;
	size_t i;

	COVERS("REQ-27 REQ-62 F-RQ-14");
	if (!self->unit.type->emulated)
		SKIP(return, NOT_EMULATED);
	ASSERT_GOOD(prepare(self, 0, 1, old, 1));
	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		vs_fill(buf, self->block, 2);
		res = out(self, rw_cdb(VS_WRITE_16, 0, blocks[i]), buf,
			  self->block);
		EXPECT_CC(5, 0x21, 0, res);
		EXPECT_TRUE(unchanged(self, 0, 1, old));
		memset(buf, GUARD, VS_PAGE);
		res = in(self, rw_cdb(VS_READ_16, 0, blocks[i]), buf,
			 self->block);
		EXPECT_CC(5, 0x21, 0, res);
		EXPECT_EQ(-1, vs_not_all(buf, VS_PAGE, GUARD));
	}
}

/* LIO protects nothing that WRITE(6) writes, and READ would fail on it. */
TEST_F(unit, write_6_leaves_nothing_that_cannot_be_read)
{
	uint8_t *old = vs_mem_page(&self->dev->mem, 1);
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
	struct vs_cdb cdb = vs_cdb_op(VS_WRITE_6);
	struct vs_result res;

	COVERS("REQ-75");
	if (!self->unit.type->emulated)
		SKIP(return, NOT_EMULATED);
	ASSERT_GOOD(prepare(self, LBA, 1, old, 1));
	vs_fill(buf, self->block, 2);
	cdb.b[3] = LBA;
	cdb.b[4] = 1;
	res = out(self, cdb, buf, self->block);
	if (self->unit.type->makes_pi)
		EXPECT_CC(5, 0x20, 0, res);
	else
		EXPECT_GOOD(res);
	EXPECT_TRUE(unchanged(self, LBA, 1,
			      self->unit.type->makes_pi ? old : buf));
}

/* LIO would protect all its blocks, in the host's memory, before it fails. */
TEST_F(unit, write_same_that_lio_would_fail_is_refused)
{
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
	struct vs_result res;

	COVERS("REQ-75");
	if (!self->unit.type->makes_pi || !self->unit.type->writes_same)
		SKIP(return, "LIO makes no protection information for it");
	vs_fill(buf, self->block, 2);
	res = out(self, rw_cdb(VS_WRITE_SAME_16, 0, 8), buf, self->block);
	EXPECT_CC(5, 0x20, 0, res);
}

/*
 * A disk larger than what wraps: in front of the comparison with the buffer, the
 * target core would find nothing wrong.
 */
FIXTURE(huge_unit) {
	struct vs_unit unit;
	struct vs_dev *dev;
};

FIXTURE_VARIANT(huge_unit) {
	enum vs_unit_kind kind;
};

VS_UNIT_VARIANT(huge_unit, file, VS_UNIT_FILE);
VS_UNIT_VARIANT(huge_unit, file_port_pi, VS_UNIT_FILE_PORT_PI);

FIXTURE_SETUP(huge_unit)
{
	struct vs_unit_opts opts = { .kind = variant->kind, .mib = 64 << 10 };

	UNIT_GET(&self->unit, &opts);
	self->dev = self->unit.dev;
}

UNIT_TEARDOWN(huge_unit);

TEST_F(huge_unit, blocks_that_32_bits_cannot_count_are_refused)
{
	static const uint32_t blocks[] = { 0x800001, 0x6800001, 0x800000 };
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
	size_t i;

	COVERS("REQ-27 REQ-62 F-RQ-14");
	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		memset(buf, GUARD, VS_PAGE);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN,
				vs_scsi_write(self->dev, VS_TAG, 0,
					      rw_cdb(VS_WRITE_16, 0, blocks[i]),
					      buf, 512));
		EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN,
				vs_scsi_read(self->dev, VS_TAG, 0,
					     rw_cdb(VS_READ_16, 0, blocks[i]),
					     buf, 512));
		EXPECT_EQ(-1, vs_not_all(buf, VS_PAGE, GUARD));
	}
}

TEST_HARNESS_MAIN
