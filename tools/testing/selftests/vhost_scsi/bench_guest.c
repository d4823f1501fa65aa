// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's processor under fio, as far as the host sees it: what it does between two
 * commands takes time, and during that time the device is served, or is not. It is
 * executed as instructions of a loop, thus exact under lab/run --icount.
 */
#include <errno.h>

#include "bench_queue.h"

/* Two instructions a turn. */
static void execute(unsigned int insns)
{
	unsigned long turns = insns / 2;

	if (turns)
		asm volatile("1: dec %0; jnz 1b" : "+r" (turns) :: "cc");
}

/* Commands that are not in flight, and how many were sent. */
struct vcpu {
	struct bench_queue *q;
	struct vs_req *idle[BENCH_MAX_DEPTH];
	unsigned int nr_idle;
	unsigned long sent, count;
	uint16_t told;	/* available index when a kick was last thought of */
};

static void kick_if_wanted(struct vcpu *cpu)
{
	struct bench_queue *q = cpu->q;

	if (cpu->told == q->ring->next_avail)
		return;
	if (vs_ring_wants_kick(q->ring, cpu->told)) {
		execute(q->load->guest.leave);
		vs_ring_kick(q->ring);
		q->kicks++;
	}
	cpu->told = q->ring->next_avail;
}

/* The device writes an interrupt for the first one that comes back. */
static int take_interrupt(struct vcpu *cpu)
{
	const struct bench_guest *guest = &cpu->q->load->guest;
	struct vs_ring *ring = cpu->q->ring;
	struct vs_req *req;

	if (!vs_ring_pending(ring))
		return 0;
	execute(guest->irq);
	do {
		while (vs_ring_pending(ring)) {
			req = bench_queue_take(cpu->q);
			if (!req)
				return -EIO;
			execute(guest->complete);
			cpu->idle[cpu->nr_idle++] = req;
		}
		__atomic_store_n(vs_ring_used_event(ring), ring->last_used,
				 __ATOMIC_SEQ_CST);
	} while (vs_ring_pending(ring));
	return 0;
}

static int submit_all(struct vcpu *cpu)
{
	const struct bench_guest *guest = &cpu->q->load->guest;
	unsigned int n = 0;
	int ret = 0;

	while (!ret && cpu->nr_idle && cpu->sent < cpu->count) {
		execute(guest->submit);
		bench_queue_send(cpu->q, cpu->idle[--cpu->nr_idle]);
		cpu->sent++;
		if (++n % guest->batch == 0)
			kick_if_wanted(cpu);
		ret = take_interrupt(cpu);
	}
	kick_if_wanted(cpu);
	return ret;
}

int bench_guest_run(struct bench_queue *q, unsigned long count)
{
	struct vcpu cpu = { .q = q, .count = count, .told = q->ring->next_avail };
	int ret = 0;

	while (cpu.nr_idle < q->load->depth) {
		cpu.idle[cpu.nr_idle] = &q->req[cpu.nr_idle];
		cpu.nr_idle++;
	}
	while (!ret && q->nr_done < count) {
		ret = submit_all(&cpu);
		if (!ret && !vs_ring_pending(q->ring)) {
			execute(q->load->guest.leave);
			ret = bench_queue_sleep(q);
		}
		if (!ret)
			ret = take_interrupt(&cpu);
	}
	return ret;
}
