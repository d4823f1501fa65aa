/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vhost-scsi device as a VMM drives it: open, owner, features, memory table,
 * rings, endpoint. Every step can be made alone, in any order.
 */
#ifndef VS_DEV_H
#define VS_DEV_H

#include <linux/vhost.h>
#include <linux/virtio_scsi.h>

#include "vs_mem.h"
#include "vs_ring.h"

#define VS_CTL		0	/* control queue */
#define VS_EVT		1	/* event queue */
#define VS_IO		2	/* first request queue */
#define VS_MAX_RINGS	130

#define VS_BIT(n)	(1ULL << (n))

/* What a modern guest asks for, without EVENT_IDX. */
#define VS_F_MODERN	(VS_BIT(VIRTIO_F_VERSION_1) | \
			 VS_BIT(VIRTIO_F_ANY_LAYOUT) | \
			 VS_BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VS_BIT(VIRTIO_SCSI_F_HOTPLUG))
#define VS_F_EVENT_IDX	VS_BIT(VIRTIO_RING_F_EVENT_IDX)

/**
 * struct vs_dev_opts - how a device is made
 * @n_io: request queues, 0 means 1
 * @ring_size: size of every ring, 0 means 128
 * @features: what to acknowledge, 0 means VS_F_MODERN
 * @legacy: acknowledge no feature at all
 * @mem_size: guest memory in bytes, 0 means 32 MiB
 * @mem: what guest memory is made of
 * @own_workers: each request queue has a worker of its own
 * @iommu: the guest is behind an IOMMU (vs_iotlb.h); also with VS_IOTLB in the environment
 */
struct vs_dev_opts {
	unsigned int n_io;
	unsigned int ring_size;
	uint64_t features;
	bool legacy;
	size_t mem_size;
	enum vs_mem_kind mem;
	bool own_workers;
	bool iommu;
};

/* Regions of guest memory that are remembered */
#define VS_MAX_REGIONS	16

struct vs_iotlb;

/**
 * struct vs_dev - an open device
 * @fd: /dev/vhost-scsi
 * @mem: guest memory
 * @features: what vs_dev_setup() acknowledges
 * @own_workers: what vs_dev_setup() gives each request queue
 * @iommu: rings have I/O addresses
 * @iotlb: answers what the device misses, NULL without
 * @region: what the memory table was set to last
 * @n_regions: how many
 * @n_rings: control, event and request queues
 * @ring: the queues
 */
struct vs_dev {
	int fd;
	struct vs_mem mem;
	uint64_t features;
	bool own_workers;
	bool iommu;
	struct vs_iotlb *iotlb;
	struct vhost_memory_region region[VS_MAX_REGIONS];
	unsigned int n_regions;
	unsigned int n_rings;
	struct vs_ring ring[VS_MAX_RINGS];
};

/**
 * vs_ioctl() - ioctl with the error in the return value
 * @fd: descriptor
 * @cmd: number
 * @arg: argument
 *
 * Return: what ioctl() returned, or -errno.
 */
int vs_ioctl(int fd, unsigned long cmd, const void *arg);

/**
 * vs_dev_open() - open the device, map guest memory, lay out the rings
 * @dev: what to fill in
 * @opts: how, NULL for the defaults
 *
 * No ioctl is made.
 *
 * Return: 0 or -errno.
 */
int vs_dev_open(struct vs_dev *dev, const struct vs_dev_opts *opts);

/**
 * vs_dev_close() - close the device and give everything back
 * @dev: from vs_dev_open(), or zeroed
 */
void vs_dev_close(struct vs_dev *dev);

/**
 * vs_dev_new_worker() - VHOST_NEW_WORKER
 * @dev: a device
 *
 * Return: its id or -errno.
 */
int vs_dev_new_worker(struct vs_dev *dev);

/**
 * vs_dev_attach_worker() - VHOST_ATTACH_VRING_WORKER
 * @dev: a device
 * @index: queue
 * @worker: id of a worker
 *
 * Return: 0 or -errno.
 */
int vs_dev_attach_worker(struct vs_dev *dev, unsigned int index, int worker);

/**
 * vs_dev_get_worker() - VHOST_GET_VRING_WORKER
 * @dev: a device
 * @index: queue
 *
 * Return: the id of its worker or -errno.
 */
int vs_dev_get_worker(struct vs_dev *dev, unsigned int index);

/**
 * vs_dev_free_worker() - VHOST_FREE_WORKER
 * @dev: a device
 * @worker: id of a worker
 *
 * Return: 0 or -errno.
 */
int vs_dev_free_worker(struct vs_dev *dev, int worker);

/**
 * vs_dev_has_kthreads() - can workers be kernel threads?
 *
 * Return: false where CONFIG_VHOST_ENABLE_FORK_OWNER_CONTROL is not set, or unknown.
 */
bool vs_dev_has_kthreads(void);

/**
 * vs_dev_use_kthreads() - VHOST_SET_FORK_FROM_OWNER: workers are kernel threads
 * @dev: a device that has no owner yet
 *
 * Return: 0 or -errno.
 */
int vs_dev_use_kthreads(struct vs_dev *dev);

/**
 * vs_dev_set_mem() - VHOST_SET_MEM_TABLE with the one region of guest memory
 * @dev: a device
 *
 * Return: 0 or -errno.
 */
int vs_dev_set_mem(struct vs_dev *dev);

/**
 * vs_dev_set_regions() - VHOST_SET_MEM_TABLE with any regions
 * @dev: a device
 * @region: the regions
 * @n: how many
 *
 * Return: 0 or -errno.
 */
int vs_dev_set_regions(struct vs_dev *dev,
		       const struct vhost_memory_region *region,
		       unsigned int n);

/**
 * vs_dev_set_addr() - VHOST_SET_VRING_ADDR of one ring
 * @dev: a device
 * @ring: one of its rings
 *
 * Return: 0 or -errno.
 */
int vs_dev_set_addr(struct vs_dev *dev, struct vs_ring *ring);

/**
 * vs_dev_set_ring() - size, base, addresses and eventfds of one ring
 * @dev: a device
 * @ring: one of its rings
 *
 * Return: 0 or -errno.
 */
int vs_dev_set_ring(struct vs_dev *dev, struct vs_ring *ring);

/**
 * vs_dev_set_eventfd() - VHOST_SET_VRING_KICK, CALL or ERR
 * @dev: a device
 * @cmd: which
 * @index: queue
 * @fd: eventfd or -1
 *
 * Return: 0 or -errno.
 */
int vs_dev_set_eventfd(struct vs_dev *dev, unsigned long cmd,
		       unsigned int index, int fd);

/**
 * vs_dev_set_features() - VHOST_SET_FEATURES
 * @dev: a device
 * @features: mask; with an IOTLB, VIRTIO_F_ACCESS_PLATFORM is added
 *
 * Return: 0 or -errno.
 */
int vs_dev_set_features(struct vs_dev *dev, uint64_t features);

/**
 * vs_dev_setup() - owner, features, memory table and all rings
 * @dev: from vs_dev_open()
 *
 * Return: 0 or -errno.
 */
int vs_dev_setup(struct vs_dev *dev);

/**
 * vs_dev_set_endpoint() - VHOST_SCSI_SET_ENDPOINT
 * @dev: a device
 * @wwn: name of the target
 *
 * Return: 0 or -errno.
 */
int vs_dev_set_endpoint(struct vs_dev *dev, const char *wwn);

/**
 * vs_dev_clear_endpoint() - VHOST_SCSI_CLEAR_ENDPOINT
 * @dev: a device
 * @wwn: name of the target
 *
 * Return: 0 or -errno.
 */
int vs_dev_clear_endpoint(struct vs_dev *dev, const char *wwn);

/**
 * vs_dev_get_base() - VHOST_GET_VRING_BASE
 * @dev: a device
 * @index: queue
 *
 * Return: the index or -errno.
 */
int vs_dev_get_base(struct vs_dev *dev, unsigned int index);

/**
 * vs_dev_counter() - a counter of a request queue, from fdinfo
 * @dev: a device
 * @index: queue
 * @name: name of the counter
 *
 * Return: its value, or -1 if it is not there, as before the first kick.
 */
long vs_dev_counter(struct vs_dev *dev, unsigned int index, const char *name);

#endif /* VS_DEV_H */
