// SPDX-License-Identifier: GPL-2.0
/* What holds for all commands: those that LIO knows, the answer to each refusal, and the rules. */
#include <string.h>

#include "check.h"

/* LIO would make a length of the blocks, and print that there is no data. */
void test_no_data(void)
{
	static const struct {
		u8 op, len_at, len_width;
	} rows[] = {
		{ 0x2f, 7, 2 }, { 0x35, 7, 2 }, { 0x8f, 10, 4 }, { 0x91, 10, 4 },
		{ 0x56, 7, 2 }, { 0x57, 7, 2 },
	};
	struct vhost_scsi_layout layout = { 0 };
	struct vhost_scsi_plan plan;
	struct vhost_scsi_req req;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 cdb[32] = { rows[i].op };

		put_be(cdb + rows[i].len_at, rows[i].len_width, 8);
		request(cdb, &req);
		expect(vhost_scsi_check(&disk, &req, &layout, &plan) == PASS &&
		       !get_be(req.cdb + rows[i].len_at, rows[i].len_width),
		       "opcode %02x", rows[i].op);
	}
}

/* LIO would go on with what is over. */
void test_immed(void)
{
	static const u8 ops[] = { 0x35, 0x91 };
	struct vhost_scsi_layout layout = { 0 };
	struct vhost_scsi_plan plan;
	struct vhost_scsi_req req;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		u8 cdb[32] = { ops[i], 0x06 };

		request(cdb, &req);
		expect(vhost_scsi_check(&disk, &req, &layout, &plan) == PASS &&
		       req.cdb[1] == 0x04, "opcode %02x, IMMED", ops[i]);
	}
}

/* What the list must look like. */
void test_shape(void)
{
	static const u8 reads[32] = { 0x28, [8] = 1 };
	static const u8 inquiry[32] = { 0x12, [4] = 96 };
	struct vhost_scsi_plan plan;

	check(&disk, reads, IN, 512, 0, &plan);
	expect(plan.shape.align == 512 && plan.shape.merge, "READ");
	check(&disk_4k, reads, IN, 4096, 0, &plan);
	expect(plan.shape.align == 4096 && plan.shape.merge, "READ of 4 KiB");
	check(&made_1, reads, IN, 512, 0, &plan);
	expect(plan.shape.align == 4096 && !plan.shape.merge,
	       "READ, protected by LIO");
	check(&protected_1, reads, IN, 512, 0, &plan);
	expect(plan.shape.align == 512 && plan.shape.merge, "READ, protected");
	check(&disk, inquiry, IN, 96, 0, &plan);
	expect(!plan.shape.align && !plan.shape.merge, "INQUIRY");
	check(&hba_disk, reads, IN, 512, 0, &plan);
	expect(plan.shape.align == 512 && !plan.shape.merge,
	       "READ, passed through");
	check(&hba_disk, inquiry, IN, 96, 0, &plan);
	expect(!plan.shape.align, "INQUIRY, passed through");
}

/* Of all operation codes, LIO gets those that it emulates, and no other. */
void test_known(void)
{
	static const u8 known[] = {
		0x00, 0x01, 0x03, 0x08, 0x0a, 0x0b, 0x12, 0x15, 0x16, 0x17,
		0x1a, 0x1b, 0x25, 0x28, 0x2a, 0x2b, 0x2e, 0x2f, 0x35, 0x41,
		0x42, 0x55, 0x56, 0x57, 0x5a, 0x5e, 0x5f, 0x83, 0x84, 0x88,
		0x89, 0x8a, 0x8e, 0x8f, 0x91, 0x93, 0x9c, 0x9e, 0xa0, 0xa8,
		0xaa,
	};
	static const u8 moves[] = {
		0x08, 0x0a, 0x28, 0x2a, 0x2e, 0x88, 0x8a, 0x8e, 0xa8, 0xaa,
	};
	struct vhost_scsi_plan plan;
	u8 cdb[32] = { 0 };
	int i, dir;

	for (i = 0; i < 256; i++) {
		bool is = memchr(known, i, sizeof(known));
		bool plain = memchr(moves, i, sizeof(moves));
		const struct vhost_scsi_op *op = &vhost_scsi_op_table[i];

		/* vhost_scsi_op_early() finds them. */
		expect(op->counts != VHOST_SCSI_BLOCKS ||
		       (op->lba_at <= 24 && op->len_at <= 24),
		       "opcode %02x: fields beyond byte 24", i);
		cdb[0] = i;
		for (dir = NONE; dir <= IN; dir++)
			expect((check(&rich, cdb, dir, dir == NONE ? 0 : 512, 0,
				      &plan) != OPCODE) == is, "opcode %02x", i);
		expect(vhost_scsi_op_is_plain(cdb) == plain,
		       "opcode %02x is plain", i);
		/* The bits of FUA and DPO are of the LBA in CDBs of six bytes. */
		cdb[1] = 0x08;
		expect(vhost_scsi_op_is_plain(cdb) == (plain && i < 0x20),
		       "opcode %02x, FUA", i);
		cdb[1] = 0;
	}
}

void test_refusals(void)
{
	static const struct {
		u8 outcome, response, key, asc, ascq;
	} rows[] = {
		{ GOOD, 0, 0, 0, 0 }, { OVERRUN, 1, 0, 0, 0 },
		{ OPCODE, 0, 5, 0x20, 0 }, { FIELD, 0, 5, 0x24, 0 },
		{ RANGE, 0, 5, 0x21, 0 }, { DATA_LEN, 0, 5, 0x0e, 3 },
		{ LIST_LEN, 0, 5, 0x1a, 0 }, { READ_ONLY, 0, 7, 0x27, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct vhost_scsi_refusal *r =
			vhost_scsi_check_refusal(rows[i].outcome);

		expect(r->why && r->response == rows[i].response &&
		       r->key == rows[i].key && r->asc == rows[i].asc &&
		       r->ascq == rows[i].ascq, "outcome %u: %u %x/%02x/%02x",
		       rows[i].outcome, r->response, r->key, r->asc, r->ascq);
	}
}

/* One command with all buffers, to all units. */
static void try_buffers(const u8 *cdb, const u32 *lens, size_t n)
{
	struct vhost_scsi_layout layout;
	struct vhost_scsi_req req;
	const char *rule;
	size_t i, k;

	request(cdb, &req);
	/* The first one that breaks a rule says enough. */
	for (i = 0; i <= 3 * n && !tap_failed; i++) {
		memset(&layout, 0, sizeof(layout));
		if (i) {
			layout.dir = i % 2 ? OUT : IN;
			layout.data_len = lens[(i - 1) / 3];
			layout.pi_len = i % 3 ? 0 : 8;
		}
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			rule = check_rules_broken(kinds[k], &req, &layout);
			expect(!rule, "opcode %02x %02x, unit %zu, direction %d, %zu bytes: %s",
			       cdb[0], cdb[1], k, layout.dir, layout.data_len,
			       rule);
		}
	}
}

static void try_lengths(u8 op, u8 byte_1)
{
	static const u32 lens[] = { 1, 7, 8, 24, 512, 1024, 4096, 8192, 1 << 20 };
	static const u32 counts[] = { 0, 1, 2, 7, 8, 24, 0x2000, 0xffffffff };
	const struct vhost_scsi_op *row;
	unsigned int i, page;
	u8 cdb[32];

	for (i = 0; i < ARRAY_SIZE(counts); i++)
		for (page = 0; page < 2; page++) {
			memset(cdb, 0, sizeof(cdb));
			cdb[0] = op;
			cdb[1] = byte_1;
			cdb[2] = page ? 0x3f : 0;
			row = vhost_scsi_op_find(cdb);
			if (row->counts == VHOST_SCSI_UNKNOWN)
				memset(cdb + 4, counts[i], 12);
			else
				put_be(cdb + row->len_at, row->len_width,
				       counts[i]);
			cdb[0] = op;
			try_buffers(cdb, lens, ARRAY_SIZE(lens));
		}
}

void test_all_opcodes(void)
{
	int op, byte_1;

	for (op = 0; op < 256; op++) {
		/* service actions, DPO and FUA; then the protect bits */
		for (byte_1 = 0; byte_1 < 0x20; byte_1++)
			try_lengths(op, byte_1);
		for (; byte_1 < 0x100; byte_1 += 0x20)
			try_lengths(op, byte_1);
	}
}

void test_all_actions(void)
{
	static const u32 lens[] = { 8, 512 };
	u8 cdb[32] = { 0x7f, [7] = 24, [31] = 1 };
	int sa;

	for (sa = 0; sa < 0x10000; sa++) {
		put_be(cdb + 8, 2, sa);
		try_buffers(cdb, lens, ARRAY_SIZE(lens));
	}
}
