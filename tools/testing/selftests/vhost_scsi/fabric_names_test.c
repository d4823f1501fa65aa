// SPDX-License-Identifier: GPL-2.0
/* What LIO makes of the fabric: names, sessions, reservations, parameters. */
#include <stdio.h>
#include <sys/stat.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define NEXUS2	"naa.5001405F00D0000B"

FIXTURE(names) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(names)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
}

FIXTURE_TEARDOWN(names)
{
	vs_dev_close(self->dev);
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN_ISCSI));
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN_FC));
	ENV_PUT(&self->env);
}

/* A WWN of the environment's backstore, served by its device. */
static int serve(struct vs_env *env, const char *wwn, const char *nexus)
{
	int ret = vs_wwn_get(wwn);

	if (!ret)
		ret = vs_tpg_get(wwn, TAG);
	if (!ret)
		ret = vs_nexus_write(wwn, TAG, nexus);
	if (!ret)
		ret = vs_lun_link(wwn, TAG, 0, &env->bs[0]);
	return ret;
}

/* PERSISTENT RESERVE OUT with a key that is known, and one that is new. */
static struct vs_result pr_out(struct vs_dev *dev, uint8_t *buf, uint8_t target,
			       uint8_t action, uint8_t key, uint8_t new_key)
{
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, action, 24);

	/* Write exclusive, where a type is asked for. */
	cdb.b[2] = action ? 1 : 0;
	memset(buf, 0, 24);
	buf[7] = key;
	buf[15] = new_key;
	return vs_scsi_write(dev, target, 0, cdb, buf, 24);
}

TEST_F(names, nexus_without_a_transport_id_is_refused)
{
	static const struct {
		const char *wwn;
		const char *nexus[7];
	} bad[] = {
		{ VS_WWN2, {
			"naa.", "naa.5001405f00d0000", "naa.5001405f00d0000a0",
			"naa.5001405f00d0000g", "naa.5001405f00d0000a ",
			"naa.0x01405f00d0000a",
		} },
		{ VS_WWN_FC, {
			"fc.", "fc.20:00:f0:0d:00:00:00",
			"fc.20:00:f0:0d:00:00:00:02:03", "fc.2000f00d00000002",
			"fc.20:00:f0:0d:00:00:00:0x", "fc.20-00-f0-0d-00-00-00-02",
		} },
		{ VS_WWN_ISCSI, {
			"iqn.", "iqn.2026-01.vs test", "iqn.2026-01.vs-test,i",
			"iqn.2026-01.vs-test\t", "iqn.\xc3\xa4",
		} },
	};
	char path[512], text[256];
	size_t i, j;

	COVERS("SCSI-08 CFG-11");
	self->env.may_log = true;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, vs_wwn_get(bad[i].wwn));
		ASSERT_EQ(0, vs_tpg_get(bad[i].wwn, TAG));
		for (j = 0; bad[i].nexus[j]; j++)
			EXPECT_EQ(-EINVAL, vs_nexus_write(bad[i].wwn, TAG,
							  bad[i].nexus[j]));
		vs_tpg_path(path, sizeof(path), bad[i].wwn, TAG, "nexus");
		EXPECT_EQ(-ENODEV, vs_read_file(path, text, sizeof(text)));
	}
}

/*
 * Whether a name is refused and the log says why, once the limit of its rate lets a
 * line through that other refusals may have used up.
 */
static bool refused_with(struct vs_env *env, const char *name, const char *why)
{
	int64_t end = vs_now_ms() + vs_patience();

	do {
		if (vs_nexus_write(VS_WWN2, TAG, name) != -EINVAL)
			return false;
		if (vs_env_logged(env, why))
			return true;
		usleep(100000);
	} while (vs_now_ms() < end);
	return false;
}

TEST_F(names, refused_nexus_says_why)
{
	char longer[300];

	COVERS("CFG-11");
	self->env.may_log = true;
	memset(longer, '0', sizeof(longer));
	memcpy(longer, "naa.", 4);
	longer[224] = '\0';
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	EXPECT_TRUE(refused_with(&self->env, "naa.123456789abcdef",
				 "'naa.123456789abcdef' refused: naa. wants 16"));
	EXPECT_TRUE(refused_with(&self->env, "eui.123456789abcdef0",
				 "a name begins with naa., fc. or iqn."));
	EXPECT_TRUE(refused_with(&self->env, "iqn.2026-01.vs-test:i",
				 "its prefix differs from the target's"));
	EXPECT_TRUE(refused_with(&self->env, longer,
				 "a name has 223 characters at most"));
}

TEST_F(names, full_status_shows_the_transport_id_of_every_protocol)
{
	static const uint8_t sas[8] = {
		0x50, 0x01, 0x40, 0x5f, 0x00, 0xd0, 0x00, 0x0b
	};
	static const uint8_t fcp[8] = { 0x20, 0x00, 0xf0, 0x0d, 0, 0, 0, 2 };
	static const char iscsi[] = "iqn.2026-01.vs-test:i";
	static const struct {
		const char *wwn, *name, *nexus;
		uint8_t first;
		unsigned int at;
		const void *id;
		size_t len;
	} kind[] = {
		{ VS_WWN2, VS_WWN2, NEXUS2, 6, 4, sas, 8 },
		{ VS_WWN_FC, VS_WWN_FC + 3, "fc.20:00:f0:0d:00:00:00:02",
		  0, 8, fcp, 8 },
		/* No session id: the device form, first byte 05. */
		{ VS_WWN_ISCSI, VS_WWN_ISCSI, iscsi, 5, 4, iscsi,
		  sizeof(iscsi) },
	};
	uint8_t *tid = self->buf + 8 + 24;
	size_t i;

	COVERS("SCSI-08 FAB-11");
	for (i = 0; i < ARRAY_SIZE(kind); i++) {
		ASSERT_EQ(0, serve(&self->env, kind[i].wwn, kind[i].nexus));
		ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, kind[i].name));
		ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
		EXPECT_GOOD(pr_out(self->dev, self->buf, TAG, 0, 0, 7));
		memset(self->buf, 0, 512);
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
					 vs_cdb_pr(VS_PR_IN, 3, 512),
					 self->buf, 512));
		EXPECT_LT(24, vs_get_be32(self->buf + 4));
		EXPECT_EQ(7, self->buf[8 + 7]);
		EXPECT_EQ(kind[i].first, tid[0]);
		EXPECT_EQ(0, memcmp(tid + kind[i].at, kind[i].id, kind[i].len));
		EXPECT_GOOD(pr_out(self->dev, self->buf, TAG, 0, 7, 0));
		ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, kind[i].name));
	}
}

TEST_F(names, protection_type_reaches_a_live_nexus)
{
	static const char * const value[] = { "1", "3", "0", "1" };
	struct vs_cdb capacity = vs_cdb_op(VS_READ_CAPACITY_16);
	char path[512];
	size_t i;

	COVERS("CFG-14 SCSI-14 FAB-09 FAB-31");
	vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "attrib/fabric_prot_type");
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	for (i = 0; i < ARRAY_SIZE(value); i++) {
		ASSERT_EQ(0, vs_write_file(path, value[i]));
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_inquiry(36),
					 self->buf, 36));
		EXPECT_EQ(value[i][0] != '0', self->buf[5] & 1);
		EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
					  vs_cdb_rw10(VS_WRITE_10, 0, 8),
					  self->buf, VS_PAGE));
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
					 vs_cdb_rw10(VS_READ_10, 0, 8),
					 self->buf, VS_PAGE));
	}
	/* The next nexus of that name has the last value, not an older one. */
	ASSERT_EQ(0, vs_write_file(path, "0"));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	ASSERT_EQ(0, vs_write_file(path, "3"));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	capacity.b[1] = 0x10;
	capacity.b[13] = 32;
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, capacity, self->buf, 32));
	/* P_TYPE 2 is protection type 3, and PROT_EN. */
	EXPECT_EQ(2 << 1 | 1, self->buf[12]);
}

TEST_F(names, persistent_reservation_outlives_the_endpoint)
{
	COVERS("SCSI-07");
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 2));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, 2, NEXUS2));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, 2, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, 2, 0));
	EXPECT_GOOD(pr_out(self->dev, self->buf, TAG, 0, 0, 7));
	EXPECT_GOOD(pr_out(self->dev, self->buf, TAG, 1, 7, 0));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(VS_RESERVATION_CONFLICT,
		  vs_scsi_write(self->dev, 2, 0,
				vs_cdb_rw10(VS_WRITE_10, 0, 8), self->buf,
				VS_PAGE).status);
	EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, 8), self->buf,
				  VS_PAGE));
	EXPECT_GOOD(pr_out(self->dev, self->buf, TAG, 0, 7, 0));
}

TEST_F(names, parameters_say_how_commands_are_submitted)
{
	static const char * const type[] = { "1", "2", "0" };
	char text[64];
	size_t i;

	COVERS("FAB-01 FAB-15 FAB-18 FAB-29 FAB-30");
	ASSERT_LT(0, vs_read_file(VS_VHOST_ROOT "/" VS_WWN
				  "/param/default_submit_type", text,
				  sizeof(text)));
	EXPECT_STREQ("2\n", text);
	ASSERT_LT(0, vs_read_file(VS_VHOST_ROOT "/" VS_WWN
				  "/param/direct_submit_supported", text,
				  sizeof(text)));
	EXPECT_STREQ("1\n", text);
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	for (i = 0; i < ARRAY_SIZE(type); i++) {
		ASSERT_EQ(0, vs_backstore_attr(&self->env.bs[0], "submit_type",
					       type[i]));
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
					 vs_cdb_op(VS_TEST_UNIT_READY), NULL,
					 0));
		EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
					  vs_cdb_rw10(VS_WRITE_10, 0, 8),
					  self->buf, VS_PAGE));
	}
}

/* The SCSI name string of VPD page 83h with that association, or "". */
static const char *name_string(const uint8_t *page, uint8_t association)
{
	unsigned int at, end = 4 + (page[2] << 8 | page[3]);

	for (at = 4; at + 4 < end; at += 4 + page[at + 3])
		if ((page[at + 1] & 0x3f) == (association << 4 | 8))
			return (const char *)page + at + 4;
	return "";
}

TEST_F(names, device_identification_names_the_target_and_its_tag)
{
	static const struct {
		const char *wwn, *nexus, *name;
	} kind[] = {
		{ VS_WWN2, NEXUS2, VS_WWN2 },
		{ VS_WWN_FC, "fc.20:00:f0:0d:00:00:00:02", VS_WWN_FC + 3 },
		{ VS_WWN_ISCSI, "iqn.2026-01.vs-test:i", VS_WWN_ISCSI },
	};
	char port[256];
	size_t i;

	COVERS("FAB-04 CFG-04");
	for (i = 0; i < ARRAY_SIZE(kind); i++) {
		ASSERT_EQ(0, serve(&self->env, kind[i].wwn, kind[i].nexus));
		/* Above 128, and what the tag says in hexadecimal. */
		ASSERT_EQ(0, vs_tpg_get(kind[i].wwn, 171));
		ASSERT_EQ(0, vs_nexus_write(kind[i].wwn, 171, kind[i].nexus));
		ASSERT_EQ(0, vs_lun_link(kind[i].wwn, 171, 0,
					 &self->env.bs[0]));
		ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, kind[i].name));
		memset(self->buf, 0, VS_PAGE);
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
					 vs_cdb_vpd(0x83, 1024), self->buf,
					 1024));
		snprintf(port, sizeof(port), "%s,t,0x0001", kind[i].name);
		EXPECT_STREQ(port, name_string(self->buf, 1));
		EXPECT_STREQ(kind[i].name, name_string(self->buf, 2));
		EXPECT_GOOD(vs_scsi_read(self->dev, 171, 0,
					 vs_cdb_vpd(0x83, 1024), self->buf,
					 1024));
		snprintf(port, sizeof(port), "%s,t,0x00ab", kind[i].name);
		EXPECT_STREQ(port, name_string(self->buf, 1));
		ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, kind[i].name));
	}
}

TEST_F(names, completion_in_the_backstores_context_is_the_default)
{
	static const char * const type[] = { "1", "2", "0" };
	char text[64];
	size_t i;
	int ret;

	COVERS("FAB-30 FAB-17 FAB-18");
	ret = vs_read_file(VS_VHOST_ROOT "/" VS_WWN
			   "/param/direct_complete_supported", text,
			   sizeof(text));
	if (ret < 0) {
		/* A kernel that completes in its workqueue always. */
		EXPECT_EQ(-ENOENT, ret);
		EXPECT_EQ(-ENOENT, vs_backstore_attr(&self->env.bs[0],
						     "complete_type", "1"));
		return;
	}
	EXPECT_STREQ("1\n", text);
	ASSERT_LT(0, vs_read_file(VS_VHOST_ROOT "/" VS_WWN
				  "/param/default_complete_type", text,
				  sizeof(text)));
	EXPECT_STREQ("1\n", text);
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	for (i = 0; i < ARRAY_SIZE(type); i++) {
		ASSERT_EQ(0, vs_backstore_attr(&self->env.bs[0],
					       "complete_type", type[i]));
		vs_fill(self->buf, VS_PAGE, i);
		EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
					  vs_cdb_rw10(VS_WRITE_10, 0, 8),
					  self->buf, VS_PAGE));
		memset(self->buf, 0, VS_PAGE);
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
					 vs_cdb_rw10(VS_READ_10, 0, 8),
					 self->buf, VS_PAGE));
		EXPECT_EQ(-1, vs_differs(self->buf, VS_PAGE, i));
	}
}

TEST_F(names, each_tpg_has_a_port_id_of_its_own_that_it_keeps)
{
	unsigned long id[9], again;
	unsigned int tag, other;

	COVERS("CFG-09");
	for (tag = 2; tag < ARRAY_SIZE(id); tag++) {
		ASSERT_EQ(0, vs_tpg_get(VS_WWN, tag));
		id[tag] = vs_tpg_port_id(VS_WWN, tag);
		EXPECT_NE(0, id[tag]);
		for (other = 2; other < tag; other++)
			EXPECT_NE(id[other], id[tag]);
	}
	/* The next boot gives it the same. */
	ASSERT_EQ(0, vs_tpg_put(VS_WWN, 5));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 5));
	again = vs_tpg_port_id(VS_WWN, 5);
	EXPECT_EQ(id[5], again);
}

TEST_F(names, tpg_has_no_portals)
{
	char path[512];

	COVERS("FAB-27");
	self->env.may_log = true;
	vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "np/one");
	EXPECT_NE(0, mkdir(path, 0755));
}

TEST_F(names, acl_in_use_goes_and_its_nexus_goes_on)
{
	unsigned int round;
	char acl[512], path[512], text[128];

	COVERS("CFG-19 CFG-18 FAB-12");
	/* Made under the live nexus, of its name; then removed under it. */
	vs_tpg_path(acl, sizeof(acl), VS_WWN, TAG, "acls/" VS_NEXUS);
	vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "nexus");
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	for (round = 0; round < 4; round++) {
		ASSERT_EQ(0, mkdir(acl, 0755));
		EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
		ASSERT_EQ(0, rmdir(acl));
		ASSERT_LT(0, vs_read_file(path, text, sizeof(text)));
		EXPECT_EQ(0, strncmp(VS_NEXUS, text, strlen(VS_NEXUS)));
		EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	}
}

TEST_HARNESS_MAIN
