/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For arch/um/os-Linux/mem.c of Linux 6.12. A process of User-Mode Linux begins as a
 * copy of the whole program, and KASAN's shadow is the largest part of it: its page
 * tables are copied for each, and every byte of the shadow that changes afterwards is
 * a page fault. No process looks at it: it stays with the kernel.
 */
#include <sys/mman.h>

static inline void *lab_mmap(void *addr, size_t len, int prot, int flags, int fd,
			     off_t at)
{
	void *p = mmap(addr, len, prot, flags, fd, at);

	if (p != MAP_FAILED && flags & MAP_NORESERVE)
		madvise(p, len, MADV_DONTFORK);
	return p;
}

#define mmap(addr, len, prot, flags, fd, at) lab_mmap(addr, len, prot, flags, fd, at)
