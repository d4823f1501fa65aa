// SPDX-License-Identifier: GPL-2.0
/*
 * The user-space initiator as a benchmark: request queues under load, the cost
 * of a command. Under `lab/run --icount` time is a count of executed instructions
 * of the whole machine, this program included: 2 ns each.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_opts.h"
#include "vs_dirty.h"
#include "vs_measure.h"
#include "vs_proc.h"

/* What one measurement found. */
struct figures {
	uint64_t wall, worker, initiator;
	unsigned long kicks, calls, done;
	uint64_t endpoint;
};

struct job {
	struct bench_queue *q;
	pthread_t thread;
	unsigned long count;
	int ret;
};

static void *job_main(void *arg)
{
	struct job *job = arg;

	job->ret = bench_queue_run(job->q, job->count);
	return NULL;
}

/* All queues at once; this thread has the first one. */
static int run_all(struct bench_queue *q, unsigned int n, unsigned long count)
{
	struct job job[BENCH_MAX_QUEUES];
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n; i++) {
		job[i] = (struct job) { .q = &q[i], .count = count };
		if (i && pthread_create(&job[i].thread, NULL, job_main, &job[i]))
			exit(1);
	}
	job_main(&job[0]);
	for (i = 0; i < n; i++) {
		if (i)
			pthread_join(job[i].thread, NULL);
		ret = ret ? ret : job[i].ret;
	}
	return ret;
}

static uint64_t cpu_time(bool workers)
{
	uint64_t ns;

	vs_threads(workers, &ns);
	return ns;
}

static void print(const struct bench_opts *o, struct bench_queue *q,
		  const struct figures *f)
{
	double n = f->done;

	printf("{\"ns\": %.0f, \"worker_ns\": %.0f, \"initiator_ns\": %.0f, ",
	       f->wall / n, f->worker / n, f->initiator / n);
	printf("\"kicks\": %.3f, \"calls\": %.3f, \"commands\": %lu, \"endpoint_ns\": %llu",
	       f->kicks / n, f->calls / n, f->done, (unsigned long long)f->endpoint);
	if (o->load.latency) {
		vs_sort(q->latency, q->nr_done);
		printf(", \"p50_ns\": %llu, \"p99_ns\": %llu",
		       (unsigned long long)q->latency[q->nr_done / 2],
		       (unsigned long long)q->latency[q->nr_done * 99 / 100]);
	}
	puts("}");
}

/* Instructions that do nothing, and tell lab/host/count.c where the window is. */
static void mark_begin(void)
{
	asm volatile("nopl 0x54435601(%%rax)" ::: "memory");
}

static void mark_end(void)
{
	asm volatile("nopl 0x54435602(%%rax)" ::: "memory");
}

static int measure(struct bench_queue *q, const struct bench_opts *o,
		   uint64_t endpoint)
{
	struct figures f = { .endpoint = endpoint };
	unsigned int i;
	int ret;

	/* Once to warm up: workqueues, caches, page tables. */
	ret = run_all(q, o->queues, o->count / 4 + o->load.depth);
	if (ret)
		return ret;
	f.worker = cpu_time(true);
	f.initiator = cpu_time(false);
	f.wall = vs_now_ns();
	mark_begin();
	ret = run_all(q, o->queues, o->count);
	mark_end();
	f.wall = vs_now_ns() - f.wall;
	f.initiator = cpu_time(false) - f.initiator;
	f.worker = cpu_time(true) - f.worker;
	for (i = 0; i < o->queues; i++) {
		f.done += q[i].nr_done;
		f.kicks += q[i].kicks;
		f.calls += q[i].calls;
	}
	if (!ret)
		print(o, q, &f);
	return ret;
}

static int set_up_queues(struct vs_dev *dev, struct bench_queue *q,
			 const struct bench_opts *o)
{
	struct vhost_vring_state state = { .num = o->busyloop };
	unsigned int i;
	int ret = 0;

	for (i = 0; i < o->queues && !ret; i++) {
		struct vs_ring *ring = &dev->ring[VS_IO + i];

		state.index = ring->index;
		if (o->busyloop)
			ret = vs_ioctl(dev->fd, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
				       &state);
		fcntl(ring->call, F_SETFL, 0);
		bench_queue_get(&q[i], dev, ring, &o->load);
	}
	return ret;
}

/* The same memory in three regions: rings and headers, indirect tables, data. */
static int cut_regions(struct vs_dev *dev, const struct bench_queue *q)
{
	uint64_t end = VS_GPA + dev->mem.size;
	const uint64_t at[] = { VS_GPA, q->tables, q->data, end };
	struct vhost_memory_region region[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		region[i] = (struct vhost_memory_region) {
			.guest_phys_addr = at[i],
			.memory_size = at[i + 1] - at[i],
			.userspace_addr = (uintptr_t)dev->mem.base +
					  at[i] - VS_GPA,
		};
	return vs_dev_set_regions(dev, region, 3);
}

/* The same disk again, as the LUNs from @first on of a target. */
static int link_luns(struct vs_env *env, uint8_t target, unsigned int first,
		     unsigned int luns)
{
	unsigned int i;
	int ret = 0;

	for (i = first; i < luns && !ret; i++)
		ret = vs_lun_link(VS_WWN, target, i, &env->bs[0]);
	return ret;
}

/* There is target VS_TAG, with LUN 0. */
static int make_units(struct vs_env *env, const struct bench_load *load)
{
	unsigned int i;
	int ret;

	ret = link_luns(env, VS_TAG, 1, load->luns);
	for (i = 1; i < load->targets && !ret; i++) {
		ret = vs_tpg_get(VS_WWN, bench_target(i));
		if (!ret)
			ret = vs_nexus_write(VS_WWN, bench_target(i), VS_NEXUS);
		if (!ret)
			ret = link_luns(env, bench_target(i), 0, load->luns);
	}
	return ret;
}

static int settle_units(struct vs_env *env, const struct bench_load *load)
{
	unsigned int i, j;
	int ret = 0;

	for (i = 0; i < load->targets; i++)
		for (j = 0; j < load->luns && !ret; j++)
			ret = vs_scsi_settle(&env->dev, bench_target(i), j);
	return ret;
}

static int set_endpoint(struct vs_env *env, uint64_t *ns)
{
	uint64_t begin = vs_now_ns();
	int ret = vs_dev_set_endpoint(&env->dev, VS_WWN);

	*ns = vs_now_ns() - begin;
	return ret;
}

static enum vs_disk disk_of(const char *name)
{
	if (!strcmp(name, "ram"))
		return VS_DISK_RAM;
	if (!strcmp(name, "null"))
		return VS_DISK_NULL;
	return strcmp(name, "file") ? VS_DISK_BDEV : VS_DISK_FILE;
}

static struct vs_env_opts env_opts(const struct bench_opts *o)
{
	const size_t huge = 2 << 20, data = (size_t)o->load.depth * o->load.bs;
	struct vs_env_opts opts = {
		.disk = disk_of(o->disk),
		.bdev = o->disk,
		.mib = o->load.blocks / 2048,
		.disk_attr = o->attr,
		.pin_memory = o->pin_memory,
		.no_endpoint = true,
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.ring_size = BENCH_MAX_DEPTH,
		.dev.n_io = o->queues,
		.dev.own_workers = o->workers,
		.dev.mem = o->huge ? VS_MEM_HUGE : VS_MEM_SHARED,
		.dev.mem_size = (o->queues + 1) * 2 * huge + o->queues * data,
	};

	opts.dev.mem_size = (opts.dev.mem_size + huge - 1) & -huge;
	return opts;
}

static int run_bench(const struct bench_opts *o)
{
	const struct vs_env_opts opts = env_opts(o);
	static struct bench_queue q[BENCH_MAX_QUEUES];
	struct vs_dirty dirty = {};
	static struct vs_env env;
	uint64_t endpoint = 0;
	unsigned int i;
	int ret;

	ret = vs_env_get(&env, &opts);
	if (ret) {
		fprintf(stderr, "bench: no device to measure: %s; is vhost_scsi loaded?\n",
			strerror(-ret));
		return ret;
	}
	ret = make_units(&env, &o->load);
	if (!ret)
		ret = set_endpoint(&env, &endpoint);
	if (!ret)
		ret = settle_units(&env, &o->load);
	if (!ret)
		ret = set_up_queues(&env.dev, q, o);
	if (!ret && o->regions > 1)
		ret = cut_regions(&env.dev, q);
	if (!ret && o->log)
		ret = vs_dirty_get(&dirty, &env.dev) ?: vs_dirty_start(&dirty);
	if (!ret)
		ret = measure(q, o, endpoint);
	if (ret)
		fprintf(stderr, "bench: %s\n", strerror(-ret));
	for (i = 0; i < o->queues; i++)
		bench_queue_put(&q[i]);
	ret = vs_env_put(&env) || ret ? -1 : 0;
	vs_dirty_put(&dirty);
	return ret;
}

int main(int argc, char **argv)
{
	static struct bench_opts o;

	bench_opts_parse(&o, argc, argv);
	/* A device that loses a command must not hang the run. */
	alarm(10 * vs_patience() / 1000);
	return run_bench(&o) ? 1 : 0;
}
