// SPDX-License-Identifier: GPL-2.0
/*
 * Units that are passed through: what a command means, and how it ended, is theirs
 * to say.
 */
#include "vs_test.h"

#include "vs_unit.h"

#define GUARD		0x5a
#define RECOVERED	1
#define LEN		4096

/* scsi_debug: opts, and where its bad blocks are */
#define OPT_RECOVERED	"8"
#define OPT_MEDIUM	"2"
#define BAD_LBA		0x1234

FIXTURE(passed) {
	struct vs_unit unit;
	struct vs_dev *dev;
	uint8_t *buf;
};

typedef FIXTURE_DATA(passed) passed_data;

/* The same of every fixture: a unit, or the test ends. */
#define PASSED_GET(unit_kind, unit_mods) do {					\
	struct vs_unit_opts __opts = {					\
		.kind = unit_kind, .mods = unit_mods,			\
	};								\
									\
	UNIT_GET(&self->unit, &__opts);					\
	self->dev = self->unit.dev;					\
	self->buf = vs_mem_page(&self->dev->mem, 8);			\
} while (0)

FIXTURE_SETUP(passed)
{
	PASSED_GET(VS_UNIT_PSCSI_DISK, 0);
}

UNIT_TEARDOWN(passed);

static struct vs_result in(passed_data *self, struct vs_cdb cdb, void *buf,
			   size_t len)
{
	return vs_scsi_read(self->dev, VS_TAG, self->unit.lun, cdb, buf, len);
}

static struct vs_result out(passed_data *self, struct vs_cdb cdb,
			    const void *buf, size_t len)
{
	return vs_scsi_write(self->dev, VS_TAG, self->unit.lun, cdb, buf, len);
}

/* scsi_debug has no persistent reservations, and is the one to say so. */
TEST_F(passed, reservations_reach_the_disk)
{
	struct vs_cdb cdb;
	uint8_t action;

	COVERS("REQ-63");
	memset(self->buf, 0, 64);
	self->buf[20] = 0x08;	/* SPEC_I_PT */
	for (action = 0; action <= 7; action++) {
		cdb = vs_cdb_pr(VS_PR_OUT, action, 52);
		EXPECT_CC(5, 0x20, 0, out(self, cdb, self->buf, 52));
	}
}

/* Where the data lies: as LIO takes it, and as it has to be copied. */
static const unsigned int shift[] = { 0, 512, 513, 4095 };

TEST_F(passed, read_with_recovered_error_brings_its_data)
{
	struct vs_result res;
	size_t i;

	COVERS("REQ-35");
	vs_fill(self->buf, LEN, 1);
	ASSERT_GOOD(out(self, vs_cdb_rw10(VS_WRITE_10, 8, 8), self->buf, LEN));
	ASSERT_EQ(0, vs_sdebug_set("opts", OPT_RECOVERED));
	ASSERT_EQ(0, vs_sdebug_set("every_nth", "1"));
	for (i = 0; i < ARRAY_SIZE(shift); i++) {
		uint8_t *to = self->buf + shift[i];

		memset(self->buf, GUARD, 8 * VS_PAGE);
		res = in(self, vs_cdb_rw10(VS_READ_10, 8, 8), to, LEN);
		EXPECT_CC(RECOVERED, 0x5d, 0, res);
		EXPECT_EQ(0, res.resid);
		EXPECT_EQ(VS_RSP + LEN, res.used_len);
		EXPECT_EQ(-1, vs_differs(to, LEN, 1));
		EXPECT_EQ(GUARD, to[LEN]);
	}
}

TEST_F(passed, write_with_recovered_error_has_written)
{
	struct vs_result res;
	size_t i;

	COVERS("REQ-35");
	for (i = 0; i < ARRAY_SIZE(shift); i++) {
		ASSERT_EQ(0, vs_sdebug_set("opts", OPT_RECOVERED));
		ASSERT_EQ(0, vs_sdebug_set("every_nth", "1"));
		vs_fill(self->buf + shift[i], LEN, i);
		res = out(self, vs_cdb_rw10(VS_WRITE_10, 8, 8),
			  self->buf + shift[i], LEN);
		EXPECT_CC(RECOVERED, 0x5d, 0, res);
		EXPECT_EQ(0, res.resid);
		EXPECT_EQ(VS_RSP, res.used_len);
		ASSERT_EQ(0, vs_sdebug_set("every_nth", "0"));
		ASSERT_EQ(0, vs_sdebug_set("opts", "0"));
		memset(self->buf, 0, LEN);
		ASSERT_GOOD(in(self, vs_cdb_rw10(VS_READ_10, 8, 8), self->buf,
			       LEN));
		EXPECT_EQ(-1, vs_differs(self->buf, LEN, i));
	}
}

TEST_F(passed, medium_error_claims_no_data)
{
	struct vs_result res;

	COVERS("REQ-35");
	ASSERT_EQ(0, vs_sdebug_set("opts", OPT_MEDIUM));
	res = in(self, vs_cdb_rw10(VS_READ_10, BAD_LBA, 8), self->buf, LEN);
	EXPECT_CC(3, 0x11, 0, res);
	EXPECT_EQ(LEN, res.resid);
	EXPECT_EQ(VS_RSP, res.used_len);
}

/* One LUN each for the commands of a disk that other units know as another. */
FIXTURE(cd) {
	struct vs_unit unit;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(cd)
{
	PASSED_GET(VS_UNIT_PSCSI_CD, 0);
}

UNIT_TEARDOWN(cd);

/* 42h is UNMAP on disks. Whatever the drive says of it is the answer. */
TEST_F(cd, read_sub_channel_reaches_the_drive)
{
	struct vs_cdb cdb = { .b = { 0x42, 0x02, 0x40, 0x01, 0, 0, 0, 0, 0x10 } };

	COVERS("REQ-63");
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK,
			vs_scsi_read(self->dev, VS_TAG, 0, cdb, self->buf, 16));
}

FIXTURE(scsi2) {
	struct vs_unit unit;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(scsi2)
{
	PASSED_GET(VS_UNIT_PSCSI_SCSI2, 0);
}

UNIT_TEARDOWN(scsi2);

/* Linux puts the LUN into the CDB for such a unit, where RDPROTECT came to be. */
TEST_F(scsi2, lun_in_the_cdb_is_no_protection)
{
	passed_data *data = (passed_data *)self;
	struct vs_cdb write = vs_cdb_rw10(VS_WRITE_10, 0, 1);
	struct vs_cdb read = vs_cdb_rw10(VS_READ_10, 0, 1);

	COVERS("REQ-63");
	write.b[1] = 0x60;
	read.b[1] = 0x60;
	vs_fill(self->buf, 512, 1);
	EXPECT_GOOD(out(data, write, self->buf, 512));
	memset(self->buf, 0, 512);
	EXPECT_GOOD(in(data, read, self->buf, 512));
	EXPECT_EQ(-1, vs_differs(self->buf, 512, 1));
}

FIXTURE(write_protected) {
	struct vs_unit unit;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(write_protected)
{
	/* pscsi_complete_cmd() calls kmap(), which is nothing on these machines. */
	if (vs_kernel_has("__might_resched"))
		SKIP(return, "this kernel complains of LIO's kmap() in an interrupt");
	PASSED_GET(VS_UNIT_PSCSI_DISK, VS_UNIT_READ_ONLY);
}

UNIT_TEARDOWN(write_protected);

/*
 * LIO sets the bit itself, in an interrupt. There it can only reach a buffer that
 * is one piece.
 */
TEST_F(write_protected, mode_sense_10_says_so_in_any_buffer)
{
	static const struct { unsigned int shift; size_t len; } t[] = {
		{ 0, 4096 }, { 4090, 100 }, { 0, 8192 }, { 1, 16384 },
	};
	struct vs_cdb cdb = vs_cdb_op(VS_MODE_SENSE_10);
	size_t i;

	COVERS("REQ-63");
	cdb.b[2] = 0x3f;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t *to = self->buf + t[i].shift;

		cdb.b[7] = t[i].len >> 8;
		cdb.b[8] = t[i].len & 0xff;
		memset(self->buf, 0, 8 * VS_PAGE);
		EXPECT_GOOD(in((passed_data *)self, cdb, to, t[i].len));
		EXPECT_EQ(0x80, to[3] & 0x80);
	}
}

TEST_F(write_protected, mode_sense_6_says_so_in_any_buffer)
{
	struct vs_cdb cdb = vs_cdb_len6(VS_MODE_SENSE_6, 0x3f, 255);

	COVERS("REQ-63");
	EXPECT_GOOD(in((passed_data *)self, cdb, self->buf, 255));
	EXPECT_EQ(0x80, self->buf[2] & 0x80);
	memset(self->buf, 0, VS_PAGE);
	EXPECT_GOOD(in((passed_data *)self, cdb, self->buf + 4090, 255));
	EXPECT_EQ(0x80, self->buf[4092] & 0x80);
	EXPECT_GOOD(in((passed_data *)self, cdb, self->buf, 2 * VS_PAGE));
	EXPECT_EQ(0x80, self->buf[2] & 0x80);
}

FIXTURE(user) {
	struct vs_unit unit;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(user)
{
	PASSED_GET(VS_UNIT_USER, 0);
}

UNIT_TEARDOWN(user);

/*
 * SAT, with CK_COND: the data comes, and with it sense data of what the drive's
 * registers held, which is no failure.
 */
TEST_F(user, ata_pass_through_with_check_condition_brings_its_data)
{
	struct vs_cdb cdb = { .b = { 0x85, 0x08, 0x2e, 0, 0, 0, 1, 0, 0, 0, 0, 0,
				     0, 0, 0xec, 0 } };
	struct vs_tcmu_answer answer = {
		.status = VS_CHECK_CONDITION,
		.sense = { 0x72, RECOVERED, 0, 0x1d, 0, 0, 0, 14, 9, 12 },
		.len = 512,
		.read_len = 512,
	};
	struct vs_result res;
	uint8_t data[512];
	size_t i;

	COVERS("REQ-35 REQ-63");
	vs_fill(data, sizeof(data), 7);
	answer.data = data;
	for (i = 0; i < ARRAY_SIZE(shift); i++) {
		memset(self->buf, GUARD, 2 * VS_PAGE);
		vs_tcmu_answer(&self->unit.tcmu, 0x85, &answer);
		res = in((passed_data *)self, cdb, self->buf + shift[i], 512);
		EXPECT_CC(RECOVERED, 0, 0x1d, res);
		EXPECT_EQ(0, res.resid);
		EXPECT_EQ(VS_RSP + 512, res.used_len);
		EXPECT_EQ(-1, vs_differs(self->buf + shift[i], 512, 7));
		EXPECT_EQ(GUARD, self->buf[shift[i] + 512]);
	}
}

/* How much of a READ arrives with which sense data. */
TEST_F(user, data_arrives_if_the_unit_says_that_it_moved)
{
	static const struct {
		uint8_t sense[16];
		uint32_t read_len;
		uint32_t moved;
	} t[] = {
		/* A block shorter than asked for: ILI, and nothing else. */
		{ { 0xf0, 0, 0x20, 0, 0, 1, 0xe8, 10 }, 512, 512 },
		/* A file mark, and end of medium. */
		{ { 0xf0, 0, 0x80, 0, 0, 0, 0, 10 }, 100, 100 },
		/* RECOVERED ERROR: all of it, or what it says. */
		{ { 0x70, 0, RECOVERED, 0, 0, 0, 0, 10 }, 1000, 1000 },
		{ { 0x70, 0, RECOVERED, 0, 0, 0, 0, 10 }, 512, 512 },
		/* MEDIUM ERROR with nothing read. */
		{ { 0x70, 0, 3, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11 }, 0, 0 },
		/* An earlier command's: this one was not done. */
		{ { 0x71, 0, RECOVERED, 0, 0, 0, 0, 10 }, 0, 0 },
		{ { 0x73, RECOVERED }, 0, 0 },
	};
	struct vs_tcmu_answer answer = { .status = VS_CHECK_CONDITION };
	struct vs_result res;
	uint8_t data[1000];
	size_t i;

	COVERS("REQ-35");
	vs_fill(data, sizeof(data), 7);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		memset(self->buf, GUARD, VS_PAGE);
		memcpy(answer.sense, t[i].sense, sizeof(t[i].sense));
		answer.data = data;
		answer.len = t[i].read_len;
		answer.read_len = t[i].read_len;
		vs_tcmu_answer(&self->unit.tcmu, 0x08, &answer);
		/* READ(6) of a tape: 1,000 bytes. */
		res = in((passed_data *)self,
			 (struct vs_cdb){ .b = { 8, 0, 0, 3, 0xe8 } },
			 self->buf + 1, 1000);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, res);
		EXPECT_EQ(VS_CHECK_CONDITION, res.status);
		EXPECT_EQ(1000 - t[i].moved, res.resid) {
			TH_LOG("case %zu", i);
		}
		EXPECT_EQ(VS_RSP + t[i].moved, res.used_len);
		EXPECT_EQ(-1, vs_differs(self->buf + 1, t[i].moved, 7));
		EXPECT_EQ(-1, vs_not_all(self->buf + 1 + t[i].moved,
					 VS_PAGE - 1 - t[i].moved, GUARD));
	}
}

FIXTURE(tape) {
	struct vs_unit unit;
	struct vs_dev *dev;
	uint8_t *buf;
};

FIXTURE_SETUP(tape)
{
	PASSED_GET(VS_UNIT_PSCSI_TAPE, 0);
}

UNIT_TEARDOWN(tape);

static struct vs_cdb tape_cdb(uint8_t op, unsigned int len)
{
	return (struct vs_cdb){ .b = { op, 0, len >> 16, len >> 8 & 0xff,
				       len & 0xff } };
}

TEST_F(tape, block_shorter_than_asked_for_arrives)
{
	passed_data *data = (passed_data *)self;
	struct vs_result res;

	COVERS("REQ-35 REQ-63");
	vs_fill(self->buf, 512, 3);
	ASSERT_GOOD(out(data, tape_cdb(VS_WRITE_6, 512), self->buf, 512));
	ASSERT_GOOD(in(data, tape_cdb(0x10, 1), NULL, 0));
	ASSERT_GOOD(in(data, tape_cdb(0x01, 0), NULL, 0));
	memset(self->buf, GUARD, VS_PAGE);
	res = in(data, tape_cdb(VS_READ_6, 1000), self->buf, 1000);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, res);
	EXPECT_EQ(VS_CHECK_CONDITION, res.status);
	EXPECT_EQ(0, res.sense >> 16);
	EXPECT_EQ(488, res.resid);
	EXPECT_EQ(VS_RSP + 512, res.used_len);
	/* scsi_debug keeps four bytes of a tape's block. */
	EXPECT_EQ(-1, vs_differs(self->buf, 4, 3));
}

/* 0 is 256 blocks on a disk, and nothing on a tape. */
TEST_F(tape, length_0_is_the_drives_business)
{
	passed_data *data = (passed_data *)self;

	COVERS("REQ-63");
	/* scsi_debug does not take it: it is the one to say so. */
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK,
			in(data, tape_cdb(VS_READ_6, 0), NULL, 0));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK,
			in(data, tape_cdb(VS_WRITE_6, 0), NULL, 0));
}

TEST_HARNESS_MAIN
