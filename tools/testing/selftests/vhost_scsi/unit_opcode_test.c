// SPDX-License-Identifier: GPL-2.0
/* Opcodes that one kernel's LIO knows and another's does not, or that are switched off. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vs_test.h"

#include "vs_unit.h"

#define GUARD	0x5a
#define NOT_KNOWN "this kernel's LIO does not know the command"

FIXTURE(atomic) {
	struct vs_unit unit;
	struct vs_dev *dev;
	uint8_t *old;
	uint8_t *buf;
	bool known;
};

typedef FIXTURE_DATA(atomic) atomic_data;

FIXTURE_VARIANT(atomic) {
	enum vs_unit_kind kind;
};

VS_UNIT_VARIANT(atomic, block_atomic, VS_UNIT_BLOCK_ATOMIC);
VS_UNIT_VARIANT(atomic, block_atomic_pi, VS_UNIT_BLOCK_ATOMIC_PI);

static struct vs_cdb atomic_cdb(uint64_t lba, uint16_t blocks)
{
	struct vs_cdb cdb = vs_cdb_rw16(VS_WRITE_ATOMIC_16, lba, 0);

	/* Bytes 10 and 11 are a boundary, the length is behind it. */
	cdb.b[12] = blocks >> 8;
	cdb.b[13] = blocks & 0xff;
	return cdb;
}

static struct vs_result in(atomic_data *self, struct vs_cdb cdb, size_t len)
{
	memset(self->buf, GUARD, 2 * VS_PAGE);
	return vs_scsi_read(self->dev, VS_TAG, 0, cdb, self->buf, len);
}

static struct vs_result out(atomic_data *self, struct vs_cdb cdb, size_t len)
{
	return vs_scsi_write(self->dev, VS_TAG, 0, cdb, self->buf, len);
}

FIXTURE_SETUP(atomic)
{
	struct vs_unit_opts opts = { .kind = variant->kind };
	struct vs_result res;

	UNIT_GET(&self->unit, &opts);
	self->dev = self->unit.dev;
	self->old = vs_mem_page(&self->dev->mem, 2);
	self->buf = vs_mem_page(&self->dev->mem, 2);
	vs_fill(self->buf, VS_PAGE, 9);
	res = out(self, atomic_cdb(16, 8), VS_PAGE);
	self->known = !res.response && res.sense != sense(5, 0x20, 0);
	vs_fill(self->old, VS_PAGE, 1);
	memcpy(self->buf, self->old, VS_PAGE);
	ASSERT_GOOD(out(self, vs_cdb_rw10(VS_WRITE_10, 0, 8), VS_PAGE));
}

UNIT_TEARDOWN(atomic);

static bool unchanged(atomic_data *self)
{
	struct vs_result res = in(self, vs_cdb_rw10(VS_READ_10, 0, 8), VS_PAGE);

	return !res.err && !res.response && !res.status &&
	       !memcmp(self->old, self->buf, VS_PAGE);
}

/* As one bio of pages; a page that is in two parts, and what is not one, is copied. */
TEST_F(atomic, write_is_one_bio)
{
	struct vs_cdb cdb = atomic_cdb(0, 8);
	struct vs_result res;

	COVERS("REQ-74");
	if (!self->known)
		SKIP(return, NOT_KNOWN);
	vs_fill(self->buf, 2 * VS_PAGE, 3);
	memcpy(self->old, self->buf + 512, VS_PAGE);
	res = vs_scsi_write(self->dev, VS_TAG, 0, cdb, self->buf + 512, VS_PAGE);
	EXPECT_GOOD(res);
	EXPECT_TRUE(unchanged(self));
}

TEST_F(atomic, write_of_no_block_is_good)
{
	struct vs_result res = in(self, atomic_cdb(0, 0), 0);

	COVERS("REQ-22 REQ-55");
	EXPECT_EQ(0, res.err);
	EXPECT_TRUE(unchanged(self));
	if (self->known)
		EXPECT_GOOD(res);
}

TEST_F(atomic, write_without_data_is_refused)
{
	struct vs_result res = in(self, atomic_cdb(0, 2), 0);

	COVERS("REQ-22 F-RQ-10");
	EXPECT_EQ(0, res.err);
	EXPECT_TRUE(unchanged(self));
	if (self->known)
		EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, res);
}

TEST_F(atomic, write_with_data_in_is_refused)
{
	struct vs_cdb cdb = atomic_cdb(0, 2);
	struct vs_result res;
	unsigned int i;

	COVERS("REQ-22 F-RQ-08");
	for (i = 0; i < 2; i++) {
		/* As LIO reads it: two blocks in the 32 bits at byte 10. */
		cdb.b[10] = 0;
		res = in(self, cdb, 1024);
		EXPECT_EQ(0, res.err);
		EXPECT_EQ(-1, vs_not_all(self->buf, 1024, GUARD));
		if (self->known && !i)
			EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, res);
		if (self->known && i)
			EXPECT_CC(5, 0x24, 0, res);
		EXPECT_TRUE(unchanged(self));
		/* And with a boundary, which LIO does not know. */
		cdb.b[11] = 2;
	}
}

TEST_F(atomic, write_with_protect_bits_is_refused)
{
	struct vs_cdb cdb = atomic_cdb(0, 2);
	struct vs_result res;

	COVERS("REQ-56 REQ-62");
	cdb.b[1] = 0x20;
	vs_fill(self->buf, 1024, 2);
	res = out(self, cdb, 1024);
	EXPECT_EQ(0, res.err);
	if (self->known)
		EXPECT_CC(5, 0x24, 0, res);
	EXPECT_TRUE(unchanged(self));
}

TEST_F(atomic, write_of_another_length_is_never_good)
{
	struct vs_result res;

	COVERS("REQ-27 REQ-34");
	vs_fill(self->buf, VS_PAGE, 2);
	res = out(self, atomic_cdb(0, 1), VS_PAGE);
	EXPECT_TRUE(res.response || res.status);
	EXPECT_TRUE(unchanged(self));
	res = out(self, atomic_cdb(0, 8), 512);
	EXPECT_TRUE(res.response || res.status);
	EXPECT_TRUE(unchanged(self));
}

TEST_F(atomic, write_of_its_length_writes)
{
	struct vs_result res;

	COVERS("REQ-61");
	if (!self->known)
		SKIP(return, NOT_KNOWN);
	vs_fill(self->old, VS_PAGE, 2);
	memcpy(self->buf, self->old, VS_PAGE);
	res = out(self, atomic_cdb(0, 8), VS_PAGE);
	EXPECT_GOOD(res);
	EXPECT_TRUE(unchanged(self));
}

FIXTURE(copy) {
	struct vs_unit unit;
};

FIXTURE_VARIANT(copy) {
	enum vs_unit_kind kind;
};

VS_UNIT_VARIANT(copy, ramdisk, VS_UNIT_RAMDISK);
VS_UNIT_VARIANT(copy, file, VS_UNIT_FILE);
VS_UNIT_VARIANT(copy, block, VS_UNIT_BLOCK);

FIXTURE_SETUP(copy)
{
	struct vs_unit_opts opts = { .kind = variant->kind };

	UNIT_GET(&self->unit, &opts);
}

UNIT_TEARDOWN(copy);

/* A list that LIO reads, and that names no unit. */
static struct vs_result extended_copy(struct vs_dev *dev)
{
	uint8_t *list = vs_mem_page(&dev->mem, 1);
	struct vs_cdb cdb = vs_cdb_op(VS_EXTENDED_COPY);

	memset(list, 0, 16);
	cdb.b[13] = 16;
	return vs_scsi_write(dev, VS_TAG, 0, cdb, list, 16);
}

TEST_F(copy, extended_copy_is_unknown_unless_the_administrator_allows_it)
{
	struct vs_dev *dev = self->unit.dev;
	struct vs_result res;

	COVERS("REQ-61 REQ-67 CFG-26");
	EXPECT_CC(5, 0x20, 0, extended_copy(dev));
	EXPECT_CC(5, 0x20, 0, vs_scsi_read(dev, VS_TAG, 0,
					   vs_cdb_op(VS_EXTENDED_COPY), NULL,
					   0));
	ASSERT_EQ(0, vs_tpg_attr(VS_WWN, VS_TAG, "extended_copy", "1"));
	res = extended_copy(dev);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, res);
	EXPECT_NE(sense(5, 0x20, 0), res.sense);
	ASSERT_EQ(0, vs_tpg_attr(VS_WWN, VS_TAG, "extended_copy", "0"));
	EXPECT_CC(5, 0x20, 0, extended_copy(dev));
}

TEST_F(copy, set_target_port_groups_is_short_and_takes_no_port_offline)
{
	struct vs_dev *dev = self->unit.dev;
	uint8_t *list = vs_mem_page(&dev->mem, 1);
	struct vs_cdb cdb = vs_cdb_op(VS_MAINTENANCE_OUT);
	char path[256], text[16];
	unsigned int port;

	COVERS("REQ-70 SCSI-11");
	vs_tpg_path(path, sizeof(path), VS_WWN, VS_TAG, "rtpi");
	ASSERT_LT(0, vs_read_file(path, text, sizeof(text)));
	port = strtoul(text, NULL, 0);
	memset(list, 0, VS_PAGE);
	cdb.b[1] = 0x0a;
	cdb.b[9] = 8;
	/* Active/optimized, of the group that there is */
	EXPECT_GOOD(vs_scsi_write(dev, VS_TAG, 0, cdb, list, 8));
	list[4] = 0x0e;
	list[6] = port >> 8;
	list[7] = port;
	EXPECT_CC(5, 0x26, 0, vs_scsi_write(dev, VS_TAG, 0, cdb, list, 8));
	memset(list + 4, 0, 4);
	cdb.b[9] = 12;
	list[8] = 0x0e;
	list[10] = port >> 8;
	list[11] = port;
	EXPECT_CC(5, 0x26, 0, vs_scsi_write(dev, VS_TAG, 0, cdb, list, 12));
	/* Nor into the state that depends on the block, nor the same one twice. */
	memset(list, 0, VS_PAGE);
	list[8] = 4;
	list[11] = 1;
	EXPECT_CC(5, 0x26, 0, vs_scsi_write(dev, VS_TAG, 0, cdb, list, 12));
	memset(list, 0, VS_PAGE);
	cdb.b[8] = 1;
	cdb.b[9] = 4;
	EXPECT_CC(5, 0x26, 0, vs_scsi_write(dev, VS_TAG, 0, cdb, list, 260));
	cdb.b[9] = 8;
	EXPECT_CC(5, 0x1a, 0, vs_scsi_write(dev, VS_TAG, 0, cdb, list, 264));
	EXPECT_GOOD(vs_scsi_read(dev, VS_TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY),
				 NULL, 0));
}

#define LU_GROUP "/sys/kernel/config/target/core/alua/lu_gps/vs-test"

/* What it would do to its own ports, it would do to those of all units of the group. */
TEST_F(copy, set_target_port_groups_is_unknown_to_a_unit_of_a_group)
{
	struct vs_dev *dev = self->unit.dev;
	uint8_t *list = vs_mem_page(&dev->mem, 1);
	struct vs_cdb cdb = vs_cdb_op(VS_MAINTENANCE_OUT);

	COVERS("REQ-70 SCSI-11");
	memset(list, 0, 8);
	cdb.b[1] = 0x0a;
	cdb.b[9] = 8;
	ASSERT_EQ(0, mkdir(LU_GROUP, 0755));
	EXPECT_EQ(0, vs_write_file(LU_GROUP "/lu_gp_id", "7"));
	EXPECT_EQ(0, vs_backstore_write(&self->unit.env.bs[0], "alua_lu_gp",
					"vs-test"));
	EXPECT_CC(5, 0x20, 0, vs_scsi_write(dev, VS_TAG, 0, cdb, list, 8));
	/* It has no group then, not even the one that it had first. */
	EXPECT_EQ(0, vs_backstore_write(&self->unit.env.bs[0], "alua_lu_gp",
					"NULL"));
	EXPECT_CC(5, 0x20, 0, vs_scsi_write(dev, VS_TAG, 0, cdb, list, 8));
	EXPECT_EQ(0, rmdir(LU_GROUP));
}

TEST_HARNESS_MAIN
