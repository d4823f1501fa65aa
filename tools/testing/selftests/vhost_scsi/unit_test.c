// SPDX-License-Identifier: GPL-2.0
/* Reading and writing units of every kind: all of the data, and nothing else. */
#include "unit_fixture.h"

TEST_F(unit, says_what_it_is)
{
	const struct vs_unit_type *type = self->unit.type;
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);

	ASSERT_GOOD(in(self, vs_cdb_inquiry(96), buf, 96));
	EXPECT_EQ(type->device_type, buf[0]);
	if (!type->block_size)
		return;
	EXPECT_LT(0, self->blocks);
	ASSERT_GOOD(in(self, vs_cdb_op(VS_READ_CAPACITY_10), buf, 8));
	EXPECT_EQ(type->block_size, vs_get_be32(buf + 4));
}

TEST_F(unit, every_size_and_alignment_reads_what_was_written)
{
	static const unsigned int blocks[] = { 1, 2, 7, 8, 9, 255 };
	static const unsigned int shift[] = { 0, 1, 511, 2049, 4095 };
	static const uint8_t op[][2] = {
		{ VS_WRITE_10, VS_READ_16 }, { VS_WRITE_16, VS_READ_10 },
	};
	uint8_t *to, *from;
	size_t i, j;

	if (!self->unit.type->writable)
		SKIP(return, NO_WRITES);
	to = vs_mem_page(&self->dev->mem, 255 * self->block / VS_PAGE + 2);
	from = vs_mem_page(&self->dev->mem, 255 * self->block / VS_PAGE + 2);
	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		for (j = 0; j < ARRAY_SIZE(shift); j++) {
			size_t len = blocks[i] * self->block;
			uint8_t *w = from + shift[j];
			uint8_t *r = to + shift[ARRAY_SIZE(shift) - 1 - j];

			vs_fill(w, len, i + j);
			memset(r, GUARD, len + 1);
			ASSERT_GOOD(out(self, rw_cdb(op[j % 2][0], LBA,
						     blocks[i]), w, len));
			ASSERT_GOOD(in(self, rw_cdb(op[j % 2][1], LBA,
						    blocks[i]), r, len));
			ASSERT_EQ(-1, vs_differs(r, len, i + j));
			ASSERT_EQ(GUARD, r[len]);
		}
	}
}

/* One block into a buffer that is larger: it, and nothing behind it. */
static void read_into_more(struct __test_metadata *_metadata, unit_data *self,
			   uint8_t op, uint32_t lba, size_t len)
{
	size_t used = self->dev->mem.used;
	uint8_t *want = vs_mem_page(&self->dev->mem, 1);
	uint8_t *buf = vs_mem_page(&self->dev->mem, len / VS_PAGE + 1);
	struct vs_result res;

	ASSERT_GOOD(prepare(self, lba, 1, want, lba));
	memset(buf, GUARD, len + 1);
	res = in(self, rw_cdb(op, lba, 1), buf, len);
	EXPECT_GOOD(res);
	EXPECT_EQ(0, memcmp(buf, want, self->block));
	EXPECT_EQ(-1, vs_not_all(buf + self->block, len + 1 - self->block,
				 GUARD));
	EXPECT_EQ(len - self->block, res.resid);
	EXPECT_EQ(VS_RSP + self->block, res.used_len);
	self->dev->mem.used = used;
}

TEST_F(unit, read_of_one_block_into_4_kib_leaves_the_rest)
{
	COVERS("REQ-33 REQ-66 F-RQ-11");
	if (!self->block)
		SKIP(return, NO_BLOCKS);
	read_into_more(_metadata, self, VS_READ_10, LBA, VS_PAGE);
	read_into_more(_metadata, self, VS_READ_16, LBA, VS_PAGE);
}

TEST_F(unit, read_of_one_block_into_8_kib_leaves_the_rest)
{
	if (!self->block)
		SKIP(return, NO_BLOCKS);
	read_into_more(_metadata, self, VS_READ_10, LBA, 2 * VS_PAGE);
}

/* What a block device gets is sectors, or it warns. */
TEST_F(unit, read_of_one_block_into_a_crooked_length_leaves_the_rest)
{
	COVERS("REQ-33 REQ-66 F-RQ-13");
	if (!self->block)
		SKIP(return, NO_BLOCKS);
	read_into_more(_metadata, self, VS_READ_10, LBA, 2 * VS_PAGE - 3);
	read_into_more(_metadata, self, VS_READ_16, LBA, self->block + 1);
}

TEST_F(unit, read_of_one_block_into_4_mib_leaves_the_rest)
{
	if (!self->block)
		SKIP(return, NO_BLOCKS);
	read_into_more(_metadata, self, VS_READ_10, LBA, 4 * MIB);
}

TEST_F(unit, read_of_the_last_block_into_more_leaves_the_rest)
{
	COVERS("REQ-33 REQ-66");
	if (!self->block)
		SKIP(return, NO_BLOCKS);
	ASSERT_LT(0, self->blocks);
	read_into_more(_metadata, self, VS_READ_10, self->blocks - 1,
		       2 * VS_PAGE);
}

TEST_F(unit, read_of_no_block_moves_nothing)
{
	static const uint8_t op[] = { VS_READ_10, VS_READ_16 };
	uint8_t *buf = vs_mem_page(&self->dev->mem, 2);
	struct vs_result res;
	size_t i;

	COVERS("REQ-22 REQ-33 REQ-55");
	if (!self->block)
		SKIP(return, NO_BLOCKS);
	if (variant->kind == VS_UNIT_USER)
		SKIP(return, "tcm_user cannot say that nothing was read");
	for (i = 0; i < ARRAY_SIZE(op); i++) {
		memset(buf, GUARD, 2 * VS_PAGE);
		res = in(self, rw_cdb(op[i], LBA, 0), buf, 2 * VS_PAGE);
		EXPECT_GOOD(res);
		EXPECT_EQ(-1, vs_not_all(buf, 2 * VS_PAGE, GUARD));
		EXPECT_EQ(2 * VS_PAGE, res.resid);
		EXPECT_EQ(VS_RSP, res.used_len);
		EXPECT_GOOD(in(self, rw_cdb(op[i], LBA, 0), NULL, 0));
	}
}

TEST_F(unit, write_of_no_block_moves_nothing)
{
	static const uint8_t op[] = { VS_WRITE_10, VS_WRITE_16 };
	uint8_t *old = vs_mem_page(&self->dev->mem, 8);
	uint8_t *buf = vs_mem_page(&self->dev->mem, 2);
	size_t i;

	if (!self->unit.type->writable)
		SKIP(return, NO_WRITES);
	ASSERT_GOOD(prepare(self, LBA, 8, old, 1));
	vs_fill(buf, 2 * VS_PAGE, 2);
	for (i = 0; i < ARRAY_SIZE(op); i++) {
		EXPECT_GOOD(out(self, rw_cdb(op[i], LBA, 0), NULL, 0));
		EXPECT_EQ(0, out(self, rw_cdb(op[i], LBA, 0), buf,
				 2 * VS_PAGE).err);
		EXPECT_TRUE(unchanged(self, LBA, 8, old));
	}
}

TEST_F(unit, compare_and_write_compares_and_writes)
{
	struct vs_cdb cdb = vs_cdb_op(VS_COMPARE_AND_WRITE);
	uint8_t *old = vs_mem_page(&self->dev->mem, 1);
	uint8_t *buf = vs_mem_page(&self->dev->mem, 2);
	size_t len = self->block;

	if (!self->unit.type->emulated)
		SKIP(return, NOT_EMULATED);
	cdb.b[9] = LBA;
	cdb.b[13] = 1;
	ASSERT_GOOD(prepare(self, LBA, 1, old, 1));
	vs_fill(buf, 2 * len, 2);
	if (self->unit.type->makes_pi) {
		/* LIO would write the block without what protects it. */
		EXPECT_CC(5, 0x20, 0, out(self, cdb, buf, 2 * len));
		EXPECT_TRUE(unchanged(self, LBA, 1, old));
		return;
	}
	/* Not what is there: MISCOMPARE. */
	EXPECT_CC(0xe, 0x1d, 0, out(self, cdb, buf, 2 * len));
	EXPECT_TRUE(unchanged(self, LBA, 1, old));
	memcpy(buf, old, len);
	EXPECT_GOOD(out(self, cdb, buf, 2 * len));
	EXPECT_GOOD(in(self, rw_cdb(VS_READ_10, LBA, 1), old, len));
	EXPECT_EQ(0, memcmp(old, buf + len, len));
}

TEST_F(unit, request_sense_of_no_byte_is_good)
{
	COVERS("REQ-33");
	if (!self->unit.type->emulated)
		SKIP(return, NOT_EMULATED);
	EXPECT_GOOD(in(self, vs_cdb_len6(VS_REQUEST_SENSE, 0, 0), NULL, 0));
	EXPECT_GOOD(in(self, vs_cdb_len6(VS_REQUEST_SENSE, 0, 18), NULL, 0));
}

TEST_HARNESS_MAIN
