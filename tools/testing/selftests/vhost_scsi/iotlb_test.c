// SPDX-License-Identifier: GPL-2.0
/*
 * A guest behind a virtual IOMMU: queues wait for translations and for nothing else, and
 * nothing is written through one that was taken away.
 */
#include <poll.h>
#include <semaphore.h>

#include "iotlb_fixture.h"
#include "vs_evt.h"
#include "vs_file.h"
#include "vs_module.h"
#include "vs_random.h"

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

TEST_F(iotlb, queues_wait_until_they_are_translated)
{
	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, end_reads(&self->reads));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
}

TEST_F(iotlb, queue_asks_for_one_thing_however_often_it_is_kicked)
{
	uint64_t iova;
	int i;

	COVERS("FEA-13 F-SE-10");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
		vs_ring_kick(self->ring);
		/* Nothing that the queue needs. */
		ASSERT_EQ(0, vs_iotlb_map(self->dev, 0, VS_PAGE, self->dev->mem.base,
					  VHOST_ACCESS_RW));
	}
	/* The kicks before the last one are through. */
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	for (i = 0; !vs_iotlb_read(self->dev, &iova); i++)
		;
	/* One for each turn of its worker since, and those are no more. */
	EXPECT_GE(3, i);
	vs_iotlb_pause(self->dev, false);
	/* What was read, and is not answered, is asked for again at the next kick only. */
	vs_ring_kick(self->ring);
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, events_wait_and_are_not_missed)
{
	struct vs_evt evt;

	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[0]));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	EXPECT_EQ(0, vs_ring_pending(&self->dev->ring[VS_EVT]));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET, evt.buf->event);
	vs_evt_put(&evt, self->dev);
}

TEST_F(iotlb, requests_that_come_during_an_invalidation_wait_for_its_end)
{
	struct vs_thread call;

	COVERS("FEA-13 F-MG-07");
	ASSERT_EQ(0, hold_reads(self->dev, &self->env.hold, &self->reads));
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_thread_start(&call, invalidate_all, self->dev));
	ASSERT_EQ(0, wait_idle(&call));
	ASSERT_EQ(0, submit_reads(self->dev, &self->more));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&call));
	/* Those of before, through what the ring had, with nobody to ask. */
	EXPECT_EQ(READS, vs_ring_pending(self->ring));
	EXPECT_EQ(0, end_reads(&self->reads));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, end_reads(&self->more));
}

/* A read of the first blocks into a piece of guest addresses of its own. */
static int read_into(iotlb_data *self, struct vs_req *req, void *piece)
{
	vs_req_get(req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(req, piece, VS_PAGE);
	return vs_req_submit(req);
}

TEST_F(iotlb, nothing_is_written_where_an_address_was)
{
	uint8_t *piece = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, piece);
	uint8_t *other = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	struct vs_thread call;
	struct vs_req req[2];

	COVERS("FEA-13 F-MG-07 F-SE-10");
	ASSERT_EQ(0, vs_iotlb_update(self->dev, iova));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	ASSERT_EQ(0, read_into(self, &req[0], piece));
	ASSERT_EQ(0, vs_ring_wait_taken(self->ring, vs_patience()));
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_thread_start(&call, invalidate_all, self->dev));
	ASSERT_EQ(0, wait_idle(&call));
	ASSERT_EQ(0, read_into(self, &req[1], piece));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&call));
	/* What was taken before has been written, and nothing will be any more. */
	EXPECT_EQ(-1, vs_differs(piece, VS_PAGE, 0));
	memset(piece, VS_POISON, VS_PAGE);
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova, VS_IOTLB_PIECE, other,
				  VHOST_ACCESS_RW));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_req_end_all(req, 2));
	EXPECT_EQ(-1, vs_differs(other, VS_PAGE, 0));
	EXPECT_EQ(-1, vs_not_all(piece, VS_PAGE, VS_POISON));
}

TEST_F(iotlb, buffers_in_pieces_are_asked_for_piece_by_piece)
{
	uint8_t *piece = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, piece);
	uint8_t *other = vs_mem_page(&self->dev->mem, 3), want[VS_PAGE];
	uint64_t missed;
	struct vs_req req;

	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	/* Nothing but what is in front of the piece, and of this only its ends. */
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, iova - VS_GPA, self->dev->mem.base,
				  VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova, 1000, other, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova + 3000, VS_PAGE - 3000,
				  other + 2 * VS_PAGE, VHOST_ACCESS_RW));
	/* The header and the response lie behind it. */
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&req, piece, VS_PAGE);
	ASSERT_EQ(0, vs_iotlb_update(self->dev, vs_mem_gpa(&self->dev->mem, req.hdr)));
	ASSERT_EQ(0, vs_iotlb_update(self->dev, vs_mem_gpa(&self->dev->mem, req.rsp)));
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(0, vs_iotlb_read(self->dev, &missed));
	EXPECT_EQ(iova + 1000, missed);
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova + 1000, 2000, other + VS_PAGE,
				  VHOST_ACCESS_RW));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	memcpy(want, other, 1000);
	memcpy(want + 1000, other + VS_PAGE, 2000);
	memcpy(want + 3000, other + 2 * VS_PAGE, VS_PAGE - 3000);
	EXPECT_EQ(-1, vs_differs(want, VS_PAGE, 0));
	vs_req_put(&req);
}

TEST_F(iotlb, buffer_of_more_pieces_than_a_chain_may_have_is_one_segment)
{
	enum { PAGES = 1100 };
	uint8_t *buf = vs_mem_alloc(&self->dev->mem, PAGES * VS_PAGE, VS_PAGE);
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, buf);
	struct vs_req req;
	unsigned int i;

	COVERS("FEA-13 F-MG-07 REQ-49");
	if (vs_iotlb_limit() < PAGES + 64)
		SKIP(return, "the IOTLB has too few entries");
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, PAGES * 8));
	vs_req_in(&req, buf, PAGES * VS_PAGE);
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_iotlb_invalidate(self->dev, iova, PAGES * VS_PAGE));
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, vs_iotlb_map(self->dev, iova + i * VS_PAGE, VS_PAGE,
					  buf + i * VS_PAGE, VHOST_ACCESS_RW));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_req_submit(&req));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(0, req.rsp->status);
	EXPECT_EQ(-1, vs_differs(buf, VS_PAGE, 0));
	vs_req_put(&req);
}

TEST_F(iotlb, endpoint_that_is_refused_asks_once)
{
	/* Not by vs_dev_set_endpoint(), which has the rings translated first. */
	const struct vhost_scsi_target target = {
		.abi_version = VHOST_SCSI_ABI_VERSION, .vhost_wwpn = VS_WWN,
	};
	unsigned int i, n = 0;
	uint64_t missed;

	COVERS("FEA-13 F-MG-07");
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(-EFAULT, vs_ioctl(self->dev->fd, VHOST_SCSI_SET_ENDPOINT, &target));
	while (!vs_iotlb_read(self->dev, &missed))
		n++;
	EXPECT_GE(self->dev->n_rings * 2, n);
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
}

/* Waits until the queue's error eventfd is signalled. */
static int wait_error(struct vs_ring *ring)
{
	struct pollfd pfd = { .fd = ring->err, .events = POLLIN };

	return poll(&pfd, 1, vs_patience()) == 1 ? 0 : -ETIMEDOUT;
}

TEST_F(iotlb, read_only_memory_is_read_and_not_written)
{
	uint8_t *piece = vs_mem_alloc(&self->dev->mem, VS_IOTLB_PIECE, VS_IOTLB_PIECE);
	const uint64_t iova = vs_mem_gpa(&self->dev->mem, piece);
	struct vs_cdb cdb = vs_cdb_rw10(VS_WRITE_10, 64, 8);
	struct vs_req req;

	COVERS("FEA-13 F-MG-07 F-SE-10");
	ASSERT_EQ(0, vs_iotlb_map(self->dev, iova, VS_IOTLB_PIECE, piece, VHOST_ACCESS_RO));
	vs_fill(piece, VS_PAGE, 77);
	EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0, cdb, piece, VS_PAGE));
	vs_ring_errors(self->ring);
	ASSERT_EQ(0, read_into(self, &req, piece));
	ASSERT_EQ(0, wait_error(self->ring));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	EXPECT_EQ(-1, vs_differs(piece, VS_PAGE, 77));
	/* It may, from now on. */
	ASSERT_EQ(0, vs_iotlb_invalidate(self->dev, iova, VS_IOTLB_PIECE));
	ASSERT_EQ(0, vs_iotlb_update(self->dev, iova));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(-1, vs_differs(piece, VS_PAGE, 0));
	vs_req_put(&req);
}

TEST_F(iotlb, rings_that_it_may_not_write_are_not_served)
{
	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, self->dev->mem.size,
				  self->dev->mem.base, VHOST_ACCESS_RO));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, self->dev->mem.size,
				  self->dev->mem.base, VHOST_ACCESS_RW));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, endpoint_ends_without_a_translation)
{
	COVERS("FEA-13 F-MG-07 IOC-03");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	vs_iotlb_pause(self->dev, false);
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, end_reads(&self->reads));
}

/* Without vs_iotlb_preload(). */
static int set_endpoint_only(struct vs_dev *dev)
{
	struct vhost_scsi_target target = { .abi_version = VHOST_SCSI_ABI_VERSION };

	strcpy(target.vhost_wwpn, VS_WWN);
	return vs_ioctl(dev->fd, VHOST_SCSI_SET_ENDPOINT, &target);
}

TEST_F(iotlb, acknowledging_it_again_begins_anew)
{
	uint64_t features = self->dev->features, iova;

	COVERS("FEA-13 IOC-01");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	/* Under an endpoint it changes nothing. */
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_FEATURES, &features));
	EXPECT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_iotlb_preload(self->dev));
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_FEATURES, &features));
	EXPECT_EQ(-EAGAIN, vs_iotlb_read(self->dev, &iova));
	/* The rings are where they were, but are not translated. */
	EXPECT_EQ(-EFAULT, set_endpoint_only(self->dev));
	vs_iotlb_pause(self->dev, false);
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, ring_that_moves_is_looked_for_where_it_is)
{
	struct vs_ring *ring = self->ring;
	struct vhost_vring_addr addr = {
		.index = ring->index,
		.desc_user_addr = 1 << 20,
		.avail_user_addr = 2 << 20,
		.used_user_addr = 3 << 20,
	};
	uint64_t iova;

	COVERS("FEA-13 F-MG-07");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_VRING_ADDR, &addr));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(0, vs_iotlb_read(self->dev, &iova));
	EXPECT_EQ(1 << 20, iova);
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	/* It is translated here, and no message comes. */
	ASSERT_EQ(0, vs_iotlb_map(self->dev, VS_GPA, self->dev->mem.size,
				  self->dev->mem.base, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_dev_set_addr(self->dev, ring));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, messages_that_are_wrong_are_refused)
{
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2 };
	const struct vhost_iotlb_msg wrong[] = {
		{ .type = 0 },
		{ .type = VHOST_IOTLB_MISS, .size = 1 },
		{ .type = VHOST_IOTLB_UPDATE, .iova = 1, .size = VS_IOTLB_ALL, .perm = 3 },
		{ .type = VHOST_IOTLB_UPDATE, .size = 4096, .uaddr = -4096ULL, .perm = 3 },
		{ .type = VHOST_IOTLB_UPDATE, .size = 4096, .uaddr = 1ULL << 63, .perm = 3 },
		{ .type = VHOST_IOTLB_BATCH_BEGIN },
	};
	uint64_t iova;
	size_t i;

	COVERS("F-MG-07 IOC-35");
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		msg.iotlb = wrong[i];
		EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg)));
		EXPECT_EQ(EFAULT, errno);
	}
	EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg.type)));
	EXPECT_EQ(EINVAL, errno);
	msg.iotlb = (struct vhost_iotlb_msg) { .type = VHOST_IOTLB_UPDATE };
	EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
	msg.type = 0;
	EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
	vs_iotlb_pause(self->dev, true);
	EXPECT_EQ(0, read(self->dev->fd, &msg, 1));
	EXPECT_EQ(-EAGAIN, vs_iotlb_read(self->dev, &iova));
	vs_iotlb_pause(self->dev, false);
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(iotlb, messages_have_their_first_form_unless_the_second_is_asked_for)
{
	struct vhost_msg msg = { 0 };
	uint64_t features = 0;

	COVERS("IOC-28 IOC-35");
	vs_iotlb_pause(self->dev, true);
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_BACKEND_FEATURES, &features));
	ASSERT_EQ(0, invalidate_all(self->dev));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, vs_iotlb_wait_miss(self->dev));
	ASSERT_EQ(sizeof(msg), read(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(VHOST_IOTLB_MSG, msg.type);
	EXPECT_EQ(VHOST_IOTLB_MISS, msg.iotlb.type);
	EXPECT_EQ(vs_mem_gpa(&self->dev->mem, self->ring->desc), msg.iotlb.iova);
	msg.iotlb = (struct vhost_iotlb_msg) {
		.iova = VS_GPA, .size = self->dev->mem.size,
		.uaddr = (uintptr_t)self->dev->mem.base, .perm = VHOST_ACCESS_RW,
		.type = VHOST_IOTLB_UPDATE,
	};
	EXPECT_EQ(sizeof(msg), write(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(0, end_reads(&self->reads));
}

/* Pieces that go at any time, but no more often than there is progress. */
struct storm {
	struct vs_thread thread;
	struct vs_dev *dev;
	sem_t go;
	bool stop;
};

static int blow(void *arg)
{
	struct storm *storm = arg;
	uint64_t seed = vs_seed(3);
	int ret = 0;

	while (!ret && !sem_wait(&storm->go) &&
	       !__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE)) {
		uint64_t at = VS_GPA + vs_pick(&seed, storm->dev->mem.size);

		ret = vs_chance(&seed, 30) ? invalidate_all(storm->dev) :
		      vs_iotlb_invalidate(storm->dev, at & -VS_IOTLB_PIECE,
					  VS_IOTLB_PIECE);
	}
	return ret;
}

FIXTURE(storm) {
	struct vs_env env;
	struct vs_dev *dev;
	struct storm storm;
};

typedef FIXTURE_DATA(storm) storm_data;

FIXTURE_VARIANT(storm) {
	unsigned int queues;
	bool own_workers;
	bool small;
};

FIXTURE_VARIANT_ADD(storm, one_worker) { .queues = 1 };
FIXTURE_VARIANT_ADD(storm, own_workers) { .queues = 4, .own_workers = true };
FIXTURE_VARIANT_ADD(storm, small_iotlb) { .queues = 2, .small = true };

/* The core's module, with room for so many translations; -EBUSY if others use it. */
static int reload(const char *params)
{
	char command[64];
	int ret = vs_module_unload();

	if (ret)
		return ret;
	if (!system("modprobe -r vhost")) {
		snprintf(command, sizeof(command), "modprobe vhost %s", params);
		ret = system(command) ? -EIO : 0;
	} else {
		ret = -EBUSY;
	}
	return vs_module_load("") ?: ret;
}

FIXTURE_SETUP(storm)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.iommu = true,
		.dev.n_io = variant->queues,
		.dev.own_workers = variant->own_workers,
	};

	if (variant->small && reload("max_iotlb_entries=64"))
		SKIP(return, "the vhost module cannot be loaded with another parameter");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->storm.dev = self->dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

FIXTURE_TEARDOWN(storm)
{
	if (self->dev)
		ENV_PUT(&self->env);
	if (variant->small && vs_iotlb_limit() == 64)
		EXPECT_EQ(0, reload(""));
}

/* One request in flight, with its buffer. */
struct piece {
	struct vs_req req;
	uint8_t *page;
	size_t len;
};

/* As many as there are, each to a place of its own on the disk. */
static int run_batch(storm_data *self, struct piece *piece, unsigned int queues, uint8_t op)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < READS && !ret; i++) {
		struct vs_req *req = &piece[i].req;

		vs_req_get(req, self->dev, TAG, 0, vs_cdb_rw10(op, i * 128, piece[i].len / 512));
		req->ring = &self->dev->ring[VS_IO + i % queues];
		if (op == VS_READ_10)
			vs_req_in(req, piece[i].page, piece[i].len);
		else
			vs_req_out(req, piece[i].page, piece[i].len);
		ret = vs_req_submit(req);
		if (i % 3 == 0)
			sem_post(&self->storm.go);
	}
	for (i = 0; i < READS && !ret; i++) {
		ret = vs_req_wait(&piece[i].req);
		if (piece[i].req.rsp->response || piece[i].req.rsp->status)
			ret = -EIO;
		vs_req_put(&piece[i].req);
	}
	return ret;
}

TEST_F(storm, data_is_right_whatever_is_taken_away)
{
	const unsigned int rounds = vs_rounds(8, 5000), queues = variant->queues;
	struct vs_mem *mem = &self->dev->mem;
	const size_t used = mem->used;
	struct piece piece[READS];
	uint64_t seed = vs_seed(4);
	unsigned int i, k;

	COVERS("FEA-13 F-MG-07");
	if (variant->small)
		ASSERT_EQ(64, vs_iotlb_limit());
	ASSERT_EQ(0, sem_init(&self->storm.go, 0, 0));
	ASSERT_EQ(0, vs_thread_start(&self->storm.thread, blow, &self->storm));
	for (i = 0; i < rounds; i++) {
		mem->used = used;
		for (k = 0; k < READS; k++) {
			piece[k].len = (1 + vs_pick(&seed, 16)) * VS_PAGE;
			/* Somewhere in the next 2 MiB. */
			vs_mem_page(mem, vs_pick(&seed, 500));
			piece[k].page = vs_mem_page(mem, 16);
			vs_fill(piece[k].page, piece[k].len, i + k);
		}
		ASSERT_EQ(0, run_batch(self, piece, queues, VS_WRITE_10));
		for (k = 0; k < READS; k++)
			memset(piece[k].page, 0, piece[k].len);
		ASSERT_EQ(0, run_batch(self, piece, queues, VS_READ_10));
		for (k = 0; k < READS; k++)
			ASSERT_EQ(-1, vs_differs(piece[k].page, piece[k].len, i + k));
	}
	__atomic_store_n(&self->storm.stop, true, __ATOMIC_RELEASE);
	sem_post(&self->storm.go);
	EXPECT_EQ(0, vs_thread_end(&self->storm.thread));
}

FIXTURE(plain) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(plain)
{
	const struct vs_env_opts opts = { };

	unsetenv("VS_IOTLB");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
}

ENV_TEARDOWN(plain);

TEST_F(plain, without_the_feature_there_is_no_iotlb)
{
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2 };
	struct pollfd ready = { .fd = self->dev->fd, .events = POLLIN | POLLOUT };

	COVERS("F-MG-07 IOC-35");
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(ready.events, ready.revents);
	EXPECT_EQ(-1, read(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
	msg.iotlb.type = VHOST_IOTLB_INVALIDATE;
	EXPECT_EQ(-1, write(self->dev->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(plain, rings_have_no_address_once_it_is_acknowledged)
{
	struct pollfd ready = { .fd = self->dev->fd, .events = POLLIN | POLLOUT };

	COVERS("FEA-13 IOC-35");
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN |
					 VS_BIT(VIRTIO_F_ACCESS_PLATFORM)));
	EXPECT_EQ(0, poll(&ready, 1, 0));
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(self->dev, VS_WWN));
}

TEST_HARNESS_MAIN
