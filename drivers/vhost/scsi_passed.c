// SPDX-License-Identifier: GPL-2.0
/*
 * Units that are passed through: what a command does to the medium, and what the
 * target core would do wrong with it.
 *
 * Enters: a CDB, its data, and what its unit is. Leaves: a plan, or the reason why LIO
 * does not get it.
 * Context: any; pure, as scsi_wire.c.
 * Invariant: a unit that is read-only for the nexus gets no command that may write it.
 */
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>

#include "scsi_check.h"

/* LIO looks for the WP bit in one page, and in an interrupt. */
#define VHOST_SCSI_MODE_LEN	4096

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

/*
 * SAT: PROTOCOL says which way data goes, and T_DIR only if that leaves it open. One
 * that brings data in is no write; of the others nobody knows what the ATA command
 * does: SANITIZE has no data.
 */
static enum vhost_scsi_effect vhost_scsi_passed_effect_ata(const u8 *protocol)
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

static enum vhost_scsi_effect vhost_scsi_passed_effect_tape(const u8 *cdb)
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

static enum vhost_scsi_effect vhost_scsi_passed_effect_rom(const u8 *cdb)
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
		return vhost_scsi_passed_effect_ata(cdb + 1);
	}
	return VHOST_SCSI_EFFECT_NONE;
}

static enum vhost_scsi_effect vhost_scsi_passed_effect_long(const u8 *cdb)
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
		return vhost_scsi_passed_effect_ata(cdb + 10);
	}
	return VHOST_SCSI_EFFECT_NONE;
}

/* Some of what only brings data in by its name takes parts of the medium away. */
static enum vhost_scsi_effect vhost_scsi_passed_effect_service_in(const u8 *cdb)
{
	switch (cdb[1] & 0x1f) {
	case VHOST_SCSI_REMOVE_TRUNCATE:
	case VHOST_SCSI_RESTORE_REBUILD:
	case VHOST_SCSI_REMOVE_MODIFY:
		return VHOST_SCSI_EFFECT_CHANGES;
	}
	return VHOST_SCSI_EFFECT_NONE;
}

static enum vhost_scsi_effect vhost_scsi_passed_effect_disk(const u8 *cdb)
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
		return vhost_scsi_passed_effect_ata(cdb + 1);
	case SERVICE_ACTION_IN_16:
		return vhost_scsi_passed_effect_service_in(cdb);
	case VARIABLE_LENGTH_CMD:
		return vhost_scsi_passed_effect_long(cdb);
	}
	return VHOST_SCSI_EFFECT_NONE;
}

/**
 * vhost_scsi_passed_effect() - what a command does to a medium
 * @type: peripheral device type of the unit, which decides what the codes mean
 * @cdb: command descriptor block
 *
 * Return: the effect; VHOST_SCSI_EFFECT_NONE for what nobody knows.
 */
enum vhost_scsi_effect vhost_scsi_passed_effect(u8 type, const u8 *cdb)
{
	switch (type) {
	case VHOST_SCSI_TYPE_TAPE:
		return vhost_scsi_passed_effect_tape(cdb);
	case VHOST_SCSI_TYPE_ROM:
		return vhost_scsi_passed_effect_rom(cdb);
	}
	return vhost_scsi_passed_effect_disk(cdb);
}

/**
 * vhost_scsi_passed_is_lios() - does LIO execute it nevertheless?
 * @kind: unit that is passed through
 * @op: operation code
 *
 * Return: true if it is as for a unit that LIO emulates.
 */
bool vhost_scsi_passed_is_lios(const struct vhost_scsi_kind *kind, u8 op)
{
	switch (op) {
	case REPORT_LUNS:
		return true;
	case 0x16: /* RESERVE(6) */
	case 0x17: /* RELEASE(6) */
	case RESERVE_10:
	case RELEASE_10:
	case PERSISTENT_RESERVE_IN:
	case PERSISTENT_RESERVE_OUT:
		return kind->lio_pr;
	}
	return false;
}

/* pscsi_complete_cmd() maps the list, in an interrupt, if the unit is read-only. */
static void vhost_scsi_passed_cut_mode(const struct vhost_scsi_kind *kind,
				       u8 *cdb, struct vhost_scsi_plan *plan)
{
	const struct vhost_scsi_op *op = vhost_scsi_op_find(cdb);

	if (!kind->in_place || plan->len <= VHOST_SCSI_MODE_LEN ||
	    (cdb[0] != MODE_SENSE && cdb[0] != MODE_SENSE_10))
		return;
	plan->len = VHOST_SCSI_MODE_LEN;
	if (vhost_scsi_op_field(cdb, op->len_at, op->len_width) > plan->len)
		vhost_scsi_op_set_len(op, cdb, plan->len);
}

static bool vhost_scsi_passed_ata_wants_data(const u8 *protocol)
{
	switch (protocol[0] >> 1 & 0xf) {
	case 4:		/* PIO data-in, data-out */
	case 5:
	case 6:		/* DMA */
	case 10:	/* UDMA data-in, data-out */
	case 11:
	case 12:	/* FPDMA */
		return true;
	}
	return false;
}

/*
 * Without its data libata, under pscsi, does not refuse a command: it resets the port,
 * for all who use the disk, and prints that.
 */
static bool vhost_scsi_passed_wants_data(u8 type, const u8 *cdb)
{
	const struct vhost_scsi_op *op = vhost_scsi_op_find(cdb);
	bool is_long = cdb[0] == VARIABLE_LENGTH_CMD;

	if (type == VHOST_SCSI_TYPE_TAPE)
		return false;
	if (cdb[0] == ATA_16 || (cdb[0] == ATA_12 && type != VHOST_SCSI_TYPE_ROM))
		return vhost_scsi_passed_ata_wants_data(cdb + 1);
	if (is_long && get_unaligned_be16(cdb + 8) == ATA_32)
		return vhost_scsi_passed_ata_wants_data(cdb + 10);
	if (is_long || op->counts != VHOST_SCSI_BLOCKS)
		return false;
	/* Of READ and WRITE(6), 0 are 256 blocks. */
	return op->lba_width == 3 ||
	       vhost_scsi_op_field(cdb, op->len_at, op->len_width);
}

/**
 * vhost_scsi_passed_check() - may a unit that is passed through have a command?
 * @kind: what the unit is
 * @cdb: command descriptor block, not one that LIO executes
 * @layout: the data
 * @plan: result with VHOST_SCSI_PASS
 *
 * Return: VHOST_SCSI_PASS, or why LIO does not get it.
 */
enum vhost_scsi_outcome
vhost_scsi_passed_check(const struct vhost_scsi_kind *kind, u8 *cdb,
			const struct vhost_scsi_layout *layout,
			struct vhost_scsi_plan *plan)
{
	enum vhost_scsi_effect effect = vhost_scsi_passed_effect(kind->type, cdb);

	/* The copy manager may reach units that the nexus does not see. */
	if (!kind->has_copy &&
	    (cdb[0] == EXTENDED_COPY || cdb[0] == RECEIVE_COPY_RESULTS))
		return VHOST_SCSI_BAD_OPCODE;
	if (kind->read_only && (layout->dir == VHOST_SCSI_DIR_OUT ||
				!vhost_scsi_read_only_takes(kind->type, cdb)))
		return VHOST_SCSI_IS_READ_ONLY;
	if ((effect == VHOST_SCSI_EFFECT_READS && layout->dir == VHOST_SCSI_DIR_OUT) ||
	    (effect == VHOST_SCSI_EFFECT_CHANGES && layout->dir == VHOST_SCSI_DIR_IN))
		return VHOST_SCSI_OVERRUN;
	if (kind->in_place && layout->dir == VHOST_SCSI_DIR_NONE &&
	    vhost_scsi_passed_wants_data(kind->type, cdb))
		return VHOST_SCSI_OVERRUN;
	/* The target core cannot carry it there. */
	if (layout->pi_len && (cdb[1] & VHOST_SCSI_PROTECT) &&
	    effect != VHOST_SCSI_EFFECT_NONE)
		return VHOST_SCSI_BAD_FIELD;
	if (kind->max_len && layout->data_len > kind->max_len)
		return VHOST_SCSI_BAD_FIELD;

	plan->dir = effect == VHOST_SCSI_EFFECT_CHANGES && !kind->read_only ?
		    VHOST_SCSI_DIR_OUT : layout->dir;
	plan->len = layout->data_len;
	if (effect != VHOST_SCSI_EFFECT_NONE)
		plan->shape.align = VHOST_SCSI_SECTOR;
	vhost_scsi_passed_cut_mode(kind, cdb, plan);
	return VHOST_SCSI_PASS;
}
