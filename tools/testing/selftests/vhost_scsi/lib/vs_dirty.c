// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vs_dirty.h"

int vs_dirty_get(struct vs_dirty *dirty, struct vs_dev *dev)
{
	size_t bits = (VS_GPA + 2 * dev->mem.size) / VHOST_PAGE_SIZE;

	memset(dirty, 0, sizeof(*dirty));
	dirty->size = (bits / 8 + VS_PAGE) & -VS_PAGE;
	dirty->bitmap = mmap(NULL, dirty->size, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	if (dirty->bitmap == MAP_FAILED) {
		dirty->bitmap = NULL;
		return -errno;
	}
	dirty->copy = malloc(dev->mem.size);
	dirty->dev = dev;
	return dirty->copy ? 0 : -ENOMEM;
}

void vs_dirty_put(struct vs_dirty *dirty)
{
	if (dirty->bitmap)
		munmap(dirty->bitmap, dirty->size);
	free(dirty->copy);
	memset(dirty, 0, sizeof(*dirty));
}

int vs_dirty_acknowledge(struct vs_dirty *dirty, bool on)
{
	struct vs_dev *dev = dirty->dev;

	return vs_dev_set_features(dev, dev->features |
				   (on ? VS_BIT(VHOST_F_LOG_ALL) : 0));
}

static int set_rings(struct vs_dirty *dirty, bool on)
{
	struct vs_dev *dev = dirty->dev;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < dev->n_rings && !ret; i++) {
		dev->ring[i].log = on;
		ret = vs_dev_set_addr(dev, &dev->ring[i]);
	}
	return ret;
}

int vs_dirty_start(struct vs_dirty *dirty)
{
	uint64_t base = (uintptr_t)dirty->bitmap;
	int ret;

	ret = vs_ioctl(dirty->dev->fd, VHOST_SET_LOG_BASE, &base);
	if (!ret)
		ret = vs_dirty_acknowledge(dirty, true);
	return ret ? ret : set_rings(dirty, true);
}

int vs_dirty_stop(struct vs_dirty *dirty)
{
	int ret = vs_dirty_acknowledge(dirty, false);

	return ret ? ret : set_rings(dirty, false);
}

void vs_dirty_mark(struct vs_dirty *dirty)
{
	uint64_t *word = (uint64_t *)dirty->bitmap;
	size_t i;

	for (i = 0; i < dirty->size / sizeof(*word); i++)
		__atomic_exchange_n(&word[i], 0, __ATOMIC_SEQ_CST);
	memcpy(dirty->copy, dirty->dev->mem.base, dirty->dev->mem.size);
}

void vs_dirty_follow(struct vs_dirty *dirty)
{
	const struct vs_mem *mem = &dirty->dev->mem;
	uint64_t *word = (uint64_t *)dirty->bitmap;
	size_t i = VS_GPA / VHOST_PAGE_SIZE / 64;

	for (; i < dirty->size / sizeof(*word); i++) {
		uint64_t bits = __atomic_exchange_n(&word[i], 0, __ATOMIC_SEQ_CST);

		for (; bits; bits &= bits - 1) {
			uint64_t page = i * 64 + __builtin_ctzll(bits);
			size_t at = page * VHOST_PAGE_SIZE - VS_GPA;

			if (at < mem->size)
				memcpy(dirty->copy + at, mem->base + at,
				       VHOST_PAGE_SIZE);
		}
	}
}

bool vs_dirty_has(const struct vs_dirty *dirty, const void *p)
{
	return vs_dirty_has_gpa(dirty, vs_mem_gpa(&dirty->dev->mem, p));
}

bool vs_dirty_has_gpa(const struct vs_dirty *dirty, uint64_t gpa)
{
	uint64_t page = gpa / VHOST_PAGE_SIZE;

	return __atomic_load_n(&dirty->bitmap[page / 8], __ATOMIC_SEQ_CST) &
	       1 << page % 8;
}

void vs_dirty_compare(const struct vs_dirty *dirty, const void *from,
		      const void *end, struct vs_dirty_pages *pages)
{
	uint8_t *base = dirty->dev->mem.base;
	size_t at = ((uint8_t *)from - base) & -VS_PAGE;

	for (; at < (size_t)((uint8_t *)end - base); at += VS_PAGE) {
		bool has = vs_dirty_has(dirty, base + at);

		if (!memcmp(base + at, dirty->copy + at, VS_PAGE)) {
			pages->excess += has;
			continue;
		}
		pages->changed++;
		if (!has && !pages->missed++)
			fprintf(stderr, "# page 0x%zx of guest memory is not in the log\n",
				at / VS_PAGE);
	}
}
