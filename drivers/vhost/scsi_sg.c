// SPDX-License-Identifier: GPL-2.0
/*
 * Guest pages as a scatterlist.
 *
 * Enters: an iov_iter over guest memory. Leaves: a list of its pages, pinned for
 * this list or beforehand.
 * Context: filling in a vhost worker; emptying in any process context. May sleep.
 * Invariant: I3, pages pinned equal pages released; those that the device wrote are
 * dirtied first.
 */
#include <linux/mm.h>
#include <linux/uio.h>

#include "scsi_map.h"
#include "scsi_pin.h"

/**
 * vhost_scsi_sg_init() - prepare a map, once in the life of a slot
 * @map: map to prepare
 */
void vhost_scsi_sg_init(struct vhost_scsi_map *map)
{
	sg_init_table(map->inline_sg, ARRAY_SIZE(map->inline_sg));
	/* Each list marks its own end. */
	sg_unmark_end(&map->inline_sg[VHOST_SCSI_INLINE_SG]);
}

/* A list while it is built. */
struct vhost_scsi_sg_build {
	struct vhost_scsi_map *map;
	/* Guest memory that stays pinned, and where to put pages that are pinned here */
	struct vhost_scsi_held *held;
	struct page **scratch;
	/* Pages of the buffer: as many entries, if no two of them are contiguous */
	unsigned int npages;
	unsigned int gup_flags;
	/* Contiguous pages are one entry */
	bool merge;
};

/* sg_next(), but for lists whose end is not marked yet, and inline. */
static struct scatterlist *vhost_scsi_sg_step(struct scatterlist *sg)
{
	sg++;
	return sg_is_chain(sg) ? sg_chain_ptr(sg) : sg;
}

/*
 * First without waiting for memory: an allocation that may wait lets LIO's workqueue have
 * the processor for each command before it, 3,300 to 5,300 instructions on 6.12 (make
 * bench, 2026-11-30). Out of line, so that a short list saves no registers for it.
 */
static noinline struct scatterlist *
vhost_scsi_sg_overflow(const struct vhost_scsi_sg_build *build)
{
	unsigned int nents = build->npages - VHOST_SCSI_INLINE_SG;
	struct vhost_scsi_map *map = build->map;

	if (sg_alloc_table(&map->overflow, nents, GFP_NOWAIT | __GFP_ACCOUNT) &&
	    sg_alloc_table(&map->overflow, nents, VHOST_SCSI_GFP))
		return NULL;
	sg_chain(map->inline_sg, ARRAY_SIZE(map->inline_sg),
		 map->overflow.sgl);
	return map->overflow.sgl;
}

/* The entry behind map->last, NULL without memory. */
static struct scatterlist *
vhost_scsi_sg_next(const struct vhost_scsi_sg_build *build)
{
	const struct vhost_scsi_map *map = build->map;

	if (!map->nents)
		return build->map->inline_sg;
	if (map->nents == VHOST_SCSI_INLINE_SG)
		return vhost_scsi_sg_overflow(build);
	return vhost_scsi_sg_step(map->last);
}

/* Is @next the page behind @page? */
static bool vhost_scsi_sg_follows(struct page *next, struct page *page)
{
	/* The usual case, and no arithmetic: all struct pages are one array. */
	if (IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP))
		return next == page + 1;
	return page_to_pfn(next) == page_to_pfn(page) + 1;
}

/* How many of the pages up to @end are one behind the other, from the first on. */
static unsigned long vhost_scsi_sg_run(struct page **page, struct page **end)
{
	struct page **first = page;

	while (page + 1 < end && vhost_scsi_sg_follows(page[1], page[0]))
		page++;
	return page + 1 - first;
}

/* Is @page the one that continues the last entry? */
static bool vhost_scsi_sg_joins(const struct vhost_scsi_map *map, struct page *page)
{
	const struct scatterlist *last = map->last;
	unsigned int end;

	if (!map->nents)
		return false;
	end = last->offset + last->length;
	return PAGE_ALIGNED(end) &&
	       page_to_pfn(page) == page_to_pfn(sg_page((struct scatterlist *)last)) +
				    (end >> PAGE_SHIFT);
}

/*
 * Is one of contiguous pages pinned too often? A folio has one count for all of its.
 * Out of line, so that pages that stand alone save no registers for it.
 */
static noinline bool vhost_scsi_sg_run_wears(struct page *page, unsigned long nr)
{
	struct folio *folio;
	unsigned long left;

	for (;;) {
		if (vhost_scsi_pin_wears(page))
			return true;
		folio = page_folio(page);
		left = folio_nr_pages(folio) - folio_page_idx(folio, page);
		if (nr <= left)
			return false;
		nr -= left;
		page = pfn_to_page(page_to_pfn(page) + left);
	}
}

static bool vhost_scsi_sg_wears(struct page *page, unsigned long nr)
{
	if (nr > 1)
		return vhost_scsi_sg_run_wears(page, nr);
	return vhost_scsi_pin_wears(page);
}

/* Add bytes in contiguous pages, from the first page's offset @off on. */
static bool vhost_scsi_sg_add_run(const struct vhost_scsi_sg_build *build,
				  struct page *page, unsigned int off,
				  unsigned int len)
{
	struct vhost_scsi_map *map = build->map;
	struct scatterlist *sg = vhost_scsi_sg_next(build);

	if (!sg)
		return false;
	sg_set_page(sg, page, len, off);
	map->last = sg;
	map->nents++;
	return true;
}

/*
 * Add @len bytes in pinned pages, @off into the first. On failure the pages
 * that did not become part of the list are unpinned.
 */
static int vhost_scsi_sg_add(const struct vhost_scsi_sg_build *build,
			     struct page **pages, unsigned int off, size_t len)
{
	struct page **end = pages + DIV_ROUND_UP(off + len, PAGE_SIZE);
	struct vhost_scsi_map *map = build->map;
	bool joins = build->merge && !off && vhost_scsi_sg_joins(map, *pages);
	bool borrowed = map->borrowed, merge = build->merge;
	unsigned int bytes;
	unsigned long nr;

	for (; pages < end; pages += nr, len -= bytes, off = 0) {
		nr = merge ? vhost_scsi_sg_run(pages, end) : 1;
		bytes = min_t(size_t, len, nr * PAGE_SIZE - off);
		if (!borrowed && vhost_scsi_sg_wears(*pages, nr))
			break;
		if (joins)
			map->last->length += bytes;
		else if (!vhost_scsi_sg_add_run(build, *pages, off, bytes))
			break;
		joins = false;
	}
	if (pages == end)
		return 0;
	if (!borrowed)
		unpin_user_pages(pages, end - pages);
	return -ENOMEM;
}

/*
 * Pin the pages of a piece of the owner's memory, and add them. Not by
 * iov_iter_extract_pages(), which takes 91 instructions more for each piece
 * (make profile, 2026-11-30, 7.3).
 */
static int vhost_scsi_sg_pin(const struct vhost_scsi_sg_build *build,
			     unsigned long at, size_t len)
{
	unsigned int off;
	size_t bytes;
	int nr, ret;

	for (; len; at += bytes, len -= bytes) {
		off = offset_in_page(at);
		nr = min_t(size_t, DIV_ROUND_UP(off + len, PAGE_SIZE),
			   VHOST_SCSI_PIN_BATCH);
		nr = pin_user_pages_fast(at, nr, build->gup_flags, build->scratch);
		if (nr <= 0)
			return nr ?: -EFAULT;
		bytes = min_t(size_t, nr * PAGE_SIZE - off, len);
		ret = vhost_scsi_sg_add(build, build->scratch, off, bytes);
		if (ret)
			return ret;
	}
	return 0;
}

/* Use pages that are held in any case; -ENOENT if not all of them are. */
static int vhost_scsi_sg_borrow(const struct vhost_scsi_sg_build *build,
				unsigned long at, size_t len)
{
	struct page **pages = vhost_scsi_held_find(build->held, at, len);

	if (!pages)
		return -ENOENT;
	return vhost_scsi_sg_add(build, pages, offset_in_page(at), len);
}

static int vhost_scsi_sg_piece(const struct vhost_scsi_sg_build *build,
			       unsigned long at, size_t len)
{
	if (build->map->borrowed)
		return vhost_scsi_sg_borrow(build, at, len);
	return vhost_scsi_sg_pin(build, at, len);
}

/* Where a buffer in one piece lies in the owner's memory. */
static unsigned long vhost_scsi_sg_at(const struct iov_iter *iter)
{
	return (unsigned long)iter->ubuf + iter->iov_offset;
}

/* Add a buffer, piece by piece of the owner's memory. */
static int vhost_scsi_sg_walk(const struct vhost_scsi_sg_build *build,
			      const struct iov_iter *iter)
{
	const struct iovec whole = {
		.iov_base = (void __user *)vhost_scsi_sg_at(iter),
		.iov_len = iter->count,
	}, *iov = &whole;
	size_t skip = 0, left = iter->count, len;
	int ret;

	if (!iter_is_ubuf(iter)) {
		iov = iter_iov(iter);
		skip = iter->iov_offset;
	}
	for (; left; iov++, left -= len, skip = 0) {
		len = min(iov->iov_len - skip, left);
		if (!len)
			continue;
		ret = vhost_scsi_sg_piece(build, (unsigned long)iov->iov_base + skip,
					  len);
		if (ret)
			return ret;
	}
	return 0;
}

static void vhost_scsi_sg_unpin_entry(const struct scatterlist *entry,
				      bool dirty)
{
	struct page *page = sg_page((struct scatterlist *)entry);
	unsigned int end = entry->offset + entry->length;

	/* Fast path: one page that needs no dirtying. */
	if (end <= PAGE_SIZE && (!dirty || folio_test_dirty(page_folio(page))))
		unpin_user_page(page);
	else
		unpin_user_page_range_dirty_lock(page, PFN_UP(end), dirty);
}

static void vhost_scsi_sg_unpin(struct vhost_scsi_map *map)
{
	struct scatterlist *sg = map->sg;
	unsigned int left = map->nents;

	for (;;) {
		vhost_scsi_sg_unpin_entry(sg, map->dirty);
		if (!--left)
			return;
		sg = vhost_scsi_sg_step(sg);
	}
}

/**
 * vhost_scsi_sg_empty() - release the pages of a list
 * @map: map with a list of guest pages, as far as it was made
 */
void vhost_scsi_sg_empty(struct vhost_scsi_map *map)
{
	if (map->nents) {
		sg_unmark_end(map->last);
		if (!map->borrowed)
			vhost_scsi_sg_unpin(map);
		if (map->nents > VHOST_SCSI_INLINE_SG)
			sg_free_table(&map->overflow);
	}
	map->nents = 0;
	map->borrowed = false;
}

static unsigned int vhost_scsi_sg_gup_flags(const struct iov_iter *iter)
{
	return iov_iter_rw(iter) == ITER_DEST ? FOLL_WRITE : 0;
}

static bool vhost_scsi_sg_is_one(const struct iov_iter *iter)
{
	return iter_is_ubuf(iter) &&
	       offset_in_page(vhost_scsi_sg_at(iter)) + iter->count <= PAGE_SIZE;
}

/*
 * A buffer in one page, as most are: one entry, and no list to build. Saves 100
 * instructions of a 4 KiB READ (2 %; make profile, 2026-11-30, 7.3).
 */
static int vhost_scsi_sg_fill_one(struct vhost_scsi_map *map,
				  const struct iov_iter *iter,
				  struct vhost_scsi_held *held,
				  struct page **scratch)
{
	unsigned long at = vhost_scsi_sg_at(iter);
	struct page **page = NULL;
	int nr;

	if (held)
		page = vhost_scsi_held_find(held, at, iter->count);
	map->borrowed = page;
	if (!page) {
		page = scratch;
		nr = pin_user_pages_fast(at, 1, vhost_scsi_sg_gup_flags(iter),
					 page);
		if (nr <= 0)
			return nr ?: -EFAULT;
		if (vhost_scsi_pin_wears(*page)) {
			unpin_user_page(*page);
			return -ENOMEM;
		}
	}
	map->last = map->inline_sg;
	map->nents = 1;
	sg_set_page(map->last, *page, iter->count, offset_in_page(at));
	return 0;
}

/* Out of line, so that a buffer in one page saves no registers for it. */
static noinline int vhost_scsi_sg_fill_many(struct vhost_scsi_map *map,
					    const struct iov_iter *iter,
					    unsigned int npages, bool merge,
					    struct vhost_scsi_held *held,
					    struct page **scratch)
{
	const struct vhost_scsi_sg_build build = {
		.map = map,
		.held = held,
		.scratch = scratch,
		.npages = npages,
		.gup_flags = vhost_scsi_sg_gup_flags(iter),
		.merge = merge,
	};
	int ret;

	map->borrowed = held;
	ret = vhost_scsi_sg_walk(&build, iter);
	if (ret != -ENOENT)
		return ret;
	/* Not all of it is held. */
	vhost_scsi_sg_empty(map);
	return vhost_scsi_sg_walk(&build, iter);
}

/**
 * vhost_scsi_sg_fill() - make a list of the pages of a buffer
 * @map: map with an empty list
 * @iter: the buffer, not empty
 * @npages: pages it lies in
 * @merge: contiguous pages are one entry
 * @held: guest memory that stays pinned, NULL if none does
 * @scratch: VHOST_SCSI_PIN_BATCH pointers to work with
 *
 * Return: 0; -EFAULT if guest memory cannot be pinned; -ENOMEM, also if a page of it is
 * pinned as often as can be counted. Then, too, vhost_scsi_sg_empty() is due.
 */
int vhost_scsi_sg_fill(struct vhost_scsi_map *map, const struct iov_iter *iter,
		       unsigned int npages, bool merge,
		       struct vhost_scsi_held *held, struct page **scratch)
{
	if (vhost_scsi_sg_is_one(iter))
		return vhost_scsi_sg_fill_one(map, iter, held, scratch);
	return vhost_scsi_sg_fill_many(map, iter, npages, merge, held, scratch);
}
