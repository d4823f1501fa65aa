/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs have in common: a table of tests, and their results as TAP
 * on stdout.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct tap_test {
	const char *name;
	const char *covers;
	void (*run)(void);
};

static bool tap_failed;

/* Says which row of a table broke the running test, and goes on. */
static void __attribute__((format(printf, 2, 3)))
expect(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	tap_failed = true;
	printf("# wrong: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* Returns true if a test failed. */
static bool tap_run(const struct tap_test *tests, size_t n)
{
	bool failed = false;
	size_t i;

	/* a crash must not swallow what was said before it */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%zu\n", n);
	for (i = 0; i < n; i++) {
		if (*tests[i].covers)
			printf("# covers: %s\n", tests[i].covers);
		tap_failed = false;
		tests[i].run();
		failed |= tap_failed;
		printf("%sok %zu - %s\n", tap_failed ? "not " : "", i + 1,
		       tests[i].name);
	}
	return failed;
}

#endif
