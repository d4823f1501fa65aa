/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Injected faults: the n-th allocation, or copy from or to user space, that a
 * thread makes from now on fails (/proc/PID/task/TID/fail-nth). Sweeping n
 * from 1 on takes a system call, or what a worker does, through every failure
 * that it can meet. In a burst the allocations behind it fail as well: one that
 * has another way to memory, as kvmalloc() has, does not fail alone.
 */
#ifndef VS_FAULT_H
#define VS_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * enum vs_fault_kind - what failed
 * @VS_FAULT_NONE: nothing, there were fewer than n; the sweep is over
 * @VS_FAULT_ALLOC: a slab or page allocation
 * @VS_FAULT_COPY: a copy from or to user space
 */
enum vs_fault_kind {
	VS_FAULT_NONE,
	VS_FAULT_ALLOC,
	VS_FAULT_COPY,
};

/**
 * struct vs_fault - faults of one thread
 * @fd: its fail-nth
 * @filter: its make-it-fail, which lets a burst fail
 * @n: which is to fail
 * @burst: how many allocations fail then, 0 for the one
 * @fails: injected so far, by kind
 * @left: faults that were not used when the present one was armed, by kind
 */
struct vs_fault {
	int fd;
	int filter;
	unsigned int n;
	unsigned int burst;
	unsigned int fails[3];
	int64_t left[3];
};

/**
 * vs_fault_get() - prepare a sweep
 * @fault: what to fill in
 * @tid: thread of this process, 0 for the calling one
 *
 * Sets up the kernel's fault injection: sleeping allocations and single pages
 * fail, nothing is logged for it, pages of user memory never fail.
 *
 * Return: 0 or -errno.
 */
int vs_fault_get(struct vs_fault *fault, pid_t tid);

/**
 * vs_fault_put() - end a sweep
 * @fault: from vs_fault_get(), or zeroed
 */
void vs_fault_put(struct vs_fault *fault);

/**
 * vs_fault_user_pages() - do pages of user memory fail?
 * @fail: they do
 *
 * Return: 0 or -errno.
 */
int vs_fault_user_pages(bool fail);

/**
 * vs_fault_arm() - let the n-th from now on fail
 * @fault: a sweep
 */
void vs_fault_arm(struct vs_fault *fault);

/**
 * vs_fault_disarm() - no failure from now on
 * @fault: an armed sweep
 *
 * Return: what failed since vs_fault_arm().
 */
enum vs_fault_kind vs_fault_disarm(struct vs_fault *fault);

/**
 * vs_fault_worker() - the vhost worker of this process
 *
 * Return: its thread id, or -ENOENT.
 */
pid_t vs_fault_worker(void);

/**
 * vs_fault_logged() - look for bad lines in the kernel log
 * @kmsg: from vs_kmsg_open()
 *
 * The page allocator, vmalloc and percpu print a stack trace when they fail,
 * with names of this module in it: that is no complaint.
 *
 * Return: number of bad lines, which are said on stderr.
 */
int vs_fault_logged(int kmsg);

#endif /* VS_FAULT_H */
