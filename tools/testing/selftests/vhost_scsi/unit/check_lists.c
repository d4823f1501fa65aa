// SPDX-License-Identifier: GPL-2.0
/* Commands with a parameter list, and those that return as much as there is room for. */
#include <string.h>

#include "check.h"

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

void test_lists(void)
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

void test_list_rows(void)
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

void test_allocs(void)
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

void test_alloc_rows(void)
{
	CHECK_ROWS(alloc_rows);
}
