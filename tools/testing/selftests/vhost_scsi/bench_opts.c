// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_opts.h"

#define MAX_BS		1048576
#define MAX_LUNS	4096
#define MAX_TARGETS	256

static const char usage[] =
	"Usage: bench [OPTIONS]\n"
	"\n"
	"Reads from a disk through /dev/vhost-scsi, or writes to it, and prints the\n"
	"cost of one command as a line of JSON: ns of wall-clock time, ns of CPU time\n"
	"of the vhost workers and of this program, kicks, sleeps until a call; and\n"
	"how many ns VHOST_SCSI_SET_ENDPOINT took.\n"
	"\n"
	"  --depth N     commands in flight on each queue, 1 to 256 (default 32)\n"
	"  --queues N    request queues, a thread here for each, 1 to 128 (default 1)\n"
	"  --workers     a vhost worker for each request queue\n"
	"  --bs BYTES    bytes of a command, a multiple of 512 up to 1 MiB\n"
	"                (default 4096)\n"
	"  --segments N  pieces of its buffer, which divide BYTES, 1 to 256 (default 1)\n"
	"  --plain       chains without an indirect table\n"
	"  --count N     commands on each queue, at least the depth (default 4000)\n"
	"  --write N     percentage of writes, 0 to 100 (default 0)\n"
	"  --random      at random places\n"
	"  --disk DISK   ram: a ramdisk of 64 MiB (default); null: one that moves no\n"
	"                data, what remains is the transport; file: a file; or the path\n"
	"                of a block device of 64 MiB at least\n"
	"  --luns N      spread over as many LUNs, which are that disk, 1 to 4096\n"
	"                (default 1)\n"
	"  --targets N   targets that have those LUNs each, 1 to 256 (default 1)\n"
	"  --attr NAME=VALUE  an attribute of the backstore, up to 8 times\n"
	"  --huge        guest memory in 2 MiB pages\n"
	"  --regions N   1, or 3: rings and headers, indirect tables, and data lie in\n"
	"                different regions of guest memory (default 1; 3: one queue)\n"
	"  --pin-memory  guest memory that stays pinned\n"
	"  --log         with VHOST_F_LOG_ALL, as during a migration\n"
	"  --poll        watch the used ring instead of waiting for a call\n"
	"  --busyloop US VHOST_SET_VRING_BUSYLOOP_TIMEOUT of the request queues\n"
	"  --guest SUBMIT,COMPLETE,LEAVE,IRQ[,BATCH]  behave as a guest with one\n"
	"                processor, which needs so many instructions to make a command, to\n"
	"                take an answer, to leave the guest, and to take an interrupt; and\n"
	"                kicks after BATCH commands (default 1)\n"
	"  --latency     the median and the 99th percentile, too; costs two looks at\n"
	"                the clock for each command\n";

/* "NAME=VALUE" becomes two words, of which the list of attributes is made. */
static bool add_attr(struct bench_opts *o, char *text)
{
	char *value = strchr(text, '=');

	if (!value || o->n_attr == 2 * BENCH_MAX_ATTRS)
		return false;
	*value = '\0';
	o->attr[o->n_attr++] = text;
	o->attr[o->n_attr++] = value + 1;
	return true;
}

static bool read_guest(struct bench_guest *guest, const char *text)
{
	guest->batch = 1;
	return sscanf(text, "%u,%u,%u,%u,%u", &guest->submit, &guest->complete,
		      &guest->leave, &guest->irq, &guest->batch) >= 4 &&
	       guest->batch;
}

static bool load_in_range(const struct bench_load *load)
{
	return load->depth && load->depth <= BENCH_MAX_DEPTH &&
	       load->bs && !(load->bs % 512) && load->bs <= MAX_BS &&
	       load->segments && load->segments <= 256 &&
	       !(load->bs % load->segments) &&
	       load->luns && load->luns <= MAX_LUNS &&
	       load->targets && load->targets <= MAX_TARGETS &&
	       load->write_percent <= 100 &&
	       (!load->plain ||
		load->depth * (load->segments + 2) <= BENCH_MAX_DEPTH);
}

static bool in_range(const struct bench_opts *o)
{
	return load_in_range(&o->load) &&
	       o->queues && o->queues <= BENCH_MAX_QUEUES &&
	       (o->regions == 1 || (o->regions == 3 && o->queues == 1)) &&
	       o->count >= o->load.depth;
}

/* What getopt_long() returns: an index of numbers, or of flags, or these. */
enum { FLAG = 100, ATTR = 200, DISK, GUEST };

static bool parse(struct bench_opts *o, int argc, char **argv)
{
	unsigned int * const number[] = {
		&o->load.depth, &o->queues, &o->load.bs, &o->count,
		&o->load.write_percent, &o->busyloop, &o->load.segments,
		&o->load.luns, &o->regions, &o->load.targets,
	};
	bool * const flag[] = {
		&o->workers, &o->load.random, &o->huge, &o->load.poll,
		&o->load.latency, &o->pin_memory, &o->load.plain, &o->log,
	};
	static const struct option longopts[] = {
		{ "depth", required_argument, NULL, 0 },
		{ "queues", required_argument, NULL, 1 },
		{ "bs", required_argument, NULL, 2 },
		{ "count", required_argument, NULL, 3 },
		{ "write", required_argument, NULL, 4 },
		{ "busyloop", required_argument, NULL, 5 },
		{ "segments", required_argument, NULL, 6 },
		{ "luns", required_argument, NULL, 7 },
		{ "regions", required_argument, NULL, 8 },
		{ "targets", required_argument, NULL, 9 },
		{ "workers", no_argument, NULL, FLAG },
		{ "random", no_argument, NULL, FLAG + 1 },
		{ "huge", no_argument, NULL, FLAG + 2 },
		{ "poll", no_argument, NULL, FLAG + 3 },
		{ "latency", no_argument, NULL, FLAG + 4 },
		{ "pin-memory", no_argument, NULL, FLAG + 5 },
		{ "plain", no_argument, NULL, FLAG + 6 },
		{ "log", no_argument, NULL, FLAG + 7 },
		{ "attr", required_argument, NULL, ATTR },
		{ "disk", required_argument, NULL, DISK },
		{ "guest", required_argument, NULL, GUEST },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (c == '?' || (c == ATTR && !add_attr(o, optarg)) ||
		    (c == GUEST && !read_guest(&o->load.guest, optarg)))
			return false;
		if (c == DISK)
			o->disk = optarg;
		else if (c < FLAG)
			*number[c] = strtoul(optarg, NULL, 0);
		else if (c < ATTR)
			*flag[c - FLAG] = true;
	}
	return optind == argc && in_range(o);
}

void bench_opts_parse(struct bench_opts *o, int argc, char **argv)
{
	*o = (struct bench_opts) {
		.load.depth = 32, .load.bs = 4096, .load.segments = 1,
		.load.luns = 1, .load.targets = 1, .load.blocks = 64 * 2048,
		.queues = 1, .count = 4000, .disk = "ram", .regions = 1,
	};
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		exit(0);
	}
	if (!parse(o, argc, argv)) {
		fputs(usage, stderr);
		exit(2);
	}
}
