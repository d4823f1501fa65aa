/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that sends any command to units of every kind, in parts: the CDB (fuzz_cdb_make.c, by
 * the table in fuzz_cdb_rows.h), its buffer (fuzz_cdb_data.c), the request (fuzz_cdb_slot.c), what
 * came back (fuzz_cdb_check.c), what is on the medium (fuzz_cdb_medium.c), what the kernel said
 * (fuzz_cdb_log.c), and the tests, which send it (fuzz_cdb_test.c).
 */
#ifndef FUZZ_CDB_H
#define FUZZ_CDB_H

#include "vs_pi.h"
#include "vs_random.h"
#include "vs_unit.h"

#define BATCH		16		/* commands at a time */
#define PIECES		6		/* segments of a buffer */
#define GAP		1500		/* between two of them at most */
#define BUF_MAX		(256U << 10)	/* bytes of a buffer */
#define AREA		(BUF_MAX + PIECES * GAP + 3 * VS_PAGE)
#define RSP_ROOM	256		/* a response and its guard */
#define WINDOW		64		/* blocks that a write is looked at in */

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

/* Enough for the rows of the table. */
#define ROWS_MAX 64

extern const struct row fuzz_rows[];
extern const size_t fuzz_n_rows;

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
	unsigned long good[ROWS_MAX];
	unsigned long bad[ROWS_MAX];
	bool atomic;		/* this kernel knows WRITE ATOMIC */
};

extern struct totals *fuzz_totals;

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

static inline uint32_t pick(struct fuzz *f, uint32_t below)
{
	return vs_pick(&f->seed, below);
}

static inline bool chance(struct fuzz *f, unsigned int percent)
{
	return vs_chance(&f->seed, percent);
}

#define PICK(f, array)	((array)[pick(f, ARRAY_SIZE(array))])

static inline void scribble(struct fuzz *f, uint8_t *p, size_t len)
{
	while (len--)
		*p++ = pick(f, 256);
}

static inline void put_be(uint8_t *p, unsigned int bytes, uint64_t v)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

static inline uint64_t get_be(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

static inline uint64_t lba_of(const struct slot *s)
{
	uint64_t lba = get_be(s->cdb.b + s->row->lba_at, s->row->lba_width);

	return s->row->lba_width == 3 ? lba & 0x1fffff : lba;
}

static inline uint64_t blocks_of(const struct slot *s)
{
	uint64_t n = get_be(s->cdb.b + s->row->len_at, s->row->len_width);

	return s->row->lba_width == 3 && !n ? 256 : n;
}

/* Blocks that it may change: of a WRITE SAME of none, all to the end (SBC-3, 5.45). */
static inline uint64_t reach_of(const struct fuzz *f, const struct slot *s)
{
	uint64_t n = blocks_of(s), lba = lba_of(s);

	return s->row->counts == SAME && !n && lba < f->blocks ?
	       f->blocks - lba : n;
}

static inline bool is_pscsi(const struct fuzz *f)
{
	return f->kind >= VS_UNIT_PSCSI_DISK && f->kind <= VS_UNIT_PSCSI_TAPE;
}

static inline bool is_good(const struct slot *s)
{
	return s->req.rsp->response == VIRTIO_SCSI_S_OK &&
	       s->req.rsp->status == VS_GOOD;
}

/* The row of a command, NULL for none. */
const struct row *fuzz_find_row(const struct vs_cdb *cdb);

/* Addresses and numbers of blocks, most of them usual, others at an edge. */
uint64_t fuzz_edge_lba(struct fuzz *f, uint64_t blocks);
uint64_t fuzz_edge_blocks(struct fuzz *f);

/* Any command, most often one that LIO parses. */
void fuzz_make_cdb(struct fuzz *f, struct vs_cdb *cdb);

/* Bytes that the command is about; 0 for none, or nobody knows. */
uint64_t fuzz_bytes_of(const struct fuzz *f, const struct slot *s);

/* The length of a buffer, and which way it is for. */
void fuzz_choose_buffer(struct fuzz *f, struct slot *s);

/* How much of it is protection information, in front of the data. */
void fuzz_choose_pi(struct fuzz *f, struct slot *s);

/* Its pieces, and where they lie. */
void fuzz_cut_buffer(struct fuzz *f, struct slot *s);

/* What the guest sends, or what lies where the unit's data is to go. */
void fuzz_fill_buffer(struct fuzz *f, struct slot *s);

/* A list of UNMAP. */
void fuzz_fill_unmap(struct fuzz *f, uint8_t *p, uint32_t len);

/* Between a buffer in pieces and one in one piece. */
void fuzz_scatter(struct slot *s, const uint8_t *flat);
void fuzz_gather(const struct slot *s, const uint8_t *area, uint8_t *flat);

/* A request of the batch, ready to be added to the ring. */
void fuzz_make_slot(struct fuzz *f, struct slot *s);

/* Is an answered request as it should be? Complains, and counts it. */
void fuzz_check_slot(struct fuzz *f, const struct slot *s);

/* Blocks around those that a command changes, as they were before it. */
struct window {
	uint64_t lba;
	uint32_t blocks;
	bool ok;
};

struct window fuzz_open_window(struct fuzz *f, const struct slot *s);
void fuzz_check_window(struct fuzz *f, const struct slot *s,
		       const struct window *w);

/* A medium whose blocks are known, written by the nexus that may: 0 or -errno. */
int fuzz_write_medium(struct fuzz *f);

/* Is the medium as fuzz_write_medium() left it? Who reads it may have reserved it. */
void fuzz_check_medium(struct fuzz *f);

/* Says what was wrong, with which request, and how it comes again. */
void fuzz_complain(struct fuzz *f, const struct slot *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Reads the host's log: counts its lines, complains of bad ones. */
void fuzz_read_log(struct fuzz *f);

/* LIO and scsi_check.c do not make the same of a command: complains of it. */
void fuzz_read_trace(struct fuzz *f);

/* Begins and ends to have requests that are refused traced: a descriptor, or -1. */
int fuzz_open_trace(void);
void fuzz_close_trace(int fd);

#endif /* FUZZ_CDB_H */
