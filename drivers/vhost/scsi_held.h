/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory that stays pinned: scsi_held.c, for scsi_endpoint.c, which makes it,
 * and scsi_map.c, which uses it.
 */
#ifndef VHOST_SCSI_HELD_H
#define VHOST_SCSI_HELD_H

#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>

struct vhost_iotlb;

/**
 * struct vhost_scsi_held_range - a region of guest memory
 * @start: its first page's address in the owner's memory
 * @nr: pages of it that are pinned, from the first on
 * @pages: the pages
 * @lost: a bit for each page whose address has, or may have, another page by now
 * @any_lost: @lost is not empty
 * @lock: orders @nr, @lost and @any_lost among their writers. Readers need no lock:
 *	@nr is final before they come, and one that misses a new bit counts as one that
 *	came before it
 * @notifier: hears of addresses that get another page
 */
struct vhost_scsi_held_range {
	unsigned long start;
	unsigned long nr;
	struct page **pages;
	unsigned long *lost;
	bool any_lost;
	spinlock_t lock;	/* @nr, @lost, @any_lost */
	struct mmu_interval_notifier notifier;
};

/**
 * struct vhost_scsi_held - what an endpoint keeps pinned
 * @mm: the owner's memory
 * @charged: pages charged to its RLIMIT_MEMLOCK
 * @nr: entries of @range
 * @range: regions, by address. They may overlap; where they do, one of them is found
 *	or none
 *
 * Complete before a queue sees it, and until none does any more.
 */
struct vhost_scsi_held {
	struct mm_struct *mm;
	unsigned long charged;
	unsigned int nr;
	struct vhost_scsi_held_range range[] __counted_by(nr);
};

struct vhost_scsi_held *vhost_scsi_held_get(const struct vhost_iotlb *umem);
void vhost_scsi_held_put(struct vhost_scsi_held *held);
struct page **vhost_scsi_held_find(struct vhost_scsi_held *held,
				   unsigned long at, size_t len);

#endif
