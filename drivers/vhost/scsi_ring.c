// SPDX-License-Identifier: GPL-2.0
/*
 * The only file beside scsi_chain.c and scsi_chain_any.c that takes from a ring, and the
 * only one that puts on it: take a chain, read a request, write a response, push the head.
 *
 * Enters: a virtqueue. Leaves: chains; used elements, with the length that was
 * really written.
 * Context: a vhost worker (guest memory is its memory); vq->mutex, the signal
 * included, since the call eventfd may be swapped meanwhile.
 * Invariant: I1, a head that was taken is pushed once.
 */
#include <linux/vhost_iotlb.h>

#include "scsi_user.h"
#include "vhost_scsi.h"

/**
 * vhost_scsi_ring_next() - take the next chain, and stay
 * @svq: queue, vq->mutex held
 * @chain: result, valid with VHOST_SCSI_TAKE_CHAIN; all zero for the first one
 *	since the mutex is held
 *
 * Notifications are off afterwards, and vhost_scsi_ring_want_kicks() is due before the
 * worker leaves; they are on only with VHOST_SCSI_TAKE_BROKEN and VHOST_SCSI_TAKE_AGAIN.
 *
 * Return: which it was.
 */
enum vhost_scsi_take vhost_scsi_ring_next(struct vhost_scsi_vq *svq,
					  struct vhost_scsi_chain *chain)
{
	struct vhost_virtqueue *vq = &svq->vq;
	enum vhost_scsi_take take;

	lockdep_assert_held(&vq->mutex);
	/* The core would find that out, too. */
	if (!(vq->used_flags & VRING_USED_F_NO_NOTIFY))
		vhost_disable_notify(vq->dev, vq);
	take = vhost_scsi_chain_take(svq, chain);
	if (take != VHOST_SCSI_TAKE_BROKEN)
		return take;
	take = vhost_scsi_chain_take_any(svq, chain);
	/* Not consumed: the same head comes again after a kick. */
	if (take == VHOST_SCSI_TAKE_BROKEN || take == VHOST_SCSI_TAKE_AGAIN)
		vhost_enable_notify(vq->dev, vq);
	return take;
}

/**
 * vhost_scsi_ring_suppress_kicks() - have the guest not kick for its next chain
 * @svq: queue, vq->mutex held, that the worker is going to poll
 *
 * virtio 1.2, "Available Buffer Notification Suppression": with EVENT_IDX the core
 * leaves an event that was asked for standing. One that has passed is none.
 */
void vhost_scsi_ring_suppress_kicks(struct vhost_scsi_vq *svq)
{
	struct vhost_virtqueue *vq = &svq->vq;
	__virtio16 passed = cpu_to_vhost16(vq, vq->last_avail_idx - 1);

	lockdep_assert_held(&vq->mutex);
	vhost_disable_notify(vq->dev, vq);
	if (!vhost_has_feature(vq, VIRTIO_RING_F_EVENT_IDX) || vq->iotlb)
		return;
	put_user(passed, (__virtio16 __user *)&vq->used->ring[vq->num]);
	vhost_scsi_log_used(svq, offsetof(struct vring_used, ring[vq->num]),
			    sizeof(passed));
}

/**
 * vhost_scsi_ring_want_kicks() - have the guest kick for its next chain
 * @svq: queue that was found empty, vq->mutex held
 *
 * Return: true if one came meanwhile, which makes no kick: take it.
 */
bool vhost_scsi_ring_want_kicks(struct vhost_scsi_vq *svq)
{
	lockdep_assert_held(&svq->vq.mutex);
	return vhost_enable_notify(svq->vq.dev, &svq->vq);
}

/**
 * vhost_scsi_ring_take() - take the next chain, or leave
 * @svq: queue, vq->mutex held
 * @chain: as with vhost_scsi_ring_next()
 *
 * Notifications are off when it returns a chain, and on when it does not.
 *
 * Return: which it was.
 */
enum vhost_scsi_take vhost_scsi_ring_take(struct vhost_scsi_vq *svq,
					  struct vhost_scsi_chain *chain)
{
	enum vhost_scsi_take take;

	do {
		take = vhost_scsi_ring_next(svq, chain);
	} while (take == VHOST_SCSI_TAKE_EMPTY && vhost_scsi_ring_want_kicks(svq));
	return take;
}

/**
 * vhost_scsi_ring_in_iov() - the device-writable segments of a chain
 * @svq: queue that it was taken from, vq->mutex held
 * @chain: the chain
 *
 * Return: the first of chain->in segments.
 */
struct iovec *vhost_scsi_ring_in_iov(struct vhost_scsi_vq *svq,
				     const struct vhost_scsi_chain *chain)
{
	return svq->vq.iov + chain->out;
}

/**
 * vhost_scsi_ring_data() - what a chain holds behind its header
 * @svq: queue that it was taken from, vq->mutex held
 * @chain: the chain
 * @dir: which of its segments; not VHOST_SCSI_DIR_NONE
 * @skip: bytes of the request or response in front, and less than there are
 * @iter: result
 */
void vhost_scsi_ring_data(struct vhost_scsi_vq *svq,
			  const struct vhost_scsi_chain *chain,
			  enum vhost_scsi_dir dir, size_t skip,
			  struct iov_iter *iter)
{
	bool in = dir == VHOST_SCSI_DIR_IN;
	unsigned int nr = in ? chain->in : chain->out;
	size_t len = (in ? chain->in_len : chain->out_len) - skip;
	struct iovec *iov = svq->vq.iov + (in ? chain->out : 0);

	lockdep_assert_held(&svq->vq.mutex);
	for (; skip >= iov->iov_len; iov++, nr--)
		skip -= iov->iov_len;
	if (nr == 1) {
		iov_iter_ubuf(iter, in ? ITER_DEST : ITER_SOURCE,
			      iov->iov_base + skip, len);
		return;
	}
	iov_iter_init(iter, in ? ITER_DEST : ITER_SOURCE, iov, nr, len + skip);
	iov_iter_advance(iter, skip);
}

/* A request whose header lies in several segments. */
static noinline bool vhost_scsi_ring_gather(const struct iovec *iov,
					    unsigned int nr, void *buf,
					    size_t len)
{
	struct iov_iter iter;

	iov_iter_init(&iter, ITER_SOURCE, iov, nr, iov_length(iov, nr));
	return copy_from_iter_full(buf, len, &iter);
}

/**
 * vhost_scsi_ring_read() - copy the beginning of a request
 * @svq: queue, vq->mutex held
 * @chain: chain that holds the request
 * @buf: where to
 * @len: bytes, at most chain->out_len
 *
 * The segments may be split anywhere. The bytes are read once: the guest can
 * change them at any time.
 *
 * Return: false if they cannot be read.
 */
bool vhost_scsi_ring_read(struct vhost_scsi_vq *svq,
			  const struct vhost_scsi_chain *chain,
			  void *buf, size_t len)
{
	const struct iovec *iov = svq->vq.iov;

	lockdep_assert_held(&svq->vq.mutex);
	if (iov->iov_len < len)
		return vhost_scsi_ring_gather(iov, chain->out, buf, len);
	if (len == sizeof(struct virtio_scsi_cmd_req))
		return vhost_scsi_user_read(buf, iov->iov_base,
					    sizeof(struct virtio_scsi_cmd_req));
	return !copy_from_user(buf, iov->iov_base, len);
}

static bool vhost_scsi_ring_scatter(const struct iovec *iov, unsigned int nr,
				    const void *buf, size_t len)
{
	struct iov_iter iter;

	iov_iter_init(&iter, ITER_DEST, iov, nr, iov_length(iov, nr));
	return copy_to_iter(buf, len, &iter) == len;
}

/**
 * vhost_scsi_ring_write() - write a response that is all there is to write, and log it
 * @svq: queue, vq->mutex held
 * @iov: device-writable segments
 * @nr: how many, 1 at least
 * @buf: response
 * @len: bytes, at most what the segments hold
 *
 * Return: false if not all of it could be written.
 */
bool vhost_scsi_ring_write(struct vhost_scsi_vq *svq, const struct iovec *iov,
			   unsigned int nr, const void *buf, size_t len)
{
	bool all = vhost_scsi_ring_scatter(iov, nr, buf, len);

	/* Also what was written up to a fault. */
	vhost_scsi_log(svq, iov, len);
	return all;
}

/**
 * vhost_scsi_ring_answer() - write the response of a command
 * @rsp: where to
 * @wire: response
 *
 * Return: false if not all of it could be written.
 */
bool vhost_scsi_ring_answer(const struct vhost_scsi_rsp *rsp,
			    const struct virtio_scsi_cmd_resp *wire)
{
	if (rsp->iov->iov_len >= sizeof(*wire))
		return vhost_scsi_user_write(rsp->iov->iov_base, wire,
					     sizeof(*wire));
	return vhost_scsi_ring_scatter(rsp->iov, rsp->nr, wire, sizeof(*wire));
}

/* vhost_scsi_ring_answer_good(), where the response lies in several segments. */
static noinline bool vhost_scsi_ring_scatter_good(const struct vhost_scsi_rsp *rsp,
						  __virtio32 resid)
{
	struct virtio_scsi_cmd_resp wire = { .resid = resid };

	return vhost_scsi_ring_scatter(rsp->iov, rsp->nr, &wire, sizeof(wire));
}

/**
 * vhost_scsi_ring_answer_good() - write OK and GOOD, which are zero
 * @rsp: where to
 * @resid: residual, in the byte order of the ring
 *
 * Return: false if not all of it could be written.
 */
bool vhost_scsi_ring_answer_good(const struct vhost_scsi_rsp *rsp,
				 __virtio32 resid)
{
	if (rsp->iov->iov_len >= sizeof(struct virtio_scsi_cmd_resp))
		return vhost_scsi_user_write_good(rsp->iov->iov_base, resid);
	return vhost_scsi_ring_scatter_good(rsp, resid);
}

/* vhost_scsi_ring_save_rsp(), where several segments are kept. */
static noinline int vhost_scsi_ring_save_segments(const struct iovec *iov,
						  size_t len,
						  struct vhost_scsi_rsp *rsp)
{
	size_t found = iov->iov_len;
	unsigned int nr;

	while (found < len)
		found += iov[rsp->nr++].iov_len;
	for (nr = rsp->nr; found < rsp->log_len; nr++)
		found += iov[nr].iov_len;
	if (nr <= ARRAY_SIZE(rsp->few)) {
		memcpy(rsp->few, iov, nr * sizeof(*iov));
		rsp->iov = rsp->few;
		return 0;
	}
	rsp->iov = kmemdup_array(iov, nr, sizeof(*iov), VHOST_SCSI_GFP);
	return rsp->iov ? 0 : -ENOMEM;
}

/**
 * vhost_scsi_ring_save_rsp() - keep where the response of a chain goes
 * @svq: queue, vq->mutex held
 * @chain: chain with at least @len and @written writable bytes
 * @len: size of the response in bytes
 * @written: bytes from the first writable one on that the device may write, @len at least
 * @rsp: result, to be freed with vhost_scsi_ring_free_rsp()
 *
 * While the guest's memory is logged, where all of @written lies is kept: also a command
 * that is aborted, or that faults, has written something.
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_scsi_ring_save_rsp(struct vhost_scsi_vq *svq,
			     const struct vhost_scsi_chain *chain, size_t len,
			     size_t written, struct vhost_scsi_rsp *rsp)
{
	struct iovec *iov = vhost_scsi_ring_in_iov(svq, chain);

	lockdep_assert_held(&svq->vq.mutex);
	rsp->nr = 1;
	rsp->log_len = vhost_has_feature(&svq->vq, VHOST_F_LOG_ALL) ? written : 0;
	if (rsp->log_len > iov->iov_len || iov->iov_len < len)
		return vhost_scsi_ring_save_segments(iov, len, rsp);
	rsp->few[0] = *iov;
	rsp->iov = rsp->few;
	return 0;
}

/**
 * vhost_scsi_ring_push() - give a head back to the guest
 * @svq: queue, vq->mutex held
 * @head: head descriptor of a chain taken from it
 * @len: bytes written from the first writable byte on, without gaps
 *
 * The guest sees it after vhost_scsi_ring_flush().
 */
void vhost_scsi_ring_push(struct vhost_scsi_vq *svq, unsigned int head,
			  u32 len)
{
	/* No subscript: a check of its bound would save registers for each head. */
	struct vring_used_elem *used = svq->used + svq->nr_used;
	struct vhost_virtqueue *vq = &svq->vq;

	lockdep_assert_held(&vq->mutex);
	used->id = cpu_to_vhost32(vq, head);
	used->len = cpu_to_vhost32(vq, len);
	/* The core can add no more than a ring's worth at once. */
	if (++svq->nr_used == min_t(unsigned int, VHOST_SCSI_BATCH, vq->num))
		vhost_scsi_ring_flush(svq);
}

/* Can the core read whether the guest wants to be signalled, and ask nobody for that? */
static bool vhost_scsi_ring_is_told(struct vhost_virtqueue *vq)
{
	const void __user *field = vhost_has_feature(vq, VIRTIO_RING_F_EVENT_IDX) ?
				   &vq->avail->ring[vq->num] : &vq->avail->flags;
	u64 first = (unsigned long)field, last = first + sizeof(__virtio16) - 1;
	const struct vhost_iotlb_map *map = vhost_iotlb_itree_first(vq->iotlb, first, last);

	return map && map->start <= first && last <= map->last &&
	       map->perm & VHOST_ACCESS_RO;
}

/*
 * Signal the guest, if it wants that; where the used ring alone is translated, because
 * that was lent, in any case.
 */
static void vhost_scsi_ring_signal(struct vhost_scsi_vq *svq)
{
	struct vhost_virtqueue *vq = &svq->vq;

	if (!svq->iotlb.lent || vhost_scsi_ring_is_told(vq)) {
		vhost_signal(vq->dev, vq);
		return;
	}
	if (vq->call_ctx.ctx)
		eventfd_signal(vq->call_ctx.ctx);
	vq->signalled_used_valid = false;
}

/**
 * vhost_scsi_ring_flush() - update the used ring and signal the guest
 * @svq: queue, vq->mutex held
 *
 * A used ring that faults loses the heads by necessity; the core has signalled
 * the error eventfd then.
 */
void vhost_scsi_ring_flush(struct vhost_scsi_vq *svq)
{
	struct vhost_virtqueue *vq = &svq->vq;
	unsigned int nr = svq->nr_used;

	lockdep_assert_held(&vq->mutex);
	if (!nr)
		return;

	svq->nr_used = 0;
	svq->stats.batches++;
	if (!vhost_scsi_add_used_n(vq, svq->used, nr))
		vhost_scsi_ring_signal(svq);
}
