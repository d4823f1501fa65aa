// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of commands against vhost_scsi_check(), as TAP on stdout.
 *
 * Commands stand here as bytes, and what they mean as the standards have it, never
 * as the rows of scsi_op.c, so that a wrong row cannot agree with itself.
 *
 * check_test [N]: 0 skips the tests that try all commands.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check_rules.h"
#include "tap.h"

/* Short names, for the tables. */
#define NONE		VHOST_SCSI_DIR_NONE
#define OUT		VHOST_SCSI_DIR_OUT
#define IN		VHOST_SCSI_DIR_IN
#define PASS		VHOST_SCSI_PASS
#define GOOD		VHOST_SCSI_MOVES_NONE
#define OVERRUN		VHOST_SCSI_OVERRUN
#define OPCODE		VHOST_SCSI_BAD_OPCODE
#define FIELD		VHOST_SCSI_BAD_FIELD
#define RANGE		VHOST_SCSI_BAD_RANGE
#define DATA_LEN	VHOST_SCSI_BAD_DATA_LEN
#define LIST_LEN	VHOST_SCSI_BAD_LIST_LEN
#define READ_ONLY	VHOST_SCSI_IS_READ_ONLY

/* Units. The big ones have more blocks than 32 bits of bytes. */
#define EMULATED	.blocks = 1ULL << 33, .max_write_same = 4096
#define PASSED		.is_passed = true
#define TAKES_ALL	.has_fua = true, .has_unmap = true, .has_ws_unmap = true, \
			.has_atomic = true, .has_copy = true

static const struct vhost_scsi_kind disk = { EMULATED, .block_size = 512 },
disk_4k = { EMULATED, .block_size = 4096 },
small = { .blocks = 100, .max_write_same = 4096, .block_size = 512 },
rich = { EMULATED, TAKES_ALL, .block_size = 512 },
read_only = { EMULATED, TAKES_ALL, .block_size = 512, .read_only = true },
protected_1 = { EMULATED, TAKES_ALL, .block_size = 512, .prot_type = 1 },
protected_2 = { EMULATED, .block_size = 512, .prot_type = 2 },
protected_3 = { EMULATED, .block_size = 4096, .prot_type = 3 },
made_1 = { EMULATED, TAKES_ALL, .block_size = 512, .prot_type = 1, .makes_pi = true },
made_2 = { EMULATED, .block_size = 512, .prot_type = 2, .makes_pi = true },
made_3 = { EMULATED, .block_size = 4096, .prot_type = 3, .makes_pi = true },
hba_disk = { PASSED, .in_place = true, .lio_pr = true, .max_len = 65536 },
hba_disk_ro = { PASSED, .in_place = true, .read_only = true },
user_disk = { PASSED, .lio_pr = true },
user_disk_ro = { PASSED, .read_only = true },
tape = { PASSED, .in_place = true, .type = 1 },
user_tape = { PASSED, .type = 1 },
tape_ro = { PASSED, .type = 1, .read_only = true },
cd = { PASSED, .in_place = true, .type = 5 },
cd_ro = { PASSED, .in_place = true, .type = 5, .read_only = true };

static const struct vhost_scsi_kind *const kinds[] = {
	&disk, &disk_4k, &small, &rich, &protected_1, &protected_2, &protected_3,
	&made_1, &made_2, &made_3, &read_only, &hba_disk, &hba_disk_ro,
	&user_disk, &user_disk_ro, &tape, &user_tape, &tape_ro, &cd, &cd_ro,
};

/* A request with this CDB; bytes behind its length become zero, as they do. */
static void request(const u8 *cdb, struct vhost_scsi_req *req)
{
	union vhost_scsi_wire_req wire = { .plain = { .lun = { 1 } } };

	memcpy(wire.plain.cdb, cdb, VIRTIO_SCSI_CDB_DEFAULT_SIZE);
	expect(!vhost_scsi_wire_decode_cmd(&wire, true, false, req),
	       "opcode %02x: not decoded", cdb[0]);
}

static void put_be(u8 *at, unsigned int width, u64 val)
{
	while (width--) {
		at[width] = val;
		val >>= 8;
	}
}

static u64 get_be(const u8 *at, unsigned int width)
{
	u64 val = 0;

	while (width--)
		val = val << 8 | *at++;
	return val;
}

static u8 check(const struct vhost_scsi_kind *kind, const u8 *cdb, u8 dir,
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

/* One command to one unit; @to and @len are of the plan, if it passes. */
struct row {
	const char *name;
	const struct vhost_scsi_kind *kind;
	u8 cdb[VIRTIO_SCSI_CDB_DEFAULT_SIZE];
	u8 dir;
	size_t data_len;
	u8 outcome;
	u8 to;
	u32 len;
};

static void check_rows(const struct row *row, size_t n)
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

#define CHECK_ROWS(rows)	check_rows(rows, ARRAY_SIZE(rows))

/* Every form of READ and WRITE that moves blocks (SBC). */
static const struct form {
	const char *name;
	u8 op, dir, len_at, len_width, lba_at, lba_width, protect_at;
} forms[] = {
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

static void form_cdb(const struct form *form, u64 lba, u32 blocks, u8 *cdb)
{
	memset(cdb, 0, VIRTIO_SCSI_CDB_DEFAULT_SIZE);
	put_be(cdb + form->lba_at, form->lba_width, lba);
	put_be(cdb + form->len_at, form->len_width, blocks);
	cdb[0] = form->op;
}

static u8 other_dir(u8 dir)
{
	return dir == IN ? OUT : IN;
}

/* One form of a command of so many blocks, with all kinds of buffers. */
static void check_form(const struct vhost_scsi_kind *kind,
		       const struct form *form, u32 blocks)
{
	size_t size = (size_t)blocks * kind->block_size;
	struct vhost_scsi_plan plan;
	u8 cdb[32];

	form_cdb(form, 5, blocks, cdb);
	if (kind->makes_pi && form->op == 0x0a) {
		expect(check(kind, cdb, form->dir, size, 0, &plan) == OPCODE,
		       "%s, which LIO protects nothing of", form->name);
		return;
	}
	expect(check(kind, cdb, NONE, 0, 0, &plan) == OVERRUN,
	       "%s without a buffer", form->name);
	expect(check(kind, cdb, other_dir(form->dir), size, 0, &plan) == OVERRUN,
	       "%s, wrong direction", form->name);
	expect(check(kind, cdb, form->dir, size - 1, 0, &plan) == OVERRUN,
	       "%s, one byte short", form->name);
	expect(check(kind, cdb, form->dir, size, 0, &plan) == PASS &&
	       plan.dir == form->dir && plan.len == size && !plan.pi,
	       "%s of %u blocks: %u bytes", form->name, blocks, plan.len);
	expect(plan.makes_pi == kind->makes_pi, "%s: makes PI %d", form->name,
	       plan.makes_pi);
	/* A longer read reports the rest, a longer write is none. */
	expect(check(kind, cdb, form->dir, size + 1, 0, &plan) ==
	       (form->dir == IN ? PASS : DATA_LEN),
	       "%s, one byte long", form->name);
	if (form->dir == IN)
		expect(plan.len == size, "%s: %u bytes into one more",
		       form->name, plan.len);
}

static void test_forms(void)
{
	static const struct vhost_scsi_kind *const some[] = {
		&disk, &disk_4k, &protected_1, &made_1, &made_2, &made_3,
	};
	static const u32 blocks[] = { 1, 2, 255 };
	unsigned int i, k, b;

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		for (k = 0; k < ARRAY_SIZE(some); k++)
			for (b = 0; b < ARRAY_SIZE(blocks); b++)
				check_form(some[k], &forms[i], blocks[b]);
}

/* Each byte of the transfer length counts, and each of the LBA. */
static void test_form_fields(void)
{
	struct vhost_scsi_kind huge = { .blocks = UINT64_MAX, .block_size = 512 };
	const struct form *form = forms;
	struct vhost_scsi_plan plan;
	unsigned int i;
	u8 cdb[32];

	for (; form < forms + ARRAY_SIZE(forms); form++) {
		/* Three bytes of blocks make less than 32 bits of bytes. */
		for (i = 0; i < form->len_width && i < 3; i++) {
			u32 blocks = 1 << (8 * i);

			form_cdb(form, 0, blocks, cdb);
			expect(check(&huge, cdb, form->dir, blocks * 512, 0,
				     &plan) == PASS && plan.len == blocks * 512,
			       "%s of %u blocks: %u bytes", form->name, blocks,
			       plan.len);
		}
		for (i = 0; i < 8U * form->lba_width; i++) {
			u64 lba = 1ULL << i;

			/* 21 bits of an LBA of three bytes */
			if (form->lba_width == 3 && i > 20)
				break;
			huge.blocks = lba;
			form_cdb(form, lba, 1, cdb);
			expect(check(&huge, cdb, form->dir, 512, 0, &plan) ==
			       RANGE, "%s: bit %u of the LBA", form->name, i);
			huge.blocks = lba + 1;
			expect(check(&huge, cdb, form->dir, 512, 0, &plan) ==
			       PASS, "%s: bit %u of the LBA", form->name, i);
		}
		huge.blocks = UINT64_MAX;
	}
}

static void test_form_none(void)
{
	static const u8 dirs[] = { NONE, IN, OUT };
	const struct form *form = forms;
	struct vhost_scsi_plan plan;
	unsigned int i, k;
	u8 cdb[32];

	for (; form < forms + ARRAY_SIZE(forms); form++) {
		form_cdb(form, 0, 0, cdb);
		if (!form->protect_at) {
			/* 256 blocks in CDBs of six bytes */
			expect(check(&disk, cdb, NONE, 0, 0, &plan) == OVERRUN,
			       "%s of 0", form->name);
			expect(check(&disk, cdb, form->dir, 131072, 0, &plan) ==
			       PASS && plan.len == 131072, "%s of 0: %u bytes",
			       form->name, plan.len);
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(dirs); i++) {
			size_t len = dirs[i] == NONE ? 0 : 4096;

			for (k = 0; k < ARRAY_SIZE(kinds); k++) {
				if (kinds[k]->is_passed || kinds[k]->read_only)
					continue;
				expect(check(kinds[k], cdb, dirs[i], len, 0,
					     &plan) == PASS && !plan.len &&
				       !plan.makes_pi &&
				       plan.dir == (form->dir == OUT ? OUT : NONE),
				       "%s of 0, type %u", form->name,
				       kinds[k]->prot_type);
			}
		}
		form_cdb(form, 100, 0, cdb);
		expect(check(&small, cdb, NONE, 0, 0, &plan) == GOOD,
		       "%s of 0 at the end", form->name);
		form_cdb(form, 101, 0, cdb);
		expect(check(&small, cdb, NONE, 0, 0, &plan) == RANGE,
		       "%s of 0 behind the end", form->name);
	}
}

/* Transfer length times block size wraps 32 bits (G3). */
static const struct row wrap_rows[] = {
	{ "WRITE(16) of 4 GiB and a block", &disk,
	  { 0x8a, [10] = 0x00, 0x80, 0x00, 0x01 }, OUT, 512, OVERRUN, 0, 0 },
	{ "WRITE(16), protected", &protected_1,
	  { 0x8a, [10] = 0x00, 0x80, 0x00, 0x01 }, OUT, 512, OVERRUN, 0, 0 },
	{ "WRITE(16), protected by LIO", &made_1,
	  { 0x8a, [10] = 0x06, 0x80, 0x00, 0x01 }, OUT, 512, OVERRUN, 0, 0 },
	{ "READ(16)", &disk,
	  { 0x88, [10] = 0x00, 0x80, 0x00, 0x01 }, IN, 512, OVERRUN, 0, 0 },
	{ "READ(16), protected", &made_1,
	  { 0x88, [10] = 0x06, 0x80, 0x00, 0x01 }, IN, 512, OVERRUN, 0, 0 },
	{ "READ(16), 4 KiB blocks", &disk_4k,
	  { 0x88, [10] = 0x00, 0x10, 0x00, 0x01 }, IN, 4096, OVERRUN, 0, 0 },
	{ "READ(12) of 4 GiB", &disk,
	  { 0xa8, [6] = 0x00, 0x80, 0x00, 0x00 }, IN, 512, OVERRUN, 0, 0 },
	{ "READ(12) of 4 GiB without a buffer", &disk,
	  { 0xa8, [6] = 0x00, 0x80, 0x00, 0x00 }, NONE, 0, OVERRUN, 0, 0 },
	{ "WRITE(12) of all that can be asked for", &disk,
	  { 0xaa, [6] = 0xff, 0xff, 0xff, 0xff }, OUT, 512, OVERRUN, 0, 0 },
	{ "READ(16), LBA and length wrap 64 bits", &disk,
	  { 0x88, [2] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0, 0, 0, 1 }, IN, 512, RANGE, 0, 0 },
};

/* A chain holds more than 4 GiB if it names the same memory again and again. */
static const struct row long_rows[] = {
	{ "READ(12) of 4 GiB", &disk,
	  { 0xa8, [6] = 0x00, 0x80, 0x00, 0x00 }, IN, 1ULL << 32, FIELD, 0, 0 },
	{ "READ(12) of 4 GiB, protected by LIO", &made_1,
	  { 0xa8, [6] = 0x00, 0x80, 0x00, 0x00 }, IN, 1ULL << 32, FIELD, 0, 0 },
	{ "WRITE(16) of 4 GiB and a block", &disk,
	  { 0x8a, [10] = 0x00, 0x80, 0x00, 0x01 }, OUT, (1ULL << 32) + 512,
	  FIELD, 0, 0 },
	{ "TEST UNIT READY", &disk, { 0x00 }, IN, 1ULL << 32, FIELD, 0, 0 },
	{ "a vendor's command", &user_disk, { 0xc1 }, IN, 1ULL << 32, FIELD, 0, 0 },
	{ "as much as 32 bits can count", &user_disk,
	  { 0xc1 }, IN, UINT32_MAX, PASS, IN, UINT32_MAX },
};

static void test_wrap(void)
{
	CHECK_ROWS(wrap_rows);
	CHECK_ROWS(long_rows);
}

/* G1, G6: a read moves what its CDB names, and no byte of what lies behind. */
static const struct row read_rows[] = {
	{ "one block into 4 KiB", &disk,
	  { 0x28, [8] = 1 }, IN, 4096, PASS, IN, 512 },
	{ "one block into 4 MiB, protected", &protected_1,
	  { 0x28, [8] = 1 }, IN, 4 << 20, PASS, IN, 512 },
	{ "one block into 4 MiB, protected by LIO", &made_1,
	  { 0x28, [8] = 1 }, IN, 4 << 20, PASS, IN, 512 },
	{ "one block of 4 KiB into 4 MiB", &disk_4k,
	  { 0x28, [8] = 1 }, IN, 4 << 20, PASS, IN, 4096 },
	{ "the last block into 4 KiB", &small,
	  { 0x28, [5] = 99, [8] = 1 }, IN, 4096, PASS, IN, 512 },
	{ "two blocks from the last on", &small,
	  { 0x28, [5] = 99, [8] = 2 }, IN, 4096, RANGE, 0, 0 },
	{ "the block behind the last", &small,
	  { 0x28, [5] = 100, [8] = 1 }, IN, 4096, RANGE, 0, 0 },
	{ "READ(6): three bits in front of the LBA are none of it", &small,
	  { 0x08, 0xe0, 0, 99, 1 }, IN, 512, PASS, IN, 512 },
	{ "DPO, and no cache", &disk,
	  { 0x28, 0x10, [8] = 1 }, IN, 512, FIELD, 0, 0 },
	{ "FUA, and no cache", &disk,
	  { 0x2a, 0x08, [8] = 1 }, OUT, 512, FIELD, 0, 0 },
	{ "FUA and DPO", &rich,
	  { 0x2a, 0x18, [8] = 1 }, OUT, 512, PASS, OUT, 512 },
	{ "VERIFY moves nothing", &disk,
	  { 0x2f, [8] = 1 }, NONE, 0, PASS, NONE, 0 },
	{ "VERIFY(16) behind the end", &small,
	  { 0x8f, [9] = 100, [13] = 1 }, NONE, 0, RANGE, 0, 0 },
	{ "SYNCHRONIZE CACHE to the end", &small,
	  { 0x35, [5] = 100 }, NONE, 0, PASS, NONE, 0 },
	{ "SYNCHRONIZE CACHE behind the end", &small,
	  { 0x35, [5] = 101 }, NONE, 0, RANGE, 0, 0 },
	{ "SYNCHRONIZE CACHE(16)", &disk,
	  { 0x91, [13] = 8 }, IN, 512, PASS, NONE, 0 },
	{ "TEST UNIT READY with a buffer", &disk,
	  { 0x00 }, OUT, 512, PASS, NONE, 0 },
	{ "RESERVE(10) with a list for third parties", &disk,
	  { 0x56, [8] = 8 }, OUT, 8, PASS, NONE, 0 },
};

static void test_reads(void)
{
	CHECK_ROWS(read_rows);
}

/* G5, G10: one block of data-out, or none of it. */
static const struct row same_rows[] = {
	{ "WRITE SAME(10)", &disk, { 0x41, [8] = 8 }, OUT, 512, PASS, OUT, 512 },
	{ "WRITE SAME(16)", &disk, { 0x93, [13] = 8 }, OUT, 512, PASS, OUT, 512 },
	{ "WRITE SAME(32)", &disk,
	  { 0x7f, [7] = 24, [9] = 0x0d, [31] = 8 }, OUT, 512, PASS, OUT, 512 },
	{ "a longer buffer", &disk_4k,
	  { 0x93, [13] = 8 }, OUT, 8192, PASS, OUT, 4096 },
	{ "a shorter buffer", &disk_4k,
	  { 0x93, [13] = 8 }, OUT, 512, OVERRUN, 0, 0 },
	{ "(10) without a buffer", &protected_1,
	  { 0x41, [8] = 8 }, NONE, 0, OVERRUN, 0, 0 },
	{ "(16) without a buffer", &protected_1,
	  { 0x93, [13] = 8 }, NONE, 0, OVERRUN, 0, 0 },
	{ "(32) without a buffer", &protected_1,
	  { 0x7f, [7] = 24, [9] = 0x0d, [31] = 8 }, NONE, 0, OVERRUN, 0, 0 },
	{ "(10), data-in", &disk, { 0x41, [8] = 8 }, IN, 512, OVERRUN, 0, 0 },
	{ "(16), data-in", &disk, { 0x93, [13] = 8 }, IN, 512, OVERRUN, 0, 0 },
	{ "(32), data-in", &disk,
	  { 0x7f, [7] = 24, [9] = 0x0d, [31] = 8 }, IN, 512, OVERRUN, 0, 0 },
	{ "UNMAP without a buffer", &rich,
	  { 0x93, 0x08, [13] = 8 }, NONE, 0, OVERRUN, 0, 0 },
	{ "UNMAP", &rich, { 0x93, 0x08, [13] = 8 }, OUT, 512, PASS, OUT, 512 },
	{ "UNMAP that the unit does not take", &disk,
	  { 0x93, 0x08, [13] = 8 }, OUT, 512, FIELD, 0, 0 },
	{ "LBDATA", &rich, { 0x93, 0x02, [13] = 8 }, OUT, 512, FIELD, 0, 0 },
	{ "PBDATA", &rich, { 0x93, 0x04, [13] = 8 }, OUT, 512, FIELD, 0, 0 },
	{ "NDOB", &rich, { 0x93, 0x09, [13] = 8 }, NONE, 0, FIELD, 0, 0 },
	{ "ANCHOR", &rich, { 0x93, 0x18, [13] = 8 }, OUT, 512, FIELD, 0, 0 },
	{ "WRPROTECT", &protected_1,
	  { 0x93, 0x20, [13] = 8 }, OUT, 512, FIELD, 0, 0 },
	{ "no block", &disk, { 0x93 }, OUT, 512, FIELD, 0, 0 },
	{ "no block, protected", &protected_1, { 0x41 }, NONE, 0, FIELD, 0, 0 },
	{ "LIO makes PI", &made_1, { 0x93, [13] = 8 }, OUT, 512, OPCODE, 0, 0 },
	{ "LIO makes PI, of no block", &made_1, { 0x41 }, OUT, 512, FIELD, 0, 0 },
	{ "UNMAP, LIO makes PI", &made_1,
	  { 0x93, 0x08, [13] = 8 }, OUT, 512, PASS, OUT, 512 },
	{ "as much as it may be", &disk,
	  { 0x93, [12] = 0x10, 0x00 }, OUT, 512, PASS, OUT, 512 },
	{ "too much", &disk, { 0x93, [12] = 0x10, 0x01 }, OUT, 512, FIELD, 0, 0 },
	{ "behind the end", &small,
	  { 0x93, [9] = 93, [13] = 8 }, OUT, 512, RANGE, 0, 0 },
	{ "(32): where its flags are", &disk,
	  { 0x7f, [7] = 24, [9] = 0x0d, [10] = 0x08, [31] = 8 },
	  OUT, 512, FIELD, 0, 0 },
	{ "(32), cut off before its length", &disk,
	  { 0x7f, [7] = 20, [9] = 0x0d, [31] = 8 }, OUT, 512, FIELD, 0, 0 },
	{ "(32), longer than a CDB", &disk,
	  { 0x7f, [7] = 25, [9] = 0x0d, [31] = 8 }, OUT, 512, FIELD, 0, 0 },
	{ "READ(32), which LIO does not know", &disk,
	  { 0x7f, [7] = 24, [9] = 0x09, [31] = 1 }, IN, 512, OPCODE, 0, 0 },
	{ "WRITE(32)", &disk,
	  { 0x7f, [7] = 24, [9] = 0x0b, [31] = 1 }, OUT, 512, OPCODE, 0, 0 },
};

static void test_same(void)
{
	static const u8 unmap[32] = { 0x93, 0x08, [13] = 8 };
	struct vhost_scsi_plan plan;

	CHECK_ROWS(same_rows);
	check(&made_1, unmap, OUT, 512, 0, &plan);
	expect(!plan.makes_pi, "LIO makes protection information");
}

static const struct row pair_rows[] = {
	{ "one block", &disk, { 0x89, [13] = 1 }, OUT, 1024, PASS, OUT, 1024 },
	{ "one block of 4 KiB", &disk_4k,
	  { 0x89, [13] = 1 }, OUT, 8192, PASS, OUT, 8192 },
	{ "half of it", &disk, { 0x89, [13] = 1 }, OUT, 512, OVERRUN, 0, 0 },
	{ "more than it", &disk, { 0x89, [13] = 1 }, OUT, 1536, DATA_LEN, 0, 0 },
	{ "data-in", &disk, { 0x89, [13] = 1 }, IN, 1024, OVERRUN, 0, 0 },
	{ "no buffer", &disk, { 0x89, [13] = 1 }, NONE, 0, OVERRUN, 0, 0 },
	{ "no block", &disk, { 0x89 }, OUT, 1024, GOOD, 0, 0 },
	{ "two blocks", &disk, { 0x89, [13] = 2 }, OUT, 2048, FIELD, 0, 0 },
	{ "LIO makes PI", &made_1, { 0x89, [13] = 1 }, OUT, 1024, OPCODE, 0, 0 },
	{ "FUA", &rich, { 0x89, 0x08, [13] = 1 }, OUT, 1024, PASS, OUT, 1024 },
	{ "FUA, and no cache", &disk,
	  { 0x89, 0x08, [13] = 1 }, OUT, 1024, FIELD, 0, 0 },
	{ "behind the end", &small,
	  { 0x89, [9] = 100, [13] = 1 }, OUT, 1024, RANGE, 0, 0 },
};

static void test_pair(void)
{
	CHECK_ROWS(pair_rows);
}

/* B1: as WRITE(16). */
static const struct row atomic_rows[] = {
	{ "two blocks", &rich, { 0x9c, [13] = 2 }, OUT, 1024, PASS, OUT, 1024 },
	{ "a unit that does not take it", &disk,
	  { 0x9c, [13] = 2 }, OUT, 1024, OPCODE, 0, 0 },
	{ "no block, protected", &made_1, { 0x9c }, NONE, 0, PASS, OUT, 0 },
	{ "no block, protected, with a buffer", &protected_1,
	  { 0x9c }, OUT, 512, PASS, OUT, 0 },
	{ "no block", &rich, { 0x9c }, NONE, 0, PASS, OUT, 0 },
	{ "data-in", &rich, { 0x9c, [9] = 8, [13] = 2 }, IN, 1024, OVERRUN, 0, 0 },
	{ "no buffer, protected", &made_1,
	  { 0x9c, [13] = 2 }, NONE, 0, OVERRUN, 0, 0 },
	{ "WRPROTECT", &rich, { 0x9c, 0x20, [13] = 2 }, OUT, 1024, FIELD, 0, 0 },
	{ "FUA", &rich, { 0x9c, 0x08, [13] = 2 }, OUT, 1024, PASS, OUT, 1024 },
	{ "a boundary", &rich, { 0x9c, [11] = 1, [13] = 2 }, OUT, 1024, FIELD, 0, 0 },
	{ "a boundary", &rich, { 0x9c, [10] = 1, [13] = 2 }, OUT, 1024, FIELD, 0, 0 },
	{ "read-only", &read_only, { 0x9c, [13] = 2 }, OUT, 1024, READ_ONLY, 0, 0 },
	{ "1 MiB", &rich, { 0x9c, [12] = 8 }, OUT, 1 << 20, PASS, OUT, 1 << 20 },
	{ "a block more", &rich,
	  { 0x9c, [12] = 8, [13] = 1 }, OUT, (1 << 20) + 512, FIELD, 0, 0 },
};

static void test_atomic(void)
{
	static const u8 cdb[32] = { 0x9c, [13] = 1 };
	struct vhost_scsi_plan plan;

	CHECK_ROWS(atomic_rows);
	expect(check(&rich, cdb, OUT, 512, 0, &plan) == PASS &&
	       plan.shape.align == 4096, "in pages: align %u", plan.shape.align);
}

/* Commands with a parameter list. */
static const struct list_row {
	const char *name;
	u8 op, sa, len_at, len_width, min;
} lists[] = {
	{ "MODE SELECT(6)", 0x15, 0, 4, 1, 0 },
	{ "MODE SELECT(10)", 0x55, 0, 7, 2, 0 },
	{ "UNMAP", 0x42, 0, 7, 2, 8 },
	{ "PERSISTENT RESERVE OUT", 0x5f, 0, 5, 4, 24 },
	{ "EXTENDED COPY", 0x83, 0, 10, 4, 16 },
	{ "SET TARGET PORT GROUPS", 0xa4, 0x0a, 6, 4, 4 },
};

static void test_lists(void)
{
	const struct list_row *row = lists;
	struct vhost_scsi_plan plan;
	u8 cdb[32] = { 0 };

	for (; row < lists + ARRAY_SIZE(lists); row++) {
		memset(cdb, 0, sizeof(cdb));
		cdb[0] = row->op;
		cdb[1] = row->sa;
		put_be(cdb + row->len_at, row->len_width, 24);
		expect(check(&rich, cdb, OUT, 24, 0, &plan) == PASS &&
		       plan.dir == OUT && plan.len == 24, "%s", row->name);
		expect(check(&rich, cdb, OUT, 512, 0, &plan) == PASS &&
		       plan.dir == OUT && plan.len == 24, "%s, longer buffer",
		       row->name);
		expect(check(&rich, cdb, OUT, 23, 0, &plan) == OVERRUN,
		       "%s, shorter buffer", row->name);
		expect(check(&rich, cdb, IN, 24, 0, &plan) == OVERRUN,
		       "%s, data-in", row->name);
		expect(check(&rich, cdb, NONE, 0, 0, &plan) == OVERRUN,
		       "%s without a buffer", row->name);
		expect(check(&read_only, cdb, OUT, 24, 0, &plan) == READ_ONLY,
		       "%s, read-only", row->name);
		if (!row->min)
			continue;
		put_be(cdb + row->len_at, row->len_width, row->min);
		expect(check(&rich, cdb, OUT, 512, 0, &plan) == PASS,
		       "%s, shortest list", row->name);
		put_be(cdb + row->len_at, row->len_width, row->min - 1);
		expect(check(&rich, cdb, OUT, 512, 0, &plan) == LIST_LEN,
		       "%s, list too short", row->name);
	}
}

static const struct row list_rows[] = {
	{ "UNMAP of no list", &rich, { 0x42 }, NONE, 0, PASS, NONE, 0 },
	{ "UNMAP of no list, data-in", &rich, { 0x42 }, IN, 512, PASS, NONE, 0 },
	{ "UNMAP that the unit does not take", &disk,
	  { 0x42, [8] = 24 }, OUT, 24, OPCODE, 0, 0 },
	{ "MODE SELECT of no list", &disk, { 0x15 }, NONE, 0, PASS, NONE, 0 },
	{ "PERSISTENT RESERVE OUT of no list", &disk,
	  { 0x5f }, NONE, 0, LIST_LEN, 0, 0 },
	{ "REGISTER AND MOVE", &disk,
	  { 0x5f, 0x07, [8] = 24 }, OUT, 24, PASS, OUT, 24 },
	{ "REPLACE LOST RESERVATION", &disk,
	  { 0x5f, 0x08, [8] = 24 }, OUT, 24, FIELD, 0, 0 },
	{ "EXTENDED COPY of no list", &rich, { 0x83 }, NONE, 0, PASS, NONE, 0 },
	{ "EXTENDED COPY where it is off", &disk,
	  { 0x83, [13] = 24 }, OUT, 24, OPCODE, 0, 0 },
	{ "EXTENDED COPY with a long list identifier", &rich,
	  { 0x83, 0x01, [13] = 24 }, OUT, 24, OPCODE, 0, 0 },
	{ "MAINTENANCE OUT, another action", &disk,
	  { 0xa4, 0x0b, [9] = 24 }, OUT, 24, OPCODE, 0, 0 },
	/* LIO compares the whole byte. */
	{ "SET TARGET PORT GROUPS with a reserved bit", &disk,
	  { 0xa4, 0x2a, [9] = 24 }, OUT, 24, OPCODE, 0, 0 },
};

static void test_list_rows(void)
{
	CHECK_ROWS(list_rows);
}

/* Commands that return as much as there is room for. */
static const struct alloc_row {
	const char *name;
	u8 op, sa, page, len_at, len_width, min;
} allocs[] = {
	{ "REQUEST SENSE", 0x03, 0, 0, 4, 1, 0 },
	{ "INQUIRY", 0x12, 0, 0, 3, 2, 0 },
	{ "INQUIRY, a page", 0x12, 1, 0x83, 3, 2, 0 },
	{ "MODE SENSE(6)", 0x1a, 0, 0x3f, 4, 1, 0 },
	{ "MODE SENSE(10)", 0x5a, 0, 0x08, 7, 2, 0 },
	{ "PERSISTENT RESERVE IN", 0x5e, 0, 0, 7, 2, 8 },
	{ "RECEIVE COPY RESULTS", 0x84, 3, 0, 10, 4, 54 },
	{ "READ CAPACITY(16)", 0x9e, 0x10, 0, 10, 4, 0 },
	{ "REPORT REFERRALS", 0x9e, 0x13, 0, 10, 4, 4 },
	{ "REPORT LUNS", 0xa0, 0, 0, 6, 4, 0 },
	{ "REPORT TARGET PORT GROUPS", 0xa3, 0x0a, 0, 6, 4, 4 },
	{ "the same, extended header", 0xa3, 0x2a, 0, 6, 4, 8 },
	{ "REPORT IDENTIFYING INFORMATION", 0xa3, 0x05, 0, 6, 4, 4 },
	{ "REPORT SUPPORTED OPERATION CODES", 0xa3, 0x0c, 0, 6, 4, 0 },
};

/* LIO writes up to 32 bytes more of these: they must be on the last page. */
static u32 leave_room(const struct alloc_row *row, u32 len)
{
	if (row->op != 0x5e && row->sa != 0x13 && (row->sa & 0x1f) != 0x0a)
		return len;
	return len % 4096 > 4064 ? len - len % 4096 + 4064 :
	       len && len % 4096 == 0 ? len - 32 : len;
}

static void check_alloc(const struct alloc_row *row, u32 asked, size_t room)
{
	struct vhost_scsi_layout layout = {
		.dir = room ? IN : NONE, .data_len = room,
	};
	u32 want = leave_room(row, asked < room ? asked : room);
	enum vhost_scsi_outcome outcome;
	struct vhost_scsi_plan plan;
	struct vhost_scsi_req req;
	u8 cdb[32] = { row->op, row->sa, row->page };

	put_be(cdb + row->len_at, row->len_width, asked);
	check(&rich, cdb, layout.dir, room, 0, &plan);
	request(cdb, &req);
	outcome = vhost_scsi_check(&rich, &req, &layout, &plan);
	if (want < row->min) {
		expect(outcome == FIELD, "%s: %u of %zu bytes: outcome %d",
		       row->name, asked, room, outcome);
		return;
	}
	/* Of no sense, LIO makes an error. */
	expect(outcome == (want || row->op != 0x03 ? PASS : GOOD) &&
	       plan.len == want && plan.dir == (want ? IN : NONE),
	       "%s: %u of %zu bytes: outcome %d, %u bytes", row->name, asked,
	       room, outcome, plan.len);
	expect(get_be(req.cdb + row->len_at, row->len_width) == want,
	       "%s: %u of %zu bytes: what the CDB says", row->name, asked,
	       room);
}

static void test_allocs(void)
{
	static const u32 rooms[] = {
		0, 1, 4, 7, 8, 36, 96, 255, 4064, 4065, 4096, 4097, 8191, 1 << 20,
	};
	const struct alloc_row *row = allocs;
	struct vhost_scsi_plan plan;
	u8 cdb[32];
	unsigned int i;

	for (; row < allocs + ARRAY_SIZE(allocs); row++) {
		u64 most = (1ULL << (8 * row->len_width)) - 1;

		for (i = 0; i < ARRAY_SIZE(rooms); i++) {
			check_alloc(row, 0, rooms[i]);
			check_alloc(row, 96, rooms[i]);
			check_alloc(row, most, rooms[i]);
		}
		memset(cdb, 0, sizeof(cdb));
		cdb[0] = row->op;
		cdb[1] = row->sa;
		cdb[2] = row->page;
		cdb[row->len_at + row->len_width - 1] = 96;
		expect(check(&rich, cdb, OUT, 96, 0, &plan) == OVERRUN,
		       "%s, data-out", row->name);
		expect(check(&read_only, cdb, IN, 96, 0, &plan) == PASS,
		       "%s, read-only", row->name);
	}
}

static const struct row alloc_rows[] = {
	{ "READ CAPACITY(10)", &disk, { 0x25 }, IN, 8, PASS, IN, 8 },
	{ "READ CAPACITY(10), longer buffer", &disk, { 0x25 }, IN, 36, PASS, IN, 8 },
	{ "READ CAPACITY(10), shorter buffer", &disk, { 0x25 }, IN, 4, FIELD, 0, 0 },
	{ "READ CAPACITY(10), data-out", &disk, { 0x25 }, OUT, 8, OVERRUN, 0, 0 },
	{ "REQUEST SENSE with DESC", &disk, { 0x03, 1, [4] = 18 }, IN, 18, FIELD, 0, 0 },
	{ "INQUIRY of a page without EVPD", &disk,
	  { 0x12, 0, 0x80, 0, 96 }, IN, 96, FIELD, 0, 0 },
	{ "MODE SENSE of a page that LIO does not have", &disk,
	  { 0x1a, 0, 0x02, 0, 96 }, IN, 96, FIELD, 0, 0 },
	{ "MODE SENSE, PC does not matter", &disk,
	  { 0x1a, 0, 0xc8, 0, 96 }, IN, 96, PASS, IN, 96 },
	{ "MODE SENSE of a subpage", &disk,
	  { 0x1a, 0, 0x08, 1, 96 }, IN, 96, FIELD, 0, 0 },
	{ "MODE SENSE of all subpages", &disk,
	  { 0x5a, 0, 0x3f, 0xff, [8] = 96 }, IN, 96, PASS, IN, 96 },
	{ "MODE SENSE of all pages, another subpage", &disk,
	  { 0x5a, 0, 0x3f, 1, [8] = 96 }, IN, 96, FIELD, 0, 0 },
	{ "PERSISTENT RESERVE IN, READ FULL STATUS", &disk,
	  { 0x5e, 3, [8] = 96 }, IN, 96, PASS, IN, 96 },
	{ "PERSISTENT RESERVE IN, an unknown action", &disk,
	  { 0x5e, 4, [8] = 96 }, IN, 96, FIELD, 0, 0 },
	{ "RECEIVE COPY RESULTS where copying is off", &disk,
	  { 0x84, 3, [13] = 96 }, IN, 96, OPCODE, 0, 0 },
	{ "RECEIVE COPY RESULTS, another action", &rich,
	  { 0x84, 0, [13] = 96 }, IN, 96, FIELD, 0, 0 },
	{ "SERVICE ACTION IN, another action", &disk,
	  { 0x9e, 0x12, [13] = 96 }, IN, 96, FIELD, 0, 0 },
	{ "MAINTENANCE IN, another action", &disk,
	  { 0xa3, 0x0f, [9] = 96 }, IN, 96, OPCODE, 0, 0 },
	{ "RECEIVE COPY RESULTS of a list", &rich,
	  { 0x84, 3, 1, [13] = 96 }, IN, 96, FIELD, 0, 0 },
};

static void test_alloc_rows(void)
{
	CHECK_ROWS(alloc_rows);
}

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

static void test_protect(void)
{
	const struct form *form = forms;
	const struct pi_row *row;
	struct vhost_scsi_plan plan;
	enum vhost_scsi_outcome outcome;
	u8 cdb[32];

	for (; form < forms + ARRAY_SIZE(forms); form++) {
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

static void test_protect_rows(void)
{
	CHECK_ROWS(protect_rows);
}

/* G5: nothing that may change the medium, whatever buffer it comes with. */
static const struct row read_only_rows[] = {
	{ "WRITE(6)", &read_only, { 0x0a, [4] = 1 }, OUT, 512, READ_ONLY, 0, 0 },
	{ "WRITE(10) of no block", &read_only, { 0x2a }, NONE, 0, READ_ONLY, 0, 0 },
	{ "WRITE AND VERIFY(16)", &read_only, { 0x8e, [13] = 1 }, OUT, 512, READ_ONLY, 0, 0 },
	{ "WRITE SAME(10), data-in", &read_only, { 0x41, [8] = 8 }, IN, 512, READ_ONLY, 0, 0 },
	{ "WRITE SAME(16), UNMAP, no buffer", &read_only,
	  { 0x93, 0x08, [13] = 8 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "WRITE SAME(32), data-in", &read_only,
	  { 0x7f, [7] = 24, [9] = 0x0d, [31] = 8 }, IN, 512, READ_ONLY, 0, 0 },
	{ "COMPARE AND WRITE", &read_only, { 0x89, [13] = 1 }, OUT, 1024, READ_ONLY, 0, 0 },
	{ "UNMAP without a buffer", &read_only, { 0x42, [8] = 24 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "FORMAT UNIT, which LIO does not know", &read_only, { 0x04 }, NONE, 0, OPCODE, 0, 0 },
	{ "SANITIZE", &read_only, { 0x48 }, NONE, 0, OPCODE, 0, 0 },
	{ "WRITE AND VERIFY(12)", &read_only, { 0xae, [9] = 1 }, OUT, 512, OPCODE, 0, 0 },
	{ "WRITE AND VERIFY(32)", &read_only,
	  { 0x7f, [7] = 24, [9] = 0x0c, [31] = 1 }, OUT, 512, OPCODE, 0, 0 },
	{ "READ(10)", &read_only, { 0x28, [8] = 1 }, IN, 512, PASS, IN, 512 },
	{ "SYNCHRONIZE CACHE", &read_only, { 0x35 }, NONE, 0, PASS, NONE, 0 },

	{ "passed through: WRITE(10)", &hba_disk_ro,
	  { 0x2a, [8] = 1 }, OUT, 512, READ_ONLY, 0, 0 },
	{ "WRITE(10) without a buffer", &user_disk_ro,
	  { 0x2a, [8] = 1 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "WRITE(10), data-in", &hba_disk_ro,
	  { 0x2a, [8] = 1 }, IN, 512, READ_ONLY, 0, 0 },
	{ "UNMAP without a buffer", &hba_disk_ro, { 0x42, [8] = 24 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "FORMAT UNIT without a buffer", &hba_disk_ro, { 0x04 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "SANITIZE without a buffer", &hba_disk_ro, { 0x48 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "WRITE AND VERIFY(12)", &hba_disk_ro, { 0xae, [9] = 1 }, IN, 512, READ_ONLY, 0, 0 },
	{ "WRITE AND VERIFY(32)", &hba_disk_ro,
	  { 0x7f, [7] = 24, [9] = 0x0c, [31] = 1 }, IN, 512, READ_ONLY, 0, 0 },
	{ "WRITE SAME(32), data-in", &hba_disk_ro,
	  { 0x7f, [7] = 24, [9] = 0x0d, [31] = 1 }, IN, 512, READ_ONLY, 0, 0 },
	{ "MODE SELECT", &hba_disk_ro, { 0x15, [4] = 12 }, OUT, 12, READ_ONLY, 0, 0 },
	{ "READ(10)", &hba_disk_ro, { 0x28, [8] = 1 }, IN, 512, PASS, IN, 512 },
	{ "XDWRITEREAD(10), data-in", &hba_disk_ro, { 0x53, [8] = 1 }, IN, 512, READ_ONLY, 0, 0 },
	{ "REMOVE ELEMENT AND TRUNCATE", &hba_disk_ro,
	  { 0x9e, 0x18 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "a vendor's command", &hba_disk_ro, { 0xc1 }, IN, 512, READ_ONLY, 0, 0 },
	{ "OPEN ZONE", &hba_disk_ro, { 0x94, 0x03 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "ZONE ACTIVATE", &hba_disk_ro, { 0x95, 0x08 }, IN, 512, READ_ONLY, 0, 0 },
	{ "REPORT ZONES", &hba_disk_ro, { 0x95 }, IN, 512, PASS, IN, 512 },
	{ "READ CAPACITY(16)", &hba_disk_ro, { 0x9e, 0x10, [13] = 32 }, IN, 32, PASS, IN, 32 },
	{ "VERIFY(32)", &hba_disk_ro, { 0x7f, [7] = 24, [9] = 0x0a }, NONE, 0, PASS, NONE, 0 },
	{ "CD: SEND OPC", &cd_ro, { 0x54, 0x01 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "CD: READ TOC", &cd_ro, { 0x43, [8] = 12 }, IN, 12, PASS, IN, 12 },
	{ "tape: READ POSITION", &tape_ro, { 0x34 }, IN, 20, PASS, IN, 20 },
	{ "tape: ATA PASS-THROUGH", &tape_ro,
	  { 0x85, 0x08, 0x0e, [14] = 0xec }, IN, 512, READ_ONLY, 0, 0 },
	{ "TEST UNIT READY", &hba_disk_ro, { 0x00 }, NONE, 0, PASS, NONE, 0 },
	{ "tape: WRITE FILEMARKS", &tape_ro, { 0x10, [4] = 1 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "tape: ERASE", &tape_ro, { 0x19 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "tape: REWIND", &tape_ro, { 0x01 }, NONE, 0, PASS, NONE, 0 },
	{ "CD: BLANK", &cd_ro, { 0xa1 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "CD: CLOSE TRACK", &cd_ro, { 0x5b, 0, 2 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "CD: READ(12)", &cd_ro, { 0xa8, [9] = 1 }, IN, 2048, PASS, IN, 2048 },
};

static void test_read_only(void)
{
	CHECK_ROWS(read_only_rows);
}

/* Which commands change a medium depends on what they are sent to. */
static const struct effect_row {
	u8 type;
	const char *changes, *reads;
} effects[] = {
	{ 0x00, "\x04\x07\x0a\x2a\x2c\x2e\x38\x3b\x3d\x3f\x41\x42\x48\x50\x51\x53"
	  "\x83\x89\x8a\x8b\x8e\x93\x94\x9a\x9c\x9f\xa9\xaa\xac\xae",
	  "\x08\x28\x88\xa8" },
	{ 0x01, "\x04\x0a\x0b\x10\x19\x3b\x80\x82\x8a\x93", "\x08\x0f\x81\x88" },
	{ 0x05, "\x04\x2a\x2e\x3b\x53\x58\x5b\x5d\xa1\xaa\xbf", "\x28\xa8\xb9\xbe" },
};

/* Service actions of long CDBs, and those of 9Eh. */
static const u16 long_changes[] = {
	0x04, 0x06, 0x07, 0x0b, 0x0c, 0x0d, 0x0e, 0x10, 0x11, 0x18,
};

static bool is_long_change(u16 sa)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(long_changes); i++)
		if (sa == long_changes[i])
			return true;
	return false;
}

static void expect_effect(u8 type, const u8 *cdb, u8 want)
{
	u8 effect = vhost_scsi_passed_effect(type, cdb);

	expect(effect == want, "type %u: %02x %02x, action %02x%02x: effect %u",
	       type, cdb[0], cdb[1], cdb[8], cdb[9], effect);
}

static void test_effects(void)
{
	const struct effect_row *row = effects;
	u8 cdb[32] = { 0 };
	int i;

	for (; row < effects + ARRAY_SIZE(effects); row++)
		for (i = 1; i < 256; i++) {
			/* ATA PASS-THROUGH, a test of its own */
			if (i == 0x85 || (i == 0xa1 && row->type != 5))
				continue;
			cdb[0] = i;
			expect_effect(row->type, cdb,
				      strchr(row->changes, i) ?
				      VHOST_SCSI_EFFECT_CHANGES :
				      strchr(row->reads, i) ?
				      VHOST_SCSI_EFFECT_READS :
				      VHOST_SCSI_EFFECT_NONE);
		}
	cdb[0] = 0x7f;
	for (i = 0; i < 0x10000; i++) {
		if (i == 0x1ff0)
			continue;
		put_be(cdb + 8, 2, i);
		expect_effect(0, cdb, is_long_change(i) ?
			      VHOST_SCSI_EFFECT_CHANGES : i == 0x09 ?
			      VHOST_SCSI_EFFECT_READS : VHOST_SCSI_EFFECT_NONE);
	}
	put_be(cdb + 8, 2, 0);
	cdb[0] = 0x9e;
	for (cdb[1] = 0; cdb[1] < 0x20; cdb[1]++)
		expect_effect(0, cdb, cdb[1] >= 0x18 && cdb[1] <= 0x1a ?
			      VHOST_SCSI_EFFECT_CHANGES :
			      VHOST_SCSI_EFFECT_NONE);
}

/*
 * SAT: what PROTOCOL does not call data-in may be anything, SANITIZE, say, which
 * has no data; T_DIR counts only for DMA.
 */
static void test_effects_ata(void)
{
	static const struct {
		u8 type, op, at;
	} forms[] = {
		{ 0, 0x85, 1 }, { 0, 0xa1, 1 }, { 0, 0x7f, 10 }, { 5, 0x85, 1 },
	};
	unsigned int i, protocol, t_dir;
	u8 cdb[32];

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		for (protocol = 0; protocol < 16; protocol++)
			for (t_dir = 0; t_dir < 2; t_dir++) {
				bool in = protocol == 4 || protocol == 10 ||
					  ((protocol == 6 || protocol == 12) &&
					   t_dir);

				memset(cdb, 0, sizeof(cdb));
				cdb[0] = forms[i].op;
				if (cdb[0] == 0x7f)
					put_be(cdb + 8, 2, 0x1ff0);
				cdb[forms[i].at] = protocol << 1;
				cdb[forms[i].at + 1] = t_dir << 3;
				expect_effect(forms[i].type, cdb, in ?
					      VHOST_SCSI_EFFECT_NONE :
					      VHOST_SCSI_EFFECT_CHANGES);
			}
}

static const struct row ata_rows[] = {
	{ "IDENTIFY", &hba_disk_ro,
	  { 0x85, 0x08, 0x2e, [6] = 1, [14] = 0xec }, IN, 512, PASS, IN, 512 },
	{ "SANITIZE, which has no data, with T_DIR", &hba_disk_ro,
	  { 0x85, 0x07, 0x28, [4] = 0x11, [14] = 0xb4 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "SANITIZE on a unit that may be written", &hba_disk,
	  { 0x85, 0x07, 0x28, [4] = 0x11, [14] = 0xb4 }, NONE, 0, PASS, OUT, 0 },
	{ "a long CDB", &hba_disk_ro,
	  { 0x7f, [7] = 24, 0x1f, 0xf0, 0x06, 0x00 }, NONE, 0, READ_ONLY, 0, 0 },
	{ "SANITIZE, called PIO data-in", &hba_disk_ro,
	  { 0x85, 0x08, 0x0e, [4] = 0x11, [6] = 1, [14] = 0xb4 }, IN, 512, READ_ONLY, 0, 0 },
	{ "WRITE UNCORRECTABLE, called PIO data-in", &hba_disk_ro,
	  { 0xa1, 0x08, 0x0e, [4] = 1, [9] = 0x45 }, IN, 512, READ_ONLY, 0, 0 },
	{ "SMART READ DATA", &hba_disk_ro,
	  { 0x85, 0x08, 0x0e, [4] = 0xd0, [6] = 1, [14] = 0xb0 }, IN, 512, PASS, IN, 512 },
	{ "SMART WRITE LOG, called PIO data-in", &hba_disk_ro,
	  { 0x85, 0x08, 0x0e, [4] = 0xd6, [6] = 1, [14] = 0xb0 }, IN, 512, READ_ONLY, 0, 0 },
	{ "CHECK POWER MODE", &hba_disk_ro,
	  { 0x85, 0x06, 0x20, [14] = 0xe5 }, NONE, 0, PASS, NONE, 0 },
	{ "PIO data-in without a buffer", &hba_disk,
	  { 0x85, 0x08, 0x0e, [6] = 1, [14] = 0xec }, NONE, 0, OVERRUN, 0, 0 },
	{ "a long IDENTIFY", &hba_disk_ro,
	  { 0x7f, [7] = 24, 0x1f, 0xf0, 0x08, 0x0e, [25] = 0xec }, IN, 512, PASS, IN, 512 },
	{ "CD: IDENTIFY PACKET DEVICE", &cd_ro,
	  { 0x85, 0x08, 0x0e, [6] = 1, [14] = 0xa1 }, IN, 512, PASS, IN, 512 },
};

static void test_ata(void)
{
	CHECK_ROWS(ata_rows);
}

/* A unit that is passed through knows by itself what the bytes mean. */
static const struct row passed_rows[] = {
	{ "a READ moves what its buffer holds", &user_disk,
	  { 0x28, [8] = 1 }, IN, 4096, PASS, IN, 4096 },
	{ "READ without a buffer", &hba_disk,
	  { 0x28, [8] = 1 }, NONE, 0, OVERRUN, 0, 0 },
	{ "READ(6) without a buffer", &hba_disk, { 0x08 }, NONE, 0, OVERRUN, 0, 0 },
	{ "READ without a buffer, no HBA", &user_disk,
	  { 0x28, [8] = 1 }, NONE, 0, PASS, NONE, 0 },
	{ "a handler's tape, which LIO takes for a disk", &user_disk,
	  { 0x08 }, NONE, 0, PASS, NONE, 0 },
	{ "READ of nothing", &hba_disk, { 0x28 }, NONE, 0, PASS, NONE, 0 },
	{ "CD: READ without a buffer", &cd, { 0x28, [8] = 1 }, NONE, 0, OVERRUN, 0, 0 },
	{ "EXTENDED COPY, passed through", &hba_disk,
	  { 0x83, [13] = 16 }, OUT, 16, OPCODE, 0, 0 },
	{ "RECEIVE COPY RESULTS, passed through", &hba_disk,
	  { 0x84, 3, [13] = 16 }, IN, 16, OPCODE, 0, 0 },
	{ "READ, data-out", &hba_disk, { 0x28, [8] = 1 }, OUT, 512, OVERRUN, 0, 0 },
	{ "WRITE, data-in", &hba_disk, { 0x2a, [8] = 1 }, IN, 512, OVERRUN, 0, 0 },
	{ "WRITE without a buffer", &hba_disk,
	  { 0x2a, [8] = 1 }, NONE, 0, OVERRUN, 0, 0 },
	{ "WRITE of nothing is a write", &hba_disk, { 0x2a }, NONE, 0, PASS, OUT, 0 },
	{ "UNMAP, data-in", &hba_disk, { 0x42, [8] = 24 }, IN, 24, OVERRUN, 0, 0 },
	{ "a vendor's command, in", &hba_disk, { 0xc1 }, IN, 512, PASS, IN, 512 },
	{ "a vendor's command, out", &user_disk, { 0xc1 }, OUT, 512, PASS, OUT, 512 },
	{ "READ(32)", &hba_disk,
	  { 0x7f, [7] = 24, [9] = 0x09, [31] = 1 }, IN, 512, PASS, IN, 512 },
	{ "READ(32), data-out", &hba_disk,
	  { 0x7f, [7] = 24, [9] = 0x09, [31] = 1 }, OUT, 512, OVERRUN, 0, 0 },
	{ "more than a CDB", &hba_disk, { 0x7f, [7] = 25, [9] = 0x09 }, IN, 512, FIELD, 0, 0 },
	{ "more than the HBA takes", &hba_disk,
	  { 0x28, [8] = 129 }, IN, 66048, FIELD, 0, 0 },
	{ "as much as the HBA takes", &hba_disk,
	  { 0x28, [8] = 128 }, IN, 65536, PASS, IN, 65536 },
	/* B5: the LUN in byte 1, as SCSI-2 has it */
	{ "READ of SCSI-2 at LUN 3", &hba_disk,
	  { 0x28, 0x60, [8] = 1 }, IN, 512, PASS, IN, 512 },
	{ "WRITE of SCSI-2 at LUN 3", &hba_disk,
	  { 0x2a, 0x60, [8] = 1 }, OUT, 512, PASS, OUT, 512 },
	/* B6: 42h is no UNMAP on a CD drive */
	{ "READ SUB-CHANNEL", &cd,
	  { 0x42, 0x02, 0x40, 0x01, [8] = 16 }, IN, 16, PASS, IN, 16 },
	{ "REPORT KEY", &cd, { 0xa4, [9] = 8 }, IN, 8, PASS, IN, 8 },
	{ "READ TOC", &cd, { 0x43, [8] = 12 }, IN, 12, PASS, IN, 12 },
	{ "CD: READ, data-out", &cd, { 0x28, [8] = 1 }, OUT, 2048, OVERRUN, 0, 0 },
	/* B4: a length of 0 is nothing on a tape */
	{ "tape: READ(6) of nothing", &tape, { 0x08 }, NONE, 0, PASS, NONE, 0 },
	{ "tape: WRITE(6) of nothing", &user_tape, { 0x0a }, NONE, 0, PASS, OUT, 0 },
	{ "tape: READ(6) of 1,000 bytes", &tape,
	  { 0x08, 0, 0, 0x03, 0xe8 }, IN, 1000, PASS, IN, 1000 },
	{ "tape: READ POSITION", &tape, { 0x34 }, IN, 20, PASS, IN, 20 },
	/* G4: LIO maps the answer, in an interrupt, if the unit is read-only */
	{ "MODE SENSE(10) into 8 KiB", &hba_disk_ro,
	  { 0x5a, 0, 0x3f, [7] = 0x20, 0x00 }, IN, 8192, PASS, IN, 4096 },
	{ "MODE SENSE(6) into 8 KiB", &hba_disk_ro,
	  { 0x1a, 0, 0x3f, 0, 0xff }, IN, 8192, PASS, IN, 4096 },
	{ "MODE SENSE(10) into 8 KiB, no HBA", &user_disk_ro,
	  { 0x5a, 0, 0x3f, [7] = 0x20, 0x00 }, IN, 8192, PASS, IN, 8192 },
	/* What LIO does itself */
	{ "REPORT LUNS", &hba_disk, { 0xa0, [9] = 16 }, IN, 512, PASS, IN, 16 },
	{ "REPORT LUNS, data-out", &tape, { 0xa0, [9] = 16 }, OUT, 16, OVERRUN, 0, 0 },
	{ "RESERVE(6)", &hba_disk, { 0x16 }, IN, 512, PASS, NONE, 0 },
	{ "RELEASE(10)", &hba_disk, { 0x57, [8] = 8 }, OUT, 8, PASS, NONE, 0 },
	{ "RESERVE(6) of the disk's own", &tape, { 0x16 }, IN, 512, PASS, IN, 512 },
	{ "PERSISTENT RESERVE IN", &hba_disk,
	  { 0x5e, [7] = 0xff, 0xff }, IN, 512, PASS, IN, 512 },
	{ "PERSISTENT RESERVE IN, too short", &hba_disk,
	  { 0x5e, [8] = 4 }, IN, 512, FIELD, 0, 0 },
	{ "PERSISTENT RESERVE OUT", &user_disk,
	  { 0x5f, [8] = 24 }, OUT, 512, PASS, OUT, 24 },
	{ "PERSISTENT RESERVE OUT, data-in", &user_disk,
	  { 0x5f, [8] = 24 }, IN, 512, OVERRUN, 0, 0 },
	{ "PERSISTENT RESERVE OUT of the disk's own", &tape,
	  { 0x5f, [8] = 24 }, OUT, 512, PASS, OUT, 512 },
};

static void test_passed(void)
{
	u8 cdb[32] = { 0x5a, 0, 0x3f, [7] = 0x20, 0x00 };
	struct vhost_scsi_layout layout = { .dir = IN, .data_len = 8192 };
	struct vhost_scsi_plan plan;
	struct vhost_scsi_req req;

	CHECK_ROWS(passed_rows);
	request(cdb, &req);
	vhost_scsi_check(&hba_disk_ro, &req, &layout, &plan);
	expect(get_be(req.cdb + 7, 2) == 4096, "MODE SENSE(10) asks for %llu",
	       (unsigned long long)get_be(req.cdb + 7, 2));
}

/* LIO would make a length of the blocks, and print that there is no data. */
static void test_no_data(void)
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
static void test_immed(void)
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

/* The target core has no way for tuples there. */
static void test_passed_pi(void)
{
	static const u8 reads[32] = { 0x28, 0x20, [8] = 1 };
	static const u8 inquiry[32] = { 0x12, 0x20, [4] = 96 };
	static const u8 plain[32] = { 0x28, [8] = 1 };
	struct vhost_scsi_plan plan;

	expect(check(&hba_disk, reads, IN, 512, 8, &plan) == FIELD,
	       "RDPROTECT and tuples");
	expect(check(&hba_disk, reads, IN, 512, 0, &plan) == PASS,
	       "RDPROTECT without tuples");
	expect(check(&hba_disk, plain, IN, 512, 8, &plan) == PASS && !plan.pi &&
	       plan.len == 512, "tuples that nobody asks for");
	expect(check(&hba_disk, inquiry, IN, 96, 8, &plan) == PASS,
	       "INQUIRY and tuples");
}

/* What the list must look like. */
static void test_shape(void)
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
static void test_known(void)
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

static void test_refusals(void)
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

static void test_all_opcodes(void)
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

static void test_all_actions(void)
{
	static const u32 lens[] = { 8, 512 };
	u8 cdb[32] = { 0x7f, [7] = 24, [31] = 1 };
	int sa;

	for (sa = 0; sa < 0x10000; sa++) {
		put_be(cdb + 8, 2, sa);
		try_buffers(cdb, lens, ARRAY_SIZE(lens));
	}
}

static const struct tap_test tests[] = {
	{ "READ and WRITE need their buffer, on the right side",
	  "REQ-22 REQ-27 REQ-33 REQ-34 F-RQ-08 F-RQ-10", test_forms },
	{ "READ and WRITE: each byte of LBA and transfer length",
	  "", test_form_fields },
	{ "READ and WRITE of no block",
	  "REQ-22 REQ-55", test_form_none },
	{ "READ and WRITE of more than 32 bits of bytes",
	  "REQ-27 REQ-55 F-RQ-10", test_wrap },
	{ "what a CDB names moves, whatever its buffer holds",
	  "REQ-33", test_reads },
	{ "the length of what has no data is 0",
	  "", test_no_data },
	{ "SYNCHRONIZE CACHE ends when it is done",
	  "REQ-72", test_immed },
	{ "WRITE SAME takes one block of data-out",
	  "REQ-22 REQ-55 F-RQ-08", test_same },
	{ "COMPARE AND WRITE takes two blocks of data-out",
	  "REQ-22 REQ-34 F-RQ-08 F-RQ-10", test_pair },
	{ "WRITE ATOMIC is a WRITE",
	  "REQ-22 REQ-55 F-RQ-08", test_atomic },
	{ "parameter lists come by data-out",
	  "REQ-22 REQ-27 F-RQ-08 F-RQ-10", test_lists },
	{ "parameter lists: what LIO does not know",
	  "", test_list_rows },
	{ "an allocation length shrinks to its buffer",
	  "REQ-33 F-RQ-08", test_allocs },
	{ "allocation lengths: what LIO does not know",
	  "", test_alloc_rows },
	{ "RDPROTECT and WRPROTECT, and the buffers that they need",
	  "REQ-55 REQ-56 F-RQ-12", test_protect },
	{ "protect bits where there are none",
	  "REQ-55 REQ-56", test_protect_rows },
	{ "a read-only unit is not written",
	  "", test_read_only },
	{ "what changes a medium, by type",
	  "", test_effects },
	{ "ATA PASS-THROUGH: what does not bring data in may change the medium",
	  "", test_effects_ata },
	{ "ATA PASS-THROUGH to read-only units",
	  "", test_ata },
	{ "a unit that is passed through decides by itself",
	  "", test_passed },
	{ "a unit that is passed through gets no tuples",
	  "F-RQ-12", test_passed_pi },
	{ "what the list must look like",
	  "", test_shape },
	{ "LIO gets the operation codes that it emulates",
	  "", test_known },
	{ "every refusal has its answer",
	  "REQ-26", test_refusals },
	{ "all operation codes and actions keep the rules",
	  "REQ-22 REQ-27 F-RQ-08 F-RQ-10", test_all_opcodes },
	{ "all actions of long CDBs keep the rules",
	  "REQ-22 REQ-27 F-RQ-08 F-RQ-10", test_all_actions },
};

int main(int argc, char **argv)
{
	bool quick = argc > 1 && !strtoul(argv[1], NULL, 0);

	return tap_run(tests, ARRAY_SIZE(tests) - 2 * quick);
}
