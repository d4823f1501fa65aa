// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "vs_file.h"
#include "vs_loop.h"

#define NUMBER		7
#define MAJOR		7
#define CONTROL		"/dev/loop-control"
#define NR_REQUESTS	"/sys/block/loop7/queue/nr_requests"

static int open_control(void)
{
	if (access(CONTROL, F_OK))
		system("modprobe -qa loop 2>/dev/null");
	if (access(CONTROL, F_OK))
		mknod(CONTROL, S_IFCHR | 0600, makedev(10, 237));
	return open(CONTROL, O_RDWR | O_CLOEXEC);
}

static int make_node(void)
{
	int ctl = open_control();

	if (ctl < 0)
		return -errno;
	ioctl(ctl, LOOP_CTL_ADD, NUMBER);
	close(ctl);
	if (access(VS_LOOP_NODE, F_OK) &&
	    mknod(VS_LOOP_NODE, S_IFBLK | 0600, makedev(MAJOR, NUMBER)))
		return -errno;
	return 0;
}

static int set_fd(const char *lower)
{
	int loop = open(VS_LOOP_NODE, O_RDWR | O_CLOEXEC);
	int fd = open(lower, O_RDWR | O_CLOEXEC);
	int ret = 0;

	if (loop < 0 || fd < 0 || ioctl(loop, LOOP_SET_FD, fd))
		ret = -errno;
	close(fd);
	close(loop);
	return ret;
}

int vs_loop_get(const char *lower, unsigned int tags)
{
	char text[16];
	int ret = make_node();

	if (!ret)
		ret = set_fd(lower);
	snprintf(text, sizeof(text), "%u", tags);
	return ret ? ret : vs_write_file(NR_REQUESTS, text);
}

void vs_loop_sweep(void)
{
	int loop = open(VS_LOOP_NODE, O_RDWR | O_CLOEXEC);

	if (loop < 0)
		return;
	ioctl(loop, LOOP_CLR_FD);
	close(loop);
}
