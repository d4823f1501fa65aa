// SPDX-License-Identifier: GPL-2.0
/* The module: its names, its parameters, many devices, out and in again. */
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "vs_module.h"
#include "vs_test.h"

#define MAX_IO_VQS	VS_PARAM_DIR "/max_io_vqs"
#define NODE		"/dev/vhost-scsi"

FIXTURE(module) {
	struct vs_env env;
};

FIXTURE_SETUP(module)
{
	struct vs_env_opts opts = { .disk = VS_DISK_NONE, .no_dev = true };

	ENV_GET(&self->env, &opts);
	/* Loading says what it does, and so may a wrong parameter. */
	self->env.may_log = true;
}

FIXTURE_TEARDOWN(module)
{
	/* The next test is not to find the distribution's module. */
	if (access("/sys/module/vhost_scsi", F_OK))
		EXPECT_EQ(0, vs_module_load(""));
	vs_write_file(MAX_IO_VQS, "128");
	ENV_PUT(&self->env);
}

/* What a shell command prints. */
static void output(const char *command, char *buf, size_t size)
{
	FILE *f = popen(command, "r");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	buf[n] = '\0';
	if (f)
		pclose(f);
}

TEST_F(module, node_is_a_misc_device_and_the_alias_is_tcm_vhost)
{
	char text[256], file[512], command[768];
	char node[32];
	struct stat st;

	COVERS("IOC-37");
	ASSERT_EQ(0, stat(NODE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	ASSERT_LT(0, vs_read_file("/sys/class/misc/vhost-scsi/dev", text,
				  sizeof(text)));
	snprintf(node, sizeof(node), "10:%u\n", minor(st.st_rdev));
	EXPECT_STREQ(node, text);
	EXPECT_EQ(10, major(st.st_rdev));
	/* No alias but this one: none that opening the node would look for. */
	snprintf(command, sizeof(command), "modinfo -F alias %s",
		 vs_module_file(file, sizeof(file)));
	output(command, text, sizeof(text));
	EXPECT_STREQ("tcm_vhost\n", text);
}

/* Has a device opened now a queue of this index? */
static int has_queue(unsigned int index)
{
	struct vhost_vring_state state = { .index = index, .num = 1 };
	int fd = open(NODE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = vs_ioctl(fd, VHOST_SET_OWNER, NULL);
	if (!ret)
		ret = vs_ioctl(fd, VHOST_SET_VRING_NUM, &state);
	close(fd);
	return ret;
}

TEST_F(module, number_of_queues_is_checked_when_it_is_written)
{
	static const struct {
		const char *write, *read;
		unsigned int last;
	} value[] = {
		{ "1", "1\n", 2 }, { "0", "1\n", 2 },
		{ "1024", "1024\n", 1025 }, { "1025", "1024\n", 1025 },
		{ "4294967295", "1024\n", 1025 }, { "0x10", "16\n", 17 },
	};
	static const char * const bad[] = { "-1", "x", "1x", "4294967296" };
	struct stat st;
	char text[32];
	int early;
	size_t i;

	COVERS("IOC-38 F-LC-23 IOC-30");
	ASSERT_EQ(0, stat(MAX_IO_VQS, &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	early = open(NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, early);
	for (i = 0; i < ARRAY_SIZE(value); i++) {
		ASSERT_EQ(0, vs_write_file(MAX_IO_VQS, value[i].write));
		vs_read_file(MAX_IO_VQS, text, sizeof(text));
		EXPECT_STREQ(value[i].read, text);
		EXPECT_EQ(0, has_queue(value[i].last));
		EXPECT_EQ(-ENOBUFS, has_queue(value[i].last + 1));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_GT(0, vs_write_file(MAX_IO_VQS, bad[i])) {
			TH_LOG("value %zu was taken", i);
		}
	vs_read_file(MAX_IO_VQS, text, sizeof(text));
	EXPECT_STREQ("16\n", text);
	/* Who was open before keeps what there was. */
	ASSERT_EQ(0, vs_ioctl(early, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-ENOBUFS, vs_ioctl(early, VHOST_GET_VRING_BASE,
				     &(struct vhost_vring_state){ 130, 0 }));
	EXPECT_EQ(0, vs_ioctl(early, VHOST_GET_VRING_BASE,
			      &(struct vhost_vring_state){ 129, 0 }));
	close(early);
}

/* Opens devices until there are enough, or memory is short; counts them. */
static unsigned int open_many(int *fd, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		fd[i] = open(NODE, O_RDWR | O_CLOEXEC);
		if (fd[i] < 0)
			break;
	}
	return i;
}

TEST_F(module, a_thousand_devices_are_open_at_once)
{
	static int fd[1000];
	/* Of the largest kind so many that no host is hurt. */
	static const struct {
		const char *queues;
		unsigned int devices;
	} kind[] = { { "1", 1000 }, { "128", 150 }, { "1024", 20 } };
	struct rlimit limit = { 2000, 2000 };
	size_t k;

	COVERS("F-LC-23 IOC-33");
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (k = 0; k < ARRAY_SIZE(kind); k++) {
		unsigned int i, n;

		ASSERT_EQ(0, vs_write_file(MAX_IO_VQS, kind[k].queues));
		n = open_many(fd, kind[k].devices);
		EXPECT_EQ(kind[k].devices, n) {
			TH_LOG("%u devices, then %s", n, strerror(errno));
		}
		/* The first and the last are whole devices. */
		EXPECT_EQ(0, vs_ioctl(fd[0], VHOST_SET_OWNER, NULL));
		EXPECT_EQ(0, vs_ioctl(fd[n - 1], VHOST_SET_OWNER, NULL));
		for (i = 0; i < n; i++)
			close(fd[i]);
	}
}

TEST_F(module, parameter_of_newer_stock_modules_does_no_harm)
{
	char text[32];

	COVERS("IOC-39");
	ASSERT_EQ(0, vs_wwn_remove(VS_WWN));
	ASSERT_EQ(0, vs_module_unload());
	EXPECT_EQ(0, vs_module_load("inline_sg_cnt=0 max_io_vqs=7"));
	EXPECT_EQ(1, vs_env_logged(&self->env,
				   "unknown parameter 'inline_sg_cnt'"));
	EXPECT_EQ(-1, access(VS_PARAM_DIR "/inline_sg_cnt", F_OK));
	vs_read_file(MAX_IO_VQS, text, sizeof(text));
	EXPECT_STREQ("7\n", text);
}

/* Opens the node, whatever comes of it, until told to stop. */
static void *opener(void *arg)
{
	volatile bool *stop = arg;
	uint64_t features;
	int fd;

	while (!*stop) {
		fd = open(NODE, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		vs_ioctl(fd, VHOST_GET_FEATURES, &features);
		close(fd);
	}
	return NULL;
}

TEST_F(module, unloading_against_opens_never_calls_into_nothing)
{
	unsigned int i, busy = 0, gone = 0;
	bool stop = false;
	pthread_t thread;

	COVERS("F-LC-21");
	ASSERT_EQ(0, vs_wwn_remove(VS_WWN));
	ASSERT_EQ(0, pthread_create(&thread, NULL, opener, &stop));
	for (i = 0; i < 40; i++) {
		int ret = vs_module_unload();

		busy += ret == -EBUSY || ret == -EAGAIN;
		if (!ret) {
			gone++;
			EXPECT_EQ(0, vs_module_load(""));
		} else if (access(VS_VHOST_ROOT, F_OK)) {
			EXPECT_EQ(0, mkdir(VS_VHOST_ROOT, 0755));
		}
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	TH_LOG("unloaded %u times, in use %u times", gone, busy);
	EXPECT_EQ(40, busy + gone);
}

TEST_F(module, loads_on_this_kernel_and_serves)
{
	struct vs_dev dev;
	uint8_t *buf;

	COVERS("FAB-21 FAB-34 FAB-23 CFG-01");
	/* Every symbol and every member that this kernel has, and no other. */
	ASSERT_EQ(0, vs_wwn_remove(VS_WWN));
	ASSERT_EQ(0, vs_module_unload());
	ASSERT_EQ(0, vs_module_load(""));
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[0], 0, 1, false));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, VS_TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, VS_TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, VS_TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_open(&dev, NULL));
	ASSERT_EQ(0, vs_dev_setup(&dev));
	ASSERT_EQ(0, vs_dev_set_endpoint(&dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(&dev, VS_TAG, 0));
	buf = vs_mem_page(&dev.mem, 1);
	EXPECT_GOOD(vs_scsi_read(&dev, VS_TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 0, 8), buf, VS_PAGE));
	vs_dev_close(&dev);
}

TEST_HARNESS_MAIN
