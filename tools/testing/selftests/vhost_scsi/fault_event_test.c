// SPDX-License-Identifier: GPL-2.0
/* Every allocation, and every copy, that is made for an event fails once. */
#include <stdio.h>

#include "vs_evt.h"
#include "vs_sweep.h"
#include "vs_test.h"

#define TAG		VS_TAG

#define BUFFERS		4

/* Buffers of the event queue, in the order in which they are used. */
struct buffers {
	struct vs_chain chain[BUFFERS];
	struct virtio_scsi_event *event[BUFFERS];
};

FIXTURE(events) {
	struct vs_env env;
};

FIXTURE_SETUP(events)
{
	if (!vs_sweep_is_possible())
		SKIP(return, "this kernel injects no faults");
	ENV_GET(&self->env, NULL);
	ASSERT_EQ(0, vs_scsi_settle(&self->env.dev, TAG, 0));
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
}

FIXTURE_TEARDOWN(events)
{
	if (!self->env.bs[1].path[0])
		return;
	EXPECT_EQ(0, vs_fault_logged(self->env.kmsg));
	ENV_PUT(&self->env);
}

static struct buffers posted;

/* Begin with empty buffers and no event anywhere. */
static int renew_buffers(struct vs_env *env)
{
	struct vs_ring *ring = &env->dev.ring[VS_EVT];
	uint32_t none = 0;
	unsigned int i;
	int ret;

	ret = vs_dev_clear_endpoint(&env->dev, VS_WWN);
	vs_ring_reset(ring);
	/* One that is set up anew makes the device forget the others. */
	for (i = 0; i < env->dev.n_rings && !ret; i++)
		ret = vs_dev_set_ring(&env->dev, &env->dev.ring[i]);
	if (!ret)
		ret = vs_dev_set_endpoint(&env->dev, VS_WWN);
	/* A guest that goes on has missed events. */
	if (!ret)
		ret = vs_scsi_settle(&env->dev, TAG, 0);
	if (!ret)
		ret = vs_ioctl(env->dev.fd, VHOST_SCSI_SET_EVENTS_MISSED,
			       &none);
	for (i = 0; i < BUFFERS && !ret; i++) {
		vs_chain_put(&posted.chain[i]);
		vs_chain_get(&posted.chain[i]);
		if (!posted.event[i])
			posted.event[i] = vs_mem_page(&env->dev.mem, 1);
		memset(posted.event[i], VS_POISON, VS_PAGE);
		vs_chain_in(&posted.chain[i], &env->dev.mem, posted.event[i],
			    sizeof(*posted.event[i]));
		ret = vs_ring_add(ring, &posted.chain[i]);
	}
	return ret;
}

/* Counts the events that came; the worker has done all it had to. */
static int collect(struct vs_env *env)
{
	struct vs_ring *ring = &env->dev.ring[VS_EVT];
	int n = 0;

	if (vs_scsi_settle(&env->dev, TAG, 0))
		return -EIO;
	while (vs_ring_take(ring, NULL))
		n++;
	return n;
}

static bool is_event(unsigned int i, uint32_t reason)
{
	const struct virtio_scsi_event *e = posted.event[i];

	return posted.chain[i].used_len == sizeof(*e) &&
	       e->event == VIRTIO_SCSI_T_TRANSPORT_RESET &&
	       e->reason == reason && e->lun[1] == TAG && e->lun[3] == 5;
}

/* LIO says nothing when it had no memory to show a LUN to the nexus. */
static unsigned int unmapped;

/* The guest is told of the unit, or that it was not told. */
static int told(struct vs_env *env)
{
	uint8_t *inquiry = vs_mem_alloc(&env->dev.mem, 64, 64);
	struct vs_result res;
	int n = collect(env), flag = vs_evt_missed(&env->dev);

	if (!(n == 1 && !flag && is_event(0, VIRTIO_SCSI_EVT_RESET_RESCAN)) &&
	    !(n == 0 && flag == 1))
		return 100 + n * 10 + flag;
	res = vs_scsi_read(&env->dev, TAG, 5, vs_cdb_inquiry(36), inquiry, 36);
	if (res.err || res.response || res.status)
		return 200;
	unmapped += inquiry[0] == 0x7f;
	return 0;
}

/* A link that failed was never seen, or came and went. */
static int nothing_new(struct vs_env *env)
{
	int n = collect(env), flag = vs_evt_missed(&env->dev);

	if (n == 2 && !flag && is_event(0, VIRTIO_SCSI_EVT_RESET_RESCAN) &&
	    is_event(1, VIRTIO_SCSI_EVT_RESET_REMOVED))
		return renew_buffers(env);
	if (flag == 1)
		return renew_buffers(env);
	return n || flag ? 100 + n * 10 + flag : 0;
}

static int link_event(struct vs_env *env)
{
	return vs_lun_link(VS_WWN, TAG, 5, &env->bs[1]);
}

static int unlink_lun(struct vs_env *env)
{
	(void)env;
	return vs_lun_unlink(VS_WWN, TAG, 5);
}

/* A missed flag is told with the next kick. */
static int unlink_event(struct vs_env *env)
{
	int ret = 0;

	if (vs_evt_missed(&env->dev) == 1) {
		vs_ring_kick(&env->dev.ring[VS_EVT]);
		ret = collect(env) == 1 &&
		      posted.event[0]->event == (VIRTIO_SCSI_T_NO_EVENT |
						 VIRTIO_SCSI_T_EVENTS_MISSED) &&
		      !vs_evt_missed(&env->dev) ? 0 : -EPROTO;
	}
	if (!ret)
		ret = unlink_lun(env);
	return ret ? ret : renew_buffers(env);
}

TEST_F(events, linked_lun_is_announced_or_missed)
{
	static const struct vs_call call = {
		.name = "link under an endpoint", .run = link_event,
		.after = nothing_new, .works = told, .undo = unlink_event,
	};

	COVERS("F-RS-01");
	ASSERT_EQ(0, renew_buffers(&self->env));
	EXPECT_EQ(0, vs_sweep(&self->env, &call));
	TH_LOG("%u times LIO linked a LUN and showed it to no nexus", unmapped);
}

/* Returns when the worker has done with the event of a link. */
static int wait_event(struct vs_env *env)
{
	struct vs_ring *ring = &env->dev.ring[VS_EVT];
	int64_t until = vs_now_ms() + vs_patience();

	while (vs_now_ms() < until) {
		/* The flag is up for the moment, too: an error says it. */
		if (vs_ring_pending(ring) || vs_ring_errors(ring))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

static int try_event(struct vs_fault *fault, struct vs_env *env,
		     enum vs_fault_kind *kind, unsigned int *lost)
{
	int ret, n, flag, bad = 0;

	vs_ring_errors(&env->dev.ring[VS_EVT]);
	vs_fault_arm(fault);
	ret = link_event(env);
	if (!ret)
		ret = wait_event(env);
	*kind = vs_fault_disarm(fault);
	bad += vs_sweep_complain(fault, "event", "link", ret);
	n = collect(env);
	flag = vs_evt_missed(&env->dev);
	/* A used ring that could not be written hides the event. */
	if (n == 0 && flag == 0 && *kind == VS_FAULT_COPY)
		(*lost)++;
	else if (n == 0 || (n == 1 && !posted.chain[0].used_len))
		bad += vs_sweep_complain(fault, "event", "not missed", flag != 1);
	else if (n != 1 || flag || !is_event(0, VIRTIO_SCSI_EVT_RESET_RESCAN))
		bad += vs_sweep_complain(fault, "event", "events", 100 + n * 10 + flag);
	ret = unlink_lun(env);
	return bad + vs_sweep_complain(fault, "event", "undo",
				       ret ? ret : renew_buffers(env));
}

TEST_F(events, event_that_cannot_be_written_is_missed)
{
	enum vs_fault_kind kind;
	struct vs_fault fault;
	unsigned int lost = 0;
	int bad = 0;

	COVERS("F-RS-01");
	ASSERT_EQ(0, vs_fault_get(&fault, vs_fault_worker()));
	ASSERT_EQ(0, renew_buffers(&self->env));
	for (kind = VS_FAULT_ALLOC; kind && !bad; ) {
		fault.n++;
		bad = try_event(&fault, &self->env, &kind, &lost);
	}
	vs_sweep_report(&fault, "event", fault.fails[VS_FAULT_COPY]);
	vs_fault_put(&fault);
	EXPECT_EQ(0, bad);
	EXPECT_LE(2, fault.fails[VS_FAULT_COPY]);
	EXPECT_GE(VS_SWEEP_LOST, lost);
}

TEST_HARNESS_MAIN
