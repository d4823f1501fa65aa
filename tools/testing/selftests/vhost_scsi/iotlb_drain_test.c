// SPDX-License-Identifier: GPL-2.0
/*
 * A guest behind a virtual IOMMU: who waits for commands waits for no translation, and
 * what is lent to their answers is for nothing else.
 */
#include <poll.h>
#include <signal.h>

#include "iotlb_fixture.h"
#include "vs_dirty.h"
#include "vs_file.h"
#include "vs_module.h"

/* What waits for the commands of before. */
enum call {
	CLEAR,
	SET_MEM,
	LOG_ON,
	INVALIDATE,
	CLOSE,
};

FIXTURE(drain) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_ring *ring;
	struct vs_dirty dirty;
	struct reads reads;
	enum call call;
};

typedef FIXTURE_DATA(drain) drain_data;

static const struct vs_env_opts env_opts = {
	.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
	.dev.iommu = true,
	.dev.n_io = 2,
	.disk = VS_DISK_HOLD,
};

static int setup(drain_data *self)
{
	int ret;

	self->dev = &self->env.dev;
	self->ring = &self->dev->ring[VS_IO];
	ret = vs_scsi_settle(self->dev, TAG, 0);
	if (!ret)
		ret = fill_disk(self->dev);
	return ret ? ret : vs_dirty_get(&self->dirty, self->dev);
}

/* A change of the IOTLB takes the mutexes of all queues that there can be. */
#define MAX_IO_VQS	VS_PARAM_DIR "/max_io_vqs"

FIXTURE_SETUP(drain)
{
	ASSERT_EQ(0, vs_write_file(MAX_IO_VQS, "2"));
	ENV_GET(&self->env, &env_opts);
	ASSERT_EQ(0, setup(self));
}

FIXTURE_TEARDOWN(drain)
{
	vs_hold_release();
	ENV_PUT(&self->env);
	vs_dirty_put(&self->dirty);
	EXPECT_EQ(0, vs_write_file(MAX_IO_VQS, "128"));
}

/* Answers of commands that are back wait for their used ring. */
static int strand_answers(drain_data *self)
{
	int ret = map_apart(self->dev, self->ring);

	if (!ret)
		ret = hold_reads(self->dev, &self->env.hold, &self->reads);
	if (!ret)
		ret = retire_used(self->dev);
	if (!ret)
		ret = vs_hold_go(&self->env.hold);
	if (!ret)
		ret = vs_iotlb_wait_miss(self->dev);
	return ret ? ret : (int)vs_ring_pending(self->ring);
}

/* The answer of a function that has ended waits for its used ring; no command does. */
static int strand_function(drain_data *self)
{
	struct vs_ring *ctl = &self->dev->ring[VS_CTL];
	struct vs_chain tmf;
	unsigned int i;
	int ret = map_apart(self->dev, ctl);

	if (!ret)
		ret = hold_reads(self->dev, &self->env.hold, &self->reads);
	vs_chain_get(&tmf);
	vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
	if (!ret)
		ret = vs_ring_add(ctl, &tmf);
	vs_ring_kick(ctl);
	if (!ret)
		ret = vs_ring_wait_taken(ctl, vs_patience());
	if (!ret)
		ret = retire_used(self->dev);
	if (!ret)
		ret = vs_hold_go(&self->env.hold);
	for (i = 0; i < READS && !ret; i++)
		ret = vs_req_wait(&self->reads.req[i]);
	if (!ret)
		ret = vs_iotlb_wait_miss(self->dev);
	return ret ? ret : (int)vs_ring_pending(ctl);
}

TEST_F(drain, functions_are_answered_behind_the_commands_that_wait)
{
	struct vs_ring *ctl = &self->dev->ring[VS_CTL];
	struct vs_chain tmf;
	uint8_t *response;

	COVERS("FEA-13 F-MG-07 CTL-15");
	ASSERT_EQ(0, strand_answers(self));
	/* They are not answered, and thus there. */
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_SUCCEEDED,
		  vs_tmf(self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0, NULL));
	vs_chain_get(&tmf);
	response = vs_tmf_chain(&tmf, self->dev, TAG, 0, LUN_RESET, 0);
	ASSERT_EQ(0, vs_ring_add(ctl, &tmf));
	vs_ring_kick(ctl);
	ASSERT_EQ(0, vs_ring_wait_taken(ctl, vs_patience()));
	EXPECT_EQ(0, vs_ring_pending(self->ring));
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_chain_wait(ctl, &tmf, vs_patience()));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, *response);
	EXPECT_EQ(READS, vs_ring_pending(self->ring));
	/* Of some the disk may not have been done when the reset came. */
	EXPECT_EQ(0, end_reads_or(&self->reads, true));
	vs_chain_put(&tmf);
}

/* Waits until the device has written a value. */
static int wait_u16(const void *at, uint16_t value)
{
	int64_t end = vs_now_ms() + vs_patience();

	while (*(const volatile uint16_t *)at != value) {
		if (vs_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

struct range {
	struct vs_dev *dev;
	uint64_t iova, size;
};

static int take_away(void *arg)
{
	const struct range *range = arg;

	return vs_iotlb_invalidate(range->dev, range->iova, range->size);
}

/* A second queue reads into the used ring of the first one. */
static int read_over(drain_data *self, struct vs_req *req)
{
	vs_req_get(req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 0, 1));
	req->ring = &self->dev->ring[VS_IO + 1];
	vs_req_in(req, self->ring->used, 512);
	return vs_req_submit(req);
}

TEST_F(drain, what_is_lent_is_for_answers_only)
{
	const uint64_t used = vs_mem_gpa(&self->dev->mem, self->ring->used);
	const size_t size = vs_ring_used_size(self->ring);
	uint8_t *page = vs_mem_page(&self->dev->mem, 1), before[4096];
	struct range range = { self->dev, used, size };
	struct vs_thread call;
	struct vs_req req;

	COVERS("FEA-13 F-MG-07 F-SE-10");
	ASSERT_GE(sizeof(before), size);
	ASSERT_EQ(0, map_apart(self->dev, self->ring));
	ASSERT_EQ(0, hold_reads(self->dev, &self->env.hold, &self->reads));
	ASSERT_EQ(0, vs_thread_start(&call, take_away, &range));
	ASSERT_EQ(0, wait_idle(&call));
	ASSERT_EQ(0, read_over(self, &req));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&call));
	EXPECT_EQ(READS, vs_ring_pending(self->ring));
	memcpy(before, self->ring->used, size);
	/* Taken only now, and where these addresses are now. */
	ASSERT_EQ(0, vs_iotlb_map(self->dev, used, 512, page, VHOST_ACCESS_RW));
	EXPECT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, req.rsp->response);
	EXPECT_EQ(-1, vs_differs(page, 512, 0));
	EXPECT_EQ(0, memcmp(before, self->ring->used, size));
	vs_req_put(&req);
	EXPECT_EQ(0, end_reads(&self->reads));
}

TEST_F(drain, used_ring_in_pieces_is_lent_in_pieces)
{
	struct vs_ring *ring = self->ring;
	const size_t size = vs_ring_used_size(ring);
	const uint64_t used = vs_mem_gpa(&self->dev->mem, ring->used);
	const size_t half = (uint8_t *)&ring->used->ring[ring->last_used + READS / 2] -
			    (uint8_t *)ring->used;
	uint8_t *other = vs_mem_page(&self->dev->mem, 1);
	struct range range = { self->dev, used, size };
	struct vs_thread call;

	COVERS("FEA-13 F-MG-07");
	ASSERT_GT(ring->num, ring->last_used + READS);
	ASSERT_EQ(0, map_apart(self->dev, ring));
	ASSERT_EQ(0, vs_iotlb_invalidate(self->dev, used, size));
	/* Half of the answers go elsewhere. */
	memcpy(other, (uint8_t *)ring->used + half, size - half);
	ASSERT_EQ(0, vs_iotlb_map(self->dev, used, half, ring->used, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_iotlb_map(self->dev, used + half, size - half, other,
				  VHOST_ACCESS_RW));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	ASSERT_EQ(0, submit_reads(self->dev, &self->reads));
	ASSERT_EQ(0, wait_u16(other + size - half - sizeof(uint16_t), ring->next_avail));
	ASSERT_EQ(0, vs_thread_start(&call, take_away, &range));
	ASSERT_EQ(0, wait_idle(&call));
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	EXPECT_EQ(0, vs_thread_end(&call));
	EXPECT_EQ(READS, vs_ring_pending(ring));
	memcpy((uint8_t *)ring->used + half, other, size - half);
	EXPECT_EQ(0, end_reads(&self->reads));
}

/* How often the device has signalled the queue since it was asked last. */
static uint64_t signals(struct vs_ring *ring)
{
	struct pollfd call = { .fd = ring->call, .events = POLLIN };
	uint64_t count = 0;

	if (poll(&call, 1, 0) == 1 && read(ring->call, &count, sizeof(count)) < 0)
		return 0;
	return count;
}

/* Reads are answered while @range is taken away, and the guest wants no signal for them. */
static int answer_without_wish(drain_data *self, struct range *range)
{
	struct vs_thread call;
	int ret = map_apart(self->dev, self->ring);

	if (!ret)
		ret = hold_reads(self->dev, &self->env.hold, &self->reads);
	*vs_ring_used_event(self->ring) = self->ring->last_used - 1;
	signals(self->ring);
	if (!ret)
		ret = vs_thread_start(&call, take_away, range);
	if (!ret)
		ret = wait_idle(&call);
	if (!ret)
		ret = vs_hold_go(&self->env.hold);
	return ret ? ret : vs_thread_end(&call);
}

TEST_F(drain, guest_that_wants_no_signal_has_one_where_that_cannot_be_read)
{
	struct range used = {
		self->dev, vs_mem_gpa(&self->dev->mem, self->ring->used),
		vs_ring_used_size(self->ring)
	};
	struct range all = { self->dev, 0, VS_IOTLB_ALL };

	COVERS("FEA-13 F-MG-07");
	ASSERT_EQ(0, answer_without_wish(self, &used));
	EXPECT_EQ(READS, vs_ring_pending(self->ring));
	EXPECT_EQ(0, signals(self->ring));
	EXPECT_EQ(0, end_reads(&self->reads));
	ASSERT_EQ(0, answer_without_wish(self, &all));
	EXPECT_EQ(READS, vs_ring_pending(self->ring));
	EXPECT_LE(1, signals(self->ring));
	EXPECT_EQ(0, end_reads(&self->reads));
	/* The next one is heard of, too: what was signalled last is not known any more. */
	vs_iotlb_pause(self->dev, false);
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

/* An owner that is killed; another process has the device still. */
static void be_owner(drain_data *self, struct vs_dev *dev, int ready,
		     int (*strand)(drain_data *self))
{
	self->dev = dev;
	self->ring = &dev->ring[VS_IO];
	if (vs_dev_setup(dev) || vs_dev_set_endpoint(dev, VS_WWN) ||
	    vs_scsi_settle(dev, TAG, 0) || strand(self) ||
	    write(ready, "r", 1) != 1)
		_exit(1);
	pause();
	_exit(0);
}

/* Kills an owner behind @strand. Returns 0 if its target can be had then. */
static int kill_owner(drain_data *self, int (*strand)(drain_data *self))
{
	const struct vs_dev_opts opts = {
		.features = VS_F_MODERN | VS_F_EVENT_IDX, .iommu = true,
	};
	int64_t end = vs_now_ms() + vs_patience();
	struct vs_dev dev = { 0 };
	int ready[2], ret;
	pid_t owner;
	char c;

	ret = vs_dev_clear_endpoint(self->dev, VS_WWN) ?: vs_dev_open(&dev, &opts);
	if (ret || pipe(ready))
		return ret ? ret : -errno;
	owner = fork();
	if (!owner)
		be_owner(self, &dev, ready[1], strand);
	close(ready[1]);
	if (owner < 0 || read(ready[0], &c, 1) != 1)
		ret = -ESRCH;
	close(ready[0]);
	if (owner > 0 && (kill(owner, SIGKILL) || waitpid(owner, NULL, 0) != owner))
		ret = -errno;
	if (!ret)
		while ((ret = vs_dev_set_endpoint(self->dev, VS_WWN)) == -ENODEV &&
		       vs_now_ms() < end)
			usleep(10000);
	if (!ret)
		ret = vs_scsi_settle(self->dev, TAG, 0);
	vs_dev_close(&dev);
	return ret;
}

TEST_F(drain, killed_owner_leaves_its_target)
{
	COVERS("FEA-13 F-MG-07 F-LC-26");
	EXPECT_EQ(0, kill_owner(self, strand_answers));
}

TEST_F(drain, killed_owner_whose_function_waits_leaves_its_target)
{
	COVERS("FEA-13 F-MG-07 F-LC-26");
	EXPECT_EQ(0, kill_owner(self, strand_function));
}

FIXTURE(call) {
	drain_data drain;
};

FIXTURE_VARIANT(call) {
	enum call call;
};

FIXTURE_VARIANT_ADD(call, clear_endpoint) { .call = CLEAR };
FIXTURE_VARIANT_ADD(call, set_mem_table) { .call = SET_MEM };
FIXTURE_VARIANT_ADD(call, log_on) { .call = LOG_ON };
FIXTURE_VARIANT_ADD(call, invalidate) { .call = INVALIDATE };
FIXTURE_VARIANT_ADD(call, close) { .call = CLOSE };

FIXTURE_SETUP(call)
{
	ASSERT_EQ(0, vs_write_file(MAX_IO_VQS, "2"));
	ENV_GET(&self->drain.env, &env_opts);
	ASSERT_EQ(0, setup(&self->drain));
	self->drain.call = variant->call;
}

FIXTURE_TEARDOWN(call)
{
	vs_hold_release();
	ENV_PUT(&self->drain.env);
	vs_dirty_put(&self->drain.dirty);
	EXPECT_EQ(0, vs_write_file(MAX_IO_VQS, "128"));
}

static int make_call(void *arg)
{
	drain_data *self = arg;
	int ret;

	switch (self->call) {
	case CLEAR:
		return vs_dev_clear_endpoint(self->dev, VS_WWN);
	case SET_MEM:
		return vs_dev_set_mem(self->dev);
	case LOG_ON:
		return vs_dirty_start(&self->dirty);
	case INVALIDATE:
		return invalidate_all(self->dev);
	case CLOSE:
		vs_iotlb_stop(self->dev);
		ret = close(self->dev->fd);
		self->dev->fd = -1;
		return ret;
	}
	return -EINVAL;
}

TEST_F(call, has_answers_pushed_that_wait)
{
	drain_data *drain = &self->drain;

	COVERS("FEA-13 F-MG-07 IOC-03 IOC-34");
	ASSERT_EQ(0, strand_answers(drain));
	EXPECT_EQ(0, make_call(drain));
	EXPECT_EQ(READS, vs_ring_pending(drain->ring));
	EXPECT_EQ(0, end_reads(&drain->reads));
}

TEST_F(call, waits_for_commands_and_they_for_nothing)
{
	drain_data *drain = &self->drain;
	struct vs_thread call;

	COVERS("FEA-13 F-MG-07 IOC-03 IOC-34");
	ASSERT_EQ(0, map_apart(drain->dev, drain->ring));
	ASSERT_EQ(0, hold_reads(drain->dev, &drain->env.hold, &drain->reads));
	ASSERT_EQ(0, retire_used(drain->dev));
	ASSERT_EQ(0, vs_thread_start(&call, make_call, drain));
	ASSERT_EQ(0, wait_idle(&call));
	EXPECT_EQ(0, vs_ring_pending(drain->ring));
	ASSERT_EQ(0, vs_hold_go(&drain->env.hold));
	EXPECT_EQ(0, vs_thread_end(&call));
	EXPECT_EQ(READS, vs_ring_pending(drain->ring));
	EXPECT_EQ(0, end_reads(&drain->reads));
}

TEST_HARNESS_MAIN
