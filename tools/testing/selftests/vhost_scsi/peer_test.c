// SPDX-License-Identifier: GPL-2.0
/* Two guests: what they share, and what one must not get of the other. */
#include "vs_test.h"

#define TAG		VS_TAG
#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET

#define RESERVE_6	0x16
#define RELEASE_6	0x17
#define EXTENDED_COPY	0x83
#define CONFLICT	0x18
#define TASK_ABORTED	0x40

/* PERSISTENT RESERVE OUT: service actions, and a type in the CDB's byte 2. */
#define PR_REGISTER		0
#define PR_RESERVE		1
#define PR_CLEAR		3
#define PR_PREEMPT_AND_ABORT	5
#define PR_EXCLUSIVE_REGISTRANTS 6

/* One unit, seen through two targets that belong to two guests. */
FIXTURE(shared) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dev other;
};

FIXTURE_VARIANT(shared) {
	const char *nexus;
	enum vs_disk disk;
};

FIXTURE_VARIANT_ADD(shared, equal_names) {
	.nexus = VS_NEXUS,
	.disk = VS_DISK_HOLD,
};

FIXTURE_VARIANT_ADD(shared, two_names) {
	.nexus = "naa.5001405f00d0000b",
	.disk = VS_DISK_HOLD,
};

FIXTURE_SETUP(shared)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = variant->disk,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, TAG, variant->nexus));
	ASSERT_EQ(0, vs_lun_link(VS_WWN2, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_open(&self->other, &opts.dev));
	ASSERT_EQ(0, vs_dev_setup(&self->other));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->other, VS_WWN2));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(&self->other, TAG, 0));
}

FIXTURE_TEARDOWN(shared)
{
	vs_hold_release();
	vs_dev_close(&self->other);
	ENV_PUT(&self->env);
}

static struct vs_result plain(struct vs_dev *dev, uint8_t op)
{
	return vs_scsi_read(dev, TAG, 0, vs_cdb_op(op), NULL, 0);
}

static struct vs_result read_block(struct vs_dev *dev)
{
	return vs_scsi_read(dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 1),
			    vs_mem_alloc(&dev->mem, 512, 512), 512);
}

static void put_be64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

/* A PERSISTENT RESERVE OUT with its parameter list, ready to be sent. */
static void pr_get(struct vs_req *req, struct vs_dev *dev, uint8_t action,
		   uint8_t type, uint64_t key, uint64_t new_key)
{
	uint8_t *list = vs_mem_alloc(&dev->mem, 64, 64);
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, action, 24);

	cdb.b[2] = type;
	memset(list, 0, 64);
	put_be64(list, key);
	put_be64(list + 8, new_key);
	vs_req_get(req, dev, TAG, 0, cdb);
	vs_req_out(req, list, 24);
}

/* Its status, or -1. */
static int pr_out(struct vs_dev *dev, uint8_t action, uint8_t type,
		  uint64_t key, uint64_t new_key)
{
	struct vs_req req;
	int status;

	pr_get(&req, dev, action, type, key, new_key);
	status = vs_req_run(&req) || req.rsp->response ? -1 : req.rsp->status;
	vs_req_put(&req);
	return status;
}

TEST_F(shared, reset_by_another_guest_is_no_event)
{
	struct vs_chain chain;
	uint32_t missed = 1;

	COVERS("EVT-07 CTL-13");
	vs_chain_get(&chain);
	vs_chain_in(&chain, &self->other.mem,
		    vs_mem_alloc(&self->other.mem, 16, 16), 16);
	ASSERT_EQ(0, vs_ring_add(&self->other.ring[VS_EVT], &chain));
	vs_ring_kick(&self->other.ring[VS_EVT]);
	ASSERT_EQ(0, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
	EXPECT_CC(6, 0x29, 0x03, plain(&self->other, VS_TEST_UNIT_READY));
	EXPECT_EQ(-ETIMEDOUT, vs_chain_wait(&self->other.ring[VS_EVT], &chain,
					    200));
	ASSERT_EQ(0, vs_ioctl(self->other.fd, VHOST_SCSI_GET_EVENTS_MISSED,
			      &missed));
	EXPECT_EQ(0, missed);
	self->other.ring[VS_EVT].owner[chain.head] = NULL;
	vs_chain_put(&chain);
}

TEST_F(shared, old_reservation_goes_with_its_nexus)
{
	COVERS("F-SE-09 SCSI-09");
	ASSERT_GOOD(plain(self->dev, RESERVE_6));
	EXPECT_EQ(CONFLICT, read_block(&self->other).status);
	EXPECT_EQ(CONFLICT, plain(&self->other, RESERVE_6).status);
	/* Not the holder's: GOOD by the standard, and without effect. */
	EXPECT_GOOD(plain(&self->other, RELEASE_6));
	EXPECT_EQ(CONFLICT, read_block(&self->other).status);
	EXPECT_GOOD(read_block(self->dev));
	/* The endpoint alone does not end it, the nexus does. */
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(CONFLICT, read_block(&self->other).status);
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	EXPECT_GOOD(read_block(&self->other));
	EXPECT_GOOD(plain(&self->other, RESERVE_6));
	EXPECT_GOOD(plain(&self->other, RELEASE_6));
}

TEST_F(shared, persistent_reservation_isolates_by_nexus)
{
	static const uint64_t key[] = { ~0ULL, 1, 0x8000000000000000ULL };
	size_t i;

	COVERS("F-SE-09 SCSI-07");
	/* Key 0 is none. */
	EXPECT_EQ(VS_GOOD, pr_out(self->dev, PR_REGISTER, 0, 0, 0));
	EXPECT_NE(VS_GOOD, pr_out(self->dev, PR_RESERVE,
				  PR_EXCLUSIVE_REGISTRANTS, 0, 0));
	for (i = 0; i < ARRAY_SIZE(key); i++) {
		ASSERT_EQ(VS_GOOD, pr_out(self->dev, PR_REGISTER, 0, 0,
					  key[i]));
		ASSERT_EQ(VS_GOOD, pr_out(self->dev, PR_RESERVE,
					  PR_EXCLUSIVE_REGISTRANTS, key[i],
					  0));
		/* Of the same name perhaps, but at another target. */
		EXPECT_EQ(CONFLICT, read_block(&self->other).status);
		EXPECT_EQ(CONFLICT, pr_out(&self->other, PR_CLEAR, 0, key[i],
					   0));
		EXPECT_GOOD(read_block(self->dev));
		/* It survives the endpoint, as the nexus stays. */
		ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
		EXPECT_EQ(CONFLICT, read_block(&self->other).status);
		ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
		ASSERT_EQ(VS_GOOD, pr_out(self->dev, PR_CLEAR, 0, key[i], 0));
		EXPECT_GOOD(read_block(&self->other));
	}
}

TEST_F(shared, preempted_writes_are_never_good)
{
	struct vs_req write[8], preempt;
	uint8_t *buf;
	unsigned int i;

	COVERS("F-SE-09 SCSI-10 CTL-16 CTL-17");
	ASSERT_EQ(VS_GOOD, pr_out(self->dev, PR_REGISTER, 0, 0, 1));
	ASSERT_EQ(VS_GOOD, pr_out(&self->other, PR_REGISTER, 0, 0, ~0ULL));
	/* LIO aborts what runs under the reservation that is preempted. */
	ASSERT_EQ(VS_GOOD, pr_out(&self->other, PR_RESERVE,
				  PR_EXCLUSIVE_REGISTRANTS, ~0ULL, 0));
	buf = vs_mem_page(&self->other.mem, 8);
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (i = 0; i < 8; i++) {
		vs_req_get(&write[i], &self->other, TAG, 0,
			   vs_cdb_rw10(VS_WRITE_10, i * 8, 8));
		vs_req_out(&write[i], buf + i * VS_PAGE, VS_PAGE);
		ASSERT_EQ(0, vs_req_submit(&write[i]));
	}
	ASSERT_EQ(0, vs_ring_wait_taken(write[0].ring, vs_patience()));
	/* The last of them has reached the disk when the worker leaves the queue. */
	ASSERT_LE(0, vs_dev_get_base(&self->other, VS_IO));
	pr_get(&preempt, self->dev, PR_PREEMPT_AND_ABORT,
	       PR_EXCLUSIVE_REGISTRANTS, 1, ~0ULL);
	ASSERT_EQ(0, vs_req_submit(&preempt));
	ASSERT_EQ(0, vs_ring_wait_taken(preempt.ring, vs_patience()));
	ASSERT_EQ(0, vs_lio_wait_aborts(1));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_req_wait(&preempt));
	EXPECT_EQ(VS_GOOD, preempt.rsp->status);
	for (i = 0; i < 8; i++) {
		struct virtio_scsi_cmd_resp *rsp = write[i].rsp;

		ASSERT_EQ(0, vs_req_wait(&write[i]));
		EXPECT_TRUE(rsp->response == VIRTIO_SCSI_S_RESET ||
			    rsp->response == VIRTIO_SCSI_S_ABORTED ||
			    (rsp->response == VIRTIO_SCSI_S_OK &&
			     rsp->status == TASK_ABORTED)) {
			TH_LOG("response %u, status %#x", rsp->response,
			       rsp->status);
		}
		EXPECT_EQ(VS_PAGE, rsp->resid);
		vs_req_put(&write[i]);
	}
	vs_req_put(&preempt);
	EXPECT_NE(VS_GOOD, read_block(&self->other).status);
	EXPECT_EQ(CONFLICT, read_block(&self->other).status);
	EXPECT_EQ(VS_GOOD, pr_out(self->dev, PR_CLEAR, 0, 1, 0));
}

/* Two guests with units of their own. */
FIXTURE(apart) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dev other;
};

FIXTURE_SETUP(apart)
{
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[2], 2, 1, false));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN2, TAG, 0, &self->env.bs[1]));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[2]));
	ASSERT_EQ(0, vs_dev_open(&self->other, NULL));
	ASSERT_EQ(0, vs_dev_setup(&self->other));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->other, VS_WWN2));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
	ASSERT_EQ(0, vs_scsi_settle(&self->other, TAG, 0));
}

FIXTURE_TEARDOWN(apart)
{
	vs_dev_close(&self->other);
	ENV_PUT(&self->env);
}

#define NAA_LEN 16

/* The NAA designator of a unit, from VPD page 83h. */
static int naa(struct vs_dev *dev, uint16_t lun, uint8_t *out)
{
	uint8_t *page = vs_mem_alloc(&dev->mem, 256, 64);
	struct vs_result res;
	unsigned int at;

	res = vs_scsi_read(dev, TAG, lun, vs_cdb_vpd(0x83, 255), page, 255);
	if (res.err || res.response || res.status)
		return -EIO;
	for (at = 4; at + 4 + NAA_LEN <= 255; at += 4 + page[at + 3])
		if ((page[at + 1] & 0x3f) == 3 && page[at + 3] == NAA_LEN) {
			memcpy(out, page + at + 4, NAA_LEN);
			return 0;
		}
	return -ENOENT;
}

/* EXTENDED COPY (LID1) of one block from a unit to another, sent to LUN 0. */
static struct vs_result copy_block(struct vs_dev *dev, const uint8_t *from,
				   const uint8_t *to)
{
	struct vs_cdb cdb = vs_cdb_op(EXTENDED_COPY);
	uint8_t *list = vs_mem_alloc(&dev->mem, 128, 64);
	uint8_t *desc = list + 16, *segment = list + 16 + 2 * 32;
	unsigned int i;

	memset(list, 0, 128);
	list[3] = 2 * 32;
	list[11] = 28;
	for (i = 0; i < 2; i++, desc += 32) {
		desc[0] = 0xe4;
		desc[4] = 1;
		desc[5] = 3;
		desc[7] = NAA_LEN;
		memcpy(desc + 8, i ? to : from, NAA_LEN);
		desc[30] = 2;
	}
	segment[0] = 2;
	segment[3] = 0x18;
	segment[7] = 1;
	segment[11] = 1;
	cdb.b[13] = 16 + 2 * 32 + 28;
	return vs_scsi_write(dev, TAG, 0, cdb, list, cdb.b[13]);
}

TEST_F(apart, copy_reaches_units_of_the_own_target_only)
{
	uint8_t own[NAA_LEN], second[NAA_LEN], foreign[NAA_LEN];
	uint8_t *buf = vs_mem_page(&self->dev->mem, 1);
	uint8_t *seen = vs_mem_page(&self->other.mem, 1);

	COVERS("F-SE-04 SCSI-13");
	ASSERT_EQ(0, naa(self->dev, 0, own));
	ASSERT_EQ(0, naa(self->dev, 1, second));
	/* The stock module has no such switch. */
	vs_tpg_attr(VS_WWN, TAG, "extended_copy", "1");
	ASSERT_EQ(0, naa(&self->other, 0, foreign));
	vs_fill(buf, 512, 1);
	ASSERT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, 1), buf, 512));
	vs_fill(seen, 512, 2);
	ASSERT_GOOD(vs_scsi_write(&self->other, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, 1), seen, 512));
	/* That it works at all, between two units of this guest. */
	ASSERT_GOOD(copy_block(self->dev, own, second));
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 1,
				 vs_cdb_rw10(VS_READ_10, 0, 1), buf, 512));
	EXPECT_EQ(-1, vs_differs(buf, 512, 1));
	/* To the other guest's, and from it. */
	EXPECT_EQ(VS_CHECK_CONDITION,
		  copy_block(self->dev, own, foreign).status);
	EXPECT_EQ(VS_CHECK_CONDITION,
		  copy_block(self->dev, foreign, own).status);
	ASSERT_GOOD(vs_scsi_read(&self->other, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 1), seen, 512));
	EXPECT_EQ(-1, vs_differs(seen, 512, 2));
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 1), buf, 512));
	EXPECT_EQ(-1, vs_differs(buf, 512, 1));
}

TEST_F(apart, each_guest_is_told_of_its_own_units_only)
{
	uint8_t mine[NAA_LEN], theirs[NAA_LEN], *list;
	struct vs_result res;

	COVERS("F-SE-04 REQ-13");
	ASSERT_EQ(0, naa(self->dev, 0, mine));
	ASSERT_EQ(0, naa(&self->other, 0, theirs));
	EXPECT_NE(0, memcmp(mine, theirs, NAA_LEN));
	list = vs_mem_page(&self->other.mem, 1);
	ASSERT_GOOD(vs_scsi_read(&self->other, TAG, 0,
				 vs_cdb_report_luns(64), list, 64));
	EXPECT_EQ(8, vs_get_be32(list));
	list = vs_mem_page(&self->dev->mem, 1);
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_report_luns(64),
				 list, 64));
	EXPECT_EQ(16, vs_get_be32(list));
	/* LUN 1 is the first guest's; the second has none of that number. */
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(&self->other, TAG, 1,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	res = vs_scsi_read(&self->other, TAG + 1, 0,
			   vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, res);
}

TEST_HARNESS_MAIN
