/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that a disk holds while task management acts on them. LIO waits for the disk
 * too, so a test starts a function, lets the disk go, and looks at what became of each
 * command.
 */
#ifndef TMF_FIXTURE_H
#define TMF_FIXTURE_H

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

typedef FIXTURE_DATA(tmf) tmf_data;

/* One command of 4 KiB, a read or a write, on one of the queues. */
static inline void prepare(struct vs_dev *dev, struct vs_req *req,
			   unsigned int i, uint16_t lun)
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
static inline int leave(struct vs_req *req)
{
	int ret = vs_req_submit(req);

	return ret ? ret : vs_ring_wait_taken(req->ring, vs_patience());
}

/* Leaves commands for a unit with the disk, spread over the queues. */
static inline int leave_some(struct vs_dev *dev, struct vs_req *req,
			     unsigned int n, uint16_t lun)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++) {
		prepare(dev, &req[i], i, lun);
		ret = leave(&req[i]);
	}
	return ret;
}

/* Starts a function, and waits until @n threads of LIO wait for commands that it ends. */
static inline int start(struct vs_dev *dev, struct vs_chain *chain,
			uint8_t **rsp, uint16_t lun, uint32_t subtype,
			uint64_t tag, unsigned int n)
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
	return ret ? ret : vs_lio_wait_aborts(n);
}

/* Waits for the answer to a function: its response code, or -errno. */
static inline int finish(struct vs_dev *dev, struct vs_chain *chain,
			 uint8_t *rsp)
{
	int ret = vs_chain_wait(&dev->ring[VS_CTL], chain, vs_patience());

	vs_chain_put(chain);
	return ret ? ret : *rsp;
}

/* Used entries that wait on the request queues. */
static inline unsigned int answered(struct vs_dev *dev)
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

#endif /* TMF_FIXTURE_H */
