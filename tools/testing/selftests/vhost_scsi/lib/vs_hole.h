/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A page of guest memory that is not there: whoever touches it, a worker inside its
 * queue too, stops until a test fills it (userfaultfd).
 */
#ifndef VS_HOLE_H
#define VS_HOLE_H

/**
 * vs_hole_get() - take a page away
 * @page: page of guest memory
 *
 * Return: a descriptor of the hole, to be closed, or -errno.
 */
int vs_hole_get(void *page);

/**
 * vs_hole_wait() - wait until somebody is stuck
 * @fd: the hole
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_hole_wait(int fd);

/**
 * vs_hole_fill() - put a page of zeroes there, which lets everybody go on
 * @fd: the hole
 * @page: its page
 *
 * Return: 0 or -errno.
 */
int vs_hole_fill(int fd, void *page);

#endif /* VS_HOLE_H */
