// SPDX-License-Identifier: GPL-2.0
/* Our <linux/vhost.h> says what the installed one says, and what QEMU uses. */
#include <linux/vhost.h>

#include "abi_table.h"
#include "vs_test.h"

TEST(every_number_and_layout_equals_the_installed_header)
{
	const struct abi_entry *a = abi_ours, *b = abi_installed;

	COVERS("IOC-01 IOC-36");
	for (; a->name && b->name; a++, b++) {
		ASSERT_STREQ(b->name, a->name);
		EXPECT_EQ(b->value, a->value) {
			TH_LOG("%s differs", a->name);
		}
	}
	EXPECT_EQ(NULL, a->name);
	EXPECT_EQ(NULL, b->name);
}

TEST(ioctl_numbers_are_those_on_the_wire)
{
	static const struct {
		unsigned long cmd, number;
	} known[] = {
		{ VHOST_GET_FEATURES, 0x8008af00 },
		{ VHOST_SET_FEATURES, 0x4008af00 },
		{ VHOST_SET_OWNER, 0x0000af01 },
		{ VHOST_RESET_OWNER, 0x0000af02 },
		{ VHOST_SET_MEM_TABLE, 0x4008af03 },
		{ VHOST_SET_LOG_BASE, 0x4008af04 },
		{ VHOST_SET_LOG_FD, 0x4004af07 },
		{ VHOST_NEW_WORKER, 0x8004af08 },
		{ VHOST_FREE_WORKER, 0x4004af09 },
		{ VHOST_SET_VRING_NUM, 0x4008af10 },
		{ VHOST_SET_VRING_ADDR, 0x4028af11 },
		{ VHOST_SET_VRING_BASE, 0x4008af12 },
		{ VHOST_GET_VRING_BASE, 0xc008af12 },
		{ VHOST_SET_VRING_ENDIAN, 0x4008af13 },
		{ VHOST_GET_VRING_ENDIAN, 0x4008af14 },
		{ VHOST_ATTACH_VRING_WORKER, 0x4008af15 },
		{ VHOST_GET_VRING_WORKER, 0xc008af16 },
		{ VHOST_SET_VRING_KICK, 0x4008af20 },
		{ VHOST_SET_VRING_CALL, 0x4008af21 },
		{ VHOST_SET_VRING_ERR, 0x4008af22 },
		{ VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 0x4008af23 },
		{ VHOST_GET_VRING_BUSYLOOP_TIMEOUT, 0x4008af24 },
		{ VHOST_SET_BACKEND_FEATURES, 0x4008af25 },
		{ VHOST_GET_BACKEND_FEATURES, 0x8008af26 },
		{ VHOST_SCSI_SET_ENDPOINT, 0x40e8af40 },
		{ VHOST_SCSI_CLEAR_ENDPOINT, 0x40e8af41 },
		{ VHOST_SCSI_GET_ABI_VERSION, 0x4004af42 },
		{ VHOST_SCSI_SET_EVENTS_MISSED, 0x4004af43 },
		{ VHOST_SCSI_GET_EVENTS_MISSED, 0x4004af44 },
		{ VHOST_SET_FORK_FROM_OWNER, 0x4001af84 },
		{ VHOST_GET_FORK_FROM_OWNER, 0x8001af85 },
	};
	size_t i;

	COVERS("IOC-02 IOC-03 IOC-04 IOC-05 IOC-06 IOC-07 IOC-08");
	for (i = 0; i < ARRAY_SIZE(known); i++)
		EXPECT_EQ(known[i].number, known[i].cmd);
	EXPECT_EQ(232, sizeof(struct vhost_scsi_target));
	EXPECT_EQ(228, offsetof(struct vhost_scsi_target, vhost_tpgt));
}

TEST_HARNESS_MAIN
