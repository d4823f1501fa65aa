// SPDX-License-Identifier: GPL-2.0
/*
 * What changes about a unit under its guest: capacity and mode pages. LIO raises
 * no unit attention for them and has no hook, so the units of an endpoint are
 * looked at twice a second.
 *
 * Enters: the endpoint's scan; a unit that has come; a command for a target
 * with something to report. Leaves: PARAM_CHANGE events, and unit attentions
 * that the nexus gets once, in front of LIO.
 * Context: looking under tpg->mutex in process context; reporting under
 * vq->mutex in a vhost worker. tpg->unit_lock is between the two.
 * Invariant: a change is reported once to the nexus, whatever its queues. As
 * long as there is none, a command only reads tpg->attentions.
 */
#include <linux/bitops.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "vhost_scsi.h"

/* What can change, in the order in which it is reported. */
enum vhost_scsi_change {
	VHOST_SCSI_CHANGE_CAPACITY,
	VHOST_SCSI_CHANGE_MODE,
	VHOST_SCSI_CHANGES,
};

/* SPC: CAPACITY DATA HAS CHANGED, MODE PARAMETERS CHANGED */
static const u8 vhost_scsi_change_ascq[VHOST_SCSI_CHANGES] = {
	[VHOST_SCSI_CHANGE_CAPACITY] = 0x09,
	[VHOST_SCSI_CHANGE_MODE] = 0x01,
};

/**
 * struct vhost_scsi_unit_state - what a guest may have read from a unit
 * @last: last block, as READ CAPACITY says it
 * @block_size: bytes of a block
 * @write_cache: WCE of the caching mode page
 * @read_only: WP of the mode parameter header
 */
struct vhost_scsi_unit_state {
	u64 last;
	u32 block_size;
	bool write_cache;
	bool read_only;
};

/**
 * struct vhost_scsi_unit - a unit that a nexus sees
 * @state: as it was when it was last looked at, under tpg->mutex
 * @fresh: changes that were just seen, under tpg->mutex
 * @there: it was there when it was last looked for, under tpg->mutex
 * @pending: changes that the nexus has yet to be told, under tpg->unit_lock
 */
struct vhost_scsi_unit {
	struct vhost_scsi_unit_state state;
	unsigned long fresh;
	bool there;
	unsigned long pending;
};

static struct vhost_scsi_unit_state
vhost_scsi_unit_read(const struct se_dev_entry *deve, struct se_device *dev)
{
	return (struct vhost_scsi_unit_state) {
		.last = dev->transport->get_blocks(dev),
		.block_size = dev->dev_attrib.block_size,
		.write_cache = dev->transport->get_write_cache ?
			       dev->transport->get_write_cache(dev) :
			       dev->dev_attrib.emulate_write_cache,
		.read_only = deve->lun_access_ro || deve->se_lun->lun_access_ro,
	};
}

static unsigned long
vhost_scsi_unit_differs(const struct vhost_scsi_unit_state *old,
			const struct vhost_scsi_unit_state *now)
{
	unsigned long changes = 0;

	if (old->last != now->last || old->block_size != now->block_size)
		__set_bit(VHOST_SCSI_CHANGE_CAPACITY, &changes);
	if (old->write_cache != now->write_cache ||
	    old->read_only != now->read_only)
		__set_bit(VHOST_SCSI_CHANGE_MODE, &changes);
	return changes;
}

/*
 * Look at one unit, under RCU. One that is new has no changes: its guest has yet
 * to read what it is like. Without memory it stays new.
 */
static void vhost_scsi_unit_look(struct vhost_scsi_tpg *tpg,
				 const struct se_dev_entry *deve,
				 struct se_device *dev)
{
	struct vhost_scsi_unit_state now = vhost_scsi_unit_read(deve, dev);
	struct vhost_scsi_unit *unit = xa_load(&tpg->units, deve->mapped_lun);

	if (!unit) {
		unit = kzalloc(sizeof(*unit), GFP_NOWAIT);
		if (!unit)
			return;
		if (xa_err(xa_store(&tpg->units, deve->mapped_lun, unit,
				    GFP_NOWAIT))) {
			kfree(unit);
			return;
		}
	} else {
		unit->fresh = vhost_scsi_unit_differs(&unit->state, &now);
	}
	unit->state = now;
	unit->there = true;
}

/* Look at all units that the nexus sees. */
static void vhost_scsi_unit_look_all(struct vhost_scsi_tpg *tpg)
{
	struct se_dev_entry *deve;
	struct se_device *dev;

	rcu_read_lock();
	hlist_for_each_entry_rcu(deve, &tpg->sess->se_node_acl->lun_entry_hlist,
				 link) {
		dev = rcu_dereference(deve->se_lun->lun_se_dev);
		/* A physical device reports what changes about it. */
		if (dev && !(dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH))
			vhost_scsi_unit_look(tpg, deve, dev);
	}
	rcu_read_unlock();
}

/* Tell the nexus, and the guest, what has changed about a unit. */
static void vhost_scsi_unit_tell(struct vhost_scsi_tpg *tpg, unsigned long lun,
				 struct vhost_scsi_unit *unit)
{
	unsigned int change;

	spin_lock(&tpg->unit_lock);
	WRITE_ONCE(tpg->attentions, tpg->attentions +
		   hweight_long(unit->fresh & ~unit->pending));
	unit->pending |= unit->fresh;
	spin_unlock(&tpg->unit_lock);

	for_each_set_bit(change, &unit->fresh, VHOST_SCSI_CHANGES)
		vhost_scsi_evt_post_change(tpg->ep->vs, tpg->tag, lun,
					   VHOST_SCSI_CHANGE_ASC,
					   vhost_scsi_change_ascq[change]);
	unit->fresh = 0;
}

static void vhost_scsi_unit_drop(struct vhost_scsi_tpg *tpg, unsigned long lun,
				 struct vhost_scsi_unit *unit)
{
	spin_lock(&tpg->unit_lock);
	xa_erase(&tpg->units, lun);
	WRITE_ONCE(tpg->attentions, tpg->attentions -
		   hweight_long(unit->pending));
	spin_unlock(&tpg->unit_lock);
	kfree(unit);
}

/**
 * vhost_scsi_unit_scan() - look at the units of a target
 * @tpg: bound TPG, its mutex held
 *
 * Changes since the last time are announced with PARAM_CHANGE, if the guest
 * acknowledged VIRTIO_SCSI_F_CHANGE, and wait for vhost_scsi_unit_attention().
 */
void vhost_scsi_unit_scan(struct vhost_scsi_tpg *tpg)
{
	struct vhost_scsi_unit *unit;
	unsigned long lun;

	lockdep_assert_held(&tpg->mutex);
	vhost_scsi_unit_look_all(tpg);
	xa_for_each(&tpg->units, lun, unit) {
		if (!unit->there) {
			vhost_scsi_unit_drop(tpg, lun, unit);
			continue;
		}
		unit->there = false;
		if (unit->fresh)
			vhost_scsi_unit_tell(tpg, lun, unit);
	}
}

/**
 * vhost_scsi_unit_forget() - forget the units of a target
 * @tpg: TPG, its mutex held
 *
 * Whoever gets it next reads what its units are like.
 */
void vhost_scsi_unit_forget(struct vhost_scsi_tpg *tpg)
{
	struct vhost_scsi_unit *unit;
	unsigned long lun;

	lockdep_assert_held(&tpg->mutex);
	xa_for_each(&tpg->units, lun, unit)
		vhost_scsi_unit_drop(tpg, lun, unit);
}

/**
 * vhost_scsi_unit_attention() - what a command has to report instead of running
 * @tpg: its target
 * @lun: its unit
 * @op: its operation code; INQUIRY, REPORT LUNS and REQUEST SENSE report nothing
 *
 * SPC-4, "Unit attention conditions". Each change is reported once.
 *
 * Return: the additional sense code qualifier behind VHOST_SCSI_CHANGE_ASC, 0 if
 * there is nothing to report.
 */
u8 vhost_scsi_unit_attention(struct vhost_scsi_tpg *tpg, u64 lun, u8 op)
{
	struct vhost_scsi_unit *unit;
	unsigned int change;
	u8 ascq = 0;

	if (op == INQUIRY || op == REPORT_LUNS || op == REQUEST_SENSE)
		return 0;

	spin_lock(&tpg->unit_lock);
	unit = xa_load(&tpg->units, lun);
	if (unit && unit->pending) {
		change = __ffs(unit->pending);
		__clear_bit(change, &unit->pending);
		WRITE_ONCE(tpg->attentions, tpg->attentions - 1);
		ascq = vhost_scsi_change_ascq[change];
	}
	spin_unlock(&tpg->unit_lock);
	return ascq;
}
