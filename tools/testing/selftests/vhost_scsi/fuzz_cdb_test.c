// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that sends any command to units of every kind: each operation code that LIO
 * parses and all others, fields at their edges, buffers of any length and direction,
 * several at a time, with task management in between.
 *
 * A batch is a function of its seed and of what came before; a failure prints
 * both, and VS_SEED=SEED VS_ROUNDS=COMMANDS fuzz_cdb_test -v VARIANT begins there.
 * VS_LONG=1 is the long campaign, in which each command must be GOOD often, and must
 * fail often.
 */
#include <stdio.h>

#include "fuzz_cdb.h"
#include "vs_test.h"

#define SHORT		60		/* commands to each unit */
#define LONG		20000
#define KNOWN		(4UL << 20)	/* bytes of a medium that nobody changes */
#define LIMIT		3000		/* seconds */

struct totals *fuzz_totals;

static void __attribute__((constructor)) share_totals(void)
{
	fuzz_totals = mmap(NULL, sizeof(*fuzz_totals), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fuzz_totals == MAP_FAILED)
		abort();
}

FIXTURE(fuzz_cdb) {
	struct fuzz f;
};

FIXTURE_VARIANT(fuzz_cdb) {
	enum vs_unit_kind kind;
	unsigned int mods;
	bool pi;
	bool only_long;
};

#define UNIT_FIXTURE fuzz_cdb
#include "vs_unit_emulated.h"
#include "vs_unit_passed.h"

#define MORE(name_, kind_, mods_, pi_)					\
	FIXTURE_VARIANT_ADD(fuzz_cdb, name_) {				\
		.kind = kind_, .mods = mods_, .pi = pi_,		\
	}

/* The guest has protection information, too. */
MORE(ramdisk_pi_guest, VS_UNIT_RAMDISK_PI, 0, true);
MORE(file_pi_guest, VS_UNIT_FILE_PI, 0, true);
MORE(file_port_pi_guest, VS_UNIT_FILE_PORT_PI, 0, true);
MORE(block_pi_guest, VS_UNIT_BLOCK_PI, 0, true);
/* Others write it, and it stays as they did. */
MORE(file_read_only, VS_UNIT_FILE, VS_UNIT_READ_ONLY, false);
MORE(block_read_only, VS_UNIT_BLOCK, VS_UNIT_READ_ONLY, false);
MORE(pscsi_disk_read_only, VS_UNIT_PSCSI_DISK, VS_UNIT_READ_ONLY, false);
MORE(user_read_only, VS_UNIT_USER, VS_UNIT_READ_ONLY, false);
MORE(file_reserved, VS_UNIT_FILE, VS_UNIT_RESERVED, false);
MORE(block_reserved, VS_UNIT_BLOCK, VS_UNIT_RESERVED, false);
MORE(user_reserved, VS_UNIT_USER, VS_UNIT_RESERVED, false);

/* Much like others, and slow to make. */
#define CAMPAIGN(name_, kind_, pi_)					\
	FIXTURE_VARIANT_ADD(fuzz_cdb, name_) {				\
		.kind = kind_, .pi = pi_, .only_long = true,		\
	}
CAMPAIGN(pscsi_disk_guest, VS_UNIT_PSCSI_DISK, true);
CAMPAIGN(pscsi_scsi2, VS_UNIT_PSCSI_SCSI2, false);
CAMPAIGN(block_atomic_pi, VS_UNIT_BLOCK_ATOMIC_PI, false);

#define VARIANTS	28

static void send_tmf(struct fuzz *f)
{
	static const uint8_t subtype[] = { 0, 0, 0, 0, 0, 0, 1, 2, 3, 6, 7, 8 };
	const struct slot *s = &f->slot[pick(f, f->n)];
	uint32_t what = PICK(f, subtype);
	int ret;

	if (chance(f, 12))
		what = chance(f, 70) ? VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET :
		       VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET;
	f->tmfs++;
	ret = vs_tmf(f->dev, VS_TAG, f->unit.lun, what,
		     chance(f, 90) ? s->tag : pick(f, 1000), NULL);
	if (ret == VIRTIO_SCSI_S_OK || ret == VIRTIO_SCSI_S_BUSY ||
	    (ret >= VIRTIO_SCSI_S_FUNCTION_SUCCEEDED &&
	     ret <= VIRTIO_SCSI_S_INCORRECT_LUN))
		return;
	fuzz_complain(f, NULL, "task management %u: %d", what, ret);
}

/* All heads of the batch, once each. */
static bool collect(struct fuzz *f)
{
	struct vring_used_elem elem;
	unsigned int i;

	for (i = 0; i < f->n; i++)
		if (vs_ring_wait(f->ring, &elem, vs_patience()))
			break;
	for (i = 0; i < f->n; i++)
		if (f->slot[i].req.chain.times != 1)
			fuzz_complain(f, &f->slot[i], "it came back %u times",
				      f->slot[i].req.chain.times);
	if (vs_ring_pending(f->ring))
		fuzz_complain(f, NULL, "more came back than was sent");
	return !f->complaints;
}

static bool run_batch(struct fuzz *f)
{
	struct window w;
	unsigned int i;

	f->first = f->seed;
	f->n = chance(f, 40) ? 1 : 1 + pick(f, BATCH);
	f->may_abort = false;
	f->dev->mem.used = f->mark;
	for (i = 0; i < f->n; i++) {
		fuzz_make_slot(f, &f->slot[i]);
		f->sent++;
	}
	w = fuzz_open_window(f, &f->slot[0]);
	for (i = 0; i < f->n; i++)
		if (vs_ring_add(f->ring, &f->slot[i].req.chain))
			fuzz_complain(f, &f->slot[i], "no descriptors");
	f->may_abort |= chance(f, 15);
	vs_ring_kick(f->ring);
	for (i = 0; f->may_abort && i < 3; i++)
		send_tmf(f);
	if (!collect(f))
		return false;
	for (i = 0; i < f->n; i++)
		fuzz_check_slot(f, &f->slot[i]);
	fuzz_check_window(f, &f->slot[0], &w);
	fuzz_read_log(f);
	fuzz_read_trace(f);
	return !f->complaints;
}

/* A page that MODE SELECT takes: what MODE SENSE says. */
static void get_page(struct fuzz *f)
{
	struct vs_cdb cdb = vs_cdb_len6(VS_MODE_SENSE_6, 0x0a, 64);
	struct vs_result res;

	if (is_pscsi(f) && f->mods)
		return;
	cdb.b[1] = 8;	/* DBD */
	res = vs_scsi_read(f->dev, VS_TAG, f->unit.lun, cdb, f->buf, 64);
	if (res.err || res.response || res.status || f->buf[3] || f->buf[5] > 50)
		return;
	f->page_len = f->buf[5] + 2;
	memcpy(f->page, f->buf + 4, f->page_len);
}

static void alloc(struct fuzz *f)
{
	struct vs_mem *mem = &f->dev->mem;
	unsigned int i;

	f->buf = vs_mem_alloc(mem, BUF_MAX, VS_PAGE);
	f->seen = vs_mem_alloc(mem, WINDOW * 4096, VS_PAGE);
	f->old = calloc(WINDOW, 4096);
	f->flat = calloc(2, BUF_MAX);
	if (!f->old || !f->flat)
		abort();
	for (i = 0; i < BATCH; i++) {
		struct slot *s = &f->slot[i];

		vs_req_bare(&s->req, f->dev, VS_TAG, f->unit.lun,
			    vs_cdb_op(0));
		s->req.rsp = vs_mem_alloc(mem, RSP_ROOM, 64);
		s->area = vs_mem_alloc(mem, AREA, VS_PAGE);
		s->want = calloc(1, AREA);
		if (!s->want)
			abort();
	}
	f->mark = mem->used;
}

/*
 * The driver looks at its units twice a second, and reports a new write cache by a unit
 * attention: here, and not in the middle of what comes.
 */
static int switch_cache_on(struct fuzz *f)
{
	const struct vs_backstore *bs = &f->unit.env.bs[0];
	int64_t end = vs_now_ms() + vs_patience();
	size_t used = f->dev->mem.used;
	struct vs_result res;
	char path[512], text[16];

	snprintf(path, sizeof(path), "%s/attrib/emulate_write_cache", bs->path);
	if (vs_read_file(path, text, sizeof(text)) <= 0 || text[0] != '0' ||
	    vs_backstore_attr(bs, "emulate_write_cache", "1"))
		return 0;
	while (vs_now_ms() < end) {
		res = vs_scsi_read(f->dev, VS_TAG, f->unit.lun,
				   vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0);
		f->dev->mem.used = used;
		if (res.err || res.sense == sense(6, 0x2a, 1))
			return res.err;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

/* Does this kernel's LIO know WRITE ATOMIC? */
static bool knows_atomic(const struct fuzz *f)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/attrib/atomic_max_len",
		 f->unit.env.bs[0].path);
	return !access(path, F_OK);
}

FIXTURE_SETUP(fuzz_cdb)
{
	struct vs_unit_opts opts = {
		.kind = variant->kind,
		.mods = variant->mods,
		.dev.features = VS_F_MODERN | (variant->pi ?
				VS_BIT(VIRTIO_SCSI_F_T10_PI) : 0),
	};
	struct fuzz *f = &self->f;

	memset(f, 0, sizeof(*f));
	f->trace = -1;
	fuzz_totals->variants++;
	if (variant->only_long && vs_rounds(SHORT, LONG) <= SHORT)
		SKIP(return, "only in a campaign");
	UNIT_GET(&f->unit, &opts);
	fuzz_totals->atomic |= knows_atomic(f);
	f->dev = f->unit.dev;
	f->ring = &f->dev->ring[VS_IO];
	f->kind = variant->kind;
	f->mods = variant->mods;
	f->pi = variant->pi;
	f->block = f->unit.type->block_size;
	f->blocks = f->block ? vs_scsi_blocks(f->dev, VS_TAG, f->unit.lun) : 0;
	f->usual = f->blocks;
	if (f->mods && f->blocks > KNOWN / f->block)
		f->usual = KNOWN / f->block;
	alloc(f);
	get_page(f);
	if (f->mods)
		ASSERT_EQ(0, fuzz_write_medium(f));
	/* Some backstores can, and then they do more. */
	vs_backstore_attr(&f->unit.env.bs[0], "emulate_tpu", "1");
	vs_backstore_attr(&f->unit.env.bs[0], "emulate_tpws", "1");
	ASSERT_EQ(0, switch_cache_on(f));
	vs_tpg_attr(VS_WWN, VS_TAG, "extended_copy", "1");
	/* Referrals: all blocks are optimal by port group 0. */
	vs_backstore_write(&f->unit.env.bs[0], "lba_map", "64 1\n0 1023 0:O\n");
	f->trace = fuzz_open_trace();
	ASSERT_LE(0, f->trace);
	/* What was logged so far is not the guest's doing. */
	fuzz_read_log(f);
	ASSERT_EQ(0, f->complaints);
	memset(f->message, 0, sizeof(f->message));
	f->lines = 0;
	f->seed = vs_seed(20261129);
}

static void free_slots(struct fuzz *f)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		vs_req_put(&f->slot[i].req);
		free(f->slot[i].want);
	}
	free(f->old);
	free(f->flat);
}

FIXTURE_TEARDOWN(fuzz_cdb)
{
	struct fuzz *f = &self->f;

	fuzz_close_trace(f->trace);
	free_slots(f);
	UNIT_PUT(&f->unit);
}

static void print_opcodes(const struct fuzz *f)
{
	unsigned int i, n = 0;

	for (i = 0; i < 256; i++) {
		if (!f->good[i] && f->bad[i] < 3)
			continue;
		fprintf(stderr, "%s%02x:%lu/%lu", n % 10 ? "  " : n ? "\n#   " :
			"#   ", i, f->good[i], f->bad[i]);
		n++;
	}
	fprintf(stderr, "\n");
}

static void print_results(const struct fuzz *f, uint64_t seed)
{
	unsigned long good = 0;
	unsigned int i;

	for (i = 0; i < 256; i++)
		good += f->good[i];
	fprintf(stderr, "# seed %#llx: %lu commands, %lu GOOD, %lu task management,",
		(unsigned long long)seed, f->sent, good, f->tmfs);
	fprintf(stderr, " %lu writes looked at, %lu blocks compared\n",
		f->looked, f->compared);
	fprintf(stderr, "# responses:");
	for (i = 0; i < ARRAY_SIZE(f->response); i++)
		if (f->response[i])
			fprintf(stderr, " %u:%lu", i, f->response[i]);
	fprintf(stderr, "\n# good/other by operation code:\n");
	print_opcodes(f);
	fprintf(stderr, "# %lu lines in the log, %lu for 1,000 commands\n",
		f->lines, f->lines * 1000 / (f->sent ? f->sent : 1));
	for (i = 0; i < MESSAGES && f->message[i].count; i++)
		fprintf(stderr, "# %6lu for 1,000: %s\n",
			f->message[i].count * 1000 / f->sent,
			f->message[i].text);
}

TEST_F_TIMEOUT(fuzz_cdb, any_command_is_answered_and_moves_what_it_says, LIMIT)
{
	unsigned long shots = vs_rounds(SHORT, LONG);
	struct fuzz *f = &self->f;
	uint64_t first = f->seed;

	while (f->sent < shots && run_batch(f))
		;
	if (f->mods && !f->complaints)
		fuzz_check_medium(f);
	EXPECT_EQ(0, f->complaints);
	print_results(f, first);
	fuzz_totals->sent += f->sent;
	fuzz_totals->lines += f->lines;
}

FIXTURE(fuzz_cdb_matrix) {
};

FIXTURE_SETUP(fuzz_cdb_matrix)
{
}

FIXTURE_TEARDOWN(fuzz_cdb_matrix)
{
}

/* A thousand of two million. */
#define ENOUGH(sent)	((sent) / 2000)

TEST_F(fuzz_cdb_matrix, every_command_was_good_often_and_failed_often)
{
	size_t i;

	TH_LOG("%u units, %lu commands, %lu lines in the log", fuzz_totals->variants,
	       fuzz_totals->sent, fuzz_totals->lines);
	if (fuzz_totals->variants < VARIANTS || fuzz_totals->sent < 100000)
		SKIP(return, "too few commands to tell");
	for (i = 0; i < fuzz_n_rows; i++) {
		const struct row *row = &fuzz_rows[i];

		TH_LOG("%02x/%02x: %lu good, %lu failed", row->op, row->action,
		       fuzz_totals->good[i], fuzz_totals->bad[i]);
		EXPECT_LE(ENOUGH(fuzz_totals->sent), fuzz_totals->bad[i]);
		if (row->op == 0x9c && !fuzz_totals->atomic)
			continue;
		EXPECT_LE(ENOUGH(fuzz_totals->sent), fuzz_totals->good[i]);
	}
}

TEST_HARNESS_MAIN
