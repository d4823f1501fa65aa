// SPDX-License-Identifier: GPL-2.0
/* Node ACLs: what LIO keeps of an initiator, and what of it is ours: nothing. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "vs_test.h"
#include "vs_hole.h"
#include "vs_thread.h"

#define TAG	VS_TAG
#define OTHER	VS_NEXUS2
#define PATH	512

FIXTURE(acl) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

typedef FIXTURE_DATA(acl) acl_data;

FIXTURE_SETUP(acl)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
		.no_endpoint = true,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 8);
}

FIXTURE_TEARDOWN(acl)
{
	/* An ACL in use would wait for its nexus, which waits for its LUNs. */
	vs_hold_release();
	vs_dev_close(self->dev);
	vs_lun_unlink(VS_WWN, TAG, 0);
	vs_nexus_write(VS_WWN, TAG, "NULL");
	ENV_PUT(&self->env);
}

/* No nexus, and no LUN that would keep it. */
static int drop_nexus(void)
{
	int ret = vs_lun_unlink(VS_WWN, TAG, 0);

	return ret ? ret : vs_nexus_write(VS_WWN, TAG, "NULL");
}

static char *acl_path(char *buf, const char *name, const char *rest)
{
	char below[128];

	snprintf(below, sizeof(below), "acls/%s%s", name, rest);
	return vs_tpg_path(buf, PATH, VS_WWN, TAG, below);
}

/* An ACL of that name which maps LUN 0 to LUN 0. */
static int acl_get(const char *name)
{
	char dir[PATH], link[PATH + 16], lun[PATH];

	if (mkdir(acl_path(dir, name, ""), 0755) && errno != EEXIST)
		return -errno;
	if (mkdir(acl_path(dir, name, "/lun_0"), 0755))
		return -errno;
	snprintf(link, sizeof(link), "%s/link", dir);
	vs_tpg_path(lun, sizeof(lun), VS_WWN, TAG, "lun/lun_0");
	return symlink(lun, link) ? -errno : 0;
}

static int acl_put(const char *name)
{
	char dir[PATH], link[PATH + 16];

	acl_path(dir, name, "/lun_0");
	snprintf(link, sizeof(link), "%s/link", dir);
	if (unlink(link) || rmdir(dir) || rmdir(acl_path(dir, name, "")))
		return -errno;
	return 0;
}

/* A file of statistics below a directory of the TPG, without its newline. */
static int stat_text(const char *dir, const char *file, char *text, size_t size)
{
	char path[PATH], rest[192];
	int ret;

	snprintf(rest, sizeof(rest), "%s/statistics/%s", dir, file);
	ret = vs_read_file(vs_tpg_path(path, sizeof(path), VS_WWN, TAG, rest),
			   text, size);
	text[strcspn(text, "\n")] = '\0';
	return ret < 0 ? ret : 0;
}

static long acl_stat(const char *name, const char *file)
{
	char dir[96], text[64];
	int ret;

	snprintf(dir, sizeof(dir), "acls/%s/lun_0", name);
	ret = stat_text(dir, file, text, sizeof(text));
	return ret ? ret : atol(text);
}

/* Entries of a directory, without . and .. */
static int entries(const char *path)
{
	struct dirent *de;
	DIR *d = opendir(path);
	int n = 0;

	if (!d)
		return -errno;
	while ((de = readdir(d)))
		n += de->d_name[0] != '.';
	closedir(d);
	return n;
}

TEST_F(acl, explicit_acl_works_without_anything_of_ours_in_it)
{
	static const char * const empty[] = { "/attrib", "/auth", "/param" };
	char path[PATH];
	size_t i;

	COVERS("FAB-02 CFG-18 FAB-10");
	ASSERT_EQ(0, drop_nexus());
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, acl_get(VS_NEXUS));
	/* LIO's default attributes are none, and no fabric adds any. */
	for (i = 0; i < ARRAY_SIZE(empty); i++)
		EXPECT_EQ(0, entries(acl_path(path, VS_NEXUS, empty[i])));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_fill(self->buf, VS_PAGE, 1);
	EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, 8), self->buf,
				  VS_PAGE));
	memset(self->buf, 0, VS_PAGE);
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 8), self->buf,
				 VS_PAGE));
	EXPECT_EQ(-1, vs_differs(self->buf, VS_PAGE, 1));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
}

TEST_F(acl, many_acls_come_and_go)
{
	unsigned int i, round;
	char name[32];

	COVERS("FAB-02 CFG-21");
	/* A private part of the wrong size would show under KASAN. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 32; i++) {
			snprintf(name, sizeof(name), "naa.5001405f00d001%02x",
				 i);
			ASSERT_EQ(0, acl_get(name));
		}
		for (i = 0; i < 32; i++) {
			snprintf(name, sizeof(name), "naa.5001405f00d001%02x",
				 i);
			ASSERT_EQ(0, acl_put(name));
		}
	}
}

/*
 * A nexus goes only after its LUNs, and with a LUN go the registrations at it:
 * no reservation can tell whether the ACL stayed. Its number does: LIO counts
 * ACLs, and mkdir of a name that has one already makes none.
 */
TEST_F(acl, dynamic_acl_outlives_its_nexus)
{
	long first, second;

	COVERS("FAB-06 CFG-18");
	ASSERT_EQ(0, drop_nexus());
	/* Another name has an ACL of its own, the old name its old one. */
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, OTHER));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	/* Were they not there, the one asked for first would be the older. */
	ASSERT_EQ(0, acl_get(OTHER));
	ASSERT_EQ(0, acl_get(VS_NEXUS));
	first = acl_stat(VS_NEXUS, "scsi_auth_intr/indx");
	second = acl_stat(OTHER, "scsi_auth_intr/indx");
	ASSERT_LE(0, first);
	EXPECT_LT(first, second);
	/* They are explicit now, and go with their directories. */
	ASSERT_EQ(0, acl_put(VS_NEXUS));
	ASSERT_EQ(0, acl_get(VS_NEXUS));
	EXPECT_LT(second, acl_stat(VS_NEXUS, "scsi_auth_intr/indx"));
}

TEST_F(acl, statistics_show_the_defaults_and_our_names)
{
	char port[32];
	const struct {
		const char *dir, *file, *text;
	} want[] = {
		{ "lun/lun_0", "scsi_transport/indx", "1" },
		{ "lun/lun_0", "scsi_transport/device", "scsiTransportvhost" },
		{ "lun/lun_0", "scsi_transport/dev_name",
		  VS_WWN "+vs-test-0" },
		{ "lun/lun_0", "scsi_transport/proto_id", "6" },
		{ "lun/lun_0", "scsi_tgt_port/name", port },
		{ "lun/lun_0", "scsi_tgt_port/port_index", VS_WWN "+t+1" },
		{ "acls/" VS_NEXUS "/lun_0", "scsi_auth_intr/inst", "1" },
		{ "acls/" VS_NEXUS "/lun_0", "scsi_auth_intr/port", "1" },
		{ "acls/" VS_NEXUS "/lun_0", "scsi_auth_intr/intr_name",
		  VS_NEXUS },
		{ "acls/" VS_NEXUS "/lun_0", "scsi_att_intr_port/inst", "1" },
		/* The index of the session, and its sid, of which we have none. */
		{ "acls/" VS_NEXUS "/lun_0", "scsi_att_intr_port/indx", "0" },
		{ "acls/" VS_NEXUS "/lun_0", "scsi_att_intr_port/port_ident",
		  VS_NEXUS "+i+" },
	};
	char text[256];
	size_t i;

	COVERS("FAB-10 FAB-04 FAB-01 FAB-11");
	/* Makes the live nexus's dynamic ACL an explicit one. */
	ASSERT_EQ(0, acl_get(VS_NEXUS));
	snprintf(port, sizeof(port), "vhostPort#%lu", vs_tpg_port_id(VS_WWN, TAG));
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		EXPECT_EQ(0, stat_text(want[i].dir, want[i].file, text,
				       sizeof(text)));
		EXPECT_STREQ(want[i].text, text) {
			TH_LOG("%s", want[i].file);
		}
	}
}

TEST_F(acl, queue_depth_of_the_default_is_not_enforced)
{
	struct vs_req req[8];
	unsigned int i;
	long before;

	COVERS("FAB-10");
	/* Makes the live nexus's dynamic ACL an explicit one: depth 1. */
	ASSERT_EQ(0, acl_get(VS_NEXUS));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	before = acl_stat(VS_NEXUS, "scsi_auth_intr/num_cmds");
	ASSERT_LT(0, before);
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (i = 0; i < 8; i++) {
		vs_req_get(&req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&req[i], self->buf + i * VS_PAGE, VS_PAGE);
		ASSERT_EQ(0, vs_req_submit(&req[i]));
	}
	ASSERT_EQ(0, vs_ring_wait_taken(req[0].ring, vs_patience()));
	/* LIO has all of them, and the disk has answered none. */
	EXPECT_EQ(before + 8, acl_stat(VS_NEXUS, "scsi_auth_intr/num_cmds"));
	EXPECT_EQ(0, vs_ring_pending(req[0].ring));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		EXPECT_EQ(VS_GOOD, req[i].rsp->status);
		vs_req_put(&req[i]);
	}
}

/* The guest's nexus has an ACL that an administrator made, and LUN 0. */
static int serve_with_acl(acl_data *self)
{
	int ret = drop_nexus();

	if (!ret)
		ret = vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]);
	if (!ret)
		ret = acl_get(VS_NEXUS);
	if (!ret)
		ret = vs_nexus_write(VS_WWN, TAG, VS_NEXUS);
	if (!ret)
		ret = vs_dev_set_endpoint(self->dev, VS_WWN);
	return ret ? ret : vs_scsi_settle(self->dev, TAG, 0);
}

static int remove_acl(void *arg)
{
	return acl_put(arg);
}

/* The disk keeps a read, for which the removal of the guest's ACL waits. */
static int remove_behind_read(acl_data *self, struct vs_req *req, struct vs_thread *removal)
{
	int ret = vs_hold_stop(&self->env.hold);

	vs_req_get(req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(req, self->buf, VS_PAGE);
	if (!ret)
		ret = vs_req_submit(req);
	if (!ret)
		ret = vs_ring_wait_taken(req->ring, vs_patience());
	if (!ret)
		ret = vs_thread_start(removal, remove_acl, VS_NEXUS);
	return ret ? ret : vs_thread_wait(removal);
}

TEST_F(acl, removal_waits_for_the_disk_and_nobody_waits_for_the_removal)
{
	struct vs_dev second;
	struct vs_thread removal;
	struct vs_req req;

	COVERS("CFG-19 F-AD-02");
	ASSERT_EQ(0, serve_with_acl(self));
	ASSERT_EQ(0, vs_dev_open(&second, NULL));
	ASSERT_EQ(0, vs_dev_setup(&second));
	ASSERT_EQ(0, remove_behind_read(self, &req, &removal));
	EXPECT_FALSE(removal.done);
	/* The target is another device's; other targets come and go. */
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(&second, VS_WWN));
	EXPECT_EQ(0, vs_wwn_get(VS_WWN2));
	EXPECT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN2));
	EXPECT_FALSE(removal.done);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&removal));
	ASSERT_EQ(0, vs_req_wait(&req));
	vs_req_put(&req);
	vs_dev_close(&second);
}

/* The nexus has another session meanwhile, and the command is the same nexus's. */
TEST_F(acl, function_is_about_commands_from_before_the_removal_too)
{
	struct vs_ring *ctl = &self->dev->ring[VS_CTL];
	struct vs_chain function;
	struct vs_thread removal;
	struct vs_req req;
	uint8_t *rsp;

	COVERS("CTL-06 CTL-15 CFG-19 F-TM-01 SCSI-05");
	ASSERT_EQ(0, serve_with_acl(self));
	ASSERT_EQ(0, remove_behind_read(self, &req, &removal));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_SUCCEEDED,
		  vs_tmf(self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_QUERY_TASK, req.hdr->tag, NULL));
	vs_chain_get(&function);
	rsp = vs_tmf_chain(&function, self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_ABORT_TASK,
			   req.hdr->tag);
	ASSERT_EQ(0, vs_ring_add(ctl, &function));
	vs_ring_kick(ctl);
	ASSERT_EQ(0, vs_ring_wait_taken(ctl, vs_patience()));
	/* Not answered while the command is there, however long that is. */
	EXPECT_EQ(-ETIMEDOUT, vs_ring_wait(ctl, NULL, 300));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_chain_wait(ctl, &function, vs_patience()));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, *rsp);
	EXPECT_EQ(1, vs_ring_pending(req.ring));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(0, vs_thread_end(&removal));
	/* What was registered and reserved is gone. */
	EXPECT_CC(6, 0x29, 0x07, vs_scsi_read(self->dev, TAG, 0,
					      vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	vs_chain_put(&function);
	vs_req_put(&req);
}

static int read_nexus(void *name)
{
	char path[PATH];
	int ret = vs_read_file(vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "nexus"), name, 64);

	if (ret > 0)
		ret = vs_read_file(vs_tpg_path(path, sizeof(path), VS_WWN, TAG,
					       "attrib/nexus"), name, 64);
	return ret < 0 ? ret : 0;
}

static int protect(void *arg)
{
	(void)arg;
	return vs_tpg_attr(VS_WWN, TAG, "fabric_prot_type", "1");
}

TEST_F(acl, removal_waits_for_a_stuck_worker_and_nobody_waits_for_the_removal)
{
	void *page = vs_mem_page(&self->dev->mem, 1);
	struct vs_thread removal, read, attr;
	char name[64] = "";
	struct vs_req req;
	int hole;

	COVERS("CFG-19 F-AD-02 F-SE-08");
	ASSERT_EQ(0, serve_with_acl(self));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	req.chain.out[0].gpa = vs_mem_gpa(&self->dev->mem, page);
	hole = vs_hole_get(page);
	ASSERT_LE(0, hole);
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, vs_hole_wait(hole));
	ASSERT_EQ(0, vs_thread_start(&removal, remove_acl, VS_NEXUS));
	ASSERT_EQ(0, vs_thread_wait(&removal));
	ASSERT_EQ(0, vs_thread_start(&read, read_nexus, name));
	EXPECT_EQ(0, vs_thread_wait_done(&read));
	ASSERT_EQ(0, vs_thread_start(&attr, protect, NULL));
	EXPECT_EQ(0, vs_thread_wait_done(&attr));
	EXPECT_FALSE(removal.done);
	ASSERT_EQ(0, vs_hole_fill(hole, page));
	EXPECT_EQ(0, vs_thread_end(&read));
	EXPECT_EQ(0, strncmp(name, VS_NEXUS, strlen(VS_NEXUS)));
	EXPECT_EQ(0, vs_thread_end(&attr));
	EXPECT_EQ(0, vs_thread_end(&removal));
	EXPECT_EQ(0, vs_req_wait(&req));
	vs_req_put(&req);
	close(hole);
}

TEST_HARNESS_MAIN
