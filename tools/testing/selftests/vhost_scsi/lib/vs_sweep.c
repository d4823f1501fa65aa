// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "vs_sweep.h"

bool vs_sweep_is_possible(void)
{
	return !access("/proc/self/fail-nth", F_OK);
}

int vs_sweep_complain(const struct vs_fault *fault, const char *name,
		      const char *what, int ret)
{
	if (!ret)
		return 0;
	fprintf(stderr, "# %s, fault %u: %s: %d\n", name, fault->n, what, ret);
	return 1;
}

void vs_sweep_report(const struct vs_fault *fault, const char *name,
		     unsigned int refused)
{
	fprintf(stderr, "# %s: %u allocations and %u copies failed, %u times it did\n",
		name, fault->fails[VS_FAULT_ALLOC],
		fault->fails[VS_FAULT_COPY], refused);
}

static bool may_be(const struct vs_call *call, enum vs_fault_kind kind, int ret)
{
	if (!ret)
		return true;
	switch (kind) {
	case VS_FAULT_NONE:
		return false;
	case VS_FAULT_ALLOC:
		return !call->sure && (ret == -ENOMEM || ret == call->other);
	case VS_FAULT_COPY:
		return ret == -EFAULT || ret == call->other;
	}
	return false;
}

static int try_call(struct vs_fault *fault, struct vs_env *env,
		    const struct vs_call *call, enum vs_fault_kind *kind,
		    unsigned int *refused)
{
	int ret, bad = 0;

	vs_fault_arm(fault);
	ret = call->run(env);
	*kind = vs_fault_disarm(fault);
	*refused += ret != 0;
	if (!may_be(call, *kind, ret))
		bad += vs_sweep_complain(fault, call->name, "first try", ret);
	if (ret && call->after)
		bad += vs_sweep_complain(fault, call->name, "afterwards",
					 call->after(env));
	if (ret)
		bad += vs_sweep_complain(fault, call->name, "second try",
					 call->run(env));
	if (call->works)
		bad += vs_sweep_complain(fault, call->name, "works", call->works(env));
	if (call->undo)
		bad += vs_sweep_complain(fault, call->name, "undo", call->undo(env));
	return bad;
}

int vs_sweep(struct vs_env *env, const struct vs_call *call)
{
	enum vs_fault_kind kind;
	unsigned int refused = 0;
	struct vs_fault fault;
	int bad;

	bad = vs_fault_get(&fault, 0) ? 1 : 0;
	fault.burst = call->burst;
	for (kind = VS_FAULT_ALLOC; kind && !bad; ) {
		bad = ++fault.n == VS_SWEEP_MAX;
		bad += try_call(&fault, env, call, &kind, &refused);
	}
	vs_sweep_report(&fault, call->name, refused);
	if (!refused && !call->sure)
		bad++;
	vs_fault_put(&fault);
	return bad;
}
