/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one takes from a virtqueue and puts back: chains, answers that come later,
 * the used ring (scsi_ring.c, scsi_chain*.c), the dirty log (scsi_log.c).
 */
#ifndef VHOST_SCSI_RING_H
#define VHOST_SCSI_RING_H

#include <linux/slab.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <linux/virtio_scsi.h>

#include "scsi_wire.h"

struct vhost_iotlb_map;
struct vhost_scsi_vq;

/**
 * struct vhost_scsi_chain - a descriptor chain taken from a ring
 * @head: index of the head descriptor
 * @out: device-readable segments, the first ones of vq->iov
 * @in: device-writable segments, those behind them
 * @out_len: bytes of the readable segments
 * @in_len: bytes of the writable segments
 * @region: of guest memory, where the last descriptors lay, the last one first; NULL
 *	to begin with, and valid as long as vq->mutex is held
 *
 * All but @region valid until the next chain is taken from the same queue.
 */
struct vhost_scsi_chain {
	unsigned int head;
	unsigned int out;
	unsigned int in;
	size_t out_len;
	size_t in_len;
	const struct vhost_iotlb_map *region[2];
};

/**
 * enum vhost_scsi_take - what came from the available ring
 * @VHOST_SCSI_TAKE_CHAIN: a chain; its head must be pushed (I1)
 * @VHOST_SCSI_TAKE_EMPTY: there is none
 * @VHOST_SCSI_TAKE_BROKEN: the ring cannot be parsed; wait for the next kick
 * @VHOST_SCSI_TAKE_AGAIN: a translation is missing; the queue is kicked when it is there
 */
enum vhost_scsi_take {
	VHOST_SCSI_TAKE_CHAIN,
	VHOST_SCSI_TAKE_EMPTY,
	VHOST_SCSI_TAKE_BROKEN,
	VHOST_SCSI_TAKE_AGAIN,
};

/**
 * struct vhost_scsi_rsp - a head that is answered later
 * @iov: device-writable segments that are kept, user addresses of the owner
 * @nr: how many of them hold the response
 * @log_len: bytes of them that may be written, if that is to be logged (scsi_log.c);
 *	else 0
 * @few: what @iov points to if two segments are enough
 * @head: head descriptor of the request
 * @epoch: which count of the queue's in-flight counts it is part of
 *
 * The segments are kept, since vq->iov serves the next chain meanwhile.
 */
struct vhost_scsi_rsp {
	struct iovec *iov;
	unsigned int nr;
	size_t log_len;
	struct iovec few[2];
	u16 head;
	u8 epoch;
};

/**
 * vhost_scsi_ring_free_rsp() - undo vhost_scsi_ring_save_rsp()
 * @rsp: what it filled
 */
static inline void vhost_scsi_ring_free_rsp(struct vhost_scsi_rsp *rsp)
{
	if (rsp->iov != rsp->few)
		kfree(rsp->iov);
}

/* scsi_ring.c */
enum vhost_scsi_take vhost_scsi_ring_next(struct vhost_scsi_vq *svq,
					  struct vhost_scsi_chain *chain);
void vhost_scsi_ring_suppress_kicks(struct vhost_scsi_vq *svq);
bool vhost_scsi_ring_want_kicks(struct vhost_scsi_vq *svq);
enum vhost_scsi_take vhost_scsi_ring_take(struct vhost_scsi_vq *svq,
					  struct vhost_scsi_chain *chain);
void vhost_scsi_ring_data(struct vhost_scsi_vq *svq,
			  const struct vhost_scsi_chain *chain,
			  enum vhost_scsi_dir dir, size_t skip,
			  struct iov_iter *iter);
struct iovec *vhost_scsi_ring_in_iov(struct vhost_scsi_vq *svq,
				     const struct vhost_scsi_chain *chain);
bool vhost_scsi_ring_read(struct vhost_scsi_vq *svq,
			  const struct vhost_scsi_chain *chain,
			  void *buf, size_t len);
bool vhost_scsi_ring_write(struct vhost_scsi_vq *svq, const struct iovec *iov,
			   unsigned int nr, const void *buf, size_t len);
bool vhost_scsi_ring_answer(const struct vhost_scsi_rsp *rsp,
			    const struct virtio_scsi_cmd_resp *wire);
bool vhost_scsi_ring_answer_good(const struct vhost_scsi_rsp *rsp,
				 __virtio32 resid);
int vhost_scsi_ring_save_rsp(struct vhost_scsi_vq *svq,
			     const struct vhost_scsi_chain *chain, size_t len,
			     size_t written, struct vhost_scsi_rsp *rsp);
void vhost_scsi_ring_push(struct vhost_scsi_vq *svq, unsigned int head,
			  u32 len);
void vhost_scsi_ring_flush(struct vhost_scsi_vq *svq);

/* scsi_log.c */
void vhost_scsi_log(struct vhost_scsi_vq *svq, const struct iovec *iov,
		    size_t len);
void vhost_scsi_log_used(struct vhost_scsi_vq *svq, size_t offset, size_t len);

/* scsi_chain.c */
enum vhost_scsi_take vhost_scsi_chain_take(struct vhost_scsi_vq *svq,
					   struct vhost_scsi_chain *chain);

/* scsi_chain_any.c */
enum vhost_scsi_take vhost_scsi_chain_take_any(struct vhost_scsi_vq *svq,
					       struct vhost_scsi_chain *chain);

#endif
