// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vs_file.h"
#include "vs_proc.h"

static int64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? atoll(at + strlen(name)) : 0;
}

int64_t vs_pins(void)
{
	char text[16384];

	/* Folds what the CPUs have counted into the sums that we read. */
	vs_write_file("/proc/sys/vm/stat_refresh", "1");
	vs_read_file("/proc/vmstat", text, sizeof(text));
	return field(text, "nr_foll_pin_acquired ") -
	       field(text, "nr_foll_pin_released ");
}

unsigned int vs_rounds(unsigned int few, unsigned int many)
{
	const char *s = getenv("VS_ROUNDS");

	if (s)
		return (unsigned int)atoi(s);
	return getenv("VS_LONG") ? many : few;
}

bool vs_has_huge_pages(void)
{
	return !access("/sys/kernel/mm/transparent_hugepage", F_OK);
}

long vs_slab_objects(const char *name)
{
	char line[256], cache[64], shrink[128];
	long n, found = -1;
	FILE *f;

	/* KASAN keeps what was freed, until then. */
	snprintf(shrink, sizeof(shrink), "/sys/kernel/slab/%s/shrink", name);
	vs_write_file(shrink, "1");
	f = fopen("/proc/slabinfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", cache, &n) == 2 && !strcmp(cache, name))
			found = n;
	if (f)
		fclose(f);
	return found;
}

int vs_kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

bool vs_kmsg_next(int fd, char *buf, size_t size)
{
	char record[8192], *text;
	ssize_t n;

	do {
		n = read(fd, record, sizeof(record) - 1);
	} while (n < 0 && errno == EPIPE);
	if (n <= 0)
		return false;
	record[n] = '\0';
	record[strcspn(record, "\n")] = '\0';
	text = strchr(record, ';');
	snprintf(buf, size, "%s", text ? text + 1 : record);
	return true;
}

bool vs_kmsg_is_bad(const char *line)
{
	static const char * const bad[] = {
		"WARNING:", "BUG:", "kernel BUG", "Oops", "KASAN", "UBSAN",
		"general protection", "INFO: task", "circular locking",
		"inconsistent lock", "suspicious RCU", "refcount_t:",
		"corruption", "Call Trace", "vhost_scsi", "vhost-scsi",
		"vhost_work", "TCM_VHOST", "TCM_vhost", "Unable to handle",
	};
	const char *at;
	size_t i;

	/* A word begins there: scsi_debug: is no BUG: */
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (at = line; (at = strcasestr(at, bad[i])); at++)
			if (at == line || !isalpha((unsigned char)at[-1]))
				return true;
	return false;
}

/* man 2 clock_getcpuclockid: the clock of one thread of this process. */
static uint64_t thread_time(pid_t tid)
{
	clockid_t clock = ~(clockid_t)tid << 3 | 6;
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

unsigned int vs_threads(bool workers, uint64_t *cpu_ns)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	char path[300], comm[32];
	unsigned int n = 0;

	if (cpu_ns)
		*cpu_ns = 0;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 entry->d_name);
		if (vs_read_file(path, comm, sizeof(comm)) <= 0 ||
		    workers != !strncmp(comm, "vhost-", 6))
			continue;
		n++;
		if (cpu_ns)
			*cpu_ns += thread_time(atoi(entry->d_name));
	}
	if (dir)
		closedir(dir);
	return n;
}

bool vs_kernel_has(const char *name)
{
	char line[256], *at;
	bool found = false;
	FILE *f = fopen("/proc/kallsyms", "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		at = strstr(line, name);
		found = at && at[-1] == ' ' && strchr("\t\n", at[strlen(name)]);
	}
	if (f)
		fclose(f);
	return found;
}
