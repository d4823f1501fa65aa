// SPDX-License-Identifier: GPL-2.0
/* Units that are passed through, which know by themselves what the bytes mean. */
#include "check.h"

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

void test_passed(void)
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

/* The target core has no way for tuples there. */
void test_passed_pi(void)
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
