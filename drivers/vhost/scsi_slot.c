// SPDX-License-Identifier: GPL-2.0
/*
 * The slots of a request queue: one for each entry of the ring, each holds a
 * command. They are allocated as the guest needs them: few guests ever fill a ring.
 *
 * Enters: SET_ENDPOINT; a request that wants a slot; a command that was
 * answered; a task management function that looks for commands.
 * Context: the first ones, and freeing, under vs->dev.mutex with the queue stopped,
 * the rest under vq->mutex, in a vhost worker.
 * Invariant: I2, and a taken slot is counted as in flight.
 */
#include <linux/slab.h>

#include "scsi_tmf.h"

/* Slots that are allocated at once: 30 KiB */
#define VHOST_SCSI_SLOT_CHUNK	32U

static unsigned int vhost_scsi_slot_nr_chunks(const struct vhost_scsi_vq *svq)
{
	return DIV_ROUND_UP(svq->vq.num, VHOST_SCSI_SLOT_CHUNK);
}

/* Add the next chunk to the free slots. Charged to the owner's memory cgroup. */
static noinline bool vhost_scsi_slot_grow(struct vhost_scsi_vq *svq)
{
	unsigned int i, nr = min(svq->vq.num - svq->nr_slots,
				 VHOST_SCSI_SLOT_CHUNK);
	struct vhost_scsi_cmd *chunk;

	if (!nr)
		return false;
	chunk = kcalloc(nr, sizeof(*chunk), VHOST_SCSI_GFP);
	if (!chunk)
		return false;

	svq->slots[svq->nr_slots / VHOST_SCSI_SLOT_CHUNK] = chunk;
	svq->nr_slots += nr;
	/* From the back, so that the first slots are handed out first. */
	for (i = nr; i--; ) {
		chunk[i].task.svq = svq;
		vhost_scsi_sg_init(&chunk[i].map);
		chunk[i].next = svq->free;
		svq->free = &chunk[i];
	}
	return true;
}

/**
 * vhost_scsi_slot_alloc() - make the first slots
 * @svq: request queue without slots, its ring set up
 *
 * There are as many in the end as the ring has entries, if the guest ever has so
 * many requests outstanding. Charged to the caller's memory cgroup.
 *
 * Return: 0 or -ENOMEM; vhost_scsi_slot_free_all() is due in either case.
 */
int vhost_scsi_slot_alloc(struct vhost_scsi_vq *svq)
{
	svq->slots = kcalloc(vhost_scsi_slot_nr_chunks(svq), sizeof(*svq->slots),
			     VHOST_SCSI_GFP);
	return svq->slots && vhost_scsi_slot_grow(svq) ? 0 : -ENOMEM;
}

/**
 * vhost_scsi_slot_free_all() - undo vhost_scsi_slot_alloc()
 * @svq: request queue with all slots free, or without slots
 */
void vhost_scsi_slot_free_all(struct vhost_scsi_vq *svq)
{
	unsigned int i;

	for (i = 0; i < svq->nr_slots; i += VHOST_SCSI_SLOT_CHUNK)
		kfree(svq->slots[i / VHOST_SCSI_SLOT_CHUNK]);
	svq->nr_slots = 0;
	svq->free = NULL;
	kfree(svq->slots);
	svq->slots = NULL;
}

/**
 * vhost_scsi_slot_get() - take a slot
 * @svq: request queue, vq->mutex held
 * @head: head descriptor of the request
 *
 * Return: the slot, counted as in flight. NULL if the guest has more requests
 * outstanding than its ring has entries, or if there is no memory for another slot.
 */
struct vhost_scsi_cmd *vhost_scsi_slot_get(struct vhost_scsi_vq *svq,
					   unsigned int head)
{
	struct vhost_scsi_cmd *cmd;

	lockdep_assert_held(&svq->vq.mutex);
	if (!svq->free && !vhost_scsi_slot_grow(svq))
		return NULL;

	cmd = svq->free;
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

	return cmd->busy && cmd->target == match->target &&
	       (match->all_luns || se_cmd->orig_fe_lun == match->lun) &&
	       (!match->by_tag || se_cmd->tag == match->tag) &&
	       (!match->marked || cmd->tmf_response);
}

/**
 * vhost_scsi_slot_next() - walk through the commands of a queue
 * @svq: request queue, vq->mutex held
 * @at: the slot to go on from, 0 to begin; becomes the one behind that which was found
 * @match: which commands
 *
 * Return: the next command that matches, NULL if there is none any more.
 */
struct vhost_scsi_cmd *vhost_scsi_slot_next(struct vhost_scsi_vq *svq,
					    unsigned int *at,
					    const struct vhost_scsi_match *match)
{
	struct vhost_scsi_cmd *cmd;

	lockdep_assert_held(&svq->vq.mutex);
	for (; *at < svq->nr_slots; ++*at) {
		cmd = svq->slots[*at / VHOST_SCSI_SLOT_CHUNK] +
		      *at % VHOST_SCSI_SLOT_CHUNK;
		if (!vhost_scsi_slot_matches(cmd, match))
			continue;
		++*at;
		return cmd;
	}
	return NULL;
}
