// SPDX-License-Identifier: GPL-2.0
/*
 * Task management against time, against another guest, and against too much of
 * it. What each function does is in tmf_test.c.
 */
#include "vs_test.h"

#define TAG		VS_TAG
#define COMPLETE	VIRTIO_SCSI_S_OK
#define TASK_ABORTED	0x40

#define ABORT_TASK	VIRTIO_SCSI_T_TMF_ABORT_TASK
#define ABORT_TASK_SET	VIRTIO_SCSI_T_TMF_ABORT_TASK_SET
#define CLEAR_TASK_SET	VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET
#define NEXUS_RESET	VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET
#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET

#define N_IO		2

static void prepare(struct vs_dev *dev, struct vs_req *req, unsigned int i)
{
	bool write = i % 4 > 1;
	void *buf = vs_mem_page(&dev->mem, 1);

	vs_req_get(req, dev, TAG, 0,
		   vs_cdb_rw10(write ? VS_WRITE_10 : VS_READ_10, i % 64 * 8,
			       8));
	req->chain.flags = VS_INDIRECT;
	req->ring = &dev->ring[VS_IO + i % N_IO];
	if (write)
		vs_req_out(req, buf, VS_PAGE);
	else
		vs_req_in(req, buf, VS_PAGE);
}

static int add(struct vs_dev *dev, struct vs_req *req, unsigned int n)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++) {
		prepare(dev, &req[i], i);
		ret = vs_ring_add(req[i].ring, &req[i].chain);
	}
	return ret;
}

static void kick(struct vs_dev *dev)
{
	unsigned int i;

	for (i = 0; i < N_IO; i++)
		vs_ring_kick(&dev->ring[VS_IO + i]);
}

/* Leaves commands with a disk that holds them. */
static int leave(struct vs_dev *dev, struct vs_req *req, unsigned int n)
{
	unsigned int i;
	int ret = add(dev, req, n);

	kick(dev);
	for (i = 0; i < N_IO && !ret; i++)
		ret = vs_ring_wait_taken(&dev->ring[VS_IO + i], vs_patience());
	return ret;
}

static void put(struct vs_req *req, unsigned int n)
{
	while (n--)
		vs_req_put(&req[n]);
}

FIXTURE(timing) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_VARIANT(timing) {
	bool own_workers;
};

FIXTURE_VARIANT_ADD(timing, one_worker) {
	.own_workers = false,
};

FIXTURE_VARIANT_ADD(timing, a_worker_a_queue) {
	.own_workers = true,
};

FIXTURE_SETUP(timing)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.n_io = N_IO,
		.dev.ring_size = 256,
		.dev.own_workers = variant->own_workers,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(timing);

#define BATCH 32
/* What the disk takes for a command. */
#define DELAY_US 100000

/* A batch of commands, and an abort for each some microseconds later. */
static int race(struct vs_dev *dev, struct vs_req *req, unsigned int pause,
		unsigned int *ended)
{
	struct vs_ring *ctl = &dev->ring[VS_CTL];
	struct vs_chain chain[BATCH];
	uint8_t *rsp[BATCH];
	unsigned int i;
	int ret;

	ret = add(dev, req, BATCH);
	/* All that takes time comes before the kick. */
	for (i = 0; i < BATCH; i++) {
		vs_chain_get(&chain[i]);
		rsp[i] = vs_tmf_chain(&chain[i], dev, TAG, 0, ABORT_TASK,
				      req[i].hdr->tag);
	}
	kick(dev);
	usleep(pause);
	for (i = 0; i < BATCH && !ret; i++)
		ret = vs_ring_add(ctl, &chain[i]);
	vs_ring_kick(ctl);
	for (i = 0; i < BATCH && !ret; i++) {
		ret = vs_chain_wait(ctl, &chain[i], vs_patience());
		if (!ret && *rsp[i] != COMPLETE)
			ret = -EPROTO;
	}
	for (i = 0; i < BATCH; i++)
		vs_chain_put(&chain[i]);
	for (i = 0; i < BATCH && !ret; i++) {
		const struct virtio_scsi_cmd_resp *r = req[i].rsp;

		ret = vs_req_wait(&req[i]);
		if (ret)
			break;
		if (r->response == VIRTIO_SCSI_S_ABORTED)
			(*ended)++;
		else if (r->response || r->status)
			ret = -EIO;
	}
	return ret;
}

/*
 * From at once, before LIO has them, to when all are done; every other time about
 * when they are done.
 */
static unsigned int moment(unsigned int round)
{
	unsigned int step = round % 16;

	return step % 2 ? DELAY_US + step * 1000 : step * DELAY_US / 10;
}

/* How often each order must have been seen. */
#define SEEN 32

TEST_F_TIMEOUT(timing, aborts_and_completions_race_and_all_are_answered_once, 3600)
{
	unsigned int round, i, rounds = vs_rounds(10, 20), ended = 0, done = 0;
	struct vs_req req[BATCH];
	size_t mark = self->dev->mem.used;

	COVERS("F-TM-03 F-TM-04 F-TM-08 CTL-15 CTL-18 REQ-40");
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "delay", VS_HOLD_MIB));
	/* LIO prints two lines an abort, which a serial console takes long for. */
	vs_write_file("/proc/sys/kernel/printk", "3");
	for (round = 0; round < rounds || (round < 50 * rounds &&
					   (ended <= SEEN || done <= SEEN));
	     round++) {
		unsigned int now = 0;

		self->dev->mem.used = mark;
		ASSERT_EQ(0, race(self->dev, req, moment(round), &now));
		for (i = 0; i < BATCH; i++)
			EXPECT_EQ(1, req[i].chain.times);
		put(req, BATCH);
		ended += now;
		done += BATCH - now;
	}
	vs_write_file("/proc/sys/kernel/printk", "8");
	TH_LOG("%u aborted, %u done", ended, done);
	EXPECT_LT(SEEN, ended);
	EXPECT_LT(SEEN, done);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

#define MANY 200
#define LIMIT 32

/* Waits until LIO has marked @n commands, of which it logs a line each. */
static int wait_for_aborts(int kmsg, unsigned int n)
{
	int tenths = vs_patience() / 100;
	char line[1024];

	while (n && tenths--) {
		usleep(100000);
		while (n && vs_kmsg_next(kmsg, line, sizeof(line)))
			n -= !!strstr(line, "ABORT_TASK: Found referenced");
	}
	return n ? -ETIMEDOUT : 0;
}

TEST_F(timing, more_aborts_than_the_core_may_have_are_busy)
{
	struct vs_req *req = calloc(MANY, sizeof(*req));
	int kmsg = vs_kmsg_open();
	unsigned int i, ended = 0;
	struct vs_chain chain;
	uint8_t *rsp;

	COVERS("CTL-20 F-TM-08 REQ-30");
	ASSERT_LE(0, kmsg);
	/* Two lines an abort are too much for a serial console. */
	vs_write_file("/proc/sys/kernel/printk", "3");
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	ASSERT_EQ(0, leave(self->dev, req, MANY));
	vs_chain_get(&chain);
	rsp = vs_tmf_chain(&chain, self->dev, TAG, 0, ABORT_TASK_SET, 0);
	ASSERT_EQ(0, vs_ring_add(&self->dev->ring[VS_CTL], &chain));
	vs_ring_kick(&self->dev->ring[VS_CTL]);
	ASSERT_EQ(0, vs_ring_wait_taken(&self->dev->ring[VS_CTL],
					vs_patience()));
	/* There is no room for another function at all. */
	EXPECT_EQ(VIRTIO_SCSI_S_BUSY,
		  vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
	EXPECT_EQ(0, wait_for_aborts(kmsg, LIMIT));
	/* The last of them is marked right after its line. */
	EXPECT_EQ(0, vs_lio_wait_aborts(LIMIT));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_chain_wait(&self->dev->ring[VS_CTL], &chain,
				   vs_patience()));
	vs_write_file("/proc/sys/kernel/printk", "8");
	EXPECT_EQ(VIRTIO_SCSI_S_BUSY, *rsp);
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(0, vs_req_wait(&req[i]));
		ended += req[i].rsp->response == VIRTIO_SCSI_S_ABORTED;
	}
	EXPECT_EQ(LIMIT, ended);
	/* It can be sent again. */
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, ABORT_TASK_SET, 0, NULL));
	vs_chain_put(&chain);
	put(req, MANY);
	free(req);
	close(kmsg);
}

/* One unit, and a second guest that has it too. */
FIXTURE(two_guests) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dev other;
};

FIXTURE_VARIANT(two_guests) {
	const char *tas;
};

FIXTURE_VARIANT_ADD(two_guests, without_tas) {
	.tas = "0",
};

FIXTURE_VARIANT_ADD(two_guests, with_tas) {
	.tas = "1",
};

FIXTURE_SETUP(two_guests)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.n_io = N_IO,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	/* It can be chosen while no LUN is linked only. */
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_backstore_attr(&self->env.bs[0], "emulate_tas",
				       variant->tas));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, TAG, "naa.5001405f00d0000b"));
	ASSERT_EQ(0, vs_lun_link(VS_WWN2, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_open(&self->other, &opts.dev));
	ASSERT_EQ(0, vs_dev_setup(&self->other));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->other, VS_WWN2));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(&self->other, TAG, 0));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
}

FIXTURE_TEARDOWN(two_guests)
{
	vs_hold_release();
	vs_dev_close(&self->other);
	ENV_PUT(&self->env);
}

#define EACH 4

/* A function of the first guest's, with commands of both under way. */
static int run_over(struct vs_env *env, struct vs_dev *other,
		    struct vs_req *mine, struct vs_req *theirs,
		    uint32_t subtype, bool their_tag)
{
	/* Functions of LIO's: one, none, or one for each of our commands. */
	unsigned int parts = subtype == LUN_RESET ? 1 : their_tag ? 0 : EACH, i;
	struct vs_ring *ctl = &env->dev.ring[VS_CTL];
	struct vs_chain chain;
	uint8_t *rsp;
	int ret;

	ret = leave(&env->dev, mine, EACH);
	if (!ret)
		ret = leave(other, theirs, EACH);
	vs_chain_get(&chain);
	rsp = vs_tmf_chain(&chain, &env->dev, TAG, 0, subtype,
			   (their_tag ? theirs : mine)[0].hdr->tag);
	if (!ret)
		ret = vs_ring_add(ctl, &chain);
	vs_ring_kick(ctl);
	if (!ret)
		ret = vs_ring_wait_taken(ctl, vs_patience());
	if (!ret)
		ret = vs_lio_wait_aborts(parts);
	if (!ret)
		ret = vs_hold_go(&env->hold);
	if (!ret)
		ret = vs_chain_wait(ctl, &chain, vs_patience());
	for (i = 0; i < EACH && !ret; i++) {
		ret = vs_req_wait(&mine[i]);
		if (!ret)
			ret = vs_req_wait(&theirs[i]);
	}
	vs_chain_put(&chain);
	return ret ? ret : *rsp;
}

TEST_F(two_guests, unit_reset_ends_the_commands_of_both)
{
	struct vs_req mine[EACH], theirs[EACH];
	bool tas = *variant->tas == '1';
	unsigned int i;

	COVERS("F-TM-12 CTL-13 CTL-16 CTL-17 REQ-29 REQ-36 SCSI-05");
	EXPECT_EQ(COMPLETE, run_over(&self->env, &self->other, mine, theirs,
				     LUN_RESET, false));
	for (i = 0; i < EACH; i++) {
		EXPECT_EQ(VIRTIO_SCSI_S_RESET, mine[i].rsp->response);
		EXPECT_EQ(tas ? VIRTIO_SCSI_S_OK : VIRTIO_SCSI_S_RESET,
			  theirs[i].rsp->response);
		EXPECT_EQ(tas ? TASK_ABORTED : 0, theirs[i].rsp->status);
		EXPECT_EQ(VS_PAGE, theirs[i].rsp->resid);
	}
	EXPECT_CC(6, 0x29, 0x03,
		  vs_scsi_read(self->dev, TAG, 0,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	EXPECT_CC(6, 0x29, 0x03,
		  vs_scsi_read(&self->other, TAG, 0,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	put(mine, EACH);
	put(theirs, EACH);
}

TEST_F(two_guests, other_functions_leave_the_other_guest_alone)
{
	static const uint32_t subtype[] = {
		ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, NEXUS_RESET,
	};
	struct vs_req mine[EACH], theirs[EACH];
	unsigned int round, i;

	COVERS("F-TM-06 CTL-06 CTL-07 CTL-09 CTL-10");
	for (round = 0; round < ARRAY_SIZE(subtype); round++) {
		ASSERT_EQ(COMPLETE,
			  run_over(&self->env, &self->other, mine, theirs,
				   subtype[round],
				   subtype[round] == ABORT_TASK));
		for (i = 0; i < EACH; i++) {
			EXPECT_EQ(VIRTIO_SCSI_S_OK, theirs[i].rsp->response);
			EXPECT_EQ(VS_GOOD, theirs[i].rsp->status);
			/* The tag was the other guest's. */
			EXPECT_EQ(subtype[round] == ABORT_TASK,
				  mine[i].rsp->response == VIRTIO_SCSI_S_OK);
		}
		put(mine, EACH);
		put(theirs, EACH);
		ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	}
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_scsi_settle(&self->other, TAG, 0));
}

TEST_F(two_guests, ordered_commands_pass_after_commands_were_aborted)
{
	struct vs_req mine[EACH], theirs[EACH];
	struct vs_dev *dev[2] = { self->dev, &self->other };
	unsigned int i;

	COVERS("F-TM-14 F-RQ-07 SCSI-12");
	ASSERT_EQ(COMPLETE, run_over(&self->env, &self->other, mine, theirs,
				     LUN_RESET, false));
	put(mine, EACH);
	put(theirs, EACH);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, vs_scsi_settle(dev[i], TAG, 0));
		prepare(dev[i], mine, 0);
		mine[0].hdr->task_attr = VIRTIO_SCSI_S_ORDERED;
		ASSERT_EQ(0, vs_req_submit(mine));
		EXPECT_EQ(0, vs_req_wait(mine));
		EXPECT_EQ(VS_GOOD, mine[0].rsp->status);
		put(mine, 1);
	}
}

TEST_HARNESS_MAIN
