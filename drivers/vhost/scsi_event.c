// SPDX-License-Identifier: GPL-2.0
/*
 * Event queue: post, deliver, missed flag (virtio 1.2, "SCSI Host Device:
 * Device Operation: eventq").
 *
 * Enters: targets and LUNs that come, go and change; kicks. Leaves: events in
 * the guest's buffers, in the order in which they arose.
 * Context: posting in process context, below tpg->mutex, and configfs's locks where it
 * is one of its callbacks; delivering in the event queue's worker only, under the mutex of the
 * event virtqueue. Only evt.lock is between the two: a VMM decides how long the
 * worker stays in a page fault, with that mutex, and must not hold up those who post.
 * Invariant: an event is delivered, or the missed flag is set; only a guest that
 * has closed its used ring loses both.
 */
#include <linux/list.h>
#include <linux/slab.h>

#include "vhost_scsi.h"

/**
 * struct vhost_scsi_evt - an event that waits for a buffer
 * @entry: entry of vhost_scsi_evt_queue.pending
 * @event: VIRTIO_SCSI_T_*
 * @reason: VIRTIO_SCSI_EVT_RESET_*, or what has changed
 * @wire: its LUN field
 */
struct vhost_scsi_evt {
	struct list_head entry;
	u32 event;
	u32 reason;
	struct virtio_scsi_event wire;
};

static struct vhost_scsi_vq *vhost_scsi_evt_vq(struct vhost_scsi *vs)
{
	return &vs->svq[VHOST_SCSI_VQ_EVT];
}

static void vhost_scsi_evt_miss(struct vhost_scsi *vs)
{
	spin_lock(&vs->evt.lock);
	vs->evt.missed = true;
	spin_unlock(&vs->evt.lock);
}

/*
 * Whether the next buffer says that events were missed. If it cannot be written, the
 * caller sets the flag again for the one after it.
 */
static u32 vhost_scsi_evt_take_missed(struct vhost_scsi *vs)
{
	u32 flag;

	spin_lock(&vs->evt.lock);
	flag = vs->evt.missed ? VIRTIO_SCSI_T_EVENTS_MISSED : 0;
	vs->evt.missed = false;
	spin_unlock(&vs->evt.lock);
	return flag;
}

/*
 * Write one event into the next buffer. Without a buffer, or with one that
 * cannot hold it (it goes back with length 0), the event is missed. Returns false if
 * the buffer is not translated yet.
 */
static bool vhost_scsi_evt_write(struct vhost_scsi *vs,
				 struct vhost_scsi_evt *evt)
{
	struct vhost_scsi_vq *svq = vhost_scsi_evt_vq(vs);
	struct vhost_scsi_chain chain = {};
	enum vhost_scsi_take take;
	u32 len = 0;

	lockdep_assert_held(&svq->vq.mutex);
	take = vhost_scsi_ring_take(svq, &chain);
	if (take == VHOST_SCSI_TAKE_AGAIN)
		return false;
	if (take != VHOST_SCSI_TAKE_CHAIN) {
		vhost_scsi_evt_miss(vs);
		return true;
	}
	vhost_scsi_wire_encode_evt(&evt->wire, vhost_is_little_endian(&svq->vq),
				   evt->event | vhost_scsi_evt_take_missed(vs),
				   evt->reason);
	if (chain.in_len >= sizeof(evt->wire) &&
	    vhost_scsi_ring_write(svq, vhost_scsi_ring_in_iov(svq, &chain), chain.in,
				  &evt->wire, sizeof(evt->wire)))
		len = sizeof(evt->wire);
	else
		vhost_scsi_evt_miss(vs);
	vhost_scsi_ring_push(svq, chain.head, len);
	return true;
}

/* The next event that is pending, NULL if none is; the caller frees it. */
static struct vhost_scsi_evt *vhost_scsi_evt_next(struct vhost_scsi *vs)
{
	struct vhost_scsi_evt *evt;

	spin_lock(&vs->evt.lock);
	evt = list_first_entry_or_null(&vs->evt.pending, struct vhost_scsi_evt,
				       entry);
	if (evt) {
		list_del(&evt->entry);
		vs->evt.nr--;
	}
	spin_unlock(&vs->evt.lock);
	return evt;
}

/* Its turn comes again. */
static void vhost_scsi_evt_put_back(struct vhost_scsi *vs,
				    struct vhost_scsi_evt *evt)
{
	spin_lock(&vs->evt.lock);
	if (vs->evt.open) {
		list_add(&evt->entry, &vs->evt.pending);
		vs->evt.nr++;
		evt = NULL;
	}
	spin_unlock(&vs->evt.lock);
	kfree(evt);
}

/*
 * Deliver what is pending; an event without a buffer is missed. Returns false as
 * vhost_scsi_evt_write() does.
 */
static bool vhost_scsi_evt_deliver(struct vhost_scsi *vs)
{
	struct vhost_scsi_evt *evt;

	while ((evt = vhost_scsi_evt_next(vs))) {
		if (!vhost_scsi_evt_write(vs, evt)) {
			vhost_scsi_evt_put_back(vs, evt);
			return false;
		}
		kfree(evt);
	}
	return true;
}

static void vhost_scsi_evt_run(struct vhost_scsi *vs, bool kicked)
{
	struct vhost_scsi_vq *svq = vhost_scsi_evt_vq(vs);
	struct vhost_scsi_evt none = { .event = VIRTIO_SCSI_T_NO_EVENT };

	mutex_lock(&svq->vq.mutex);
	if (vhost_vq_get_backend(&svq->vq) && vhost_scsi_iotlb_open(svq)) {
		if (vhost_scsi_evt_deliver(vs) && kicked && READ_ONCE(vs->evt.missed))
			vhost_scsi_evt_write(vs, &none);
		vhost_enable_notify(&vs->dev, &svq->vq);
		vhost_scsi_ring_flush(svq);
	}
	mutex_unlock(&svq->vq.mutex);
}

static void vhost_scsi_evt_work(struct vhost_work *work)
{
	vhost_scsi_evt_run(container_of(work, struct vhost_scsi, evt.work),
			   false);
}

/**
 * vhost_scsi_evt_kick() - the guest has put buffers on the event queue
 * @work: the virtqueue's poll work
 *
 * It learns then that events were missed.
 */
void vhost_scsi_evt_kick(struct vhost_work *work)
{
	struct vhost_virtqueue *vq = container_of(work, struct vhost_virtqueue,
						  poll.work);

	vhost_scsi_evt_run(to_vs(to_svq(vq)), true);
}

/* Forget what is pending. */
static void vhost_scsi_evt_drop(struct vhost_scsi *vs)
{
	struct vhost_scsi_evt *evt, *next;

	lockdep_assert_held(&vs->evt.lock);
	list_for_each_entry_safe(evt, next, &vs->evt.pending, entry)
		kfree(evt);
	INIT_LIST_HEAD(&vs->evt.pending);
	vs->evt.nr = 0;
}

/**
 * vhost_scsi_evt_open() - events are for the guest from now on
 * @vs: device, mutex of the event virtqueue held, which has a backend
 */
void vhost_scsi_evt_open(struct vhost_scsi *vs)
{
	struct vhost_virtqueue *vq = &vhost_scsi_evt_vq(vs)->vq;

	lockdep_assert_held(&vq->mutex);
	spin_lock(&vs->evt.lock);
	vs->evt.open = true;
	vs->evt.hotplug = vhost_has_feature(vq, VIRTIO_SCSI_F_HOTPLUG);
	vs->evt.change = vhost_has_feature(vq, VIRTIO_SCSI_F_CHANGE);
	spin_unlock(&vs->evt.lock);
}

/**
 * vhost_scsi_evt_close() - the endpoint goes, and what is pending with it
 * @vs: device
 *
 * Afterwards no event is queued any more.
 */
void vhost_scsi_evt_close(struct vhost_scsi *vs)
{
	spin_lock(&vs->evt.lock);
	vs->evt.open = false;
	vhost_scsi_evt_drop(vs);
	spin_unlock(&vs->evt.lock);
}

/* Queue an event for delivery; false if that was not to be, or not possible. */
static bool vhost_scsi_evt_queue(struct vhost_scsi *vs,
				 struct vhost_scsi_evt *evt)
{
	lockdep_assert_held(&vs->evt.lock);
	if (!evt || vs->evt.nr >= VHOST_SCSI_MAX_EVENTS) {
		vs->evt.missed = true;
		return false;
	}
	list_add_tail(&evt->entry, &vs->evt.pending);
	vs->evt.nr++;
	/* Without a worker nobody reads events any more. */
	if (!vhost_vq_work_queue(&vhost_scsi_evt_vq(vs)->vq, &vs->evt.work))
		vhost_scsi_evt_drop(vs);
	return true;
}

/*
 * Without an endpoint, for a guest that did not acknowledge the feature, which
 * @wanted says, and for a LUN that it cannot name, nothing happens, and nothing is
 * missed.
 */
static void vhost_scsi_evt_post(struct vhost_scsi *vs, const bool *wanted,
				u32 event, u8 target, u64 lun, u32 reason)
{
	struct vhost_scsi_evt *evt;
	bool queued = false;

	if (lun > VHOST_SCSI_MAX_LUN)
		return;
	evt = kzalloc(sizeof(*evt), GFP_KERNEL);
	if (evt) {
		evt->event = event;
		evt->reason = reason;
		vhost_scsi_wire_encode_lun(evt->wire.lun, target, lun);
	}
	spin_lock(&vs->evt.lock);
	if (vs->evt.open && *wanted)
		queued = vhost_scsi_evt_queue(vs, evt);
	spin_unlock(&vs->evt.lock);
	if (!queued)
		kfree(evt);
}

/**
 * vhost_scsi_evt_post_lun() - a LUN has come or gone
 * @vs: device that serves it
 * @target: target id
 * @lun: its LUN; 0 stands for the whole target too
 * @reason: VIRTIO_SCSI_EVT_RESET_RESCAN or VIRTIO_SCSI_EVT_RESET_REMOVED
 *
 * For guests that acknowledged VIRTIO_SCSI_F_HOTPLUG.
 */
void vhost_scsi_evt_post_lun(struct vhost_scsi *vs, u8 target, u64 lun,
			     u32 reason)
{
	vhost_scsi_evt_post(vs, &vs->evt.hotplug,
			    VIRTIO_SCSI_T_TRANSPORT_RESET, target, lun, reason);
}

/**
 * vhost_scsi_evt_post_change() - parameters of a unit have changed
 * @vs: device that serves it
 * @target: target id
 * @lun: its LUN
 * @asc: additional sense code that says what has changed
 * @ascq: its qualifier
 *
 * For guests that acknowledged VIRTIO_SCSI_F_CHANGE.
 */
void vhost_scsi_evt_post_change(struct vhost_scsi *vs, u8 target, u64 lun,
				u8 asc, u8 ascq)
{
	vhost_scsi_evt_post(vs, &vs->evt.change,
			    VIRTIO_SCSI_T_PARAM_CHANGE, target, lun,
			    asc | ascq << 8);
}

/**
 * vhost_scsi_evt_set_missed() - VHOST_SCSI_SET_EVENTS_MISSED
 * @vs: device
 * @missed: the next event delivered says that events were missed
 *
 * Waits for the event that the worker is writing.
 */
void vhost_scsi_evt_set_missed(struct vhost_scsi *vs, bool missed)
{
	struct vhost_virtqueue *vq = &vhost_scsi_evt_vq(vs)->vq;

	mutex_lock(&vq->mutex);
	spin_lock(&vs->evt.lock);
	vs->evt.missed = missed;
	spin_unlock(&vs->evt.lock);
	mutex_unlock(&vq->mutex);
}

/**
 * vhost_scsi_evt_get_missed() - VHOST_SCSI_GET_EVENTS_MISSED
 * @vs: device
 *
 * Return: true if the guest has yet to learn that events were missed.
 */
bool vhost_scsi_evt_get_missed(struct vhost_scsi *vs)
{
	struct vhost_virtqueue *vq = &vhost_scsi_evt_vq(vs)->vq;
	bool missed;

	mutex_lock(&vq->mutex);
	missed = READ_ONCE(vs->evt.missed);
	mutex_unlock(&vq->mutex);
	return missed;
}

/**
 * vhost_scsi_evt_init() - prepare the events of a new device
 * @vs: device
 */
void vhost_scsi_evt_init(struct vhost_scsi *vs)
{
	spin_lock_init(&vs->evt.lock);
	INIT_LIST_HEAD(&vs->evt.pending);
	vhost_work_init(&vs->evt.work, vhost_scsi_evt_work);
}
