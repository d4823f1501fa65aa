// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vs_backstore.h"
#include "vs_file.h"

#define CORE_ROOT	VS_TARGET_ROOT "/core"
#define PATH_LEN	512

/* The name of the tests' backstores, and where the numbers of their HBAs start. */
#define BS_NAME		"vs-test"
#define BS_FIRST_HBA	900

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
	ret = vs_remove_dir(bs->path);
	if (!ret)
		ret = vs_remove_dir(bs->hba);
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

static int release_hba(const char *path)
{
	char ring[PATH_LEN + 48];

	snprintf(ring, sizeof(ring), "%s/" BS_NAME "/action/reset_ring", path);
	return access(ring, F_OK) ? 0 : vs_write_file(ring, "1");
}

void vs_backstore_release(void)
{
	vs_each_entry(CORE_ROOT, "user_", release_hba);
}

static int sweep_hba(const char *path)
{
	char bs[PATH_LEN + 16];

	snprintf(bs, sizeof(bs), "%s/" BS_NAME, path);
	if (access(bs, F_OK))
		return 0;
	vs_remove_dir(bs);
	return vs_remove_dir(path);
}

void vs_backstore_sweep(void)
{
	vs_each_entry(CORE_ROOT, "", sweep_hba);
}
