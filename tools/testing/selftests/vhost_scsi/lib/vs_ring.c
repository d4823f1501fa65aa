// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/vhost.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vs_measure.h"
#include "vs_ring.h"

int64_t vs_now_ms(void)
{
	return vs_now_ns() / 1000000;
}

int vs_patience(void)
{
	const char *s = getenv("VS_PATIENCE");

	return s ? atoi(s) * 1000 : 60000;
}

void vs_ring_reset(struct vs_ring *ring)
{
	unsigned int i;

	memset(ring->avail, 0, sizeof(*ring->avail) +
	       (ring->num + 1) * sizeof(uint16_t));
	memset(ring->used, 0, sizeof(*ring->used) +
	       ring->num * sizeof(struct vring_used_elem) + sizeof(uint16_t));
	ring->next_avail = 0;
	ring->last_used = 0;
	for (i = 0; i < ring->num; i++) {
		ring->link[i] = i + 1 < ring->num ? (int)i + 1 : -1;
		ring->owner[i] = NULL;
	}
	ring->free = 0;
	ring->n_free = ring->num;
}

int vs_ring_get(struct vs_ring *ring, struct vs_mem *mem, unsigned int index,
		unsigned int num)
{
	memset(ring, 0, sizeof(*ring));
	ring->mem = mem;
	ring->index = index;
	ring->num = num;
	ring->iommu_fd = -1;
	ring->desc = vs_mem_alloc(mem, num * sizeof(*ring->desc), VS_PAGE);
	ring->avail = vs_mem_alloc(mem, sizeof(*ring->avail) +
				   (num + 1) * sizeof(uint16_t), VS_PAGE);
	ring->used = vs_mem_alloc(mem, sizeof(*ring->used) +
				  num * sizeof(struct vring_used_elem) +
				  sizeof(uint16_t), VS_PAGE);
	/* Nothing else shares the used ring's last page: tests protect it. */
	vs_mem_alloc(mem, 0, VS_PAGE);
	ring->link = calloc(num, sizeof(*ring->link));
	ring->owner = calloc(num, sizeof(*ring->owner));
	ring->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->err = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!ring->link || !ring->owner || ring->kick < 0 || ring->call < 0 ||
	    ring->err < 0) {
		vs_ring_put(ring);
		return -ENOMEM;
	}
	vs_ring_reset(ring);
	return 0;
}

void vs_ring_put(struct vs_ring *ring)
{
	if (!ring->mem)
		return;
	free(ring->link);
	free(ring->owner);
	close(ring->kick);
	close(ring->call);
	close(ring->err);
	ring->mem = NULL;
}

void vs_ring_write_desc(struct vs_ring *ring, unsigned int i, uint64_t gpa,
			uint32_t len, uint16_t flags, uint16_t next)
{
	ring->desc[i] = (struct vring_desc){
		.addr = gpa, .len = len, .flags = flags, .next = next,
	};
}

struct vring_desc *vs_ring_table(struct vs_ring *ring, unsigned int n,
				 uint32_t len, uint16_t flags)
{
	struct vring_desc *t = vs_mem_alloc(ring->mem, n * sizeof(*t), 16);

	memset(t, 0, n * sizeof(*t));
	vs_ring_write_desc(ring, 0, vs_mem_gpa(ring->mem, t), len,
			   VRING_DESC_F_INDIRECT | flags, 1);
	return t;
}

void vs_ring_expose(struct vs_ring *ring, uint16_t head)
{
	ring->avail->ring[ring->next_avail % ring->num] = head;
	ring->next_avail++;
	/* The entry and its descriptors come before the index. */
	__atomic_store_n(&ring->avail->idx, ring->next_avail, __ATOMIC_RELEASE);
}

void vs_ring_kick(struct vs_ring *ring)
{
	uint64_t one = 1;

	if (write(ring->kick, &one, sizeof(one)) != sizeof(one))
		perror("# kick");
}

bool vs_ring_wants_kick(struct vs_ring *ring, uint16_t old)
{
	uint16_t event, new = ring->next_avail;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = *(volatile uint16_t *)vs_ring_avail_event(ring);
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

static int take_free(struct vs_ring *ring)
{
	int i = ring->free;

	ring->free = ring->link[i];
	ring->n_free--;
	return i;
}

static uint16_t seg_flags(const struct vs_chain *chain, unsigned int i)
{
	unsigned int n = chain->n_out + chain->n_in;

	return (i >= chain->n_out ? VRING_DESC_F_WRITE : 0) |
	       (i + 1 < n ? VRING_DESC_F_NEXT : 0);
}

static const struct vs_seg *seg_at(const struct vs_chain *chain, unsigned int i)
{
	return i < chain->n_out ? &chain->out[i] : &chain->in[i - chain->n_out];
}

static void add_indirect(struct vs_ring *ring, struct vs_chain *chain)
{
	unsigned int i, n = chain->n_out + chain->n_in;
	struct vring_desc *table = chain->table;
	int head = take_free(ring);

	if (!table)
		table = vs_mem_alloc(ring->mem, n * sizeof(*table), 16);
	for (i = 0; i < n; i++) {
		const struct vs_seg *seg = seg_at(chain, i);

		table[i] = (struct vring_desc){
			.addr = seg->gpa, .len = seg->len,
			.flags = seg_flags(chain, i), .next = i + 1,
		};
	}
	vs_ring_write_desc(ring, head, vs_mem_gpa(ring->mem, table),
			   n * sizeof(*table), VRING_DESC_F_INDIRECT, 0);
	ring->link[head] = -1;
	chain->head = head;
}

static void add_direct(struct vs_ring *ring, struct vs_chain *chain)
{
	unsigned int i, n = chain->n_out + chain->n_in;
	int d = -1, prev = -1;

	for (i = 0; i < n; i++) {
		const struct vs_seg *seg = seg_at(chain, i);

		d = take_free(ring);
		vs_ring_write_desc(ring, d, seg->gpa, seg->len,
				   seg_flags(chain, i), 0);
		ring->link[d] = -1;
		if (prev < 0) {
			chain->head = d;
		} else {
			ring->desc[prev].next = d;
			ring->link[prev] = d;
		}
		prev = d;
	}
}

int vs_ring_add(struct vs_ring *ring, struct vs_chain *chain)
{
	unsigned int n = chain->n_out + chain->n_in;

	if (ring->n_free < (chain->flags & VS_INDIRECT ? 1 : n))
		return -ENOSPC;
	if (chain->flags & VS_INDIRECT)
		add_indirect(ring, chain);
	else
		add_direct(ring, chain);
	chain->done = false;
	chain->times = 0;
	chain->used_len = 0;
	ring->owner[chain->head] = chain;
	vs_ring_expose(ring, chain->head);
	return 0;
}

unsigned int vs_ring_pending(struct vs_ring *ring)
{
	uint16_t idx = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE);

	return (uint16_t)(idx - ring->last_used);
}

static void release(struct vs_ring *ring, struct vs_chain *chain)
{
	int d = chain->head, next;

	while (d >= 0) {
		next = ring->link[d];
		ring->link[d] = ring->free;
		ring->free = d;
		ring->n_free++;
		d = next;
	}
}

bool vs_ring_take(struct vs_ring *ring, struct vring_used_elem *elem)
{
	struct vring_used_elem e;
	struct vs_chain *chain;

	if (!vs_ring_pending(ring))
		return false;
	e = ring->used->ring[ring->last_used % ring->num];
	ring->last_used++;
	if (elem)
		*elem = e;
	chain = e.id < ring->num ? ring->owner[e.id] : NULL;
	if (chain) {
		chain->used_len = e.len;
		chain->times++;
		if (!chain->done)
			release(ring, chain);
		chain->done = true;
	}
	return true;
}

int vs_ring_wait(struct vs_ring *ring, struct vring_used_elem *elem, int ms)
{
	int64_t end = vs_now_ms() + ms;

	for (;;) {
		struct pollfd pfd = { .fd = ring->call, .events = POLLIN };
		uint64_t count;
		int64_t left;

		if (vs_ring_take(ring, elem))
			return 0;
		*(volatile uint16_t *)vs_ring_used_event(ring) =
			ring->last_used;
		/* The event index is seen before we look again and sleep. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (vs_ring_take(ring, elem))
			return 0;
		left = end - vs_now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		/* A signal is no interrupt of ours: look again. */
		if (poll(&pfd, 1, (int)left) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!pfd.revents)
			return -ETIMEDOUT;
		if (read(ring->call, &count, sizeof(count)) < 0)
			return -errno;
	}
}

static bool has_taken(struct vs_ring *ring)
{
	volatile uint16_t *avail_event = vs_ring_avail_event(ring);
	struct vhost_vring_state state = { .index = ring->index };

	if (*avail_event != ring->next_avail)
		return false;
	return ring->iommu_fd < 0 ||
	       (!ioctl(ring->iommu_fd, VHOST_GET_VRING_BASE, &state) &&
		state.num == ring->next_avail);
}

int vs_ring_wait_taken(struct vs_ring *ring, int ms)
{
	int64_t end = vs_now_ms() + ms;

	while (!has_taken(ring)) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

uint64_t vs_ring_errors(struct vs_ring *ring)
{
	uint64_t count;

	return read(ring->err, &count, sizeof(count)) == sizeof(count) ?
	       count : 0;
}

void vs_chain_get(struct vs_chain *chain)
{
	memset(chain, 0, sizeof(*chain));
	chain->out = calloc(VS_MAX_SEGS, sizeof(*chain->out));
	chain->in = calloc(VS_MAX_SEGS, sizeof(*chain->in));
	if (!chain->out || !chain->in)
		abort();
}

void vs_chain_put(struct vs_chain *chain)
{
	free(chain->out);
	free(chain->in);
	memset(chain, 0, sizeof(*chain));
}

void vs_chain_out(struct vs_chain *chain, const struct vs_mem *mem,
		  const void *p, size_t len)
{
	if (chain->n_out == VS_MAX_SEGS)
		abort();
	chain->out[chain->n_out++] = (struct vs_seg){
		.gpa = vs_mem_gpa(mem, p), .len = (uint32_t)len,
	};
}

void vs_chain_in(struct vs_chain *chain, const struct vs_mem *mem, void *p,
		 size_t len)
{
	if (chain->n_in == VS_MAX_SEGS)
		abort();
	chain->in[chain->n_in++] = (struct vs_seg){
		.gpa = vs_mem_gpa(mem, p), .len = (uint32_t)len,
	};
}

void vs_chain_out_cut(struct vs_chain *chain, const struct vs_mem *mem,
		      const void *p, size_t len, size_t piece)
{
	const uint8_t *b = p;
	size_t n;

	for (; len; b += n, len -= n) {
		n = len < piece ? len : piece;
		vs_chain_out(chain, mem, b, n);
	}
}

void vs_chain_in_cut(struct vs_chain *chain, const struct vs_mem *mem, void *p,
		     size_t len, size_t piece)
{
	uint8_t *b = p;
	size_t n;

	for (; len; b += n, len -= n) {
		n = len < piece ? len : piece;
		vs_chain_in(chain, mem, b, n);
	}
}

int vs_chain_wait(struct vs_ring *ring, struct vs_chain *chain, int ms)
{
	int ret = 0;

	while (!chain->done && !ret)
		ret = vs_ring_wait(ring, NULL, ms);
	return ret;
}

int vs_chain_run(struct vs_ring *ring, struct vs_chain *chain)
{
	int ret = vs_ring_add(ring, chain);

	if (ret)
		return ret;
	vs_ring_kick(ring);
	return vs_chain_wait(ring, chain, vs_patience());
}
