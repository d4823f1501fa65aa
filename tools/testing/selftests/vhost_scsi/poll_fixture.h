/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of an initiator that does not sleep until they are done. */
#ifndef POLL_FIXTURE_H
#define POLL_FIXTURE_H

#include "vs_test.h"

#define TAG	VS_TAG

FIXTURE(watch) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req;
};

typedef FIXTURE_DATA(watch) watch_data;

FIXTURE_SETUP(watch)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.n_io = 3,
	};

	SKIP_BEHIND_IOMMU("queues are not polled");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_req_get(&self->req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, 8));
	self->req.chain.flags |= VS_INDIRECT;
	vs_req_in(&self->req, vs_mem_page(&self->dev->mem, 1), VS_PAGE);
}

FIXTURE_TEARDOWN(watch)
{
	if (!self->dev)
		return;
	vs_req_put(&self->req);
	ENV_PUT(&self->env);
}

/*
 * Waits until a ring's next command is done, without sleeping for its interrupt: it
 * spins, or leaves the processor to the worker for a moment each time.
 */
static inline int wait_one(struct vs_ring *ring, bool rest)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (!vs_ring_take(ring, NULL)) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		if (rest)
			usleep(50);
	}
	return 0;
}

/* One command, with a kick only if the device wants it. */
static inline int run_req(struct vs_req *req, unsigned int *kicks, bool rest)
{
	struct vs_ring *ring = req->ring;
	uint16_t old = ring->next_avail, event;
	int ret = vs_ring_add(ring, &req->chain);

	if (ret)
		return ret;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = *(volatile uint16_t *)vs_ring_avail_event(ring);
	if (event == old) {
		vs_ring_kick(ring);
		++*kicks;
	}
	return wait_one(ring, rest);
}

/* How often the first request queue was watched. */
static inline long polls(struct vs_dev *dev)
{
	return vs_dev_counter(dev, VS_IO, "polls_won") +
	       vs_dev_counter(dev, VS_IO, "polls_lost");
}

/* Some commands that come soon enough after each other for a queue to be watched. */
static inline int run_soon(struct vs_req *req)
{
	unsigned int kicks = 0, i;
	int ret = 0;

	for (i = 0; i < 8 && !ret; i++)
		ret = run_req(req, &kicks, true);
	return ret;
}

#endif /* POLL_FIXTURE_H */
