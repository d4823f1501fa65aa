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
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/vhost_iotlb.h>

#include "vhost_scsi.h"

/*
 * Has a page its bit already? One that is written often mostly does. A VMM clears a bit
 * before it copies the page, thus with what was written before this look. Saves 900
 * instructions: vhost_log_write() pins the bitmap's page. It uses set_bit(): on big
 * endian the bits are not those of bytes.
 */
static int vhost_scsi_log_is_set(const struct vhost_virtqueue *vq, u64 page)
{
	u8 bits;

	if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN))
		return false;
	if (get_user(bits, (u8 __user *)vq->log_base + page / 8))
		return -EFAULT;
	return !!(bits & BIT(page % 8));
}

/*
 * A byte a page. With a device IOTLB the core wants the address in the owner's memory,
 * looks itself for all that the guest has there, and from then on goes ahead by the
 * shortest of what it finds: where memory of the guest overlaps by a few bytes a long
 * piece would never end.
 *
 * A bitmap that cannot be written makes the VMM's migration fail, not the command.
 */
static void vhost_scsi_log_range(struct vhost_virtqueue *vq, u64 first, u64 last,
				 void __user *at)
{
	u64 page;
	int ret;

	for (page = first / VHOST_PAGE_SIZE; page <= last / VHOST_PAGE_SIZE; page++) {
		struct vhost_log log = {
			.addr = max(first, page * VHOST_PAGE_SIZE), .len = 1,
		};
		struct iovec iov = { .iov_base = at + (log.addr - first), .iov_len = 1 };

		ret = vhost_scsi_log_is_set(vq, page);
		if (!ret)
			ret = vhost_log_write(vq, &log, 1, log.len, &iov, 1);
		if (ret < 0) {
			vq_err(vq, "dirty log: %d\n", ret);
			return;
		}
	}
}

/* The guest may have the memory at several addresses, and sees it change at each. */
static void vhost_scsi_log_piece(struct vhost_virtqueue *vq, u64 at, size_t len)
{
	u64 end = at + len - 1;
	const struct vhost_iotlb_map *map;

	list_for_each_entry(map, &vq->umem->list, link) {
		u64 first = max(at, map->addr);
		u64 last = min(end, map->addr + map->size - 1);

		if (first <= last)
			vhost_scsi_log_range(vq, map->start + first - map->addr,
					     map->start + last - map->addr,
					     (void __user *)(unsigned long)first);
		cond_resched();
	}
}

/**
 * vhost_scsi_log() - log that segments were written, if the VMM wants that
 * @svq: queue that they came from, vq->mutex held
 * @iov: device-writable segments; empty ones are skipped
 * @len: bytes of them, from the first one on; no more than they hold
 *
 * A bitmap that cannot be written is told by the queue's error eventfd.
 */
void vhost_scsi_log(struct vhost_scsi_vq *svq, const struct iovec *iov,
		    size_t len)
{
	struct vhost_virtqueue *vq = &svq->vq;
	size_t piece;

	lockdep_assert_held(&vq->mutex);
	if (!vhost_has_feature(vq, VHOST_F_LOG_ALL) || !vq->umem)
		return;
	/*
	 * Order the writes to guest memory before the reads of the bitmap; pairs with the
	 * VMM's atomic clear.
	 */
	smp_mb();
	for (; len; len -= piece, iov++) {
		piece = min(iov->iov_len, len);
		if (piece)
			vhost_scsi_log_piece(vq, (unsigned long)iov->iov_base, piece);
	}
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
	/* As in vhost_scsi_log(). */
	smp_mb();
	vhost_scsi_log_range(vq, first, first + len - 1, (void __user *)vq->used + offset);
}
