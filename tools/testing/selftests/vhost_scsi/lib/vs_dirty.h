/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The log of what a device writes into guest memory, as a VMM keeps it that migrates
 * its guest, and a proof that it is complete: a copy of all memory, with which it is
 * compared.
 */
#ifndef VS_DIRTY_H
#define VS_DIRTY_H

#include "vs_dev.h"

/**
 * struct vs_dirty - a log
 * @dev: the device
 * @bitmap: a bit for each page from guest address 0 on, in pages of its own; has room
 *	for twice the memory
 * @size: of @bitmap in bytes
 * @copy: of guest memory, when the log was cleared
 */
struct vs_dirty {
	struct vs_dev *dev;
	uint8_t *bitmap;
	size_t size;
	uint8_t *copy;
};

/**
 * vs_dirty_get() - make a log, which the device does not use yet
 * @dirty: what to fill in
 * @dev: a device
 *
 * Return: 0 or -errno.
 */
int vs_dirty_get(struct vs_dirty *dirty, struct vs_dev *dev);

/**
 * vs_dirty_put() - undo vs_dirty_get()
 * @dirty: a log that the device does not use any more, or zeroed
 */
void vs_dirty_put(struct vs_dirty *dirty);

/**
 * vs_dirty_acknowledge() - acknowledge VHOST_F_LOG_ALL, or do not
 * @dirty: a log
 * @on: which of the two
 *
 * Return: 0 or -errno.
 */
int vs_dirty_acknowledge(struct vs_dirty *dirty, bool on);

/**
 * vs_dirty_start() - have the device log, in the order in which QEMU does that
 * @dirty: a log
 *
 * Return: 0 or -errno.
 */
int vs_dirty_start(struct vs_dirty *dirty);

/**
 * vs_dirty_stop() - undo vs_dirty_start()
 * @dirty: a log
 *
 * Return: 0 or -errno.
 */
int vs_dirty_stop(struct vs_dirty *dirty);

/**
 * vs_dirty_mark() - clear the log, then copy guest memory
 * @dirty: a log
 */
void vs_dirty_mark(struct vs_dirty *dirty);

/**
 * vs_dirty_follow() - bring the copy up to date, as a VMM does
 * @dirty: a log
 *
 * Each bit is cleared before its page is copied.
 */
void vs_dirty_follow(struct vs_dirty *dirty);

/**
 * vs_dirty_has() - is the page of an address in the log?
 * @dirty: a log
 * @p: somewhere in guest memory
 *
 * Return: true if it is.
 */
bool vs_dirty_has(const struct vs_dirty *dirty, const void *p);

/**
 * vs_dirty_has_gpa() - is the page of a guest address in the log?
 * @dirty: a log
 * @gpa: the address, up to VS_GPA and twice the memory
 *
 * Return: true if it is.
 */
bool vs_dirty_has_gpa(const struct vs_dirty *dirty, uint64_t gpa);

/**
 * struct vs_dirty_pages - what vs_dirty_compare() found, in pages
 * @changed: that are not as they were
 * @missed: of them those that are not in the log
 * @excess: that are in the log and did not change
 */
struct vs_dirty_pages {
	unsigned long changed, missed, excess;
};

/**
 * vs_dirty_compare() - compare guest memory with the copy, and with the log
 * @dirty: a log
 * @from: where to begin in guest memory
 * @end: where to end
 * @pages: is added to
 *
 * The first page that is missed is told on stderr.
 */
void vs_dirty_compare(const struct vs_dirty *dirty, const void *from,
		      const void *end, struct vs_dirty_pages *pages);

#endif /* VS_DIRTY_H */
