/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One request queue under load, for the benchmark: a driver that keeps a number
 * of commands in flight, by the rules that spare kicks and interrupts.
 */
#ifndef BENCH_QUEUE_H
#define BENCH_QUEUE_H

#include "vs_env.h"

#define BENCH_MAX_DEPTH		256

/**
 * struct bench_guest - a guest with one processor, in instructions
 * @submit: to make a command and put it into the ring
 * @complete: to take its answer
 * @leave: to leave the guest and come back, for a kick or to wait
 * @irq: to take an interrupt
 * @batch: commands between two looks at whether a kick is wanted; 0: no guest
 */
struct bench_guest {
	unsigned int submit, complete, leave, irq;
	unsigned int batch;
};

/**
 * struct bench_load - what a queue is to do
 * @depth: commands in flight, 1 to BENCH_MAX_DEPTH
 * @bs: bytes of each, a multiple of 512
 * @segments: pieces of its buffer, none of which is next to another in the guest's
 *	memory; divides @bs
 * @plain: no indirect table
 * @luns: units that the commands are spread over, from LUN 0 on
 * @targets: targets that have those units each, and that they are spread over, too
 * @blocks: 512-byte blocks of the unit that are used
 * @write_percent: share of writes, 0 to 100
 * @random: at random places, not one after the other
 * @poll: look at the used ring all the time, instead of waiting to be called
 * @latency: keep how long each command took
 * @guest: behave as a guest does; without it commands cost nothing here
 */
struct bench_load {
	unsigned int depth;
	unsigned int bs;
	unsigned int segments;
	bool plain;
	unsigned int luns;
	unsigned int targets;
	unsigned int blocks;
	unsigned int write_percent;
	bool random;
	bool poll;
	bool latency;
	struct bench_guest guest;
};

/* Target ids go round after 255. */
static inline uint8_t bench_target(unsigned int i)
{
	return VS_TAG + i;
}

/**
 * struct bench_queue - one queue
 * @load: what it does
 * @ring: the virtqueue
 * @req: @load.depth requests
 * @tables: guest address of their indirect tables, in pages of their own
 * @data: guest address of their buffers, in pages behind those
 * @sent: when each of them was made available, in ns
 * @next_lba: where the next command goes, if not at random
 * @seed: of the random numbers
 * @latency: how long each command took, in ns, in the order in which they came
 *	back; @nr_done entries, NULL unless asked for
 * @nr_done: commands that came back
 * @kicks: of them the device was told with a kick
 * @calls: times that the queue slept until it was called
 */
struct bench_queue {
	const struct bench_load *load;
	struct vs_ring *ring;
	struct vs_req req[BENCH_MAX_DEPTH];
	uint64_t tables, data;
	uint64_t sent[BENCH_MAX_DEPTH];
	uint32_t next_lba;
	uint32_t seed;
	uint64_t *latency;
	unsigned long nr_done;
	unsigned long kicks;
	unsigned long calls;
};

/**
 * bench_queue_get() - prepare a queue
 * @q: what to fill in
 * @dev: a device with an endpoint
 * @ring: one of its request queues, which may block on its call eventfd
 * @load: what it is to do
 */
void bench_queue_get(struct bench_queue *q, struct vs_dev *dev,
		     struct vs_ring *ring, const struct bench_load *load);

/**
 * bench_queue_put() - undo bench_queue_get()
 * @q: a queue, or all zero
 */
void bench_queue_put(struct bench_queue *q);

/**
 * bench_queue_run() - run commands through it
 * @q: a queue
 * @count: how many
 *
 * Return: 0, -EIO if a command failed, -ENOMEM, or -errno.
 */
int bench_queue_run(struct bench_queue *q, unsigned long count);

/**
 * bench_queue_send() - make a command available, without a kick
 * @q: a queue
 * @req: one of its requests that is not in flight
 */
void bench_queue_send(struct bench_queue *q, struct vs_req *req);

/**
 * bench_queue_take() - take the next command that has come back
 * @q: a queue with one
 *
 * Return: its request, or NULL if the command failed.
 */
struct vs_req *bench_queue_take(struct bench_queue *q);

/**
 * bench_queue_sleep() - sleep until there is something in the used ring
 * @q: a queue
 *
 * Return: 0 or -errno.
 */
int bench_queue_sleep(struct bench_queue *q);

/**
 * bench_guest_run() - run commands through a queue as a guest would
 * @q: a queue, whose load has a guest
 * @count: how many
 *
 * One processor: it makes commands until as many as @q->load->depth are in flight, and
 * looks between two of them whether an interrupt has come. Then it waits.
 *
 * Return: 0 or -errno.
 */
int bench_guest_run(struct bench_queue *q, unsigned long count);

#endif /* BENCH_QUEUE_H */
