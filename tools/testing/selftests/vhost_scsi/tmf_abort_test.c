// SPDX-License-Identifier: GPL-2.0
/* ABORT TASK: commands that are with the disk, wait for others, hold locks, or are not there. */
#include "tmf_fixture.h"

TEST_F(tmf, abort_task_ends_the_command_that_it_names)
{
	unsigned int victim, i;

	COVERS("CTL-06 CTL-15 CTL-16 F-TM-01 F-TM-10 REQ-15 REQ-28 FAB-20");
	/* A read and a write, on either queue. */
	for (victim = 0; victim < 4; victim++) {
		ASSERT_EQ(0, leave_some(self->dev, self->req, 4, 0));
		ASSERT_EQ(0, start(self->dev, &self->chain, &self->rsp, 0,
				   ABORT_TASK, self->req[victim].hdr->tag, 1));
		EXPECT_EQ(0, answered(self->dev));
		ASSERT_EQ(0, vs_hold_go(&self->env.hold));
		EXPECT_EQ(COMPLETE, finish(self->dev, &self->chain, self->rsp));
		/* Its answer was there before the function's. */
		EXPECT_LE(1, answered(self->dev));
		EXPECT_EQ(VIRTIO_SCSI_S_ABORTED,
			  self->req[victim].rsp->response);
		for (i = 0; i < 4; i++) {
			if (i == victim)
				EXPECT_ENDED(VIRTIO_SCSI_S_ABORTED,
					     &self->req[i]);
			else
				EXPECT_DONE(&self->req[i]);
			vs_req_put(&self->req[i]);
		}
		ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	}
	memset(self->req, 0, sizeof(self->req));
}

TEST_F(tmf, abort_of_what_is_not_there_is_complete_and_harmless)
{
	uint64_t gone;
	unsigned int i;

	COVERS("CTL-06 CTL-18 F-TM-06");
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	prepare(self->dev, &self->req[7], 0, 0);
	ASSERT_EQ(0, vs_req_submit(&self->req[7]));
	EXPECT_DONE(&self->req[7]);
	gone = self->req[7].hdr->tag;
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	ASSERT_EQ(0, leave_some(self->dev, self->req, 4, 0));
	/* Done, never there, and another unit's. */
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, ABORT_TASK, gone, NULL));
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, ABORT_TASK, ~0ULL, NULL));
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 1, ABORT_TASK,
				   self->req[0].hdr->tag, NULL));
	EXPECT_EQ(VIRTIO_SCSI_S_INCORRECT_LUN,
		  vs_tmf(self->dev, TAG, 9, ABORT_TASK,
			 self->req[0].hdr->tag, NULL));
	/* The core was not asked, so it printed nothing. */
	EXPECT_EQ(0, vs_env_logged(&self->env, "ABORT_TASK"));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < 4; i++)
		EXPECT_DONE(&self->req[i]);
	/* What has ended keeps its result. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK, self->req[7].rsp->response);
	EXPECT_EQ(1, self->req[7].chain.times);
}

TEST_F(tmf, abort_twice_ends_a_command_once)
{
	struct vs_chain second;
	uint8_t *rsp;

	COVERS("F-TM-06 CTL-19");
	ASSERT_EQ(0, leave_some(self->dev, self->req, 1, 0));
	ASSERT_EQ(0, start(self->dev, &self->chain, &self->rsp, 0, ABORT_TASK,
			   self->req[0].hdr->tag, 1));
	/* LIO finds nothing to abort any more. */
	ASSERT_EQ(0, start(self->dev, &second, &rsp, 0, ABORT_TASK,
			   self->req[0].hdr->tag, 1));
	/* Neither is answered while the command is there, however long that is. */
	EXPECT_EQ(-ETIMEDOUT, vs_ring_wait(&self->dev->ring[VS_CTL], NULL, 300));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(COMPLETE, finish(self->dev, &self->chain, self->rsp));
	EXPECT_EQ(COMPLETE, finish(self->dev, &second, rsp));
	EXPECT_ENDED(VIRTIO_SCSI_S_ABORTED, &self->req[0]);
}

TEST_F(tmf, abort_ends_at_least_one_of_two_commands_with_one_tag)
{
	static const uint64_t tag[] = { 0, ~0ULL, 77 };
	unsigned int round, i, ended;

	COVERS("F-TM-05");
	for (round = 0; round < ARRAY_SIZE(tag); round++) {
		for (i = 0; i < 3; i++) {
			prepare(self->dev, &self->req[i], i, 0);
			self->req[i].hdr->tag = i < 2 ? tag[round] : 4711;
			ASSERT_EQ(0, leave(&self->req[i]));
		}
		ASSERT_EQ(0, start(self->dev, &self->chain, &self->rsp, 0,
				   ABORT_TASK, tag[round], 2));
		ASSERT_EQ(0, vs_hold_go(&self->env.hold));
		EXPECT_EQ(COMPLETE, finish(self->dev, &self->chain, self->rsp));
		EXPECT_DONE(&self->req[2]);
		for (i = 0, ended = 0; i < 2; i++) {
			EXPECT_EQ(0, vs_req_wait(&self->req[i]));
			ended += self->req[i].rsp->response ==
				 VIRTIO_SCSI_S_ABORTED;
		}
		EXPECT_LE(1, ended);
		for (i = 0; i < 3; i++)
			vs_req_put(&self->req[i]);
		ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	}
	memset(self->req, 0, sizeof(self->req));
}

TEST_F(tmf, a_command_that_waits_for_an_ordered_one_can_be_aborted)
{
	unsigned int i;

	COVERS("F-TM-14 SCSI-12");
	/* The second waits for the first, the third for the second. */
	for (i = 0; i < 3; i++) {
		prepare(self->dev, &self->req[i], i, 0);
		if (i == 1)
			self->req[i].hdr->task_attr = VIRTIO_SCSI_S_ORDERED;
		ASSERT_EQ(0, leave(&self->req[i]));
	}
	ASSERT_EQ(0, start(self->dev, &self->chain, &self->rsp, 0, ABORT_TASK,
			   self->req[1].hdr->tag, 1));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(COMPLETE, finish(self->dev, &self->chain, self->rsp));
	EXPECT_DONE(&self->req[0]);
	EXPECT_ENDED(VIRTIO_SCSI_S_ABORTED, &self->req[1]);
	EXPECT_DONE(&self->req[2]);
	/* Neither is the count of ordered commands lost. */
	prepare(self->dev, &self->req[3], 1, 0);
	self->req[3].hdr->task_attr = VIRTIO_SCSI_S_ORDERED;
	ASSERT_EQ(0, vs_req_submit(&self->req[3]));
	EXPECT_DONE(&self->req[3]);
}

/* COMPARE AND WRITE of one block, with data that is there. */
static void prepare_compare(struct vs_dev *dev, struct vs_req *req)
{
	struct vs_cdb cdb = vs_cdb_op(VS_COMPARE_AND_WRITE);
	uint8_t *buf = vs_mem_page(&dev->mem, 1);

	cdb.b[13] = 1;
	memset(buf, 0, 1024);
	vs_req_get(req, dev, TAG, 0, cdb);
	vs_req_out(req, buf, 1024);
}

TEST_F(tmf, compare_and_write_can_be_aborted_and_leaves_no_lock)
{
	uint8_t *zero = vs_mem_page(&self->dev->mem, 1);

	COVERS("F-TM-14 SCSI-13");
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	memset(zero, 0, VS_PAGE);
	ASSERT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, 8), zero,
				  VS_PAGE));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	prepare_compare(self->dev, &self->req[0]);
	ASSERT_EQ(0, leave(&self->req[0]));
	ASSERT_EQ(0, start(self->dev, &self->chain, &self->rsp, 0, ABORT_TASK,
			   self->req[0].hdr->tag, 1));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(COMPLETE, finish(self->dev, &self->chain, self->rsp));
	EXPECT_ENDED(VIRTIO_SCSI_S_ABORTED, &self->req[0]);
	prepare_compare(self->dev, &self->req[1]);
	ASSERT_EQ(0, vs_req_submit(&self->req[1]));
	EXPECT_DONE(&self->req[1]);
}

TEST_HARNESS_MAIN
