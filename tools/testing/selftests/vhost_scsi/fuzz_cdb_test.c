// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that sends any command to units of every kind: each operation code that LIO
 * parses and all others, fields at their edges, buffers of any length and direction,
 * several at a time, with task management in between.
 *
 * A batch is a function of its seed and of what came before; a failure prints
 * both, and VS_SEED=SEED VS_ROUNDS=COMMANDS fuzz_cdb_test -v VARIANT begins there.
 * VS_LONG=1 is the long campaign, in which each command must be GOOD often, and must
 * fail often.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "vs_pi.h"
#include "vs_random.h"
#include "vs_test.h"
#include "vs_unit.h"

#define BATCH		16		/* commands at a time */
#define PIECES		6		/* segments of a buffer */
#define GAP		1500		/* between two of them at most */
#define BUF_MAX		(256U << 10)	/* bytes of a buffer */
#define AREA		(BUF_MAX + PIECES * GAP + 3 * VS_PAGE)
#define RSP_ROOM	256		/* a response and its guard */
#define WINDOW		64		/* blocks that a write is looked at in */
#define SHORT		120		/* commands to each unit */
#define LONG		20000
#define KNOWN		(4UL << 20)	/* bytes of a medium that nobody changes */
#define LIMIT		3000		/* seconds */
#define TRACE		"/sys/kernel/tracing/"
#define REJECT		TRACE "events/vhost_scsi/vhost_scsi_cmd_reject/enable"

/* -- what LIO parses -- */

enum counts { NO_DATA, READS, WRITES, SAME, PAIR, ALLOC, LIST };

/* A command: what its length counts, where LENGTH and LOGICAL BLOCK ADDRESS are. */
struct row {
	uint8_t op;
	uint8_t action;		/* of codes that have one: see has_action() */
	uint8_t counts;
	uint8_t len_at;
	uint8_t len_width;
	uint8_t lba_at;
	uint8_t lba_width;
	uint8_t weight;
};

static const struct row rows[] = {
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

#define ROWS	ARRAY_SIZE(rows)

/* Lines of the host's log that differ in more than numbers; others share the last. */
#define MESSAGES	48

struct message {
	char text[160];
	unsigned long count;
};

/* What is counted over all variants, which are processes. */
struct totals {
	unsigned int variants;
	unsigned long sent;
	unsigned long lines;
	unsigned long good[ROWS];
	unsigned long bad[ROWS];
	bool atomic;		/* this kernel knows WRITE ATOMIC */
};

static struct totals *totals;

static void __attribute__((constructor)) share_totals(void)
{
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (totals == MAP_FAILED)
		abort();
}

/* A command under way. */
struct slot {
	struct vs_req req;
	struct vs_cdb cdb;
	const struct row *row;	/* NULL: none of those */
	uint8_t *area;		/* guest memory around its buffer */
	uint8_t *want;		/* what it is to hold */
	size_t extent;		/* bytes of it that are looked at */
	size_t at[PIECES];	/* pieces of the buffer */
	size_t len[PIECES];
	unsigned int pieces;
	bool in;
	uint32_t total;		/* bytes of the buffer */
	uint32_t pi;		/* of them, protection information */
	uint64_t tag;
	bool elsewhere;		/* it is for another unit */
	bool run;
};

struct fuzz {
	struct vs_unit unit;
	struct vs_dev *dev;
	struct vs_ring *ring;
	enum vs_unit_kind kind;
	unsigned int mods;
	uint64_t seed;
	uint64_t first;		/* of the batch */
	bool pi;
	uint32_t block;
	uint32_t blocks;
	uint32_t usual;		/* blocks that most commands are about */
	struct slot slot[BATCH];
	unsigned int n;
	bool may_abort;		/* something of the batch ends commands */
	uint8_t *buf;		/* guest memory: BUF_MAX */
	uint8_t *seen;		/* guest memory: WINDOW blocks and some */
	uint8_t *old;
	uint8_t *flat;		/* a buffer without its gaps */
	uint8_t page[64];	/* a mode page as MODE SELECT takes it */
	uint32_t page_len;
	size_t mark;		/* guest memory that is free between batches */
	int trace;
	unsigned long sent, tmfs, looked, compared, complaints;
	unsigned long good[256], bad[256];
	unsigned long response[16];
	struct message message[MESSAGES];
	unsigned long lines;
};

FIXTURE(fuzz_cdb) {
	struct fuzz f;
};

FIXTURE_VARIANT(fuzz_cdb) {
	enum vs_unit_kind kind;
	unsigned int mods;
	bool pi;
	bool only_long;
};

#define UNIT_FIXTURE fuzz_cdb
#include "vs_unit_emulated.h"
#include "vs_unit_passed.h"

#define MORE(name_, kind_, mods_, pi_)					\
	FIXTURE_VARIANT_ADD(fuzz_cdb, name_) {				\
		.kind = kind_, .mods = mods_, .pi = pi_,		\
	}

/* The guest has protection information, too. */
MORE(ramdisk_pi_guest, VS_UNIT_RAMDISK_PI, 0, true);
MORE(file_pi_guest, VS_UNIT_FILE_PI, 0, true);
MORE(file_port_pi_guest, VS_UNIT_FILE_PORT_PI, 0, true);
MORE(block_pi_guest, VS_UNIT_BLOCK_PI, 0, true);
/* Others write it, and it stays as they did. */
MORE(file_read_only, VS_UNIT_FILE, VS_UNIT_READ_ONLY, false);
MORE(block_read_only, VS_UNIT_BLOCK, VS_UNIT_READ_ONLY, false);
MORE(pscsi_disk_read_only, VS_UNIT_PSCSI_DISK, VS_UNIT_READ_ONLY, false);
MORE(user_read_only, VS_UNIT_USER, VS_UNIT_READ_ONLY, false);
MORE(file_reserved, VS_UNIT_FILE, VS_UNIT_RESERVED, false);
MORE(block_reserved, VS_UNIT_BLOCK, VS_UNIT_RESERVED, false);
MORE(user_reserved, VS_UNIT_USER, VS_UNIT_RESERVED, false);

/* Much like others, and slow to make. */
#define CAMPAIGN(name_, kind_, pi_)					\
	FIXTURE_VARIANT_ADD(fuzz_cdb, name_) {				\
		.kind = kind_, .pi = pi_, .only_long = true,		\
	}
CAMPAIGN(pscsi_disk_guest, VS_UNIT_PSCSI_DISK, true);
CAMPAIGN(pscsi_scsi2, VS_UNIT_PSCSI_SCSI2, false);
CAMPAIGN(block_atomic_pi, VS_UNIT_BLOCK_ATOMIC_PI, false);

#define VARIANTS	28

static uint32_t pick(struct fuzz *f, uint32_t below)
{
	return vs_pick(&f->seed, below);
}

static bool chance(struct fuzz *f, unsigned int percent)
{
	return vs_chance(&f->seed, percent);
}

#define PICK(f, array)	((array)[pick(f, ARRAY_SIZE(array))])

static void scribble(struct fuzz *f, uint8_t *p, size_t len)
{
	while (len--)
		*p++ = pick(f, 256);
}

static void put_be(uint8_t *p, unsigned int bytes, uint64_t v)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t get_be(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

/* -- complaints -- */

static void print_slot(const struct fuzz *f, const struct slot *s)
{
	const struct virtio_scsi_cmd_resp *rsp = s->req.rsp;
	unsigned int i;

	fprintf(stderr, "#   %s%s%s: cdb", f->unit.type->name,
		f->mods & VS_UNIT_READ_ONLY ? " read-only" :
		f->mods & VS_UNIT_RESERVED ? " reserved" : "",
		f->pi ? " with T10_PI" : "");
	for (i = 0; i < sizeof(s->cdb.b); i++)
		fprintf(stderr, " %02x", s->cdb.b[i]);
	fprintf(stderr, "\n#   attr %u, %u bytes %s, pi %u, pieces",
		s->req.hdr->task_attr, s->total,
		s->total ? s->in ? "in" : "out" : "", s->pi);
	for (i = 0; i < s->pieces; i++)
		fprintf(stderr, " %zu+%zu", s->at[i], s->len[i]);
	fprintf(stderr, "\n#   times %u, used %u, response %u status %02x sense %06x resid %u\n",
		s->req.chain.times, s->req.chain.used_len, rsp->response,
		rsp->status, vs_req_sense(&s->req), rsp->resid);
}

/* With the file's name in front, as run_all shows of what failed. */
static void complain(struct fuzz *f, const struct slot *s, const char *fmt, ...)
{
	va_list ap;

	f->complaints++;
	fprintf(stderr, "# fuzz_cdb_test.c: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	if (s)
		print_slot(f, s);
	fprintf(stderr, "# fuzz_cdb_test.c: batch of %u, after %lu commands: ",
		f->n, f->sent);
	fprintf(stderr, "VS_SEED=%#llx VS_ROUNDS=%u\n",
		(unsigned long long)f->first, f->n);
}

/* -- the CDB -- */

/* Is there a service action in byte 1 that decides what the command is? */
static bool has_action(uint8_t op)
{
	return op == 0x9e || op == 0xa3 || op == 0xa4;
}

static const struct row *find_row(const struct vs_cdb *cdb)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (rows[i].op != cdb->b[0])
			continue;
		if (rows[i].op == 0x7f && get_be(cdb->b + 8, 2) != rows[i].action)
			continue;
		if (has_action(rows[i].op) &&
		    (cdb->b[1] & 0x1f) != rows[i].action)
			continue;
		return &rows[i];
	}
	return NULL;
}

static uint64_t lba_of(const struct slot *s)
{
	uint64_t lba = get_be(s->cdb.b + s->row->lba_at, s->row->lba_width);

	return s->row->lba_width == 3 ? lba & 0x1fffff : lba;
}

static uint64_t blocks_of(const struct slot *s)
{
	uint64_t n = get_be(s->cdb.b + s->row->len_at, s->row->len_width);

	return s->row->lba_width == 3 && !n ? 256 : n;
}

/* Blocks that it may change: of a WRITE SAME of none, all to the end (SBC-3, 5.45). */
static uint64_t reach_of(const struct fuzz *f, const struct slot *s)
{
	uint64_t n = blocks_of(s), lba = lba_of(s);

	return s->row->counts == SAME && !n && lba < f->blocks ?
	       f->blocks - lba : n;
}

static uint64_t edge_lba(struct fuzz *f, uint64_t blocks)
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

static uint64_t edge_blocks(struct fuzz *f)
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
		b[3] = chance(f, 70) ? PICK(f, rows).op : pick(f, 256);
		b[5] = chance(f, 70) ? PICK(f, rows).action : pick(f, 256);
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
			if (rows[i].op == 0x9c)
				return &rows[i];
	for (i = 0; i < ROWS; i++)
		sum += rows[i].weight;
	at = pick(f, sum);
	for (i = 0; at >= rows[i].weight; i++)
		at -= rows[i].weight;
	return &rows[i];
}

/* A command that LIO parses. */
static void make_known(struct fuzz *f, struct vs_cdb *cdb)
{
	const struct row *row = pick_row(f);
	uint64_t len = row->lba_width ? edge_blocks(f) : edge_bytes(f);
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
		       edge_lba(f, len));
	set_flags(f, row, cdb);
	set_page(f, cdb);
}

static void make_cdb(struct fuzz *f, struct vs_cdb *cdb)
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

/* -- its data -- */

/* Bytes that the command is about; 0 for none, or nobody knows. */
static uint64_t bytes_of(const struct fuzz *f, const struct slot *s)
{
	if (!s->row)
		return 0;
	switch (s->row->counts) {
	case READS:
	case WRITES:
		return blocks_of(s) * f->block;
	case SAME:
		return f->block;
	case PAIR:
		return blocks_of(s) * f->block * 2;
	case ALLOC:
		return s->row->len_width ? blocks_of(s) : 8;
	case LIST:
		return blocks_of(s);
	}
	return 0;
}

static bool goes_in(const struct slot *s)
{
	return s->row->counts == READS || s->row->counts == ALLOC;
}

/* The length of a buffer, and which way it is for. */
static void choose_buffer(struct fuzz *f, struct slot *s)
{
	uint64_t len = bytes_of(f, s);

	s->in = s->row && s->row->counts != NO_DATA ? goes_in(s) : chance(f, 50);
	if (!s->row || s->row->counts == NO_DATA)
		len = chance(f, 60) ? 0 : pick(f, 9000);
	else if (chance(f, 5))
		s->in = !s->in;
	if (chance(f, 8))
		len = len ? pick(f, len < BUF_MAX ? len : BUF_MAX) : 0;
	else if (chance(f, 10))
		len += pick(f, chance(f, 50) ? 600 : 40000);
	else if (chance(f, 5))
		len = 0;
	s->total = len < BUF_MAX ? len : pick(f, BUF_MAX) + 1;
}

/* How much of it is protection information, in front of the data. */
static void choose_pi(struct fuzz *f, struct slot *s)
{
	struct virtio_scsi_cmd_req_pi *hdr = (void *)s->req.hdr;
	bool protect = s->cdb.b[1] >> 5;
	uint64_t len = 0;

	s->pi = 0;
	if (!f->pi || !s->total)
		return;
	if (s->row && s->row->lba_width && protect && chance(f, 85))
		len = blocks_of(s) * sizeof(struct vs_pi);
	else if (chance(f, 12))
		len = pick(f, 64) * sizeof(struct vs_pi);
	if (chance(f, 2))
		len = s->total + pick(f, 100);
	if (len > 16384)
		len = 0;
	if (s->total + len <= BUF_MAX && chance(f, 95))
		s->total += len;
	if (s->in)
		hdr->pi_bytesin = len;
	else
		hdr->pi_bytesout = len;
	s->pi = len;
	if (chance(f, 1)) {
		hdr->pi_bytesin = pick(f, 4096);
		hdr->pi_bytesout = hdr->pi_bytesin;
	}
	/* Refused, and nothing of the buffer is data. */
	if ((hdr->pi_bytesin && hdr->pi_bytesout) || s->pi >= s->total)
		s->pi = 0;
}

static void cut_buffer(struct fuzz *f, struct slot *s)
{
	unsigned int n = chance(f, 60) ? 1 : 1 + pick(f, PIECES);
	size_t at = chance(f, 40) ? 0 : chance(f, 40) ? pick(f, 8) * 512 :
		    pick(f, VS_PAGE);
	uint32_t left = s->total;

	for (s->pieces = 0; left; s->pieces++) {
		size_t len = s->pieces + 1 == n ? left : pick(f, left) + 1;

		s->at[s->pieces] = at;
		s->len[s->pieces] = len;
		at += len + (chance(f, 60) ? 0 : pick(f, GAP));
		left -= len;
	}
	s->extent = at + VS_PAGE;
}

/* Between a buffer in pieces and one in one piece. */
static void scatter(struct slot *s, const uint8_t *flat)
{
	unsigned int i;

	for (i = 0; i < s->pieces; flat += s->len[i++])
		memcpy(s->area + s->at[i], flat, s->len[i]);
}

static void gather(const struct slot *s, const uint8_t *area, uint8_t *flat)
{
	unsigned int i;

	for (i = 0; i < s->pieces; flat += s->len[i++])
		memcpy(flat, area + s->at[i], s->len[i]);
}

static void fill_unmap(struct fuzz *f, uint8_t *p, uint32_t len)
{
	uint32_t n = len >= 8 ? (len - 8) / 16 : 0, i;

	if (len < 8)
		return;
	memset(p, 0, len);
	put_be(p, 2, len - 2);
	put_be(p + 2, 2, n * 16);
	for (i = 0; i < n; i++) {
		uint64_t blocks = chance(f, 90) ? pick(f, 64) : edge_blocks(f);

		put_be(p + 8 + i * 16, 8, edge_lba(f, blocks));
		put_be(p + 16 + i * 16, 4, blocks);
	}
}

static void fill_pr(struct fuzz *f, uint8_t *p, uint32_t len)
{
	static const uint64_t key[] = { 0, 1, 1, 1, 2, 0xffffffffffffffff };

	if (len < 24)
		return;
	memset(p, 0, len < 4096 ? len : 4096);
	put_be(p, 8, PICK(f, key));
	put_be(p + 8, 8, PICK(f, key));
	if (chance(f, 15))
		p[20] = pick(f, 256);
	if (chance(f, 10))
		scribble(f, p + 20, len < 64 ? len - 20 : 44);
}

static void fill_list(struct fuzz *f, const struct slot *s, uint8_t *p)
{
	uint32_t len = s->total, head;

	switch (s->cdb.b[0]) {
	case 0x15:
	case 0x55:
		head = s->cdb.b[0] == 0x15 ? 4 : 8;
		memset(p, 0, len);
		if (f->page_len && len >= head + f->page_len && chance(f, 80))
			memcpy(p + head, f->page, f->page_len);
		else if (len > head)
			scribble(f, p + head, len - head);
		break;
	case 0x42:
		if (chance(f, 85))
			fill_unmap(f, p, len);
		break;
	case 0x5f:
		if (chance(f, 90))
			fill_pr(f, p, len);
		break;
	}
}

static void fill_protected(const struct fuzz *f, const struct slot *s,
			   uint8_t *p)
{
	uint32_t n = s->pi / sizeof(struct vs_pi);

	if ((uint64_t)n * f->block + s->pi == s->total)
		vs_pi_make((struct vs_pi *)p, p + s->pi, lba_of(s), n, f->block);
}

/* What the guest sends, or what lies where the unit's data is to go. */
static void fill_buffer(struct fuzz *f, struct slot *s)
{
	unsigned int seed = pick(f, 250);
	uint8_t *p = f->flat;

	vs_fill(s->area, s->extent, seed);
	if (s->total && !s->in) {
		vs_fill(p, s->total, seed + 1);
		if (!s->row || s->row->counts == LIST)
			fill_list(f, s, p);
		else if (s->pi && s->row->lba_width && chance(f, 85))
			fill_protected(f, s, p);
		if (s->row && s->row->counts == PAIR && chance(f, 80) &&
		    s->total <= BUF_MAX && f->block * 2 == s->total)
			memcpy(p, f->old, f->block);
		scatter(s, p);
	}
}

/* -- what others do wrong with it, which is no concern of ours -- */

static bool is_pscsi(const struct fuzz *f)
{
	return f->kind >= VS_UNIT_PSCSI_DISK && f->kind <= VS_UNIT_PSCSI_TAPE;
}

static void avoid_pscsi(struct fuzz *f, struct vs_cdb *cdb)
{
	switch (cdb->b[0]) {
	case 0x1b:
		/* A unit that was stopped says so to all that comes after. */
		cdb->b[1] = 1;
		cdb->b[4] = 1;
		break;
	case 0x04:
	case 0x10:
	case 0x11:
	case 0x19:
		/* Newer ones look for the blocks of a tape on any unit: Oops. */
		if (f->kind != VS_UNIT_PSCSI_TAPE)
			cdb->b[0] = VS_TEST_UNIT_READY;
		break;
	case 0x89:
		/* scsi_debug takes two locks in either order there. */
		cdb->b[0] = VS_READ_16;
		break;
	case 0x1a:
	case 0x5a:
		/* pscsi_complete_cmd() calls kmap() in an interrupt. */
		if (f->mods & VS_UNIT_READ_ONLY)
			cdb->b[0] = VS_TEST_UNIT_READY;
		break;
	}
}

static void avoid_cdb(struct fuzz *f, struct vs_cdb *cdb)
{
	if (is_pscsi(f))
		avoid_pscsi(f, cdb);
	/* The other nexus's reservation stays: no CLEAR, no PREEMPT. */
	if (f->mods & VS_UNIT_RESERVED && cdb->b[0] == 0x5f &&
	    (cdb->b[1] & 0x1f) >= 3 && (cdb->b[1] & 0x1f) <= 5)
		cdb->b[1] = 0;
}

/* All of the buffer is data, and goes out. */
static void make_out(struct fuzz *f, struct slot *s)
{
	struct virtio_scsi_cmd_req_pi *hdr = (void *)s->req.hdr;

	s->in = false;
	s->pi = 0;
	if (f->pi) {
		hdr->pi_bytesin = 0;
		hdr->pi_bytesout = 0;
	}
}

static void avoid_data(struct fuzz *f, struct slot *s)
{
	uint8_t *p = f->flat;

	switch (s->cdb.b[0]) {
	case 0x42:
		/*
		 * BUG() of scsi_debug's resp_unmap(), unless the list is as long as
		 * the CDB says, and as long as it says itself.
		 */
		if (!is_pscsi(f))
			return;
		make_out(f, s);
		s->total = s->total < 8 ? 8 : s->total < 65535 ? s->total : 65528;
		put_be(s->cdb.b + 7, 2, s->total);
		cut_buffer(f, s);
		vs_fill(s->area, s->extent, 1);
		fill_unmap(f, p, s->total);
		break;
	case 0x41:
	case 0x93:
		/* scsi_debug keeps a lock where the data goes the other way. */
		if (is_pscsi(f))
			make_out(f, s);
		break;
	case 0x83:
		/* LIO waits for ever for a unit that a list names: it names none. */
		memset(p, 0, s->total);
		break;
	case 0xa4:
		/* Another state than the first, and the unit is not there any more. */
		memset(p, 0, s->total);
		if (s->total >= 8 && !s->in)
			p[7] = pick(f, 2);
		break;
	default:
		return;
	}
	if (!s->in)
		scatter(s, p);
}

/* -- a batch -- */

static void lay_out(struct fuzz *f, struct slot *s)
{
	struct vs_chain *chain = &s->req.chain;
	struct vs_mem *mem = &f->dev->mem;
	uint8_t *rsp = (uint8_t *)s->req.rsp;
	unsigned int i;

	chain->n_out = 0;
	chain->n_in = 0;
	vs_chain_out(chain, mem, s->req.hdr, s->req.hdr_len);
	if (chance(f, 90))
		vs_chain_in(chain, mem, rsp, VS_RSP);
	else
		vs_chain_in_cut(chain, mem, rsp, VS_RSP, pick(f, 60) + 20);
	for (i = 0; i < s->pieces; i++) {
		if (s->in)
			vs_chain_in(chain, mem, s->area + s->at[i], s->len[i]);
		else
			vs_chain_out(chain, mem, s->area + s->at[i], s->len[i]);
	}
	chain->flags = chain->n_in + chain->n_out > 4 || chance(f, 50) ?
		       VS_INDIRECT : 0;
}

static void make_header(struct fuzz *f, struct slot *s)
{
	size_t at = f->pi ? offsetof(struct virtio_scsi_cmd_req_pi, cdb) :
		    offsetof(struct virtio_scsi_cmd_req, cdb);
	struct virtio_scsi_cmd_req *hdr = s->req.hdr;
	uint16_t lun = f->unit.lun;
	uint8_t target = VS_TAG;

	s->elsewhere = chance(f, 2);
	if (s->elsewhere && chance(f, 80))
		lun = lun + 1 + pick(f, 300);
	else if (s->elsewhere)
		target = 7;
	memset(hdr, 0, s->req.hdr_len);
	vs_lun(hdr->lun, target, lun);
	/* Now and then one that another has, too. */
	s->tag = chance(f, 95) ? f->sent + 1 : 1 + pick(f, 8);
	hdr->tag = s->tag;
	hdr->task_attr = chance(f, 70) ? 0 : pick(f, chance(f, 90) ? 3 : 8);
	hdr->prio = pick(f, 256);
	hdr->crn = pick(f, 256);
	memcpy((uint8_t *)hdr + at, s->cdb.b, sizeof(s->cdb.b));
}

static void make_slot(struct fuzz *f, struct slot *s)
{
	size_t at = f->pi ? offsetof(struct virtio_scsi_cmd_req_pi, cdb) :
		    offsetof(struct virtio_scsi_cmd_req, cdb);

	make_cdb(f, &s->cdb);
	avoid_cdb(f, &s->cdb);
	s->row = find_row(&s->cdb);
	make_header(f, s);
	choose_buffer(f, s);
	choose_pi(f, s);
	cut_buffer(f, s);
	fill_buffer(f, s);
	avoid_data(f, s);
	memcpy((uint8_t *)s->req.hdr + at, s->cdb.b, sizeof(s->cdb.b));
	memcpy(s->want, s->area, s->extent);
	memset(s->req.rsp, VS_POISON, RSP_ROOM);
	lay_out(f, s);
	if (s->cdb.b[0] == 0x5f)
		f->may_abort = true;
}

static void send_tmf(struct fuzz *f)
{
	static const uint8_t subtype[] = { 0, 0, 0, 0, 0, 0, 1, 2, 3, 6, 7, 8 };
	const struct slot *s = &f->slot[pick(f, f->n)];
	uint32_t what = PICK(f, subtype);
	int ret;

	if (chance(f, 12))
		what = chance(f, 70) ? VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET :
		       VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET;
	f->tmfs++;
	ret = vs_tmf(f->dev, VS_TAG, f->unit.lun, what,
		     chance(f, 90) ? s->tag : pick(f, 1000), NULL);
	if (ret == VIRTIO_SCSI_S_OK || ret == VIRTIO_SCSI_S_BUSY ||
	    (ret >= VIRTIO_SCSI_S_FUNCTION_SUCCEEDED &&
	     ret <= VIRTIO_SCSI_S_INCORRECT_LUN))
		return;
	complain(f, NULL, "task management %u: %d", what, ret);
}

/* All heads of the batch, once each. */
static bool collect(struct fuzz *f)
{
	struct vring_used_elem elem;
	unsigned int i;

	for (i = 0; i < f->n; i++)
		if (vs_ring_wait(f->ring, &elem, vs_patience()))
			break;
	for (i = 0; i < f->n; i++)
		if (f->slot[i].req.chain.times != 1)
			complain(f, &f->slot[i], "it came back %u times",
				 f->slot[i].req.chain.times);
	if (vs_ring_pending(f->ring))
		complain(f, NULL, "more came back than was sent");
	return !f->complaints;
}

static bool is_good(const struct slot *s)
{
	return s->req.rsp->response == VIRTIO_SCSI_S_OK &&
	       s->req.rsp->status == VS_GOOD;
}

/* Response, status, sense and lengths agree with each other. */
static void check_response(struct fuzz *f, const struct slot *s)
{
	const struct virtio_scsi_cmd_resp *rsp = s->req.rsp;
	uint32_t data = s->total - s->pi, moved;
	uint32_t used = s->req.chain.used_len;

	f->response[rsp->response & 0xf]++;
	if (vs_not_all((const uint8_t *)rsp + VS_RSP, RSP_ROOM - VS_RSP,
		       VS_POISON) != -1)
		complain(f, s, "written behind the response");
	if (rsp->sense_len > sizeof(rsp->sense))
		complain(f, s, "sense_len %u", rsp->sense_len);
	else if (vs_not_all(rsp->sense + rsp->sense_len,
			    sizeof(rsp->sense) - rsp->sense_len, 0) != -1)
		complain(f, s, "sense behind its length");
	if (rsp->status_qualifier)
		complain(f, s, "status qualifier");
	if (rsp->resid > data)
		complain(f, s, "residual %u of %u", rsp->resid, data);
	switch (rsp->response) {
	case VIRTIO_SCSI_S_OK:
		break;
	case VIRTIO_SCSI_S_ABORTED:
	case VIRTIO_SCSI_S_RESET:
		if (!f->may_abort)
			complain(f, s, "nobody aborted it");
		if (rsp->resid != data)
			complain(f, s, "aborted, and something moved");
		break;
	case VIRTIO_SCSI_S_OVERRUN:
	case VIRTIO_SCSI_S_BAD_TARGET:
	case VIRTIO_SCSI_S_BUSY:
	case VIRTIO_SCSI_S_FAILURE:
		break;
	default:
		complain(f, s, "this response code is none");
	}
	if (rsp->response && rsp->status)
		complain(f, s, "a status with a response");
	moved = rsp->response || !s->in ? 0 : data - rsp->resid;
	if (used != VS_RSP + (moved ? s->pi + moved : 0))
		complain(f, s, "used length");
}

/* Nothing but the bytes of the used length was written. */
static void check_memory(struct fuzz *f, const struct slot *s)
{
	uint32_t wrote = s->req.chain.used_len - VS_RSP;
	/* What a command that failed, or was aborted, left in its buffer is no data. */
	bool any = s->in && !is_good(s);
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < s->pieces; i++) {
		uint32_t n = any ? s->len[i] : wrote < s->len[i] ? wrote :
			     s->len[i];

		if (memcmp(s->area + at, s->want + at, s->at[i] - at)) {
			complain(f, s, "written before %zu", s->at[i]);
			return;
		}
		at = s->at[i] + (s->in ? n : 0);
		wrote -= n < wrote ? n : wrote;
	}
	if (memcmp(s->area + at, s->want + at, s->extent - at))
		complain(f, s, "written behind %zu", at);
}

/* What a unit that LIO emulates makes of a length. */
static void check_length(struct fuzz *f, const struct slot *s)
{
	uint32_t data = s->total - s->pi;
	uint64_t len = bytes_of(f, s);

	if (!s->row || !f->unit.type->emulated || s->elsewhere || !is_good(s))
		return;
	switch (s->row->counts) {
	case READS:
		if (len != (s->total ? data - s->req.rsp->resid : 0))
			complain(f, s, "GOOD, and not %llu bytes",
				 (unsigned long long)len);
		if (len && !s->in)
			complain(f, s, "a READ that sends is GOOD");
		break;
	case WRITES:
	case PAIR:
		if (len && (s->in || len != data))
			complain(f, s, "GOOD, and not %llu bytes",
				 (unsigned long long)len);
		break;
	case SAME:
		if (s->in || len > data)
			complain(f, s, "GOOD without a block");
		break;
	}
}

/* What a read brought, of a medium that nobody changes. */
static void check_medium(struct fuzz *f, const struct slot *s)
{
	uint32_t wrote = s->req.chain.used_len - VS_RSP;
	uint64_t lba, i;

	if (!f->mods || !s->row || s->row->counts != READS || !s->in ||
	    !is_good(s) || s->elsewhere || wrote <= s->pi)
		return;
	gather(s, s->area, f->flat);
	lba = lba_of(s);
	wrote -= s->pi;
	for (i = 0; i < blocks_of(s) && lba + i < f->usual &&
	     (i + 1) * f->block <= wrote; i++) {
		if (vs_differs(f->flat + s->pi + i * f->block, f->block,
			       lba + i) != -1) {
			complain(f, s, "it is not what is in block %llu",
				 (unsigned long long)(lba + i));
			return;
		}
	}
	f->compared += i;
}

static void count_slot(struct fuzz *f, const struct slot *s)
{
	unsigned long row = s->row ? s->row - rows : 0;
	bool good = is_good(s);

	if (good)
		f->good[s->cdb.b[0]]++;
	else
		f->bad[s->cdb.b[0]]++;
	if (!s->row || s->elsewhere)
		return;
	if (good)
		totals->good[row]++;
	else
		totals->bad[row]++;
}

static void check_slot(struct fuzz *f, const struct slot *s)
{
	unsigned long before = f->complaints;

	check_response(f, s);
	if (f->complaints == before)
		check_memory(f, s);
	if (f->complaints == before)
		check_length(f, s);
	if (f->complaints == before)
		check_medium(f, s);
	count_slot(f, s);
}

/* -- what a write left on the medium -- */

struct window {
	uint64_t lba;
	uint32_t blocks;
	bool ok;
};

static bool look(struct fuzz *f, const struct window *w, uint8_t *to)
{
	size_t used = f->dev->mem.used;
	struct vs_result res;

	res = vs_scsi_read(f->dev, VS_TAG, f->unit.lun,
			   vs_cdb_rw16(VS_READ_16, w->lba, w->blocks), f->seen,
			   w->blocks * f->block);
	f->dev->mem.used = used;
	if (res.err)
		complain(f, NULL, "no answer to a READ: %d", res.err);
	if (res.err || res.response || res.status)
		return false;
	memcpy(to, f->seen, w->blocks * f->block);
	return true;
}

/* The blocks of a command that changes some, and those around them. */
static struct window open_window(struct fuzz *f, const struct slot *s)
{
	struct window w = {};
	uint64_t end;

	if (f->n != 1 || !s->row || !f->unit.type->writable || s->elsewhere ||
	    s->row->counts < WRITES || s->row->counts > PAIR)
		return w;
	w.lba = lba_of(s);
	if (w.lba >= f->blocks)
		return w;
	w.lba -= w.lba ? 1 : 0;
	end = w.lba + 2 + reach_of(f, s);
	if (end > f->blocks)
		end = f->blocks;
	w.blocks = end - w.lba < WINDOW ? end - w.lba : WINDOW;
	w.ok = look(f, &w, f->old);
	return w;
}

/* Bytes that one command wrote, as far as anybody can tell; none: they may be any. */
static const uint8_t *written(struct fuzz *f, const struct slot *s, uint64_t at)
{
	uint32_t data = s->total - s->pi;
	const uint8_t *p = f->flat + s->pi;
	uint8_t flags = s->cdb.b[s->cdb.b[0] == 0x7f ? 10 : 1];

	if (s->row->counts == PAIR)
		return p + f->block;
	/* Of no block: all to the end, or (scsi_debug) one. */
	if (s->row->counts == SAME)
		return flags || data < f->block || !blocks_of(s) ? NULL : p;
	return (at + 1) * f->block <= data ? p + at * f->block : NULL;
}

static void check_window(struct fuzz *f, const struct slot *s,
			 const struct window *w)
{
	uint8_t *now = f->flat + BUF_MAX;
	uint64_t lba, i;

	/* One that was aborted may have written, and may not. */
	if (!w->ok || s->req.rsp->response == VIRTIO_SCSI_S_ABORTED ||
	    s->req.rsp->response == VIRTIO_SCSI_S_RESET || !look(f, w, now))
		return;
	f->looked++;
	lba = lba_of(s);
	gather(s, s->want, f->flat);
	for (i = 0; i < w->blocks; i++) {
		uint64_t block = w->lba + i;
		const uint8_t *want = f->old + i * f->block;

		if (is_good(s) && block >= lba && block < lba + reach_of(f, s))
			want = s->in ? NULL : written(f, s, block - lba);
		if (want && memcmp(now + i * f->block, want, f->block)) {
			complain(f, s, "block %llu is not as it should be",
				 (unsigned long long)block);
			return;
		}
	}
}

/* -- the host's log, and what the module's second line of defence says -- */

/* A line without what is different each time. */
static void normalise(const char *line, char *to, size_t size)
{
	const char *op = strstr(line, "pcode: 0x");
	size_t n = 0;

	while (*line && n + 1 < size) {
		/* Operation codes are the same each time. */
		if (!isdigit((unsigned char)*line) || (op && line > op)) {
			to[n++] = *line++;
			continue;
		}
		to[n++] = '#';
		if (line[0] == '0' && line[1] == 'x')
			line += 2;
		while (isxdigit((unsigned char)*line))
			line++;
	}
	to[n] = '\0';
}

static void read_log(struct fuzz *f)
{
	char line[1024], text[sizeof(f->message[0].text)];
	unsigned int i;

	while (vs_kmsg_next(f->unit.env.kmsg, line, sizeof(line))) {
		if (vs_kmsg_is_bad(line))
			complain(f, NULL, "kernel log: %s", line);
		f->lines++;
		normalise(line, text, sizeof(text));
		for (i = 0; i < MESSAGES - 1; i++)
			if (!f->message[i].count ||
			    !strcmp(f->message[i].text, text))
				break;
		if (!f->message[i].count)
			strcpy(f->message[i].text, text);
		f->message[i].count++;
	}
}

/* LIO and scsi_check.c do not make the same of a command. */
static void read_trace(struct fuzz *f)
{
	static char text[65536];
	char *at, *end;
	ssize_t n;

	while ((n = read(f->trace, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		for (at = text; (at = strstr(at, "why=LIO")); at = end) {
			end = at + strcspn(at, "\n");
			complain(f, f->n == 1 ? &f->slot[0] : NULL, "%.*s",
				 (int)(end - at), at);
		}
	}
}

static bool run_batch(struct fuzz *f)
{
	struct window w;
	unsigned int i;

	f->first = f->seed;
	f->n = chance(f, 40) ? 1 : 1 + pick(f, BATCH);
	f->may_abort = false;
	f->dev->mem.used = f->mark;
	for (i = 0; i < f->n; i++) {
		make_slot(f, &f->slot[i]);
		f->sent++;
	}
	w = open_window(f, &f->slot[0]);
	for (i = 0; i < f->n; i++)
		if (vs_ring_add(f->ring, &f->slot[i].req.chain))
			complain(f, &f->slot[i], "no descriptors");
	f->may_abort |= chance(f, 15);
	vs_ring_kick(f->ring);
	for (i = 0; f->may_abort && i < 3; i++)
		send_tmf(f);
	if (!collect(f))
		return false;
	for (i = 0; i < f->n; i++)
		check_slot(f, &f->slot[i]);
	check_window(f, &f->slot[0], &w);
	read_log(f);
	read_trace(f);
	return !f->complaints;
}

/* -- set-up -- */

/* A medium whose blocks are known, written by the nexus that may. */
static int write_medium(struct fuzz *f)
{
	uint32_t step = BUF_MAX / f->block, lba, n, i;
	size_t used = f->dev->mem.used;
	struct vs_result res;

	for (lba = 0; lba < f->usual; lba += n) {
		n = f->usual - lba < step ? f->usual - lba : step;
		for (i = 0; i < n; i++)
			vs_fill(f->buf + i * f->block, f->block, lba + i);
		res = vs_scsi_write(f->dev, VS_TAG2, f->unit.lun,
				    vs_cdb_rw10(VS_WRITE_10, lba, n), f->buf,
				    n * f->block);
		f->dev->mem.used = used;
		if (res.err || res.response || res.status) {
			fprintf(stderr, "# WRITE of block %u: %d, %u/%02x/%06x\n",
				lba, res.err, res.response, res.status,
				res.sense);
			return -EIO;
		}
	}
	return 0;
}

/* Is the medium as write_medium() left it? Who reads it may have reserved it. */
static void check_all(struct fuzz *f)
{
	uint32_t step = BUF_MAX / f->block, lba, n, i;
	struct vs_result res;

	f->dev->mem.used = f->mark;
	if (vs_scsi_settle(f->dev, VS_TAG, f->unit.lun))
		complain(f, NULL, "the unit is not ready");
	for (lba = 0; lba < f->usual && !f->complaints; lba += n) {
		n = f->usual - lba < step ? f->usual - lba : step;
		f->dev->mem.used = f->mark;
		res = vs_scsi_read(f->dev, VS_TAG, f->unit.lun,
				   vs_cdb_rw10(VS_READ_10, lba, n), f->buf,
				   n * f->block);
		if (res.err || res.response || res.status)
			complain(f, NULL, "block %u cannot be read", lba);
		for (i = 0; i < n && !f->complaints; i++)
			if (vs_differs(f->buf + i * f->block, f->block,
				       lba + i) != -1)
				complain(f, NULL, "block %u was changed",
					 lba + i);
	}
}

/* A page that MODE SELECT takes: what MODE SENSE says. */
static void get_page(struct fuzz *f)
{
	struct vs_cdb cdb = vs_cdb_len6(VS_MODE_SENSE_6, 0x0a, 64);
	struct vs_result res;

	if (is_pscsi(f) && f->mods)
		return;
	cdb.b[1] = 8;	/* DBD */
	res = vs_scsi_read(f->dev, VS_TAG, f->unit.lun, cdb, f->buf, 64);
	if (res.err || res.response || res.status || f->buf[3] || f->buf[5] > 50)
		return;
	f->page_len = f->buf[5] + 2;
	memcpy(f->page, f->buf + 4, f->page_len);
}

static void alloc(struct fuzz *f)
{
	struct vs_mem *mem = &f->dev->mem;
	unsigned int i;

	f->buf = vs_mem_alloc(mem, BUF_MAX, VS_PAGE);
	f->seen = vs_mem_alloc(mem, WINDOW * 4096, VS_PAGE);
	f->old = calloc(WINDOW, 4096);
	f->flat = calloc(2, BUF_MAX);
	if (!f->old || !f->flat)
		abort();
	for (i = 0; i < BATCH; i++) {
		struct slot *s = &f->slot[i];

		vs_req_bare(&s->req, f->dev, VS_TAG, f->unit.lun,
			    vs_cdb_op(0));
		s->req.rsp = vs_mem_alloc(mem, RSP_ROOM, 64);
		s->area = vs_mem_alloc(mem, AREA, VS_PAGE);
		s->want = calloc(1, AREA);
		if (!s->want)
			abort();
	}
	f->mark = mem->used;
}

static int open_trace(void)
{
	vs_write_file(TRACE "trace", "");
	if (vs_write_file(REJECT, "1") < 0)
		return -1;
	return open(TRACE "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/*
 * The driver looks at its units twice a second, and reports a new write cache by a unit
 * attention: here, and not in the middle of what comes.
 */
static int switch_cache_on(struct fuzz *f)
{
	const struct vs_backstore *bs = &f->unit.env.bs[0];
	int64_t end = vs_now_ms() + vs_patience();
	size_t used = f->dev->mem.used;
	struct vs_result res;
	char path[512], text[16];

	snprintf(path, sizeof(path), "%s/attrib/emulate_write_cache", bs->path);
	if (vs_read_file(path, text, sizeof(text)) <= 0 || text[0] != '0' ||
	    vs_backstore_attr(bs, "emulate_write_cache", "1"))
		return 0;
	while (vs_now_ms() < end) {
		res = vs_scsi_read(f->dev, VS_TAG, f->unit.lun,
				   vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0);
		f->dev->mem.used = used;
		if (res.err || res.sense == sense(6, 0x2a, 1))
			return res.err;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

/* Does this kernel's LIO know WRITE ATOMIC? */
static bool knows_atomic(const struct fuzz *f)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/attrib/atomic_max_len",
		 f->unit.env.bs[0].path);
	return !access(path, F_OK);
}

FIXTURE_SETUP(fuzz_cdb)
{
	struct vs_unit_opts opts = {
		.kind = variant->kind,
		.mods = variant->mods,
		.dev.features = VS_F_MODERN | (variant->pi ?
				VS_BIT(VIRTIO_SCSI_F_T10_PI) : 0),
	};
	struct fuzz *f = &self->f;
	int ret;

	memset(f, 0, sizeof(*f));
	f->trace = -1;
	totals->variants++;
	if (variant->only_long && vs_rounds(SHORT, LONG) <= SHORT)
		SKIP(return, "only in a campaign");
	ret = vs_unit_get(&f->unit, &opts);
	if (ret == -ENODEV)
		SKIP(return, "%s", f->unit.why);
	ASSERT_EQ(0, ret);
	totals->atomic |= knows_atomic(f);
	f->dev = f->unit.dev;
	f->ring = &f->dev->ring[VS_IO];
	f->kind = variant->kind;
	f->mods = variant->mods;
	f->pi = variant->pi;
	f->block = f->unit.type->block_size;
	f->blocks = f->block ? vs_scsi_blocks(f->dev, VS_TAG, f->unit.lun) : 0;
	f->usual = f->blocks;
	if (f->mods && f->blocks > KNOWN / f->block)
		f->usual = KNOWN / f->block;
	alloc(f);
	get_page(f);
	if (f->mods)
		ASSERT_EQ(0, write_medium(f));
	/* Some backstores can, and then they do more. */
	vs_backstore_attr(&f->unit.env.bs[0], "emulate_tpu", "1");
	vs_backstore_attr(&f->unit.env.bs[0], "emulate_tpws", "1");
	ASSERT_EQ(0, switch_cache_on(f));
	vs_tpg_attr(VS_WWN, VS_TAG, "extended_copy", "1");
	/* Referrals: all blocks are optimal by port group 0. */
	vs_backstore_write(&f->unit.env.bs[0], "lba_map", "64 1\n0 1023 0:O\n");
	f->trace = open_trace();
	ASSERT_LE(0, f->trace);
	/* What was logged so far is not the guest's doing. */
	read_log(f);
	ASSERT_EQ(0, f->complaints);
	memset(f->message, 0, sizeof(f->message));
	f->lines = 0;
	f->seed = vs_seed(20261129);
}

static void free_slots(struct fuzz *f)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		vs_req_put(&f->slot[i].req);
		free(f->slot[i].want);
	}
	free(f->old);
	free(f->flat);
}

FIXTURE_TEARDOWN(fuzz_cdb)
{
	struct fuzz *f = &self->f;

	vs_write_file(REJECT, "0");
	close(f->trace);
	free_slots(f);
	UNIT_PUT(&f->unit);
}

/* -- the test -- */

static void print_opcodes(const struct fuzz *f)
{
	unsigned int i, n = 0;

	for (i = 0; i < 256; i++) {
		if (!f->good[i] && f->bad[i] < 3)
			continue;
		fprintf(stderr, "%s%02x:%lu/%lu", n % 10 ? "  " : n ? "\n#   " :
			"#   ", i, f->good[i], f->bad[i]);
		n++;
	}
	fprintf(stderr, "\n");
}

static void print_results(const struct fuzz *f, uint64_t seed)
{
	unsigned long good = 0;
	unsigned int i;

	for (i = 0; i < 256; i++)
		good += f->good[i];
	fprintf(stderr, "# seed %#llx: %lu commands, %lu GOOD, %lu task management,",
		(unsigned long long)seed, f->sent, good, f->tmfs);
	fprintf(stderr, " %lu writes looked at, %lu blocks compared\n",
		f->looked, f->compared);
	fprintf(stderr, "# responses:");
	for (i = 0; i < ARRAY_SIZE(f->response); i++)
		if (f->response[i])
			fprintf(stderr, " %u:%lu", i, f->response[i]);
	fprintf(stderr, "\n# good/other by operation code:\n");
	print_opcodes(f);
	fprintf(stderr, "# %lu lines in the log, %lu for 1,000 commands\n",
		f->lines, f->lines * 1000 / (f->sent ? f->sent : 1));
	for (i = 0; i < MESSAGES && f->message[i].count; i++)
		fprintf(stderr, "# %6lu for 1,000: %s\n",
			f->message[i].count * 1000 / f->sent,
			f->message[i].text);
}

TEST_F_TIMEOUT(fuzz_cdb, any_command_is_answered_and_moves_what_it_says, LIMIT)
{
	unsigned long shots = vs_rounds(SHORT, LONG);
	struct fuzz *f = &self->f;
	uint64_t first = f->seed;

	while (f->sent < shots && run_batch(f))
		;
	if (f->mods && !f->complaints)
		check_all(f);
	EXPECT_EQ(0, f->complaints);
	print_results(f, first);
	totals->sent += f->sent;
	totals->lines += f->lines;
}

/* -- after all of them -- */

FIXTURE(fuzz_cdb_matrix) {
};

FIXTURE_SETUP(fuzz_cdb_matrix)
{
}

FIXTURE_TEARDOWN(fuzz_cdb_matrix)
{
}

/* A thousand of two million. */
#define ENOUGH(sent)	((sent) / 2000)

TEST_F(fuzz_cdb_matrix, every_command_was_good_often_and_failed_often)
{
	size_t i;

	TH_LOG("%u units, %lu commands, %lu lines in the log", totals->variants,
	       totals->sent, totals->lines);
	if (totals->variants < VARIANTS || totals->sent < 100000)
		SKIP(return, "too few commands to tell");
	for (i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];

		TH_LOG("%02x/%02x: %lu good, %lu failed", row->op, row->action,
		       totals->good[i], totals->bad[i]);
		EXPECT_LE(ENOUGH(totals->sent), totals->bad[i]);
		if (row->op == 0x9c && !totals->atomic)
			continue;
		EXPECT_LE(ENOUGH(totals->sent), totals->good[i]);
	}
}

TEST_HARNESS_MAIN
