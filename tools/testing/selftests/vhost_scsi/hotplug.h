/* SPDX-License-Identifier: GPL-2.0 */
/* A second target of the endpoint, and what the guest hears of it. */
#ifndef HOTPLUG_H
#define HOTPLUG_H

#include "vs_evt.h"
#include "vs_test.h"

#define TAG		VS_TAG
#define NEW		2	/* a target that comes later */
#define NEW_NEXUS	"naa.5001405f00d0000c"
#define RESCAN		VIRTIO_SCSI_EVT_RESET_RESCAN
#define REMOVED		VIRTIO_SCSI_EVT_RESET_REMOVED
#define N_EVT		8

/* The next event is about this unit, and says this. */
#define EXPECT_EVENT(why, tag, lun_nr) do {				\
	struct virtio_scsi_event *__e = self->evt[self->seen].buf;	\
									\
	ASSERT_EQ(0, vs_evt_wait(&self->evt[self->seen], self->dev));	\
	self->seen++;							\
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET, __e->event);		\
	EXPECT_EQ(why, __e->reason);					\
	EXPECT_EQ(tag, __e->lun[1]);					\
	EXPECT_EQ(lun_nr, __e->lun[3]);					\
} while (0)

static inline struct vs_result inquiry(struct vs_dev *dev, uint8_t tag)
{
	return vs_scsi_read(dev, tag, 0, vs_cdb_inquiry(36),
			    vs_mem_alloc(&dev->mem, 64, 64), 36);
}

static inline int plug(void)
{
	int ret = vs_tpg_get(VS_WWN, NEW);

	return ret ? ret : vs_nexus_write(VS_WWN, NEW, NEW_NEXUS);
}

#endif /* HOTPLUG_H */
