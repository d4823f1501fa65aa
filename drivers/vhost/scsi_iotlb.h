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
 * struct vhost_scsi_iotlb - how a queue is translated
 * @first: where its used ring begins, as it was when @piece was found
 * @last: and ends
 * @piece: what was found of it
 * @nr: entries of @piece
 * @ready: its rings are translated, as the device IOTLB is now
 * @waits: for a translation of its rings, or of its next chain
 * @doubt: a chain could not be taken: at the next turn the rings are looked for again
 * @told: the VMM has told what the queue waited for when it last missed something
 * @misses: how often in front of its next chain it missed something, after it was told
 *	each; as many as there can be translations is too often
 * @rest: jiffies until when nothing is asked for then
 * @lent: somebody waits, with dev.mutex, for what it has in flight: its answers are
 *	pushed whatever else is translated
 *
 * Under vq->mutex.
 */
struct vhost_scsi_iotlb {
	u64 first, last;
	struct vhost_scsi_iotlb_piece piece[VHOST_SCSI_IOTLB_PIECES];
	unsigned int nr;
	unsigned int misses;
	unsigned long rest;
	bool doubt;
	bool ready;
	bool told;
	bool waits;
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
void vhost_scsi_iotlb_lock(struct vhost_scsi *vs);
void vhost_scsi_iotlb_unlock(struct vhost_scsi *vs);
void vhost_scsi_iotlb_told(struct vhost_scsi *vs, u64 first, u64 last);
void vhost_scsi_iotlb_retry(struct vhost_scsi *vs, u64 first, u64 last);
void vhost_scsi_iotlb_retry_all(struct vhost_scsi *vs);
void vhost_scsi_iotlb_ask_no_more(struct vhost_scsi_vq *svq);

#endif
