// SPDX-License-Identifier: GPL-2.0
/* The configfs tree of the fabric, as rtslib and administrators use it. */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vs_test.h"

#define TAG VS_TAG
#define NEXUS2 "naa.5001405f00d0000b"

FIXTURE(fabric) {
	struct vs_env env;
};

FIXTURE_SETUP(fabric)
{
	struct vs_env_opts opts = { .no_dev = true };

	ENV_GET(&self->env, &opts);
	/* A refused write may say why. */
	self->env.may_log = true;
}

ENV_TEARDOWN(fabric);

/* Makes a directory below the fabric's, and removes it again. */
static int try_dir(const char *rest)
{
	char path[512];

	snprintf(path, sizeof(path), VS_VHOST_ROOT "/%s", rest);
	if (mkdir(path, 0755))
		return -errno;
	return rmdir(path) ? -errno : 0;
}

static int read_tpg(unsigned int tag, const char *file, char *buf, size_t size)
{
	char path[512];

	return vs_read_file(vs_tpg_path(path, sizeof(path), VS_WWN, tag, file),
			    buf, size);
}

static int write_tpg(unsigned int tag, const char *file, const char *text)
{
	char path[512];

	return vs_write_file(vs_tpg_path(path, sizeof(path), VS_WWN, tag,
					 file), text);
}

TEST_F(fabric, version_is_one_line)
{
	char text[256];

	COVERS("CFG-01 CFG-02");
	ASSERT_LT(0, vs_read_file(VS_VHOST_ROOT "/version", text,
				  sizeof(text)));
	EXPECT_EQ(strlen(text) - 1, strcspn(text, "\n"));
	EXPECT_TRUE(strstr(text, " on "));
	EXPECT_GT(0, vs_write_file(VS_VHOST_ROOT "/version", "1"));
}

TEST_F(fabric, wwn_begins_with_a_known_prefix)
{
	static const char * const good[] = {
		"naa.5001405f00d00003", VS_WWN_ISCSI, VS_WWN_FC,
	};
	static const char * const bad[] = {
		"5001405f00d00003", "eui.5001405f00d00003",
		"x-naa.5001405f00d00003", "xiqn.vs-test",
		"NAA.5001405f00d00003", "vs-test",
	};
	size_t i;

	COVERS("CFG-03 F-AD-03");
	for (i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT_EQ(0, try_dir(good[i]));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, try_dir(bad[i]));
}

TEST_F(fabric, tpg_tags_are_decimal_from_0_to_255)
{
	static const char * const good[] = { "0", "2", "254", "255" };
	static const char * const bad[] = {
		"256", "65535", "65536", "65541", "-1", "0x5", " 5", "5x", "",
		"4294967296", "99999999999999999999",
	};
	char name[128];
	size_t i;

	COVERS("CFG-06 F-SE-01");
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(name, sizeof(name), VS_WWN "/tpgt_%s", good[i]);
		EXPECT_EQ(0, try_dir(name));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(name, sizeof(name), VS_WWN "/tpgt_%s", bad[i]);
		EXPECT_EQ(-EINVAL, try_dir(name));
	}
	EXPECT_EQ(-EINVAL, try_dir(VS_WWN "/target_1"));
}

TEST_F(fabric, tpg_has_what_rtslib_expects)
{
	static const char * const there[] = {
		"lun", "acls", "attrib", "param", "nexus",
		"attrib/fabric_prot_type", "attrib/busyloop_us",
		"attrib/pin_memory",
	};
	char path[512];
	size_t i;

	COVERS("CFG-07 CFG-08 FAB-24 FAB-28");
	for (i = 0; i < ARRAY_SIZE(there); i++)
		EXPECT_EQ(0, access(vs_tpg_path(path, sizeof(path), VS_WWN,
						TAG, there[i]), F_OK));
	EXPECT_NE(0, access(vs_tpg_path(path, sizeof(path), VS_WWN, TAG,
					"enable"), F_OK));
	EXPECT_EQ(0, access(VS_VHOST_ROOT "/" VS_WWN "/param", F_OK));
}

TEST_F(fabric, nexus_reads_back)
{
	char text[256];

	COVERS("CFG-10 CFG-11");
	ASSERT_LT(0, read_tpg(TAG, "nexus", text, sizeof(text)));
	EXPECT_STREQ(VS_NEXUS "\n", text);
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 2));
	EXPECT_EQ(-ENODEV, read_tpg(2, "nexus", text, sizeof(text)));
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, 2, VS_NEXUS "\n"));
	ASSERT_LT(0, read_tpg(2, "nexus", text, sizeof(text)));
	EXPECT_STREQ(VS_NEXUS "\n", text);
}

TEST_F(fabric, nexus_is_made_once)
{
	COVERS("CFG-11 F-AD-03");
	EXPECT_EQ(-EEXIST, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	EXPECT_EQ(-EEXIST, vs_nexus_write(VS_WWN, TAG,
					  "naa.5001405f00d0000b"));
}

TEST_F(fabric, nexus_of_a_wrong_name_is_refused)
{
	char text[4096];

	COVERS("CFG-11 F-AD-03");
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 2));
	EXPECT_EQ(-EINVAL, vs_nexus_write(VS_WWN, 2, VS_WWN_ISCSI));
	EXPECT_EQ(-EINVAL, vs_nexus_write(VS_WWN, 2, VS_WWN_FC));
	EXPECT_EQ(-EINVAL, vs_nexus_write(VS_WWN, 2, "x-" VS_NEXUS));
	EXPECT_EQ(-EINVAL, vs_nexus_write(VS_WWN, 2, "garbage"));
	EXPECT_EQ(-EINVAL, vs_nexus_write(VS_WWN, 2, "\n"));
	memset(text, '0', sizeof(text));
	memcpy(text, "naa.", 4);
	text[256] = '\0';
	EXPECT_EQ(-EINVAL, vs_nexus_write(VS_WWN, 2, text));
	text[256] = '0';
	text[4094] = '\0';
	EXPECT_EQ(-EINVAL, vs_nexus_write(VS_WWN, 2, text));
	EXPECT_EQ(-ENODEV, read_tpg(2, "nexus", text, sizeof(text)));
}

TEST_F(fabric, nexus_goes_with_the_exact_word)
{
	int ret;

	COVERS("CFG-12 F-AD-03");
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 2));
	EXPECT_EQ(-ENODEV, vs_nexus_write(VS_WWN, 2, "NULL"));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, 2, VS_NEXUS));
	/* A name like any other: a wrong one, where there is one already. */
	ret = vs_nexus_write(VS_WWN, 2, "NULLx");
	EXPECT_TRUE(ret == -EINVAL || ret == -EEXIST);
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, 2, "NULL\n"));
	EXPECT_EQ(-ENODEV, vs_nexus_write(VS_WWN, 2, "NULL"));
	/* LUN 0 is linked in the first one. */
	EXPECT_EQ(-EBUSY, vs_nexus_write(VS_WWN, TAG, "NULL"));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
}

TEST_F(fabric, name_of_the_nexus_is_an_attribute_that_is_restored)
{
	char text[256];

	COVERS("CFG-13 CFG-15");
	ASSERT_LT(0, read_tpg(TAG, "attrib/nexus", text, sizeof(text)));
	EXPECT_STREQ(VS_NEXUS "\n", text);
	/* As it is, always; another name only without LUNs. */
	EXPECT_EQ(0, write_tpg(TAG, "attrib/nexus", VS_NEXUS));
	EXPECT_EQ(-EBUSY, write_tpg(TAG, "attrib/nexus", NEXUS2));
	ASSERT_LT(0, read_tpg(TAG, "nexus", text, sizeof(text)));
	EXPECT_STREQ(VS_NEXUS "\n", text);
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	EXPECT_EQ(0, write_tpg(TAG, "attrib/nexus", NEXUS2 "\n"));
	ASSERT_LT(0, read_tpg(TAG, "nexus", text, sizeof(text)));
	EXPECT_STREQ(NEXUS2 "\n", text);
	EXPECT_EQ(-EINVAL, write_tpg(TAG, "attrib/nexus", "NULL"));
	EXPECT_EQ(-EINVAL, write_tpg(TAG, "attrib/nexus", VS_WWN_ISCSI));
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	/* None is a line that can be written back, too. */
	ASSERT_LT(0, read_tpg(TAG, "attrib/nexus", text, sizeof(text)));
	EXPECT_STREQ("\n", text);
	EXPECT_EQ(0, write_tpg(TAG, "attrib/nexus", text));
	EXPECT_EQ(-ENODEV, read_tpg(TAG, "nexus", text, sizeof(text)));
	EXPECT_EQ(0, write_tpg(TAG, "attrib/nexus", VS_NEXUS));
	ASSERT_LT(0, read_tpg(TAG, "nexus", text, sizeof(text)));
	EXPECT_STREQ(VS_NEXUS "\n", text);
}

TEST_F(fabric, tpg_takes_its_nexus_with_it)
{
	COVERS("CFG-20 CFG-21 FAB-23");
	EXPECT_EQ(-ENOTEMPTY, vs_tpg_put(VS_WWN, TAG));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	EXPECT_EQ(0, vs_tpg_put(VS_WWN, TAG));
	EXPECT_EQ(0, vs_tpg_get(VS_WWN, TAG));
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
}

TEST_F(fabric, prot_type_takes_0_1_and_3)
{
	static const char * const good[] = { "1", "3", "0\n" };
	static const char * const bad[] = { "2", "4", "-1", "x" };
	char text[64];
	size_t i;

	COVERS("CFG-14 CFG-15");
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, write_tpg(TAG, "attrib/fabric_prot_type",
				       good[i]));
		ASSERT_LT(0, read_tpg(TAG, "attrib/fabric_prot_type", text,
				      sizeof(text)));
		EXPECT_EQ(good[i][0], text[0]);
		EXPECT_EQ(0, write_tpg(TAG, "attrib/fabric_prot_type", text));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, write_tpg(TAG, "attrib/fabric_prot_type",
					     bad[i]));
}

TEST_F(fabric, module_stays_while_it_is_used)
{
	int ret;

	COVERS("CFG-25 F-LC-21");
	ret = syscall(SYS_delete_module, "vhost_scsi", O_NONBLOCK) ? -errno : 0;
	/* Built in, it is not a module. */
	EXPECT_TRUE(ret == -EAGAIN || ret == -EBUSY || ret == -ENOENT);
	EXPECT_EQ(0, access(VS_VHOST_ROOT "/" VS_WWN, F_OK));
}

/* Device and fabric together. */
FIXTURE(served) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(served)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_wwn_remove(VS_WWN));
}

FIXTURE_TEARDOWN(served)
{
	vs_dev_close(self->dev);
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN_ISCSI));
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN_FC));
	ENV_PUT(&self->env);
}

TEST_F(served, luns_may_be_linked_before_the_nexus)
{
	COVERS("CFG-17 FAB-05 FAB-07 FAB-08");
	ASSERT_EQ(0, vs_wwn_get(VS_WWN));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, TAG));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, 8), self->buf,
				  VS_PAGE));
}

TEST_F(served, iscsi_name_is_the_directory_name)
{
	COVERS("CFG-03 CFG-04");
	ASSERT_EQ(0, vs_wwn_get(VS_WWN_ISCSI));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN_ISCSI, 1));
	ASSERT_EQ(0, vs_lun_link(VS_WWN_ISCSI, 1, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN_ISCSI, 1, "iqn.2026-01.vs-test:i"));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN_ISCSI));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, 1, 0));
	EXPECT_GOOD(vs_scsi_read(self->dev, 1, 0, vs_cdb_vpd(0x83, 255),
				 self->buf, 255));
}

TEST_F(served, fc_name_loses_its_prefix)
{
	static const char nexus[] = "fc.20:00:f0:0d:00:00:00:02\n";
	char path[512], text[64];

	COVERS("CFG-03 CFG-04 CFG-11 CFG-15");
	ASSERT_EQ(0, vs_wwn_get(VS_WWN_FC));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN_FC, 1));
	ASSERT_EQ(0, vs_lun_link(VS_WWN_FC, 1, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN_FC, 1, nexus));
	/* But not where it is saved: written back it is a name again. */
	vs_tpg_path(path, sizeof(path), VS_WWN_FC, 1, "attrib/nexus");
	ASSERT_LT(0, vs_read_file(path, text, sizeof(text)));
	EXPECT_STREQ(nexus, text);
	EXPECT_EQ(0, vs_write_file(path, text));
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev, VS_WWN_FC));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN_FC + 3));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, 1, 0));
}

TEST_F(served, explicit_acl_shows_its_mapped_luns_only)
{
	char acl[512], link[600], lun[512];

	COVERS("CFG-18 CFG-21 REQ-14");
	ASSERT_EQ(0, vs_wwn_get(VS_WWN));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, TAG));
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]));
	vs_tpg_path(acl, sizeof(acl), VS_WWN, TAG, "acls/" VS_NEXUS);
	ASSERT_EQ(0, mkdir(acl, 0755));
	snprintf(link, sizeof(link), "%s/lun_0", acl);
	ASSERT_EQ(0, mkdir(link, 0755));
	snprintf(link, sizeof(link), "%s/lun_0/link", acl);
	vs_tpg_path(lun, sizeof(lun), VS_WWN, TAG, "lun/lun_1");
	ASSERT_EQ(0, symlink(lun, link));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	/* TPG LUN 1 is this initiator's LUN 0, and there is no other. */
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0, vs_cdb_vpd(0x80, 64),
				 self->buf, 64));
	EXPECT_EQ(0, memcmp(self->buf + 4, "vs-test-1", 9));
	EXPECT_CC(5, 0x25, 0,
		  vs_scsi_read(self->dev, TAG, 1,
			       vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	/* An ACL in use outlives its rmdir: the links and the nexus go first. */
	ASSERT_EQ(0, unlink(link));
	snprintf(link, sizeof(link), "%s/lun_0", acl);
	ASSERT_EQ(0, rmdir(link));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 1));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	EXPECT_EQ(0, rmdir(acl));
}

TEST_F(served, every_kind_of_backstore_is_served)
{
	uint8_t *in = vs_mem_page(&self->dev->mem, 1);
	unsigned int lun;

	COVERS("F-AD-01 SCSI-13 FAB-32");
	ASSERT_EQ(0, vs_hold_get(&self->env.hold));
	ASSERT_EQ(0, vs_fileio_get(&self->env.bs[1], 1, VS_FILE, 4));
	ASSERT_EQ(0, vs_iblock_get(&self->env.bs[2], 2, self->env.hold.node));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	for (lun = 0; lun < 3; lun++)
		ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, lun,
					 &self->env.bs[lun]));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	for (lun = 0; lun < 3; lun++) {
		ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, lun));
		vs_fill(self->buf, VS_PAGE, lun);
		memset(in, 0, VS_PAGE);
		EXPECT_GOOD(vs_scsi_write(self->dev, TAG, lun,
					  vs_cdb_rw10(VS_WRITE_10, 16, 8),
					  self->buf, VS_PAGE));
		EXPECT_GOOD(vs_scsi_read(self->dev, TAG, lun,
					 vs_cdb_rw10(VS_READ_10, 16, 8), in,
					 VS_PAGE));
		EXPECT_EQ(-1, vs_differs(in, VS_PAGE, lun));
	}
}

TEST_HARNESS_MAIN
