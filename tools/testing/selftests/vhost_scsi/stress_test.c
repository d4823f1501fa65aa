// SPDX-License-Identifier: GPL-2.0
/*
 * The same thing very often: owners that are killed, endpoints that come and
 * go, a VMM that was taken over. A kernel that looks for leaks gets more of it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "vs_random.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define DEPTH	16
#define LIMIT	1100	/* seconds, on a kernel that looks at everything */

FIXTURE(often) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_SETUP(often)
{
	struct vs_env_opts opts = { .no_dev = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
}

ENV_TEARDOWN(often);

static int submit_reads(struct vs_dev *dev, struct vs_req *req)
{
	uint8_t *buf = vs_mem_page(&dev->mem, DEPTH);
	unsigned int i;

	for (i = 0; i < DEPTH; i++) {
		vs_req_get(&req[i], dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
		if (vs_req_submit(&req[i]))
			return -ENOSPC;
	}
	return 0;
}

/* Each request answered once, and GOOD. */
static int collect_reads(struct vs_req *req)
{
	unsigned int i;
	int bad = 0;

	for (i = 0; i < DEPTH; i++) {
		if (vs_req_wait(&req[i]))
			return -ETIMEDOUT;
		bad += req[i].rsp->response || req[i].rsp->status ||
		       req[i].chain.times != 1;
		vs_req_put(&req[i]);
	}
	return bad;
}

/* An owner that does I/O until it is killed. */
static void live(struct vs_dev *dev, int ready)
{
	struct vs_req req[DEPTH];
	bool first = true;
	size_t mark;

	if (dev->fd < 0 && vs_dev_open(dev, NULL))
		_exit(1);
	if (vs_dev_setup(dev) || vs_dev_set_endpoint(dev, VS_WWN) ||
	    vs_scsi_settle(dev, TAG, 0))
		_exit(1);
	mark = dev->mem.used;
	for (;;) {
		dev->mem.used = mark;
		if (submit_reads(dev, req))
			_exit(1);
		if (first && write(ready, "r", 1) != 1)
			_exit(1);
		first = false;
		if (collect_reads(req))
			_exit(1);
	}
}

/* Starts an owner, and kills it @us microseconds after its first requests. */
static int kill_one(struct vs_dev *dev, unsigned int us)
{
	int ready[2], status, ret = 0;
	pid_t pid;
	char c;

	if (pipe(ready))
		return -errno;
	pid = fork();
	if (!pid) {
		close(ready[0]);
		live(dev, ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		ret = -EIO;
	close(ready[0]);
	usleep(us);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		ret = -ECHILD;
	return ret;
}

TEST_F_TIMEOUT(often, owners_killed_under_load_leave_nothing, LIMIT)
{
	unsigned int i, n = vs_rounds(20, 1000);
	uint64_t seed = 1;

	COVERS("F-LC-10 F-LC-11 REQ-59 IOC-34");
	for (i = 0; i < n; i++) {
		/* Every fourth time this process holds the descriptor, too. */
		if (i % 4 == 3)
			ASSERT_EQ(0, vs_dev_open(self->dev, NULL));
		ASSERT_EQ(0, kill_one(self->dev, vs_pick(&seed, 5000))) {
			TH_LOG("owner %u", i);
		}
		if (i % 8 == 3)
			ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
		vs_dev_close(self->dev);
	}
	TH_LOG("%u owners killed", n);
	ASSERT_EQ(0, vs_dev_open(self->dev, NULL));
	ASSERT_EQ(0, vs_dev_setup(self->dev));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

TEST_F_TIMEOUT(often, endpoints_set_and_cleared_under_load_lose_nothing, LIMIT)
{
	unsigned int i, n = vs_rounds(40, 1000);
	struct vs_dev *dev = self->dev;
	struct vs_req req[DEPTH];
	uint64_t seed = 2;
	size_t mark;

	COVERS("F-LC-09 IOC-03 REQ-58 REQ-52 F-MG-06");
	ASSERT_EQ(0, vs_dev_open(dev, NULL));
	ASSERT_EQ(0, vs_dev_setup(dev));
	mark = dev->mem.used;
	for (i = 0; i < n; i += 2) {
		dev->mem.used = mark;
		ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
		ASSERT_EQ(0, submit_reads(dev, req));
		usleep(vs_pick(&seed, 1000));
		ASSERT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
		/* What was taken is answered, the base says how much. */
		ASSERT_EQ(dev->ring[VS_IO].used->idx,
			  (uint16_t)vs_dev_get_base(dev, VS_IO));
		/* The rest is served by the next, without a kick. */
		ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
		ASSERT_EQ(0, collect_reads(req));
		ASSERT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
	}
	TH_LOG("%u endpoints", n);
}

/* -- a VMM that was taken over -- */

#define FUZZERS		2	/* processes, and devices */
#define THREADS		4
#define FUZZ_MS		4000
#define FUZZ_CALLS	1000	/* at least, however slow the machine */

static const unsigned long fuzz_cmd[] = {
	VHOST_GET_FEATURES, VHOST_SET_FEATURES, VHOST_SET_OWNER,
	VHOST_RESET_OWNER, VHOST_SET_MEM_TABLE, VHOST_SET_LOG_BASE,
	VHOST_SET_LOG_FD, VHOST_SET_VRING_NUM, VHOST_SET_VRING_ADDR,
	VHOST_SET_VRING_BASE, VHOST_GET_VRING_BASE, VHOST_SET_VRING_ENDIAN,
	VHOST_GET_VRING_ENDIAN, VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
	VHOST_SET_VRING_ERR, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
	VHOST_GET_VRING_BUSYLOOP_TIMEOUT, VHOST_NEW_WORKER, VHOST_FREE_WORKER,
	VHOST_ATTACH_VRING_WORKER, VHOST_GET_VRING_WORKER,
	VHOST_SCSI_SET_ENDPOINT, VHOST_SCSI_CLEAR_ENDPOINT,
	VHOST_SCSI_GET_ABI_VERSION, VHOST_SCSI_SET_EVENTS_MISSED,
	VHOST_SCSI_GET_EVENTS_MISSED, VHOST_SET_FORK_FROM_OWNER,
	VHOST_GET_FORK_FROM_OWNER, _IO(0xaf, 0x4f),
};

/* One thread of a fuzzing process; all of them share the devices. */
struct fuzzer {
	struct vs_dev *dev;
	volatile unsigned long *calls;
	uint64_t seed;
};

/* A number that means something, or nearly so. */
static uint64_t odd_number(struct fuzzer *f, const struct vs_dev *dev)
{
	static const uint64_t known[] = {
		0, 1, 2, 3, 4, 16, 128, 129, 255, 1024, 4096, 32768, 65535,
		65536, ~0U, ~0ULL, 1ULL << 63, VS_F_MODERN, VS_GPA,
	};
	uint32_t which = vs_pick(&f->seed, ARRAY_SIZE(known) + 2);

	if (which < ARRAY_SIZE(known))
		return known[which];
	if (which == ARRAY_SIZE(known))
		return (uintptr_t)dev->mem.base +
		       vs_pick(&f->seed, (uint32_t)dev->mem.size);
	return (uint64_t)vs_pick(&f->seed, ~0U) << 16;
}

/* What a well-behaved VMM would do, at a time when it would not. */
static void fuzz_sane(struct fuzzer *f, struct vs_dev *dev)
{
	switch (vs_pick(&f->seed, 6)) {
	case 0:
		vs_dev_setup(dev);
		break;
	case 1:
		vs_dev_set_mem(dev);
		break;
	case 2:
		vs_dev_set_ring(dev, &dev->ring[vs_pick(&f->seed, dev->n_rings)]);
		break;
	case 3:
		vs_dev_set_endpoint(dev, VS_WWN2);
		break;
	case 4:
		vs_dev_clear_endpoint(dev, VS_WWN2);
		break;
	default:
		vs_ring_expose(&dev->ring[VS_IO], vs_pick(&f->seed, 200));
		vs_ring_kick(&dev->ring[VS_IO]);
		break;
	}
}

static void fuzz_one(struct fuzzer *f)
{
	struct vs_dev *dev = &f->dev[vs_pick(&f->seed, FUZZERS)];
	uint64_t arg[512];
	uint32_t i, index;

	if (vs_pick(&f->seed, 3) == 0) {
		fuzz_sane(f, dev);
		return;
	}
	for (i = 0; i < 16; i++)
		arg[i] = odd_number(f, dev);
	memset(arg + 16, 0, sizeof(arg) - sizeof(*arg) * 16);
	/* A queue index that exists, often, to get behind the first check. */
	index = vs_pick(&f->seed, 5);
	if (vs_pick(&f->seed, 2))
		memcpy(arg, &index, sizeof(index));
	vs_ioctl(dev->fd, fuzz_cmd[vs_pick(&f->seed, ARRAY_SIZE(fuzz_cmd))],
		 vs_pick(&f->seed, 20) ? arg : NULL);
}

static void *fuzz_thread(void *arg)
{
	struct fuzzer *f = arg;

	for (;;) {
		fuzz_one(f);
		__atomic_add_fetch(f->calls, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* A process of threads that runs until it is killed, or kills itself. */
static void fuzz(struct vs_dev *dev, unsigned int which,
		 volatile unsigned long *calls, uint64_t seed)
{
	static struct fuzzer fuzzer[THREADS];
	pthread_t thread;
	unsigned int i;

	/* A predecessor owned the old one. */
	if (*calls) {
		vs_dev_close(&dev[which]);
		if (vs_dev_open(&dev[which], NULL))
			_exit(1);
	}
	for (i = 0; i < THREADS; i++) {
		fuzzer[i] = (struct fuzzer){ dev, calls, seed * THREADS + i };
		if (pthread_create(&thread, NULL, fuzz_thread, &fuzzer[i]))
			_exit(1);
	}
	pause();
}

/* Changes all there is below the fuzzed WWN, as often as it can. */
static void churn(struct vs_backstore *bs)
{
	for (;;) {
		vs_tpg_attr(VS_WWN2, TAG, "pin_memory", "1");
		vs_lun_link(VS_WWN2, TAG, 1, bs);
		vs_tpg_get(VS_WWN2, 2);
		vs_nexus_write(VS_WWN2, 2, VS_NEXUS);
		vs_lun_unlink(VS_WWN2, TAG, 1);
		vs_tpg_attr(VS_WWN2, TAG, "pin_memory", "0");
		vs_nexus_write(VS_WWN2, 2, "NULL");
		vs_tpg_put(VS_WWN2, 2);
	}
}

FIXTURE(taken) {
	struct vs_env env;
	struct vs_dev dev[FUZZERS];
	unsigned long *calls;
	pid_t pid[FUZZERS + 1];
};

FIXTURE_SETUP(taken)
{
	unsigned int i;

	ENV_GET(&self->env, NULL);
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN2, TAG, 0, &self->env.bs[1]));
	self->calls = mmap(NULL, VS_PAGE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->calls);
	for (i = 0; i < FUZZERS; i++)
		ASSERT_EQ(0, vs_dev_open(&self->dev[i], NULL));
}

FIXTURE_TEARDOWN(taken)
{
	unsigned int i;

	for (i = 0; i < FUZZERS; i++)
		vs_dev_close(&self->dev[i]);
	munmap(self->calls, VS_PAGE);
	ENV_PUT(&self->env);
}

typedef FIXTURE_DATA(taken) taken_data;

/* What this test starts, it starts again whenever it has ended. */
static pid_t start(taken_data *self, unsigned int which, uint64_t seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (which == FUZZERS)
		churn(&self->env.bs[1]);
	else
		fuzz(self->dev, which, self->calls, seed);
	_exit(1);
}

TEST_F(taken, vmm_that_was_taken_over_harms_no_other_guest)
{
	int64_t end = vs_now_ms() + FUZZ_MS;
	struct vs_dev *dev = &self->env.dev;
	struct vs_req req[DEPTH];
	unsigned int i, died = 0;
	uint64_t seed = vs_seed(3);
	size_t mark;

	COVERS("F-SE-08 F-SE-07 F-AD-09 CFG-23");
	ASSERT_EQ(0, vs_scsi_settle(dev, TAG, 0));
	mark = dev->mem.used;
	for (i = 0; i <= FUZZERS; i++)
		self->pid[i] = start(self, i, seed++);
	while (vs_now_ms() < end ||
	       __atomic_load_n(self->calls, __ATOMIC_RELAXED) < FUZZ_CALLS) {
		dev->mem.used = mark;
		ASSERT_EQ(0, submit_reads(dev, req));
		ASSERT_EQ(0, collect_reads(req));
		for (i = 0; i <= FUZZERS; i++)
			if (waitpid(self->pid[i], NULL, WNOHANG) > 0) {
				died++;
				self->pid[i] = start(self, i, seed++);
			}
	}
	for (i = 0; i <= FUZZERS; i++) {
		kill(self->pid[i], SIGKILL);
		EXPECT_EQ(self->pid[i], waitpid(self->pid[i], NULL, 0));
	}
	TH_LOG("%lu calls, %u processes ended themselves", *self->calls, died);
	EXPECT_EQ(0, vs_scsi_settle(dev, TAG, 0));
}

TEST_HARNESS_MAIN
