// SPDX-License-Identifier: GPL-2.0
/*
 * May the worker execute a command itself, or would it have to wait for the
 * backstore?
 *
 * Enters: LUNs that are linked and unlinked; a command that LIO is ready to execute.
 * Leaves: which of LIO's two ways it takes.
 * Context: looking at a disk in process context, without a lock, for opening it may
 * take long; asking under vq->mutex, in a vhost worker.
 * Invariant: what is not known to be prompt is not.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/math64.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "scsi_queued.h"
#include "vhost_scsi.h"

/*
 * The compiler makes a comparison of words of these: strcmp() takes 55 instructions more
 * a command on 6.12, 49 on 7.3 (1 %; make icount, 2026-11-30).
 */
static bool vhost_scsi_direct_is_ramdisk(const struct se_device *dev)
{
	static const char rd_mcp[] = "rd_mcp";

	return !memcmp(dev->transport->name, rd_mcp, sizeof(rd_mcp));
}

static bool vhost_scsi_direct_is_iblock(const struct se_device *dev)
{
	static const char iblock[] = "iblock";

	return !memcmp(dev->transport->name, iblock, sizeof(iblock));
}

/*
 * The number of an iblock's block device. Only the text for its administrator says
 * it, in the last line, behind a path that says anything.
 */
static dev_t vhost_scsi_direct_bdev(struct se_device *dev)
{
	char *page __free(kfree) = kzalloc(PAGE_SIZE, GFP_KERNEL);
	unsigned int major, minor;
	const char *last;

	if (!page)
		return 0;
	dev->transport->show_configfs_dev_params(dev, page);
	strim(page);
	last = strrchr(page, '\n');
	if (!last || sscanf(last, " Major: %u Minor: %u", &major, &minor) != 2)
		return 0;
	return MKDEV(major, minor);
}

/**
 * struct vhost_scsi_direct_disk - what a disk takes without making anybody sleep
 * @tags: requests; more wait for one that has ended
 * @max_pieces: pieces that are one request,
 * @max_bytes: which have at most that many bytes, and
 * @boundary: begin and end where none of these bits is set, but at the ends
 */
struct vhost_scsi_direct_disk {
	unsigned int tags;
	unsigned int max_pieces;
	u64 max_bytes;
	unsigned long boundary;
};

/* What a queue is granted of tags that it shares, however many there are (blk-mq). */
#define VHOST_SCSI_DIRECT_SHARED	4U

static unsigned int vhost_scsi_direct_tags(struct request_queue *q)
{
	unsigned int tags = q->nr_requests;

	/* A scheduler has requests of its own for each disk. */
	if (!q->elevator && q->tag_set->flags & BLK_MQ_F_TAG_QUEUE_SHARED)
		tags = min(tags, VHOST_SCSI_DIRECT_SHARED);
	/* A request that crosses the end of a chunk becomes two. */
	return q->limits.chunk_sectors ? tags / 2 : tags;
}

/*
 * Returns false for a disk that may make submitters wait for something else: one without
 * a queue of its own hands requests on (LVM), and others execute them on the spot (nbd).
 */
static bool vhost_scsi_direct_look(struct request_queue *q,
				   struct vhost_scsi_direct_disk *disk)
{
	unsigned int segments = min_t(unsigned int, queue_max_segments(q), BIO_MAX_VECS);
	unsigned int size = queue_max_segment_size(q);

	if (!queue_is_mq(q) || q->tag_set->flags & BLK_MQ_F_BLOCKING)
		return false;
	disk->tags = vhost_scsi_direct_tags(q);
	disk->boundary = queue_virt_boundary(q);
	/* A long piece is cut into segments; half of them must do for that. */
	disk->max_bytes = min((u64)queue_max_sectors(q) << SECTOR_SHIFT,
			      (u64)size * max(segments / 2, 1U));
	disk->max_pieces = segments - div_u64(disk->max_bytes - 1, size);
	return true;
}

/**
 * vhost_scsi_direct_linked() - look at the disk of a LUN that has come
 * @tpg: its TPG
 * @lun: the LUN
 *
 * Until then, and without memory, its commands take LIO's queue.
 */
void vhost_scsi_direct_linked(struct vhost_scsi_tpg *tpg,
			      const struct se_lun *lun)
{
	struct vhost_scsi_direct_disk *disk __free(kfree) = kzalloc(sizeof(*disk), GFP_KERNEL);
	struct se_device *dev = rcu_dereference_raw(lun->lun_se_dev);
	struct file *file;
	dev_t bdev;
	bool good;

	lockdep_assert_not_held(&tpg->mutex);
	if (!disk || !dev || !vhost_scsi_direct_is_iblock(dev))
		return;
	bdev = vhost_scsi_direct_bdev(dev);
	if (!bdev)
		return;
	file = bdev_file_open_by_dev(bdev, BLK_OPEN_READ, NULL, NULL);
	if (IS_ERR(file))
		return;
	good = vhost_scsi_direct_look(bdev_get_queue(file_bdev(file)), disk);
	/* At once: a removal of the disk that follows must not find it in use. */
	__fput_sync(file);
	if (good && !xa_is_err(xa_store(&tpg->disks, lun->unpacked_lun, disk, GFP_KERNEL)))
		disk = NULL;
}

/**
 * vhost_scsi_direct_unlinked() - forget the disk of a LUN that has gone
 * @tpg: its TPG
 * @lun: the LUN, which no command uses any more
 */
void vhost_scsi_direct_unlinked(struct vhost_scsi_tpg *tpg,
				const struct se_lun *lun)
{
	kfree(xa_erase(&tpg->disks, lun->unpacked_lun));
}

/*
 * A LUN leaves half of what its disk has tags for to others, and shares the other half
 * with the other LUNs on that disk. Queues that have nothing in flight count for
 * nothing, and are not looked at while this one needs no more than its part: the others
 * have at most half of the tags, since what LIO's queue has is not there.
 */
static bool vhost_scsi_direct_leaves_tags(struct vhost_scsi_vq *svq,
					  unsigned int tags)
{
	const struct vhost_scsi_ep *ep = vhost_vq_get_backend(&svq->vq);
	unsigned int i, nr_io = 0, nr = vhost_scsi_inflight_nr(svq);

	if (nr * ep->nr_io <= tags / 2)
		return true;
	for (i = VHOST_SCSI_VQ_IO, nr = 0; nr_io < ep->nr_io; i++) {
		const struct vhost_scsi_vq *other = &ep->vs->svq[i];

		/* A queue that is set up has slots. */
		nr_io += !!other->slots;
		nr += READ_ONCE(other->inflight.count[0]) +
		      READ_ONCE(other->inflight.count[1]);
		if (nr > tags / 2)
			return false;
	}
	return true;
}

/* Nothing but the ends of a request may lie off a boundary. */
static noinline bool vhost_scsi_direct_has_gap(const struct vhost_scsi_map *map,
					       unsigned long boundary)
{
	struct scatterlist *sg, *before = NULL;
	unsigned int i;

	for_each_sg(map->sg, sg, map->nents, i) {
		if (before && (sg->offset | (before->offset + before->length)) & boundary)
			return true;
		before = sg;
	}
	return false;
}

/* Does a command take one tag? The block layer cuts what is too much for one request. */
static bool vhost_scsi_direct_is_one(const struct vhost_scsi_cmd *cmd,
				     const struct vhost_scsi_direct_disk *disk)
{
	return cmd->len <= disk->max_bytes && cmd->map.nents <= disk->max_pieces &&
	       !(disk->boundary && vhost_scsi_direct_has_gap(&cmd->map, disk->boundary));
}

/* Out of line, so that a ramdisk saves no registers for it. */
static noinline bool vhost_scsi_direct_disk(const struct vhost_scsi_cmd *cmd)
{
	const struct se_cmd *se_cmd = &cmd->task.se_cmd;
	const struct se_lun *lun = se_cmd->se_lun;
	const struct vhost_scsi_direct_disk *disk;
	unsigned int users = READ_ONCE(se_cmd->se_dev->export_count);

	disk = xa_load(&to_vtpg(lun->lun_tpg)->disks, lun->unpacked_lun);
	return disk && !vhost_scsi_queued_any(se_cmd->se_dev) &&
	       vhost_scsi_direct_leaves_tags(cmd->task.svq, disk->tags / max(users, 1)) &&
	       vhost_scsi_direct_is_one(cmd, disk);
}

/**
 * vhost_scsi_direct() - may the worker execute this command itself?
 * @cmd: command that LIO has parsed, vq->mutex held
 *
 * target_submit() costs a context switch: execute here what cannot sleep, since a
 * worker that sleeps holds up all queues of its device. That is reads and writes, to
 * backstores that do not wait for them, and fewer than would use up the tags of a disk.
 * The rest keeps its place behind ORDERED and HEAD OF QUEUE commands in LIO's queue.
 *
 * Return: true if it may.
 */
bool vhost_scsi_direct(const struct vhost_scsi_cmd *cmd)
{
	const struct se_cmd *se_cmd = &cmd->task.se_cmd;
	const struct se_device *dev = se_cmd->se_dev;

	lockdep_assert_held(&cmd->task.svq->vq.mutex);
	if (dev->dev_attrib.submit_type != TARGET_FABRIC_DEFAULT_SUBMIT ||
	    cmd->task.svq->nr_ordered ||
	    (se_cmd->se_cmd_flags & (SCF_SCSI_DATA_CDB | SCF_COMPARE_AND_WRITE)) !=
	    SCF_SCSI_DATA_CDB)
		return false;
	if (vhost_scsi_direct_is_ramdisk(dev))
		return true;
	return vhost_scsi_direct_is_iblock(dev) && vhost_scsi_direct_disk(cmd);
}

/**
 * vhost_scsi_direct_not() - LIO's queue is going to have a command
 * @cmd: command for which vhost_scsi_direct() is false, vq->mutex held
 *
 * Until its end the worker executes none to the same disk. A flush takes one tag only, and
 * would keep those beside it from being executed at once.
 */
void vhost_scsi_direct_not(struct vhost_scsi_cmd *cmd)
{
	const struct se_cmd *se_cmd = &cmd->task.se_cmd;
	u8 code = se_cmd->t_task_cdb[0];

	if (vhost_scsi_direct_is_iblock(se_cmd->se_dev) && code != SYNCHRONIZE_CACHE &&
	    code != SYNCHRONIZE_CACHE_16)
		vhost_scsi_queued_get(cmd);
}
