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
#include <linux/slab.h>
#include <linux/string.h>
#include <target/target_core_backend.h>

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

/*
 * How many requests a hardware queue of the disk takes before submitting one more
 * sleeps. 0 for a disk that may make them wait for something else: one without a
 * queue of its own hands them on (LVM), and others execute them on the spot (nbd).
 */
static unsigned int vhost_scsi_direct_tags(struct request_queue *q)
{
	if (!queue_is_mq(q) || q->tag_set->flags & BLK_MQ_F_BLOCKING)
		return 0;
	return q->nr_requests;
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
	struct se_device *dev = rcu_dereference_raw(lun->lun_se_dev);
	unsigned int tags;
	struct file *file;
	dev_t bdev;

	lockdep_assert_not_held(&tpg->mutex);
	if (!dev || !vhost_scsi_direct_is_iblock(dev))
		return;
	bdev = vhost_scsi_direct_bdev(dev);
	if (!bdev)
		return;
	file = bdev_file_open_by_dev(bdev, BLK_OPEN_READ, NULL, NULL);
	if (IS_ERR(file))
		return;
	tags = vhost_scsi_direct_tags(bdev_get_queue(file_bdev(file)));
	/* At once: a removal of the disk that follows must not find it in use. */
	__fput_sync(file);
	if (tags)
		xa_store(&tpg->tags, lun->unpacked_lun, xa_mk_value(tags),
			 GFP_KERNEL);
}

/**
 * vhost_scsi_direct_unlinked() - forget the disk of a LUN that has gone
 * @tpg: its TPG
 * @lun: the LUN, which no command uses any more
 */
void vhost_scsi_direct_unlinked(struct vhost_scsi_tpg *tpg,
				const struct se_lun *lun)
{
	xa_erase(&tpg->tags, lun->unpacked_lun);
}

/*
 * A LUN leaves half of what its disk has tags for to others, and shares the other half
 * with the other LUNs on that disk. Queues that have nothing in flight count for
 * nothing, and are not looked at while none needs more than its part.
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

/* Out of line, so that a ramdisk saves no registers for it. */
static noinline bool vhost_scsi_direct_disk(const struct vhost_scsi_cmd *cmd)
{
	const struct se_lun *lun = cmd->task.se_cmd.se_lun;
	void *entry = xa_load(&to_vtpg(lun->lun_tpg)->tags, lun->unpacked_lun);
	unsigned int users = READ_ONCE(cmd->task.se_cmd.se_dev->export_count);

	return entry && vhost_scsi_direct_leaves_tags(cmd->task.svq,
			xa_to_value(entry) / max(users, 1));
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
