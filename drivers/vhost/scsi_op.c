// SPDX-License-Identifier: GPL-2.0
/*
 * Operation codes: what LIO emulates.
 *
 * Enters: a CDB. Leaves: the row of a table.
 * Context: any; pure, as scsi_wire.c.
 * Invariant: a command that no row names never reaches an emulated unit. What LIO
 * knows beyond these tables, in a kernel to come, lab/report/opcodes finds.
 */
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>

#include "scsi_check.h"

/* Shorthands for the rows; the order of struct vhost_scsi_op. */
#define READS(len, width, lba, lba_width, flags)			\
	{ VHOST_SCSI_BLOCKS, VHOST_SCSI_DIR_IN, len, width,		\
	  lba, lba_width, flags, 0 }
#define WRITES(len, width, lba, lba_width, flags)			\
	{ VHOST_SCSI_BLOCKS, VHOST_SCSI_DIR_OUT, len, width,		\
	  lba, lba_width, flags, 0 }
#define WRITES_SAME(len, width, lba, lba_width, flags)			\
	{ VHOST_SCSI_SAME, VHOST_SCSI_DIR_OUT, len, width,		\
	  lba, lba_width, flags, 0 }
#define RETURNS(len, width, min)					\
	{ VHOST_SCSI_ALLOC, VHOST_SCSI_DIR_IN, len, width, 0, 0, 0, min }
#define TAKES_LIST(len, width, min)					\
	{ VHOST_SCSI_LIST, VHOST_SCSI_DIR_OUT, len, width, 0, 0, 0, min }
#define TOUCHES(len, width, lba, lba_width)				\
	{ VHOST_SCSI_NO_DATA, VHOST_SCSI_DIR_NONE, len, width,		\
	  lba, lba_width, 0, 0 }
#define NO_DATA								\
	{ VHOST_SCSI_NO_DATA, VHOST_SCSI_DIR_NONE, 0, 0, 0, 0, 0, 0 }

/* SPC-4 and SBC-3, as sbc_parse_cdb() and spc_parse_cdb() of LIO have them. */
const struct vhost_scsi_op vhost_scsi_op_table[256] = {
	[TEST_UNIT_READY]	= NO_DATA,
	[REZERO_UNIT]		= NO_DATA,
	[REQUEST_SENSE]		= RETURNS(4, 1, 0),
	[READ_6]		= READS(4, 1, 1, 3, 0),
	[WRITE_6]		= WRITES(4, 1, 1, 3, 0),
	[SEEK_6]		= NO_DATA,
	[INQUIRY]		= RETURNS(3, 2, 0),
	[MODE_SELECT]		= TAKES_LIST(4, 1, 0),
	/* RESERVE and RELEASE(6): their names depend on the kernel. */
	[0x16]			= NO_DATA,
	[0x17]			= NO_DATA,
	[MODE_SENSE]		= RETURNS(4, 1, 0),
	[START_STOP]		= NO_DATA,
	[READ_CAPACITY]		= {
		.counts = VHOST_SCSI_FIXED,
		.dir = VHOST_SCSI_DIR_IN,
		.len_at = 8,
		.min = 8,
	},
	[READ_10]		= READS(7, 2, 2, 4, 1),
	[WRITE_10]		= WRITES(7, 2, 2, 4, 1),
	[SEEK_10]		= NO_DATA,
	[WRITE_VERIFY]		= WRITES(7, 2, 2, 4, 1),
	[VERIFY]		= TOUCHES(7, 2, 2, 4),
	[SYNCHRONIZE_CACHE]	= TOUCHES(7, 2, 2, 4),
	[WRITE_SAME]		= WRITES_SAME(7, 2, 2, 4, 1),
	[UNMAP]			= TAKES_LIST(7, 2, 8),
	[MODE_SELECT_10]	= TAKES_LIST(7, 2, 0),
	/* The length is that of a list for third parties, which LIO does not read. */
	[RESERVE_10]		= TOUCHES(7, 2, 0, 0),
	[RELEASE_10]		= TOUCHES(7, 2, 0, 0),
	[MODE_SENSE_10]		= RETURNS(7, 2, 0),
	[PERSISTENT_RESERVE_IN]	= RETURNS(7, 2, 8),
	[PERSISTENT_RESERVE_OUT] = TAKES_LIST(5, 4, 24),
	[EXTENDED_COPY]		= TAKES_LIST(10, 4, 16),
	[RECEIVE_COPY_RESULTS]	= RETURNS(10, 4, 54),
	[READ_16]		= READS(10, 4, 2, 8, 1),
	[COMPARE_AND_WRITE]	= {
		.counts = VHOST_SCSI_PAIR,
		.dir = VHOST_SCSI_DIR_OUT,
		.len_at = 13,
		.len_width = 1,
		.lba_at = 2,
		.lba_width = 8,
		.flags_at = 1,
	},
	[WRITE_16]		= WRITES(10, 4, 2, 8, 1),
	[WRITE_VERIFY_16]	= WRITES(10, 4, 2, 8, 1),
	[VERIFY_16]		= TOUCHES(10, 4, 2, 8),
	[SYNCHRONIZE_CACHE_16]	= TOUCHES(10, 4, 2, 8),
	[WRITE_SAME_16]		= WRITES_SAME(10, 4, 2, 8, 1),
	/* ATOMIC BOUNDARY lies in front of the length, and LIO reads both as one. */
	[WRITE_ATOMIC_16]	= WRITES(10, 4, 2, 8, 1),
	[REPORT_LUNS]		= RETURNS(6, 4, 0),
	[READ_12]		= READS(6, 4, 2, 4, 1),
	[WRITE_12]		= WRITES(6, 4, 2, 4, 1),
};

/* Those of which the service action decides. */
static const struct vhost_scsi_op vhost_scsi_op_write_same_32 =
	WRITES_SAME(28, 4, 12, 8, 10);
static const struct vhost_scsi_op vhost_scsi_op_service_in_16 =
	RETURNS(10, 4, 0);
static const struct vhost_scsi_op vhost_scsi_op_referrals =
	RETURNS(10, 4, 4);
static const struct vhost_scsi_op vhost_scsi_op_maintenance_in =
	RETURNS(6, 4, 0);
/* LIO copies as much as the CDB says, whatever the buffer holds. */
static const struct vhost_scsi_op vhost_scsi_op_report_id =
	RETURNS(6, 4, 4);
static const struct vhost_scsi_op vhost_scsi_op_report_tpgs =
	RETURNS(6, 4, 4);
static const struct vhost_scsi_op vhost_scsi_op_report_tpgs_ext =
	RETURNS(6, 4, 8);
static const struct vhost_scsi_op vhost_scsi_op_set_tpgs =
	TAKES_LIST(6, 4, 4);

/**
 * vhost_scsi_op_of_action() - what LIO does with a command with a service action
 * @cdb: command descriptor block, VIRTIO_SCSI_CDB_DEFAULT_SIZE bytes
 *
 * Return: its row; one that counts VHOST_SCSI_UNKNOWN if it does nothing.
 */
const struct vhost_scsi_op *vhost_scsi_op_of_action(const u8 *cdb)
{
	switch (cdb[0]) {
	case VARIABLE_LENGTH_CMD:
		if (get_unaligned_be16(cdb + 8) == WRITE_SAME_32)
			return &vhost_scsi_op_write_same_32;
		break;
	case SERVICE_ACTION_IN_16:
		if ((cdb[1] & 0x1f) == SAI_REPORT_REFERRALS)
			return &vhost_scsi_op_referrals;
		return &vhost_scsi_op_service_in_16;
	case MAINTENANCE_IN:
		if ((cdb[1] & 0x1f) == MI_REPORT_TARGET_PGS)
			return cdb[1] & 0x20 ? &vhost_scsi_op_report_tpgs_ext :
			       &vhost_scsi_op_report_tpgs;
		if ((cdb[1] & 0x1f) == MI_REPORT_SUPPORTED_OPERATION_CODES)
			return &vhost_scsi_op_maintenance_in;
		if ((cdb[1] & 0x1f) == MI_REPORT_IDENTIFYING_INFORMATION)
			return &vhost_scsi_op_report_id;
		break;
	case MAINTENANCE_OUT:
		if (cdb[1] == MO_SET_TARGET_PGS)
			return &vhost_scsi_op_set_tpgs;
		break;
	}
	return &vhost_scsi_op_table[cdb[0]];
}

/**
 * vhost_scsi_op_overshoots() - does LIO write more than it has compared with the length?
 * @cdb: command that only returns data
 *
 * READ FULL STATUS, REPORT REFERRALS and REPORT TARGET PORT GROUPS: it compares a part of
 * what it writes next, or what there was to write before.
 *
 * Return: true if it may write some bytes more.
 */
bool vhost_scsi_op_overshoots(const u8 *cdb)
{
	u8 action = cdb[1] & 0x1f;

	return cdb[0] == PERSISTENT_RESERVE_IN ||
	       (cdb[0] == SERVICE_ACTION_IN_16 && action == SAI_REPORT_REFERRALS) ||
	       (cdb[0] == MAINTENANCE_IN && action == MI_REPORT_TARGET_PGS);
}

static bool vhost_scsi_op_knows_mode_page(u8 page, u8 subpage)
{
	switch (page) {
	case 0x01:	/* read-write error recovery */
	case 0x08:	/* caching */
	case 0x0a:	/* control */
	case 0x1c:	/* informational exceptions control */
		return !subpage;
	case 0x3f:	/* all */
		return !subpage || subpage == 0xff;
	}
	return false;
}

/**
 * vhost_scsi_op_fields_ok() - does LIO know what the fields of a command say?
 * @cdb: command of which the length is not in blocks
 *
 * Those values only that LIO refuses with a line in the host's log.
 *
 * Return: false if INVALID FIELD IN CDB is the answer.
 */
bool vhost_scsi_op_fields_ok(const u8 *cdb)
{
	switch (cdb[0]) {
	case REQUEST_SENSE:
		return !(cdb[1] & 1);	/* DESC */
	case INQUIRY:
		return (cdb[1] & 1) || !cdb[2];	/* EVPD, PAGE CODE */
	case MODE_SENSE:
	case MODE_SENSE_10:
		return vhost_scsi_op_knows_mode_page(cdb[2] & 0x3f, cdb[3]);
	case PERSISTENT_RESERVE_IN:
		return (cdb[1] & 0x1f) <= READ_FULL_STATUS;
	case PERSISTENT_RESERVE_OUT:
		return (cdb[1] & 0x1f) <= 7; /* REGISTER AND MOVE */
	case RECEIVE_COPY_RESULTS:
		/* OPERATING PARAMETERS, LIST IDENTIFIER */
		return (cdb[1] & 0x1f) == 3 && !cdb[2];
	case SERVICE_ACTION_IN_16:
		return (cdb[1] & 0x1f) == SAI_READ_CAPACITY_16 ||
		       (cdb[1] & 0x1f) == SAI_REPORT_REFERRALS;
	}
	return true;
}

/**
 * vhost_scsi_op_set_len() - change what a CDB says of a length
 * @op: its row
 * @cdb: command descriptor block
 * @len: for the length field
 */
void vhost_scsi_op_set_len(const struct vhost_scsi_op *op, u8 *cdb, u32 len)
{
	unsigned int i;

	for (i = op->len_width; i--; len >>= 8)
		cdb[op->len_at + i] = len;
}
