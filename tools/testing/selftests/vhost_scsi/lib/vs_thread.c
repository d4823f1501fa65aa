// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vs_file.h"
#include "vs_ring.h"
#include "vs_thread.h"

static void *run(void *arg)
{
	struct vs_thread *call = arg;

	__atomic_store_n(&call->tid, gettid(), __ATOMIC_RELEASE);
	call->ret = call->fn(call->arg);
	call->done = true;
	return NULL;
}

int vs_thread_start(struct vs_thread *call, int (*fn)(void *arg), void *arg)
{
	*call = (struct vs_thread){ .fn = fn, .arg = arg };
	return -pthread_create(&call->thread, NULL, run, call);
}

int vs_thread_wait(struct vs_thread *call)
{
	int64_t end = vs_now_ms() + vs_patience();
	pid_t tid;

	while (!call->done) {
		tid = __atomic_load_n(&call->tid, __ATOMIC_ACQUIRE);
		if (tid && vs_is_stuck(getpid(), tid))
			break;
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

int vs_thread_wait_done(struct vs_thread *call)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (!call->done && vs_now_ms() < end)
		usleep(1000);
	return call->done ? 0 : -ETIMEDOUT;
}

int vs_thread_end(struct vs_thread *call)
{
	int ret = -pthread_join(call->thread, NULL);

	return ret ? ret : call->ret;
}

static char state(const char *dir)
{
	char path[300], text[256], *at;

	snprintf(path, sizeof(path), "%s/stat", dir);
	if (vs_read_file(path, text, sizeof(text)) <= 0)
		return 0;
	at = strrchr(text, ')');
	return at ? at[2] : 0;
}

char vs_thread_state(pid_t pid, pid_t tid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/proc/%d/task/%d", pid, tid);
	return state(dir);
}

static int busy_if_stuck(const char *dir)
{
	char now = state(dir);

	return now == 'D' || now == 'I' ? -EBUSY : 0;
}

bool vs_is_stuck(pid_t pid, pid_t tid)
{
	char path[64];

	if (tid) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
		return busy_if_stuck(path);
	}
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return vs_each_entry(path, "", busy_if_stuck) == -EBUSY;
}

int vs_wait_stuck(pid_t pid, pid_t tid)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (!vs_is_stuck(pid, tid) && vs_thread_state(pid, pid)) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

/* What count_inside() looks for, and how often it has seen it. */
static const char *wanted;
static unsigned int inside;

/*
 * User-Mode Linux shows no stacks: there, one of the threads that the kernel and we have
 * for work, and that is stuck, counts.
 */
static int count_inside(const char *dir)
{
	char path[300], text[4096];

	snprintf(path, sizeof(path), "%s/stack", dir);
	if (vs_read_file(path, text, sizeof(text)) > 0 && strstr(text, "+0x")) {
		inside += !!strstr(text, wanted);
		return 0;
	}
	snprintf(path, sizeof(path), "%s/comm", dir);
	if (vs_read_file(path, text, sizeof(text)) > 0 && state(dir) == 'D')
		inside += !strncmp(text, "kworker/", 8) || !strncmp(text, "vhost-", 6);
	return 0;
}

int vs_wait_inside(const char *function, unsigned int n)
{
	int64_t end = vs_now_ms() + vs_patience();
	char text[64];

	snprintf(text, sizeof(text), " %s+", function);
	wanted = text;
	do {
		inside = 0;
		/* Of other processes than this one, the first thread: it is all of a kthread. */
		vs_each_entry("/proc", "", count_inside);
		vs_each_entry("/proc/self/task", "", count_inside);
		if (inside >= n)
			return 0;
		usleep(1000);
	} while (vs_now_ms() < end);
	return -ETIMEDOUT;
}
