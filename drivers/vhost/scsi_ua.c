// SPDX-License-Identifier: GPL-2.0
/*
 * The unit attentions that LIO keeps for a nexus: each of them once.
 *
 * Enters: a unit about which something was done that raises some. Leaves: lists
 * without doubles.
 * Context: process, with no spinlock held.
 * Invariant: the list of a nexus that sends no command is as long as there are
 * conditions, whatever the others do.
 *
 * core_scsi3_ua_allocate() compares with the first one of a list only. Behind another
 * one, each reset of a unit, each RELEASE and each SET TARGET PORT GROUPS adds its
 * condition anew, in memory that is charged to nobody, and the next command of that
 * nexus frees them all with a lock held. With emulate_ua_intlck_ctrl 2 a nexus adds
 * one for itself by each of its commands that meets a reservation.
 */
#include <linux/irqflags.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <target/target_core_base.h>

#include "vhost_scsi.h"

static bool vhost_scsi_ua_is_double(const struct se_dev_entry *deve,
				    const struct se_ua *ua)
{
	const struct se_ua *first;

	list_for_each_entry(first, &deve->ua_list, ua_nacl_list) {
		if (first == ua)
			return false;
		if (first->ua_asc == ua->ua_asc && first->ua_ascq == ua->ua_ascq)
			return true;
	}
	return false;
}

/* What one nexus has to hear of a unit, an entry of its table, which stays. */
static void vhost_scsi_ua_trim_unit(struct se_dev_entry *deve)
{
	struct se_ua *ua, *next;

	spin_lock(&deve->ua_lock);
	list_for_each_entry_safe(ua, next, &deve->ua_list, ua_nacl_list) {
		if (!vhost_scsi_ua_is_double(deve, ua))
			continue;
		list_del(&ua->ua_nacl_list);
		/* It is of a cache of LIO's; kfree() takes those, too. */
		kfree(ua);
	}
	spin_unlock(&deve->ua_lock);
}

/**
 * vhost_scsi_ua_trim() - drop doubles of what all have to hear of a unit
 * @dev: the unit
 */
void vhost_scsi_ua_trim(struct se_device *dev)
{
	struct se_dev_entry *deve;
	struct se_lun *lun;

	spin_lock(&dev->se_port_lock);
	list_for_each_entry(lun, &dev->dev_sep_list, lun_dev_link) {
		spin_lock(&lun->lun_deve_lock);
		list_for_each_entry(deve, &lun->lun_deve_list, lun_link)
			vhost_scsi_ua_trim_unit(deve);
		spin_unlock(&lun->lun_deve_lock);
	}
	spin_unlock(&dev->se_port_lock);
}

/**
 * vhost_scsi_ua_nexus_lost() - have every unit of a nexus say I_T NEXUS LOSS OCCURRED
 * @nacl: its ACL
 *
 * LIO walks over them under RCU alone, and what it adds to one that it is just removing
 * would never be freed: the mutex keeps them in place.
 */
void vhost_scsi_ua_nexus_lost(struct se_node_acl *nacl)
{
	struct se_dev_entry *deve;

	mutex_lock(&nacl->lun_entry_mutex);
	core_allocate_nexus_loss_ua(nacl);
	hlist_for_each_entry(deve, &nacl->lun_entry_hlist, link)
		vhost_scsi_ua_trim_unit(deve);
	mutex_unlock(&nacl->lun_entry_mutex);
}

/**
 * vhost_scsi_ua_conflict() - drop doubles of what a reservation conflict has raised
 * @se_cmd: command that has met a reservation, before it is over
 */
void vhost_scsi_ua_conflict(struct se_cmd *se_cmd)
{
	struct se_dev_entry *deve;

	/* Of a conflict that a backstore reports LIO raises none. */
	if (!in_task() || irqs_disabled())
		return;
	if (se_cmd->se_dev->dev_attrib.emulate_ua_intlck_ctrl !=
	    TARGET_UA_INTLCK_CTRL_ESTABLISH_UA)
		return;
	rcu_read_lock();
	deve = target_nacl_find_deve(se_cmd->se_sess->se_node_acl,
				     se_cmd->orig_fe_lun);
	if (deve)
		vhost_scsi_ua_trim_unit(deve);
	rcu_read_unlock();
}
