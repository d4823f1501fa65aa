// SPDX-License-Identifier: GPL-2.0
/* The control queue: task management, and asynchronous notification. */
#include "vs_test.h"

#define TAG VS_TAG

#define COMPLETE	VIRTIO_SCSI_S_OK
#define REJECTED	VIRTIO_SCSI_S_FUNCTION_REJECTED
#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET

FIXTURE(control) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_ring *ring;
};

FIXTURE_SETUP(control)
{
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->ring = &self->dev->ring[VS_CTL];
}

ENV_TEARDOWN(control);

TEST_F(control, lun_reset_is_function_complete)
{
	uint32_t len;

	COVERS("CTL-03 CTL-13 CTL-26 F-TM-13 FAB-19 FAB-33");
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, &len));
	EXPECT_EQ(1, len);
}

TEST_F(control, lun_reset_leaves_a_unit_attention)
{
	COVERS("CTL-13 SCSI-05");
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL);
	EXPECT_CC(6, 0x29, 0x03,
		  vs_scsi_read(self->dev, TAG, 0,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
}

TEST_F(control, lun_reset_of_a_missing_unit_is_incorrect_lun)
{
	COVERS("CTL-05 F-TM-07 F-RQ-04 FAB-19 FAB-33");
	EXPECT_EQ(VIRTIO_SCSI_S_INCORRECT_LUN,
		  vs_tmf(self->dev, TAG, 9, LUN_RESET, 0, NULL));
}

TEST_F(control, every_function_for_a_missing_target_is_bad_target)
{
	uint32_t subtype;

	COVERS("CTL-04 F-RQ-01 F-TM-07");
	for (subtype = 0; subtype <= 7; subtype++)
		EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET,
			  vs_tmf(self->dev, 55, 0, subtype, 0, NULL));
}

TEST_F(control, wrong_lun_form_is_refused)
{
	static const uint8_t form[][4] = {
		{ 0, TAG, 0x40, 0 }, { 0xff, TAG, 0x40, 0 },
		{ 1, TAG, 0x80, 0 }, { 1, TAG, 0xc0, 0 },
	};
	size_t i;

	COVERS("CTL-04 F-TM-07 F-RQ-01 F-RQ-03");
	for (i = 0; i < ARRAY_SIZE(form); i++) {
		struct virtio_scsi_ctrl_tmf_req *tmf;
		struct vs_chain chain;
		uint8_t *rsp;

		vs_chain_get(&chain);
		rsp = vs_tmf_chain(&chain, self->dev, TAG, 0, LUN_RESET, 0);
		tmf = (void *)(self->dev->mem.base + chain.out[0].gpa -
			       VS_GPA);
		memset(tmf->lun, 0, 8);
		memcpy(tmf->lun, form[i], 4);
		ASSERT_EQ(0, vs_chain_run(self->ring, &chain));
		EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_BAD_TARGET |
			      1U << VIRTIO_SCSI_S_INCORRECT_LUN, *rsp);
		vs_chain_put(&chain);
	}
	/* None of them was a reset: no unit attention waits. */
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F(control, clear_aca_is_rejected)
{
	uint32_t len;

	COVERS("CTL-08 F-TM-13");
	EXPECT_EQ(REJECTED, vs_tmf(self->dev, TAG, 0,
				   VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0, &len));
	EXPECT_EQ(1, len);
}

TEST_F(control, unknown_function_is_rejected)
{
	static const uint32_t subtype[] = { 8, 255, 0x05000000, 0xffffffff };
	size_t i;

	COVERS("CTL-14 F-RQ-15");
	for (i = 0; i < ARRAY_SIZE(subtype); i++)
		EXPECT_EQ(REJECTED, vs_tmf(self->dev, TAG, 0, subtype[i], 0,
					   NULL));
}

TEST_F(control, request_split_in_bytes_is_understood)
{
	struct vs_chain whole, cut;
	uint8_t *rsp;

	COVERS("CTL-01 REQ-04");
	vs_chain_get(&whole);
	vs_chain_get(&cut);
	rsp = vs_tmf_chain(&whole, self->dev, TAG, 0, LUN_RESET, 0);
	vs_chain_out_cut(&cut, &self->dev->mem,
			 self->dev->mem.base + whole.out[0].gpa - VS_GPA,
			 24, 1);
	vs_chain_in(&cut, &self->dev->mem, rsp, 0);
	vs_chain_in(&cut, &self->dev->mem, rsp, 1);
	ASSERT_EQ(0, vs_chain_run(self->ring, &cut));
	EXPECT_EQ(COMPLETE, *rsp);
	EXPECT_EQ(1, cut.used_len);
	EXPECT_EQ(-1, vs_not_all(rsp + 1, 63, VS_POISON));
	vs_chain_put(&whole);
	vs_chain_put(&cut);
}

/* Sends raw bytes on the control queue; returns 0 or -ETIMEDOUT. */
static int control_raw(struct vs_dev *dev, const void *bytes, size_t out,
		       uint8_t *rsp, size_t in, uint32_t *used_len)
{
	struct vs_chain chain;
	uint8_t *req = vs_mem_alloc(&dev->mem, 64, 64);
	int ret;

	memcpy(req, bytes, out);
	vs_chain_get(&chain);
	if (out)
		vs_chain_out(&chain, &dev->mem, req, out);
	if (in)
		vs_chain_in(&chain, &dev->mem, rsp, in);
	ret = vs_chain_run(&dev->ring[VS_CTL], &chain);
	*used_len = chain.used_len;
	if (ret)
		dev->ring[VS_CTL].owner[chain.head] = NULL;
	vs_chain_put(&chain);
	return ret;
}

TEST_F(control, notification_requests_answer_none)
{
	struct virtio_scsi_ctrl_an_req an = { .event_requested = 0x7e };
	uint32_t type, len;
	uint8_t *rsp;

	COVERS("CTL-24 CTL-26");
	rsp = vs_mem_alloc(&self->dev->mem, 64, 64);
	for (type = VIRTIO_SCSI_T_AN_QUERY; type <= VIRTIO_SCSI_T_AN_SUBSCRIBE;
	     type++) {
		an.type = type;
		vs_lun(an.lun, TAG, 0);
		memset(rsp, VS_POISON, 64);
		ASSERT_EQ(0, control_raw(self->dev, &an, sizeof(an), rsp, 5,
					 &len));
		EXPECT_EQ(-1, vs_not_all(rsp, 5, 0));
		EXPECT_EQ(5, len);
		vs_lun(an.lun, 44, 0);
		memset(rsp, VS_POISON, 64);
		ASSERT_EQ(0, control_raw(self->dev, &an, sizeof(an), rsp, 5,
					 &len));
		EXPECT_EQ(-1, vs_not_all(rsp, 4, 0));
		EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, rsp[4]);
		EXPECT_EQ(5, len);
	}
}

TEST_F(control, no_bit_of_the_notification_mask_is_granted)
{
	/* Operational change, power, external, media, multi-host, busy. */
	static const uint32_t bit[] = { 2, 4, 8, 16, 32, 64, 1, 1U << 31, ~0U };
	struct virtio_scsi_ctrl_an_req an = {};
	uint32_t type, len;
	uint8_t *rsp;
	size_t i;

	COVERS("CTL-25 CTL-24");
	rsp = vs_mem_alloc(&self->dev->mem, 64, 64);
	vs_lun(an.lun, TAG, 0);
	for (type = VIRTIO_SCSI_T_AN_QUERY; type <= VIRTIO_SCSI_T_AN_SUBSCRIBE;
	     type++) {
		for (i = 0; i < ARRAY_SIZE(bit); i++) {
			an.type = type;
			an.event_requested = bit[i];
			memset(rsp, VS_POISON, 64);
			ASSERT_EQ(0, control_raw(self->dev, &an, sizeof(an),
						 rsp, 5, &len));
			/* No event, and VIRTIO_SCSI_S_OK. */
			EXPECT_EQ(-1, vs_not_all(rsp, 5, 0));
			EXPECT_EQ(5, len);
		}
	}
}

TEST_F(control, each_kind_of_answer_has_its_code)
{
	uint8_t bytes[24] = {}, *rsp;
	uint32_t len;

	COVERS("CTL-02 CTL-03");
	EXPECT_EQ(0, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
	EXPECT_EQ(3, vs_tmf(self->dev, TAG + 1, 0, LUN_RESET, 0, NULL));
	EXPECT_EQ(11, vs_tmf(self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0,
			     NULL));
	EXPECT_EQ(12, vs_tmf(self->dev, TAG, 9, LUN_RESET, 0, NULL));
	/* 9: a request that ends within its fields. */
	rsp = vs_mem_alloc(&self->dev->mem, 64, 64);
	ASSERT_EQ(0, control_raw(self->dev, bytes, 23, rsp, 1, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(9, rsp[0]);
}

TEST_F(control, unknown_type_returns_the_head)
{
	static const uint32_t type[] = { 3, 0x01000000, 0xffffffff };
	uint8_t bytes[24] = {}, *rsp;
	uint32_t len;
	size_t i;

	COVERS("CTL-21 F-RQ-15 REQ-40");
	rsp = vs_mem_alloc(&self->dev->mem, 64, 64);
	for (i = 0; i < ARRAY_SIZE(type); i++) {
		memcpy(bytes, &type[i], 4);
		vs_lun(bytes + 8, TAG, 0);
		memset(rsp, VS_POISON, 64);
		EXPECT_EQ(0, control_raw(self->dev, bytes, 24, rsp, 16,
					 &len));
		EXPECT_EQ(0, len);
		EXPECT_EQ(-1, vs_not_all(rsp, 64, VS_POISON));
	}
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
}

TEST_F(control, short_request_or_response_returns_the_head)
{
	struct virtio_scsi_ctrl_tmf_req tmf = { .subtype = LUN_RESET };
	static const uint8_t zero[8];
	uint32_t len;
	uint8_t *rsp;

	COVERS("CTL-22 CTL-23 F-RQ-15 F-RG-17");
	vs_lun(tmf.lun, TAG, 0);
	rsp = vs_mem_alloc(&self->dev->mem, 64, 64);
	memset(rsp, VS_POISON, 64);
	/* Three bytes, and none at all. */
	EXPECT_EQ(0, control_raw(self->dev, zero, 3, rsp, 1, &len));
	EXPECT_EQ(0, len);
	EXPECT_EQ(0, control_raw(self->dev, zero, 0, rsp, 1, &len));
	EXPECT_EQ(0, len);
	EXPECT_EQ(VS_POISON, rsp[0]);
	/* The type is known, the rest is missing. */
	EXPECT_EQ(0, control_raw(self->dev, &tmf, 23, rsp, 1, &len));
	if (len) {
		EXPECT_EQ(1, len);
		EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_BAD_TARGET |
			      1U << VIRTIO_SCSI_S_FAILURE, rsp[0]);
	}
	/* No room for the answer. */
	memset(rsp, VS_POISON, 64);
	EXPECT_EQ(0, control_raw(self->dev, &tmf, 24, rsp, 0, &len));
	EXPECT_EQ(0, len);
	tmf.type = VIRTIO_SCSI_T_AN_QUERY;
	EXPECT_EQ(0, control_raw(self->dev, &tmf, 16, rsp, 4, &len));
	EXPECT_EQ(0, len);
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
}

TEST_F(control, request_on_a_page_without_access_returns_the_head)
{
	uint8_t *page, *rsp;
	struct vs_chain chain;

	COVERS("F-RQ-15 F-RG-11 REQ-40");
	page = vs_mem_page(&self->dev->mem, 2);
	rsp = vs_mem_page(&self->dev->mem, 1);
	rsp[0] = VS_POISON;
	ASSERT_EQ(0, mprotect(page + VS_PAGE, VS_PAGE, PROT_NONE));
	vs_chain_get(&chain);
	vs_chain_out(&chain, &self->dev->mem, page + VS_PAGE - 12, 24);
	vs_chain_in(&chain, &self->dev->mem, rsp, 1);
	EXPECT_EQ(0, vs_chain_run(self->ring, &chain));
	EXPECT_LE(chain.used_len, 1);
	self->ring->owner[chain.head] = NULL;
	vs_chain_put(&chain);
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
}

TEST_F(control, response_on_a_page_without_access_returns_the_head)
{
	struct vs_chain chain;
	uint8_t *page;

	COVERS("F-RG-14 REQ-40 CTL-23");
	page = vs_mem_page(&self->dev->mem, 1);
	vs_chain_get(&chain);
	vs_tmf_chain(&chain, self->dev, TAG, 0, LUN_RESET, 0);
	chain.in[0].gpa = vs_mem_gpa(&self->dev->mem, page);
	ASSERT_EQ(0, mprotect(page, VS_PAGE, PROT_NONE));
	EXPECT_EQ(0, vs_chain_run(self->ring, &chain));
	EXPECT_EQ(0, chain.used_len);
	self->ring->owner[chain.head] = NULL;
	vs_chain_put(&chain);
	EXPECT_EQ(COMPLETE, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
}

TEST_F(control, many_functions_at_once_are_all_answered)
{
	struct vs_chain chain[40];
	uint8_t *rsp[40];
	unsigned int i;

	COVERS("CTL-19 F-TM-08");
	for (i = 0; i < ARRAY_SIZE(chain); i++) {
		vs_chain_get(&chain[i]);
		rsp[i] = vs_tmf_chain(&chain[i], self->dev, TAG, 0,
				      i % 4 ? LUN_RESET :
				      VIRTIO_SCSI_T_TMF_CLEAR_ACA, i);
		ASSERT_EQ(0, vs_ring_add(self->ring, &chain[i]));
	}
	vs_ring_kick(self->ring);
	for (i = 0; i < ARRAY_SIZE(chain); i++) {
		ASSERT_EQ(0, vs_chain_wait(self->ring, &chain[i],
					   vs_patience()));
		EXPECT_EQ(i % 4 ? COMPLETE : REJECTED, *rsp[i]);
		EXPECT_EQ(1, chain[i].times);
	}
	for (i = 0; i < ARRAY_SIZE(chain); i++)
		vs_chain_put(&chain[i]);
}

TEST_HARNESS_MAIN
