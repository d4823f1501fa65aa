// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_queue.h"
#include "vs_measure.h"

static uint64_t next_page(struct vs_mem *mem)
{
	return vs_mem_gpa(mem, vs_mem_alloc(mem, 0, VS_PAGE));
}

/* The last piece first: they follow each other, but for the device. */
static void add_buffer(struct vs_req *req, uint8_t *buf, bool write,
		       const struct bench_load *load)
{
	size_t at, piece = load->bs / load->segments;

	for (at = load->bs; at; at -= piece) {
		if (write)
			vs_req_out(req, buf + at - piece, piece);
		else
			vs_req_in(req, buf + at - piece, piece);
	}
}

/*
 * Touch pages for the first time, in an order in which hardly two that follow each other
 * get page frames that do: what lies side by side is cheaper, and would be chance.
 */
static void touch(uint8_t *data, size_t size)
{
	size_t first, at;

	for (first = 0; first < 17; first++)
		for (at = first * VS_PAGE; at < size; at += 17 * VS_PAGE)
			data[at] = 0;
}

void bench_queue_get(struct bench_queue *q, struct vs_dev *dev,
		     struct vs_ring *ring, const struct bench_load *load)
{
	unsigned int i, writes = load->depth * load->write_percent / 100;
	unsigned int descs = load->segments + 2;
	size_t room = (load->bs + VS_PAGE - 1) & -VS_PAGE;
	uint8_t *data;

	memset(q, 0, sizeof(*q));
	q->load = load;
	q->ring = ring;
	q->seed = ring->index * 2654435761U + 1;
	for (i = 0; i < load->depth; i++) {
		vs_req_get(&q->req[i], dev,
			   bench_target(i * load->targets / load->depth),
			   i * load->luns / load->depth,
			   vs_cdb_rw10(i < writes ? VS_WRITE_10 : VS_READ_10, 0,
				       load->bs / 512));
		q->req[i].ring = ring;
	}
	q->tables = next_page(&dev->mem);
	for (i = 0; i < load->depth && !load->plain; i++) {
		q->req[i].chain.flags |= VS_INDIRECT;
		q->req[i].chain.table = vs_mem_alloc(&dev->mem, descs *
						     sizeof(struct vring_desc), 16);
	}
	data = vs_mem_alloc(&dev->mem, load->depth * room, VS_PAGE);
	touch(data, load->depth * room);
	q->data = vs_mem_gpa(&dev->mem, data);
	for (i = 0; i < load->depth; i++)
		add_buffer(&q->req[i], data + i * room, i < writes, load);
}

void bench_queue_put(struct bench_queue *q)
{
	unsigned int i;

	for (i = 0; q->load && i < q->load->depth; i++)
		vs_req_put(&q->req[i]);
	free(q->latency);
}

/* xorshift: anything that is cheap and does not repeat will do. */
static uint32_t random_number(struct bench_queue *q)
{
	q->seed ^= q->seed << 13;
	q->seed ^= q->seed >> 17;
	q->seed ^= q->seed << 5;
	return q->seed;
}

void bench_queue_send(struct bench_queue *q, struct vs_req *req)
{
	uint32_t per = q->load->bs / 512, room = q->load->blocks / per;
	uint32_t lba;

	if (q->load->random) {
		lba = random_number(q) % room * per;
	} else {
		lba = q->next_lba;
		q->next_lba += per;
		if (q->next_lba + per > q->load->blocks)
			q->next_lba = 0;
	}
	lba = htobe32(lba);
	memcpy(&req->hdr->cdb[2], &lba, sizeof(lba));
	if (q->load->latency)
		q->sent[req - q->req] = vs_now_ns();
	vs_ring_add(q->ring, &req->chain);
}

/* Tell the device of what was added since @old, if it wants to know. */
static void kick(struct bench_queue *q, uint16_t old)
{
	if (!vs_ring_wants_kick(q->ring, old))
		return;
	vs_ring_kick(q->ring);
	q->kicks++;
}

struct vs_req *bench_queue_take(struct bench_queue *q)
{
	struct vs_ring *ring = q->ring;
	struct vs_chain *chain;
	struct vs_req *req;

	chain = ring->owner[ring->used->ring[ring->last_used % ring->num].id];
	vs_ring_take(ring, NULL);
	req = (void *)((char *)chain - offsetof(struct vs_req, chain));
	if (req->rsp->response || req->rsp->status) {
		fprintf(stderr, "bench: a command failed: response %u, status %u\n",
			req->rsp->response, req->rsp->status);
		return NULL;
	}
	if (q->load->latency)
		q->latency[q->nr_done] = vs_now_ns() - q->sent[req - q->req];
	q->nr_done++;
	return req;
}

/* Take what has come back; send as much again until @count were sent. */
static int turn(struct bench_queue *q, unsigned long *sent, unsigned long count)
{
	uint16_t old = q->ring->next_avail;
	struct vs_req *req;

	while (vs_ring_pending(q->ring)) {
		req = bench_queue_take(q);
		if (!req)
			return -EIO;
		if (*sent < count) {
			bench_queue_send(q, req);
			++*sent;
		}
	}
	if (old != q->ring->next_avail)
		kick(q, old);
	return 0;
}

int bench_queue_sleep(struct bench_queue *q)
{
	uint64_t n;

	__atomic_store_n(vs_ring_used_event(q->ring), q->ring->last_used,
			 __ATOMIC_SEQ_CST);
	if (vs_ring_pending(q->ring))
		return 0;
	q->calls++;
	return read(q->ring->call, &n, sizeof(n)) < 0 ? -errno : 0;
}

/* One command after the other has no cost here but what the ring takes. */
static int run(struct bench_queue *q, unsigned long count)
{
	uint16_t old = q->ring->next_avail;
	unsigned long sent;
	int ret = 0;

	for (sent = 0; sent < q->load->depth && sent < count; sent++)
		bench_queue_send(q, &q->req[sent]);
	kick(q, old);
	while (!ret && q->nr_done < count) {
		ret = turn(q, &sent, count);
		if (!ret && !q->load->poll && q->nr_done < count)
			ret = bench_queue_sleep(q);
	}
	return ret;
}

int bench_queue_run(struct bench_queue *q, unsigned long count)
{
	free(q->latency);
	q->latency = NULL;
	if (q->load->latency) {
		q->latency = calloc(count, sizeof(*q->latency));
		if (!q->latency)
			return -ENOMEM;
	}
	q->nr_done = 0;
	q->kicks = 0;
	q->calls = 0;
	return q->load->guest.batch ? bench_guest_run(q, count) : run(q, count);
}
