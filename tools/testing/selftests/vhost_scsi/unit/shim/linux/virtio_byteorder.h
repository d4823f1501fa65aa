/* SPDX-License-Identifier: GPL-2.0 */
/* Ring byte order to CPU byte order, with the kernel's names. */
#ifndef SHIM_LINUX_VIRTIO_BYTEORDER_H
#define SHIM_LINUX_VIRTIO_BYTEORDER_H

#include <endian.h>
#include <linux/virtio_types.h>

static inline __u32 __virtio32_to_cpu(bool le, __virtio32 v)
{
	return le ? le32toh(v) : be32toh(v);
}

static inline __u64 __virtio64_to_cpu(bool le, __virtio64 v)
{
	return le ? le64toh(v) : be64toh(v);
}

static inline __virtio16 __cpu_to_virtio16(bool le, __u16 v)
{
	return le ? htole16(v) : htobe16(v);
}

static inline __virtio32 __cpu_to_virtio32(bool le, __u32 v)
{
	return le ? htole32(v) : htobe32(v);
}

#endif
