// SPDX-License-Identifier: GPL-2.0
/*
 * The LIO fabric "vhost": target/vhost/<wwn>/tpgt_<n> in configfs.
 *
 * Enters: mkdir, rmdir, link and unlink by targetcli. Leaves: TPGs and LUNs, for
 * scsi_tpg.c. Their attributes are in scsi_attrib.c.
 * Context: process; configfs callbacks come with configfs's directory locks
 * held. Lock order: vhost_scsi.h.
 * Invariant: a TPG that is known has a name and a tag, and keeps both.
 */
#include <linux/configfs.h>
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/utsname.h>

#include "scsi_tmf.h"

static char *vhost_scsi_tpg_get_wwn(struct se_portal_group *se_tpg)
{
	return to_vtpg(se_tpg)->tport->name;
}

static u16 vhost_scsi_tpg_get_tag(struct se_portal_group *se_tpg)
{
	return to_vtpg(se_tpg)->tag;
}

/* A nexus needs no ACL: the VMM's access to the device node is the check. */
static int vhost_scsi_tpg_check_demo_mode(struct se_portal_group *se_tpg)
{
	return 1;
}

static int vhost_scsi_tpg_check_prot_fabric_only(struct se_portal_group *se_tpg)
{
	return to_vtpg(se_tpg)->fabric_prot_type;
}

/*
 * Somebody removes the ACL that a nexus uses, and waits for it to go. LIO holds
 * nothing that keeps the session meanwhile: somebody else may have ended the nexus.
 */
static void vhost_scsi_close_session(struct se_session *sess)
{
	struct vhost_scsi_tpg *tpg = vhost_scsi_tpg_of_session(sess);

	if (!tpg)
		return;
	vhost_scsi_nexus_renew(tpg, sess);
	vhost_scsi_tpg_put(tpg);
}

/* -- LUNs -- */

static int vhost_scsi_fabric_post_link(struct se_portal_group *se_tpg,
				       struct se_lun *lun)
{
	vhost_scsi_tpg_lun_linked(to_vtpg(se_tpg), lun);
	return 0;
}

static void vhost_scsi_fabric_pre_unlink(struct se_portal_group *se_tpg,
					 struct se_lun *lun)
{
	vhost_scsi_nexus_lun_leaves(to_vtpg(se_tpg), lun);
	vhost_scsi_reserve_lun_leaves(lun);
}

/* After the LUN is gone, so that no guest is quick enough to find it again. */
static void vhost_scsi_fabric_post_unlink(struct se_portal_group *se_tpg,
					  struct se_lun *lun)
{
	vhost_scsi_reserve_lun_left(lun);
	vhost_scsi_tpg_lun_unlinked(to_vtpg(se_tpg), lun);
}

/* -- tpgt_<n>/ and <wwn>/ -- */

static struct se_portal_group *vhost_scsi_fabric_make_tpg(struct se_wwn *wwn,
							  const char *name)
{
	struct vhost_scsi_tport *tport = to_tport(wwn);
	struct vhost_scsi_tpg *tpg;
	size_t prefix;
	u8 tag;
	int ret;

	prefix = str_has_prefix(name, "tpgt_");
	/* kstrtou8() takes a sign and leading zeros; a tag has neither. */
	if (!prefix || !isdigit(name[prefix]) ||
	    (name[prefix] == '0' && name[prefix + 1]) ||
	    kstrtou8(name + prefix, 10, &tag))
		return ERR_PTR(-EINVAL);

	tpg = kzalloc(sizeof(*tpg), GFP_KERNEL);
	if (!tpg)
		return ERR_PTR(-ENOMEM);
	tpg->tport = tport;
	tpg->tag = tag;

	ret = core_tpg_register(wwn, &tpg->se_tpg, tport->proto->id);
	if (ret) {
		kfree(tpg);
		return ERR_PTR(ret);
	}

	vhost_scsi_tpg_register(tpg);
	return &tpg->se_tpg;
}

static void vhost_scsi_fabric_drop_tpg(struct se_portal_group *se_tpg)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(se_tpg);

	/* rtslib expects the nexus to go with it. */
	vhost_scsi_tpg_unregister(tpg);
	vhost_scsi_nexus_end(tpg);
	core_tpg_deregister(se_tpg);
	vhost_scsi_tpg_put(tpg);
}

static struct se_wwn *
vhost_scsi_fabric_make_wwn(struct target_fabric_configfs *tf,
			   struct config_group *group, const char *name)
{
	const struct vhost_scsi_proto *proto = vhost_scsi_name_proto(name);
	struct vhost_scsi_tport *tport;

	if (!proto || strlen(name) >= VHOST_SCSI_NAME_LEN)
		return ERR_PTR(-EINVAL);

	tport = kzalloc(sizeof(*tport), GFP_KERNEL);
	if (!tport)
		return ERR_PTR(-ENOMEM);
	tport->proto = proto;
	strscpy(tport->name, name + proto->cut);
	return &tport->wwn;
}

static void vhost_scsi_fabric_drop_wwn(struct se_wwn *wwn)
{
	kfree(to_tport(wwn));
}

static ssize_t vhost_scsi_wwn_version_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "vhost-scsi (tcm_vhost) on %s/%s %s\n",
			  utsname()->sysname, utsname()->machine,
			  utsname()->release);
}

CONFIGFS_ATTR_RO(vhost_scsi_wwn_, version);

static struct configfs_attribute *vhost_scsi_wwn_attrs[] = {
	&vhost_scsi_wwn_attr_version,
	NULL,
};

static const struct target_core_fabric_ops vhost_scsi_ops = {
	.module				= THIS_MODULE,
	.fabric_name			= "vhost",
	.max_data_sg_nents		= VHOST_SCSI_MAX_PAGES,
	.tpg_get_wwn			= vhost_scsi_tpg_get_wwn,
	.tpg_get_tag			= vhost_scsi_tpg_get_tag,
	.tpg_check_demo_mode		= vhost_scsi_tpg_check_demo_mode,
	.tpg_check_demo_mode_cache	= vhost_scsi_tpg_check_demo_mode,
	.tpg_check_prot_fabric_only	= vhost_scsi_tpg_check_prot_fabric_only,

	.close_session			= vhost_scsi_close_session,
	.check_stop_free		= vhost_scsi_check_stop_free,
	.release_cmd			= vhost_scsi_release_cmd,
	.write_pending			= vhost_scsi_write_pending,
	.queue_data_in			= vhost_scsi_queue_data_in,
	.queue_status			= vhost_scsi_queue_status,
	.queue_tm_rsp			= vhost_scsi_queue_tm_rsp,
	.aborted_task			= vhost_scsi_aborted_task,

	.fabric_make_wwn		= vhost_scsi_fabric_make_wwn,
	.fabric_drop_wwn		= vhost_scsi_fabric_drop_wwn,
	.fabric_make_tpg		= vhost_scsi_fabric_make_tpg,
	.fabric_drop_tpg		= vhost_scsi_fabric_drop_tpg,
	.fabric_post_link		= vhost_scsi_fabric_post_link,
	.fabric_pre_unlink		= vhost_scsi_fabric_pre_unlink,
	.fabric_post_unlink		= vhost_scsi_fabric_post_unlink,

	.tfc_wwn_attrs			= vhost_scsi_wwn_attrs,
	.tfc_tpg_base_attrs		= vhost_scsi_attrib_tpg_attrs,
	.tfc_tpg_attrib_attrs		= vhost_scsi_attrib_attrs,

	.default_submit_type		= TARGET_QUEUE_SUBMIT,
	.direct_submit_supp		= 1,
	VHOST_SCSI_COMPL_OPS
};

/**
 * vhost_scsi_fabric_init() - make the fabric known to LIO
 *
 * Return: 0 or a negative errno.
 */
int vhost_scsi_fabric_init(void)
{
	return target_register_template(&vhost_scsi_ops);
}

/**
 * vhost_scsi_fabric_exit() - undo vhost_scsi_fabric_init()
 */
void vhost_scsi_fabric_exit(void)
{
	target_unregister_template(&vhost_scsi_ops);
}
