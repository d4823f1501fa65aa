/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that this driver builds for: 6.12 LTS and
 * the newest one in Debian's backports. No other file asks for a version.
 */
#ifndef VHOST_SCSI_COMPAT_H
#define VHOST_SCSI_COMPAT_H

#include <linux/version.h>
#include <target/target_core_base.h>

#include "vhost.h"

/*
 * Exported by the target core to its fabrics, yet declared in a header that
 * only the target core can include.
 */
struct se_dev_entry *target_nacl_find_deve(struct se_node_acl *nacl,
					   u64 mapped_lun);

/* Newer kernels log a complaint about the old name at its first use. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define vhost_scsi_unbound_wq	system_dfl_wq
#else
#define vhost_scsi_unbound_wq	system_unbound_wq
#endif

/*
 * Newer cores can finish a command where its backstore completes it, mostly in an
 * interrupt, instead of in a workqueue of theirs. Ours bear that: they take no
 * lock, and what is left to do is done in the vhost worker.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define VHOST_SCSI_COMPL_OPS				\
	.default_compl_type	= TARGET_DIRECT_COMPL,	\
	.direct_compl_supp	= 1
#else
#define VHOST_SCSI_COMPL_OPS
#endif

/**
 * vhost_scsi_has_no_miss() - a queue waits for no answer of its VMM's any more
 * @vq: queue none of whose messages is on a list, dev->iotlb_lock held
 *
 * Newer cores ask for nothing else until then.
 */
static inline void vhost_scsi_has_no_miss(struct vhost_virtqueue *vq)
{
#ifdef VHOST_SCSI_HAS_IOTLB_MISS
	vq->iotlb_miss = NULL;
#endif
}

/**
 * vhost_scsi_has_atomic() - does the target core take WRITE ATOMIC for a unit?
 * @dev: the unit
 *
 * Return: false where it does not know the command.
 */
static inline bool vhost_scsi_has_atomic(const struct se_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
	return dev->dev_attrib.atomic_max_len;
#else
	return false;
#endif
}

/**
 * vhost_scsi_leave_task_set() - take an aborted command out of its task set
 * @se_cmd: command that the target core is about to let go of
 *
 * transport_complete_task_attr() of the target core counts a command out of
 * those that ORDERED commands wait for, but target_handle_abort() does not call
 * it: after one aborted command every ORDERED one would wait for ever, and all
 * that follow it on the unit, from whichever nexus. The flag says whether the
 * core has done it, in a kernel where it does.
 */
static inline void vhost_scsi_leave_task_set(struct se_cmd *se_cmd)
{
	struct se_device *dev = se_cmd->se_dev;
	unsigned long __maybe_unused flags;

	if (!(se_cmd->se_cmd_flags & SCF_TASK_ATTR_SET))
		return;
	se_cmd->se_cmd_flags &= ~SCF_TASK_ATTR_SET;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	if (!(se_cmd->se_cmd_flags & SCF_TASK_ORDERED_SYNC)) {
		if (se_cmd->sam_task_attr == TCM_SIMPLE_TAG)
			percpu_ref_put(&dev->non_ordered);
		return;
	}
	spin_lock_irqsave(&dev->delayed_cmd_lock, flags);
	dev->ordered_sync_in_progress = false;
	if (list_empty(&dev->delayed_cmd_list))
		percpu_ref_resurrect(&dev->non_ordered);
	else
		schedule_work(&dev->delayed_cmd_work);
	spin_unlock_irqrestore(&dev->delayed_cmd_lock, flags);
#else
	if (se_cmd->sam_task_attr == TCM_ORDERED_TAG) {
		spin_lock(&dev->delayed_cmd_lock);
		dev->ordered_sync_in_progress = false;
		spin_unlock(&dev->delayed_cmd_lock);
	} else {
		atomic_dec(&dev->non_ordered);
	}
	/* target_do_delayed_work() must find the count lower when it is woken. */
	smp_mb();
	if (atomic_read(&dev->delayed_cmd_count))
		schedule_work(&dev->delayed_cmd_work);
#endif
}

/**
 * vhost_scsi_add_used_n() - put heads on the used ring
 * @vq: virtqueue, its mutex held
 * @heads: used elements
 * @count: how many, at most the size of the ring
 *
 * Newer cores take the number of buffers of each head as well, for in-order
 * rings; NULL says that the order is free.
 *
 * Return: 0, or a negative errno if the used ring cannot be written.
 */
static inline int vhost_scsi_add_used_n(struct vhost_virtqueue *vq,
					struct vring_used_elem *heads,
					unsigned int count)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return vhost_add_used_n(vq, heads, NULL, count);
#else
	return vhost_add_used_n(vq, heads, count);
#endif
}

#endif
