// SPDX-License-Identifier: GPL-2.0
/* What changes a medium, and does not reach a read-only unit. */
#include <string.h>

#include "check.h"

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

void test_read_only(void)
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

void test_effects(void)
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
void test_effects_ata(void)
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

void test_ata(void)
{
	CHECK_ROWS(ata_rows);
}
