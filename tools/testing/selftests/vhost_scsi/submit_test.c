// SPDX-License-Identifier: GPL-2.0
/* Who executes a command: the worker that took it, or LIO's submission queue. */
#include <sched.h>
#include <stdio.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define TRACING	"/sys/kernel/tracing/"
#define QUEUE	TRACING "events/workqueue/workqueue_queue_work/"
#define N	8

static int clear_trace(void)
{
	int fd = open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Begins to count what goes to LIO's submission queue. */
static int watch_queue(void)
{
	int ret = vs_write_file(QUEUE "filter", "workqueue == \"target_submission\"");

	if (!ret)
		ret = vs_write_file(QUEUE "enable", "1");
	return ret ? ret : clear_trace();
}

static void unwatch_queue(void)
{
	vs_write_file(QUEUE "enable", "0");
	vs_write_file(QUEUE "filter", "0");
}

/* Was anything queued since then? Or -errno. */
static int was_queued(void)
{
	static char text[65536];
	int ret = vs_read_file(TRACING "trace", text, sizeof(text));

	if (ret < 0)
		return ret;
	clear_trace();
	return !!strstr(text, "target_submission");
}

FIXTURE(submit) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_VARIANT(submit) {
	enum vs_disk disk;
	int queued;
};

FIXTURE_VARIANT_ADD(submit, ramdisk) {
	.disk = VS_DISK_RAM,
	.queued = 0,
};

FIXTURE_VARIANT_ADD(submit, block_device) {
	.disk = VS_DISK_LOOP,
	.queued = 0,
};

/* Without a queue of its own, what it is over decides who waits: LVM. */
FIXTURE_VARIANT_ADD(submit, block_device_without_queue) {
	.disk = VS_DISK_HOLD,
	.queued = 1,
};

/* Its reads wait for the file. */
FIXTURE_VARIANT_ADD(submit, file) {
	.disk = VS_DISK_FILE,
	.queued = 1,
};

FIXTURE_SETUP(submit)
{
	struct vs_env_opts opts = { .disk = variant->disk };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, watch_queue());
}

FIXTURE_TEARDOWN(submit)
{
	unwatch_queue();
	ENV_PUT(&self->env);
}

static struct vs_result move(struct vs_dev *dev, uint8_t op, uint8_t *buf)
{
	struct vs_cdb cdb = vs_cdb_rw10(op, 0, 8);

	return op == VS_READ_10 ? vs_scsi_read(dev, TAG, 0, cdb, buf, VS_PAGE) :
	       vs_scsi_write(dev, TAG, 0, cdb, buf, VS_PAGE);
}

/* Waits for a request that was submitted: 0 if it is GOOD. */
static int end(struct vs_req *req)
{
	int ret = vs_req_wait(req);

	if (!ret && (req->rsp->response || req->rsp->status))
		ret = -EIO;
	vs_req_put(req);
	return ret;
}

TEST_F(submit, reads_and_writes_are_queued_if_the_backstore_waits)
{
	COVERS("FAB-29");
	EXPECT_GOOD(move(self->dev, VS_WRITE_10, self->buf));
	EXPECT_GOOD(move(self->dev, VS_READ_10, self->buf));
	EXPECT_EQ(variant->queued, was_queued());
}

TEST_F(submit, other_commands_are_queued)
{
	COVERS("FAB-29");
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0));
	EXPECT_EQ(1, was_queued());
}

TEST_F(submit, all_are_queued_if_the_administrator_says_so)
{
	COVERS("FAB-29");
	ASSERT_EQ(0, vs_backstore_attr(&self->env.bs[0], "submit_type", "2"));
	EXPECT_GOOD(move(self->dev, VS_READ_10, self->buf));
	EXPECT_EQ(1, was_queued());
}

FIXTURE(urgent) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

/* The worker is a thread of this process, and takes over its priority. */
FIXTURE_SETUP(urgent)
{
	struct sched_param param = { .sched_priority = 1 };
	struct vs_env_opts opts = { .disk = VS_DISK_RAM };

	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &param));
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, watch_queue());
}

FIXTURE_TEARDOWN(urgent)
{
	unwatch_queue();
	ENV_PUT(&self->env);
}

/*
 * One kick, and nobody comes to LIO's queue before the worker is through with
 * both commands.
 */
TEST_F(urgent, simple_command_does_not_overtake_an_ordered_one)
{
	uint8_t *data = vs_mem_page(&self->dev->mem, 1);
	struct vs_req write, read;
	unsigned int i;

	COVERS("FAB-29 SCSI-12");
	for (i = 1; i <= N; i++) {
		vs_req_get(&write, self->dev, TAG, 0,
			   vs_cdb_rw10(VS_WRITE_10, 0, 8));
		write.hdr->task_attr = VIRTIO_SCSI_S_ORDERED;
		memset(data, i, VS_PAGE);
		vs_req_out(&write, data, VS_PAGE);
		vs_req_get(&read, self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, 0, 8));
		memset(self->buf, 0, VS_PAGE);
		vs_req_in(&read, self->buf, VS_PAGE);
		ASSERT_EQ(0, vs_ring_add(write.ring, &write.chain));
		ASSERT_EQ(0, vs_req_submit(&read));
		EXPECT_EQ(0, end(&write));
		EXPECT_EQ(0, end(&read));
		EXPECT_EQ(0, memcmp(data, self->buf, VS_PAGE));
	}
	/* Nobody has to wait for anybody any more. */
	was_queued();
	EXPECT_GOOD(move(self->dev, VS_READ_10, self->buf));
	EXPECT_EQ(0, was_queued());
}

FIXTURE(stopped_disk) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_VARIANT(stopped_disk) {
	unsigned int n_io;
};

FIXTURE_VARIANT_ADD(stopped_disk, one_queue) {
	.n_io = 1,
};

FIXTURE_VARIANT_ADD(stopped_disk, four_queues) {
	.n_io = 4,
};

FIXTURE_SETUP(stopped_disk)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.ring_size = 256,
		.dev.n_io = variant->n_io,
		.disk = VS_DISK_LOOP,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	ASSERT_EQ(0, watch_queue());
}

FIXTURE_TEARDOWN(stopped_disk)
{
	unwatch_queue();
	ENV_PUT(&self->env);
}

/*
 * A worker that waits for one of a disk's tags would hold up all other queues. Queues
 * with nothing in flight take none.
 */
TEST_F(stopped_disk, gets_half_its_depth_and_the_rest_is_queued)
{
	void *buf = vs_mem_page(&self->dev->mem, 1);
	unsigned int i, n = 0, queued = 0;
	struct vs_req req[200];

	COVERS("FAB-29");
	for (; n < ARRAY_SIZE(req) && !queued; n++) {
		vs_req_get(&req[n], self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, 0, 8));
		req[n].chain.flags = VS_INDIRECT;
		vs_req_in(&req[n], buf, VS_PAGE);
		ASSERT_EQ(0, vs_req_submit(&req[n]));
		ASSERT_EQ(0, vs_ring_wait_taken(req[n].ring, vs_patience()));
		queued = was_queued();
	}
	EXPECT_EQ(VS_DISK_TAGS / 2, n - 1);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < n; i++)
		EXPECT_EQ(0, end(&req[i]));
}

/* Reads that a disk holds, more than it has tags; and two queues with one worker. */
FIXTURE(stopped_lower) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_req held[2 * VS_DISK_TAGS];
};

FIXTURE_VARIANT(stopped_lower) {
	enum vs_disk disk;
	unsigned int blocks;
};

FIXTURE_VARIANT_ADD(stopped_lower, block_device) {
	.disk = VS_DISK_LOOP,
	.blocks = 8,
};

FIXTURE_VARIANT_ADD(stopped_lower, block_device_without_queue) {
	.disk = VS_DISK_UPPER,
	.blocks = 8,
};

/* Each is more than one request, and takes as many tags. */
FIXTURE_VARIANT_ADD(stopped_lower, block_device_and_large_reads) {
	.disk = VS_DISK_LOOP,
	.blocks = 4096,
};

FIXTURE_SETUP(stopped_lower)
{
	struct vs_env_opts opts = {
		.dev.n_io = 2,
		.disk = variant->disk,
	};
	const size_t len = variant->blocks * 512;
	struct vs_req *req;
	void *buf;

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	buf = vs_mem_alloc(&self->dev->mem, len, VS_PAGE);
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 1));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	for (req = self->held; req < self->held + 2 * VS_DISK_TAGS; req++) {
		/* Far apart, so that none is joined to another. */
		vs_req_get(req, self->dev, TAG, 0,
			   vs_cdb_rw10(VS_READ_10, (req - self->held) % 8 * 256,
				       variant->blocks));
		vs_req_in(req, buf, len);
		ASSERT_EQ(0, vs_req_submit(req));
	}
}

ENV_TEARDOWN(stopped_lower);

static void expect_served(struct __test_metadata *const _metadata, struct vs_dev *dev)
{
	struct vs_req other;

	vs_req_get(&other, dev, TAG, 1, vs_cdb_op(VS_TEST_UNIT_READY));
	other.ring = &dev->ring[VS_IO + 1];
	EXPECT_EQ(0, vs_req_run(&other));
	EXPECT_EQ(VS_GOOD, other.rsp->status);
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED,
		  vs_tmf(dev, TAG, 1, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0, NULL));
	vs_req_put(&other);
}

TEST_F(stopped_lower, other_units_and_functions_are_served)
{
	struct vs_req late;
	unsigned int i;

	COVERS("FAB-29");
	expect_served(_metadata, self->dev);
	/* The other queue has nothing in flight, and no tag is left. */
	vs_req_get(&late, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 8));
	vs_req_in(&late, vs_mem_page(&self->dev->mem, 1), VS_PAGE);
	late.ring = &self->dev->ring[VS_IO + 1];
	ASSERT_EQ(0, vs_req_submit(&late));
	expect_served(_metadata, self->dev);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	for (i = 0; i < 2 * VS_DISK_TAGS; i++)
		EXPECT_EQ(0, end(&self->held[i]));
	EXPECT_EQ(0, end(&late));
}

TEST_HARNESS_MAIN
