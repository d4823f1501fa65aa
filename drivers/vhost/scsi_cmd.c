// SPDX-License-Identifier: GPL-2.0
/*
 * One command, from LIO to its answer: what LIO calls back, completion, release.
 *
 * Enters: LIO's callbacks for a submitted command (scsi_submit.c). Leaves: a
 * written response, a pushed head, a free slot.
 * Context: answering and retiring under vq->mutex, in a vhost worker (retiring,
 * without a worker, in a work item). LIO's callbacks come in any context, from
 * inside the submission too, and take no lock of the driver.
 * Invariant: I2 and I6. LIO holds one reference to a command; release_cmd()
 * gives the slot back to us, and only then is the answer written, so that
 * nobody uses the guest's pages when they are released.
 */
#include <linux/string.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "scsi_queued.h"
#include "scsi_trace.h"
#include "vhost_scsi.h"

static bool vhost_scsi_cmd_has_sense(const struct vhost_scsi_cmd *cmd)
{
	return cmd->task.se_cmd.se_cmd_flags &
	       (SCF_TRANSPORT_TASK_SENSE | SCF_EMULATED_TASK_SENSE);
}

/*
 * SPC: with the sense keys NO SENSE and RECOVERED ERROR a command was done, and its
 * data is there: as LIO says, or in the list of a unit that is passed through.
 * Deferred sense is about another command.
 */
static bool vhost_scsi_cmd_was_done(const struct vhost_scsi_cmd *cmd)
{
	const struct se_cmd *se_cmd = &cmd->task.se_cmd;
	const u8 *sense = cmd->wire.sense;

	if (se_cmd->scsi_status == SAM_STAT_GOOD)
		return true;
	if (se_cmd->scsi_status != SAM_STAT_CHECK_CONDITION ||
	    !vhost_scsi_cmd_has_sense(cmd))
		return false;
	if (se_cmd->se_cmd_flags & SCF_TREAT_READ_AS_NORMAL)
		return true;
	if (!cmd->in_place)
		return false;
	switch (sense[0] & 0x7f) {
	case 0x70:
		return (sense[2] & 0xf) <= RECOVERED_ERROR;
	case 0x72:
		return (sense[1] & 0xf) <= RECOVERED_ERROR;
	}
	return false;
}

/* The outcome of a command: response or status, residual, and the bytes moved in. */
static u32 vhost_scsi_cmd_result(struct vhost_scsi_cmd *cmd,
				 struct vhost_scsi_result *res)
{
	struct se_cmd *se_cmd = &cmd->task.se_cmd;
	u32 moved = cmd->len;

	memset(res, 0, sizeof(*res));
	if (cmd->task.aborted) {
		res->response = cmd->tmf_response ?: VIRTIO_SCSI_S_RESET;
		res->resid = cmd->data_len;
		return 0;
	}

	res->status = se_cmd->scsi_status;
	if (res->status != SAM_STAT_GOOD &&
	    vhost_scsi_cmd_has_sense(cmd)) {
		res->sense = cmd->wire.sense;
		res->sense_len = se_cmd->scsi_sense_length;
	}
	/* How much moves of a command that fails is not known: claim nothing. */
	if (!vhost_scsi_cmd_was_done(cmd))
		moved = 0;
	else if (se_cmd->se_cmd_flags & SCF_UNDERFLOW_BIT)
		moved -= min(se_cmd->residual_count, moved);
	res->resid = cmd->data_len - moved;
	return cmd->map.dirty ? moved : 0;
}

/* Count and trace an answer; returns @written. */
static __always_inline u32
vhost_scsi_cmd_answered(const struct vhost_scsi_cmd *cmd,
			const struct vhost_scsi_result *res, u32 written)
{
	struct vhost_scsi_vq *svq = cmd->task.svq;

	svq->stats.commands++;
	svq->stats.bytes += cmd->data_len - res->resid;
	trace_vhost_scsi_cmd_done(svq, cmd->rsp.head, cmd->task.se_cmd.tag, res,
				  written);
	return written;
}

/* vhost_scsi_cmd_answer(), whatever there is to say. */
static noinline u32 vhost_scsi_cmd_answer_any(struct vhost_scsi_cmd *cmd)
{
	bool le = vhost_is_little_endian(&cmd->task.svq->vq);
	struct vhost_scsi_result res;
	u32 moved, written = 0;

	moved = vhost_scsi_cmd_result(cmd, &res);
	if (!vhost_scsi_map_copy_back(&cmd->map, moved)) {
		memset(&res, 0, sizeof(res));
		res.response = VIRTIO_SCSI_S_FAILURE;
		res.resid = cmd->data_len;
		moved = 0;
	}

	/* The place of the sense data is zero unless LIO wrote there. */
	if (!vhost_scsi_cmd_has_sense(cmd))
		vhost_scsi_wire_encode_head(&cmd->wire, le, &res, 0);
	else
		vhost_scsi_wire_encode_cmd(&cmd->wire, le, &res);
	if (vhost_scsi_ring_answer(&cmd->rsp, &cmd->wire))
		written = sizeof(cmd->wire) + (moved ? cmd->pi_len + moved : 0);
	return vhost_scsi_cmd_answered(cmd, &res, written);
}

/* GOOD, all of it moved, and on the guest's own pages, as most commands end. */
static bool vhost_scsi_cmd_is_plain(const struct vhost_scsi_cmd *cmd)
{
	const struct se_cmd *se_cmd = &cmd->task.se_cmd;

	return cmd->map.zero_copy && !cmd->map.pi && !cmd->task.aborted &&
	       se_cmd->scsi_status == SAM_STAT_GOOD &&
	       !(se_cmd->se_cmd_flags &
		 (SCF_UNDERFLOW_BIT | SCF_TRANSPORT_TASK_SENSE |
		  SCF_EMULATED_TASK_SENSE));
}

/*
 * Write the answer of a finished command, in a vhost worker. Returns the bytes
 * written from the first writable byte on; 0 if the guest's memory cannot be
 * written.
 */
static u32 vhost_scsi_cmd_answer(struct vhost_scsi_cmd *cmd)
{
	struct vhost_virtqueue *vq = &cmd->task.svq->vq;
	struct vhost_scsi_result res = { .resid = cmd->data_len - cmd->len };
	u32 written = 0;

	lockdep_assert_held(&vq->mutex);
	if (!vhost_scsi_cmd_is_plain(cmd))
		return vhost_scsi_cmd_answer_any(cmd);
	if (vhost_scsi_ring_answer_good(&cmd->rsp,
					cpu_to_vhost32(vq, res.resid)))
		written = sizeof(cmd->wire) + (cmd->map.dirty ? cmd->len : 0);
	return vhost_scsi_cmd_answered(cmd, &res, written);
}

/* Give back all that a finished command holds. */
static void vhost_scsi_cmd_retire(struct vhost_scsi_cmd *cmd)
{
	if (vhost_scsi_cmd_has_sense(cmd))
		memset(cmd->wire.sense, 0, sizeof(cmd->wire.sense));
	vhost_scsi_map_release(&cmd->map);
	vhost_scsi_ring_free_rsp(&cmd->rsp);
	if (cmd->queued)
		vhost_scsi_queued_put(cmd);
	vhost_scsi_slot_put(cmd);
}

static void vhost_scsi_cmd_retire_all(struct vhost_scsi_vq *svq,
				      struct llist_node *done)
{
	struct vhost_scsi_task *task, *next;
	bool awaited = false;

	llist_for_each_entry_safe(task, next, done, done) {
		awaited |= to_cmd(task)->tmf_response;
		vhost_scsi_cmd_retire(to_cmd(task));
	}
	/* A task management function may have waited for the last of them. */
	if (awaited)
		vhost_scsi_task_wake(&to_vs(svq)->svq[VHOST_SCSI_VQ_CTL]);
}

/* The guest sees the answer after vhost_scsi_ring_flush(). */
static void vhost_scsi_cmd_end(struct vhost_scsi_vq *svq,
			       struct vhost_scsi_cmd *cmd)
{
	u32 written = vhost_scsi_cmd_answer(cmd);

	if (cmd->rsp.log_len)
		vhost_scsi_log(svq, cmd->rsp.iov, cmd->rsp.log_len);
	vhost_scsi_ring_push(svq, cmd->rsp.head, written);
	/* Copying that much may have taken long enough to let others run. */
	if (cmd->len > SZ_64K)
		cond_resched();
}

/**
 * vhost_scsi_cmd_drain() - answer all commands of a queue that have finished
 * @svq: request queue, vq->mutex held
 *
 * In a vhost worker, not necessarily the queue's own. When it returns, the
 * guest sees every command that LIO had released before.
 */
void vhost_scsi_cmd_drain(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_task *task;
	struct llist_node *done;

	lockdep_assert_held(&svq->vq.mutex);
	if (!vhost_scsi_iotlb_ready(svq))
		return;
	done = vhost_scsi_task_take_done(svq);
	llist_for_each_entry(task, done, done)
		vhost_scsi_cmd_end(svq, to_cmd(task));
	vhost_scsi_ring_flush(svq);
	vhost_scsi_cmd_retire_all(svq, done);
}

/**
 * vhost_scsi_cmd_drop_work() - retire finished commands that nobody can answer
 * @work: drop_work of a request queue
 *
 * The owner is gone, and with it the worker, which alone can write its memory: the
 * heads are lost by necessity.
 */
void vhost_scsi_cmd_drop_work(struct work_struct *work)
{
	struct vhost_scsi_vq *svq = container_of(work, struct vhost_scsi_vq,
						 drop_work);

	mutex_lock(&svq->vq.mutex);
	vhost_scsi_cmd_retire_all(svq, vhost_scsi_task_take_done(svq));
	mutex_unlock(&svq->vq.mutex);
}

/**
 * vhost_scsi_write_pending() - LIO wants the data of a write
 * @se_cmd: LIO's part of the command
 *
 * It is in memory already. LIO has its buffers, and has checked nothing yet.
 *
 * Return: 0
 */
int vhost_scsi_write_pending(struct se_cmd *se_cmd)
{
	if ((se_cmd->se_cmd_flags &
	     (SCF_SCSI_DATA_CDB | SCF_COMPARE_AND_WRITE)) !=
	    SCF_SCSI_DATA_CDB)
		vhost_scsi_execute_wrap(to_cmd(to_task(se_cmd)));
	target_execute_cmd(se_cmd);
	return 0;
}

/**
 * vhost_scsi_queue_data_in() - a read has finished
 * @se_cmd: LIO's part of the command
 *
 * The answer is written after vhost_scsi_release_cmd().
 *
 * Return: 0
 */
int vhost_scsi_queue_data_in(struct se_cmd *se_cmd)
{
	return 0;
}

/**
 * vhost_scsi_queue_status() - a command has finished, or was refused
 * @se_cmd: LIO's part of the command
 *
 * Also called from inside the submission, with vq->mutex held. The answer is
 * written after vhost_scsi_release_cmd().
 *
 * Return: 0
 */
int vhost_scsi_queue_status(struct se_cmd *se_cmd)
{
	if (se_cmd->scsi_status == SAM_STAT_GOOD)
		return 0;
	if (se_cmd->scsi_status == SAM_STAT_TASK_ABORTED)
		vhost_scsi_leave_task_set(se_cmd);
	else if (se_cmd->scsi_status == SAM_STAT_RESERVATION_CONFLICT)
		vhost_scsi_ua_conflict(se_cmd);
	return 0;
}
