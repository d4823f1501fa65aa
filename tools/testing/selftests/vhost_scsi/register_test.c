// SPDX-License-Identifier: GPL-2.0
/*
 * Registrations that LIO counts wrong, of other ports, or frees too early, when they
 * are preempted. Whatever a guest asks for, the unit can be taken away from it, and the
 * host stays well.
 */
#include <stdlib.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define OTHER	2		/* another TPG of the target, and what its port is */
#define NEXUS2	"naa.5001405f00d0000b"

/* PERSISTENT RESERVE OUT: service actions, and a type in the CDB's byte 2. */
#define PR_REGISTER		0
#define PR_RESERVE		1
#define PR_RELEASE		2
#define PR_PREEMPT		4
#define PR_PREEMPT_AND_ABORT	5
#define PR_REGISTER_AND_IGNORE	6
#define PR_REGISTER_AND_MOVE	7
#define PR_WRITE_EXCLUSIVE	1
#define PR_EXCLUSIVE_ALL	8

#define TRANSPORT_ID	24		/* bytes, of SAS */

static const uint8_t sas_id[TRANSPORT_ID] = {
	6, [4] = 0x50, 0x01, 0x40, 0x5f, 0x00, 0xd0, 0x00, 0x0b
};

FIXTURE(registration) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *list;
};

typedef FIXTURE_DATA(registration) registration_data;

FIXTURE_SETUP(registration)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->list = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, OTHER));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, OTHER, NEXUS2));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, OTHER, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, OTHER, 0));
}

FIXTURE_TEARDOWN(registration)
{
	vs_dev_close(self->dev);
	EXPECT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	EXPECT_EQ(0, vs_lun_unlink(VS_WWN, OTHER, 0));
	ENV_PUT(&self->env);
}

static struct vs_result pr_out(registration_data *self, uint8_t action,
			       uint16_t len)
{
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, action, len);

	cdb.b[2] = PR_WRITE_EXCLUSIVE;
	return vs_scsi_write(self->dev, TAG, 0, cdb, self->list, len);
}

TEST_F(registration, of_ports_that_a_list_names_is_refused)
{
	COVERS("REQ-69 SCSI-07");
	memset(self->list, 0, VS_PAGE);
	self->list[15] = 1;
	self->list[20] = 0x08;	/* SPEC_I_PT */
	/* No list, one of another length, a port that there is. */
	EXPECT_CC(5, 0x26, 0, pr_out(self, PR_REGISTER, 24));
	self->list[27] = 1;
	EXPECT_CC(5, 0x26, 0, pr_out(self, PR_REGISTER, 28));
	self->list[27] = TRANSPORT_ID;
	memcpy(self->list + 28, sas_id, TRANSPORT_ID);
	EXPECT_CC(5, 0x26, 0, pr_out(self, PR_REGISTER, 28 + TRANSPORT_ID));
	/* Nobody is registered. */
	self->list[20] = 0;
	EXPECT_GOOD(pr_out(self, PR_REGISTER, 24));
}

TEST_F(registration, is_not_moved_to_another_port)
{
	char path[256], rtpi[16];
	unsigned int i, port;

	COVERS("REQ-69 SCSI-07");
	vs_tpg_path(path, sizeof(path), VS_WWN, OTHER, "rtpi");
	ASSERT_LT(0, vs_read_file(path, rtpi, sizeof(rtpi)));
	memset(self->list, 0, VS_PAGE);
	self->list[15] = 1;
	ASSERT_GOOD(pr_out(self, PR_REGISTER, 24));
	self->list[7] = 1;
	self->list[15] = 0;
	ASSERT_GOOD(pr_out(self, PR_RESERVE, 24));

	self->list[15] = 1;
	port = strtoul(rtpi, NULL, 0);
	self->list[18] = port >> 8;
	self->list[19] = port;
	self->list[23] = TRANSPORT_ID;
	memcpy(self->list + 24, sas_id, TRANSPORT_ID);
	for (i = 0; i < 3; i++)
		EXPECT_CC(5, 0x24, 0, pr_out(self, PR_REGISTER_AND_MOVE,
					     24 + TRANSPORT_ID));
	/* The reservation is where it was. */
	EXPECT_EQ(VS_RESERVATION_CONFLICT,
		  vs_scsi_write(self->dev, OTHER, 0,
				vs_cdb_rw10(VS_WRITE_10, 0, 1), self->list,
				512).status);
}

/* The keys are single digits. */
static uint8_t pr_by(registration_data *self, uint8_t target, uint8_t action,
		     uint8_t type, uint8_t key, uint8_t other_key)
{
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, action, 24);

	cdb.b[2] = type;
	memset(self->list, 0, 24);
	self->list[7] = key;
	self->list[15] = other_key;
	return vs_scsi_write(self->dev, target, 0, cdb, self->list, 24).status;
}

TEST_F(registration, of_the_sender_stays_when_its_own_key_is_preempted)
{
	static const uint8_t actions[] = { PR_PREEMPT, PR_PREEMPT_AND_ABORT };
	unsigned int i;

	COVERS("REQ-69 SCSI-07");
	ASSERT_EQ(VS_GOOD, pr_by(self, TAG, PR_REGISTER, 0, 0, 1));
	ASSERT_EQ(VS_GOOD, pr_by(self, OTHER, PR_REGISTER, 0, 0, 2));
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		EXPECT_EQ(VS_RESERVATION_CONFLICT,
			  pr_by(self, TAG, actions[i], PR_WRITE_EXCLUSIVE, 1, 1));
		/* Nor with a reservation of somebody else's. */
		ASSERT_EQ(VS_GOOD, pr_by(self, OTHER, PR_RESERVE,
					 PR_WRITE_EXCLUSIVE, 2, 0));
		EXPECT_EQ(VS_RESERVATION_CONFLICT,
			  pr_by(self, TAG, actions[i], PR_WRITE_EXCLUSIVE, 1, 1));
		/* That one is preempted, and its registration with it. */
		ASSERT_EQ(VS_GOOD, pr_by(self, TAG, actions[i],
					 PR_WRITE_EXCLUSIVE, 1, 2));
		/* Who holds the reservation may, and goes on to hold it. */
		EXPECT_EQ(VS_GOOD, pr_by(self, TAG, actions[i],
					 PR_EXCLUSIVE_ALL, 1, 1));
		EXPECT_EQ(VS_GOOD, pr_by(self, TAG, PR_RELEASE,
					 PR_EXCLUSIVE_ALL, 1, 0));
		ASSERT_EQ(0, vs_scsi_settle(self->dev, OTHER, 0));
		ASSERT_EQ(VS_GOOD, pr_by(self, OTHER, PR_REGISTER, 0, 0, 2));
	}
}

/* One host, two paths, one key: the path that is left takes the reservation. */
TEST_F(registration, of_another_path_with_the_same_key_is_preempted)
{
	static const uint8_t actions[] = { PR_PREEMPT, PR_PREEMPT_AND_ABORT };
	unsigned int i;

	COVERS("REQ-69 SCSI-07");
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		ASSERT_EQ(VS_GOOD, pr_by(self, TAG, PR_REGISTER_AND_IGNORE, 0, 0, 1));
		ASSERT_EQ(VS_GOOD, pr_by(self, OTHER, PR_REGISTER, 0, 0, 1));
		ASSERT_EQ(VS_GOOD, pr_by(self, OTHER, PR_RESERVE,
					 PR_WRITE_EXCLUSIVE, 1, 0));
		EXPECT_EQ(VS_GOOD, pr_by(self, TAG, actions[i],
					 PR_WRITE_EXCLUSIVE, 1, 1));
		ASSERT_EQ(0, vs_scsi_settle(self->dev, OTHER, 0));
		EXPECT_EQ(VS_RESERVATION_CONFLICT,
			  vs_scsi_write(self->dev, OTHER, 0,
					vs_cdb_rw10(VS_WRITE_10, 0, 1),
					self->list, 512).status);
		EXPECT_EQ(VS_GOOD, pr_by(self, TAG, PR_RELEASE,
					 PR_WRITE_EXCLUSIVE, 1, 0));
	}
}

TEST_F(registration, that_is_none_is_reserved_and_released_by_one)
{
	static const uint8_t ops[][2] = {
		{ VS_RESERVE_6, 0x17 }, { 0x56, 0x57 },
	};
	unsigned int i;

	COVERS("REQ-69 SCSI-07");
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
					 vs_cdb_op(ops[i][0]), NULL, 0));
		/* SPC-2: no error, and it does nothing. */
		EXPECT_GOOD(vs_scsi_read(self->dev, OTHER, 0,
					 vs_cdb_op(ops[i][1]), NULL, 0));
		EXPECT_EQ(VS_RESERVATION_CONFLICT,
			  vs_scsi_read(self->dev, OTHER, 0,
				       vs_cdb_op(ops[i][0]), NULL, 0).status);
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
					 vs_cdb_op(ops[i][1]), NULL, 0));
		EXPECT_GOOD(vs_scsi_read(self->dev, OTHER, 0,
					 vs_cdb_op(ops[i][0]), NULL, 0));
		EXPECT_GOOD(vs_scsi_read(self->dev, OTHER, 0,
					 vs_cdb_op(ops[i][1]), NULL, 0));
	}
}

#define CONFLICTS 1000

/* A unit attention waits until REQUEST SENSE then, and a conflict adds another. */
TEST_F(registration, conflicts_raise_one_unit_attention)
{
	struct vs_cdb luns = vs_cdb_op(VS_REPORT_LUNS);
	long before = vs_slab_objects("se_ua_cache");
	size_t used = self->dev->mem.used;
	unsigned int i;

	COVERS("REQ-71 SCSI-05");
	if (before < 0)
		SKIP(return, "the kernel counts unit attentions with other objects");
	luns.b[9] = 16;
	/* The attribute is the administrator's as long as nobody has the unit. */
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, OTHER, 0));
	ASSERT_EQ(0, vs_backstore_attr(&self->env.bs[0], "emulate_ua_intlck_ctrl",
				       "2"));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, OTHER, 0, &self->env.bs[0]));
	ASSERT_EQ(VIRTIO_SCSI_S_OK, vs_tmf(self->dev, TAG, 0,
					   VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
					   0, NULL));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_len6(VS_REQUEST_SENSE, 0, 18),
				 self->list, 18));
	ASSERT_EQ(VS_GOOD, vs_scsi_read(self->dev, TAG, 0,
					vs_cdb_op(VS_RESERVE_6), NULL, 0).status);
	for (i = 0; i < CONFLICTS; i++) {
		self->dev->mem.used = used;
		ASSERT_EQ(VS_RESERVATION_CONFLICT,
			  vs_scsi_read(self->dev, OTHER, 0, luns, self->list,
				       16).status);
	}
	EXPECT_GT(CONFLICTS / 2, vs_slab_objects("se_ua_cache") - before);
}

TEST_F(registration, of_all_are_preempted_by_who_holds_the_reservation)
{
	COVERS("REQ-69 SCSI-07");
	ASSERT_EQ(VS_GOOD, pr_by(self, TAG, PR_REGISTER, 0, 0, 1));
	ASSERT_EQ(VS_GOOD, pr_by(self, OTHER, PR_REGISTER, 0, 0, 2));
	ASSERT_EQ(VS_GOOD, pr_by(self, TAG, PR_RESERVE, PR_EXCLUSIVE_ALL, 1, 0));
	EXPECT_EQ(VS_RESERVATION_CONFLICT,
		  pr_by(self, OTHER, PR_PREEMPT, PR_EXCLUSIVE_ALL, 2, 0));
	/* All registrants hold it. */
	EXPECT_EQ(VS_GOOD, pr_by(self, OTHER, PR_PREEMPT, PR_EXCLUSIVE_ALL, 2, 2));
	EXPECT_EQ(VS_GOOD, pr_by(self, OTHER, PR_PREEMPT_AND_ABORT,
				 PR_EXCLUSIVE_ALL, 2, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(VS_GOOD, pr_by(self, TAG, PR_REGISTER, 0, 0, 1));
	EXPECT_EQ(VS_GOOD, pr_by(self, OTHER, PR_PREEMPT, PR_EXCLUSIVE_ALL, 2, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	/* It is not registered any more. */
	EXPECT_EQ(VS_RESERVATION_CONFLICT,
		  pr_by(self, TAG, PR_RESERVE, PR_EXCLUSIVE_ALL, 1, 0));
}

TEST_F(registration, of_all_ports_is_refused)
{
	static const uint8_t actions[] = { PR_REGISTER, PR_REGISTER_AND_IGNORE };
	unsigned int i;

	COVERS("REQ-69 SCSI-07");
	memset(self->list, 0, VS_PAGE);
	self->list[15] = 1;
	self->list[20] = 0x04;	/* ALL_TG_PT */
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		EXPECT_CC(5, 0x26, 0, pr_out(self, actions[i], 24));
	self->list[20] = 0;
	EXPECT_GOOD(pr_out(self, PR_REGISTER, 24));
}

TEST_F(registration, takes_a_list_of_one_length)
{
	static const uint8_t len[] = { 1, 20, 23, 25, 255 };
	unsigned int i;

	COVERS("REQ-69 SCSI-07");
	memset(self->list, 0, VS_PAGE);
	self->list[15] = 1;
	for (i = 0; i < ARRAY_SIZE(len); i++)
		EXPECT_CC(5, 0x1a, 0, pr_out(self, PR_REGISTER, len[i]));
	EXPECT_GOOD(pr_out(self, PR_REGISTER, 24));
}

TEST_HARNESS_MAIN
