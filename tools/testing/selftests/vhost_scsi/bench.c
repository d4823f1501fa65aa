// SPDX-License-Identifier: GPL-2.0
/*
 * The user-space initiator as a benchmark: request queues under load, the cost
 * of a command. Under `lab/run --icount` time is a count of executed instructions
 * of the whole machine, this program included: 2 ns each.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_queue.h"
#include "vs_measure.h"
#include "vs_proc.h"

#define MAX_BS		1048576
#define MAX_QUEUES	(VS_MAX_RINGS - VS_IO)
#define MAX_ATTRS	8

struct opts {
	struct bench_load load;
	unsigned int queues;
	unsigned int count;
	bool nullio;
	bool huge;
	bool workers;
	bool pin_memory;
	unsigned int busyloop;
	const char *attr[2 * MAX_ATTRS + 2];
	unsigned int n_attr;
};

/* What one measurement found. */
struct figures {
	uint64_t wall, worker, initiator;
	unsigned long kicks, calls, done;
};

static const char usage[] =
	"Usage: bench [OPTIONS]\n"
	"\n"
	"Reads from a ramdisk through /dev/vhost-scsi, or writes to it, and prints\n"
	"the cost of one command as a line of JSON: ns of wall-clock time, ns of CPU\n"
	"time of the vhost workers and of this program, kicks, sleeps until a call.\n"
	"\n"
	"  --depth N     commands in flight on each queue, 1 to 256 (default 32)\n"
	"  --queues N    request queues, a thread here for each, 1 to 8 (default 1)\n"
	"  --workers     a vhost worker for each request queue\n"
	"  --bs BYTES    bytes of a command, a multiple of 512 up to 1 MiB\n"
	"                (default 4096)\n"
	"  --count N     commands on each queue, at least the depth (default 4000)\n"
	"  --write N     percentage of writes, 0 to 100 (default 0)\n"
	"  --random      at random places\n"
	"  --nullio      the ramdisk moves no data: what remains is the transport\n"
	"  --huge        guest memory in 2 MiB pages\n"
	"  --pin-memory  guest memory that stays pinned\n"
	"  --poll        watch the used ring instead of waiting for a call\n"
	"  --busyloop US VHOST_SET_VRING_BUSYLOOP_TIMEOUT of the request queues\n"
	"  --latency     the median and the 99th percentile, too; costs two looks at\n"
	"                the clock for each command\n"
	"  --attr NAME=VALUE  an attribute of the backstore, up to 8 times\n";

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
	struct job job[MAX_QUEUES];
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

static void print(const struct opts *o, struct bench_queue *q,
		  const struct figures *f)
{
	double n = f->done;

	printf("{\"ns\": %.0f, \"worker_ns\": %.0f, \"initiator_ns\": %.0f, ",
	       f->wall / n, f->worker / n, f->initiator / n);
	printf("\"kicks\": %.3f, \"calls\": %.3f", f->kicks / n, f->calls / n);
	if (o->load.latency) {
		vs_sort(q->latency, q->nr_done);
		printf(", \"p50_ns\": %llu, \"p99_ns\": %llu",
		       (unsigned long long)q->latency[q->nr_done / 2],
		       (unsigned long long)q->latency[q->nr_done * 99 / 100]);
	}
	puts("}");
}

static int measure(struct bench_queue *q, const struct opts *o)
{
	struct figures f = { 0 };
	unsigned int i;
	int ret;

	/* Once to warm up: workqueues, caches, page tables. */
	ret = run_all(q, o->queues, o->count / 4 + o->load.depth);
	if (ret)
		return ret;
	f.worker = cpu_time(true);
	f.initiator = cpu_time(false);
	f.wall = vs_now_ns();
	ret = run_all(q, o->queues, o->count);
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
			 const struct opts *o)
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

static int run_bench(const struct opts *o)
{
	struct vs_env_opts opts = {
		.disk = o->nullio ? VS_DISK_NULL : VS_DISK_RAM,
		.mib = o->load.blocks / 2048,
		.disk_attr = o->attr,
		.pin_memory = o->pin_memory,
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.ring_size = BENCH_MAX_DEPTH,
		.dev.n_io = o->queues,
		.dev.own_workers = o->workers,
		.dev.mem = o->huge ? VS_MEM_HUGE : VS_MEM_SHARED,
		.dev.mem_size = (size_t)(o->queues + 1) * (16 << 20) +
				(size_t)o->queues * o->load.depth * o->load.bs,
	};
	static struct bench_queue q[MAX_QUEUES];
	static struct vs_env env;
	unsigned int i;
	int ret;

	opts.dev.mem_size = (opts.dev.mem_size + (2 << 20) - 1) & -(2UL << 20);
	ret = vs_env_get(&env, &opts);
	if (ret) {
		fprintf(stderr, "bench: no device to measure: %s; is vhost_scsi loaded?\n",
			strerror(-ret));
		return ret;
	}
	vs_scsi_settle(&env.dev, VS_TAG, 0);
	ret = set_up_queues(&env.dev, q, o);
	if (!ret)
		ret = measure(q, o);
	if (ret)
		fprintf(stderr, "bench: %s\n", strerror(-ret));
	for (i = 0; i < o->queues; i++)
		bench_queue_put(&q[i]);
	return vs_env_put(&env) || ret ? -1 : 0;
}

/* "NAME=VALUE" becomes two words, of which the list of attributes is made. */
static bool add_attr(struct opts *o, char *text)
{
	char *value = strchr(text, '=');

	if (!value || o->n_attr == 2 * MAX_ATTRS)
		return false;
	*value = '\0';
	o->attr[o->n_attr++] = text;
	o->attr[o->n_attr++] = value + 1;
	return true;
}

/* What getopt_long() returns: an index of numbers, or of flags, or this. */
#define FLAG		100
#define ATTR		200

static bool in_range(const struct opts *o)
{
	return o->load.depth && o->load.depth <= BENCH_MAX_DEPTH &&
	       o->queues && o->queues <= MAX_QUEUES &&
	       o->load.bs && !(o->load.bs % 512) && o->load.bs <= MAX_BS &&
	       o->load.write_percent <= 100 && o->count >= o->load.depth;
}

static bool parse(struct opts *o, int argc, char **argv)
{
	unsigned int * const number[] = {
		&o->load.depth, &o->queues, &o->load.bs, &o->count,
		&o->load.write_percent, &o->busyloop,
	};
	bool * const flag[] = {
		&o->workers, &o->load.random, &o->nullio, &o->huge,
		&o->load.poll, &o->load.latency, &o->pin_memory,
	};
	static const struct option longopts[] = {
		{ "depth", required_argument, NULL, 0 },
		{ "queues", required_argument, NULL, 1 },
		{ "bs", required_argument, NULL, 2 },
		{ "count", required_argument, NULL, 3 },
		{ "write", required_argument, NULL, 4 },
		{ "busyloop", required_argument, NULL, 5 },
		{ "workers", no_argument, NULL, FLAG },
		{ "random", no_argument, NULL, FLAG + 1 },
		{ "nullio", no_argument, NULL, FLAG + 2 },
		{ "huge", no_argument, NULL, FLAG + 3 },
		{ "poll", no_argument, NULL, FLAG + 4 },
		{ "latency", no_argument, NULL, FLAG + 5 },
		{ "pin-memory", no_argument, NULL, FLAG + 6 },
		{ "attr", required_argument, NULL, ATTR },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (c == '?' || (c == ATTR && !add_attr(o, optarg)))
			return false;
		if (c < FLAG)
			*number[c] = strtoul(optarg, NULL, 0);
		else if (c < ATTR)
			*flag[c - FLAG] = true;
	}
	return optind == argc && in_range(o);
}

int main(int argc, char **argv)
{
	static struct opts o = {
		.load.depth = 32, .load.bs = 4096, .load.blocks = 64 * 2048,
		.queues = 1, .count = 4000,
	};

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (!parse(&o, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	/* A device that loses a command must not hang the run. */
	alarm(10 * vs_patience() / 1000);
	return run_bench(&o) ? 1 : 0;
}
