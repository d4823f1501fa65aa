/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LIO through configfs, without any tool: the tree of the vhost fabric. Everything that the
 * tests create carries a name that vs_lio_sweep() knows again, and nothing else is ever
 * removed.
 */
#ifndef VS_LIO_H
#define VS_LIO_H

#include <stdbool.h>
#include <stddef.h>

#include "vs_backstore.h"
#include "vs_file.h"

#define VS_VHOST_ROOT	VS_TARGET_ROOT "/vhost"

/* Names of the tests: a WWN with one of these marks belongs to them. */
#define VS_WWN		"naa.5001405f00d00001"
#define VS_WWN2		"naa.5001405f00d00002"
#define VS_WWN_ISCSI	"iqn.2026-01.vs-test:one"
#define VS_WWN_FC	"fc.20:00:f0:0d:00:00:00:01"
#define VS_NEXUS	"naa.5001405f00d0000a"
#define VS_NEXUS2	"naa.5001405f00d0000b"

/**
 * vs_lio_init() - mount configfs, load modules, make target/vhost
 *
 * Return: 0 or -errno.
 */
int vs_lio_init(void);

/**
 * vs_lio_sweep() - remove whatever an earlier test left behind
 */
void vs_lio_sweep(void);

/**
 * vs_wwn_get() - mkdir of a WWN
 * @wwn: name
 *
 * Return: 0 or -errno.
 */
int vs_wwn_get(const char *wwn);

/**
 * vs_wwn_put() - rmdir of a WWN
 * @wwn: name
 *
 * Return: 0 or -errno.
 */
int vs_wwn_put(const char *wwn);

/**
 * vs_wwn_remove() - remove a WWN with everything in it
 * @wwn: name
 *
 * Return: 0, or the first -errno.
 */
int vs_wwn_remove(const char *wwn);

/**
 * vs_tpg_get() - mkdir of a TPG
 * @wwn: name
 * @tag: TPG tag
 *
 * Return: 0 or -errno.
 */
int vs_tpg_get(const char *wwn, unsigned int tag);

/**
 * vs_tpg_put() - rmdir of a TPG
 * @wwn: name
 * @tag: TPG tag
 *
 * Return: 0 or -errno.
 */
int vs_tpg_put(const char *wwn, unsigned int tag);

/**
 * vs_nexus_write() - write the nexus file
 * @wwn: name
 * @tag: TPG tag
 * @text: initiator name, or "NULL"
 *
 * Return: 0 or -errno.
 */
int vs_nexus_write(const char *wwn, unsigned int tag, const char *text);

/**
 * vs_tpg_attr() - write an attribute of a TPG
 * @wwn: name of the WWN
 * @tag: tag of the TPG
 * @name: file in its attrib directory
 * @value: text
 *
 * Return: 0 or -errno.
 */
int vs_tpg_attr(const char *wwn, unsigned int tag, const char *name,
		const char *value);

/**
 * vs_lun_link() - make a LUN and link a backstore to it
 * @wwn: name
 * @tag: TPG tag
 * @lun: LUN
 * @bs: backstore
 *
 * Return: 0 or -errno.
 */
int vs_lun_link(const char *wwn, unsigned int tag, unsigned long long lun,
		const struct vs_backstore *bs);

/**
 * vs_acl_map() - map a LUN of a TPG to the same LUN of an initiator
 * @wwn: name
 * @tag: TPG tag
 * @name: the initiator; its ACL is made if there is none
 * @lun: LUN
 * @read_only: it may not write
 *
 * Return: 0 or -errno.
 */
int vs_acl_map(const char *wwn, unsigned int tag, const char *name,
	       unsigned long long lun, bool read_only);

/**
 * vs_lun_unlink() - remove a LUN and its link
 * @wwn: name
 * @tag: TPG tag
 * @lun: LUN
 *
 * Return: 0 or -errno.
 */
int vs_lun_unlink(const char *wwn, unsigned int tag, unsigned long long lun);

/**
 * vs_tpg_path() - path of something in a TPG
 * @buf: where to
 * @size: its size
 * @wwn: name
 * @tag: TPG tag
 * @rest: path below the TPG's directory
 *
 * Return: @buf.
 */
char *vs_tpg_path(char *buf, size_t size, const char *wwn, unsigned int tag,
		  const char *rest);

/**
 * vs_tpg_port_id() - relative target port identifier of a TPG
 * @wwn: name
 * @tag: TPG tag
 *
 * Return: 1 to 65535, 0 when it cannot be read.
 */
unsigned long vs_tpg_port_id(const char *wwn, unsigned int tag);

/**
 * vs_lio_wait_aborts() - wait until LIO waits for commands that it aborts
 * @n: how many of its threads do
 *
 * What they are to abort is marked then: the disk may let go of it. A thread that resets
 * a unit is one, whatever the number of commands.
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_lio_wait_aborts(unsigned int n);

#endif /* VS_LIO_H */
