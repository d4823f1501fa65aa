// SPDX-License-Identifier: GPL-2.0
/*
 * PERSISTENT RESERVE OUT of units whose reservations LIO keeps.
 *
 * Enters: a command that LIO is about to execute. Leaves: the same command, executed
 * by LIO, or refused; some of them in a workqueue of ours.
 * Context: LIO's, where it executes commands, with no lock held; may sleep.
 * Invariant: nobody waits for a command that may wait for him; and LIO gets the list
 * that was checked, while the guest may change its own.
 *
 * PREEMPT AND ABORT waits for commands of the nexuses that it is about, its own often
 * among them, for the submission queue out of which LIO executes it, and for resets of
 * the unit. It must not be among what those wait for. Nor must two be under way on one
 * disk: LIO has them in one list then. And who takes a registration away meanwhile
 * spins until it has ended.
 *
 * Of registrations for other ports LIO counts the LUNs wrong. With SPEC_I_PT a list
 * that it refuses leaves the sender's LUN counted for good, and whoever unlinks that
 * waits for good; a move to a port that is not registered gives the LUN back twice.
 *
 * Two forms of PREEMPT have core_scsi3_pro_preempt() use a registration that it has
 * freed: the sender's own, where the key is the sender's and no reservation is held
 * with it; and the holder's, where key 0 preempts all registrants of an all registrants
 * reservation.
 */
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>
#include <target/target_core_backend.h>

#include "vhost_scsi.h"

/* Service actions, types, and byte 20 of the list of most (SPC) */
#define VHOST_SCSI_PREEMPT		0x04
#define VHOST_SCSI_PREEMPT_AND_ABORT	0x05
#define VHOST_SCSI_REGISTER_AND_MOVE	0x07
#define VHOST_SCSI_WRITE_EXCLUSIVE_ALL	0x07
#define VHOST_SCSI_EXCLUSIVE_ACCESS_ALL	0x08
#define VHOST_SCSI_SPEC_I_PT		0x08

/* Bytes of the list, with what comes before TransportIDs */
#define VHOST_SCSI_RESERVE_LIST		24

/**
 * struct vhost_scsi_reserve - one that is under way
 * @cmd: the command
 * @entry: entry of vhost_scsi_reserving
 * @work: executes one that waits
 * @sg: @list, for LIO
 * @list: the parameter list as it was checked
 */
struct vhost_scsi_reserve {
	struct vhost_scsi_cmd *cmd;
	struct list_head entry;
	struct work_struct work;
	struct scatterlist sg;
	u8 list[VHOST_SCSI_RESERVE_LIST];
};

/* Executes those that wait. */
static struct workqueue_struct *vhost_scsi_reserve_wq;

/* Those under way; the first one of each disk is being executed. */
static LIST_HEAD(vhost_scsi_reserving);
static DEFINE_SPINLOCK(vhost_scsi_reserving_lock);

/**
 * vhost_scsi_reserve_init() - prepare what all commands share
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_scsi_reserve_init(void)
{
	vhost_scsi_reserve_wq = alloc_workqueue("vhost_scsi", WQ_UNBOUND, 0);
	return vhost_scsi_reserve_wq ? 0 : -ENOMEM;
}

/**
 * vhost_scsi_reserve_exit() - undo vhost_scsi_reserve_init()
 *
 * The last command is gone, but its work may still be on its way out.
 */
void vhost_scsi_reserve_exit(void)
{
	destroy_workqueue(vhost_scsi_reserve_wq);
}

/**
 * vhost_scsi_reserve_is_passed() - are reservations of a unit its own business?
 * @dev: LIO's unit
 *
 * Return: true if LIO only passes them on.
 */
bool vhost_scsi_reserve_is_passed(const struct se_device *dev)
{
	return dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH &&
	       dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH_PGR;
}

static u8 vhost_scsi_reserve_action(const struct se_cmd *se_cmd)
{
	return se_cmd->t_task_cdb[1] & 0x1f;
}

static struct vhost_scsi_reserve *
vhost_scsi_reserve_first(const struct se_device *dev)
{
	struct vhost_scsi_reserve *reserve;

	lockdep_assert_held(&vhost_scsi_reserving_lock);
	list_for_each_entry(reserve, &vhost_scsi_reserving, entry)
		if (reserve->cmd->task.se_cmd.se_dev == dev)
			return reserve;
	return NULL;
}

/* Is the list what LIO can cope with? */
static sense_reason_t
vhost_scsi_reserve_check_list(const struct vhost_scsi_reserve *reserve)
{
	const struct se_cmd *se_cmd = &reserve->cmd->task.se_cmd;

	if (vhost_scsi_reserve_action(se_cmd) == VHOST_SCSI_REGISTER_AND_MOVE)
		return TCM_INVALID_CDB_FIELD;
	/* LIO refuses it in all actions but REGISTER, too. */
	if (reserve->list[20] & VHOST_SCSI_SPEC_I_PT)
		return TCM_INVALID_PARAMETER_LIST;
	if (se_cmd->data_length != VHOST_SCSI_RESERVE_LIST)
		return TCM_PARAMETER_LIST_LENGTH_ERROR;
	return TCM_NO_SENSE;
}

/*
 * Would LIO free a registration that it uses afterwards? The answer holds as long as
 * no other one of this disk is executed: who holds a reservation, and how, changes
 * by this command only, and the sender's nexus stays while it has commands.
 */
static bool vhost_scsi_reserve_frees(const struct vhost_scsi_reserve *reserve)
{
	const struct se_cmd *se_cmd = &reserve->cmd->task.se_cmd;
	u64 key = get_unaligned_be64(reserve->list);
	u64 preempted = get_unaligned_be64(reserve->list + 8);
	u8 action = vhost_scsi_reserve_action(se_cmd);
	const struct t10_pr_registration *holder;
	bool mine, all;

	if (action != VHOST_SCSI_PREEMPT && action != VHOST_SCSI_PREEMPT_AND_ABORT)
		return false;
	spin_lock(&se_cmd->se_dev->dev_reservation_lock);
	holder = se_cmd->se_dev->dev_pr_res_holder;
	mine = holder && holder->pr_reg_nacl == se_cmd->se_sess->se_node_acl;
	all = holder && (holder->pr_res_type == VHOST_SCSI_WRITE_EXCLUSIVE_ALL ||
			 holder->pr_res_type == VHOST_SCSI_EXCLUSIVE_ACCESS_ALL);
	spin_unlock(&se_cmd->se_dev->dev_reservation_lock);

	if (preempted)
		return preempted == key && !mine && !all;
	/* Those that are aborted are freed in the end. */
	return all && !mine && action == VHOST_SCSI_PREEMPT;
}

/*
 * A reset or an abort skips what has this flag. False for a command that one of them
 * has already found: it waits for the command, maybe with a mutex held.
 */
static bool vhost_scsi_reserve_keep(struct se_cmd *se_cmd)
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

/* LIO executes it, with our list for the guest's. */
static sense_reason_t
vhost_scsi_reserve_execute(struct vhost_scsi_reserve *reserve)
{
	struct se_cmd *se_cmd = &reserve->cmd->task.se_cmd;
	struct scatterlist *sg = se_cmd->t_data_sg;
	unsigned int nents = se_cmd->t_data_nents;
	sense_reason_t ret;

	if (vhost_scsi_reserve_frees(reserve))
		return TCM_RESERVATION_CONFLICT;
	se_cmd->t_data_sg = &reserve->sg;
	se_cmd->t_data_nents = 1;
	ret = reserve->cmd->wrap.execute(se_cmd);
	se_cmd->t_data_sg = sg;
	se_cmd->t_data_nents = nents;
	return ret;
}

/* Execute it, and whoever is next on that disk after it. */
static sense_reason_t vhost_scsi_reserve_now(struct vhost_scsi_reserve *reserve)
{
	struct se_cmd *se_cmd = &reserve->cmd->task.se_cmd;
	struct vhost_scsi_reserve *next;
	sense_reason_t ret;

	/* It stays in the list until then, even if it is done. */
	kref_get(&se_cmd->cmd_kref);
	ret = vhost_scsi_reserve_execute(reserve);

	spin_lock(&vhost_scsi_reserving_lock);
	list_del(&reserve->entry);
	next = vhost_scsi_reserve_first(se_cmd->se_dev);
	if (next)
		queue_work(vhost_scsi_reserve_wq, &next->work);
	spin_unlock(&vhost_scsi_reserving_lock);
	target_put_sess_cmd(se_cmd);
	kfree(reserve);
	return ret;
}

static void vhost_scsi_reserve_work(struct work_struct *work)
{
	struct vhost_scsi_reserve *reserve = container_of(work,
							  struct vhost_scsi_reserve,
							  work);
	struct se_cmd *se_cmd = &reserve->cmd->task.se_cmd;
	sense_reason_t ret;

	ret = vhost_scsi_reserve_now(reserve);
	if (ret)
		transport_generic_request_failure(se_cmd, ret);
}

/*
 * What aborts goes to our workqueue, the rest is executed here, unless it must wait.
 * Nothing that is ORDERED waits for what waits here: a reset may wait for that.
 */
static sense_reason_t vhost_scsi_reserve_start(struct vhost_scsi_reserve *reserve)
{
	struct se_cmd *se_cmd = &reserve->cmd->task.se_cmd;
	bool aborts = vhost_scsi_reserve_action(se_cmd) ==
		      VHOST_SCSI_PREEMPT_AND_ABORT;
	bool first;

	spin_lock(&vhost_scsi_reserving_lock);
	first = !vhost_scsi_reserve_first(se_cmd->se_dev);
	list_add_tail(&reserve->entry, &vhost_scsi_reserving);
	if (aborts || !first)
		vhost_scsi_leave_task_set(se_cmd);
	if (aborts && first)
		queue_work(vhost_scsi_reserve_wq, &reserve->work);
	spin_unlock(&vhost_scsi_reserving_lock);

	if (aborts || !first)
		return TCM_NO_SENSE;
	return vhost_scsi_reserve_now(reserve);
}

static struct vhost_scsi_reserve *
vhost_scsi_reserve_get(struct vhost_scsi_cmd *cmd)
{
	struct se_cmd *se_cmd = &cmd->task.se_cmd;
	struct vhost_scsi_reserve *reserve;

	reserve = kzalloc(sizeof(*reserve), GFP_NOIO);
	if (!reserve)
		return NULL;
	reserve->cmd = cmd;
	INIT_WORK(&reserve->work, vhost_scsi_reserve_work);
	sg_init_one(&reserve->sg, reserve->list, sizeof(reserve->list));
	sg_copy_to_buffer(se_cmd->t_data_sg, se_cmd->t_data_nents, reserve->list,
			  min_t(u32, se_cmd->data_length, sizeof(reserve->list)));
	return reserve;
}

/**
 * vhost_scsi_reserve() - execute a PERSISTENT RESERVE OUT
 * @se_cmd: command that LIO has checked
 *
 * SPC-5, 6.16; its limits are REQ-69 of the conformance page.
 *
 * Return: what LIO makes sense data of, TCM_NO_SENSE if it is or will be executed.
 */
sense_reason_t vhost_scsi_reserve(struct se_cmd *se_cmd)
{
	struct vhost_scsi_reserve *reserve;
	sense_reason_t ret;

	reserve = vhost_scsi_reserve_get(to_cmd(to_task(se_cmd)));
	if (!reserve)
		return TCM_OUT_OF_RESOURCES;
	ret = vhost_scsi_reserve_check_list(reserve);
	if (!ret && vhost_scsi_reserve_keep(se_cmd))
		return vhost_scsi_reserve_start(reserve);
	kfree(reserve);
	/* LIO ends an aborted command when it is told that it is complete. */
	if (!ret)
		target_complete_cmd(se_cmd, SAM_STAT_GOOD);
	return ret;
}
