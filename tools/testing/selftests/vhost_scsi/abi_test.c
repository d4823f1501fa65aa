// SPDX-License-Identifier: GPL-2.0
/* The ioctls and file operations of /dev/vhost-scsi, errors above all. */
#include <poll.h>
#include <sys/eventfd.h>

#include "vs_test.h"

FIXTURE(abi) {
	struct vs_env env;
	struct vs_dev *dev;
	int fd;
};

FIXTURE_SETUP(abi)
{
	struct vs_env_opts opts = { .no_dev = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_dev_open(self->dev, NULL));
	self->fd = self->dev->fd;
}

ENV_TEARDOWN(abi);

/* What the ioctl returns in another process. */
static int in_child(int fd, unsigned long cmd, const void *arg)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(-vs_ioctl(fd, cmd, arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

TEST_F(abi, version_is_one)
{
	int version = 0;

	COVERS("IOC-04");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SCSI_GET_ABI_VERSION, &version));
	EXPECT_EQ(1, version);
	EXPECT_EQ(-EFAULT, vs_ioctl(self->fd, VHOST_SCSI_GET_ABI_VERSION,
				    NULL));
}

TEST_F(abi, opens_are_independent_devices)
{
	int other = open("/dev/vhost-scsi", O_RDWR | O_CLOEXEC);

	COVERS("IOC-33");
	ASSERT_LE(0, other);
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, vs_ioctl(other, VHOST_SET_OWNER, NULL));
	close(other);
	EXPECT_EQ(-EBUSY, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
}

TEST_F(abi, owner_is_set_once)
{
	COVERS("IOC-10");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EBUSY, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EBUSY, in_child(self->fd, VHOST_SET_OWNER, NULL));
}

TEST_F(abi, core_ioctls_need_the_owner)
{
	struct vhost_vring_state state = { .index = 0, .num = 128 };
	struct vhost_vring_file file = { .index = 0, .fd = -1 };

	COVERS("IOC-29 F-LC-12");
	EXPECT_EQ(-EPERM, vs_ioctl(self->fd, VHOST_SET_VRING_NUM, &state));
	EXPECT_EQ(-EPERM, vs_dev_set_mem(self->dev));
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_VRING_NUM, &state));
	EXPECT_EQ(-EPERM, in_child(self->fd, VHOST_SET_VRING_NUM, &state));
	EXPECT_EQ(-EPERM, in_child(self->fd, VHOST_GET_VRING_BASE, &state));
	EXPECT_EQ(-EPERM, in_child(self->fd, VHOST_SET_VRING_KICK, &file));
}

TEST_F(abi, reset_owner_is_not_implemented)
{
	uint32_t bad = 0xffff, index = 0;

	COVERS("IOC-11 F-LC-15");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EFAULT, vs_ioctl(self->fd, VHOST_RESET_OWNER, NULL));
	EXPECT_EQ(-ENOBUFS, vs_ioctl(self->fd, VHOST_RESET_OWNER, &bad));
	EXPECT_EQ(-ENOTTY, vs_ioctl(self->fd, VHOST_RESET_OWNER, &index));
	EXPECT_EQ(-EPERM, in_child(self->fd, VHOST_RESET_OWNER, NULL));
}

TEST_F(abi, unknown_ioctls_are_enotty)
{
	uint32_t arg[64] = {};

	COVERS("IOC-31 IOC-09");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-ENOTTY, vs_ioctl(self->fd, _IO(0xaf, 0x4f), arg));
	EXPECT_EQ(-ENOTTY, vs_ioctl(self->fd, _IOW(0xaf, 0x45, int), arg));
	EXPECT_EQ(-ENOTTY, vs_ioctl(self->fd, VHOST_NET_SET_BACKEND, arg));
	EXPECT_EQ(-ENOTTY, vs_ioctl(self->fd, VHOST_GET_FEATURES_ARRAY, arg));
	EXPECT_EQ(-EFAULT, vs_ioctl(self->fd, _IO(0xaf, 0x4f), NULL));
	arg[0] = 0xffffffff;
	EXPECT_EQ(-ENOBUFS, vs_ioctl(self->fd, _IO(0xaf, 0x4f), arg));
}

TEST_F(abi, backend_features_are_messages_of_the_second_form)
{
	uint64_t features = 0;

	COVERS("IOC-28");
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_GET_BACKEND_FEATURES, &features));
	EXPECT_EQ(VS_BIT(VHOST_BACKEND_F_IOTLB_MSG_V2), features);
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_BACKEND_FEATURES, &features));
	features |= VS_BIT(VHOST_BACKEND_F_IOTLB_ASID);
	EXPECT_EQ(-EOPNOTSUPP,
		  vs_ioctl(self->fd, VHOST_SET_BACKEND_FEATURES, &features));
	features = 0;
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_BACKEND_FEATURES, &features));
}

TEST_F(abi, null_arguments_are_efault)
{
	static const unsigned long cmd[] = {
		VHOST_GET_FEATURES, VHOST_SET_FEATURES, VHOST_SET_MEM_TABLE,
		VHOST_GET_BACKEND_FEATURES, VHOST_SET_BACKEND_FEATURES,
		VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD, VHOST_SET_VRING_NUM,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_BASE,
		VHOST_GET_VRING_BASE, VHOST_SET_VRING_KICK,
		VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR,
		VHOST_SCSI_SET_ENDPOINT, VHOST_SCSI_CLEAR_ENDPOINT,
	};
	size_t i;

	COVERS("IOC-01 IOC-12 IOC-13 IOC-14 F-LC-05");
	ASSERT_EQ(0, vs_dev_setup(self->dev));
	for (i = 0; i < ARRAY_SIZE(cmd); i++)
		EXPECT_EQ(-EFAULT, vs_ioctl(self->fd, cmd[i], NULL)) {
			TH_LOG("ioctl %lx", cmd[i]);
		}
}

TEST_F(abi, queue_index_is_checked)
{
	struct vhost_vring_state state = { .num = 128 };

	COVERS("IOC-30 IOC-38");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	/* Two, and 128 request queues unless the parameter was changed. */
	state.index = 129;
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_VRING_NUM, &state));
	state.index = 2 + 1024;
	EXPECT_EQ(-ENOBUFS, vs_ioctl(self->fd, VHOST_SET_VRING_NUM, &state));
	state.index = 0xffffffff;
	EXPECT_EQ(-ENOBUFS, vs_ioctl(self->fd, VHOST_SET_VRING_NUM, &state));
}

TEST_F(abi, ring_size_is_a_power_of_two_up_to_32768)
{
	static const unsigned int good[] = { 1, 2, 128, 32768 };
	static const unsigned int bad[] = { 0, 3, 129, 65535, 65536, 1U << 31 };
	struct vhost_vring_state state = { .index = 2 };
	size_t i;

	COVERS("IOC-21 F-RG-22");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		state.num = good[i];
		EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_VRING_NUM, &state));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		state.num = bad[i];
		EXPECT_EQ(-EINVAL, vs_ioctl(self->fd, VHOST_SET_VRING_NUM,
					    &state));
	}
}

TEST_F(abi, ring_address_is_checked)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];
	struct vhost_vring_addr addr = {
		.index = VS_IO,
		.desc_user_addr = (uintptr_t)ring->desc,
		.avail_user_addr = (uintptr_t)ring->avail,
		.used_user_addr = (uintptr_t)ring->used,
	};

	COVERS("IOC-22");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_VRING_ADDR, &addr));
	addr.flags = 2;
	EXPECT_EQ(-EOPNOTSUPP, vs_ioctl(self->fd, VHOST_SET_VRING_ADDR,
					&addr));
	addr.flags = 0;
	addr.avail_user_addr += 1;
	EXPECT_EQ(-EINVAL, vs_ioctl(self->fd, VHOST_SET_VRING_ADDR, &addr));
	addr.avail_user_addr -= 1;
	addr.used_user_addr += 2;
	EXPECT_EQ(-EINVAL, vs_ioctl(self->fd, VHOST_SET_VRING_ADDR, &addr));
}

TEST_F(abi, ring_base_reads_back)
{
	struct vhost_vring_state state = { .index = VS_IO, .num = 65535 };

	COVERS("IOC-23 IOC-24");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_VRING_BASE, &state));
	EXPECT_EQ(65535, vs_dev_get_base(self->dev, VS_IO));
	state.num = 65536;
	EXPECT_EQ(-EINVAL, vs_ioctl(self->fd, VHOST_SET_VRING_BASE, &state));
}

TEST_F(abi, eventfds_are_checked)
{
	static const unsigned long cmd[] = {
		VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR,
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t i;

	COVERS("IOC-26 F-LC-19");
	ASSERT_LE(0, null);
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	for (i = 0; i < ARRAY_SIZE(cmd); i++) {
		EXPECT_EQ(-EBADF, vs_dev_set_eventfd(self->dev, cmd[i], VS_IO,
						     9999));
		EXPECT_EQ(-EINVAL, vs_dev_set_eventfd(self->dev, cmd[i], VS_IO,
						      null));
		EXPECT_EQ(0, vs_dev_set_eventfd(self->dev, cmd[i], VS_IO,
						VHOST_FILE_UNBIND));
	}
	close(null);
}

TEST_F(abi, memory_table_is_checked)
{
	struct vhost_memory_region region[70] = {};
	struct vhost_memory empty = { .padding = 1 };
	size_t i;

	COVERS("IOC-12 F-LC-16 F-RG-10");
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EOPNOTSUPP, vs_ioctl(self->fd, VHOST_SET_MEM_TABLE,
					&empty));
	for (i = 0; i < 70; i++) {
		region[i].guest_phys_addr = i << 20;
		region[i].memory_size = VS_PAGE;
		region[i].userspace_addr = (uintptr_t)self->dev->mem.base;
	}
	EXPECT_EQ(0, vs_dev_set_regions(self->dev, region, 64));
	EXPECT_EQ(-E2BIG, vs_dev_set_regions(self->dev, region, 70));
	region[0].guest_phys_addr = ~0ULL - VS_PAGE;
	region[0].memory_size = 4 * VS_PAGE;
	EXPECT_GT(0, vs_dev_set_regions(self->dev, region, 1));
	EXPECT_EQ(0, vs_dev_set_mem(self->dev));
}

TEST_F(abi, log_descriptor_is_checked)
{
	int fd = 9999, event = eventfd(0, EFD_CLOEXEC), none = -1;

	COVERS("IOC-14");
	ASSERT_LE(0, event);
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EBADF, vs_ioctl(self->fd, VHOST_SET_LOG_FD, &fd));
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_LOG_FD, &event));
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_LOG_FD, &none));
	close(event);
}

TEST_F(abi, fork_from_owner_is_fixed_by_the_owner)
{
	uint8_t value = 9;
	int ret;

	COVERS("IOC-20");
	ret = vs_ioctl(self->fd, VHOST_GET_FORK_FROM_OWNER, &value);
	if (ret) {
		/* A kernel without CONFIG_VHOST_ENABLE_FORK_OWNER_CONTROL. */
		EXPECT_TRUE(ret == -ENOTTY || ret == -EPERM);
		return;
	}
	EXPECT_EQ(VHOST_FORK_OWNER_TASK, value);
	value = 2;
	EXPECT_EQ(-EINVAL, vs_ioctl(self->fd, VHOST_SET_FORK_FROM_OWNER,
				    &value));
	value = VHOST_FORK_OWNER_TASK;
	EXPECT_EQ(0, vs_ioctl(self->fd, VHOST_SET_FORK_FROM_OWNER, &value));
	ASSERT_EQ(0, vs_ioctl(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EBUSY, vs_ioctl(self->fd, VHOST_SET_FORK_FROM_OWNER,
				   &value));
}

TEST_F(abi, kernel_threads_can_be_the_workers)
{
	uint8_t value = VHOST_FORK_OWNER_KTHREAD;
	int ret;

	COVERS("IOC-20 F-LC-24");
	ret = vs_ioctl(self->fd, VHOST_SET_FORK_FROM_OWNER, &value);
	if (ret) {
		EXPECT_TRUE(ret == -ENOTTY || ret == -EPERM);
		return;
	}
	ASSERT_EQ(0, vs_dev_setup(self->dev));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, VS_TAG, 0));
}

TEST_F(abi, read_write_and_mmap_are_refused)
{
	struct pollfd ready = { .fd = self->fd, .events = POLLIN | POLLOUT };
	char c = 0;

	COVERS("IOC-35");
	ASSERT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(ready.events, ready.revents);
	EXPECT_EQ(-1, read(self->fd, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, VS_PAGE, PROT_READ, MAP_SHARED,
				   self->fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

TEST_HARNESS_MAIN
