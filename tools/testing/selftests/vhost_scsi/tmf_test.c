// SPDX-License-Identifier: GPL-2.0
/* Task management that resets, ends all commands of a unit or a nexus, or asks for them. */
#include "tmf_fixture.h"

FIXTURE(task_set) {
	tmf_data t;
};

FIXTURE_VARIANT(task_set) {
	uint32_t subtype;
	uint8_t response;
	bool other_unit;
	unsigned int parts;	/* functions of LIO's, which wait for a command each */
};

/* The commands of one unit. */
FIXTURE_VARIANT_ADD(task_set, abort) {
	.subtype = ABORT_TASK_SET,
	.response = VIRTIO_SCSI_S_ABORTED,
	.parts = 4,
};

FIXTURE_VARIANT_ADD(task_set, clear) {
	.subtype = CLEAR_TASK_SET,
	.response = VIRTIO_SCSI_S_ABORTED,
	.parts = 4,
};

/* The commands of all units. */
FIXTURE_VARIANT_ADD(task_set, nexus) {
	.subtype = NEXUS_RESET,
	.response = VIRTIO_SCSI_S_RESET,
	.other_unit = true,
	.parts = 8,
};

/* LIO resets the disk, hence both units. */
FIXTURE_VARIANT_ADD(task_set, unit) {
	.subtype = LUN_RESET,
	.response = VIRTIO_SCSI_S_RESET,
	.other_unit = true,
	.parts = 1,
};

/* The harness's name for the variants of the other fixture. */
static const struct _fixture_variant_tmf task_set_workers = {
	.own_workers = true,
};

FIXTURE_SETUP(task_set)
{
	tmf_setup(_metadata, &self->t, &task_set_workers);
}

FIXTURE_TEARDOWN(task_set)
{
	tmf_teardown(_metadata, &self->t, &task_set_workers);
}

TEST_F(task_set, all_commands_end_before_the_function)
{
	tmf_data *t = &self->t;
	unsigned int i;

	COVERS("CTL-07 CTL-09 CTL-10 CTL-13 CTL-15 F-TM-13 F-TM-10 REQ-28 REQ-29");
	ASSERT_EQ(0, leave_some(t->dev, t->req, 4, 0));
	ASSERT_EQ(0, leave_some(t->dev, t->req + 4, 4, 1));
	ASSERT_EQ(0, start(t->dev, &t->chain, &t->rsp, 0, variant->subtype,
			   0, variant->parts));
	EXPECT_EQ(0, vs_ring_pending(&t->dev->ring[VS_CTL]));
	ASSERT_EQ(0, vs_hold_go(&t->env.hold));
	EXPECT_EQ(COMPLETE, finish(t->dev, &t->chain, t->rsp));
	EXPECT_LE(4, answered(t->dev));
	for (i = 0; i < 4; i++)
		EXPECT_ENDED(variant->response, &t->req[i]);
	for (i = 4; i < 8; i++) {
		if (variant->other_unit)
			EXPECT_ENDED(VIRTIO_SCSI_S_RESET, &t->req[i]);
		else
			EXPECT_DONE(&t->req[i]);
	}
}

TEST_F(task_set, without_commands_it_is_complete_at_once)
{
	tmf_data *t = &self->t;

	COVERS("CTL-07 CTL-09 CTL-10 CTL-13 F-TM-13");
	EXPECT_EQ(COMPLETE, vs_tmf(t->dev, TAG, 0, variant->subtype, 0, NULL));
	EXPECT_EQ(variant->subtype == NEXUS_RESET ? COMPLETE :
		  VIRTIO_SCSI_S_INCORRECT_LUN,
		  vs_tmf(t->dev, TAG, 9, variant->subtype, 0, NULL));
}

TEST_F(tmf, nexus_reset_leaves_a_unit_attention_at_each_unit)
{
	uint16_t lun;

	COVERS("CTL-10 SCSI-05");
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, NEXUS_RESET, 0, NULL));
	for (lun = 0; lun < 2; lun++) {
		EXPECT_CC(6, 0x29, 0x07,
			  vs_scsi_read(self->dev, TAG, lun,
				       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, lun,
					 vs_cdb_op(VS_TEST_UNIT_READY), NULL,
					 0));
	}
}

#define RESETS 2000

/* Nobody hears of them meanwhile: LIO would keep each behind the nexus's loss. */
TEST_F(tmf, unit_attentions_of_many_resets_are_kept_once)
{
	long before = vs_slab_objects("se_ua_cache");
	unsigned int i;

	COVERS("CTL-09 CTL-10 SCSI-05 REQ-71");
	if (before < 0)
		SKIP(return, "the kernel counts unit attentions with other objects");
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, NEXUS_RESET, 0, NULL));
	for (i = 0; i < RESETS; i++)
		ASSERT_EQ(COMPLETE, vs_tmf(self->dev, TAG, i & 1, LUN_RESET, 0,
					   NULL));
	EXPECT_GT(RESETS / 2, vs_slab_objects("se_ua_cache") - before);
	/* One is reported, and takes the others with it. */
	for (i = 0; i < 2; i++) {
		EXPECT_CC(6, 0x29, 0x07,
			  vs_scsi_read(self->dev, TAG, i,
				       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, i,
					 vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	}
}

TEST_F(tmf, queries_say_what_is_there_and_end_nothing)
{
	uint64_t tag;
	uint32_t len;

	COVERS("CTL-11 CTL-12 CTL-02 F-TM-13");
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, QUERY_TASK, 1, NULL));
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, QUERY_TASK_SET, 0, NULL));
	ASSERT_EQ(0, leave_some(self->dev, self->req, 2, 0));
	tag = self->req[1].hdr->tag;
	EXPECT_EQ(SUCCEEDED, vs_tmf(self->dev, TAG, 0, QUERY_TASK, tag, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(SUCCEEDED, vs_tmf(self->dev, TAG, 0, QUERY_TASK_SET, 0, NULL));
	/* Another tag, and another unit. */
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, QUERY_TASK, ~tag, NULL));
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 1, QUERY_TASK, tag, NULL));
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 1, QUERY_TASK_SET, 0, NULL));
	EXPECT_EQ(VIRTIO_SCSI_S_INCORRECT_LUN,
		  vs_tmf(self->dev, TAG, 9, QUERY_TASK_SET, 0, NULL));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_DONE(&self->req[0]);
	EXPECT_DONE(&self->req[1]);
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, QUERY_TASK, tag, NULL));
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, QUERY_TASK_SET, 0, NULL));
}

TEST_F(tmf, clear_endpoint_waits_for_an_abort)
{
	int status;
	pid_t pid;

	COVERS("CTL-19 F-TM-09 REQ-58");
	ASSERT_EQ(0, leave_some(self->dev, self->req, 4, 0));
	ASSERT_EQ(0, start(self->dev, &self->chain, &self->rsp, 0,
			   ABORT_TASK_SET, 0, 4));
	pid = vs_hold_go_once_stuck(&self->env.hold, getpid());
	ASSERT_LE(0, pid);
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(4, answered(self->dev));
	EXPECT_EQ(COMPLETE, finish(self->dev, &self->chain, self->rsp));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
