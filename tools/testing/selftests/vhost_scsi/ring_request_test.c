// SPDX-License-Identifier: GPL-2.0
/* Requests that are wrong, or laid out as no driver does, in chains that are not. */
#include <pthread.h>

#include "vs_test.h"

#define TAG VS_TAG

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
	t = vs_ring_table(self->ring, 1, 16, VRING_DESC_F_NEXT);
	t[0] = (struct vring_desc){ vs_mem_gpa(&self->dev->mem, req.hdr),
				    VS_HDR, 0, 0 };
	vs_ring_write_desc(self->ring, 1, vs_mem_gpa(&self->dev->mem, req.rsp),
			   VS_RSP, VRING_DESC_F_WRITE, 0);
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

TEST_HARNESS_MAIN
