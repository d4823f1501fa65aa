// SPDX-License-Identifier: GPL-2.0
/*
 * What LIO works on and gives back: a command, or a part of a task management
 * function.
 *
 * Enters: LIO's last callbacks for a task. Leaves: the task, on its queue's list, for
 * the queue's worker (scsi_cmd.c, scsi_tmf.c).
 * Context: LIO's callbacks come in any context, from inside the submission too, and
 * take no lock of the driver; the list is taken under vq->mutex.
 * Invariant: I6. LIO holds the only reference to a task, and release_cmd() is the end
 * of it.
 */
#include <linux/rcupdate.h>
#include <target/target_core_backend.h>

#include "vhost_scsi.h"

/**
 * vhost_scsi_task_take_done() - take the tasks that LIO has released
 * @svq: queue, vq->mutex held
 *
 * Return: their list, first come first.
 */
struct llist_node *vhost_scsi_task_take_done(struct vhost_scsi_vq *svq)
{
	lockdep_assert_held(&svq->vq.mutex);
	return llist_reverse_order(llist_del_all(&svq->done));
}

/**
 * vhost_scsi_task_wake() - have the released tasks of a queue dealt with
 * @svq: the queue
 *
 * In its worker, or without one in a work item. Any context.
 */
void vhost_scsi_task_wake(struct vhost_scsi_vq *svq)
{
	if (!vhost_vq_work_queue(&svq->vq, &svq->done_work))
		queue_work(vhost_scsi_unbound_wq, &svq->drop_work);
}

/**
 * vhost_scsi_release_cmd() - LIO's last reference to a task is gone
 * @se_cmd: LIO's part of the task
 *
 * Any context, hard interrupt too. The RCU section keeps the queue alive until
 * the work is queued: once the task is on the list, whoever drains it may let
 * release() go on, which waits for a grace period.
 */
void vhost_scsi_release_cmd(struct se_cmd *se_cmd)
{
	struct vhost_scsi_task *task = to_task(se_cmd);
	struct vhost_scsi_vq *svq = task->svq;

	rcu_read_lock();
	/*
	 * The first producer queues the work. llist_add() is a full barrier: the
	 * entry is visible before @worker_active is read.
	 */
	if (llist_add(&task->done, &svq->done) && !READ_ONCE(svq->worker_active))
		vhost_scsi_task_wake(svq);
	rcu_read_unlock();
}

/**
 * vhost_scsi_check_stop_free() - LIO is done with a task
 * @se_cmd: LIO's part of the task
 *
 * Return: 1 if this was the last reference.
 */
int vhost_scsi_check_stop_free(struct se_cmd *se_cmd)
{
	return target_put_sess_cmd(se_cmd);
}

/**
 * vhost_scsi_aborted_task() - LIO ended a task without a status
 * @se_cmd: LIO's part of the task
 */
void vhost_scsi_aborted_task(struct se_cmd *se_cmd)
{
	to_task(se_cmd)->aborted = true;
	if (!(se_cmd->se_cmd_flags & SCF_SCSI_TMR_CDB))
		vhost_scsi_leave_task_set(se_cmd);
}
