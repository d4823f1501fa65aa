// SPDX-License-Identifier: GPL-2.0
/* A guest behind an IOMMU, and few translations at once: fewer than its queues need. */
#include "iotlb_fixture.h"

#define QUEUES		16
#define LIMIT		64
#define PAGES		9
#define LEN		(PAGES * VS_PAGE)

FIXTURE(crowd) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(crowd)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.iommu = true,
		.dev.n_io = QUEUES,
		.disk = VS_DISK_HOLD,
	};

	if (vs_iotlb_reload(LIMIT))
		SKIP(return, "the vhost module cannot be loaded with another parameter");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

FIXTURE_TEARDOWN(crowd)
{
	vs_hold_release();
	if (self->dev)
		ENV_PUT(&self->env);
	if (vs_iotlb_limit() == LIMIT)
		EXPECT_EQ(0, vs_iotlb_reload(0));
}

/* Each of them alone needs less than a quarter of what there can be. */
TEST_F(crowd, queues_that_need_too_many_together_go_on_one_after_another)
{
	struct vs_mem *mem = &self->dev->mem;
	uint8_t *page[QUEUES];
	struct vs_req req[QUEUES];
	struct vs_result res;
	unsigned int i;

	COVERS("FEA-13 F-MG-07");
	ASSERT_EQ(LIMIT, vs_iotlb_limit());
	for (i = 0; i < QUEUES; i++)
		page[i] = vs_mem_page(mem, PAGES);
	vs_fill(page[0], LEN, 0);
	res = vs_scsi_write(self->dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 0, LEN / 512), page[0],
			    LEN);
	ASSERT_EQ(0, res.err + res.response + res.status);
	vs_iotlb_use_pages(self->dev);
	vs_iotlb_pause(self->dev, true);
	for (i = 0; i < QUEUES; i++) {
		memset(page[i], 0xee, LEN);
		vs_req_get(&req[i], self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, LEN / 512));
		req[i].ring = &self->dev->ring[VS_IO + i];
		vs_req_in(&req[i], page[i], LEN);
		ASSERT_EQ(0, vs_req_submit(&req[i]));
	}
	/* Not before all of them wait. */
	ASSERT_EQ(0, invalidate_all(self->dev));
	vs_iotlb_pause(self->dev, false);
	for (i = 0; i < QUEUES; i++) {
		EXPECT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(VIRTIO_SCSI_S_OK, req[i].rsp->response);
		EXPECT_EQ(0, req[i].rsp->status);
		EXPECT_EQ(-1, vs_differs(page[i], LEN, 0));
		vs_req_put(&req[i]);
	}
}

/* As of a guest that flushes its IOMMU again and again while its disk works. */
TEST_F(crowd, invalidations_that_wait_for_commands_are_no_errors)
{
	void *page = vs_mem_page(&self->dev->mem, 1);
	unsigned int i, queue;

	COVERS("FEA-13 F-MG-07");
	for (i = 0; i < LIMIT + QUEUES; i++) {
		struct vs_thread call;
		struct vs_req req;

		ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
		vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
		req.ring = &self->dev->ring[VS_IO + i % QUEUES];
		vs_req_in(&req, page, VS_PAGE);
		ASSERT_EQ(0, vs_req_submit(&req));
		ASSERT_EQ(0, vs_ring_wait_taken(req.ring, vs_patience()));
		ASSERT_EQ(0, vs_thread_start(&call, invalidate_all, self->dev));
		ASSERT_EQ(0, wait_idle(&call));
		ASSERT_EQ(0, vs_hold_go(&self->env.hold));
		ASSERT_EQ(0, vs_thread_end(&call));
		ASSERT_EQ(0, vs_req_wait(&req));
		EXPECT_EQ(0, req.rsp->status);
		vs_req_put(&req);
	}
	for (queue = 0; queue < VS_IO + QUEUES; queue++)
		EXPECT_EQ(0, vs_ring_errors(&self->dev->ring[queue]));
}

/* The VMM answers @n times. */
static int answer_some(struct vs_dev *dev, unsigned int n)
{
	uint64_t iova;
	int ret = 0;

	for (; n && !ret; n--) {
		ret = vs_iotlb_wait_miss(dev) ?: vs_iotlb_read(dev, &iova);
		iova &= -VS_PAGE;
		if (!ret)
			ret = vs_iotlb_map(dev, iova, VS_PAGE,
					   dev->mem.base + (iova - VS_GPA), VHOST_ACCESS_RW);
	}
	return ret;
}

/*
 * As of a guest that flushes its IOMMU while a long chain is being translated: it needs
 * less than there can be, but more answers than that.
 */
TEST_F(crowd, translations_that_were_taken_away_are_not_counted)
{
	const size_t len = (LIMIT / 2 + 8) * VS_PAGE;
	struct vs_dev *dev = self->dev;
	void *buf = vs_mem_page(&dev->mem, LIMIT / 2 + 8);
	unsigned int i, queue;
	struct vs_req req;

	COVERS("FEA-13 F-MG-07");
	ASSERT_EQ(LIMIT, vs_iotlb_limit());
	vs_iotlb_use_pages(dev);
	vs_iotlb_pause(dev, true);
	ASSERT_EQ(0, invalidate_all(dev));
	vs_req_get(&req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, len / 512));
	vs_req_in(&req, buf, len);
	ASSERT_EQ(0, vs_req_submit(&req));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, answer_some(dev, LIMIT / 2));
		ASSERT_EQ(0, invalidate_all(dev));
	}
	vs_iotlb_pause(dev, false);
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(0, req.rsp->status);
	vs_req_put(&req);
	for (queue = 0; queue < VS_IO + QUEUES; queue++)
		EXPECT_EQ(0, vs_ring_errors(&dev->ring[queue]));
}

TEST_HARNESS_MAIN
