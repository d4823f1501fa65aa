/* SPDX-License-Identifier: GPL-2.0 */
/* A device that is set up, and its target, which it is not given yet. */
#ifndef ENDPOINT_FIXTURE_H
#define ENDPOINT_FIXTURE_H

#include "vs_test.h"

#define TAG VS_TAG

/* Asks one target for an INQUIRY; true if it serves. */
static inline bool serves(struct vs_dev *dev)
{
	size_t mark = dev->mem.used;
	struct vs_result res;

	res = vs_scsi_read(dev, TAG, 0, vs_cdb_inquiry(36),
			   vs_mem_alloc(&dev->mem, 64, 64), 36);
	dev->mem.used = mark;
	return !res.err && res.response == VIRTIO_SCSI_S_OK &&
	       res.status == VS_GOOD;
}

FIXTURE(endpoint) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(endpoint)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
}

ENV_TEARDOWN(endpoint);

#endif /* ENDPOINT_FIXTURE_H */
