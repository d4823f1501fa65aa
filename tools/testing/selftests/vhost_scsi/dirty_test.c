// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log is complete: whatever the device writes into guest memory is in it
 * before the guest can see that it was written, from VHOST_SET_FEATURES on.
 */
#include <stdio.h>

#include "dirty_fixture.h"
#include "vs_random.h"
#include "vs_thread.h"

#define RING	1024		/* the event is in another page than the index */
#define BATCH	12		/* requests in flight */
#define FEW	10		/* rounds in a short run */
#define MANY	400

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
		ASSERT_EQ(0, vs_req_end_all(self->req, BATCH));
	}
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
	fprintf(stderr, "# %u requests: %lu pages changed, %lu not logged, %lu for nothing\n",
		i * BATCH, pages.changed, pages.missed, pages.excess);
	EXPECT_EQ(0, pages.missed);
	/* A queue that is polled may be served before the copy is made. */
	if (!variant->busyloop)
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
		ASSERT_EQ(0, vs_req_end_all(self->req, BATCH));
		ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
	}
	EXPECT_EQ(0, pages.missed);
}

/* A VMM that goes on and on. */
struct follower {
	struct vs_thread thread;
	struct vs_dirty *dirty;
	bool stop;
};

static int follow(void *arg)
{
	struct follower *f = arg;

	while (!__atomic_load_n(&f->stop, __ATOMIC_ACQUIRE))
		vs_dirty_follow(f->dirty);
	return 0;
}

/* Logged before it was written, a page would be copied as it was. */
TEST_F(dirty, a_copy_that_follows_the_log_is_like_memory)
{
	unsigned int i, rounds = vs_rounds(FEW, MANY);
	struct vs_mem *mem = &self->dev->mem;
	struct follower f = { .dirty = &self->dirty };

	COVERS("F-MG-01 FEA-12");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, make_batch(self));
		vs_dirty_mark(&self->dirty);
		f.stop = false;
		ASSERT_EQ(0, vs_thread_start(&f.thread, follow, &f));
		vs_ring_kick(self->ring);
		EXPECT_EQ(0, wait_used(self->ring, self->ring->next_avail));
		__atomic_store_n(&f.stop, true, __ATOMIC_RELEASE);
		ASSERT_EQ(0, vs_thread_end(&f.thread));
		vs_dirty_follow(&self->dirty);
		ASSERT_EQ(0, memcmp(mem->base + self->used,
				    self->dirty.copy + self->used,
				    mem->used - self->used));
		ASSERT_EQ(0, vs_req_end_all(self->req, BATCH));
	}
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_HARNESS_MAIN
