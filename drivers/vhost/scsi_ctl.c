// SPDX-License-Identifier: GPL-2.0
/*
 * Control queue: task management, asynchronous-notification requests (virtio
 * 1.2, "SCSI Host Device: Device Operation: controlq").
 *
 * Enters: a kick. Leaves: functions that scsi_tmf.c executes; one response for
 * each other request.
 * Context: the control queue's vhost worker, vq->mutex held.
 * Invariant: each head that is taken ends in exactly one verdict (I1).
 */
#include "scsi_tmf.h"

/* Decode a function and find its target; the verdict says what becomes of it. */
static enum vhost_scsi_verdict
vhost_scsi_ctl_tmf(struct vhost_scsi_vq *svq, struct vhost_scsi_ep *ep,
		   const struct vhost_scsi_chain *chain, u8 *response)
{
	struct virtio_scsi_ctrl_tmf_req wire;
	struct vhost_scsi_tmf_req req;
	struct vhost_scsi_tpg *tpg;

	*response = VIRTIO_SCSI_S_FAILURE;
	if (!vhost_scsi_ring_read(svq, chain, &wire, sizeof(wire)))
		return VHOST_SCSI_REPLY;
	vhost_scsi_wire_decode_tmf(&wire, vhost_is_little_endian(&svq->vq),
				   &req);

	*response = VIRTIO_SCSI_S_BAD_TARGET;
	tpg = req.target_ok ? READ_ONCE(ep->tpg[req.target]) : NULL;
	if (!tpg)
		return VHOST_SCSI_REPLY;
	return vhost_scsi_tmf_run(svq, chain, &req, READ_ONCE(tpg->sess),
				  response);
}

/* No unit raises an asynchronous event: none is granted. */
static u8 vhost_scsi_ctl_an(struct vhost_scsi_vq *svq, struct vhost_scsi_ep *ep,
			    const struct vhost_scsi_chain *chain)
{
	struct virtio_scsi_ctrl_an_req wire;

	if (!vhost_scsi_ring_read(svq, chain, &wire, sizeof(wire)))
		return VIRTIO_SCSI_S_FAILURE;
	if (wire.lun[0] != 1 || !READ_ONCE(ep->tpg[wire.lun[1]]))
		return VIRTIO_SCSI_S_BAD_TARGET;
	return VIRTIO_SCSI_S_OK;
}

/* A request whose type is known, and that has room for its answer. */
static enum vhost_scsi_verdict
vhost_scsi_ctl_dispatch(struct vhost_scsi_vq *svq, struct vhost_scsi_ep *ep,
			const struct vhost_scsi_chain *chain, u32 type,
			u8 *response)
{
	if (chain->out_len < vhost_scsi_wire_ctl_req_len(type)) {
		*response = VIRTIO_SCSI_S_FAILURE;
		return VHOST_SCSI_REPLY;
	}
	if (type == VIRTIO_SCSI_T_TMF)
		return vhost_scsi_ctl_tmf(svq, ep, chain, response);

	*response = vhost_scsi_ctl_an(svq, ep, chain);
	return VHOST_SCSI_REPLY;
}

/* Write the answer of a request that LIO does not work on. */
static u32 vhost_scsi_ctl_reply(struct vhost_scsi_vq *svq,
				const struct vhost_scsi_chain *chain, u32 type,
				u8 response)
{
	struct virtio_scsi_ctrl_an_resp an = { .response = response };
	struct virtio_scsi_ctrl_tmf_resp tmf = { .response = response };
	struct iovec *iov = vhost_scsi_ring_in_iov(svq, chain);
	size_t len = vhost_scsi_wire_ctl_rsp_len(type);

	return vhost_scsi_ring_write(svq, iov, chain->in,
				     type == VIRTIO_SCSI_T_TMF ?
				     (void *)&tmf : (void *)&an, len) ? len : 0;
}

static void vhost_scsi_ctl_request(struct vhost_scsi_vq *svq,
				   struct vhost_scsi_ep *ep,
				   const struct vhost_scsi_chain *chain)
{
	bool le = vhost_is_little_endian(&svq->vq);
	enum vhost_scsi_verdict verdict;
	__virtio32 wire;
	u32 type, len = 0;
	u8 response;

	verdict = VHOST_SCSI_NO_ROOM;
	if (chain->out_len >= sizeof(wire) &&
	    vhost_scsi_ring_read(svq, chain, &wire, sizeof(wire))) {
		type = vhost_scsi_wire_ctl_type(wire, le);
		len = vhost_scsi_wire_ctl_rsp_len(type);
		if (len && chain->in_len >= len)
			verdict = vhost_scsi_ctl_dispatch(svq, ep, chain, type,
							  &response);
	}

	switch (verdict) {
	case VHOST_SCSI_SUBMITTED:
		return;
	case VHOST_SCSI_REPLY:
		len = vhost_scsi_ctl_reply(svq, chain, type, response);
		break;
	case VHOST_SCSI_NO_ROOM:
		/* The size of the answer, or a place for it, is unknown. */
		vq_err(&svq->vq, "no answer to a control request possible\n");
		len = 0;
		break;
	}
	vhost_scsi_ring_push(svq, chain->head, len);
}

/**
 * vhost_scsi_ctl_kick() - the guest kicked the control queue
 * @work: the virtqueue's poll work
 */
void vhost_scsi_ctl_kick(struct vhost_work *work)
{
	struct vhost_virtqueue *vq = container_of(work, struct vhost_virtqueue,
						  poll.work);
	struct vhost_scsi_vq *svq = to_svq(vq);
	struct vhost_scsi_chain chain = {};
	struct vhost_scsi_ep *ep;
	int nr = 0;

	mutex_lock(&vq->mutex);
	ep = vhost_vq_get_backend(vq);
	if (ep && !vhost_scsi_iotlb_open(svq))
		ep = NULL;
	if (ep)
		vhost_scsi_ep_charge(ep);
	while (ep && vhost_scsi_ring_take(svq, &chain) == VHOST_SCSI_TAKE_CHAIN) {
		vhost_scsi_ctl_request(svq, ep, &chain);
		if (vhost_exceeds_weight(vq, ++nr, 0))
			break;
	}
	vhost_scsi_ep_uncharge();
	/* Functions that have finished may have waited for a translation, too. */
	if (ep && vq->iotlb && !list_empty(&to_vs(svq)->tmfs))
		vhost_scsi_task_wake(svq);
	vhost_scsi_ring_flush(svq);
	mutex_unlock(&vq->mutex);
}
