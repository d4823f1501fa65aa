/* SPDX-License-Identifier: GPL-2.0 */
/* One header's view of the ABI: names and numbers, to be compared. */
#ifndef ABI_TABLE_H
#define ABI_TABLE_H

#include <stddef.h>

/**
 * struct abi_entry - one fact
 * @name: of what
 * @value: ioctl number, constant, size or offset
 */
struct abi_entry {
	const char *name;
	unsigned long value;
};

extern const struct abi_entry abi_ours[];
extern const struct abi_entry abi_installed[];

#endif /* ABI_TABLE_H */
