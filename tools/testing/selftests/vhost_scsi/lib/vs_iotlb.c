// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vs_file.h"
#include "vs_iotlb.h"
#include "vs_module.h"
#include "vs_random.h"

/**
 * struct vs_iotlb - the thread that answers
 * @thread: the thread
 * @lock: held while it answers
 * @pause: it is to answer nothing; under @lock
 * @piece: bytes of each translation, but where a region ends; under @lock
 * @wake: eventfd that has it look at the rest
 * @stop: it is to end
 * @storm: it takes translations away, too
 * @seed: which ones
 */
struct vs_iotlb {
	pthread_t thread;
	pthread_mutex_t lock;
	bool pause;
	uint64_t piece;
	int wake;
	bool stop;
	bool storm;
	uint64_t seed;
};

static int send_msg(struct vs_dev *dev, const struct vhost_iotlb_msg *iotlb)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2, .iotlb = *iotlb,
	};

	return write(dev->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

int vs_iotlb_map(struct vs_dev *dev, uint64_t iova, uint64_t size, const void *p,
		 unsigned int perm)
{
	struct vhost_iotlb_msg msg = {
		.iova = iova, .size = size, .uaddr = (uintptr_t)p, .perm = perm,
		.type = VHOST_IOTLB_UPDATE,
	};

	return send_msg(dev, &msg);
}

static int update(struct vs_dev *dev, uint64_t iova, uint64_t piece)
{
	uint64_t first = iova & -piece, end = first + piece;
	unsigned int i;

	for (i = 0; i < dev->n_regions; i++) {
		const struct vhost_memory_region *r = &dev->region[i];

		if (iova < r->guest_phys_addr ||
		    iova - r->guest_phys_addr >= r->memory_size)
			continue;
		/* No more than the region has of it. */
		if (first < r->guest_phys_addr)
			first = r->guest_phys_addr;
		if (end > r->guest_phys_addr + r->memory_size)
			end = r->guest_phys_addr + r->memory_size;
		return vs_iotlb_map(dev, first, end - first,
				    (void *)(uintptr_t)(r->userspace_addr + first -
							r->guest_phys_addr),
				    VHOST_ACCESS_RW);
	}
	return -EFAULT;
}

int vs_iotlb_update(struct vs_dev *dev, uint64_t iova)
{
	return update(dev, iova, VS_IOTLB_PIECE);
}

size_t vs_ring_used_size(const struct vs_ring *ring)
{
	return sizeof(*ring->used) + ring->num * sizeof(*ring->used->ring) +
	       sizeof(uint16_t);
}

int vs_iotlb_preload(struct vs_dev *dev)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < dev->n_rings && !ret; i++) {
		const struct vs_ring *ring = &dev->ring[i];
		uint64_t at = vs_mem_gpa(&dev->mem, ring->used);
		uint64_t end = at + vs_ring_used_size(ring);

		for (; at < end && !ret; at = (at & -VS_IOTLB_PIECE) + VS_IOTLB_PIECE)
			ret = vs_iotlb_update(dev, at);
	}
	return ret;
}

int vs_iotlb_invalidate(struct vs_dev *dev, uint64_t iova, uint64_t size)
{
	struct vhost_iotlb_msg msg = {
		.iova = iova, .size = size, .type = VHOST_IOTLB_INVALIDATE,
	};

	return send_msg(dev, &msg);
}

int vs_iotlb_read(struct vs_dev *dev, uint64_t *iova)
{
	struct vhost_msg_v2 msg;
	ssize_t n = read(dev->fd, &msg, sizeof(msg));

	if (n < 0)
		return -errno;
	if (n != sizeof(msg) || msg.type != VHOST_IOTLB_MSG_V2 ||
	    msg.iotlb.type != VHOST_IOTLB_MISS)
		return -EBADMSG;
	*iova = msg.iotlb.iova;
	return 0;
}

int vs_iotlb_wait_miss(struct vs_dev *dev)
{
	struct pollfd pfd = { .fd = dev->fd, .events = POLLIN };

	return poll(&pfd, 1, vs_patience()) == 1 ? 0 : -ETIMEDOUT;
}

unsigned int vs_iotlb_limit(void)
{
	char text[32] = "";

	vs_read_file("/sys/module/vhost/parameters/max_iotlb_entries", text, sizeof(text));
	return strtoul(text, NULL, 10);
}

int vs_iotlb_reload(unsigned int limit)
{
	char command[64] = "modprobe vhost";
	int ret = vs_module_unload();

	if (ret)
		return ret;
	if (limit)
		snprintf(command, sizeof(command), "modprobe vhost max_iotlb_entries=%u", limit);
	if (system("modprobe -r vhost"))
		ret = -EBUSY;
	else if (system(command))
		ret = -EIO;
	return vs_module_load("") ?: ret;
}

/*
 * As a guest does that unmaps what it has got back, or all at once: that so seldom that
 * what a command of a megabyte needs comes together.
 */
static void take_away(struct vs_dev *dev, uint64_t *seed)
{
	uint64_t at = VS_GPA + vs_pick(seed, dev->mem.size);

	if (vs_chance(seed, 1))
		vs_iotlb_invalidate(dev, 0, VS_IOTLB_ALL);
	else if (vs_chance(seed, 50))
		vs_iotlb_invalidate(dev, at & -VS_IOTLB_PIECE, VS_IOTLB_PIECE);
}

/* Where the guest has no memory, it may neither read nor write. */
static void deny(struct vs_dev *dev, uint64_t iova)
{
	vs_iotlb_map(dev, iova & -VS_PAGE, VS_PAGE, dev->mem.base, 0);
}

static void answer(struct vs_dev *dev)
{
	struct vs_iotlb *iotlb = dev->iotlb;
	uint64_t iova;

	pthread_mutex_lock(&iotlb->lock);
	if (!iotlb->pause && !vs_iotlb_read(dev, &iova)) {
		if (update(dev, iova, iotlb->piece) == -EFAULT)
			deny(dev, iova);
		if (iotlb->storm)
			take_away(dev, &iotlb->seed);
	}
	pthread_mutex_unlock(&iotlb->lock);
}

static bool is_paused(struct vs_iotlb *iotlb)
{
	bool pause;

	pthread_mutex_lock(&iotlb->lock);
	pause = iotlb->pause;
	pthread_mutex_unlock(&iotlb->lock);
	return pause;
}

static void *answer_all(void *arg)
{
	struct vs_dev *dev = arg;
	struct vs_iotlb *iotlb = dev->iotlb;
	struct pollfd pfd[] = {
		{ .fd = iotlb->wake, .events = POLLIN },
		{ .fd = dev->fd, .events = POLLIN },
	};
	uint64_t count;

	while (!__atomic_load_n(&iotlb->stop, __ATOMIC_ACQUIRE)) {
		pfd[1].fd = is_paused(iotlb) ? -1 : dev->fd;
		if (poll(pfd, 2, -1) < 0)
			continue;
		if (pfd[0].revents)
			(void)!read(iotlb->wake, &count, sizeof(count));
		if (pfd[1].fd >= 0 && pfd[1].revents & POLLIN)
			answer(dev);
	}
	return NULL;
}

int vs_iotlb_start(struct vs_dev *dev)
{
	const char *how = getenv("VS_IOTLB");
	struct vs_iotlb *iotlb = calloc(1, sizeof(*iotlb));

	if (!iotlb)
		return -ENOMEM;
	pthread_mutex_init(&iotlb->lock, NULL);
	iotlb->storm = how && !strcmp(how, "storm");
	iotlb->seed = vs_seed(1);
	iotlb->piece = VS_IOTLB_PIECE;
	iotlb->wake = eventfd(0, EFD_CLOEXEC);
	dev->iotlb = iotlb;
	if (iotlb->wake >= 0 &&
	    !pthread_create(&iotlb->thread, NULL, answer_all, dev))
		return 0;
	close(iotlb->wake);
	free(iotlb);
	dev->iotlb = NULL;
	return -EAGAIN;
}

static void wake(struct vs_iotlb *iotlb)
{
	uint64_t one = 1;

	(void)!write(iotlb->wake, &one, sizeof(one));
}

void vs_iotlb_pause(struct vs_dev *dev, bool pause)
{
	uint64_t iova;

	pthread_mutex_lock(&dev->iotlb->lock);
	dev->iotlb->pause = pause;
	while (pause && !vs_iotlb_read(dev, &iova))
		;
	pthread_mutex_unlock(&dev->iotlb->lock);
	wake(dev->iotlb);
}

void vs_iotlb_use_pages(struct vs_dev *dev)
{
	pthread_mutex_lock(&dev->iotlb->lock);
	dev->iotlb->piece = VS_PAGE;
	pthread_mutex_unlock(&dev->iotlb->lock);
}

void vs_iotlb_stop(struct vs_dev *dev)
{
	struct vs_iotlb *iotlb = dev->iotlb;

	if (!iotlb)
		return;
	__atomic_store_n(&iotlb->stop, true, __ATOMIC_RELEASE);
	wake(iotlb);
	pthread_join(iotlb->thread, NULL);
	close(iotlb->wake);
	free(iotlb);
	dev->iotlb = NULL;
}
