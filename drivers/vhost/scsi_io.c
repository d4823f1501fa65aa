// SPDX-License-Identifier: GPL-2.0
/*
 * Request queues: the worker's turn at one of them.
 *
 * Enters: a kick; that commands have finished. Leaves: heads whose requests are on
 * their way (scsi_request.c), answers to those that are not.
 * Context: the queue's vhost worker, vq->mutex held through the turn.
 * Invariant: each head that the loop takes ends in exactly one verdict (I1).
 */
#include <linux/blkdev.h>

#include "scsi_io.h"
#include "scsi_trace.h"

/* Write the answer of a request that did not reach LIO. */
static u32 vhost_scsi_io_reply(struct vhost_scsi_io *io)
{
	struct iovec *iov = vhost_scsi_ring_in_iov(io->svq, &io->chain);
	struct {
		struct virtio_scsi_cmd_resp rsp;
		u8 data[VHOST_SCSI_NO_LUN_DATA];
	} __packed wire;
	size_t len = sizeof(wire.rsp) + io->answer_len;

	vhost_scsi_wire_encode_cmd(&wire.rsp,
				   vhost_is_little_endian(&io->svq->vq),
				   &io->res);
	memcpy(wire.data, io->answer, io->answer_len);
	return vhost_scsi_ring_write(io->svq, iov, io->chain.in, &wire, len) ? len : 0;
}

/* The request does not go to LIO: give its head back, with an answer if it has room. */
static noinline void vhost_scsi_io_refuse(struct vhost_scsi_io *io,
					  enum vhost_scsi_verdict verdict)
{
	u32 len = 0;

	if (verdict == VHOST_SCSI_REPLY)
		len = vhost_scsi_io_reply(io);
	else
		vq_err(&io->svq->vq, "no room for a response\n");
	io->svq->stats.refused++;
	trace_vhost_scsi_cmd_reject(io->svq, io->chain.head, io->why, &io->res);
	vhost_scsi_ring_push(io->svq, io->chain.head, len);
}

/* Take requests until there are none, or until others must have their turn. */
static enum vhost_scsi_take vhost_scsi_io_take_all(struct vhost_scsi_io *io)
{
	struct vhost_scsi_vq *svq = io->svq;
	struct blk_plug plug __uninitialized;
	enum vhost_scsi_verdict verdict;
	enum vhost_scsi_take take;

	blk_start_plug(&plug);
	do {
		take = vhost_scsi_ring_next(svq, &io->chain);
		if (take != VHOST_SCSI_TAKE_CHAIN)
			break;
		io->nr++;
		verdict = vhost_scsi_req_start(io);
		if (verdict != VHOST_SCSI_SUBMITTED)
			vhost_scsi_io_refuse(io, verdict);
		/* The first ones need not wait for the last ones. */
		if (!(io->nr % VHOST_SCSI_BATCH))
			vhost_scsi_cmd_drain(svq);
		/* Saves the call below the weight. */
	} while (io->nr < VHOST_SCSI_WEIGHT ||
		 !vhost_exceeds_weight(&svq->vq, io->nr, 0));
	blk_finish_plug(&plug);
	return take;
}

/* The queue was found empty: poll it, then ask for kicks. */
static bool vhost_scsi_io_may_sleep(struct vhost_scsi_vq *svq)
{
	switch (vhost_scsi_poll_wait(svq)) {
	case VHOST_SCSI_POLL_FOUND:
		return false;
	case VHOST_SCSI_POLL_YIELD:
		return true;
	case VHOST_SCSI_POLL_IDLE:
		break;
	}
	return !vhost_scsi_ring_want_kicks(svq);
}

/*
 * Serve the queue until it is empty, or others must have their turn. Returns true to
 * look at it once more after a yield: notifications stay off, and commands that finish
 * do not wake the worker. A yield that brought nothing is the last one.
 */
static bool vhost_scsi_io_take_turn(struct vhost_scsi_io *io, bool yielded)
{
	struct vhost_scsi_vq *svq = io->svq;
	u64 before = io->nr + svq->stats.commands;
	enum vhost_scsi_take take;

	do {
		take = vhost_scsi_io_take_all(io);
		vhost_scsi_cmd_drain(svq);
		if (io->nr)
			vhost_scsi_poll_served(svq, io->busyloop_us);
		yielded &= io->nr + svq->stats.commands == before;
		if (take == VHOST_SCSI_TAKE_EMPTY && !yielded &&
		    vhost_scsi_poll_may_yield(svq))
			return true;
	} while (take == VHOST_SCSI_TAKE_EMPTY && !vhost_scsi_io_may_sleep(svq));
	return false;
}

/* Go on with the turn, vq->mutex held. Returns true to yield, then look again. */
static bool vhost_scsi_io_run(struct vhost_scsi_io *io, struct vhost_scsi_ep *ep,
			      bool yielded)
{
	struct vhost_scsi_vq *svq = io->svq;
	bool again;

	io->ep = ep;
	io->with_pi = vhost_has_feature(&svq->vq, VIRTIO_SCSI_F_T10_PI);
	memset(io->chain.region, 0, sizeof(io->chain.region));
	vhost_scsi_ep_charge(ep);
	WRITE_ONCE(svq->worker_active, true);
	vhost_scsi_poll_woken(svq);
	again = vhost_scsi_io_take_turn(io, yielded);
	vhost_scsi_ep_uncharge();
	return again;
}

/* A command that finishes from here on wakes the worker. */
static void vhost_scsi_io_leave(struct vhost_scsi_vq *svq)
{
	WRITE_ONCE(svq->worker_active, false);
	/* Pairs with llist_add() in vhost_scsi_release_cmd(). */
	smp_mb();
	if (!llist_empty(&svq->done))
		vhost_scsi_cmd_drain(svq);
}

/*
 * A turn at a queue, vq->mutex held. It is given back for yields, after which the
 * endpoint may be another one, or gone. The count of requests goes on over yields:
 * VHOST_ATTACH_VRING_WORKER waits for the old worker, and vhost_vq_has_work() looks at
 * the new one by then.
 */
static void vhost_scsi_io_serve(struct vhost_scsi_vq *svq,
				struct vhost_scsi_ep *ep)
{
	struct vhost_scsi_io io __uninitialized;
	bool yielded = false;
	u64 took;

	io.svq = svq;
	io.busyloop_us = 0;
	io.nr = 0;
	while (ep && vhost_scsi_io_run(&io, ep, yielded)) {
		mutex_unlock(&svq->vq.mutex);
		took = vhost_scsi_poll_yield();
		mutex_lock(&svq->vq.mutex);
		yielded = true;
		ep = vhost_vq_get_backend(&svq->vq);
		if (ep)
			vhost_scsi_poll_yielded(svq, took);
	}
	vhost_scsi_io_leave(svq);
}

/**
 * vhost_scsi_io_kick() - the guest kicked a request queue
 * @work: the virtqueue's poll work
 */
void vhost_scsi_io_kick(struct vhost_work *work)
{
	struct vhost_virtqueue *vq = container_of(work, struct vhost_virtqueue,
						  poll.work);
	struct vhost_scsi_ep *ep;

	mutex_lock(&vq->mutex);
	ep = vhost_vq_get_backend(vq);
	to_svq(vq)->stats.kicks++;
	if (ep && vhost_scsi_iotlb_open(to_svq(vq)))
		vhost_scsi_io_serve(to_svq(vq), ep);
	mutex_unlock(&vq->mutex);
}

/**
 * vhost_scsi_io_done_work() - commands of a request queue have finished
 * @work: done_work of the queue
 *
 * In the queue's worker. A guest that is answered mostly has a next request.
 */
void vhost_scsi_io_done_work(struct vhost_work *work)
{
	struct vhost_scsi_vq *svq = container_of(work, struct vhost_scsi_vq,
						 done_work);
	struct vhost_scsi_ep *ep;
	bool stays;

	mutex_lock(&svq->vq.mutex);
	ep = vhost_vq_get_backend(&svq->vq);
	svq->stats.wakeups++;
	stays = ep && !svq->vq.iotlb && (svq->poll.window || vhost_scsi_poll_may_yield(svq));
	/* Before the answers, which the next requests follow. */
	if (stays)
		vhost_scsi_ring_suppress_kicks(svq);
	vhost_scsi_cmd_drain(svq);
	if (stays)
		vhost_scsi_io_serve(svq, ep);
	mutex_unlock(&svq->vq.mutex);
}
