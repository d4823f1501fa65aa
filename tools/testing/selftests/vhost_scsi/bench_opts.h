/* SPDX-License-Identifier: GPL-2.0 */
/* What the benchmark is asked to do. */
#ifndef BENCH_OPTS_H
#define BENCH_OPTS_H

#include "bench_queue.h"

#define BENCH_MAX_QUEUES	(VS_MAX_RINGS - VS_IO)
#define BENCH_MAX_ATTRS		8

/**
 * struct bench_opts - the command line
 * @load: what each queue does
 * @queues: request queues
 * @count: commands on each of them
 * @disk: "ram", "null", "file", or the path of a block device
 * @huge: guest memory in 2 MiB pages
 * @regions: guest memory as the device sees it: 1 region, or 3
 * @workers: a worker for each request queue
 * @pin_memory: the attribute of the target
 * @log: the device logs what it writes into guest memory, as for a migration
 * @busyloop: VHOST_SET_VRING_BUSYLOOP_TIMEOUT in microseconds, 0 for none
 * @attr: attributes of the backstore, as pairs of name and value, ended by NULL
 * @n_attr: words in @attr
 */
struct bench_opts {
	struct bench_load load;
	unsigned int queues;
	unsigned int count;
	const char *disk;
	bool huge;
	unsigned int regions;
	bool workers;
	bool pin_memory;
	bool log;
	unsigned int busyloop;
	const char *attr[2 * BENCH_MAX_ATTRS + 2];
	unsigned int n_attr;
};

/**
 * bench_opts_parse() - read the command line
 * @o: result
 * @argc: of main()
 * @argv: of main(); "NAME=VALUE" of an attribute is cut in two
 *
 * Ends the process after --help, and with status 2 if something is wrong.
 */
void bench_opts_parse(struct bench_opts *o, int argc, char **argv);

#endif /* BENCH_OPTS_H */
