// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log: which pages of the guest's memory the device has written, for a VMM
 * that migrates the guest while it runs.
 *
 * Enters: segments that were written, as addresses in the owner's memory. Leaves: bits
 * in the bitmap of the VMM, one for each 4 KiB of the guest's addresses. The core sets
 * those of what it writes itself into the used ring.
 * Context: a vhost worker (the bitmap is in its memory), vq->mutex held; may sleep.
 * Invariant: the bit of a page is set after the page was written, and before the guest
 * sees that it was.
 */
#include <linux/minmax.h>
#include <linux/uaccess.h>
#include <linux/vhost_iotlb.h>

#include "vhost_scsi.h"

/*
 * Are the bits set already? Pages that are written again and again mostly have theirs.
 * A VMM that clears one copies the page afterwards, with what was written before this
 * look. Saves 900 instructions for a page, which vhost_log_write() pins that of the
 * bitmap for. Its bits are those of words, not of bytes.
 */
static bool vhost_scsi_log_is_set(const struct vhost_virtqueue *vq, u64 first,
				  u64 last)
{
	u64 page;
	u8 bits;

	if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN))
		return false;
	for (page = first / VHOST_PAGE_SIZE; page <= last / VHOST_PAGE_SIZE; page++)
		if (get_user(bits, (u8 __user *)vq->log_base + page / 8) ||
		    !(bits & BIT(page % 8)))
			return false;
	return true;
}

/* A bitmap that cannot be written misses bits: the VMM's loss, and nobody else's. */
static void vhost_scsi_log_range(struct vhost_virtqueue *vq, u64 first, u64 last)
{
	struct vhost_log log = { .addr = first, .len = last - first + 1 };

	if (!vhost_scsi_log_is_set(vq, first, last))
		vhost_log_write(vq, &log, 1, log.len, NULL, 0);
}

/* The guest may have the memory at several addresses, and sees it change at each. */
static void vhost_scsi_log_segment(struct vhost_virtqueue *vq,
				   const struct iovec *iov)
{
	u64 at = (unsigned long)iov->iov_base, end = at + iov->iov_len - 1;
	const struct vhost_iotlb_map *map;

	list_for_each_entry(map, &vq->umem->list, link) {
		u64 first = max(at, map->addr);
		u64 last = min(end, map->addr + map->size - 1);

		if (first <= last)
			vhost_scsi_log_range(vq, map->start + first - map->addr,
					     map->start + last - map->addr);
	}
}

/**
 * vhost_scsi_log() - log that segments were written, if the VMM wants that
 * @svq: queue that they came from, vq->mutex held
 * @iov: device-writable segments, none empty
 * @nr: how many
 */
void vhost_scsi_log(struct vhost_scsi_vq *svq, const struct iovec *iov,
		    unsigned int nr)
{
	struct vhost_virtqueue *vq = &svq->vq;
	unsigned int i;

	lockdep_assert_held(&vq->mutex);
	if (!vhost_has_feature(vq, VHOST_F_LOG_ALL) || !vq->umem)
		return;
	/* What was written, before the look at the bits. */
	smp_mb();
	for (i = 0; i < nr; i++)
		if (iov[i].iov_len)
			vhost_scsi_log_segment(vq, &iov[i]);
}

/**
 * vhost_scsi_log_used() - log that a field of the used ring was written
 * @svq: queue, vq->mutex held
 * @offset: of the field from the beginning of the used ring, in bytes
 * @len: its size in bytes
 *
 * For what the core does not write; as the core, if VHOST_SET_VRING_ADDR asked for it.
 */
void vhost_scsi_log_used(struct vhost_scsi_vq *svq, size_t offset, size_t len)
{
	struct vhost_virtqueue *vq = &svq->vq;
	u64 first = vq->log_addr + offset;

	lockdep_assert_held(&vq->mutex);
	if (!vq->log_used)
		return;
	/* As above. */
	smp_mb();
	vhost_scsi_log_range(vq, first, first + len - 1);
}
