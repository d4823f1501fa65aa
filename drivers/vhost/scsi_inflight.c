// SPDX-License-Identifier: GPL-2.0
/*
 * Counting what LIO works on, and waiting for it.
 *
 * Enters: a task that was taken from a ring; a task that was retired.
 * Leaves: a waiter, once every task from before it came is retired.
 * Context: counting under vq->mutex; waiting under vs->dev.mutex only, so that
 * one waiter at a time turns the epochs.
 * Invariant: a count that a waiter has seen reach 0 stays 0 until the epoch is
 * current again, so the waiter cannot miss a task (I4).
 */
#include "scsi_trace.h"
#include "vhost_scsi.h"

/**
 * vhost_scsi_inflight_get() - count a task in
 * @svq: queue that it came from, vq->mutex held
 *
 * Return: the epoch to give back with vhost_scsi_inflight_put().
 */
u8 vhost_scsi_inflight_get(struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_inflight *inflight = &svq->inflight;
	/* No subscript here and below: each command would pay for its check. */
	unsigned int *count = inflight->count + inflight->epoch;

	lockdep_assert_held(&svq->vq.mutex);
	WRITE_ONCE(*count, *count + 1);
	return inflight->epoch;
}

/**
 * vhost_scsi_inflight_put() - count a task out
 * @svq: queue that it came from, vq->mutex held
 * @epoch: what vhost_scsi_inflight_get() returned
 */
void vhost_scsi_inflight_put(struct vhost_scsi_vq *svq, u8 epoch)
{
	struct vhost_scsi_inflight *inflight = &svq->inflight;
	unsigned int *count = inflight->count + epoch;
	unsigned int left = *count - 1;

	lockdep_assert_held(&svq->vq.mutex);
	WRITE_ONCE(*count, left);
	if (!left && epoch != inflight->epoch)
		wake_up(&to_vs(svq)->drained);
}

/**
 * vhost_scsi_inflight_nr() - how many tasks does LIO work on?
 * @svq: queue that they came from, vq->mutex held
 *
 * Return: their number.
 */
unsigned int vhost_scsi_inflight_nr(const struct vhost_scsi_vq *svq)
{
	lockdep_assert_held(&svq->vq.mutex);
	return svq->inflight.count[0] + svq->inflight.count[1];
}

/**
 * vhost_scsi_inflight_has() - does LIO work on anything of a queue?
 * @svq: queue
 *
 * Without its mutex, at a moment in the past. A finished task that is not answered
 * yet counts.
 *
 * Return: true if it does.
 */
bool vhost_scsi_inflight_has(const struct vhost_scsi_vq *svq)
{
	return READ_ONCE(svq->inflight.count[0]) ||
	       READ_ONCE(svq->inflight.count[1]);
}

/**
 * vhost_scsi_inflight_any() - does LIO work on anything?
 * @vs: device
 *
 * Return: false if each queue had nothing when it was looked at, one after the other.
 * That lasts only where no worker takes requests any more.
 */
bool vhost_scsi_inflight_any(const struct vhost_scsi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->nr_vqs; i++)
		if (vhost_scsi_inflight_has(&vs->svq[i]))
			return true;
	return false;
}

/* Begin a new epoch and wait for the end of the one before. */
static void vhost_scsi_inflight_wait_vq(struct vhost_scsi *vs,
					struct vhost_scsi_vq *svq)
{
	struct vhost_scsi_inflight *inflight = &svq->inflight;
	u8 old;

	mutex_lock(&svq->vq.mutex);
	old = inflight->epoch;
	inflight->epoch = !old;
	mutex_unlock(&svq->vq.mutex);

	/* TASK_IDLE: a slow backstore must not trip the hung-task detector. */
	while (!wait_event_idle_timeout(vs->drained,
					!READ_ONCE(inflight->count[old]), HZ))
		trace_vhost_scsi_drain(svq, READ_ONCE(inflight->count[old]));

	/* Whoever counted the last one out may still be inside the mutex. */
	mutex_lock(&svq->vq.mutex);
	mutex_unlock(&svq->vq.mutex);
}

/**
 * vhost_scsi_inflight_wait() - wait for every task taken so far
 * @vs: device, dev.mutex held
 *
 * Tasks that are taken meanwhile are not waited for. Waits as long as the
 * backstore takes; a signal does not end it, since what it protects (guest
 * memory, the session) may not be taken away earlier.
 */
void vhost_scsi_inflight_wait(struct vhost_scsi *vs)
{
	unsigned int i;

	lockdep_assert_held(&vs->dev.mutex);
	for (i = 0; i < vs->nr_vqs; i++)
		vhost_scsi_inflight_wait_vq(vs, &vs->svq[i]);
}
