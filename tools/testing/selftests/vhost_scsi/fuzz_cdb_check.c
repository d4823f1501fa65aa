// SPDX-License-Identifier: GPL-2.0
/* What came back: response, status, sense, lengths, and the memory around the buffer. */
#include <string.h>

#include "fuzz_cdb.h"

/* Response, status, sense and lengths agree with each other. */
static void check_response(struct fuzz *f, const struct slot *s)
{
	const struct virtio_scsi_cmd_resp *rsp = s->req.rsp;
	uint32_t data = s->total - s->pi, moved;
	uint32_t used = s->req.chain.used_len;

	f->response[rsp->response & 0xf]++;
	if (vs_not_all((const uint8_t *)rsp + VS_RSP, RSP_ROOM - VS_RSP,
		       VS_POISON) != -1)
		fuzz_complain(f, s, "written behind the response");
	if (rsp->sense_len > sizeof(rsp->sense))
		fuzz_complain(f, s, "sense_len %u", rsp->sense_len);
	else if (vs_not_all(rsp->sense + rsp->sense_len,
			    sizeof(rsp->sense) - rsp->sense_len, 0) != -1)
		fuzz_complain(f, s, "sense behind its length");
	if (rsp->status_qualifier)
		fuzz_complain(f, s, "status qualifier");
	if (rsp->resid > data)
		fuzz_complain(f, s, "residual %u of %u", rsp->resid, data);
	switch (rsp->response) {
	case VIRTIO_SCSI_S_OK:
		break;
	case VIRTIO_SCSI_S_ABORTED:
	case VIRTIO_SCSI_S_RESET:
		if (!f->may_abort)
			fuzz_complain(f, s, "nobody aborted it");
		if (rsp->resid != data)
			fuzz_complain(f, s, "aborted, and something moved");
		break;
	case VIRTIO_SCSI_S_OVERRUN:
	case VIRTIO_SCSI_S_BAD_TARGET:
	case VIRTIO_SCSI_S_BUSY:
	case VIRTIO_SCSI_S_FAILURE:
		break;
	default:
		fuzz_complain(f, s, "this response code is none");
	}
	if (rsp->response && rsp->status)
		fuzz_complain(f, s, "a status with a response");
	moved = rsp->response || !s->in ? 0 : data - rsp->resid;
	if (used != VS_RSP + (moved ? s->pi + moved : 0))
		fuzz_complain(f, s, "used length");
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
			fuzz_complain(f, s, "written before %zu", s->at[i]);
			return;
		}
		at = s->at[i] + (s->in ? n : 0);
		wrote -= n < wrote ? n : wrote;
	}
	if (memcmp(s->area + at, s->want + at, s->extent - at))
		fuzz_complain(f, s, "written behind %zu", at);
}

/* What a unit that LIO emulates makes of a length. */
static void check_length(struct fuzz *f, const struct slot *s)
{
	uint32_t data = s->total - s->pi;
	uint64_t len = fuzz_bytes_of(f, s);

	if (!s->row || !f->unit.type->emulated || s->elsewhere || !is_good(s))
		return;
	switch (s->row->counts) {
	case READS:
		if (len != (s->total ? data - s->req.rsp->resid : 0))
			fuzz_complain(f, s, "GOOD, and not %llu bytes",
				      (unsigned long long)len);
		if (len && !s->in)
			fuzz_complain(f, s, "a READ that sends is GOOD");
		break;
	case WRITES:
	case PAIR:
		if (len && (s->in || len != data))
			fuzz_complain(f, s, "GOOD, and not %llu bytes",
				      (unsigned long long)len);
		break;
	case SAME:
		if (s->in || len > data)
			fuzz_complain(f, s, "GOOD without a block");
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
	fuzz_gather(s, s->area, f->flat);
	lba = lba_of(s);
	wrote -= s->pi;
	for (i = 0; i < blocks_of(s) && lba + i < f->usual &&
	     (i + 1) * f->block <= wrote; i++) {
		if (vs_differs(f->flat + s->pi + i * f->block, f->block,
			       lba + i) != -1) {
			fuzz_complain(f, s, "it is not what is in block %llu",
				      (unsigned long long)(lba + i));
			return;
		}
	}
	f->compared += i;
}

static void count_slot(struct fuzz *f, const struct slot *s)
{
	unsigned long row = s->row ? s->row - fuzz_rows : 0;
	bool good = is_good(s);

	if (good)
		f->good[s->cdb.b[0]]++;
	else
		f->bad[s->cdb.b[0]]++;
	if (!s->row || s->elsewhere)
		return;
	if (good)
		fuzz_totals->good[row]++;
	else
		fuzz_totals->bad[row]++;
}

void fuzz_check_slot(struct fuzz *f, const struct slot *s)
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
