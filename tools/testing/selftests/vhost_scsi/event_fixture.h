/* SPDX-License-Identifier: GPL-2.0 */
/* A second unit that comes and goes, and the event that tells of it. */
#ifndef EVENT_FIXTURE_H
#define EVENT_FIXTURE_H

#include "vs_evt.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define MISSED	VIRTIO_SCSI_T_EVENTS_MISSED
#define RESET	VIRTIO_SCSI_T_TRANSPORT_RESET
#define RESCAN	VIRTIO_SCSI_EVT_RESET_RESCAN
#define REMOVED	VIRTIO_SCSI_EVT_RESET_REMOVED

FIXTURE(event) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_ring *ring;
	struct vs_backstore *bs;
};

FIXTURE_SETUP(event)
{
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->ring = &self->dev->ring[VS_EVT];
	self->bs = &self->env.bs[1];
	ASSERT_EQ(0, vs_ramdisk_get(self->bs, 1, 1, false));
}

ENV_TEARDOWN(event);

/* The event is there, or arrives; it is this one. */
#define EXPECT_EVENT(e, what, why, n) do {				\
	struct vs_evt *__e = (e);						\
									\
	ASSERT_EQ(0, vs_evt_wait(__e, self->dev));			\
	EXPECT_EQ(what, __e->buf->event);				\
	EXPECT_EQ(why, __e->buf->reason);				\
	EXPECT_EQ(1, __e->buf->lun[0]);					\
	EXPECT_EQ(TAG, __e->buf->lun[1]);				\
	EXPECT_EQ((n) >> 8, __e->buf->lun[2]);				\
	EXPECT_EQ((n) & 0xff, __e->buf->lun[3]);			\
	EXPECT_EQ(-1, vs_not_all(__e->buf->lun + 4, 4, 0));		\
	EXPECT_EQ(16, __e->chain.used_len);				\
} while (0)

#endif /* EVENT_FIXTURE_H */
