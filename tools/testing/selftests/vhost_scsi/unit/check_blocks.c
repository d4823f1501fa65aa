// SPDX-License-Identifier: GPL-2.0
/* Reads and writes of blocks, in all their forms: LBA, length, buffer. */
#include "check.h"

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

void test_forms(void)
{
	static const struct vhost_scsi_kind *const some[] = {
		&disk, &disk_4k, &protected_1, &made_1, &made_2, &made_3,
	};
	static const u32 blocks[] = { 1, 2, 255 };
	unsigned int i, k, b;

	for (i = 0; i < n_forms; i++)
		for (k = 0; k < ARRAY_SIZE(some); k++)
			for (b = 0; b < ARRAY_SIZE(blocks); b++)
				check_form(some[k], &forms[i], blocks[b]);
}

/* Each byte of the transfer length counts, and each of the LBA. */
void test_form_fields(void)
{
	struct vhost_scsi_kind huge = { .blocks = UINT64_MAX, .block_size = 512 };
	const struct form *form = forms;
	struct vhost_scsi_plan plan;
	unsigned int i;
	u8 cdb[32];

	for (; form < forms + n_forms; form++) {
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

void test_form_none(void)
{
	static const u8 dirs[] = { NONE, IN, OUT };
	const struct form *form = forms;
	struct vhost_scsi_plan plan;
	unsigned int i, k;
	u8 cdb[32];

	for (; form < forms + n_forms; form++) {
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

void test_wrap(void)
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

void test_reads(void)
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

void test_same(void)
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

void test_pair(void)
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

void test_atomic(void)
{
	static const u8 cdb[32] = { 0x9c, [13] = 1 };
	struct vhost_scsi_plan plan;

	CHECK_ROWS(atomic_rows);
	expect(check(&rich, cdb, OUT, 512, 0, &plan) == PASS &&
	       plan.shape.align == 4096, "in pages: align %u", plan.shape.align);
}
