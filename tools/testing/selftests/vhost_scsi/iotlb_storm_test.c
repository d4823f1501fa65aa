// SPDX-License-Identifier: GPL-2.0
/* A guest behind a virtual IOMMU, whose translations go at any time. */
#include <semaphore.h>

#include "iotlb_fixture.h"
#include "vs_random.h"

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

FIXTURE_SETUP(storm)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.iommu = true,
		.dev.n_io = variant->queues,
		.dev.own_workers = variant->own_workers,
	};

	if (variant->small && vs_iotlb_reload(64))
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
		EXPECT_EQ(0, vs_iotlb_reload(0));
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

TEST_HARNESS_MAIN
