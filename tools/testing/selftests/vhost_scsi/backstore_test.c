// SPDX-License-Identifier: GPL-2.0
/* A backstore that fails, changes its size, or is not accessible. */
#include <stdio.h>

#include "vs_test.h"

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

FIXTURE_TEARDOWN(backstore)
{
	ENV_PUT(&self->env);
}

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

TEST_HARNESS_MAIN
