// SPDX-License-Identifier: GPL-2.0
/* Task management while a disk holds commands. */
#include "vs_test.h"

#define TAG VS_TAG

#define COMPLETE	VIRTIO_SCSI_S_OK
#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET

/* Commands that a backstore holds. */
FIXTURE(held) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(held)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(held);

#define HELD 40	/* slots of two chunks */

TEST_F(held, commands_ended_by_a_lun_reset_never_read_as_good)
{
	struct vs_req req[HELD];
	struct vs_chain tmf;
	uint8_t *rsp, *buf;
	unsigned int i;

	COVERS("F-TM-02 CTL-13 CTL-15 CTL-16 F-TM-10 REQ-29 F-SE-03 FAB-20 FAB-22");
	buf = vs_mem_page(&self->dev->mem, HELD);
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (i = 0; i < HELD; i++) {
		bool write = i % 2;

		vs_req_get(&req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(write ? VS_WRITE_10 : VS_READ_10,
				       i * 8, 8));
		if (write)
			vs_req_out(&req[i], buf + i * VS_PAGE, VS_PAGE);
		else
			vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
		ASSERT_EQ(0, vs_ring_add(req[i].ring, &req[i].chain));
	}
	vs_ring_kick(req[0].ring);
	ASSERT_EQ(0, vs_ring_wait_taken(req[0].ring, vs_patience()));
	/* The last of them has reached the disk when the worker leaves the queue. */
	ASSERT_LE(0, vs_dev_get_base(self->dev, VS_IO));
	vs_chain_get(&tmf);
	rsp = vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
	ASSERT_EQ(0, vs_ring_add(&self->dev->ring[VS_CTL], &tmf));
	vs_ring_kick(&self->dev->ring[VS_CTL]);
	/* The reset has reached the target core before the disk answers. */
	ASSERT_EQ(0, vs_ring_wait_taken(&self->dev->ring[VS_CTL],
					vs_patience()));
	ASSERT_EQ(0, vs_lio_wait_aborts(1));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_chain_wait(&self->dev->ring[VS_CTL], &tmf,
				   vs_patience()));
	EXPECT_EQ(COMPLETE, *rsp);
	/* All the answers were there before the reset's. */
	EXPECT_EQ(HELD, vs_ring_pending(req[0].ring));
	for (i = 0; i < HELD; i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_RESET |
			      1U << VIRTIO_SCSI_S_ABORTED,
			      req[i].rsp->response);
		EXPECT_EQ(0, req[i].rsp->status);
		EXPECT_EQ(1, req[i].chain.times);
		vs_req_put(&req[i]);
	}
	vs_chain_put(&tmf);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 8), buf, VS_PAGE));
}

TEST_F(held, other_units_go_on_while_one_holds)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("F-TM-11 F-AD-02");
	buf = vs_mem_page(&self->dev->mem, 2);
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&req, buf, VS_PAGE);
	ASSERT_EQ(0, vs_req_submit(&req));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 1,
				 vs_cdb_rw10(VS_READ_10, 0, 8), buf + VS_PAGE,
				 VS_PAGE));
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 1, LUN_RESET, 0, NULL));
	EXPECT_FALSE(req.chain.done);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	vs_req_put(&req);
}

TEST_F(held, clear_endpoint_waits_for_a_reset_in_flight)
{
	struct vs_chain tmf;
	struct vs_req req;
	uint8_t *rsp, *buf;
	int status;
	pid_t pid;

	COVERS("CTL-19 F-TM-09 REQ-58 IOC-03");
	buf = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&req, buf, VS_PAGE);
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, vs_ring_wait_taken(req.ring, vs_patience()));
	vs_chain_get(&tmf);
	rsp = vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
	ASSERT_EQ(0, vs_ring_add(&self->dev->ring[VS_CTL], &tmf));
	vs_ring_kick(&self->dev->ring[VS_CTL]);
	ASSERT_EQ(0, vs_ring_wait_taken(&self->dev->ring[VS_CTL],
					vs_patience()));
	/* The disk answers while CLEAR_ENDPOINT waits. */
	pid = vs_hold_go_once_stuck(&self->env.hold, getpid());
	ASSERT_LE(0, pid);
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(1, vs_ring_pending(req.ring));
	EXPECT_EQ(1, vs_ring_pending(&self->dev->ring[VS_CTL]));
	EXPECT_EQ(COMPLETE, *rsp);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	vs_req_put(&req);
	vs_chain_put(&tmf);
}

TEST_HARNESS_MAIN
