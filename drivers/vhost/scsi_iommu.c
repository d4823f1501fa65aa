// SPDX-License-Identifier: GPL-2.0
/*
 * A guest behind a virtual IOMMU: what the VMM and the device tell each other about
 * translations. The core's own functions for that take the mutexes of all queues as
 * lockdep's subclasses, of which there are eight.
 *
 * Enters: VHOST_SET_FEATURES; reads and writes of the device node, and poll(). Leaves:
 * the device IOTLB, and queues that go on.
 * Context: process; vs->dev.mutex, and the mutexes of all queues inside it.
 * Invariant: when VHOST_IOTLB_INVALIDATE returns, no command uses the translation.
 */
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/vhost_iotlb.h>

#include "vhost_scsi.h"

static void vhost_scsi_iommu_off(struct vhost_scsi *vs)
{
	struct vhost_iotlb *iotlb = vs->dev.iotlb;
	unsigned int i;

	if (!iotlb)
		return;
	vhost_scsi_iotlb_lock(vs);
	vs->dev.iotlb = NULL;
	for (i = 0; i < vs->nr_vqs; i++) {
		struct vhost_virtqueue *vq = &vs->svq[i].vq;

		vq->iotlb = NULL;
		/* They were addresses of the guest's. */
		vq->desc = NULL;
		vq->avail = NULL;
		vq->used = NULL;
		vq->log_used = false;
	}
	vhost_scsi_iotlb_unlock(vs);
	vhost_clear_msg(&vs->dev);
	vhost_iotlb_free(iotlb);
	/* Whoever polls is told. */
	wake_up_interruptible_poll(&vs->dev.wait, EPOLLIN | EPOLLRDNORM);
}

/* Is a translation one that the owner's memory can have? */
static bool vhost_scsi_iommu_ok(const struct vhost_iotlb_msg *msg)
{
	if (msg->iova + msg->size - 1 < msg->iova)
		return false;
	/* Where addresses are shorter, access_ok() would be asked for others. */
	return msg->uaddr <= ULONG_MAX && msg->size <= ULONG_MAX &&
	       msg->uaddr + msg->size >= msg->uaddr &&
	       access_ok((void __user *)(unsigned long)msg->uaddr, msg->size);
}

/*
 * Does the device IOTLB have it? A VMM answers each time that it is asked. It is then as
 * good as new: the oldest is retired first.
 */
static bool vhost_scsi_iommu_has(struct vhost_iotlb *iotlb,
				 const struct vhost_iotlb_msg *msg)
{
	u64 last = msg->iova + msg->size - 1;
	struct vhost_iotlb_map *map = vhost_iotlb_itree_first(iotlb, msg->iova, last);

	if (!map || map->start != msg->iova || map->last != last ||
	    map->addr != msg->uaddr || map->perm != msg->perm)
		return false;
	list_move_tail(&map->link, &iotlb->list);
	return true;
}

/**
 * vhost_scsi_iommu_set() - a guest is behind an IOMMU, or is not
 * @vs: device without endpoint, dev.mutex held
 * @on: which of the two
 *
 * Translations begin anew each time. Where it changes the rings have no address.
 *
 * Return: 0, -ENOMEM, or -EINVAL if the vhost module's max_iotlb_entries is 0.
 */
int vhost_scsi_iommu_set(struct vhost_scsi *vs, bool on)
{
	unsigned int i;

	lockdep_assert_held(&vs->dev.mutex);
	for (i = 0; i < vs->nr_vqs; i++)
		vhost_scsi_iotlb_reset(&vs->svq[i]);
	if (!on) {
		vhost_scsi_iommu_off(vs);
		return 0;
	}
	/* What was asked for the guest of before. */
	vhost_clear_msg(&vs->dev);
	return vhost_init_device_iotlb(&vs->dev);
}

static int vhost_scsi_iommu_update(struct vhost_scsi *vs,
				   const struct vhost_iotlb_msg *msg)
{
	u64 last = msg->iova + msg->size - 1;
	int ret = 0;

	if (!vhost_scsi_iommu_ok(msg))
		return -EFAULT;
	vhost_scsi_iotlb_lock(vs);
	if (!vhost_scsi_iommu_has(vs->dev.iotlb, msg))
		ret = vhost_iotlb_add_range(vs->dev.iotlb, msg->iova, last, msg->uaddr,
					    msg->perm);
	vhost_scsi_iotlb_told(vs, msg->iova, last);
	vhost_scsi_iotlb_unlock(vs);
	vhost_scsi_iotlb_retry(vs, msg->iova, last);
	return ret;
}

/* A range that wraps is cut: all is the size of 2^64 - 1. */
static void vhost_scsi_iommu_invalidate(struct vhost_scsi *vs,
					const struct vhost_iotlb_msg *msg)
{
	struct vhost_iotlb *iotlb = vs->dev.iotlb;
	u64 last = msg->iova + msg->size - 1;
	unsigned int before;

	if (last < msg->iova || msg->size == U64_MAX)
		last = U64_MAX;
	vhost_scsi_iotlb_lock(vs);
	before = iotlb->nmaps;
	vhost_iotlb_del_range(iotlb, msg->iova, last);
	vhost_scsi_iotlb_lost(vs, before - iotlb->nmaps);
	vhost_scsi_iotlb_unlock(vs);
	vhost_scsi_drain_wait(vs);
}

/**
 * vhost_scsi_iommu_msg() - the VMM has written a message
 * @dev: vhost's part of the device
 * @asid: address space, of which there is one
 * @msg: the message
 *
 * VHOST_IOTLB_INVALIDATE returns when the commands of before are answered, which takes as
 * long as their backstores take.
 *
 * Return: 0 or -errno, of which the core makes -EFAULT.
 */
int vhost_scsi_iommu_msg(struct vhost_dev *dev, u32 asid,
			 struct vhost_iotlb_msg *msg)
{
	struct vhost_scsi *vs = container_of(dev, struct vhost_scsi, dev);
	int ret;

	if (asid)
		return -EINVAL;
	if (mutex_lock_killable(&dev->mutex))
		return -EINTR;
	ret = dev->iotlb ? vhost_dev_check_owner(dev) : -EFAULT;
	if (ret)
		goto out;
	switch (msg->type) {
	case VHOST_IOTLB_UPDATE:
		ret = vhost_scsi_iommu_update(vs, msg);
		break;
	case VHOST_IOTLB_INVALIDATE:
		vhost_scsi_iommu_invalidate(vs, msg);
		break;
	default:
		ret = -EINVAL;
	}
out:
	mutex_unlock(&dev->mutex);
	return ret;
}

/**
 * vhost_scsi_iommu_read() - read of the device node: what the device misses
 * @iocb: read
 * @to: where to
 *
 * Never waits: QEMU reads until there is no more, also where its descriptor may block.
 *
 * Return: bytes; -EAGAIN if there is nothing, -EINVAL without a device IOTLB.
 */
ssize_t vhost_scsi_iommu_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct vhost_scsi *vs = iocb->ki_filp->private_data;

	if (!READ_ONCE(vs->dev.iotlb))
		return -EINVAL;
	return vhost_chr_read_iter(&vs->dev, to, true);
}

/**
 * vhost_scsi_iommu_write() - write of the device node: a message
 * @iocb: write
 * @from: struct vhost_msg or struct vhost_msg_v2
 *
 * Return: bytes; -EINVAL without a device IOTLB, or if it is none; else -EFAULT.
 */
ssize_t vhost_scsi_iommu_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct vhost_scsi *vs = iocb->ki_filp->private_data;

	if (!READ_ONCE(vs->dev.iotlb))
		return -EINVAL;
	return vhost_chr_write_iter(&vs->dev, from);
}

/**
 * vhost_scsi_iommu_poll() - poll() of the device node: is something missed?
 * @file: device node
 * @wait: poll table
 *
 * Return: EPOLLIN if there is something to read. Without a device IOTLB the node is
 * always ready, as one that does not know of poll().
 */
__poll_t vhost_scsi_iommu_poll(struct file *file, poll_table *wait)
{
	struct vhost_scsi *vs = file->private_data;
	__poll_t mask = vhost_chr_poll(file, &vs->dev, wait);

	return READ_ONCE(vs->dev.iotlb) ? mask : DEFAULT_POLLMASK;
}
