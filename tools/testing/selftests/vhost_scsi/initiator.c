// SPDX-License-Identifier: GPL-2.0
/*
 * The user-space initiator for shell scripts: writes a pattern to a unit of a
 * target that is there, or looks whether it is there; reserves it, or looks whether it
 * is reserved.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vs_env.h"

#define CHUNK	(64 << 10)
#define CHUNKS	16
#define KEY	0x2a	/* of the reservation */
#define WRITE_EXCLUSIVE	1

static const char usage[] =
	"Usage: initiator WWN TAG LUN write|verify|reserve|reserved\n"
	"\n"
	"Writes a pattern to the first MiB of a unit, or compares it. Reserves the unit\n"
	"(PERSISTENT RESERVE OUT, write exclusive, APTPL), or asks whether that is the\n"
	"reservation that it has, and lets this initiator write. Exit status 0: all\n"
	"commands were GOOD, and the data right.\n";

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

static int transfer_all(struct vs_dev *dev, unsigned int tag, unsigned int lun,
			bool write)
{
	uint8_t *buf = vs_mem_page(&dev->mem, CHUNK / VS_PAGE);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < CHUNKS && !ret; i++)
		ret = transfer(dev, tag, lun, write, buf, i);
	return ret;
}

static int write_all(struct vs_dev *dev, unsigned int tag, unsigned int lun)
{
	return transfer_all(dev, tag, lun, true);
}

static int verify_all(struct vs_dev *dev, unsigned int tag, unsigned int lun)
{
	return transfer_all(dev, tag, lun, false);
}

/* SPC-4 6.14: REGISTER and RESERVE. */
static int reserve(struct vs_dev *dev, unsigned int tag, unsigned int lun)
{
	uint8_t *list = vs_mem_page(&dev->mem, 1);
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, 0, 24);
	struct vs_result res;

	memset(list, 0, 24);
	list[15] = KEY;
	list[20] = 1;	/* APTPL */
	res = vs_scsi_write(dev, tag, lun, cdb, list, 24);
	if (res.err || res.response || res.status)
		return fail("REGISTER", res.err ? res.err : -EIO);
	memset(list, 0, 24);
	list[7] = KEY;
	cdb.b[1] = 1;
	cdb.b[2] = WRITE_EXCLUSIVE;
	res = vs_scsi_write(dev, tag, lun, cdb, list, 24);
	if (res.err || res.response || res.status)
		return fail("RESERVE", res.err ? res.err : -EIO);
	return 0;
}

/* SPC-4 6.13.3: READ RESERVATION; and the holder may write. */
static int is_reserved(struct vs_dev *dev, unsigned int tag, unsigned int lun)
{
	uint8_t *list = vs_mem_page(&dev->mem, 1);
	struct vs_result res;

	memset(list, 0, 24);
	res = vs_scsi_read(dev, tag, lun, vs_cdb_pr(VS_PR_IN, 1, 24), list, 24);
	if (res.err || res.response || res.status)
		return fail("READ RESERVATION", res.err ? res.err : -EIO);
	if (list[7] != 16 || list[15] != KEY || list[21] != WRITE_EXCLUSIVE)
		return fail("not our reservation", -ENOENT);
	return write_all(dev, tag, lun);
}

static const struct {
	const char *name;
	int (*run)(struct vs_dev *dev, unsigned int tag, unsigned int lun);
} verb[] = {
	{ "write", write_all },
	{ "verify", verify_all },
	{ "reserve", reserve },
	{ "reserved", is_reserved },
	{ }
};

int main(int argc, char **argv)
{
	unsigned int tag, lun, i;
	struct vs_dev dev;
	int ret;

	for (i = 0; argc == 5 && verb[i].name; i++)
		if (!strcmp(argv[4], verb[i].name))
			break;
	if (argc != 5 || !verb[i].name) {
		fputs(usage, stderr);
		return 2;
	}
	tag = (unsigned int)atoi(argv[2]);
	lun = (unsigned int)atoi(argv[3]);
	ret = vs_dev_open(&dev, NULL);
	if (ret)
		return fail("/dev/vhost-scsi", ret);
	ret = vs_dev_setup(&dev);
	if (!ret)
		ret = vs_dev_set_endpoint(&dev, argv[1]);
	if (!ret)
		ret = vs_scsi_settle(&dev, tag, lun);
	ret = ret ? fail(argv[1], ret) : verb[i].run(&dev, tag, lun);
	vs_dev_close(&dev);
	return ret;
}
