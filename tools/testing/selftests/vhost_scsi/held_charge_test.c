// SPDX-License-Identifier: GPL-2.0
/* Guest memory that stays pinned: when it does, what the owner is charged, and its limit. */
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "held_fixture.h"

TEST_F(held, memory_is_pinned_and_charged_until_clear)
{
	long locked = locked_kib();

	COVERS("CFG-14 F-RS-06");
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(MEM_PAGES, vs_pins() - self->pins);
	EXPECT_EQ(locked + (long)(MEM_SIZE >> 10), locked_kib());
	/* Not twice. */
	EXPECT_EQ(-EEXIST, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(MEM_PAGES, vs_pins() - self->pins);
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(self->pins, vs_pins());
	EXPECT_EQ(locked, locked_kib());
}

/* Without CAP_IPC_LOCK, and with so much of memory to lock. */
static int limit_locked(size_t bytes)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	struct rlimit limit = { bytes, bytes };

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	if (syscall(SYS_capset, &head, data))
		return -errno;
	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

TEST_F(held, limit_of_locked_memory_is_kept)
{
	long locked = locked_kib();

	COVERS("F-RS-06");
	ASSERT_EQ(0, limit_locked((locked << 10) + MEM_SIZE - 1));
	EXPECT_EQ(-ENOMEM, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(self->pins, vs_pins());
	EXPECT_EQ(locked, locked_kib());
	/* Nothing stands in the way of another try. */
	ASSERT_EQ(0, limit_locked((locked << 10) + MEM_SIZE));
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(MEM_PAGES, vs_pins() - self->pins);
}

TEST_F(held, table_beyond_the_limit_is_served_and_not_pinned)
{
	struct vhost_memory_region region[2];
	long locked = locked_kib();
	uint8_t *buf;

	COVERS("F-RS-06 IOC-12");
	halves(self->dev, region, 0);
	ASSERT_EQ(0, vs_dev_set_regions(self->dev, region, 1));
	ASSERT_EQ(0, limit_locked((locked << 10) + MEM_SIZE / 2));
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(MEM_PAGES / 2, vs_pins() - self->pins);
	/* It is in force when its pages are charged. */
	ASSERT_EQ(0, vs_dev_set_mem(self->dev));
	EXPECT_EQ(self->pins, vs_pins());
	EXPECT_EQ(locked, locked_kib());
	buf = self->dev->mem.base + MEM_SIZE / 2;
	ASSERT_EQ(0, fill_disk(self->dev, buf));
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
}

FIXTURE(attribute) {
	struct vs_env env;
};

FIXTURE_SETUP(attribute)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
}

ENV_TEARDOWN(attribute);

TEST_F(attribute, takes_a_boolean_for_the_next_endpoint)
{
	static const char * const bad[] = { "2", "-1", "x", "" };
	char path[512], text[32];
	int64_t pins = vs_pins();
	size_t i;

	COVERS("CFG-14");
	vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "attrib/pin_memory");
	ASSERT_LT(0, vs_read_file(path, text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->env.dev, VS_WWN));
	EXPECT_EQ(0, vs_write_file(path, "1\n"));
	EXPECT_EQ(pins, vs_pins());
	ASSERT_LT(0, vs_read_file(path, text, sizeof(text)));
	EXPECT_STREQ("1\n", text);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_GE(0, vs_write_file(path, bad[i]));
	ASSERT_EQ(0, vs_dev_clear_endpoint(&self->env.dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->env.dev, VS_WWN));
	EXPECT_LT(pins, vs_pins());
	EXPECT_EQ(0, vs_write_file(path, "0"));
	ASSERT_EQ(0, vs_dev_clear_endpoint(&self->env.dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->env.dev, VS_WWN));
	EXPECT_EQ(pins, vs_pins());
}

TEST_HARNESS_MAIN
