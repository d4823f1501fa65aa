/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire format of a virtio-scsi device (virtio 1.2, "SCSI Host Device"):
 * decoded types, and the functions between them and bytes.
 *
 * Pure: no vhost, no LIO, no allocation, no user memory. Every function takes
 * kernel pointers, lengths and the byte order of the ring, so the file also
 * builds in user space, under sanitizers and a fuzzer.
 */
#ifndef VHOST_SCSI_WIRE_H
#define VHOST_SCSI_WIRE_H

#include <linux/types.h>
#include <linux/virtio_scsi.h>

/** VHOST_SCSI_MAX_LUN: the highest LUN that a 14-bit field can name. */
#define VHOST_SCSI_MAX_LUN	0x3fff

/** VHOST_SCSI_NO_LUN_DATA: bytes of the INQUIRY data of a missing unit. */
#define VHOST_SCSI_NO_LUN_DATA	36

/**
 * enum vhost_scsi_dir - where the data of a request goes
 * @VHOST_SCSI_DIR_NONE: the request has no data buffer
 * @VHOST_SCSI_DIR_OUT: guest to device (a write)
 * @VHOST_SCSI_DIR_IN: device to guest (a read)
 */
enum vhost_scsi_dir {
	VHOST_SCSI_DIR_NONE,
	VHOST_SCSI_DIR_OUT,
	VHOST_SCSI_DIR_IN,
};

/** VHOST_SCSI_PI_TUPLE: bytes of protection information of a block (SBC). */
#define VHOST_SCSI_PI_TUPLE	8

/**
 * union vhost_scsi_wire_req - a request header
 * @plain: as it is without VIRTIO_SCSI_F_T10_PI
 * @pi: as it is with the feature acknowledged; differs from the CRN field on
 */
union vhost_scsi_wire_req {
	struct virtio_scsi_cmd_req plain;
	struct virtio_scsi_cmd_req_pi pi;
};

/**
 * vhost_scsi_wire_req_len() - size of a request header
 * @pi: VIRTIO_SCSI_F_T10_PI is acknowledged
 *
 * Return: bytes.
 */
static inline size_t vhost_scsi_wire_req_len(bool pi)
{
	return pi ? sizeof(struct virtio_scsi_cmd_req_pi) :
		    sizeof(struct virtio_scsi_cmd_req);
}

/**
 * struct vhost_scsi_layout - what lies behind the headers of a chain
 * @dir: direction of the data
 * @pi_len: bytes of protection information in front of the data
 * @data_len: bytes of data
 */
struct vhost_scsi_layout {
	enum vhost_scsi_dir dir;
	size_t pi_len;
	size_t data_len;
};

/**
 * struct vhost_scsi_req - a decoded request
 * @tag: the guest's tag, 64 opaque bits
 * @lun: unit, 0 to VHOST_SCSI_MAX_LUN
 * @target: target, the tag of a TPG
 * @task_attr: VIRTIO_SCSI_S_SIMPLE, _ORDERED, _HEAD or _ACA
 * @cdb_len: bytes of @cdb in use; more than sizeof(@cdb) cannot be executed
 * @cdb: command descriptor block; what lies behind @cdb_len is zero
 */
struct vhost_scsi_req {
	u64 tag;
	u16 lun;
	u8 target;
	u8 task_attr;
	u16 cdb_len;
	u8 cdb[VIRTIO_SCSI_CDB_DEFAULT_SIZE];
};

/**
 * struct vhost_scsi_result - how a request ended
 * @response: VIRTIO_SCSI_S_*
 * @status: SAM status; the wire carries it only with VIRTIO_SCSI_S_OK
 * @sense_len: bytes of @sense that are valid, at most VIRTIO_SCSI_SENSE_DEFAULT_SIZE
 * @resid: bytes of the data buffer that were not used
 * @sense: sense data, NULL if there is none
 */
struct vhost_scsi_result {
	u8 response;
	u8 status;
	u16 sense_len;
	u32 resid;
	const u8 *sense;
};

/**
 * struct vhost_scsi_tmf_req - a decoded task management request
 * @subtype: VIRTIO_SCSI_T_TMF_*
 * @tag: tag of the task that the function is about
 * @lun: unit, valid if @lun_ok
 * @target: target, the tag of a TPG
 * @target_ok: the LUN field names a target
 * @lun_ok: the LUN field names a unit
 */
struct vhost_scsi_tmf_req {
	u32 subtype;
	u64 tag;
	u16 lun;
	u8 target;
	bool target_ok;
	bool lun_ok;
};

u8 vhost_scsi_wire_layout(size_t out_len, size_t in_len, size_t req_len,
			  struct vhost_scsi_layout *layout);
u8 vhost_scsi_wire_split_pi(const struct virtio_scsi_cmd_req_pi *wire, bool le,
			    struct vhost_scsi_layout *layout);
u8 vhost_scsi_wire_decode_cmd(const union vhost_scsi_wire_req *wire, bool le,
			      bool pi, struct vhost_scsi_req *req);
void vhost_scsi_wire_encode_head(struct virtio_scsi_cmd_resp *wire, bool le,
				 const struct vhost_scsi_result *res,
				 u32 sense_len);
void vhost_scsi_wire_encode_cmd(struct virtio_scsi_cmd_resp *wire, bool le,
				const struct vhost_scsi_result *res);
size_t vhost_scsi_wire_no_lun(const struct vhost_scsi_req *req, u8 *data);

bool vhost_scsi_wire_decode_lun(const u8 *lun, u8 *target, u16 *unit);
void vhost_scsi_wire_encode_lun(u8 *lun, u8 target, u16 unit);

/* scsi_wire_ctl.c */
u32 vhost_scsi_wire_ctl_type(__virtio32 type, bool le);
size_t vhost_scsi_wire_ctl_req_len(u32 type);
size_t vhost_scsi_wire_ctl_rsp_len(u32 type);
void vhost_scsi_wire_decode_tmf(const struct virtio_scsi_ctrl_tmf_req *wire,
				bool le, struct vhost_scsi_tmf_req *req);

void vhost_scsi_wire_encode_evt(struct virtio_scsi_event *wire, bool le,
				u32 event, u32 reason);

#endif
