// SPDX-License-Identifier: GPL-2.0
/* What the tests of vhost_scsi_check() have in common. */
#include <string.h>

#include "check.h"

void request(const u8 *cdb, struct vhost_scsi_req *req)
{
	union vhost_scsi_wire_req wire = { .plain = { .lun = { 1 } } };

	memcpy(wire.plain.cdb, cdb, VIRTIO_SCSI_CDB_DEFAULT_SIZE);
	expect(!vhost_scsi_wire_decode_cmd(&wire, true, false, req),
	       "opcode %02x: not decoded", cdb[0]);
}

void put_be(u8 *at, unsigned int width, u64 val)
{
	while (width--) {
		at[width] = val;
		val >>= 8;
	}
}

u64 get_be(const u8 *at, unsigned int width)
{
	u64 val = 0;

	while (width--)
		val = val << 8 | *at++;
	return val;
}

u8 check(const struct vhost_scsi_kind *kind, const u8 *cdb, u8 dir,
	 size_t data_len, size_t pi_len, struct vhost_scsi_plan *plan)
{
	struct vhost_scsi_layout layout = {
		.dir = dir, .data_len = data_len, .pi_len = pi_len,
	};
	struct vhost_scsi_req req;
	const char *rule;

	request(cdb, &req);
	rule = check_rules_broken(kind, &req, &layout);
	expect(!rule, "opcode %02x: %s", cdb[0], rule);
	return vhost_scsi_check(kind, &req, &layout, plan);
}

void check_rows(const struct row *row, size_t n)
{
	struct vhost_scsi_plan plan;
	enum vhost_scsi_outcome outcome;

	for (; n--; row++) {
		outcome = check(row->kind, row->cdb, row->dir, row->data_len, 0,
				&plan);
		expect(outcome == row->outcome, "%s: outcome %d, not %u",
		       row->name, outcome, row->outcome);
		if (outcome != PASS || row->outcome != PASS)
			continue;
		expect(plan.dir == row->to && plan.len == row->len,
		       "%s: direction %d, %u bytes", row->name, plan.dir,
		       plan.len);
	}
}

const struct form forms[] = {
	{ "READ(6)", 0x08, IN, 4, 1, 1, 3, 0 },
	{ "WRITE(6)", 0x0a, OUT, 4, 1, 1, 3, 0 },
	{ "READ(10)", 0x28, IN, 7, 2, 2, 4, 1 },
	{ "WRITE(10)", 0x2a, OUT, 7, 2, 2, 4, 1 },
	{ "WRITE AND VERIFY(10)", 0x2e, OUT, 7, 2, 2, 4, 1 },
	{ "READ(12)", 0xa8, IN, 6, 4, 2, 4, 1 },
	{ "WRITE(12)", 0xaa, OUT, 6, 4, 2, 4, 1 },
	{ "READ(16)", 0x88, IN, 10, 4, 2, 8, 1 },
	{ "WRITE(16)", 0x8a, OUT, 10, 4, 2, 8, 1 },
	{ "WRITE AND VERIFY(16)", 0x8e, OUT, 10, 4, 2, 8, 1 },
};

const size_t n_forms = ARRAY_SIZE(forms);

void form_cdb(const struct form *form, u64 lba, u32 blocks, u8 *cdb)
{
	memset(cdb, 0, VIRTIO_SCSI_CDB_DEFAULT_SIZE);
	put_be(cdb + form->lba_at, form->lba_width, lba);
	put_be(cdb + form->len_at, form->len_width, blocks);
	cdb[0] = form->op;
}
