/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands about the reservations that LIO keeps: between the file that has them
 * executed, and the one that judges them.
 */
#ifndef VHOST_SCSI_RESERVE_H
#define VHOST_SCSI_RESERVE_H

#include <target/target_core_base.h>

/* Their names in scsi_proto.h depend on the kernel. */
#define VHOST_SCSI_RESERVE_6		0x16
#define VHOST_SCSI_RELEASE_6		0x17

/* Service action of PERSISTENT RESERVE OUT (SPC) */
#define VHOST_SCSI_PREEMPT_AND_ABORT	0x05

static inline u8 vhost_scsi_reserve_action(const struct se_cmd *se_cmd)
{
	return se_cmd->t_task_cdb[1] & 0x1f;
}

/* scsi_reserve_check.c */
sense_reason_t vhost_scsi_reserve_check(const struct se_cmd *se_cmd);
bool vhost_scsi_reserve_frees(const struct se_cmd *se_cmd);
bool vhost_scsi_reserve_is_anothers(const struct se_cmd *se_cmd);

#endif
