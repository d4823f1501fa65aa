// SPDX-License-Identifier: GPL-2.0
/*
 * The user-space initiator for shell scripts: writes a pattern to a unit of a
 * target that is there, or looks whether it is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vs_env.h"

#define CHUNK	(64 << 10)
#define CHUNKS	16

static const char usage[] =
	"Usage: initiator WWN TAG LUN write|verify\n"
	"\n"
	"Writes a pattern to the first MiB of a unit, or compares it. Exit status\n"
	"0: all commands were GOOD, and the data right.\n";

static int fail(const char *what, int err)
{
	fprintf(stderr, "initiator: %s: %s\n", what, strerror(-err));
	return 1;
}

/* One chunk; where it is in the unit decides what it holds. */
static int transfer(struct vs_dev *dev, unsigned int tag, unsigned int lun,
		    bool write, uint8_t *buf, unsigned int i)
{
	struct vs_cdb cdb = vs_cdb_rw10(write ? VS_WRITE_10 : VS_READ_10,
					i * (CHUNK / 512), CHUNK / 512);
	struct vs_result res;

	if (write) {
		vs_fill(buf, CHUNK, i + 1);
		res = vs_scsi_write(dev, tag, lun, cdb, buf, CHUNK);
	} else {
		memset(buf, 0, CHUNK);
		res = vs_scsi_read(dev, tag, lun, cdb, buf, CHUNK);
	}
	if (res.err)
		return fail("no answer", res.err);
	if (res.response || res.status) {
		fprintf(stderr, "initiator: response %u, status %#x, sense %#x\n",
			res.response, res.status, res.sense);
		return 1;
	}
	if (!write && vs_differs(buf, CHUNK, i + 1) >= 0) {
		fprintf(stderr, "initiator: chunk %u differs at byte %ld\n", i,
			vs_differs(buf, CHUNK, i + 1));
		return 1;
	}
	return 0;
}

static int run(struct vs_dev *dev, unsigned int tag, unsigned int lun,
	       bool write)
{
	uint8_t *buf = vs_mem_page(&dev->mem, CHUNK / VS_PAGE);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < CHUNKS && !ret; i++)
		ret = transfer(dev, tag, lun, write, buf, i);
	return ret;
}

int main(int argc, char **argv)
{
	unsigned int tag, lun;
	struct vs_dev dev;
	bool write;
	int ret;

	if (argc != 5 || (strcmp(argv[4], "write") && strcmp(argv[4], "verify"))) {
		fputs(usage, stderr);
		return 2;
	}
	tag = (unsigned int)atoi(argv[2]);
	lun = (unsigned int)atoi(argv[3]);
	write = !strcmp(argv[4], "write");
	ret = vs_dev_open(&dev, NULL);
	if (ret)
		return fail("/dev/vhost-scsi", ret);
	ret = vs_dev_setup(&dev);
	if (!ret)
		ret = vs_dev_set_endpoint(&dev, argv[1]);
	if (!ret)
		ret = vs_scsi_settle(&dev, tag, lun);
	ret = ret ? fail(argv[1], ret) : run(&dev, tag, lun, write);
	vs_dev_close(&dev);
	return ret;
}
