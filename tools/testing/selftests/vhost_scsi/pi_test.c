// SPDX-License-Identifier: GPL-2.0
/*
 * Protection information (T10 PI) between a guest and a unit that stores it, or
 * whose port does it in the backstore's place.
 */
#include <pthread.h>

#include "vs_test.h"

#include "vs_pi.h"

#define TAG		VS_TAG
#define SIZE		512
#define MOST		1024
#define ABORTED_COMMAND	0xb
#define FEATURES	(VS_F_MODERN | VS_BIT(VIRTIO_SCSI_F_T10_PI))
#define READ(lba, n, p)	vs_pi_cdb(vs_cdb_rw10(VS_READ_10, lba, n), p)
#define WRITE(lba, n, p) vs_pi_cdb(vs_cdb_rw10(VS_WRITE_10, lba, n), p)

/* RDPROTECT and WRPROTECT: check all, check nothing (SBC) */
#define CHECK		1
#define TRUST		3

static const char *const type1[] = {
	"pi_prot_type", "1", "pi_prot_verify", "1", NULL
};

static const char *const type3[] = {
	"pi_prot_type", "3", "pi_prot_verify", "1", NULL
};

static const char *const type1_file[] = {
	"pi_prot_type", "1", "pi_prot_format", "1", "pi_prot_verify", "1", NULL
};

FIXTURE(pi) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_pi *pi;
	uint8_t *data;
};

typedef FIXTURE_DATA(pi) pi_data;

FIXTURE_VARIANT(pi) {
	enum vs_disk disk;
	const char *const *attr;
	int type;
};

FIXTURE_VARIANT_ADD(pi, ram_type1) {
	.disk = VS_DISK_RAM,
	.attr = type1,
	.type = 1,
};

FIXTURE_VARIANT_ADD(pi, ram_type3) {
	.disk = VS_DISK_RAM,
	.attr = type3,
	.type = 3,
};

FIXTURE_VARIANT_ADD(pi, file_type1) {
	.disk = VS_DISK_FILE,
	.attr = type1_file,
	.type = 1,
};

FIXTURE_SETUP(pi)
{
	struct vs_env_opts opts = {
		.dev.features = FEATURES,
		.dev.ring_size = 512,
		.disk = variant->disk,
		.disk_attr = variant->attr,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->pi = vs_mem_page(&self->dev->mem, 3);
	self->data = vs_mem_page(&self->dev->mem, MOST * SIZE / VS_PAGE + 1);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(pi);

/* Data of a seed and what protects it, in guest memory. */
static void prepare(pi_data *self, uint32_t lba, unsigned int blocks,
		    unsigned int seed)
{
	vs_fill(self->data, blocks * SIZE, seed);
	vs_pi_make(self->pi, self->data, lba, blocks, SIZE);
}

static struct vs_result write_blocks(pi_data *self, uint32_t lba,
				     unsigned int blocks, uint8_t protect)
{
	return vs_pi_write(self->dev, TAG, 0, WRITE(lba, blocks, protect),
			   self->pi, blocks * sizeof(*self->pi),
			   self->data, blocks * SIZE);
}

static struct vs_result read_blocks(pi_data *self, uint32_t lba,
				    unsigned int blocks, uint8_t protect)
{
	memset(self->pi, VS_POISON, blocks * sizeof(*self->pi));
	memset(self->data, VS_POISON, blocks * SIZE);
	return vs_pi_read(self->dev, TAG, 0, READ(lba, blocks, protect),
			  self->pi, blocks * sizeof(*self->pi),
			  self->data, blocks * SIZE);
}

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

/* One block out or in, with lengths in the header that fit nothing. */
static int run_with_lengths(pi_data *self, bool write, uint32_t out,
			    uint32_t in)
{
	struct vs_req req;
	int response;

	vs_req_get(&req, self->dev, TAG, 0, write ? WRITE(0, 1, CHECK) :
						    READ(0, 1, CHECK));
	vs_req_pi(&req, out, in);
	if (write)
		vs_req_out(&req, self->data, 8 + SIZE);
	else
		vs_req_in(&req, self->data, 8 + SIZE);
	response = vs_req_run(&req) ? -1 : req.rsp->response;
	vs_req_put(&req);
	return response;
}

TEST_F(pi, lengths_that_lie_are_refused)
{
	static const uint32_t len[] = {
		8 + SIZE, 8 + SIZE + 1, 0x7fffffff, 0x80000000, ~0U - 7, ~0U,
	};
	struct vs_req req;
	size_t i;

	COVERS("REQ-54 REQ-55 F-RQ-12");
	prepare(self, 0, 1, 9);
	ASSERT_GOOD(write_blocks(self, 0, 1, CHECK));
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		/* All of the payload and more; the wrong side; both. */
		EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
			  run_with_lengths(self, true, len[i], 0));
		EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
			  run_with_lengths(self, false, 0, len[i]));
		EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
			  run_with_lengths(self, true, 0, len[i]));
		EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
			  run_with_lengths(self, false, len[i], 0));
		EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
			  run_with_lengths(self, true, 8, len[i]));
		EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
			  run_with_lengths(self, false, len[i], 8));
		/* No data at all. */
		vs_req_get(&req, self->dev, TAG, 0,
			   vs_cdb_op(VS_TEST_UNIT_READY));
		vs_req_pi(&req, i & 1 ? len[i] : 0, i & 1 ? 0 : len[i]);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, vs_req_finish(&req));
	}
	ASSERT_GOOD(read_blocks(self, 0, 1, CHECK));
	EXPECT_EQ(-1, vs_differs(self->data, SIZE, 9));
}

TEST_F(pi, buffers_that_are_not_what_the_command_names_are_refused)
{
	static const struct {
		uint16_t blocks;
		size_t pi_len, len;
	} t[] = {
		/* Enough tuples, enough data, neither */
		{ 2, 16, SIZE }, { 2, 8, 2 * SIZE }, { 65535, 8, SIZE },
		/* A tuple that is not whole, one too many, blocks too many */
		{ 1, 7, SIZE }, { 1, 9, SIZE }, { 1, 16, SIZE },
		{ 1, 8, 2 * SIZE }, { 1, 16, 2 * SIZE }, { 0, 8, SIZE },
	};
	size_t i;

	COVERS("REQ-55 F-RQ-12");
	/* Everything else of the disk must stay as it is. */
	prepare(self, 0, 4, 5);
	ASSERT_GOOD(write_blocks(self, 0, 4, CHECK));
	prepare(self, 0, 4, 6);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		EXPECT_CC(5, 0x0e, 3,
			  vs_pi_write(self->dev, TAG, 0,
				      WRITE(0, t[i].blocks, CHECK), self->pi,
				      t[i].pi_len, self->data, t[i].len));
		EXPECT_CC(5, 0x0e, 3,
			  vs_pi_read(self->dev, TAG, 0,
				     READ(0, t[i].blocks, CHECK), self->pi + 4,
				     t[i].pi_len, self->data + 4 * SIZE,
				     t[i].len));
	}
	/* None at all. */
	EXPECT_CC(5, 0x24, 0, vs_pi_write(self->dev, TAG, 0, WRITE(0, 1, CHECK),
					  NULL, 0, self->data, SIZE));
	EXPECT_CC(5, 0x24, 0, vs_pi_read(self->dev, TAG, 0, READ(0, 1, CHECK),
					 NULL, 0, self->data + SIZE, SIZE));
	ASSERT_GOOD(read_blocks(self, 0, 4, CHECK));
	EXPECT_EQ(-1, vs_differs(self->data, 4 * SIZE, 5));
}

/*
 * LIO makes protection information for what the CDB names: of no block that is a list
 * without an entry, the end of which lies in front of it. Found by fuzz_ring_test.
 */
static void move_no_block(struct __test_metadata *_metadata,
			  struct vs_dev *dev, uint8_t *buf)
{
	static const uint8_t op[] = { VS_READ_10, VS_WRITE_10, VS_READ_16,
				      VS_WRITE_16 };
	struct vs_result res;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(op); i++) {
		res = vs_scsi_read(dev, TAG, 0, op[i] < 0x80 ?
				   vs_cdb_rw10(op[i], 1, 0) :
				   vs_cdb_rw16(op[i], 1, 0), NULL, 0);
		EXPECT_GOOD(res);
		EXPECT_EQ(0, res.resid);
	}
	memset(buf, VS_POISON, VS_PAGE);
	res = vs_scsi_read(dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 1, 0), buf,
			   VS_PAGE);
	EXPECT_GOOD(res);
	EXPECT_EQ(VS_PAGE, res.resid);
	EXPECT_EQ(-1, vs_not_all(buf, VS_PAGE, VS_POISON));
	res = vs_scsi_write(dev, TAG, 0, vs_cdb_rw16(VS_WRITE_16, 1, 0), buf,
			    VS_PAGE);
	EXPECT_GOOD(res);
	EXPECT_EQ(VS_PAGE, res.resid);
	/* WRITE SAME of no block, with one block of data. */
	EXPECT_CC(5, 0x24, 0, vs_scsi_write(dev, TAG, 0,
					    vs_cdb_rw10(0x41, 1, 0), buf,
					    SIZE));
	/* And blocks that there is no room for. */
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN,
			vs_scsi_read(dev, TAG, 0,
				     vs_cdb_rw16(VS_READ_16, 0, 9), buf,
				     8 * SIZE));
	EXPECT_GOOD(vs_scsi_read(dev, TAG, 0, vs_cdb_rw16(VS_READ_16, 0, 8),
				 buf, 8 * SIZE));
}

TEST_F(pi, transfer_of_no_block_is_good)
{
	COVERS("REQ-55 REQ-27");
	move_no_block(_metadata, self->dev, self->data);
	/* Protect bits without anything to protect. */
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, READ(1, 0, CHECK), NULL,
				 0));
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

TEST_F(pi, memory_that_is_not_there_is_answered)
{
	uint8_t *hole = vs_mem_page(&self->dev->mem, 1);

	COVERS("REQ-53");
	ASSERT_EQ(0, mprotect(hole, VS_PAGE, PROT_NONE));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE,
			vs_pi_write(self->dev, TAG, 0, WRITE(0, 1, CHECK), hole,
				    8, self->data, SIZE));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE,
			vs_pi_write(self->dev, TAG, 0, WRITE(0, 1, CHECK),
				    self->pi, 8, hole, SIZE));
	prepare(self, 0, 1, 1);
	ASSERT_GOOD(write_blocks(self, 0, 1, CHECK));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE,
			vs_pi_read(self->dev, TAG, 0, READ(0, 1, CHECK), hole,
				   8, self->data, SIZE));
	ASSERT_EQ(0, mprotect(hole, VS_PAGE, PROT_READ | PROT_WRITE));
}

FIXTURE(pi_port) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_pi *pi;
	uint8_t *data;
};

/* A plain disk, and nothing that uses it yet. */
FIXTURE_SETUP(pi_port)
{
	struct vs_env_opts opts = {
		.dev.features = FEATURES,
		.disk = VS_DISK_RAM,
		.no_endpoint = true,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->pi = vs_mem_page(&self->dev->mem, 1);
	self->data = vs_mem_page(&self->dev->mem, 1);
}

ENV_TEARDOWN(pi_port);

static int set_prot_type(const char *type)
{
	char path[256];

	vs_tpg_path(path, sizeof(path), VS_WWN, TAG,
		    "attrib/fabric_prot_type");
	return vs_write_file(path, type);
}

TEST_F(pi_port, plain_unit_knows_no_protection)
{
	struct vs_result res;

	COVERS("REQ-56 F-RQ-12");
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_fill(self->data, SIZE, 1);
	vs_pi_make(self->pi, self->data, 0, 1, SIZE);
	EXPECT_CC(5, 0x24, 0, vs_pi_write(self->dev, TAG, 0, WRITE(0, 1, CHECK),
					  self->pi, 8, self->data, SIZE));
	EXPECT_CC(5, 0x24, 0, vs_pi_read(self->dev, TAG, 0, READ(0, 1, CHECK),
					 self->pi, 8, self->data, SIZE));
	/* Without the request for it the data moves all the same. */
	ASSERT_GOOD(vs_pi_write(self->dev, TAG, 0, WRITE(0, 1, 0), self->pi, 8,
				self->data, SIZE));
	memset(self->data, 0, SIZE);
	res = vs_pi_read(self->dev, TAG, 0, READ(0, 1, 0), self->pi, 8,
			 self->data, SIZE);
	ASSERT_GOOD(res);
	EXPECT_EQ(-1, vs_differs(self->data, SIZE, 1));
	/* Nor can a guest fill the log with its requests. */
	EXPECT_EQ(0, vs_env_logged(&self->env, "protect"));
}

TEST_F(pi_port, port_protects_in_the_place_of_the_disk)
{
	struct vs_pi want;

	COVERS("CFG-14 SCSI-14 REQ-56");
	ASSERT_EQ(0, set_prot_type("1"));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_fill(self->data, SIZE, 1);
	vs_pi_make(self->pi, self->data, 3, 1, SIZE);
	want = *self->pi;
	ASSERT_GOOD(vs_pi_write(self->dev, TAG, 0, WRITE(3, 1, CHECK),
				self->pi, 8, self->data, SIZE));
	memset(self->pi, 0, 8);
	memset(self->data, 0, SIZE);
	ASSERT_GOOD(vs_pi_read(self->dev, TAG, 0, READ(3, 1, CHECK), self->pi,
			       8, self->data, SIZE));
	EXPECT_EQ(0, memcmp(&want, self->pi, 8));
	EXPECT_EQ(-1, vs_differs(self->data, SIZE, 1));

	self->pi->guard[0] ^= 1;
	EXPECT_CC(ABORTED_COMMAND, 0x10, 1,
		  vs_pi_write(self->dev, TAG, 0, WRITE(3, 1, CHECK), self->pi,
			      8, self->data, SIZE));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, set_prot_type("0"));
}

/* Turns the port's protection on and off. */
static void *change_prot_type(void *arg)
{
	volatile bool *stop = arg;

	while (!*stop) {
		set_prot_type("1");
		set_prot_type("0");
	}
	return NULL;
}

TEST_F(pi_port, transfer_of_no_block_is_good_whenever_protection_comes)
{
	struct vs_result res;
	volatile bool stop = false;
	pthread_t thread;
	unsigned int i;

	COVERS("REQ-55 CFG-14");
	ASSERT_EQ(0, set_prot_type("1"));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	move_no_block(_metadata, self->dev, self->data);
	ASSERT_EQ(0, pthread_create(&thread, NULL, change_prot_type,
				    (void *)&stop));
	for (i = 0; i < vs_rounds(2000, 5000); i++) {
		res = vs_scsi_write(self->dev, TAG, 0,
				    vs_cdb_rw10(VS_WRITE_10, 1, 0), NULL, 0);
		EXPECT_GOOD(res);
	}
	stop = true;
	pthread_join(thread, NULL);
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, set_prot_type("0"));
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
