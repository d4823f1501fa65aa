// SPDX-License-Identifier: GPL-2.0
/*
 * A guest behind a virtual IOMMU: what its buffers mean, and that nothing is written
 * through a translation that was taken away.
 */
#include <poll.h>

#include "iotlb_queue_fixture.h"

static int read_into(iotlb_data *self, struct vs_req *req, void *piece)
{
	vs_req_get(req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(req, piece, VS_PAGE);
	return vs_req_submit(req);
}

TEST_F(iotlb, nothing_is_written_where_an_address_was)
{
	uint8_t *piece = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, piece);
	uint8_t *other = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	struct vs_thread call;
	struct vs_req req[2];

	COVERS("FEA-13 F-MG-07 F-SE-10");
	ASSERT_EQ(0, vs_iotlb_update(self->dev, iova));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	ASSERT_EQ(0, read_into(self, &req[0], piece));
	ASSERT_EQ(0, vs_ring_wait_taken(self->ring, vs_patience()));
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_thread_start(&call, invalidate_all, self->dev));
	ASSERT_EQ(0, wait_idle(&call));
	ASSERT_EQ(0, read_into(self, &req[1], piece));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&call));
	/* What was taken before has been written, and nothing will be any more. */
	EXPECT_EQ(-1, vs_differs(piece, VS_PAGE, 0));
	memset(piece, VS_POISON, VS_PAGE);
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova, VS_IOTLB_PIECE, other,
				  VHOST_ACCESS_RW));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_req_end_all(req, 2));
	EXPECT_EQ(-1, vs_differs(other, VS_PAGE, 0));
	EXPECT_EQ(-1, vs_not_all(piece, VS_PAGE, VS_POISON));
}

TEST_F(iotlb, buffers_in_pieces_are_asked_for_piece_by_piece)
{
	uint8_t *piece = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, piece);
	uint8_t *other = vs_mem_page(&self->dev->mem, 3), want[VS_PAGE];
	uint64_t missed;
	struct vs_req req;

	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	/* Nothing but what is in front of the piece, and of this only its ends. */
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, iova - VS_GPA, self->dev->mem.base,
				  VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova, 1000, other, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova + 3000, VS_PAGE - 3000,
				  other + 2 * VS_PAGE, VHOST_ACCESS_RW));
	/* The header and the response lie behind it. */
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&req, piece, VS_PAGE);
	ASSERT_EQ(0, vs_iotlb_update(self->dev, vs_mem_gpa(&self->dev->mem, req.hdr)));
	ASSERT_EQ(0, vs_iotlb_update(self->dev, vs_mem_gpa(&self->dev->mem, req.rsp)));
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(0, vs_iotlb_read(self->dev, &missed));
	EXPECT_EQ(iova + 1000, missed);
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova + 1000, 2000, other + VS_PAGE,
				  VHOST_ACCESS_RW));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	memcpy(want, other, 1000);
	memcpy(want + 1000, other + VS_PAGE, 2000);
	memcpy(want + 3000, other + 2 * VS_PAGE, VS_PAGE - 3000);
	EXPECT_EQ(-1, vs_differs(want, VS_PAGE, 0));
	vs_req_put(&req);
}

/* Waits until the queue's error eventfd is signalled. */
static int wait_error(struct vs_ring *ring)
{
	struct pollfd pfd = { .fd = ring->err, .events = POLLIN };

	return poll(&pfd, 1, vs_patience()) == 1 ? 0 : -ETIMEDOUT;
}

/* As many pages, and where each of them lies: in order, or the other way round. */
static int map_pages(iotlb_data *self, uint8_t *buf, unsigned int n, bool in_order)
{
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, buf);
	unsigned int i;
	int ret = vs_iotlb_invalidate(self->dev, iova, n * VS_PAGE);

	for (i = 0; i < n && !ret; i++)
		ret = vs_iotlb_map(self->dev, iova + i * VS_PAGE, VS_PAGE,
				   buf + (in_order ? i : n - 1 - i) * VS_PAGE,
				   VHOST_ACCESS_RW);
	return ret;
}

TEST_F(iotlb, buffer_of_more_pieces_than_a_chain_may_have_is_one_segment)
{
	enum { PAGES = 1100 };
	uint8_t *buf = vs_mem_alloc(&self->dev->mem, PAGES * VS_PAGE, VS_PAGE);
	struct vs_req req;

	COVERS("FEA-13 F-MG-07 REQ-49");
	if (vs_iotlb_limit() < PAGES + 64)
		SKIP(return, "the IOTLB has too few entries");
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, PAGES * 8));
	vs_req_in(&req, buf, PAGES * VS_PAGE);
	vs_iotlb_pause(self->dev, true);
	/* Not if they are nowhere near each other: they are that many segments then. */
	ASSERT_EQ(0, map_pages(self, buf, PAGES, false));
	vs_iotlb_pause(self->dev, false);
	vs_ring_errors(self->ring);
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, wait_error(self->ring));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	ASSERT_EQ(0, map_pages(self, buf, PAGES, true));
	vs_ring_kick(self->ring);
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	vs_req_put(&req);
	/* The reset has left an attention. */
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_ring_errors(self->ring);
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, PAGES * 8));
	vs_req_in(&req, buf, PAGES * VS_PAGE);
	EXPECT_GOOD(vs_req_finish(&req));
	EXPECT_EQ(-1, vs_differs(buf, VS_PAGE, 0));
	EXPECT_EQ(0, vs_ring_errors(self->ring));
	vs_req_put(&req);
}

TEST_F(iotlb, queue_asks_nothing_again_for_what_others_get)
{
	uint8_t *piece = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	const size_t before = piece - self->dev->mem.base, end = before + VS_IOTLB_PIECE;
	const uint64_t iova = VS_GPA + before;
	uint64_t missed;
	struct vs_req req;

	COVERS("FEA-13 F-SE-10");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, before, self->dev->mem.base,
				  VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA + end, self->dev->mem.size - end,
				  self->dev->mem.base + end, VHOST_ACCESS_RW));
	ASSERT_EQ(0, read_into(self, &req, piece));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(0, vs_iotlb_read(self->dev, &missed));
	EXPECT_EQ(iova, missed);
	ASSERT_EQ(0, vs_iotlb_map(self->dev, 0, VS_PAGE, self->dev->mem.base,
				  VHOST_ACCESS_RW));
	/* In the same worker, behind what that may have woken. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vs_tmf(self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0, NULL));
	EXPECT_EQ(-EAGAIN, vs_iotlb_read(self->dev, &missed));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova, VS_IOTLB_PIECE, piece, VHOST_ACCESS_RW));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(-1, vs_differs(piece, VS_PAGE, 0));
	vs_req_put(&req);
}

TEST_F(iotlb, read_only_memory_is_read_and_not_written)
{
	uint8_t *piece = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, piece);
	struct vs_cdb cdb = vs_cdb_rw10(VS_WRITE_10, 64, 8);
	struct vs_req req;

	COVERS("FEA-13 F-MG-07 F-SE-10");
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova, VS_IOTLB_PIECE, piece, VHOST_ACCESS_RO));
	vs_fill(piece, VS_PAGE, 77);
	EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0, cdb, piece, VS_PAGE));
	vs_ring_errors(self->ring);
	ASSERT_EQ(0, read_into(self, &req, piece));
	ASSERT_EQ(0, wait_error(self->ring));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	EXPECT_EQ(-1, vs_differs(piece, VS_PAGE, 77));
	/* It may, from now on. */
	ASSERT_EQ(0, vs_iotlb_invalidate(self->dev, iova, VS_IOTLB_PIECE));
	ASSERT_EQ(0, vs_iotlb_update(self->dev, iova));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(-1, vs_differs(piece, VS_PAGE, 0));
	vs_req_put(&req);
}

TEST_HARNESS_MAIN
