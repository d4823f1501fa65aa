// SPDX-License-Identifier: GPL-2.0
/*
 * Requests, laid out in any way, without what others than the driver do wrong with them, which
 * is no concern of ours.
 */
#include <stddef.h>
#include <string.h>

#include "fuzz_cdb.h"

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
		fuzz_cut_buffer(f, s);
		vs_fill(s->area, s->extent, 1);
		fuzz_fill_unmap(f, p, s->total);
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
		fuzz_scatter(s, p);
}

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

void fuzz_make_slot(struct fuzz *f, struct slot *s)
{
	size_t at = f->pi ? offsetof(struct virtio_scsi_cmd_req_pi, cdb) :
		    offsetof(struct virtio_scsi_cmd_req, cdb);

	fuzz_make_cdb(f, &s->cdb);
	avoid_cdb(f, &s->cdb);
	s->row = fuzz_find_row(&s->cdb);
	make_header(f, s);
	fuzz_choose_buffer(f, s);
	fuzz_choose_pi(f, s);
	fuzz_cut_buffer(f, s);
	fuzz_fill_buffer(f, s);
	avoid_data(f, s);
	memcpy((uint8_t *)s->req.hdr + at, s->cdb.b, sizeof(s->cdb.b));
	memcpy(s->want, s->area, s->extent);
	memset(s->req.rsp, VS_POISON, RSP_ROOM);
	lay_out(f, s);
	if (s->cdb.b[0] == 0x5f)
		f->may_abort = true;
}
