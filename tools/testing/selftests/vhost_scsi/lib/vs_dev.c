// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vs_dev.h"
#include "vs_file.h"
#include "vs_iotlb.h"

int vs_ioctl(int fd, unsigned long cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

int vs_dev_open(struct vs_dev *dev, const struct vs_dev_opts *opts)
{
	static const struct vs_dev_opts defaults;
	unsigned int i, n_io, size;
	int ret;

	if (!opts)
		opts = &defaults;
	n_io = opts->n_io ? opts->n_io : 1;
	size = opts->ring_size ? opts->ring_size : 128;
	memset(dev, 0, sizeof(*dev));
	dev->own_workers = opts->own_workers;
	if (!opts->legacy)
		dev->features = opts->features ? opts->features : VS_F_MODERN;
	dev->iommu = !opts->legacy && (opts->iommu || getenv("VS_IOTLB"));
	if (dev->iommu)
		dev->features |= VS_BIT(VIRTIO_F_ACCESS_PLATFORM);
	dev->fd = open("/dev/vhost-scsi", O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return -errno;
	ret = vs_mem_get(&dev->mem,
			 opts->mem_size ? opts->mem_size : 32UL << 20,
			 opts->mem);
	for (i = 0; !ret && i < VS_IO + n_io; i++) {
		ret = vs_ring_get(&dev->ring[i], &dev->mem, i, size);
		dev->ring[i].event_idx = dev->features & VS_F_EVENT_IDX;
		dev->n_rings = i + 1;
	}
	if (ret)
		vs_dev_close(dev);
	return ret;
}

void vs_dev_close(struct vs_dev *dev)
{
	unsigned int i;

	vs_iotlb_stop(dev);
	if (dev->fd > 0)
		close(dev->fd);
	dev->fd = -1;
	for (i = 0; i < dev->n_rings; i++)
		vs_ring_put(&dev->ring[i]);
	dev->n_rings = 0;
	vs_mem_put(&dev->mem);
}

/* What was translated, or denied, may be otherwise in another table. */
static int keep_regions(struct vs_dev *dev, const struct vhost_memory_region *region,
			unsigned int n)
{
	if (n > VS_MAX_REGIONS || (n == dev->n_regions &&
				   !memcmp(dev->region, region, n * sizeof(*region))))
		return 0;
	memcpy(dev->region, region, n * sizeof(*region));
	dev->n_regions = n;
	return dev->iotlb ? vs_iotlb_invalidate(dev, 0, VS_IOTLB_ALL) : 0;
}

int vs_dev_set_regions(struct vs_dev *dev,
		       const struct vhost_memory_region *region,
		       unsigned int n)
{
	struct vhost_memory *table;
	int ret;

	table = calloc(1, sizeof(*table) + n * sizeof(*region));
	if (!table)
		return -ENOMEM;
	table->nregions = n;
	memcpy(table->regions, region, n * sizeof(*region));
	ret = vs_ioctl(dev->fd, VHOST_SET_MEM_TABLE, table);
	free(table);
	return ret ? ret : keep_regions(dev, region, n);
}

bool vs_dev_has_kthreads(void)
{
	int fd = open("/dev/vhost-scsi", O_RDWR | O_CLOEXEC);
	uint8_t fork;
	int ret = vs_ioctl(fd, VHOST_GET_FORK_FROM_OWNER, &fork);

	close(fd);
	return ret != -ENOTTY && ret != -EPERM;
}

int vs_dev_use_kthreads(struct vs_dev *dev)
{
	uint8_t fork = VHOST_FORK_OWNER_KTHREAD;

	return vs_ioctl(dev->fd, VHOST_SET_FORK_FROM_OWNER, &fork);
}

int vs_dev_set_mem(struct vs_dev *dev)
{
	struct vhost_memory_region region = {
		.guest_phys_addr = VS_GPA,
		.memory_size = dev->mem.size,
		.userspace_addr = (uintptr_t)dev->mem.base,
	};

	return vs_dev_set_regions(dev, &region, 1);
}

/* As the device is told: an address of ours, or the guest's. */
static uint64_t ring_addr(struct vs_dev *dev, const void *p)
{
	return dev->iommu ? vs_mem_gpa(&dev->mem, p) : (uintptr_t)p;
}

int vs_dev_set_addr(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vhost_vring_addr addr = {
		.index = ring->index,
		.flags = ring->log ? 1 << VHOST_VRING_F_LOG : 0,
		.log_guest_addr = vs_mem_gpa(ring->mem, ring->used),
		.desc_user_addr = ring_addr(dev, ring->desc),
		.avail_user_addr = ring_addr(dev, ring->avail),
		.used_user_addr = ring_addr(dev, ring->used),
	};

	return vs_ioctl(dev->fd, VHOST_SET_VRING_ADDR, &addr);
}

int vs_dev_set_eventfd(struct vs_dev *dev, unsigned long cmd,
		       unsigned int index, int fd)
{
	struct vhost_vring_file file = { .index = index, .fd = fd };

	return vs_ioctl(dev->fd, cmd, &file);
}

int vs_dev_set_ring(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vhost_vring_state state = { .index = ring->index };
	int ret;

	ring->iommu_fd = dev->iotlb ? dev->fd : -1;
	state.num = ring->num;
	ret = vs_ioctl(dev->fd, VHOST_SET_VRING_NUM, &state);
	if (ret)
		return ret;
	state.num = ring->next_avail;
	ret = vs_ioctl(dev->fd, VHOST_SET_VRING_BASE, &state);
	if (ret)
		return ret;
	ret = vs_dev_set_addr(dev, ring);
	if (ret)
		return ret;
	ret = vs_dev_set_eventfd(dev, VHOST_SET_VRING_CALL, ring->index,
				 ring->call);
	if (ret)
		return ret;
	ret = vs_dev_set_eventfd(dev, VHOST_SET_VRING_ERR, ring->index,
				 ring->err);
	if (ret)
		return ret;
	return vs_dev_set_eventfd(dev, VHOST_SET_VRING_KICK, ring->index,
				  ring->kick);
}

int vs_dev_set_features(struct vs_dev *dev, uint64_t features)
{
	/* A guest behind an IOMMU stays there. */
	if (dev->iotlb)
		features |= VS_BIT(VIRTIO_F_ACCESS_PLATFORM);
	return vs_ioctl(dev->fd, VHOST_SET_FEATURES, &features);
}

int vs_dev_new_worker(struct vs_dev *dev)
{
	struct vhost_worker_state state = {};
	int ret = vs_ioctl(dev->fd, VHOST_NEW_WORKER, &state);

	return ret < 0 ? ret : (int)state.worker_id;
}

int vs_dev_attach_worker(struct vs_dev *dev, unsigned int index, int worker)
{
	struct vhost_vring_worker ring = {
		.index = index,
		.worker_id = worker,
	};

	return vs_ioctl(dev->fd, VHOST_ATTACH_VRING_WORKER, &ring);
}

int vs_dev_get_worker(struct vs_dev *dev, unsigned int index)
{
	struct vhost_vring_worker ring = { .index = index };
	int ret = vs_ioctl(dev->fd, VHOST_GET_VRING_WORKER, &ring);

	return ret < 0 ? ret : (int)ring.worker_id;
}

int vs_dev_free_worker(struct vs_dev *dev, int worker)
{
	struct vhost_worker_state state = { .worker_id = worker };

	return vs_ioctl(dev->fd, VHOST_FREE_WORKER, &state);
}

static int own_workers(struct vs_dev *dev)
{
	unsigned int i;
	int ret = 0;

	for (i = VS_IO; !ret && i < dev->n_rings; i++) {
		ret = vs_dev_new_worker(dev);
		if (ret >= 0)
			ret = vs_dev_attach_worker(dev, i, ret);
	}
	return ret;
}

static int set_up_iommu(struct vs_dev *dev)
{
	uint64_t features = VS_BIT(VHOST_BACKEND_F_IOTLB_MSG_V2);
	int ret;

	ret = vs_ioctl(dev->fd, VHOST_SET_BACKEND_FEATURES, &features);
	return ret ? ret : vs_iotlb_start(dev);
}

int vs_dev_setup(struct vs_dev *dev)
{
	unsigned int i;
	int ret;

	ret = vs_ioctl(dev->fd, VHOST_SET_OWNER, NULL);
	if (!ret && dev->own_workers)
		ret = own_workers(dev);
	if (!ret)
		ret = vs_dev_set_features(dev, dev->features);
	if (!ret)
		ret = vs_dev_set_mem(dev);
	if (!ret && dev->iommu)
		ret = set_up_iommu(dev);
	for (i = 0; !ret && i < dev->n_rings; i++)
		ret = vs_dev_set_ring(dev, &dev->ring[i]);
	return ret;
}

static int endpoint(struct vs_dev *dev, unsigned long cmd, const char *wwn)
{
	struct vhost_scsi_target target = {
		.abi_version = VHOST_SCSI_ABI_VERSION,
	};
	size_t len = strlen(wwn);

	memcpy(target.vhost_wwpn, wwn, len < sizeof(target.vhost_wwpn) ?
	       len : sizeof(target.vhost_wwpn));
	if (cmd == VHOST_SCSI_SET_ENDPOINT && dev->iotlb)
		vs_iotlb_preload(dev);
	return vs_ioctl(dev->fd, cmd, &target);
}

int vs_dev_set_endpoint(struct vs_dev *dev, const char *wwn)
{
	return endpoint(dev, VHOST_SCSI_SET_ENDPOINT, wwn);
}

int vs_dev_clear_endpoint(struct vs_dev *dev, const char *wwn)
{
	return endpoint(dev, VHOST_SCSI_CLEAR_ENDPOINT, wwn);
}

int vs_dev_get_base(struct vs_dev *dev, unsigned int index)
{
	struct vhost_vring_state state = { .index = index };
	int ret = vs_ioctl(dev->fd, VHOST_GET_VRING_BASE, &state);

	return ret < 0 ? ret : (int)state.num;
}

long vs_dev_counter(struct vs_dev *dev, unsigned int index, const char *name)
{
	char path[64], text[4096], words[64], *at, *end;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dev->fd);
	if (vs_read_file(path, text, sizeof(text)) < 0)
		return -1;
	snprintf(words, sizeof(words), "\nvq%u:", index);
	at = strstr(text, words);
	if (!at)
		return -1;
	end = at + 1 + strcspn(at + 1, "\n");
	*end = '\0';
	snprintf(words, sizeof(words), "%s ", name);
	at = strstr(at, words);
	return at ? strtol(at + strlen(words), NULL, 10) : -1;
}
