/* SPDX-License-Identifier: GPL-2.0 */
/* A disk with room for the longest transfer, in memory that is pinned beforehand or is not. */
#ifndef DATA_FIXTURE_H
#define DATA_FIXTURE_H

#include "vs_test.h"

#define TAG VS_TAG

/* More than the longest transfer. */
#define DATA_MIB 10

FIXTURE(data) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_VARIANT(data) {
	bool pin_memory;
};

FIXTURE_VARIANT_ADD(data, pinned_by_the_command) {
	.pin_memory = false,
};

FIXTURE_VARIANT_ADD(data, pinned_beforehand) {
	.pin_memory = true,
};

FIXTURE_SETUP(data)
{
	struct vs_env_opts opts = {
		.dev.ring_size = 1024,
		.dev.mem_size = 64UL << 20,
		.mib = DATA_MIB,
		.pin_memory = variant->pin_memory,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
}

ENV_TEARDOWN(data);

#endif /* DATA_FIXTURE_H */
