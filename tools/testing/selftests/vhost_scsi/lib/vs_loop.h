/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A loop device: a block device with a queue and tags of its own. Over one that holds
 * its I/O (vs_hold.h) it holds its own, and runs out of tags.
 */
#ifndef VS_LOOP_H
#define VS_LOOP_H

#define VS_LOOP_NODE	"/dev/loop7"

/**
 * vs_loop_get() - make VS_LOOP_NODE
 * @lower: block device or file that it is over
 * @tags: requests that it takes
 *
 * Return: 0 or -errno.
 */
int vs_loop_get(const char *lower, unsigned int tags);

/**
 * vs_loop_sweep() - remove it, if there is one
 *
 * Comes after whatever uses the device.
 */
void vs_loop_sweep(void);

#endif /* VS_LOOP_H */
