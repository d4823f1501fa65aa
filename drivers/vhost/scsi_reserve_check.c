// SPDX-License-Identifier: GPL-2.0
/*
 * Reservation commands that LIO does not survive.
 *
 * Enters: a command about the reservations that LIO keeps of a unit. Leaves: whether it
 * is to be refused.
 * Context: as scsi_reserve.c, which has only one command of a disk executed at a time.
 * Invariant: LIO uses no registration, and no session, that may have been freed.
 *
 * Registrations of other ports are beyond it. Of SPEC_I_PT and of a move it counts the
 * LUNs wrong: whoever unlinks one waits for good, or gives it back twice. Of ALL_TG_PT
 * it frees the port that it has just made the holder, and forgets those whose key has
 * changed.
 *
 * Two forms of PREEMPT have core_scsi3_emulate_pro_preempt() use a registration that it has
 * freed: the sender's own, where the key is the sender's and no reservation is held
 * with it; and the holder's, where key 0 preempts all registrants of an all registrants
 * reservation.
 *
 * RESERVE and RELEASE look at the session of another holder, of which RESERVE prints
 * three lines. They have a lock, but transport_deregister_session() clears the holder
 * without it, and frees the session. A command that was in line when another one
 * reserved the unit meets its holder here, and not in LIO's check before.
 */
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "scsi_reserve.h"

/* Service actions, types, and byte 20 of the list of most (SPC) */
#define VHOST_SCSI_REGISTER		0x00
#define VHOST_SCSI_PREEMPT		0x04
#define VHOST_SCSI_REGISTER_AND_IGNORE	0x06
#define VHOST_SCSI_REGISTER_AND_MOVE	0x07
#define VHOST_SCSI_WRITE_EXCLUSIVE_ALL	0x07
#define VHOST_SCSI_EXCLUSIVE_ACCESS_ALL	0x08
#define VHOST_SCSI_ALL_TG_PT		0x04
#define VHOST_SCSI_SPEC_I_PT		0x08

/* Bytes of the list, with what comes before TransportIDs */
#define VHOST_SCSI_RESERVE_LIST		24

/* Its list, which is not in the guest's memory: it is no data of blocks. */
static void vhost_scsi_reserve_list(const struct se_cmd *se_cmd,
				    u8 list[VHOST_SCSI_RESERVE_LIST])
{
	memset(list, 0, VHOST_SCSI_RESERVE_LIST);
	sg_copy_to_buffer(se_cmd->t_data_sg, se_cmd->t_data_nents, list,
			  min_t(u32, se_cmd->data_length, VHOST_SCSI_RESERVE_LIST));
}

/**
 * vhost_scsi_reserve_check() - may LIO have a command about reservations?
 * @se_cmd: the command
 *
 * Return: TCM_NO_SENSE, or why not.
 */
sense_reason_t vhost_scsi_reserve_check(const struct se_cmd *se_cmd)
{
	u8 action = vhost_scsi_reserve_action(se_cmd);
	u8 list[VHOST_SCSI_RESERVE_LIST];

	if (se_cmd->t_task_cdb[0] != PERSISTENT_RESERVE_OUT)
		return TCM_NO_SENSE;
	if (action == VHOST_SCSI_REGISTER_AND_MOVE)
		return TCM_INVALID_CDB_FIELD;
	vhost_scsi_reserve_list(se_cmd, list);
	/* LIO refuses it in all actions but REGISTER, too. */
	if (list[20] & VHOST_SCSI_SPEC_I_PT)
		return TCM_INVALID_PARAMETER_LIST;
	if (list[20] & VHOST_SCSI_ALL_TG_PT &&
	    (action == VHOST_SCSI_REGISTER ||
	     action == VHOST_SCSI_REGISTER_AND_IGNORE))
		return TCM_INVALID_PARAMETER_LIST;
	if (se_cmd->data_length != VHOST_SCSI_RESERVE_LIST)
		return TCM_PARAMETER_LIST_LENGTH_ERROR;
	return TCM_NO_SENSE;
}

/* The registration that LIO takes for the sender's. */
static const struct t10_pr_registration *
vhost_scsi_reserve_own(const struct se_cmd *se_cmd)
{
	struct t10_reservation *pr = &se_cmd->se_dev->t10_pr;
	const struct t10_pr_registration *reg, *own = NULL;

	spin_lock(&pr->registration_lock);
	list_for_each_entry(reg, &pr->registration_list, pr_reg_list) {
		if (reg->pr_reg_nacl == se_cmd->se_sess->se_node_acl) {
			own = reg;
			break;
		}
	}
	spin_unlock(&pr->registration_lock);
	return own;
}

/**
 * vhost_scsi_reserve_frees() - would LIO free a registration that it uses afterwards?
 * @se_cmd: the command, whose turn it is
 *
 * The answer holds as long as no other command of this disk is executed: who holds a
 * reservation, and how, changes by one only, and the sender's nexus stays while it has
 * commands.
 *
 * Return: true if it must not have it.
 */
bool vhost_scsi_reserve_frees(const struct se_cmd *se_cmd)
{
	struct se_device *dev = se_cmd->se_dev;
	u8 action = vhost_scsi_reserve_action(se_cmd);
	const struct t10_pr_registration *holder;
	u8 list[VHOST_SCSI_RESERVE_LIST];
	bool mine, all, same;
	u64 key, preempted;

	if (se_cmd->t_task_cdb[0] != PERSISTENT_RESERVE_OUT ||
	    dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH_PGR ||
	    (action != VHOST_SCSI_PREEMPT && action != VHOST_SCSI_PREEMPT_AND_ABORT))
		return false;
	vhost_scsi_reserve_list(se_cmd, list);
	key = get_unaligned_be64(list);
	preempted = get_unaligned_be64(list + 8);

	spin_lock(&dev->dev_reservation_lock);
	holder = dev->dev_pr_res_holder;
	mine = holder && holder == vhost_scsi_reserve_own(se_cmd);
	same = holder && holder->pr_res_key == preempted;
	all = holder && (holder->pr_res_type == VHOST_SCSI_WRITE_EXCLUSIVE_ALL ||
			 holder->pr_res_type == VHOST_SCSI_EXCLUSIVE_ACCESS_ALL);
	spin_unlock(&dev->dev_reservation_lock);

	if (preempted)
		return preempted == key && !same && !all;
	/* Those that are aborted are freed in the end. */
	return all && !mine && action == VHOST_SCSI_PREEMPT;
}

/**
 * vhost_scsi_reserve_is_anothers() - is a RESERVE or RELEASE about another's reservation?
 * @se_cmd: the command, whose turn it is
 *
 * Return: true if another session has reserved the unit (SPC-2).
 */
bool vhost_scsi_reserve_is_anothers(const struct se_cmd *se_cmd)
{
	struct se_device *dev = se_cmd->se_dev;
	bool is;

	switch (se_cmd->t_task_cdb[0]) {
	case VHOST_SCSI_RESERVE_6:
	case VHOST_SCSI_RELEASE_6:
	case RESERVE_10:
	case RELEASE_10:
		break;
	default:
		return false;
	}
	spin_lock(&dev->dev_reservation_lock);
	is = dev->reservation_holder && dev->reservation_holder != se_cmd->se_sess;
	spin_unlock(&dev->dev_reservation_lock);
	return is;
}
