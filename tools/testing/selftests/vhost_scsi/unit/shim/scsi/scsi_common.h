/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel has for all that speak SCSI, with its names. */
#ifndef SHIM_SCSI_SCSI_COMMON_H
#define SHIM_SCSI_SCSI_COMMON_H

#include <scsi/scsi_proto.h>

/* SPC: the group code of the operation code decides; 7Fh carries a length. */
static inline unsigned int scsi_command_size(const unsigned char *cdb)
{
	static const unsigned char group_len[] = {
		6, 10, 10, 12, 16, 12, 10, 10
	};

	if (cdb[0] == VARIABLE_LENGTH_CMD)
		return cdb[7] + 8;
	return group_len[cdb[0] >> 5];
}

/* SPC: fixed format, into zeros; the other one is not used here. */
static inline void scsi_build_sense_buffer(int desc, u8 *buf, u8 key, u8 asc,
					   u8 ascq)
{
	(void)desc;
	buf[0] = 0x70;
	buf[2] = key;
	buf[7] = 10;
	buf[12] = asc;
	buf[13] = ascq;
}

#endif
