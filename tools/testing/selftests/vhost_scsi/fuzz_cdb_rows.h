/* SPDX-License-Identifier: GPL-2.0 */
/* The commands that LIO parses, by operation code and service action. */
#ifndef FUZZ_CDB_ROWS_H
#define FUZZ_CDB_ROWS_H

#include "fuzz_cdb.h"

const struct row fuzz_rows[] = {
	{ 0x00, 0, NO_DATA, 0, 0, 0, 0, 3 },	/* TEST UNIT READY */
	{ 0x01, 0, NO_DATA, 0, 0, 0, 0, 1 },	/* REZERO UNIT */
	{ 0x03, 0, ALLOC, 4, 1, 0, 0, 2 },	/* REQUEST SENSE */
	{ 0x08, 0, READS, 4, 1, 1, 3, 4 },	/* READ(6) */
	{ 0x0a, 0, WRITES, 4, 1, 1, 3, 4 },	/* WRITE(6) */
	{ 0x0b, 0, NO_DATA, 0, 0, 0, 0, 1 },	/* SEEK(6) */
	{ 0x12, 0, ALLOC, 3, 2, 0, 0, 5 },	/* INQUIRY */
	{ 0x15, 0, LIST, 4, 1, 0, 0, 2 },	/* MODE SELECT(6) */
	{ 0x16, 0, NO_DATA, 0, 0, 0, 0, 1 },	/* RESERVE(6) */
	{ 0x17, 0, NO_DATA, 0, 0, 0, 0, 2 },	/* RELEASE(6) */
	{ 0x1a, 0, ALLOC, 4, 1, 0, 0, 3 },	/* MODE SENSE(6) */
	{ 0x1b, 0, NO_DATA, 0, 0, 0, 0, 1 },	/* START STOP UNIT */
	{ 0x25, 0, ALLOC, 0, 0, 0, 0, 2 },	/* READ CAPACITY(10) */
	{ 0x28, 0, READS, 7, 2, 2, 4, 8 },	/* READ(10) */
	{ 0x2a, 0, WRITES, 7, 2, 2, 4, 8 },	/* WRITE(10) */
	{ 0x2b, 0, NO_DATA, 0, 0, 0, 0, 1 },	/* SEEK(10) */
	{ 0x2e, 0, WRITES, 7, 2, 2, 4, 3 },	/* WRITE AND VERIFY(10) */
	{ 0x2f, 0, NO_DATA, 7, 2, 2, 4, 2 },	/* VERIFY(10) */
	{ 0x35, 0, NO_DATA, 7, 2, 2, 4, 1 },	/* SYNCHRONIZE CACHE(10) */
	{ 0x41, 0, SAME, 7, 2, 2, 4, 4 },	/* WRITE SAME(10) */
	{ 0x42, 0, LIST, 7, 2, 0, 0, 4 },	/* UNMAP */
	{ 0x55, 0, LIST, 7, 2, 0, 0, 2 },	/* MODE SELECT(10) */
	{ 0x56, 0, NO_DATA, 7, 2, 0, 0, 1 },	/* RESERVE(10) */
	{ 0x57, 0, NO_DATA, 7, 2, 0, 0, 2 },	/* RELEASE(10) */
	{ 0x5a, 0, ALLOC, 7, 2, 0, 0, 3 },	/* MODE SENSE(10) */
	{ 0x5e, 0, ALLOC, 7, 2, 0, 0, 3 },	/* PERSISTENT RESERVE IN */
	{ 0x5f, 0, LIST, 5, 4, 0, 0, 4 },	/* PERSISTENT RESERVE OUT */
	{ 0x7f, 0x0d, SAME, 28, 4, 12, 8, 4 },	/* WRITE SAME(32) */
	{ 0x83, 0, LIST, 10, 4, 0, 0, 2 },	/* EXTENDED COPY */
	{ 0x84, 0, ALLOC, 10, 4, 0, 0, 2 },	/* RECEIVE COPY RESULTS */
	{ 0x88, 0, READS, 10, 4, 2, 8, 8 },	/* READ(16) */
	{ 0x89, 0, PAIR, 13, 1, 2, 8, 5 },	/* COMPARE AND WRITE */
	{ 0x8a, 0, WRITES, 10, 4, 2, 8, 8 },	/* WRITE(16) */
	{ 0x8e, 0, WRITES, 10, 4, 2, 8, 3 },	/* WRITE AND VERIFY(16) */
	{ 0x8f, 0, NO_DATA, 10, 4, 2, 8, 2 },	/* VERIFY(16) */
	{ 0x91, 0, NO_DATA, 10, 4, 2, 8, 1 },	/* SYNCHRONIZE CACHE(16) */
	{ 0x93, 0, SAME, 10, 4, 2, 8, 4 },	/* WRITE SAME(16) */
	{ 0x9c, 0, WRITES, 12, 2, 2, 8, 3 },	/* WRITE ATOMIC(16) */
	{ 0x9e, 0x10, ALLOC, 10, 4, 0, 0, 3 },	/* READ CAPACITY(16) */
	{ 0x9e, 0x13, ALLOC, 10, 4, 0, 0, 2 },	/* REPORT REFERRALS */
	{ 0xa0, 0, ALLOC, 6, 4, 0, 0, 3 },	/* REPORT LUNS */
	{ 0xa3, 0x0a, ALLOC, 6, 4, 0, 0, 2 },	/* REPORT TARGET PORT GROUPS */
	{ 0xa3, 0x0c, ALLOC, 6, 4, 0, 0, 2 },	/* REPORT SUPPORTED OPCODES */
	{ 0xa4, 0x0a, LIST, 6, 4, 0, 0, 3 },	/* SET TARGET PORT GROUPS */
	{ 0xa8, 0, READS, 6, 4, 2, 4, 4 },	/* READ(12) */
	{ 0xaa, 0, WRITES, 6, 4, 2, 4, 4 },	/* WRITE(12) */
};

#endif /* FUZZ_CDB_ROWS_H */
