/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers that look random and are the same in each run with the same seed. */
#ifndef VS_RANDOM_H
#define VS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/**
 * vs_seed() - where the numbers begin
 * @seed: in a run without the environment variable VS_SEED
 *
 * Return: it, or the number in VS_SEED.
 */
uint64_t vs_seed(uint64_t seed);

/**
 * vs_pick() - the next number
 * @seed: state, a user's own
 * @below: not 0
 *
 * Return: 0 to @below - 1.
 */
uint32_t vs_pick(uint64_t *seed, uint32_t below);

/**
 * vs_chance() - does what happens so often happen now?
 * @seed: state, a user's own
 * @percent: how often
 *
 * Return: true if it does.
 */
static inline bool vs_chance(uint64_t *seed, unsigned int percent)
{
	return vs_pick(seed, 100) < percent;
}

#endif /* VS_RANDOM_H */
