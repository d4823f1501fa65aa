// SPDX-License-Identifier: GPL-2.0
/*
 * The slots of a request queue: one for each entry of the ring, each holds a
 * command.
 *
 * Enters: SET_ENDPOINT; a request that wants a slot; a command that was
 * answered; a task management function that looks for commands.
 * Context: allocating and freeing under vs->dev.mutex with the queue stopped,
 * the rest under vq->mutex.
 * Invariant: I2, and a taken slot is counted as in flight.
 */
#include "scsi_tmf.h"

/**
 * vhost_scsi_slot_alloc_all() - make a slot for each entry of the ring
 * @svq: request queue without slots, its ring set up
 *
 * Charged to the caller's memory cgroup.
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_scsi_slot_alloc_all(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_cmd *cmd;
	unsigned int i;

	svq->slots = kvcalloc(svq->vq.num, sizeof(*svq->slots),
			      GFP_KERNEL_ACCOUNT);
	if (!svq->slots)
		return -ENOMEM;

	/* From the back, so that the first slots are handed out first. */
	for (i = svq->vq.num; i--; ) {
		cmd = &svq->slots[i];
		cmd->task.svq = svq;
		vhost_scsi_sg_init(&cmd->map);
		cmd->next = svq->free;
		svq->free = cmd;
	}
	return 0;
}

/**
 * vhost_scsi_slot_free_all() - undo vhost_scsi_slot_alloc_all()
 * @svq: request queue with all slots free, or without slots
 */
void vhost_scsi_slot_free_all(struct vhost_scsi_vq *svq)
{
	svq->free = NULL;
	kvfree(svq->slots);
	svq->slots = NULL;
}

/**
 * vhost_scsi_slot_get() - take a slot
 * @svq: request queue, vq->mutex held
 * @head: head descriptor of the request
 *
 * Return: the slot, counted as in flight, or NULL if all are in use: the guest
 * has more requests outstanding than its ring has entries.
 */
struct vhost_scsi_cmd *vhost_scsi_slot_get(struct vhost_scsi_vq *svq,
					   unsigned int head)
{
	struct vhost_scsi_cmd *cmd = svq->free;

	lockdep_assert_held(&svq->vq.mutex);
	if (!cmd)
		return NULL;

	svq->free = cmd->next;
	cmd->task.aborted = false;
	cmd->busy = true;
	cmd->tmf_response = 0;
	cmd->ordered = false;
	cmd->rsp.head = head;
	cmd->rsp.epoch = vhost_scsi_inflight_get(svq);
	return cmd;
}

/**
 * vhost_scsi_slot_set_ordered() - does a command keep its place in the task set?
 * @cmd: taken slot, vq->mutex held
 * @ordered: its task attribute is not SIMPLE
 */
void vhost_scsi_slot_set_ordered(struct vhost_scsi_cmd *cmd, bool ordered)
{
	struct vhost_scsi_vq *svq = cmd->task.svq;

	lockdep_assert_held(&svq->vq.mutex);
	svq->nr_ordered += ordered - cmd->ordered;
	cmd->ordered = ordered;
}

/**
 * vhost_scsi_slot_put() - give a slot back
 * @cmd: slot that holds nothing any more, vq->mutex held
 */
void vhost_scsi_slot_put(struct vhost_scsi_cmd *cmd)
{
	struct vhost_scsi_vq *svq = cmd->task.svq;

	lockdep_assert_held(&svq->vq.mutex);
	if (cmd->ordered)
		vhost_scsi_slot_set_ordered(cmd, false);
	cmd->busy = false;
	cmd->next = svq->free;
	svq->free = cmd;
	vhost_scsi_inflight_put(svq, cmd->rsp.epoch);
}

static bool vhost_scsi_slot_matches(const struct vhost_scsi_cmd *cmd,
				    const struct vhost_scsi_match *match)
{
	const struct se_cmd *se_cmd = &cmd->task.se_cmd;

	return cmd->busy && se_cmd->se_sess == match->sess &&
	       (match->all_luns || se_cmd->orig_fe_lun == match->lun) &&
	       (!match->by_tag || se_cmd->tag == match->tag) &&
	       (!match->marked || cmd->tmf_response);
}

/**
 * vhost_scsi_slot_next() - walk through the commands of a queue
 * @svq: request queue, vq->mutex held
 * @cmd: where the walk stands, NULL to begin
 * @match: which commands
 *
 * Return: the next command that matches, NULL if there is none any more.
 */
struct vhost_scsi_cmd *vhost_scsi_slot_next(struct vhost_scsi_vq *svq,
					    struct vhost_scsi_cmd *cmd,
					    const struct vhost_scsi_match *match)
{
	lockdep_assert_held(&svq->vq.mutex);
	if (!svq->slots)
		return NULL;
	for (cmd = cmd ? cmd + 1 : svq->slots;
	     cmd < svq->slots + svq->vq.num; cmd++)
		if (vhost_scsi_slot_matches(cmd, match))
			return cmd;
	return NULL;
}
