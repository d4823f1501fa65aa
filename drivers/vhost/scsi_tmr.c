// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of a task management function: requests that LIO works on.
 *
 * Enters: what one part is to do; LIO's answer to it. Leaves: parts that have come
 * back, counted in their function.
 * Context: the control queue's mutex held; LIO's answer comes in a system
 * workqueue and takes no lock of the driver.
 * Invariant: a part that LIO took is counted down once, when LIO has released it.
 */
#include <linux/slab.h>

#include "scsi_tmf.h"

/**
 * struct vhost_scsi_tmr - a part of a function: one request to LIO
 * @task: LIO's part; first
 * @progress: of the function
 * @response: VIRTIO_SCSI_S_*, LIO's answer
 */
struct vhost_scsi_tmr {
	struct vhost_scsi_task task;
	struct vhost_scsi_tmf_progress *progress;
	u8 response;
};

static struct vhost_scsi_tmr *to_tmr(struct vhost_scsi_task *task)
{
	return container_of(task, struct vhost_scsi_tmr, task);
}

/**
 * vhost_scsi_tmr_alloc() - a part of a function
 * @vs: device
 * @progress: of the function
 *
 * Return: the part, for vhost_scsi_tmr_submit(); NULL if there are too many or no
 * memory.
 */
struct vhost_scsi_tmr *vhost_scsi_tmr_alloc(struct vhost_scsi *vs,
					    struct vhost_scsi_tmf_progress *progress)
{
	struct vhost_scsi_tmr *tmr;

	if (vs->nr_tmrs == VHOST_SCSI_MAX_TMRS)
		return NULL;
	tmr = kzalloc(sizeof(*tmr), VHOST_SCSI_GFP);
	if (!tmr)
		return NULL;
	tmr->task.svq = &vs->svq[VHOST_SCSI_VQ_CTL];
	tmr->progress = progress;
	return tmr;
}

/**
 * vhost_scsi_tmr_submit() - hand a part to LIO
 * @vs: device
 * @tmr: the part, LIO's from now on
 * @sess: I_T nexus that it is for
 * @function: TMR_*, LIO's function
 * @lun: unit
 * @tag: tag of the command, the guest's; 0 if the function is about more than one
 *
 * Return: false if LIO did not take it; the part is gone then.
 */
bool vhost_scsi_tmr_submit(struct vhost_scsi *vs, struct vhost_scsi_tmr *tmr,
			   struct se_session *sess, u8 function, u64 lun,
			   u64 tag)
{
	struct vhost_scsi_tmf_progress *progress = tmr->progress;

	if (target_submit_tmr(&tmr->task.se_cmd, sess, NULL, lun, NULL,
			      function, VHOST_SCSI_GFP, tag, 0)) {
		kfree(tmr);
		return false;
	}
	vs->nr_tmrs++;
	progress->nr++;
	return true;
}

/**
 * vhost_scsi_queue_tm_rsp() - LIO has finished a part of a function
 * @se_cmd: LIO's part of it
 *
 * It is counted after vhost_scsi_release_cmd(). A task that does not exist has
 * ended before, and so has one whose unit is gone: LIO has waited for it.
 */
void vhost_scsi_queue_tm_rsp(struct se_cmd *se_cmd)
{
	struct vhost_scsi_tmr *tmr = to_tmr(to_task(se_cmd));
	bool abort = se_cmd->se_tmr_req->function == TMR_ABORT_TASK;

	if (!abort && se_cmd->se_dev)
		vhost_scsi_ua_trim(se_cmd->se_dev);
	switch (se_cmd->se_tmr_req->response) {
	case TMR_FUNCTION_COMPLETE:
	case TMR_TASK_DOES_NOT_EXIST:
		tmr->response = VIRTIO_SCSI_S_OK;
		break;
	case TMR_LUN_DOES_NOT_EXIST:
		tmr->response = abort ? VIRTIO_SCSI_S_OK :
				VIRTIO_SCSI_S_INCORRECT_LUN;
		break;
	case TMR_FUNCTION_FAILED:
		tmr->response = VIRTIO_SCSI_S_FAILURE;
		break;
	default:
		tmr->response = VIRTIO_SCSI_S_FUNCTION_REJECTED;
		break;
	}
}

/**
 * vhost_scsi_tmr_count() - count the parts that have come back
 * @vs: device
 */
void vhost_scsi_tmr_count(struct vhost_scsi *vs)
{
	struct vhost_scsi_vq *ctl = &vs->svq[VHOST_SCSI_VQ_CTL];
	struct vhost_scsi_task *task, *next;
	struct llist_node *done;

	lockdep_assert_held(&ctl->vq.mutex);
	done = vhost_scsi_task_take_done(ctl);
	llist_for_each_entry_safe(task, next, done, done) {
		struct vhost_scsi_tmr *tmr = to_tmr(task);

		/*
		 * A LUN reset ended this ABORT TASK: the command is the reset's
		 * now, and the mark says when it is answered.
		 */
		if (!task->aborted && tmr->response != VIRTIO_SCSI_S_OK)
			tmr->progress->response = tmr->response;
		tmr->progress->nr--;
		vs->nr_tmrs--;
		kfree(tmr);
	}
}
