/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory of the user-space initiator: one anonymous mapping, seen by
 * the device as one region at guest address VS_GPA, handed out piece by piece.
 */
#ifndef VS_MEM_H
#define VS_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the first byte of guest memory lies in the guest. */
#define VS_GPA		0x10000000ULL
#define VS_PAGE		4096UL

/**
 * struct vs_mem - guest memory
 * @base: its first byte in this process
 * @size: its length in bytes
 * @used: bytes handed out so far; save and restore it to free what came since
 */
struct vs_mem {
	uint8_t *base;
	size_t size;
	size_t used;
};

/**
 * enum vs_mem_kind - what guest memory is made of
 * @VS_MEM_SHARED: MAP_SHARED, as a VMM's that others can map
 * @VS_MEM_PRIVATE: MAP_PRIVATE, for what concerns fork
 * @VS_MEM_HUGE: MAP_PRIVATE, aligned to 2 MiB pages and asking for them
 */
enum vs_mem_kind {
	VS_MEM_SHARED,
	VS_MEM_PRIVATE,
	VS_MEM_HUGE,
};

/**
 * vs_mem_get() - map guest memory
 * @mem: what to fill in
 * @size: bytes, a multiple of the page size
 * @kind: what it is made of
 *
 * Return: 0 or -errno.
 */
int vs_mem_get(struct vs_mem *mem, size_t size, enum vs_mem_kind kind);

/**
 * vs_mem_put() - unmap guest memory
 * @mem: from vs_mem_get(), or zeroed
 */
void vs_mem_put(struct vs_mem *mem);

/**
 * vs_mem_alloc() - take a piece of guest memory
 * @mem: guest memory
 * @size: bytes
 * @align: power of two
 *
 * The bytes are zero unless they were used before. Running out is a mistake
 * of the test and ends the process.
 *
 * Return: the piece.
 */
void *vs_mem_alloc(struct vs_mem *mem, size_t size, size_t align);

/**
 * vs_mem_page() - take whole pages of guest memory
 * @mem: guest memory
 * @pages: how many
 *
 * Return: the first page.
 */
static inline void *vs_mem_page(struct vs_mem *mem, size_t pages)
{
	return vs_mem_alloc(mem, pages * VS_PAGE, VS_PAGE);
}

/**
 * vs_mem_gpa() - guest address of a pointer into guest memory
 * @mem: guest memory
 * @p: pointer into it
 *
 * Return: the guest address.
 */
static inline uint64_t vs_mem_gpa(const struct vs_mem *mem, const void *p)
{
	return VS_GPA + (uint64_t)((const uint8_t *)p - mem->base);
}

/**
 * vs_fill() - fill memory with a pattern that depends on position and seed
 * @p: where
 * @len: bytes
 * @seed: which pattern
 */
void vs_fill(void *p, size_t len, unsigned int seed);

/**
 * vs_differs() - compare memory with what vs_fill() would have written
 * @p: where
 * @len: bytes
 * @seed: which pattern
 *
 * Return: offset of the first byte that differs, -1 if none does.
 */
long vs_differs(const void *p, size_t len, unsigned int seed);

/**
 * vs_not_all() - find a byte that is not the given one
 * @p: where
 * @len: bytes
 * @byte: what every byte should be
 *
 * Return: offset of the first byte that differs, -1 if none does.
 */
long vs_not_all(const void *p, size_t len, uint8_t byte);

#endif /* VS_MEM_H */
