// SPDX-License-Identifier: GPL-2.0
/*
 * Another unit at the number of one that a command was decided about: while its pages
 * are pinned, for as long as a VMM likes, an administrator takes the LUN away.
 */
#include "vs_hole.h"
#include "vs_test.h"

#define TAG VS_TAG

enum other {
	OTHER_NONE,
	OTHER_RAMDISK,
	OTHER_PI,
	OTHER_4K,
};

FIXTURE(relink) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req;
	uint8_t *page;
	int hole;
};

FIXTURE_VARIANT(relink) {
	enum other other;
};

FIXTURE_VARIANT_ADD(relink, no_unit) {
	.other = OTHER_NONE,
};

FIXTURE_VARIANT_ADD(relink, another_ramdisk) {
	.other = OTHER_RAMDISK,
};

FIXTURE_VARIANT_ADD(relink, unit_with_protection) {
	.other = OTHER_PI,
};

FIXTURE_VARIANT_ADD(relink, unit_with_larger_blocks) {
	.other = OTHER_4K,
};

FIXTURE_SETUP(relink)
{
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	self->page = vs_mem_page(&self->dev->mem, 1);
	self->hole = vs_hole_get(self->page);
	ASSERT_LE(0, self->hole);
}

FIXTURE_TEARDOWN(relink)
{
	close(self->hole);
	vs_req_put(&self->req);
	ENV_PUT(&self->env);
}

static int link_other(struct vs_env *env, enum other other)
{
	struct vs_backstore *bs = &env->bs[1];
	int ret;

	if (other == OTHER_NONE)
		return 0;
	if (other == OTHER_4K)
		ret = vs_fileio_get(bs, 1, VS_FILE, VS_DISK_MIB);
	else
		ret = vs_ramdisk_get(bs, 1, VS_DISK_MIB, false);
	if (!ret && other == OTHER_4K)
		ret = vs_backstore_attr(bs, "block_size", "4096");
	if (!ret && other == OTHER_PI)
		ret = vs_backstore_attr(bs, "pi_prot_type", "1");
	return ret ? ret : vs_lun_link(VS_WWN, TAG, 0, bs);
}

/* Stuck in its page, then LUN 0 is another one, then the page comes. */
static int run(struct vs_env *env, struct vs_req *req, int hole, uint8_t *page,
	       enum other other)
{
	int ret = vs_req_submit(req);

	if (!ret)
		ret = vs_hole_wait(hole);
	if (!ret)
		ret = vs_lun_unlink(VS_WWN, TAG, 0);
	if (!ret)
		ret = link_other(env, other);
	if (!ret)
		ret = vs_hole_fill(hole, page);
	return ret ? ret : vs_req_wait(req);
}

TEST_F(relink, read_does_not_come_from_it)
{
	struct vs_req *req = &self->req;

	COVERS("REQ-65");
	vs_req_get(req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(req, self->page, VS_PAGE);
	ASSERT_EQ(0, run(&self->env, req, self->hole, self->page,
			 variant->other));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req->rsp->response);
	EXPECT_EQ(VS_CHECK_CONDITION, req->rsp->status);
	/* Of larger blocks LIO finds by itself that the buffer holds too few. */
	if (variant->other != OTHER_4K)
		EXPECT_EQ(sense(5, 0x25, 0), vs_req_sense(req));
	EXPECT_EQ(VS_PAGE, req->rsp->resid);
	EXPECT_EQ(VS_RSP, req->chain.used_len);
}

/* The list that it would get is not one that LIO can protect. */
TEST_F(relink, write_does_not_go_to_it)
{
	struct vs_req *req = &self->req;

	COVERS("REQ-65");
	vs_req_get(req, self->dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 0, 1));
	vs_req_out(req, self->page, 512);
	ASSERT_EQ(0, run(&self->env, req, self->hole, self->page,
			 variant->other));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req->rsp->response);
	EXPECT_EQ(VS_CHECK_CONDITION, req->rsp->status);
	/* LIO protects the LUN 0 that stands for all others. */
	if (variant->other != OTHER_4K)
		EXPECT_EQ(variant->other == OTHER_NONE ? sense(7, 0x27, 0) :
			  sense(5, 0x25, 0), vs_req_sense(req));
}

TEST_HARNESS_MAIN
