// SPDX-License-Identifier: GPL-2.0
/*
 * A command on its way into LIO.
 *
 * Enters: a slot with a mapped data buffer and a decoded request. Leaves: a
 * command that LIO owns, and may have finished already (scsi_cmd.c).
 * Context: the queue's vhost worker, vq->mutex held.
 * Invariant: I7, and the worker executes a command itself only where it does not
 * wait.
 */
#include <linux/string.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "scsi_io.h"
#include "scsi_trace.h"

static int vhost_scsi_submit_attr(u8 task_attr)
{
	switch (task_attr) {
	case VIRTIO_SCSI_S_ORDERED:
		return TCM_ORDERED_TAG;
	case VIRTIO_SCSI_S_HEAD:
		return TCM_HEAD_TAG;
	case VIRTIO_SCSI_S_ACA:
		return TCM_ACA_TAG;
	}
	return TCM_SIMPLE_TAG;
}

static enum dma_data_direction vhost_scsi_submit_dir(enum vhost_scsi_dir dir)
{
	switch (dir) {
	case VHOST_SCSI_DIR_OUT:
		return DMA_TO_DEVICE;
	case VHOST_SCSI_DIR_IN:
		return DMA_FROM_DEVICE;
	case VHOST_SCSI_DIR_NONE:
		break;
	}
	return DMA_NONE;
}

/* As target_submit() does for a backstore with direct submission. */
static void vhost_scsi_submit_execute(struct se_cmd *se_cmd)
{
	sense_reason_t reason;

	se_cmd->t_state = TRANSPORT_NEW_CMD;
	se_cmd->transport_state |= CMD_T_ACTIVE;
	reason = transport_generic_new_cmd(se_cmd);
	if (reason)
		transport_generic_request_failure(se_cmd, reason);
}

/* Protection that LIO made out, against what goes along or was decided. */
static bool vhost_scsi_submit_pi_agrees(const struct vhost_scsi_io *io)
{
	const struct se_cmd *se_cmd = &io->cmd->task.se_cmd;

	if (io->plan.pi)
		return se_cmd->prot_length == io->layout.pi_len;
	/* One tuple a block of the list. */
	return io->plan.makes_pi && se_cmd->t_data_nents &&
	       (u64)se_cmd->prot_length * io->kind.block_size ==
	       (u64)io->plan.len * VHOST_SCSI_PI_TUPLE;
}

/*
 * The second line behind the gate: LIO went by its own reading of the CDB, and by
 * the unit that it found. What does not agree with the list that it has must not
 * reach a backstore (I7).
 */
static sense_reason_t vhost_scsi_submit_disagrees(struct vhost_scsi_io *io)
{
	const struct se_cmd *se_cmd = &io->cmd->task.se_cmd;

	if (!vhost_scsi_kind_is(&io->kind, io->unit, se_cmd)) {
		io->why = "LIO found another unit";
		return TCM_NON_EXISTENT_LUN;
	}
	if (se_cmd->data_length != io->plan.len) {
		io->why = "LIO moves another number of bytes";
		return TCM_LOGICAL_UNIT_COMMUNICATION_FAILURE;
	}
	if (se_cmd->prot_op != TARGET_PROT_NORMAL &&
	    !vhost_scsi_submit_pi_agrees(io)) {
		io->why = "LIO moves other protection information";
		return TCM_LOGICAL_UNIT_COMMUNICATION_FAILURE;
	}
	if (io->kind.in_place && se_cmd->t_data_nents > 1 &&
	    (io->req.cdb[0] == MODE_SENSE || io->req.cdb[0] == MODE_SENSE_10)) {
		io->why = "LIO maps more than a page in an interrupt";
		return TCM_LOGICAL_UNIT_COMMUNICATION_FAILURE;
	}
	return TCM_NO_SENSE;
}

/* LIO answers what it made wrong of a command, and does nothing else with it. */
static noinline void vhost_scsi_submit_stop(struct vhost_scsi_io *io,
					    sense_reason_t reason)
{
	struct se_cmd *se_cmd = &io->cmd->task.se_cmd;
	struct vhost_scsi_result res = {
		.response = VIRTIO_SCSI_S_OK,
		.status = SAM_STAT_CHECK_CONDITION,
	};

	trace_vhost_scsi_cmd_reject(io->svq, io->chain.head, io->why, &res);
	/* The callback would end a COMPARE AND WRITE that has not begun. */
	se_cmd->transport_complete_callback = NULL;
	transport_generic_request_failure(se_cmd, reason);
}

/**
 * vhost_scsi_submit() - hand a command to LIO
 * @io: the request, with a slot that has mapped data and a saved response place
 *
 * On success the slot is LIO's, and may have been released before this
 * returns. What LIO refuses it answers itself.
 *
 * Return: 0, or a negative errno if the session takes no commands; the slot is
 * the caller's then.
 */
int vhost_scsi_submit(struct vhost_scsi_io *io)
{
	struct vhost_scsi_cmd *cmd = io->cmd;
	struct se_cmd *se_cmd = &cmd->task.se_cmd;
	int attr = vhost_scsi_submit_attr(io->req.task_attr);
	struct vhost_scsi_map *pi = NULL;
	sense_reason_t reason;
	int ret;

	lockdep_assert_held(&cmd->task.svq->vq.mutex);
	if (attr != TCM_SIMPLE_TAG)
		vhost_scsi_slot_set_ordered(cmd, true);
	cmd->data_len = io->layout.data_len;
	cmd->len = io->plan.len;
	cmd->pi_len = io->layout.pi_len;
	cmd->in_place = io->kind.in_place;
	cmd->target = io->req.target;
	if (io->plan.pi)
		pi = cmd->map.pi;

	memset(se_cmd, 0, sizeof(*se_cmd));
	ret = target_init_cmd(se_cmd, io->sess, cmd->wire.sense, io->req.lun,
			      io->plan.len, attr,
			      vhost_scsi_submit_dir(io->plan.dir), 0);
	if (ret)
		return ret;

	se_cmd->tag = io->req.tag;
	/* LIO makes no protection information for a request without it then. */
	se_cmd->prot_pto = !io->plan.pi && !io->plan.makes_pi;
	if (target_submit_prep(se_cmd, io->req.cdb, cmd->map.sg,
			       cmd->map.nents, NULL, 0,
			       pi ? pi->sg : NULL, pi ? pi->nents : 0,
			       GFP_KERNEL))
		return 0;

	reason = vhost_scsi_submit_disagrees(io);
	if (reason) {
		vhost_scsi_submit_stop(io, reason);
	} else if (vhost_scsi_direct(cmd)) {
		vhost_scsi_submit_execute(se_cmd);
	} else {
		vhost_scsi_execute_own(se_cmd);
		vhost_scsi_direct_not(cmd);
		target_submit(se_cmd);
	}
	return 0;
}
