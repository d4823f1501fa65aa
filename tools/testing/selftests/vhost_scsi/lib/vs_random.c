// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "vs_random.h"

uint64_t vs_seed(uint64_t seed)
{
	const char *s = getenv("VS_SEED");

	return s ? strtoull(s, NULL, 0) : seed;
}

/* splitmix64: any seed is a good one. */
uint32_t vs_pick(uint64_t *seed, uint32_t below)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ z >> 31) % below);
}
