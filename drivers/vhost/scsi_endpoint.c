// SPDX-License-Identifier: GPL-2.0
/*
 * SET_ENDPOINT and CLEAR_ENDPOINT: collect targets, size slots, publish;
 * unpublish, drain, free.
 *
 * Enters: the ioctls, release, the end of the owner.
 * Leaves: queues that run, or a device that nothing of LIO refers to.
 * Context: process, vs->dev.mutex held; each queue's mutex for its backend.
 * Invariant: nothing can fail after the first queue is published; clearing
 * cannot fail (I4).
 */
#include <linux/nospec.h>
#include <linux/slab.h>

#include "scsi_held.h"
#include "vhost_scsi.h"

/**
 * vhost_scsi_ep_ring_set_up() - the VMM has said something about a ring
 * @vs: device, dev.mutex held
 * @index: the queue, as the VMM says; what does not exist is passed over
 *
 * A guest that boots again need not use all queues that it used before. What its
 * driver left in the rings of the others is no request of its, and their memory
 * is no ring any more. So the first ring that is set up after an endpoint was
 * cleared makes all others forgotten. A VMM that sets none up keeps them all.
 */
void vhost_scsi_ep_ring_set_up(struct vhost_scsi *vs, unsigned int index)
{
	struct vhost_scsi_vq *svq;
	unsigned int i;

	lockdep_assert_held(&vs->dev.mutex);
	if (index >= vs->nr_vqs)
		return;
	for (i = 0; i < vs->nr_vqs && vs->rings_old; i++)
		vs->svq[i].set_up = false;
	vs->rings_old = false;
	svq = &vs->svq[array_index_nospec(index, vs->nr_vqs)];
	svq->set_up = true;
	if (vs->dev.iotlb)
		vhost_scsi_iotlb_moved(svq);
}

/* Is there a ring, and is it one of this boot's? */
static bool vhost_scsi_ep_serves(struct vhost_scsi_vq *svq)
{
	lockdep_assert_held(&svq->vq.dev->mutex);
	return svq->set_up && vhost_vq_is_setup(&svq->vq);
}

/* Are the rings that are set up where the guest's memory is? */
static bool vhost_scsi_ep_rings_ok(struct vhost_scsi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++)
		if (vs->svq[i].set_up && !vhost_vq_access_ok(&vs->svq[i].vq))
			return false;
	return true;
}

/* Pages that are written into no bitmap would be lost. */
static bool vhost_scsi_ep_log_ok(struct vhost_scsi *vs)
{
	struct vhost_virtqueue *first = &vs->svq[0].vq;

	return !vhost_has_feature(first, VHOST_F_LOG_ALL) || first->log_base;
}

static bool vhost_scsi_ep_any_ring(struct vhost_scsi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++)
		if (vhost_scsi_ep_serves(&vs->svq[i]))
			return true;
	return false;
}

/*
 * Make a queue ready to run: slots, the state of its rings, and their byte order.
 * The core looks at the rings of queues with a backend only, so it has one for the
 * moment; nobody sees it, the mutex is held.
 */
static int vhost_scsi_ep_prepare_vq(struct vhost_scsi_vq *svq,
				    struct vhost_scsi_ep *ep)
{
	int ret;

	if (!vhost_scsi_ep_serves(svq))
		return 0;
	if (svq->index >= VHOST_SCSI_VQ_IO) {
		ret = vhost_scsi_slot_alloc(svq);
		if (ret)
			return ret;
		ep->nr_io++;
	}

	mutex_lock(&svq->vq.mutex);
	/* It may ask for a translation, each time that this is tried. */
	if (svq->vq.iotlb)
		vhost_scsi_iotlb_ask_no_more(svq);
	vhost_vq_set_backend(&svq->vq, ep);
	ret = vhost_vq_init_access(&svq->vq);
	vhost_vq_set_backend(&svq->vq, NULL);
	mutex_unlock(&svq->vq.mutex);
	return ret;
}

static int vhost_scsi_ep_prepare(struct vhost_scsi *vs,
				 struct vhost_scsi_ep *ep)
{
	unsigned int i;
	int ret;

	for (i = 0; i < vs->nr_vqs; i++) {
		ret = vhost_scsi_ep_prepare_vq(&vs->svq[i], ep);
		if (ret)
			return ret;
	}
	return 0;
}

static void vhost_scsi_ep_free_slots(struct vhost_scsi *vs)
{
	unsigned int i;

	for (i = VHOST_SCSI_VQ_IO; i < vs->nr_vqs; i++)
		vhost_scsi_slot_free_all(&vs->svq[i]);
}

/* Pin the guest's memory, if a target wants that. */
static int vhost_scsi_ep_hold_memory(struct vhost_scsi_ep *ep)
{
	struct vhost_scsi_held *held;

	if (!ep->pin_memory)
		return 0;
	held = vhost_scsi_held_get(ep->vs->dev.umem);
	if (IS_ERR(held))
		return PTR_ERR(held);
	/* Pairs with READ_ONCE() in vhost_scsi_req_map_iter(). */
	smp_store_release(&ep->held, held);
	return 0;
}

/*
 * Let the queues run. One whose rings are not set up never does. What the
 * guest made available before now would wait for its next kick: look at once.
 */
static void vhost_scsi_ep_publish(struct vhost_scsi *vs,
				  struct vhost_scsi_ep *ep)
{
	unsigned int i;

	vs->ep = ep;
	/* From here on a ring that is set up, for the log say, is one of these. */
	vs->rings_old = false;
	schedule_delayed_work(&ep->scan, VHOST_SCSI_SCAN_PERIOD);
	for (i = 0; i < vs->nr_vqs; i++) {
		struct vhost_virtqueue *vq = &vs->svq[i].vq;

		if (!vhost_scsi_ep_serves(&vs->svq[i]))
			continue;
		mutex_lock(&vq->mutex);
		vhost_vq_set_backend(vq, ep);
		if (i == VHOST_SCSI_VQ_EVT)
			vhost_scsi_evt_open(vs);
		mutex_unlock(&vq->mutex);
		vhost_poll_queue(&vq->poll);
	}
}

/* Stop the queues. What was taken from them goes on, see the drain. */
static void vhost_scsi_ep_unpublish(struct vhost_scsi *vs)
{
	unsigned int i;

	vhost_scsi_evt_close(vs);
	for (i = 0; i < vs->nr_vqs; i++) {
		struct vhost_virtqueue *vq = &vs->svq[i].vq;

		mutex_lock(&vq->mutex);
		vhost_vq_set_backend(vq, NULL);
		mutex_unlock(&vq->mutex);
	}
}

/**
 * vhost_scsi_ep_is_orphan() - has every process that had the owner's memory ended?
 * @vs: device with an owner
 *
 * The device itself holds that memory, so what is mapped there stays, and with it
 * whatever that refers to. This may be the device: an io_uring with its descriptor
 * registered.
 *
 * Return: true if they have, and it can be known.
 */
bool vhost_scsi_ep_is_orphan(const struct vhost_scsi *vs)
{
#ifdef CONFIG_MEMCG
	return !rcu_access_pointer(vs->dev.mm->owner);
#else
	return false;
#endif
}

static void vhost_scsi_ep_scan_work(struct work_struct *work)
{
	struct vhost_scsi_ep *ep = container_of(to_delayed_work(work),
						struct vhost_scsi_ep, scan);

	if (!vhost_scsi_ep_is_orphan(ep->vs)) {
		/* What the VMM was asked for may not have come to it, for want of memory. */
		if (READ_ONCE(ep->vs->dev.iotlb))
			vhost_scsi_iotlb_retry(ep->vs, 1, 0);
		/* May wait for a TPG that is on its way out. */
		vhost_scsi_tpg_scan_all(ep);
	} else if (vhost_scsi_inflight_any(ep->vs)) {
		vhost_scsi_drain_drop(ep->vs);
	} else {
		/* Not before: the work would keep dev.mutex until a disk answers. */
		queue_work(vhost_scsi_unbound_wq, &ep->vs->ep_work);
		return;
	}
	schedule_delayed_work(&ep->scan, VHOST_SCSI_SCAN_PERIOD);
}

/* A guest that goes on, after a pause or on another host, has rings that were used. */
static bool vhost_scsi_ep_goes_on(struct vhost_scsi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++)
		if (vhost_scsi_ep_serves(&vs->svq[i]) && vs->svq[i].vq.last_avail_idx)
			return true;
	return false;
}

/* Nobody has told it what came, went and changed meanwhile. */
static bool vhost_scsi_ep_missed(struct vhost_scsi *vs)
{
	struct vhost_virtqueue *vq = &vs->svq[VHOST_SCSI_VQ_EVT].vq;

	return vhost_scsi_ep_goes_on(vs) &&
	       (vhost_has_feature(vq, VIRTIO_SCSI_F_HOTPLUG) ||
		vhost_has_feature(vq, VIRTIO_SCSI_F_CHANGE));
}

/**
 * vhost_scsi_ep_set() - VHOST_SCSI_SET_ENDPOINT
 * @vs: device, dev.mutex held
 * @t: which WWN to serve; the name need not be terminated
 *
 * Only for the owner: the rings are looked at in the caller's memory.
 *
 * Return: 0; -EPERM for another process than the owner, -EFAULT if the rings or
 * the memory table are not accessible, no ring is set up, or LOG_ALL is acknowledged
 * and there is no bitmap, -EEXIST if an endpoint is set, -ENOMEM, also if a target
 * wants memory pinned beyond RLIMIT_MEMLOCK, -EINTR if the caller is killed meanwhile,
 * -ERESTARTNOINTR, which the caller does not see, or -ENODEV if no TPG of the WWN is
 * free and has a nexus. A failure leaves no trace.
 */
int vhost_scsi_ep_set(struct vhost_scsi *vs, const struct vhost_scsi_target *t)
{
	struct vhost_scsi_ep *ep;
	int ret;

	/* The name stays terminated. */
	static_assert(sizeof(ep->name) > sizeof(t->vhost_wwpn));

	lockdep_assert_held(&vs->dev.mutex);
	ret = vhost_dev_check_owner(&vs->dev);
	if (ret)
		return ret;
	if (!vhost_scsi_ep_rings_ok(vs) || !vhost_scsi_ep_any_ring(vs) ||
	    !vhost_scsi_ep_log_ok(vs))
		return -EFAULT;
	if (vs->ep)
		return -EEXIST;

	ep = kzalloc(sizeof(*ep), GFP_KERNEL_ACCOUNT);
	if (!ep)
		return -ENOMEM;
	ep->vs = vs;
	INIT_DELAYED_WORK(&ep->scan, vhost_scsi_ep_scan_work);
	ep->memcg = get_mem_cgroup_from_mm(vs->dev.mm);
	memcpy(ep->name, t->vhost_wwpn,
	       strnlen(t->vhost_wwpn, sizeof(t->vhost_wwpn)));

	ret = vhost_scsi_tpg_bind_all(ep, vhost_scsi_ep_goes_on(vs));
	if (ret)
		goto err_free;
	ret = vhost_scsi_ep_prepare(vs, ep);
	if (ret)
		goto err_free_slots;
	ret = vhost_scsi_ep_hold_memory(ep);
	if (ret)
		goto err_free_slots;

	if (vhost_scsi_ep_missed(vs))
		vhost_scsi_evt_set_missed(vs, true);
	vhost_scsi_ep_publish(vs, ep);
	return 0;

err_free_slots:
	vhost_scsi_ep_free_slots(vs);
	vhost_scsi_tpg_unbind_all(ep);
err_free:
	mem_cgroup_put(ep->memcg);
	kfree(ep);
	return ret;
}

/*
 * Leave no work on the workers. VHOST_FREE_WORKER frees the worker of a queue without
 * backend and kick eventfd, work or not. vhost_scsi_release_cmd() of the last tasks may
 * still be about to queue one: wait for its RCU section, then for the work, which finds
 * nothing to do.
 */
static void vhost_scsi_ep_flush_workers(struct vhost_scsi *vs)
{
	lockdep_assert_held(&vs->dev.mutex);
	synchronize_rcu();
	vhost_dev_flush(&vs->dev);
}

/**
 * vhost_scsi_ep_release() - end the endpoint, whatever the rings look like
 * @vs: device, dev.mutex held
 *
 * Waits for every command and function that was accepted, and drops pending events.
 * Nothing of LIO refers to the device afterwards, and no work is queued on a worker.
 * Without an endpoint it does nothing.
 */
void vhost_scsi_ep_release(struct vhost_scsi *vs)
{
	lockdep_assert_held(&vs->dev.mutex);
	if (!vs->ep)
		return;

	vhost_scsi_ep_unpublish(vs);
	cancel_delayed_work_sync(&vs->ep->scan);
	vhost_scsi_drain_wait(vs);
	vhost_scsi_ep_flush_workers(vs);
	vhost_scsi_held_put(vs->ep->held);
	vhost_scsi_ep_free_slots(vs);
	vhost_scsi_tpg_unbind_all(vs->ep);
	mem_cgroup_put(vs->ep->memcg);
	kfree(vs->ep);
	vs->ep = NULL;
}

static bool vhost_scsi_ep_is_named(const struct vhost_scsi_ep *ep,
				   const struct vhost_scsi_target *t)
{
	size_t len = strnlen(t->vhost_wwpn, sizeof(t->vhost_wwpn));

	return strlen(ep->name) == len && !memcmp(ep->name, t->vhost_wwpn, len);
}

/**
 * vhost_scsi_ep_clear() - VHOST_SCSI_CLEAR_ENDPOINT
 * @vs: device, dev.mutex held
 * @t: the WWN that is served
 *
 * Works for whoever is left with the descriptor, not for the owner only.
 *
 * Return: 0, also if no endpoint is set; -EFAULT if the rings are not
 * accessible, -EINVAL if the name is another one.
 */
int vhost_scsi_ep_clear(struct vhost_scsi *vs,
			const struct vhost_scsi_target *t)
{
	lockdep_assert_held(&vs->dev.mutex);
	if (!vhost_scsi_ep_rings_ok(vs))
		return -EFAULT;
	if (vs->ep && !vhost_scsi_ep_is_named(vs->ep, t))
		return -EINVAL;

	vhost_scsi_ep_release(vs);
	/* Also of a boot whose endpoint was refused. */
	vs->rings_old = true;
	return 0;
}

/**
 * vhost_scsi_ep_memory_changed() - the device has another memory table
 * @vs: device, dev.mutex held, the caller its owner
 *
 * Responses and data go to addresses that were translated when the command came.
 * The old memory may be taken away after this returns. If the new one cannot be held,
 * each command pins its pages: the table is in force already.
 */
void vhost_scsi_ep_memory_changed(struct vhost_scsi *vs)
{
	struct vhost_scsi_ep *ep = vs->ep;
	struct vhost_scsi_held *held;

	lockdep_assert_held(&vs->dev.mutex);
	if (!ep)
		return;
	held = ep->held;
	WRITE_ONCE(ep->held, NULL);
	vhost_scsi_tpg_sync_queues(vs);
	vhost_scsi_drain_wait(vs);
	vhost_scsi_held_put(held);
	vhost_scsi_ep_hold_memory(ep);
}
