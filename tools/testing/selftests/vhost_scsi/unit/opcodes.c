// SPDX-License-Identifier: GPL-2.0
/*
 * Prints what the gate in front of LIO knows, for lab/report/opcodes: one line each,
 * a word and hexadecimal numbers.
 *
 *   op CODE             LIO gets it, for a unit that it emulates
 *   action CODE ACTION  the same, of commands of which the service action decides
 *   mode PAGE SUBPAGE   LIO gets MODE SENSE of it
 *   vpd PAGE            LIO gets INQUIRY of it
 *   lios CODE           LIO executes it, for a unit that is passed through, too
 *   effect CODE         known to read or change the medium of such a disk
 *   effect_long ACTION  the same, of long CDBs
 */
#include <stdio.h>
#include <string.h>

#include "scsi_check.h"

#define INQUIRY			0x12
#define MODE_SENSE		0x1a
#define VARIABLE_LENGTH		0x7f

static bool knows_op(const u8 *cdb)
{
	return vhost_scsi_op_find(cdb)->counts != VHOST_SCSI_UNKNOWN;
}

static bool knows(const u8 *cdb)
{
	return knows_op(cdb) && vhost_scsi_op_fields_ok(cdb);
}

static void set_action(u8 *cdb, unsigned int action)
{
	if (cdb[0] != VARIABLE_LENGTH) {
		cdb[1] = action;
		return;
	}
	cdb[8] = action >> 8;
	cdb[9] = action;
}

static void print_op(u8 op)
{
	static const u8 with_actions[] = {
		0x5e, 0x5f, VARIABLE_LENGTH, 0x84, 0x9e, 0xa3, 0xa4,
	};
	unsigned int action, n = op == VARIABLE_LENGTH ? 0x10000 : 0x20;
	u8 cdb[VIRTIO_SCSI_CDB_DEFAULT_SIZE] = { op };
	bool is_known = false;

	for (action = 0; action < n; action++) {
		set_action(cdb, action);
		is_known |= knows_op(cdb);
		if (knows(cdb) && memchr(with_actions, op, sizeof(with_actions)))
			printf("action %x %x\n", op, action);
	}
	if (is_known)
		printf("op %x\n", op);
}

static void print_pages(void)
{
	u8 cdb[VIRTIO_SCSI_CDB_DEFAULT_SIZE] = { MODE_SENSE };
	unsigned int page, subpage;

	for (page = 0; page < 0x40; page++)
		for (subpage = 0; subpage < 0x100; subpage++) {
			cdb[2] = page;
			cdb[3] = subpage;
			if (knows(cdb))
				printf("mode %x %x\n", page, subpage);
		}
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = INQUIRY;
	cdb[1] = 1;
	for (page = 0; page < 0x100; page++) {
		cdb[2] = page;
		if (knows(cdb))
			printf("vpd %x\n", page);
	}
}

/* What a unit gets that commands are passed through to comes with all of its data. */
static bool is_passed_on(u8 op)
{
	static const struct vhost_scsi_kind kind = {
		.is_passed = true, .lio_pr = true, .has_copy = true,
	};
	struct vhost_scsi_layout layout = { .data_len = 512 };
	struct vhost_scsi_plan plan;
	unsigned int dir;

	for (dir = VHOST_SCSI_DIR_OUT; dir <= VHOST_SCSI_DIR_IN; dir++) {
		struct vhost_scsi_req req = { .cdb_len = 16, .cdb = { op } };

		layout.dir = dir;
		if (vhost_scsi_check(&kind, &req, &layout, &plan) == VHOST_SCSI_PASS &&
		    plan.len == layout.data_len)
			return true;
	}
	return false;
}

static void print_passed(u8 op)
{
	u8 cdb[VIRTIO_SCSI_CDB_DEFAULT_SIZE] = { op };

	if (!is_passed_on(op))
		printf("lios %x\n", op);
	if (vhost_scsi_passed_effect(0, cdb) != VHOST_SCSI_EFFECT_NONE)
		printf("effect %x\n", op);
}

int main(void)
{
	u8 cdb[VIRTIO_SCSI_CDB_DEFAULT_SIZE] = { VARIABLE_LENGTH };
	unsigned int i;

	for (i = 0; i < 0x100; i++) {
		print_op(i);
		print_passed(i);
	}
	print_pages();
	for (i = 0; i < 0x10000; i++) {
		set_action(cdb, i);
		if (vhost_scsi_passed_effect(0, cdb) != VHOST_SCSI_EFFECT_NONE)
			printf("effect_long %x\n", i);
	}
	return 0;
}
