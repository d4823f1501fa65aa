// SPDX-License-Identifier: GPL-2.0
/* Kicks, by the thousand, whether there is something to do or not. */
#include <pthread.h>

#include "vs_evt.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define N_IO	8
#define N_THR	4
#define KICKS	20000	/* at least, of all threads */

FIXTURE(kick) {
	struct vs_env env;
	struct vs_dev *dev;
	pthread_t thread[N_THR];
	unsigned long kicks;
	bool stop;
};

FIXTURE_SETUP(kick)
{
	struct vs_env_opts opts = { .dev.n_io = N_IO };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(kick);

typedef FIXTURE_DATA(kick) kick_data;

/* Kicks every queue that there is, the control and event queues too. */
static void *storm(void *arg)
{
	kick_data *self = arg;
	unsigned int i;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		for (i = 0; i < self->dev->n_rings; i++)
			vs_ring_kick(&self->dev->ring[i]);
		__atomic_add_fetch(&self->kicks, i, __ATOMIC_RELAXED);
	}
	return NULL;
}

static struct vs_result read_on(struct vs_dev *dev, unsigned int io,
				uint8_t *buf)
{
	struct vs_req req;

	vs_req_get(&req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, io, 1));
	vs_req_in(&req, buf, 512);
	req.ring = &dev->ring[VS_IO + io];
	return vs_req_finish(&req);
}

/* The workers use no processor any more. */
static bool rests(void)
{
	int64_t end = vs_now_ms() + vs_patience();
	uint64_t before, after;

	vs_threads(true, &after);
	do {
		before = after;
		usleep(300000);
		vs_threads(true, &after);
		if (after == before)
			return true;
	} while (vs_now_ms() < end);
	return false;
}

TEST_F(kick, storm_on_all_queues_keeps_none_from_its_requests)
{
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
	size_t mark = self->dev->mem.used;
	unsigned int i, rounds = 0;

	COVERS("F-RG-23 REQ-40");
	for (i = 0; i < N_THR; i++)
		ASSERT_EQ(0, pthread_create(&self->thread[i], NULL, storm,
					    self));
	do {
		self->dev->mem.used = mark;
		for (i = 0; i < N_IO; i++)
			ASSERT_GOOD(read_on(self->dev, i, buf));
		rounds++;
	} while (__atomic_load_n(&self->kicks, __ATOMIC_RELAXED) < KICKS);
	self->stop = true;
	for (i = 0; i < N_THR; i++)
		ASSERT_EQ(0, pthread_join(self->thread[i], NULL));
	TH_LOG("%lu kicks, %u rounds", self->kicks, rounds);
	EXPECT_TRUE(rests());
	for (i = 0; i < self->dev->n_rings; i++)
		EXPECT_EQ(0, vs_ring_pending(&self->dev->ring[i]));
}

TEST_F(kick, missed_event_is_told_once_however_often_one_asks)
{
	struct vs_ring *ring = &self->dev->ring[VS_EVT];
	uint32_t missed = 1;
	struct vs_evt evt[3];
	unsigned int i;

	COVERS("F-RG-23 EVT-09 EVT-19");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SCSI_SET_EVENTS_MISSED,
			      &missed));
	/* Nobody can be told without a buffer. */
	for (i = 0; i < 1000; i++)
		vs_ring_kick(ring);
	EXPECT_TRUE(rests());
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SCSI_GET_EVENTS_MISSED,
			      &missed));
	EXPECT_EQ(1, missed);
	for (i = 0; i < ARRAY_SIZE(evt); i++)
		ASSERT_EQ(0, vs_evt_post(&evt[i], self->dev));
	ASSERT_EQ(0, vs_evt_wait(&evt[0], self->dev));
	EXPECT_EQ(VIRTIO_SCSI_T_NO_EVENT | VIRTIO_SCSI_T_EVENTS_MISSED,
		  evt[0].buf->event);
	for (i = 0; i < 1000; i++)
		vs_ring_kick(ring);
	EXPECT_TRUE(rests());
	EXPECT_EQ(0, vs_ring_pending(ring));
	for (i = 0; i < ARRAY_SIZE(evt); i++)
		vs_evt_put(&evt[i], self->dev);
}

TEST_HARNESS_MAIN
