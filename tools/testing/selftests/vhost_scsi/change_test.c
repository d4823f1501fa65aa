// SPDX-License-Identifier: GPL-2.0
/* Units that change under a guest: capacity, and what mode pages say. */
#include "vs_evt.h"
#include "vs_test.h"

#define TAG		VS_TAG
#define OTHER_NEXUS	"naa.5001405f00d0000b"
#define MORE		(VS_HOLD_MIB + 4)
#define CAPACITY	0x09	/* 2A/09, CAPACITY DATA HAS CHANGED */
#define MODE		0x01	/* 2A/01, MODE PARAMETERS CHANGED */
#define N_EVT		4
/* Units are looked at twice a second. */
#define SOON_MS		1500

FIXTURE(change) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_evt evt[N_EVT];
	unsigned int seen;
};

FIXTURE_VARIANT(change) {
	bool acked;
};

FIXTURE_VARIANT_ADD(change, acknowledged) {
	.acked = true,
};

FIXTURE_VARIANT_ADD(change, not_acknowledged) {
	.acked = false,
};

FIXTURE_SETUP(change)
{
	struct vs_env_opts opts = { .disk = VS_DISK_HOLD };
	unsigned int i;

	opts.dev.features = VS_F_MODERN;
	if (variant->acked)
		opts.dev.features |= VS_BIT(VIRTIO_SCSI_F_CHANGE);
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	for (i = 0; i < N_EVT; i++)
		ASSERT_EQ(0, vs_evt_post(&self->evt[i], self->dev));
}

FIXTURE_TEARDOWN(change)
{
	unsigned int i;

	ENV_PUT(&self->env);
	for (i = 0; i < N_EVT; i++)
		vs_chain_put(&self->evt[i].chain);
}

static struct vs_result ready(struct vs_dev *dev, uint16_t lun)
{
	return vs_scsi_read(dev, TAG, lun, vs_cdb_op(VS_TEST_UNIT_READY), NULL,
			    0);
}

/* What the unit says once it has something to say. */
static struct vs_result attention(struct vs_dev *dev, uint16_t lun)
{
	int64_t end = vs_now_ms() + vs_patience();
	struct vs_result res;

	do {
		res = ready(dev, lun);
		if (res.err || res.response || res.status)
			break;
		usleep(50000);
	} while (vs_now_ms() < end);
	return res;
}

/* An event says what has changed, if that is wanted. */
#define EXPECT_EVENT(lun_nr, ascq) do {					\
	struct virtio_scsi_event *__e = self->evt[self->seen].buf;	\
									\
	if (!variant->acked)						\
		break;							\
	ASSERT_EQ(0, vs_evt_wait(&self->evt[self->seen++], self->dev));	\
	EXPECT_EQ(VIRTIO_SCSI_T_PARAM_CHANGE, __e->event);		\
	EXPECT_EQ(0x2a | (ascq) << 8, __e->reason);			\
	EXPECT_EQ(TAG, __e->lun[1]);					\
	EXPECT_EQ(lun_nr, __e->lun[3]);					\
} while (0)

/* And the unit says so, once, with or without an event before. */
#define EXPECT_CHANGE(lun_nr, ascq) do {				\
	EXPECT_EVENT(lun_nr, ascq);					\
	EXPECT_CC(6, 0x2a, ascq, attention(self->dev, lun_nr));		\
	EXPECT_GOOD(ready(self->dev, lun_nr));				\
	if (!variant->acked)						\
		EXPECT_EQ(0, vs_ring_pending(&self->dev->ring[VS_EVT]));\
} while (0)

TEST_F(change, block_device_that_grows_is_reported_once)
{
	uint8_t *buf = vs_mem_alloc(&self->dev->mem, 64, 64);

	COVERS("EVT-16 FEA-19 SCSI-06 F-EV-09 EVT-15");
	ASSERT_EQ(VS_HOLD_MIB * 2048, vs_scsi_blocks(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", MORE));
	EXPECT_EVENT(0, CAPACITY);
	/* These do not report it. */
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_inquiry(36), buf,
				 36));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_report_luns(64), buf,
				 64));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_len6(VS_REQUEST_SENSE, 0, 18), buf,
				 18));
	EXPECT_CC(6, 0x2a, CAPACITY, attention(self->dev, 0));
	EXPECT_GOOD(ready(self->dev, 0));
	EXPECT_EQ(MORE * 2048, vs_scsi_blocks(self->dev, TAG, 0));
	/* And back again. */
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", VS_HOLD_MIB));
	EXPECT_CHANGE(0, CAPACITY);
	EXPECT_EQ(VS_HOLD_MIB * 2048, vs_scsi_blocks(self->dev, TAG, 0));
}

TEST_F(change, each_nexus_is_told_once)
{
	struct vs_dev_opts opts = { .features = VS_F_MODERN };
	struct vs_dev other;

	COVERS("SCSI-06 F-EV-09");
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, TAG, OTHER_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN2, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_open(&other, &opts));
	ASSERT_EQ(0, vs_dev_setup(&other));
	ASSERT_EQ(0, vs_dev_set_endpoint(&other, VS_WWN2));
	ASSERT_EQ(0, vs_scsi_settle(&other, TAG, 0));
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", MORE));
	EXPECT_CC(6, 0x2a, CAPACITY, attention(self->dev, 0));
	EXPECT_CC(6, 0x2a, CAPACITY, attention(&other, 0));
	EXPECT_GOOD(ready(self->dev, 0));
	EXPECT_GOOD(ready(&other, 0));
	vs_dev_close(&other);
}

TEST_F(change, file_that_grows_is_reported_at_its_own_unit_only)
{
	char path[256], control[64];

	COVERS("EVT-16 SCSI-06 F-EV-09 F-AD-08");
	ASSERT_EQ(0, vs_fileio_get(&self->env.bs[1], 1, VS_FILE, 2));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, &self->env.bs[1]));
	/* The event of the link, and 3F/0E. */
	ASSERT_EQ(0, vs_evt_wait(&self->evt[self->seen++], self->dev));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
	/* LIO takes the size of a file from its parameters. */
	ASSERT_EQ(0, truncate(VS_FILE, 3 << 20));
	snprintf(path, sizeof(path), "%s/control", self->env.bs[1].path);
	snprintf(control, sizeof(control), "fd_dev_size=%u", 3 << 20);
	ASSERT_EQ(0, vs_write_file(path, control));
	EXPECT_CHANGE(5, CAPACITY);
	EXPECT_GOOD(ready(self->dev, 0));
	EXPECT_EQ(3 * 2048, vs_scsi_blocks(self->dev, TAG, 5));
}

TEST_F(change, write_cache_is_a_mode_parameter)
{
	COVERS("EVT-16 SCSI-06 F-AD-08");
	ASSERT_EQ(0, vs_fileio_get(&self->env.bs[1], 1, VS_FILE, 2));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, &self->env.bs[1]));
	ASSERT_EQ(0, vs_evt_wait(&self->evt[self->seen++], self->dev));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
	ASSERT_EQ(0, vs_backstore_attr(&self->env.bs[1],
				       "emulate_write_cache", "1"));
	EXPECT_CHANGE(5, MODE);
}

/* As a guest does that boots: all rings are new. */
static int boot(struct vs_dev *dev)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < dev->n_rings && !ret; i++) {
		struct vs_ring *ring = &dev->ring[i];

		ring->used->idx = 0;
		ring->avail->idx = 0;
		ring->last_used = 0;
		ring->next_avail = 0;
		ret = vs_dev_set_ring(dev, ring);
	}
	return ret;
}

TEST_F(change, guest_that_goes_on_is_told_what_changed_meanwhile)
{
	struct vs_result res = { .status = VS_CHECK_CONDITION };
	unsigned int i;

	COVERS("EVT-22 SCSI-06 F-MG-08");
	/* Nothing. */
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_GOOD(ready(self->dev, 0));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", MORE));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_CC(6, 0x2a, CAPACITY, ready(self->dev, 0));
	EXPECT_GOOD(ready(self->dev, 0));
	/* Before it stops, and mostly before the device has seen it. */
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", VS_HOLD_MIB));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_CC(6, 0x2a, CAPACITY, ready(self->dev, 0));
	EXPECT_GOOD(ready(self->dev, 0));
	/* A nexus that is made anew has nothing to be told. */
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", MORE));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	/* But what LIO tells each one. */
	for (i = 0; i < 8 && res.status; i++) {
		res = ready(self->dev, 0);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, res);
		EXPECT_NE(6 << 16 | 0x2a << 8 | CAPACITY, res.sense);
	}
	EXPECT_EQ(VS_GOOD, res.status);
}

TEST_F(change, nothing_is_reported_without_a_change_or_to_the_next_guest)
{
	COVERS("EVT-16 EVT-17 SCSI-06");
	/* Nothing comes, however long that is. */
	usleep(SOON_MS * 1000);
	EXPECT_EQ(0, vs_ring_pending(&self->dev->ring[VS_EVT]));
	EXPECT_GOOD(ready(self->dev, 0));
	/* A change that waits, and one without an endpoint. */
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", MORE));
	if (variant->acked) {
		ASSERT_EQ(0, vs_evt_wait(&self->evt[self->seen++], self->dev));
	} else {
		/* What would show it takes it away: here it mostly waits. */
		usleep(SOON_MS * 1000);
	}
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", VS_HOLD_MIB));
	ASSERT_EQ(0, boot(self->dev));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	/* Nothing comes. */
	usleep(SOON_MS * 1000);
	EXPECT_GOOD(ready(self->dev, 0));
	EXPECT_EQ(VS_HOLD_MIB * 2048, vs_scsi_blocks(self->dev, TAG, 0));
}

TEST_HARNESS_MAIN
