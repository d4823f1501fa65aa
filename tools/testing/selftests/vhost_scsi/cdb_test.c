// SPDX-License-Identifier: GPL-2.0
/* Operation codes and CDBs, those that LIO does not know among them. */
#include "vs_test.h"

#define TAG VS_TAG

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
