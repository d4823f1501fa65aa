// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at a queue again before the worker sleeps: neither the guest's next kick nor
 * the end of a command has to wake it then. Either it polls for a while, where it has a
 * processor for itself; or it lets the others of the processor run once.
 *
 * Enters: a request queue with nothing to do. Leaves: whether something came.
 * Context: the queue's vhost worker, vq->mutex held but for the yield, notifications
 * off.
 * Invariant: no longer than the limit at a time, and not at all while the waits
 * were longer than the limit lately: an idle queue costs nothing. Yields to every
 * other task of the processor and work of the worker: spinning would starve the guest
 * on the same processor, or LIO's completion, which is what the worker polls for.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "vhost_scsi.h"

/* The first window after polling was off, in ns */
#define VHOST_SCSI_POLL_START	10000
/* A yield that took longer, in ns, met somebody who computes */
#define VHOST_SCSI_YIELD_LONG	(2 * NSEC_PER_MSEC)
/* For so many times as long as it took there is none then: 2 % of the time at most */
#define VHOST_SCSI_YIELD_REST	50

/**
 * vhost_scsi_poll_served() - the queue had something to do
 * @svq: request queue, vq->mutex held
 * @us: the largest busyloop_us of the targets that it was for, in microseconds;
 *	VHOST_SET_VRING_BUSYLOOP_TIMEOUT overrides it
 *
 * The limit is VHOST_SCSI_MAX_BUSYLOOP_US at most: it bounds the wait for vq->mutex.
 */
void vhost_scsi_poll_served(struct vhost_scsi_vq *svq, unsigned int us)
{
	lockdep_assert_held(&svq->vq.mutex);
	us = min(svq->vq.busyloop_timeout ?: us, VHOST_SCSI_MAX_BUSYLOOP_US);
	svq->poll.limit = us * NSEC_PER_USEC;
	svq->poll.idle_since = 0;
}

/**
 * vhost_scsi_poll_woken() - the worker is at the queue again
 * @svq: request queue, vq->mutex held
 *
 * Had it polled on, would it have seen what woke it within the limit? Then the
 * next window is longer, else there is none.
 */
void vhost_scsi_poll_woken(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_poll *poll = &svq->poll;

	lockdep_assert_held(&svq->vq.mutex);
	if (!poll->idle_since || poll->interrupted)
		return;
	if (local_clock() - poll->idle_since > poll->limit)
		poll->window = 0;
	else
		poll->window = min(max(2 * poll->window, VHOST_SCSI_POLL_START),
				   poll->limit);
	poll->idle_since = 0;
}

/* Chains or finished commands. An unreadable ring counts as work: errors must surface. */
static bool vhost_scsi_poll_finds(struct vhost_scsi_vq *svq)
{
	return !llist_empty(&svq->done) ||
	       !vhost_vq_avail_empty(svq->vq.dev, &svq->vq);
}

static bool vhost_scsi_poll_in_line(const struct vhost_scsi_vq *svq)
{
	return test_bit(VHOST_WORK_QUEUED, &svq->vq.poll.work.flags) ||
	       test_bit(VHOST_WORK_QUEUED, &svq->done_work.flags);
}

/*
 * The worker takes its whole list at once: what it has yet to do of that is not on
 * it any more, which is all that vhost_vq_has_work() looks at.
 */
static bool vhost_scsi_poll_others_wait(struct vhost_scsi_vq *svq)
{
	const struct vhost_worker *worker = rcu_access_pointer(svq->vq.worker);
	const struct vhost_scsi_ep *ep = vhost_vq_get_backend(&svq->vq);
	const struct vhost_scsi *vs = to_vs(svq);
	unsigned int i, nr_io = 0;

	for (i = 0; i < vs->nr_vqs && nr_io < ep->nr_io; i++) {
		const struct vhost_scsi_vq *other = &vs->svq[i];

		if (rcu_access_pointer(other->vq.worker) == worker &&
		    vhost_scsi_poll_in_line(other))
			return true;
		/* A request queue that is set up has slots. */
		nr_io += !!other->slots;
	}
	return rcu_access_pointer(vs->svq[VHOST_SCSI_VQ_EVT].vq.worker) ==
	       worker && test_bit(VHOST_WORK_QUEUED, &vs->evt.work.flags);
}

/* A worker polls only while it has a processor for itself alone. */
static bool vhost_scsi_poll_is_alone(void)
{
	return single_task_running() && !need_resched();
}

static enum vhost_scsi_poll_result vhost_scsi_poll_spin(struct vhost_scsi_vq *svq,
							u64 end)
{
	bool others_wait;

	if (vhost_scsi_poll_finds(svq))
		return VHOST_SCSI_POLL_FOUND;
	others_wait = vhost_scsi_poll_others_wait(svq);
	do {
		if (local_clock() > end || signal_pending(current) ||
		    !vhost_scsi_poll_is_alone())
			return VHOST_SCSI_POLL_IDLE;
		if (others_wait || vhost_vq_has_work(&svq->vq))
			return VHOST_SCSI_POLL_YIELD;
		cpu_relax();
	} while (!vhost_scsi_poll_finds(svq));
	return VHOST_SCSI_POLL_FOUND;
}

/**
 * vhost_scsi_poll_wait() - poll a queue before the worker leaves it
 * @svq: request queue that was found empty, vq->mutex held
 *
 * Return: what came of it. With VHOST_SCSI_POLL_YIELD the queue is in line
 * behind the other work of its worker, notifications stay off, and polling goes
 * on after that.
 */
enum vhost_scsi_poll_result vhost_scsi_poll_wait(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_poll *poll = &svq->poll;
	enum vhost_scsi_poll_result result;

	lockdep_assert_held(&svq->vq.mutex);
	/* The core cannot tell an empty ring from one that is not translated. */
	if (!poll->limit || svq->vq.iotlb)
		return VHOST_SCSI_POLL_IDLE;

	poll->interrupted = false;
	if (!poll->idle_since)
		poll->idle_since = local_clock();
	if (!poll->window || !vhost_scsi_poll_is_alone())
		return VHOST_SCSI_POLL_IDLE;

	/* local_clock() is per CPU: stay on it, but faults must work: no preempt_disable(). */
	migrate_disable();
	result = vhost_scsi_poll_spin(svq, poll->idle_since +
				      min(poll->window, poll->limit));
	migrate_enable();
	switch (result) {
	case VHOST_SCSI_POLL_FOUND:
		poll->idle_since = 0;
		svq->stats.polls_won++;
		break;
	case VHOST_SCSI_POLL_IDLE:
		svq->stats.polls_lost++;
		break;
	case VHOST_SCSI_POLL_YIELD:
		poll->interrupted = true;
		vhost_poll_queue(&svq->vq.poll);
		break;
	}
	return result;
}

/**
 * vhost_scsi_poll_may_yield() - look once more after others have run?
 * @svq: request queue that was found empty, vq->mutex held
 *
 * A guest that shares the worker's processor has its next request ready when it has
 * run, mostly, and so has LIO's completion. A look then spares the kick, or the
 * wake-up, and finds more of them at once.
 *
 * Return: true if vhost_scsi_poll_yield() is due, once vq->mutex is given back.
 */
bool vhost_scsi_poll_may_yield(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_poll *poll = &svq->poll;

	lockdep_assert_held(&svq->vq.mutex);
	if (single_task_running() || signal_pending(current) || svq->vq.iotlb)
		return false;
	if (poll->no_yield) {
		if (ktime_get_ns() < poll->no_yield)
			return false;
		poll->no_yield = 0;
	}
	return !vhost_vq_has_work(&svq->vq) && !vhost_scsi_poll_others_wait(svq);
}

/**
 * vhost_scsi_poll_yield() - let the other tasks of the processor run
 *
 * No lock held.
 *
 * Return: how long it took, in ns.
 */
u64 vhost_scsi_poll_yield(void)
{
	u64 start = ktime_get_ns();

	yield();
	return ktime_get_ns() - start;
}

/**
 * vhost_scsi_poll_yielded() - was it worth it?
 * @svq: request queue, vq->mutex held
 * @took: from vhost_scsi_poll_yield()
 */
void vhost_scsi_poll_yielded(struct vhost_scsi_vq *svq, u64 took)
{
	lockdep_assert_held(&svq->vq.mutex);
	if (vhost_scsi_poll_finds(svq))
		svq->stats.yields_won++;
	else
		svq->stats.yields_lost++;
	if (took > VHOST_SCSI_YIELD_LONG)
		svq->poll.no_yield = ktime_get_ns() +
				     VHOST_SCSI_YIELD_REST * took;
}
