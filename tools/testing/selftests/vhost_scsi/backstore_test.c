// SPDX-License-Identifier: GPL-2.0
/* A backstore that fails, changes its size, or is not accessible. */
#include <stdio.h>

#include "vs_test.h"
#include "vs_unit.h"

#define TAG VS_TAG

FIXTURE(backstore) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(backstore)
{
	struct vs_env_opts opts = { .disk = VS_DISK_HOLD };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(backstore);

static struct vs_result rw(struct vs_dev *dev, uint8_t op, uint8_t *buf)
{
	if (op == VS_READ_10)
		return vs_scsi_read(dev, TAG, 0, vs_cdb_rw10(op, 0, 8), buf,
				    VS_PAGE);
	return vs_scsi_write(dev, TAG, 0, vs_cdb_rw10(op, 0, 8), buf, VS_PAGE);
}

TEST_F(backstore, error_is_never_good_and_claims_no_data)
{
	static const uint8_t op[] = { VS_READ_10, VS_WRITE_10 };
	struct vs_result res;
	size_t i;

	COVERS("F-AD-06");
	EXPECT_GOOD(rw(self->dev, VS_WRITE_10, self->buf));
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "error", VS_HOLD_MIB));
	for (i = 0; i < ARRAY_SIZE(op); i++) {
		res = rw(self->dev, op[i], self->buf);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, res);
		EXPECT_EQ(VS_CHECK_CONDITION, res.status);
		EXPECT_LT(0, res.sense);
		EXPECT_EQ(VS_PAGE, res.resid);
	}
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", VS_HOLD_MIB));
	EXPECT_GOOD(rw(self->dev, VS_READ_10, self->buf));
}

TEST_F(backstore, alua_state_is_answered_by_lio)
{
	char path[512];

	COVERS("SCSI-11");
	snprintf(path, sizeof(path),
		 "%s/alua/default_tg_pt_gp/alua_access_state",
		 self->env.bs[0].path);
	/* Unavailable, then active/optimized again. */
	ASSERT_EQ(0, vs_write_file(path, "3"));
	rw(self->dev, VS_READ_10, self->buf);
	EXPECT_CC(2, 0x04, 0x0c, rw(self->dev, VS_READ_10, self->buf));
	ASSERT_EQ(0, vs_write_file(path, "0"));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	EXPECT_GOOD(rw(self->dev, VS_READ_10, self->buf));
}

/* An iblock that its administrator made read-only, without any ACL. */
FIXTURE(read_only) {
	struct vs_unit unit;
	struct vs_dev *dev;
};

FIXTURE_SETUP(read_only)
{
	struct vs_unit_opts opts = { .kind = VS_UNIT_BLOCK };
	struct vs_backstore *bs = &self->unit.env.bs[0];

	UNIT_GET(&self->unit, &opts);
	self->dev = self->unit.dev;
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_backstore_put(bs));
	ASSERT_EQ(0, vs_iblock_get(bs, 0, VS_RAM_DISK ",readonly=1"));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, bs));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

UNIT_TEARDOWN(read_only);

TEST_F(read_only, disk_is_read_and_not_written)
{
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
	struct vs_cdb same = vs_cdb_rw10(VS_WRITE_SAME_10, 0, 8);
	struct vs_result res;

	COVERS("REQ-64");
	EXPECT_GOOD(rw(self->dev, VS_READ_10, buf));
	EXPECT_CC(7, 0x27, 0, rw(self->dev, VS_WRITE_10, buf));
	EXPECT_CC(7, 0x27, 0, vs_scsi_write(self->dev, TAG, 0, same, buf, 512));
	res = vs_scsi_read(self->dev, TAG, 0, vs_cdb_len6(VS_MODE_SENSE_6, 0x3f, 64),
			   buf, 64);
	EXPECT_GOOD(res);
	EXPECT_EQ(0x80, buf[2] & 0x80);
}

/* An iblock */
FIXTURE(iblock) {
	struct vs_unit unit;
};

FIXTURE_SETUP(iblock)
{
	struct vs_unit_opts opts = { .kind = VS_UNIT_BLOCK };

	UNIT_GET(&self->unit, &opts);
}

UNIT_TEARDOWN(iblock);

#define MOST 4096

TEST_F(iblock, pattern_of_many_blocks_is_zeroes)
{
	struct vs_dev *dev = self->unit.dev;
	uint8_t *buf = vs_mem_page(&dev->mem, 1);
	struct vs_cdb most = vs_cdb_rw10(VS_WRITE_SAME_10, 0, MOST);
	struct vs_cdb more = vs_cdb_rw10(VS_WRITE_SAME_10, 0, MOST + 1);

	COVERS("REQ-73");
	ASSERT_EQ(0, vs_backstore_attr(&self->unit.env.bs[0], "emulate_tpws", "1"));
	memset(buf, 0, 512);
	EXPECT_GOOD(vs_scsi_write(dev, TAG, 0, more, buf, 512));
	buf[511] = 1;
	EXPECT_GOOD(vs_scsi_write(dev, TAG, 0, most, buf, 512));
	EXPECT_CC(5, 0x24, 0, vs_scsi_write(dev, TAG, 0, more, buf, 512));
	memset(buf, 0, 512);
	EXPECT_GOOD(vs_scsi_read(dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, MOST - 1, 1), buf, 512));
	EXPECT_EQ(1, buf[511]);
	more.b[1] = 0x08;	/* UNMAP */
	EXPECT_GOOD(vs_scsi_write(dev, TAG, 0, more, buf, 512));
}

/* What the sender's own key may do is the disk's business: this one has none. */
TEST_F(iblock, reservations_are_the_block_devices_own)
{
	struct vs_dev *dev = self->unit.dev;
	uint8_t *list = vs_mem_page(&dev->mem, 1);
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, 4, 24);	/* PREEMPT */

	COVERS("REQ-69");
	memset(list, 0, 24);
	list[7] = 1;
	list[15] = 1;
	cdb.b[2] = 1;
	ASSERT_EQ(0, vs_backstore_attr(&self->unit.env.bs[0], "pgr_support", "0"));
	EXPECT_CC(5, 0x20, 0, vs_scsi_write(dev, TAG, 0, cdb, list, 24));
	EXPECT_EQ(0, vs_backstore_attr(&self->unit.env.bs[0], "pgr_support", "1"));
}

TEST_HARNESS_MAIN
