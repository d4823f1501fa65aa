// SPDX-License-Identifier: GPL-2.0
/* The medium: what a write left on it, and that it stays as it is if it should. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuzz_cdb.h"

static bool look(struct fuzz *f, const struct window *w, uint8_t *to)
{
	size_t used = f->dev->mem.used;
	struct vs_result res;

	res = vs_scsi_read(f->dev, VS_TAG, f->unit.lun,
			   vs_cdb_rw16(VS_READ_16, w->lba, w->blocks), f->seen,
			   w->blocks * f->block);
	f->dev->mem.used = used;
	if (res.err)
		fuzz_complain(f, NULL, "no answer to a READ: %d", res.err);
	if (res.err || res.response || res.status)
		return false;
	memcpy(to, f->seen, w->blocks * f->block);
	return true;
}

/* The blocks of a command that changes some, and those around them. */
struct window fuzz_open_window(struct fuzz *f, const struct slot *s)
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

void fuzz_check_window(struct fuzz *f, const struct slot *s,
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
	fuzz_gather(s, s->want, f->flat);
	for (i = 0; i < w->blocks; i++) {
		uint64_t block = w->lba + i;
		const uint8_t *want = f->old + i * f->block;

		if (is_good(s) && block >= lba && block < lba + reach_of(f, s))
			want = s->in ? NULL : written(f, s, block - lba);
		if (want && memcmp(now + i * f->block, want, f->block)) {
			fuzz_complain(f, s, "block %llu is not as it should be",
				      (unsigned long long)block);
			return;
		}
	}
}

/* A medium whose blocks are known, written by the nexus that may. */
int fuzz_write_medium(struct fuzz *f)
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

/* Is the medium as fuzz_write_medium() left it? Who reads it may have reserved it. */
void fuzz_check_medium(struct fuzz *f)
{
	uint32_t step = BUF_MAX / f->block, lba, n, i;
	struct vs_result res;

	f->dev->mem.used = f->mark;
	if (vs_scsi_settle(f->dev, VS_TAG, f->unit.lun))
		fuzz_complain(f, NULL, "the unit is not ready");
	for (lba = 0; lba < f->usual && !f->complaints; lba += n) {
		n = f->usual - lba < step ? f->usual - lba : step;
		f->dev->mem.used = f->mark;
		res = vs_scsi_read(f->dev, VS_TAG, f->unit.lun,
				   vs_cdb_rw10(VS_READ_10, lba, n), f->buf,
				   n * f->block);
		if (res.err || res.response || res.status)
			fuzz_complain(f, NULL, "block %u cannot be read", lba);
		for (i = 0; i < n && !f->complaints; i++)
			if (vs_differs(f->buf + i * f->block, f->block,
				       lba + i) != -1)
				fuzz_complain(f, NULL, "block %u was changed",
					      lba + i);
	}
}
