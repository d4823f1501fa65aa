// SPDX-License-Identifier: GPL-2.0
/* Loading the module, when that fails and somebody waits for the device. */
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "vs_fault.h"
#include "vs_module.h"
#include "vs_test.h"

#define NODE	"/dev/vhost-scsi"
#define LIMIT	280	/* seconds, on a kernel that looks at everything */

/* Parameters that are taken, and such that are not: the front of a load. */
#define GOOD	"max_io_vqs=7"
#define BAD	"max_io_vqs=x"

/* How many loads a sweep may cost; the last allocations are the device's. */
#define LOADS	60
/* More than a load can use up. */
#define NEVER	1000000

FIXTURE(load) {
	struct vs_env env;
	pthread_t opener;
	volatile bool stop;
	volatile unsigned int opens;
	int file;
};

typedef FIXTURE_DATA(load) load_data;

/* Opens the node, whatever comes of it, until told to stop. */
static void *opener(void *arg)
{
	load_data *self = arg;
	uint64_t features;
	int fd;

	while (!self->stop) {
		fd = open(NODE, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		vs_ioctl(fd, VHOST_GET_FEATURES, &features);
		self->opens++;
		close(fd);
		/* Without a pause the module would hardly ever come out. */
		usleep(500);
	}
	return NULL;
}

FIXTURE_SETUP(load)
{
	struct vs_env_opts opts = { .disk = VS_DISK_NONE, .no_dev = true };
	char name[512];

	ENV_GET(&self->env, &opts);
	/* Loading says what it does, and failing says more. */
	self->env.may_log = true;
	self->file = open(vs_module_file(name, sizeof(name)),
			  O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, vs_wwn_remove(VS_WWN));
	ASSERT_EQ(0, vs_module_unload());
	ASSERT_EQ(0, pthread_create(&self->opener, NULL, opener, self));
}

FIXTURE_TEARDOWN(load)
{
	self->stop = true;
	EXPECT_EQ(0, pthread_join(self->opener, NULL));
	close(self->file);
	/* The next test is not to find the distribution's module. */
	if (access("/sys/module/vhost_scsi", F_OK))
		EXPECT_EQ(0, vs_module_load(""));
	ENV_PUT(&self->env);
}

static int insert(load_data *self, const char *params)
{
	return syscall(SYS_finit_module, self->file, params, 0) ? -errno : 0;
}

/* Takes the module out again; who opens the device may delay that. */
static int take_out(void)
{
	int64_t end = vs_now_ms() + vs_patience();
	int ret;

	do {
		ret = vs_module_unload();
	} while ((ret == -EAGAIN || ret == -EBUSY) && vs_now_ms() < end);
	return ret;
}

/* After a failed load: nobody has the device, and nothing is left of it. */
static bool nothing_loaded(const load_data *self, unsigned int opens)
{
	return self->opens == opens && access(NODE, F_OK) &&
	       access("/sys/module/vhost_scsi", F_OK);
}

/* How much can fail in a load that does not; which error it ends with. */
static unsigned int count(load_data *self, struct vs_fault *fault,
			  const char *params, int *err)
{
	char text[16] = "";

	fault->n = NEVER;
	vs_fault_arm(fault);
	*err = insert(self, params);
	if (pread(fault->fd, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	vs_fault_disarm(fault);
	return NEVER - atoi(text);
}

/*
 * The faults that come behind the parameters: sysfs, and what the module does.
 * Before that there are tracepoints, where a failure makes the kernel warn.
 */
static int range(load_data *self, struct vs_fault *fault, unsigned int *first,
		 unsigned int *last)
{
	int err;

	/* A slab may take a page in one load and not in the other. */
	*first = count(self, fault, BAD, &err) + 10;
	if (err != -EINVAL)
		return -EPROTO;
	*last = count(self, fault, GOOD, &err);
	if (err)
		return err;
	if (*last > *first + LOADS)
		*first = *last - LOADS;
	return take_out();
}

/* How often a load failed as it should; one that did not is an error. */
static int sweep(load_data *self, struct vs_fault *fault)
{
	unsigned int first, last, opens;
	int ret, failed = 0;

	ret = range(self, fault, &first, &last);
	if (ret)
		return ret;
	for (fault->n = first; fault->n <= last + 10; fault->n++) {
		opens = self->opens;
		vs_fault_arm(fault);
		ret = insert(self, GOOD);
		vs_fault_disarm(fault);
		if (!ret)
			ret = take_out();
		else if (nothing_loaded(self, opens) && ++failed)
			ret = 0;
		if (ret)
			break;
	}
	fprintf(stderr, "# faults %u to %u: the last was %u, %s\n", first,
		last, fault->n, ret ? strerror(-ret) : "all well");
	return ret ? ret : failed;
}

TEST_F_TIMEOUT(load, that_fails_half_way_gives_nobody_a_device, LIMIT)
{
	struct vs_fault fault;
	unsigned int i, opens;
	int failed;

	COVERS("F-LC-22");
	if (access("/proc/self/fail-nth", F_OK)) {
		/* Nothing can be made to fail here but the parameter. */
		for (i = 0; i < 20; i++) {
			opens = self->opens;
			ASSERT_EQ(-EINVAL, insert(self, BAD));
			ASSERT_TRUE(nothing_loaded(self, opens));
			ASSERT_EQ(0, insert(self, GOOD));
			ASSERT_EQ(0, take_out());
		}
	} else {
		ASSERT_EQ(0, vs_fault_get(&fault, 0));
		failed = sweep(self, &fault);
		vs_fault_put(&fault);
		EXPECT_LT(20, failed);
		TH_LOG("%d loads failed", failed);
	}
	TH_LOG("the device was opened %u times", self->opens);
	/* Without a fault it loads, and can be opened. */
	ASSERT_EQ(0, vs_module_load(GOOD));
	opens = self->opens;
	for (i = 0; i < 2000 && self->opens == opens; i++)
		usleep(10000);
	EXPECT_LT(opens, self->opens);
}

TEST_HARNESS_MAIN
