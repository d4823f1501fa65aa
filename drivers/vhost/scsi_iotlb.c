// SPDX-License-Identifier: GPL-2.0
/*
 * A guest behind a virtual IOMMU: are the rings of a queue translated?
 *
 * The core asks the VMM for a translation that it misses; until there is one the queue is
 * left alone. Where a used ring lay is kept, for whoever has to wait for what the queue
 * has in flight when it is translated no more (scsi_drain.c).
 *
 * Enters: a queue; a change of the device IOTLB. Leaves: whether the core can reach the
 * rings.
 * Context: vq->mutex, in a vhost worker; changing, vs->dev.mutex and those of all queues.
 * Invariant: I1, no answer is pushed to a ring that the core cannot reach.
 */
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vhost_iotlb.h>

#include "vhost_scsi.h"

static u64 vhost_scsi_iotlb_used_last(const struct vhost_virtqueue *vq)
{
	/* The last two bytes are the event's. */
	return (unsigned long)vq->used + sizeof(*vq->used) +
	       vq->num * sizeof(*vq->used->ring) + sizeof(__virtio16) - 1;
}

/* Returns false if there is no room for a further piece. */
static bool vhost_scsi_iotlb_keep_piece(struct vhost_scsi_iotlb *kept, u64 start,
					u64 last, u64 addr)
{
	struct vhost_scsi_iotlb_piece *end = kept->piece + kept->nr - 1;

	if (kept->nr && end->addr + (start - end->start) == addr) {
		end->last = last;
		return true;
	}
	if (kept->nr == ARRAY_SIZE(kept->piece))
		return false;
	kept->piece[kept->nr++] = (struct vhost_scsi_iotlb_piece) {
		.start = start, .last = last, .addr = addr,
	};
	return true;
}

/*
 * Find where the used ring lies, from its beginning on. Returns false if that is too
 * scattered.
 */
static bool vhost_scsi_iotlb_keep(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_iotlb *kept = &svq->iotlb;
	const struct vhost_iotlb_map *map;
	u64 at;

	kept->first = (unsigned long)svq->vq.used;
	kept->last = vhost_scsi_iotlb_used_last(&svq->vq);
	kept->nr = 0;
	for (at = kept->first; at <= kept->last; at = map->last + 1) {
		map = vhost_iotlb_itree_first(svq->vq.iotlb, at, kept->last);
		if (!map || map->start > at)
			break;
		if (!vhost_scsi_iotlb_keep_piece(kept, at, min(map->last, kept->last),
						 map->addr + (at - map->start))) {
			vq_err(&svq->vq, "used ring in too many pieces\n");
			return false;
		}
		if (map->last >= kept->last)
			break;
	}
	return true;
}

/**
 * vhost_scsi_iotlb_reset() - forget how a queue was translated
 * @svq: queue without a ring of this guest's, dev.mutex held
 */
void vhost_scsi_iotlb_reset(struct vhost_scsi_vq *svq)
{
	lockdep_assert_held(&svq->vq.dev->mutex);
	mutex_lock(&svq->vq.mutex);
	svq->iotlb = (struct vhost_scsi_iotlb) { };
	mutex_unlock(&svq->vq.mutex);
}

/**
 * vhost_scsi_iotlb_moved() - the VMM has said where the rings of a queue are
 * @svq: queue with a device IOTLB, dev.mutex held
 *
 * They may be where they were, and what is in flight needs the used ring (I1): what is
 * known of that stays.
 */
void vhost_scsi_iotlb_moved(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_iotlb *kept = &svq->iotlb;

	lockdep_assert_held(&svq->vq.dev->mutex);
	mutex_lock(&svq->vq.mutex);
	kept->ready = false;
	kept->rings = (struct vhost_scsi_iotlb_need) { };
	if (kept->first != (unsigned long)svq->vq.used ||
	    kept->last != vhost_scsi_iotlb_used_last(&svq->vq))
		vhost_scsi_iotlb_keep(svq);
	mutex_unlock(&svq->vq.mutex);
	/* It looks for a translation that may be there. */
	if (vhost_vq_get_backend(&svq->vq))
		vhost_poll_queue(&svq->vq.poll);
}

static void vhost_scsi_iotlb_forget(const struct vhost_virtqueue *vq,
				    struct list_head *list)
{
	struct vhost_msg_node *node, *next;

	lockdep_assert_held(&vq->dev->iotlb_lock);
	list_for_each_entry_safe(node, next, list, node) {
		if (node->vq != vq)
			continue;
		list_del(&node->node);
		kfree(node);
	}
}

/**
 * vhost_scsi_iotlb_ask_no_more() - take back what the VMM was asked for a queue
 * @svq: queue with a device IOTLB, vq->mutex held
 *
 * Nobody must fill the host's memory with the same question.
 */
void vhost_scsi_iotlb_ask_no_more(struct vhost_scsi_vq *svq)
{
	struct vhost_dev *dev = svq->vq.dev;

	spin_lock(&dev->iotlb_lock);
	vhost_scsi_iotlb_forget(&svq->vq, &dev->read_list);
	vhost_scsi_iotlb_forget(&svq->vq, &dev->pending_list);
	vhost_scsi_has_no_miss(&svq->vq);
	spin_unlock(&dev->iotlb_lock);
}

static struct vhost_scsi_iotlb_need *vhost_scsi_iotlb_asked(struct vhost_scsi_iotlb *kept)
{
	return kept->for_rings ? &kept->rings : &kept->chain;
}

/* May the VMM be asked again for what needs too much? */
static bool vhost_scsi_iotlb_has_rested(const struct vhost_scsi_iotlb_need *need)
{
	return time_after_eq(jiffies, need->rest);
}

/*
 * A queue misses something. What needs more translations than there can be, or what no
 * translation serves, misses the next one whenever it gets one. The VMM is told so by the
 * queue's error eventfd, and not asked for some time, whatever makes the queue look
 * meanwhile. Queues that need too many together rest for half a second to four each, so
 * that not all of them come back at once.
 */
static void vhost_scsi_iotlb_miss(struct vhost_scsi_vq *svq, bool for_rings)
{
	struct vhost_scsi_iotlb_need *need;

	svq->iotlb.waits = true;
	svq->iotlb.for_rings = for_rings;
	need = vhost_scsi_iotlb_asked(&svq->iotlb);
	if (need->told < svq->vq.iotlb->limit)
		return;
	if (!need->rests) {
		need->rest = jiffies + VHOST_SCSI_SCAN_PERIOD * (1 + get_random_u32_below(8));
		need->rests = true;
		vq_err(&svq->vq, "more translations missed than there can be\n");
	} else if (vhost_scsi_iotlb_has_rested(need)) {
		*need = (struct vhost_scsi_iotlb_need) { };
		return;
	}
	vhost_scsi_iotlb_ask_no_more(svq);
}

/* Not where a ring has just moved, before vhost_scsi_iotlb_moved(). */
static bool vhost_scsi_iotlb_is_ready(const struct vhost_scsi_vq *svq)
{
	return svq->iotlb.ready && svq->iotlb.first == (unsigned long)svq->vq.used;
}

static bool vhost_scsi_iotlb_prefetch(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_iotlb *kept = &svq->iotlb;

	if (vhost_scsi_iotlb_is_ready(svq))
		return true;
	vhost_scsi_iotlb_ask_no_more(svq);
	kept->ready = vq_meta_prefetch(&svq->vq) && vhost_scsi_iotlb_keep(svq);
	/* One that waits for a chain goes on to do so, and has to ask for that again. */
	if (kept->ready)
		kept->rings = (struct vhost_scsi_iotlb_need) { };
	else
		vhost_scsi_iotlb_miss(svq, true);
	return kept->ready;
}

/**
 * vhost_scsi_iotlb_may_push() - can a queue's answers be pushed?
 * @svq: queue with a device IOTLB, vq->mutex held
 *
 * Return: true if its rings are translated, for as long as the mutex is held, or if
 * somebody waits for the answers. Else it has none, or the VMM was asked, and the queue
 * is kicked when the IOTLB changes.
 */
bool vhost_scsi_iotlb_may_push(struct vhost_scsi_vq *svq)
{
	lockdep_assert_held(&svq->vq.mutex);
	if (svq->iotlb.lent || vhost_scsi_iotlb_is_ready(svq))
		return true;
	/* No use asking for the rings of a queue that has nothing to push. */
	if (!vhost_scsi_inflight_nr(svq) || !vhost_scsi_iotlb_prefetch(svq))
		return false;
	/* What was asked for its next chain went with that. */
	if (svq->iotlb.waits)
		vhost_poll_queue(&svq->vq.poll);
	return true;
}

/**
 * vhost_scsi_iotlb_may_take() - may a worker take chains from a queue?
 * @svq: queue with a device IOTLB, vq->mutex held
 *
 * Not while anything is lent: what is taken then could use it, and go on to do so after
 * it was taken back.
 *
 * Return: true if its rings are translated; if not, as with vhost_scsi_iotlb_may_push().
 */
bool vhost_scsi_iotlb_may_take(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_iotlb *kept = &svq->iotlb;

	lockdep_assert_held(&svq->vq.mutex);
	/* Here only: what was pushed in a turn is flushed in it. */
	kept->ready &= !kept->doubt;
	kept->doubt = false;
	kept->turned = to_vs(svq)->nr_lent;
	if (kept->turned || !vhost_scsi_iotlb_prefetch(svq))
		return false;
	/* For its next chain, for which the core asks once more. */
	if (kept->waits)
		vhost_scsi_iotlb_ask_no_more(svq);
	kept->waits = false;
	return true;
}

/**
 * vhost_scsi_iotlb_missed() - the next chain of a queue is not translated
 * @svq: the queue, vq->mutex held
 *
 * The core has asked the VMM, if that is of use.
 */
void vhost_scsi_iotlb_missed(struct vhost_scsi_vq *svq)
{
	lockdep_assert_held(&svq->vq.mutex);
	vhost_scsi_iotlb_miss(svq, false);
}

/**
 * vhost_scsi_iotlb_found() - the next chain of a queue is translated, or there is none
 * @svq: the queue, vq->mutex held
 */
void vhost_scsi_iotlb_found(struct vhost_scsi_vq *svq)
{
	lockdep_assert_held(&svq->vq.mutex);
	svq->iotlb.chain = (struct vhost_scsi_iotlb_need) { };
}

/**
 * vhost_scsi_iotlb_lock() - begin to change the device IOTLB
 * @vs: device, dev.mutex held
 *
 * A worker looks a translation up with its queue's mutex held only: all are taken.
 */
void vhost_scsi_iotlb_lock(struct vhost_scsi *vs)
{
	unsigned int i;

	lockdep_assert_held(&vs->dev.mutex);
	for (i = 0; i < vs->nr_vqs; i++)
		mutex_lock_nest_lock(&vs->svq[i].vq.mutex, &vs->dev.mutex);
}

/**
 * vhost_scsi_iotlb_unlock() - undo vhost_scsi_iotlb_lock()
 * @vs: device
 *
 * What the core has looked up may be gone. vhost_scsi_iotlb_retry() is due.
 */
void vhost_scsi_iotlb_unlock(struct vhost_scsi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++) {
		struct vhost_virtqueue *vq = &vs->svq[i].vq;

		vs->svq[i].iotlb.ready = false;
		memset(vq->meta_iotlb, 0, sizeof(vq->meta_iotlb));
		mutex_unlock(&vq->mutex);
	}
}

/* Was the VMM asked for something in a range, on one of its two lists? */
static bool vhost_scsi_iotlb_is_on(const struct list_head *list,
				   const struct vhost_virtqueue *vq, u64 first, u64 last,
				   bool *asked)
{
	const struct vhost_msg_node *node;

	list_for_each_entry(node, list, node) {
		if (node->vq != vq)
			continue;
		*asked = true;
		/* Both forms of a message have it in the same place. */
		if (first <= node->msg.iotlb.iova && node->msg.iotlb.iova <= last)
			return true;
	}
	return false;
}

/* Does a queue wait for a range? Or for something that its VMM was not asked for. */
static bool vhost_scsi_iotlb_wants(struct vhost_scsi_vq *svq, u64 first, u64 last)
{
	struct vhost_scsi_iotlb_need *need = vhost_scsi_iotlb_asked(&svq->iotlb);
	struct vhost_dev *dev = svq->vq.dev;
	bool asked = false, wants;

	/* One that begins to wait just now has seen the change. */
	if (!READ_ONCE(svq->iotlb.waits))
		return false;
	/* What was taken back may be on a list all the same, if it was just being read. */
	if (READ_ONCE(need->rests))
		return vhost_scsi_iotlb_has_rested(need);
	spin_lock(&dev->iotlb_lock);
	wants = vhost_scsi_iotlb_is_on(&dev->read_list, &svq->vq, first, last, &asked) ||
		vhost_scsi_iotlb_is_on(&dev->pending_list, &svq->vq, first, last, &asked) ||
		!asked;
	spin_unlock(&dev->iotlb_lock);
	return wants;
}

/**
 * vhost_scsi_iotlb_told() - the VMM has told a translation
 * @vs: device, vhost_scsi_iotlb_lock() is in effect
 * @first: of the addresses that it has
 * @last: of them
 */
void vhost_scsi_iotlb_told(struct vhost_scsi *vs, u64 first, u64 last)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++)
		if (vhost_scsi_iotlb_wants(&vs->svq[i], first, last))
			vhost_scsi_iotlb_asked(&vs->svq[i].iotlb)->told++;
}

static void vhost_scsi_iotlb_untell(struct vhost_scsi_iotlb_need *need, unsigned int nr)
{
	if (!need->rests)
		need->told -= min(need->told, nr);
}

/**
 * vhost_scsi_iotlb_lost() - translations were taken away
 * @vs: device, vhost_scsi_iotlb_lock() is in effect
 * @nr: how many
 *
 * That a queue has to be told them once more does not say that it needs too many.
 */
void vhost_scsi_iotlb_lost(struct vhost_scsi *vs, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++) {
		vhost_scsi_iotlb_untell(&vs->svq[i].iotlb.rings, nr);
		vhost_scsi_iotlb_untell(&vs->svq[i].iotlb.chain, nr);
	}
}

/**
 * vhost_scsi_iotlb_retry() - queues that wait for a translation look again
 * @vs: device with a device IOTLB, whose endpoint stays as it is meanwhile
 * @first: of the addresses that it has
 * @last: of them; none if before @first
 *
 * Also those that wait for one that they were denied, or for which there was no memory:
 * the VMM was not asked for that. The others would only ask again.
 */
void vhost_scsi_iotlb_retry(struct vhost_scsi *vs, u64 first, u64 last)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++)
		if (vhost_vq_get_backend(&vs->svq[i].vq) &&
		    vhost_scsi_iotlb_wants(&vs->svq[i], first, last))
			vhost_poll_queue(&vs->svq[i].vq.poll);
}
