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
#include <linux/blk_types.h>
#include <linux/rculist.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "scsi_io.h"
#include "scsi_trace.h"

static bool vhost_scsi_io_refuse(struct vhost_scsi_io *io, const char *why,
				 u8 response)
{
	io->why = why;
	io->res = (struct vhost_scsi_result) { .response = response };
	return false;
}

static bool
vhost_scsi_io_check_condition(struct vhost_scsi_io *io, const char *why,
			      u8 key, u8 asc, u8 ascq)
{
	vhost_scsi_wire_sense(io->sense, key, asc, ascq);
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
 * SPC: how a target answers for a unit that it does not have. Data behind a
 * place for protection information is more than this is worth: none moves.
 */
static bool vhost_scsi_io_no_lun(struct vhost_scsi_io *io)
{
	size_t room = io->layout.dir == VHOST_SCSI_DIR_IN &&
		      !io->layout.pi_len ? io->layout.data_len : 0;

	if (io->req.cdb[0] != INQUIRY && io->req.cdb[0] != REQUEST_SENSE)
		return vhost_scsi_io_check_condition(io, "no such LUN",
						     ILLEGAL_REQUEST, 0x25, 0);

	io->data_len = min(vhost_scsi_wire_no_lun(&io->req, io->data), room);
	io->why = "no such LUN";
	io->res = (struct vhost_scsi_result) {
		.response = VIRTIO_SCSI_S_OK,
		.resid = io->layout.data_len - io->data_len,
	};
	return false;
}

/* Bytes to a typed request. */
static bool vhost_scsi_io_decode(struct vhost_scsi_io *io)
{
	size_t req_len = vhost_scsi_wire_req_len(io->with_pi);
	bool le = vhost_is_little_endian(&io->svq->vq);
	union vhost_scsi_wire_req wire __uninitialized;
	u8 response;

	if (unlikely(io->chain.in_len < sizeof(struct virtio_scsi_cmd_resp))) {
		io->verdict = VHOST_SCSI_NO_ROOM;
		return vhost_scsi_io_refuse(io, "no room for a response", 0);
	}

	response = vhost_scsi_wire_layout(io->chain.out_len, io->chain.in_len,
					  req_len, &io->layout);
	if (unlikely(response))
		return vhost_scsi_io_refuse(io, "layout", response);
	if (unlikely(!vhost_scsi_ring_read(io->svq, &io->chain, &wire,
					   req_len)))
		return vhost_scsi_io_refuse(io, "header not readable",
					    VIRTIO_SCSI_S_FAILURE);

	response = vhost_scsi_wire_decode_cmd(&wire, le, io->with_pi, &io->req);
	if (unlikely(response))
		return vhost_scsi_io_refuse(io, "LUN field", response);
	if (io->with_pi) {
		response = vhost_scsi_wire_split_pi(&wire.pi, le, &io->layout);
		if (unlikely(response))
			return vhost_scsi_io_refuse(io, "length of protection information",
						    response);
	}
	return true;
}

/*
 * LIO has a LUN 0 of its own where none is linked, through which a guest finds
 * the others. It answers all other commands, too, as a unit would: a READ is
 * GOOD without data, a WRITE is refused as protected, which tells a guest with
 * another path not to try that.
 */
static bool vhost_scsi_io_finds_lun0(const struct vhost_scsi_io *io)
{
	switch (io->req.cdb[0]) {
	case INQUIRY:
	case REPORT_LUNS:
	case TEST_UNIT_READY:
		return !io->req.lun;
	}
	return false;
}

/* Is the unit protected, by itself or by LIO for this target? */
static bool vhost_scsi_io_is_protected(const struct vhost_scsi_io *io,
				       const struct se_device *dev)
{
	return dev->dev_attrib.pi_prot_type || io->sess->sess_prot_type ||
	       READ_ONCE(to_vtpg(io->sess->se_tpg)->fabric_prot_type);
}

/* How will LIO look at the data of this command to a unit of this kind? */
static void vhost_scsi_io_set_shape(struct vhost_scsi_io *io,
				    const struct se_device *dev)
{
	bool by_block = vhost_scsi_wire_cdb_moves_blocks(io->req.cdb);

	io->pi_block = 0;
	io->shape = (struct vhost_scsi_map_shape) {
		.align = by_block ? SECTOR_SIZE : 0,
	};
	if (!dev || dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH)
		return;
	if (by_block)
		io->shape = (struct vhost_scsi_map_shape) {
			.align = max_t(u32, dev->dev_attrib.block_size,
				       SECTOR_SIZE),
			.merge = true,
		};
	if (likely(!vhost_scsi_io_is_protected(io, dev)))
		return;
	io->pi_block = dev->dev_attrib.block_size;
	if (by_block)
		io->shape = (struct vhost_scsi_map_shape) { .align = PAGE_SIZE };
}

/*
 * What the nexus sees at this LUN. LIO would find a missing one too, but it
 * prints a line each time (I5).
 */
static bool vhost_scsi_io_find_lun(struct vhost_scsi_io *io)
{
	struct se_dev_entry *deve;
	struct se_device *dev = NULL;

	rcu_read_lock();
	deve = target_nacl_find_deve(io->sess->se_node_acl, io->req.lun);
	if (likely(deve))
		dev = rcu_dereference(deve->se_lun->lun_se_dev);
	vhost_scsi_io_set_shape(io, dev);
	rcu_read_unlock();
	return deve || vhost_scsi_io_finds_lun0(io);
}

/* Which session and unit is it for? */
static bool vhost_scsi_io_route(struct vhost_scsi_io *io)
{
	struct vhost_scsi_tpg *tpg = READ_ONCE(io->ep->tpg[io->req.target]);

	if (unlikely(!tpg))
		return vhost_scsi_io_refuse(io, "no such target",
					    VIRTIO_SCSI_S_BAD_TARGET);
	io->busyloop_us = max(io->busyloop_us, READ_ONCE(tpg->busyloop_us));
	/* A bound TPG has a session, and the queue keeps its endpoint. */
	io->sess = READ_ONCE(tpg->sess);
	if (unlikely(!vhost_scsi_io_find_lun(io)))
		return vhost_scsi_io_no_lun(io);
	return true;
}

/* Some unit of the target has something to report: is it this one? */
static bool
vhost_scsi_io_attention(struct vhost_scsi_io *io, struct vhost_scsi_tpg *tpg)
{
	u8 ascq = vhost_scsi_unit_attention(tpg, io->req.lun, io->req.cdb[0]);

	if (!ascq)
		return true;
	return vhost_scsi_io_check_condition(io, "unit attention",
					     UNIT_ATTENTION,
					     VHOST_SCSI_CHANGE_ASC, ascq);
}

/*
 * RDPROTECT or WRPROTECT of the CDB asks for protection information that the
 * unit or the request does not have: INVALID FIELD IN CDB; or that is of another
 * length: INVALID FIELD IN COMMAND INFORMATION UNIT, as LIO says of data.
 */
static bool vhost_scsi_io_bad_pi(struct vhost_scsi_io *io)
{
	if (io->pi_block && io->layout.pi_len)
		return vhost_scsi_io_check_condition(io, "protection information",
						     ILLEGAL_REQUEST, 0x0e, 3);
	return vhost_scsi_io_check_condition(io, "no protection information",
					     ILLEGAL_REQUEST, 0x24, 0);
}

static bool vhost_scsi_io_pi_fits(const struct vhost_scsi_io *io)
{
	return io->pi_block && vhost_scsi_wire_pi_fits(&io->req, &io->layout,
						       io->pi_block);
}

static bool vhost_scsi_io_is_write_same(const struct vhost_scsi_io *io)
{
	switch (io->req.cdb[0]) {
	case WRITE_SAME:
	case WRITE_SAME_16:
		return true;
	}
	return io->req.cdb[0] == VARIABLE_LENGTH_CMD &&
	       !io->shape.align;
}

/*
 * Where a request to a protected unit has no protection information, LIO makes some
 * for the blocks that the CDB names. Of none it makes a list without an entry and
 * marks the end of that; for a READ of more than the buffer holds it takes memory that
 * the guest does not have to have.
 */
static bool vhost_scsi_io_blocks_fit(const struct vhost_scsi_io *io)
{
	u64 blocks = vhost_scsi_wire_blocks(&io->req);

	if (!io->shape.align)
		return blocks || !vhost_scsi_io_is_write_same(io);
	return blocks && (io->layout.dir != VHOST_SCSI_DIR_IN ||
			  blocks * io->pi_block <= io->layout.data_len);
}

/* SBC: to transfer no block is no error, and WRITE SAME may want a number. */
static bool
vhost_scsi_io_bad_blocks(struct vhost_scsi_io *io)
{
	if (vhost_scsi_wire_blocks(&io->req))
		return vhost_scsi_io_refuse(io, "buffer too short",
					    VIRTIO_SCSI_S_OVERRUN);
	if (!io->shape.align)
		return vhost_scsi_io_check_condition(io, "no blocks",
						     ILLEGAL_REQUEST, 0x24, 0);
	io->why = "no blocks";
	io->res = (struct vhost_scsi_result) {
		.response = VIRTIO_SCSI_S_OK,
		.resid = io->layout.data_len,
	};
	return false;
}

/* May LIO have it? */
static bool vhost_scsi_io_check(struct vhost_scsi_io *io)
{
	struct vhost_scsi_tpg *tpg = to_vtpg(io->sess->se_tpg);

	if (unlikely(io->req.cdb_len > sizeof(io->req.cdb)))
		return vhost_scsi_io_check_condition(io, "CDB too long",
						     ILLEGAL_REQUEST, 0x24, 0);
	if (unlikely(!vhost_scsi_wire_dir_fits(&io->req, &io->layout)))
		return vhost_scsi_io_refuse(io, "direction",
					    VIRTIO_SCSI_S_OVERRUN);
	if (unlikely(vhost_scsi_wire_protect(&io->req)) &&
	    !vhost_scsi_io_pi_fits(io))
		return vhost_scsi_io_bad_pi(io);
	if (unlikely(io->pi_block) && !vhost_scsi_io_blocks_fit(io))
		return vhost_scsi_io_bad_blocks(io);
	if (unlikely(READ_ONCE(tpg->attentions)))
		return vhost_scsi_io_attention(io, tpg);
	return true;
}

static bool vhost_scsi_io_slot(struct vhost_scsi_io *io)
{
	io->cmd = vhost_scsi_cmd_get(io->svq, io->chain.head);
	if (likely(io->cmd))
		return true;

	io->why = "no slot";
	io->res = (struct vhost_scsi_result) {
		.response = VIRTIO_SCSI_S_OK,
		.status = SAM_STAT_TASK_SET_FULL,
		.resid = io->layout.data_len,
	};
	return false;
}

static int vhost_scsi_io_map_iter(struct vhost_scsi_io *io)
{
	enum vhost_scsi_dir dir = io->layout.dir;
	struct iov_iter iter;

	if (dir == VHOST_SCSI_DIR_NONE)
		return 0;
	vhost_scsi_ring_data(io->svq, &io->chain, dir, dir == VHOST_SCSI_DIR_IN ?
			     sizeof(struct virtio_scsi_cmd_resp) :
			     vhost_scsi_wire_req_len(io->with_pi), &iter);
	return vhost_scsi_map_data(&io->cmd->map, &iter, &io->layout,
				   io->shape, READ_ONCE(io->ep->held),
				   io->svq->pages);
}

/* Keep where the answer goes, and make a scatterlist of the data. */
static bool vhost_scsi_io_map(struct vhost_scsi_io *io)
{
	int ret;

	ret = vhost_scsi_ring_save_rsp(io->svq, &io->chain,
				       sizeof(struct virtio_scsi_cmd_resp),
				       &io->cmd->rsp);
	if (likely(!ret))
		ret = vhost_scsi_io_map_iter(io);
	if (likely(!ret))
		return true;

	if (ret == -ENOMEM)
		return vhost_scsi_io_refuse(io, "no memory",
					    VIRTIO_SCSI_S_BUSY);
	return vhost_scsi_io_refuse(io, ret == -E2BIG ? "too many pages" :
				    "data not accessible",
				    VIRTIO_SCSI_S_FAILURE);
}

/* LIO gets the command. */
static bool vhost_scsi_io_submit(struct vhost_scsi_io *io)
{
	trace_vhost_scsi_cmd_start(io->svq, io->chain.head, &io->req,
				   &io->layout);
	if (likely(!vhost_scsi_cmd_submit(io->cmd, io->sess, &io->req,
					  &io->layout)))
		return true;
	return vhost_scsi_io_refuse(io, "session stopped", VIRTIO_SCSI_S_BUSY);
}

/* Give back what the stages took. */
static void vhost_scsi_io_unwind(struct vhost_scsi_io *io)
{
	if (!io->cmd)
		return;
	vhost_scsi_map_release(&io->cmd->map);
	vhost_scsi_ring_free_rsp(&io->cmd->rsp);
	vhost_scsi_cmd_put(io->cmd);
}

/**
 * vhost_scsi_io_start() - send a request on its way
 * @io: the request; @svq, @ep, @with_pi and @chain are valid
 *
 * Return: what to do with the head. VHOST_SCSI_REPLY: @res, @data and @data_len are
 * the answer; with every verdict but VHOST_SCSI_SUBMITTED @why is the reason.
 */
enum vhost_scsi_verdict vhost_scsi_io_start(struct vhost_scsi_io *io)
{
	io->verdict = VHOST_SCSI_REPLY;
	io->data_len = 0;
	io->cmd = NULL;
	if (likely(vhost_scsi_io_decode(io) && vhost_scsi_io_route(io) &&
		   vhost_scsi_io_check(io) && vhost_scsi_io_slot(io) &&
		   vhost_scsi_io_map(io) && vhost_scsi_io_submit(io)))
		return VHOST_SCSI_SUBMITTED;
	vhost_scsi_io_unwind(io);
	return io->verdict;
}
