/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tables of commands have in common: short names, units of all kinds, a row, and the
 * tests, which check_test.c runs. Each table's file says what it is about.
 *
 * Commands stand in the tables as bytes, and what they mean as the standards have it, never as
 * the rows of scsi_op.c, so that a wrong row cannot agree with itself.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>

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
void request(const u8 *cdb, struct vhost_scsi_req *req);

void put_be(u8 *at, unsigned int width, u64 val);
u64 get_be(const u8 *at, unsigned int width);

/* What the gate makes of a command with this buffer; the rules hold, too. */
u8 check(const struct vhost_scsi_kind *kind, const u8 *cdb, u8 dir,
	 size_t data_len, size_t pi_len, struct vhost_scsi_plan *plan);

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

void check_rows(const struct row *row, size_t n);

#define CHECK_ROWS(rows)	check_rows(rows, ARRAY_SIZE(rows))

/* Every form of READ and WRITE that moves blocks (SBC). */
struct form {
	const char *name;
	u8 op, dir, len_at, len_width, lba_at, lba_width, protect_at;
};

extern const struct form forms[];
extern const size_t n_forms;

void form_cdb(const struct form *form, u64 lba, u32 blocks, u8 *cdb);

/* check_blocks.c */
void test_forms(void);
void test_form_fields(void);
void test_form_none(void);
void test_wrap(void);
void test_reads(void);
void test_same(void);
void test_pair(void);
void test_atomic(void);

/* check_lists.c */
void test_lists(void);
void test_list_rows(void);
void test_allocs(void);
void test_alloc_rows(void);

/* check_pi.c */
void test_protect(void);
void test_protect_rows(void);

/* check_effects.c */
void test_read_only(void);
void test_effects(void);
void test_effects_ata(void);
void test_ata(void);

/* check_passed.c */
void test_passed(void);
void test_passed_pi(void);

/* check_all.c */
void test_no_data(void);
void test_immed(void);
void test_shape(void);
void test_known(void);
void test_refusals(void);
void test_all_opcodes(void);
void test_all_actions(void);

#endif
