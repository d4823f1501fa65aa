// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory that stays pinned while an endpoint is set, so that no command has
 * to pin its buffers.
 *
 * Enters: a memory table. Leaves: its pages, by address in the owner's memory.
 * Context: process. Getting as the owner, with the device's mutex held; putting by
 * whoever ends the endpoint, or changes the table, when no command uses the pages
 * any more; finding in a vhost worker.
 * Invariant: pages pinned equal pages released, pages charged equal pages uncharged
 * (I3). An address whose page was taken away, by munmap() or by a balloon, is not
 * found any more: the command pins what is there now.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vhost_iotlb.h>

#include "scsi_held.h"
#include "scsi_pin.h"

/* Pages pinned or released before others may have the processor */
#define VHOST_SCSI_HELD_BATCH	4096UL

/* -- invalidation -- */

/* The pages of the range that are in [start, end) are lost. */
static void vhost_scsi_held_lose(struct vhost_scsi_held_range *range,
				 unsigned long start, unsigned long end)
{
	unsigned long first, last = range->start + range->nr * PAGE_SIZE;

	lockdep_assert_held(&range->lock);
	start = max(start, range->start);
	end = min(end, last);
	if (start >= end)
		return;

	first = (start - range->start) / PAGE_SIZE;
	bitmap_set(range->lost, first,
		   DIV_ROUND_UP(end - range->start, PAGE_SIZE) - first);
	WRITE_ONCE(range->any_lost, true);
}

static bool
vhost_scsi_held_invalidate(struct mmu_interval_notifier *notifier,
			   const struct mmu_notifier_range *what,
			   unsigned long seq)
{
	struct vhost_scsi_held_range *range =
		container_of(notifier, struct vhost_scsi_held_range, notifier);

	switch (what->event) {
	case MMU_NOTIFY_PROTECTION_VMA:
	case MMU_NOTIFY_PROTECTION_PAGE:
	case MMU_NOTIFY_SOFT_DIRTY:
		/* Only protections change: the pages stay. */
		return true;
	default:
		break;
	}

	spin_lock(&range->lock);
	mmu_interval_set_seq(notifier, seq);
	vhost_scsi_held_lose(range, what->start, what->end);
	spin_unlock(&range->lock);
	return true;
}

static const struct mmu_interval_notifier_ops vhost_scsi_held_ops = {
	.invalidate = vhost_scsi_held_invalidate,
};

/* -- getting -- */

/* Accept the pins only if no invalidation raced with them. */
static bool vhost_scsi_held_take(struct vhost_scsi_held_range *range,
				 unsigned long nr, unsigned long seq)
{
	bool stays;

	spin_lock(&range->lock);
	stays = !mmu_interval_read_retry(&range->notifier, seq);
	if (stays)
		range->nr += nr;
	spin_unlock(&range->lock);
	return stays;
}

static bool vhost_scsi_held_wears(struct page **pages, long nr)
{
	while (nr--)
		if (vhost_scsi_pin_wears(*pages++))
			return true;
	return false;
}

/* Pin some pages more of a range: how many, or why not. */
static long vhost_scsi_held_pin_some(struct vhost_scsi_held_range *range,
				     unsigned long nr)
{
	struct page **pages = range->pages + range->nr;
	unsigned long start = range->start + range->nr * PAGE_SIZE;
	unsigned long seq;
	long got;

	seq = mmu_interval_read_begin(&range->notifier);
	got = pin_user_pages_fast(start, min(nr, VHOST_SCSI_HELD_BATCH),
				  FOLL_WRITE | FOLL_LONGTERM, pages);
	if (got <= 0)
		return got ?: -EFAULT;
	if (vhost_scsi_held_wears(pages, got)) {
		unpin_user_pages(pages, got);
		return -EOPNOTSUPP;
	}
	if (vhost_scsi_held_take(range, got, seq))
		return got;

	/*
	 * An address of the range got another page meanwhile. The pin itself may
	 * have been the reason, by breaking a copy on write: then the second try
	 * succeeds.
	 */
	unpin_user_pages(pages, got);
	return -EAGAIN;
}

static int vhost_scsi_held_pin(struct vhost_scsi_held_range *range,
			       unsigned long nr)
{
	unsigned int tries = 0;
	long got;

	while (range->nr < nr) {
		got = vhost_scsi_held_pin_some(range, nr - range->nr);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (got > 0)
			tries = 0;
		else if (got != -EAGAIN || ++tries == 10)
			return got;
		cond_resched();
	}
	return 0;
}

/* Errors that skip the region: its pages are pinned by each command instead. */
static bool vhost_scsi_held_is_optional(int err)
{
	switch (err) {
	case -EFAULT:		/* a hole, a device, a file that is written back */
	case -EOPNOTSUPP:	/* a file on persistent memory; a page pinned too often */
	case -EHWPOISON:
	case -EAGAIN:		/* invalidated at each try */
		return true;
	}
	return false;
}

static void vhost_scsi_held_put_range(struct vhost_scsi_held_range *range)
{
	unsigned long i, nr;

	if (range->notifier.mm)
		mmu_interval_notifier_remove(&range->notifier);
	for (i = 0; i < range->nr; i += nr) {
		nr = min(range->nr - i, VHOST_SCSI_HELD_BATCH);
		unpin_user_pages_dirty_lock(range->pages + i, nr, true);
		cond_resched();
	}
	kvfree(range->lost);
	kvfree(range->pages);
	*range = (struct vhost_scsi_held_range) { .start = range->start };
}

/*
 * mm_take_all_locks(), for the first notifier of a process, fails with -EINTR on any
 * pending signal: block all but SIGKILL here. TIF_NOTIFY_SIGNAL (TWA_SIGNAL) cannot be
 * blocked: that work has run when the system call is restarted.
 */
static int vhost_scsi_held_register(struct vhost_scsi_held_range *range,
				    struct mm_struct *mm, unsigned long nr)
{
	sigset_t harmless, before;
	int ret;

	siginitsetinv(&harmless, sigmask(SIGKILL));
	sigprocmask(SIG_BLOCK, &harmless, &before);
	ret = mmu_interval_notifier_insert(&range->notifier, mm, range->start,
					   nr * PAGE_SIZE,
					   &vhost_scsi_held_ops);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret == -EINTR && !fatal_signal_pending(current) ?
	       -ERESTARTNOINTR : ret;
}

static int vhost_scsi_held_get_range(struct vhost_scsi_held *held,
				     struct vhost_scsi_held_range *range,
				     const struct vhost_iotlb_map *map)
{
	/* The size is the user's choice: no allocation failure splat. */
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;
	unsigned long nr;
	int ret;

	range->start = map->addr & PAGE_MASK;
	nr = DIV_ROUND_UP(offset_in_page(map->addr) + map->size, PAGE_SIZE);
	ret = account_locked_vm(held->mm, nr, true);
	if (ret)
		return ret;
	held->charged += nr;

	spin_lock_init(&range->lock);
	range->pages = kvcalloc(nr, sizeof(*range->pages), gfp);
	range->lost = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), gfp);
	if (!range->pages || !range->lost)
		return -ENOMEM;
	ret = vhost_scsi_held_register(range, held->mm, nr);
	if (ret)
		return ret;

	ret = vhost_scsi_held_pin(range, nr);
	if (!vhost_scsi_held_is_optional(ret))
		return ret;
	vhost_scsi_held_put_range(range);
	held->charged -= nr;
	account_locked_vm(held->mm, nr, false);
	return 0;
}

static int vhost_scsi_held_compare(const void *a, const void *b)
{
	const struct vhost_iotlb_map * const *left = a, * const *right = b;

	return (*left)->addr < (*right)->addr ? -1 :
	       (*left)->addr > (*right)->addr;
}

static int vhost_scsi_held_get_all(struct vhost_scsi_held *held,
				   const struct vhost_iotlb *umem)
{
	const struct vhost_iotlb_map **maps __free(kvfree) = NULL, *map;
	unsigned int i = 0;
	int ret;

	maps = kvcalloc(held->nr, sizeof(*maps), GFP_KERNEL_ACCOUNT);
	if (!maps)
		return -ENOMEM;
	list_for_each_entry(map, &umem->list, link)
		maps[i++] = map;
	sort(maps, held->nr, sizeof(*maps), vhost_scsi_held_compare, NULL);

	for (i = 0; i < held->nr; i++) {
		ret = vhost_scsi_held_get_range(held, &held->range[i], maps[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * vhost_scsi_held_get() - pin the memory of a guest
 * @umem: its memory table, in the caller's memory
 *
 * Charged to the caller's RLIMIT_MEMLOCK. A region that no command could have pinned
 * for long, or that is not all there, is left out.
 *
 * Return: what is pinned, for vhost_scsi_held_put(); -ENOMEM beyond the limit,
 * without memory, or for a region of more than 1 TiB; -EINTR if the caller is killed;
 * -ERESTARTNOINTR if other work for the caller comes in between.
 */
struct vhost_scsi_held *vhost_scsi_held_get(const struct vhost_iotlb *umem)
{
	struct vhost_scsi_held *held;
	int ret;

	held = kvzalloc(struct_size(held, range, umem->nmaps),
			GFP_KERNEL_ACCOUNT);
	if (!held)
		return ERR_PTR(-ENOMEM);
	held->nr = umem->nmaps;
	held->mm = current->mm;
	mmgrab(held->mm);

	ret = vhost_scsi_held_get_all(held, umem);
	if (ret) {
		vhost_scsi_held_put(held);
		return ERR_PTR(ret);
	}
	return held;
}

/**
 * vhost_scsi_held_put() - release the memory of a guest
 * @held: what is pinned, and used by no command; NULL is fine
 */
void vhost_scsi_held_put(struct vhost_scsi_held *held)
{
	unsigned int i;

	if (!held)
		return;
	for (i = 0; i < held->nr; i++)
		vhost_scsi_held_put_range(&held->range[i]);
	account_locked_vm(held->mm, held->charged, false);
	mmdrop(held->mm);
	kvfree(held);
}

/* -- finding -- */

static bool vhost_scsi_held_has(struct vhost_scsi_held_range *range,
				unsigned long first, unsigned long nr)
{
	if (!READ_ONCE(range->any_lost))
		return true;
	return find_next_bit(range->lost, first + nr, first) >= first + nr;
}

/**
 * vhost_scsi_held_find() - the pages of a buffer
 * @held: what is pinned
 * @at: address of the buffer in the owner's memory
 * @len: its length in bytes, not 0
 *
 * Return: a pointer to the first of as many pages as it lies in; NULL if not all of
 * them are held.
 */
struct page **vhost_scsi_held_find(struct vhost_scsi_held *held,
				   unsigned long at, size_t len)
{
	unsigned int low = 0, high = held->nr;

	while (low < high) {
		unsigned int middle = (low + high) / 2;
		struct vhost_scsi_held_range *range = &held->range[middle];
		unsigned long first = (at - range->start) / PAGE_SIZE;
		unsigned long nr;

		if (at < range->start) {
			high = middle;
			continue;
		}
		if (first >= range->nr) {
			low = middle + 1;
			continue;
		}
		nr = DIV_ROUND_UP(offset_in_page(at) + len, PAGE_SIZE);
		return nr <= range->nr - first &&
		       vhost_scsi_held_has(range, first, nr) ?
		       range->pages + first : NULL;
	}
	return NULL;
}
