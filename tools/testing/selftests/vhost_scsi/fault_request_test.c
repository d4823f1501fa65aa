// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation, and every copy from or to the guest, that the worker makes for a request
 * fails once.
 */
#include "vs_sweep.h"
#include "vs_sweep_req.h"
#include "vs_test.h"

#define TAG		VS_TAG
#define SLOTS		32	/* of a queue, before it needs more */

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
	struct vs_sweep_req r[] = {
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
		EXPECT_EQ(0, vs_sweep_req(&self->fault, self->dev, &r[i % 2],
					  self->buf));
		EXPECT_LE(i < 2 ? 1 : 2, self->fault.fails[VS_FAULT_ALLOC]);
		/* The same with two tables. */
		pieces = i ? PIECES : pieces;
	}
}

TEST_F(requests, lio_without_memory_refuses_in_the_worker)
{
	struct vs_backstore *bs = &self->env.bs[1];
	struct vs_sweep_req r[] = {
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
		EXPECT_EQ(0, vs_sweep_req(&self->fault, self->dev, &r[i],
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
	static const struct vs_sweep_req r = {
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
	EXPECT_EQ(0, vs_sweep_req(&self->fault, self->dev, &r, self->buf));
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
	static const struct vs_sweep_req r[] = {
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
		EXPECT_EQ(0, vs_sweep_req(&self->fault, self->dev, &r[i],
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
	static const struct vs_sweep_req r = {
		.name = "split response", .build = build_split,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, vs_sweep_req(&self->fault, self->dev, &r, self->buf));
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
	static const struct vs_sweep_req r = {
		.name = "task management", .build = build_tmf, .tmf = true,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, vs_sweep_req(&self->fault, self->dev, &r, self->buf));
	/* Ours and LIO's part of it. */
	EXPECT_LE(2, self->fault.fails[VS_FAULT_ALLOC]);
}

/* A disk that holds as many commands as a queue has slots before it needs more. */
FIXTURE(slots) {
	struct vs_env env;
	struct vs_fault fault;
	struct vs_dev *dev;
	struct vs_req req[SLOTS + 2];
};

FIXTURE_SETUP(slots)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
	};

	if (!vs_sweep_is_possible())
		SKIP(return, "this kernel injects no faults");
	SKIP_BEHIND_IOMMU("what the IOTLB misses is allocated first");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_fault_get(&self->fault, vs_fault_worker()));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
}

FIXTURE_TEARDOWN(slots)
{
	if (!self->dev)
		return;
	vs_hold_go(&self->env.hold);
	vs_fault_put(&self->fault);
	EXPECT_EQ(0, vs_fault_logged(self->env.kmsg));
	ENV_PUT(&self->env);
}

static int submit_read(struct vs_dev *dev, struct vs_req *req)
{
	vs_req_get(req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(req, vs_mem_page(&dev->mem, 1), VS_PAGE);
	return vs_req_submit(req);
}

TEST_F(slots, without_memory_for_one_more_are_task_set_full)
{
	struct vs_req *refused = &self->req[SLOTS];
	unsigned int i;

	COVERS("REQ-43");
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, submit_read(self->dev, &self->req[i]));
	ASSERT_EQ(0, vs_ring_wait_taken(&self->dev->ring[VS_IO], vs_patience()));
	self->fault.n = 1;
	vs_fault_arm(&self->fault);
	ASSERT_EQ(0, submit_read(self->dev, refused));
	ASSERT_EQ(0, vs_req_wait(refused));
	EXPECT_EQ(VS_FAULT_ALLOC, vs_fault_disarm(&self->fault));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, refused->rsp->response);
	EXPECT_EQ(VS_TASK_SET_FULL, refused->rsp->status);
	/* There is memory again. */
	ASSERT_EQ(0, submit_read(self->dev, refused + 1));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < SLOTS + 2; i++) {
		ASSERT_EQ(0, vs_req_wait(&self->req[i]));
		if (&self->req[i] != refused)
			EXPECT_EQ(VS_GOOD, self->req[i].rsp->status);
		vs_req_put(&self->req[i]);
	}
}

TEST_HARNESS_MAIN
