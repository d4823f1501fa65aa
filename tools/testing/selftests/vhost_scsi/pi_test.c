// SPDX-License-Identifier: GPL-2.0
/* Protection information (T10 PI) between a guest and a unit that stores it. */
#include "pi_fixture.h"

TEST_F(pi, unit_says_that_it_has_protection)
{
	uint8_t *buf = self->data;

	COVERS("FEA-20 REQ-02 SCSI-14");
	/* Commands without protection information have the long header, too. */
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_inquiry(96), buf,
				 96));
	EXPECT_EQ(1, buf[5] & 1);
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 (struct vs_cdb){ .b = { VS_READ_CAPACITY_16,
							 0x10, [13] = 32 } },
				 buf, 32));
	EXPECT_EQ((variant->type - 1) << 1 | 1, buf[12] & 0xf);
}

TEST_F(pi, data_comes_back_with_what_protects_it)
{
	static const unsigned int blocks[] = { 1, 3, 8, 9, 64, 511, 513, MOST };
	struct vs_pi *want = malloc(MOST * sizeof(*want));
	struct vs_result res;
	size_t i;

	COVERS("REQ-53 REQ-39");
	ASSERT_NE(NULL, want);
	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		size_t len = blocks[i] * sizeof(*want);

		prepare(self, 5 + i, blocks[i], i);
		memcpy(want, self->pi, len);
		res = write_blocks(self, 5 + i, blocks[i], CHECK);
		ASSERT_GOOD(res);
		EXPECT_EQ(0, res.resid);
		EXPECT_EQ(VS_RSP, res.used_len);

		res = read_blocks(self, 5 + i, blocks[i], CHECK);
		ASSERT_GOOD(res);
		EXPECT_EQ(0, res.resid);
		EXPECT_EQ(VS_RSP + len + blocks[i] * SIZE, res.used_len);
		ASSERT_EQ(-1, vs_differs(self->data, blocks[i] * SIZE, i));
		ASSERT_EQ(0, memcmp(want, self->pi, len));
	}
	free(want);
}

TEST_F(pi, data_that_does_not_match_is_refused)
{
	struct vs_result res;

	COVERS("REQ-53 SCSI-14");
	prepare(self, 40, 4, 1);
	ASSERT_GOOD(write_blocks(self, 40, 4, CHECK));

	/* Guard tag of the third block. */
	prepare(self, 40, 4, 2);
	self->pi[2].guard[1] ^= 1;
	res = write_blocks(self, 40, 4, CHECK);
	EXPECT_CC(ABORTED_COMMAND, 0x10, 1, res);
	EXPECT_EQ(4 * SIZE, res.resid);

	/* Reference tag, which type 3 leaves to the application. */
	prepare(self, 40, 4, 1);
	self->pi[1].ref[3] ^= 1;
	res = write_blocks(self, 40, 4, CHECK);
	if (variant->type == 1)
		EXPECT_CC(ABORTED_COMMAND, 0x10, 3, res);
	else
		EXPECT_GOOD(res);

	ASSERT_GOOD(read_blocks(self, 40, 4, CHECK));
	EXPECT_EQ(-1, vs_differs(self->data, 4 * SIZE, 1));
}

TEST_F(pi, blocks_that_do_not_match_are_not_read)
{
	COVERS("REQ-53 SCSI-14");
	prepare(self, 60, 2, 1);
	self->pi[1].guard[0] ^= 0x80;
	/* Written unchecked, it is found out when it is read. */
	ASSERT_GOOD(write_blocks(self, 60, 2, TRUST));
	EXPECT_CC(ABORTED_COMMAND, 0x10, 1, read_blocks(self, 60, 2, CHECK));
	ASSERT_GOOD(read_blocks(self, 60, 2, TRUST));
	EXPECT_EQ(-1, vs_differs(self->data, 2 * SIZE, 1));
	ASSERT_GOOD(read_blocks(self, 60, 1, CHECK));
}

TEST_F(pi, application_tag_of_all_ones_ends_the_checks)
{
	COVERS("SCSI-14");
	prepare(self, 80, 1, 1);
	self->pi[0].app[0] = 0x12;
	self->pi[0].app[1] = 0x34;
	ASSERT_GOOD(write_blocks(self, 80, 1, CHECK));
	ASSERT_GOOD(read_blocks(self, 80, 1, CHECK));
	/* LIO stores it, and has no value of its own to compare it with. */
	EXPECT_EQ(0x12, self->pi[0].app[0]);
	EXPECT_EQ(0x34, self->pi[0].app[1]);

	prepare(self, 80, 1, 2);
	memset(&self->pi[0], 0xff, sizeof(self->pi[0]));
	ASSERT_GOOD(write_blocks(self, 80, 1, CHECK));
	ASSERT_GOOD(read_blocks(self, 80, 1, CHECK));
	EXPECT_EQ(-1, vs_differs(self->data, SIZE, 2));
}

TEST_F(pi, plain_data_gets_protection_from_the_unit)
{
	struct vs_pi want[4];

	COVERS("REQ-56 SCSI-14");
	vs_fill(self->data, sizeof(want) / sizeof(*want) * SIZE, 7);
	ASSERT_GOOD(vs_pi_write(self->dev, TAG, 0, WRITE(100, 4, 0), NULL, 0,
				self->data, 4 * SIZE));
	vs_pi_make(want, self->data, 100, 4, SIZE);
	ASSERT_GOOD(read_blocks(self, 100, 4, CHECK));
	EXPECT_EQ(-1, vs_differs(self->data, 4 * SIZE, 7));
	EXPECT_EQ(0, memcmp(want[2].guard, self->pi[2].guard, 2));
	/* And it is checked there when a plain command reads. */
	ASSERT_GOOD(vs_pi_read(self->dev, TAG, 0, READ(100, 4, 0), NULL, 0,
			       self->data, 4 * SIZE));
	EXPECT_EQ(-1, vs_differs(self->data, 4 * SIZE, 7));
}

TEST_F(pi, what_the_cdb_does_not_ask_for_is_carried_along)
{
	struct vs_result res;

	COVERS("REQ-56");
	/* The data is where it belongs, behind eight bytes that nobody reads. */
	prepare(self, 120, 1, 3);
	self->pi[0].guard[0] ^= 1;
	ASSERT_GOOD(write_blocks(self, 120, 1, 0));
	res = read_blocks(self, 120, 1, 0);
	ASSERT_GOOD(res);
	EXPECT_EQ(0, res.resid);
	EXPECT_EQ(VS_RSP + sizeof(*self->pi) + SIZE, res.used_len);
	EXPECT_EQ(-1, vs_differs(self->data, SIZE, 3));
	EXPECT_EQ(-1, vs_not_all(self->pi, sizeof(*self->pi), 0));

	/* Likewise with a command that has no blocks at all. */
	res = vs_pi_read(self->dev, TAG, 0, vs_cdb_inquiry(36), self->pi, 16,
			 self->data, 36);
	ASSERT_GOOD(res);
	EXPECT_EQ(VS_RSP + 16 + 36, res.used_len);
	EXPECT_EQ(0, memcmp("LIO-ORG ", self->data + 8, 8));
	/* An INQUIRY that a missing unit answers is not worth the trouble. */
	res = vs_pi_read(self->dev, TAG, 77, vs_cdb_inquiry(36), self->pi, 16,
			 self->data, 36);
	ASSERT_GOOD(res);
	EXPECT_EQ(36, res.resid);
	EXPECT_EQ(VS_RSP, res.used_len);
}

TEST_F(pi, pieces_of_any_size_carry_it)
{
	static const size_t piece[] = { 1, 3, 8, 13, 64, 509, 512, 4096 };
	struct vs_req req;
	uint8_t *both = self->data;
	size_t i, pi_len = 2 * sizeof(*self->pi), len = pi_len + 2 * SIZE;

	COVERS("REQ-53 REQ-01");
	for (i = 0; i < ARRAY_SIZE(piece); i++) {
		/* Tuples and data follow each other without a seam. */
		vs_fill(both + pi_len, 2 * SIZE, i);
		vs_pi_make(self->pi, both + pi_len, 9, 2, SIZE);
		memcpy(both, self->pi, pi_len);
		vs_req_bare(&req, self->dev, TAG, 0, WRITE(9, 2, CHECK));
		vs_req_pi(&req, pi_len, 0);
		vs_req_out_cut(&req, req.hdr, req.hdr_len, piece[i] + 5);
		vs_req_out_cut(&req, both, len, piece[i] < 8 ? 8 : piece[i]);
		vs_req_in(&req, req.rsp, VS_RSP);
		ASSERT_GOOD(vs_req_finish(&req));

		memset(both, VS_POISON, len);
		vs_req_bare(&req, self->dev, TAG, 0, READ(9, 2, CHECK));
		vs_req_pi(&req, 0, pi_len);
		vs_req_out(&req, req.hdr, req.hdr_len);
		vs_req_in_cut(&req, req.rsp, VS_RSP, piece[i] + 5);
		vs_req_in_cut(&req, both, len, piece[i] < 8 ? 8 : piece[i]);
		ASSERT_GOOD(vs_req_finish(&req));
		EXPECT_EQ(0, memcmp(both, self->pi, pi_len));
		EXPECT_EQ(-1, vs_differs(both + pi_len, 2 * SIZE, i));
	}
}

FIXTURE(pi_4k) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(pi_4k)
{
	static const char *const attr[] = {
		"block_size", "4096", "pi_prot_type", "1", "pi_prot_verify", "1",
		NULL
	};
	struct vs_env_opts opts = {
		.dev.features = FEATURES,
		.disk = VS_DISK_RAM,
		.disk_attr = attr,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(pi_4k);

/* LIO believes that a block lies in two entries of a list at most. */
TEST_F(pi_4k, block_in_many_pieces_is_guarded_as_one)
{
	uint8_t *page = vs_mem_page(&self->dev->mem, 18);
	struct vs_pi *pi = vs_mem_page(&self->dev->mem, 1);
	struct vs_req req;
	unsigned int i;

	COVERS("REQ-53 F-RQ-13");
	vs_fill(page, 4096, 3);
	vs_pi_make(pi, page, 1, 1, 4096);
	/* Sectors far apart, so that none continues the one before. */
	for (i = 0; i < 8; i++)
		memcpy(page + (17 - 2 * i) * VS_PAGE, page + i * SIZE, SIZE);

	vs_req_get(&req, self->dev, TAG, 0, WRITE(1, 1, CHECK));
	vs_req_pi(&req, sizeof(*pi), 0);
	vs_req_out(&req, pi, sizeof(*pi));
	for (i = 0; i < 8; i++)
		vs_req_out(&req, page + (17 - 2 * i) * VS_PAGE, SIZE);
	ASSERT_GOOD(vs_req_finish(&req));

	/* Without protection information LIO makes it from the pieces. */
	vs_req_get(&req, self->dev, TAG, 0, WRITE(2, 1, 0));
	for (i = 0; i < 8; i++)
		vs_req_out(&req, page + (17 - 2 * i) * VS_PAGE, SIZE);
	ASSERT_GOOD(vs_req_finish(&req));

	vs_pi_make(pi + 1, page, 2, 1, 4096);
	memset(page, 0, 2 * VS_PAGE);
	ASSERT_GOOD(vs_pi_read(self->dev, TAG, 0, READ(1, 2, CHECK), pi + 2,
			       2 * sizeof(*pi), page, 2 * VS_PAGE));
	EXPECT_EQ(-1, vs_differs(page, 4096, 3));
	EXPECT_EQ(-1, vs_differs(page + VS_PAGE, 4096, 3));
	EXPECT_EQ(0, memcmp(pi, pi + 2, 2 * sizeof(*pi)));
}

TEST_HARNESS_MAIN
