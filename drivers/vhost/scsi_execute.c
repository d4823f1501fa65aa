// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that LIO does not execute well by itself: its function is kept, and one
 * of ours is called in its place, which calls it.
 *
 * Enters: a command with its data, before LIO looks at it again. Leaves: the same
 * command, executed by LIO.
 * Context: LIO's, where it executes commands and where it completes them.
 * Invariant: LIO's semaphore of COMPARE AND WRITE is released by those only who
 * have taken it.
 *
 * LIO's call back for COMPARE AND WRITE compares, writes and releases the
 * semaphore. LIO also calls it for a command that fails, and takes one that has
 * its buffers for one that has the semaphore: after a unit attention, a reservation
 * conflict or an access state it would WARN and release what it had not taken, and
 * the command would not be atomic any more on that disk, for anybody.
 */
#include "vhost_scsi.h"

/*
 * LIO has a call back only for reads that were aborted, not for those that the disk
 * failed. Those are told from the status that they have: with one, a success
 * releases the semaphore too, and neither compares nor writes.
 */
static sense_reason_t vhost_scsi_execute_compare(struct se_cmd *se_cmd,
						 bool success, int *post_ret)
{
	const struct vhost_scsi_cmd *cmd = to_cmd(to_task(se_cmd));

	return cmd->wrap.complete(se_cmd, success || se_cmd->scsi_status,
				  post_ret);
}

/* All checks are behind, the semaphore is taken next, or the call back removed. */
static sense_reason_t vhost_scsi_execute_caw(struct se_cmd *se_cmd)
{
	const struct vhost_scsi_cmd *cmd = to_cmd(to_task(se_cmd));

	se_cmd->execute_cmd = cmd->wrap.execute;
	se_cmd->transport_complete_callback = vhost_scsi_execute_compare;
	return cmd->wrap.execute(se_cmd);
}

/**
 * vhost_scsi_execute_wrap() - have LIO execute a command through us if it must
 * @cmd: command that LIO is about to check and to execute
 */
void vhost_scsi_execute_wrap(struct vhost_scsi_cmd *cmd)
{
	struct se_cmd *se_cmd = &cmd->task.se_cmd;

	if (!(se_cmd->se_cmd_flags & SCF_COMPARE_AND_WRITE))
		return;
	cmd->wrap.execute = se_cmd->execute_cmd;
	cmd->wrap.complete = se_cmd->transport_complete_callback;
	se_cmd->execute_cmd = vhost_scsi_execute_caw;
	se_cmd->transport_complete_callback = NULL;
}
