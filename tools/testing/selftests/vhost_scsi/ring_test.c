// SPDX-License-Identifier: GPL-2.0
/* Rings of unusual sizes and contents, in memory that goes away, full and overfull. */
#include "ring_fixture.h"

TEST_F(ring, chain_of_nothing_comes_back_empty)
{
	struct vring_used_elem elem = {};

	COVERS("F-RG-16 REQ-06 REQ-24");
	vs_ring_write_desc(self->ring, 0, scratch(self->dev, 64), 0, NEXT, 1);
	vs_ring_write_desc(self->ring, 1, scratch(self->dev, 64), 0, WRITE, 0);
	vs_ring_expose(self->ring, 0);
	vs_ring_kick(self->ring);
	ASSERT_EQ(0, vs_ring_wait(self->ring, &elem, vs_patience()));
	EXPECT_EQ(0, elem.id);
	EXPECT_EQ(0, elem.len);
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
}

TEST_F(ring, kicks_without_buffers_change_nothing)
{
	unsigned int i;

	COVERS("F-RG-23");
	for (i = 0; i < 5000; i++)
		vs_ring_kick(self->ring);
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
}

/* Moved away and back: where it was there is nothing meanwhile. */
TEST_F(ring, descriptor_table_that_is_unmapped_stops_the_ring_until_it_is_back)
{
	struct vring_used_elem elem = {};
	void *desc = self->ring->desc;
	void *away;

	COVERS("F-RG-08");
	vs_ring_write_desc(self->ring, 0, scratch(self->dev, 64), 0, WRITE, 0);
	away = mmap(NULL, VS_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, away);
	/* Before the head: the worker may still be at the queue. */
	ASSERT_EQ(away, mremap(desc, VS_PAGE, VS_PAGE,
			       MREMAP_MAYMOVE | MREMAP_FIXED, away));
	vs_ring_expose(self->ring, 0);
	vs_ring_kick(self->ring);
	EXPECT_TRUE(complained(self->ring));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(desc, mremap(away, VS_PAGE, VS_PAGE,
			       MREMAP_MAYMOVE | MREMAP_FIXED, desc));
	vs_ring_kick(self->ring);
	ASSERT_EQ(0, vs_ring_wait(self->ring, &elem, vs_patience()));
	EXPECT_EQ(0, elem.id);
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
}

TEST_F(ring, used_ring_read_only_loses_that_head_only)
{
	void *used = self->ring->used;
	int64_t end = vs_now_ms() + vs_patience();

	COVERS("F-RG-07 REQ-40");
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
	vs_ring_write_desc(self->ring, 9, scratch(self->dev, 128), 64, 0, 0);
	ASSERT_EQ(0, mprotect(used, VS_PAGE, PROT_READ));
	vs_ring_expose(self->ring, 9);
	vs_ring_kick(self->ring);
	/* Any trace of the fault will do. */
	while (!vs_ring_errors(self->ring) && vs_now_ms() < end)
		usleep(2000);
	/* The worker leaves the queue. */
	ASSERT_LE(0, vs_dev_get_base(self->dev, self->ring->index));
	ASSERT_EQ(0, mprotect(used, VS_PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, reset_ring(self->dev, self->ring));
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
}

/* Rings of unusual sizes. */
FIXTURE(size) {
	struct vs_env env;
};

FIXTURE_VARIANT(size) {
	unsigned int num;
};

FIXTURE_VARIANT_ADD(size, 1) {
	.num = 1,
};

FIXTURE_VARIANT_ADD(size, 2) {
	.num = 2,
};

FIXTURE_VARIANT_ADD(size, 32768) {
	.num = 32768,
};

FIXTURE_SETUP(size)
{
	struct vs_env_opts opts = { .dev.ring_size = variant->num };

	ENV_GET(&self->env, &opts);
}

ENV_TEARDOWN(size);

TEST_F(size, ring_serves)
{
	struct vs_dev *dev = &self->env.dev;
	uint8_t *buf = vs_mem_page(&dev->mem, 1);
	unsigned int i;

	COVERS("F-RG-22 FEA-09 REQ-43");
	for (i = 0; i < 8; i++) {
		struct vs_req req;

		vs_req_get(&req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, i, 8));
		vs_req_in(&req, buf, VS_PAGE);
		req.chain.flags = VS_INDIRECT;
		ASSERT_EQ(0, vs_req_run(&req));
		EXPECT_EQ(VS_GOOD, req.rsp->status);
		vs_req_put(&req);
	}
}

/* More commands in flight than the ring has entries. */
FIXTURE(greedy) {
	struct vs_env env;
};

FIXTURE_SETUP(greedy)
{
	struct vs_env_opts opts = {
		.dev.ring_size = 16,
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_scsi_settle(&self->env.dev, TAG, 0));
}

ENV_TEARDOWN(greedy);

TEST_F(greedy, head_beyond_the_slots_is_answered_at_once)
{
	struct vs_dev *dev = &self->env.dev;
	struct vs_ring *ring = &dev->ring[VS_IO];
	struct vs_req req[16];
	uint8_t *buf = vs_mem_page(&dev->mem, 16);
	unsigned int i, full = 0;

	COVERS("F-RG-06 REQ-43 REQ-36 REQ-30");
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (i = 0; i < 16; i++) {
		vs_req_get(&req[i], dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
		req[i].chain.flags = VS_INDIRECT;
		ASSERT_EQ(0, vs_ring_add(ring, &req[i].chain));
	}
	vs_ring_kick(ring);
	ASSERT_EQ(0, vs_ring_wait_taken(ring, vs_patience()));
	/* All slots are taken; the same heads once more. */
	for (i = 0; i < 16; i++)
		vs_ring_expose(ring, req[i].chain.head);
	vs_ring_kick(ring);
	for (i = 0; i < 16; i++) {
		struct vring_used_elem elem;
		unsigned int j;

		ASSERT_EQ(0, vs_ring_wait(ring, &elem, vs_patience()));
		for (j = 0; j < 16; j++)
			if (req[j].chain.head == (int)elem.id)
				break;
		ASSERT_LT(j, 16);
		if (req[j].rsp->response == VIRTIO_SCSI_S_BUSY ||
		    (req[j].rsp->response == VIRTIO_SCSI_S_OK &&
		     req[j].rsp->status == VS_TASK_SET_FULL))
			full++;
	}
	EXPECT_EQ(16, full);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, vs_ring_wait(ring, NULL, vs_patience()));
	EXPECT_EQ(0, vs_ring_pending(ring));
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(2, req[i].chain.times);
		vs_req_put(&req[i]);
	}
}

TEST_HARNESS_MAIN
