/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What most fixtures need: a WWN with one TPG, a nexus, a LUN on a backstore,
 * and a device with its endpoint set. The teardown asks what leaked.
 */
#ifndef VS_ENV_H
#define VS_ENV_H

#include "vs_dev.h"
#include "vs_hold.h"
#include "vs_lio.h"
#include "vs_proc.h"
#include "vs_req.h"

#define VS_TAG		1	/* tag of the first TPG, and target id */
#define VS_DISK_MIB	2	/* size of LUN 0, unless the test wants another */
#define VS_FILE		"/tmp/vs-test.img"
#define VS_FILE_PI	VS_FILE ".protection"	/* LIO's, beside the file */

enum vs_disk {
	VS_DISK_RAM,
	VS_DISK_NULL,
	VS_DISK_FILE,
	VS_DISK_HOLD,
	VS_DISK_LOOP,
	VS_DISK_UPPER,
	VS_DISK_BDEV,
	VS_DISK_NONE,
};

/* Tags of the disk that VS_DISK_LOOP is, and that VS_DISK_UPPER is over */
#define VS_DISK_TAGS	16

/**
 * struct vs_env_opts - how an environment is made
 * @dev: the device
 * @disk: what LUN 0 is
 * @bdev: path of the block device that VS_DISK_BDEV is over
 * @mib: size of a RAM or file disk, 0 means VS_DISK_MIB
 * @disk_attr: attributes of LUN 0's backstore, as pairs of name and value,
 *	       ended by NULL; may be NULL
 * @pin_memory: the target wants guest memory pinned
 * @no_endpoint: set up the device, but not its endpoint
 * @no_dev: do not even open the device
 */
struct vs_env_opts {
	struct vs_dev_opts dev;
	enum vs_disk disk;
	const char *bdev;
	unsigned int mib;
	const char *const *disk_attr;
	bool pin_memory;
	bool no_endpoint;
	bool no_dev;
};

/**
 * struct vs_env - an environment
 * @dev: the device
 * @bs: backstores: the first is LUN 0, the test may add others
 * @hold: what lies under LUN 0 with VS_DISK_HOLD, and under the disk with its own
 *	  tags that is there with VS_DISK_LOOP
 * @upper: what lies under LUN 0 with VS_DISK_UPPER: a device without a queue over
 *	   the former
 * @kmsg: kernel log since the environment was made
 * @pins: pinned pages when the environment was made
 * @may_log: the test makes the administrator's mistakes, whose reason the
 *	     module may print
 */
struct vs_env {
	struct vs_dev dev;
	struct vs_backstore bs[4];
	struct vs_hold hold;
	struct vs_hold upper;
	int kmsg;
	int64_t pins;
	bool may_log;
};

/**
 * vs_env_get() - make an environment
 * @env: what to fill in
 * @opts: how, NULL for the defaults
 *
 * Return: 0 or -errno.
 */
int vs_env_get(struct vs_env *env, const struct vs_env_opts *opts);

/**
 * vs_env_put() - remove an environment, and look for what it left behind
 * @env: from vs_env_get()
 *
 * Closes the device, removes every configfs directory of the tests, compares
 * the number of pinned pages and reads the kernel log. Says on stderr what it
 * does not like.
 *
 * Return: number of complaints.
 */
int vs_env_put(struct vs_env *env);

/**
 * vs_env_logged() - look for a text in the kernel log
 * @env: an environment
 * @text: what to look for
 *
 * Return: number of lines since the last call that hold the text. Bad lines
 *	   met on the way are complained about, and count too.
 */
int vs_env_logged(struct vs_env *env, const char *text);

#endif /* VS_ENV_H */
