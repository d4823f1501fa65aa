// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "vs_sweep.h"
#include "vs_sweep_req.h"

/* How a request ended while a fault was waiting in the worker. */
enum end {
	END_ANSWERED,
	END_RETRIED,	/* its descriptors were not read until the next kick */
	END_LOST,	/* the used ring could not be written */
	END_HANGS,
};

/* After an error: has the worker consumed the chain? */
static enum end after_error(struct vs_req *req, struct vs_fault *fault)
{
	struct vs_ring *ring = req->ring;

	/* Waits for the worker to let go of the queue. */
	if (vs_dev_get_base(req->dev, ring->index) == ring->next_avail)
		return vs_chain_wait(ring, &req->chain, 50) ? END_LOST :
		       END_ANSWERED;
	if (fault->fd > 0)
		vs_ring_kick(ring);
	return vs_chain_wait(ring, &req->chain, vs_patience()) ? END_HANGS :
	       END_RETRIED;
}

static enum end run_faulty(struct vs_req *req, struct vs_fault *fault)
{
	int64_t until = vs_now_ms() + vs_patience();

	vs_ring_errors(req->ring);
	vs_fault_arm(fault);
	if (vs_req_submit(req))
		return END_HANGS;
	while (vs_now_ms() < until) {
		if (!vs_chain_wait(req->ring, &req->chain, 50))
			return END_ANSWERED;
		if (vs_ring_errors(req->ring))
			return after_error(req, fault);
	}
	return END_HANGS;
}

static bool good(const struct vs_sweep_req *r, const struct vs_req *req)
{
	if (!req->chain.used_len)
		return false;
	if (r->tmf)
		return *(uint8_t *)req->rsp == VIRTIO_SCSI_S_OK;
	return req->rsp->response == VIRTIO_SCSI_S_OK &&
	       req->rsp->status == VS_GOOD;
}

static uint8_t response(const struct vs_sweep_req *r, const struct vs_req *req)
{
	return r->tmf ? *(uint8_t *)req->rsp : req->rsp->response;
}

/* Is it an end that such a fault may have? */
static bool fair(const struct vs_sweep_req *r, const struct vs_req *req,
		 enum vs_fault_kind kind, enum end end)
{
	switch (kind) {
	case VS_FAULT_NONE:
		return end == END_ANSWERED && good(r, req);
	case VS_FAULT_ALLOC:
		if (end != END_ANSWERED || !req->chain.used_len)
			return false;
		return good(r, req) ||
		       (r->tmf && response(r, req) == VIRTIO_SCSI_S_BUSY) ||
		       (!r->tmf && !req->rsp->response &&
			(req->rsp->status == VS_TASK_SET_FULL ||
			 (r->lio && req->rsp->status == VS_CHECK_CONDITION)));
	case VS_FAULT_COPY:
		if (end == END_RETRIED)
			return good(r, req);
		return end == END_LOST ||
		       (end == END_ANSWERED &&
			(!req->chain.used_len || good(r, req) ||
			 response(r, req) == VIRTIO_SCSI_S_FAILURE));
	}
	return false;
}

/* The fault waits; returns what it was, the end, and whether that was good. */
static int try_request(struct vs_fault *fault, struct vs_dev *dev,
		       const struct vs_sweep_req *r, uint8_t *buf,
		       enum vs_fault_kind *kind, enum end *end,
		       unsigned int *refused)
{
	struct vs_req req;
	int bad = 0;

	r->build(&req, dev, buf);
	*end = run_faulty(&req, fault);
	*kind = vs_fault_disarm(fault);
	*refused += *end == END_ANSWERED && !good(r, &req);
	if (!fair(r, &req, *kind, *end)) {
		fprintf(stderr, "# fault %u is of kind %u, end %u, used length %u\n",
			fault->n, *kind, *end, req.chain.used_len);
		bad += vs_sweep_complain(fault, r->name, "response", response(r, &req));
		bad = bad ? bad : 1;
	} else if (*end != END_LOST && good(r, &req) && r->check) {
		bad += vs_sweep_complain(fault, r->name, "data", r->check(dev, buf));
	}
	vs_req_put(&req);
	return bad;
}

static int second_try(struct vs_fault *fault, struct vs_dev *dev,
		      const struct vs_sweep_req *r, uint8_t *buf)
{
	struct vs_req req;
	int ret;

	r->build(&req, dev, buf);
	ret = vs_req_run(&req);
	if (!ret && !good(r, &req))
		ret = response(r, &req) << 8 | 0xff;
	if (!ret && r->check)
		ret = r->check(dev, buf);
	vs_req_put(&req);
	return vs_sweep_complain(fault, r->name, "second try", ret);
}

int vs_sweep_req(struct vs_fault *fault, struct vs_dev *dev,
		 const struct vs_sweep_req *r, uint8_t *buf)
{
	size_t mark = dev->mem.used;
	enum vs_fault_kind kind;
	unsigned int lost = 0, refused = 0;
	enum end end;
	int bad = 0;

	fault->n = 0;
	memset(fault->fails, 0, sizeof(fault->fails));
	for (kind = VS_FAULT_ALLOC; kind && !bad; dev->mem.used = mark) {
		bad = ++fault->n == VS_SWEEP_MAX;
		bad += try_request(fault, dev, r, buf, &kind, &end, &refused);
		lost += end == END_LOST;
		if (!bad)
			bad += second_try(fault, dev, r, buf);
	}
	vs_sweep_report(fault, r->name, refused);
	if (!bad && lost > VS_SWEEP_LOST)
		bad += vs_sweep_complain(fault, r->name, "heads lost", lost);
	return bad;
}
