/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says about itself and about us: pinned pages, threads, its log. */
#ifndef VS_PROC_H
#define VS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * vs_pins() - pages that are pinned now
 *
 * Return: nr_foll_pin_acquired - nr_foll_pin_released, of all CPUs.
 */
int64_t vs_pins(void);

/**
 * vs_rounds() - how often to repeat what wants to be repeated
 * @few: while somebody waits
 * @many: if VS_LONG is in the environment
 *
 * Return: one of them, or the number in the environment variable VS_ROUNDS.
 */
unsigned int vs_rounds(unsigned int few, unsigned int many);

/**
 * vs_has_huge_pages() - has this host what User-Mode Linux has not?
 *
 * Return: true if there are transparent huge pages.
 */
bool vs_has_huge_pages(void);

/**
 * vs_slab_objects() - objects of a slab cache that are in use
 * @name: the cache
 *
 * Return: how many, -1 if they are not told from others.
 */
long vs_slab_objects(const char *name);

/**
 * vs_kmsg_open() - start to watch the kernel log
 *
 * Return: a descriptor that reads what is logged from now on, or -errno.
 */
int vs_kmsg_open(void);

/**
 * vs_kmsg_next() - next line of the kernel log
 * @fd: from vs_kmsg_open()
 * @buf: where to
 * @size: its size
 *
 * Return: false if there is none.
 */
bool vs_kmsg_next(int fd, char *buf, size_t size);

/**
 * vs_kmsg_is_bad() - judge a line of the kernel log
 * @line: the line
 *
 * Return: true for a splat, and for anything that vhost-scsi prints.
 */
bool vs_kmsg_is_bad(const char *line);

/**
 * vs_threads() - this process's threads that are vhost workers, or are not
 * @workers: which of them
 * @cpu_ns: the CPU time that they have had, in nanoseconds; may be NULL
 *
 * Return: how many there are.
 */
unsigned int vs_threads(bool workers, uint64_t *cpu_ns);

/**
 * vs_kernel_has() - does this kernel, with its modules, have a function?
 * @name: its name
 *
 * Return: true if it does.
 */
bool vs_kernel_has(const char *name);

#endif /* VS_PROC_H */
