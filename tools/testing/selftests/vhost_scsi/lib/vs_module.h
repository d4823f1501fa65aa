/* SPDX-License-Identifier: GPL-2.0 */
/* The module itself: where it lies, its parameters, out and in again. */
#ifndef VS_MODULE_H
#define VS_MODULE_H

#include <stddef.h>

#define VS_PARAM_DIR	"/sys/module/vhost_scsi/parameters"

/**
 * vs_module_file() - where the module under test lies
 * @buf: where to
 * @size: its size
 *
 * The file or module that VS_MODULE names in the environment; else it is looked for
 * where the lab builds it, beside the tests.
 *
 * Return: @buf; the bare name of the module if it is installed instead.
 */
const char *vs_module_file(char *buf, size_t size);

/**
 * vs_module_unload() - remove the fabric's directory and the module
 *
 * No WWN may be there, and no device be open.
 *
 * Return: 0 or -errno.
 */
int vs_module_unload(void);

/**
 * vs_module_load() - load the module
 * @params: its parameters as modprobe takes them, may be empty
 *
 * The fabric's directory is made, too.
 *
 * Return: 0 or -errno.
 */
int vs_module_load(const char *params);

/**
 * vs_module_insert() - load the module file, and nothing else
 * @fd: the open file
 *
 * Return: 0 or -errno.
 */
int vs_module_insert(int fd);

#endif /* VS_MODULE_H */
