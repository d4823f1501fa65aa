// SPDX-License-Identifier: GPL-2.0
/*
 * The owner of a device: what ends with it, whoever still has the descriptor.
 *
 * Enters: release; the scan of an endpoint, or a call, that finds the owner gone; a
 * target that came later. Leaves: a device that is nobody's, or has more targets.
 * Context: process, vs->dev.mutex held.
 * Invariant: the memory of an owner that is gone is given back.
 */
#include <linux/sched/mm.h>

#include "vhost_scsi.h"

/**
 * vhost_scsi_owner_disown() - the device is nobody's any more
 * @vs: device, dev.mutex held
 *
 * Ends the endpoint and the workers, and lets go of the owner's memory. Another process
 * may become the owner; counters, and the kind of the workers, stay.
 */
void vhost_scsi_owner_disown(struct vhost_scsi *vs)
{
	unsigned int i;

	lockdep_assert_held(&vs->dev.mutex);
	vhost_scsi_ep_release(vs);
	vhost_dev_stop(&vs->dev);
	for (i = 0; i < vs->nr_vqs; i++) {
		cancel_work_sync(&vs->svq[i].drop_work);
		vs->svq[i].set_up = false;
		vs->svq[i].poll = (struct vhost_scsi_poll) { };
		vhost_scsi_iotlb_reset(&vs->svq[i]);
	}
	vhost_dev_cleanup(&vs->dev);
	vhost_scsi_evt_set_missed(vs, false);
	vs->rings_old = false;
}

/*
 * As above, for an owner that is gone. The end of its memory may wait for others, and
 * they for the mutex.
 */
static void vhost_scsi_owner_bury(struct vhost_scsi *vs)
{
	struct mm_struct *mm = vs->dev.mm;

	mmget(mm);
	vhost_scsi_owner_disown(vs);
	mmput_async(mm);
}

/**
 * vhost_scsi_owner_look() - is the owner still there?
 * @vs: device, dev.mutex held
 *
 * An endpoint's scan finds that by itself, and waits for what is in flight without the
 * mutex.
 *
 * Return: true if it is not, nor an endpoint, and the device is nobody's from now on.
 */
bool vhost_scsi_owner_look(struct vhost_scsi *vs)
{
	lockdep_assert_held(&vs->dev.mutex);
	if (vs->ep || !vs->dev.mm || !vhost_scsi_ep_is_orphan(vs))
		return false;
	vhost_scsi_owner_bury(vs);
	return true;
}

/**
 * vhost_scsi_owner_work() - targets may have come, or the owner is gone
 * @work: ep_work of a device
 *
 * Targets may have come: binds them. Or its owner has died: ends it, and what was the
 * owner's.
 */
void vhost_scsi_owner_work(struct work_struct *work)
{
	struct vhost_scsi *vs = container_of(work, struct vhost_scsi, ep_work);

	/* Nobody kills a kworker: see vhost_scsi_ioctl(). */
	if (mutex_lock_killable(&vs->dev.mutex))
		return;
	if (vs->dev.mm && vhost_scsi_ep_is_orphan(vs))
		vhost_scsi_owner_bury(vs);
	else if (vs->ep)
		vhost_scsi_tpg_bind_more(vs->ep);
	mutex_unlock(&vs->dev.mutex);
}
