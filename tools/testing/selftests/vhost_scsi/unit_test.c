// SPDX-License-Identifier: GPL-2.0
/* Reading and writing units of every kind: all of the data, and nothing else. */
#include "vs_test.h"

#include "vs_unit.h"

/* What nobody writes. */
#define GUARD	0x5a
#define MIB	1048576UL

/* Where the tests write, somewhere that is no multiple of anything. */
#define LBA	5

FIXTURE(unit) {
	struct vs_unit unit;
	struct vs_dev *dev;
	unsigned int block;
	uint32_t blocks;
};

typedef FIXTURE_DATA(unit) unit_data;

FIXTURE_VARIANT(unit) {
	enum vs_unit_kind kind;
};

#define UNIT_FIXTURE unit
#include "vs_unit_emulated.h"
#include "vs_unit_passed.h"

FIXTURE_SETUP(unit)
{
	struct vs_unit_opts opts = { .kind = variant->kind };
	int ret;

	if (!vs_unit_wanted(variant->kind))
		SKIP(return, "in the long round of check-all");
	ret = vs_unit_get(&self->unit, &opts);
	if (ret == -ENODEV)
		SKIP(return, "%s", self->unit.why);
	ASSERT_EQ(0, ret);
	self->dev = self->unit.dev;
	self->block = self->unit.type->block_size;
	self->blocks = self->block ?
		       vs_scsi_blocks(self->dev, VS_TAG, self->unit.lun) : 0;
}

UNIT_TEARDOWN(unit);

static struct vs_cdb rw_cdb(uint8_t op, uint64_t lba, uint32_t blocks)
{
	return op < 0x80 ? vs_cdb_rw10(op, lba, blocks) :
	       vs_cdb_rw16(op, lba, blocks);
}

static struct vs_result in(unit_data *self, struct vs_cdb cdb, void *buf,
			   size_t len)
{
	return vs_scsi_read(self->dev, VS_TAG, self->unit.lun, cdb, buf, len);
}

static struct vs_result out(unit_data *self, struct vs_cdb cdb, const void *buf,
			    size_t len)
{
	return vs_scsi_write(self->dev, VS_TAG, self->unit.lun, cdb, buf, len);
}

/* Blocks of a seed at an address; of a CD, whatever is there already. */
static struct vs_result prepare(unit_data *self, uint32_t lba,
				unsigned int blocks, uint8_t *buf,
				unsigned int seed)
{
	size_t len = blocks * self->block;

	if (!self->unit.type->writable)
		return in(self, rw_cdb(VS_READ_10, lba, blocks), buf, len);
	vs_fill(buf, len, seed);
	return out(self, rw_cdb(VS_WRITE_10, lba, blocks), buf, len);
}

/* Do the blocks hold the same as before? */
static bool unchanged(unit_data *self, uint32_t lba, unsigned int blocks,
		      const uint8_t *want)
{
	size_t len = blocks * self->block, used = self->dev->mem.used;
	uint8_t *now = vs_mem_page(&self->dev->mem, len / VS_PAGE + 1);
	struct vs_result res;

	res = in(self, rw_cdb(VS_READ_10, lba, blocks), now, len);
	self->dev->mem.used = used;
	return !res.err && !res.response && !res.status &&
	       !memcmp(now, want, len);
}

#define NO_BLOCKS	"it has no blocks"
#define NO_WRITES	"it has no blocks to write"
#define NOT_EMULATED	"the unit answers itself"

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

TEST_F(unit, request_sense_of_no_byte_is_good)
{
	COVERS("REQ-33");
	if (!self->unit.type->emulated)
		SKIP(return, NOT_EMULATED);
	EXPECT_GOOD(in(self, vs_cdb_len6(VS_REQUEST_SENSE, 0, 0), NULL, 0));
	EXPECT_GOOD(in(self, vs_cdb_len6(VS_REQUEST_SENSE, 0, 18), NULL, 0));
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
	int ret = vs_unit_get(&self->unit, &opts);

	if (ret == -ENODEV)
		SKIP(return, "%s", self->unit.why);
	ASSERT_EQ(0, ret);
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
