/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ioctl interface of the vhost devices.
 *
 * A vhost device moves the data of virtio queues inside the kernel; a VMM sets
 * it up with the ioctls below. Numbers and structures are those of every Linux
 * kernel: additions go behind them, never into numbers that are taken.
 *
 * Any copy from or to user space that faults is EFAULT. A process whose memory
 * is not the owner's gets EPERM from everything between VHOST_SET_OWNER and
 * the vring ioctls.
 */
#ifndef _LINUX_VHOST_H
#define _LINUX_VHOST_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vhost_types.h>

/* The magic number of all vhost ioctls. */
#define VHOST_VIRTIO			0xAF

/* In place of an eventfd: none. */
#define VHOST_FILE_UNBIND		-1

/* -- The device ---------------------------------------------------------- */

/**
 * DOC: VHOST_GET_FEATURES, VHOST_SET_FEATURES
 *
 * Mask of virtio and vhost feature bits: what the device offers, what the
 * driver acknowledged. A bit that is not offered is EOPNOTSUPP. vhost-scsi
 * refuses a change while an endpoint is set (EBUSY).
 */
#define VHOST_GET_FEATURES		_IOR(VHOST_VIRTIO, 0x00, __u64)
#define VHOST_SET_FEATURES		_IOW(VHOST_VIRTIO, 0x00, __u64)

/**
 * DOC: VHOST_SET_OWNER, VHOST_RESET_OWNER
 *
 * The caller's memory becomes the memory of the device, and its worker is
 * created. EBUSY if it has an owner; one that is dead has it no more a moment
 * later. vhost-scsi does not know the second.
 */
#define VHOST_SET_OWNER			_IO(VHOST_VIRTIO, 0x01)
#define VHOST_RESET_OWNER		_IO(VHOST_VIRTIO, 0x02)

/**
 * DOC: VHOST_SET_MEM_TABLE
 *
 * Where guest addresses lie in the owner's memory. May change while the device
 * runs; commands in flight end on the pages that they hold.
 */
#define VHOST_SET_MEM_TABLE		_IOW(VHOST_VIRTIO, 0x03, struct vhost_memory)

/**
 * DOC: VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD
 *
 * Bitmap of the guest pages that the device wrote, one bit for 4 KiB, and the
 * eventfd that is signalled when it changes. A bitmap that is refused is used by no
 * queue afterwards. EFAULT: outside of the address space, or none (0) under an endpoint with
 * VHOST_F_LOG_ALL.
 */
#define VHOST_SET_LOG_BASE		_IOW(VHOST_VIRTIO, 0x04, __u64)
#define VHOST_SET_LOG_FD		_IOW(VHOST_VIRTIO, 0x07, int)

/**
 * DOC: VHOST_NEW_WORKER, VHOST_FREE_WORKER
 *
 * Workers beyond the one that VHOST_SET_OWNER makes. A worker that a queue is
 * attached to cannot be freed (EBUSY); those left go with the device.
 */
#define VHOST_NEW_WORKER		_IOR(VHOST_VIRTIO, 0x8, struct vhost_worker_state)
#define VHOST_FREE_WORKER		_IOW(VHOST_VIRTIO, 0x9, struct vhost_worker_state)

/* -- One queue ----------------------------------------------------------- */

/**
 * DOC: VHOST_SET_VRING_NUM, VHOST_SET_VRING_ADDR
 *
 * Size of the ring, a power of two, and the addresses of its three parts in
 * the owner's memory. The size is fixed while the device runs (EBUSY).
 */
#define VHOST_SET_VRING_NUM		_IOW(VHOST_VIRTIO, 0x10, struct vhost_vring_state)
#define VHOST_SET_VRING_ADDR		_IOW(VHOST_VIRTIO, 0x11, struct vhost_vring_addr)

/**
 * DOC: VHOST_SET_VRING_BASE, VHOST_GET_VRING_BASE
 *
 * Index of the next available entry that the device takes. It says nothing
 * about commands in flight: read it after the endpoint has been cleared.
 */
#define VHOST_SET_VRING_BASE		_IOW(VHOST_VIRTIO, 0x12, struct vhost_vring_state)
#define VHOST_GET_VRING_BASE		_IOWR(VHOST_VIRTIO, 0x12, struct vhost_vring_state)

/**
 * DOC: VHOST_SET_VRING_ENDIAN, VHOST_GET_VRING_ENDIAN
 *
 * Byte order of a legacy ring. Only kernels that can run guests of the other
 * byte order know them. The second reads, whatever its encoding says.
 */
#define VHOST_VRING_LITTLE_ENDIAN	0
#define VHOST_VRING_BIG_ENDIAN		1
#define VHOST_SET_VRING_ENDIAN		_IOW(VHOST_VIRTIO, 0x13, struct vhost_vring_state)
#define VHOST_GET_VRING_ENDIAN		_IOW(VHOST_VIRTIO, 0x14, struct vhost_vring_state)

/**
 * DOC: VHOST_ATTACH_VRING_WORKER, VHOST_GET_VRING_WORKER
 *
 * Which worker serves the queue. May change while the device runs.
 */
#define VHOST_ATTACH_VRING_WORKER	_IOW(VHOST_VIRTIO, 0x15, struct vhost_vring_worker)
#define VHOST_GET_VRING_WORKER		_IOWR(VHOST_VIRTIO, 0x16, struct vhost_vring_worker)

/**
 * DOC: VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR
 *
 * Eventfds: the driver made buffers available, the device used buffers, the
 * device met a ring that it cannot read. VHOST_FILE_UNBIND takes one away.
 */
#define VHOST_SET_VRING_KICK		_IOW(VHOST_VIRTIO, 0x20, struct vhost_vring_file)
#define VHOST_SET_VRING_CALL		_IOW(VHOST_VIRTIO, 0x21, struct vhost_vring_file)
#define VHOST_SET_VRING_ERR		_IOW(VHOST_VIRTIO, 0x22, struct vhost_vring_file)

/**
 * DOC: VHOST_SET_VRING_BUSYLOOP_TIMEOUT, VHOST_GET_VRING_BUSYLOOP_TIMEOUT
 *
 * Microseconds that the worker may spend looking at the queue before it
 * sleeps. The second reads, whatever its encoding says.
 */
#define VHOST_SET_VRING_BUSYLOOP_TIMEOUT \
					_IOW(VHOST_VIRTIO, 0x23, struct vhost_vring_state)
#define VHOST_GET_VRING_BUSYLOOP_TIMEOUT \
					_IOW(VHOST_VIRTIO, 0x24, struct vhost_vring_state)

/**
 * DOC: VHOST_SET_BACKEND_FEATURES, VHOST_GET_BACKEND_FEATURES
 *
 * Features of the kernel side alone, which no guest sees (IOTLB messages).
 */
#define VHOST_SET_BACKEND_FEATURES	_IOW(VHOST_VIRTIO, 0x25, __u64)
#define VHOST_GET_BACKEND_FEATURES	_IOR(VHOST_VIRTIO, 0x26, __u64)

/* -- vhost-net ----------------------------------------------------------- */

/* Socket or tap device of a queue; VHOST_FILE_UNBIND stops the queue. */
#define VHOST_NET_SET_BACKEND		_IOW(VHOST_VIRTIO, 0x30, struct vhost_vring_file)

/* -- vhost-scsi ---------------------------------------------------------- */

/**
 * DOC: VHOST_SCSI_SET_ENDPOINT, VHOST_SCSI_CLEAR_ENDPOINT
 *
 * Attach all TPGs of a WWN that have a nexus and no other device, and start
 * the queues; stop the queues, wait for every command in flight, let the TPGs
 * go. Only the WWN of the structure counts: it may fill its field to the last
 * byte, without terminator. Setting needs the owner; clearing is open to
 * whoever holds the descriptor.
 */
#define VHOST_SCSI_SET_ENDPOINT		_IOW(VHOST_VIRTIO, 0x40, struct vhost_scsi_target)
#define VHOST_SCSI_CLEAR_ENDPOINT	_IOW(VHOST_VIRTIO, 0x41, struct vhost_scsi_target)

/* Stores VHOST_SCSI_ABI_VERSION, whatever its encoding says. */
#define VHOST_SCSI_GET_ABI_VERSION	_IOW(VHOST_VIRTIO, 0x42, int)

/**
 * DOC: VHOST_SCSI_SET_EVENTS_MISSED, VHOST_SCSI_GET_EVENTS_MISSED
 *
 * Whether an event was lost for want of a buffer: state that a migration
 * carries over. The second reads, whatever its encoding says.
 */
#define VHOST_SCSI_SET_EVENTS_MISSED	_IOW(VHOST_VIRTIO, 0x43, __u32)
#define VHOST_SCSI_GET_EVENTS_MISSED	_IOW(VHOST_VIRTIO, 0x44, __u32)

/* -- vhost-vsock --------------------------------------------------------- */

#define VHOST_VSOCK_SET_GUEST_CID	_IOW(VHOST_VIRTIO, 0x60, __u64)
#define VHOST_VSOCK_SET_RUNNING		_IOW(VHOST_VIRTIO, 0x61, int)

/* -- vhost-vdpa ---------------------------------------------------------- */

/* Virtio device id, device status and configuration space. */
#define VHOST_VDPA_GET_DEVICE_ID	_IOR(VHOST_VIRTIO, 0x70, __u32)
#define VHOST_VDPA_GET_STATUS		_IOR(VHOST_VIRTIO, 0x71, __u8)
#define VHOST_VDPA_SET_STATUS		_IOW(VHOST_VIRTIO, 0x72, __u8)
#define VHOST_VDPA_GET_CONFIG		_IOR(VHOST_VIRTIO, 0x73, struct vhost_vdpa_config)
#define VHOST_VDPA_SET_CONFIG		_IOW(VHOST_VIRTIO, 0x74, struct vhost_vdpa_config)

/* Queues: enable one, the largest size, the configuration interrupt. */
#define VHOST_VDPA_SET_VRING_ENABLE	_IOW(VHOST_VIRTIO, 0x75, struct vhost_vring_state)
#define VHOST_VDPA_GET_VRING_NUM	_IOR(VHOST_VIRTIO, 0x76, __u16)
#define VHOST_VDPA_SET_CONFIG_CALL	_IOW(VHOST_VIRTIO, 0x77, int)

/* Addresses, and the groups of queues that share an address space. */
#define VHOST_VDPA_GET_IOVA_RANGE	_IOR(VHOST_VIRTIO, 0x78, struct vhost_vdpa_iova_range)
#define VHOST_VDPA_GET_CONFIG_SIZE	_IOR(VHOST_VIRTIO, 0x79, __u32)
#define VHOST_VDPA_GET_AS_NUM		_IOR(VHOST_VIRTIO, 0x7A, unsigned int)
#define VHOST_VDPA_GET_VRING_GROUP	_IOWR(VHOST_VIRTIO, 0x7B, struct vhost_vring_state)
#define VHOST_VDPA_SET_GROUP_ASID	_IOW(VHOST_VIRTIO, 0x7C, struct vhost_vring_state)

/* Stop with all state kept, and go on. */
#define VHOST_VDPA_SUSPEND		_IO(VHOST_VIRTIO, 0x7D)
#define VHOST_VDPA_RESUME		_IO(VHOST_VIRTIO, 0x7E)

/* The group of a queue's rings, how many queues and groups, one ring's size. */
#define VHOST_VDPA_GET_VRING_DESC_GROUP	_IOWR(VHOST_VIRTIO, 0x7F, struct vhost_vring_state)
#define VHOST_VDPA_GET_VQS_COUNT	_IOR(VHOST_VIRTIO, 0x80, __u32)
#define VHOST_VDPA_GET_GROUP_NUM	_IOR(VHOST_VIRTIO, 0x81, __u32)
#define VHOST_VDPA_GET_VRING_SIZE	_IOWR(VHOST_VIRTIO, 0x82, struct vhost_vring_state)

/* -- The device, continued ----------------------------------------------- */

/* Features beyond 64 bits: vhost-net only. */
#define VHOST_GET_FEATURES_ARRAY	_IOR(VHOST_VIRTIO, 0x83, struct vhost_features_array)
#define VHOST_SET_FEATURES_ARRAY	_IOW(VHOST_VIRTIO, 0x83, struct vhost_features_array)

/**
 * DOC: VHOST_SET_FORK_FROM_OWNER, VHOST_GET_FORK_FROM_OWNER
 *
 * Whether workers are tasks of the owner, the default, or kernel threads.
 * Before VHOST_SET_OWNER only (EBUSY), and only in kernels that are configured
 * for it (ENOTTY).
 */
#define VHOST_FORK_OWNER_KTHREAD	0
#define VHOST_FORK_OWNER_TASK		1
#define VHOST_SET_FORK_FROM_OWNER	_IOW(VHOST_VIRTIO, 0x84, __u8)
#define VHOST_GET_FORK_FROM_OWNER	_IOR(VHOST_VIRTIO, 0x85, __u8)

#endif
