// SPDX-License-Identifier: GPL-2.0
/* Every allocation, and every copy from or to user space, of a system call fails once. */
#include <stdio.h>

#include "vs_module.h"
#include "vs_sweep.h"
#include "vs_test.h"

#define TAG		VS_TAG
#define MAX_IO_VQS	VS_PARAM_DIR "/max_io_vqs"

/* A queue more or less is the same again: few make the sweeps short. */
#define FEW_QUEUES	"1"

FIXTURE(calls) {
	struct vs_env env;
};

FIXTURE_SETUP(calls)
{
	struct vs_env_opts opts = { .no_dev = true };

	if (!vs_sweep_is_possible())
		SKIP(return, "this kernel injects no faults");
	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_write_file(MAX_IO_VQS, FEW_QUEUES));
}

FIXTURE_TEARDOWN(calls)
{
	if (!self->env.bs[0].path[0])
		return;
	vs_write_file(MAX_IO_VQS, "128");
	EXPECT_EQ(0, vs_fault_logged(self->env.kmsg));
	ENV_PUT(&self->env);
}

static int run_open(struct vs_env *env)
{
	env->dev.fd = open("/dev/vhost-scsi", O_RDWR | O_CLOEXEC);
	return env->dev.fd < 0 ? -errno : 0;
}

static int set_owner(struct vs_env *env)
{
	return vs_ioctl(env->dev.fd, VHOST_SET_OWNER, NULL);
}

static int close_device(struct vs_env *env)
{
	vs_dev_close(&env->dev);
	return 0;
}

TEST_F(calls, open_fails_or_works)
{
	struct vs_call call = {
		.name = "open", .run = run_open, .works = set_owner,
		.undo = close_device,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
	call.name = "open, with a burst";
	call.burst = VS_SWEEP_BURST;
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

static const struct vs_dev_opts small = { .mem_size = 4UL << 20 };

/* All that comes after SET_OWNER, to a command that is served. */
static int serves(struct vs_env *env)
{
	struct vs_dev *dev = &env->dev;
	unsigned int i;
	int ret;

	ret = vs_dev_set_features(dev, dev->features);
	if (!ret)
		ret = vs_dev_set_mem(dev);
	for (i = 0; !ret && i < dev->n_rings; i++)
		ret = vs_dev_set_ring(dev, &dev->ring[i]);
	if (!ret)
		ret = vs_dev_set_endpoint(dev, VS_WWN);
	return ret ? ret : vs_scsi_settle(dev, TAG, 0);
}

static int reopen(struct vs_env *env)
{
	vs_dev_close(&env->dev);
	return vs_dev_open(&env->dev, &small);
}

TEST_F(calls, set_owner_can_be_repeated)
{
	static const struct vs_call call = {
		.name = "SET_OWNER", .run = set_owner, .works = serves,
		.undo = reopen,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, reopen(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

static int set_mem(struct vs_env *env)
{
	return vs_dev_set_mem(&env->dev);
}

static int settle(struct vs_env *env)
{
	return vs_scsi_settle(&env->dev, TAG, 0);
}

/* Memory of the guest is taken for good: start over. */
static int set_up(struct vs_env *env)
{
	int ret;

	vs_dev_close(&env->dev);
	ret = vs_dev_open(&env->dev, &small);
	return ret ? ret : vs_dev_setup(&env->dev);
}

TEST_F(calls, set_mem_table_fails_whole)
{
	/* EFAULT is the core's word for a region that it could not keep. */
	static const struct vs_call call = {
		.name = "SET_MEM_TABLE", .run = set_mem, .after = settle,
		.works = settle, .other = -EFAULT,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, set_up(&self->env));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->env.dev, VS_WWN));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

static int set_endpoint(struct vs_env *env)
{
	return vs_dev_set_endpoint(&env->dev, VS_WWN);
}

static int clear_endpoint(struct vs_env *env)
{
	return vs_dev_clear_endpoint(&env->dev, VS_WWN);
}

/* No target is left bound: another device can have them. */
static int other_device(struct vs_env *env)
{
	struct vs_dev other;
	int ret;

	(void)env;
	ret = vs_dev_open(&other, &small);
	if (!ret)
		ret = vs_dev_setup(&other);
	if (!ret)
		ret = vs_dev_set_endpoint(&other, VS_WWN);
	vs_dev_close(&other);
	return ret;
}

TEST_F(calls, set_endpoint_leaves_no_trace)
{
	struct vs_call call = {
		.name = "SET_ENDPOINT", .run = set_endpoint,
		.after = other_device, .works = settle, .undo = clear_endpoint,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, set_up(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
	call.name = "SET_ENDPOINT, with a burst";
	call.burst = VS_SWEEP_BURST;
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

TEST_F(calls, pinned_memory_leaves_no_trace)
{
	struct vs_call call = {
		.name = "SET_ENDPOINT, memory pinned", .run = set_endpoint,
		.after = other_device, .works = settle, .undo = clear_endpoint,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, vs_tpg_attr(VS_WWN, TAG, "pin_memory", "1"));
	ASSERT_EQ(0, set_up(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
	call.name = "SET_ENDPOINT, memory pinned, with a burst";
	call.burst = VS_SWEEP_BURST;
	EXPECT_EQ(0, vs_sweep(&self->env, &call));

	/* What cannot be pinned is left to the commands. */
	call = (struct vs_call){
		.name = "SET_MEM_TABLE, memory pinned", .run = set_mem,
		.after = settle, .works = settle, .other = -EFAULT,
	};
	ASSERT_EQ(0, set_endpoint(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

static int set_and_settle(struct vs_env *env)
{
	int ret = set_endpoint(env);

	return ret ? ret : settle(env);
}

TEST_F(calls, clear_endpoint_needs_no_memory)
{
	static const struct vs_call call = {
		.name = "CLEAR_ENDPOINT", .run = clear_endpoint,
		.after = settle, .undo = set_and_settle, .sure = true,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, set_up(&self->env));
	ASSERT_EQ(0, set_and_settle(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

static int close_fd(struct vs_env *env)
{
	int ret = close(env->dev.fd) ? -errno : 0;

	env->dev.fd = -1;
	return ret;
}

static int set_up_and_settle(struct vs_env *env)
{
	int ret = set_up(env);

	return ret ? ret : set_and_settle(env);
}

TEST_F(calls, close_needs_no_memory)
{
	static const struct vs_call call = {
		.name = "close", .run = close_fd, .undo = set_up_and_settle,
		.sure = true,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, set_up_and_settle(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

/* -- configfs -- */

static int make_wwn(struct vs_env *env)
{
	(void)env;
	return vs_wwn_get(VS_WWN2);
}

static int drop_wwn(struct vs_env *env)
{
	(void)env;
	return vs_wwn_put(VS_WWN2);
}

static int make_tpg(struct vs_env *env)
{
	(void)env;
	return vs_tpg_get(VS_WWN2, TAG);
}

static int drop_tpg(struct vs_env *env)
{
	(void)env;
	return vs_tpg_put(VS_WWN2, TAG);
}

static int make_nexus(struct vs_env *env)
{
	(void)env;
	return vs_nexus_write(VS_WWN2, TAG, VS_NEXUS);
}

static int has_nexus(struct vs_env *env)
{
	char path[512], text[64];

	(void)env;
	vs_read_file(vs_tpg_path(path, sizeof(path), VS_WWN2, TAG, "nexus"),
		     text, sizeof(text));
	return strcmp(text, VS_NEXUS "\n") ? -ENODEV : 0;
}

static int nexus_works(struct vs_env *env)
{
	int ret = make_nexus(env);

	if (!ret)
		ret = has_nexus(env);
	return ret ? ret : vs_nexus_write(VS_WWN2, TAG, "NULL");
}

static int tpg_works(struct vs_env *env)
{
	int ret = make_tpg(env);

	if (!ret)
		ret = nexus_works(env);
	return ret ? ret : drop_tpg(env);
}

TEST_F(calls, mkdir_of_a_wwn_fails_whole)
{
	/* LIO makes EINVAL of every error of a fabric. */
	static const struct vs_call call = {
		.name = "mkdir WWN", .run = make_wwn, .works = tpg_works,
		.undo = drop_wwn, .other = -EINVAL,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

TEST_F(calls, mkdir_of_a_tpg_fails_whole)
{
	static const struct vs_call call = {
		.name = "mkdir TPG", .run = make_tpg, .works = nexus_works,
		.undo = drop_tpg, .other = -EINVAL,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, make_wwn(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

/* The ACL that LIO made for the nexus stays until the TPG goes. */
static int renew_tpg(struct vs_env *env)
{
	int ret = drop_tpg(env);

	return ret ? ret : make_tpg(env);
}

TEST_F(calls, nexus_write_fails_whole)
{
	/* EACCES is what LIO says when there was no memory for an ACL. */
	static const struct vs_call call = {
		.name = "nexus", .run = make_nexus, .works = has_nexus,
		.undo = renew_tpg, .other = -EACCES,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, make_wwn(&self->env));
	ASSERT_EQ(0, make_tpg(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

static int make_tree(struct vs_env *env)
{
	int ret = make_wwn(env);

	if (!ret)
		ret = make_tpg(env);
	if (!ret)
		ret = make_nexus(env);
	return ret ? ret : vs_lun_link(VS_WWN2, TAG, 0, &env->bs[0]);
}

/* Can be repeated, however far it came. */
static int remove_tree(struct vs_env *env)
{
	int ret = vs_lun_unlink(VS_WWN2, TAG, 0);

	if (!ret || ret == -ENOENT)
		ret = drop_tpg(env);
	if (!ret || ret == -ENOENT)
		ret = drop_wwn(env);
	return ret;
}

TEST_F(calls, removal_can_be_repeated)
{
	/* A link that readdir() had no memory to show is in the way. */
	static const struct vs_call call = {
		.name = "unlink and rmdir", .run = remove_tree,
		.undo = make_tree, .other = -ENOTEMPTY,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, make_tree(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
}

TEST_HARNESS_MAIN
