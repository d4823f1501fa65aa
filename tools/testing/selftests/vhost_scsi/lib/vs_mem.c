// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "vs_mem.h"

#define HUGE_PAGE	(2UL << 20)

/* Leaves the part of a larger mapping that begins with a huge page. */
static void *align_huge(uint8_t *p, size_t size)
{
	size_t skip = -(uintptr_t)p & (HUGE_PAGE - 1);

	if (skip)
		munmap(p, skip);
	if (skip != HUGE_PAGE)
		munmap(p + skip + size, HUGE_PAGE - skip);
	madvise(p + skip, size, MADV_HUGEPAGE);
	return p + skip;
}

int vs_mem_get(struct vs_mem *mem, size_t size, enum vs_mem_kind kind)
{
	int flags = MAP_ANONYMOUS |
		    (kind == VS_MEM_SHARED ? MAP_SHARED : MAP_PRIVATE);
	size_t more = kind == VS_MEM_HUGE ? HUGE_PAGE : 0;
	void *p;

	p = mmap(NULL, size + more, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	mem->base = more ? align_huge(p, size) : p;
	mem->size = size;
	mem->used = 0;
	return 0;
}

void vs_mem_put(struct vs_mem *mem)
{
	if (mem->base)
		munmap(mem->base, mem->size);
	mem->base = NULL;
}

void *vs_mem_alloc(struct vs_mem *mem, size_t size, size_t align)
{
	size_t at = (mem->used + align - 1) & ~(align - 1);

	if (at + size > mem->size) {
		fprintf(stderr, "# guest memory of %zu bytes is used up\n",
			mem->size);
		abort();
	}
	mem->used = at + size;
	return mem->base + at;
}

/* Differs from byte to byte and from block to block; never long equal runs. */
static uint8_t pattern(size_t i, unsigned int seed)
{
	return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16) * 31 + seed * 101);
}

void vs_fill(void *p, size_t len, unsigned int seed)
{
	uint8_t *b = p;
	size_t i;

	for (i = 0; i < len; i++)
		b[i] = pattern(i, seed);
}

long vs_differs(const void *p, size_t len, unsigned int seed)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < len; i++)
		if (b[i] != pattern(i, seed))
			return (long)i;
	return -1;
}

long vs_not_all(const void *p, size_t len, uint8_t byte)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < len; i++)
		if (b[i] != byte)
			return (long)i;
	return -1;
}
