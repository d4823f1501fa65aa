/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMM's side of a device IOTLB: a thread that answers what the device misses. The
 * guest's I/O addresses are its physical ones, translated in pieces of VS_IOTLB_PIECE;
 * where it has no memory there is no access.
 *
 * With VS_IOTLB in the environment each device that vs_dev_setup() sets up for a modern
 * guest has one; if that is "storm", the thread takes translations away at random, too.
 */
#ifndef VS_IOTLB_H
#define VS_IOTLB_H

#include "vs_dev.h"

#define VS_IOTLB_PIECE	(64UL << 10)
#define VS_IOTLB_ALL	(~0ULL)		/* size of all addresses but the last */

/**
 * vs_iotlb_start() - begin to answer
 * @dev: a device that has acknowledged VIRTIO_F_ACCESS_PLATFORM
 *
 * Return: 0 or -errno.
 */
int vs_iotlb_start(struct vs_dev *dev);

/**
 * vs_iotlb_stop() - answer no more
 * @dev: from vs_iotlb_start(), or a device without
 */
void vs_iotlb_stop(struct vs_dev *dev);

/**
 * vs_iotlb_pause() - answer nothing, or go on
 * @dev: from vs_iotlb_start(), for which nobody waits
 * @pause: which of the two
 *
 * When it returns nothing is being answered, and nothing that the device missed before
 * will be.
 */
void vs_iotlb_pause(struct vs_dev *dev, bool pause);

/**
 * vs_iotlb_use_pages() - answer with a page at a time from now on
 * @dev: from vs_iotlb_start()
 */
void vs_iotlb_use_pages(struct vs_dev *dev);

/**
 * vs_iotlb_wait_miss() - wait until the device misses something
 * @dev: from vs_iotlb_start(), paused
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_iotlb_wait_miss(struct vs_dev *dev);

/**
 * vs_iotlb_read() - read what the device misses, without waiting
 * @dev: from vs_iotlb_start(), paused
 * @iova: where it begins
 *
 * Return: 0 or -errno; -EAGAIN if it misses nothing.
 */
int vs_iotlb_read(struct vs_dev *dev, uint64_t *iova);

/**
 * vs_iotlb_map() - tell the device of a translation
 * @dev: from vs_iotlb_start()
 * @iova: the first address
 * @size: bytes
 * @p: where they lie in this process
 * @perm: VHOST_ACCESS_RO, _WO or _RW
 *
 * Return: 0 or -errno.
 */
int vs_iotlb_map(struct vs_dev *dev, uint64_t iova, uint64_t size, const void *p,
		 unsigned int perm);

/**
 * vs_iotlb_update() - tell the device of the piece of an address
 * @dev: from vs_iotlb_start()
 * @iova: the address
 *
 * Return: 0, or -errno; -EFAULT if the guest has no memory there.
 */
int vs_iotlb_update(struct vs_dev *dev, uint64_t iova);

/**
 * vs_iotlb_preload() - tell the device where the used rings are
 * @dev: from vs_iotlb_start()
 *
 * As QEMU does before it sets the endpoint, which is refused without.
 *
 * Return: 0 or -errno.
 */
int vs_iotlb_preload(struct vs_dev *dev);

/**
 * vs_iotlb_invalidate() - take translations away
 * @dev: from vs_iotlb_start()
 * @iova: the first address
 * @size: bytes
 *
 * Return: 0 or -errno.
 */
int vs_iotlb_invalidate(struct vs_dev *dev, uint64_t iova, uint64_t size);

/**
 * vs_iotlb_limit() - how many translations can a device have?
 *
 * Return: how many, or 0 if that is unknown.
 */
unsigned int vs_iotlb_limit(void);

/**
 * vs_iotlb_reload() - load the core's module, and ours, anew
 * @limit: how many translations a device can have then; 0 for the usual number
 *
 * Return: 0 or -errno; -EBUSY if others use it.
 */
int vs_iotlb_reload(unsigned int limit);

/**
 * vs_ring_used_size() - bytes of a used ring, with the event behind it
 * @ring: the ring
 *
 * Return: how many.
 */
size_t vs_ring_used_size(const struct vs_ring *ring);

#endif /* VS_IOTLB_H */
