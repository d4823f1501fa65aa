/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Backstores of LIO, all of one name and from one number of HBA on, which
 * vs_backstore_sweep() knows again.
 */
#ifndef VS_BACKSTORE_H
#define VS_BACKSTORE_H

#include <stdbool.h>

#define VS_TARGET_ROOT	"/sys/kernel/config/target"

/**
 * struct vs_backstore - one storage object
 * @hba: its HBA directory
 * @path: its own directory
 */
struct vs_backstore {
	char hba[80];
	char path[112];
};

/**
 * vs_ramdisk_get() - a rd_mcp backstore
 * @bs: what to fill in
 * @n: number of the backstore, different for each that lives
 * @mib: size
 * @nullio: rd_nullio=1, which stores nothing
 *
 * Return: 0 or -errno.
 */
int vs_ramdisk_get(struct vs_backstore *bs, unsigned int n, unsigned int mib,
		   bool nullio);

/**
 * vs_fileio_get() - a fileio backstore
 * @bs: what to fill in
 * @n: number of the backstore
 * @file: path of a regular file, made if it does not exist
 * @mib: size
 *
 * Return: 0 or -errno.
 */
int vs_fileio_get(struct vs_backstore *bs, unsigned int n, const char *file,
		  unsigned int mib);

/**
 * vs_iblock_get() - an iblock backstore
 * @bs: what to fill in
 * @n: number of the backstore
 * @bdev: path of a block device
 *
 * Return: 0 or -errno.
 */
int vs_iblock_get(struct vs_backstore *bs, unsigned int n, const char *bdev);

/**
 * vs_pscsi_get() - a pscsi backstore: a SCSI unit of this host passed through
 * @bs: what to fill in
 * @n: number of the backstore
 * @hctl: host, channel, target and LUN of the unit
 * @node: its block device, or any path if it is no disk
 *
 * Return: 0 or -errno.
 */
int vs_pscsi_get(struct vs_backstore *bs, unsigned int n,
		 const unsigned int hctl[4], const char *node);

/**
 * vs_user_get() - a tcm_user backstore, which nobody serves yet
 * @bs: what to fill in
 * @n: number of the backstore
 * @mib: size
 *
 * Return: 0 or -errno.
 */
int vs_user_get(struct vs_backstore *bs, unsigned int n, unsigned int mib);

/**
 * vs_backstore_put() - remove a backstore
 * @bs: from one of the above, or zeroed
 *
 * Return: 0 or -errno.
 */
int vs_backstore_put(struct vs_backstore *bs);

/**
 * vs_backstore_write() - write a file in a backstore's directory
 * @bs: a backstore
 * @file: path from there
 * @value: what to write
 *
 * Return: 0 or -errno.
 */
int vs_backstore_write(const struct vs_backstore *bs, const char *file,
		       const char *value);

/**
 * vs_backstore_attr() - write an attribute of a backstore
 * @bs: a backstore
 * @name: attribute
 * @value: what to write
 *
 * Return: 0 or -errno.
 */
int vs_backstore_attr(const struct vs_backstore *bs, const char *name,
		      const char *value);

/**
 * vs_backstore_release() - end commands of units that user space served
 *
 * Whoever did that is gone. Comes before whatever waits for the commands.
 */
void vs_backstore_release(void);

/**
 * vs_backstore_sweep() - remove the backstores that an earlier test left behind
 *
 * Comes after the LUNs that use them.
 */
void vs_backstore_sweep(void);

#endif /* VS_BACKSTORE_H */
