// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vs_lio.h"
#include "vs_thread.h"

#define PATH_LEN	512

int vs_lio_init(void)
{
	/* The debug kernel has all of it built in: no module, no failure. */
	if (access(VS_TARGET_ROOT, F_OK))
		system("modprobe -qa configfs target_core_mod 2>/dev/null");
	if (access(VS_TARGET_ROOT, F_OK))
		mount("none", "/sys/kernel/config", "configfs", 0, NULL);
	if (access("/dev/vhost-scsi", F_OK))
		system("modprobe -q vhost_scsi 2>/dev/null");
	return vs_make_dir(VS_VHOST_ROOT);
}

static int remove_link(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return -errno;
	return S_ISLNK(st.st_mode) && unlink(path) ? -errno : 0;
}

static int remove_lun(const char *path)
{
	int ret = vs_each_entry(path, "", remove_link);

	return ret ? ret : vs_remove_dir(path);
}

static int remove_acl_luns(const char *path)
{
	return vs_each_entry(path, "lun_", remove_lun);
}

static int remove_tpg(const char *path)
{
	char sub[PATH_LEN + 16];
	int ret, err;

	snprintf(sub, sizeof(sub), "%s/acls", path);
	ret = vs_each_entry(sub, "", remove_acl_luns);
	snprintf(sub, sizeof(sub), "%s/lun", path);
	err = vs_each_entry(sub, "lun_", remove_lun);
	if (!ret)
		ret = err;
	/* The nexus goes after its LUNs, and its ACL after the nexus. */
	snprintf(sub, sizeof(sub), "%s/nexus", path);
	vs_write_file(sub, "NULL");
	snprintf(sub, sizeof(sub), "%s/acls", path);
	err = vs_each_entry(sub, "", vs_remove_dir);
	if (!ret)
		ret = err;
	err = vs_remove_dir(path);
	return ret ? ret : err;
}

static int remove_wwn(const char *path)
{
	int ret = vs_each_entry(path, "tpgt_", remove_tpg);
	int err = vs_remove_dir(path);

	return ret ? ret : err;
}

static bool ours(const char *wwn)
{
	return strstr(wwn, "5001405f00d") || strstr(wwn, "vs-test") ||
	       strstr(wwn, "f0:0d");
}

static int sweep_wwn(const char *path)
{
	return ours(path) ? remove_wwn(path) : 0;
}

void vs_lio_sweep(void)
{
	vs_each_entry(VS_VHOST_ROOT, "", sweep_wwn);
	vs_backstore_sweep();
}

int vs_wwn_get(const char *wwn)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), VS_VHOST_ROOT "/%s", wwn);
	return mkdir(path, 0755) ? -errno : 0;
}

int vs_wwn_put(const char *wwn)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), VS_VHOST_ROOT "/%s", wwn);
	return vs_remove_dir(path);
}

int vs_wwn_remove(const char *wwn)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), VS_VHOST_ROOT "/%s", wwn);
	return access(path, F_OK) ? 0 : remove_wwn(path);
}

char *vs_tpg_path(char *buf, size_t size, const char *wwn, unsigned int tag,
		  const char *rest)
{
	snprintf(buf, size, VS_VHOST_ROOT "/%s/tpgt_%u/%s", wwn, tag, rest);
	return buf;
}

int vs_tpg_get(const char *wwn, unsigned int tag)
{
	char path[PATH_LEN];

	return mkdir(vs_tpg_path(path, sizeof(path), wwn, tag, ""), 0755) ?
	       -errno : 0;
}

int vs_tpg_put(const char *wwn, unsigned int tag)
{
	char path[PATH_LEN];

	return vs_remove_dir(vs_tpg_path(path, sizeof(path), wwn, tag, ""));
}

unsigned long vs_tpg_port_id(const char *wwn, unsigned int tag)
{
	char path[PATH_LEN], text[64];

	vs_tpg_path(path, sizeof(path), wwn, tag, "rtpi");
	return vs_read_file(path, text, sizeof(text)) < 0 ? 0 :
	       strtoul(text, NULL, 16);
}

int vs_nexus_write(const char *wwn, unsigned int tag, const char *text)
{
	char path[PATH_LEN];

	return vs_write_file(vs_tpg_path(path, sizeof(path), wwn, tag,
					 "nexus"), text);
}

int vs_tpg_attr(const char *wwn, unsigned int tag, const char *name,
		const char *value)
{
	char path[PATH_LEN], rest[64];

	snprintf(rest, sizeof(rest), "attrib/%s", name);
	return vs_write_file(vs_tpg_path(path, sizeof(path), wwn, tag, rest),
			     value);
}

int vs_lun_link(const char *wwn, unsigned int tag, unsigned long long lun,
		const struct vs_backstore *bs)
{
	char rest[64], dir[PATH_LEN], link[PATH_LEN + 16];
	int ret;

	snprintf(rest, sizeof(rest), "lun/lun_%llu", lun);
	vs_tpg_path(dir, sizeof(dir), wwn, tag, rest);
	if (mkdir(dir, 0755))
		return -errno;
	snprintf(link, sizeof(link), "%s/link", dir);
	if (symlink(bs->path, link)) {
		ret = -errno;
		rmdir(dir);
		return ret;
	}
	return 0;
}

int vs_acl_map(const char *wwn, unsigned int tag, const char *name,
	       unsigned long long lun, bool read_only)
{
	char rest[128], dir[PATH_LEN], file[PATH_LEN + 16], to[PATH_LEN];

	snprintf(rest, sizeof(rest), "acls/%s", name);
	if (mkdir(vs_tpg_path(dir, sizeof(dir), wwn, tag, rest), 0755) &&
	    errno != EEXIST)
		return -errno;
	snprintf(rest, sizeof(rest), "acls/%s/lun_%llu", name, lun);
	if (mkdir(vs_tpg_path(dir, sizeof(dir), wwn, tag, rest), 0755))
		return -errno;
	snprintf(rest, sizeof(rest), "lun/lun_%llu", lun);
	vs_tpg_path(to, sizeof(to), wwn, tag, rest);
	snprintf(file, sizeof(file), "%s/link", dir);
	if (symlink(to, file))
		return -errno;
	snprintf(file, sizeof(file), "%s/write_protect", dir);
	return vs_write_file(file, read_only ? "1" : "0");
}

int vs_lun_unlink(const char *wwn, unsigned int tag, unsigned long long lun)
{
	char rest[64], dir[PATH_LEN];

	snprintf(rest, sizeof(rest), "lun/lun_%llu", lun);
	return remove_lun(vs_tpg_path(dir, sizeof(dir), wwn, tag, rest));
}

int vs_lio_wait_aborts(unsigned int n)
{
	return vs_wait_inside("target_put_cmd_and_wait", n);
}
