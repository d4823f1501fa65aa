// SPDX-License-Identifier: GPL-2.0
/*
 * Task management functions (SAM-5, "Task management functions"; virtio 1.2,
 * "SCSI Host Device: Device Operation: controlq").
 *
 * Enters: a decoded function; that a part of it is back. Leaves: parts for LIO
 * (scsi_tmr.c), the response.
 * Context: the control queue's vhost worker, with its vq->mutex held and, one at
 * a time inside, those of the request queues.
 * Invariant: the answers of the commands that a function is about are on their
 * used rings before the function's own (CTL-15).
 *
 * LIO knows two functions. LOGICAL UNIT RESET is one of them. The other, ABORT
 * TASK, is a part of all the rest: one part for each command that our slots say
 * is in flight. What a function is about is marked in the slots, and the
 * function is answered when all its parts are back and no mark is left.
 */
#include <linux/slab.h>

#include "scsi_tmf.h"
#include "scsi_trace.h"

/**
 * struct vhost_scsi_tmf_kind - what a subtype does
 * @function: LIO's function, 0 if it only asks
 * @by_tag: it is about the tagged command, not all of them
 * @all_luns: it is about all units of the target; the LUN field does not count
 * @tmf_response: VIRTIO_SCSI_S_* of the commands that it ends
 */
struct vhost_scsi_tmf_kind {
	u8 function;
	bool by_tag;
	bool all_luns;
	u8 tmf_response;
};

static const struct vhost_scsi_tmf_kind vhost_scsi_tmf_kinds[] = {
	[VIRTIO_SCSI_T_TMF_ABORT_TASK] = {
		.function = TMR_ABORT_TASK,
		.by_tag = true,
		.tmf_response = VIRTIO_SCSI_S_ABORTED,
	},
	[VIRTIO_SCSI_T_TMF_ABORT_TASK_SET] = {
		.function = TMR_ABORT_TASK,
		.tmf_response = VIRTIO_SCSI_S_ABORTED,
	},
	/* SAM: of all nexuses. Other nexuses' commands are out of our reach. */
	[VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET] = {
		.function = TMR_ABORT_TASK,
		.tmf_response = VIRTIO_SCSI_S_ABORTED,
	},
	[VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET] = {
		.function = TMR_ABORT_TASK,
		.all_luns = true,
		.tmf_response = VIRTIO_SCSI_S_RESET,
	},
	[VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET] = {
		.function = TMR_LUN_RESET,
		.tmf_response = VIRTIO_SCSI_S_RESET,
	},
	[VIRTIO_SCSI_T_TMF_QUERY_TASK] = { .by_tag = true },
	[VIRTIO_SCSI_T_TMF_QUERY_TASK_SET] = {},
};

/**
 * struct vhost_scsi_tmf - a function that is being executed
 * @entry: entry of vhost_scsi.tmfs
 * @rsp: where the response goes
 * @match: commands that it is about
 * @subtype: VIRTIO_SCSI_T_TMF_*
 * @progress: what LIO does for it
 * @older: commands of a session that was given up are marked, without a part
 * @vq: the request queues before this one have none of its commands any more
 * @slot: nor has this one before this slot
 *
 * Under the mutex of the control virtqueue.
 */
struct vhost_scsi_tmf {
	struct list_head entry;
	struct vhost_scsi_rsp rsp;
	struct vhost_scsi_match match;
	u32 subtype;
	struct vhost_scsi_tmf_progress progress;
	bool older;
	unsigned int vq;
	unsigned int slot;
};

static const struct vhost_scsi_tmf_kind *vhost_scsi_tmf_kind(u32 subtype)
{
	/* LIO's units have no ACA condition to clear: NORMACA is 0. */
	if (subtype >= ARRAY_SIZE(vhost_scsi_tmf_kinds) ||
	    subtype == VIRTIO_SCSI_T_TMF_CLEAR_ACA)
		return NULL;
	return &vhost_scsi_tmf_kinds[subtype];
}

/*
 * Lock request queue @i inside the control queue's lock. What has finished is
 * answered first, so that its slots show what LIO works on.
 */
static struct vhost_scsi_vq *vhost_scsi_tmf_lock_vq(struct vhost_scsi *vs,
						    unsigned int i)
{
	struct vhost_scsi_vq *svq = &vs->svq[i];

	lockdep_assert_held(&vs->svq[VHOST_SCSI_VQ_CTL].vq.mutex);
	mutex_lock_nested(&svq->vq.mutex, SINGLE_DEPTH_NESTING);
	vhost_scsi_cmd_drain(svq);
	return svq;
}

static bool vhost_scsi_tmf_any(struct vhost_scsi *vs,
			       const struct vhost_scsi_match *match)
{
	struct vhost_scsi_vq *svq;
	bool any = false;
	unsigned int i, at;

	for (i = VHOST_SCSI_VQ_IO; i < vs->nr_vqs && !any; i++) {
		svq = vhost_scsi_tmf_lock_vq(vs, i);
		at = 0;
		any = vhost_scsi_slot_next(svq, &at, match);
		mutex_unlock(&svq->vq.mutex);
	}
	return any;
}

/*
 * Is one of the commands that a function is about still there? It gets no new ones:
 * what was looked through once need not be again, so that a function walks over
 * the slots once in all, however often it is asked.
 */
static bool vhost_scsi_tmf_waits(struct vhost_scsi *vs,
				 struct vhost_scsi_tmf *tmf)
{
	struct vhost_scsi_vq *svq;
	bool found;

	for (; tmf->vq < vs->nr_vqs; tmf->vq++, tmf->slot = 0) {
		svq = vhost_scsi_tmf_lock_vq(vs, tmf->vq);
		found = vhost_scsi_slot_next(svq, &tmf->slot, &tmf->match);
		mutex_unlock(&svq->vq.mutex);
		if (!found)
			continue;
		/* The same one is asked for the next time. */
		tmf->slot--;
		return true;
	}
	return false;
}

/*
 * Abort a command. Not aborted for want of memory or of parts it is not marked either. A
 * session that was given up takes no parts: its commands end by themselves.
 */
static void vhost_scsi_tmf_abort_cmd(struct vhost_scsi *vs, struct vhost_scsi_tmf *tmf,
				     struct vhost_scsi_cmd *cmd, u8 tmf_response)
{
	struct se_cmd *se_cmd = &cmd->task.se_cmd;
	struct vhost_scsi_tmr *tmr;

	if (se_cmd->se_sess != tmf->match.sess) {
		cmd->tmf_response = tmf_response;
		tmf->older = true;
		return;
	}
	tmr = vhost_scsi_tmr_alloc(vs, &tmf->progress);
	if (tmr && vhost_scsi_tmr_submit(vs, tmr, tmf->match.sess, TMR_ABORT_TASK,
					 se_cmd->orig_fe_lun, se_cmd->tag))
		cmd->tmf_response = tmf_response;
	else
		tmf->progress.response = VIRTIO_SCSI_S_BUSY;
}

/* Abort the commands that a function is about, one by one. */
static void vhost_scsi_tmf_abort(struct vhost_scsi *vs,
				 struct vhost_scsi_tmf *tmf, u8 tmf_response)
{
	struct vhost_scsi_cmd *cmd;
	struct vhost_scsi_vq *svq;
	unsigned int i, at;

	for (i = VHOST_SCSI_VQ_IO; i < vs->nr_vqs; i++) {
		svq = vhost_scsi_tmf_lock_vq(vs, i);
		at = 0;
		while ((cmd = vhost_scsi_slot_next(svq, &at, &tmf->match)))
			vhost_scsi_tmf_abort_cmd(vs, tmf, cmd, tmf_response);
		mutex_unlock(&svq->vq.mutex);
	}
}

/*
 * Reset the unit. LIO finds the commands by itself, ours only must be answered
 * first: those that are there now, not what other workers take meanwhile.
 */
static void vhost_scsi_tmf_reset(struct vhost_scsi *vs,
				 struct vhost_scsi_tmf *tmf, u64 lun,
				 u8 tmf_response)
{
	struct vhost_scsi_tmr *tmr = vhost_scsi_tmr_alloc(vs, &tmf->progress);
	struct vhost_scsi_cmd *cmd;
	struct vhost_scsi_vq *svq;
	unsigned int i, at;

	if (!tmr) {
		tmf->progress.response = VIRTIO_SCSI_S_BUSY;
		return;
	}
	for (i = VHOST_SCSI_VQ_IO; i < vs->nr_vqs; i++) {
		svq = vhost_scsi_tmf_lock_vq(vs, i);
		at = 0;
		while ((cmd = vhost_scsi_slot_next(svq, &at, &tmf->match)))
			cmd->tmf_response = tmf_response;
		mutex_unlock(&svq->vq.mutex);
	}
	if (!vhost_scsi_tmr_submit(vs, tmr, tmf->match.sess, TMR_LUN_RESET, lun, 0))
		tmf->progress.response = VIRTIO_SCSI_S_BUSY;
}

static void vhost_scsi_tmf_free(struct vhost_scsi_vq *ctl,
				struct vhost_scsi_tmf *tmf)
{
	vhost_scsi_ring_free_rsp(&tmf->rsp);
	vhost_scsi_inflight_put(ctl, tmf->rsp.epoch);
	kfree(tmf);
}

/* A function that is to be answered later, NULL without memory. */
static struct vhost_scsi_tmf *
vhost_scsi_tmf_alloc(struct vhost_scsi_vq *ctl,
		     const struct vhost_scsi_chain *chain,
		     const struct vhost_scsi_match *match, u32 subtype)
{
	struct vhost_scsi_tmf *tmf;

	tmf = kzalloc(sizeof(*tmf), VHOST_SCSI_GFP);
	if (!tmf)
		return NULL;
	if (vhost_scsi_ring_save_rsp(ctl, chain,
				     sizeof(struct virtio_scsi_ctrl_tmf_resp),
				     sizeof(struct virtio_scsi_ctrl_tmf_resp),
				     &tmf->rsp)) {
		kfree(tmf);
		return NULL;
	}
	tmf->rsp.head = chain->head;
	tmf->rsp.epoch = vhost_scsi_inflight_get(ctl);
	tmf->match = *match;
	tmf->subtype = subtype;
	tmf->vq = VHOST_SCSI_VQ_IO;
	/* 0 is FUNCTION COMPLETE here; 10 answers queries only. */
	tmf->progress.response = VIRTIO_SCSI_S_OK;
	return tmf;
}

/* Execute a function that ends commands. */
static enum vhost_scsi_verdict
vhost_scsi_tmf_start(struct vhost_scsi_vq *ctl,
		     const struct vhost_scsi_chain *chain,
		     const struct vhost_scsi_tmf_req *req,
		     const struct vhost_scsi_match *match, u8 *response)
{
	const struct vhost_scsi_tmf_kind *kind =
		vhost_scsi_tmf_kind(req->subtype);
	struct vhost_scsi *vs = to_vs(ctl);
	struct vhost_scsi_tmf *tmf;

	tmf = vhost_scsi_tmf_alloc(ctl, chain, match, req->subtype);
	if (!tmf) {
		*response = VIRTIO_SCSI_S_BUSY;
		return VHOST_SCSI_REPLY;
	}

	if (kind->function == TMR_LUN_RESET)
		vhost_scsi_tmf_reset(vs, tmf, req->lun, kind->tmf_response);
	else
		vhost_scsi_tmf_abort(vs, tmf, kind->tmf_response);

	if (!tmf->progress.nr && !tmf->older) {
		*response = tmf->progress.response;
		vhost_scsi_tmf_free(ctl, tmf);
		return VHOST_SCSI_REPLY;
	}
	/* From now on only its marks count, not the commands that come later. */
	tmf->match.marked = true;
	list_add_tail(&tmf->entry, &vs->tmfs);
	return VHOST_SCSI_SUBMITTED;
}

/* Does the nexus see this unit? */
static bool vhost_scsi_tmf_has_unit(struct se_session *sess, u64 lun)
{
	bool found;

	rcu_read_lock();
	found = target_nacl_find_deve(sess->se_node_acl, lun);
	rcu_read_unlock();
	return found;
}

/**
 * vhost_scsi_tmf_run() - execute a task management function
 * @ctl: control queue, vq->mutex held
 * @chain: its chain
 * @req: the function
 * @sess: I_T nexus that it belongs to
 * @response: VIRTIO_SCSI_S_* with the verdict VHOST_SCSI_REPLY
 *
 * Return: the verdict: answered now, or later by vhost_scsi_tmf_done_work().
 */
enum vhost_scsi_verdict
vhost_scsi_tmf_run(struct vhost_scsi_vq *ctl,
		   const struct vhost_scsi_chain *chain,
		   const struct vhost_scsi_tmf_req *req,
		   struct se_session *sess, u8 *response)
{
	const struct vhost_scsi_tmf_kind *kind =
		vhost_scsi_tmf_kind(req->subtype);
	struct vhost_scsi_match match = {
		.target = req->target,
		.sess = sess,
		.lun = req->lun,
		.tag = req->tag,
	};

	*response = VIRTIO_SCSI_S_FUNCTION_REJECTED;
	if (!kind)
		return VHOST_SCSI_REPLY;
	match.by_tag = kind->by_tag;
	match.all_luns = kind->all_luns;

	*response = VIRTIO_SCSI_S_INCORRECT_LUN;
	if (!kind->all_luns &&
	    !(req->lun_ok && vhost_scsi_tmf_has_unit(sess, req->lun)))
		return VHOST_SCSI_REPLY;

	trace_vhost_scsi_tmf_start(ctl, chain->head, req);
	if (!kind->function) {
		*response = vhost_scsi_tmf_any(to_vs(ctl), &match) ?
			    VIRTIO_SCSI_S_FUNCTION_SUCCEEDED :
			    VIRTIO_SCSI_S_OK;
		return VHOST_SCSI_REPLY;
	}
	if (kind->all_luns)
		vhost_scsi_ua_nexus_lost(sess->se_node_acl);
	return vhost_scsi_tmf_start(ctl, chain, req, &match, response);
}

static void vhost_scsi_tmf_answer(struct vhost_scsi_vq *ctl,
				  struct vhost_scsi_tmf *tmf)
{
	struct virtio_scsi_ctrl_tmf_resp wire = { .response = tmf->progress.response };
	u32 len = vhost_scsi_ring_write(ctl, tmf->rsp.iov, tmf->rsp.nr, &wire,
					sizeof(wire)) ? sizeof(wire) : 0;

	trace_vhost_scsi_tmf_done(ctl, tmf->rsp.head, tmf->subtype,
				  tmf->progress.response, len);
	vhost_scsi_ring_push(ctl, tmf->rsp.head, len);
}

/**
 * vhost_scsi_tmf_done_work() - answer finished functions
 * @work: done_work of the control queue
 *
 * Runs when a part is back, and when a marked command was answered.
 */
void vhost_scsi_tmf_done_work(struct vhost_work *work)
{
	struct vhost_scsi_vq *ctl = container_of(work, struct vhost_scsi_vq,
						 done_work);
	struct vhost_scsi *vs = to_vs(ctl);
	struct vhost_scsi_tmf *tmf, *next;
	LIST_HEAD(answered);

	guard(mutex)(&ctl->vq.mutex);
	vhost_scsi_tmr_count(vs);
	if (!vhost_scsi_iotlb_ready(ctl))
		return;
	list_for_each_entry_safe(tmf, next, &vs->tmfs, entry) {
		if (tmf->progress.nr || vhost_scsi_tmf_waits(vs, tmf))
			continue;
		vhost_scsi_tmf_answer(ctl, tmf);
		list_move_tail(&tmf->entry, &answered);
	}
	vhost_scsi_ring_flush(ctl);
	list_for_each_entry_safe(tmf, next, &answered, entry)
		vhost_scsi_tmf_free(ctl, tmf);
}

/**
 * vhost_scsi_tmf_drop_work() - forget finished functions
 * @work: drop_work of the control queue
 *
 * The owner is gone: nobody can answer them.
 */
void vhost_scsi_tmf_drop_work(struct work_struct *work)
{
	struct vhost_scsi_vq *ctl = container_of(work, struct vhost_scsi_vq,
						 drop_work);
	struct vhost_scsi *vs = to_vs(ctl);
	struct vhost_scsi_tmf *tmf, *next;

	mutex_lock(&ctl->vq.mutex);
	vhost_scsi_tmr_count(vs);
	list_for_each_entry_safe(tmf, next, &vs->tmfs, entry) {
		if (tmf->progress.nr)
			continue;
		list_del(&tmf->entry);
		vhost_scsi_tmf_free(ctl, tmf);
	}
	mutex_unlock(&ctl->vq.mutex);
}
