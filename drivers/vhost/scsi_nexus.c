// SPDX-License-Identifier: GPL-2.0
/*
 * The I_T nexus of a TPG: made, renewed under a guest, ended.
 *
 * Enters: the nexus attribute (scsi_attrib.c), an ACL that goes and a LUN that does
 * (scsi_fabric.c). Leaves: a session, in tpg->sess.
 * Context: process. Under configfs's locks: never take vs->dev.mutex there.
 * Invariant: I4, a session goes only when no queue uses it and LIO has counted its
 * commands out. No session, live or not, names a LUN that is gone.
 */
#include "vhost_scsi.h"

static struct se_session *
vhost_scsi_nexus_setup_session(struct vhost_scsi_tpg *tpg, const char *name)
{
	lockdep_assert_held(&tpg->mutex);
	WARN_ON_ONCE(tpg->nr_leaving);
	return target_setup_session(&tpg->se_tpg, 0, 0, TARGET_PROT_DIN_PASS |
				    TARGET_PROT_DOUT_PASS, name, tpg, NULL);
}

/* Give the queues a session, or none, instead of the one that they have. */
static void vhost_scsi_nexus_publish_session(struct vhost_scsi_tpg *tpg,
					     struct se_session *sess)
{
	lockdep_assert_held(&tpg->mutex);
	spin_lock(&tpg->name_lock);
	strscpy(tpg->nexus, sess ? sess->se_node_acl->initiatorname : "");
	spin_unlock(&tpg->name_lock);
	/* Pairs with the address dependency of the data path. */
	smp_store_release(&tpg->sess, sess);
}

/*
 * LIO counts a command out of its session after it has released it to us: the
 * session may go only when that count is 0.
 */
static void vhost_scsi_nexus_remove_session(struct se_session *sess)
{
	target_stop_session(sess);
	target_wait_for_sess_cmds(sess);
	target_remove_session(sess);
}

/* Take the TPG away from the guest that has it, and then its session. */
static void vhost_scsi_nexus_remove(struct vhost_scsi_tpg *tpg)
{
	lockdep_assert_held(&tpg->mutex);
	vhost_scsi_tpg_unplug(tpg);
	vhost_scsi_nexus_remove_session(tpg->sess);
	vhost_scsi_nexus_publish_session(tpg, NULL);
}

/* A nexus of that name instead of the one that there is, if there is one. */
static int vhost_scsi_nexus_make(struct vhost_scsi_tpg *tpg, const char *name)
{
	struct se_session *sess;

	lockdep_assert_held(&tpg->mutex);
	if (tpg->nr_leaving)
		return -EBUSY;
	sess = vhost_scsi_nexus_setup_session(tpg, name);
	if (IS_ERR(sess))
		return PTR_ERR(sess);
	if (tpg->sess)
		vhost_scsi_nexus_remove(tpg);
	vhost_scsi_nexus_publish_session(tpg, sess);
	return 0;
}

/**
 * vhost_scsi_nexus_read() - the name of the I_T nexus of a TPG
 * @tpg: the TPG
 * @name: result, empty if there is none
 *
 * Return: true if there is one.
 */
bool vhost_scsi_nexus_read(struct vhost_scsi_tpg *tpg, char name[TRANSPORT_IQN_LEN])
{
	spin_lock(&tpg->name_lock);
	strscpy(name, tpg->nexus, TRANSPORT_IQN_LEN);
	spin_unlock(&tpg->name_lock);
	return *name;
}

/**
 * vhost_scsi_nexus_add() - make the I_T nexus of a TPG
 * @tpg: the TPG
 * @name: initiator name
 *
 * If an endpoint of the WWN is set, the TPG becomes a target of it.
 *
 * Return: 0, -EEXIST if there is a nexus, -EBUSY while a LUN is on its way out, or
 * an error of LIO.
 */
int vhost_scsi_nexus_add(struct vhost_scsi_tpg *tpg, const char *name)
{
	int ret;

	scoped_guard(mutex, &tpg->mutex)
		ret = tpg->sess ? -EEXIST : vhost_scsi_nexus_make(tpg, name);
	if (!ret)
		vhost_scsi_tpg_announce(tpg);
	return ret;
}

/**
 * vhost_scsi_nexus_name() - make the I_T nexus of a TPG, or give it another name
 * @tpg: the TPG
 * @name: initiator name
 *
 * With a name that it has nothing happens. A guest that has the TPG as a target loses
 * it, and gets it again.
 *
 * Return: 0; -EBUSY if a nexus of another name has LUNs, or while a LUN is on its way
 * out; or an error of LIO, and the nexus is as it was.
 */
int vhost_scsi_nexus_name(struct vhost_scsi_tpg *tpg, const char *name)
{
	int ret;

	scoped_guard(mutex, &tpg->mutex) {
		if (tpg->sess && !strcmp(tpg->sess->se_node_acl->initiatorname, name))
			return 0;
		ret = tpg->sess && tpg->nr_luns ? -EBUSY :
		      vhost_scsi_nexus_make(tpg, name);
	}
	if (!ret)
		vhost_scsi_tpg_announce(tpg);
	return ret;
}

/*
 * Give a nexus another session of its name. Registrations and reservations end with the
 * ACL of the old one: units say that the nexus was lost. Returns an endpoint whose queues
 * may use the old one still, after vhost_scsi_tpg_hold(), or NULL.
 */
static struct vhost_scsi_ep *
vhost_scsi_nexus_replace_session(struct vhost_scsi_tpg *tpg)
{
	const char *name = tpg->sess->se_node_acl->initiatorname;
	struct se_session *fresh;

	fresh = vhost_scsi_nexus_setup_session(tpg, name);
	if (IS_ERR(fresh)) {
		vhost_scsi_tpg_unplug(tpg);
		fresh = NULL;
	} else {
		vhost_scsi_ua_nexus_lost(fresh->se_node_acl);
	}
	vhost_scsi_nexus_publish_session(tpg, fresh);
	return vhost_scsi_tpg_hold(tpg);
}

/*
 * Is a LUN named by an ACL that LIO has forgotten, because it is being removed? LIO
 * frees that ACL only when its session is gone, and looks at the LUN's disk then.
 */
static bool vhost_scsi_nexus_lun_is_orphaned(struct vhost_scsi_tpg *tpg,
					     struct se_lun *lun)
{
	struct se_portal_group *se_tpg = &tpg->se_tpg;
	struct se_dev_entry *deve;
	struct se_node_acl *nacl;
	size_t listed, known = 0;

	lockdep_assert_held(&tpg->mutex);
	guard(mutex)(&se_tpg->acl_node_mutex);
	list_for_each_entry(nacl, &se_tpg->acl_node_list, acl_list) {
		guard(mutex)(&nacl->lun_entry_mutex);
		hlist_for_each_entry(deve, &nacl->lun_entry_hlist, link)
			known += deve->se_lun == lun;
	}
	spin_lock(&lun->lun_deve_lock);
	listed = list_count_nodes(&lun->lun_deve_list);
	spin_unlock(&lun->lun_deve_lock);
	return listed > known;
}

/**
 * vhost_scsi_nexus_lun_leaves() - a LUN is about to go
 * @tpg: its TPG
 * @lun: the LUN
 *
 * LIO takes it out of the tables of all ACLs that it knows, then waits for its
 * commands, and gives it to new sessions until these are done: nobody makes one
 * meanwhile. An ACL that is being removed is waited for; LIO does not say when it is
 * freed. That takes as long as the commands of its session.
 */
void vhost_scsi_nexus_lun_leaves(struct vhost_scsi_tpg *tpg, struct se_lun *lun)
{
	mutex_lock(&tpg->mutex);
	while (vhost_scsi_nexus_lun_is_orphaned(tpg, lun)) {
		mutex_unlock(&tpg->mutex);
		schedule_timeout_idle(VHOST_SCSI_FORGET_PERIOD);
		mutex_lock(&tpg->mutex);
	}
	tpg->nr_leaving++;
	mutex_unlock(&tpg->mutex);
}

/* Take the mutex of a TPG when no LUN is on its way out. */
static void vhost_scsi_nexus_lock_settled(struct vhost_scsi_tpg *tpg)
{
	mutex_lock(&tpg->mutex);
	while (tpg->nr_leaving) {
		mutex_unlock(&tpg->mutex);
		wait_event_idle(tpg->settled, !READ_ONCE(tpg->nr_leaving));
		mutex_lock(&tpg->mutex);
	}
}

/**
 * vhost_scsi_nexus_renew() - give up a session whose ACL goes
 * @tpg: its TPG
 * @sess: the session, which may be gone; LIO's rmdir of the ACL waits until it is
 *
 * The nexus gets another session of the same name, with the ACL that LIO makes
 * by itself. Without memory for it the nexus ends, and the guest loses the target, for
 * which its queues are waited for with the mutex. Else waits for LUNs that are on their
 * way out, then for queues, whose worker may be stuck, and for the commands of the old
 * session, which a backstore may hold for long, with no lock held: whoever serves the
 * target or links a LUN to it asks for its mutex.
 */
void vhost_scsi_nexus_renew(struct vhost_scsi_tpg *tpg,
			    struct se_session *sess)
{
	struct vhost_scsi_ep *ep = NULL;
	bool ours;

	vhost_scsi_nexus_lock_settled(tpg);
	ours = tpg->sess == sess;
	if (ours)
		ep = vhost_scsi_nexus_replace_session(tpg);
	mutex_unlock(&tpg->mutex);
	if (ep) {
		vhost_scsi_tpg_sync_queues(ep->vs);
		vhost_scsi_tpg_release(ep);
	}
	if (ours)
		vhost_scsi_nexus_remove_session(sess);
}

static void vhost_scsi_nexus_set_session_prot(struct vhost_scsi_tpg *tpg,
					      int type)
{
	if (!tpg->sess)
		return;
	/* LIO hands the ACL's value to the next nexus of this name. */
	tpg->sess->se_node_acl->saved_prot_type = type;
	WRITE_ONCE(tpg->sess->sess_prot_type, type);
}

/**
 * vhost_scsi_nexus_set_prot_type() - protection that LIO offers by itself
 * @tpg: the TPG
 * @type: 0, 1 or 3
 *
 * Commands that were decided before do not mind: LIO goes by what their plan says of
 * protection information. So nobody waits for a queue, whose worker may be stuck.
 */
void vhost_scsi_nexus_set_prot_type(struct vhost_scsi_tpg *tpg, int type)
{
	guard(mutex)(&tpg->mutex);
	WRITE_ONCE(tpg->fabric_prot_type, type);
	vhost_scsi_nexus_set_session_prot(tpg, type);
}

/**
 * vhost_scsi_nexus_drop() - end the I_T nexus of a TPG
 * @tpg: the TPG
 *
 * A guest that has the TPG as a target loses it. Waits for its commands.
 *
 * Return: 0, -ENODEV without a nexus, -EBUSY while a LUN is linked.
 */
int vhost_scsi_nexus_drop(struct vhost_scsi_tpg *tpg)
{
	guard(mutex)(&tpg->mutex);
	if (!tpg->sess)
		return -ENODEV;
	if (tpg->nr_luns)
		return -EBUSY;
	vhost_scsi_nexus_remove(tpg);
	return 0;
}

/**
 * vhost_scsi_nexus_end() - end the I_T nexus of a TPG that goes, if there is one
 * @tpg: TPG that is not registered any more
 *
 * A guest that has the TPG as a target loses it. Waits for its commands.
 */
void vhost_scsi_nexus_end(struct vhost_scsi_tpg *tpg)
{
	guard(mutex)(&tpg->mutex);
	if (tpg->sess)
		vhost_scsi_nexus_remove(tpg);
}
