/* SPDX-License-Identifier: GPL-2.0 */
/* Short texts in files, and directories: what configfs, sysfs and tracefs are made of. */
#ifndef VS_FILE_H
#define VS_FILE_H

#include <stddef.h>

/**
 * vs_write_file() - write a text to a file that exists
 * @path: the file
 * @text: what to write
 *
 * Return: 0 or -errno.
 */
int vs_write_file(const char *path, const char *text);

/**
 * vs_read_file() - read a short text file
 * @path: the file
 * @buf: where to
 * @size: its size; the text is terminated
 *
 * Return: length or -errno.
 */
int vs_read_file(const char *path, char *buf, size_t size);

/**
 * vs_make_dir() - make a directory
 * @path: the directory
 *
 * Return: 0, also if it is there already, or -errno.
 */
int vs_make_dir(const char *path);

/**
 * vs_remove_dir() - remove a directory
 * @path: the directory
 *
 * Return: 0 or -errno.
 */
int vs_remove_dir(const char *path);

/**
 * vs_each_entry() - call a function for every entry of a directory
 * @dir: the directory
 * @prefix: what the names begin with; no hidden one is among them
 * @fn: gets the path of an entry
 *
 * Return: 0, or the first error of the function; -errno if there is no such directory.
 */
int vs_each_entry(const char *dir, const char *prefix,
		  int (*fn)(const char *path));

#endif /* VS_FILE_H */
