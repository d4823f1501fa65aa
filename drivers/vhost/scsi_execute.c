// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that LIO does not execute well by itself: its function is kept, and one
 * of ours is called in its place, which calls it.
 *
 * Enters: a command with its data, before LIO checks it. Leaves: the same command,
 * executed by LIO.
 * Context: LIO's, where it executes commands and where it completes them; nothing
 * here is called with a lock held.
 * Invariant: LIO's semaphore of COMPARE AND WRITE is released by those only who
 * have taken it.
 *
 * LIO's call back for COMPARE AND WRITE compares, writes and releases the
 * semaphore. LIO also calls it for a command that fails, and takes one that has
 * its buffers for one that has the semaphore: after a unit attention, a reservation
 * conflict or an access state it would WARN and release what it had not taken, and
 * the command would not be atomic any more on that disk, for anybody.
 */
#include <linux/rculist.h>
#include <linux/scatterlist.h>
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

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

static void vhost_scsi_execute_copy(struct se_cmd *se_cmd, const void *from,
				    u32 len, u32 at)
{
	if (at < se_cmd->data_length)
		sg_pcopy_from_buffer(se_cmd->t_data_sg, se_cmd->t_data_nents,
				     from, min(len, se_cmd->data_length - at),
				     at);
}

/* SPC: the units that the nexus sees; LUN 0 if there is none. */
static sense_reason_t vhost_scsi_execute_report_luns(struct se_cmd *se_cmd)
{
	struct se_node_acl *nacl = se_cmd->se_sess->se_node_acl;
	struct se_dev_entry *deve;
	u8 lun[8] = {};
	u32 at = 8;

	rcu_read_lock();
	hlist_for_each_entry_rcu(deve, &nacl->lun_entry_hlist, link) {
		if (deve->mapped_lun > VHOST_SCSI_MAX_LUN)
			continue;
		put_unaligned_be16(deve->mapped_lun, lun);
		vhost_scsi_execute_copy(se_cmd, lun, sizeof(lun), at);
		at += sizeof(lun);
	}
	rcu_read_unlock();

	if (at == 8) {
		vhost_scsi_execute_copy(se_cmd, lun, sizeof(lun), at);
		at += sizeof(lun);
	}
	memset(lun, 0, sizeof(lun));
	put_unaligned_be32(at - 8, lun);
	vhost_scsi_execute_copy(se_cmd, lun, sizeof(lun), 0);
	target_complete_cmd_with_length(se_cmd, SAM_STAT_GOOD, at);
	return TCM_NO_SENSE;
}

/**
 * vhost_scsi_execute_own() - have a command executed by us that LIO answers wrong
 * @se_cmd: command that LIO has parsed
 *
 * REPORT LUNS of LIO lists LUNs beyond those that a guest can name, in the form of
 * another one.
 */
void vhost_scsi_execute_own(struct se_cmd *se_cmd)
{
	if (se_cmd->t_task_cdb[0] == REPORT_LUNS)
		se_cmd->execute_cmd = vhost_scsi_execute_report_luns;
}

/**
 * vhost_scsi_execute_wrap() - have LIO execute a command through us if it must
 * @cmd: command that LIO is about to check and to execute
 */
void vhost_scsi_execute_wrap(struct vhost_scsi_cmd *cmd)
{
	struct se_cmd *se_cmd = &cmd->task.se_cmd;

	cmd->wrap.execute = se_cmd->execute_cmd;
	if (se_cmd->se_cmd_flags & SCF_COMPARE_AND_WRITE) {
		cmd->wrap.complete = se_cmd->transport_complete_callback;
		se_cmd->transport_complete_callback = NULL;
		se_cmd->execute_cmd = vhost_scsi_execute_caw;
	} else if (se_cmd->t_task_cdb[0] == PERSISTENT_RESERVE_OUT &&
		   !vhost_scsi_reserve_is_passed(se_cmd->se_dev)) {
		se_cmd->execute_cmd = vhost_scsi_reserve;
	}
}
