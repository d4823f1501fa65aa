// SPDX-License-Identifier: GPL-2.0
/* What an administrator may write while commands run: each sees old or new. */
#include <signal.h>
#include <stdio.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define DEPTH	8
#define ROUNDS	12	/* of DEPTH commands, at least */
#define SMALL	(VS_HOLD_MIB / 2)

/* LUN 0 is a file, LUN 1 a block device that changes its size. */
FIXTURE(attributes) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
	size_t mark;
	volatile unsigned int *writes;
	pid_t writer;
};

typedef FIXTURE_DATA(attributes) attributes_data;

/* Four blocks of 4 KiB, each with the content that its number says. */
static int prepare(attributes_data *self, uint16_t lun)
{
	struct vs_result res;
	unsigned int i;
	int ret = vs_scsi_settle(self->dev, TAG, lun);

	for (i = 0; i < DEPTH / 2 && !ret; i++) {
		vs_fill(self->buf, VS_PAGE, i);
		res = vs_scsi_write(self->dev, TAG, lun,
				    vs_cdb_rw10(VS_WRITE_10, i * 8, 8),
				    self->buf, VS_PAGE);
		ret = res.err || res.response || res.status;
	}
	return ret;
}

FIXTURE_SETUP(attributes)
{
	struct vs_env_opts opts = { .disk = VS_DISK_FILE, .mib = 4 };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, DEPTH);
	self->mark = self->dev->mem.used;
	self->writes = mmap(NULL, VS_PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->writes);
	ASSERT_EQ(0, vs_hold_get(&self->env.hold));
	ASSERT_EQ(0, vs_iblock_get(&self->env.bs[1], 1, self->env.hold.node));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]));
	ASSERT_EQ(0, prepare(self, 0));
	ASSERT_EQ(0, prepare(self, 1));
}

FIXTURE_TEARDOWN(attributes)
{
	if (self->writer > 0) {
		kill(self->writer, SIGKILL);
		waitpid(self->writer, NULL, 0);
	}
	ENV_PUT(&self->env);
}

/* A process that writes one value after the other, and counts them. */
static void start_writer(attributes_data *self, const char *path,
			 const char * const *value)
{
	unsigned int i, n = 0;

	while (value[n])
		n++;
	*self->writes = 0;
	self->writer = fork();
	if (self->writer)
		return;
	for (i = 0; ; i++) {
		if (vs_write_file(path, value[i % n]))
			_exit(1);
		++*self->writes;
		usleep(500 + i % 7 * 300);
	}
}

/* How often it has written, or -1 if one of its writes was refused. */
static int stop_writer(attributes_data *self)
{
	int status;

	kill(self->writer, SIGKILL);
	waitpid(self->writer, &status, 0);
	self->writer = 0;
	return WIFSIGNALED(status) ? (int)*self->writes : -1;
}

static struct vs_result outcome(struct vs_req *req)
{
	struct vs_result res = { .err = vs_req_wait(req) };

	res.response = req->rsp->response;
	res.status = req->rsp->status;
	res.sense = vs_req_sense(req);
	res.resid = req->rsp->resid;
	return res;
}

/* Reads and writes of the same blocks, at once: err says what was wrong. */
static void one_round(attributes_data *self, uint16_t lun,
		      struct vs_result *res)
{
	struct vs_req req[DEPTH];
	unsigned int i;

	self->dev->mem.used = self->mark;
	for (i = 0; i < DEPTH; i++) {
		uint8_t *buf = self->buf + i * VS_PAGE;
		bool write = i % 2;

		vs_req_get(&req[i], self->dev, TAG, lun,
			   vs_cdb_rw10(write ? VS_WRITE_10 : VS_READ_10,
				       i / 2 * 8, 8));
		memset(buf, 0, VS_PAGE);
		if (write) {
			vs_fill(buf, VS_PAGE, i / 2);
			vs_req_out(&req[i], buf, VS_PAGE);
		} else {
			vs_req_in(&req[i], buf, VS_PAGE);
		}
		res[i].err = vs_req_submit(&req[i]);
	}
	for (i = 0; i < DEPTH; i++) {
		res[i] = outcome(&req[i]);
		if (!res[i].response && res[i].status == VS_GOOD &&
		    vs_differs(self->buf + i * VS_PAGE, VS_PAGE, i / 2) >= 0)
			res[i].err = -EILSEQ;
		vs_req_put(&req[i]);
	}
}

/* A command that did not run, since it had to say what has changed: 2A/01, 09. */
static bool told(const struct vs_result *res)
{
	return !res->err && !res->response &&
	       (res->sense == sense(6, 0x2a, 0x01) ||
		res->sense == sense(6, 0x2a, 0x09));
}

/* One round; true if all that ran were GOOD and right. */
static bool all_good(attributes_data *self, uint16_t lun)
{
	struct vs_result res[DEPTH];
	unsigned int i, bad = 0;

	one_round(self, lun, res);
	for (i = 0; i < DEPTH; i++)
		if (!told(&res[i]) &&
		    (res[i].err || res[i].response || res[i].status)) {
			fprintf(stderr, "# %u: err %d, response %u, status %#x, sense %#x\n",
				i, res[i].err, res[i].response, res[i].status,
				res[i].sense);
			bad++;
		}
	return !bad;
}

static void attr_path(attributes_data *self, char *path, size_t size,
		      const char *name)
{
	snprintf(path, size, "%s/attrib/%s", self->env.bs[0].path, name);
}

TEST_F(attributes, those_of_the_backstore_change_under_load)
{
	static const char * const bits[] = { "0", "1", NULL };
	static const char * const types[] = { "1", "2", "0", NULL };
	static const char * const lengths[] = { "8", "4096", NULL };
	static const struct {
		const char *name;
		const char * const *value;
	} attr[] = {
		{ "emulate_fua_write", bits }, { "emulate_write_cache", bits },
		{ "emulate_tpu", bits }, { "emulate_tpws", bits },
		{ "emulate_caw", bits }, { "emulate_3pc", bits },
		{ "emulate_pr", bits }, { "emulate_rsoc", bits },
		{ "is_nonrot", bits }, { "emulate_rest_reord", bits },
		{ "enforce_pr_isids", bits }, { "max_write_same_len", lengths },
		{ "submit_type", types }, { "complete_type", types },
	};
	char path[256], was[32];
	unsigned int round;
	size_t i;
	int n;

	COVERS("F-AD-08 FAB-29");
	for (i = 0; i < ARRAY_SIZE(attr); i++) {
		attr_path(self, path, sizeof(path), attr[i].name);
		if (vs_read_file(path, was, sizeof(was)) < 0) {
			/* A kernel that does not have it. */
			EXPECT_EQ(-1, access(path, F_OK));
			continue;
		}
		/* Off first: this one can always be had. */
		if (vs_write_file(path, attr[i].value[1])) {
			TH_LOG("%s cannot be changed here", attr[i].name);
			continue;
		}
		start_writer(self, path, attr[i].value);
		for (round = 0; round < ROUNDS || *self->writes < 4; round++)
			ASSERT_TRUE(all_good(self, 0)) {
				TH_LOG("%s", attr[i].name);
			}
		n = stop_writer(self);
		EXPECT_LT(0, n) {
			TH_LOG("%s", attr[i].name);
		}
		was[strcspn(was, "\n")] = '\0';
		EXPECT_EQ(0, vs_write_file(path, was));
	}
}

TEST_F(attributes, what_is_refused_in_use_changes_nothing)
{
	static const struct {
		const char *name, *value;
	} attr[] = {
		{ "block_size", "4096" }, { "emulate_tas", "0" },
		{ "emulate_ua_intlck_ctrl", "1" }, { "optimal_sectors", "8" },
		{ "queue_depth", "1" }, { "emulate_model_alias", "0" },
	};
	char path[256], before[32], after[32];
	size_t i;

	COVERS("F-AD-08");
	for (i = 0; i < ARRAY_SIZE(attr); i++) {
		attr_path(self, path, sizeof(path), attr[i].name);
		ASSERT_LT(0, vs_read_file(path, before, sizeof(before)));
		EXPECT_EQ(-EINVAL, vs_write_file(path, attr[i].value)) {
			TH_LOG("%s", attr[i].name);
		}
		ASSERT_LT(0, vs_read_file(path, after, sizeof(after)));
		EXPECT_STREQ(before, after);
	}
	EXPECT_TRUE(all_good(self, 0));
}

/* Reads one byte of what a command returns, until both values were seen. */
static int sees_both(attributes_data *self, struct vs_cdb cdb, unsigned int at,
		     uint8_t mask)
{
	int64_t end = vs_now_ms() + vs_patience();
	unsigned int seen[2] = {}, round = 0;
	struct vs_result res;

	while (round++ < ROUNDS || !seen[0] || !seen[1]) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		if (!all_good(self, 0))
			return -EIO;
		memset(self->buf, 0, 64);
		res = vs_scsi_read(self->dev, TAG, 0, cdb, self->buf, 64);
		if (told(&res))
			continue;
		if (res.err || res.response || res.status)
			return -EPROTO;
		seen[!!(self->buf[at] & mask)]++;
	}
	fprintf(stderr, "# clear %u times, set %u times\n", seen[0], seen[1]);
	return 0;
}

TEST_F(attributes, write_cache_is_on_or_off)
{
	static const char * const value[] = { "0", "1", NULL };
	struct vs_cdb cdb = vs_cdb_len6(VS_MODE_SENSE_6, 0x08, 64);
	char path[256];

	COVERS("F-AD-08");
	attr_path(self, path, sizeof(path), "emulate_write_cache");
	start_writer(self, path, value);
	/* WCE in the caching page, right behind the header: no descriptors. */
	cdb.b[1] = 0x08;
	EXPECT_EQ(0, sees_both(self, cdb, 4 + 2, 0x04));
	EXPECT_LT(0, stop_writer(self));
}

TEST_F(attributes, protection_of_the_fabric_is_there_or_not)
{
	static const char * const value[] = { "0", "1", "0", "3", NULL };
	char path[512];

	COVERS("F-AD-08 CFG-14");
	vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "attrib/fabric_prot_type");
	start_writer(self, path, value);
	/* PROTECT in the standard INQUIRY data. */
	EXPECT_EQ(0, sees_both(self, vs_cdb_inquiry(64), 5, 0x01));
	EXPECT_LT(0, stop_writer(self));
	EXPECT_EQ(0, vs_write_file(path, "0"));
}

TEST_F(attributes, alua_states_are_answered_as_they_come)
{
	static const char * const value[] = { "2", "0", "3", "0", NULL };
	unsigned int good = 0, standby = 0, unavailable = 0, other = 0, i;
	int64_t end = vs_now_ms() + vs_patience();
	struct vs_result res[DEPTH];
	char path[512];

	COVERS("F-AD-08 SCSI-11");
	snprintf(path, sizeof(path),
		 "%s/alua/default_tg_pt_gp/alua_access_state",
		 self->env.bs[0].path);
	start_writer(self, path, value);
	while ((!good || !standby || !unavailable) && vs_now_ms() < end) {
		one_round(self, 0, res);
		for (i = 0; i < DEPTH; i++) {
			ASSERT_EQ(0, res[i].err);
			ASSERT_EQ(VIRTIO_SCSI_S_OK, res[i].response);
			if (res[i].status == VS_GOOD) {
				good++;
				continue;
			}
			/* Two found the news at once, and one of them got it. */
			if (res[i].status == VS_BUSY) {
				other++;
				continue;
			}
			ASSERT_EQ(VS_CHECK_CONDITION, res[i].status);
			standby += res[i].sense == sense(2, 0x04, 0x0b);
			unavailable += res[i].sense == sense(2, 0x04, 0x0c);
			/* On the way from one to the other, or told of it. */
			other += res[i].sense == sense(2, 0x04, 0x0a) ||
				 res[i].sense == sense(6, 0x2a, 0x06);
		}
	}
	EXPECT_LT(0, stop_writer(self));
	TH_LOG("good %u, standby %u, unavailable %u, between %u", good,
	       standby, unavailable, other);
	EXPECT_LT(0, good);
	EXPECT_LT(0, standby);
	EXPECT_LT(0, unavailable);
	ASSERT_EQ(0, vs_write_file(path, "0"));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	EXPECT_TRUE(all_good(self, 0));
}

/* A process that makes LUN 1 half as large, and whole again. */
static void start_resizer(attributes_data *self)
{
	unsigned int i;

	*self->writes = 0;
	self->writer = fork();
	if (self->writer)
		return;
	for (i = 0; ; i++) {
		if (vs_hold_table(&self->env.hold, "linear",
				  i % 2 ? VS_HOLD_MIB : SMALL))
			_exit(1);
		++*self->writes;
		usleep(1000);
	}
}

TEST_F(attributes, capacity_is_old_or_new)
{
	struct vs_cdb last = vs_cdb_rw10(VS_READ_10, SMALL * 2048, 8);
	int64_t end = vs_now_ms() + vs_patience();
	unsigned int small = 0, large = 0, beyond = 0;

	COVERS("F-AD-08 SCSI-06");
	start_resizer(self);
	while ((small < 3 || large < 3 || !beyond) && vs_now_ms() < end) {
		struct vs_result res;
		uint32_t blocks;

		ASSERT_TRUE(all_good(self, 1));
		res = vs_scsi_read(self->dev, TAG, 1,
				   vs_cdb_op(VS_READ_CAPACITY_10), self->buf,
				   8);
		if (told(&res))
			continue;
		ASSERT_GOOD(res);
		blocks = vs_get_be32(self->buf) + 1;
		small += blocks == SMALL * 2048;
		large += blocks == VS_HOLD_MIB * 2048;
		ASSERT_TRUE(blocks == SMALL * 2048 ||
			    blocks == VS_HOLD_MIB * 2048);
		res = vs_scsi_read(self->dev, TAG, 1, last, self->buf, VS_PAGE);
		ASSERT_EQ(0, res.err);
		ASSERT_EQ(VIRTIO_SCSI_S_OK, res.response);
		if (res.status == VS_GOOD || told(&res))
			continue;
		/* Beyond the end by LIO's word, or by the device's. */
		beyond++;
		ASSERT_TRUE(res.sense == sense(5, 0x21, 0) ||
			    res.sense == sense(2, 0x08, 0)) {
			TH_LOG("sense %#x", res.sense);
		}
	}
	EXPECT_LT(0, stop_writer(self));
	TH_LOG("small %u, large %u, beyond %u", small, large, beyond);
	EXPECT_LT(0, small);
	EXPECT_LT(0, large);
	EXPECT_LT(0, beyond);
	vs_hold_release();
	ASSERT_EQ(0, vs_hold_table(&self->env.hold, "linear", VS_HOLD_MIB));
}

TEST_HARNESS_MAIN
