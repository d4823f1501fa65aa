/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of SPC-4 and SBC-3 that the pure sources name. */
#ifndef SHIM_SCSI_SCSI_PROTO_H
#define SHIM_SCSI_SCSI_PROTO_H

#define TEST_UNIT_READY			0x00
#define REZERO_UNIT			0x01
#define REQUEST_SENSE			0x03
#define FORMAT_UNIT			0x04
#define READ_BLOCK_LIMITS		0x05
#define REASSIGN_BLOCKS			0x07
#define READ_6				0x08
#define WRITE_6				0x0a
#define SEEK_6				0x0b
#define READ_REVERSE			0x0f
#define WRITE_FILEMARKS			0x10
#define SPACE				0x11
#define INQUIRY				0x12
#define RECOVER_BUFFERED_DATA		0x14
#define MODE_SELECT			0x15
#define ERASE				0x19
#define MODE_SENSE			0x1a
#define START_STOP			0x1b
#define RECEIVE_DIAGNOSTIC		0x1c
#define SEND_DIAGNOSTIC			0x1d
#define ALLOW_MEDIUM_REMOVAL		0x1e
#define READ_CAPACITY			0x25
#define READ_10				0x28
#define WRITE_10			0x2a
#define SEEK_10				0x2b
#define WRITE_VERIFY			0x2e
#define VERIFY				0x2f
#define PRE_FETCH			0x34
#define READ_POSITION			0x34
#define SYNCHRONIZE_CACHE		0x35
#define READ_DEFECT_DATA		0x37
#define WRITE_BUFFER			0x3b
#define READ_BUFFER			0x3c
#define UPDATE_BLOCK			0x3d
#define READ_LONG			0x3e
#define WRITE_LONG			0x3f
#define WRITE_SAME			0x41
#define UNMAP				0x42
#define READ_TOC			0x43
#define READ_HEADER			0x44
#define GET_EVENT_STATUS_NOTIFICATION	0x4a
#define LOG_SENSE			0x4d
#define XDWRITEREAD_10			0x53
#define MODE_SELECT_10			0x55
#define RESERVE_10			0x56
#define RELEASE_10			0x57
#define MODE_SENSE_10			0x5a
#define PERSISTENT_RESERVE_IN		0x5e
#define PERSISTENT_RESERVE_OUT		0x5f
#define VARIABLE_LENGTH_CMD		0x7f
#define EXTENDED_COPY			0x83
#define RECEIVE_COPY_RESULTS		0x84
#define ATA_16				0x85
#define READ_16				0x88
#define COMPARE_AND_WRITE		0x89
#define WRITE_16			0x8a
#define WRITE_VERIFY_16			0x8e
#define VERIFY_16			0x8f
#define SYNCHRONIZE_CACHE_16		0x91
#define WRITE_SAME_16			0x93
#define ZBC_OUT				0x94
#define ZBC_IN				0x95
#define WRITE_ATOMIC_16			0x9c
#define SERVICE_ACTION_IN_16		0x9e
#define SERVICE_ACTION_OUT_16		0x9f
#define REPORT_LUNS			0xa0
#define ATA_12				0xa1
#define SECURITY_PROTOCOL_IN		0xa2
#define MAINTENANCE_IN			0xa3
#define MAINTENANCE_OUT			0xa4
#define READ_12				0xa8
#define SERVICE_ACTION_OUT_12		0xa9
#define WRITE_12			0xaa
#define WRITE_VERIFY_12			0xae
#define VERIFY_12			0xaf

/* service actions */
#define SAI_READ_CAPACITY_16		0x10
#define SAI_REPORT_REFERRALS		0x13
#define MI_REPORT_IDENTIFYING_INFORMATION	0x05
#define MI_REPORT_TARGET_PGS		0x0a
#define MI_REPORT_SUPPORTED_OPERATION_CODES	0x0c
#define MO_SET_TARGET_PGS		0x0a
#define ZI_REPORT_ZONES			0x00
#define READ_FULL_STATUS		0x03
#define XDWRITE_32			0x04
#define XPWRITE_32			0x06
#define XDWRITEREAD_32			0x07
#define READ_32				0x09
#define VERIFY_32			0x0a
#define WRITE_32			0x0b
#define WRITE_VERIFY_32			0x0c
#define WRITE_SAME_32			0x0d
#define ATA_32				0x1ff0

/* sense keys */
#define RECOVERED_ERROR			0x01
#define ILLEGAL_REQUEST			0x05
#define DATA_PROTECT			0x07

#endif
