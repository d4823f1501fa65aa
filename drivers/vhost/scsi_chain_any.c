// SPDX-License-Identifier: GPL-2.0
/*
 * A descriptor chain of any form, as the core decodes it: what scsi_chain.c leaves, and
 * all that a guest behind an IOMMU has.
 *
 * Enters: a virtqueue, notifications off. Leaves: a chain; or why there is none.
 * Context: a vhost worker (guest memory is its memory), vq->mutex held.
 * Invariant: what is wrong with a chain is told by the queue's error eventfd; that a
 * translation is missing is none of that.
 */
#include "vhost_scsi.h"

/*
 * Join pieces that lie behind each other in the owner's memory, into @to. Returns how
 * many there are, or would be.
 */
static unsigned int vhost_scsi_chain_join(struct iovec *to, size_t room,
					  const struct iovec *from, unsigned int nr)
{
	unsigned int joined = 0;

	for (; nr; nr--, from++) {
		struct iovec *last = to + joined - 1;

		if (joined && joined <= room && last->iov_base + last->iov_len == from->iov_base)
			last->iov_len += from->iov_len;
		else if (joined++ < room)
			to[joined - 1] = *from;
	}
	return joined;
}

/*
 * A chain that is in more pieces than the guest made it of: behind an IOMMU the core cuts
 * a buffer wherever another translation begins. Returns as vhost_get_vq_desc() does.
 */
static noinline int vhost_scsi_chain_take_pieces(struct vhost_virtqueue *vq,
						 struct vhost_scsi_chain *chain)
{
	const unsigned int most = 2 * ARRAY_SIZE(vq->iov) + VHOST_SCSI_MAX_PAGES;
	struct iovec *iov __free(kvfree) = kvmalloc_array(most, sizeof(*iov), VHOST_SCSI_GFP);
	size_t room = ARRAY_SIZE(vq->iov);
	unsigned int out, in;
	int head;

	/* Looked at again, as what is not translated. */
	if (!iov)
		return -EAGAIN;
	head = vhost_get_vq_desc(vq, iov, most, &out, &in, NULL, NULL);
	if (head < 0 || head == vq->num)
		return head;
	chain->out = vhost_scsi_chain_join(vq->iov, room, iov, out);
	room -= min(room, chain->out);
	chain->in = vhost_scsi_chain_join(vq->iov + chain->out, room, iov + out, in);
	if (chain->in <= room && chain->out <= ARRAY_SIZE(vq->iov))
		return head;
	/* As if it had not been taken. */
	vq->last_avail_idx--;
	return -ENOBUFS;
}

/*
 * A chain as the core decodes it. Too many pieces are no error as long as they may be
 * joined: the VMM is told of one here, not by the core. Returns as that does.
 */
static int vhost_scsi_chain_decode(struct vhost_virtqueue *vq, struct vhost_scsi_chain *chain)
{
	struct eventfd_ctx *error = vq->error_ctx;
	int head;

	vq->error_ctx = NULL;
	head = vhost_get_vq_desc(vq, vq->iov, ARRAY_SIZE(vq->iov), &chain->out,
				 &chain->in, NULL, NULL);
	if (head == -ENOBUFS && vq->iotlb)
		head = vhost_scsi_chain_take_pieces(vq, chain);
	vq->error_ctx = error;
	if (head < 0 && head != -EAGAIN && error)
		eventfd_signal(error);
	return head;
}

/**
 * vhost_scsi_chain_take_any() - take the next chain, whatever its form
 * @svq: queue, vq->mutex held
 * @chain: result
 *
 * Return: what was found. Nothing was consumed without a chain.
 */
enum vhost_scsi_take vhost_scsi_chain_take_any(struct vhost_scsi_vq *svq,
					       struct vhost_scsi_chain *chain)
{
	struct vhost_virtqueue *vq = &svq->vq;
	int head = vhost_scsi_chain_decode(vq, chain);

	/* -EPERM is a translation that does not allow what the descriptor says. */
	if (head == -EAGAIN || head == -EPERM) {
		vhost_scsi_iotlb_missed(svq);
		return VHOST_SCSI_TAKE_AGAIN;
	}
	if (head < 0) {
		/* Of the guest's making, or the rings are not where they were. */
		svq->iotlb.doubt = true;
		return VHOST_SCSI_TAKE_BROKEN;
	}
	vhost_scsi_iotlb_found(svq);
	if (head == vq->num)
		return VHOST_SCSI_TAKE_EMPTY;

	chain->head = head;
	chain->out_len = iov_length(vq->iov, chain->out);
	chain->in_len = iov_length(vq->iov + chain->out, chain->in);
	return VHOST_SCSI_TAKE_CHAIN;
}
