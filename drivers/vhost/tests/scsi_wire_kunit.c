// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the wire layer against tables of bytes.
 *
 *   tools/testing/kunit/kunit.py run --kunitconfig drivers/vhost/tests
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "../scsi_wire.h"

struct tap_test {
	const char *name;
	const char *covers;
	void (*run)(void);
};

static struct kunit *wire_running;

#define expect(ok, ...) KUNIT_EXPECT_TRUE_MSG(wire_running, ok, __VA_ARGS__)

#include "scsi_wire_cases.h"

static void wire_describe(const struct tap_test *test, char *name)
{
	strscpy(name, test->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(wire, wire_cases, wire_describe);

static void wire_bytes(struct kunit *kunit)
{
	const struct tap_test *test = kunit->param_value;

	wire_running = kunit;
	test->run();
}

static struct kunit_case wire_kunit_cases[] = {
	KUNIT_CASE_PARAM(wire_bytes, wire_gen_params),
	{ }
};

static struct kunit_suite wire_suite = {
	.name = "vhost_scsi_wire",
	.test_cases = wire_kunit_cases,
};

kunit_test_suite(wire_suite);
