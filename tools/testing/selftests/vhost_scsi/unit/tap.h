/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs have in common: a table of tests, and their results as TAP
 * on stdout.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct tap_test {
	const char *name;
	const char *covers;
	void (*run)(void);
};

/* The running test has failed. */
extern bool tap_failed;

/* Says which row of a table broke the running test, and goes on. */
void expect(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Returns true if a test failed. */
bool tap_run(const struct tap_test *tests, size_t n);

#endif
