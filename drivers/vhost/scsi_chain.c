// SPDX-License-Identifier: GPL-2.0
/*
 * A descriptor chain in a form that drivers give it: descriptors of the ring, or one
 * that points to a table whose entries follow each other; each inside one region of
 * the guest's memory. vhost_get_vq_desc() decodes every chain there can be, but
 * copies each descriptor by itself and searches for each one's region. This file saves
 * 716 instructions of a 4 KiB READ on 6.12 and 718 on 7.3, and 510 where the chain has
 * no table (make icount, 2026-11-30, queue depth 32). It goes when the core keeps what
 * it found.
 *
 * Enters: a virtqueue, notifications off. Leaves: a chain; or nothing, with
 * nothing consumed, if the next one has another form, if it is wrong, or if
 * there is none. The core looks at it then, and says so if it is wrong.
 * Context: a vhost worker (guest memory is its memory), vq->mutex held.
 * Invariant: what the core would refuse is not taken here, and each byte is
 * read once: the guest can change it at any time.
 */
#include <linux/uaccess.h>
#include <linux/vhost_iotlb.h>

#include "vhost_scsi.h"

/* Is there an entry in the available ring that was not taken yet? */
static enum vhost_scsi_take vhost_scsi_chain_look(struct vhost_virtqueue *vq)
{
	__virtio16 wire;
	u16 idx, nr;

	if (vq->avail_idx != vq->last_avail_idx)
		return VHOST_SCSI_TAKE_CHAIN;
	if (get_user(wire, &vq->avail->idx))
		return VHOST_SCSI_TAKE_BROKEN;
	idx = vhost16_to_cpu(vq, wire);
	nr = idx - vq->last_avail_idx;
	if (!nr)
		return VHOST_SCSI_TAKE_EMPTY;
	if (nr > vq->num)
		return VHOST_SCSI_TAKE_BROKEN;

	vq->avail_idx = idx;
	/* The entries are as new as the index. */
	smp_rmb();
	return VHOST_SCSI_TAKE_CHAIN;
}

/* A chain as far as it was walked */
struct vhost_scsi_walk {
	struct vhost_virtqueue *vq;
	const struct vhost_iotlb_map **region;
	unsigned int nr, out;
	size_t out_len, in_len;
};

/* Between user_read_access_begin() and user_read_access_end(). */
#define vhost_scsi_chain_copy(desc, from, fault) do {			\
	const u64 __user *__from = (const u64 __user *)(from);		\
	u64 *__to = (u64 *)(desc);					\
									\
	unsafe_get_user(__to[0], __from, fault);			\
	unsafe_get_user(__to[1], __from + 1, fault);			\
} while (0)

static __always_inline bool
vhost_scsi_chain_read(struct vring_desc *desc,
		      const struct vring_desc __user *from)
{
	if (!user_read_access_begin(from, sizeof(*from)))
		return false;
	vhost_scsi_chain_copy(desc, from, fault);
	user_read_access_end();
	return true;
fault:
	user_read_access_end();
	return false;
}

/* The next head, and its descriptor. */
static bool vhost_scsi_chain_head(struct vhost_virtqueue *vq,
				  struct vhost_scsi_chain *chain,
				  struct vring_desc *desc)
{
	const __virtio16 __user *entry = &vq->avail->ring[vq->last_avail_idx &
							  (vq->num - 1)];
	__virtio16 wire;

	if (!access_ok(vq->desc, vq->num * sizeof(*vq->desc)) ||
	    !user_read_access_begin(entry, sizeof(*entry)))
		return false;
	unsafe_get_user(wire, entry, fault);
	chain->head = vhost16_to_cpu(vq, wire);
	if (chain->head >= vq->num)
		goto fault;
	vhost_scsi_chain_copy(desc, vq->desc + chain->head, fault);
	user_read_access_end();
	return true;
fault:
	user_read_access_end();
	return false;
}

static bool vhost_scsi_chain_region_holds(const struct vhost_iotlb_map *region,
					  u64 first, u64 last)
{
	return region && region->start <= first && last <= region->last;
}

/* Not in the regions of the last descriptors: look for it. */
static noinline bool
vhost_scsi_chain_find_region(const struct vhost_iotlb_map **region,
			     struct vhost_iotlb *umem, u64 first, u64 last)
{
	swap(region[0], region[1]);
	if (vhost_scsi_chain_region_holds(region[0], first, last))
		return true;
	region[0] = vhost_iotlb_itree_first(umem, first, last);
	return vhost_scsi_chain_region_holds(region[0], first, last);
}

/* Where guest memory lies in the owner's; NULL if it is not all in one region. */
static __always_inline void __user *
vhost_scsi_chain_user(struct vhost_scsi_walk *walk, u64 first, u32 len, u32 access)
{
	const struct vhost_iotlb_map *region;
	u64 last = first + len - 1;

	if (last < first || !len)
		return NULL;
	if (!vhost_scsi_chain_region_holds(walk->region[0], first, last) &&
	    !vhost_scsi_chain_find_region(walk->region, walk->vq->umem, first,
					  last))
		return NULL;
	region = walk->region[0];
	if (!(region->perm & access))
		return NULL;
	return (void __user *)(unsigned long)(region->addr + first -
					      region->start);
}

/* A descriptor becomes the next segment: readable ones first, all with a length. */
static __always_inline bool
vhost_scsi_chain_add(struct vhost_scsi_walk *walk, const struct vring_desc *desc,
		     u16 flags)
{
	struct vhost_virtqueue *vq = walk->vq;
	struct iovec *iov = vq->iov + walk->nr++;
	u32 len = vhost32_to_cpu(vq, desc->len);

	if (flags & ~(VRING_DESC_F_NEXT | VRING_DESC_F_WRITE))
		return false;
	iov->iov_len = len;
	iov->iov_base = vhost_scsi_chain_user(walk, vhost64_to_cpu(vq, desc->addr),
					      len, flags & VRING_DESC_F_WRITE ?
					      VHOST_ACCESS_WO : VHOST_ACCESS_RO);
	if (!iov->iov_base)
		return false;
	if (flags & VRING_DESC_F_WRITE) {
		walk->in_len += len;
		return true;
	}
	walk->out_len += len;
	walk->out = walk->nr;
	return !walk->in_len;
}

static bool vhost_scsi_chain_done(const struct vhost_scsi_walk *walk,
				  struct vhost_scsi_chain *chain)
{
	chain->out = walk->out;
	chain->in = walk->nr - walk->out;
	chain->out_len = walk->out_len;
	chain->in_len = walk->in_len;
	return true;
}

/* Descriptors of the ring, from the head @desc on; no more than it has. */
static noinline bool vhost_scsi_chain_walk_ring(struct vhost_virtqueue *vq,
						struct vhost_scsi_chain *chain,
						struct vring_desc *desc)
{
	unsigned int max = min_t(unsigned int, vq->num, ARRAY_SIZE(vq->iov));
	struct vhost_scsi_walk walk = { .vq = vq, .region = chain->region };
	unsigned int next;
	u16 flags;

	do {
		flags = vhost16_to_cpu(vq, desc->flags);
		if (!vhost_scsi_chain_add(&walk, desc, flags))
			return false;
		if (!(flags & VRING_DESC_F_NEXT))
			return vhost_scsi_chain_done(&walk, chain);
		next = vhost16_to_cpu(vq, desc->next);
	} while (next < vq->num && walk.nr < max &&
		 vhost_scsi_chain_read(desc, vq->desc + next));
	return false;
}

/* A table, each of whose descriptors names the one behind it as the next. */
static bool vhost_scsi_chain_walk_table(struct vhost_virtqueue *vq,
					struct vhost_scsi_chain *chain,
					struct vring_desc *desc)
{
	struct vhost_scsi_walk walk = { .vq = vq, .region = chain->region };
	u32 len = vhost32_to_cpu(vq, desc->len);
	unsigned int nr = len / sizeof(*desc);
	const struct vring_desc __user *from;
	u16 flags;

	from = vhost_scsi_chain_user(&walk, vhost64_to_cpu(vq, desc->addr), len,
				     VHOST_ACCESS_RO);
	if (!from || len % sizeof(*desc) || nr > ARRAY_SIZE(vq->iov))
		return false;
	do {
		if (!vhost_scsi_chain_read(desc, from++))
			return false;
		flags = vhost16_to_cpu(vq, desc->flags);
		if (!vhost_scsi_chain_add(&walk, desc, flags))
			return false;
		if (walk.nr == nr)
			return !(flags & VRING_DESC_F_NEXT) &&
			       vhost_scsi_chain_done(&walk, chain);
	} while (flags & VRING_DESC_F_NEXT &&
		 vhost16_to_cpu(vq, desc->next) == walk.nr);
	return false;
}

/**
 * vhost_scsi_chain_take() - take the next chain, if it has a usual form
 * @svq: queue, vq->mutex held
 * @chain: result; its @region is NULL, or was found since the mutex is held
 *
 * Return: what was found; VHOST_SCSI_TAKE_BROKEN if only the core can tell.
 * Nothing was consumed without a chain.
 */
enum vhost_scsi_take vhost_scsi_chain_take(struct vhost_scsi_vq *svq,
					   struct vhost_scsi_chain *chain)
{
	struct vhost_virtqueue *vq = &svq->vq;
	struct vring_desc desc __uninitialized;
	enum vhost_scsi_take take;
	bool is_usual;

	lockdep_assert_held(&vq->mutex);
	if (vq->iotlb || !vq->umem)
		return VHOST_SCSI_TAKE_BROKEN;
	take = vhost_scsi_chain_look(vq);
	if (take != VHOST_SCSI_TAKE_CHAIN)
		return take;
	if (!vhost_scsi_chain_head(vq, chain, &desc))
		return VHOST_SCSI_TAKE_BROKEN;
	if (vhost16_to_cpu(vq, desc.flags) == VRING_DESC_F_INDIRECT)
		is_usual = vhost_scsi_chain_walk_table(vq, chain, &desc);
	else
		is_usual = vhost_scsi_chain_walk_ring(vq, chain, &desc);
	if (!is_usual)
		return VHOST_SCSI_TAKE_BROKEN;

	vq->last_avail_idx++;
	return VHOST_SCSI_TAKE_CHAIN;
}
