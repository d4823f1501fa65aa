// SPDX-License-Identifier: GPL-2.0
/*
 * PERSISTENT RESERVE OUT, PREEMPT AND ABORT, which ends commands as task management
 * does, against task management and against its like. Everybody gets an answer.
 */
#include "vs_test.h"

#define TAG	VS_TAG
#define N_IO	2
#define N	4
#define BLOCK	512

#define COMPLETE		VIRTIO_SCSI_S_OK
#define COMPARE_AND_WRITE	0x89
#define LUN_RESET		VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET
#define ABORT_TASK		VIRTIO_SCSI_T_TMF_ABORT_TASK

/* PERSISTENT RESERVE OUT: service actions, and a type in the CDB's byte 2. */
#define PR_REGISTER		0
#define PR_RESERVE		1
#define PR_CLEAR		3
#define PR_PREEMPT_AND_ABORT	5
#define PR_REGISTER_AND_IGNORE	6
#define PR_EXCLUSIVE_REGISTRANTS 6

#define BUSY	0x08
#define MOST	8	/* commands about a disk's reservations, of a nexus */
#define MORE	4

/* One unit on a disk that holds what it gets, which this guest has reserved. */
FIXTURE(preempt) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dev other;
	struct vs_req read;
	struct vs_req preempt[N];
	struct vs_chain tmf[N];
	uint8_t *rsp[N];
};

typedef FIXTURE_DATA(preempt) preempt_data;

/* A PERSISTENT RESERVE OUT with its parameter list, ready to be sent. */
static void pr_get(struct vs_req *req, struct vs_dev *dev, uint8_t action,
		   uint8_t key, uint8_t new_key)
{
	uint8_t *list = vs_mem_alloc(&dev->mem, 64, 64);
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, action, 24);

	cdb.b[2] = action == PR_RESERVE || action == PR_PREEMPT_AND_ABORT ?
		   PR_EXCLUSIVE_REGISTRANTS : 0;
	memset(list, 0, 64);
	list[7] = key;
	list[15] = new_key;
	vs_req_get(req, dev, TAG, 0, cdb);
	vs_req_out(req, list, 24);
}

static int pr_out(struct vs_dev *dev, uint8_t action, uint8_t key,
		  uint8_t new_key)
{
	struct vs_req req;

	pr_get(&req, dev, action, key, new_key);
	return vs_req_finish(&req).status;
}

FIXTURE_SETUP(preempt)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.n_io = N_IO,
		.dev.own_workers = true,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, TAG, "naa.5001405f00d0000b"));
	ASSERT_EQ(0, vs_lun_link(VS_WWN2, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_open(&self->other, &opts.dev));
	ASSERT_EQ(0, vs_dev_setup(&self->other));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->other, VS_WWN2));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(&self->other, TAG, 0));
	ASSERT_EQ(VS_GOOD, pr_out(self->dev, PR_REGISTER, 0, 1));
	ASSERT_EQ(VS_GOOD, pr_out(&self->other, PR_REGISTER, 0, 2));
	ASSERT_EQ(VS_GOOD, pr_out(self->dev, PR_RESERVE, 1, 0));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
}

FIXTURE_TEARDOWN(preempt)
{
	vs_hold_release();
	vs_dev_close(&self->other);
	ENV_PUT(&self->env);
}

/* Sends a request, and waits until the device has taken it. */
static int leave(struct vs_req *req)
{
	int ret = vs_req_submit(req);

	return ret ? ret : vs_ring_wait_taken(req->ring, vs_patience());
}

static int leave_read(preempt_data *self)
{
	vs_req_get(&self->read, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 8, 1));
	vs_req_in(&self->read, vs_mem_page(&self->dev->mem, 1), BLOCK);
	return leave(&self->read);
}

/* It preempts this guest's own reservation, and so its own commands. */
static int leave_preempt(preempt_data *self, unsigned int i)
{
	pr_get(&self->preempt[i], self->dev, PR_PREEMPT_AND_ABORT, 1, 1);
	return leave(&self->preempt[i]);
}

static int leave_tmf(preempt_data *self, unsigned int i, uint32_t subtype,
		     uint64_t tag)
{
	struct vs_ring *ring = &self->dev->ring[VS_CTL];
	int ret;

	vs_chain_get(&self->tmf[i]);
	self->rsp[i] = vs_tmf_chain(&self->tmf[i], self->dev, TAG, 0, subtype,
				    tag);
	ret = vs_ring_add(ring, &self->tmf[i]);
	if (ret)
		return ret;
	vs_ring_kick(ring);
	return vs_ring_wait_taken(ring, vs_patience());
}

static int end(struct vs_req *req)
{
	int ret = vs_req_wait(req);

	vs_req_put(req);
	return ret;
}

/* Waits for a function: its response code, or -errno. */
static int end_tmf(preempt_data *self, unsigned int i)
{
	int ret = vs_chain_wait(&self->dev->ring[VS_CTL], &self->tmf[i],
				vs_patience());

	vs_chain_put(&self->tmf[i]);
	return ret ? ret : *self->rsp[i];
}

/* The unit works, is still reserved, and nothing that is ORDERED waits. */
static int unit_works(preempt_data *self)
{
	struct vs_req req;
	int ret = vs_scsi_settle(self->dev, TAG, 0);

	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	req.hdr->task_attr = VIRTIO_SCSI_S_ORDERED;
	return ret ? ret : vs_req_finish(&req).status |
			   pr_out(self->dev, PR_PREEMPT_AND_ABORT, 1, 1) |
			   pr_out(self->dev, PR_CLEAR, 1, 0);
}

/* Its submission waits for a COMPARE AND WRITE that waits for another. */
TEST_F(preempt, behind_commands_that_wait_it_lets_a_reset_pass)
{
	uint8_t *buf = vs_mem_page(&self->dev->mem, 2);
	struct vs_cdb cdb = vs_cdb_op(COMPARE_AND_WRITE);
	struct vs_req caw[2];
	unsigned int i;

	COVERS("SCSI-10 SCSI-17 CTL-13 CTL-15");
	cdb.b[13] = 1;
	memset(buf, 0, 2 * VS_PAGE);
	for (i = 0; i < 2; i++) {
		vs_req_get(&caw[i], self->dev, TAG, 0, cdb);
		vs_req_out(&caw[i], buf + i * VS_PAGE, 2 * BLOCK);
		ASSERT_EQ(0, leave(&caw[i]));
	}
	ASSERT_EQ(0, leave_preempt(self, 0));
	ASSERT_EQ(0, leave_tmf(self, 0, LUN_RESET, 0));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(COMPLETE, end_tmf(self, 0));
	EXPECT_EQ(0, end(&self->preempt[0]));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, end(&caw[i]));
	EXPECT_EQ(0, unit_works(self));
}

/* The first reset waits for the disk, all others for it; so does the last READ. */
TEST_F(preempt, several_and_several_resets_pass_each_other)
{
	struct vs_req ordered;
	unsigned int i;

	COVERS("SCSI-10 SCSI-17 CTL-13 CTL-15 CTL-19");
	ASSERT_EQ(0, leave_read(self));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, leave_tmf(self, i, LUN_RESET, 0));
		ASSERT_EQ(0, leave_preempt(self, i));
	}
	vs_req_get(&ordered, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	ordered.hdr->task_attr = VIRTIO_SCSI_S_ORDERED;
	ASSERT_EQ(0, leave(&ordered));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < N; i++) {
		EXPECT_EQ(COMPLETE, end_tmf(self, i));
		EXPECT_EQ(0, end(&self->preempt[i]));
	}
	EXPECT_EQ(0, end(&ordered));
	EXPECT_EQ(0, end(&self->read));
	EXPECT_EQ(0, unit_works(self));
}

TEST_F(preempt, aborts_of_it_are_answered)
{
	unsigned int i;

	COVERS("SCSI-10 SCSI-17 CTL-06 CTL-15");
	ASSERT_EQ(0, leave_read(self));
	ASSERT_EQ(0, leave_tmf(self, 0, LUN_RESET, 0));
	for (i = 1; i < N; i++)
		ASSERT_EQ(0, leave_preempt(self, i));
	for (i = 1; i < N; i++)
		ASSERT_EQ(0, leave_tmf(self, i, ABORT_TASK,
				       self->preempt[i].hdr->tag));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(COMPLETE, end_tmf(self, 0));
	for (i = 1; i < N; i++) {
		EXPECT_EQ(COMPLETE, end_tmf(self, i));
		EXPECT_EQ(0, end(&self->preempt[i]));
	}
	EXPECT_EQ(0, end(&self->read));
	EXPECT_EQ(0, unit_works(self));
}

/* LIO would spin until the disk answers, with a lock that all its disks need. */
TEST_F(preempt, registrations_wait_for_it)
{
	struct vs_req clear;

	COVERS("SCSI-10 SCSI-17");
	ASSERT_EQ(0, leave_read(self));
	ASSERT_EQ(0, leave_preempt(self, 0));
	pr_get(&clear, &self->other, PR_CLEAR, 2, 0);
	ASSERT_EQ(0, leave(&clear));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, end(&self->preempt[0]));
	EXPECT_EQ(0, end(&clear));
	EXPECT_EQ(0, end(&self->read));
}

/* They wait in one line, and the other guest's turn must come. */
TEST_F(preempt, so_many_and_no_more_of_a_guest_wait_for_it)
{
	struct vs_req req[MOST + MORE];
	unsigned int i;

	COVERS("SCSI-17 REQ-76 F-SE-08");
	ASSERT_EQ(0, leave_read(self));
	ASSERT_EQ(0, leave_preempt(self, 0));
	for (i = 0; i < ARRAY_SIZE(req); i++) {
		pr_get(&req[i], &self->other, PR_REGISTER_AND_IGNORE, 0, 2);
		ASSERT_EQ(0, leave(&req[i]));
	}
	ASSERT_EQ(0, leave_preempt(self, 1));
	for (i = MOST; i < ARRAY_SIZE(req); i++) {
		EXPECT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(BUSY, req[i].rsp->status);
		vs_req_put(&req[i]);
	}
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, end(&self->preempt[0]));
	for (i = 0; i < MOST; i++) {
		EXPECT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(VS_GOOD, req[i].rsp->status);
		vs_req_put(&req[i]);
	}
	EXPECT_EQ(0, end(&self->preempt[1]));
	EXPECT_EQ(0, end(&self->read));
	EXPECT_EQ(0, unit_works(self));
}

TEST_HARNESS_MAIN
