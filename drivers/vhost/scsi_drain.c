// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for what was taken from the rings, also where they are not translated.
 *
 * Who waits holds dev.mutex, which a VMM needs to answer what a device IOTLB misses:
 * meanwhile a queue lends itself the translation that its used ring had, and pushes its
 * answers. As long as anything is lent, no queue takes anything new.
 *
 * Enters: VHOST_SCSI_CLEAR_ENDPOINT, release, a change of the guest's memory; an owner
 * that has died. Leaves: queues that have answered what they had taken.
 * Context: process, vs->dev.mutex held.
 * Invariant: nobody who waits for tasks waits for a translation, and nothing but answers
 * goes through one that was lent.
 */
#include <linux/sched.h>
#include <linux/vhost_iotlb.h>

#include "vhost_scsi.h"

/*
 * A part of a used ring that nothing translates; beyond the IOTLB's limit, which would
 * retire others. The core wants to read what it writes the index to. Returns false without
 * memory.
 */
static bool vhost_scsi_drain_lend_gap(struct vhost_scsi *vs, u64 start, u64 last,
				      u64 addr)
{
	struct vhost_iotlb *iotlb = vs->dev.iotlb;

	iotlb->limit++;
	if (vhost_iotlb_add_range_ctx(iotlb, start, last, addr, VHOST_ACCESS_RW, vs)) {
		iotlb->limit--;
		return false;
	}
	vs->nr_lent++;
	return true;
}

static bool vhost_scsi_drain_lend_piece(struct vhost_scsi *vs,
					const struct vhost_scsi_iotlb_piece *piece)
{
	const struct vhost_iotlb_map *map;
	u64 at, last;

	for (at = piece->start; at <= piece->last; at = last + 1) {
		map = vhost_iotlb_itree_first(vs->dev.iotlb, at, piece->last);
		if (map && map->start <= at) {
			last = map->last;
		} else {
			last = map ? map->start - 1 : piece->last;
			if (!vhost_scsi_drain_lend_gap(vs, at, last,
						       piece->addr + (at - piece->start)))
				return false;
		}
		if (last >= piece->last)
			break;
	}
	return true;
}

/*
 * Only queues with something in flight need it: the rings of the others may be those of
 * an earlier boot, and have no worker. A queue whose used ring cannot be translated all
 * the same loses its heads: it cannot be written (I1). Returns false if there was no
 * memory: those that got none keep their answers.
 */
static bool vhost_scsi_drain_lend(struct vhost_scsi *vs)
{
	bool all = true;
	unsigned int i, j;

	vhost_scsi_iotlb_lock(vs);
	for (i = 0; i < vs->nr_vqs; i++) {
		struct vhost_scsi_iotlb *kept = &vs->svq[i].iotlb;

		kept->lent = vhost_scsi_inflight_nr(&vs->svq[i]);
		for (j = 0; kept->lent && j < kept->nr; j++) {
			kept->lent = vhost_scsi_drain_lend_piece(vs, &kept->piece[j]);
			all &= kept->lent;
		}
	}
	vhost_scsi_iotlb_unlock(vs);
	return all;
}

/* A kick that came to nothing meanwhile does not come again. */
static void vhost_scsi_drain_take_back(struct vhost_scsi *vs)
{
	struct vhost_iotlb *iotlb = vs->dev.iotlb;
	struct vhost_iotlb_map *map, *next;
	unsigned int i;

	vhost_scsi_iotlb_lock(vs);
	list_for_each_entry_safe(map, next, &iotlb->list, link) {
		if (!vs->nr_lent)
			break;
		if (map->opaque != vs)
			continue;
		vhost_iotlb_map_free(iotlb, map);
		iotlb->limit--;
		vs->nr_lent--;
	}
	for (i = 0; i < vs->nr_vqs; i++) {
		struct vhost_scsi_vq *svq = &vs->svq[i];

		svq->iotlb.lent = false;
		if (svq->iotlb.turned && vhost_vq_get_backend(&svq->vq))
			vhost_poll_queue(&svq->vq.poll);
		svq->iotlb.turned = false;
	}
	vhost_scsi_iotlb_unlock(vs);
}

/**
 * vhost_scsi_drain_wait() - wait for every task taken so far
 * @vs: device, dev.mutex held
 *
 * As vhost_scsi_inflight_wait(), for a guest behind an IOMMU, too.
 */
void vhost_scsi_drain_wait(struct vhost_scsi *vs)
{
	unsigned int i;

	lockdep_assert_held(&vs->dev.mutex);
	if (!vs->dev.iotlb) {
		vhost_scsi_inflight_wait(vs);
		return;
	}
	/* Who waits for a disk may wait for a little memory. */
	while (!vhost_scsi_drain_lend(vs))
		schedule_timeout_idle(1);
	/* What has finished may have waited for a translation. */
	for (i = 0; i < vs->nr_vqs; i++)
		if (vs->svq[i].iotlb.lent)
			vhost_scsi_task_wake(&vs->svq[i]);
	vhost_scsi_inflight_wait(vs);
	vhost_scsi_drain_take_back(vs);
	vhost_scsi_iotlb_retry(vs, 1, 0);
}

/**
 * vhost_scsi_drain_drop() - drop what has finished
 * @vs: device whose owner is dead
 *
 * Nobody translates its rings any more, and nobody waits for that.
 */
void vhost_scsi_drain_drop(struct vhost_scsi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++)
		if (vhost_scsi_inflight_has(&vs->svq[i]))
			queue_work(vhost_scsi_unbound_wq, &vs->svq[i].drop_work);
}
