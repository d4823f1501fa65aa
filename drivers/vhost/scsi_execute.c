// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that LIO alone does not execute well: its function is kept, and one of this
 * file is called in its place, which calls it.
 *
 * Enters: a command with its data, before LIO checks it. Leaves: the same command,
 * executed by LIO.
 * Context: LIO's, where it executes commands and where it completes them, with no lock
 * held; but the queue's mutex in vhost_scsi_execute_own(), and wherever the backstore's
 * submit_type has the worker execute.
 * Invariant: LIO's semaphore of COMPARE AND WRITE is released by those only who
 * have taken it.
 *
 * LIO's call back for COMPARE AND WRITE compares, writes and releases the
 * semaphore. LIO also calls it for a command that fails, and takes one that has
 * its buffers for one that has the semaphore: after a unit attention, a reservation
 * conflict or an access state it would WARN and release what it had not taken, and
 * the command would not be atomic any more on that disk, for anybody.
 */
#include <linux/blk_types.h>
#include <linux/rculist.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "scsi_check.h"
#include "vhost_scsi.h"

/* WRITE SAME of one block's bytes: blocks that iblock gets at a time, a bio each */
#define VHOST_SCSI_SAME_BLOCKS		4096

/*
 * SET TARGET PORT GROUPS (SPC): the last of the states optimized, non-optimized, standby
 * and unavailable, and bytes of a list of 64 groups
 */
#define VHOST_SCSI_GROUP_UNAVAILABLE	3
#define VHOST_SCSI_GROUPS_LIST		260

/* LIO looks into it for what a unit that is passed through does by itself: nothing. */
static struct exec_cmd_ops vhost_scsi_execute_none;

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

/* Are they bytes other than zeroes? */
static bool vhost_scsi_execute_is_pattern(const struct se_cmd *se_cmd)
{
	u8 block[SECTOR_SIZE];
	u32 at, len;

	for (at = 0; at < se_cmd->data_length; at += len) {
		len = sg_pcopy_to_buffer(se_cmd->t_data_sg, se_cmd->t_data_nents,
					 block, sizeof(block), at);
		if (!len || memchr_inv(block, 0, len))
			return true;
	}
	return false;
}

/*
 * iblock makes all bios of a WRITE SAME before it submits the first one, whose memory
 * nobody bounds, and from a pool that its own bios may have emptied. Zeroes, and what
 * is unmapped whatever its bytes, are one request of the block layer.
 */
static sense_reason_t vhost_scsi_execute_same(struct se_cmd *se_cmd)
{
	const struct vhost_scsi_cmd *cmd = to_cmd(to_task(se_cmd));
	const u8 *cdb = se_cmd->t_task_cdb;
	const struct vhost_scsi_op *op = vhost_scsi_op_find(cdb);

	if (!(cdb[op->flags_at] & VHOST_SCSI_WS_UNMAP) &&
	    vhost_scsi_op_field(cdb, op->len_at, op->len_width) >
	    VHOST_SCSI_SAME_BLOCKS &&
	    !strcmp(se_cmd->se_dev->transport->name, "iblock") &&
	    vhost_scsi_execute_is_pattern(se_cmd))
		return TCM_INVALID_CDB_FIELD;
	return cmd->wrap.execute(se_cmd);
}

/*
 * Do its ports change by themselves, and not those of other units with them? The
 * default group has no others; LIO does not cope with a unit that has left all groups.
 */
static bool vhost_scsi_execute_is_alone(const struct se_device *dev)
{
	struct t10_alua_lu_gp_member *member = dev->dev_alua_lu_gp_mem;
	bool alone;

	spin_lock(&member->lu_gp_mem_lock);
	alone = member->lu_gp && !member->lu_gp->lu_gp_id;
	spin_unlock(&member->lu_gp_mem_lock);
	return alone;
}

/*
 * Does a list of SET TARGET PORT GROUPS ask for what a guest may? A group that is offline
 * may be another guest's, and only the administrator gets it back; the state that depends
 * on the block is his, too. Once a command a group changes its state, after the time
 * that it takes for it.
 */
static bool vhost_scsi_execute_groups_ok(const u8 *list, u32 len)
{
	u32 at, other;

	for (at = 4; at + 4 <= len; at += 4) {
		if ((list[at] & 0x0f) > VHOST_SCSI_GROUP_UNAVAILABLE)
			return false;
		for (other = 4; other < at; other += 4)
			if (!memcmp(list + other + 2, list + at + 2, 2))
				return false;
	}
	return true;
}

/*
 * SET TARGET PORT GROUPS: a list is short, for LIO does all of it in one go. A unit that
 * has a group with others, which may be other guests', is the administrator's altogether.
 */
static sense_reason_t vhost_scsi_execute_groups(struct se_cmd *se_cmd)
{
	const struct vhost_scsi_cmd *cmd = to_cmd(to_task(se_cmd));
	struct se_device *dev = se_cmd->se_dev;
	struct se_lun *lun = se_cmd->se_lun;
	u8 list[VHOST_SCSI_GROUPS_LIST];
	sense_reason_t ret;

	if (!vhost_scsi_execute_is_alone(dev))
		return TCM_UNSUPPORTED_SCSI_OPCODE;
	if (se_cmd->data_length > VHOST_SCSI_GROUPS_LIST)
		return TCM_PARAMETER_LIST_LENGTH_ERROR;
	sg_copy_to_buffer(se_cmd->t_data_sg, se_cmd->t_data_nents, list,
			  se_cmd->data_length);
	if (!vhost_scsi_execute_groups_ok(list, se_cmd->data_length))
		return TCM_INVALID_PARAMETER_LIST;
	/* LIO ends the command, whose slot may be another one's then. */
	percpu_ref_get(&lun->lun_ref);
	ret = cmd->wrap.execute(se_cmd);
	vhost_scsi_ua_trim(dev);
	percpu_ref_put(&lun->lun_ref);
	return ret;
}

/**
 * vhost_scsi_execute_own() - have a command executed by us that LIO answers wrong
 * @se_cmd: command that LIO has parsed
 *
 * REPORT LUNS of LIO lists LUNs beyond those that a guest can name, in the form of
 * another one. What sends data comes to vhost_scsi_execute_wrap() later.
 *
 * The administrator may leave the reservations of a unit that is passed through to the
 * unit, after LIO has parsed a command about them: target_try_pr_in_pt() and its like
 * dereference protocol_data then, which nobody has set.
 */
void vhost_scsi_execute_own(struct se_cmd *se_cmd)
{
	if (se_cmd->se_dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH)
		se_cmd->protocol_data = &vhost_scsi_execute_none;
	if (se_cmd->t_task_cdb[0] == REPORT_LUNS)
		se_cmd->execute_cmd = vhost_scsi_execute_report_luns;
	else if (!se_cmd->data_length || se_cmd->data_direction != DMA_TO_DEVICE)
		vhost_scsi_reserve_wrap(to_cmd(to_task(se_cmd)));
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
		return;
	}
	vhost_scsi_reserve_wrap(cmd);
	if (se_cmd->se_dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH)
		return;
	/* The gate has let no other action pass. */
	if (se_cmd->t_task_cdb[0] == MAINTENANCE_OUT)
		se_cmd->execute_cmd = vhost_scsi_execute_groups;
	else if (vhost_scsi_op_find(se_cmd->t_task_cdb)->counts == VHOST_SCSI_SAME)
		se_cmd->execute_cmd = vhost_scsi_execute_same;
}
