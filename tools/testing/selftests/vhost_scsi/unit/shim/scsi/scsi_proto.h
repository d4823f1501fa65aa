/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of SPC-4 and SBC-3 that scsi_wire.c names. */
#ifndef SHIM_SCSI_SCSI_PROTO_H
#define SHIM_SCSI_SCSI_PROTO_H

#define READ_6			0x08
#define WRITE_6			0x0a
#define INQUIRY			0x12
#define MODE_SELECT		0x15
#define READ_10			0x28
#define WRITE_10		0x2a
#define WRITE_VERIFY		0x2e
#define WRITE_SAME		0x41
#define UNMAP			0x42
#define MODE_SELECT_10		0x55
#define PERSISTENT_RESERVE_OUT	0x5f
#define VARIABLE_LENGTH_CMD	0x7f
#define EXTENDED_COPY		0x83
#define READ_16			0x88
#define COMPARE_AND_WRITE	0x89
#define WRITE_16		0x8a
#define WRITE_VERIFY_16		0x8e
#define WRITE_SAME_16		0x93
#define MAINTENANCE_OUT		0xa4
#define READ_12			0xa8
#define WRITE_12		0xaa

/* service actions of VARIABLE_LENGTH_CMD */
#define READ_32			0x09
#define WRITE_32		0x0b

/* service action of MAINTENANCE_OUT */
#define MO_SET_TARGET_PGS	0x0a

/* sense key */
#define ILLEGAL_REQUEST		0x05

#endif
