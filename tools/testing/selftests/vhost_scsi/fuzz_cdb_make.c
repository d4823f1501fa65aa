// SPDX-License-Identifier: GPL-2.0
/* CDBs: each operation code that LIO parses and all others, fields at their edges. */
#include <string.h>

#include "fuzz_cdb.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#include "fuzz_cdb_rows.h"

#define ROWS ARRAY_SIZE(fuzz_rows)

_Static_assert(ROWS <= ROWS_MAX, "more rows than are counted");

const size_t fuzz_n_rows = ROWS;

/* Is there a service action in byte 1 that decides what the command is? */
static bool has_action(uint8_t op)
{
	return op == 0x9e || op == 0xa3 || op == 0xa4;
}

const struct row *fuzz_find_row(const struct vs_cdb *cdb)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (fuzz_rows[i].op != cdb->b[0])
			continue;
		if (fuzz_rows[i].op == 0x7f && get_be(cdb->b + 8, 2) != fuzz_rows[i].action)
			continue;
		if (has_action(fuzz_rows[i].op) &&
		    (cdb->b[1] & 0x1f) != fuzz_rows[i].action)
			continue;
		return &fuzz_rows[i];
	}
	return NULL;
}

uint64_t fuzz_edge_lba(struct fuzz *f, uint64_t blocks)
{
	const uint64_t edge[] = {
		0, 1, f->blocks - blocks, f->blocks - 1, f->blocks,
		f->blocks + 1, 0x1fffff, 1ULL << 31, 0xffffffff, 1ULL << 32,
		1ULL << 63, ~0ULL, ~0ULL - blocks + 1,
	};

	if (chance(f, 75) && f->usual > blocks)
		return pick(f, f->usual - blocks + 1);
	return PICK(f, edge);
}

uint64_t fuzz_edge_blocks(struct fuzz *f)
{
	const uint64_t wrap = f->block ? (1ULL << 32) / f->block : 1;
	const uint64_t edge[] = {
		0, 1, 2, 255, 256, 65535, wrap, wrap + 1, wrap - 1,
		(1ULL << 31) / (f->block ? f->block : 1), f->blocks,
		f->blocks + 1, 0x7fffffff, 0xffffffff,
	};

	return chance(f, 80) ? pick(f, 16) + 1 : PICK(f, edge);
}

static uint32_t edge_bytes(struct fuzz *f)
{
	static const uint32_t edge[] = {
		0, 1, 3, 4, 5, 7, 8, 16, 24, 32, 36, 64, 96, 128, 252, 255, 256,
		257, 512, 1024, 4095, 4096, 4097, 8192, 65535, 65536, 1U << 24,
		1U << 31, ~0U,
	};

	return PICK(f, edge);
}

static void set_flags(struct fuzz *f, const struct row *row, struct vs_cdb *cdb)
{
	uint8_t *b = cdb->b;

	switch (row->counts) {
	case READS:
	case WRITES:
	case PAIR:
		if (row->lba_width == 3)
			break;
		if (f->unit.type->has_pi && chance(f, f->pi ? 60 : 10))
			b[1] |= (chance(f, 60) ? 1 : pick(f, 8)) << 5;
		if (chance(f, 10))
			b[1] |= pick(f, 4) << 3;	/* DPO, FUA */
		if (chance(f, 4))
			b[1] |= pick(f, 256);
		break;
	case SAME:
		if (chance(f, 40))
			b[b[0] == 0x7f ? 10 : 1] |= chance(f, 60) ? 8 :
						    pick(f, 256);
		break;
	case NO_DATA:
		if (chance(f, 15))
			b[1] |= pick(f, 256);	/* BYTCHK, IMMED, 3RDPTY */
		if (chance(f, 15))
			b[4] |= pick(f, 256);
		break;
	}
}

static void set_page(struct fuzz *f, struct vs_cdb *cdb)
{
	static const uint8_t vpd[] = {
		0, 0x80, 0x83, 0x86, 0x87, 0x88, 0x89, 0xb0, 0xb1, 0xb2, 0xb3,
		0xb4, 0xb5, 0xb6, 0xb7, 0xb9, 0xff,
	};
	static const uint8_t mode[] = { 0, 1, 2, 8, 0x0a, 0x18, 0x1c, 0x3f };
	static const uint8_t type[] = { 1, 3, 5, 6, 7, 8 };
	uint8_t *b = cdb->b;

	switch (b[0]) {
	case 0x12:
		b[1] = chance(f, 60) ? 1 : 0;
		if (b[1] || chance(f, 10))
			b[2] = chance(f, 80) ? PICK(f, vpd) : pick(f, 256);
		break;
	case 0x1a:
	case 0x5a:
		b[1] = chance(f, 30) ? pick(f, 32) & 0x18 : 0;
		b[2] = chance(f, 80) ? PICK(f, mode) : pick(f, 64);
		b[2] |= chance(f, 20) ? pick(f, 4) << 6 : 0;
		b[3] = chance(f, 85) ? 0 : chance(f, 50) ? 0xff : pick(f, 256);
		break;
	case 0x15:
	case 0x55:
		b[1] = chance(f, 85) ? 0x10 : pick(f, 256);
		break;
	case 0x5e:
		b[1] = chance(f, 90) ? pick(f, 4) : pick(f, 32);
		break;
	case 0x5f:
		b[1] = chance(f, 40) ? 0 : chance(f, 90) ? pick(f, 8) :
		       pick(f, 32);
		b[2] = chance(f, 85) ? PICK(f, type) : pick(f, 256);
		break;
	case 0x84:
		b[1] = chance(f, 70) ? 3 : pick(f, 32);
		break;
	case 0xa3:
		b[1] |= chance(f, 20) ? 0x20 : 0;	/* extended header */
		b[2] = chance(f, 60) ? 0 : pick(f, 8) | (chance(f, 30) << 7);
		b[3] = chance(f, 70) ? PICK(f, fuzz_rows).op : pick(f, 256);
		b[5] = chance(f, 70) ? PICK(f, fuzz_rows).action : pick(f, 256);
		break;
	}
}

static const struct row *pick_row(struct fuzz *f)
{
	unsigned int sum = 0, at, i;

	/* Two kinds of unit must be enough for WRITE ATOMIC. */
	if ((f->kind == VS_UNIT_BLOCK_ATOMIC ||
	     f->kind == VS_UNIT_BLOCK_ATOMIC_PI) && chance(f, 25))
		for (i = 0; i < ROWS; i++)
			if (fuzz_rows[i].op == 0x9c)
				return &fuzz_rows[i];
	for (i = 0; i < ROWS; i++)
		sum += fuzz_rows[i].weight;
	at = pick(f, sum);
	for (i = 0; at >= fuzz_rows[i].weight; i++)
		at -= fuzz_rows[i].weight;
	return &fuzz_rows[i];
}

/* A command that LIO parses. */
static void make_known(struct fuzz *f, struct vs_cdb *cdb)
{
	const struct row *row = pick_row(f);
	uint64_t len = row->lba_width ? fuzz_edge_blocks(f) : edge_bytes(f);
	bool small = row->len_width == 1;

	memset(cdb, 0, sizeof(*cdb));
	cdb->b[0] = row->op;
	if (row->op == 0x7f) {
		cdb->b[7] = 0x18;
		cdb->b[9] = row->action;
	} else {
		cdb->b[1] = row->action;
	}
	if (row->counts == PAIR && chance(f, 85))
		len = 1;
	/* The one length of most lists, and none: a copy of nothing. */
	if (row->op == 0x5f && chance(f, 60))
		len = 24;
	if (row->op == 0x83 && chance(f, 20))
		len = 0;
	/* What does not fit would be cut to 0 most of the time. */
	if (row->len_width && len >> 8 * row->len_width && chance(f, 80))
		len = small ? 255 : 65535;
	put_be(cdb->b + row->len_at, row->len_width, len);
	if (row->lba_width)
		put_be(cdb->b + row->lba_at, row->lba_width,
		       fuzz_edge_lba(f, len));
	set_flags(f, row, cdb);
	set_page(f, cdb);
}

void fuzz_make_cdb(struct fuzz *f, struct vs_cdb *cdb)
{
	static const uint8_t action[] = {
		0x7f, 0x9e, 0x9f, 0xa3, 0xa4, 0x84, 0x83, 0x5e, 0x5f, 0x9d,
		0xa9, 0xab,
	};

	if (chance(f, 88)) {
		make_known(f, cdb);
		if (chance(f, 4))
			cdb->b[pick(f, sizeof(cdb->b))] ^= 1 << pick(f, 8);
		return;
	}
	memset(cdb, 0, sizeof(*cdb));
	if (chance(f, 50))
		scribble(f, cdb->b, sizeof(cdb->b));
	cdb->b[0] = pick(f, 256);
	if (chance(f, 30)) {
		cdb->b[0] = PICK(f, action);
		cdb->b[1] = pick(f, 32);
	}
	if (cdb->b[0] == 0x7f && chance(f, 80)) {
		cdb->b[7] = 0x18;
		put_be(cdb->b + 8, 2, pick(f, 0x20));
	}
}
