// SPDX-License-Identifier: GPL-2.0
/* A device that outlives its owner: there is no worker any more, then no endpoint. */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define USES	"/sys/module/vhost_scsi/refcnt"

/* Who has the device when its owner is dead. */
enum holder {
	OTHER_PROCESS,
	OWN_IO_URING,
};

FIXTURE(orphan) {
	struct vs_env env;
	struct vs_dev dev;
	long uses;
};

typedef FIXTURE_DATA(orphan) orphan_data;

FIXTURE_VARIANT(orphan) {
	enum holder holder;
	bool kthread;
};

FIXTURE_VARIANT_ADD(orphan, other_process) { .holder = OTHER_PROCESS };
FIXTURE_VARIANT_ADD(orphan, own_io_uring) { .holder = OWN_IO_URING };
FIXTURE_VARIANT_ADD(orphan, own_io_uring_kthread) {
	.holder = OWN_IO_URING,
	.kthread = true,
};

/* How often the module is in use, -1 if unknown; a device that is open counts. */
static long uses(void)
{
	char text[32] = "";

	return vs_read_file(USES, text, sizeof(text)) > 0 ? atol(text) : -1;
}

/*
 * The device is a file of an io_uring, whose memory the owner has, whose memory the
 * device has.
 */
static int tie(int fd)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(__NR_io_uring_setup, 1, &params);

	if (ring < 0 ||
	    mmap(NULL, VS_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		 IORING_OFF_SQES) == MAP_FAILED)
		return -errno;
	return syscall(__NR_io_uring_register, ring, IORING_REGISTER_FILES,
		       &fd, 1) ? -errno : 0;
}

static bool has_io_uring(void)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(__NR_io_uring_setup, 1, &params);

	close(ring);
	return ring >= 0;
}

/* The owner of a device with an endpoint and a command in flight, until it is killed. */
static void be_owner(orphan_data *self, enum holder holder, int ready)
{
	struct vs_dev *dev = &self->dev;
	struct vs_req req;

	if (vs_dev_setup(dev) || vs_dev_set_endpoint(dev, VS_WWN) ||
	    (holder == OWN_IO_URING && tie(dev->fd)) ||
	    vs_scsi_settle(dev, TAG, 0) || vs_hold_stop(&self->env.hold))
		_exit(1);
	vs_req_get(&req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&req, vs_mem_page(&dev->mem, 1), VS_PAGE);
	if (vs_req_submit(&req) || vs_ring_wait_taken(req.ring, vs_patience()) ||
	    write(ready, "r", 1) != 1)
		_exit(1);
	pause();
	_exit(0);
}

/* Waits until the module is in use so often. */
static bool is_used_by(long nr)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (uses() != nr) {
		if (vs_now_ms() > end)
			return false;
		usleep(10000);
	}
	return true;
}

FIXTURE_SETUP(orphan)
{
	struct vs_env_opts opts = { .disk = VS_DISK_HOLD, .no_dev = true };
	struct vs_dev_opts dev = { .features = VS_F_MODERN | VS_F_EVENT_IDX };
	int ready[2];
	pid_t owner;
	char c;

	if (variant->holder == OWN_IO_URING && !has_io_uring())
		SKIP(return, "this kernel has no io_uring");
	if (variant->kthread && !vs_dev_has_kthreads())
		SKIP(return, "this kernel's workers are tasks");
	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	self->uses = uses();
	ASSERT_LE(0, self->uses);
	ASSERT_EQ(0, vs_dev_open(&self->dev, &dev));
	if (variant->kthread)
		ASSERT_EQ(0, vs_dev_use_kthreads(&self->dev));
	ASSERT_EQ(0, pipe(ready));
	owner = fork();
	ASSERT_LE(0, owner);
	if (!owner)
		be_owner(self, variant->holder, ready[1]);
	close(ready[1]);
	EXPECT_EQ(1, read(ready[0], &c, 1));
	close(ready[0]);
	if (variant->holder == OWN_IO_URING)
		vs_dev_close(&self->dev);
	kill(owner, SIGKILL);
	EXPECT_EQ(owner, waitpid(owner, NULL, 0));
}

FIXTURE_TEARDOWN(orphan)
{
	if (!self->env.bs[1].path[0])
		return;
	vs_hold_release();
	vs_dev_close(&self->dev);
	/* The device of a dead owner is closed, or it would be in the next test's count. */
	EXPECT_TRUE(is_used_by(self->uses));
	ENV_PUT(&self->env);
}

/* Another device takes the target as soon as it is free. */
static int take_over(struct vs_dev *other)
{
	int64_t end = vs_now_ms() + vs_patience();
	int ret;

	ret = vs_dev_open(other, NULL);
	if (!ret)
		ret = vs_dev_setup(other);
	while (!ret) {
		ret = vs_dev_set_endpoint(other, VS_WWN);
		if (ret != -ENODEV || vs_now_ms() > end)
			break;
		ret = usleep(10000);
	}
	return ret;
}

/* Who else asks for the target does not get it: the endpoint is set. */
static bool is_set(void)
{
	struct vs_dev other = { 0 };
	int ret = vs_dev_open(&other, NULL);

	if (!ret)
		ret = vs_dev_setup(&other);
	if (!ret)
		ret = vs_dev_set_endpoint(&other, VS_WWN);
	vs_dev_close(&other);
	return ret == -ENODEV;
}

TEST_F(orphan, endpoint_ends_by_itself)
{
	struct vs_dev other = { 0 };

	COVERS("F-LC-26");
	ASSERT_TRUE(is_set());
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, take_over(&other));
	EXPECT_EQ(0, vs_scsi_settle(&other, TAG, 0));
	vs_dev_close(&other);
	if (variant->holder == OWN_IO_URING)
		return;
	/* Another process may be the owner. */
	EXPECT_EQ(0, vs_dev_clear_endpoint(&self->dev, VS_WWN));
	EXPECT_EQ(0, vs_dev_setup(&self->dev));
	EXPECT_EQ(0, vs_dev_set_endpoint(&self->dev, VS_WWN));
	EXPECT_EQ(0, vs_scsi_settle(&self->dev, TAG, 0));
}

/* Runs configfs work in a process that may hang; true if it came back. */
static bool returns(int (*work)(struct vs_env *env), struct vs_env *env)
{
	int64_t end = vs_now_ms() + vs_patience();
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(work(env) ? 1 : 0);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (vs_now_ms() > end)
			return false;
		usleep(10000);
	}
	return status == 0;
}

static int link_and_unlink(struct vs_env *env)
{
	int ret = vs_lun_link(VS_WWN, TAG, 5, &env->bs[1]);

	return ret ? ret : vs_lun_unlink(VS_WWN, TAG, 5);
}

TEST_F(orphan, unlink_without_a_worker_returns)
{
	COVERS("F-EV-05 EVT-18 REQ-59 F-LC-11");
	ASSERT_TRUE(is_set());
	EXPECT_TRUE(returns(link_and_unlink, &self->env));
	EXPECT_TRUE(is_set());
}

TEST_F(orphan, clear_endpoint_works_for_whoever_holds_the_descriptor)
{
	pid_t pid;
	int status;

	COVERS("F-LC-11 IOC-29 REQ-59");
	if (variant->holder != OTHER_PROCESS)
		SKIP(return, "nobody holds it");
	ASSERT_TRUE(is_set());
	pid = fork();
	if (!pid)
		_exit(vs_dev_clear_endpoint(&self->dev, VS_WWN) ? 1 : 0);
	/* It waits for the command, if it has come that far. */
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The memory of a dead owner goes with the endpoint. */
	EXPECT_EQ(0, vs_dev_setup(&self->dev));
}

/* A device whose owner has stopped it in good order, and ended. */
FIXTURE(stopped) {
	struct vs_env env;
	struct vs_dev dev;
};

FIXTURE_SETUP(stopped)
{
	struct vs_env_opts opts = { .no_dev = true };
	int status;
	pid_t owner;

	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_dev_open(&self->dev, NULL));
	owner = fork();
	ASSERT_LE(0, owner);
	if (!owner)
		_exit(vs_dev_setup(&self->dev) || vs_dev_set_endpoint(&self->dev, VS_WWN) ||
		      vs_dev_clear_endpoint(&self->dev, VS_WWN));
	ASSERT_EQ(owner, waitpid(owner, &status, 0));
	ASSERT_EQ(0, status);
}

FIXTURE_TEARDOWN(stopped)
{
	vs_dev_close(&self->dev);
	ENV_PUT(&self->env);
}

TEST_F(stopped, another_process_may_be_its_owner)
{
	COVERS("IOC-29 F-LC-26");
	EXPECT_EQ(0, vs_dev_setup(&self->dev));
	EXPECT_EQ(0, vs_dev_set_endpoint(&self->dev, VS_WWN));
	EXPECT_EQ(0, vs_scsi_settle(&self->dev, TAG, 0));
}

TEST_HARNESS_MAIN
