// SPDX-License-Identifier: GPL-2.0
/* The life of an endpoint: set, clear, close, in any order. */
#include <sys/eventfd.h>

#include "endpoint_fixture.h"

/* A WWN that fills the ioctl's field, or more. */
static const char *long_wwn(size_t len)
{
	static char wwn[256];

	memset(wwn, '0', len);
	memcpy(wwn, "naa.5001405f00d", 15);
	wwn[len] = '\0';
	return wwn;
}

TEST_F(endpoint, second_set_is_eexist_and_harmless)
{
	COVERS("IOC-02 F-LC-01");
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, 1));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, 1, VS_NEXUS));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-EEXIST, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-EEXIST, vs_dev_set_endpoint(self->dev, VS_WWN2));
	EXPECT_EQ(-EEXIST, vs_dev_set_endpoint(self->dev, "naa.none"));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 2));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, 2, VS_NEXUS));
	EXPECT_EQ(-EEXIST, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_TRUE(serves(self->dev));
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN2));
}

TEST_F(endpoint, nothing_to_attach_is_enodev)
{
	COVERS("IOC-02 F-LC-02 CFG-24");
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev, "naa.none"));
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev, ""));
	/* Exact, and case-sensitive. */
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev,
					       "NAA.5001405F00D00001"));
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev, VS_WWN "0"));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN2));
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev, VS_WWN2));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN2, 1));
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev, VS_WWN2));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN2, 1, VS_NEXUS));
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN2));
}

TEST_F(endpoint, structure_fields_that_do_not_count_are_ignored)
{
	struct vhost_scsi_target target = {
		.abi_version = 99,
		.vhost_wwpn = VS_WWN,
		.vhost_tpgt = 12345,
	};

	COVERS("IOC-01 F-LC-05 CFG-05");
	target.reserved = 1;
	EXPECT_EQ(-EOPNOTSUPP, vs_ioctl(self->dev->fd,
					VHOST_SCSI_SET_ENDPOINT, &target));
	target.reserved = 0;
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SCSI_SET_ENDPOINT,
			      &target));
	EXPECT_TRUE(serves(self->dev));
	target.reserved = 0x8000;
	EXPECT_EQ(-EOPNOTSUPP, vs_ioctl(self->dev->fd,
					VHOST_SCSI_CLEAR_ENDPOINT, &target));
	target.reserved = 0;
	target.abi_version = -1;
	target.vhost_tpgt = 0;
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SCSI_CLEAR_ENDPOINT,
			      &target));
}

TEST_F(endpoint, clear_wants_the_name_that_is_set)
{
	COVERS("IOC-03 F-LC-07");
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, "naa.none"));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-EINVAL, vs_dev_clear_endpoint(self->dev, "naa.none"));
	EXPECT_EQ(-EINVAL, vs_dev_clear_endpoint(self->dev, ""));
	EXPECT_EQ(-EINVAL, vs_dev_clear_endpoint(self->dev, VS_WWN "0"));
	EXPECT_TRUE(serves(self->dev));
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
}

TEST_F(endpoint, name_that_fills_the_field_never_matches_more)
{
	struct vhost_scsi_target target = {};
	const char *wwn = long_wwn(225);
	int ret;

	COVERS("IOC-01 F-LC-06 CFG-04");
	ASSERT_EQ(0, vs_wwn_get(wwn));
	ASSERT_EQ(0, vs_tpg_get(wwn, 1));
	ASSERT_EQ(0, vs_nexus_write(wwn, 1, VS_NEXUS));
	/* The next field goes on with the 225th character. */
	memcpy(target.vhost_wwpn, wwn, sizeof(target.vhost_wwpn));
	target.vhost_tpgt = '0';
	ret = vs_ioctl(self->dev->fd, VHOST_SCSI_SET_ENDPOINT, &target);
	EXPECT_TRUE(ret == -ENODEV || ret == -EINVAL);
	vs_dev_close(self->dev);
	EXPECT_EQ(0, vs_wwn_remove(wwn));
	wwn = long_wwn(224);
	ASSERT_EQ(0, vs_wwn_get(wwn));
	ASSERT_EQ(0, vs_tpg_get(wwn, 1));
	ASSERT_EQ(0, vs_nexus_write(wwn, 1, VS_NEXUS));
	ASSERT_EQ(0, vs_dev_open(self->dev, NULL));
	ASSERT_EQ(0, vs_dev_setup(self->dev));
	ret = vs_dev_set_endpoint(self->dev, wwn);
	EXPECT_TRUE(ret == 0 || ret == -ENODEV || ret == -EINVAL);
	vs_dev_close(self->dev);
	EXPECT_EQ(0, vs_wwn_remove(wwn));
}

TEST_F(endpoint, set_before_owner_or_memory_or_rings_fails)
{
	struct vs_dev bare;

	COVERS("IOC-02 IOC-29 F-LC-13");
	ASSERT_EQ(0, vs_dev_open(&bare, NULL));
	EXPECT_EQ(-EPERM, vs_dev_set_endpoint(&bare, VS_WWN));
	ASSERT_EQ(0, vs_ioctl(bare.fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(&bare, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_mem(&bare));
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(&bare, VS_WWN));
	vs_dev_close(&bare);
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
}

TEST_F(endpoint, set_with_an_unmapped_used_ring_is_efault)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];
	struct vs_env_opts opts = { .no_endpoint = true };

	COVERS("IOC-02 F-LC-13 F-MG-06");
	ASSERT_EQ(0, munmap(ring->used, VS_PAGE));
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(self->dev, VS_WWN));
	/* Nothing is left set: another device may have the target. */
	vs_dev_close(self->dev);
	ASSERT_EQ(0, vs_dev_open(self->dev, &opts.dev));
	ASSERT_EQ(0, vs_dev_setup(self->dev));
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
}

TEST_F(endpoint, set_by_another_process_is_eperm)
{
	int status;
	pid_t pid;

	COVERS("IOC-29 F-LC-12");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(-vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	/* Clearing is open to it. */
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(-vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_TRUE(serves(self->dev));
}

TEST_F(endpoint, requests_from_before_are_served_without_a_kick)
{
	struct vs_req req;
	uint64_t count;

	COVERS("REQ-52 IOC-40");
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	ASSERT_EQ(0, vs_req_submit(&req));
	/*
	 * The kick comes to nothing, as there is no endpoint yet: to unbind it waits for
	 * the worker, to bind it again finds that it does not count any more.
	 */
	ASSERT_EQ(0, vs_dev_set_eventfd(self->dev, VHOST_SET_VRING_KICK, VS_IO,
					VHOST_FILE_UNBIND));
	EXPECT_EQ(8, read(req.ring->kick, &count, sizeof(count)));
	EXPECT_EQ(0, vs_ring_pending(req.ring));
	ASSERT_EQ(0, vs_dev_set_eventfd(self->dev, VHOST_SET_VRING_KICK, VS_IO,
					req.ring->kick));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	vs_req_put(&req);
}

TEST_F(endpoint, queue_set_up_later_never_runs)
{
	struct vs_dev *dev = &self->env.dev;
	struct vhost_vring_state state = { .index = VS_IO + 1, .num = 128 };
	struct vs_ring late;

	COVERS("REQ-44 F-LC-14");
	ASSERT_EQ(0, vs_ring_get(&late, &dev->mem, VS_IO + 1, 128));
	ASSERT_EQ(0, vs_ioctl(dev->fd, VHOST_SET_VRING_NUM, &state));
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	/* Refused, or without effect: but no WARN and no harm. */
	if (!vs_dev_set_addr(dev, &late)) {
		struct vs_req req;

		vs_dev_set_eventfd(dev, VHOST_SET_VRING_KICK, VS_IO + 1,
				   late.kick);
		vs_req_get(&req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
		req.ring = &late;
		ASSERT_EQ(0, vs_req_submit(&req));
		/* Waits for the worker, if that was called. */
		vs_dev_set_eventfd(dev, VHOST_SET_VRING_KICK, VS_IO + 1,
				   VHOST_FILE_UNBIND);
		vs_req_put(&req);
	}
	EXPECT_TRUE(serves(dev));
	EXPECT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
	vs_ring_put(&late);
}

TEST_F(endpoint, one_device_has_the_target)
{
	struct vs_dev other;

	COVERS("F-LC-04 CFG-24");
	ASSERT_EQ(0, vs_dev_open(&other, NULL));
	ASSERT_EQ(0, vs_dev_setup(&other));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(&other, VS_WWN));
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_dev_set_endpoint(&other, VS_WWN));
	EXPECT_TRUE(serves(&other));
	EXPECT_EQ(-ENODEV, vs_dev_set_endpoint(self->dev, VS_WWN));
	vs_dev_close(&other);
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_TRUE(serves(self->dev));
}

TEST_F(endpoint, size_and_base_are_fixed_while_set)
{
	struct vhost_vring_state state = { .index = VS_IO, .num = 64 };

	COVERS("IOC-21 IOC-23 F-LC-17");
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-EBUSY, vs_ioctl(self->dev->fd, VHOST_SET_VRING_NUM,
				   &state));
	EXPECT_EQ(-EBUSY, vs_ioctl(self->dev->fd, VHOST_SET_VRING_BASE,
				   &state));
	EXPECT_EQ(0, vs_dev_set_addr(self->dev, &self->dev->ring[VS_IO]));
	EXPECT_TRUE(serves(self->dev));
	EXPECT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(1, vs_dev_get_base(self->dev, VS_IO));
	EXPECT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_VRING_NUM, &state));
}

TEST_F(endpoint, close_without_clear_clears)
{
	unsigned int i;

	COVERS("IOC-34 F-LC-10");
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
		ASSERT_TRUE(serves(self->dev));
		vs_dev_close(self->dev);
		ASSERT_EQ(0, vs_dev_open(self->dev, NULL));
		ASSERT_EQ(0, vs_dev_setup(self->dev));
	}
}

TEST_F(endpoint, close_with_rings_unmapped_clears)
{
	struct vs_dev *dev = self->dev;

	COVERS("IOC-34 F-LC-08");
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	ASSERT_TRUE(serves(dev));
	ASSERT_EQ(0, munmap(dev->mem.base, dev->mem.size));
	dev->mem.base = NULL;
	vs_dev_close(dev);
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN));
}

TEST_F(endpoint, kick_that_already_counts_runs_the_queue)
{
	struct vs_dev *dev = self->dev;
	struct vs_req req;
	int kick;

	COVERS("IOC-26 F-LC-19");
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	ASSERT_TRUE(serves(dev));
	vs_req_get(&req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	ASSERT_EQ(0, vs_ring_add(req.ring, &req.chain));
	kick = eventfd(3, EFD_CLOEXEC);
	ASSERT_LE(0, kick);
	ASSERT_EQ(0, vs_dev_set_eventfd(dev, VHOST_SET_VRING_KICK, VS_IO,
					kick));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	vs_req_put(&req);
	close(kick);
}

TEST_F(endpoint, configfs_refuses_to_remove_what_is_in_use)
{
	COVERS("CFG-12 CFG-20 F-AD-03 CFG-25");
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-ENOTEMPTY, vs_tpg_put(VS_WWN, TAG));
	EXPECT_EQ(-ENOTEMPTY, vs_wwn_put(VS_WWN));
	EXPECT_EQ(-EBUSY, vs_nexus_write(VS_WWN, TAG, "NULL"));
	EXPECT_TRUE(serves(self->dev));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-ENOTEMPTY, vs_tpg_put(VS_WWN, TAG));
	EXPECT_EQ(-EBUSY, vs_nexus_write(VS_WWN, TAG, "NULL"));
	EXPECT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	EXPECT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
	EXPECT_EQ(0, vs_tpg_put(VS_WWN, TAG));
	EXPECT_EQ(0, vs_wwn_put(VS_WWN));
}

TEST_HARNESS_MAIN
