// SPDX-License-Identifier: GPL-2.0
/*
 * Rings written by hand: what no driver would do. A chain that the core cannot
 * take stops its ring alone, says so once, and is over with the next reset.
 */
#include <pthread.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define NEXT	VRING_DESC_F_NEXT
#define WRITE	VRING_DESC_F_WRITE
#define INDIR	VRING_DESC_F_INDIRECT

/* Where nothing lies in the guest. */
#define NOWHERE	0x7000000000ULL

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

/* One way to break a ring: writes descriptors and makes them available. */
struct fault {
	const char *name;
	void (*make)(struct vs_dev *dev, struct vs_ring *ring);
};

static uint64_t scratch(struct vs_dev *dev, size_t size)
{
	return vs_mem_gpa(&dev->mem, vs_mem_alloc(&dev->mem, size, 64));
}

/* An indirect table of n descriptors in guest memory. */
static struct vring_desc *table(struct vs_dev *dev, struct vs_ring *ring,
				unsigned int n, uint32_t len, uint16_t flags)
{
	struct vring_desc *t = vs_mem_alloc(&dev->mem, n * sizeof(*t), 16);

	memset(t, 0, n * sizeof(*t));
	vs_ring_write_desc(ring, 0, vs_mem_gpa(&dev->mem, t), len,
			   INDIR | flags, 1);
	return t;
}

static void self_loop(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 64), 64, NEXT, 0);
	vs_ring_expose(ring, 0);
}

static void loop_of_two(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 64), 64, NEXT, 1);
	vs_ring_write_desc(ring, 1, scratch(dev, 64), 64, NEXT, 0);
	vs_ring_expose(ring, 0);
}

static void next_outside(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 64), 64, NEXT, ring->num);
	vs_ring_expose(ring, 0);
}

static void loop_in_table(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vring_desc *t = table(dev, ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 64), 64, NEXT, 1 };
	t[1] = (struct vring_desc){ scratch(dev, 64), 64, NEXT, 0 };
	vs_ring_expose(ring, 0);
}

/* The core reads a table from first to last, whatever "next" says. */
static void table_without_end(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vring_desc *t = table(dev, ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 64), 64, NEXT, 2 };
	t[1] = (struct vring_desc){ scratch(dev, 64), 64, NEXT, 2 };
	vs_ring_expose(ring, 0);
}

static void empty_table(struct vs_dev *dev, struct vs_ring *ring)
{
	table(dev, ring, 2, 0, 0);
	vs_ring_expose(ring, 0);
}

static void odd_table(struct vs_dev *dev, struct vs_ring *ring)
{
	table(dev, ring, 2, 17, 0);
	vs_ring_expose(ring, 0);
}

static void table_of_1025(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vring_desc *t = table(dev, ring, 1025, 1025 * 16, 0);
	uint64_t gpa = scratch(dev, 64);
	unsigned int i;

	for (i = 0; i < 1025; i++)
		t[i] = (struct vring_desc){ gpa, 64, i < 1024 ? NEXT : 0,
					    i + 1 };
	vs_ring_expose(ring, 0);
}

static void table_of_65537(struct vs_dev *dev, struct vs_ring *ring)
{
	table(dev, ring, 65537, 65537 * 16, 0);
	vs_ring_expose(ring, 0);
}

static void nested_table(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vring_desc *t = table(dev, ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 64), 32, INDIR, 0 };
	vs_ring_expose(ring, 0);
}

static void table_writes_before_it_reads(struct vs_dev *dev,
					 struct vs_ring *ring)
{
	struct vring_desc *t = table(dev, ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 128), 108, NEXT | WRITE, 1 };
	t[1] = (struct vring_desc){ scratch(dev, 64), 51, 0, 0 };
	vs_ring_expose(ring, 0);
}

/* The second of two entries, the first of which is a good header. */
static void table_with(struct vs_dev *dev, struct vs_ring *ring, uint64_t addr,
		       uint32_t len)
{
	struct vring_desc *t = table(dev, ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 64), 51, NEXT, 1 };
	t[1] = (struct vring_desc){ addr, len, WRITE, 0 };
	vs_ring_expose(ring, 0);
}

static void table_points_nowhere(struct vs_dev *dev, struct vs_ring *ring)
{
	table_with(dev, ring, NOWHERE, 108);
}

static void table_points_over_the_end(struct vs_dev *dev, struct vs_ring *ring)
{
	table_with(dev, ring, VS_GPA + dev->mem.size - 107, 108);
}

static void table_points_before_the_start(struct vs_dev *dev,
					  struct vs_ring *ring)
{
	table_with(dev, ring, VS_GPA - 1, 108);
}

static void table_address_wraps(struct vs_dev *dev, struct vs_ring *ring)
{
	table_with(dev, ring, ~0ULL - 16, 108);
}

static void table_length_is_the_largest(struct vs_dev *dev,
					struct vs_ring *ring)
{
	table_with(dev, ring, scratch(dev, 128), 0xffffffff);
}

static void table_is_nowhere(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_write_desc(ring, 0, NOWHERE, 32, INDIR, 0);
	vs_ring_expose(ring, 0);
}

static void table_is_over_the_end(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, VS_GPA + dev->mem.size - 16, 32, INDIR, 0);
	vs_ring_expose(ring, 0);
}

static void write_before_read(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 128), 108, NEXT | WRITE, 1);
	vs_ring_write_desc(ring, 1, scratch(dev, 64), 51, 0, 0);
	vs_ring_expose(ring, 0);
}

static void address_nowhere(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_write_desc(ring, 0, NOWHERE, 64, 0, 0);
	vs_ring_expose(ring, 0);
}

static void buffer_over_the_end(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, VS_GPA + dev->mem.size - 32, 64, 0, 0);
	vs_ring_expose(ring, 0);
}

static void address_wraps(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_write_desc(ring, 0, ~0ULL - 16, 64, 0, 0);
	vs_ring_expose(ring, 0);
}

static void length_is_the_largest(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 64), 0xffffffff, 0, 0);
	vs_ring_expose(ring, 0);
}

static void head_is_num(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_expose(ring, ring->num);
}

static void head_is_ffff(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_expose(ring, 0xffff);
}

static void index_jumps(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	ring->next_avail += ring->num + 1;
	ring->avail->idx = ring->next_avail;
}

static void index_goes_back(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	ring->next_avail--;
	ring->avail->idx = ring->next_avail;
}

/* True once the error eventfd was signalled. */
static bool complained(struct vs_ring *ring)
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
static int reset_ring(struct vs_dev *dev, struct vs_ring *ring)
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
static int ring_works(struct vs_dev *dev, struct vs_ring *ring)
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

#define EXPECT_STUCK(fault, n) do {					\
	size_t __mark = self->dev->mem.used;				\
	size_t __i;							\
									\
	for (__i = 0; __i < (n); __i++) {				\
		const struct fault *__f = &(fault)[__i];		\
									\
		TH_LOG("%s", __f->name);				\
		self->dev->mem.used = __mark;				\
		__f->make(self->dev, self->ring);			\
		vs_ring_kick(self->ring);				\
		EXPECT_TRUE(complained(self->ring));			\
		/* No answer, no spinning, and the others go on. */	\
		EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));	\
		vs_ring_errors(self->ring);				\
		usleep(20000);						\
		EXPECT_EQ(0, vs_ring_errors(self->ring));		\
		EXPECT_EQ(0, vs_ring_pending(self->ring));		\
		ASSERT_EQ(0, reset_ring(self->dev, self->ring));	\
		EXPECT_EQ(0, ring_works(self->dev, self->ring));	\
		ASSERT_EQ(0, reset_ring(self->dev, self->ring));	\
	}								\
} while (0)

#define F(fn) { #fn, fn }

TEST_F(ring, broken_links_stop_the_ring_alone)
{
	static const struct fault fault[] = {
		F(self_loop), F(loop_of_two), F(next_outside),
		F(loop_in_table), F(table_without_end), F(write_before_read),
	};

	COVERS("F-RG-01 F-RG-15 REQ-49");
	EXPECT_STUCK(fault, ARRAY_SIZE(fault));
}

TEST_F(ring, broken_tables_stop_the_ring_alone)
{
	static const struct fault fault[] = {
		F(empty_table), F(odd_table), F(table_of_1025),
		F(table_of_65537), F(nested_table),
		F(table_writes_before_it_reads), F(table_points_nowhere),
		F(table_points_over_the_end), F(table_points_before_the_start),
		F(table_address_wraps), F(table_length_is_the_largest),
		F(table_is_nowhere), F(table_is_over_the_end),
	};

	COVERS("F-RG-02 F-RG-03 FEA-09 REQ-07 REQ-49");
	EXPECT_STUCK(fault, ARRAY_SIZE(fault));
}

TEST_F(ring, broken_addresses_stop_the_ring_alone)
{
	static const struct fault fault[] = {
		F(address_nowhere), F(buffer_over_the_end), F(address_wraps),
		F(length_is_the_largest),
	};

	COVERS("F-RG-09 F-RG-10 F-SE-05 REQ-49");
	EXPECT_STUCK(fault, ARRAY_SIZE(fault));
}

TEST_F(ring, broken_indexes_stop_the_ring_alone)
{
	static const struct fault fault[] = {
		F(head_is_num), F(head_is_ffff), F(index_jumps),
		F(index_goes_back),
	};

	COVERS("F-RG-04 REQ-49");
	EXPECT_STUCK(fault, ARRAY_SIZE(fault));
}

TEST_F(ring, chain_of_nothing_comes_back_empty)
{
	struct vring_used_elem elem = {};

	COVERS("F-RG-16 REQ-06 REQ-24");
	vs_ring_write_desc(self->ring, 0, scratch(self->dev, 64), 0, NEXT, 1);
	vs_ring_write_desc(self->ring, 1, scratch(self->dev, 64), 0, WRITE, 0);
	vs_ring_expose(self->ring, 0);
	vs_ring_kick(self->ring);
	ASSERT_EQ(0, vs_ring_wait(self->ring, &elem, vs_patience()));
	EXPECT_EQ(0, elem.id);
	EXPECT_EQ(0, elem.len);
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
}

TEST_F(ring, kicks_without_buffers_change_nothing)
{
	unsigned int i;

	COVERS("F-RG-23");
	for (i = 0; i < 5000; i++)
		vs_ring_kick(self->ring);
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
}

/* Moved away and back: where it was there is nothing meanwhile. */
TEST_F(ring, descriptor_table_that_is_unmapped_stops_the_ring_until_it_is_back)
{
	struct vring_used_elem elem = {};
	void *desc = self->ring->desc;
	void *away;

	COVERS("F-RG-08");
	vs_ring_write_desc(self->ring, 0, scratch(self->dev, 64), 0, WRITE, 0);
	away = mmap(NULL, VS_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, away);
	/* Before the head: the worker may still be at the queue. */
	ASSERT_EQ(away, mremap(desc, VS_PAGE, VS_PAGE,
			       MREMAP_MAYMOVE | MREMAP_FIXED, away));
	vs_ring_expose(self->ring, 0);
	vs_ring_kick(self->ring);
	EXPECT_TRUE(complained(self->ring));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(desc, mremap(away, VS_PAGE, VS_PAGE,
			       MREMAP_MAYMOVE | MREMAP_FIXED, desc));
	vs_ring_kick(self->ring);
	ASSERT_EQ(0, vs_ring_wait(self->ring, &elem, vs_patience()));
	EXPECT_EQ(0, elem.id);
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
}

TEST_F(ring, used_ring_read_only_loses_that_head_only)
{
	void *used = self->ring->used;
	int64_t end = vs_now_ms() + vs_patience();

	COVERS("F-RG-07 REQ-40");
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
	vs_ring_write_desc(self->ring, 9, scratch(self->dev, 128), 64, 0, 0);
	ASSERT_EQ(0, mprotect(used, VS_PAGE, PROT_READ));
	vs_ring_expose(self->ring, 9);
	vs_ring_kick(self->ring);
	/* Any trace of the fault will do. */
	while (!vs_ring_errors(self->ring) && vs_now_ms() < end)
		usleep(2000);
	usleep(100000);
	ASSERT_EQ(0, mprotect(used, VS_PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, reset_ring(self->dev, self->ring));
	EXPECT_EQ(0, ring_works(self->dev, self->ring));
}

/* Requests that are wrong, but whose chain is not. */
FIXTURE(request) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_ring *ring;
};

FIXTURE_SETUP(request)
{
	struct vs_env_opts opts = { .dev.ring_size = 1024 };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->ring = &self->dev->ring[VS_IO];
}

ENV_TEARDOWN(request);

TEST_F(request, response_area_too_short_returns_the_head)
{
	static const size_t len[] = { 0, 1, 107 };
	size_t i;

	COVERS("F-RG-17 REQ-24 REQ-60");
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		struct vs_req req;

		vs_req_bare(&req, self->dev, TAG, 0,
			    vs_cdb_op(VS_TEST_UNIT_READY));
		vs_req_out(&req, req.hdr, VS_HDR);
		if (len[i])
			vs_req_in(&req, req.rsp, len[i]);
		EXPECT_EQ(0, vs_req_run(&req));
		EXPECT_EQ(0, req.chain.used_len);
		EXPECT_EQ(-1, vs_not_all(req.rsp, VS_RSP, VS_POISON));
		vs_req_put(&req);
	}
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(request, header_too_short_is_answered)
{
	static const size_t len[] = { 0, 1, 50 };
	size_t i;

	COVERS("F-RG-17 REQ-25 REQ-60");
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		struct vs_req req;

		vs_req_bare(&req, self->dev, TAG, 0,
			    vs_cdb_op(VS_TEST_UNIT_READY));
		if (len[i])
			vs_req_out(&req, req.hdr, len[i]);
		vs_req_in(&req, req.rsp, VS_RSP);
		EXPECT_EQ(0, vs_req_run(&req));
		EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_FAILURE |
			      1U << VIRTIO_SCSI_S_BAD_TARGET,
			      req.rsp->response);
		EXPECT_EQ(VS_RSP, req.chain.used_len);
		vs_req_put(&req);
	}
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(request, header_on_a_page_without_access_is_answered)
{
	struct vs_req req;
	uint8_t *page;

	COVERS("F-RQ-15 REQ-25 F-RG-11");
	page = vs_mem_page(&self->dev->mem, 2);
	ASSERT_EQ(0, mprotect(page + VS_PAGE, VS_PAGE, PROT_NONE));
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	vs_req_out(&req, page + VS_PAGE - 20, VS_HDR);
	vs_req_in(&req, req.rsp, VS_RSP);
	EXPECT_EQ(0, vs_req_run(&req));
	EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_FAILURE |
		      1U << VIRTIO_SCSI_S_BAD_TARGET, req.rsp->response);
	vs_req_put(&req);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(request, same_head_twice_comes_back_twice)
{
	struct vring_used_elem elem[2] = {};
	struct vs_req req;
	uint8_t *buf;

	COVERS("F-RG-05");
	buf = vs_mem_page(&self->dev->mem, 1);
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&req, buf, VS_PAGE);
	ASSERT_EQ(0, vs_ring_add(self->ring, &req.chain));
	vs_ring_expose(self->ring, req.chain.head);
	vs_ring_kick(self->ring);
	EXPECT_EQ(0, vs_ring_wait(self->ring, &elem[0], vs_patience()));
	EXPECT_EQ(0, vs_ring_wait(self->ring, &elem[1], vs_patience()));
	EXPECT_EQ(elem[0].id, elem[1].id);
	EXPECT_EQ(2, req.chain.times);
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	vs_req_put(&req);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(request, indirect_with_next_is_followed)
{
	struct vring_used_elem elem = {};
	struct vring_desc *t;
	struct vs_req req;

	COVERS("F-RG-03 REQ-50");
	vs_req_bare(&req, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	t = table(self->dev, self->ring, 1, 16, NEXT);
	t[0] = (struct vring_desc){ vs_mem_gpa(&self->dev->mem, req.hdr),
				    VS_HDR, 0, 0 };
	vs_ring_write_desc(self->ring, 1, vs_mem_gpa(&self->dev->mem, req.rsp),
			   VS_RSP, WRITE, 0);
	vs_ring_expose(self->ring, 0);
	vs_ring_kick(self->ring);
	ASSERT_EQ(0, vs_ring_wait(self->ring, &elem, vs_patience()));
	EXPECT_EQ(0, elem.id);
	EXPECT_EQ(VS_RSP, elem.len);
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	vs_req_put(&req);
}

TEST_F(request, full_ring_is_served_in_several_turns)
{
	struct vs_req *req = calloc(512, sizeof(*req));
	unsigned int i;

	COVERS("REQ-51 F-RG-24 REQ-43");
	ASSERT_TRUE(!!req);
	for (i = 0; i < 512; i++) {
		vs_req_get(&req[i], self->dev, TAG, 0,
			   vs_cdb_op(VS_TEST_UNIT_READY));
		ASSERT_EQ(0, vs_ring_add(self->ring, &req[i].chain));
	}
	vs_ring_kick(self->ring);
	for (i = 0; i < 512; i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(VS_GOOD, req[i].rsp->status);
		EXPECT_EQ(1, req[i].chain.times);
	}
	EXPECT_EQ(512, self->ring->last_used);
	for (i = 0; i < 512; i++)
		vs_req_put(&req[i]);
	free(req);
}

struct flipper {
	struct virtio_scsi_cmd_req *hdr;
	bool stop;
};

static void *flip_header(void *arg)
{
	struct flipper *f = arg;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		*(volatile uint8_t *)&f->hdr->lun[1] ^= 0x80;
		*(volatile uint8_t *)&f->hdr->cdb[0] ^= VS_INQUIRY;
	}
	return NULL;
}

TEST_F(request, header_that_changes_meanwhile_is_read_once)
{
	unsigned int i, there = 0, nowhere = 0;
	struct flipper flipper;
	struct vs_req req;
	pthread_t thread;
	uint8_t *buf;

	COVERS("F-RG-20 REQ-04");
	buf = vs_mem_page(&self->dev->mem, 1);
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_inquiry(36));
	vs_req_in(&req, buf, 36);
	flipper = (struct flipper){ .hdr = req.hdr };
	ASSERT_EQ(0, pthread_create(&thread, NULL, flip_header, &flipper));
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, vs_req_run(&req));
		if (req.rsp->response == VIRTIO_SCSI_S_OK)
			there++;
		else if (req.rsp->response == VIRTIO_SCSI_S_BAD_TARGET)
			nowhere++;
	}
	__atomic_store_n(&flipper.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(1000, there + nowhere);
	TH_LOG("target there %u times, nowhere %u times", there, nowhere);
	vs_req_put(&req);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

/* Rings of unusual sizes. */
FIXTURE(size) {
	struct vs_env env;
};

FIXTURE_VARIANT(size) {
	unsigned int num;
};

FIXTURE_VARIANT_ADD(size, 1) {
	.num = 1,
};

FIXTURE_VARIANT_ADD(size, 2) {
	.num = 2,
};

FIXTURE_VARIANT_ADD(size, 32768) {
	.num = 32768,
};

FIXTURE_SETUP(size)
{
	struct vs_env_opts opts = { .dev.ring_size = variant->num };

	ENV_GET(&self->env, &opts);
}

ENV_TEARDOWN(size);

TEST_F(size, ring_serves)
{
	struct vs_dev *dev = &self->env.dev;
	uint8_t *buf = vs_mem_page(&dev->mem, 1);
	unsigned int i;

	COVERS("F-RG-22 FEA-09 REQ-43");
	for (i = 0; i < 8; i++) {
		struct vs_req req;

		vs_req_get(&req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, i, 8));
		vs_req_in(&req, buf, VS_PAGE);
		req.chain.flags = VS_INDIRECT;
		ASSERT_EQ(0, vs_req_run(&req));
		EXPECT_EQ(VS_GOOD, req.rsp->status);
		vs_req_put(&req);
	}
}

/* More commands in flight than the ring has entries. */
FIXTURE(greedy) {
	struct vs_env env;
};

FIXTURE_SETUP(greedy)
{
	struct vs_env_opts opts = {
		.dev.ring_size = 16,
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_scsi_settle(&self->env.dev, TAG, 0));
}

ENV_TEARDOWN(greedy);

TEST_F(greedy, head_beyond_the_slots_is_answered_at_once)
{
	struct vs_dev *dev = &self->env.dev;
	struct vs_ring *ring = &dev->ring[VS_IO];
	struct vs_req req[16];
	uint8_t *buf = vs_mem_page(&dev->mem, 16);
	unsigned int i, full = 0;

	COVERS("F-RG-06 REQ-43 REQ-36 REQ-30");
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (i = 0; i < 16; i++) {
		vs_req_get(&req[i], dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
		req[i].chain.flags = VS_INDIRECT;
		ASSERT_EQ(0, vs_ring_add(ring, &req[i].chain));
	}
	vs_ring_kick(ring);
	ASSERT_EQ(0, vs_ring_wait_taken(ring, vs_patience()));
	/* All slots are taken; the same heads once more. */
	for (i = 0; i < 16; i++)
		vs_ring_expose(ring, req[i].chain.head);
	vs_ring_kick(ring);
	for (i = 0; i < 16; i++) {
		struct vring_used_elem elem;
		unsigned int j;

		ASSERT_EQ(0, vs_ring_wait(ring, &elem, vs_patience()));
		for (j = 0; j < 16; j++)
			if (req[j].chain.head == (int)elem.id)
				break;
		ASSERT_LT(j, 16);
		if (req[j].rsp->response == VIRTIO_SCSI_S_BUSY ||
		    (req[j].rsp->response == VIRTIO_SCSI_S_OK &&
		     req[j].rsp->status == VS_TASK_SET_FULL))
			full++;
	}
	EXPECT_EQ(16, full);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, vs_ring_wait(ring, NULL, vs_patience()));
	EXPECT_EQ(0, vs_ring_pending(ring));
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(2, req[i].chain.times);
		vs_req_put(&req[i]);
	}
}

TEST_HARNESS_MAIN
