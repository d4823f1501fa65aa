// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vhost-scsi: an in-kernel virtio-scsi target for KVM guests.
 *
 * The map of the module; calls go down only (the list in the Makefile; lab/report/arrows,
 * by make lint). vhost_scsi.h has the words, the locks and the invariants. Each file says
 * in its head what enters and what leaves: its input and output.
 *
 *   front door    scsi.c            open, ioctl, release, features
 *                 scsi_iommu.c      translations, for a guest behind an IOMMU
 *                 scsi_owner.c      what ends with the owner
 *                 scsi_endpoint.c   set and clear the endpoint
 *                 scsi_drain.c      waiting for what was taken from the rings
 *                 scsi_fabric.c     configfs; LIO's fabric ops
 *                 scsi_attrib.c     attributes of a TPG
 *                 scsi_name.c       names of targets and initiators
 *                 scsi_nexus.c      I_T nexus of a TPG
 *                 scsi_tpg.c        TPGs, LUNs: who serves what
 *                 scsi_stats.c      counters, in fdinfo
 *   queues        scsi_io.c         the worker's turn at a request queue
 *                 scsi_poll.c       polling a queue before sleeping
 *                 scsi_ctl.c        control requests
 *                 scsi_tmf.c        task management functions
 *                 scsi_tmr.c        the parts of one, for LIO
 *   one request   scsi_request.c    a request, from its bytes to LIO
 *                 scsi_unit.c       what changes about a unit
 *                 scsi_event.c      hot-plug events
 *                 scsi_submit.c     a command on its way into LIO
 *                 scsi_kind.c       what a unit is
 *                 scsi_direct.c     who executes a command: worker or LIO
 *   one command   scsi_cmd.c        LIO's callbacks, answer
 *                 scsi_execute.c    commands that LIO executes through us
 *                 scsi_reserve.c    those about reservations
 *                 scsi_reserve_check.c  what of them LIO does not survive
 *                 scsi_ua.c         the unit attentions that LIO keeps
 *                 scsi_task.c       what LIO gives back: commands, parts of functions
 *                 scsi_slot.c       slots: where commands live
 *                 scsi_queued.c     which disks LIO's own queue is busy with
 *   leaves        scsi_ring.c       the virtqueue
 *                 scsi_chain.c      descriptor chains in the usual form
 *                 scsi_chain_any.c  those of any form
 *                 scsi_log.c        the dirty log
 *                 scsi_iotlb.c      rings of a guest behind an IOMMU
 *                 scsi_inflight.c   what LIO works on, and waiting for it
 *                 scsi_map.c        guest buffers to scatterlists
 *                 scsi_sg.c         the pages of a guest as one
 *                 scsi_held.c       guest memory that stays pinned
 *                 scsi_check.c      the gate: what LIO gets of a command, if it does
 *                 scsi_passed.c     commands that go on to a unit of its own
 *                 scsi_read_only.c  those that do not change it
 *                 scsi_op.c         operation codes
 *                 scsi_wire_ctl.c   bytes to types and back: control and event queues
 *                 scsi_wire.c       the same for requests
 *                 scsi_trace.c      tracepoints
 *
 * A READ: scsi_io.c takes its chain with scsi_ring.c. scsi_request.c decodes it
 * with scsi_wire.c, finds TPG and LUN, asks scsi_check.c what LIO may have of it,
 * takes a slot from scsi_slot.c, has scsi_map.c pin the guest's pages, and submits
 * it to LIO with scsi_submit.c. LIO moves the data into those pages and calls back into
 * scsi_task.c; the queue's worker writes the response and pushes the head (scsi_cmd.c).
 *
 * Enters: system calls on the device node. Leaves: errnos.
 * Context: process; dev.mutex serialises everything but open and fdinfo.
 * Invariant: release always ends the endpoint.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "scsi_tmf.h"

/* What the device offers: the core's features that work here, and ours. */
#define VHOST_SCSI_FEATURES (BIT_ULL(VIRTIO_F_NOTIFY_ON_EMPTY) |	\
			     BIT_ULL(VIRTIO_SCSI_F_T10_PI) |	\
			     BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |	\
			     BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |		\
			     BIT_ULL(VIRTIO_F_ANY_LAYOUT) |		\
			     BIT_ULL(VIRTIO_F_VERSION_1) |		\
			     BIT_ULL(VIRTIO_SCSI_F_HOTPLUG) |		\
			     BIT_ULL(VIRTIO_SCSI_F_CHANGE) |		\
			     BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |	\
			     BIT_ULL(VHOST_F_LOG_ALL))
#define VHOST_SCSI_BACKEND_FEATURES BIT_ULL(VHOST_BACKEND_F_IOTLB_MSG_V2)

#define VHOST_SCSI_MIN_IO_VQS	1
#define VHOST_SCSI_MAX_IO_VQS	1024

static unsigned int max_io_vqs = 128;

static int vhost_scsi_set_max_io_vqs(const char *val,
				     const struct kernel_param *kp)
{
	unsigned int nr;
	int ret;

	ret = kstrtouint(val, 0, &nr);
	if (ret)
		return ret;
	max_io_vqs = clamp(nr, VHOST_SCSI_MIN_IO_VQS, VHOST_SCSI_MAX_IO_VQS);
	if (nr != max_io_vqs)
		pr_warn_ratelimited("vhost-scsi: max_io_vqs is limited to %u\n",
				    max_io_vqs);
	return 0;
}

static const struct kernel_param_ops vhost_scsi_max_io_vqs_ops = {
	.set = vhost_scsi_set_max_io_vqs,
	.get = param_get_uint,
};

module_param_cb(max_io_vqs, &vhost_scsi_max_io_vqs_ops, &max_io_vqs, 0644);
MODULE_PARM_DESC(max_io_vqs,
		 "Request queues of a device opened from now on, 1 to 1024 (default 128)");

static void vhost_scsi_init_vq(struct vhost_scsi *vs, unsigned int index)
{
	struct vhost_scsi_vq *svq = &vs->svq[index];

	svq->index = index;
	init_llist_head(&svq->done);
	INIT_WORK(&svq->drop_work, index == VHOST_SCSI_VQ_CTL ?
		  vhost_scsi_tmf_drop_work : vhost_scsi_cmd_drop_work);
	vs->vqs[index] = &svq->vq;

	switch (index) {
	case VHOST_SCSI_VQ_CTL:
		svq->vq.handle_kick = vhost_scsi_ctl_kick;
		vhost_work_init(&svq->done_work, vhost_scsi_tmf_done_work);
		break;
	case VHOST_SCSI_VQ_EVT:
		svq->vq.handle_kick = vhost_scsi_evt_kick;
		break;
	default:
		svq->vq.handle_kick = vhost_scsi_io_kick;
		vhost_work_init(&svq->done_work, vhost_scsi_io_done_work);
		break;
	}
}

static int vhost_scsi_open(struct inode *inode, struct file *file)
{
	unsigned int i, nr = READ_ONCE(max_io_vqs) + VHOST_SCSI_VQ_IO;
	struct vhost_scsi *vs;

	/* 2.3 MiB for 128 queues, which kvmalloc() makes a power of two. */
	vs = __vmalloc(struct_size(vs, svq, nr), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!vs)
		return -ENOMEM;
	vs->nr_vqs = nr;
	/* The device keeps pointing to it; freed in release. */
	vs->vqs = kvcalloc(nr, sizeof(*vs->vqs), GFP_KERNEL_ACCOUNT);
	if (!vs->vqs) {
		vfree(vs);
		return -ENOMEM;
	}

	init_waitqueue_head(&vs->drained);
	INIT_WORK(&vs->ep_work, vhost_scsi_owner_work);
	INIT_LIST_HEAD(&vs->tmfs);
	vhost_scsi_evt_init(vs);
	for (i = 0; i < nr; i++)
		vhost_scsi_init_vq(vs, i);
	/* The core's arrays of that many pieces, 24 KiB a queue for 1024, are not used here. */
	vhost_dev_init(&vs->dev, vs->vqs, nr, 1, VHOST_SCSI_WEIGHT, 0, true,
		       vhost_scsi_iommu_msg);
	file->private_data = vs;
	return 0;
}

static int vhost_scsi_release(struct inode *inode, struct file *file)
{
	struct vhost_scsi *vs = file->private_data;

	mutex_lock(&vs->dev.mutex);
	vhost_scsi_owner_disown(vs);
	mutex_unlock(&vs->dev.mutex);
	cancel_work_sync(&vs->ep_work);
	kvfree(vs->vqs);
	vfree(vs);
	return 0;
}

/* Under an endpoint a log that begins needs a bitmap. */
static bool vhost_scsi_log_ok(struct vhost_scsi *vs)
{
	if (vs->ep && !vs->svq[0].vq.log_base)
		return false;
	return vhost_log_access_ok(&vs->dev);
}

/*
 * Header sizes and slots depend on the features: all but LOG_ALL are fixed under an
 * endpoint. Commands taken before LOG_ALL do not log: wait for them.
 */
static long vhost_scsi_set_features(struct vhost_scsi *vs, u64 features)
{
	const u64 log = BIT_ULL(VHOST_F_LOG_ALL);
	u64 changed = features ^ vs->svq[0].vq.acked_features;
	unsigned int i;
	int ret = 0;

	lockdep_assert_held(&vs->dev.mutex);
	if (features & ~VHOST_SCSI_FEATURES)
		return -EOPNOTSUPP;
	if (vs->ep && changed & ~log)
		return -EBUSY;
	if (features & log && !vhost_scsi_log_ok(vs))
		return -EFAULT;
	if (!vs->ep)
		ret = vhost_scsi_iommu_set(vs, features & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM));
	if (ret)
		return ret;

	for (i = 0; i < vs->nr_vqs; i++) {
		struct vhost_virtqueue *vq = &vs->svq[i].vq;

		mutex_lock(&vq->mutex);
		vq->acked_features = features;
		mutex_unlock(&vq->mutex);
	}
	if (vs->ep && changed & features & log)
		vhost_scsi_drain_wait(vs);
	return 0;
}

/*
 * One bitmap for all queues. The core gives it to those that could write it, and then
 * says that others could not: none has it then.
 */
static long vhost_scsi_set_log_base(struct vhost_scsi *vs, void __user *argp)
{
	struct vhost_virtqueue *first = &vs->svq[0].vq;
	bool logs = vs->ep && vhost_has_feature(first, VHOST_F_LOG_ALL);
	void __user *before = first->log_base;
	unsigned int i;
	u64 base;
	long ret;

	lockdep_assert_held(&vs->dev.mutex);
	if (copy_from_user(&base, argp, sizeof(base)) || (logs && !base))
		return -EFAULT;
	ret = vhost_dev_ioctl(&vs->dev, VHOST_SET_LOG_BASE, argp);
	if (!ret && logs && !first->log_base)	/* It has read another one. */
		ret = -EFAULT;
	for (i = 0; ret && i < vs->nr_vqs; i++) {
		mutex_lock(&vs->svq[i].vq.mutex);
		vs->svq[i].vq.log_base = before;
		mutex_unlock(&vs->svq[i].vq.mutex);
	}
	return ret;
}

static long vhost_scsi_set_backend_features(struct vhost_scsi *vs, u64 features)
{
	unsigned int i;

	lockdep_assert_held(&vs->dev.mutex);
	if (features & ~VHOST_SCSI_BACKEND_FEATURES)
		return -EOPNOTSUPP;
	for (i = 0; i < vs->nr_vqs; i++) {
		mutex_lock(&vs->svq[i].vq.mutex);
		vs->svq[i].vq.acked_backend_features = features;
		mutex_unlock(&vs->svq[i].vq.mutex);
	}
	return 0;
}

static long vhost_scsi_endpoint_ioctl(struct vhost_scsi *vs, unsigned int ioctl,
				      void __user *argp)
{
	struct vhost_scsi_target target;
	long ret;

	if (copy_from_user(&target, argp, sizeof(target)))
		return -EFAULT;
	if (target.reserved)
		return -EOPNOTSUPP;
	if (ioctl == VHOST_SCSI_SET_ENDPOINT)
		return vhost_scsi_ep_set(vs, &target);
	ret = vhost_scsi_ep_clear(vs, &target);
	vhost_scsi_owner_look(vs);
	return ret;
}

/*
 * What says where a ring lies and how far it has come sets it up; an eventfd does
 * not: VMMs swap and mask those of any queue at any time. The core reads the number
 * of the queue once more; a VMM that changes it meanwhile confuses itself only.
 */
static long vhost_scsi_vring_ioctl(struct vhost_scsi *vs, unsigned int ioctl,
				   void __user *argp)
{
	u32 index;
	long ret;

	switch (ioctl) {
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
	case VHOST_SET_VRING_ADDR:
		break;
	default:
		return vhost_vring_ioctl(&vs->dev, ioctl, argp);
	}
	if (get_user(index, (u32 __user *)argp))
		return -EFAULT;
	ret = vhost_vring_ioctl(&vs->dev, ioctl, argp);
	if (!ret)
		vhost_scsi_ep_ring_set_up(vs, index);
	return ret;
}

/* What the vhost core serves, per device first, then per queue. */
static long vhost_scsi_core_ioctl(struct vhost_scsi *vs, unsigned int ioctl,
				  void __user *argp)
{
	long ret;

	ret = vhost_dev_ioctl(&vs->dev, ioctl, argp);
	if (ret == -ENOIOCTLCMD)
		return vhost_scsi_vring_ioctl(vs, ioctl, argp);
	if (ioctl == VHOST_SET_OWNER && ret == -EBUSY && vhost_scsi_owner_look(vs))
		ret = vhost_dev_ioctl(&vs->dev, ioctl, argp);
	if (ioctl == VHOST_SET_MEM_TABLE && !ret)
		vhost_scsi_ep_memory_changed(vs);
	return ret;
}

static long vhost_scsi_locked_ioctl(struct vhost_scsi *vs, unsigned int ioctl,
				    void __user *argp)
{
	u32 missed;
	u64 features;

	lockdep_assert_held(&vs->dev.mutex);
	switch (ioctl) {
	case VHOST_SCSI_SET_ENDPOINT:
	case VHOST_SCSI_CLEAR_ENDPOINT:
		return vhost_scsi_endpoint_ioctl(vs, ioctl, argp);
	case VHOST_SCSI_GET_ABI_VERSION:
		return put_user(VHOST_SCSI_ABI_VERSION, (int __user *)argp);
	case VHOST_SCSI_SET_EVENTS_MISSED:
		if (get_user(missed, (u32 __user *)argp))
			return -EFAULT;
		vhost_scsi_evt_set_missed(vs, missed);
		return 0;
	case VHOST_SCSI_GET_EVENTS_MISSED:
		return put_user((u32)vhost_scsi_evt_get_missed(vs),
				(u32 __user *)argp);
	case VHOST_GET_FEATURES:
		features = VHOST_SCSI_FEATURES;
		return copy_to_user(argp, &features, sizeof(features)) ?
		       -EFAULT : 0;
	case VHOST_NEW_WORKER:
	case VHOST_FREE_WORKER:
	case VHOST_ATTACH_VRING_WORKER:
	case VHOST_GET_VRING_WORKER:
		return vhost_worker_ioctl(&vs->dev, ioctl, argp);
	case VHOST_SET_FEATURES:
		if (copy_from_user(&features, argp, sizeof(features)))
			return -EFAULT;
		return vhost_scsi_set_features(vs, features);
	case VHOST_SET_LOG_BASE:
		return vhost_scsi_set_log_base(vs, argp);
	case VHOST_GET_BACKEND_FEATURES:
		features = VHOST_SCSI_BACKEND_FEATURES;
		return copy_to_user(argp, &features, sizeof(features)) ?
		       -EFAULT : 0;
	case VHOST_SET_BACKEND_FEATURES:
		if (copy_from_user(&features, argp, sizeof(features)))
			return -EFAULT;
		return vhost_scsi_set_backend_features(vs, features);
	}
	return vhost_scsi_core_ioctl(vs, ioctl, argp);
}

/*
 * Another call may wait for a backstore, with the mutex: killable, since the hung-task
 * detector leaves that alone.
 */
static long vhost_scsi_ioctl(struct file *file, unsigned int ioctl,
			     unsigned long arg)
{
	struct vhost_scsi *vs = file->private_data;
	long ret;

	if (mutex_lock_killable(&vs->dev.mutex))
		return -EINTR;
	ret = vhost_scsi_locked_ioctl(vs, ioctl, (void __user *)arg);
	mutex_unlock(&vs->dev.mutex);
	return ret;
}

static const struct file_operations vhost_scsi_fops = {
	.owner		= THIS_MODULE,
	.open		= vhost_scsi_open,
	.release	= vhost_scsi_release,
	.read_iter	= vhost_scsi_iommu_read,
	.write_iter	= vhost_scsi_iommu_write,
	.poll		= vhost_scsi_iommu_poll,
	.unlocked_ioctl	= vhost_scsi_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
	.show_fdinfo	= vhost_scsi_stats_show,
};

static struct miscdevice vhost_scsi_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "vhost-scsi",
	.fops	= &vhost_scsi_fops,
};

static int __init vhost_scsi_init(void)
{
	int ret;

	ret = vhost_scsi_reserve_init();
	if (ret)
		return ret;
	ret = vhost_scsi_fabric_init();
	if (ret)
		goto err_reserve;
	/* Last: an open must not outlive a failed init. */
	ret = misc_register(&vhost_scsi_misc);
	if (ret)
		goto err_fabric;
	return 0;

err_fabric:
	vhost_scsi_fabric_exit();
err_reserve:
	vhost_scsi_reserve_exit();
	return ret;
}

static void __exit vhost_scsi_exit(void)
{
	misc_deregister(&vhost_scsi_misc);
	vhost_scsi_fabric_exit();
	vhost_scsi_reserve_exit();
}

module_init(vhost_scsi_init);
module_exit(vhost_scsi_exit);

MODULE_DESCRIPTION("In-kernel virtio-scsi target for KVM guests");
MODULE_ALIAS("tcm_vhost");
MODULE_LICENSE("GPL");
