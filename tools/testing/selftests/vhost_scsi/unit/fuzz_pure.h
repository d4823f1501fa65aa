/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_PURE_H
#define FUZZ_PURE_H

#include <linux/virtio_scsi.h>

#include "scsi_wire.h"

/*
 * One input: everything that a guest, or LIO, hands to the pure sources. Bytes
 * that an input is too short for are zero.
 */
struct fuzz_input {
	__u8 le;
	__u8 pi;
	union vhost_scsi_wire_req req;
	__u64 out_len;
	__u64 in_len;
	struct virtio_scsi_ctrl_tmf_req tmf;
	__u8 response;
	__u8 status;
	__u16 sense_len;
	__u32 resid;
	__u8 has_sense;
	__u8 sense[VIRTIO_SCSI_SENSE_SIZE];
	__u32 event;
	__u32 reason;
	/* the unit that the request is for, see fuzz_kind() */
	__u64 blocks;
	__u32 max_len;
	__u32 max_write_same;
	__u8 type;
	__u8 prot_type;
	__u16 unit_bits;
	/* its data, where it is not as long as the CDB says */
	__u8 dir;
	__u32 pi_len;
	__u64 data_len;
} __attribute__((packed));

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);

#endif
