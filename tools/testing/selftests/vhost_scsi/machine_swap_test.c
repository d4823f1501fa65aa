// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory that is swapped to the very LUN that it does its I/O to. User-Mode Linux
 * writes to a user's page without marking it dirty, so that what the kernel writes
 * there is lost when it is swapped: run_all leaves this program out there.
 */
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/swap.h>

#include "vs_test.h"

#define TAG	VS_TAG

/* Swap and LUN are one file: its first part is swapped to, by a loop device. */
#define FILE_MIB	32
#define SWAP_PAGES	2048
#define DATA_PAGES	256

FIXTURE(swapped) {
	struct vs_env env;
	struct vs_dev *dev;
	char loop[32];
	int fd;
};

/* A loop device on the LUN's file, with the header of a disk to swap to. */
static int loop_get(char *name, size_t size)
{
	int ctl, file, n, loop, ret = 0;
	uint8_t page[VS_PAGE] = {};
	uint32_t info[2] = { 1, SWAP_PAGES - 1 };

	system("modprobe -qa loop 2>/dev/null");
	memcpy(page + 1024, info, sizeof(info));
	memcpy(page + VS_PAGE - 10, "SWAPSPACE2", 10);
	ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	n = ctl < 0 ? -1 : ioctl(ctl, LOOP_CTL_GET_FREE);
	close(ctl);
	if (n < 0)
		return -ENODEV;
	snprintf(name, size, "/dev/loop%d", n);
	file = open(VS_FILE, O_RDWR | O_CLOEXEC);
	loop = open(name, O_RDWR | O_CLOEXEC);
	if (file < 0 || loop < 0 ||
	    pwrite(file, page, sizeof(page), 0) != sizeof(page) ||
	    ioctl(loop, LOOP_SET_FD, file))
		ret = -errno;
	close(file);
	return ret ? ret : loop;
}

FIXTURE_SETUP(swapped)
{
	struct vs_env_opts opts = {
		.dev.mem = VS_MEM_PRIVATE, .disk = VS_DISK_FILE, .mib = FILE_MIB,
	};

	if (!vs_has_huge_pages())
		SKIP(return, "User-Mode Linux is no machine");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->fd = loop_get(self->loop, sizeof(self->loop));
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, swapon(self->loop, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

FIXTURE_TEARDOWN(swapped)
{
	if (!self->dev)
		return;
	EXPECT_EQ(0, swapoff(self->loop));
	EXPECT_EQ(0, ioctl(self->fd, LOOP_CLR_FD));
	close(self->fd);
	ENV_PUT(&self->env);
}

/* Bytes of this process that are on the disk only; needs no event counters. */
static int64_t swapped_out(void)
{
	char text[8192], *at;

	vs_read_file("/proc/self/status", text, sizeof(text));
	at = strstr(text, "VmSwap:");
	return at ? atoll(at + strlen("VmSwap:")) * 1024 : 0;
}

TEST_F(swapped, memory_swapped_to_its_own_lun_makes_progress)
{
	static const size_t len = DATA_PAGES * VS_PAGE;
	struct vs_dev *dev = self->dev;
	unsigned int round, n = vs_rounds(5, 30);
	uint8_t *out, *in;
	int64_t away = 0;
	size_t mark;

	COVERS("F-RS-07");
	out = vs_mem_page(&dev->mem, DATA_PAGES);
	in = vs_mem_page(&dev->mem, DATA_PAGES);
	mark = dev->mem.used;
	for (round = 0; round < n; round++) {
		/* Behind the part that is swapped to. */
		struct vs_cdb write = vs_cdb_rw10(VS_WRITE_10,
						  SWAP_PAGES * 8 + round * 8,
						  len / 512);
		struct vs_cdb read = write;

		read.b[0] = VS_READ_10;
		dev->mem.used = mark;
		vs_fill(out, len, round);
		memset(in, 0, len);
		/* Rings, requests and data: all of it goes out. */
		ASSERT_EQ(0, madvise(dev->mem.base, dev->mem.size,
				     MADV_PAGEOUT));
		away += swapped_out();
		ASSERT_GOOD(vs_scsi_write(dev, TAG, 0, write, out, len));
		ASSERT_EQ(0, madvise(dev->mem.base, dev->mem.size,
				     MADV_PAGEOUT));
		away += swapped_out();
		ASSERT_GOOD(vs_scsi_read(dev, TAG, 0, read, in, len));
		EXPECT_EQ(-1, vs_differs(in, len, round));
	}
	TH_LOG("%lld pages swapped out", (long long)away / VS_PAGE);
	EXPECT_LT(DATA_PAGES, away / VS_PAGE);
}

TEST_HARNESS_MAIN
