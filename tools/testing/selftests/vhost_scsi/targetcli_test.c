// SPDX-License-Identifier: GPL-2.0
/*
 * targetcli and rtslib, unmodified, against a target that serves a guest: they
 * clear and restore the whole configuration, and more than one does it.
 */
#include <dirent.h>
#include <stdio.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define LUN	1	/* LUN 0 does not go: LIO has one of its own */
#define DEPTH	8
#define SAVED	"/tmp/vs-test-saved.json"
#define SAID	"/tmp/vs-test-said"
#define OTHER	"/tmp/vs-test-said-other"
#define TURN_MS	300	/* how long the guest is there, and away */
#define LIMIT	280	/* seconds, on a kernel that looks at everything */

/* What rtslib calls an object has to be a disk of its own. */
FIXTURE(tool) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
	size_t mark;
	bool set;	/* the endpoint, by live() */
};

typedef FIXTURE_DATA(tool) tool_data;

/* Runs a program with commands on its stdin, what it says goes to a file. */
static int run(const char *program, const char *input, const char *said)
{
	char command[256];
	FILE *f;
	int ret;

	snprintf(command, sizeof(command), "timeout -k 5 200 %s >%s 2>&1",
		 program, said);
	f = popen(command, "w");
	if (!f)
		return -errno;
	fputs(input, f);
	ret = pclose(f);
	return WIFEXITED(ret) ? WEXITSTATUS(ret) : -EINTR;
}

/*
 * targetcli exits with 1 when it refuses a command, and with 255 when it cannot read the
 * tree at its start, which somebody else may be changing: both are answers.
 */
static bool targetcli_answers(const char *commands)
{
	int status = run("targetcli", commands, SAID);

	return status == 0 || status == 1 || status == 255;
}

/* rtslib alone: what targetcli calls in the end, without its start. */
static int rtslib(const char *method)
{
	char script[128];

	snprintf(script, sizeof(script),
		 "import rtslib_fb\nrtslib_fb.RTSRoot().%s\n", method);
	return run("python3 -", script, SAID);
}

/* What the tools said last. */
static void say(void)
{
	system("sed 's/^/#   /' " SAID " " OTHER " >&2");
}

static int prepare(tool_data *self)
{
	struct vs_result res;
	unsigned int i;
	int ret = vs_scsi_settle(self->dev, TAG, LUN);

	for (i = 0; i < DEPTH && !ret; i++) {
		vs_fill(self->buf, VS_PAGE, i);
		res = vs_scsi_write(self->dev, TAG, LUN,
				    vs_cdb_rw10(VS_WRITE_10, i * 8, 8),
				    self->buf, VS_PAGE);
		ret = res.err || res.response || res.status;
	}
	return ret;
}

FIXTURE_SETUP(tool)
{
	struct vs_env_opts opts = { .disk = VS_DISK_FILE };

	ASSERT_EQ(0, system("command -v targetcli >/dev/null"));
	/* It looks at iSCSI's settings whatever it saves or clears. */
	if (access("/sys/module/iscsi_target_mod", F_OK))
		ASSERT_EQ(0, system("modprobe -qn iscsi_target_mod"));
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, DEPTH);
	self->mark = self->dev->mem.used;
	self->set = true;
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, LUN, &self->env.bs[0]));
	ASSERT_EQ(0, prepare(self));
	ASSERT_EQ(0, rtslib("save_to_file('" SAVED "')")) {
		say();
	}
}

FIXTURE_TEARDOWN(tool)
{
	if (!self->dev)
		return;
	vs_dev_close(self->dev);
	/* What is there now has the names that rtslib gave it. */
	vs_lio_sweep();
	self->env.bs[0].path[0] = '\0';
	unlink(SAVED);
	unlink(SAID);
	unlink(OTHER);
	ENV_PUT(&self->env);
}

/* What a guest sees while its target is cleared and restored. */
struct seen {
	unsigned int good;
	unsigned int gone;
	unsigned int other;
	unsigned int wrong;
};

static void judge(struct vs_req *req, unsigned int i, uint8_t *buf,
		  struct seen *seen)
{
	int ret = vs_req_wait(req);

	/* The whole target goes when it is emptied. */
	if (!ret && req->rsp->response == VIRTIO_SCSI_S_BAD_TARGET)
		seen->gone++;
	else if (ret || req->rsp->response || req->chain.times != 1)
		seen->wrong++;
	else if (req->rsp->status == VS_GOOD && vs_differs(buf, VS_PAGE, i) < 0)
		seen->good++;
	else if (req->rsp->status == VS_GOOD)
		seen->wrong++;
	else if (vs_req_sense(req) == sense(5, 0x25, 0))
		seen->gone++;
	else
		seen->other++;
}

/* One round of reads. */
static void load(tool_data *self, struct seen *seen)
{
	struct vs_req req[DEPTH];
	unsigned int i;

	self->dev->mem.used = self->mark;
	memset(self->buf, 0, DEPTH * VS_PAGE);
	for (i = 0; i < DEPTH; i++) {
		vs_req_get(&req[i], self->dev, TAG, LUN,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&req[i], self->buf + i * VS_PAGE, VS_PAGE);
		if (vs_req_submit(&req[i]))
			seen->wrong++;
	}
	for (i = 0; i < DEPTH; i++) {
		judge(&req[i], i, self->buf + i * VS_PAGE, seen);
		vs_req_put(&req[i]);
	}
}

/*
 * A VMM that does I/O for a while, and is away for a while, so that clearing
 * is refused at some times and done at others, until a process ends.
 */
static int live(tool_data *self, pid_t pid, struct seen *seen)
{
	int64_t turn = vs_now_ms() + TURN_MS;
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (self->set)
			load(self, seen);
		usleep(1000);
		if (vs_now_ms() < turn)
			continue;
		/* Never in step with the tools. */
		turn = vs_now_ms() + rand() % (2 * TURN_MS);
		/* There may be nothing to go back to. */
		self->set = self->set ?
			    vs_dev_clear_endpoint(self->dev, VS_WWN) != 0 :
			    !vs_dev_set_endpoint(self->dev, VS_WWN);
	}
	if (self->set)
		vs_dev_clear_endpoint(self->dev, VS_WWN);
	self->set = false;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* Directories of targets and backstores, which LIO's own are not. */
static int objects(void)
{
	static const char * const dirs[] = {
		VS_VHOST_ROOT, VS_TARGET_ROOT "/core",
	};
	struct dirent *de;
	size_t i;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		DIR *d = opendir(dirs[i]);

		while (d && (de = readdir(d)))
			n += de->d_name[0] != '.' && de->d_type == DT_DIR &&
			     strcmp(de->d_name, "discovery_auth") &&
			     strcmp(de->d_name, "alua");
		if (d)
			closedir(d);
	}
	return n;
}

/* The tree can be cleared, made by hand, cleared, restored, and serves. */
static int tree_is_whole(tool_data *self)
{
	struct seen seen = {};

	if (rtslib("clear_existing(confirm=True)") || objects())
		return -ENOTEMPTY;
	if (vs_wwn_get(VS_WWN) || vs_tpg_get(VS_WWN, TAG) ||
	    vs_nexus_write(VS_WWN, TAG, VS_NEXUS) ||
	    vs_tpg_put(VS_WWN, TAG) || vs_wwn_put(VS_WWN))
		return -EEXIST;
	if (rtslib("restore_from_file('" SAVED "')"))
		return -EIO;
	if (vs_dev_set_endpoint(self->dev, VS_WWN) ||
	    vs_scsi_settle(self->dev, TAG, LUN))
		return -ENODEV;
	load(self, &seen);
	if (vs_dev_clear_endpoint(self->dev, VS_WWN))
		return -EBUSY;
	return seen.good == DEPTH ? 0 : -EILSEQ;
}

#define CLEAR_AND_RESTORE "clearconfig confirm=True\nrestoreconfig " SAVED "\n"

/* Clears and restores the tree, which a VMM sees meanwhile. */
static int clear_and_restore(tool_data *self, struct seen *seen)
{
	unsigned int i, n = vs_rounds(1, 3);
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* A refusal ends targetcli, so each begins anew. */
		for (i = 0; i < n; i++)
			if (!targetcli_answers(CLEAR_AND_RESTORE
					       CLEAR_AND_RESTORE))
				_exit(2);
		_exit(0);
	}
	return live(self, pid, seen);
}

TEST_F_TIMEOUT(tool, clear_and_restore_in_a_loop_leave_no_half_a_tree, LIMIT)
{
	int64_t end = vs_now_ms() + LIMIT * 1000 / 3;
	struct seen seen = {};
	int ret;

	COVERS("F-AD-04 CFG-20 CFG-21");
	/* Whether the VMM sees half a tree is a matter of luck. */
	do {
		ASSERT_EQ(0, clear_and_restore(self, &seen));
	} while (!(seen.good && seen.gone) && vs_now_ms() < end);
	TH_LOG("good %u, gone %u, other %u", seen.good, seen.gone, seen.other);
	EXPECT_EQ(0, seen.wrong);
	EXPECT_LT(0, seen.good);
	EXPECT_LT(0, seen.gone);
	ret = tree_is_whole(self);
	EXPECT_EQ(0, ret) {
		say();
	}
}

/* rtslib without targetcli, which has a lock of its own. */
static const char restore_with_rtslib[] =
	"import rtslib_fb, sys\n"
	"done = 0\n"
	"for i in range(6):\n"
	"    try:\n"
	"        rtslib_fb.RTSRoot().restore_from_file('" SAVED "')\n"
	"        done += 1\n"
	"    except Exception as e:\n"
	"        print(type(e).__name__, e)\n"
	"print(done, 'of 6 done')\n";

TEST_F_TIMEOUT(tool, two_callers_at_once_leave_no_half_a_tree, LIMIT)
{
	struct seen seen = {};
	pid_t pid, other;
	int status, ret;

	COVERS("F-AD-04 F-AD-09");
	other = fork();
	ASSERT_LE(0, other);
	if (!other)
		_exit(run("python3 -", restore_with_rtslib, OTHER));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(targetcli_answers(CLEAR_AND_RESTORE CLEAR_AND_RESTORE
					CLEAR_AND_RESTORE) ? 0 : 2);
	EXPECT_EQ(0, live(self, pid, &seen));
	ASSERT_EQ(other, waitpid(other, &status, 0));
	EXPECT_EQ(0, status);
	TH_LOG("good %u, gone %u, other %u", seen.good, seen.gone, seen.other);
	EXPECT_EQ(0, seen.wrong);
	ret = tree_is_whole(self);
	EXPECT_EQ(0, ret) {
		say();
	}
}

TEST_HARNESS_MAIN
