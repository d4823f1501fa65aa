// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about the reservations that LIO keeps of a unit: one at a time on a disk.
 *
 * Enters: a command that LIO is about to execute; a LUN that goes. Leaves: the same
 * command, executed by LIO, or refused; some of them in a workqueue of ours.
 * Context: LIO's, where it executes commands, with no lock held; may sleep.
 * Invariant: nobody waits for a command that may wait for him; and no registration is
 * freed while LIO uses it.
 *
 * LIO counts who uses a registration, and who frees one spins until nobody does, with
 * a lock held, on a processor that may be the user's. It goes from one registration to
 * the next without a lock, and looks whether there is a reservation before it frees
 * what may hold one by then.
 *
 * PREEMPT AND ABORT waits for commands of the nexuses that it is about, its own often
 * among them, for the submission queue out of which LIO executes it, and for resets of
 * the unit. It must not be among what those wait for. Nor must two be under way on one
 * disk: LIO has them in one list then.
 *
 * Registrations of other ports are beyond it. Of SPEC_I_PT and of a move it counts the
 * LUNs wrong: whoever unlinks one waits for good, or gives it back twice. Of ALL_TG_PT
 * it frees the port that it has just made the holder, and forgets those whose key has
 * changed.
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
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "vhost_scsi.h"

/* Service actions, types, and byte 20 of the list of most (SPC) */
#define VHOST_SCSI_READ_FULL_STATUS	0x03
#define VHOST_SCSI_REGISTER		0x00
#define VHOST_SCSI_PREEMPT		0x04
#define VHOST_SCSI_PREEMPT_AND_ABORT	0x05
#define VHOST_SCSI_REGISTER_AND_IGNORE	0x06
#define VHOST_SCSI_REGISTER_AND_MOVE	0x07
#define VHOST_SCSI_WRITE_EXCLUSIVE_ALL	0x07
#define VHOST_SCSI_EXCLUSIVE_ACCESS_ALL	0x08
#define VHOST_SCSI_ALL_TG_PT		0x04
#define VHOST_SCSI_SPEC_I_PT		0x08

/* Bytes of the list, with what comes before TransportIDs */
#define VHOST_SCSI_RESERVE_LIST		24

/**
 * struct vhost_scsi_reserve - a command that is under way
 * @cmd: the command
 * @entry: entry of vhost_scsi_reserving
 * @work: executes one that waits
 */
struct vhost_scsi_reserve {
	struct vhost_scsi_cmd *cmd;
	struct list_head entry;
	struct work_struct work;
};

/**
 * struct vhost_scsi_reserve_stop - a LUN that goes
 * @lun: the LUN
 * @dev: its unit, about which nothing is executed
 * @entry: entry of vhost_scsi_reserve_stops
 */
struct vhost_scsi_reserve_stop {
	const struct se_lun *lun;
	const struct se_device *dev;
	struct list_head entry;
};

/* Executes those that wait. */
static struct workqueue_struct *vhost_scsi_reserve_wq;

/* Those under way; the first one of each disk is being executed. */
static LIST_HEAD(vhost_scsi_reserving);
static LIST_HEAD(vhost_scsi_reserve_stops);
static DEFINE_SPINLOCK(vhost_scsi_reserving_lock);
static DECLARE_WAIT_QUEUE_HEAD(vhost_scsi_reserve_idle);

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

static bool vhost_scsi_reserve_is_stopped(const struct se_device *dev)
{
	const struct vhost_scsi_reserve_stop *stop;

	lockdep_assert_held(&vhost_scsi_reserving_lock);
	list_for_each_entry(stop, &vhost_scsi_reserve_stops, entry)
		if (stop->dev == dev)
			return true;
	return false;
}

/* Its list, which is not in the guest's memory: it is no data of blocks. */
static void vhost_scsi_reserve_list(const struct se_cmd *se_cmd,
				    u8 list[VHOST_SCSI_RESERVE_LIST])
{
	memset(list, 0, VHOST_SCSI_RESERVE_LIST);
	sg_copy_to_buffer(se_cmd->t_data_sg, se_cmd->t_data_nents, list,
			  min_t(u32, se_cmd->data_length, VHOST_SCSI_RESERVE_LIST));
}

/* Is it a PERSISTENT RESERVE OUT that LIO cannot cope with? */
static sense_reason_t vhost_scsi_reserve_refuses(const struct se_cmd *se_cmd)
{
	u8 action = vhost_scsi_reserve_action(se_cmd);
	u8 list[VHOST_SCSI_RESERVE_LIST];

	if (se_cmd->t_task_cdb[0] != PERSISTENT_RESERVE_OUT)
		return TCM_NO_SENSE;
	if (action == VHOST_SCSI_REGISTER_AND_MOVE)
		return TCM_INVALID_CDB_FIELD;
	vhost_scsi_reserve_list(se_cmd, list);
	/* LIO refuses it in all actions but REGISTER, too. */
	if (list[20] & VHOST_SCSI_SPEC_I_PT)
		return TCM_INVALID_PARAMETER_LIST;
	if (list[20] & VHOST_SCSI_ALL_TG_PT &&
	    (action == VHOST_SCSI_REGISTER ||
	     action == VHOST_SCSI_REGISTER_AND_IGNORE))
		return TCM_INVALID_PARAMETER_LIST;
	if (se_cmd->data_length != VHOST_SCSI_RESERVE_LIST)
		return TCM_PARAMETER_LIST_LENGTH_ERROR;
	return TCM_NO_SENSE;
}

/* The registration that LIO takes for the sender's. */
static const struct t10_pr_registration *
vhost_scsi_reserve_own(const struct se_cmd *se_cmd)
{
	struct t10_reservation *pr = &se_cmd->se_dev->t10_pr;
	const struct t10_pr_registration *reg, *own = NULL;

	spin_lock(&pr->registration_lock);
	list_for_each_entry(reg, &pr->registration_list, pr_reg_list) {
		if (reg->pr_reg_nacl == se_cmd->se_sess->se_node_acl) {
			own = reg;
			break;
		}
	}
	spin_unlock(&pr->registration_lock);
	return own;
}

/*
 * Would LIO free a registration that it uses afterwards? The answer holds as long as
 * no other command of this disk is executed: who holds a reservation, and how, changes
 * by one only, and the sender's nexus stays while it has commands.
 */
static bool vhost_scsi_reserve_frees(const struct se_cmd *se_cmd)
{
	struct se_device *dev = se_cmd->se_dev;
	u8 action = vhost_scsi_reserve_action(se_cmd);
	const struct t10_pr_registration *holder;
	u8 list[VHOST_SCSI_RESERVE_LIST];
	u64 key, preempted;
	bool mine, all;

	if (se_cmd->t_task_cdb[0] != PERSISTENT_RESERVE_OUT ||
	    (action != VHOST_SCSI_PREEMPT && action != VHOST_SCSI_PREEMPT_AND_ABORT))
		return false;
	vhost_scsi_reserve_list(se_cmd, list);
	key = get_unaligned_be64(list);
	preempted = get_unaligned_be64(list + 8);

	spin_lock(&dev->dev_reservation_lock);
	holder = dev->dev_pr_res_holder;
	mine = holder && holder == vhost_scsi_reserve_own(se_cmd);
	all = holder && (holder->pr_res_type == VHOST_SCSI_WRITE_EXCLUSIVE_ALL ||
			 holder->pr_res_type == VHOST_SCSI_EXCLUSIVE_ACCESS_ALL);
	spin_unlock(&dev->dev_reservation_lock);

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

/* Execute it, and whoever is next on that disk after it. */
static sense_reason_t vhost_scsi_reserve_now(struct vhost_scsi_reserve *reserve)
{
	struct se_cmd *se_cmd = &reserve->cmd->task.se_cmd;
	struct vhost_scsi_reserve *next;
	sense_reason_t ret;

	/* It stays in the list until then, even if it is done. */
	kref_get(&se_cmd->cmd_kref);
	ret = vhost_scsi_reserve_frees(se_cmd) ? TCM_RESERVATION_CONFLICT :
	      reserve->cmd->wrap.execute(se_cmd);
	vhost_scsi_ua_trim(se_cmd->se_dev);

	spin_lock(&vhost_scsi_reserving_lock);
	list_del(&reserve->entry);
	next = vhost_scsi_reserve_first(se_cmd->se_dev);
	if (next)
		queue_work(vhost_scsi_reserve_wq, &next->work);
	spin_unlock(&vhost_scsi_reserving_lock);
	wake_up_all(&vhost_scsi_reserve_idle);
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
	bool waits = se_cmd->t_task_cdb[0] == PERSISTENT_RESERVE_OUT &&
		     vhost_scsi_reserve_action(se_cmd) ==
		     VHOST_SCSI_PREEMPT_AND_ABORT;
	bool first;

	INIT_WORK(&reserve->work, vhost_scsi_reserve_work);
	spin_lock(&vhost_scsi_reserving_lock);
	if (vhost_scsi_reserve_is_stopped(se_cmd->se_dev)) {
		spin_unlock(&vhost_scsi_reserving_lock);
		kfree(reserve);
		return TCM_LUN_BUSY;
	}
	first = !vhost_scsi_reserve_first(se_cmd->se_dev);
	waits |= !first;
	list_add_tail(&reserve->entry, &vhost_scsi_reserving);
	if (waits)
		vhost_scsi_leave_task_set(se_cmd);
	if (waits && first)
		queue_work(vhost_scsi_reserve_wq, &reserve->work);
	spin_unlock(&vhost_scsi_reserving_lock);
	return waits ? TCM_NO_SENSE : vhost_scsi_reserve_now(reserve);
}

/* SPC-4: PERSISTENT RESERVE IN and OUT; SPC-2: RESERVE and RELEASE */
static sense_reason_t vhost_scsi_reserve(struct se_cmd *se_cmd)
{
	sense_reason_t ret = vhost_scsi_reserve_refuses(se_cmd);
	struct vhost_scsi_reserve *reserve;

	if (ret)
		return ret;
	reserve = kmalloc(sizeof(*reserve), GFP_NOIO);
	if (!reserve)
		return TCM_OUT_OF_RESOURCES;
	reserve->cmd = to_cmd(to_task(se_cmd));
	if (vhost_scsi_reserve_keep(se_cmd))
		return vhost_scsi_reserve_start(reserve);
	kfree(reserve);
	/* LIO ends an aborted command when it is told that it is complete. */
	target_complete_cmd(se_cmd, SAM_STAT_GOOD);
	return TCM_NO_SENSE;
}

static bool vhost_scsi_reserve_is_about(const struct se_cmd *se_cmd)
{
	switch (se_cmd->t_task_cdb[0]) {
	case PERSISTENT_RESERVE_IN:
		return vhost_scsi_reserve_action(se_cmd) ==
		       VHOST_SCSI_READ_FULL_STATUS;
	case PERSISTENT_RESERVE_OUT:
	/* RESERVE and RELEASE(6): their names depend on the kernel. */
	case 0x16:
	case 0x17:
	case RESERVE_10:
	case RELEASE_10:
		return true;
	}
	return false;
}

/* Are reservations of this unit its own business? Then LIO only passes them on. */
static bool vhost_scsi_reserve_is_passed(const struct se_device *dev)
{
	return dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH &&
	       dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH_PGR;
}

/**
 * vhost_scsi_reserve_wrap() - have LIO execute a command about reservations by us
 * @cmd: command that LIO is about to execute
 *
 * The limits are REQ-69 of the conformance page.
 */
void vhost_scsi_reserve_wrap(struct vhost_scsi_cmd *cmd)
{
	struct se_cmd *se_cmd = &cmd->task.se_cmd;

	if (!vhost_scsi_reserve_is_about(se_cmd) ||
	    vhost_scsi_reserve_is_passed(se_cmd->se_dev))
		return;
	cmd->wrap.execute = se_cmd->execute_cmd;
	se_cmd->execute_cmd = vhost_scsi_reserve;
}

static bool vhost_scsi_reserve_idles(const struct se_device *dev)
{
	bool idles;

	spin_lock(&vhost_scsi_reserving_lock);
	idles = !vhost_scsi_reserve_first(dev);
	spin_unlock(&vhost_scsi_reserving_lock);
	return idles;
}

/**
 * vhost_scsi_reserve_lun_leaves() - have reservations of a unit rest
 * @lun: LUN that is about to go, and the registrations with it
 *
 * What is under way is waited for, what comes is answered BUSY until
 * vhost_scsi_reserve_lun_left(): the LUN's own commands must not wait for its end.
 */
void vhost_scsi_reserve_lun_leaves(const struct se_lun *lun)
{
	struct vhost_scsi_reserve_stop *stop;

	stop = kmalloc(sizeof(*stop), GFP_KERNEL | __GFP_NOFAIL);
	stop->lun = lun;
	stop->dev = rcu_access_pointer(lun->lun_se_dev);
	spin_lock(&vhost_scsi_reserving_lock);
	list_add(&stop->entry, &vhost_scsi_reserve_stops);
	spin_unlock(&vhost_scsi_reserving_lock);
	wait_event_idle(vhost_scsi_reserve_idle,
			vhost_scsi_reserve_idles(stop->dev));
}

/**
 * vhost_scsi_reserve_lun_left() - undo vhost_scsi_reserve_lun_leaves()
 * @lun: LUN that has gone
 */
void vhost_scsi_reserve_lun_left(const struct se_lun *lun)
{
	struct vhost_scsi_reserve_stop *stop;

	spin_lock(&vhost_scsi_reserving_lock);
	list_for_each_entry(stop, &vhost_scsi_reserve_stops, entry) {
		if (stop->lun == lun) {
			list_del(&stop->entry);
			kfree(stop);
			break;
		}
	}
	spin_unlock(&vhost_scsi_reserving_lock);
}
