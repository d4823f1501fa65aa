// SPDX-License-Identifier: GPL-2.0
/*
 * What a nexus may ask of a unit that is passed through and that it may not write.
 *
 * Enters: a CDB that brings no data to the unit, and the unit's type. Leaves: may the
 * unit have it?
 * Context: any; pure, as scsi_wire.c.
 * Invariant: what is not listed is refused, so that a vendor's command, or one that is
 * younger than this, writes nothing.
 */
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>

#include "scsi_check.h"

/* SPC, for units of all types; 16h and 17h are RESERVE and RELEASE(6) */
static const u8 vhost_scsi_read_only_any[] = {
	TEST_UNIT_READY, REQUEST_SENSE, INQUIRY, 0x16, 0x17, MODE_SENSE,
	START_STOP, RECEIVE_DIAGNOSTIC, SEND_DIAGNOSTIC, ALLOW_MEDIUM_REMOVAL,
	READ_BUFFER, LOG_SENSE, RESERVE_10, RELEASE_10, MODE_SENSE_10,
	PERSISTENT_RESERVE_IN, PERSISTENT_RESERVE_OUT, RECEIVE_COPY_RESULTS,
	0x8c /* READ ATTRIBUTE */, 0x9b /* READ BUFFER(16) */, REPORT_LUNS,
	SECURITY_PROTOCOL_IN, MAINTENANCE_IN,
};

/* SBC, ZBC */
static const u8 vhost_scsi_read_only_disk[] = {
	REZERO_UNIT, READ_6, SEEK_6, READ_CAPACITY, READ_10, SEEK_10, VERIFY,
	PRE_FETCH, SYNCHRONIZE_CACHE, READ_DEFECT_DATA, READ_LONG, READ_16,
	VERIFY_16, 0x90 /* PRE-FETCH(16) */, SYNCHRONIZE_CACHE_16, READ_12,
	VERIFY_12, 0xb7 /* READ DEFECT DATA(12) */,
};

/* Of SERVICE ACTION IN(16): CAPACITY, LONG, LBA STATUS, REFERRALS, STREAM STATUS */
static const u8 vhost_scsi_read_only_disk_in[] = { 0x10, 0x11, 0x12, 0x13, 0x16 };

/* SSC */
static const u8 vhost_scsi_read_only_tape[] = {
	REZERO_UNIT, READ_BLOCK_LIMITS, READ_6, READ_REVERSE, SPACE, 0x13 /* VERIFY */,
	RECOVER_BUFFERED_DATA, SEEK_10, READ_POSITION, 0x44 /* REPORT DENSITY */,
	0x81 /* READ REVERSE(16) */, READ_16, VERIFY_16, 0x91 /* SPACE(16) */,
	0x92 /* LOCATE(16) */,
};

/* MMC */
static const u8 vhost_scsi_read_only_rom[] = {
	0x23 /* READ FORMAT CAPACITIES */, READ_CAPACITY, READ_10, SEEK_10, VERIFY,
	SYNCHRONIZE_CACHE, 0x42 /* READ SUB-CHANNEL */, READ_TOC, READ_HEADER,
	0x45 /* PLAY AUDIO */, GET_EVENT_STATUS_NOTIFICATION,
	0x46 /* GET CONFIGURATION */, 0x47, 0x4b /* PLAY, PAUSE */,
	0x4e /* STOP PLAY */, 0x51 /* READ DISC INFORMATION */,
	0x52 /* READ TRACK INFORMATION */, 0x5c /* READ BUFFER CAPACITY */,
	0xa4 /* REPORT KEY */, 0xa6 /* LOAD/UNLOAD */, 0xa7 /* SET READ AHEAD */,
	READ_12, 0xac /* GET PERFORMANCE */, 0xad /* READ DISC STRUCTURE */,
	0xb9, 0xba /* READ CD MSF, SCAN */, 0xbb /* SET CD SPEED */,
	0xbd /* MECHANISM STATUS */, 0xbe /* READ CD */,
};

/* ACS: reads of sectors and logs, IDENTIFY, CHECK POWER MODE */
static const u8 vhost_scsi_read_only_ata[] = {
	0x20, 0x24, 0x25, 0x29, 0x2f, 0x47, 0x60, 0xa1, 0xc4, 0xc8, 0xe5, 0xec,
};

/* SMART: READ DATA, READ THRESHOLDS, READ LOG, RETURN STATUS */
static const u8 vhost_scsi_read_only_smart[] = { 0xd0, 0xd1, 0xd5, 0xda };

#define VHOST_SCSI_ATA_SMART	0xb0

/* SAT: the PROTOCOL may say anything, the ATA command is what is done. */
static bool vhost_scsi_read_only_takes_ata(u8 command, u8 feature)
{
	if (command == VHOST_SCSI_ATA_SMART)
		return memchr(vhost_scsi_read_only_smart, feature,
			      sizeof(vhost_scsi_read_only_smart));
	return memchr(vhost_scsi_read_only_ata, command, sizeof(vhost_scsi_read_only_ata));
}

static bool vhost_scsi_read_only_takes_long(const u8 *cdb)
{
	switch (get_unaligned_be16(cdb + 8)) {
	case READ_32:
	case VERIFY_32:
		return true;
	case ATA_32:
		return vhost_scsi_read_only_takes_ata(cdb[25], cdb[21]);
	}
	return false;
}

static bool vhost_scsi_read_only_takes_disk(const u8 *cdb)
{
	switch (cdb[0]) {
	case ATA_12:
		return vhost_scsi_read_only_takes_ata(cdb[9], cdb[3]);
	case ATA_16:
		return vhost_scsi_read_only_takes_ata(cdb[14], cdb[4]);
	case VARIABLE_LENGTH_CMD:
		return vhost_scsi_read_only_takes_long(cdb);
	case ZBC_IN:
		return (cdb[1] & 0x1f) == ZI_REPORT_ZONES;
	case SERVICE_ACTION_IN_16:
		return memchr(vhost_scsi_read_only_disk_in, cdb[1] & 0x1f,
			      sizeof(vhost_scsi_read_only_disk_in));
	}
	return memchr(vhost_scsi_read_only_disk, cdb[0], sizeof(vhost_scsi_read_only_disk));
}

/**
 * vhost_scsi_read_only_takes() - may a unit that is read-only have a command?
 * @type: peripheral device type of the unit
 * @cdb: command descriptor block, of a command without data-out
 *
 * Return: true if it does not change the medium.
 */
bool vhost_scsi_read_only_takes(u8 type, const u8 *cdb)
{
	if (memchr(vhost_scsi_read_only_any, cdb[0], sizeof(vhost_scsi_read_only_any)))
		return true;
	switch (type) {
	case VHOST_SCSI_TYPE_TAPE:
		return memchr(vhost_scsi_read_only_tape, cdb[0],
			      sizeof(vhost_scsi_read_only_tape));
	case VHOST_SCSI_TYPE_ROM:
		if (cdb[0] == ATA_16)
			return vhost_scsi_read_only_takes_ata(cdb[14], cdb[4]);
		return memchr(vhost_scsi_read_only_rom, cdb[0],
			      sizeof(vhost_scsi_read_only_rom));
	}
	return vhost_scsi_read_only_takes_disk(cdb);
}
