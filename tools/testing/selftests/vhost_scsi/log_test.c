// SPDX-License-Identifier: GPL-2.0
/*
 * A guest does not fill the host's log: requests that LIO would refuse with a line
 * each are answered in front of it.
 */
#include <stdio.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define TIMES	64
/* What else the kernel may say meanwhile. */
#define OTHERS	8

enum side {
	NONE,
	IN,
	OUT,
};

static const struct request {
	const char *what;
	enum side side;
	uint32_t len;
	uint8_t cdb[32];
} requests[] = {
	{ "READ(10) behind the end", IN, 512,
	  { 0x28, 0, 0x7f, 0xff, 0, 0, 0, 0, 1 } },
	{ "WRITE(16) behind the end", OUT, 512,
	  { 0x8a, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "VERIFY(10) behind the end", NONE, 0,
	  { 0x2f, 0, 0x7f, 0xff, 0, 0, 0, 0, 1 } },
	{ "SYNCHRONIZE CACHE(16) behind the end", NONE, 0,
	  { 0x91, 0, 0, 0, 0, 1 } },
	{ "READ(10) of more than the buffer", IN, 512,
	  { 0x28, 0, 0, 0, 0, 0, 0, 0, 8 } },
	{ "WRITE(10) of less than the buffer", OUT, 4096,
	  { 0x2a, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "READ(10) with RDPROTECT", IN, 512,
	  { 0x28, 0x20, 0, 0, 0, 0, 0, 0, 1 } },
	{ "READ(10) with FUA", IN, 512,
	  { 0x28, 0x08, 0, 0, 0, 0, 0, 0, 1 } },
	{ "WRITE SAME(10) of no block", OUT, 512, { 0x41 } },
	{ "WRITE SAME(16) of 2^31 blocks", OUT, 512,
	  { 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80 } },
	{ "WRITE SAME(16) with PBDATA", OUT, 512,
	  { 0x93, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "WRITE SAME(16) with NDOB", NONE, 0,
	  { 0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "WRITE SAME(16) with UNMAP", OUT, 512,
	  { 0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "COMPARE AND WRITE of no block", NONE, 0, { 0x89 } },
	{ "COMPARE AND WRITE of two blocks", OUT, 2048,
	  { 0x89, [13] = 2 } },
	{ "UNMAP where there is none", OUT, 24, { 0x42, [8] = 24 } },
	{ "unknown action of 7Fh", IN, 512, { 0x7f, [7] = 0x18, [9] = 0xff } },
	{ "unknown action of 9Eh", IN, 32, { 0x9e, 0x1f, [13] = 32 } },
	{ "unknown mode page", IN, 255, { 0x1a, 0, 0x2a, 0, 255 } },
	{ "unknown subpages", IN, 255, { 0x5a, 0, 0x3f, 0x77, [8] = 255 } },
	{ "INQUIRY of a page without EVPD", IN, 96, { 0x12, 0, 0x80, 0, 96 } },
	{ "REQUEST SENSE with DESC", IN, 96, { 0x03, 1, 0, 0, 96 } },
	{ "unknown action of PERSISTENT RESERVE IN", IN, 64,
	  { 0x5e, 0x1f, [8] = 64 } },
	{ "PERSISTENT RESERVE IN of 4 bytes", IN, 64, { 0x5e, 0, [8] = 4 } },
	{ "unknown action of PERSISTENT RESERVE OUT", OUT, 24,
	  { 0x5f, 0x1f, [8] = 24 } },
	{ "PERSISTENT RESERVE OUT of 8 bytes", OUT, 24, { 0x5f, 0, [8] = 8 } },
	{ "EXTENDED COPY", OUT, 16, { 0x83, 0, [13] = 16 } },
	{ "unknown action of RECEIVE COPY RESULTS", IN, 64,
	  { 0x84, 0x1f, [13] = 64 } },
	{ "unknown action of MAINTENANCE IN", IN, 64, { 0xa3, 0x1f, [9] = 64 } },
	{ "INQUIRY for more than the buffer", IN, 36, { 0x12, 0, 0, 1, 0 } },
	{ "unknown operation code", IN, 36, { 0xc5 } },
	{ "a LUN that is not there", NONE, 0, { 0x00 } },
};

FIXTURE(host_log) {
	struct vs_env env;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_VARIANT(host_log) {
	enum vs_disk disk;
};

FIXTURE_VARIANT_ADD(host_log, ramdisk) {
	.disk = VS_DISK_RAM,
};

FIXTURE_VARIANT_ADD(host_log, file) {
	.disk = VS_DISK_FILE,
};

FIXTURE_SETUP(host_log)
{
	static const char *const attr[] = {
		"emulate_fua_write", "0", "emulate_tpu", "0",
		"emulate_tpws", "0", NULL
	};
	struct vs_env_opts opts = { .disk = variant->disk, .disk_attr = attr };

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->buf = vs_mem_page(&self->dev->mem, 1);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(host_log);

/* Lines that the kernel has printed since the last time. */
static unsigned int lines(int kmsg)
{
	char line[1024];
	unsigned int n = 0;

	while (vs_kmsg_next(kmsg, line, sizeof(line)))
		n++;
	return n;
}

static int send(struct vs_dev *dev, uint16_t lun, const struct request *r,
		uint8_t *buf)
{
	struct vs_cdb cdb;

	memcpy(cdb.b, r->cdb, sizeof(cdb.b));
	if (r->side == OUT)
		return vs_scsi_write(dev, TAG, lun, cdb, buf, r->len).err;
	return vs_scsi_read(dev, TAG, lun, cdb, buf, r->len).err;
}

TEST_F(host_log, has_no_line_for_a_request_of_a_guest)
{
	int kmsg = vs_kmsg_open();
	size_t i, mark, n = ARRAY_SIZE(requests);
	unsigned int j, said;

	COVERS("REQ-68");
	ASSERT_LE(0, kmsg);
	mark = self->dev->mem.used;
	for (i = 0; i < n; i++) {
		for (j = 0; j < TIMES; j++) {
			self->dev->mem.used = mark;
			ASSERT_EQ(0, send(self->dev, i == n - 1 ? 5 : 0,
					  &requests[i], self->buf));
		}
		said = lines(kmsg);
		EXPECT_GT(OTHERS, said) {
			TH_LOG("%u lines for %u times %s", said, TIMES,
			       requests[i].what);
		}
	}
	close(kmsg);
}

TEST_HARNESS_MAIN
