/* SPDX-License-Identifier: GPL-2.0 */
/* A device whose VMM answers what it misses, and whose disk can be held. */
#ifndef IOTLB_QUEUE_FIXTURE_H
#define IOTLB_QUEUE_FIXTURE_H

#include "iotlb_fixture.h"

FIXTURE(iotlb) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_ring *ring;
	struct reads reads;
	struct reads more;
};

typedef FIXTURE_DATA(iotlb) iotlb_data;

FIXTURE_SETUP(iotlb)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.iommu = true,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->ring = &self->dev->ring[VS_IO];
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, fill_disk(self->dev));
}

FIXTURE_TEARDOWN(iotlb)
{
	vs_hold_release();
	ENV_PUT(&self->env);
}

#endif /* IOTLB_QUEUE_FIXTURE_H */
