// SPDX-License-Identifier: GPL-2.0
/*
 * Who may change a medium: not a guest whose LUN is read-only or reserved by
 * another, whatever it sends and on whichever side the data is.
 */
#include "vs_test.h"

#include "vs_unit.h"

#define LBA	5
#define BLOCKS	8

/* Blocks looked at, around those that a command names. */
#define SEEN	16

FIXTURE(medium) {
	struct vs_unit unit;
	struct vs_dev *dev;
	uint8_t *old;
	uint8_t *now;
	uint8_t *data;
	size_t block;
};

typedef FIXTURE_DATA(medium) medium_data;

FIXTURE_VARIANT(medium) {
	enum vs_unit_kind kind;
	unsigned int mods;
};

#undef VS_UNIT_VARIANT
#define VS_UNIT_VARIANT(fixture, variant_name, variant_kind)		\
	FIXTURE_VARIANT_ADD(fixture, variant_name##_writable) {		\
		.kind = variant_kind,					\
	}
#define UNIT_FIXTURE medium
#include "vs_unit_emulated.h"

#undef VS_UNIT_VARIANT
#define VS_UNIT_VARIANT(fixture, variant_name, variant_kind)		\
	FIXTURE_VARIANT_ADD(fixture, variant_name##_read_only) {	\
		.kind = variant_kind,					\
		.mods = VS_UNIT_READ_ONLY,				\
	}
#include "vs_unit_emulated.h"
VS_UNIT_VARIANT(medium, pscsi_disk, VS_UNIT_PSCSI_DISK);
VS_UNIT_VARIANT(medium, user, VS_UNIT_USER);

#undef VS_UNIT_VARIANT
#define VS_UNIT_VARIANT(fixture, variant_name, variant_kind)		\
	FIXTURE_VARIANT_ADD(fixture, variant_name##_reserved) {		\
		.kind = variant_kind,					\
		.mods = VS_UNIT_RESERVED,				\
	}
#include "vs_unit_emulated.h"
VS_UNIT_VARIANT(medium, user, VS_UNIT_USER);

FIXTURE_SETUP(medium)
{
	struct vs_unit_opts opts = {
		.kind = variant->kind, .mods = variant->mods,
	};

	UNIT_GET_WANTED(&self->unit, &opts);
	self->dev = self->unit.dev;
	self->block = self->unit.type->block_size;
	self->old = vs_mem_page(&self->dev->mem, SEEN);
	self->now = vs_mem_page(&self->dev->mem, SEEN);
	self->data = vs_mem_page(&self->dev->mem, SEEN);
	/* Some backstores can, and then more commands change the medium. */
	vs_backstore_attr(&self->unit.env.bs[0], "emulate_tpu", "1");
	vs_backstore_attr(&self->unit.env.bs[0], "emulate_tpws", "1");
}

UNIT_TEARDOWN(medium);

/* Who may write it. */
static uint8_t owner(unsigned int mods)
{
	return mods ? VS_TAG2 : VS_TAG;
}

static struct vs_result fill(medium_data *self, unsigned int mods)
{
	size_t len = SEEN * self->block;

	vs_fill(self->old, len, 1);
	return vs_scsi_write(self->dev, owner(mods), self->unit.lun,
			     vs_cdb_rw10(VS_WRITE_10, 0, SEEN), self->old, len);
}

static bool is_as_filled(medium_data *self, unsigned int mods)
{
	size_t len = SEEN * self->block;
	struct vs_result res;

	res = vs_scsi_read(self->dev, owner(mods), self->unit.lun,
			   vs_cdb_rw10(VS_READ_10, 0, SEEN), self->now, len);
	return !res.err && !res.response && !res.status &&
	       !memcmp(self->now, self->old, len);
}

enum side { OUT, IN, NONE };

static struct vs_result send(medium_data *self, struct vs_cdb cdb,
			     enum side side, size_t len)
{
	vs_fill(self->data, len, 2);
	if (side == OUT)
		return vs_scsi_write(self->dev, VS_TAG, self->unit.lun, cdb,
				     self->data, len);
	return vs_scsi_read(self->dev, VS_TAG, self->unit.lun, cdb, self->data,
			    side == IN ? len : 0);
}

#define UNMAP	0x08
#define NDOB	0x01

/* A command, or a bit of one, that the unit does not have is refused in any case. */
static bool is_unknown(const struct vs_cdb *cdb, const struct vs_result *res)
{
	bool is_32 = cdb->b[0] == VS_VARIABLE_LENGTH;
	bool unmaps = (is_32 || cdb->b[0] == VS_WRITE_SAME_10 ||
		       cdb->b[0] == VS_WRITE_SAME_16) &&
		      cdb->b[is_32 ? 10 : 1] & UNMAP;

	return res->status == VS_CHECK_CONDITION &&
	       (res->sense == sense(5, 0x20, 0) ||
		(unmaps && res->sense == sense(5, 0x24, 0)));
}

/*
 * A command with its data on the wrong side never changes the medium, nor is it
 * GOOD; on the right side it does not on units that are not the guest's to write,
 * which say so.
 */
static void check(struct __test_metadata *_metadata, medium_data *self,
		  unsigned int mods, struct vs_cdb cdb, enum side side, size_t len)
{
	struct vs_result res;

	ASSERT_GOOD(fill(self, mods));
	res = send(self, cdb, side, len);
	EXPECT_EQ(0, res.err);
	if (mods || side != OUT) {
		EXPECT_TRUE(is_as_filled(self, mods)) {
			TH_LOG("the medium was changed by %02x %02x .. %02x",
			       cdb.b[0], cdb.b[1], cdb.b[9]);
		}
		EXPECT_TRUE(res.response || res.status) {
			TH_LOG("GOOD: %02x %02x .. %02x", cdb.b[0], cdb.b[1],
			       cdb.b[9]);
		}
	}
	if (side != OUT || res.response || is_unknown(&cdb, &res))
		return;
	if (mods & VS_UNIT_READ_ONLY) {
		EXPECT_EQ(VS_CHECK_CONDITION, res.status);
		EXPECT_EQ(sense(7, 0x27, 0), res.sense);
	}
	/* A RAM disk refuses it in any case. */
	if (mods & VS_UNIT_RESERVED && self->unit.type->writes_same)
		EXPECT_EQ(VS_RESERVATION_CONFLICT, res.status);
}

/* Nothing moves, but who may not write is told so. */
TEST_F(medium, write_of_no_block)
{
	struct vs_result res;

	if (!self->unit.type->emulated)
		SKIP(return, "what it says is the unit's business");
	res = vs_scsi_write(self->dev, VS_TAG, self->unit.lun,
			    vs_cdb_rw10(VS_WRITE_10, LBA, 0), self->data, 0);
	if (variant->mods & VS_UNIT_READ_ONLY) {
		EXPECT_CC(7, 0x27, 0, res);
	} else if (variant->mods & VS_UNIT_RESERVED) {
		EXPECT_EQ(VS_RESERVATION_CONFLICT, res.status);
	} else {
		EXPECT_GOOD(res);
	}
}

static struct vs_cdb cdb_32(uint16_t action, uint8_t flags)
{
	struct vs_cdb cdb = vs_cdb_op(VS_VARIABLE_LENGTH);

	cdb.b[7] = 0x18;
	cdb.b[8] = action >> 8;
	cdb.b[9] = action & 0xff;
	cdb.b[10] = flags;
	cdb.b[19] = LBA;
	cdb.b[23] = LBA;
	cdb.b[31] = BLOCKS;
	return cdb;
}

static void write_same(struct __test_metadata *_metadata, medium_data *self,
		       unsigned int mods, uint8_t flags, enum side side)
{
	struct vs_cdb cdb[] = {
		vs_cdb_rw10(VS_WRITE_SAME_10, LBA, BLOCKS),
		vs_cdb_rw16(VS_WRITE_SAME_16, LBA, BLOCKS),
		cdb_32(0x000d, flags),
	};
	size_t i;

	cdb[0].b[1] = flags;
	cdb[1].b[1] = flags;
	for (i = 0; i < ARRAY_SIZE(cdb); i++)
		check(_metadata, self, mods, cdb[i], side, self->block);
}

TEST_F(medium, write_same_with_data_out)
{
	COVERS("REQ-64");
	write_same(_metadata, self, variant->mods, 0, OUT);
}

TEST_F(medium, write_same_with_data_in)
{
	COVERS("REQ-22 REQ-64");
	write_same(_metadata, self, variant->mods, 0, IN);
}

TEST_F(medium, write_same_without_data)
{
	COVERS("REQ-22 REQ-64");
	write_same(_metadata, self, variant->mods, 0, NONE);
}

TEST_F(medium, write_same_of_unmap_with_data_out)
{
	COVERS("REQ-64");
	write_same(_metadata, self, variant->mods, UNMAP, OUT);
}

TEST_F(medium, write_same_of_unmap_with_data_in)
{
	COVERS("REQ-22 REQ-64");
	write_same(_metadata, self, variant->mods, UNMAP, IN);
}

TEST_F(medium, write_same_of_unmap_without_data)
{
	COVERS("REQ-22 REQ-64");
	write_same(_metadata, self, variant->mods, UNMAP, NONE);
}

TEST_F(medium, write_same_of_zeroes_without_data)
{
	COVERS("REQ-62 REQ-64");
	write_same(_metadata, self, variant->mods, NDOB, NONE);
	write_same(_metadata, self, variant->mods, NDOB | UNMAP, NONE);
}

static void write_blocks(struct __test_metadata *_metadata, medium_data *self,
			 unsigned int mods, enum side side)
{
	struct vs_cdb write_6 = vs_cdb_op(VS_WRITE_6);
	struct vs_cdb write_12 = vs_cdb_op(VS_WRITE_12);
	struct vs_cdb cdb[] = {
		write_6, write_12, write_12,
		vs_cdb_rw10(VS_WRITE_10, LBA, BLOCKS),
		vs_cdb_rw10(0x2e, LBA, BLOCKS),
		vs_cdb_rw16(VS_WRITE_16, LBA, BLOCKS),
		vs_cdb_rw16(0x8e, LBA, BLOCKS),
		vs_cdb_rw16(0x8b, LBA, BLOCKS),
		cdb_32(0x000b, 0), cdb_32(0x000c, 0), cdb_32(0x000e, 0),
	};
	size_t i;

	cdb[0].b[3] = LBA;
	cdb[0].b[4] = BLOCKS;
	cdb[1].b[5] = LBA;
	cdb[1].b[9] = BLOCKS;
	cdb[2] = cdb[1];
	cdb[2].b[0] = 0xae;
	for (i = 0; i < ARRAY_SIZE(cdb); i++)
		check(_metadata, self, mods, cdb[i], side, BLOCKS * self->block);
}

TEST_F(medium, write_with_data_out)
{
	COVERS("REQ-61 REQ-64");
	write_blocks(_metadata, self, variant->mods, OUT);
}

TEST_F(medium, write_with_data_in)
{
	COVERS("REQ-22 REQ-64 F-RQ-08");
	write_blocks(_metadata, self, variant->mods, IN);
}

TEST_F(medium, write_without_data)
{
	COVERS("REQ-22 REQ-64 F-RQ-10");
	write_blocks(_metadata, self, variant->mods, NONE);
}

TEST_F(medium, unmap)
{
	struct vs_cdb cdb = vs_cdb_op(VS_UNMAP);
	uint8_t *list = vs_mem_page(&self->dev->mem, 1);
	struct vs_result res;

	COVERS("REQ-22 REQ-64");
	ASSERT_GOOD(fill(self, variant->mods));
	memset(list, 0, 24);
	list[1] = 22;
	list[3] = 16;
	list[15] = LBA;
	list[19] = BLOCKS;
	cdb.b[8] = 24;
	/* With data-in there is no list, or one that a guest did not write. */
	res = vs_scsi_read(self->dev, VS_TAG, self->unit.lun, cdb, list, 24);
	EXPECT_EQ(0, res.err);
	EXPECT_TRUE(res.response || res.status);
	EXPECT_TRUE(is_as_filled(self, variant->mods));
	/* scsi_debug has a BUG() for a list that is not there. */
	cdb.b[8] = variant->kind == VS_UNIT_PSCSI_DISK ? 0 : 24;
	res = vs_scsi_read(self->dev, VS_TAG, self->unit.lun, cdb, NULL, 0);
	EXPECT_EQ(0, res.err);
	EXPECT_TRUE(is_as_filled(self, variant->mods));
	cdb.b[8] = 24;
	res = vs_scsi_write(self->dev, VS_TAG, self->unit.lun, cdb, list, 24);
	EXPECT_EQ(0, res.err);
	if (!variant->mods)
		return;
	EXPECT_TRUE(is_as_filled(self, variant->mods));
	EXPECT_TRUE(res.response || res.status);
}

TEST_F(medium, compare_and_write)
{
	struct vs_cdb cdb = vs_cdb_op(VS_COMPARE_AND_WRITE);
	static const enum side side[] = { OUT, IN, NONE };
	size_t i;

	COVERS("REQ-22 REQ-64");
	if (variant->kind == VS_UNIT_PSCSI_DISK)
		SKIP(return, "scsi_debug takes two locks in either order there");
	cdb.b[9] = LBA;
	cdb.b[13] = 1;
	for (i = 0; i < ARRAY_SIZE(side); i++)
		check(_metadata, self, variant->mods, cdb, side[i],
		      2 * self->block);
}

/* They erase a medium, and have no data at all. */
TEST_F(medium, commands_that_need_no_data)
{
	struct vs_cdb format = vs_cdb_op(0x04), sanitize = vs_cdb_op(0x48);

	COVERS("REQ-61 REQ-64");
	sanitize.b[1] = 0x82;
	check(_metadata, self, variant->mods, format, NONE, 0);
	check(_metadata, self, variant->mods, sanitize, NONE, 0);
}

/*
 * A unit that is passed through would do it: the program behind tcm_user is not
 * asked. A real drive cannot be, once it has begun.
 */
FIXTURE(asked) {
	struct vs_unit unit;
};

FIXTURE_VARIANT(asked) {
	unsigned int mods;
};

FIXTURE_VARIANT_ADD(asked, read_only) {
	.mods = VS_UNIT_READ_ONLY,
};

FIXTURE_VARIANT_ADD(asked, reserved) {
	.mods = VS_UNIT_RESERVED,
};

FIXTURE_SETUP(asked)
{
	struct vs_unit_opts opts = {
		.kind = VS_UNIT_USER, .mods = variant->mods,
	};

	UNIT_GET(&self->unit, &opts);
}

UNIT_TEARDOWN(asked);

TEST_F(asked, nobody_is_asked_to_change_the_medium)
{
	/* FORMAT UNIT, SANITIZE, WRITE SAME, UNMAP, WRITE LONG, WRITE AND VERIFY */
	static const uint8_t op[] = { 0x04, 0x48, 0x41, 0x93, 0x42, 0x3f, 0x2e,
				      0x8e, 0xae, 0x0a, 0x2a, 0x8a, 0xaa, 0x89,
				      0x8b, 0x9c };
	struct vs_dev *dev = self->unit.dev;
	uint8_t *buf = vs_mem_page(&dev->mem, 1);
	unsigned int before;
	struct vs_cdb cdb;
	size_t i, len;

	COVERS("REQ-63 REQ-64");
	for (i = 0; i < 2 * ARRAY_SIZE(op); i++) {
		cdb = vs_cdb_op(op[i / 2]);
		cdb.b[1] = op[i / 2] == 0x48 ? 2 : 0;
		cdb.b[4] = op[i / 2] == 0x0a;
		cdb.b[8] = 1;
		cdb.b[9] = op[i / 2] == 0xaa || op[i / 2] == 0xae;
		cdb.b[13] = 1;
		len = i % 2 ? 512 : 0;
		before = vs_tcmu_count(&self->unit.tcmu, NULL);
		EXPECT_EQ(0, vs_scsi_read(dev, VS_TAG, 0, cdb, buf, len).err);
		EXPECT_EQ(before, vs_tcmu_count(&self->unit.tcmu, NULL)) {
			TH_LOG("%02x with %zu bytes data-in", op[i / 2], len);
		}
	}
}

TEST_HARNESS_MAIN
