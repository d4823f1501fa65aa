// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log at its edges: memory that the guest has in part twice, behind an IOMMU, and
 * protection information of a command that has no data.
 */
#include "dirty_fixture.h"
#include "vs_iotlb.h"
#include "vs_pi.h"

#define LEN	(4 << 20)

FIXTURE(translated) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dirty dirty;
};

FIXTURE_SETUP(translated)
{
	struct vs_env_opts opts = {
		.dev.iommu = true,
		.disk = VS_DISK_RAM,
		.mib = LEN >> 20,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_dirty_get(&self->dirty, self->dev));
}

FIXTURE_TEARDOWN(translated)
{
	ENV_PUT(&self->env);
	vs_dirty_put(&self->dirty);
}

/* The core, left alone with it, would go through the buffer byte by byte. */
TEST_F(translated, memory_that_overlaps_by_a_byte_is_logged_by_pages)
{
	struct vs_mem *mem = &self->dev->mem;
	uint8_t *buf = vs_mem_page(mem, LEN / VS_PAGE + 1);
	struct vhost_memory_region region[] = {
		{ VS_GPA, mem->size, (uintptr_t)mem->base, 0 },
		{ VS_GPA + mem->size, 1, (uintptr_t)buf + LEN - 1, 0 },
	};
	unsigned int i;

	COVERS("F-MG-01 FEA-13");
	ASSERT_EQ(0, vs_dev_set_regions(self->dev, region, 2));
	/* The buffer is one segment. */
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, mem->size, mem->base, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	vs_dirty_mark(&self->dirty);
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, LEN / 512),
				 buf, LEN));
	for (i = 0; i < LEN; i += VS_PAGE)
		EXPECT_TRUE(vs_dirty_has(&self->dirty, buf + i));
	EXPECT_FALSE(vs_dirty_has(&self->dirty, buf + LEN));
	EXPECT_TRUE(vs_dirty_has_gpa(&self->dirty, VS_GPA + mem->size));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

FIXTURE(guarded) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dirty dirty;
};

FIXTURE_SETUP(guarded)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_BIT(VIRTIO_SCSI_F_T10_PI),
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_dirty_get(&self->dirty, self->dev));
}

FIXTURE_TEARDOWN(guarded)
{
	ENV_PUT(&self->env);
	vs_dirty_put(&self->dirty);
}

TEST_F(guarded, room_for_protection_without_data_is_not_logged)
{
	uint8_t *buf = (uint8_t *)vs_mem_page(&self->dev->mem, 4) + VS_PAGE;
	struct vs_req req;

	COVERS("F-MG-01 F-SE-06");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	vs_req_pi(&req, 0, VS_PAGE);
	vs_req_in(&req, buf, 2 * VS_PAGE);
	vs_dirty_mark(&self->dirty);
	ASSERT_EQ(0, vs_req_run(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(0, req.rsp->status);
	EXPECT_TRUE(vs_dirty_has(&self->dirty, req.rsp));
	EXPECT_FALSE(vs_dirty_has(&self->dirty, buf));
	vs_req_put(&req);
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_HARNESS_MAIN
