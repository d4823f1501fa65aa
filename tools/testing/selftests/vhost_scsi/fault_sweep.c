// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation, and every copy from or to user space, fails once: first
 * the system calls, then what the worker does for a request or an event.
 *
 * Each sweep lets the first failure point of a call fail, then the second, and
 * so on, until the call ends without having met one more. Whatever fails, the
 * second try works. Runs on kernels that can inject faults only; run_all looks.
 */
#include <stdio.h>

#include "vs_fault.h"
#include "vs_module.h"
#include "vs_test.h"

#define TAG		VS_TAG
#define MAX_IO_VQS	VS_PARAM_DIR "/max_io_vqs"

/* A queue more or less is the same again: few make the sweeps short. */
#define FEW_QUEUES	"1"

/* Enough for kmalloc() and vmalloc() to fail, both of them. */
#define BURST		12

/* -- system calls -- */

/*
 * What a sweep does. After a failure, after() looks whether anything has
 * changed; after success, works() whether all is there, and undo() prepares
 * the next round.
 */
struct call {
	const char *name;
	int (*run)(struct vs_env *env);
	int (*after)(struct vs_env *env);
	int (*works)(struct vs_env *env);
	int (*undo)(struct vs_env *env);
	int other;	/* what else an allocation may make of it */
	bool sure;	/* no allocation makes it fail */
	unsigned int burst;
};

static int complain(const struct vs_fault *fault, const char *name,
		    const char *what, int ret)
{
	if (!ret)
		return 0;
	fprintf(stderr, "# %s, fault %u: %s: %d\n", name, fault->n, what, ret);
	return 1;
}

/* A sweep that comes that far does not end by itself. */
#define FAULTS_MAX	2000

static void report(const struct vs_fault *fault, const char *name,
		   unsigned int refused)
{
	fprintf(stderr, "# %s: %u allocations and %u copies failed, %u times it did\n",
		name, fault->fails[VS_FAULT_ALLOC],
		fault->fails[VS_FAULT_COPY], refused);
}

static bool may_be(const struct call *call, enum vs_fault_kind kind, int ret)
{
	if (!ret)
		return true;
	switch (kind) {
	case VS_FAULT_NONE:
		return false;
	case VS_FAULT_ALLOC:
		return !call->sure && (ret == -ENOMEM || ret == call->other);
	case VS_FAULT_COPY:
		return ret == -EFAULT || ret == call->other;
	}
	return false;
}

static int try_call(struct vs_fault *fault, struct vs_env *env,
		    const struct call *call, enum vs_fault_kind *kind,
		    unsigned int *refused)
{
	int ret, bad = 0;

	vs_fault_arm(fault);
	ret = call->run(env);
	*kind = vs_fault_disarm(fault);
	*refused += ret != 0;
	if (!may_be(call, *kind, ret))
		bad += complain(fault, call->name, "first try", ret);
	if (ret && call->after)
		bad += complain(fault, call->name, "afterwards",
				call->after(env));
	if (ret)
		bad += complain(fault, call->name, "second try",
				call->run(env));
	if (call->works)
		bad += complain(fault, call->name, "works", call->works(env));
	if (call->undo)
		bad += complain(fault, call->name, "undo", call->undo(env));
	return bad;
}

/* Returns the number of complaints; that it never failed is one. */
static int sweep(struct vs_env *env, const struct call *call)
{
	enum vs_fault_kind kind;
	unsigned int refused = 0;
	struct vs_fault fault;
	int bad;

	bad = vs_fault_get(&fault, 0) ? 1 : 0;
	fault.burst = call->burst;
	for (kind = VS_FAULT_ALLOC; kind && !bad; ) {
		bad = ++fault.n == FAULTS_MAX;
		bad += try_call(&fault, env, call, &kind, &refused);
	}
	report(&fault, call->name, refused);
	if (!refused && !call->sure)
		bad++;
	vs_fault_put(&fault);
	return bad;
}

FIXTURE(calls) {
	struct vs_env env;
};

FIXTURE_SETUP(calls)
{
	struct vs_env_opts opts = { .no_dev = true };

	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_write_file(MAX_IO_VQS, FEW_QUEUES));
}

FIXTURE_TEARDOWN(calls)
{
	vs_write_file(MAX_IO_VQS, "128");
	EXPECT_EQ(0, vs_fault_logged(self->env.kmsg));
	ENV_PUT(&self->env);
}

static int run_open(struct vs_env *env)
{
	env->dev.fd = open("/dev/vhost-scsi", O_RDWR | O_CLOEXEC);
	return env->dev.fd < 0 ? -errno : 0;
}

static int set_owner(struct vs_env *env)
{
	return vs_ioctl(env->dev.fd, VHOST_SET_OWNER, NULL);
}

static int close_device(struct vs_env *env)
{
	vs_dev_close(&env->dev);
	return 0;
}

TEST_F(calls, open_fails_or_works)
{
	struct call call = {
		.name = "open", .run = run_open, .works = set_owner,
		.undo = close_device,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, sweep(&self->env, &call));
	call.name = "open, with a burst";
	call.burst = BURST;
	EXPECT_EQ(0, sweep(&self->env, &call));
}

static const struct vs_dev_opts small = { .mem_size = 4UL << 20 };

/* All that comes after SET_OWNER, to a command that is served. */
static int serves(struct vs_env *env)
{
	struct vs_dev *dev = &env->dev;
	unsigned int i;
	int ret;

	ret = vs_dev_set_features(dev, dev->features);
	if (!ret)
		ret = vs_dev_set_mem(dev);
	for (i = 0; !ret && i < dev->n_rings; i++)
		ret = vs_dev_set_ring(dev, &dev->ring[i]);
	if (!ret)
		ret = vs_dev_set_endpoint(dev, VS_WWN);
	return ret ? ret : vs_scsi_settle(dev, TAG, 0);
}

static int reopen(struct vs_env *env)
{
	vs_dev_close(&env->dev);
	return vs_dev_open(&env->dev, &small);
}

TEST_F(calls, set_owner_can_be_repeated)
{
	static const struct call call = {
		.name = "SET_OWNER", .run = set_owner, .works = serves,
		.undo = reopen,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, reopen(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
}

static int set_mem(struct vs_env *env)
{
	return vs_dev_set_mem(&env->dev);
}

static int settle(struct vs_env *env)
{
	return vs_scsi_settle(&env->dev, TAG, 0);
}

/* Memory of the guest is taken for good: start over. */
static int set_up(struct vs_env *env)
{
	int ret;

	vs_dev_close(&env->dev);
	ret = vs_dev_open(&env->dev, &small);
	return ret ? ret : vs_dev_setup(&env->dev);
}

TEST_F(calls, set_mem_table_fails_whole)
{
	/* EFAULT is the core's word for a region that it could not keep. */
	static const struct call call = {
		.name = "SET_MEM_TABLE", .run = set_mem, .after = settle,
		.works = settle, .other = -EFAULT,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, set_up(&self->env));
	ASSERT_EQ(0, vs_dev_set_endpoint(&self->env.dev, VS_WWN));
	EXPECT_EQ(0, sweep(&self->env, &call));
}

static int set_endpoint(struct vs_env *env)
{
	return vs_dev_set_endpoint(&env->dev, VS_WWN);
}

static int clear_endpoint(struct vs_env *env)
{
	return vs_dev_clear_endpoint(&env->dev, VS_WWN);
}

/* No target is left bound: another device can have them. */
static int other_device(struct vs_env *env)
{
	struct vs_dev other;
	int ret;

	(void)env;
	ret = vs_dev_open(&other, &small);
	if (!ret)
		ret = vs_dev_setup(&other);
	if (!ret)
		ret = vs_dev_set_endpoint(&other, VS_WWN);
	vs_dev_close(&other);
	return ret;
}

TEST_F(calls, set_endpoint_leaves_no_trace)
{
	struct call call = {
		.name = "SET_ENDPOINT", .run = set_endpoint,
		.after = other_device, .works = settle, .undo = clear_endpoint,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, set_up(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
	call.name = "SET_ENDPOINT, with a burst";
	call.burst = BURST;
	EXPECT_EQ(0, sweep(&self->env, &call));
}

TEST_F(calls, pinned_memory_leaves_no_trace)
{
	struct call call = {
		.name = "SET_ENDPOINT, memory pinned", .run = set_endpoint,
		.after = other_device, .works = settle, .undo = clear_endpoint,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, vs_tpg_attr(VS_WWN, TAG, "pin_memory", "1"));
	ASSERT_EQ(0, set_up(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
	call.name = "SET_ENDPOINT, memory pinned, with a burst";
	call.burst = BURST;
	EXPECT_EQ(0, sweep(&self->env, &call));

	/* What cannot be pinned is left to the commands. */
	call = (struct call){
		.name = "SET_MEM_TABLE, memory pinned", .run = set_mem,
		.after = settle, .works = settle, .other = -EFAULT,
	};
	ASSERT_EQ(0, set_endpoint(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
}

static int set_and_settle(struct vs_env *env)
{
	int ret = set_endpoint(env);

	return ret ? ret : settle(env);
}

TEST_F(calls, clear_endpoint_needs_no_memory)
{
	static const struct call call = {
		.name = "CLEAR_ENDPOINT", .run = clear_endpoint,
		.after = settle, .undo = set_and_settle, .sure = true,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, set_up(&self->env));
	ASSERT_EQ(0, set_and_settle(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
}

static int close_fd(struct vs_env *env)
{
	int ret = close(env->dev.fd) ? -errno : 0;

	env->dev.fd = -1;
	return ret;
}

static int set_up_and_settle(struct vs_env *env)
{
	int ret = set_up(env);

	return ret ? ret : set_and_settle(env);
}

TEST_F(calls, close_needs_no_memory)
{
	static const struct call call = {
		.name = "close", .run = close_fd, .undo = set_up_and_settle,
		.sure = true,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, set_up_and_settle(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
}

/* -- configfs -- */

static int make_wwn(struct vs_env *env)
{
	(void)env;
	return vs_wwn_get(VS_WWN2);
}

static int drop_wwn(struct vs_env *env)
{
	(void)env;
	return vs_wwn_put(VS_WWN2);
}

static int make_tpg(struct vs_env *env)
{
	(void)env;
	return vs_tpg_get(VS_WWN2, TAG);
}

static int drop_tpg(struct vs_env *env)
{
	(void)env;
	return vs_tpg_put(VS_WWN2, TAG);
}

static int make_nexus(struct vs_env *env)
{
	(void)env;
	return vs_nexus_write(VS_WWN2, TAG, VS_NEXUS);
}

static int has_nexus(struct vs_env *env)
{
	char path[512], text[64];

	(void)env;
	vs_read_file(vs_tpg_path(path, sizeof(path), VS_WWN2, TAG, "nexus"),
		     text, sizeof(text));
	return strcmp(text, VS_NEXUS "\n") ? -ENODEV : 0;
}

static int nexus_works(struct vs_env *env)
{
	int ret = make_nexus(env);

	if (!ret)
		ret = has_nexus(env);
	return ret ? ret : vs_nexus_write(VS_WWN2, TAG, "NULL");
}

static int tpg_works(struct vs_env *env)
{
	int ret = make_tpg(env);

	if (!ret)
		ret = nexus_works(env);
	return ret ? ret : drop_tpg(env);
}

TEST_F(calls, mkdir_of_a_wwn_fails_whole)
{
	/* LIO makes EINVAL of every error of a fabric. */
	static const struct call call = {
		.name = "mkdir WWN", .run = make_wwn, .works = tpg_works,
		.undo = drop_wwn, .other = -EINVAL,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, sweep(&self->env, &call));
}

TEST_F(calls, mkdir_of_a_tpg_fails_whole)
{
	static const struct call call = {
		.name = "mkdir TPG", .run = make_tpg, .works = nexus_works,
		.undo = drop_tpg, .other = -EINVAL,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, make_wwn(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
}

/* The ACL that LIO made for the nexus stays until the TPG goes. */
static int renew_tpg(struct vs_env *env)
{
	int ret = drop_tpg(env);

	return ret ? ret : make_tpg(env);
}

TEST_F(calls, nexus_write_fails_whole)
{
	/* EACCES is what LIO says when there was no memory for an ACL. */
	static const struct call call = {
		.name = "nexus", .run = make_nexus, .works = has_nexus,
		.undo = renew_tpg, .other = -EACCES,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, make_wwn(&self->env));
	ASSERT_EQ(0, make_tpg(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
}

static int make_tree(struct vs_env *env)
{
	int ret = make_wwn(env);

	if (!ret)
		ret = make_tpg(env);
	if (!ret)
		ret = make_nexus(env);
	return ret ? ret : vs_lun_link(VS_WWN2, TAG, 0, &env->bs[0]);
}

/* Can be repeated, however far it came. */
static int remove_tree(struct vs_env *env)
{
	int ret = vs_lun_unlink(VS_WWN2, TAG, 0);

	if (!ret || ret == -ENOENT)
		ret = drop_tpg(env);
	if (!ret || ret == -ENOENT)
		ret = drop_wwn(env);
	return ret;
}

TEST_F(calls, removal_can_be_repeated)
{
	/* A link that readdir() had no memory to show is in the way. */
	static const struct call call = {
		.name = "unlink and rmdir", .run = remove_tree,
		.undo = make_tree, .other = -ENOTEMPTY,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, make_tree(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
}

/* -- requests -- */

/* How a request ended while a fault was waiting in the worker. */
enum end {
	END_ANSWERED,
	END_RETRIED,	/* its descriptors were not read until the next kick */
	END_LOST,	/* the used ring could not be written */
	END_HANGS,
};

FIXTURE(requests) {
	struct vs_env env;
	struct vs_fault fault;
	struct vs_dev *dev;
	uint8_t *buf;
};

/*
 * Data is in pieces that no two are neighbours, whichever pages they are in. The
 * longest scatterlist is one with a second table, behind 4 entries and a page of
 * them: 127, or 170 where an entry has no DMA length.
 */
#define PIECES		180UL
#define PIECE		(VS_PAGE / 2)

FIXTURE_SETUP(requests)
{
	ENV_GET(&self->env, NULL);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, PIECES);
	memset(self->buf, 0, PIECES * VS_PAGE);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_fault_get(&self->fault, vs_fault_worker()));
}

FIXTURE_TEARDOWN(requests)
{
	vs_fault_put(&self->fault);
	vs_fault_user_pages(false);
	EXPECT_EQ(0, vs_fault_logged(self->env.kmsg));
	ENV_PUT(&self->env);
}

/* After an error: has the worker consumed the chain? */
static enum end after_error(struct vs_req *req, struct vs_fault *fault)
{
	struct vs_ring *ring = req->ring;

	/* Waits for the worker to let go of the queue. */
	if (vs_dev_get_base(req->dev, ring->index) == ring->next_avail)
		return vs_chain_wait(ring, &req->chain, 50) ? END_LOST :
		       END_ANSWERED;
	if (fault->fd > 0)
		vs_ring_kick(ring);
	return vs_chain_wait(ring, &req->chain, vs_patience()) ? END_HANGS :
	       END_RETRIED;
}

static enum end run_faulty(struct vs_req *req, struct vs_fault *fault)
{
	int64_t until = vs_now_ms() + vs_patience();

	vs_ring_errors(req->ring);
	vs_fault_arm(fault);
	if (vs_req_submit(req))
		return END_HANGS;
	while (vs_now_ms() < until) {
		if (!vs_chain_wait(req->ring, &req->chain, 50))
			return END_ANSWERED;
		if (vs_ring_errors(req->ring))
			return after_error(req, fault);
	}
	return END_HANGS;
}

/* A request that is sent again and again. */
struct request {
	const char *name;
	void (*build)(struct vs_req *req, struct vs_dev *dev, uint8_t *buf);
	/* After success: is the data right? */
	int (*check)(struct vs_dev *dev, uint8_t *buf);
	bool tmf;
	bool lio;		/* LIO's allocations are among them */
};

static bool good(const struct request *r, const struct vs_req *req)
{
	if (!req->chain.used_len)
		return false;
	if (r->tmf)
		return *(uint8_t *)req->rsp == VIRTIO_SCSI_S_OK;
	return req->rsp->response == VIRTIO_SCSI_S_OK &&
	       req->rsp->status == VS_GOOD;
}

static uint8_t response(const struct request *r, const struct vs_req *req)
{
	return r->tmf ? *(uint8_t *)req->rsp : req->rsp->response;
}

/* Is it an end that such a fault may have? */
static bool fair(const struct request *r, const struct vs_req *req,
		 enum vs_fault_kind kind, enum end end)
{
	switch (kind) {
	case VS_FAULT_NONE:
		return end == END_ANSWERED && good(r, req);
	case VS_FAULT_ALLOC:
		if (end != END_ANSWERED || !req->chain.used_len)
			return false;
		return good(r, req) ||
		       (r->tmf && response(r, req) == VIRTIO_SCSI_S_BUSY) ||
		       (!r->tmf && !req->rsp->response &&
			(req->rsp->status == VS_TASK_SET_FULL ||
			 (r->lio && req->rsp->status == VS_CHECK_CONDITION)));
	case VS_FAULT_COPY:
		if (end == END_RETRIED)
			return good(r, req);
		return end == END_LOST ||
		       (end == END_ANSWERED &&
			(!req->chain.used_len || good(r, req) ||
			 response(r, req) == VIRTIO_SCSI_S_FAILURE));
	}
	return false;
}

/* The fault waits; returns what it was, the end, and whether that was good. */
static int try_request(struct vs_fault *fault, struct vs_dev *dev,
		       const struct request *r, uint8_t *buf,
		       enum vs_fault_kind *kind, enum end *end,
		       unsigned int *refused)
{
	struct vs_req req;
	int bad = 0;

	r->build(&req, dev, buf);
	*end = run_faulty(&req, fault);
	*kind = vs_fault_disarm(fault);
	*refused += *end == END_ANSWERED && !good(r, &req);
	if (!fair(r, &req, *kind, *end)) {
		fprintf(stderr, "# fault %u is of kind %u, end %u, used length %u\n",
			fault->n, *kind, *end, req.chain.used_len);
		bad += complain(fault, r->name, "response", response(r, &req));
		bad = bad ? bad : 1;
	} else if (*end != END_LOST && good(r, &req) && r->check) {
		bad += complain(fault, r->name, "data", r->check(dev, buf));
	}
	vs_req_put(&req);
	return bad;
}

static int second_try(struct vs_fault *fault, struct vs_dev *dev,
		      const struct request *r, uint8_t *buf)
{
	struct vs_req req;
	int ret;

	r->build(&req, dev, buf);
	ret = vs_req_run(&req);
	if (!ret && !good(r, &req))
		ret = response(r, &req) << 8 | 0xff;
	if (!ret && r->check)
		ret = r->check(dev, buf);
	vs_req_put(&req);
	return complain(fault, r->name, "second try", ret);
}

/*
 * The used ring is written once a request; but now and then a fault goes to an
 * allocation of the kernel's debugging, and then the next n meets it again.
 */
#define LOST_MAX	3

/* Returns the number of complaints. */
static int sweep_requests(struct vs_fault *fault, struct vs_dev *dev,
			  const struct request *r, uint8_t *buf)
{
	size_t mark = dev->mem.used;
	enum vs_fault_kind kind;
	unsigned int lost = 0, refused = 0;
	enum end end;
	int bad = 0;

	fault->n = 0;
	memset(fault->fails, 0, sizeof(fault->fails));
	for (kind = VS_FAULT_ALLOC; kind && !bad; dev->mem.used = mark) {
		bad = ++fault->n == FAULTS_MAX;
		bad += try_request(fault, dev, r, buf, &kind, &end, &refused);
		lost += end == END_LOST;
		if (!bad)
			bad += second_try(fault, dev, r, buf);
	}
	report(fault, r->name, refused);
	if (!bad && lost > LOST_MAX)
		bad += complain(fault, r->name, "heads lost", lost);
	return bad;
}

static uint8_t *data_piece(uint8_t *buf, unsigned int i)
{
	return buf + i * VS_PAGE;
}

/* The unit, how many pieces, and the seed of what is on the disk. */
static unsigned int unit, pieces = 8, on_disk;

static int check_pieces(struct vs_dev *dev, uint8_t *buf)
{
	unsigned int i;

	(void)dev;
	for (i = 0; i < pieces; i++)
		if (vs_differs(data_piece(buf, i), PIECE, on_disk + i) != -1)
			return 1 + (int)i;
	return 0;
}

static void build_read(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	unsigned int i;

	vs_req_get(req, dev, TAG, unit,
		   vs_cdb_rw10(VS_READ_10, 0, pieces * PIECE / 512));
	req->chain.flags = VS_INDIRECT;
	for (i = 0; i < pieces; i++) {
		memset(data_piece(buf, i), 0, PIECE);
		vs_req_in(req, data_piece(buf, i), PIECE);
	}
}

static void build_write(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	unsigned int i;

	on_disk += 7;
	vs_req_get(req, dev, TAG, unit,
		   vs_cdb_rw10(VS_WRITE_10, 0, pieces * PIECE / 512));
	req->chain.flags = VS_INDIRECT;
	for (i = 0; i < pieces; i++) {
		vs_fill(data_piece(buf, i), PIECE, on_disk + i);
		vs_req_out(req, data_piece(buf, i), PIECE);
	}
}

static int check_disk(struct vs_dev *dev, uint8_t *buf)
{
	struct vs_req req;
	int ret;

	build_read(&req, dev, buf);
	ret = vs_req_run(&req);
	vs_req_put(&req);
	return ret ? ret : check_pieces(dev, buf);
}

TEST_F(requests, write_and_read_are_busy_without_memory)
{
	struct request r[] = {
		{
			.name = "write", .build = build_write,
			.check = check_disk,
		}, {
			.name = "read", .build = build_read,
			.check = check_pieces,
		},
	};
	size_t i;

	COVERS("F-RS-01");
	for (i = 0; i < 2 * ARRAY_SIZE(r); i++) {
		EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r[i % 2],
					    self->buf));
		EXPECT_LE(i < 2 ? 1 : 2, self->fault.fails[VS_FAULT_ALLOC]);
		/* The same with two tables. */
		pieces = i ? PIECES : pieces;
	}
}

TEST_F(requests, lio_without_memory_refuses_in_the_worker)
{
	struct vs_backstore *bs = &self->env.bs[1];
	struct request r[] = {
		{
			.name = "write to a file", .build = build_write,
			.check = check_disk, .lio = true,
		}, {
			.name = "read from a file", .build = build_read,
			.check = check_pieces, .lio = true,
		},
	};
	size_t i;

	COVERS("F-RS-01");
	unit = 1;
	ASSERT_EQ(0, vs_fileio_get(bs, 1, VS_FILE, 1));
	ASSERT_EQ(0, vs_backstore_attr(bs, "submit_type", "1"));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, unit, bs));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, unit));
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r[i],
					    self->buf));
		EXPECT_LE(2, self->fault.fails[VS_FAULT_ALLOC]);
	}
}

#define ABSENT_PAGES	8

/* The pages of the buffer come into being while they are pinned. */
static void build_absent(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	vs_req_get(req, dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, ABSENT_PAGES * 8));
	if (madvise(buf, ABSENT_PAGES * VS_PAGE, MADV_REMOVE))
		abort();
	vs_req_in(req, buf, ABSENT_PAGES * VS_PAGE);
}

static int check_absent(struct vs_dev *dev, uint8_t *buf)
{
	unsigned int i;

	(void)dev;
	for (i = 0; i < ABSENT_PAGES; i++)
		if (vs_differs(buf + i * VS_PAGE, VS_PAGE, on_disk + i) != -1)
			return 1 + (int)i;
	return 0;
}

TEST_F(requests, pages_that_cannot_be_had_are_busy)
{
	static const struct request r = {
		.name = "read to absent pages", .build = build_absent,
		.check = check_absent,
	};
	unsigned int i;

	COVERS("F-RS-01");
	for (i = 0; i < ABSENT_PAGES; i++)
		vs_fill(self->buf + i * VS_PAGE, VS_PAGE, on_disk + i);
	ASSERT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 0, ABSENT_PAGES * 8),
				  self->buf, ABSENT_PAGES * VS_PAGE));
	ASSERT_EQ(0, vs_fault_user_pages(true));
	EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r, self->buf));
	EXPECT_LE(ABSENT_PAGES, self->fault.fails[VS_FAULT_ALLOC]);
}

#define BOUNCE_PAGES	3
#define BOUNCE_LEN	(BOUNCE_PAGES * VS_PAGE)

static void build_inquiry(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	memset(buf, 0, BOUNCE_LEN);
	vs_req_get(req, dev, TAG, 0, vs_cdb_inquiry(BOUNCE_LEN));
	vs_req_in(req, buf, BOUNCE_LEN);
}

static int check_inquiry(struct vs_dev *dev, uint8_t *buf)
{
	(void)dev;
	return memcmp(buf + 8, "LIO-ORG ", 8);
}

/* Not made of sectors. */
static void build_odd_read(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	memset(buf, 0, BOUNCE_LEN + 4);
	vs_req_get(req, dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, BOUNCE_LEN / 512));
	vs_req_in_cut(req, buf + 4, BOUNCE_LEN, BOUNCE_LEN / 2);
}

static int check_odd(struct vs_dev *dev, uint8_t *buf)
{
	(void)dev;
	return vs_differs(buf + 4, BOUNCE_LEN, on_disk) != -1;
}

static void build_odd_write(struct vs_req *req, struct vs_dev *dev,
			    uint8_t *buf)
{
	on_disk += 7;
	vs_fill(buf + 4, BOUNCE_LEN, on_disk);
	vs_req_get(req, dev, TAG, 0,
		   vs_cdb_rw10(VS_WRITE_10, 0, BOUNCE_LEN / 512));
	vs_req_out_cut(req, buf + 4, BOUNCE_LEN, BOUNCE_LEN / 2);
}

static int check_odd_disk(struct vs_dev *dev, uint8_t *buf)
{
	struct vs_req req;
	int ret;

	build_odd_read(&req, dev, buf);
	ret = vs_req_run(&req);
	vs_req_put(&req);
	return ret ? ret : check_odd(dev, buf);
}

TEST_F(requests, bounced_commands_are_busy_without_memory)
{
	static const struct request r[] = {
		{
			.name = "emulated", .build = build_inquiry,
			.check = check_inquiry,
		}, {
			.name = "bounced write", .build = build_odd_write,
			.check = check_odd_disk,
		}, {
			.name = "bounced read", .build = build_odd_read,
			.check = check_odd,
		},
	};
	size_t i;

	COVERS("F-RS-01");
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r[i],
					    self->buf));
		/* The list, its pages, and for reads where they go. */
		EXPECT_LE(1 + BOUNCE_PAGES, self->fault.fails[VS_FAULT_ALLOC]);
	}
}

static void build_split(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	(void)buf;
	vs_req_bare(req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	vs_req_out_cut(req, req->hdr, VS_HDR, VS_HDR / 3);
	vs_req_in_cut(req, req->rsp, VS_RSP, VS_RSP / 4);
}

TEST_F(requests, split_response_is_busy_without_memory)
{
	static const struct request r = {
		.name = "split response", .build = build_split,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r, self->buf));
	EXPECT_LT(0, self->fault.fails[VS_FAULT_ALLOC]);
}

static void build_tmf(struct vs_req *req, struct vs_dev *dev, uint8_t *buf)
{
	(void)buf;
	memset(req, 0, sizeof(*req));
	req->dev = dev;
	req->ring = &dev->ring[VS_CTL];
	vs_chain_get(&req->chain);
	req->rsp = (void *)vs_tmf_chain(&req->chain, dev, TAG, 0,
					VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
					0);
}

TEST_F(requests, task_management_is_busy_without_memory)
{
	static const struct request r = {
		.name = "task management", .build = build_tmf, .tmf = true,
	};

	COVERS("F-RS-01");
	EXPECT_EQ(0, sweep_requests(&self->fault, self->dev, &r, self->buf));
	/* Ours and LIO's part of it. */
	EXPECT_LE(2, self->fault.fails[VS_FAULT_ALLOC]);
}

/* -- events -- */

#define BUFFERS		4

/* Buffers of the event queue, in the order in which they are used. */
struct buffers {
	struct vs_chain chain[BUFFERS];
	struct virtio_scsi_event *event[BUFFERS];
};

FIXTURE(events) {
	struct vs_env env;
};

FIXTURE_SETUP(events)
{
	ENV_GET(&self->env, NULL);
	ASSERT_EQ(0, vs_scsi_settle(&self->env.dev, TAG, 0));
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
}

FIXTURE_TEARDOWN(events)
{
	EXPECT_EQ(0, vs_fault_logged(self->env.kmsg));
	ENV_PUT(&self->env);
}

static struct buffers posted;

static int missed(struct vs_dev *dev)
{
	uint32_t flag = 77;
	int ret = vs_ioctl(dev->fd, VHOST_SCSI_GET_EVENTS_MISSED, &flag);

	return ret ? ret : (int)flag;
}

/* Begin with empty buffers and no event anywhere. */
static int renew_buffers(struct vs_env *env)
{
	struct vs_ring *ring = &env->dev.ring[VS_EVT];
	uint32_t none = 0;
	unsigned int i;
	int ret;

	ret = clear_endpoint(env);
	if (!ret)
		ret = vs_ioctl(env->dev.fd, VHOST_SCSI_SET_EVENTS_MISSED,
			       &none);
	vs_ring_reset(ring);
	/* One that is set up anew makes the device forget the others. */
	for (i = 0; i < env->dev.n_rings && !ret; i++)
		ret = vs_dev_set_ring(&env->dev, &env->dev.ring[i]);
	for (i = 0; i < BUFFERS && !ret; i++) {
		vs_chain_put(&posted.chain[i]);
		vs_chain_get(&posted.chain[i]);
		if (!posted.event[i])
			posted.event[i] = vs_mem_page(&env->dev.mem, 1);
		memset(posted.event[i], VS_POISON, VS_PAGE);
		vs_chain_in(&posted.chain[i], &env->dev.mem, posted.event[i],
			    sizeof(*posted.event[i]));
		ret = vs_ring_add(ring, &posted.chain[i]);
	}
	return ret ? ret : set_and_settle(env);
}

/* Counts the events that came; the worker has done all it had to. */
static int collect(struct vs_env *env)
{
	struct vs_ring *ring = &env->dev.ring[VS_EVT];
	int n = 0;

	if (settle(env))
		return -EIO;
	while (vs_ring_take(ring, NULL))
		n++;
	return n;
}

static bool is_event(unsigned int i, uint32_t reason)
{
	const struct virtio_scsi_event *e = posted.event[i];

	return posted.chain[i].used_len == sizeof(*e) &&
	       e->event == VIRTIO_SCSI_T_TRANSPORT_RESET &&
	       e->reason == reason && e->lun[1] == TAG && e->lun[3] == 5;
}

/* LIO says nothing when it had no memory to show a LUN to the nexus. */
static unsigned int unmapped;

/* The guest is told of the unit, or that it was not told. */
static int told(struct vs_env *env)
{
	uint8_t *inquiry = vs_mem_alloc(&env->dev.mem, 64, 64);
	struct vs_result res;
	int n = collect(env), flag = missed(&env->dev);

	if (!(n == 1 && !flag && is_event(0, VIRTIO_SCSI_EVT_RESET_RESCAN)) &&
	    !(n == 0 && flag == 1))
		return 100 + n * 10 + flag;
	res = vs_scsi_read(&env->dev, TAG, 5, vs_cdb_inquiry(36), inquiry, 36);
	if (res.err || res.response || res.status)
		return 200;
	unmapped += inquiry[0] == 0x7f;
	return 0;
}

/* A link that failed was never seen, or came and went. */
static int nothing_new(struct vs_env *env)
{
	int n = collect(env), flag = missed(&env->dev);

	if (n == 2 && !flag && is_event(0, VIRTIO_SCSI_EVT_RESET_RESCAN) &&
	    is_event(1, VIRTIO_SCSI_EVT_RESET_REMOVED))
		return renew_buffers(env);
	if (flag == 1)
		return renew_buffers(env);
	return n || flag ? 100 + n * 10 + flag : 0;
}

static int link_event(struct vs_env *env)
{
	return vs_lun_link(VS_WWN, TAG, 5, &env->bs[1]);
}

static int unlink_lun(struct vs_env *env)
{
	(void)env;
	return vs_lun_unlink(VS_WWN, TAG, 5);
}

/* A missed flag is told with the next kick. */
static int unlink_event(struct vs_env *env)
{
	int ret = 0;

	if (missed(&env->dev) == 1) {
		vs_ring_kick(&env->dev.ring[VS_EVT]);
		ret = collect(env) == 1 &&
		      posted.event[0]->event == (VIRTIO_SCSI_T_NO_EVENT |
						 VIRTIO_SCSI_T_EVENTS_MISSED) &&
		      !missed(&env->dev) ? 0 : -EPROTO;
	}
	if (!ret)
		ret = unlink_lun(env);
	return ret ? ret : renew_buffers(env);
}

TEST_F(events, linked_lun_is_announced_or_missed)
{
	static const struct call call = {
		.name = "link under an endpoint", .run = link_event,
		.after = nothing_new, .works = told, .undo = unlink_event,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, renew_buffers(&self->env));
	EXPECT_EQ(0, sweep(&self->env, &call));
	TH_LOG("%u times LIO linked a LUN and showed it to no nexus", unmapped);
}

/* Returns when the worker has done with the event of a link. */
static int wait_event(struct vs_env *env)
{
	struct vs_ring *ring = &env->dev.ring[VS_EVT];
	int64_t until = vs_now_ms() + vs_patience();

	while (vs_now_ms() < until) {
		/* The flag is up for the moment, too: an error says it. */
		if (vs_ring_pending(ring) || vs_ring_errors(ring))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

static int try_event(struct vs_fault *fault, struct vs_env *env,
		     enum vs_fault_kind *kind, unsigned int *lost)
{
	int ret, n, flag, bad = 0;

	vs_ring_errors(&env->dev.ring[VS_EVT]);
	vs_fault_arm(fault);
	ret = link_event(env);
	if (!ret)
		ret = wait_event(env);
	*kind = vs_fault_disarm(fault);
	bad += complain(fault, "event", "link", ret);
	n = collect(env);
	flag = missed(&env->dev);
	/* A used ring that could not be written hides the event. */
	if (n == 0 && flag == 0 && *kind == VS_FAULT_COPY)
		(*lost)++;
	else if (n == 0 || (n == 1 && !posted.chain[0].used_len))
		bad += complain(fault, "event", "not missed", flag != 1);
	else if (n != 1 || flag || !is_event(0, VIRTIO_SCSI_EVT_RESET_RESCAN))
		bad += complain(fault, "event", "events", 100 + n * 10 + flag);
	ret = unlink_lun(env);
	return bad + complain(fault, "event", "undo",
			      ret ? ret : renew_buffers(env));
}

TEST_F(events, event_that_cannot_be_written_is_missed)
{
	enum vs_fault_kind kind;
	struct vs_fault fault;
	unsigned int lost = 0;
	int bad = 0;

	COVERS("F-RS-01");
	ASSERT_EQ(0, vs_fault_get(&fault, vs_fault_worker()));
	ASSERT_EQ(0, renew_buffers(&self->env));
	for (kind = VS_FAULT_ALLOC; kind && !bad; ) {
		fault.n++;
		bad = try_event(&fault, &self->env, &kind, &lost);
	}
	report(&fault, "event", fault.fails[VS_FAULT_COPY]);
	vs_fault_put(&fault);
	EXPECT_EQ(0, bad);
	EXPECT_LE(2, fault.fails[VS_FAULT_COPY]);
	EXPECT_GE(LOST_MAX, lost);
}

TEST_HARNESS_MAIN
