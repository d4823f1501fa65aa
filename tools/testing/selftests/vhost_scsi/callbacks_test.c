// SPDX-License-Identifier: GPL-2.0
/*
 * What LIO calls for one command, in every order that a reset in the middle can
 * bring about: the guest gets one answer, and it says what happened.
 */
#include "vs_test.h"

#define TAG		VS_TAG
#define DEPTH		16
#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET

FIXTURE(callbacks) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req[DEPTH];
	unsigned int good, reset;
};

typedef FIXTURE_DATA(callbacks) callbacks_data;

FIXTURE_VARIANT(callbacks) {
	enum vs_disk disk;
	const char *submit_type;
};

/* Submission from the worker itself, and through LIO's workqueue. */
FIXTURE_VARIANT_ADD(callbacks, ram_direct) {
	.disk = VS_DISK_RAM,
	.submit_type = "1",
};

FIXTURE_VARIANT_ADD(callbacks, ram_queued) {
	.disk = VS_DISK_RAM,
	.submit_type = "2",
};

FIXTURE_VARIANT_ADD(callbacks, block_direct) {
	.disk = VS_DISK_HOLD,
	.submit_type = "1",
};

FIXTURE_VARIANT_ADD(callbacks, block_queued) {
	.disk = VS_DISK_HOLD,
	.submit_type = "2",
};

FIXTURE_SETUP(callbacks)
{
	struct vs_env_opts opts = { .disk = variant->disk };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_backstore_attr(&self->env.bs[0], "submit_type",
				       variant->submit_type));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(callbacks);

/* Writes, two in three, and reads, all of blocks of their own. */
static int submit(callbacks_data *self, unsigned int seed)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < DEPTH && !ret; i++) {
		uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
		bool write = i % 3;

		vs_req_get(&self->req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(write ? VS_WRITE_10 : VS_READ_10, i * 8,
				       8));
		vs_fill(buf, VS_PAGE, seed + i);
		if (write)
			vs_req_out(&self->req[i], buf, VS_PAGE);
		else
			vs_req_in(&self->req[i], buf, VS_PAGE);
		ret = vs_ring_add(self->req[i].ring, &self->req[i].chain);
	}
	vs_ring_kick(self->req[0].ring);
	return ret;
}

/* Is there on the medium what a write, answered with GOOD, has written? */
static bool written(callbacks_data *self, unsigned int i, unsigned int seed)
{
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
	unsigned int tries = 0;
	struct vs_result res;

	do {
		res = vs_scsi_read(self->dev, TAG, 0,
				   vs_cdb_rw10(VS_READ_10, i * 8, 8), buf,
				   VS_PAGE);
		/* The reset has left a unit attention. */
	} while (res.sense >> 16 == 6 && ++tries < 8);
	return !res.err && !res.response && res.status == VS_GOOD &&
	       vs_differs(buf, VS_PAGE, seed + i) < 0;
}

/* GOOD and done, reset and no byte claimed, or the word of the reset. */
static bool judge(callbacks_data *self, unsigned int i, unsigned int seed)
{
	const struct vs_req *req = &self->req[i];

	if (req->chain.times != 1)
		return false;
	if (req->rsp->response == VIRTIO_SCSI_S_RESET ||
	    req->rsp->response == VIRTIO_SCSI_S_ABORTED) {
		self->reset++;
		return req->rsp->resid == VS_PAGE &&
		       req->chain.used_len == VS_RSP;
	}
	if (req->rsp->response)
		return false;
	if (req->rsp->status == VS_GOOD) {
		self->good++;
		return i % 3 == 0 || written(self, i, seed);
	}
	return vs_req_sense(req) == sense(6, 0x29, 0x03);
}

TEST_F(callbacks, each_command_has_one_answer_whenever_the_reset_comes)
{
	struct vs_ring *ctl = &self->dev->ring[VS_CTL];
	size_t mark = self->dev->mem.used;
	unsigned int i, round, rounds = vs_rounds(20, 40);

	COVERS("FAB-14 FAB-16 FAB-17 FAB-19 FAB-20 FAB-22 FAB-33");
	for (round = 0; round < rounds; round++) {
		bool hold = variant->disk == VS_DISK_HOLD && round % 4 == 3;
		struct vs_chain tmf;
		uint8_t *rsp;

		self->dev->mem.used = mark;
		/* Every fourth time, the disk has them for certain, then LIO the reset. */
		if (hold)
			ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
		vs_chain_get(&tmf);
		rsp = vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
		ASSERT_EQ(0, submit(self, round));
		if (hold) {
			ASSERT_LE(0, vs_dev_get_base(self->dev, VS_IO));
		} else {
			usleep(round % 5 * 100);
		}
		ASSERT_EQ(0, vs_ring_add(ctl, &tmf));
		vs_ring_kick(ctl);
		if (hold) {
			ASSERT_EQ(0, vs_lio_wait_aborts(1));
			ASSERT_EQ(0, vs_hold_go(&self->env.hold));
		}
		ASSERT_EQ(0, vs_chain_wait(ctl, &tmf, vs_patience()));
		EXPECT_EQ(VIRTIO_SCSI_S_OK, *rsp);
		EXPECT_EQ(1, tmf.times);
		for (i = 0; i < DEPTH; i++)
			ASSERT_EQ(0, vs_req_wait(&self->req[i]));
		for (i = 0; i < DEPTH; i++) {
			EXPECT_TRUE(judge(self, i, round)) {
				TH_LOG("round %u, command %u: response %u, status %#x",
				       round, i, self->req[i].rsp->response,
				       self->req[i].rsp->status);
			}
			vs_req_put(&self->req[i]);
		}
		vs_chain_put(&tmf);
	}
	TH_LOG("%u good, %u reset", self->good, self->reset);
	EXPECT_LT(0, self->good);
	if (variant->disk == VS_DISK_HOLD)
		EXPECT_LT(0, self->reset);
}

TEST_HARNESS_MAIN
