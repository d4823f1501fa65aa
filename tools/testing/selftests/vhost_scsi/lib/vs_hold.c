// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "vs_hold.h"
#include "vs_loop.h"
#include "vs_thread.h"

#define NAME		"vs-test-hold"
#define UPPER		"vs-test-upper"
#define LOWER		"/dev/ram1"

/* One device-mapper call with room for one table line. */
struct dm_call {
	struct dm_ioctl io;
	struct dm_target_spec spec;
	char params[64];
};

static int dm(int ctl, const char *name, unsigned long cmd, struct dm_call *call,
	      unsigned int flags)
{
	call->io.version[0] = DM_VERSION_MAJOR;
	call->io.data_size = sizeof(*call);
	call->io.data_start = sizeof(call->io);
	call->io.flags = flags;
	strcpy(call->io.name, name);
	return ioctl(ctl, cmd, call) ? -errno : 0;
}

static int simple(int ctl, const char *name, unsigned long cmd,
		  unsigned int flags)
{
	struct dm_call call = {};

	return dm(ctl, name, cmd, &call, flags);
}

static int open_ctl(void)
{
	if (access("/dev/mapper/control", F_OK) || access(LOWER, F_OK))
		system("modprobe -qa dm_mod dm_delay brd 2>/dev/null");
	if (access("/dev/mapper/control", F_OK)) {
		mkdir("/dev/mapper", 0755);
		mknod("/dev/mapper/control", S_IFCHR | 0600,
		      makedev(10, 236));
	}
	return open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
}

static int load(const struct vs_hold *hold, const char *type, unsigned int mib)
{
	struct dm_call call = {};

	call.io.target_count = 1;
	call.spec.length = mib * 2048ULL;
	strcpy(call.spec.target_type, type);
	if (strcmp(type, "error"))
		snprintf(call.params, sizeof(call.params), "%s 0%s", hold->lower,
			 strcmp(type, "delay") ? "" : " 100");
	return dm(hold->ctl, hold->name, DM_TABLE_LOAD, &call, 0);
}

static int make_node(struct vs_hold *hold, dev_t dev)
{
	snprintf(hold->node, sizeof(hold->node), "/dev/dm-%u", minor(dev));
	if (access(hold->node, F_OK) &&
	    mknod(hold->node, S_IFBLK | 0600, dev))
		return -errno;
	return 0;
}

static int make(struct vs_hold *hold, const char *name, const char *lower)
{
	struct dm_call call = {};
	int ret;

	hold->name = name;
	hold->lower = lower;
	hold->ctl = open_ctl();
	if (hold->ctl < 0) {
		hold->ctl = 0;
		return -errno;
	}
	ret = dm(hold->ctl, name, DM_DEV_CREATE, &call, 0);
	if (!ret)
		ret = make_node(hold, (dev_t)call.io.dev);
	if (!ret)
		ret = load(hold, "linear", VS_HOLD_MIB);
	if (!ret)
		ret = vs_hold_go(hold);
	if (ret)
		vs_hold_put(hold);
	return ret;
}

int vs_hold_get(struct vs_hold *hold)
{
	return make(hold, NAME, LOWER);
}

int vs_hold_over(struct vs_hold *hold, const char *lower)
{
	return make(hold, UPPER, lower);
}

int vs_hold_stop(struct vs_hold *hold)
{
	return simple(hold->ctl, hold->name, DM_DEV_SUSPEND, DM_SUSPEND_FLAG |
		      DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG);
}

int vs_hold_go(struct vs_hold *hold)
{
	return simple(hold->ctl, hold->name, DM_DEV_SUSPEND, 0);
}

pid_t vs_hold_go_once_stuck(struct vs_hold *hold, pid_t pid)
{
	pid_t helper = fork();
	int ret;

	if (!helper) {
		/* A test that goes wrong should not hang. */
		ret = vs_wait_stuck(pid, pid);
		_exit(vs_hold_go(hold) || ret ? 1 : 0);
	}
	return helper < 0 ? -errno : helper;
}

int vs_hold_table(struct vs_hold *hold, const char *type, unsigned int mib)
{
	int ret = load(hold, type, mib);

	return ret ? ret : vs_hold_go(hold);
}

int vs_hold_put(struct vs_hold *hold)
{
	int ret;

	if (!hold->ctl)
		return 0;
	ret = simple(hold->ctl, hold->name, DM_DEV_REMOVE, 0);
	close(hold->ctl);
	hold->ctl = 0;
	return ret;
}

static void by_name(const char *name, unsigned long cmd)
{
	int ctl;

	if (access("/dev/mapper/control", F_OK))
		return;
	ctl = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (ctl < 0)
		return;
	simple(ctl, name, cmd, 0);
	close(ctl);
}

void vs_hold_release(void)
{
	by_name(NAME, DM_DEV_SUSPEND);
}

void vs_hold_sweep(void)
{
	by_name(UPPER, DM_DEV_REMOVE);
	vs_loop_sweep();
	by_name(NAME, DM_DEV_REMOVE);
}
