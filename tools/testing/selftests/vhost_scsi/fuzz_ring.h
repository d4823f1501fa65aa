/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that writes anything into its rings, in parts: requests (fuzz_ring_make.c), batches
 * of them and what comes back (fuzz_ring_batch.c), the tests (fuzz_ring_test.c).
 */
#ifndef FUZZ_RING_H
#define FUZZ_RING_H

#include "vs_env.h"
#include "vs_random.h"

#define TAG		VS_TAG
#define BATCH		15		/* requests at a time */
#define STRIDE		8		/* descriptors of each */
#define SEGS		6		/* segments of a request at most */
#define ROOM		VS_PAGE		/* header, response, table of a request */
#define DATA		(12UL << 20)	/* what data segments point into */
#define GLASS		16		/* pages of it that come and go */
#define FUZZ_REASONS	15

/**
 * struct fuzz_reason - what a request can be refused for before LIO sees it
 * @why: in the words of the tracepoint
 * @pi_only: only where the guest has protection information
 */
struct fuzz_reason {
	const char *why;
	bool pi_only;
};

extern const struct fuzz_reason fuzz_reasons[FUZZ_REASONS];

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
	unsigned long hit[FUZZ_REASONS];
	int trace;
	volatile bool stop;
};

static inline uint32_t pick(struct fuzz *f, uint32_t below)
{
	return vs_pick(&f->seed, below);
}

static inline bool chance(struct fuzz *f, unsigned int percent)
{
	return vs_chance(&f->seed, percent);
}

/* Writes request @i of a batch: its head. */
uint16_t fuzz_request(struct fuzz *f, unsigned int i);

/* Makes the chain that replaces what the device could not read. */
void fuzz_make_good(struct fuzz *f);

/* Requests, until one goes wrong; false then. */
bool fuzz_run(struct fuzz *f, unsigned long shots);

/* Begins and ends to count what is refused: a descriptor, or -1. */
int fuzz_trace_open(void);
void fuzz_trace_close(int fd);

#endif /* FUZZ_RING_H */
