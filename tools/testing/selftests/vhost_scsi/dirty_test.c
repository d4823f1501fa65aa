// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log is complete: whatever the device writes into guest memory is in it
 * before the guest can see that it was written, from VHOST_SET_FEATURES on, and nothing
 * is written into it once that has taken it away.
 */
#include <stdio.h>

#include "vs_dirty.h"
#include "vs_evt.h"
#include "vs_random.h"
#include "vs_test.h"
#include "vs_thread.h"

#define TAG	VS_TAG
#define MEM	(8 << 20)
#define RING	1024		/* the event is in another page than the index */
#define BATCH	12		/* requests in flight */
#define MAX_LEN	(64 << 10)	/* bytes of one */
#define FEW	40		/* rounds in a short run */
#define MANY	10000

#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET

FIXTURE(dirty) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_ring *ring;
	struct vs_dirty dirty;
	struct vs_req req[BATCH];
	size_t used;		/* guest memory that is not the requests' */
	uint64_t seed;
};

typedef FIXTURE_DATA(dirty) dirty_data;

FIXTURE_VARIANT(dirty) {
	uint64_t features;
	enum vs_disk disk;
	bool pin_memory;
	unsigned int busyloop;
};

FIXTURE_VARIANT_ADD(dirty, ramdisk) {
	.features = VS_F_EVENT_IDX,
};

FIXTURE_VARIANT_ADD(dirty, file_without_event_idx) {
	.disk = VS_DISK_FILE,
};

FIXTURE_VARIANT_ADD(dirty, block_device) {
	.features = VS_F_EVENT_IDX,
	.disk = VS_DISK_HOLD,
};

FIXTURE_VARIANT_ADD(dirty, pinned_memory) {
	.features = VS_F_EVENT_IDX,
	.pin_memory = true,
};

FIXTURE_VARIANT_ADD(dirty, polled_queue) {
	.features = VS_F_EVENT_IDX,
	.busyloop = 200,
};

FIXTURE_VARIANT_ADD(dirty, with_protection) {
	.features = VS_F_EVENT_IDX | VS_BIT(VIRTIO_SCSI_F_T10_PI),
};

static int poll_queue(struct vs_dev *dev, unsigned int us)
{
	struct vhost_vring_state state = { .index = VS_IO, .num = us };

	return us ? vs_ioctl(dev->fd, VHOST_SET_VRING_BUSYLOOP_TIMEOUT, &state) : 0;
}

/* The disk has data that no test writes into memory by itself. */
static int fill_disk(struct vs_dev *dev)
{
	uint8_t *buf = vs_mem_page(&dev->mem, MAX_LEN / VS_PAGE);
	struct vs_result res = {};
	uint32_t lba;

	for (lba = 0; lba < VS_DISK_MIB * 2048 && !res.err && !res.status; lba += MAX_LEN / 512) {
		vs_fill(buf, MAX_LEN, lba + 1);
		res = vs_scsi_write(dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, lba,
							     MAX_LEN / 512),
				    buf, MAX_LEN);
	}
	return res.err || res.response || res.status ? -EIO : 0;
}

FIXTURE_SETUP(dirty)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | variant->features,
		.dev.mem_size = MEM,
		.dev.ring_size = RING,
		.disk = variant->disk,
		.pin_memory = variant->pin_memory,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->ring = &self->dev->ring[VS_IO];
	self->seed = vs_seed(1) + variant->features + variant->disk + variant->busyloop;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, fill_disk(self->dev));
	ASSERT_EQ(0, poll_queue(self->dev, variant->busyloop));
	ASSERT_EQ(0, vs_dirty_get(&self->dirty, self->dev));
	vs_mem_page(&self->dev->mem, 1);
	self->used = self->dev->mem.used & -VS_PAGE;
}

FIXTURE_TEARDOWN(dirty)
{
	ENV_PUT(&self->env);
	vs_dirty_put(&self->dirty);
}

/* A buffer anywhere, in pieces of any length. */
static void add_data(dirty_data *self, struct vs_req *req, bool in, size_t len)
{
	size_t piece = vs_chance(&self->seed, 50) ? len :
		       512 + vs_pick(&self->seed, len);
	uint8_t *buf = vs_mem_alloc(&self->dev->mem, len + VS_PAGE, 1);

	buf += vs_chance(&self->seed, 50) ? 0 : vs_pick(&self->seed, VS_PAGE);
	if (in)
		vs_req_in_cut(req, buf, len, piece);
	else
		vs_req_out_cut(req, buf, len, piece);
}

/* A read, mostly; or what ends in another way. */
static void make_request(dirty_data *self, struct vs_req *req)
{
	uint32_t blocks = 1 + vs_pick(&self->seed, MAX_LEN / 512);
	uint32_t lba = vs_pick(&self->seed, VS_DISK_MIB * 2048 - blocks);
	unsigned int what = vs_pick(&self->seed, 10);

	if (what == 0)		/* LOGICAL BLOCK ADDRESS OUT OF RANGE */
		lba = VS_DISK_MIB * 2048;
	vs_req_get(req, self->dev, TAG, what == 1 ? 7 : 0,
		   what == 2 ? vs_cdb_op(0xff) :
		   vs_cdb_rw10(what == 3 ? VS_WRITE_10 : VS_READ_10, lba,
			       blocks));
	/* Too little data is a residual. */
	add_data(self, req, what != 3, blocks * 512);
	if (vs_chance(&self->seed, 50))
		req->chain.flags |= VS_INDIRECT;
}

/* Requests in fresh memory, all of whose bytes are unlike those of the disk. */
static int make_batch(dirty_data *self)
{
	struct vs_mem *mem = &self->dev->mem;
	unsigned int i;
	int ret = 0;

	mem->used = self->used;
	memset(mem->base + self->used, vs_pick(&self->seed, 256),
	       mem->size - self->used);
	for (i = 0; i < BATCH; i++)
		make_request(self, &self->req[i]);
	for (i = 0; i < BATCH && !ret; i++)
		ret = vs_ring_add(self->ring, &self->req[i].chain);
	return ret;
}

/* As the guest sees it first: by the used index. */
static int wait_used(struct vs_ring *ring, uint16_t idx)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (__atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE) != idx) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		usleep(100);
	}
	return 0;
}

/* What the core logs of the ring comes after the index that is waited for. */
static int wait_logged(struct vs_dirty *dirty, const void *p)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (!vs_dirty_has(dirty, p)) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		usleep(100);
	}
	return 0;
}

static int put_batch(dirty_data *self)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < BATCH; i++) {
		ret = vs_req_wait(&self->req[i]) ?: ret;
		vs_req_put(&self->req[i]);
	}
	return ret;
}

TEST_F(dirty, every_page_that_changes_is_logged)
{
	unsigned int i, rounds = vs_rounds(FEW, MANY);
	struct vs_mem *mem = &self->dev->mem;
	struct vs_dirty_pages pages = {};

	COVERS("F-MG-01 F-MG-02 F-MG-05 FEA-12");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	for (i = 0; i < rounds && !pages.missed; i++) {
		ASSERT_EQ(0, make_batch(self));
		vs_dirty_mark(&self->dirty);
		vs_ring_kick(self->ring);
		ASSERT_EQ(0, wait_used(self->ring, self->ring->next_avail));
		vs_dirty_compare(&self->dirty, mem->base + self->used,
				 mem->base + mem->used, &pages);
		ASSERT_EQ(0, wait_logged(&self->dirty, &self->ring->used->idx));
		if (variant->features & VS_F_EVENT_IDX)
			ASSERT_EQ(0, wait_logged(&self->dirty,
						 vs_ring_avail_event(self->ring)));
		ASSERT_EQ(0, put_batch(self));
	}
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
	fprintf(stderr, "# %u requests: %lu pages changed, %lu not logged, %lu for nothing\n",
		i * BATCH, pages.changed, pages.missed, pages.excess);
	EXPECT_EQ(0, pages.missed);
	EXPECT_LT(i, pages.changed);
}

TEST_F(dirty, what_is_in_flight_when_it_begins_is_logged_or_over)
{
	unsigned int i, rounds = vs_rounds(FEW, MANY);
	struct vs_mem *mem = &self->dev->mem;
	struct vs_dirty_pages pages = {};

	COVERS("F-MG-04");
	for (i = 0; i < rounds && !pages.missed; i++) {
		ASSERT_EQ(0, make_batch(self));
		vs_ring_kick(self->ring);
		ASSERT_EQ(0, vs_dirty_start(&self->dirty));
		vs_dirty_mark(&self->dirty);
		ASSERT_EQ(0, wait_used(self->ring, self->ring->next_avail));
		vs_dirty_compare(&self->dirty, mem->base + self->used,
				 mem->base + mem->used, &pages);
		ASSERT_EQ(0, put_batch(self));
		ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
	}
	EXPECT_EQ(0, pages.missed);
}

#define READS	8

FIXTURE(log) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dirty dirty;
	struct vs_req req[READS];
};

typedef FIXTURE_DATA(log) log_data;

FIXTURE_SETUP(log)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.mem_size = MEM,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, fill_disk(self->dev));
	ASSERT_EQ(0, vs_dirty_get(&self->dirty, self->dev));
}

FIXTURE_TEARDOWN(log)
{
	vs_hold_release();
	ENV_PUT(&self->env);
	vs_dirty_put(&self->dirty);
}

static int submit_reads(log_data *self)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < READS && !ret; i++) {
		vs_req_get(&self->req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&self->req[i], vs_mem_page(&self->dev->mem, 1), VS_PAGE);
		ret = vs_req_submit(&self->req[i]);
	}
	return ret;
}

/* The disk keeps them. Returns once the device has taken them. */
static int hold_reads(log_data *self)
{
	int ret = vs_hold_stop(&self->env.hold);

	if (!ret)
		ret = submit_reads(self);
	return ret ? ret : vs_ring_wait_taken(self->req[0].ring, vs_patience());
}

static int put_reads(log_data *self)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < READS; i++) {
		ret = vs_req_wait(&self->req[i]) ?: ret;
		vs_req_put(&self->req[i]);
	}
	return ret;
}

TEST_F(log, nothing_is_logged_unless_the_guest_is_to_be)
{
	uint64_t base = (uintptr_t)self->dirty.bitmap;
	size_t i;

	COVERS("F-MG-01");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &base));
	ASSERT_EQ(0, submit_reads(self));
	ASSERT_EQ(0, put_reads(self));
	for (i = 0; i < self->dirty.size && !self->dirty.bitmap[i]; i++)
		;
	EXPECT_EQ(self->dirty.size, i);
}

TEST_F(log, answers_of_the_control_queue_are_logged)
{
	struct vs_ring *ctl = &self->dev->ring[VS_CTL];
	struct virtio_scsi_ctrl_an_req *an;
	uint8_t *function, *notification;
	struct vs_chain tmf, query;

	COVERS("F-MG-01 FEA-12");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	vs_chain_get(&tmf);
	function = vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
	vs_chain_get(&query);
	an = vs_mem_page(&self->dev->mem, 1);
	an->type = VIRTIO_SCSI_T_AN_QUERY;
	vs_lun(an->lun, TAG, 0);
	notification = vs_mem_page(&self->dev->mem, 1);
	vs_chain_out(&query, &self->dev->mem, an, sizeof(*an));
	vs_chain_in(&query, &self->dev->mem, notification,
		    sizeof(struct virtio_scsi_ctrl_an_resp));
	vs_dirty_mark(&self->dirty);
	ASSERT_EQ(0, vs_chain_run(ctl, &tmf));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, function));
	ASSERT_EQ(0, vs_chain_run(ctl, &query));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, notification));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, ctl->used));
	vs_chain_put(&tmf);
	vs_chain_put(&query);
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_F(log, events_are_logged)
{
	struct vs_evt evt;

	COVERS("F-MG-01 FEA-12");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	vs_dirty_mark(&self->dirty);
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[0]));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, evt.buf));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
	vs_evt_put(&evt, self->dev);
}

TEST_F(log, a_log_that_cannot_be_written_loses_no_command)
{
	COVERS("F-MG-03");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, mprotect(self->dirty.bitmap, self->dirty.size, PROT_READ));
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, put_reads(self));
	ASSERT_EQ(0, munmap(self->dirty.bitmap, self->dirty.size));
	self->dirty.bitmap = NULL;
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, put_reads(self));
	EXPECT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_F(log, other_features_stay_as_they_are)
{
	uint64_t log = VS_BIT(VHOST_F_LOG_ALL);

	COVERS("FEA-12");
	EXPECT_EQ(-EBUSY, vs_dev_set_features(self->dev, log |
			(self->dev->features ^ VS_F_EVENT_IDX)));
	EXPECT_EQ(0, vs_dev_set_features(self->dev, log | self->dev->features));
	EXPECT_EQ(0, vs_dev_set_features(self->dev, self->dev->features));
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, put_reads(self));
}

TEST_F(log, commands_from_before_the_log_are_waited_for)
{
	struct vs_dirty_pages pages = {};
	struct vs_mem *mem = &self->dev->mem;
	uint64_t base = (uintptr_t)self->dirty.bitmap;
	pid_t helper;
	int status;

	COVERS("F-MG-04");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &base));
	ASSERT_EQ(0, hold_reads(self));
	helper = vs_hold_go_once_stuck(&self->env.hold, getpid());
	ASSERT_LT(0, helper);
	ASSERT_EQ(0, vs_dirty_set_features(&self->dirty, true));
	vs_dirty_mark(&self->dirty);
	EXPECT_EQ(READS, vs_ring_pending(self->req[0].ring));
	ASSERT_EQ(helper, waitpid(helper, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, put_reads(self));
	vs_dirty_compare(&self->dirty, self->req[0].rsp, mem->base + mem->used, &pages);
	EXPECT_EQ(0, pages.missed);
	EXPECT_EQ(0, vs_dirty_set_features(&self->dirty, false));
}

TEST_F(log, commands_from_before_its_end_leave_the_log_alone)
{
	size_t i;

	COVERS("F-MG-04");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, hold_reads(self));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
	/* It may be other memory of the VMM's by now. */
	memset(self->dirty.bitmap, 0, self->dirty.size);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, put_reads(self));
	for (i = 0; i < self->dirty.size && !self->dirty.bitmap[i]; i++)
		;
	EXPECT_EQ(self->dirty.size, i);
}

TEST_F(log, commands_that_are_aborted_are_logged)
{
	struct vs_ring *ctl = &self->dev->ring[VS_CTL];
	struct vs_chain tmf;
	unsigned int i;

	COVERS("F-MG-01");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, hold_reads(self));
	vs_chain_get(&tmf);
	vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
	vs_dirty_mark(&self->dirty);
	ASSERT_EQ(0, vs_ring_add(ctl, &tmf));
	vs_ring_kick(ctl);
	ASSERT_EQ(0, vs_lio_wait_aborts(1));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_chain_wait(ctl, &tmf, vs_patience()));
	EXPECT_EQ(0, put_reads(self));
	for (i = 0; i < READS; i++)
		EXPECT_TRUE(vs_dirty_has(&self->dirty, self->req[i].rsp));
	vs_chain_put(&tmf);
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_HARNESS_MAIN
