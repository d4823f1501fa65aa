// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of drivers/vhost/tests/scsi_wire_cases.h, and random inputs, as TAP on
 * stdout.
 *
 * wire_test [N]: N random inputs for the last test, 0 skips it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_pure.h"
#include "scsi_wire.h"
#include "tap.h"
#include "tests/scsi_wire_cases.h"

static unsigned long fuzz_inputs = 100000;

/* Half random bytes, half such as decide something. The seed is fixed. */
static void test_fuzz(void)
{
	static const u8 edge[] = { 0, 0, 1, 1, 1, 0x7f, 0x80, 0xff };
	u64 seed = 0x9e3779b97f4a7c15;
	struct fuzz_input in;
	u8 *bytes = (u8 *)&in;
	unsigned long n;
	size_t i;

	for (n = 0; n < fuzz_inputs; n++) {
		for (i = 0; i < sizeof(in); i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			bytes[i] = seed & 0x100 ? seed >> 32 :
				   edge[(seed >> 32) % sizeof(edge)];
		}
		/* lengths around those of the headers, too */
		if (n & 1) {
			in.out_len = OUT(0) - 1 + (seed >> 40) % 3;
			in.in_len = IN(0) - 1 + (seed >> 48) % 3;
		}
		LLVMFuzzerTestOneInput(bytes, sizeof(in));
	}
}

int main(int argc, char **argv)
{
	struct tap_test tests[ARRAY_SIZE(wire_cases) + 1];

	if (argc > 1)
		fuzz_inputs = strtoul(argv[1], NULL, 0);
	memcpy(tests, wire_cases, sizeof(wire_cases));
	tests[ARRAY_SIZE(wire_cases)] = (struct tap_test){
		.name = "random inputs keep the invariants",
		.covers = "REQ-10 F-RQ-03 F-RQ-05 F-SE-03",
		.run = test_fuzz,
	};
	return tap_run(tests, ARRAY_SIZE(tests) - !fuzz_inputs);
}
