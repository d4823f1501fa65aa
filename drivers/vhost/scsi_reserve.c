// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about the reservations that LIO keeps of a unit: one at a time on a disk.
 *
 * Enters: a command that LIO is about to execute; a LUN that goes. Leaves: the same
 * command, executed by LIO, or refused; some of them in a workqueue of this file.
 * Context: LIO's, where it executes commands, with no lock held but, if the backstore's
 * submit_type has the worker execute, the queue's mutex; may sleep.
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
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "scsi_reserve.h"
#include "vhost_scsi.h"

/* Service action of PERSISTENT RESERVE IN (SPC) */
#define VHOST_SCSI_READ_FULL_STATUS	0x03

/* Commands of one nexus that are in line for a disk. */
#define VHOST_SCSI_RESERVE_MOST		8

/* Lists in which they wait, of several disks each */
#define VHOST_SCSI_RESERVE_BITS		6

/**
 * struct vhost_scsi_reserve - a command that is under way
 * @cmd: the command
 * @entry: entry of one of vhost_scsi_reserving
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

/* Those under way, by disk; the first one of each is being executed. */
static struct list_head vhost_scsi_reserving[1 << VHOST_SCSI_RESERVE_BITS];
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
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vhost_scsi_reserving); i++)
		INIT_LIST_HEAD(&vhost_scsi_reserving[i]);
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

static struct list_head *vhost_scsi_reserve_line(const struct se_device *dev)
{
	lockdep_assert_held(&vhost_scsi_reserving_lock);
	return &vhost_scsi_reserving[hash_ptr(dev, VHOST_SCSI_RESERVE_BITS)];
}

static struct vhost_scsi_reserve *
vhost_scsi_reserve_first(const struct se_device *dev)
{
	struct vhost_scsi_reserve *reserve;

	list_for_each_entry(reserve, vhost_scsi_reserve_line(dev), entry)
		if (reserve->cmd->task.se_cmd.se_dev == dev)
			return reserve;
	return NULL;
}

/* Has its nexus enough of them in line for that disk? The others' turn must come. */
static bool vhost_scsi_reserve_is_full(const struct se_cmd *se_cmd)
{
	const struct vhost_scsi_reserve *reserve;
	const struct se_cmd *other;
	unsigned int count = 0;

	list_for_each_entry(reserve, vhost_scsi_reserve_line(se_cmd->se_dev), entry) {
		other = &reserve->cmd->task.se_cmd;
		count += other->se_dev == se_cmd->se_dev &&
			 other->se_sess == se_cmd->se_sess;
	}
	return count >= VHOST_SCSI_RESERVE_MOST;
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

static sense_reason_t vhost_scsi_reserve_execute(struct vhost_scsi_cmd *cmd)
{
	struct se_cmd *se_cmd = &cmd->task.se_cmd;

	if (vhost_scsi_reserve_frees(se_cmd))
		return TCM_RESERVATION_CONFLICT;
	if (!vhost_scsi_reserve_is_anothers(se_cmd))
		return cmd->wrap.execute(se_cmd);
	if (se_cmd->t_task_cdb[0] == VHOST_SCSI_RESERVE_6 ||
	    se_cmd->t_task_cdb[0] == RESERVE_10)
		return TCM_RESERVATION_CONFLICT;
	/* SPC-2: RELEASE of what the nexus does not hold is no error. */
	target_complete_cmd(se_cmd, SAM_STAT_GOOD);
	return TCM_NO_SENSE;
}

/* Execute it, and whoever is next on that disk after it. */
static sense_reason_t vhost_scsi_reserve_now(struct vhost_scsi_reserve *reserve)
{
	struct se_cmd *se_cmd = &reserve->cmd->task.se_cmd;
	struct vhost_scsi_reserve *next;
	sense_reason_t ret;

	/* It stays in the list until then, even if it is done. */
	kref_get(&se_cmd->cmd_kref);
	ret = vhost_scsi_reserve_execute(reserve->cmd);
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
	if (vhost_scsi_reserve_is_stopped(se_cmd->se_dev) ||
	    vhost_scsi_reserve_is_full(se_cmd)) {
		spin_unlock(&vhost_scsi_reserving_lock);
		kfree(reserve);
		return TCM_LUN_BUSY;
	}
	first = !vhost_scsi_reserve_first(se_cmd->se_dev);
	waits |= !first;
	list_add_tail(&reserve->entry, vhost_scsi_reserve_line(se_cmd->se_dev));
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
	sense_reason_t ret = vhost_scsi_reserve_check(se_cmd);
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
	case VHOST_SCSI_RESERVE_6:
	case VHOST_SCSI_RELEASE_6:
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
 * Commands under way are waited for, later ones are answered BUSY until
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
