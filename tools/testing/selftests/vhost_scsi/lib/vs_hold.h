/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A block device that holds I/O for as long as a test wants: a linear
 * device-mapper table over a RAM disk. While it is suspended, reads and writes
 * wait in the device mapper; emulated SCSI commands do not come that far.
 */
#ifndef VS_HOLD_H
#define VS_HOLD_H

#include <sys/types.h>

#define VS_HOLD_MIB	8

/**
 * struct vs_hold - the device
 * @ctl: device-mapper control, 0 if there is no device
 * @name: what the device mapper calls it
 * @lower: device that it is a table over
 * @node: its block device node
 */
struct vs_hold {
	int ctl;
	const char *name;
	const char *lower;
	char node[32];
};

/**
 * vs_hold_get() - make the device, running
 * @hold: what to fill in
 *
 * Return: 0 or -errno.
 */
int vs_hold_get(struct vs_hold *hold);

/**
 * vs_hold_over() - make a second one, over another device
 * @hold: what to fill in
 * @lower: node of that device, which has VS_HOLD_MIB at least
 *
 * Return: 0 or -errno.
 */
int vs_hold_over(struct vs_hold *hold, const char *lower);

/**
 * vs_hold_stop() - hold all reads and writes from now on
 * @hold: the device
 *
 * Return: 0 or -errno.
 */
int vs_hold_stop(struct vs_hold *hold);

/**
 * vs_hold_go() - let everything held, and all that follows, pass
 * @hold: the device
 *
 * Return: 0 or -errno.
 */
int vs_hold_go(struct vs_hold *hold);

/**
 * vs_hold_go_once_stuck() - vs_hold_go() by another process, once somebody waits
 * @hold: the device
 * @pid: process, a thread of which is to wait in the kernel, see vs_is_stuck()
 *
 * Return: the other process, whose status is 0 if it was right, or -errno.
 */
pid_t vs_hold_go_once_stuck(struct vs_hold *hold, pid_t pid);

/**
 * vs_hold_table() - give the device another table, at once
 * @hold: the device
 * @type: "linear", "error", which fails all reads and writes, or "delay", which
 *	  answers after 100 ms
 * @mib: new size in MiB, 1 to 16
 *
 * Return: 0 or -errno.
 */
int vs_hold_table(struct vs_hold *hold, const char *type, unsigned int mib);

/**
 * vs_hold_put() - remove the device
 * @hold: from vs_hold_get(), or zeroed
 *
 * Return: 0 or -errno.
 */
int vs_hold_put(struct vs_hold *hold);

/**
 * vs_hold_release() - let I/O pass that an earlier test left held
 *
 * Comes before whatever waits for that I/O.
 */
void vs_hold_release(void);

/**
 * vs_hold_sweep() - remove a device that an earlier test left behind
 *
 * Comes after whatever uses the device.
 */
void vs_hold_sweep(void);

#endif /* VS_HOLD_H */
