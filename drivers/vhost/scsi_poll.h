/* SPDX-License-Identifier: GPL-2.0 */
/* What a worker does before it leaves a queue that it found empty (scsi_poll.c). */
#ifndef VHOST_SCSI_POLL_H
#define VHOST_SCSI_POLL_H

#include <linux/types.h>

struct vhost_scsi_vq;

/**
 * enum vhost_scsi_poll_result - what came of polling a queue
 * @VHOST_SCSI_POLL_FOUND: there is something to do
 * @VHOST_SCSI_POLL_IDLE: there is nothing; the worker may leave
 * @VHOST_SCSI_POLL_YIELD: the worker has other work, and comes back
 */
enum vhost_scsi_poll_result {
	VHOST_SCSI_POLL_FOUND,
	VHOST_SCSI_POLL_IDLE,
	VHOST_SCSI_POLL_YIELD,
};

/**
 * struct vhost_scsi_poll - polling a queue instead of sleeping
 * @limit: how long at a time at most, in ns; 0 for not at all
 * @window: how long the next time, in ns
 * @idle_since: when the worker found nothing to do; 0 while there is something
 * @interrupted: it went to do other work in the middle of a window
 * @no_yield: until then the worker does not yield its processor, in ns; 0 for no such
 *	time
 *
 * All under vq->mutex.
 */
struct vhost_scsi_poll {
	u64 limit;
	u64 window;
	u64 idle_since;
	bool interrupted;
	u64 no_yield;
};

void vhost_scsi_poll_served(struct vhost_scsi_vq *svq, unsigned int us);
void vhost_scsi_poll_woken(struct vhost_scsi_vq *svq);
enum vhost_scsi_poll_result vhost_scsi_poll_wait(struct vhost_scsi_vq *svq);
bool vhost_scsi_poll_may_yield(struct vhost_scsi_vq *svq);
u64 vhost_scsi_poll_yield(void);
void vhost_scsi_poll_yielded(struct vhost_scsi_vq *svq, u64 took);

#endif
