// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of a TPG: tpgt_<n>/nexus, and the files in tpgt_<n>/attrib.
 *
 * Enters: reads and writes by targetcli, and by who restores what it saved. Leaves: the
 * I_T nexus (scsi_nexus.c), and values in struct vhost_scsi_tpg.
 * Context: process; configfs keeps the TPG.
 * Invariant: what a writable file in attrib/ says is taken when it is written back.
 */
#include <linux/configfs.h>
#include <linux/string.h>

#include "vhost_scsi.h"

/* -- nexus -- */

/* An administrator sees an errno, which does not say what is wrong. */
static int vhost_scsi_attrib_refuse(const char *name, const char *why)
{
	pr_warn_ratelimited("vhost-scsi: nexus '%s' refused: %s\n", name, why);
	return -EINVAL;
}

/* Copy a line of the administrator's, of which LIO would cut a longer one. */
static int vhost_scsi_attrib_copy(char name[TRANSPORT_IQN_LEN], const char *page)
{
	if (strscpy(name, page, TRANSPORT_IQN_LEN) < 0)
		return vhost_scsi_attrib_refuse(name, "a name has 223 characters at most");
	name[strcspn(name, "\n")] = '\0';
	return 0;
}

/* A nexus of that name, if it is one: by @make. */
static int vhost_scsi_attrib_make(struct vhost_scsi_tpg *tpg, const char *name,
				  int (*make)(struct vhost_scsi_tpg *tpg, const char *name))
{
	const struct vhost_scsi_proto *proto = tpg->tport->proto;
	const char *flaw = vhost_scsi_name_flaw(name, proto);

	if (flaw)
		return vhost_scsi_attrib_refuse(name, flaw);
	return make(tpg, name + proto->cut);
}

static ssize_t vhost_scsi_tpg_nexus_show(struct config_item *item, char *page)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(to_tpg(item));
	char name[TRANSPORT_IQN_LEN];

	if (!vhost_scsi_nexus_read(tpg, name))
		return -ENODEV;
	return sysfs_emit(page, "%s\n", name);
}

static ssize_t vhost_scsi_tpg_nexus_store(struct config_item *item,
					  const char *page, size_t count)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(to_tpg(item));
	char name[TRANSPORT_IQN_LEN];
	int ret = vhost_scsi_attrib_copy(name, page);

	if (ret)
		return ret;
	if (!strcmp(name, "NULL"))
		ret = vhost_scsi_nexus_drop(tpg);
	else
		ret = vhost_scsi_attrib_make(tpg, name, vhost_scsi_nexus_add);
	return ret ? ret : count;
}

CONFIGFS_ATTR(vhost_scsi_tpg_, nexus);

struct configfs_attribute *vhost_scsi_attrib_tpg_attrs[] = {
	&vhost_scsi_tpg_attr_nexus,
	NULL,
};

/* -- attrib/ -- */

/*
 * rtslib saves and restores what is here, but not ../nexus: a persistent reservation
 * with APTPL belongs to a name.
 */
static ssize_t vhost_scsi_tpg_attrib_nexus_show(struct config_item *item, char *page)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));
	char name[TRANSPORT_IQN_LEN];

	if (!vhost_scsi_nexus_read(tpg, name))
		return sysfs_emit(page, "\n");
	return sysfs_emit(page, "%.*s%s\n", tpg->tport->proto->cut,
			  tpg->tport->proto->prefix, name);
}

static ssize_t vhost_scsi_tpg_attrib_nexus_store(struct config_item *item,
						 const char *page, size_t count)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));
	char name[TRANSPORT_IQN_LEN];
	int ret = vhost_scsi_attrib_copy(name, page);

	/* No nexus, written back, asks for none. */
	if (!ret && *name)
		ret = vhost_scsi_attrib_make(tpg, name, vhost_scsi_nexus_name);
	return ret ? ret : count;
}

CONFIGFS_ATTR(vhost_scsi_tpg_attrib_, nexus);

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

/* An attribute that is a boolean of struct vhost_scsi_tpg. */
#define VHOST_SCSI_ATTRIB_BOOL(_name)						\
static ssize_t									\
vhost_scsi_tpg_attrib_##_name##_show(struct config_item *item, char *page)	\
{										\
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));		\
										\
	return sysfs_emit(page, "%d\n", READ_ONCE(tpg->_name));			\
}										\
										\
static ssize_t									\
vhost_scsi_tpg_attrib_##_name##_store(struct config_item *item,			\
				      const char *page, size_t count)		\
{										\
	struct vhost_scsi_tpg *tpg = to_vtpg(attrib_to_tpg(item));		\
	bool val;								\
	int ret = kstrtobool(page, &val);					\
										\
	if (ret)								\
		return ret;							\
	WRITE_ONCE(tpg->_name, val);						\
	return count;								\
}										\
CONFIGFS_ATTR(vhost_scsi_tpg_attrib_, _name)

VHOST_SCSI_ATTRIB_BOOL(pin_memory);
VHOST_SCSI_ATTRIB_BOOL(extended_copy);

struct configfs_attribute *vhost_scsi_attrib_attrs[] = {
	&vhost_scsi_tpg_attrib_attr_nexus,
	&vhost_scsi_tpg_attrib_attr_fabric_prot_type,
	&vhost_scsi_tpg_attrib_attr_busyloop_us,
	&vhost_scsi_tpg_attrib_attr_pin_memory,
	&vhost_scsi_tpg_attrib_attr_extended_copy,
	NULL,
};
