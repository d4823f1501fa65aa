// SPDX-License-Identifier: GPL-2.0
/*
 * Operation codes: what LIO emulates, and what changes a medium.
 *
 * Enters: a CDB. Leaves: the row of a table.
 * Context: any; pure, as scsi_wire.c.
 * Invariant: a command that no row names never reaches an emulated unit. What LIO
 * knows beyond these tables, in a kernel to come, lab/opcodes finds.
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
 * vhost_scsi_op_is_plain() - does the command only move blocks?
 * @cdb: command descriptor block
 *
 * Return: true if a unit's capacity, block size and protection decide it.
 */
bool vhost_scsi_op_is_plain(const u8 *cdb)
{
	const struct vhost_scsi_op *op = vhost_scsi_op(cdb);

	return op->counts == VHOST_SCSI_BLOCKS && cdb[0] != WRITE_ATOMIC_16 &&
	       !(op->flags_at && (cdb[op->flags_at] & VHOST_SCSI_DPO_FUA));
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

/* Operation codes that scsi_proto.h has no name for (SBC, SSC, MMC) */
#define VHOST_SCSI_ERASE_10		0x2c
#define VHOST_SCSI_FORMAT_PRESET	0x38
#define VHOST_SCSI_SANITIZE		0x48
#define VHOST_SCSI_XDWRITE_10		0x50
#define VHOST_SCSI_XPWRITE_10		0x51
#define VHOST_SCSI_ORWRITE_16		0x8b
#define VHOST_SCSI_WRITE_STREAM_16	0x9a
#define VHOST_SCSI_ERASE_12		0xac
#define VHOST_SCSI_WRITE_FILEMARKS_16	0x80
#define VHOST_SCSI_ALLOW_OVERWRITE	0x82
#define VHOST_SCSI_READ_REVERSE_16	0x81
#define VHOST_SCSI_ERASE_16		0x93
#define VHOST_SCSI_SET_CAPACITY		0x0b
#define VHOST_SCSI_RESERVE_TRACK	0x53
#define VHOST_SCSI_REPAIR_TRACK		0x58
#define VHOST_SCSI_CLOSE_TRACK		0x5b
#define VHOST_SCSI_SEND_CUE_SHEET	0x5d
#define VHOST_SCSI_BLANK		0xa1
#define VHOST_SCSI_READ_CD_MSF		0xb9
#define VHOST_SCSI_READ_CD		0xbe
#define VHOST_SCSI_SEND_DVD_STRUCTURE	0xbf

/* Service actions of long CDBs, and of SERVICE ACTION IN(16), likewise */
#define VHOST_SCSI_ORWRITE_32		0x0e
#define VHOST_SCSI_WRITE_STREAM_32	0x10
#define VHOST_SCSI_WRITE_SCATTERED_32	0x11
#define VHOST_SCSI_WRITE_ATOMIC_32	0x18
#define VHOST_SCSI_REMOVE_TRUNCATE	0x18
#define VHOST_SCSI_RESTORE_REBUILD	0x19
#define VHOST_SCSI_REMOVE_MODIFY	0x1a

/* Peripheral device types (SPC) */
#define VHOST_SCSI_TYPE_TAPE	0x01
#define VHOST_SCSI_TYPE_ROM	0x05

/*
 * SAT: PROTOCOL says which way data goes, and T_DIR only if that leaves it open. One
 * that brings data in is no write; of the others nobody knows what the ATA command
 * does: SANITIZE has no data.
 */
static enum vhost_scsi_effect vhost_scsi_op_effect_ata(const u8 *protocol)
{
	switch (protocol[0] >> 1 & 0xf) {
	case 4:		/* PIO data-in */
	case 10:	/* UDMA data-in */
		return VHOST_SCSI_EFFECT_NONE;
	case 6:		/* DMA */
	case 12:	/* FPDMA */
		if (protocol[1] & 0x08)	/* T_DIR */
			return VHOST_SCSI_EFFECT_NONE;
		break;
	}
	return VHOST_SCSI_EFFECT_CHANGES;
}

static enum vhost_scsi_effect vhost_scsi_op_effect_tape(const u8 *cdb)
{
	switch (cdb[0]) {
	case READ_6:
	case READ_16:
	case READ_REVERSE:
	case VHOST_SCSI_READ_REVERSE_16:
		return VHOST_SCSI_EFFECT_READS;
	case WRITE_6:
	case WRITE_16:
	case WRITE_FILEMARKS:
	case VHOST_SCSI_WRITE_FILEMARKS_16:
	case ERASE:
	case VHOST_SCSI_ERASE_16:
	case FORMAT_UNIT:
	case VHOST_SCSI_ALLOW_OVERWRITE:
	case VHOST_SCSI_SET_CAPACITY:
	case WRITE_BUFFER:
		return VHOST_SCSI_EFFECT_CHANGES;
	}
	return VHOST_SCSI_EFFECT_NONE;
}

static enum vhost_scsi_effect vhost_scsi_op_effect_rom(const u8 *cdb)
{
	switch (cdb[0]) {
	case READ_10:
	case READ_12:
	case VHOST_SCSI_READ_CD:
	case VHOST_SCSI_READ_CD_MSF:
		return VHOST_SCSI_EFFECT_READS;
	case WRITE_10:
	case WRITE_12:
	case WRITE_VERIFY:
	case FORMAT_UNIT:
	case VHOST_SCSI_BLANK:
	case VHOST_SCSI_RESERVE_TRACK:
	case VHOST_SCSI_REPAIR_TRACK:
	case VHOST_SCSI_CLOSE_TRACK:
	case VHOST_SCSI_SEND_CUE_SHEET:
	case VHOST_SCSI_SEND_DVD_STRUCTURE:
	case WRITE_BUFFER:
		return VHOST_SCSI_EFFECT_CHANGES;
	case ATA_16:
		return vhost_scsi_op_effect_ata(cdb + 1);
	}
	return VHOST_SCSI_EFFECT_NONE;
}

static enum vhost_scsi_effect vhost_scsi_op_effect_long(const u8 *cdb)
{
	switch (get_unaligned_be16(cdb + 8)) {
	case READ_32:
		return VHOST_SCSI_EFFECT_READS;
	case XDWRITE_32:
	case XPWRITE_32:
	case XDWRITEREAD_32:
	case WRITE_32:
	case WRITE_VERIFY_32:
	case WRITE_SAME_32:
	case VHOST_SCSI_ORWRITE_32:
	case VHOST_SCSI_WRITE_STREAM_32:
	case VHOST_SCSI_WRITE_SCATTERED_32:
	case VHOST_SCSI_WRITE_ATOMIC_32:
		return VHOST_SCSI_EFFECT_CHANGES;
	case ATA_32:
		return vhost_scsi_op_effect_ata(cdb + 10);
	}
	return VHOST_SCSI_EFFECT_NONE;
}

/* Some of what only brings data in by its name takes parts of the medium away. */
static enum vhost_scsi_effect vhost_scsi_op_effect_service_in(const u8 *cdb)
{
	switch (cdb[1] & 0x1f) {
	case VHOST_SCSI_REMOVE_TRUNCATE:
	case VHOST_SCSI_RESTORE_REBUILD:
	case VHOST_SCSI_REMOVE_MODIFY:
		return VHOST_SCSI_EFFECT_CHANGES;
	}
	return VHOST_SCSI_EFFECT_NONE;
}

static enum vhost_scsi_effect vhost_scsi_op_effect_disk(const u8 *cdb)
{
	switch (cdb[0]) {
	case READ_6:
	case READ_10:
	case READ_12:
	case READ_16:
		return VHOST_SCSI_EFFECT_READS;
	case FORMAT_UNIT:
	case REASSIGN_BLOCKS:
	case WRITE_6:
	case WRITE_10:
	case WRITE_12:
	case WRITE_16:
	case WRITE_VERIFY:
	case WRITE_VERIFY_12:
	case WRITE_VERIFY_16:
	case WRITE_ATOMIC_16:
	case WRITE_BUFFER:
	case WRITE_LONG:
	case WRITE_SAME:
	case WRITE_SAME_16:
	case UNMAP:
	case UPDATE_BLOCK:
	case XDWRITEREAD_10:
	case VHOST_SCSI_ERASE_10:
	case VHOST_SCSI_ERASE_12:
	case VHOST_SCSI_FORMAT_PRESET:
	case VHOST_SCSI_SANITIZE:
	case VHOST_SCSI_XDWRITE_10:
	case VHOST_SCSI_XPWRITE_10:
	case VHOST_SCSI_ORWRITE_16:
	case VHOST_SCSI_WRITE_STREAM_16:
	case COMPARE_AND_WRITE:
	case EXTENDED_COPY:
	case ZBC_OUT:
	case SERVICE_ACTION_OUT_12:
	case SERVICE_ACTION_OUT_16:
		return VHOST_SCSI_EFFECT_CHANGES;
	case ATA_12:
	case ATA_16:
		return vhost_scsi_op_effect_ata(cdb + 1);
	case SERVICE_ACTION_IN_16:
		return vhost_scsi_op_effect_service_in(cdb);
	case VARIABLE_LENGTH_CMD:
		return vhost_scsi_op_effect_long(cdb);
	}
	return VHOST_SCSI_EFFECT_NONE;
}

/**
 * vhost_scsi_op_effect() - what a command does to a medium
 * @type: peripheral device type of the unit, which decides what the codes mean
 * @cdb: command descriptor block
 *
 * Return: the effect; VHOST_SCSI_EFFECT_NONE for what nobody knows.
 */
enum vhost_scsi_effect vhost_scsi_op_effect(u8 type, const u8 *cdb)
{
	switch (type) {
	case VHOST_SCSI_TYPE_TAPE:
		return vhost_scsi_op_effect_tape(cdb);
	case VHOST_SCSI_TYPE_ROM:
		return vhost_scsi_op_effect_rom(cdb);
	}
	return vhost_scsi_op_effect_disk(cdb);
}
