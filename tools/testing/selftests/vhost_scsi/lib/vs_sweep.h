/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sweeps over the failure points of a call: the first one fails, then the second, and
 * so on, until the call ends without having met one more. Whatever fails, the second
 * try works.
 */
#ifndef VS_SWEEP_H
#define VS_SWEEP_H

#include "vs_env.h"
#include "vs_fault.h"

/* A sweep that comes that far does not end by itself. */
#define VS_SWEEP_MAX	2000

/* Enough for kmalloc() and vmalloc() to fail, both of them. */
#define VS_SWEEP_BURST	12

/*
 * The used ring is written once a request; but now and then a fault goes to an
 * allocation of the kernel's debugging, and then the next n meets it again.
 */
#define VS_SWEEP_LOST	3

/**
 * struct vs_call - what a sweep does
 * @name: for complaints
 * @run: the call: 0 or -errno
 * @after: after a failure: has anything changed?
 * @works: after success: is all there?
 * @undo: prepares the next round
 * @other: what else than ENOMEM and EFAULT a failure may make of it
 * @sure: no allocation makes it fail
 * @burst: how many allocations fail at a time, 0 for one
 *
 * @after, @works and @undo may be NULL, and return 0 when all is well.
 */
struct vs_call {
	const char *name;
	int (*run)(struct vs_env *env);
	int (*after)(struct vs_env *env);
	int (*works)(struct vs_env *env);
	int (*undo)(struct vs_env *env);
	int other;
	bool sure;
	unsigned int burst;
};

/**
 * vs_sweep() - let each failure point of a call fail
 * @env: handed to the call
 * @call: the call
 *
 * Return: number of complaints, said on stderr; that it never failed is one.
 */
int vs_sweep(struct vs_env *env, const struct vs_call *call);

/**
 * vs_sweep_complain() - say what was wrong
 * @fault: the sweep
 * @name: the call
 * @what: which part of it
 * @ret: 0 for nothing
 *
 * Return: number of complaints.
 */
int vs_sweep_complain(const struct vs_fault *fault, const char *name,
		      const char *what, int ret);

/**
 * vs_sweep_report() - say how far a sweep has come
 * @fault: the sweep
 * @name: the call
 * @refused: how often the call failed
 */
void vs_sweep_report(const struct vs_fault *fault, const char *name,
		     unsigned int refused);

/**
 * vs_sweep_is_possible() - can this kernel inject faults?
 *
 * Return: false without CONFIG_FAULT_INJECTION, thus on every distribution's kernel.
 */
bool vs_sweep_is_possible(void);

#endif /* VS_SWEEP_H */
