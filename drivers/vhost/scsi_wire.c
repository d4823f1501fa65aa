// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of a request queue to typed requests, and answers to bytes.
 *
 * Enters: kernel copies of what a guest wrote, with lengths and byte order.
 * Leaves: decoded structs, encoded responses, or a response code.
 * Context: any; no locks, no allocation, no memory but the arguments.
 * Invariant: no byte of a guest decides an index or a length in here that was
 * not checked against the size of what it indexes.
 */
#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/virtio_byteorder.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_proto.h>

#include "scsi_wire.h"

static_assert(sizeof(struct virtio_scsi_cmd_req) == 51);
static_assert(sizeof(struct virtio_scsi_cmd_req_pi) == 59);
static_assert(offsetof(struct virtio_scsi_cmd_req, crn) ==
	      offsetof(struct virtio_scsi_cmd_req_pi, crn));
static_assert(sizeof(struct virtio_scsi_cmd_resp) == 108);

/**
 * vhost_scsi_wire_layout() - derive direction and length of the data
 * @out_len: device-readable bytes of the chain
 * @in_len: device-writable bytes of the chain, at least one response header
 * @req_len: from vhost_scsi_wire_req_len()
 * @layout: result, valid if VIRTIO_SCSI_S_OK is returned; all of it is data
 *
 * virtio 1.2, "Device Operation: Request Queues". A request with data in both
 * directions needs VIRTIO_SCSI_F_INOUT, which is not offered.
 *
 * Return: VIRTIO_SCSI_S_OK, or the response code that refuses the request.
 */
u8 vhost_scsi_wire_layout(size_t out_len, size_t in_len, size_t req_len,
			  struct vhost_scsi_layout *layout)
{
	size_t data_out, data_in;

	if (out_len < req_len || in_len < sizeof(struct virtio_scsi_cmd_resp))
		return VIRTIO_SCSI_S_FAILURE;

	data_out = out_len - req_len;
	data_in = in_len - sizeof(struct virtio_scsi_cmd_resp);
	if (data_out && data_in)
		return VIRTIO_SCSI_S_FAILURE;

	layout->pi_len = 0;
	layout->data_len = data_out + data_in;
	layout->dir = data_out ? VHOST_SCSI_DIR_OUT :
		      data_in ? VHOST_SCSI_DIR_IN : VHOST_SCSI_DIR_NONE;
	return VIRTIO_SCSI_S_OK;
}

/**
 * vhost_scsi_wire_split_pi() - tell protection information from data
 * @wire: the header, copied once from the guest
 * @le: the ring is little-endian
 * @layout: from vhost_scsi_wire_layout(), changed if VIRTIO_SCSI_S_OK is
 *	returned
 *
 * Protection information without data, or for a direction without data, is no
 * request that a driver means.
 *
 * Return: VIRTIO_SCSI_S_OK or VIRTIO_SCSI_S_FAILURE.
 */
u8 vhost_scsi_wire_split_pi(const struct virtio_scsi_cmd_req_pi *wire, bool le,
			    struct vhost_scsi_layout *layout)
{
	u32 out = __virtio32_to_cpu(le, wire->pi_bytesout);
	u32 in = __virtio32_to_cpu(le, wire->pi_bytesin);
	u32 len = layout->dir == VHOST_SCSI_DIR_OUT ? out : in;
	u32 wrong = layout->dir == VHOST_SCSI_DIR_OUT ? in : out;

	if (wrong || (len && len >= layout->data_len))
		return VIRTIO_SCSI_S_FAILURE;

	layout->pi_len = len;
	layout->data_len -= len;
	return VIRTIO_SCSI_S_OK;
}

/**
 * vhost_scsi_wire_decode_lun() - read the LUN field of a request
 * @lun: the 8 bytes of the field
 * @target: target id, byte 1
 * @unit: 14-bit LUN from bytes 2 and 3, valid if true is returned
 *
 * SAM-5 single-level LUN: peripheral addressing (00 nn), flat addressing
 * (40 nn to 7F nn), and plain big-endian (01 nn to 3F nn), which is how LIO's
 * REPORT LUNS prints LUNs from 256 on. Bytes 4 to 7 are ignored.
 *
 * Return: true if byte 0 and the addressing method name a unit. @target is
 * valid whenever byte 0 is 1.
 */
bool vhost_scsi_wire_decode_lun(const u8 *lun, u8 *target, u16 *unit)
{
	*target = lun[1];
	*unit = get_unaligned_be16(lun + 2) & VHOST_SCSI_MAX_LUN;
	return lun[0] == 1 && !(lun[2] & 0x80);
}

/**
 * vhost_scsi_wire_encode_lun() - write the LUN field of an event
 * @lun: 8 bytes to fill
 * @target: target id
 * @unit: LUN, 0 to VHOST_SCSI_MAX_LUN
 *
 * Bytes 2 and 3 are those that LIO's REPORT LUNS shows for the unit: guests
 * compare them unmasked.
 */
void vhost_scsi_wire_encode_lun(u8 *lun, u8 target, u16 unit)
{
	memset(lun, 0, 8);
	lun[0] = 1;
	lun[1] = target;
	put_unaligned_be16(unit, lun + 2);
}

/**
 * vhost_scsi_wire_decode_cmd() - decode a request header
 * @wire: the header, copied once from the guest
 * @le: the ring is little-endian
 * @pi: VIRTIO_SCSI_F_T10_PI is acknowledged
 * @req: result, valid if VIRTIO_SCSI_S_OK is returned
 *
 * Return: VIRTIO_SCSI_S_OK, or VIRTIO_SCSI_S_BAD_TARGET if the LUN field names
 * no unit.
 */
u8 vhost_scsi_wire_decode_cmd(const union vhost_scsi_wire_req *wire, bool le,
			      bool pi, struct vhost_scsi_req *req)
{
	const struct virtio_scsi_cmd_req *same = &wire->plain;
	const u8 *cdb = pi ? wire->pi.cdb : wire->plain.cdb;

	if (!vhost_scsi_wire_decode_lun(same->lun, &req->target, &req->lun))
		return VIRTIO_SCSI_S_BAD_TARGET;

	req->tag = __virtio64_to_cpu(le, same->tag);
	req->task_attr = same->task_attr <= VIRTIO_SCSI_S_ACA ?
			 same->task_attr : VIRTIO_SCSI_S_SIMPLE;
	/* As many bytes as LIO will copy. */
	req->cdb_len = scsi_command_size(cdb);
	memcpy(req->cdb, cdb, sizeof(req->cdb));
	if (req->cdb_len < sizeof(req->cdb))
		memset(req->cdb + req->cdb_len, 0,
		       sizeof(req->cdb) - req->cdb_len);
	return VIRTIO_SCSI_S_OK;
}

/**
 * vhost_scsi_wire_encode_head() - build a response, but for its sense data
 * @wire: response to fill, all bytes but those of the sense data
 * @le: the ring is little-endian
 * @res: how the request ended
 * @sense_len: bytes of sense data that are valid
 */
void vhost_scsi_wire_encode_head(struct virtio_scsi_cmd_resp *wire, bool le,
				 const struct vhost_scsi_result *res,
				 u32 sense_len)
{
	wire->sense_len = __cpu_to_virtio32(le, sense_len);
	wire->resid = __cpu_to_virtio32(le, res->resid);
	wire->status_qualifier = __cpu_to_virtio16(le, 0);
	wire->status = res->response == VIRTIO_SCSI_S_OK ? res->status : 0;
	wire->response = res->response;
}

/**
 * vhost_scsi_wire_encode_cmd() - build the response of a request
 * @wire: response to fill; every byte is written
 * @le: the ring is little-endian
 * @res: how the request ended; its sense data may be in its place already
 */
void vhost_scsi_wire_encode_cmd(struct virtio_scsi_cmd_resp *wire, bool le,
				const struct vhost_scsi_result *res)
{
	size_t sense_len = 0;

	if (res->sense && res->response == VIRTIO_SCSI_S_OK) {
		sense_len = res->sense_len;
		if (sense_len > sizeof(wire->sense))
			sense_len = sizeof(wire->sense);
		memmove(wire->sense, res->sense, sense_len);
	}
	memset(wire->sense + sense_len, 0, sizeof(wire->sense) - sense_len);
	vhost_scsi_wire_encode_head(wire, le, res, sense_len);
}

/**
 * vhost_scsi_wire_no_lun() - data with which a missing unit answers
 * @req: request to the unit
 * @data: VHOST_SCSI_NO_LUN_DATA bytes to fill
 *
 * SPC: INQUIRY to a unit that is not there ends GOOD with peripheral qualifier
 * 011b and type 1Fh, REQUEST SENSE ends GOOD with LOGICAL UNIT NOT SUPPORTED
 * as its data. All other commands end with that sense as CHECK CONDITION.
 *
 * Return: bytes of @data, within the CDB's allocation length; 0 also stands
 * for such a command with allocation length 0.
 */
size_t vhost_scsi_wire_no_lun(const struct vhost_scsi_req *req, u8 *data)
{
	size_t len, alloc;

	memset(data, 0, VHOST_SCSI_NO_LUN_DATA);
	if (req->cdb[0] == INQUIRY) {
		data[0] = 0x7f;
		data[3] = 2;
		len = VHOST_SCSI_NO_LUN_DATA;
		data[4] = len - 5;
		alloc = get_unaligned_be16(req->cdb + 3);
	} else {
		scsi_build_sense_buffer(false, data, ILLEGAL_REQUEST, 0x25, 0);
		len = 18;
		alloc = req->cdb[4];
	}
	return len < alloc ? len : alloc;
}
