// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of the request queues, for /proc/PID/fdinfo/FD of the device.
 *
 * Enters: a reader of fdinfo. Leaves: a line of text for each request queue.
 * Context: process, no lock; the counters are written under vq->mutex, and read
 * one by one, so that a reader never waits for a queue.
 */
#include <linux/seq_file.h>

#include "vhost_scsi.h"

static void vhost_scsi_stats_show_vq(struct seq_file *m,
				     const struct vhost_scsi_vq *svq)
{
	const struct vhost_scsi_stats *stats = &svq->stats;

	seq_printf(m, "vq%u:\tcommands %llu bytes %llu refused %llu ", svq->index,
		   READ_ONCE(stats->commands), READ_ONCE(stats->bytes),
		   READ_ONCE(stats->refused));
	seq_printf(m, "kicks %llu wakeups %llu batches %llu ",
		   READ_ONCE(stats->kicks), READ_ONCE(stats->wakeups),
		   READ_ONCE(stats->batches));
	seq_printf(m, "polls_won %llu polls_lost %llu ",
		   READ_ONCE(stats->polls_won), READ_ONCE(stats->polls_lost));
	seq_printf(m, "yields_won %llu yields_lost %llu\n",
		   READ_ONCE(stats->yields_won), READ_ONCE(stats->yields_lost));
}

/**
 * vhost_scsi_stats_show() - what the request queues of a device did
 * @m: where to
 * @file: open device
 */
void vhost_scsi_stats_show(struct seq_file *m, struct file *file)
{
	const struct vhost_scsi *vs = file->private_data;
	unsigned int i;

	for (i = VHOST_SCSI_VQ_IO; i < vs->nr_vqs; i++)
		if (READ_ONCE(vs->svq[i].stats.kicks))
			vhost_scsi_stats_show_vq(m, &vs->svq[i]);
}
