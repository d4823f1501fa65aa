// SPDX-License-Identifier: GPL-2.0
/* Buffers of any length and direction, in pieces, and what is in them. */
#include <string.h>

#include "fuzz_cdb.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Bytes that the command is about; 0 for none, or nobody knows. */
uint64_t fuzz_bytes_of(const struct fuzz *f, const struct slot *s)
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
void fuzz_choose_buffer(struct fuzz *f, struct slot *s)
{
	uint64_t len = fuzz_bytes_of(f, s);

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
void fuzz_choose_pi(struct fuzz *f, struct slot *s)
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

void fuzz_cut_buffer(struct fuzz *f, struct slot *s)
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
void fuzz_scatter(struct slot *s, const uint8_t *flat)
{
	unsigned int i;

	for (i = 0; i < s->pieces; flat += s->len[i++])
		memcpy(s->area + s->at[i], flat, s->len[i]);
}

void fuzz_gather(const struct slot *s, const uint8_t *area, uint8_t *flat)
{
	unsigned int i;

	for (i = 0; i < s->pieces; flat += s->len[i++])
		memcpy(flat, area + s->at[i], s->len[i]);
}

void fuzz_fill_unmap(struct fuzz *f, uint8_t *p, uint32_t len)
{
	uint32_t n = len >= 8 ? (len - 8) / 16 : 0, i;

	if (len < 8)
		return;
	memset(p, 0, len);
	put_be(p, 2, len - 2);
	put_be(p + 2, 2, n * 16);
	for (i = 0; i < n; i++) {
		uint64_t blocks = chance(f, 90) ? pick(f, 64) : fuzz_edge_blocks(f);

		put_be(p + 8 + i * 16, 8, fuzz_edge_lba(f, blocks));
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
			fuzz_fill_unmap(f, p, len);
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
void fuzz_fill_buffer(struct fuzz *f, struct slot *s)
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
		fuzz_scatter(s, p);
	}
}
