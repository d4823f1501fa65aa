/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest buffers as scatterlists: scsi_map.c and scsi_sg.c, and the slots
 * that hold their lists.
 */
#ifndef VHOST_SCSI_MAP_H
#define VHOST_SCSI_MAP_H

#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/scatterlist.h>
#include <linux/uio.h>

#include "scsi_check.h"
#include "scsi_held.h"
#include "scsi_wire.h"

/* Pages a command may touch: 8 MiB, and what VPD page B0h announces */
#define VHOST_SCSI_MAX_PAGES	2048
/* Pages pinned at a time while a command is mapped */
#define VHOST_SCSI_PIN_BATCH	128
/*
 * Charged to the owner's memory cgroup. Fails, for TASK SET FULL, rather than kill a
 * process or print a warning (I5).
 */
#define VHOST_SCSI_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
/* Scatterlist entries inside a slot; longer lists are chained to them */
#define VHOST_SCSI_INLINE_SG	4

/**
 * struct vhost_scsi_map - the data of a command as a scatterlist
 * @sg: list for LIO, NULL if the command has no data
 * @nents: entries of @sg
 * @zero_copy: the list is guest memory; otherwise pages of our own that stand for
 *	it because the guest's do not have the shape that LIO needs
 * @borrowed: and it stays pinned without this map
 * @dirty: the device writes the pages
 * @last: last entry filled while the list is built
 * @inline_sg: first entries; the one behind them links to @overflow
 * @overflow: further entries, allocated for the commands that need them
 * @back: guest memory that our own pages are copied back to
 * @back_iov: the array that @back walks over, to be freed; NULL if it is a
 *	buffer in one piece
 * @pi: protection information of the data, in pages of our own; NULL if there
 *	is none
 */
struct vhost_scsi_map {
	struct scatterlist *sg;
	unsigned int nents;
	bool zero_copy;
	bool borrowed;
	bool dirty;
	struct scatterlist *last;
	struct scatterlist inline_sg[VHOST_SCSI_INLINE_SG + 1];
	struct sg_table overflow;
	struct iov_iter back;
	const void *back_iov;
	struct vhost_scsi_map *pi;
};

/* scsi_sg.c */
void vhost_scsi_sg_init(struct vhost_scsi_map *map);
int vhost_scsi_sg_fill(struct vhost_scsi_map *map, const struct iov_iter *iter,
		       unsigned int npages, bool merge,
		       struct vhost_scsi_held *held, struct page **scratch);
void vhost_scsi_sg_empty(struct vhost_scsi_map *map);

/* scsi_map.c */
int vhost_scsi_map_data(struct vhost_scsi_map *map, struct iov_iter *iter,
			const struct vhost_scsi_layout *layout,
			struct vhost_scsi_shape shape,
			struct vhost_scsi_held *held, struct page **scratch);
bool vhost_scsi_map_copy_back_own(struct vhost_scsi_map *map, size_t len);
void vhost_scsi_map_release(struct vhost_scsi_map *map);

/**
 * vhost_scsi_map_copy_back() - bring data to the guest that LIO put elsewhere
 * @map: map of a finished command
 * @len: bytes that the command transferred; with the first one all of the
 *	protection information goes along
 *
 * Return: false if the guest's buffer cannot be written.
 */
static inline bool vhost_scsi_map_copy_back(struct vhost_scsi_map *map,
					    size_t len)
{
	/* The usual case: LIO worked on the guest's own pages. */
	if (map->zero_copy && !map->pi)
		return true;
	return vhost_scsi_map_copy_back_own(map, len);
}

#endif
