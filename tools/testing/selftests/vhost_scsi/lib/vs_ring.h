/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split virtqueues as a guest sees them. The ordinary path allocates
 * descriptors and keeps the books; the hostile path writes any descriptor and
 * any ring entry by hand through the same pointers.
 */
#ifndef VS_RING_H
#define VS_RING_H

#include <endian.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "vs_mem.h"

#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "legacy and VERSION_1 byte order are the same only on little-endian hosts"
#endif

/* A chain is never longer than what the core takes, plus room to break that. */
#define VS_MAX_SEGS	2100

/* vs_chain.flags */
#define VS_INDIRECT	0x1	/* put the chain into an indirect table */

/**
 * struct vs_seg - one segment of a chain
 * @gpa: guest address
 * @len: bytes
 */
struct vs_seg {
	uint64_t gpa;
	uint32_t len;
};

/**
 * struct vs_chain - one descriptor chain, from being built to being used
 * @out: segments that the device reads
 * @n_out: how many
 * @in: segments that the device writes
 * @n_in: how many
 * @flags: VS_INDIRECT or 0
 * @table: indirect table in guest memory, NULL for a new one each time
 * @head: head descriptor while submitted
 * @done: the head came back
 * @times: how often the head came back
 * @used_len: length that the device wrote into the used ring
 */
struct vs_chain {
	struct vs_seg *out;
	unsigned int n_out;
	struct vs_seg *in;
	unsigned int n_in;
	unsigned int flags;
	struct vring_desc *table;
	int head;
	bool done;
	unsigned int times;
	uint32_t used_len;
};

/**
 * struct vs_ring - a split virtqueue
 * @mem: guest memory that it lies in
 * @index: vhost queue index
 * @num: size
 * @event_idx: EVENT_IDX was negotiated
 * @log: the device is to log what it writes into the used ring
 * @desc: descriptor table
 * @avail: available ring
 * @used: used ring
 * @next_avail: available index that the next head gets
 * @last_used: used entries taken so far
 * @link: the free list, and the descriptors of a submitted chain, in our
 *	  own memory: what stands in @desc may be a lie
 * @free: first free descriptor, -1 if none
 * @n_free: free descriptors
 * @owner: chain by head
 * @kick: eventfd, us to the device
 * @call: eventfd, the device to us
 * @err: eventfd, the device's errors
 * @iommu_fd: the device, where translations may be missing; -1 elsewhere
 */
struct vs_ring {
	struct vs_mem *mem;
	unsigned int index;
	unsigned int num;
	bool event_idx;
	bool log;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_avail;
	uint16_t last_used;
	int *link;
	int free;
	unsigned int n_free;
	struct vs_chain **owner;
	int kick;
	int call;
	int err;
	int iommu_fd;
};

/**
 * vs_ring_get() - lay out an empty ring in guest memory
 * @ring: what to fill in
 * @mem: guest memory
 * @index: vhost queue index
 * @num: size
 *
 * Return: 0 or -errno.
 */
int vs_ring_get(struct vs_ring *ring, struct vs_mem *mem, unsigned int index,
		unsigned int num);

/**
 * vs_ring_put() - give back what the ring holds outside guest memory
 * @ring: from vs_ring_get(), or zeroed
 */
void vs_ring_put(struct vs_ring *ring);

/**
 * vs_ring_reset() - start over with indexes at zero
 * @ring: a ring that no device uses
 */
void vs_ring_reset(struct vs_ring *ring);

/**
 * vs_ring_used_event() - where the driver tells the device when to interrupt
 * @ring: a ring
 *
 * Return: pointer to the field behind the available ring.
 */
static inline uint16_t *vs_ring_used_event(struct vs_ring *ring)
{
	return &ring->avail->ring[ring->num];
}

/**
 * vs_ring_avail_event() - where the device tells the driver when to kick
 * @ring: a ring
 *
 * Return: pointer to the field behind the used ring.
 */
static inline uint16_t *vs_ring_avail_event(struct vs_ring *ring)
{
	return (uint16_t *)&ring->used->ring[ring->num];
}

/**
 * vs_ring_write_desc() - write one descriptor, whatever it says
 * @ring: a ring
 * @i: which descriptor
 * @gpa: address
 * @len: length
 * @flags: VRING_DESC_F_*
 * @next: next
 */
void vs_ring_write_desc(struct vs_ring *ring, unsigned int i, uint64_t gpa,
			uint32_t len, uint16_t flags, uint16_t next);

/**
 * vs_ring_table() - an indirect table, which descriptor 0 points to
 * @ring: a ring
 * @n: its entries, all zeroes
 * @len: the length that the descriptor gives it
 * @flags: more flags of the descriptor, whose "next" is 1
 *
 * Return: the table.
 */
struct vring_desc *vs_ring_table(struct vs_ring *ring, unsigned int n,
				 uint32_t len, uint16_t flags);

/**
 * vs_ring_expose() - make a head available, whatever it is
 * @ring: a ring
 * @head: entry of the available ring
 */
void vs_ring_expose(struct vs_ring *ring, uint16_t head);

/**
 * vs_ring_kick() - notify the device
 * @ring: a ring
 */
void vs_ring_kick(struct vs_ring *ring);

/**
 * vs_ring_wants_kick() - does the device want to know of what was added?
 * @ring: a ring with EVENT_IDX
 * @old: available index when it was told the last time
 *
 * Return: true if it does.
 */
bool vs_ring_wants_kick(struct vs_ring *ring, uint16_t old);

/**
 * vs_ring_add() - write a chain's descriptors and make it available
 * @ring: a ring
 * @chain: the chain; must stay until it is done
 *
 * Return: 0, or -ENOSPC if there are not enough free descriptors.
 */
int vs_ring_add(struct vs_ring *ring, struct vs_chain *chain);

/**
 * vs_ring_pending() - used entries that were not taken yet
 * @ring: a ring
 *
 * Return: how many.
 */
unsigned int vs_ring_pending(struct vs_ring *ring);

/**
 * vs_ring_take() - take one used entry
 * @ring: a ring
 * @elem: the entry, may be NULL
 *
 * Marks the chain done that the entry names, and frees its descriptors.
 *
 * Return: true if there was one.
 */
bool vs_ring_take(struct vs_ring *ring, struct vring_used_elem *elem);

/**
 * vs_ring_wait() - wait for the next used entry and take it
 * @ring: a ring
 * @elem: the entry, may be NULL
 * @ms: how long to wait
 *
 * Sleeps on the call eventfd, so a forgotten interrupt counts as nothing.
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_ring_wait(struct vs_ring *ring, struct vring_used_elem *elem, int ms);

/**
 * vs_ring_wait_taken() - wait until the device has taken every head
 * @ring: a ring with EVENT_IDX, whose avail_event says how far the device is
 * @ms: how long to wait
 *
 * Behind an IOMMU a device that waits for the translation of a head asks for a kick for
 * what comes behind it. VHOST_GET_VRING_BASE, which needs the device's mutex, does not
 * count that head.
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_ring_wait_taken(struct vs_ring *ring, int ms);

/**
 * vs_ring_errors() - read and clear the error eventfd
 * @ring: a ring
 *
 * Return: how often the device signalled it.
 */
uint64_t vs_ring_errors(struct vs_ring *ring);

/**
 * vs_chain_get() - make an empty chain
 * @chain: what to fill in
 */
void vs_chain_get(struct vs_chain *chain);

/**
 * vs_chain_put() - free a chain's segment lists
 * @chain: from vs_chain_get(), or zeroed
 */
void vs_chain_put(struct vs_chain *chain);

/**
 * vs_chain_out() - append a segment that the device reads
 * @chain: a chain
 * @mem: guest memory
 * @p: pointer into it
 * @len: bytes
 */
void vs_chain_out(struct vs_chain *chain, const struct vs_mem *mem,
		  const void *p, size_t len);

/**
 * vs_chain_in() - append a segment that the device writes
 * @chain: a chain
 * @mem: guest memory
 * @p: pointer into it
 * @len: bytes
 */
void vs_chain_in(struct vs_chain *chain, const struct vs_mem *mem, void *p,
		 size_t len);

/**
 * vs_chain_out_cut() - append memory as segments of a given size, to be read
 * @chain: a chain
 * @mem: guest memory
 * @p: pointer into it
 * @len: bytes
 * @piece: bytes of each segment but the last
 */
void vs_chain_out_cut(struct vs_chain *chain, const struct vs_mem *mem,
		      const void *p, size_t len, size_t piece);

/**
 * vs_chain_in_cut() - append memory as segments of a given size, to be written
 * @chain: a chain
 * @mem: guest memory
 * @p: pointer into it
 * @len: bytes
 * @piece: bytes of each segment but the last
 */
void vs_chain_in_cut(struct vs_chain *chain, const struct vs_mem *mem, void *p,
		     size_t len, size_t piece);

/**
 * vs_chain_wait() - wait until a chain is done
 * @ring: the ring it was added to
 * @chain: a chain
 * @ms: how long to wait for each used entry
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_chain_wait(struct vs_ring *ring, struct vs_chain *chain, int ms);

/**
 * vs_chain_run() - add a chain, kick, and wait until it is done
 * @ring: a ring
 * @chain: a chain
 *
 * Return: 0, -ENOSPC or -ETIMEDOUT.
 */
int vs_chain_run(struct vs_ring *ring, struct vs_chain *chain);

/**
 * vs_patience() - how long a test waits for something that must happen
 *
 * 20 seconds, or the seconds in the environment variable VS_PATIENCE.
 *
 * Return: milliseconds.
 */
int vs_patience(void);

/**
 * vs_now_ms() - monotonic clock
 *
 * Return: milliseconds.
 */
int64_t vs_now_ms(void);

#endif /* VS_RING_H */
