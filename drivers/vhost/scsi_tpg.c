// SPDX-License-Identifier: GPL-2.0
/*
 * TPGs and who serves them: the registry, binding, and targets that come and go
 * while a guest runs.
 *
 * Enters: TPGs and LUNs that administrators make and take away, by scsi_fabric.c,
 * and their nexuses, by scsi_nexus.c; SET_ENDPOINT and CLEAR_ENDPOINT. Leaves:
 * targets that the data path may use without a lock while they are bound; events.
 * Context: process. Under configfs's locks: never take vs->dev.mutex there.
 * Lock order: vhost_scsi.h.
 * Invariant: a bound TPG has a nexus. Taking that away unbinds it first, and
 * the queues have then seen it.
 */
#include <linux/configfs.h>
#include <linux/jhash.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "vhost_scsi.h"

/* Guards the lists of all TPGs and of all endpoints that are set. */
static DEFINE_MUTEX(vhost_scsi_registry_mutex);
static LIST_HEAD(vhost_scsi_registry);
static LIST_HEAD(vhost_scsi_endpoints);

static bool vhost_scsi_tpg_port_id_used(u16 id)
{
	struct vhost_scsi_tpg *tpg;

	list_for_each_entry(tpg, &vhost_scsi_registry, entry)
		if (tpg->se_tpg.tpg_rtpi == id)
			return true;
	return false;
}

/*
 * LIO gives out relative target port ids when a TPG is enabled, which ours are
 * from the start. Name and tag make one that is the same after a reboot, unless
 * another TPG has it.
 */
static u16 vhost_scsi_tpg_port_id(const struct vhost_scsi_tpg *tpg)
{
	const char *name = tpg->tport->name;
	u32 hash = jhash(name, strlen(name), tpg->tag);
	unsigned int i;
	u16 id = 0;

	for (i = 0; i < U16_MAX; i++) {
		id = (hash + i) % U16_MAX + 1;
		if (!vhost_scsi_tpg_port_id_used(id))
			break;
	}
	return id;
}

/**
 * vhost_scsi_tpg_register() - let endpoints find a new TPG
 * @tpg: TPG with its name and tag, known to LIO, without nexus
 */
void vhost_scsi_tpg_register(struct vhost_scsi_tpg *tpg)
{
	mutex_init(&tpg->mutex);
	spin_lock_init(&tpg->name_lock);
	init_waitqueue_head(&tpg->settled);
	refcount_set(&tpg->users, 1);
	xa_init(&tpg->units);
	xa_init(&tpg->disks);
	spin_lock_init(&tpg->unit_lock);
	mutex_lock(&vhost_scsi_registry_mutex);
	tpg->se_tpg.tpg_rtpi = vhost_scsi_tpg_port_id(tpg);
	list_add_tail(&tpg->entry, &vhost_scsi_registry);
	mutex_unlock(&vhost_scsi_registry_mutex);
}

/* The target of an endpoint with a tag, so that its memory stays. */
static struct vhost_scsi_tpg *vhost_scsi_tpg_get(struct vhost_scsi_ep *ep,
						 unsigned int tag)
{
	struct vhost_scsi_tpg *tpg;

	guard(mutex)(&vhost_scsi_registry_mutex);
	/* Pairs with vhost_scsi_tpg_unplug(): after NULL, ep->leaving is seen to count it. */
	tpg = smp_load_acquire(&ep->tpg[tag]);
	if (tpg)
		refcount_inc(&tpg->users);
	return tpg;
}

/**
 * vhost_scsi_tpg_of_session() - whose nexus is a session?
 * @sess: address of a session, which may be gone meanwhile
 *
 * Return: the TPG, and vhost_scsi_tpg_put() is due; NULL if it is nobody's any more.
 */
struct vhost_scsi_tpg *vhost_scsi_tpg_of_session(const struct se_session *sess)
{
	struct vhost_scsi_tpg *tpg;

	guard(mutex)(&vhost_scsi_registry_mutex);
	list_for_each_entry(tpg, &vhost_scsi_registry, entry) {
		if (READ_ONCE(tpg->sess) != sess)
			continue;
		refcount_inc(&tpg->users);
		return tpg;
	}
	return NULL;
}

/**
 * vhost_scsi_tpg_put() - give up the memory of a TPG
 * @tpg: TPG that the caller does not use any more
 */
void vhost_scsi_tpg_put(struct vhost_scsi_tpg *tpg)
{
	guard(mutex)(&vhost_scsi_registry_mutex);
	if (refcount_dec_and_test(&tpg->users))
		kfree(tpg);
}

/* -- binding -- */

/*
 * Make a TPG a target of @ep if it can be one; the caller holds the registry.
 * Two directories can have one name, since "fc." is cut off: the first to claim
 * a tag has it. A guest that runs already is told.
 * Skip a bound one without its mutex: an unplug may hold that as long as a worker sits
 * in a page fault, and the registry must not wait for it.
 *
 * A guest that goes on knows its units as they were when it left, and is told what has
 * changed since. One that boots has yet to read what they are like.
 */
static bool vhost_scsi_tpg_claim(struct vhost_scsi_tpg *tpg,
				 struct vhost_scsi_ep *ep, bool goes_on)
{
	if (strcmp(tpg->tport->name, ep->name) || ep->tpg[tpg->tag] ||
	    READ_ONCE(tpg->ep))
		return false;

	guard(mutex)(&tpg->mutex);
	if (tpg->ep || !tpg->sess)
		return false;
	WRITE_ONCE(tpg->ep, ep);
	ep->pin_memory |= READ_ONCE(tpg->pin_memory);
	if (!goes_on)
		vhost_scsi_unit_forget(tpg);
	vhost_scsi_unit_scan(tpg);
	/* Pairs with READ_ONCE() in vhost_scsi_req_route(). */
	smp_store_release(&ep->tpg[tpg->tag], tpg);
	vhost_scsi_evt_post_lun(ep->vs, tpg->tag, 0,
				VIRTIO_SCSI_EVT_RESET_RESCAN);
	return true;
}

/* All at once: of two devices that race for a WWN, one gets all its TPGs. */
static bool vhost_scsi_tpg_claim_all(struct vhost_scsi_ep *ep, bool goes_on)
{
	struct vhost_scsi_tpg *tpg;
	bool any = false;

	lockdep_assert_held(&vhost_scsi_registry_mutex);
	list_for_each_entry(tpg, &vhost_scsi_registry, entry)
		any |= vhost_scsi_tpg_claim(tpg, ep, goes_on);
	return any;
}

/* Call @fn, with its mutex held, for each target that the endpoint still has. */
static void vhost_scsi_tpg_each(struct vhost_scsi_ep *ep,
				void (*fn)(struct vhost_scsi_tpg *tpg))
{
	struct vhost_scsi_tpg *tpg;
	unsigned int i;

	for (i = 0; i < VHOST_SCSI_MAX_TARGET; i++) {
		tpg = vhost_scsi_tpg_get(ep, i);
		if (!tpg)
			continue;
		mutex_lock(&tpg->mutex);
		/* It may have gone by itself meanwhile. */
		if (tpg->ep == ep)
			fn(tpg);
		mutex_unlock(&tpg->mutex);
		vhost_scsi_tpg_put(tpg);
	}
}

static void vhost_scsi_tpg_unbind(struct vhost_scsi_tpg *tpg)
{
	lockdep_assert_held(&tpg->mutex);
	WRITE_ONCE(tpg->ep, NULL);
}

/**
 * vhost_scsi_tpg_bind_all() - bind the free TPGs of an endpoint's WWN
 * @ep: endpoint with name and device, and no TPG; its table is filled
 * @goes_on: its guest was served before
 *
 * TPGs without a nexus, or bound already, are passed over. Those that get one
 * from now on queue the device's ep_work.
 *
 * Nothing keeps a TPG's directory: one with LUNs has subdirectories, and configfs does
 * not remove it (ENOTEMPTY). target_depend_item() would take the lock of the configfs
 * root, which whoever reads that directory holds for as long as he likes.
 *
 * Return: 0, and vhost_scsi_tpg_unbind_all() is due; -ENODEV if there is no
 * TPG to bind.
 */
int vhost_scsi_tpg_bind_all(struct vhost_scsi_ep *ep, bool goes_on)
{
	bool any;

	lockdep_assert_held(&ep->vs->dev.mutex);
	mutex_lock(&vhost_scsi_registry_mutex);
	any = vhost_scsi_tpg_claim_all(ep, goes_on);
	if (any)
		list_add_tail(&ep->entry, &vhost_scsi_endpoints);
	mutex_unlock(&vhost_scsi_registry_mutex);
	return any ? 0 : -ENODEV;
}

/**
 * vhost_scsi_tpg_bind_more() - bind the TPGs that came after the endpoint
 * @ep: endpoint that is set, dev.mutex of its device held
 */
void vhost_scsi_tpg_bind_more(struct vhost_scsi_ep *ep)
{
	lockdep_assert_held(&ep->vs->dev.mutex);
	mutex_lock(&vhost_scsi_registry_mutex);
	vhost_scsi_tpg_claim_all(ep, false);
	mutex_unlock(&vhost_scsi_registry_mutex);
}

/**
 * vhost_scsi_tpg_unbind_all() - undo vhost_scsi_tpg_bind_all()
 * @ep: endpoint with no command in flight, that no queue knows any more
 *
 * Afterwards no TPG refers to it, those included that are being unplugged.
 */
void vhost_scsi_tpg_unbind_all(struct vhost_scsi_ep *ep)
{
	mutex_lock(&vhost_scsi_registry_mutex);
	list_del(&ep->entry);
	mutex_unlock(&vhost_scsi_registry_mutex);

	vhost_scsi_tpg_each(ep, vhost_scsi_tpg_unbind);
	wait_var_event(&ep->leaving, !atomic_read(&ep->leaving));
}

/**
 * vhost_scsi_tpg_scan_all() - look for what has changed about an endpoint's units
 * @ep: endpoint that is set
 */
void vhost_scsi_tpg_scan_all(struct vhost_scsi_ep *ep)
{
	vhost_scsi_tpg_each(ep, vhost_scsi_unit_scan);
}

/**
 * vhost_scsi_tpg_sync_queues() - wait until no queue uses what it saw before
 * @vs: device
 *
 * A worker holds the mutex from looking at a target to submitting to it.
 */
void vhost_scsi_tpg_sync_queues(struct vhost_scsi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++) {
		mutex_lock(&vs->svq[i].vq.mutex);
		mutex_unlock(&vs->svq[i].vq.mutex);
	}
}

/**
 * vhost_scsi_tpg_hold() - keep the endpoint of a TPG, whatever becomes of that
 * @tpg: TPG, its mutex held
 *
 * Return: the endpoint, and vhost_scsi_tpg_release() is due; NULL if it has none.
 */
struct vhost_scsi_ep *vhost_scsi_tpg_hold(struct vhost_scsi_tpg *tpg)
{
	lockdep_assert_held(&tpg->mutex);
	if (tpg->ep)
		atomic_inc(&tpg->ep->leaving);
	return tpg->ep;
}

/**
 * vhost_scsi_tpg_release() - undo vhost_scsi_tpg_hold()
 * @ep: the endpoint, which may be gone afterwards
 */
void vhost_scsi_tpg_release(struct vhost_scsi_ep *ep)
{
	/* It may be freed once the count is 0; wake_up_var() does not dereference. */
	if (atomic_dec_and_test(&ep->leaving))
		wake_up_var(&ep->leaving);
}

/**
 * vhost_scsi_tpg_unplug() - take a TPG, whose nexus goes, from the guest that has it
 * @tpg: TPG, its mutex held
 *
 * Afterwards no queue uses its nexus.
 */
void vhost_scsi_tpg_unplug(struct vhost_scsi_tpg *tpg)
{
	struct vhost_scsi_ep *ep;

	lockdep_assert_held(&tpg->mutex);
	vhost_scsi_unit_forget(tpg);
	ep = vhost_scsi_tpg_hold(tpg);
	if (!ep)
		return;

	/* From here on vhost_scsi_tpg_get() sees NULL, and vhost_scsi_tpg_unbind_all() waits. */
	smp_store_release(&ep->tpg[tpg->tag], NULL);
	vhost_scsi_tpg_sync_queues(ep->vs);
	vhost_scsi_evt_post_lun(ep->vs, tpg->tag, 0,
				VIRTIO_SCSI_EVT_RESET_REMOVED);
	vhost_scsi_tpg_unbind(tpg);
	vhost_scsi_tpg_release(ep);
}

/* -- LUNs -- */

/* The guest is told, and what the unit is like is remembered or forgotten. */
static void vhost_scsi_tpg_lun_event(struct vhost_scsi_tpg *tpg,
				     const struct se_lun *lun, u32 reason)
{
	lockdep_assert_held(&tpg->mutex);
	if (!tpg->ep)
		return;
	vhost_scsi_unit_scan(tpg);
	vhost_scsi_evt_post_lun(tpg->ep->vs, tpg->tag, lun->unpacked_lun,
				reason);
}

/**
 * vhost_scsi_tpg_lun_linked() - a LUN has come
 * @tpg: its TPG
 * @lun: the LUN, which takes commands already
 */
void vhost_scsi_tpg_lun_linked(struct vhost_scsi_tpg *tpg,
			       const struct se_lun *lun)
{
	vhost_scsi_direct_linked(tpg, lun);

	guard(mutex)(&tpg->mutex);
	tpg->nr_luns++;
	vhost_scsi_tpg_lun_event(tpg, lun, VIRTIO_SCSI_EVT_RESET_RESCAN);
}

/**
 * vhost_scsi_tpg_lun_unlinked() - a LUN has gone
 * @tpg: its TPG; without LUNs its directory may be removed
 * @lun: the LUN, which takes no commands any more
 */
void vhost_scsi_tpg_lun_unlinked(struct vhost_scsi_tpg *tpg,
				 const struct se_lun *lun)
{
	vhost_scsi_direct_unlinked(tpg, lun);

	guard(mutex)(&tpg->mutex);
	tpg->nr_luns--;
	WRITE_ONCE(tpg->nr_leaving, tpg->nr_leaving - 1);
	if (!tpg->nr_leaving)
		wake_up_all(&tpg->settled);
	vhost_scsi_tpg_lun_event(tpg, lun, VIRTIO_SCSI_EVT_RESET_REMOVED);
}

/**
 * vhost_scsi_tpg_announce() - have the endpoint of this name look for new targets
 * @tpg: TPG with a nexus
 */
void vhost_scsi_tpg_announce(struct vhost_scsi_tpg *tpg)
{
	struct vhost_scsi_ep *ep;

	guard(mutex)(&vhost_scsi_registry_mutex);
	list_for_each_entry(ep, &vhost_scsi_endpoints, entry)
		if (!strcmp(tpg->tport->name, ep->name))
			queue_work(vhost_scsi_unbound_wq,
				   &ep->vs->ep_work);
}

/**
 * vhost_scsi_tpg_unregister() - undo vhost_scsi_tpg_register()
 * @tpg: TPG whose directory is gone; its LUNs went before
 *
 * No endpoint finds it any more. vhost_scsi_nexus_end(), and then vhost_scsi_tpg_put(),
 * are due.
 */
void vhost_scsi_tpg_unregister(struct vhost_scsi_tpg *tpg)
{
	guard(mutex)(&vhost_scsi_registry_mutex);
	list_del(&tpg->entry);
}
