// SPDX-License-Identifier: GPL-2.0
/*
 * Which disks does LIO's submission queue have commands for?
 *
 * As many as there are, and each may be several requests: they may take all tags of
 * their disk, whichever guest they are of, and who submits one more sleeps.
 *
 * Enters: a command for LIO's queue, and its end. Leaves: whether its disk has such
 * commands.
 * Context: any; a command under its vq->mutex.
 * Invariant: a command is counted from before LIO's queue has it until it is answered, and
 * the disk done with it.
 *
 * Disks share counters, by a hash, so that there is nothing to make and free with a disk:
 * one that has its counter in common with a busy one is slower, but right.
 */
#include "scsi_queued.h"
#include "vhost_scsi.h"

atomic_t vhost_scsi_queued[1 << VHOST_SCSI_QUEUED_BITS];

static_assert(ARRAY_SIZE(vhost_scsi_queued) <= U8_MAX);

/**
 * vhost_scsi_queued_get() - LIO's queue is going to have a command
 * @cmd: the command, vq->mutex held
 */
void vhost_scsi_queued_get(struct vhost_scsi_cmd *cmd)
{
	unsigned int i = vhost_scsi_queued_at(cmd->task.se_cmd.se_dev);

	atomic_inc(&vhost_scsi_queued[i]);
	cmd->queued = i + 1;
}

/**
 * vhost_scsi_queued_put() - a command of LIO's queue has ended
 * @cmd: the command, after vhost_scsi_queued_get(), vq->mutex held
 */
void vhost_scsi_queued_put(struct vhost_scsi_cmd *cmd)
{
	atomic_dec(&vhost_scsi_queued[cmd->queued - 1]);
	cmd->queued = 0;
}
