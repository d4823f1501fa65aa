/* SPDX-License-Identifier: GPL-2.0 */
/* What measuring needs: a clock, and values in order. */
#ifndef VS_MEASURE_H
#define VS_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/**
 * vs_now_ns() - monotonic clock
 *
 * Return: nanoseconds.
 */
uint64_t vs_now_ns(void);

/**
 * vs_sort() - sort values, the smallest first
 * @value: the values
 * @n: how many
 */
void vs_sort(uint64_t *value, size_t n);

#endif /* VS_MEASURE_H */
