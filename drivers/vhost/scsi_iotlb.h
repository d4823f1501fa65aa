/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest behind a virtual IOMMU (scsi_iommu.c, scsi_drain.c, scsi_iotlb.c); vhost_scsi.h
 * has what asks for it at each turn.
 */
#ifndef VHOST_SCSI_IOTLB_H
#define VHOST_SCSI_IOTLB_H

#include <linux/poll.h>
#include <linux/types.h>

/* Pieces that a used ring may lie in: 8192 entries, each of whose pages is elsewhere */
#define VHOST_SCSI_IOTLB_PIECES	18

struct file;
struct iov_iter;
struct kiocb;
struct vhost_dev;
struct vhost_iotlb_msg;
struct vhost_scsi;
struct vhost_scsi_vq;

/**
 * struct vhost_scsi_iotlb_piece - a piece of a used ring, and where it lies
 * @start: first of the guest's I/O addresses
 * @last: last of them
 * @addr: where @start lies in the owner's memory
 */
struct vhost_scsi_iotlb_piece {
	u64 start, last, addr;
};

/**
 * struct vhost_scsi_iotlb_need - what a queue misses
 * @told: translations that it was told one after another, but for as many as were taken
 *	away meanwhile, and needs still more
 * @rest: jiffies until when nothing is asked for
 * @rests: that were as many as there can be
 */
struct vhost_scsi_iotlb_need {
	unsigned int told;
	unsigned long rest;
	bool rests;
};

/**
 * struct vhost_scsi_iotlb - how a queue is translated
 * @first: where its used ring begins, as it was when @piece was found
 * @last: and ends
 * @piece: what was found of it
 * @nr: entries of @piece
 * @rings: what it misses of its rings, all of it once @ready
 * @chain: what it misses of its next chain
 * @for_rings: the VMM was asked for those last, not for the chain
 * @ready: its rings are translated, as the device IOTLB is now
 * @waits: for a translation of its rings, or of its next chain
 * @doubt: a chain could not be taken: at the next turn the rings are looked for again
 * @turned: its worker was turned away, because something is lent
 * @lent: somebody waits, with dev.mutex, for what it has in flight: its answers are
 *	pushed whatever else is translated
 *
 * Under vq->mutex. Without it an endpoint's scan asks whether the queue has to look again:
 * if it is told wrong, it asks once more soon.
 */
struct vhost_scsi_iotlb {
	u64 first, last;
	struct vhost_scsi_iotlb_piece piece[VHOST_SCSI_IOTLB_PIECES];
	unsigned int nr;
	struct vhost_scsi_iotlb_need rings;
	struct vhost_scsi_iotlb_need chain;
	bool for_rings;
	bool doubt;
	bool ready;
	bool waits;
	bool turned;
	bool lent;
};

/* scsi_iommu.c */
int vhost_scsi_iommu_set(struct vhost_scsi *vs, bool on);
int vhost_scsi_iommu_msg(struct vhost_dev *dev, u32 asid,
			 struct vhost_iotlb_msg *msg);
ssize_t vhost_scsi_iommu_read(struct kiocb *iocb, struct iov_iter *to);
ssize_t vhost_scsi_iommu_write(struct kiocb *iocb, struct iov_iter *from);
__poll_t vhost_scsi_iommu_poll(struct file *file, poll_table *wait);

/* scsi_drain.c */
void vhost_scsi_drain_wait(struct vhost_scsi *vs);
void vhost_scsi_drain_drop(struct vhost_scsi *vs);

/* scsi_iotlb.c */
void vhost_scsi_iotlb_reset(struct vhost_scsi_vq *svq);
void vhost_scsi_iotlb_moved(struct vhost_scsi_vq *svq);
bool vhost_scsi_iotlb_may_push(struct vhost_scsi_vq *svq);
bool vhost_scsi_iotlb_may_take(struct vhost_scsi_vq *svq);
void vhost_scsi_iotlb_missed(struct vhost_scsi_vq *svq);
void vhost_scsi_iotlb_found(struct vhost_scsi_vq *svq);
void vhost_scsi_iotlb_lock(struct vhost_scsi *vs);
void vhost_scsi_iotlb_unlock(struct vhost_scsi *vs);
void vhost_scsi_iotlb_told(struct vhost_scsi *vs, u64 first, u64 last);
void vhost_scsi_iotlb_lost(struct vhost_scsi *vs, unsigned int nr);
void vhost_scsi_iotlb_retry(struct vhost_scsi *vs, u64 first, u64 last);
void vhost_scsi_iotlb_ask_no_more(struct vhost_scsi_vq *svq);

#endif
