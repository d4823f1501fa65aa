// SPDX-License-Identifier: GPL-2.0
/* Which unit a request means: LUN forms, targets, units that are not there. */
#include "vs_test.h"

#define TAG VS_TAG

FIXTURE(lun) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(lun)
{
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
}

ENV_TEARDOWN(lun);

/* Sends an INQUIRY for the unit serial number to a raw LUN field. */
static int inquiry_raw(struct vs_dev *dev, const uint8_t *lun, uint8_t *buf,
		       struct virtio_scsi_cmd_resp *rsp)
{
	struct vs_req req;
	int ret;

	memset(buf, 0, 64);
	vs_req_get(&req, dev, 0, 0, vs_cdb_vpd(0x80, 64));
	memcpy(req.hdr->lun, lun, 8);
	vs_req_in(&req, buf, 64);
	ret = vs_req_run(&req);
	*rsp = *req.rsp;
	vs_req_put(&req);
	return ret;
}

TEST_F(lun, byte_zero_must_be_one)
{
	static const uint8_t first[] = { 0, 2, 0x40, 0xff };
	struct virtio_scsi_cmd_resp rsp;
	size_t i;

	COVERS("REQ-08 F-RQ-01");
	for (i = 0; i < sizeof(first); i++) {
		uint8_t lun[8] = { first[i], TAG };

		ASSERT_EQ(0, inquiry_raw(self->dev, lun, self->buf, &rsp));
		EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, rsp.response);
		EXPECT_EQ(0, rsp.status);
	}
}

TEST_F(lun, target_that_does_not_exist_is_bad_target)
{
	static const uint8_t target[] = { 0, 2, 128, 255 };
	size_t i;

	COVERS("REQ-13 F-RQ-01");
	for (i = 0; i < sizeof(target); i++) {
		struct vs_result res;

		res = vs_scsi_read(self->dev, target[i], 0,
				   vs_cdb_inquiry(36), self->buf, 36);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, res);
		EXPECT_EQ(0, res.status);
		EXPECT_EQ(VS_RSP, res.used_len);
	}
	EXPECT_EQ(-1, vs_not_all(self->buf, 36, 0));
}

TEST_F(lun, all_forms_of_a_number_name_the_same_unit)
{
	static const struct {
		uint8_t hi, lo, unit;
	} form[] = {
		{ 0x00, 0x00, 0 }, { 0x40, 0x00, 0 },
		{ 0x00, 0xff, 1 }, { 0x40, 0xff, 1 },
		{ 0x01, 0x2c, 2 }, { 0x41, 0x2c, 2 },
		{ 0x3f, 0xff, 3 }, { 0x7f, 0xff, 3 },
	};
	static const unsigned int number[] = { 0, 255, 300, 16383 };
	struct virtio_scsi_cmd_resp rsp;
	size_t i;

	COVERS("REQ-09 SCSI-02 CFG-16 FEA-22");
	for (i = 1; i < 4; i++) {
		struct vs_backstore *bs = &self->env.bs[i];

		ASSERT_EQ(0, vs_ramdisk_get(bs, i, 1, false));
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, number[i], bs));
	}
	for (i = 0; i < ARRAY_SIZE(form); i++) {
		uint8_t lun[8] = { 1, TAG, form[i].hi, form[i].lo };
		char serial[16];

		ASSERT_EQ(0, inquiry_raw(self->dev, lun, self->buf, &rsp));
		EXPECT_EQ(VIRTIO_SCSI_S_OK, rsp.response);
		EXPECT_EQ(VS_GOOD, rsp.status);
		snprintf(serial, sizeof(serial), "vs-test-%u", form[i].unit);
		EXPECT_EQ(0, memcmp(self->buf + 4, serial, strlen(serial)));
	}
}

TEST_F(lun, other_address_methods_never_reach_a_unit)
{
	static const uint8_t hi[] = { 0x80, 0x81, 0xbf, 0xc0, 0xc1, 0xff };
	struct virtio_scsi_cmd_resp rsp;
	size_t i, j;

	COVERS("REQ-10 F-RQ-03");
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 257, &self->env.bs[1]));
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[2], 2, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[2]));
	for (i = 0; i < sizeof(hi); i++) {
		for (j = 0; j < 2; j++) {
			uint8_t lun[8] = { 1, TAG, hi[i], j };

			/* C1 01 is the REPORT LUNS unit. */
			ASSERT_EQ(0, inquiry_raw(self->dev, lun, self->buf,
						 &rsp));
			EXPECT_NE(0, memcmp(self->buf + 4, "vs-test", 7));
			if (hi[i] == 0xc1 && j == 1)
				continue;
			EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, rsp.response);
		}
	}
}

TEST_F(lun, bytes_four_to_seven_are_ignored)
{
	static const uint8_t lun[8] = { 1, TAG, 0x40, 0, 1, 2, 3, 4 };
	struct virtio_scsi_cmd_resp rsp;

	COVERS("REQ-11");
	ASSERT_EQ(0, inquiry_raw(self->dev, lun, self->buf, &rsp));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, rsp.response);
	EXPECT_EQ(VS_GOOD, rsp.status);
	EXPECT_EQ(0, memcmp(self->buf + 4, "vs-test-0", 9));
}

TEST_F(lun, report_luns_unit_is_answered_cleanly)
{
	static const uint8_t lun[8] = { 0xc1, 1 };
	struct vs_req req;

	COVERS("REQ-12 F-RQ-02");
	vs_req_get(&req, self->dev, 0, 0, vs_cdb_report_luns(64));
	memcpy(req.hdr->lun, lun, 8);
	vs_req_in(&req, self->buf, 64);
	ASSERT_EQ(0, vs_req_run(&req));
	if (req.rsp->response != VIRTIO_SCSI_S_BAD_TARGET) {
		EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
		EXPECT_EQ(VS_GOOD, req.rsp->status);
	}
	vs_req_put(&req);
}

TEST_F(lun, missing_unit_answers_inquiry_with_7f_and_no_log_line)
{
	struct vs_result res;

	COVERS("REQ-14 SCSI-03 F-RQ-04 F-SE-06");
	memset(self->buf, 0x5a, VS_PAGE);
	res = vs_scsi_read(self->dev, TAG, 9, vs_cdb_inquiry(36), self->buf,
			   36);
	EXPECT_GOOD(res);
	EXPECT_EQ(0x7f, self->buf[0]);
	EXPECT_EQ(VS_RSP + 36 - res.resid, res.used_len);
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(self->dev, TAG, 9,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(self->dev, TAG, 9, vs_cdb_rw10(VS_READ_10, 0, 8),
			       self->buf, VS_PAGE));
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_write(self->dev, TAG, 9,
				vs_cdb_rw10(VS_WRITE_10, 0, 8), self->buf,
				VS_PAGE));
	EXPECT_EQ(0, vs_env_logged(&self->env, "TARGET_CORE"));
}

TEST_F(lun, missing_unit_answers_request_sense)
{
	struct vs_result res;

	COVERS("REQ-14");
	memset(self->buf, 0, VS_PAGE);
	res = vs_scsi_read(self->dev, TAG, 9,
			   vs_cdb_len6(VS_REQUEST_SENSE, 0, 18), self->buf,
			   18);
	EXPECT_GOOD(res);
	EXPECT_EQ(5, self->buf[2] & 0xf);
	EXPECT_EQ(0x25, self->buf[12]);
	EXPECT_EQ(0, self->buf[13]);
	/* A shorter buffer, and one in pieces. */
	res = vs_scsi_read(self->dev, TAG, 9,
			   vs_cdb_len6(VS_REQUEST_SENSE, 0, 18), self->buf, 4);
	EXPECT_GOOD(res);
	EXPECT_EQ(VS_RSP + 4, res.used_len);
}

TEST_F(lun, target_without_lun_zero_still_reports_its_luns)
{
	COVERS("SCSI-01 REQ-14");
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 300, &self->env.bs[0]));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_inquiry(36),
				 self->buf, 36));
	EXPECT_EQ(0x20, self->buf[0] & 0xe0);
	memset(self->buf, 0, VS_PAGE);
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_report_luns(64),
				 self->buf, 64));
	EXPECT_EQ(0, self->buf[16 + 4]);
	EXPECT_EQ(0x01, self->buf[8]);
	EXPECT_EQ(0x2c, self->buf[9]);
}

TEST_F(lun, missing_lun_0_has_no_data)
{
	COVERS("SCSI-01 REQ-14 REQ-57");
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	memset(self->buf, 0x5a, VS_PAGE);
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(self->dev, TAG, 0,
			       vs_cdb_rw10(VS_READ_10, 0, 8), self->buf,
			       VS_PAGE));
	/* Not "write protected": a guest with another path has to try that. */
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_write(self->dev, TAG, 0,
				vs_cdb_rw10(VS_WRITE_10, 0, 8), self->buf,
				VS_PAGE));
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_write(self->dev, TAG, 0, vs_cdb_op(VS_UNMAP),
				self->buf, 24));
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(self->dev, TAG, 0,
			       vs_cdb_op(VS_SYNCHRONIZE_CACHE), NULL, 0));
	EXPECT_EQ(-1, vs_not_all(self->buf, VS_PAGE, 0x5a));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_len6(VS_REQUEST_SENSE, 0, 18),
				 self->buf, 18));
	EXPECT_EQ(0x25, self->buf[12]);
}

TEST_F(lun, unlinked_unit_is_missing_at_once)
{
	COVERS("REQ-57 F-AD-01 CFG-22");
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, &self->env.bs[1]));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 5));
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(self->dev, TAG, 5,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 5, &self->env.bs[1]));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 5));
}

TEST_F(lun, numbers_above_16383_never_alias_a_unit)
{
	int ret;

	COVERS("CFG-16 F-RQ-03");
	self->env.may_log = true;
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ret = vs_lun_link(VS_WWN, TAG, 16384 + 7, &self->env.bs[1]);
	if (ret)
		EXPECT_EQ(-EINVAL, ret);
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(self->dev, TAG, 7,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	/* Nor is one listed twice. */
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[2], 2, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 7, &self->env.bs[2]));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 7));
	memset(self->buf, VS_POISON, 64);
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 7, vs_cdb_report_luns(64),
				 self->buf, 64));
	EXPECT_EQ(16, vs_get_be32(self->buf));
	EXPECT_EQ(7, self->buf[9] + self->buf[17]);
	EXPECT_EQ(VS_POISON, self->buf[24]);
}

/* Three targets in one WWN, one of them without nexus. */
FIXTURE(targets) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(targets)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
}

ENV_TEARDOWN(targets);

TEST_F(targets, each_tpg_with_a_nexus_is_a_target)
{
	COVERS("F-LC-03 IOC-02 REQ-13 CFG-24 FEA-22");
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 0));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, 0, VS_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, 0, 0, &self->env.bs[1]));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 255));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, 255, VS_NEXUS));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 7));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_GOOD(vs_scsi_read(self->dev, 0, 0, vs_cdb_vpd(0x80, 64),
				 self->buf, 64));
	EXPECT_EQ(0, memcmp(self->buf + 4, "vs-test-1", 9));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_vpd(0x80, 64),
				 self->buf, 64));
	EXPECT_EQ(0, memcmp(self->buf + 4, "vs-test-0", 9));
	EXPECT_GOOD(vs_scsi_read(self->dev, 255, 0, vs_cdb_report_luns(64),
				 self->buf, 64));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET,
			vs_scsi_read(self->dev, 7, 0, vs_cdb_inquiry(36),
				     self->buf, 36));
}

TEST_F(targets, target_without_any_lun_is_a_target)
{
	COVERS("F-LC-02 SCSI-01");
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	memset(self->buf, 0x5a, 64);
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_report_luns(64),
				 self->buf, 64));
}

TEST_HARNESS_MAIN
