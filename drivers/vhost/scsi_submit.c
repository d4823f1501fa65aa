// SPDX-License-Identifier: GPL-2.0
/*
 * A command on its way into LIO.
 *
 * Enters: a slot with a mapped data buffer and a decoded request. Leaves: a
 * command that LIO owns, and may have finished already (scsi_cmd.c).
 * Context: the queue's vhost worker, vq->mutex held.
 * Invariant: the worker executes a command itself only where it does not wait.
 */
#include <linux/string.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "vhost_scsi.h"

static int vhost_scsi_cmd_attr(u8 task_attr)
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

static enum dma_data_direction vhost_scsi_cmd_dir(enum vhost_scsi_dir dir)
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

/* A disk gets no more than half of what it has tags for, from all queues. */
static bool vhost_scsi_cmd_leaves_tags(struct vhost_scsi_vq *svq, u32 depth)
{
	const struct vhost_scsi_ep *ep = vhost_vq_get_backend(&svq->vq);

	return vhost_scsi_inflight_nr(svq) * 2 * ep->nr_io <= depth;
}

/*
 * LIO's submission queue costs a change of threads, which a worker saves that
 * executes the command itself. It must not sleep there, though, for that holds
 * up all queues of the device: reads and writes only, to backstores that do not
 * wait for them, and fewer than would use up the tags of a disk. The rest keeps
 * its place behind ORDERED and HEAD OF QUEUE commands that wait in LIO's queue.
 */
static bool vhost_scsi_cmd_is_prompt(const struct vhost_scsi_cmd *cmd)
{
	const struct se_cmd *se_cmd = &cmd->task.se_cmd;
	const struct se_dev_attrib *attrib = &se_cmd->se_dev->dev_attrib;
	const char *backend = se_cmd->se_dev->transport->name;
	static const char iblock[] = "iblock", rd_mcp[] = "rd_mcp";

	if (attrib->submit_type != TARGET_FABRIC_DEFAULT_SUBMIT ||
	    cmd->task.svq->nr_in_order ||
	    (se_cmd->se_cmd_flags & (SCF_SCSI_DATA_CDB | SCF_COMPARE_AND_WRITE)) !=
	    SCF_SCSI_DATA_CDB)
		return false;
	/* The compiler makes a comparison of words of these. */
	if (!memcmp(backend, iblock, sizeof(iblock)))
		return vhost_scsi_cmd_leaves_tags(cmd->task.svq,
						  attrib->hw_queue_depth);
	return !memcmp(backend, rd_mcp, sizeof(rd_mcp));
}

/* What target_submit() does for a backstore with direct submission. */
static void vhost_scsi_cmd_execute(struct se_cmd *se_cmd)
{
	sense_reason_t reason;

	se_cmd->t_state = TRANSPORT_NEW_CMD;
	se_cmd->transport_state |= CMD_T_ACTIVE;
	reason = transport_generic_new_cmd(se_cmd);
	if (unlikely(reason))
		transport_generic_request_failure(se_cmd, reason);
}

/**
 * vhost_scsi_cmd_submit() - hand a command to LIO
 * @cmd: slot with mapped data and a saved response place, vq->mutex held
 * @sess: I_T nexus
 * @req: the request
 * @layout: its data
 *
 * On success the slot is LIO's, and may have been released before this
 * returns. What LIO refuses it answers itself.
 *
 * Return: 0, or a negative errno if the session takes no commands; the slot is
 * the caller's then.
 */
int vhost_scsi_cmd_submit(struct vhost_scsi_cmd *cmd, struct se_session *sess,
			  struct vhost_scsi_req *req,
			  const struct vhost_scsi_layout *layout)
{
	struct vhost_scsi_map *pi = NULL;
	struct se_cmd *se_cmd = &cmd->task.se_cmd;
	int attr = vhost_scsi_cmd_attr(req->task_attr);
	int ret;

	lockdep_assert_held(&cmd->task.svq->vq.mutex);
	if (unlikely(attr != TCM_SIMPLE_TAG))
		vhost_scsi_cmd_set_order(cmd, true);
	cmd->data_len = layout->data_len;
	cmd->pi_len = layout->pi_len;
	/* What the CDB does not ask for stays here, and LIO makes its own. */
	if (unlikely(cmd->map.pi) && vhost_scsi_wire_protect(req))
		pi = cmd->map.pi;

	memset(se_cmd, 0, sizeof(*se_cmd));
	ret = target_init_cmd(se_cmd, sess, cmd->wire.sense, req->lun,
			      layout->data_len, attr,
			      vhost_scsi_cmd_dir(layout->dir), 0);
	if (ret)
		return ret;

	se_cmd->tag = req->tag;
	if (unlikely(target_submit_prep(se_cmd, req->cdb, cmd->map.sg,
					cmd->map.nents, NULL, 0,
					pi ? pi->sg : NULL, pi ? pi->nents : 0,
					GFP_KERNEL)))
		return 0;

	if (likely(vhost_scsi_cmd_is_prompt(cmd)))
		vhost_scsi_cmd_execute(se_cmd);
	else
		target_submit(se_cmd);
	return 0;
}
