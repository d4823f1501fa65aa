/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For arch/um/kernel/stacktrace.c of Linux 6.12, which asks of every word of a stack
 * whether it is an address of text, modules included, each time that KASAN or kmemleak
 * keeps a trace: a quarter of a test's time. Most words are none at first sight.
 */
#include <linux/kernel.h>
#include <linux/pgtable.h>
#include <asm/sections.h>

static inline int lab_text_address(unsigned long addr)
{
	if (addr >= VMALLOC_END || addr < (unsigned long)_text ||
	    (addr >= (unsigned long)_etext && addr < VMALLOC_START))
		return 0;
	return __kernel_text_address(addr);
}

#define __kernel_text_address(addr) lab_text_address(addr)
