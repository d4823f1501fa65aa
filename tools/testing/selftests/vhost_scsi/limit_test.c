// SPDX-License-Identifier: GPL-2.0
/*
 * What a device costs its host, by the account of a memory cgroup that only its owner
 * is in; and that the owner pays for what the guest asks for, up to a limit.
 */
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define CGROUP	"/tmp/vs-test-cgroup"
#define GROUP	CGROUP "/vs-test"
#define LIMIT	(64L << 20)	/* of the group, bytes */
#define BOUNCED	96		/* requests of a MiB: more than the limit */

/* The owner does what it is told, and waits: it needs no memory of its own. */
FIXTURE(limit) {
	struct vs_env env;
	bool kthread;
	struct vs_dev *dev;
	int tell, hear;
	pid_t pid;
};

typedef FIXTURE_DATA(limit) limit_data;

FIXTURE_VARIANT(limit) {
	bool kthread;
};

FIXTURE_VARIANT_ADD(limit, worker_is_a_task) { .kthread = false };
FIXTURE_VARIANT_ADD(limit, worker_is_a_kernel_thread) { .kthread = true };

/* Joins the group; then is the owner of a device that it opens, or of ours. */
static int be_owner(limit_data *self, const struct vs_dev_opts *opens,
		    int tell, int hear)
{
	struct vs_dev *dev = self->dev;
	char c;

	if (vs_write_file(GROUP "/cgroup.procs", "0") ||
	    write(tell, "j", 1) != 1 || read(hear, &c, 1) != 1)
		return 1;
	/* The worker is a thread of its owner, or goes where that is. */
	if ((opens && vs_dev_open(dev, opens)) ||
	    (self->kthread && vs_dev_use_kthreads(dev)) ||
	    vs_dev_setup(dev) ||
	    vs_dev_set_endpoint(dev, VS_WWN) || write(tell, "e", 1) != 1)
		return 1;
	return read(hear, &c, 1) != 0;
}

static bool heard(limit_data *self, char what)
{
	char c;

	return read(self->hear, &c, 1) == 1 && c == what;
}

/* Returns when the owner is in the group. */
static bool start_owner(limit_data *self, const struct vs_dev_opts *opens)
{
	int there[2], back[2];

	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		return false;
	self->pid = fork();
	if (!self->pid) {
		close(there[1]);
		close(back[0]);
		_exit(be_owner(self, opens, back[1], there[0]));
	}
	close(there[0]);
	close(back[1]);
	self->tell = there[1];
	self->hear = back[0];
	return self->pid > 0 && heard(self, 'j');
}

static bool set_endpoint(limit_data *self)
{
	return write(self->tell, "g", 1) == 1 && heard(self, 'e');
}

/* Bytes of kernel memory that the group is charged with. */
static int64_t charged(void)
{
	char text[8192] = "", *at;

	vs_read_file(GROUP "/memory.stat", text, sizeof(text));
	at = strstr(text, "\nkernel ");
	return at ? atoll(at + strlen("\nkernel ")) : -1;
}

FIXTURE_SETUP(limit)
{
	struct vs_env_opts opts = { .disk = VS_DISK_HOLD, .no_dev = true };

	if (variant->kthread && !vs_dev_has_kthreads())
		SKIP(return, "this kernel's workers are tasks");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->kthread = variant->kthread;
	umount(CGROUP);
	mkdir(CGROUP, 0755);
	ASSERT_EQ(0, mount("none", CGROUP, "cgroup2", 0, NULL));
	ASSERT_EQ(0, vs_write_file(CGROUP "/cgroup.subtree_control",
				   "+memory"));
	ASSERT_EQ(0, mkdir(GROUP, 0755));
}

FIXTURE_TEARDOWN(limit)
{
	int status;

	if (!self->dev)
		return;
	vs_hold_release();
	vs_dev_close(self->dev);
	close(self->tell);
	EXPECT_EQ(self->pid, waitpid(self->pid, &status, 0));
	EXPECT_EQ(0, status);
	close(self->hear);
	EXPECT_EQ(0, rmdir(GROUP));
	EXPECT_EQ(0, umount(CGROUP));
	rmdir(CGROUP);
	ENV_PUT(&self->env);
}

/* The device of a large guest: 8 request queues of 1024 entries, with 32 slots each. */
TEST_F(limit, idle_device_of_eight_queues_costs_less_than_4_mib)
{
	const struct vs_dev_opts large = {
		.n_io = 8, .ring_size = 1024, .mem_size = 16UL << 20,
	};
	int64_t before, after;

	COVERS("F-RS-06 REQ-43");
	ASSERT_TRUE(start_owner(self, &large));
	before = charged();
	ASSERT_LE(0, before);
	ASSERT_TRUE(set_endpoint(self));
	after = charged();
	TH_LOG("%lld KiB", (long long)(after - before) >> 10);
	EXPECT_GT(4 << 20, after - before);
	/* A slot has half a KiB at the least: something was measured. */
	EXPECT_LT(8 * 32 * 512, after - before);
}

/* Buffers that are no sectors are copied: the host's memory, at the guest's wish. */
TEST_F(limit, copies_are_the_owners_and_wait_beyond_its_limit)
{
	const struct vs_dev_opts opts = {
		.ring_size = 512, .features = VS_F_MODERN | VS_F_EVENT_IDX,
	};
	static struct vs_req req[BOUNCED];
	size_t len = 1UL << 20;
	unsigned int i, good = 0, full = 0;
	char text[32];
	uint8_t *buf;

	COVERS("F-RS-06");
	ASSERT_EQ(0, vs_dev_open(self->dev, &opts));
	ASSERT_TRUE(start_owner(self, NULL));
	ASSERT_TRUE(set_endpoint(self));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	snprintf(text, sizeof(text), "%ld", LIMIT);
	ASSERT_EQ(0, vs_write_file(GROUP "/memory.max", text));
	buf = vs_mem_alloc(&self->dev->mem, len + VS_PAGE, VS_PAGE);
	memset(buf, 0, len + VS_PAGE);
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (i = 0; i < BOUNCED; i++) {
		vs_req_get(&req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, 0, len / 512));
		vs_req_in(&req[i], buf + 1, len);
		ASSERT_EQ(0, vs_req_submit(&req[i]));
	}
	ASSERT_EQ(0, vs_ring_wait_taken(req[0].ring, vs_patience()));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < BOUNCED; i++) {
		ASSERT_EQ(0, vs_req_wait(&req[i]));
		good += !req[i].rsp->response && !req[i].rsp->status;
		full += !req[i].rsp->response &&
			req[i].rsp->status == VS_TASK_SET_FULL;
		EXPECT_EQ(1, req[i].chain.times);
		vs_req_put(&req[i]);
	}
	TH_LOG("%u good, %u full", good, full);
	EXPECT_EQ(BOUNCED, good + full);
	EXPECT_LT(0, good);
	EXPECT_LT(0, full);
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 8), buf, VS_PAGE));
}

TEST_HARNESS_MAIN
