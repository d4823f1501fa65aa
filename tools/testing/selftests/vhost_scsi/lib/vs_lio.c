// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vs_lio.h"

#define CORE_ROOT	VS_TARGET_ROOT "/core"
#define PATH_LEN	512

/* HBA numbers and names of the tests' backstores start here. */
#define BS_NAME		"vs-test"
#define BS_FIRST_HBA	900

int vs_write_file(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		ret = -errno;
	close(fd);
	return ret;
}

int vs_read_file(const char *path, char *buf, size_t size)
{
	ssize_t n;
	int fd;

	buf[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	else
		buf[n] = '\0';
	close(fd);
	return (int)n;
}

static int make_dir(const char *path)
{
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

int vs_lio_init(void)
{
	/* The debug kernel has all of it built in: no module, no failure. */
	if (access(VS_TARGET_ROOT, F_OK))
		system("modprobe -qa configfs target_core_mod 2>/dev/null");
	if (access(VS_TARGET_ROOT, F_OK))
		mount("none", "/sys/kernel/config", "configfs", 0, NULL);
	if (access("/dev/vhost-scsi", F_OK))
		system("modprobe -q vhost_scsi 2>/dev/null");
	return make_dir(VS_VHOST_ROOT);
}

static int rm_dir(const char *path)
{
	return rmdir(path) ? -errno : 0;
}

/* Calls fn for every entry of a directory; keeps the first error. */
static int each_entry(const char *dir, const char *prefix,
		      int (*fn)(const char *path))
{
	struct dirent *de;
	DIR *d = opendir(dir);
	int ret = 0, err;

	if (!d)
		return -errno;
	while ((de = readdir(d))) {
		char path[PATH_LEN];

		if (de->d_name[0] == '.' ||
		    strncmp(de->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		err = fn(path);
		if (!ret)
			ret = err;
	}
	closedir(d);
	return ret;
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
	int ret = each_entry(path, "", remove_link);

	return ret ? ret : rm_dir(path);
}

static int remove_acl_luns(const char *path)
{
	return each_entry(path, "lun_", remove_lun);
}

static int remove_tpg(const char *path)
{
	char sub[PATH_LEN + 16];
	int ret, err;

	snprintf(sub, sizeof(sub), "%s/acls", path);
	ret = each_entry(sub, "", remove_acl_luns);
	snprintf(sub, sizeof(sub), "%s/lun", path);
	err = each_entry(sub, "lun_", remove_lun);
	if (!ret)
		ret = err;
	/* The nexus goes after its LUNs, and its ACL after the nexus. */
	snprintf(sub, sizeof(sub), "%s/nexus", path);
	vs_write_file(sub, "NULL");
	snprintf(sub, sizeof(sub), "%s/acls", path);
	err = each_entry(sub, "", rm_dir);
	if (!ret)
		ret = err;
	err = rm_dir(path);
	return ret ? ret : err;
}

static int remove_wwn(const char *path)
{
	int ret = each_entry(path, "tpgt_", remove_tpg);
	int err = rm_dir(path);

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

static int sweep_hba(const char *path)
{
	char bs[PATH_LEN + 16];

	snprintf(bs, sizeof(bs), "%s/" BS_NAME, path);
	if (access(bs, F_OK))
		return 0;
	rm_dir(bs);
	return rm_dir(path);
}

void vs_lio_sweep(void)
{
	each_entry(VS_VHOST_ROOT, "", sweep_wwn);
	each_entry(CORE_ROOT, "", sweep_hba);
}

/* A unit that user space served: whoever did that is gone. */
static int release_hba(const char *path)
{
	char ring[PATH_LEN + 48];

	snprintf(ring, sizeof(ring), "%s/" BS_NAME "/action/reset_ring", path);
	return access(ring, F_OK) ? 0 : vs_write_file(ring, "1");
}

void vs_lio_release(void)
{
	each_entry(CORE_ROOT, "user_", release_hba);
}

int vs_backstore_write(const struct vs_backstore *bs, const char *file,
		       const char *text)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", bs->path, file);
	return vs_write_file(path, text);
}

static int make_backstore(struct vs_backstore *bs, const char *type,
			  unsigned int n, const char *control)
{
	int ret;

	snprintf(bs->hba, sizeof(bs->hba), CORE_ROOT "/%s_%u", type,
		 BS_FIRST_HBA + n);
	snprintf(bs->path, sizeof(bs->path), "%s/" BS_NAME, bs->hba);
	if (mkdir(bs->hba, 0755))
		return -errno;
	if (mkdir(bs->path, 0755)) {
		ret = -errno;
		rmdir(bs->hba);
		return ret;
	}
	ret = vs_backstore_write(bs, "control", control);
	if (ret)
		vs_backstore_put(bs);
	return ret;
}

/*
 * What an earlier disk of that name was to remember of its reservations (APTPL). LIO
 * wants the directory, which rtslib does not make where it moves it to.
 */
static void forget_reservations(const char *serial)
{
	char path[PATH_LEN], root[128];

	if (vs_read_file("/sys/kernel/config/target/dbroot", root, sizeof(root)) <= 0)
		return;
	root[strcspn(root, "\n")] = '\0';
	snprintf(path, sizeof(path), "%s/pr", root);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/pr/aptpl_%s", root, serial);
	unlink(path);
}

static int backstore_get(struct vs_backstore *bs, const char *type,
			 unsigned int n, const char *control)
{
	char serial[32];
	int ret;

	ret = make_backstore(bs, type, n, control);
	if (ret)
		return ret;
	snprintf(serial, sizeof(serial), "vs-test-%u", n);
	forget_reservations(serial);
	ret = vs_backstore_write(bs, "enable", "1");
	if (!ret)
		ret = vs_backstore_write(bs, "wwn/vpd_unit_serial", serial);
	if (ret)
		vs_backstore_put(bs);
	return ret;
}

int vs_ramdisk_get(struct vs_backstore *bs, unsigned int n, unsigned int mib,
		   bool nullio)
{
	char control[64];

	snprintf(control, sizeof(control), "rd_pages=%u%s", mib << 8,
		 nullio ? ",rd_nullio=1" : "");
	return backstore_get(bs, "rd_mcp", n, control);
}

int vs_fileio_get(struct vs_backstore *bs, unsigned int n, const char *file,
		  unsigned int mib)
{
	char control[256];
	struct stat st;
	int fd, ret = 0;

	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* A disk has its size. */
	if (fstat(fd, &st) ||
	    (S_ISREG(st.st_mode) && ftruncate(fd, (off_t)mib << 20)))
		ret = -errno;
	close(fd);
	if (ret)
		return ret;
	snprintf(control, sizeof(control), "fd_dev_name=%s,fd_dev_size=%llu",
		 file, (unsigned long long)mib << 20);
	return backstore_get(bs, "fileio", n, control);
}

int vs_iblock_get(struct vs_backstore *bs, unsigned int n, const char *bdev)
{
	char control[256];

	snprintf(control, sizeof(control), "udev_path=%s", bdev);
	return backstore_get(bs, "iblock", n, control);
}

int vs_pscsi_get(struct vs_backstore *bs, unsigned int n,
		 const unsigned int hctl[4], const char *node)
{
	char control[128];
	int ret;

	snprintf(control, sizeof(control),
		 "scsi_host_id=%u,scsi_channel_id=%u,scsi_target_id=%u,scsi_lun_id=%u",
		 hctl[0], hctl[1], hctl[2], hctl[3]);
	ret = make_backstore(bs, "pscsi", n, control);
	if (ret)
		return ret;
	ret = vs_backstore_write(bs, "udev_path", node);
	if (!ret)
		ret = vs_backstore_write(bs, "enable", "1");
	if (ret)
		vs_backstore_put(bs);
	return ret;
}

int vs_user_get(struct vs_backstore *bs, unsigned int n, unsigned int mib)
{
	char control[128];

	snprintf(control, sizeof(control),
		 "dev_config=vs-test/%u,dev_size=%llu,nl_reply_supported=-1", n,
		 (unsigned long long)mib << 20);
	return backstore_get(bs, "user", n, control);
}

int vs_backstore_put(struct vs_backstore *bs)
{
	int ret;

	if (!bs->path[0])
		return 0;
	ret = rm_dir(bs->path);
	if (!ret)
		ret = rm_dir(bs->hba);
	if (!ret)
		bs->path[0] = '\0';
	return ret;
}

int vs_backstore_attr(const struct vs_backstore *bs, const char *name,
		      const char *value)
{
	char file[64];

	snprintf(file, sizeof(file), "attrib/%s", name);
	return vs_backstore_write(bs, file, value);
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
	return rm_dir(path);
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

	return rm_dir(vs_tpg_path(path, sizeof(path), wwn, tag, ""));
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
