// SPDX-License-Identifier: GPL-2.0
/*
 * COMPARE AND WRITE that does not come to its comparison, in every way that there is,
 * and that it is atomic before and after: of several that compare one block with
 * what it holds, one writes.
 */
#include <stdio.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define N_IO	2
#define RACERS	8
#define BLOCK	512

#define COMPARE_AND_WRITE	0x89
#define LUN_RESET		VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET
#define ABORT_TASK		VIRTIO_SCSI_T_TMF_ABORT_TASK

/* PERSISTENT RESERVE OUT: service actions, and a type in the CDB's byte 2. */
#define PR_REGISTER		0
#define PR_RESERVE		1
#define PR_CLEAR		3
#define PR_WRITE_EXCLUSIVE	1

/* ALUA states */
#define OPTIMIZED		"0"
#define STANDBY			"2"

/* One unit, and a second guest that has it too. */
FIXTURE(caw) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dev other;
	uint8_t *buf;
	struct vs_req req[RACERS];
};

FIXTURE_VARIANT(caw) {
	enum vs_disk disk;
};

FIXTURE_VARIANT_ADD(caw, ramdisk) {
	.disk = VS_DISK_RAM,
};

FIXTURE_VARIANT_ADD(caw, file) {
	.disk = VS_DISK_FILE,
};

FIXTURE_VARIANT_ADD(caw, block_device) {
	.disk = VS_DISK_HOLD,
};

typedef FIXTURE_DATA(caw) caw_data;

FIXTURE_SETUP(caw)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.n_io = N_IO,
		.dev.own_workers = true,
		.disk = variant->disk,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, RACERS + 1);
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, TAG, "naa.5001405f00d0000b"));
	ASSERT_EQ(0, vs_lun_link(VS_WWN2, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_open(&self->other, &opts.dev));
	ASSERT_EQ(0, vs_dev_setup(&self->other));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->other, VS_WWN2));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(&self->other, TAG, 0));
}

FIXTURE_TEARDOWN(caw)
{
	vs_hold_release();
	vs_dev_close(&self->other);
	ENV_PUT(&self->env);
}

/* A request of one block: compares it with zeroes, and writes @fill. */
static void prepare(caw_data *self, struct vs_req *req, unsigned int i,
		    uint8_t fill)
{
	struct vs_cdb cdb = vs_cdb_op(COMPARE_AND_WRITE);
	uint8_t *buf = self->buf + i * VS_PAGE;

	cdb.b[13] = 1;
	memset(buf, 0, BLOCK);
	memset(buf + BLOCK, fill, BLOCK);
	vs_req_get(req, self->dev, TAG, 0, cdb);
	req->ring = &self->dev->ring[VS_IO + i % N_IO];
	vs_req_out(req, buf, 2 * BLOCK);
}

static struct vs_result run(caw_data *self)
{
	struct vs_req req;

	prepare(self, &req, 0, 0xff);
	return vs_req_finish(&req);
}

/* Sends it, and waits until the device has taken it. */
static int leave(struct vs_req *req)
{
	int ret = vs_req_submit(req);

	return ret ? ret : vs_ring_wait_taken(req->ring, vs_patience());
}

static struct vs_result move(caw_data *self, uint8_t op)
{
	struct vs_cdb cdb = vs_cdb_rw10(op, 0, 1);
	uint8_t *buf = self->buf + RACERS * VS_PAGE;

	return op == VS_READ_10 ?
	       vs_scsi_read(self->dev, TAG, 0, cdb, buf, BLOCK) :
	       vs_scsi_write(self->dev, TAG, 0, cdb, buf, BLOCK);
}

static int zero_block(caw_data *self)
{
	memset(self->buf + RACERS * VS_PAGE, 0, BLOCK);
	return move(self, VS_WRITE_10).status;
}

/* Counts the winners among all racers, -1 if an answer is none of the two. */
static int winners(caw_data *self, uint8_t *fill)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < RACERS; i++) {
		struct vs_req *req = &self->req[i];

		if (vs_req_wait(req) || req->rsp->response)
			return -1;
		if (req->rsp->status == VS_GOOD) {
			*fill = i + 1;
			n++;
		} else if (vs_req_sense(req) != sense(0xe, 0x1d, 0)) {
			return -1;
		}
		vs_req_put(req);
	}
	return n;
}

/* All compare one block with what it holds. Returns how many have written it. */
static int race(caw_data *self, bool hold)
{
	uint8_t *block = self->buf + RACERS * VS_PAGE, fill = 0;
	unsigned int i;
	int n;

	if (zero_block(self) || (hold && vs_hold_stop(&self->env.hold)))
		return -1;
	for (i = 0; i < RACERS; i++) {
		prepare(self, &self->req[i], i, i + 1);
		if (vs_ring_add(self->req[i].ring, &self->req[i].chain))
			return -1;
	}
	for (i = 0; i < N_IO; i++)
		vs_ring_kick(&self->dev->ring[VS_IO + i]);
	for (i = 0; i < N_IO; i++)
		if (vs_ring_wait_taken(&self->dev->ring[VS_IO + i],
				       vs_patience()))
			return -1;
	if (hold && vs_hold_go(&self->env.hold))
		return -1;
	n = winners(self, &fill);
	if (move(self, VS_READ_10).status || vs_not_all(block, BLOCK, fill) != -1)
		return -1;
	return n;
}

#define EXPECT_ATOMIC(self) do {					\
	unsigned int __i;						\
									\
	for (__i = 0; __i < 2; __i++) {					\
		EXPECT_EQ(1, race(self, false));			\
		if ((self)->env.hold.ctl)				\
			EXPECT_EQ(1, race(self, true));			\
	}								\
} while (0)

static int pr_out(struct vs_dev *dev, uint8_t action, uint8_t type,
		  uint8_t key, uint8_t new_key, uint8_t attr)
{
	uint8_t *list = vs_mem_alloc(&dev->mem, 64, 64);
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, action, 24);
	struct vs_req req;

	cdb.b[2] = type;
	memset(list, 0, 64);
	list[7] = key;
	list[15] = new_key;
	vs_req_get(&req, dev, TAG, 0, cdb);
	req.hdr->task_attr = attr;
	vs_req_out(&req, list, 24);
	return vs_req_finish(&req).status;
}

TEST_F(caw, one_of_several_writes)
{
	COVERS("SCSI-13 SCSI-16");
	EXPECT_ATOMIC(self);
}

TEST_F(caw, unit_attention_leaves_it_atomic)
{
	COVERS("SCSI-13 CTL-13 SCSI-16");
	EXPECT_EQ(0, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
	EXPECT_CC(6, 0x29, 0x03, run(self));
	EXPECT_ATOMIC(self);
}

TEST_F(caw, reservation_conflict_leaves_it_atomic)
{
	COVERS("SCSI-13 SCSI-16");
	ASSERT_EQ(VS_GOOD, pr_out(&self->other, PR_REGISTER, 0, 0, 2, 0));
	ASSERT_EQ(VS_GOOD, pr_out(&self->other, PR_RESERVE, PR_WRITE_EXCLUSIVE,
				  2, 0, 0));
	EXPECT_EQ(VS_RESERVATION_CONFLICT, run(self).status);
	ASSERT_EQ(VS_GOOD, pr_out(&self->other, PR_CLEAR, 0, 2, 0, 0));
	EXPECT_ATOMIC(self);
}

TEST_F(caw, access_state_leaves_it_atomic)
{
	char path[256];

	COVERS("SCSI-13 SCSI-11 SCSI-16");
	snprintf(path, sizeof(path), "%s/alua/default_tg_pt_gp/alua_access_state",
		 self->env.bs[0].path);
	ASSERT_EQ(0, vs_write_file(path, STANDBY));
	EXPECT_CC(6, 0x2a, 0x06, run(self));
	EXPECT_CC(2, 0x04, 0x0b, run(self));
	ASSERT_EQ(0, vs_write_file(path, OPTIMIZED));
	EXPECT_CC(6, 0x2a, 0x06, run(self));
	EXPECT_ATOMIC(self);
}

/* The two halves of the buffer may lie anywhere in the guest's memory. */
TEST_F(caw, block_to_write_may_lie_apart_from_the_other)
{
	uint8_t *block = self->buf + RACERS * VS_PAGE;
	struct vs_cdb cdb = vs_cdb_op(COMPARE_AND_WRITE);
	struct vs_req req;

	COVERS("SCSI-13 SCSI-16");
	cdb.b[13] = 1;
	/* What lies behind the first half is not what is to be written. */
	memset(self->buf, 0xee, 4 * VS_PAGE);
	ASSERT_EQ(0, zero_block(self));
	vs_req_get(&req, self->dev, TAG, 0, cdb);
	memset(self->buf + VS_PAGE - BLOCK, 0, BLOCK);
	vs_req_out(&req, self->buf + VS_PAGE - BLOCK, BLOCK);
	memset(self->buf + 3 * VS_PAGE, 0x11, BLOCK);
	vs_req_out(&req, self->buf + 3 * VS_PAGE, BLOCK);
	EXPECT_GOOD(vs_req_finish(&req));
	EXPECT_GOOD(move(self, VS_READ_10));
	EXPECT_EQ(-1, vs_not_all(block, BLOCK, 0x11));
	/* The same across a page boundary inside one segment. */
	ASSERT_EQ(0, zero_block(self));
	memset(self->buf, 0xee, 4 * VS_PAGE);
	vs_req_get(&req, self->dev, TAG, 0, cdb);
	memset(self->buf + VS_PAGE - BLOCK, 0, BLOCK);
	memset(self->buf + VS_PAGE, 0x22, BLOCK);
	vs_req_out(&req, self->buf + VS_PAGE - BLOCK, 2 * BLOCK);
	EXPECT_GOOD(vs_req_finish(&req));
	EXPECT_GOOD(move(self, VS_READ_10));
	EXPECT_EQ(-1, vs_not_all(block, BLOCK, 0x22));
}

/* A disk that can be told to hold or to fail what it gets. */
FIXTURE(held) {
	caw_data t;
};

/* The harness's name for the variants of the other fixture. */
static const struct _fixture_variant_caw held_disk = {
	.disk = VS_DISK_HOLD,
};

FIXTURE_SETUP(held)
{
	caw_setup(_metadata, &self->t, &held_disk);
}

FIXTURE_TEARDOWN(held)
{
	caw_teardown(_metadata, &self->t, &held_disk);
}

/* Leaves a READ with the disk, and behind it the command, which waits for it. */
static int leave_ordered(caw_data *t, struct vs_req *read)
{
	int ret = vs_hold_stop(&t->env.hold);

	vs_req_get(read, t->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 8, 1));
	vs_req_in(read, t->buf + RACERS * VS_PAGE, BLOCK);
	if (!ret)
		ret = leave(read);
	prepare(t, &t->req[0], 0, 0xff);
	t->req[0].hdr->task_attr = VIRTIO_SCSI_S_ORDERED;
	return ret ? ret : leave(&t->req[0]);
}

/* The disk goes on: the READ is done, and the command answered. */
static int end_ordered(caw_data *t, struct vs_req *read)
{
	int ret = vs_req_wait(read);

	if (!ret && (read->rsp->response || read->rsp->status))
		ret = -EIO;
	vs_req_put(read);
	return ret ? ret : vs_req_wait(&t->req[0]);
}

/* It lies in the backstore's list for a while before it is checked. */
TEST_F(held, conflict_after_an_ordered_wait_leaves_it_atomic)
{
	caw_data *t = &self->t;
	struct vs_req read;

	COVERS("SCSI-12 SCSI-13 SCSI-16");
	ASSERT_EQ(VS_GOOD, pr_out(&t->other, PR_REGISTER, 0, 0, 2, 0));
	ASSERT_EQ(0, leave_ordered(t, &read));
	ASSERT_EQ(VS_GOOD, pr_out(&t->other, PR_RESERVE, PR_WRITE_EXCLUSIVE,
				  2, 0, VIRTIO_SCSI_S_HEAD));
	ASSERT_EQ(0, vs_hold_go(&t->env.hold));
	ASSERT_EQ(0, end_ordered(t, &read));
	EXPECT_EQ(VS_RESERVATION_CONFLICT, t->req[0].rsp->status);
	vs_req_put(&t->req[0]);
	ASSERT_EQ(VS_GOOD, pr_out(&t->other, PR_CLEAR, 0, 2, 0, 0));
	EXPECT_ATOMIC(t);
}

/* LIO executes it all the same, and ends it when the disk has answered. */
TEST_F(held, abort_during_an_ordered_wait_leaves_it_atomic)
{
	caw_data *t = &self->t;
	struct vs_chain chain;
	struct vs_req read;
	uint8_t *rsp;

	COVERS("F-TM-14 SCSI-13 SCSI-16");
	ASSERT_EQ(0, leave_ordered(t, &read));
	vs_chain_get(&chain);
	rsp = vs_tmf_chain(&chain, t->dev, TAG, 0, ABORT_TASK,
			   t->req[0].hdr->tag);
	ASSERT_EQ(0, vs_ring_add(&t->dev->ring[VS_CTL], &chain));
	vs_ring_kick(&t->dev->ring[VS_CTL]);
	ASSERT_EQ(0, vs_ring_wait_taken(&t->dev->ring[VS_CTL],
					vs_patience()));
	ASSERT_EQ(0, vs_hold_go(&t->env.hold));
	ASSERT_EQ(0, vs_chain_wait(&t->dev->ring[VS_CTL], &chain,
				   vs_patience()));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, *rsp);
	vs_chain_put(&chain);
	ASSERT_EQ(0, end_ordered(t, &read));
	vs_req_put(&t->req[0]);
	EXPECT_ATOMIC(t);
}

TEST_F(held, failed_read_leaves_it_atomic)
{
	caw_data *t = &self->t;

	COVERS("F-AD-05 SCSI-13 SCSI-16");
	ASSERT_EQ(0, vs_hold_table(&t->env.hold, "error", VS_HOLD_MIB));
	EXPECT_EQ(VS_CHECK_CONDITION, run(t).status);
	ASSERT_EQ(0, vs_hold_table(&t->env.hold, "linear", VS_HOLD_MIB));
	EXPECT_ATOMIC(t);
}

TEST_HARNESS_MAIN
