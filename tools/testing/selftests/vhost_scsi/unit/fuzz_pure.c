// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold for the pure sources whatever the bytes are.
 *
 * Enters: arbitrary bytes, from libFuzzer or from the fixed-seed test of
 * wire_test.c.
 * Leaves: 0, or the process aborts with the invariant that broke.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_rules.h"
#include "fuzz_pure.h"
#include "scsi_wire.h"

#define MUST(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: broken: %s\n",		\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

static void fuzz_layout(const struct fuzz_input *in)
{
	size_t hdr = vhost_scsi_wire_req_len(in->pi & 1);
	struct vhost_scsi_layout l;
	size_t all;

	if (vhost_scsi_wire_layout(in->out_len, in->in_len, hdr, &l))
		return;
	MUST(in->out_len >= hdr && in->in_len >= 108);
	MUST(l.data_len == in->out_len - hdr + (in->in_len - 108));
	MUST((l.dir == VHOST_SCSI_DIR_NONE) == !l.data_len);
	MUST((l.dir == VHOST_SCSI_DIR_OUT) == (in->out_len > hdr));
	MUST((l.dir == VHOST_SCSI_DIR_IN) == (in->in_len > 108));
	MUST(!l.pi_len);

	all = l.data_len;
	if (!(in->pi & 1) ||
	    vhost_scsi_wire_split_pi(&in->req.pi, in->le & 1, &l))
		return;
	MUST(l.pi_len + l.data_len == all);
	MUST(!all || l.data_len);
}

/* An event about the unit leads back to the unit, with bytes 4 to 7 zero. */
static void fuzz_lun(u8 target, u16 unit)
{
	u8 lun[8], target2;
	u16 unit2;

	memset(lun, 0xa5, sizeof(lun));
	vhost_scsi_wire_encode_lun(lun, target, unit);
	MUST(vhost_scsi_wire_decode_lun(lun, &target2, &unit2));
	MUST(target2 == target && unit2 == unit);
	MUST(!lun[4] && !lun[5] && !lun[6] && !lun[7]);
}

static void fuzz_cmd(const struct fuzz_input *in)
{
	const u8 *cdb = in->pi & 1 ? in->req.pi.cdb : in->req.plain.cdb;
	const u8 *lun = in->req.plain.lun;
	u8 data[VHOST_SCSI_NO_LUN_DATA];
	struct vhost_scsi_req req;
	size_t i, len;
	u8 ret;

	ret = vhost_scsi_wire_decode_cmd(&in->req, in->le & 1, in->pi & 1, &req);
	if (ret) {
		MUST(ret == VIRTIO_SCSI_S_BAD_TARGET);
		MUST(lun[0] != 1 || lun[2] > 0x7f);
		return;
	}
	MUST(lun[0] == 1 && lun[2] < 0x80);
	MUST(req.lun <= VHOST_SCSI_MAX_LUN);
	MUST(req.task_attr <= VIRTIO_SCSI_S_ACA);
	MUST(req.cdb_len >= 6 && req.cdb_len <= 8 + 255);
	for (i = 0; i < sizeof(req.cdb); i++)
		MUST(req.cdb[i] == (i < req.cdb_len ? cdb[i] : 0));
	fuzz_lun(req.target, req.lun);
	memset(data, 0xa5, sizeof(data));
	len = vhost_scsi_wire_no_lun(&req, data);
	MUST(len <= sizeof(data));
	for (i = len < 18 ? 18 : len; i < sizeof(data); i++)
		MUST(!data[i]);
}

/* Every byte of the answer follows from the arguments, none from before. */
static void fuzz_resp(const struct fuzz_input *in)
{
	struct vhost_scsi_result res = {
		.response = in->response,
		.status = in->status,
		.sense_len = in->sense_len,
		.resid = in->resid,
		.sense = in->has_sense & 1 ? in->sense : NULL,
	};
	struct virtio_scsi_cmd_resp a, b;
	bool le = in->le & 1;
	u32 sense_len, i;

	memset(&a, 0xa5, sizeof(a));
	memset(&b, 0x5a, sizeof(b));
	vhost_scsi_wire_encode_cmd(&a, le, &res);
	vhost_scsi_wire_encode_cmd(&b, le, &res);
	MUST(!memcmp(&a, &b, sizeof(a)));

	sense_len = vhost_scsi_wire_ctl_type(a.sense_len, le);
	MUST(sense_len <= sizeof(a.sense) && sense_len <= in->sense_len);
	MUST(!sense_len || (res.sense && !res.response));
	for (i = 0; i < sizeof(a.sense); i++)
		MUST(a.sense[i] == (i < sense_len ? in->sense[i] : 0));
	MUST(vhost_scsi_wire_ctl_type(a.resid, le) == in->resid);
	MUST(a.response == in->response);
	MUST(a.status == (in->response ? 0 : in->status));
	MUST(!a.status_qualifier);
}

static void fuzz_ctl(const struct fuzz_input *in)
{
	struct vhost_scsi_tmf_req tmf, swapped;
	u32 type = vhost_scsi_wire_ctl_type(in->tmf.type, in->le & 1);

	MUST(vhost_scsi_wire_ctl_req_len(type) <= sizeof(in->tmf));
	MUST(vhost_scsi_wire_ctl_rsp_len(type) <= 5);
	MUST(!vhost_scsi_wire_ctl_req_len(type) ==
	     !vhost_scsi_wire_ctl_rsp_len(type));

	vhost_scsi_wire_decode_tmf(&in->tmf, in->le & 1, &tmf);
	vhost_scsi_wire_decode_tmf(&in->tmf, !(in->le & 1), &swapped);
	MUST(tmf.tag == __builtin_bswap64(swapped.tag));
	MUST(tmf.subtype == __builtin_bswap32(swapped.subtype));
	MUST(tmf.target_ok == (in->tmf.lun[0] == 1));
	MUST(tmf.target == in->tmf.lun[1]);
	MUST(tmf.target_ok || !tmf.lun_ok);
	MUST(tmf.lun <= VHOST_SCSI_MAX_LUN);
	if (tmf.lun_ok)
		fuzz_lun(tmf.target, tmf.lun);
}

static void fuzz_evt(const struct fuzz_input *in)
{
	struct virtio_scsi_event evt;
	bool le = in->le & 1;

	memset(&evt, 0xa5, sizeof(evt));
	vhost_scsi_wire_encode_lun(evt.lun, in->req.plain.lun[1],
				   in->req.plain.lun[3] << 6);
	vhost_scsi_wire_encode_evt(&evt, le, in->event, in->reason);
	MUST(vhost_scsi_wire_ctl_type(evt.event, le) == in->event);
	MUST(vhost_scsi_wire_ctl_type(evt.reason, le) == in->reason);
	MUST(evt.lun[0] == 1 && evt.lun[1] == in->req.plain.lun[1]);
}

/* Any unit, as scsi_kind.c could make it of what LIO has. */
static void fuzz_kind(const struct fuzz_input *in, struct vhost_scsi_kind *kind)
{
	u16 bits = in->unit_bits;

	memset(kind, 0, sizeof(*kind));
	kind->read_only = bits & 0x01;
	kind->is_passed = bits & 0x02;
	if (kind->is_passed) {
		kind->in_place = bits & 0x04;
		kind->lio_pr = bits & 0x08;
		kind->max_len = kind->in_place ? in->max_len : 0;
		kind->type = in->type & 0x1f;
		return;
	}
	kind->block_size = bits & 0x04 ? 4096 : 512;
	kind->blocks = in->blocks;
	kind->max_write_same = in->max_write_same;
	kind->prot_type = in->prot_type % 4;
	kind->makes_pi = kind->prot_type && bits & 0x08;
	kind->has_fua = bits & 0x10;
	kind->has_unmap = bits & 0x20;
	kind->has_ws_unmap = bits & 0x40;
	kind->has_atomic = bits & 0x80;
	kind->has_copy = bits & 0x100;
}

static void fuzz_check(const struct fuzz_input *in)
{
	union vhost_scsi_wire_req wire = in->req;
	struct vhost_scsi_layout layout = { 0 };
	struct vhost_scsi_kind kind;
	struct vhost_scsi_req req;
	const char *rule;

	/* A LUN that names a unit: the rest is what matters here. */
	memcpy(wire.plain.lun, "\1\0\0\0", 4);
	MUST(!vhost_scsi_wire_decode_cmd(&wire, true, in->pi & 1, &req));
	fuzz_kind(in, &kind);
	layout.dir = in->dir % 3;
	if (layout.dir != VHOST_SCSI_DIR_NONE) {
		layout.data_len = in->data_len ?: 1;
		layout.pi_len = in->pi & 1 ? in->pi_len : 0;
	}
	rule = check_rules_broken(&kind, &req, &layout);
	if (rule)
		fprintf(stderr, "operation code %02x: %s\n", req.cdb[0], rule);
	MUST(!rule);
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	struct fuzz_input in = { 0 };

	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	fuzz_layout(&in);
	fuzz_cmd(&in);
	fuzz_resp(&in);
	fuzz_ctl(&in);
	fuzz_evt(&in);
	fuzz_check(&in);
	return 0;
}
