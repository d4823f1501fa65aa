// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that LIO does not execute well by itself: its function is kept, and one
 * of ours is called in its place, which calls it.
 *
 * Enters: a command with its data, before LIO checks it. Leaves: the same command,
 * executed by LIO, some of them in a workqueue of ours.
 * Context: LIO's, where it executes commands and where it completes them; nothing
 * here is called with a lock held.
 * Invariant: LIO's semaphore of COMPARE AND WRITE is released by those only who
 * have taken it; and nobody waits for a command that may wait for him.
 *
 * LIO's call back for COMPARE AND WRITE compares, writes and releases the
 * semaphore. LIO also calls it for a command that fails, and takes one that has
 * its buffers for one that has the semaphore: after a unit attention, a reservation
 * conflict or an access state it would WARN and release what it had not taken, and
 * the command would not be atomic any more on that disk, for anybody.
 *
 * PERSISTENT RESERVE OUT, PREEMPT AND ABORT, waits for commands of the nexuses that
 * it is about, its own often among them, for the submission queue out of which LIO
 * executes it, and for resets of the unit. It must not be among what those wait
 * for. Nor must two be under way on one disk: LIO has them in one list then. And
 * who takes a registration away meanwhile spins until it has ended.
 *
 * Of registrations for other ports LIO counts the LUNs wrong. With SPEC_I_PT a list
 * that it refuses leaves the sender's LUN counted for good, and whoever unlinks that
 * waits for good; a move to a port that is not registered gives the LUN back twice.
 */
#include <linux/list.h>
#include <linux/rculist.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "vhost_scsi.h"

/* PERSISTENT RESERVE OUT: service actions, and byte 20 of the list of most (SPC) */
#define VHOST_SCSI_PREEMPT_AND_ABORT	0x05
#define VHOST_SCSI_REGISTER_AND_MOVE	0x07
#define VHOST_SCSI_SPEC_I_PT		0x08

/* Executes PERSISTENT RESERVE OUT that waits. */
static struct workqueue_struct *vhost_scsi_execute_wq;

/* Those under way; the first one of each disk is being executed. */
static LIST_HEAD(vhost_scsi_reserving);
static DEFINE_SPINLOCK(vhost_scsi_reserving_lock);

/**
 * vhost_scsi_execute_init() - prepare what all commands share
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_scsi_execute_init(void)
{
	vhost_scsi_execute_wq = alloc_workqueue("vhost_scsi", WQ_UNBOUND, 0);
	return vhost_scsi_execute_wq ? 0 : -ENOMEM;
}

/**
 * vhost_scsi_execute_exit() - undo vhost_scsi_execute_init()
 *
 * The last command is gone, but its work may still be on its way out.
 */
void vhost_scsi_execute_exit(void)
{
	destroy_workqueue(vhost_scsi_execute_wq);
}

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

static struct vhost_scsi_cmd *
vhost_scsi_execute_first(const struct se_device *dev)
{
	struct vhost_scsi_cmd *cmd;

	lockdep_assert_held(&vhost_scsi_reserving_lock);
	list_for_each_entry(cmd, &vhost_scsi_reserving, wrap.entry)
		if (cmd->task.se_cmd.se_dev == dev)
			return cmd;
	return NULL;
}

/*
 * A reset or an abort skips what has this flag. False for a command that one of them
 * has already found: it waits for the command, maybe with a mutex held.
 */
static bool vhost_scsi_execute_keep(struct se_cmd *se_cmd)
{
	unsigned long flags;
	bool kept;

	spin_lock_irqsave(&se_cmd->t_state_lock, flags);
	kept = !(se_cmd->transport_state & CMD_T_ABORTED);
	if (kept)
		se_cmd->transport_state |= CMD_T_FABRIC_STOP;
	spin_unlock_irqrestore(&se_cmd->t_state_lock, flags);
	return kept;
}

/* Let LIO execute it, and whoever is next on that disk after it. */
static sense_reason_t vhost_scsi_execute_now(struct vhost_scsi_cmd *cmd)
{
	struct se_cmd *se_cmd = &cmd->task.se_cmd;
	sense_reason_t ret;

	/* It stays in the list until then, even if it is done. */
	kref_get(&se_cmd->cmd_kref);
	ret = cmd->wrap.execute(se_cmd);

	spin_lock(&vhost_scsi_reserving_lock);
	list_del(&cmd->wrap.entry);
	cmd = vhost_scsi_execute_first(se_cmd->se_dev);
	if (cmd)
		queue_work(vhost_scsi_execute_wq, &cmd->wrap.work);
	spin_unlock(&vhost_scsi_reserving_lock);
	target_put_sess_cmd(se_cmd);
	return ret;
}

static void vhost_scsi_execute_work(struct work_struct *work)
{
	struct vhost_scsi_cmd *cmd = container_of(work, struct vhost_scsi_cmd,
						  wrap.work);
	struct se_cmd *se_cmd = &cmd->task.se_cmd;
	sense_reason_t ret;

	ret = vhost_scsi_execute_now(cmd);
	if (ret)
		transport_generic_request_failure(se_cmd, ret);
}

/* Is it about a port other than the sender's? */
static sense_reason_t vhost_scsi_execute_refuses(const struct se_cmd *se_cmd)
{
	u8 flags = 0;

	if ((se_cmd->t_task_cdb[1] & 0x1f) == VHOST_SCSI_REGISTER_AND_MOVE)
		return TCM_INVALID_CDB_FIELD;
	sg_pcopy_to_buffer(se_cmd->t_data_sg, se_cmd->t_data_nents, &flags,
			   sizeof(flags), 20);
	/* LIO refuses it in all other actions, too. */
	return flags & VHOST_SCSI_SPEC_I_PT ? TCM_INVALID_PARAMETER_LIST :
	       TCM_NO_SENSE;
}

/*
 * What aborts goes to our workqueue, the rest is executed here, unless it must wait.
 * Nothing that is ORDERED waits for what waits here: a reset may wait for that.
 */
static sense_reason_t vhost_scsi_execute_reserve(struct se_cmd *se_cmd)
{
	struct vhost_scsi_cmd *cmd = to_cmd(to_task(se_cmd));
	bool aborts = (se_cmd->t_task_cdb[1] & 0x1f) ==
		      VHOST_SCSI_PREEMPT_AND_ABORT;
	sense_reason_t reason = vhost_scsi_execute_refuses(se_cmd);
	bool first;

	if (reason)
		return reason;
	if (!vhost_scsi_execute_keep(se_cmd)) {
		/* LIO ends an aborted command when it is told that it is complete. */
		target_complete_cmd(se_cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}

	INIT_WORK(&cmd->wrap.work, vhost_scsi_execute_work);
	spin_lock(&vhost_scsi_reserving_lock);
	first = !vhost_scsi_execute_first(se_cmd->se_dev);
	list_add_tail(&cmd->wrap.entry, &vhost_scsi_reserving);
	if (aborts || !first)
		vhost_scsi_leave_task_set(se_cmd);
	if (aborts && first)
		queue_work(vhost_scsi_execute_wq, &cmd->wrap.work);
	spin_unlock(&vhost_scsi_reserving_lock);

	if (aborts || !first)
		return TCM_NO_SENSE;
	return vhost_scsi_execute_now(cmd);
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

/* Are reservations of this unit its own business? Then LIO only passes them on. */
static bool vhost_scsi_execute_is_passed(const struct se_device *dev)
{
	return dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH &&
	       dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH_PGR;
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
		   !vhost_scsi_execute_is_passed(se_cmd->se_dev)) {
		se_cmd->execute_cmd = vhost_scsi_execute_reserve;
	}
}
