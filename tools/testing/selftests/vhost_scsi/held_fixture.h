/* SPDX-License-Identifier: GPL-2.0 */
/* Guest memory of every kind, on a target that wants it pinned while the endpoint is set. */
#ifndef HELD_FIXTURE_H
#define HELD_FIXTURE_H

#include <stdio.h>

#include "vs_test.h"

#define TAG		VS_TAG
#define MEM_SIZE	(8UL << 20)
#define MEM_PAGES	((int64_t)(MEM_SIZE / VS_PAGE))
#define PAGES		64	/* of one command */

FIXTURE(held) {
	struct vs_env env;
	struct vs_dev *dev;
	int64_t pins;
};

typedef FIXTURE_DATA(held) held_data;

FIXTURE_VARIANT(held) {
	enum vs_mem_kind mem;
};

FIXTURE_VARIANT_ADD(held, shared) {
	.mem = VS_MEM_SHARED,
};

FIXTURE_VARIANT_ADD(held, private) {
	.mem = VS_MEM_PRIVATE,
};

FIXTURE_VARIANT_ADD(held, huge) {
	.mem = VS_MEM_HUGE,
};

FIXTURE_SETUP(held)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.mem_size = MEM_SIZE,
		.dev.mem = variant->mem,
		.pin_memory = true,
		.disk = VS_DISK_HOLD,
		.no_endpoint = true,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->pins = vs_pins();
}

ENV_TEARDOWN(held);

/* What the owner's RLIMIT_MEMLOCK is charged with, in KiB. */
static inline long locked_kib(void)
{
	char text[4096], *at;

	vs_read_file("/proc/self/status", text, sizeof(text));
	at = strstr(text, "VmLck:");
	return at ? strtol(at + 6, NULL, 10) : -1;
}

static inline int start(held_data *self)
{
	int ret = vs_dev_set_endpoint(self->dev, VS_WWN);

	return ret ? ret : vs_scsi_settle(self->dev, TAG, 0);
}

/* PAGES pages of the disk, from LBA 0 on. */
static inline struct vs_result rw(struct vs_dev *dev, bool write, uint8_t *buf)
{
	size_t len = PAGES * VS_PAGE;

	if (write)
		return vs_scsi_write(dev, TAG, 0,
				     vs_cdb_rw10(VS_WRITE_10, 0, len / 512),
				     buf, len);
	return vs_scsi_read(dev, TAG, 0,
			    vs_cdb_rw10(VS_READ_10, 0, len / 512), buf, len);
}

/* Leaves a pattern on the disk and something else in the buffer. */
static inline int fill_disk(struct vs_dev *dev, uint8_t *buf)
{
	struct vs_result res;

	vs_fill(buf, PAGES * VS_PAGE, 1);
	res = rw(dev, true, buf);
	memset(buf, 0x5a, PAGES * VS_PAGE);
	return res.err || res.response || res.status ? -EIO : 0;
}

/* The regions of guest memory, without the first @less bytes of the second half. */
static inline void halves(struct vs_dev *dev,
			  struct vhost_memory_region *region, size_t less)
{
	size_t half = dev->mem.size / 2;

	region[0] = (struct vhost_memory_region){
		.guest_phys_addr = VS_GPA,
		.memory_size = half,
		.userspace_addr = (uintptr_t)dev->mem.base,
	};
	region[1] = (struct vhost_memory_region){
		.guest_phys_addr = VS_GPA + half + less,
		.memory_size = half - less,
		.userspace_addr = (uintptr_t)dev->mem.base + half + less,
	};
}

#endif /* HELD_FIXTURE_H */
