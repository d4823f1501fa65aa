// SPDX-License-Identifier: GPL-2.0
/*
 * One request: decode, route, check, slot, map, submit.
 *
 * Enters: a chain. Leaves: a command that LIO owns, or the answer to a request
 * that cannot become one.
 * Context: the queue's vhost worker, vq->mutex held.
 * Invariant: what the stages took is given back, in one place, when one refuses.
 *
 * Each stage returns true for the next one to go on; or false, and the verdict and
 * the answer stand in struct vhost_scsi_io.
 */
#include <linux/string.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_proto.h>

#include "scsi_io.h"
#include "scsi_trace.h"

static bool vhost_scsi_req_refuse(struct vhost_scsi_io *io, const char *why,
				  u8 response)
{
	io->why = why;
	io->res = (struct vhost_scsi_result) { .response = response };
	return false;
}

static bool
vhost_scsi_req_check_condition(struct vhost_scsi_io *io, const char *why,
			       u8 key, u8 asc, u8 ascq)
{
	memset(io->sense, 0, sizeof(io->sense));
	scsi_build_sense_buffer(false, io->sense, key, asc, ascq);
	io->why = why;
	io->res = (struct vhost_scsi_result) {
		.response = VIRTIO_SCSI_S_OK,
		.status = SAM_STAT_CHECK_CONDITION,
		.resid = io->layout.data_len,
		.sense = io->sense,
		.sense_len = sizeof(io->sense),
	};
	return false;
}

/*
 * SPC: how a target answers for a unit that it does not have. A request with room for
 * protection information gets no data: none is generated for this answer.
 */
static bool vhost_scsi_req_no_lun(struct vhost_scsi_io *io)
{
	size_t room = io->layout.dir == VHOST_SCSI_DIR_IN &&
		      !io->layout.pi_len ? io->layout.data_len : 0;

	if (io->req.cdb[0] != INQUIRY && io->req.cdb[0] != REQUEST_SENSE)
		return vhost_scsi_req_check_condition(io, "no such LUN",
						      ILLEGAL_REQUEST, 0x25, 0);

	io->answer_len = min(vhost_scsi_wire_no_lun(&io->req, io->answer), room);
	io->why = "no such LUN";
	io->res = (struct vhost_scsi_result) {
		.response = VIRTIO_SCSI_S_OK,
		.resid = io->layout.data_len - io->answer_len,
	};
	return false;
}

/* Bytes to a typed request. */
static bool vhost_scsi_req_decode(struct vhost_scsi_io *io)
{
	size_t req_len = vhost_scsi_wire_req_len(io->with_pi);
	bool le = vhost_is_little_endian(&io->svq->vq);
	union vhost_scsi_wire_req wire __uninitialized;
	u8 response;

	if (io->chain.in_len < sizeof(struct virtio_scsi_cmd_resp)) {
		io->verdict = VHOST_SCSI_NO_ROOM;
		return vhost_scsi_req_refuse(io, "no room for a response", 0);
	}

	response = vhost_scsi_wire_layout(io->chain.out_len, io->chain.in_len,
					  req_len, &io->layout);
	if (response)
		return vhost_scsi_req_refuse(io, "layout", response);
	if (!vhost_scsi_ring_read(io->svq, &io->chain, &wire,
				  req_len))
		return vhost_scsi_req_refuse(io, "header not readable",
					     VIRTIO_SCSI_S_FAILURE);

	response = vhost_scsi_wire_decode_cmd(&wire, le, io->with_pi, &io->req);
	if (response)
		return vhost_scsi_req_refuse(io, "LUN field", response);
	if (io->with_pi) {
		response = vhost_scsi_wire_split_pi(&wire.pi, le, &io->layout);
		if (response)
			return vhost_scsi_req_refuse(io, "length of protection information",
						     response);
	}
	return true;
}

/* Which session and unit is it for? */
static bool vhost_scsi_req_route(struct vhost_scsi_io *io)
{
	struct vhost_scsi_tpg *tpg = READ_ONCE(io->ep->tpg[io->req.target]);

	if (!tpg)
		return vhost_scsi_req_refuse(io, "no such target",
					     VIRTIO_SCSI_S_BAD_TARGET);
	io->busyloop_us = max(io->busyloop_us, READ_ONCE(tpg->busyloop_us));
	/* A bound TPG has a session, and the queue keeps its endpoint. */
	io->sess = READ_ONCE(tpg->sess);
	io->unit = vhost_scsi_kind_find(io->sess, &io->req, &io->kind);
	if (!io->unit)
		return vhost_scsi_req_no_lun(io);
	return true;
}

/* Some unit of the target has something to report: is it this one? */
static bool
vhost_scsi_req_attention(struct vhost_scsi_io *io, struct vhost_scsi_tpg *tpg)
{
	u8 ascq = vhost_scsi_unit_attention(tpg, io->req.lun, io->req.cdb[0]);

	if (!ascq)
		return true;
	return vhost_scsi_req_check_condition(io, "unit attention",
					      UNIT_ATTENTION,
					      VHOST_SCSI_CHANGE_ASC, ascq);
}

/* The gate did not let it pass. */
static noinline bool
vhost_scsi_req_answer_refusal(struct vhost_scsi_io *io,
			      enum vhost_scsi_outcome outcome)
{
	const struct vhost_scsi_refusal *refusal =
		vhost_scsi_check_refusal(outcome);

	if (refusal->key)
		return vhost_scsi_req_check_condition(io, refusal->why,
						      refusal->key, refusal->asc,
						      refusal->ascq);
	vhost_scsi_req_refuse(io, refusal->why, refusal->response);
	if (refusal->response == VIRTIO_SCSI_S_OK)
		io->res.resid = io->layout.data_len;
	return false;
}

/* May the unit have it? */
static bool vhost_scsi_req_check(struct vhost_scsi_io *io)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(io->sess->se_tpg);
	enum vhost_scsi_outcome outcome;

	outcome = vhost_scsi_check(&io->kind, &io->req, &io->layout, &io->plan);
	if (outcome != VHOST_SCSI_PASS)
		return vhost_scsi_req_answer_refusal(io, outcome);
	if (READ_ONCE(tpg->attentions))
		return vhost_scsi_req_attention(io, tpg);
	return true;
}

/*
 * SAM: no room for another task, which every driver takes for a reason to wait. A
 * Linux guest fails the I/O of a file system after some answers of BUSY.
 */
static bool vhost_scsi_req_set_full(struct vhost_scsi_io *io, const char *why)
{
	io->why = why;
	io->res = (struct vhost_scsi_result) {
		.response = VIRTIO_SCSI_S_OK,
		.status = SAM_STAT_TASK_SET_FULL,
		.resid = io->layout.data_len,
	};
	return false;
}

static bool vhost_scsi_req_slot(struct vhost_scsi_io *io)
{
	io->cmd = vhost_scsi_slot_get(io->svq, io->chain.head);
	if (io->cmd)
		return true;
	return vhost_scsi_req_set_full(io, "no slot");
}

static int vhost_scsi_req_map_iter(struct vhost_scsi_io *io)
{
	size_t len = io->layout.pi_len + io->plan.len;
	enum vhost_scsi_dir dir = io->layout.dir;
	struct iov_iter iter __uninitialized;

	if (!io->plan.len)
		return 0;
	vhost_scsi_ring_data(io->svq, &io->chain, dir, dir == VHOST_SCSI_DIR_IN ?
			     sizeof(struct virtio_scsi_cmd_resp) :
			     vhost_scsi_wire_req_len(io->with_pi), &iter);
	iov_iter_truncate(&iter, len);
	return vhost_scsi_map_data(&io->cmd->map, &iter, &io->layout,
				   io->plan.shape, READ_ONCE(io->ep->held),
				   io->svq->pages);
}

/* Keep where the answer goes, and make a scatterlist of the data. */
static bool vhost_scsi_req_map(struct vhost_scsi_io *io)
{
	size_t written = sizeof(struct virtio_scsi_cmd_resp);
	int ret;

	/* Without data no protection information is written either. */
	if (io->layout.dir == VHOST_SCSI_DIR_IN && io->plan.len)
		written += io->layout.pi_len + io->plan.len;

	ret = vhost_scsi_ring_save_rsp(io->svq, &io->chain,
				       sizeof(struct virtio_scsi_cmd_resp),
				       written, &io->cmd->rsp);
	if (!ret)
		ret = vhost_scsi_req_map_iter(io);
	if (!ret)
		return true;

	if (ret == -ENOMEM)
		return vhost_scsi_req_set_full(io, "no memory");
	return vhost_scsi_req_refuse(io, ret == -E2BIG ? "too many pages" :
				     "data not accessible",
				     VIRTIO_SCSI_S_FAILURE);
}

/* LIO gets the command. */
static bool vhost_scsi_req_submit(struct vhost_scsi_io *io)
{
	trace_vhost_scsi_cmd_start(io->svq, io->chain.head, &io->req,
				   &io->layout);
	if (!vhost_scsi_submit(io))
		return true;
	return vhost_scsi_req_refuse(io, "session stopped", VIRTIO_SCSI_S_BUSY);
}

/* Give back what the stages took. */
static void vhost_scsi_req_unwind(struct vhost_scsi_io *io)
{
	if (!io->cmd)
		return;
	vhost_scsi_map_release(&io->cmd->map);
	vhost_scsi_ring_free_rsp(&io->cmd->rsp);
	vhost_scsi_slot_put(io->cmd);
}

/**
 * vhost_scsi_req_start() - send a request on its way
 * @io: the request; @svq, @ep, @with_pi and @chain are valid
 *
 * Return: what to do with the head. VHOST_SCSI_REPLY: @res, @answer and @answer_len are
 * the answer; with every verdict but VHOST_SCSI_SUBMITTED @why is the reason.
 */
enum vhost_scsi_verdict vhost_scsi_req_start(struct vhost_scsi_io *io)
{
	io->verdict = VHOST_SCSI_REPLY;
	io->answer_len = 0;
	io->cmd = NULL;
	if (vhost_scsi_req_decode(io) && vhost_scsi_req_route(io) &&
	    vhost_scsi_req_check(io) && vhost_scsi_req_slot(io) &&
	    vhost_scsi_req_map(io) && vhost_scsi_req_submit(io))
		return VHOST_SCSI_SUBMITTED;
	vhost_scsi_req_unwind(io);
	return io->verdict;
}
