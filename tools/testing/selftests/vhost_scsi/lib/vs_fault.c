// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vs_fault.h"
#include "vs_file.h"
#include "vs_proc.h"

#define DEBUG_DIR	"/sys/kernel/debug/"
#define SLAB_DIR	"/sys/kernel/slab/"

/* More than a sweep injects: what is left tells who has failed. */
#define TIMES		1000000000

static const struct {
	const char *name;
	enum vs_fault_kind kind;
} points[] = {
	{ "failslab", VS_FAULT_ALLOC },
	{ "fail_page_alloc", VS_FAULT_ALLOC },
	{ "fail_usercopy", VS_FAULT_COPY },
};

#define POINTS (sizeof(points) / sizeof(points[0]))

static int knob(const char *point, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUG_DIR "%s/%s", point, name);
	return vs_write_file(path, value);
}

static int64_t left(const char *point)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), DEBUG_DIR "%s/times", point);
	vs_read_file(path, text, sizeof(text));
	return atoll(text);
}

int vs_fault_user_pages(bool fail)
{
	return knob("fail_page_alloc", "ignore-gfp-highmem", fail ? "N" : "Y");
}

/*
 * All slab caches may fail, but those of kmemleak and debugobjects, which
 * would switch themselves off in the end.
 */
static int choose_caches(void)
{
	DIR *d = opendir(SLAB_DIR);
	struct dirent *de;
	char path[300];

	if (!d)
		return -errno;
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), SLAB_DIR "%s/failslab", de->d_name);
		vs_write_file(path, strstr(de->d_name, "kmemleak") ||
			      strstr(de->d_name, "debug_objects") ? "0" : "1");
	}
	closedir(d);
	return knob("failslab", "cache-filter", "Y");
}

static int setup(void)
{
	int ret = 0;
	size_t i;

	if (access(DEBUG_DIR "failslab", F_OK))
		system("mount -t debugfs none " DEBUG_DIR " 2>/dev/null");
	for (i = 0; !ret && i < POINTS; i++) {
		ret = knob(points[i].name, "task-filter", "Y");
		if (!ret)
			ret = knob(points[i].name, "verbose", "0");
		if (!ret && points[i].kind == VS_FAULT_ALLOC)
			ret = knob(points[i].name, "ignore-gfp-wait", "N");
	}
	if (!ret)
		ret = knob("fail_page_alloc", "min-order", "0");
	if (!ret)
		ret = choose_caches();
	return ret ? ret : vs_fault_user_pages(false);
}

/* What fails without a number: nothing, or the next allocations of a burst. */
static int set_burst(unsigned int burst)
{
	char times[16];
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < POINTS; i++) {
		bool alloc = burst && points[i].kind == VS_FAULT_ALLOC;

		snprintf(times, sizeof(times), "%u", alloc ? burst : TIMES);
		ret = knob(points[i].name, "times", times);
		if (!ret)
			ret = knob(points[i].name, "probability",
				   alloc ? "100" : "0");
	}
	return ret;
}

static int open_proc(pid_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s",
		 tid ? tid : gettid(), name);
	return open(path, O_RDWR | O_CLOEXEC);
}

int vs_fault_get(struct vs_fault *fault, pid_t tid)
{
	int ret;

	memset(fault, 0, sizeof(*fault));
	ret = setup();
	if (!ret)
		ret = set_burst(0);
	if (ret)
		return ret;
	fault->fd = open_proc(tid, "fail-nth");
	fault->filter = open_proc(tid, "make-it-fail");
	return fault->fd < 0 || fault->filter < 0 ? -errno : 0;
}

void vs_fault_put(struct vs_fault *fault)
{
	if (fault->fd <= 0)
		return;
	vs_fault_disarm(fault);
	close(fault->fd);
	close(fault->filter);
	fault->fd = 0;
}

static void write_number(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	/* Copying the number may be what fails, and then was the last one. */
	if (pwrite(fd, text, len, 0) != len && pwrite(fd, text, len, 0) != len)
		perror("# fault injection");
}

void vs_fault_arm(struct vs_fault *fault)
{
	size_t i;

	if (fault->burst)
		set_burst(fault->burst);
	for (i = 0; i < POINTS; i++)
		fault->left[i] = left(points[i].name);
	if (fault->burst)
		write_number(fault->filter, 1);
	write_number(fault->fd, fault->n);
}

enum vs_fault_kind vs_fault_disarm(struct vs_fault *fault)
{
	enum vs_fault_kind kind = VS_FAULT_ALLOC;
	char text[16] = "";
	ssize_t len;
	size_t i;

	if (fault->burst)
		write_number(fault->filter, 0);
	/*
	 * The number is taken, then copied: where the copy fails one was left,
	 * and this has used it.
	 */
	len = pread(fault->fd, text, sizeof(text) - 1, 0);
	write_number(fault->fd, 0);
	if (len < 0 || atoi(text))
		return VS_FAULT_NONE;
	for (i = 0; i < POINTS; i++)
		if (left(points[i].name) != fault->left[i])
			kind = points[i].kind;
	fault->fails[kind]++;
	return kind;
}

pid_t vs_fault_worker(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *de;
	pid_t tid = -ENOENT;

	while (d && (de = readdir(d))) {
		char path[300], comm[32];

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 de->d_name);
		if (de->d_name[0] != '.' &&
		    vs_read_file(path, comm, sizeof(comm)) > 0 &&
		    !strncmp(comm, "vhost-", 6))
			tid = atoi(de->d_name);
	}
	if (d)
		closedir(d);
	return tid;
}

int vs_fault_logged(int kmsg)
{
	bool report = false;
	char line[1024];
	int n = 0;

	while (vs_kmsg_next(kmsg, line, sizeof(line))) {
		if (strstr(line, "page allocation failure") ||
		    strstr(line, "vmalloc error") ||
		    strstr(line, "percpu: allocation failed"))
			report = true;
		else if (strstr(line, "</TASK>"))
			report = false;
		else if (!report && vs_kmsg_is_bad(line) && ++n)
			fprintf(stderr, "# kernel log: %s\n", line);
	}
	return n;
}
