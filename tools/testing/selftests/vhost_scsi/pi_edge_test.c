// SPDX-License-Identifier: GPL-2.0
/*
 * Protection information where there is none or should be none: lengths that lie, transfers
 * of no block, memory that is not there, and a unit whose port has it in the disk's place, or
 * not yet.
 */
#include <pthread.h>

#include "pi_fixture.h"

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

TEST_HARNESS_MAIN
