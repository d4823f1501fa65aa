// SPDX-License-Identifier: GPL-2.0
/* A guest behind a virtual IOMMU: what its VMM is asked for, and how often. */
#include <poll.h>

#include "iotlb_queue_fixture.h"

#define LAST_PAGE	(~0ULL - VS_PAGE + 1)

/* Nobody answers, and all of the guest's memory is translated, but for a piece. */
static int map_all_but(struct vs_dev *dev, const uint8_t *piece, size_t size)
{
	const size_t before = piece - dev->mem.base, end = before + size;
	int ret = 0;

	vs_iotlb_pause(dev, true);
	if (before)
		ret = vs_iotlb_map(dev, VS_GPA, before, dev->mem.base, VHOST_ACCESS_RW);
	return ret ? ret : vs_iotlb_map(dev, VS_GPA + end, dev->mem.size - end,
					dev->mem.base + end, VHOST_ACCESS_RW);
}

TEST_F(iotlb, chain_that_waits_is_asked_for_again_behind_answers)
{
	uint8_t *piece = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, piece);
	uint64_t missed = 0;
	struct vs_req req;

	COVERS("FEA-13 F-MG-07");
	ASSERT_EQ(0, hold_reads(self->dev, &self->env.hold, &self->reads));
	ASSERT_EQ(0, map_all_but(self->dev, piece, VS_IOTLB_PIECE));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&req, piece, VS_PAGE);
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	/* The VMM has not read that yet when it answers another queue. */
	ASSERT_EQ(0, vs_iotlb_map(self->dev, 0, VS_PAGE, self->dev->mem.base,
				  VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, end_reads(&self->reads));
	/* In the same worker, behind what that may have woken. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vs_tmf(self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0, NULL));
	EXPECT_EQ(0, vs_iotlb_read(self->dev, &missed));
	EXPECT_EQ(iova, missed);
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova, VS_IOTLB_PIECE, piece, VHOST_ACCESS_RW));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(-1, vs_differs(piece, VS_PAGE, 0));
	vs_req_put(&req);
}

/*
 * A VMM whose guest has mapped the last page, behind which there is no address, answers
 * each time that it is asked for, until the device tells an error. Returns how often, or
 * -errno.
 */
static int answer_until_error(iotlb_data *self, const void *page, unsigned int most)
{
	struct pollfd pfd[] = {
		{ .fd = self->ring->err, .events = POLLIN },
		{ .fd = self->dev->fd, .events = POLLIN },
	};
	unsigned int i = 0;
	uint64_t missed;
	int ret;

	while (i < most) {
		if (poll(pfd, 2, vs_patience()) <= 0)
			return -ETIMEDOUT;
		if (pfd[0].revents)
			break;
		/* It may be taken back meanwhile, before the error is told. */
		ret = vs_iotlb_read(self->dev, &missed);
		if (ret == -EAGAIN)
			continue;
		if (ret || missed < LAST_PAGE)
			return ret ? ret : -EBADMSG;
		ret = vs_iotlb_map(self->dev, LAST_PAGE, VS_PAGE, page, VHOST_ACCESS_RW);
		if (ret)
			return ret;
		i++;
	}
	return i;
}

/* A READ that has an end that no translation serves. */
static int submit_endless(iotlb_data *self, struct vs_req *req, void *page)
{
	int ret = map_all_but(self->dev, self->dev->mem.base, 0);

	vs_req_get(req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 16));
	vs_req_in(req, page, 2 * VS_PAGE);
	req->chain.in[req->chain.n_in - 1].gpa = LAST_PAGE;
	vs_ring_errors(self->ring);
	return ret ? ret : vs_req_submit(req);
}

TEST_F(iotlb, buffer_over_the_end_of_all_addresses_is_told_as_an_error)
{
	int answers, most = 2 * vs_iotlb_limit();
	uint8_t *page = vs_mem_page(&self->dev->mem, 1);
	struct vs_req req;

	COVERS("FEA-13 F-MG-07 F-SE-10");
	ASSERT_LT(0, most);
	ASSERT_EQ(0, submit_endless(self, &req, page));
	answers = answer_until_error(self, page, most);
	EXPECT_LT(0, answers);
	EXPECT_GT(most, answers);
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
	vs_req_put(&req);
}

TEST_F(iotlb, queue_that_rests_is_not_woken_by_what_others_are_told)
{
	int i, times = 10, most = 2 * vs_iotlb_limit();
	uint8_t *page = vs_mem_page(&self->dev->mem, 1);
	struct vs_req req;
	int64_t kicks;

	COVERS("FEA-13 F-MG-07 F-SE-10");
	ASSERT_LT(0, most);
	ASSERT_EQ(0, submit_endless(self, &req, page));
	EXPECT_GT(most, answer_until_error(self, page, most));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
	kicks = vs_dev_counter(self->dev, self->ring->index, "kicks");
	for (i = 0; i < times; i++) {
		ASSERT_EQ(0, vs_iotlb_map(self->dev, i * VS_PAGE, VS_PAGE, page,
					  VHOST_ACCESS_RW));
		/* In the same worker, behind what that may have woken. */
		EXPECT_EQ(VIRTIO_SCSI_S_OK, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
	}
	/* When its rest is over it looks once, and once if it was asked to just before. */
	EXPECT_GE(2, vs_dev_counter(self->dev, self->ring->index, "kicks") - kicks);
	vs_req_put(&req);
}

TEST_F(iotlb, ring_over_the_end_of_all_addresses_is_told_as_an_error)
{
	struct vs_ring *ring = self->ring;
	struct vhost_vring_addr addr = {
		.index = ring->index,
		.desc_user_addr = 0 - sizeof(*ring->desc),
		.avail_user_addr = vs_mem_gpa(&self->dev->mem, ring->avail),
		.used_user_addr = vs_mem_gpa(&self->dev->mem, ring->used),
	};
	int answers, most = 2 * vs_iotlb_limit();
	uint8_t *page = vs_mem_page(&self->dev->mem, 1);

	COVERS("FEA-13 F-MG-07 F-SE-10");
	ASSERT_LT(0, most);
	ASSERT_EQ(0, map_all_but(self->dev, self->dev->mem.base, 0));
	vs_ring_errors(ring);
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_VRING_ADDR, &addr));
	answers = answer_until_error(self, page, most);
	EXPECT_LT(0, answers);
	EXPECT_GT(most, answers);
	ASSERT_EQ(0, vs_dev_set_addr(self->dev, ring));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, translation_that_is_told_again_takes_no_room)
{
	unsigned int i, limit = vs_iotlb_limit();

	COVERS("FEA-13 F-MG-07");
	ASSERT_LT(0, limit);
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, map_all_but(self->dev, self->dev->mem.base, 0));
	for (i = 0; i < limit; i++)
		ASSERT_EQ(0, vs_iotlb_map(self->dev, 0, VS_PAGE, self->dev->mem.base,
					  VHOST_ACCESS_RW));
	/* Nobody answers, and nothing is missed. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vs_tmf(self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0, NULL));
}

TEST_F(iotlb, answer_in_front_of_a_broken_chain_is_given)
{
	struct vs_req req;

	COVERS("FEA-13 REQ-14 F-RG-01");
	vs_req_get(&req, self->dev, TAG + 1, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	ASSERT_EQ(0, vs_ring_add(self->ring, &req.chain));
	vs_ring_expose(self->ring, self->ring->num);
	vs_ring_kick(self->ring);
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, req.rsp->response);
	vs_req_put(&req);
}

TEST_HARNESS_MAIN
