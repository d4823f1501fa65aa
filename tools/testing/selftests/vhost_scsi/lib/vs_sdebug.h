/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A SCSI host adapter in memory (scsi_debug) with a disk, a CD drive or a tape
 * drive. What it is like is said when the module is loaded, which takes a while:
 * it stays loaded, without an adapter, until a test wants another.
 */
#ifndef VS_SDEBUG_H
#define VS_SDEBUG_H

#include <stdbool.h>

/* Larger than what any test moves. */
#define VS_SDEBUG_MIB	16

/**
 * struct vs_sdebug - one logical unit of an adapter
 * @hctl: host, channel, target and LUN, with colons between them
 * @host: number of the adapter
 * @lun: LUN of the unit there
 * @node: its block device; empty if it has none
 * @there: there is an adapter
 */
struct vs_sdebug {
	char hctl[32];
	unsigned int host;
	unsigned int lun;
	char node[32];
	bool there;
};

/**
 * vs_sdebug_get() - an adapter, and one of its units
 * @sd: what to fill in
 * @name: name of the parameters, at most 16 letters: a module that was loaded with
 *	  this name is not loaded again
 * @params: parameters of the module
 * @lun: which unit
 *
 * Return: 0, -ENODEV if this kernel has no scsi_debug, -EBUSY if somebody else
 *	   uses it, or another -errno.
 */
int vs_sdebug_get(struct vs_sdebug *sd, const char *name, const char *params,
		  unsigned int lun);

/**
 * vs_sdebug_put() - remove an adapter
 * @sd: from vs_sdebug_get(), or zeroed
 *
 * Return: 0 or -errno.
 */
int vs_sdebug_put(struct vs_sdebug *sd);

/**
 * vs_sdebug_set() - change what all adapters do from now on
 * @attr: file of the driver: opts, every_nth, ...
 * @value: what to write
 *
 * vs_sdebug_get() begins with "opts" and "every_nth" at 0.
 *
 * Return: 0 or -errno.
 */
int vs_sdebug_set(const char *attr, const char *value);

/**
 * vs_sdebug_sweep() - remove adapters that an earlier test left behind
 */
void vs_sdebug_sweep(void);

#endif /* VS_SDEBUG_H */
