// SPDX-License-Identifier: GPL-2.0
/*
 * The I_T nexus of a TPG: made, renewed under a guest, ended.
 *
 * Enters: the nexus attribute, and an ACL that goes, by scsi_fabric.c. Leaves: a
 * session, in tpg->sess.
 * Context: process. Under configfs's locks: never take vs->dev.mutex there.
 * Invariant: I4, a session goes only when no queue uses it and LIO has counted its
 * commands out.
 */
#include "vhost_scsi.h"

static struct se_session *
vhost_scsi_tpg_setup_session(struct vhost_scsi_tpg *tpg, const char *name)
{
	return target_setup_session(&tpg->se_tpg, 0, 0, TARGET_PROT_DIN_PASS |
				    TARGET_PROT_DOUT_PASS, name, tpg, NULL);
}

/**
 * vhost_scsi_tpg_add_nexus() - make the I_T nexus of a TPG
 * @tpg: the TPG
 * @name: initiator name
 *
 * If an endpoint of the WWN is set, the TPG becomes a target of it.
 *
 * Return: 0, -EEXIST if there is a nexus, or an error of LIO.
 */
int vhost_scsi_tpg_add_nexus(struct vhost_scsi_tpg *tpg, const char *name)
{
	struct se_session *sess;

	scoped_guard(mutex, &tpg->mutex) {
		if (tpg->sess)
			return -EEXIST;
		sess = vhost_scsi_tpg_setup_session(tpg, name);
		if (IS_ERR(sess))
			return PTR_ERR(sess);
		tpg->sess = sess;
	}
	vhost_scsi_tpg_announce(tpg);
	return 0;
}

/*
 * LIO counts a command out of its session after it has released it to us: the
 * session may go only when that count is 0.
 */
static void vhost_scsi_tpg_remove_session(struct se_session *sess)
{
	target_stop_session(sess);
	target_wait_for_sess_cmds(sess);
	target_remove_session(sess);
}

/**
 * vhost_scsi_tpg_remove_nexus() - end the nexus of a TPG that no guest has
 * @tpg: TPG with a nexus, its mutex held
 *
 * Waits for its commands.
 */
void vhost_scsi_tpg_remove_nexus(struct vhost_scsi_tpg *tpg)
{
	lockdep_assert_held(&tpg->mutex);
	vhost_scsi_tpg_remove_session(tpg->sess);
	tpg->sess = NULL;
}

/**
 * vhost_scsi_tpg_renew_nexus() - give up a session whose ACL goes
 * @tpg: its TPG
 * @sess: the session; LIO's rmdir of the ACL waits until it is gone
 *
 * The nexus gets another session of the same name, with the ACL that LIO makes
 * by itself. Without memory for it the nexus ends, and the guest loses the
 * target. Waits for the commands of the old session, which a backstore may hold for
 * long, with no lock held: whoever serves the target or links a LUN to it asks for
 * its mutex.
 */
void vhost_scsi_tpg_renew_nexus(struct vhost_scsi_tpg *tpg,
				struct se_session *sess)
{
	const char *name = sess->se_node_acl->initiatorname;
	struct se_session *fresh;

	scoped_guard(mutex, &tpg->mutex) {
		if (tpg->sess != sess)
			return;
		fresh = vhost_scsi_tpg_setup_session(tpg, name);
		if (IS_ERR(fresh)) {
			vhost_scsi_tpg_unplug(tpg);
			fresh = NULL;
		}
		WRITE_ONCE(tpg->sess, fresh);
		if (tpg->ep)
			vhost_scsi_tpg_sync_queues(tpg->ep->vs);
	}
	vhost_scsi_tpg_remove_session(sess);
}

static void vhost_scsi_tpg_set_session_prot(struct vhost_scsi_tpg *tpg,
					    int type)
{
	if (!tpg->sess)
		return;
	/* LIO hands the ACL's value to the next nexus of this name. */
	tpg->sess->se_node_acl->saved_prot_type = type;
	WRITE_ONCE(tpg->sess->sess_prot_type, type);
}

/**
 * vhost_scsi_tpg_set_prot_type() - protection that LIO offers by itself
 * @tpg: the TPG
 * @type: 0, 1 or 3
 *
 * The queues take units for protected before LIO does, and until it does not any
 * more: what LIO cannot do to one must not reach it.
 */
void vhost_scsi_tpg_set_prot_type(struct vhost_scsi_tpg *tpg, int type)
{
	guard(mutex)(&tpg->mutex);
	if (!type)
		vhost_scsi_tpg_set_session_prot(tpg, type);
	else
		WRITE_ONCE(tpg->fabric_prot_type, type);
	if (tpg->ep)
		vhost_scsi_tpg_sync_queues(tpg->ep->vs);
	if (!type)
		WRITE_ONCE(tpg->fabric_prot_type, type);
	else
		vhost_scsi_tpg_set_session_prot(tpg, type);
}

/**
 * vhost_scsi_tpg_drop_nexus() - end the I_T nexus of a TPG
 * @tpg: the TPG
 *
 * A guest that has the TPG as a target loses it. Waits for its commands.
 *
 * Return: 0, -ENODEV without a nexus, -EBUSY while a LUN is linked.
 */
int vhost_scsi_tpg_drop_nexus(struct vhost_scsi_tpg *tpg)
{
	guard(mutex)(&tpg->mutex);
	if (!tpg->sess)
		return -ENODEV;
	if (tpg->nr_luns)
		return -EBUSY;
	vhost_scsi_tpg_unplug(tpg);
	vhost_scsi_tpg_remove_nexus(tpg);
	return 0;
}
