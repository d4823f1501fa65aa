// SPDX-License-Identifier: GPL-2.0
/* Results as TAP on stdout. */
#include <stdarg.h>
#include <stdio.h>

#include "tap.h"

bool tap_failed;

void expect(bool ok, const char *fmt, ...)
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

bool tap_run(const struct tap_test *tests, size_t n)
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
