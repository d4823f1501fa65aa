// SPDX-License-Identifier: GPL-2.0
/*
 * The LIO fabric "vhost": target/vhost/<wwn>/tpgt_<n> in configfs.
 *
 * Enters: mkdir, rmdir, link, unlink and attribute writes by targetcli. Leaves:
 * TPGs with nexus and LUNs, for scsi_tpg.c.
 * Context: process; configfs callbacks come with configfs's directory locks
 * held. Lock order: vhost_scsi.h.
 * Invariant: a TPG that is known has a name and a tag, and keeps both.
 */
#include <linux/configfs.h>
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/utsname.h>
#include <scsi/scsi_proto.h>

#include "scsi_tmf.h"

static bool vhost_scsi_is_sas(const char *rest)
{
	return strspn(rest, "0123456789abcdefABCDEF") == 16 && !rest[16];
}

static bool vhost_scsi_is_fcp(const char *rest)
{
	unsigned int i;

	for (i = 0; i < 23; i++)
		if (i % 3 == 2 ? rest[i] != ':' : !isxdigit(rest[i]))
			return false;
	return !rest[i];
}

/* A comma begins the session's part of a TransportID. */
static bool vhost_scsi_is_iscsi(const char *rest)
{
	const char *p;

	for (p = rest; *p; p++)
		if (!isascii(*p) || !isgraph(*p) || *p == ',')
			return false;
	return p != rest;
}

/*
 * Which protocol a name belongs to, how much of its front is no name, whether what
 * follows the prefix makes a TransportID, and what would.
 */
static const struct vhost_scsi_proto {
	const char *prefix;
	u8 cut;
	u8 id;
	bool (*valid)(const char *rest);
	const char *want;
} vhost_scsi_protos[] = {
	{ "naa.", 0, SCSI_PROTOCOL_SAS, vhost_scsi_is_sas,
	  "naa. wants 16 hexadecimal digits behind it" },
	{ "fc.", 3, SCSI_PROTOCOL_FCP, vhost_scsi_is_fcp,
	  "fc. wants 8 bytes of 2 hexadecimal digits behind it, with colons between" },
	{ "iqn.", 0, SCSI_PROTOCOL_ISCSI, vhost_scsi_is_iscsi,
	  "iqn. wants printable ASCII without blank and comma behind it" },
};

static const struct vhost_scsi_proto *vhost_scsi_find_proto(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vhost_scsi_protos); i++)
		if (str_has_prefix(name, vhost_scsi_protos[i].prefix))
			return &vhost_scsi_protos[i];
	return NULL;
}

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

/* -- nexus -- */

/* An administrator sees an errno, which does not say what is wrong. */
static int vhost_scsi_fabric_refuse_nexus(const char *name, const char *why)
{
	pr_warn_ratelimited("vhost-scsi: nexus '%s' refused: %s\n", name, why);
	return -EINVAL;
}

static int vhost_scsi_fabric_make_nexus(struct vhost_scsi_tpg *tpg, const char *name)
{
	const struct vhost_scsi_proto *proto = vhost_scsi_find_proto(name);

	if (!proto)
		return vhost_scsi_fabric_refuse_nexus(name,
			"a name begins with naa., fc. or iqn.");
	if (proto->id != tpg->tport->proto_id)
		return vhost_scsi_fabric_refuse_nexus(name,
			"its prefix differs from the target's");
	/* LIO cuts READ FULL STATUS short at a name without TransportID. */
	if (!proto->valid(name + strlen(proto->prefix)))
		return vhost_scsi_fabric_refuse_nexus(name, proto->want);

	return vhost_scsi_nexus_add(tpg, name + proto->cut);
}

static ssize_t vhost_scsi_tpg_nexus_show(struct config_item *item, char *page)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(to_tpg(item));

	guard(mutex)(&tpg->mutex);
	if (!tpg->sess)
		return -ENODEV;
	return sysfs_emit(page, "%s\n",
			  tpg->sess->se_node_acl->initiatorname);
}

static ssize_t vhost_scsi_tpg_nexus_store(struct config_item *item,
					  const char *page, size_t count)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(to_tpg(item));
	/* LIO would cut a longer one. */
	char name[TRANSPORT_IQN_LEN];
	int ret;

	if (strscpy(name, page) < 0)
		return vhost_scsi_fabric_refuse_nexus(name, "a name has 223 characters at most");
	name[strcspn(name, "\n")] = '\0';

	if (!strcmp(name, "NULL"))
		ret = vhost_scsi_nexus_drop(tpg);
	else
		ret = vhost_scsi_fabric_make_nexus(tpg, name);
	return ret ? ret : count;
}

CONFIGFS_ATTR(vhost_scsi_tpg_, nexus);

static struct configfs_attribute *vhost_scsi_tpg_attrs[] = {
	&vhost_scsi_tpg_attr_nexus,
	NULL,
};

/* -- attrib/ -- */

static ssize_t
vhost_scsi_tpg_attrib_fabric_prot_type_show(struct config_item *item,
					    char *page)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));

	return sysfs_emit(page, "%d\n", READ_ONCE(tpg->fabric_prot_type));
}

static ssize_t
vhost_scsi_tpg_attrib_fabric_prot_type_store(struct config_item *item,
					     const char *page, size_t count)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));
	unsigned long val;
	int ret;

	ret = kstrtoul(page, 0, &val);
	if (ret)
		return ret;
	if (val != 0 && val != 1 && val != 3)
		return -EINVAL;

	vhost_scsi_nexus_set_prot_type(tpg, val);
	return count;
}

CONFIGFS_ATTR(vhost_scsi_tpg_attrib_, fabric_prot_type);

static ssize_t
vhost_scsi_tpg_attrib_busyloop_us_show(struct config_item *item, char *page)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));

	return sysfs_emit(page, "%u\n", READ_ONCE(tpg->busyloop_us));
}

static ssize_t
vhost_scsi_tpg_attrib_busyloop_us_store(struct config_item *item,
					const char *page, size_t count)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));
	unsigned int us;
	int ret;

	ret = kstrtouint(page, 0, &us);
	if (ret)
		return ret;
	if (us > VHOST_SCSI_MAX_BUSYLOOP_US)
		return -EINVAL;

	WRITE_ONCE(tpg->busyloop_us, us);
	return count;
}

CONFIGFS_ATTR(vhost_scsi_tpg_attrib_, busyloop_us);

static ssize_t
vhost_scsi_tpg_attrib_pin_memory_show(struct config_item *item, char *page)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));

	return sysfs_emit(page, "%d\n", READ_ONCE(tpg->pin_memory));
}

static ssize_t
vhost_scsi_tpg_attrib_pin_memory_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));
	bool pin;
	int ret;

	ret = kstrtobool(page, &pin);
	if (ret)
		return ret;
	WRITE_ONCE(tpg->pin_memory, pin);
	return count;
}

CONFIGFS_ATTR(vhost_scsi_tpg_attrib_, pin_memory);

static ssize_t
vhost_scsi_tpg_attrib_extended_copy_show(struct config_item *item, char *page)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));

	return sysfs_emit(page, "%d\n", READ_ONCE(tpg->extended_copy));
}

static ssize_t
vhost_scsi_tpg_attrib_extended_copy_store(struct config_item *item,
					  const char *page, size_t count)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));
	bool copy;
	int ret;

	ret = kstrtobool(page, &copy);
	if (ret)
		return ret;
	WRITE_ONCE(tpg->extended_copy, copy);
	return count;
}

CONFIGFS_ATTR(vhost_scsi_tpg_attrib_, extended_copy);

static struct configfs_attribute *vhost_scsi_tpg_attrib_attrs[] = {
	&vhost_scsi_tpg_attrib_attr_fabric_prot_type,
	&vhost_scsi_tpg_attrib_attr_busyloop_us,
	&vhost_scsi_tpg_attrib_attr_pin_memory,
	&vhost_scsi_tpg_attrib_attr_extended_copy,
	NULL,
};

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

	ret = core_tpg_register(wwn, &tpg->se_tpg, tport->proto_id);
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
	const struct vhost_scsi_proto *proto = vhost_scsi_find_proto(name);
	struct vhost_scsi_tport *tport;

	if (!proto || strlen(name) >= VHOST_SCSI_NAME_LEN)
		return ERR_PTR(-EINVAL);

	tport = kzalloc(sizeof(*tport), GFP_KERNEL);
	if (!tport)
		return ERR_PTR(-ENOMEM);
	tport->proto_id = proto->id;
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
	.tfc_tpg_base_attrs		= vhost_scsi_tpg_attrs,
	.tfc_tpg_attrib_attrs		= vhost_scsi_tpg_attrib_attrs,

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
