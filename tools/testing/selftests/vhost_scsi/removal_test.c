// SPDX-License-Identifier: GPL-2.0
/* What administrators take away while somebody is in the middle of using it. */
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vs_test.h"
#include "vs_thread.h"

#define TAG	VS_TAG
#define PATH	512

static int set_endpoint(void *arg)
{
	return vs_dev_set_endpoint(arg, VS_WWN);
}

/* -- somebody who reads a directory of configfs for ever -- */

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

/* Reads configfs's root, whose lock target_depend_item() takes. */
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

FIXTURE(listed) {
	struct vs_env env;
	struct vs_dev *dev;
	struct hole hole;
	struct vs_thread list;
};

FIXTURE_SETUP(listed)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, hole_get(&self->hole));
	ASSERT_EQ(0, vs_thread_start(&self->list, list_root, &self->hole));
	ASSERT_EQ(0, hole_wait(&self->hole));
}

FIXTURE_TEARDOWN(listed)
{
	close(self->hole.fd);
	munmap(self->hole.page, VS_PAGE);
	ENV_PUT(&self->env);
}

TEST_F(listed, endpoint_comes_and_its_target_goes_meanwhile)
{
	struct vs_thread set;

	COVERS("CFG-20 CFG-23 F-AD-09");
	ASSERT_EQ(0, vs_thread_start(&set, set_endpoint, self->dev));
	EXPECT_EQ(0, vs_thread_wait_done(&set));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	EXPECT_EQ(-ENOTEMPTY, vs_tpg_put(VS_WWN, TAG));
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	ASSERT_EQ(0, vs_tpg_put(VS_WWN, TAG));
	ASSERT_EQ(0, vs_wwn_put(VS_WWN));
	ASSERT_EQ(0, hole_fill(&self->hole));
	ASSERT_EQ(0, vs_thread_end(&self->list));
	EXPECT_EQ(0, vs_thread_end(&set));
	/* Nobody has it: the name can come again, and be served. */
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_wwn_get(VS_WWN));
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, TAG));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

/* -- an ACL and a LUN at once -- */

FIXTURE(leaving) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req req;
	char acl[PATH];
};

/* LUN 0 and LUN 1 are one disk that does not answer; a READ of LUN 1 waits. */
FIXTURE_SETUP(leaving)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.disk = VS_DISK_HOLD,
		.no_endpoint = true,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[0]));
	/* Makes the ACL of the nexus an explicit one, which can be removed. */
	vs_tpg_path(self->acl, sizeof(self->acl), VS_WWN, TAG,
		    "acls/" VS_NEXUS);
	ASSERT_EQ(0, mkdir(self->acl, 0755));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	vs_req_get(&self->req, self->dev, TAG, 1,
		   vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&self->req, vs_mem_page(&self->dev->mem, 1), VS_PAGE);
	ASSERT_EQ(0, vs_req_submit(&self->req));
	ASSERT_EQ(0, vs_ring_wait_taken(self->req.ring, vs_patience()));
}

FIXTURE_TEARDOWN(leaving)
{
	/* An ACL in use would wait for its nexus, which waits for its LUNs. */
	vs_hold_release();
	vs_req_put(&self->req);
	vs_dev_close(self->dev);
	vs_lun_unlink(VS_WWN, TAG, 0);
	vs_lun_unlink(VS_WWN, TAG, 1);
	vs_nexus_write(VS_WWN, TAG, "NULL");
	ENV_PUT(&self->env);
}

static int unlink_lun(void *arg)
{
	return vs_lun_unlink(VS_WWN, TAG, (uintptr_t)arg);
}

static int remove_acl(void *arg)
{
	return rmdir(arg) ? -errno : 0;
}

/* What a unit says that is not there. */
static bool is_missing(struct vs_dev *dev, uint16_t lun)
{
	struct vs_result res = vs_scsi_read(dev, TAG, lun,
					    vs_cdb_op(VS_TEST_UNIT_READY), NULL,
					    0);

	return !res.err && res.status == VS_CHECK_CONDITION &&
	       res.sense == sense(5, 0x25, 0);
}

TEST_F(leaving, nexus_that_is_renewed_does_not_see_the_unit)
{
	int64_t end = vs_now_ms() + vs_patience();
	size_t mark = self->dev->mem.used;
	struct vs_thread lun, acl;
	unsigned int i;

	COVERS("CFG-19 CFG-22 FAB-26 F-AD-01 F-AD-02");
	ASSERT_EQ(0, vs_thread_start(&lun, unlink_lun, (void *)1));
	while (!is_missing(self->dev, 1)) {
		self->dev->mem.used = mark;
		ASSERT_GT(end, vs_now_ms());
	}
	ASSERT_EQ(0, vs_thread_start(&acl, remove_acl, self->acl));
	ASSERT_EQ(0, vs_thread_wait(&acl));
	/* It is on its way out: whichever nexus the guest has, it stays away. */
	for (i = 0; i < 50; i++) {
		self->dev->mem.used = mark;
		ASSERT_TRUE(is_missing(self->dev, 1));
	}
	EXPECT_FALSE(lun.done);
	EXPECT_FALSE(acl.done);
	/* Who has nothing to do with it goes on. */
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	EXPECT_EQ(0, vs_wwn_get(VS_WWN2));
	EXPECT_EQ(0, vs_tpg_get(VS_WWN2, TAG));
	EXPECT_EQ(0, vs_nexus_write(VS_WWN2, TAG, VS_NEXUS));
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN2));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&lun));
	EXPECT_EQ(0, vs_thread_end(&acl));
	EXPECT_EQ(0, vs_req_wait(&self->req));
	EXPECT_TRUE(is_missing(self->dev, 1));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	/* Its number can be given to another, which the nexus sees. */
	EXPECT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[0]));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
}

/*
 * LIO has forgotten the ACL, and with it the table that names the second unit, as
 * long as the ACL waits for the first one.
 */
TEST_F(leaving, other_unit_stays_until_the_acl_that_names_it_is_freed)
{
	struct vs_thread lun, acl;

	COVERS("CFG-19 CFG-22 F-AD-01");
	ASSERT_EQ(0, vs_thread_start(&acl, remove_acl, self->acl));
	ASSERT_EQ(0, vs_thread_wait(&acl));
	EXPECT_FALSE(acl.done);
	ASSERT_EQ(0, vs_thread_start(&lun, unlink_lun, (void *)0));
	ASSERT_EQ(0, vs_thread_wait(&lun));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&lun));
	EXPECT_EQ(0, vs_thread_end(&acl));
	EXPECT_EQ(0, vs_req_wait(&self->req));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
	EXPECT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

/* -- an ACL and its nexus at once -- */

FIXTURE(nexus) {
	struct vs_env env;
	char acl[PATH];
};

FIXTURE_SETUP(nexus)
{
	struct vs_env_opts opts = { .no_endpoint = true };

	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	vs_tpg_path(self->acl, sizeof(self->acl), VS_WWN, TAG,
		    "acls/" VS_NEXUS);
}

ENV_TEARDOWN(nexus);

/* The nexus ends and comes again, as often as it can. */
static int toggle_nexus(void *arg)
{
	volatile bool *stop = arg;
	int ret = 0;

	while (!ret && !*stop) {
		ret = vs_nexus_write(VS_WWN, TAG, "NULL");
		if (!ret)
			ret = vs_nexus_write(VS_WWN, TAG, VS_NEXUS);
	}
	return ret;
}

TEST_F(nexus, ends_while_its_acl_is_removed)
{
	unsigned int i, rounds = vs_rounds(100, 2000);
	volatile bool stop = false;
	struct vs_thread toggle;
	int ret = 0;

	COVERS("CFG-12 CFG-19 F-AD-09");
	ASSERT_EQ(0, vs_thread_start(&toggle, toggle_nexus, (void *)&stop));
	for (i = 0; i < rounds && !ret; i++) {
		ret = mkdir(self->acl, 0755) ? -errno : 0;
		if (!ret)
			ret = remove_acl(self->acl);
	}
	stop = true;
	EXPECT_EQ(0, vs_thread_end(&toggle));
	EXPECT_EQ(0, ret);
}

TEST_HARNESS_MAIN
