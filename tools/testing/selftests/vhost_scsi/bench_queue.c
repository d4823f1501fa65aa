// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_queue.h"
#include "vs_measure.h"

void bench_queue_get(struct bench_queue *q, struct vs_dev *dev,
		     struct vs_ring *ring, const struct bench_load *load)
{
	unsigned int i, writes = load->depth * load->write_percent / 100;
	struct vs_cdb cdb;
	void *buf;

	memset(q, 0, sizeof(*q));
	q->load = load;
	q->ring = ring;
	q->seed = ring->index * 2654435761U + 1;
	for (i = 0; i < load->depth; i++) {
		bool write = i < writes;
		struct vs_req *req = &q->req[i];

		buf = vs_mem_alloc(&dev->mem, load->bs, VS_PAGE);
		cdb = vs_cdb_rw10(write ? VS_WRITE_10 : VS_READ_10, 0,
				  load->bs / 512);
		vs_req_get(req, dev, VS_TAG, 0, cdb);
		req->ring = ring;
		req->chain.flags |= VS_INDIRECT;
		if (write)
			vs_req_out(req, buf, load->bs);
		else
			vs_req_in(req, buf, load->bs);
	}
}

void bench_queue_put(struct bench_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->load->depth; i++)
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

static void send(struct bench_queue *q, struct vs_req *req)
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
	struct vs_ring *ring = q->ring;
	uint16_t event, new = ring->next_avail;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = *(volatile uint16_t *)vs_ring_avail_event(ring);
	if ((uint16_t)(new - event - 1) >= (uint16_t)(new - old))
		return;
	vs_ring_kick(ring);
	q->kicks++;
}

static struct vs_req *next_done(struct bench_queue *q)
{
	struct vs_ring *ring = q->ring;
	struct vs_chain *chain;

	chain = ring->owner[ring->used->ring[ring->last_used % ring->num].id];
	vs_ring_take(ring, NULL);
	return (void *)((char *)chain - offsetof(struct vs_req, chain));
}

static int check(const struct vs_req *req)
{
	if (!req->rsp->response && !req->rsp->status)
		return 0;
	fprintf(stderr, "bench: a command failed: response %u, status %u\n",
		req->rsp->response, req->rsp->status);
	return -EIO;
}

/* Take what has come back; send as much again until @count were sent. */
static int turn(struct bench_queue *q, unsigned long *sent, unsigned long count)
{
	uint16_t old = q->ring->next_avail;
	struct vs_req *req;

	while (vs_ring_pending(q->ring)) {
		req = next_done(q);
		if (check(req))
			return -EIO;
		if (q->load->latency)
			q->latency[q->nr_done] = vs_now_ns() -
						 q->sent[req - q->req];
		q->nr_done++;
		if (*sent < count) {
			send(q, req);
			++*sent;
		}
	}
	if (old != q->ring->next_avail)
		kick(q, old);
	return 0;
}

/* Sleep until there is something in the used ring. */
static int sleep_until_called(struct bench_queue *q)
{
	uint64_t n;

	__atomic_store_n(vs_ring_used_event(q->ring), q->ring->last_used,
			 __ATOMIC_SEQ_CST);
	if (vs_ring_pending(q->ring))
		return 0;
	q->calls++;
	return read(q->ring->call, &n, sizeof(n)) < 0 ? -errno : 0;
}

int bench_queue_run(struct bench_queue *q, unsigned long count)
{
	unsigned long sent;
	uint16_t old = q->ring->next_avail;
	int ret = 0;

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
	for (sent = 0; sent < q->load->depth && sent < count; sent++)
		send(q, &q->req[sent]);
	kick(q, old);
	while (!ret && q->nr_done < count) {
		ret = turn(q, &sent, count);
		if (!ret && !q->load->poll && q->nr_done < count)
			ret = sleep_until_called(q);
	}
	return ret;
}
