// SPDX-License-Identifier: GPL-2.0
/* What administrators take away while somebody is in the middle of using it. */
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "vs_test.h"

#define TAG	VS_TAG

/* A call of another thread, and what came of it. */
struct call {
	pthread_t thread;
	int (*fn)(void *arg);
	void *arg;
	pid_t tid;
	volatile bool done;
	int ret;
};

static void *call_run(void *arg)
{
	struct call *call = arg;

	__atomic_store_n(&call->tid, gettid(), __ATOMIC_RELEASE);
	call->ret = call->fn(call->arg);
	call->done = true;
	return NULL;
}

/* Waits inside the kernel for what no signal ends: state D, or I for idle. */
static bool is_stuck(struct call *call)
{
	char path[64], text[256], *state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		 __atomic_load_n(&call->tid, __ATOMIC_ACQUIRE));
	if (vs_read_file(path, text, sizeof(text)) <= 0)
		return false;
	state = strrchr(text, ')');
	return state && (state[2] == 'D' || state[2] == 'I');
}

static int call_start(struct call *call, int (*fn)(void *arg), void *arg)
{
	*call = (struct call){ .fn = fn, .arg = arg };
	return -pthread_create(&call->thread, NULL, call_run, call);
}

/* Returns when the call is over, or waits for something. */
static int call_wait(struct call *call)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (!call->done && !is_stuck(call)) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

static int call_end(struct call *call)
{
	int ret = -pthread_join(call->thread, NULL);

	return ret ? ret : call->ret;
}

static int set_endpoint(void *arg)
{
	return vs_dev_set_endpoint(arg, VS_WWN);
}

/* -- a TPG that is being pinned -- */

/* A page that nobody fills: who writes to it stops there, with what it holds. */
struct hole {
	int fd;
	void *page;
};

static int hole_get(struct hole *hole)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range.len = VS_PAGE,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	hole->page = mmap(NULL, VS_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	hole->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	reg.range.start = (uintptr_t)hole->page;
	if (hole->page == MAP_FAILED || hole->fd < 0 ||
	    ioctl(hole->fd, UFFDIO_API, &api) ||
	    ioctl(hole->fd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

/* Returns when somebody is stuck in it. */
static int hole_wait(struct hole *hole)
{
	struct pollfd pfd = { .fd = hole->fd, .events = POLLIN };
	int ret = poll(&pfd, 1, vs_patience());

	return ret == 1 && pfd.revents == POLLIN ? 0 : -ETIMEDOUT;
}

static int hole_fill(struct hole *hole)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)hole->page, .len = VS_PAGE },
	};

	return ioctl(hole->fd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
}

/* Reads configfs's root, whose lock everybody needs who pins a directory. */
static int list_root(void *arg)
{
	struct hole *hole = arg;
	int fd = open("/sys/kernel/config", O_RDONLY | O_DIRECTORY), ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_getdents64, fd, hole->page, VS_PAGE);
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return ret;
}

FIXTURE(pinned) {
	struct vs_env env;
	struct vs_dev *dev;
	struct hole hole;
	struct call list;
};

FIXTURE_SETUP(pinned)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, hole_get(&self->hole));
	ASSERT_EQ(0, call_start(&self->list, list_root, &self->hole));
	ASSERT_EQ(0, hole_wait(&self->hole));
}

FIXTURE_TEARDOWN(pinned)
{
	close(self->hole.fd);
	munmap(self->hole.page, VS_PAGE);
	ENV_PUT(&self->env);
}

TEST_F(pinned, target_goes_with_its_name_while_set_endpoint_pins_it)
{
	struct call set;

	COVERS("CFG-20 CFG-23 F-AD-09");
	ASSERT_EQ(0, call_start(&set, set_endpoint, self->dev));
	ASSERT_EQ(0, call_wait(&set));
	EXPECT_FALSE(set.done);
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_tpg_put(VS_WWN, TAG));
	ASSERT_EQ(0, vs_wwn_put(VS_WWN));
	ASSERT_EQ(0, hole_fill(&self->hole));
	ASSERT_EQ(0, call_end(&self->list));
	/* There is nothing to pin any more, or there was nothing to begin with. */
	EXPECT_NE(-EINVAL, call_end(&set));
	/* Nobody has it: the name can come again, and be served. */
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_HARNESS_MAIN
