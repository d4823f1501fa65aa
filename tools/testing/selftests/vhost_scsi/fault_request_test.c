// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation, and every copy from or to the guest, that the worker makes for a request
 * fails once.
 */
#include <stdio.h>

#include "vs_sweep.h"
#include "vs_test.h"

#define TAG		VS_TAG

/* How a request ended while a fault was waiting in the worker. */
enum end {
	END_ANSWERED,
	END_RETRIED,	/* its descriptors were not read until the next kick */
	END_LOST,	/* the used ring could not be written */
	END_HANGS,
};

FIXTURE(requests) {
	struct vs_env env;
	struct vs_fault fault;
	struct vs_dev *dev;
	uint8_t *buf;
};

/*
 * Data is in pieces that no two are neighbours, whichever pages they are in. The
 * longest scatterlist is one with a second table, behind 4 entries and a page of
 * them: 127, or 170 where an entry has no DMA length.
 */
#define PIECES		180UL
#define PIECE		(VS_PAGE / 2)

FIXTURE_SETUP(requests)
{
	if (!vs_sweep_is_possible())
		SKIP(return, "this kernel injects no faults");
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, PIECES);
	memset(self->buf, 0, PIECES * VS_PAGE);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_fault_get(&self->fault, vs_fault_worker()));
}

FIXTURE_TEARDOWN(requests)
{
	if (!self->dev)
		return;
	vs_fault_put(&self->fault);
	vs_fault_user_pages(false);
	EXPECT_EQ(0, vs_fault_logged(self->env.kmsg));
	ENV_PUT(&self->env);
}

/* After an error: has the worker consumed the chain? */
static enum end after_error(struct vs_req *req, struct vs_fault *fault)
{
	struct vs_ring *ring = req->ring;

	/* Waits for the worker to let go of the queue. */
	if (vs_dev_get_base(req->dev, ring->index) == ring->next_avail)
		return vs_chain_wait(ring, &req->chain, 50) ? END_LOST :
		       END_ANSWERED;
	if (fault->fd > 0)
		vs_ring_kick(ring);
	return vs_chain_wait(ring, &req->chain, vs_patience()) ? END_HANGS :
	       END_RETRIED;
}

static enum end run_faulty(struct vs_req *req, struct vs_fault *fault)
{
	int64_t until = vs_now_ms() + vs_patience();

	vs_ring_errors(req->ring);
	vs_fault_arm(fault);
	if (vs_req_submit(req))
		return END_HANGS;
	while (vs_now_ms() < until) {
		if (!vs_chain_wait(req->ring, &req->chain, 50))
			return END_ANSWERED;
		if (vs_ring_errors(req->ring))
			return after_error(req, fault);
	}
	return END_HANGS;
}

/* A request that is sent again and again. */
struct request {
	const char *name;
	void (*build)(struct vs_req *req, struct vs_dev *dev, uint8_t *buf);
	/* After success: is the data right? */
	int (*check)(struct vs_dev *dev, uint8_t *buf);
	bool tmf;
	bool lio;		/* LIO's allocations are among them */
};

static bool good(const struct request *r, const struct vs_req *req)
{
	if (!req->chain.used_len)
		return false;
	if (r->tmf)
		return *(uint8_t *)req->rsp == VIRTIO_SCSI_S_OK;
	return req->rsp->response == VIRTIO_SCSI_S_OK &&
	       req->rsp->status == VS_GOOD;
}

static uint8_t response(const struct request *r, const struct vs_req *req)
{
	return r->tmf ? *(uint8_t *)req->rsp : req->rsp->response;
}

/* Is it an end that such a fault may have? */
static bool fair(const struct request *r, const struct vs_req *req,
		 enum vs_fault_kind kind, enum end end)
{
	switch (kind) {
	case VS_FAULT_NONE:
		return end == END_ANSWERED && good(r, req);
	case VS_FAULT_ALLOC:
		if (end != END_ANSWERED || !req->chain.used_len)
			return false;
		return good(r, req) ||
		       (r->tmf && response(r, req) == VIRTIO_SCSI_S_BUSY) ||
		       (!r->tmf && !req->rsp->response &&
			(req->rsp->status == VS_TASK_SET_FULL ||
			 (r->lio && req->rsp->status == VS_CHECK_CONDITION)));
	case VS_FAULT_COPY:
		if (end == END_RETRIED)
			return good(r, req);
		return end == END_LOST ||
		       (end == END_ANSWERED &&
			(!req->chain.used_len || good(r, req) ||
			 response(r, req) == VIRTIO_SCSI_S_FAILURE));
	}
	return false;
}

/* The fault waits; returns what it was, the end, and whether that was good. */
static int try_request(struct vs_fault *fault, struct vs_dev *dev,
		       const struct request *r, uint8_t *buf,
		       enum vs_fault_kind *kind, enum end *end,
		       unsigned int *refused)
{
	struct vs_req req;
	int bad = 0;

	r->build(&req, dev, buf);
	*end = run_faulty(&req, fault);
	*kind = vs_fault_disarm(fault);
	*refused += *end == END_ANSWERED && !good(r, &req);
	if (!fair(r, &req, *kind, *end)) {
		fprintf(stderr, "# fault %u is of kind %u, end %u, used length %u\n",
			fault->n, *kind, *end, req.chain.used_len);
		bad += vs_sweep_complain(fault, r->name, "response", response(r, &req));
		bad = bad ? bad : 1;
	} else if (*end != END_LOST && good(r, &req) && r->check) {
		bad += vs_sweep_complain(fault, r->name, "data", r->check(dev, buf));
	}
	vs_req_put(&req);
	return bad;
}

static int second_try(struct vs_fault *fault, struct vs_dev *dev,
		      const struct request *r, uint8_t *buf)
{
	struct vs_req req;
	int ret;

	r->build(&req, dev, buf);
	ret = vs_req_run(&req);
	if (!ret && !good(r, &req))
		ret = response(r, &req) << 8 | 0xff;
	if (!ret && r->check)
		ret = r->check(dev, buf);
	vs_req_put(&req);
	return vs_sweep_complain(fault, r->name, "second try", ret);
}

/* Returns the number of complaints. */
static int sweep_requests(struct vs_fault *fault, struct vs_dev *dev,
			  const struct request *r, uint8_t *buf)
{
	size_t mark = dev->mem.used;
	enum vs_fault_kind kind;
	unsigned int lost = 0, refused = 0;
	enum end end;
	int bad = 0;

	fault->n = 0;
	memset(fault->fails, 0, sizeof(fault->fails));
	for (kind = VS_FAULT_ALLOC; kind && !bad; dev->mem.used = mark) {
		bad = ++fault->n == VS_SWEEP_MAX;
		bad += try_request(fault, dev, r, buf, &kind, &end, &refused);
		lost += end == END_LOST;
		if (!bad)
			bad += second_try(fault, dev, r, buf);
	}
	vs_sweep_report(fault, r->name, refused);
	if (!bad && lost > VS_SWEEP_LOST)
		bad += vs_sweep_complain(fault, r->name, "heads lost", lost);
	return bad;
}

static uint8_t *data_piece(uint8_t *buf, unsigned int i)
{
	return buf + i * VS_PAGE;
}

/* The unit, how many pieces, and the seed of what is on the disk. */
static unsigned int unit, pieces = 8, on_disk;

static int check_pieces(struct vs_dev *dev, uint8_t *buf)
{
	unsigned int i;

	(void)dev;
	for (i = 0; i < pieces; i++)
		if (vs_differs(data_piece(buf, i), PIECE, on_disk + i) != -1)
			return 1 + (int)i;
	return 0;
}

static void build_read(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	unsigned int i;

	vs_req_get(req, dev, TAG, unit,
		   vs_cdb_rw10(VS_READ_10, 0, pieces * PIECE / 512));
	req->chain.flags = VS_INDIRECT;
	for (i = 0; i < pieces; i++) {
		memset(data_piece(buf, i), 0, PIECE);
		vs_req_in(req, data_piece(buf, i), PIECE);
	}
}

static void build_write(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	unsigned int i;

	on_disk += 7;
	vs_req_get(req, dev, TAG, unit,
		   vs_cdb_rw10(VS_WRITE_10, 0, pieces * PIECE / 512));
	req->chain.flags = VS_INDIRECT;
	for (i = 0; i < pieces; i++) {
		vs_fill(data_piece(buf, i), PIECE, on_disk + i);
		vs_req_out(req, data_piece(buf, i), PIECE);
	}
}

static int check_disk(struct vs_dev *dev, uint8_t *buf)
{
	struct vs_req req;
	int ret;

	build_read(&req, dev, buf);
	ret = vs_req_run(&req);
	vs_req_put(&req);
	return ret ? ret : check_pieces(dev, buf);
}

TEST_F(requests, write_and_read_are_busy_without_memory)
{
	struct request r[] = {
		{
			.name = "write", .build = build_write,
			.check = check_disk,
		}, {
			.name = "read", .build = build_read,
			.check = check_pieces,
		},
	};
	size_t i;

	COVERS("F-RS-01");
	for (i = 0; i < 2 * ARRAY_SIZE(r); i++) {
		EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r[i % 2],
					    self->buf));
		EXPECT_LE(i < 2 ? 1 : 2, self->fault.fails[VS_FAULT_ALLOC]);
		/* The same with two tables. */
		pieces = i ? PIECES : pieces;
	}
}

TEST_F(requests, lio_without_memory_refuses_in_the_worker)
{
	struct vs_backstore *bs = &self->env.bs[1];
	struct request r[] = {
		{
			.name = "write to a file", .build = build_write,
			.check = check_disk, .lio = true,
		}, {
			.name = "read from a file", .build = build_read,
			.check = check_pieces, .lio = true,
		},
	};
	size_t i;

	COVERS("F-RS-01");
	unit = 1;
	ASSERT_EQ(0, vs_fileio_get(bs, 1, VS_FILE, 1));
	ASSERT_EQ(0, vs_backstore_attr(bs, "submit_type", "1"));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, unit, bs));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, unit));
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r[i],
					    self->buf));
		EXPECT_LE(2, self->fault.fails[VS_FAULT_ALLOC]);
	}
}

#define ABSENT_PAGES	8

/* The pages of the buffer come into being while they are pinned. */
static void build_absent(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	vs_req_get(req, dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, ABSENT_PAGES * 8));
	if (madvise(buf, ABSENT_PAGES * VS_PAGE, MADV_REMOVE))
		abort();
	vs_req_in(req, buf, ABSENT_PAGES * VS_PAGE);
}

static int check_absent(struct vs_dev *dev, uint8_t *buf)
{
	unsigned int i;

	(void)dev;
	for (i = 0; i < ABSENT_PAGES; i++)
		if (vs_differs(buf + i * VS_PAGE, VS_PAGE, on_disk + i) != -1)
			return 1 + (int)i;
	return 0;
}

TEST_F(requests, pages_that_cannot_be_had_are_busy)
{
	static const struct request r = {
		.name = "read to absent pages", .build = build_absent,
		.check = check_absent,
	};
	unsigned int i;

	COVERS("F-RS-01");
	for (i = 0; i < ABSENT_PAGES; i++)
		vs_fill(self->buf + i * VS_PAGE, VS_PAGE, on_disk + i);
	ASSERT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, ABSENT_PAGES * 8),
				  self->buf, ABSENT_PAGES * VS_PAGE));
	ASSERT_EQ(0, vs_fault_user_pages(true));
	EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r, self->buf));
	EXPECT_LE(ABSENT_PAGES, self->fault.fails[VS_FAULT_ALLOC]);
}

#define BOUNCE_PAGES	3
#define BOUNCE_LEN	(BOUNCE_PAGES * VS_PAGE)

static void build_inquiry(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	memset(buf, 0, BOUNCE_LEN);
	vs_req_get(req, dev, TAG, 0, vs_cdb_inquiry(BOUNCE_LEN));
	vs_req_in(req, buf, BOUNCE_LEN);
}

static int check_inquiry(struct vs_dev *dev, uint8_t *buf)
{
	(void)dev;
	return memcmp(buf + 8, "LIO-ORG ", 8);
}

/* Not made of sectors. */
static void build_odd_read(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	memset(buf, 0, BOUNCE_LEN + 4);
	vs_req_get(req, dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, BOUNCE_LEN / 512));
	vs_req_in_cut(req, buf + 4, BOUNCE_LEN, BOUNCE_LEN / 2);
}

static int check_odd(struct vs_dev *dev, uint8_t *buf)
{
	(void)dev;
	return vs_differs(buf + 4, BOUNCE_LEN, on_disk) != -1;
}

static void build_odd_write(struct vs_req *req, struct vs_dev *dev,
			    uint8_t *buf)
{
	on_disk += 7;
	vs_fill(buf + 4, BOUNCE_LEN, on_disk);
	vs_req_get(req, dev, TAG, 0,
		   vs_cdb_rw10(VS_WRITE_10, 0, BOUNCE_LEN / 512));
	vs_req_out_cut(req, buf + 4, BOUNCE_LEN, BOUNCE_LEN / 2);
}

static int check_odd_disk(struct vs_dev *dev, uint8_t *buf)
{
	struct vs_req req;
	int ret;

	build_odd_read(&req, dev, buf);
	ret = vs_req_run(&req);
	vs_req_put(&req);
	return ret ? ret : check_odd(dev, buf);
}

TEST_F(requests, bounced_commands_are_busy_without_memory)
{
	static const struct request r[] = {
		{
			.name = "emulated", .build = build_inquiry,
			.check = check_inquiry,
		}, {
			.name = "bounced write", .build = build_odd_write,
			.check = check_odd_disk,
		}, {
			.name = "bounced read", .build = build_odd_read,
			.check = check_odd,
		},
	};
	size_t i;

	COVERS("F-RS-01");
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r[i],
					    self->buf));
		/* The list, its pages, and for reads where they go. */
		EXPECT_LE(1 + BOUNCE_PAGES, self->fault.fails[VS_FAULT_ALLOC]);
	}
}

static void build_split(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	(void)buf;
	vs_req_bare(req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	vs_req_out_cut(req, req->hdr, VS_HDR, VS_HDR / 3);
	vs_req_in_cut(req, req->rsp, VS_RSP, VS_RSP / 4);
}

TEST_F(requests, split_response_is_busy_without_memory)
{
	static const struct request r = {
		.name = "split response", .build = build_split,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r, self->buf));
	EXPECT_LT(0, self->fault.fails[VS_FAULT_ALLOC]);
}

static void build_tmf(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	(void)buf;
	memset(req, 0, sizeof(*req));
	req->dev = dev;
	req->ring = &dev->ring[VS_CTL];
	vs_chain_get(&req->chain);
	req->rsp = (void *)vs_tmf_chain(&req->chain, dev, TAG, 0,
					VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
					0);
}

TEST_F(requests, task_management_is_busy_without_memory)
{
	static const struct request r = {
		.name = "task management", .build = build_tmf, .tmf = true,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r, self->buf));
	/* Ours and LIO's part of it. */
	EXPECT_LE(2, self->fault.fails[VS_FAULT_ALLOC]);
}

TEST_HARNESS_MAIN
