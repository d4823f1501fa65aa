/* SPDX-License-Identifier: GPL-2.0 */
/* A queue of any kind, for those who write into its ring by hand. */
#ifndef RING_FIXTURE_H
#define RING_FIXTURE_H

#include "vs_test.h"

#define TAG	VS_TAG
#define NEXT	VRING_DESC_F_NEXT
#define WRITE	VRING_DESC_F_WRITE
#define INDIR	VRING_DESC_F_INDIRECT

FIXTURE(ring) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_ring *ring;
};

FIXTURE_VARIANT(ring) {
	unsigned int index;
	uint64_t features;
};

FIXTURE_VARIANT_ADD(ring, request) {
	.index = VS_IO + 1,
	.features = VS_F_MODERN,
};

FIXTURE_VARIANT_ADD(ring, request_event_idx) {
	.index = VS_IO + 1,
	.features = VS_F_MODERN | VS_F_EVENT_IDX,
};

FIXTURE_VARIANT_ADD(ring, control) {
	.index = VS_CTL,
	.features = VS_F_MODERN | VS_F_EVENT_IDX,
};

FIXTURE_SETUP(ring)
{
	struct vs_env_opts opts = {
		.dev.n_io = 2,
		.dev.features = variant->features,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->ring = &self->dev->ring[variant->index];
}

ENV_TEARDOWN(ring);

/* Some bytes of guest memory: their guest address. */
static inline uint64_t scratch(struct vs_dev *dev, size_t size)
{
	return vs_mem_gpa(&dev->mem, vs_mem_alloc(&dev->mem, size, 64));
}

/* True once the error eventfd was signalled. */
static inline bool complained(struct vs_ring *ring)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (!vs_ring_errors(ring)) {
		if (vs_now_ms() > end)
			return false;
		usleep(2000);
	}
	return true;
}

/* Takes the device through a reset of one ring. */
static inline int reset_ring(struct vs_dev *dev, struct vs_ring *ring)
{
	unsigned int i;
	int ret;

	ret = vs_dev_clear_endpoint(dev, VS_WWN);
	if (ret)
		return ret;
	vs_ring_reset(ring);
	for (i = 0; i < dev->n_rings; i++) {
		vs_ring_errors(&dev->ring[i]);
		ret = vs_dev_set_ring(dev, &dev->ring[i]);
		if (ret)
			return ret;
	}
	return vs_dev_set_endpoint(dev, VS_WWN);
}

/* The ring answers a request of its kind. */
static inline int ring_works(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vs_req req;
	int ret;

	if (ring->index == VS_CTL)
		return vs_tmf(dev, TAG, 0, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0,
			      NULL) == VIRTIO_SCSI_S_FUNCTION_REJECTED ?
		       0 : -EIO;
	vs_req_get(&req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	req.ring = ring;
	ret = vs_req_run(&req);
	vs_req_put(&req);
	return ret;
}

#endif /* RING_FIXTURE_H */
