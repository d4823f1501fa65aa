// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log, one thing at a time: what is in it, what is not, when it begins, and
 * that nothing is written into it once VHOST_SET_FEATURES has taken it away.
 */
#include "dirty_fixture.h"
#include "vs_evt.h"
#include "vs_file.h"
#include "vs_thread.h"

#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET
#define READS		8

FIXTURE(log) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_dirty dirty;
	struct vs_req req[READS];
};

typedef FIXTURE_DATA(log) log_data;

FIXTURE_SETUP(log)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.mem_size = MEM,
		.disk = VS_DISK_HOLD,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, fill_disk(self->dev));
	ASSERT_EQ(0, vs_dirty_get(&self->dirty, self->dev));
}

FIXTURE_TEARDOWN(log)
{
	vs_hold_release();
	ENV_PUT(&self->env);
	vs_dirty_put(&self->dirty);
}

static int submit_reads(log_data *self)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < READS && !ret; i++) {
		vs_req_get(&self->req[i], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(&self->req[i], vs_mem_page(&self->dev->mem, 1), VS_PAGE);
		ret = vs_req_submit(&self->req[i]);
	}
	return ret;
}

/* The disk keeps them. Returns once the device has taken them. */
static int hold_reads(log_data *self)
{
	int ret = vs_hold_stop(&self->env.hold);

	if (!ret)
		ret = submit_reads(self);
	return ret ? ret : vs_ring_wait_taken(self->req[0].ring, vs_patience());
}

TEST_F(log, log_base_alone_logs_nothing)
{
	uint64_t base = (uintptr_t)self->dirty.bitmap;

	COVERS("F-MG-01");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &base));
	ASSERT_EQ(0, submit_reads(self));
	ASSERT_EQ(0, vs_req_end_all(self->req, READS));
	EXPECT_EQ(-1, vs_not_all(self->dirty.bitmap, self->dirty.size, 0));
}

TEST_F(log, answers_of_the_control_queue_are_logged)
{
	struct vs_ring *ctl = &self->dev->ring[VS_CTL];
	struct virtio_scsi_ctrl_an_req *an;
	uint8_t *function, *notification;
	struct vs_chain tmf, query;

	COVERS("F-MG-01 FEA-12");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	vs_chain_get(&tmf);
	function = vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
	vs_chain_get(&query);
	an = vs_mem_page(&self->dev->mem, 1);
	an->type = VIRTIO_SCSI_T_AN_QUERY;
	vs_lun(an->lun, TAG, 0);
	notification = vs_mem_page(&self->dev->mem, 1);
	vs_chain_out(&query, &self->dev->mem, an, sizeof(*an));
	vs_chain_in(&query, &self->dev->mem, notification,
		    sizeof(struct virtio_scsi_ctrl_an_resp));
	vs_dirty_mark(&self->dirty);
	ASSERT_EQ(0, vs_chain_run(ctl, &tmf));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, function));
	ASSERT_EQ(0, vs_chain_run(ctl, &query));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, notification));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, ctl->used));
	vs_chain_put(&tmf);
	vs_chain_put(&query);
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_F(log, events_are_logged)
{
	struct vs_evt evt;

	COVERS("F-MG-01 FEA-12");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, vs_evt_post(&evt, self->dev));
	vs_dirty_mark(&self->dirty);
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[0]));
	ASSERT_EQ(0, vs_evt_wait(&evt, self->dev));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, evt.buf));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
	vs_evt_put(&evt, self->dev);
}

TEST_F(log, a_log_that_cannot_be_written_loses_no_command)
{
	COVERS("F-MG-03");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, mprotect(self->dirty.bitmap, self->dirty.size, PROT_READ));
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
	ASSERT_EQ(0, munmap(self->dirty.bitmap, self->dirty.size));
	self->dirty.bitmap = NULL;
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
	EXPECT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_F(log, other_features_stay_as_they_are)
{
	uint64_t log = VS_BIT(VHOST_F_LOG_ALL);
	uint64_t base = (uintptr_t)self->dirty.bitmap;

	COVERS("FEA-12");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &base));
	EXPECT_EQ(-EBUSY, vs_dev_set_features(self->dev, log |
			(self->dev->features ^ VS_F_EVENT_IDX)));
	EXPECT_EQ(0, vs_dev_set_features(self->dev, log | self->dev->features));
	EXPECT_EQ(0, vs_dev_set_features(self->dev, self->dev->features));
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
}

TEST_F(log, a_log_that_is_nowhere_is_refused)
{
	uint64_t base = ~0ULL - VS_PAGE + 1;

	COVERS("F-MG-03 IOC-08");
	EXPECT_EQ(-EFAULT, vs_dirty_acknowledge(&self->dirty, true));
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &base));
	EXPECT_EQ(-EFAULT, vs_dirty_acknowledge(&self->dirty, true));
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
}

TEST_F(log, begins_with_an_endpoint_where_there_is_a_bitmap)
{
	uint64_t base = (uintptr_t)self->dirty.bitmap, none = 0, outside = ~0ULL - VS_PAGE + 1;

	COVERS("F-MG-03 FEA-12");
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dirty_acknowledge(&self->dirty, true));
	EXPECT_EQ(-EFAULT, vs_dev_set_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &base));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-EFAULT, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &none));
	EXPECT_EQ(-EFAULT, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &outside));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	vs_dirty_mark(&self->dirty);
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, self->req[0].rsp));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_F(log, of_one_ring_makes_no_other_forgotten)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];

	COVERS("F-MG-05");
	/* A boot that sets no ring up. */
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	ring->log = true;
	ASSERT_EQ(0, vs_dev_set_addr(self->dev, ring));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, vs_tmf(self->dev, TAG, 0, LUN_RESET, 0, NULL));
}

TEST_F(log, memory_that_the_guest_has_twice_is_logged_twice)
{
	const struct vs_mem *mem = &self->dev->mem;
	struct vhost_memory_region region[] = {
		{ VS_GPA, mem->size, (uintptr_t)mem->base, 0 },
		{ VS_GPA + mem->size, mem->size, (uintptr_t)mem->base, 0 },
	};

	COVERS("F-MG-01");
	ASSERT_EQ(0, vs_dev_set_regions(self->dev, region, 2));
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
	EXPECT_TRUE(vs_dirty_has(&self->dirty, self->req[0].rsp));
	EXPECT_TRUE(vs_dirty_has_gpa(&self->dirty, mem->size +
				     vs_mem_gpa(mem, self->req[0].rsp)));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_F(log, of_a_used_ring_has_an_aligned_address)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];
	struct vhost_vring_addr addr = {
		.index = ring->index,
		.flags = 1 << VHOST_VRING_F_LOG,
		.desc_user_addr = (uintptr_t)ring->desc,
		.avail_user_addr = (uintptr_t)ring->avail,
		.used_user_addr = (uintptr_t)ring->used,
		.log_guest_addr = vs_mem_gpa(ring->mem, ring->used) + 2,
	};

	COVERS("F-MG-05");
	EXPECT_EQ(-EINVAL, vs_ioctl(self->dev->fd, VHOST_SET_VRING_ADDR, &addr));
	ASSERT_EQ(0, submit_reads(self));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
}

TEST_F(log, what_a_command_cannot_write_is_not_logged)
{
	uint8_t *buf = vs_mem_page(&self->dev->mem, 64);

	COVERS("F-MG-01");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	vs_dirty_mark(&self->dirty);
	EXPECT_EQ(0, vs_scsi_read(self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8),
				  buf, 64 * VS_PAGE).status);
	EXPECT_TRUE(vs_dirty_has(&self->dirty, buf));
	EXPECT_FALSE(vs_dirty_has(&self->dirty, buf + VS_PAGE));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_F(log, commands_from_before_the_log_are_waited_for)
{
	struct vs_dirty_pages pages = {};
	struct vs_mem *mem = &self->dev->mem;
	uint64_t base = (uintptr_t)self->dirty.bitmap;
	pid_t helper;
	int status;

	COVERS("F-MG-04");
	ASSERT_EQ(0, vs_ioctl(self->dev->fd, VHOST_SET_LOG_BASE, &base));
	ASSERT_EQ(0, hold_reads(self));
	helper = vs_hold_go_once_stuck(&self->env.hold, getpid());
	ASSERT_LT(0, helper);
	ASSERT_EQ(0, vs_dirty_acknowledge(&self->dirty, true));
	vs_dirty_mark(&self->dirty);
	EXPECT_EQ(READS, vs_ring_pending(self->req[0].ring));
	ASSERT_EQ(helper, waitpid(helper, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
	vs_dirty_compare(&self->dirty, self->req[0].rsp, mem->base + mem->used, &pages);
	EXPECT_EQ(0, pages.missed);
	EXPECT_EQ(0, vs_dirty_acknowledge(&self->dirty, false));
}

static int begin(void *dirty)
{
	return vs_dirty_start(dirty);
}

static int ask(void *dev)
{
	uint64_t features = 0;

	return vs_ioctl(((struct vs_dev *)dev)->fd, VHOST_GET_FEATURES, &features);
}

#define HUNG_TASK "/proc/sys/kernel/hung_task_timeout_secs"

TEST_F(log, who_waits_while_it_begins_is_not_reported_as_hung)
{
	struct vs_thread log, other;
	char before[16];

	COVERS("F-MG-04 F-SE-06");
	if (vs_read_file(HUNG_TASK, before, sizeof(before)) < 0)
		SKIP(return, "this kernel looks for no hung tasks");
	ASSERT_EQ(0, hold_reads(self));
	ASSERT_EQ(0, vs_thread_start(&log, begin, &self->dirty));
	ASSERT_EQ(0, vs_thread_wait(&log));
	ASSERT_EQ(0, vs_thread_start(&other, ask, self->dev));
	ASSERT_EQ(0, vs_thread_wait(&other));
	/* Another target of the guest's: bound in a workqueue. */
	ASSERT_EQ(0, vs_tpg_get(VS_WWN, 2));
	ASSERT_EQ(0, vs_nexus_write(VS_WWN, 2, VS_NEXUS2));
	ASSERT_EQ(0, vs_write_file(HUNG_TASK, "1"));
	sleep(3);
	ASSERT_EQ(0, vs_write_file(HUNG_TASK, before));
	EXPECT_FALSE(log.done);
	EXPECT_FALSE(other.done);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&log));
	EXPECT_EQ(0, vs_thread_end(&other));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
	EXPECT_EQ(0, vs_env_logged(&self->env, "blocked for more than"));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_F(log, commands_from_before_its_end_leave_the_log_alone)
{
	COVERS("F-MG-04");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, hold_reads(self));
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
	/* It may be other memory of the VMM's by now. */
	memset(self->dirty.bitmap, 0, self->dirty.size);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
	EXPECT_EQ(-1, vs_not_all(self->dirty.bitmap, self->dirty.size, 0));
}

TEST_F(log, commands_that_are_aborted_are_logged)
{
	struct vs_ring *ctl = &self->dev->ring[VS_CTL];
	struct vs_chain tmf;
	unsigned int i;

	COVERS("F-MG-01");
	ASSERT_EQ(0, vs_dirty_start(&self->dirty));
	ASSERT_EQ(0, hold_reads(self));
	vs_chain_get(&tmf);
	vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
	vs_dirty_mark(&self->dirty);
	ASSERT_EQ(0, vs_ring_add(ctl, &tmf));
	vs_ring_kick(ctl);
	ASSERT_EQ(0, vs_lio_wait_aborts(1));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_chain_wait(ctl, &tmf, vs_patience()));
	EXPECT_EQ(0, vs_req_end_all(self->req, READS));
	for (i = 0; i < READS; i++)
		EXPECT_TRUE(vs_dirty_has(&self->dirty, self->req[i].rsp));
	vs_chain_put(&tmf);
	ASSERT_EQ(0, vs_dirty_stop(&self->dirty));
}

TEST_HARNESS_MAIN
