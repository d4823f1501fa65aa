// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of the control queue to typed requests, and events to bytes.
 *
 * Enters: kernel copies of what a guest wrote, with byte order. Leaves: decoded
 * structs, encoded events.
 * Context: any; no locks, no allocation, no memory but the arguments.
 * Invariant: the one of scsi_wire.c.
 */
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/string.h>
#include <linux/virtio_byteorder.h>

#include "scsi_wire.h"

static_assert(sizeof(struct virtio_scsi_ctrl_tmf_req) == 24);
static_assert(sizeof(struct virtio_scsi_ctrl_an_req) == 16);
static_assert(sizeof(struct virtio_scsi_event) == 16);

/**
 * vhost_scsi_wire_ctl_type() - read the type of a control request
 * @type: first four bytes of the request
 * @le: the ring is little-endian
 *
 * Return: VIRTIO_SCSI_T_TMF, VIRTIO_SCSI_T_AN_QUERY, VIRTIO_SCSI_T_AN_SUBSCRIBE
 * or whatever else the guest wrote.
 */
u32 vhost_scsi_wire_ctl_type(__virtio32 type, bool le)
{
	return __virtio32_to_cpu(le, type);
}

/**
 * vhost_scsi_wire_ctl_req_len() - size of a control request
 * @type: VIRTIO_SCSI_T_*
 *
 * Return: bytes, the type included; 0 for a type that does not exist.
 */
size_t vhost_scsi_wire_ctl_req_len(u32 type)
{
	switch (type) {
	case VIRTIO_SCSI_T_TMF:
		return sizeof(struct virtio_scsi_ctrl_tmf_req);
	case VIRTIO_SCSI_T_AN_QUERY:
	case VIRTIO_SCSI_T_AN_SUBSCRIBE:
		return sizeof(struct virtio_scsi_ctrl_an_req);
	}
	return 0;
}

/**
 * vhost_scsi_wire_ctl_rsp_len() - size of the response to a control request
 * @type: VIRTIO_SCSI_T_*
 *
 * Return: bytes; 0 for a type that does not exist.
 */
size_t vhost_scsi_wire_ctl_rsp_len(u32 type)
{
	switch (type) {
	case VIRTIO_SCSI_T_TMF:
		return sizeof(struct virtio_scsi_ctrl_tmf_resp);
	case VIRTIO_SCSI_T_AN_QUERY:
	case VIRTIO_SCSI_T_AN_SUBSCRIBE:
		return sizeof(struct virtio_scsi_ctrl_an_resp);
	}
	return 0;
}

/**
 * vhost_scsi_wire_decode_tmf() - decode a task management request
 * @wire: the request, copied once from the guest
 * @le: the ring is little-endian
 * @req: result
 */
void vhost_scsi_wire_decode_tmf(const struct virtio_scsi_ctrl_tmf_req *wire,
				bool le, struct vhost_scsi_tmf_req *req)
{
	req->subtype = __virtio32_to_cpu(le, wire->subtype);
	req->tag = __virtio64_to_cpu(le, wire->tag);
	req->target_ok = wire->lun[0] == 1;
	req->lun_ok = vhost_scsi_wire_decode_lun(wire->lun, &req->target,
						 &req->lun);
}

/**
 * vhost_scsi_wire_encode_evt() - fill event and reason of an event
 * @wire: event whose LUN field is filled already
 * @le: the ring is little-endian
 * @event: VIRTIO_SCSI_T_*, VIRTIO_SCSI_T_EVENTS_MISSED or-ed on
 * @reason: VIRTIO_SCSI_EVT_RESET_*
 */
void vhost_scsi_wire_encode_evt(struct virtio_scsi_event *wire, bool le,
				u32 event, u32 reason)
{
	wire->event = __cpu_to_virtio32(le, event);
	wire->reason = __cpu_to_virtio32(le, reason);
}
