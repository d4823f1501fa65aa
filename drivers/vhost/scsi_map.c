// SPDX-License-Identifier: GPL-2.0
/*
 * Guest buffers to a scatterlist for LIO, and back.
 *
 * Enters: an iov_iter over the data of a request. Leaves: a scatterlist of
 * pinned guest pages (scsi_sg.c), or of pages of our own where the guest's buffers
 * do not have the shape that LIO needs. Protection information is always copied: LIO
 * wants no tuple of it split between two entries.
 * Context: mapping and copying back in a vhost worker; release in any process
 * context. May sleep.
 * Invariant: no byte of the guest outside the data transferred is written.
 */
#include <linux/blk_types.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "scsi_map.h"

/*
 * Map pages of our own, zeroed: what LIO leaves out must not carry memory of
 * the host to the guest.
 */
static int vhost_scsi_map_bounce(struct vhost_scsi_map *map,
				 struct iov_iter *iter)
{
	size_t len = iov_iter_count(iter);
	struct scatterlist *sg;
	unsigned int i;

	map->sg = sgl_alloc(len, VHOST_SCSI_GFP | __GFP_ZERO, &map->nents);
	if (!map->sg)
		return -ENOMEM;

	if (map->dirty) {
		if (!iter_is_iovec(iter)) {
			map->back = *iter;
			return 0;
		}
		map->back_iov = dup_iter(&map->back, iter, VHOST_SCSI_GFP);
		return map->back_iov ? 0 : -ENOMEM;
	}

	for_each_sg(map->sg, sg, map->nents, i) {
		if (copy_page_from_iter(sg_page(sg), sg->offset, sg->length,
					iter) != sg->length)
			return -EFAULT;
	}
	return 0;
}

/* Take the protection information that lies in front of the data. */
static noinline int vhost_scsi_map_pi(struct vhost_scsi_map *map,
				      struct iov_iter *iter, size_t len)
{
	struct iov_iter part = *iter;

	map->pi = kzalloc(sizeof(*map->pi), VHOST_SCSI_GFP);
	if (!map->pi)
		return -ENOMEM;

	map->pi->dirty = map->dirty;
	iov_iter_truncate(&part, len);
	iov_iter_advance(iter, len);
	return vhost_scsi_map_bounce(map->pi, &part);
}

/* iov_iter_alignment(), inline for a buffer in one piece. */
static unsigned long vhost_scsi_map_alignment(const struct iov_iter *iter)
{
	if (iter_is_ubuf(iter))
		return ((unsigned long)iter->ubuf + iter->iov_offset) |
		       iov_iter_count(iter);
	return iov_iter_alignment(iter);
}

/* Can LIO work on the guest's buffers as they are? */
static bool vhost_scsi_map_fits(const struct iov_iter *iter,
				struct vhost_scsi_shape shape)
{
	return shape.align &&
	       IS_ALIGNED(vhost_scsi_map_alignment(iter), shape.align);
}

/* Pages that a buffer lies in; more than VHOST_SCSI_MAX_PAGES are not all counted. */
static size_t vhost_scsi_map_npages(const struct iov_iter *iter)
{
	if (iter_is_ubuf(iter))
		return DIV_ROUND_UP(offset_in_page(iter->ubuf + iter->iov_offset) +
				    iov_iter_count(iter), PAGE_SIZE);
	return iov_iter_npages(iter, VHOST_SCSI_MAX_PAGES + 1);
}

/**
 * vhost_scsi_map_data() - map the data of a command
 * @map: map of a free slot
 * @iter: the guest's buffer, not empty: layout->pi_len bytes and then data
 * @layout: what it holds
 * @shape: what LIO will do with the list
 * @held: guest memory that stays pinned, NULL if none does
 * @scratch: VHOST_SCSI_PIN_BATCH pointers to work with
 *
 * Return: 0, and vhost_scsi_map_release() is due. -E2BIG above
 * VHOST_SCSI_MAX_PAGES pages, -EFAULT if the guest's memory cannot be pinned
 * or read, -ENOMEM; nothing is held then.
 */
int vhost_scsi_map_data(struct vhost_scsi_map *map, struct iov_iter *iter,
			const struct vhost_scsi_layout *layout,
			struct vhost_scsi_shape shape,
			struct vhost_scsi_held *held, struct page **scratch)
{
	size_t npages = vhost_scsi_map_npages(iter);
	int ret;

	if (npages > VHOST_SCSI_MAX_PAGES)
		return -E2BIG;
	map->dirty = layout->dir == VHOST_SCSI_DIR_IN;
	if (layout->pi_len) {
		ret = vhost_scsi_map_pi(map, iter, layout->pi_len);
		if (ret) {
			vhost_scsi_map_release(map);
			return ret;
		}
	}

	if (vhost_scsi_map_fits(iter, shape)) {
		map->sg = map->inline_sg;
		map->zero_copy = true;
		ret = vhost_scsi_sg_fill(map, iter, npages, shape.merge,
					 held, scratch);
	} else {
		ret = vhost_scsi_map_bounce(map, iter);
	}
	if (ret) {
		vhost_scsi_map_release(map);
		return ret;
	}
	if (map->zero_copy)
		sg_mark_end(map->last);
	return 0;
}

/* Does the guest wait for what LIO puts into pages of our own? */
static bool vhost_scsi_map_copies_back(const struct vhost_scsi_map *map)
{
	return map->sg && !map->zero_copy && map->dirty;
}

static bool vhost_scsi_map_copy(struct vhost_scsi_map *map, size_t len)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(map->sg, sg, map->nents, i) {
		size_t bytes = min_t(size_t, len, sg->length);

		if (copy_page_to_iter(sg_page(sg), sg->offset, bytes,
				      &map->back) != bytes)
			return false;
		len -= bytes;
	}
	return true;
}

/* vhost_scsi_map_copy_back(), where there may be something to do. */
bool vhost_scsi_map_copy_back_own(struct vhost_scsi_map *map, size_t len)
{
	if (map->pi && vhost_scsi_map_copies_back(map->pi) && len &&
	    !vhost_scsi_map_copy(map->pi, SIZE_MAX))
		return false;
	return !vhost_scsi_map_copies_back(map) ||
	       vhost_scsi_map_copy(map, len);
}

static void vhost_scsi_map_release_own(struct vhost_scsi_map *map)
{
	sgl_free(map->sg);
	kfree(map->back_iov);
}

/**
 * vhost_scsi_map_release() - give back what a map holds
 * @map: map, whole or as far as a failed vhost_scsi_map_data() came; one
 *	without data is fine
 *
 * Pages that the device wrote are dirtied first.
 */
void vhost_scsi_map_release(struct vhost_scsi_map *map)
{
	if (map->pi) {
		vhost_scsi_map_release_own(map->pi);
		kfree(map->pi);
		map->pi = NULL;
	}
	if (!map->sg)
		return;

	if (map->zero_copy) {
		vhost_scsi_sg_empty(map);
		map->zero_copy = false;
	} else {
		vhost_scsi_map_release_own(map);
		map->back_iov = NULL;
		map->nents = 0;
	}
	map->sg = NULL;
}
