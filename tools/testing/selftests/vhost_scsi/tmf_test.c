// SPDX-License-Identifier: GPL-2.0
/*
 * Task management that acts: commands that a disk holds are aborted, reset or
 * asked for. LIO waits for the disk too, so a test starts a function, lets the
 * disk go, and looks at what became of each command.
 */
#include "vs_test.h"

#define TAG		VS_TAG
#define COMPLETE	VIRTIO_SCSI_S_OK
#define SUCCEEDED	VIRTIO_SCSI_S_FUNCTION_SUCCEEDED

#define ABORT_TASK	VIRTIO_SCSI_T_TMF_ABORT_TASK
#define ABORT_TASK_SET	VIRTIO_SCSI_T_TMF_ABORT_TASK_SET
#define CLEAR_TASK_SET	VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET
#define NEXUS_RESET	VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET
#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET
#define QUERY_TASK	VIRTIO_SCSI_T_TMF_QUERY_TASK
#define QUERY_TASK_SET	VIRTIO_SCSI_T_TMF_QUERY_TASK_SET

#define N_IO		2
#define N_HELD		8
#define COMPARE_AND_WRITE 0x89

/* Unit 0 and unit 1 are one disk, which holds what it gets. */
FIXTURE(tmf) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req[N_HELD];
	struct vs_chain chain;
	uint8_t *rsp;
};

FIXTURE_VARIANT(tmf) {
	bool own_workers;
};

FIXTURE_VARIANT_ADD(tmf, one_worker) {
	.own_workers = false,
};

FIXTURE_VARIANT_ADD(tmf, a_worker_a_queue) {
	.own_workers = true,
};

FIXTURE_SETUP(tmf)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.n_io = N_IO,
		.dev.own_workers = variant->own_workers,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[0]));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
}

FIXTURE_TEARDOWN(tmf)
{
	size_t i;

	vs_hold_release();
	for (i = 0; i < N_HELD; i++)
		if (self->req[i].ring)
			vs_req_put(&self->req[i]);
	ENV_PUT(&self->env);
}

/* One command of 4 KiB, a read or a write, on one of the queues. */
static void prepare(struct vs_dev *dev, struct vs_req *req, unsigned int i,
		    uint16_t lun)
{
	bool write = i % 4 > 1;
	void *buf = vs_mem_page(&dev->mem, 1);

	vs_req_get(req, dev, TAG, lun,
		   vs_cdb_rw10(write ? VS_WRITE_10 : VS_READ_10, i * 8, 8));
	req->ring = &dev->ring[VS_IO + i % N_IO];
	if (write)
		vs_req_out(req, buf, VS_PAGE);
	else
		vs_req_in(req, buf, VS_PAGE);
}

/* Sends a prepared command and waits until the device has taken it. */
static int leave(struct vs_req *req)
{
	int ret = vs_req_submit(req);

	return ret ? ret : vs_ring_wait_taken(req->ring, vs_patience());
}

/* Leaves commands for a unit with the disk, spread over the queues. */
static int leave_some(struct vs_dev *dev, struct vs_req *req, unsigned int n,
		      uint16_t lun)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++) {
		prepare(dev, &req[i], i, lun);
		ret = leave(&req[i]);
	}
	return ret;
}

/* Starts a function and gives it time to reach LIO. */
static int start(struct vs_dev *dev, struct vs_chain *chain, uint8_t **rsp,
		 uint16_t lun, uint32_t subtype, uint64_t tag)
{
	struct vs_ring *ring = &dev->ring[VS_CTL];
	int ret;

	vs_chain_get(chain);
	*rsp = vs_tmf_chain(chain, dev, TAG, lun, subtype, tag);
	ret = vs_ring_add(ring, chain);
	if (ret)
		return ret;
	vs_ring_kick(ring);
	ret = vs_ring_wait_taken(ring, vs_patience());
	usleep(300000);
	return ret;
}

/* Waits for the answer to a function: its response code, or -errno. */
static int finish(struct vs_dev *dev, struct vs_chain *chain, uint8_t *rsp)
{
	int ret = vs_chain_wait(&dev->ring[VS_CTL], chain, vs_patience());

	vs_chain_put(chain);
	return ret ? ret : *rsp;
}

/* Used entries that wait on the request queues. */
static unsigned int answered(struct vs_dev *dev)
{
	unsigned int i, n = 0;

	for (i = 0; i < N_IO; i++)
		n += vs_ring_pending(&dev->ring[VS_IO + i]);
	return n;
}

/* Did a command end by itself, once? */
#define EXPECT_DONE(req) do {						\
	EXPECT_EQ(0, vs_req_wait(req));					\
	EXPECT_EQ(VIRTIO_SCSI_S_OK, (req)->rsp->response);		\
	EXPECT_EQ(VS_GOOD, (req)->rsp->status);				\
	EXPECT_EQ(1, (req)->chain.times);				\
} while (0)

/* Did a command end with a response that claims nothing, once? */
#define EXPECT_ENDED(code, req) do {					\
	EXPECT_EQ(0, vs_req_wait(req));					\
	EXPECT_EQ(code, (req)->rsp->response);				\
	EXPECT_EQ(0, (req)->rsp->status);				\
	EXPECT_EQ(VS_RSP, (req)->chain.used_len);			\
	EXPECT_EQ(1, (req)->chain.times);				\
} while (0)

TEST_F(tmf, abort_task_ends_the_command_that_it_names)
{
	unsigned int victim, i;

	COVERS("CTL-06 CTL-15 CTL-16 F-TM-01 F-TM-10 REQ-15 REQ-28 FAB-20");
	/* A read and a write, on either queue. */
	for (victim = 0; victim < 4; victim++) {
		ASSERT_EQ(0, leave_some(self->dev, self->req, 4, 0));
		ASSERT_EQ(0, start(self->dev, &self->chain, &self->rsp, 0,
				   ABORT_TASK, self->req[victim].hdr->tag));
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
			   self->req[0].hdr->tag));
	ASSERT_EQ(0, start(self->dev, &second, &rsp, 0, ABORT_TASK,
			   self->req[0].hdr->tag));
	/* Neither is answered while the command is there. */
	EXPECT_EQ(0, vs_ring_pending(&self->dev->ring[VS_CTL]));
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
				   ABORT_TASK, tag[round]));
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

typedef FIXTURE_DATA(tmf) tmf_data;

FIXTURE(task_set) {
	tmf_data t;
};

FIXTURE_VARIANT(task_set) {
	uint32_t subtype;
	uint8_t response;
	bool other_unit;
};

/* The commands of one unit. */
FIXTURE_VARIANT_ADD(task_set, abort) {
	.subtype = ABORT_TASK_SET,
	.response = VIRTIO_SCSI_S_ABORTED,
};

FIXTURE_VARIANT_ADD(task_set, clear) {
	.subtype = CLEAR_TASK_SET,
	.response = VIRTIO_SCSI_S_ABORTED,
};

/* The commands of all units. */
FIXTURE_VARIANT_ADD(task_set, nexus) {
	.subtype = NEXUS_RESET,
	.response = VIRTIO_SCSI_S_RESET,
	.other_unit = true,
};

/* LIO resets the disk, hence both units. */
FIXTURE_VARIANT_ADD(task_set, unit) {
	.subtype = LUN_RESET,
	.response = VIRTIO_SCSI_S_RESET,
	.other_unit = true,
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
			   0));
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
			   self->req[1].hdr->tag));
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
	struct vs_cdb cdb = vs_cdb_op(COMPARE_AND_WRITE);
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
			   self->req[0].hdr->tag));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(COMPLETE, finish(self->dev, &self->chain, self->rsp));
	EXPECT_ENDED(VIRTIO_SCSI_S_ABORTED, &self->req[0]);
	prepare_compare(self->dev, &self->req[1]);
	ASSERT_EQ(0, vs_req_submit(&self->req[1]));
	EXPECT_DONE(&self->req[1]);
}

TEST_F(tmf, clear_endpoint_waits_for_an_abort)
{
	int status;
	pid_t pid;

	COVERS("CTL-19 F-TM-09 REQ-58");
	ASSERT_EQ(0, leave_some(self->dev, self->req, 4, 0));
	ASSERT_EQ(0, start(self->dev, &self->chain, &self->rsp, 0,
			   ABORT_TASK_SET, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		usleep(300000);
		_exit(vs_hold_go(&self->env.hold) ? 1 : 0);
	}
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(4, answered(self->dev));
	EXPECT_EQ(COMPLETE, finish(self->dev, &self->chain, self->rsp));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
