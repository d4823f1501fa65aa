// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that writes anything into its rings: headers, CDBs, layouts, descriptors,
 * addresses, available entries; then the same while other threads change the bytes
 * that the device reads, and take pages away.
 *
 * A batch is a function of its seed, so that what went wrong comes again with the
 * seed that was printed: VS_SEED=SEED VS_ROUNDS=BATCH fuzz_ring_test. Whatever a batch
 * holds, each head comes back once (I1); where the device cannot know what a chain
 * was, it stops and says so, and goes on when the entry has been replaced.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "vs_random.h"
#include "vs_test.h"

#define TAG		VS_TAG
#define BATCH		15		/* requests at a time */
#define STRIDE		8		/* descriptors of each */
#define SEGS		6		/* segments of a request at most */
#define ROOM		VS_PAGE		/* header, response, table of a request */
#define DATA		(12UL << 20)	/* what data segments point into */
#define GLASS		16		/* pages of it that come and go */
#define LIMIT		1100

#define TRACE		"/sys/kernel/tracing/"
#define REJECT		TRACE "events/vhost_scsi/vhost_scsi_cmd_reject/enable"

/*
 * What a request can be refused for before LIO sees it. Some need more than bytes,
 * and have tests of their own: "no memory" (fault_request_test), "no slot" (inflight_test),
 * "unit attention" (change_test), "read-only" and "length of parameter list"
 * (unit_medium_test, unit_opcode_test); "session stopped" is what LIO may say, and never
 * does while an endpoint is set.
 */
static const struct {
	const char *why;
	bool pi_only;
} reasons[] = {
	{ "no room for a response", false },
	{ "layout", false },
	{ "header not readable", false },
	{ "LUN field", false },
	{ "no such target", false },
	{ "no such LUN", false },
	{ "operation code", false },
	{ "field in CDB", false },
	{ "blocks out of range", false },
	{ "buffer too short, or for the other direction", false },
	{ "length of data or protection information", true },
	{ "no blocks", true },
	{ "too many pages", true },
	{ "data not accessible", false },
	{ "length of protection information", true },
};

struct fuzz {
	struct vs_dev *dev;
	struct vs_ring *ring;
	uint64_t seed;
	bool pi;
	uint8_t *room;		/* BATCH times ROOM */
	uint8_t *data;
	uint8_t *glass;		/* the first pages of @data */
	uint16_t good;		/* head of a chain that is right */
	unsigned int due[128];	/* how often a head is to come back */
	unsigned int was[128];	/* how often the good head took its place */
	int stands_at;		/* where the device was when it complained */
	unsigned long shots, repairs;
	unsigned long hit[ARRAY_SIZE(reasons)];
	int trace;
	volatile bool stop;
};

FIXTURE(fuzz) {
	struct vs_env env;
	struct fuzz f;
};

FIXTURE_VARIANT(fuzz) {
	enum vs_disk disk;
	bool pi;
	bool pin_memory;
};

FIXTURE_VARIANT_ADD(fuzz, block_device) {
	.disk = VS_DISK_HOLD,
};

FIXTURE_VARIANT_ADD(fuzz, protected_ramdisk) {
	.disk = VS_DISK_RAM,
	.pi = true,
};

FIXTURE_VARIANT_ADD(fuzz, file_and_pinned_memory) {
	.disk = VS_DISK_FILE,
	.pin_memory = true,
};

static int trace_open(void)
{
	vs_write_file(TRACE "trace", "");
	if (vs_write_file(REJECT, "1") < 0)
		return -1;
	return open(TRACE "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Counts what was refused since the last time, and why. */
static void trace_read(struct fuzz *f)
{
	static char text[65536];
	char *line, *next, *why;
	ssize_t n;
	size_t i;

	while ((n = read(f->trace, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		for (line = text; line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			why = strstr(line, " why=");
			if (!why)
				continue;
			why += 5;
			for (i = 0; i < ARRAY_SIZE(reasons); i++) {
				size_t len = strlen(reasons[i].why);

				if (!strncmp(why, reasons[i].why, len) &&
				    !strncmp(why + len, " response", 9))
					f->hit[i]++;
			}
		}
	}
}

/* The chain that replaces what the device could not read: TEST UNIT READY. */
static void make_good(struct fuzz *f)
{
	static struct vs_req req;

	vs_req_get(&req, f->dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	f->good = f->ring->num - 2;
	vs_ring_write_desc(f->ring, f->good, req.chain.out[0].gpa,
			   req.chain.out[0].len, VRING_DESC_F_NEXT,
			   f->good + 1);
	vs_ring_write_desc(f->ring, f->good + 1, req.chain.in[0].gpa,
			   req.chain.in[0].len, VRING_DESC_F_WRITE, 0);
}

FIXTURE_SETUP(fuzz)
{
	static const char * const protect[] = {
		"pi_prot_type", "1", NULL
	};
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | (variant->pi ?
				VS_BIT(VIRTIO_SCSI_F_T10_PI) : 0),
		.dev.mem_size = 32UL << 20,
		.dev.mem = VS_MEM_PRIVATE,
		.disk = variant->disk,
		.mib = 4,
		.disk_attr = variant->pi ? protect : NULL,
		.pin_memory = variant->pin_memory,
	};
	struct fuzz *f = &self->f;
	unsigned int i;

	memset(f, 0, sizeof(*f));
	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 4, true));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]));
	f->dev = &self->env.dev;
	f->ring = &f->dev->ring[VS_IO];
	f->pi = variant->pi;
	ASSERT_EQ(0, vs_scsi_settle(f->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(f->dev, TAG, 1));
	make_good(f);
	f->room = vs_mem_alloc(&f->dev->mem, BATCH * ROOM, VS_PAGE);
	/* Last, so that what is too long leaves the guest's memory. */
	f->data = vs_mem_alloc(&f->dev->mem, DATA, VS_PAGE);
	f->glass = f->data;
	for (i = 0; i < GLASS; i += 4)
		ASSERT_EQ(0, munmap(f->glass + i * VS_PAGE, VS_PAGE));
	f->seed = vs_seed(20261126);
	f->trace = trace_open();
	ASSERT_LE(0, f->trace);
}

FIXTURE_TEARDOWN(fuzz)
{
	vs_write_file(REJECT, "0");
	close(self->f.trace);
	/* The books were kept here: nothing of the library's is in the ring. */
	ENV_PUT(&self->env);
}

/* -- a request -- */

static uint32_t pick(struct fuzz *f, uint32_t below)
{
	return vs_pick(&f->seed, below);
}

static bool chance(struct fuzz *f, unsigned int percent)
{
	return vs_chance(&f->seed, percent);
}

static void scribble(struct fuzz *f, uint8_t *p, size_t len)
{
	while (len--)
		*p++ = pick(f, 256);
}

static struct vs_cdb make_cdb(struct fuzz *f)
{
	static const uint8_t op[] = {
		0x00, 0x03, 0x12, 0x12, 0x15, 0x1a, 0x1b, 0x1d, 0x25, 0x28,
		0x2a, 0x2e, 0x2f, 0x35, 0x41, 0x42, 0x4d, 0x53, 0x55, 0x5a,
		0x5e, 0x5f, 0x7f, 0x83, 0x84, 0x88, 0x89, 0x8a, 0x91, 0x93,
		0x9e, 0xa0, 0xa3, 0xa4, 0xa8, 0xaa, 0xb7, 0xff,
	};
	struct vs_cdb cdb;

	if (chance(f, 60))
		return vs_cdb_rw10(chance(f, 50) ? VS_READ_10 : VS_WRITE_10,
				   pick(f, 4096), pick(f, 64) + 1);
	memset(&cdb, 0, sizeof(cdb));
	if (chance(f, 40))
		scribble(f, cdb.b, sizeof(cdb.b));
	cdb.b[0] = op[pick(f, ARRAY_SIZE(op))];
	if (chance(f, 10))
		cdb.b[0] = pick(f, 256);
	/* EXTENDED COPY waits for a unit for ever, LIO being LIO. */
	if (cdb.b[0] == 0x83)
		cdb.b[0] = 0x84;
	return cdb;
}

static void make_header(struct fuzz *f, struct virtio_scsi_cmd_req *hdr,
			const struct vs_cdb *cdb)
{
	struct virtio_scsi_cmd_req_pi *pi = (void *)hdr;
	uint8_t *at = f->pi ? pi->cdb : hdr->cdb;

	scribble(f, (uint8_t *)hdr, VS_HDR_PI);
	vs_lun(hdr->lun, chance(f, 96) ? TAG : pick(f, 256),
	       chance(f, 94) ? pick(f, 2) : pick(f, 16384));
	if (chance(f, 3))
		scribble(f, hdr->lun, 8);
	hdr->task_attr = chance(f, 90) ? 0 : pick(f, 8);
	if (f->pi) {
		pi->pi_bytesout = chance(f, 80) ? 0 : pick(f, 64) * 8;
		pi->pi_bytesin = chance(f, 80) ? 0 : pick(f, 64) * 8;
		if (chance(f, 2))
			pi->pi_bytesin = pick(f, ~0U);
	}
	memcpy(at, cdb->b, sizeof(cdb->b));
}

/* A place for @len bytes of data; few of them are none. */
static struct vs_seg data_seg(struct fuzz *f, uint32_t len)
{
	struct vs_seg seg = {
		.gpa = vs_mem_gpa(&f->dev->mem, f->data +
				  pick(f, DATA - len) / 512 * 512),
		.len = len,
	};

	if (chance(f, 10))
		seg.gpa = vs_mem_gpa(&f->dev->mem,
				     f->glass + pick(f, GLASS * VS_PAGE));
	if (chance(f, 15))
		seg.gpa += pick(f, 512);
	if (chance(f, 1))
		seg.gpa = (uint64_t)pick(f, ~0U) << pick(f, 33);
	if (chance(f, 1))
		seg.len = pick(f, 2 * DATA);
	return seg;
}

/* Splits @len bytes of data into segments; returns how many. */
static unsigned int make_data(struct fuzz *f, struct vs_seg *seg, uint32_t len)
{
	unsigned int n = 0;
	uint32_t part;

	while (len && n < SEGS - 2) {
		part = chance(f, 60) || n == SEGS - 3 ? len :
		       pick(f, len) + 1;
		seg[n++] = data_seg(f, part);
		len -= part;
	}
	return n;
}

/* How much data a request has that is as it should be. */
static uint32_t wanted_len(struct fuzz *f, const struct vs_cdb *cdb)
{
	if (chance(f, 2))
		return 9U << 20;
	if (chance(f, 10))
		return pick(f, 70000);
	if (cdb->b[0] == VS_READ_10 || cdb->b[0] == VS_WRITE_10)
		return (cdb->b[7] << 8 | cdb->b[8]) * 512;
	return chance(f, 30) ? 0 : pick(f, 8192);
}

/*
 * The segments of a request, those that the device reads first: @n_out of them. The
 * header and the response may be cut, short or absent.
 */
static unsigned int make_segs(struct fuzz *f, uint8_t *room,
			      const struct vs_cdb *cdb, struct vs_seg *seg,
			      unsigned int *n_out)
{
	uint32_t len = wanted_len(f, cdb), hdr = f->pi ? VS_HDR_PI : VS_HDR;
	bool out = cdb->b[0] == VS_WRITE_10 || chance(f, 7);
	uint64_t gpa = vs_mem_gpa(&f->dev->mem, room);
	unsigned int n = 0;

	if (chance(f, 2))
		hdr = pick(f, hdr);
	if (chance(f, 3))
		seg[n++] = (struct vs_seg){ gpa, hdr / 2 + 1 };
	seg[n] = (struct vs_seg){ gpa + (n ? seg[0].len : 0),
				  n ? hdr - hdr / 2 : hdr };
	if (chance(f, 2))
		seg[n].gpa = vs_mem_gpa(&f->dev->mem, f->glass);
	n++;
	if (out)
		n += make_data(f, seg + n, len);
	*n_out = n;
	seg[n++] = (struct vs_seg){ gpa + 512, chance(f, 98) ? VS_RSP :
				    pick(f, VS_RSP) + 1 };
	if (!out || chance(f, 2))
		n += make_data(f, seg + n, len);
	if (chance(f, 1))
		*n_out = pick(f, n + 1);
	return n;
}

/* Writes a chain, rightly or wrongly: into the table at @d, to be found as @at. */
static void write_chain(struct fuzz *f, struct vring_desc *d,
			const struct vs_seg *seg, unsigned int n,
			unsigned int n_out, uint16_t at)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		d[i] = (struct vring_desc){
			.addr = seg[i].gpa, .len = seg[i].len,
			.flags = (i >= n_out ? VRING_DESC_F_WRITE : 0) |
				 (i + 1 < n ? VRING_DESC_F_NEXT : 0),
			.next = at + i + 1,
		};
	}
	if (!chance(f, 3))
		return;
	i = pick(f, n);
	switch (pick(f, 4)) {
	case 0:
		d[i].flags = pick(f, 65536);
		break;
	case 1:
		d[i].next = chance(f, 50) ? at : pick(f, 65536);
		break;
	case 2:
		d[i].len = chance(f, 50) ? 0 : pick(f, ~0U);
		break;
	case 3:
		d[i].addr = (uint64_t)pick(f, ~0U) << 32 | pick(f, ~0U);
		break;
	}
}

/* Request @i of a batch: its head. */
static uint16_t make_request(struct fuzz *f, unsigned int i)
{
	uint8_t *room = f->room + i * ROOM;
	struct vring_desc *table = (void *)(room + 1024);
	struct vring_desc *desc = f->ring->desc + i * STRIDE;
	uint16_t head = desc - f->ring->desc;
	struct vs_seg seg[2 * SEGS];
	struct vs_cdb cdb = make_cdb(f);
	unsigned int n, n_out;
	uint32_t len;

	make_header(f, (void *)room, &cdb);
	n = make_segs(f, room, &cdb, seg, &n_out);
	if (n <= STRIDE && chance(f, 40)) {
		write_chain(f, desc, seg, n, n_out, head);
		return head;
	}
	write_chain(f, table, seg, n, n_out, 0);
	len = n * sizeof(*table);
	if (chance(f, 1))
		len = pick(f, 4096);
	vs_ring_write_desc(f->ring, head, vs_mem_gpa(&f->dev->mem, table), len,
			   VRING_DESC_F_INDIRECT, 0);
	if (chance(f, 1))
		desc->flags = pick(f, 65536);
	if (chance(f, 1))
		table[pick(f, n)].flags |= VRING_DESC_F_INDIRECT;
	return head;
}

/* -- a batch -- */

/*
 * The device has complained. If it stands before an entry that it cannot read, it
 * complains of that one again when it is kicked: then it gets a good one.
 */
static void repair(struct fuzz *f)
{
	int base = vs_dev_get_base(f->dev, VS_IO);
	uint16_t *entry = &f->ring->avail->ring[base % f->ring->num];

	if (base == f->stands_at) {
		if (*entry < ARRAY_SIZE(f->due) && f->due[*entry]) {
			f->due[*entry]--;
			f->was[*entry]++;
		}
		*entry = f->good;
		f->due[f->good]++;
		f->repairs++;
		base = -1;
	}
	f->stands_at = base;
	vs_ring_kick(f->ring);
}

/*
 * Is a head due? Where bytes change, the device may have read the entry that it stood
 * before when that was replaced: one of the two is.
 */
static bool comes(struct fuzz *f, unsigned int head)
{
	if (head >= ARRAY_SIZE(f->due))
		return false;
	if (!f->due[head] && f->was[head] && f->due[f->good]) {
		f->was[head]--;
		head = f->good;
	}
	return f->due[head] && f->due[head]--;
}

/* Takes what came back. False if it is nothing that was due. */
static bool take(struct fuzz *f, unsigned int *left)
{
	struct vring_used_elem elem;

	while (vs_ring_take(f->ring, &elem)) {
		if (!*left || !comes(f, elem.id)) {
			fprintf(stderr, "# head %u came, which was not due\n",
				elem.id);
			return false;
		}
		--*left;
	}
	return true;
}

static bool collect(struct fuzz *f, unsigned int left)
{
	int64_t end = vs_now_ms() + vs_patience();
	unsigned int spins = 0;

	while (left) {
		if (!take(f, &left))
			return false;
		if (left && vs_ring_errors(f->ring))
			repair(f);
		if (++spins % 64 == 0)
			usleep(100);
		if (vs_now_ms() > end) {
			fprintf(stderr, "# %u heads are missing\n", left);
			return false;
		}
	}
	return true;
}

static bool run_batch(struct fuzz *f)
{
	uint64_t first = f->seed;
	unsigned int i;
	uint16_t head;

	memset(f->due, 0, sizeof(f->due));
	memset(f->was, 0, sizeof(f->was));
	f->stands_at = -1;
	for (i = 0; i < BATCH; i++) {
		head = make_request(f, i);
		if (chance(f, 1))
			head = f->ring->num + pick(f, 60000);
		if (head < ARRAY_SIZE(f->due))
			f->due[head]++;
		vs_ring_expose(f->ring, head);
	}
	f->shots += BATCH;
	vs_ring_kick(f->ring);
	if (collect(f, BATCH))
		return true;
	fprintf(stderr, "# again: VS_SEED=%#llx VS_ROUNDS=%d\n",
		(unsigned long long)first, BATCH);
	return false;
}

static unsigned long counter(struct fuzz *f, const char *name)
{
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", f->dev->fd);
	if (vs_read_file(path, text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, "vq2:");
	at = at ? strstr(at, name) : NULL;
	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

/* Requests, until one goes wrong; false then. */
static bool run_batches(struct fuzz *f, unsigned long shots)
{
	while (f->shots < shots) {
		if (!run_batch(f))
			return false;
		trace_read(f);
	}
	return true;
}

TEST_F_TIMEOUT(fuzz, anything_in_the_ring_is_answered, LIMIT)
{
	unsigned long shots = vs_rounds(10000, 10000), reached;
	struct fuzz *f = &self->f;
	uint64_t first = f->seed;
	size_t i;

	COVERS("F-RG-01 F-RG-20 F-RQ-13");
	ASSERT_TRUE(run_batches(f, shots));
	reached = counter(f, "commands ") * 100 / f->shots;
	TH_LOG("seed %#llx: %lu requests, %lu %% reached a unit, %lu entries replaced",
	       (unsigned long long)first, f->shots, reached, f->repairs);
	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		TH_LOG("%6lu %s", f->hit[i], reasons[i].why);
	EXPECT_LE(30, reached);
	for (i = 0; i < ARRAY_SIZE(reasons) && shots >= 10000; i++) {
		if (!reasons[i].pi_only || f->pi)
			EXPECT_LT(0, f->hit[i]);
	}
	/* The rest of the ring's life is the library's. */
	EXPECT_EQ(0, vs_dev_clear_endpoint(f->dev, VS_WWN));
}

/* -- while it changes -- */

/* Another request in a header, another segment in a table. */
static void *change_bytes(void *arg)
{
	struct fuzz *f = arg;
	uint64_t seed = f->seed + 1;

	while (!f->stop) {
		unsigned int i = vs_pick(&seed, BATCH);
		uint8_t *room = f->room + i * ROOM;
		struct vring_desc *d = vs_chance(&seed, 50) ?
			f->ring->desc + i * STRIDE : (void *)(room + 1024);

		d += vs_pick(&seed, STRIDE);
		switch (vs_pick(&seed, 6)) {
		case 0:
			room[vs_pick(&seed, VS_HDR_PI)] = vs_pick(&seed, 256);
			break;
		case 1:
			d->flags = vs_pick(&seed, 8);
			break;
		case 2:
			d->next = vs_pick(&seed, f->ring->num);
			break;
		case 3:
			d->len = vs_pick(&seed, 70000);
			break;
		case 4:
			d->addr = vs_mem_gpa(&f->dev->mem, f->data +
					     vs_pick(&seed, DATA));
			break;
		default:
			usleep(vs_pick(&seed, 50));
			break;
		}
	}
	return NULL;
}

/* Pages that cannot be touched, written, that are new or not there. */
static void *change_pages(void *arg)
{
	static const int prot[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
	};
	struct fuzz *f = arg;
	uint64_t seed = f->seed + 2;

	while (!f->stop) {
		uint8_t *page = f->glass + vs_pick(&seed, GLASS) * VS_PAGE;

		switch (vs_pick(&seed, 4)) {
		case 0:
			munmap(page, VS_PAGE);
			usleep(vs_pick(&seed, 200));
			mmap(page, VS_PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			break;
		case 1:
			madvise(page, VS_PAGE, MADV_DONTNEED);
			break;
		default:
			mprotect(page, VS_PAGE,
				 prot[vs_pick(&seed, ARRAY_SIZE(prot))]);
			break;
		}
		usleep(vs_pick(&seed, 200));
	}
	mprotect(f->glass, GLASS * VS_PAGE, PROT_READ | PROT_WRITE);
	return NULL;
}

TEST_F_TIMEOUT(fuzz, what_changes_while_it_is_read_is_answered, LIMIT)
{
	unsigned long shots = vs_rounds(4000, 10000);
	struct fuzz *f = &self->f;
	uint64_t first = f->seed;
	pthread_t bytes, pages;
	bool all;

	COVERS("F-RG-12 F-RQ-01");
	ASSERT_EQ(0, pthread_create(&bytes, NULL, change_bytes, f));
	ASSERT_EQ(0, pthread_create(&pages, NULL, change_pages, f));
	all = run_batches(f, shots);
	f->stop = true;
	pthread_join(bytes, NULL);
	pthread_join(pages, NULL);
	EXPECT_TRUE(all);
	TH_LOG("seed %#llx: %lu requests, %lu %% reached a unit, %lu entries replaced",
	       (unsigned long long)first, f->shots,
	       counter(f, "commands ") * 100 / f->shots, f->repairs);
	EXPECT_EQ(0, vs_dev_clear_endpoint(f->dev, VS_WWN));
}

TEST_HARNESS_MAIN
