// SPDX-License-Identifier: GPL-2.0
/*
 * Batches of requests: each head comes back once; where the device cannot know what a chain
 * was, the entry is replaced. And what was refused, by the reasons in the trace.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz_ring.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define TRACE		"/sys/kernel/tracing/"
#define REJECT		TRACE "events/vhost_scsi/vhost_scsi_cmd_reject/enable"

/*
 * What a request can be refused for before LIO sees it. Some need more than bytes,
 * and have tests of their own: "no memory" (fault_request_test), "no slot" (inflight_test),
 * "unit attention" (change_test), "read-only" and "length of parameter list"
 * (unit_medium_test, unit_opcode_test); "session stopped" is what LIO may say, and never
 * does while an endpoint is set.
 */
const struct fuzz_reason fuzz_reasons[FUZZ_REASONS] = {
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

int fuzz_trace_open(void)
{
	vs_write_file(TRACE "trace", "");
	if (vs_write_file(REJECT, "1") < 0)
		return -1;
	return open(TRACE "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

void fuzz_trace_close(int fd)
{
	vs_write_file(REJECT, "0");
	close(fd);
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
			for (i = 0; i < FUZZ_REASONS; i++) {
				size_t len = strlen(fuzz_reasons[i].why);

				if (!strncmp(why, fuzz_reasons[i].why, len) &&
				    !strncmp(why + len, " response", 9))
					f->hit[i]++;
			}
		}
	}
}

/* The chain that replaces what the device could not read: TEST UNIT READY. */
void fuzz_make_good(struct fuzz *f)
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
		head = fuzz_request(f, i);
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

bool fuzz_run(struct fuzz *f, unsigned long shots)
{
	while (f->shots < shots) {
		if (!run_batch(f))
			return false;
		trace_read(f);
	}
	return true;
}
