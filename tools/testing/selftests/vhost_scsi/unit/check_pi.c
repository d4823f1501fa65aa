// SPDX-License-Identifier: GPL-2.0
/* RDPROTECT and WRPROTECT, and the buffers that they need. */
#include "check.h"

/* RDPROTECT and WRPROTECT, and the buffers that they need. */
static const struct pi_row {
	const char *name;
	const struct vhost_scsi_kind *kind;
	u8 protect;
	size_t pi_len, data_len;
	u8 outcome;
	bool pi, makes_pi;
} pi_rows[] = {
	{ "type 1", &protected_1, 1, 24, 1536, PASS, true, false },
	{ "type 1, 5 is the last", &protected_1, 5, 24, 1536, PASS, true, false },
	{ "type 1, 6 is none", &protected_1, 6, 24, 1536, FIELD, false, false },
	{ "type 1, 7 is none", &protected_1, 7, 24, 1536, FIELD, false, false },
	{ "type 1, made by LIO if not sent", &made_1, 3, 24, 1536, PASS, true, false },
	{ "type 3", &protected_3, 1, 24, 12288, PASS, true, false },
	{ "type 3, made", &made_3, 1, 24, 12288, PASS, true, false },
	{ "type 2", &protected_2, 1, 24, 1536, FIELD, false, false },
	{ "type 2, made", &made_2, 1, 24, 1536, FIELD, false, false },
	{ "no protection", &disk, 1, 24, 1536, FIELD, false, false },
	{ "no protection, no tuples", &disk, 1, 0, 1536, FIELD, false, false },
	{ "no tuples", &protected_1, 1, 0, 1536, FIELD, false, false },
	{ "tuples of fewer blocks", &made_1, 1, 16, 1536, DATA_LEN, false, false },
	{ "tuples of more blocks", &made_1, 1, 32, 1536, DATA_LEN, false, false },
	{ "part of a tuple", &made_1, 1, 23, 1536, DATA_LEN, false, false },
	{ "data of fewer blocks", &made_1, 1, 24, 1024, DATA_LEN, false, false },
	{ "data of more blocks", &made_1, 1, 24, 2048, DATA_LEN, false, false },
	{ "part of a block", &made_1, 1, 24, 1535, DATA_LEN, false, false },
	{ "blocks of another size", &made_1, 1, 24, 12288, DATA_LEN, false, false },
	/* What the CDB does not ask for stays here. */
	{ "unused tuples", &protected_1, 0, 24, 1536, PASS, false, false },
	{ "unused tuples, made", &made_1, 0, 24, 1536, PASS, false, true },
	{ "unused tuples, type 2", &made_2, 0, 24, 1536, PASS, false, true },
	{ "unused tuples, no protection", &disk, 0, 24, 1536, PASS, false, false },
	{ "no tuples, not asked for", &made_1, 0, 0, 1536, PASS, false, true },
};

void test_protect(void)
{
	const struct form *form = forms;
	const struct pi_row *row;
	struct vhost_scsi_plan plan;
	enum vhost_scsi_outcome outcome;
	u8 cdb[32];

	for (; form < forms + n_forms; form++) {
		if (!form->protect_at)
			continue;
		for (row = pi_rows; row < pi_rows + ARRAY_SIZE(pi_rows); row++) {
			form_cdb(form, 0, 3, cdb);
			cdb[form->protect_at] = row->protect << 5;
			outcome = check(row->kind, cdb, form->dir,
					row->data_len, row->pi_len, &plan);
			expect(outcome == row->outcome, "%s: %s: outcome %d",
			       form->name, row->name, outcome);
			if (outcome != PASS || row->outcome != PASS)
				continue;
			expect(plan.pi == row->pi && plan.makes_pi == row->makes_pi,
			       "%s: %s: sent %d, made %d", form->name,
			       row->name, plan.pi, plan.makes_pi);
		}
	}
}

static const struct row protect_rows[] = {
	{ "READ(6) has no such bits", &made_1,
	  { 0x08, 0xe0, [4] = 1 }, IN, 512, PASS, IN, 512 },
	{ "INQUIRY has no such bits", &made_1,
	  { 0x12, 0xe0, [4] = 96 }, IN, 96, PASS, IN, 96 },
	{ "no block, and bits", &made_1, { 0x2a, 0x20 }, NONE, 0, PASS, OUT, 0 },
	{ "no block, bits, no protection", &disk, { 0x2a, 0x20 }, NONE, 0, FIELD, 0, 0 },
	{ "bits without a buffer", &made_1, { 0x2a, 0x20, [8] = 1 }, NONE, 0, FIELD, 0, 0 },
	{ "bits and data-in", &made_1, { 0x2a, 0x20, [8] = 1 }, IN, 512, FIELD, 0, 0 },
};

void test_protect_rows(void)
{
	CHECK_ROWS(protect_rows);
}
