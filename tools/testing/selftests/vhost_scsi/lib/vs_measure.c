// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <time.h>

#include "vs_measure.h"

uint64_t vs_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void vs_sort(uint64_t *value, size_t n)
{
	qsort(value, n, sizeof(*value), by_size);
}
