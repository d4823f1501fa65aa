/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which disks LIO's queue has commands for. Inline, since the worker asks for each command
 * that it could execute.
 */
#ifndef VHOST_SCSI_QUEUED_H
#define VHOST_SCSI_QUEUED_H

#include <linux/atomic.h>
#include <linux/hash.h>

struct se_device;
struct vhost_scsi_cmd;

#define VHOST_SCSI_QUEUED_BITS	7

/* Commands, by a hash of their disk */
extern atomic_t vhost_scsi_queued[1 << VHOST_SCSI_QUEUED_BITS];

void vhost_scsi_queued_get(struct vhost_scsi_cmd *cmd);
void vhost_scsi_queued_put(struct vhost_scsi_cmd *cmd);

static inline unsigned int vhost_scsi_queued_at(const struct se_device *dev)
{
	return hash_ptr(dev, VHOST_SCSI_QUEUED_BITS);
}

/* Does LIO's queue have commands for a disk? False if it had none a moment ago. */
static inline bool vhost_scsi_queued_any(const struct se_device *dev)
{
	return atomic_read(&vhost_scsi_queued[vhost_scsi_queued_at(dev)]);
}

#endif /* VHOST_SCSI_QUEUED_H */
