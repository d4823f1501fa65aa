// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of commands against vhost_scsi_check(), as TAP on stdout.
 *
 * check_test [N]: 0 skips the tests that try all commands.
 */
#include <stdlib.h>

#include "check.h"

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
