// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vs_file.h"
#include "vs_ring.h"
#include "vs_sdebug.h"

#define MODULE	"/sys/module/scsi_debug"
#define DRIVER	"/sys/bus/pseudo/drivers/scsi_debug"

/* How its units call themselves: a module of the tests is known by it. */
#define VENDOR	"vs-test"

/* A parameter, or "" if the module is not there; without what pads it. */
static const char *param(char *text, size_t size, const char *name)
{
	char path[128];
	size_t len;

	snprintf(path, sizeof(path), MODULE "/parameters/%s", name);
	if (vs_read_file(path, text, size) < 0)
		return "";
	len = strcspn(text, "\n");
	while (len && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
	return text;
}

static bool ours(void)
{
	char text[64];

	return !strcmp(param(text, sizeof(text), "inq_vendor"), VENDOR);
}

int vs_sdebug_set(const char *attr, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DRIVER "/%s", attr);
	return vs_write_file(path, value);
}

static int remove_adapters(void)
{
	char text[32];
	int n;

	if (vs_read_file(DRIVER "/add_host", text, sizeof(text)) < 0)
		return -errno;
	n = atoi(text);
	if (n <= 0)
		return 0;
	snprintf(text, sizeof(text), "-%d", n);
	return vs_sdebug_set("add_host", text);
}

void vs_sdebug_sweep(void)
{
	if (ours())
		remove_adapters();
}

/* Whoever has closed the disk may still be on its way out of it. */
static int unload(void)
{
	int64_t end = vs_now_ms() + vs_patience();
	char text[32];

	while (vs_read_file(MODULE "/refcnt", text, sizeof(text)) > 0 &&
	       atoi(text) && vs_now_ms() < end)
		usleep(10000);
	return syscall(SYS_delete_module, "scsi_debug", O_NONBLOCK) ? -errno : 0;
}

static int load(const char *name, const char *params)
{
	char command[512], text[64];
	int ret;

	if (!strcmp(param(text, sizeof(text), "inq_product"), name) && ours())
		return 0;
	if (!access(MODULE, F_OK)) {
		if (!ours())
			return -EBUSY;
		ret = unload();
		if (ret)
			return ret;
	}
	/* The driver of disks, if it is a module: nobody else loads it here. */
	system("modprobe -q sd_mod 2>/dev/null");
	snprintf(command, sizeof(command),
		 "modprobe -q scsi_debug add_host=0 inq_vendor=" VENDOR
		 " inq_product=%s dev_size_mb=%u %s 2>/dev/null",
		 name, VS_SDEBUG_MIB, params);
	return system(command) || access(DRIVER, F_OK) ? -ENODEV : 0;
}

/* The first entry of a directory that begins so: 0 or -ENOENT. */
static int first_entry(const char *dir, const char *prefix, char *name,
		       size_t size)
{
	struct dirent *de;
	DIR *d = opendir(dir);
	int ret = -ENOENT;

	while (d && ret && (de = readdir(d))) {
		if (de->d_name[0] == '.' ||
		    strncmp(de->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(name, size, "%.15s", de->d_name);
		ret = 0;
	}
	if (d)
		closedir(d);
	return ret;
}

static int find_host(unsigned int *host)
{
	char path[300], text[64];
	struct dirent *de;
	DIR *d = opendir("/sys/class/scsi_host");
	int ret = -ENOENT;

	while (d && ret && (de = readdir(d))) {
		snprintf(path, sizeof(path),
			 "/sys/class/scsi_host/%s/proc_name", de->d_name);
		if (vs_read_file(path, text, sizeof(text)) > 0 &&
		    !strncmp(text, "scsi_debug", 10) &&
		    sscanf(de->d_name, "host%u", host) == 1)
			ret = 0;
	}
	if (d)
		closedir(d);
	return ret;
}

/* Is the unit there, and, of a disk, what opens it? 0 or -ENOENT */
static int look_for(struct vs_sdebug *sd)
{
	char dir[128], name[16], text[32];
	int type, fd;

	if (find_host(&sd->host))
		return -ENOENT;
	snprintf(sd->hctl, sizeof(sd->hctl), "%u:0:0:%u", sd->host, sd->lun);
	snprintf(dir, sizeof(dir), "/sys/class/scsi_device/%s/device/type",
		 sd->hctl);
	if (vs_read_file(dir, text, sizeof(text)) <= 0)
		return -ENOENT;
	type = atoi(text);
	sd->node[0] = '\0';
	if (type)
		return 0;
	snprintf(dir, sizeof(dir), "/sys/class/scsi_device/%s/device/block",
		 sd->hctl);
	if (first_entry(dir, "sd", name, sizeof(name)))
		return -ENOENT;
	snprintf(sd->node, sizeof(sd->node), "/dev/%s", name);
	/* The node comes before what answers to it. */
	fd = open(sd->node, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	close(fd);
	return 0;
}

int vs_sdebug_get(struct vs_sdebug *sd, const char *name, const char *params,
		  unsigned int lun)
{
	int64_t end;
	int ret;

	memset(sd, 0, sizeof(*sd));
	sd->lun = lun;
	ret = load(name, params);
	if (ret)
		return ret;
	vs_sdebug_set("opts", "0");
	vs_sdebug_set("every_nth", "0");
	ret = vs_sdebug_set("add_host", "1");
	if (ret)
		return ret;
	sd->there = true;
	/* The disk's driver comes to it in its own time. */
	end = vs_now_ms() + vs_patience();
	while ((ret = look_for(sd)) && vs_now_ms() < end)
		usleep(10000);
	if (ret)
		vs_sdebug_put(sd);
	return ret ? -ETIMEDOUT : 0;
}

int vs_sdebug_put(struct vs_sdebug *sd)
{
	if (!sd->there)
		return 0;
	sd->there = false;
	vs_sdebug_set("every_nth", "0");
	vs_sdebug_set("opts", "0");
	return remove_adapters();
}
