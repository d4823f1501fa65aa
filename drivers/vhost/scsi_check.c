// SPDX-License-Identifier: GPL-2.0
/*
 * The gate in front of LIO: may a unit have a command, and what does LIO get?
 *
 * Enters: a request, its data, and what its unit is. Leaves: a plan, or the reason
 * why LIO does not get it.
 * Context: any; pure, as scsi_wire.c.
 * Invariant: I7, LIO gets no byte more than the CDB moves.
 *
 * LIO emulates what scsi_op.c lists, and nothing else reaches a unit that it
 * emulates. A unit that is passed through knows by itself what the bytes mean:
 * refused is what the target core would do wrong.
 */
#include <linux/string.h>
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>

#include "scsi_check.h"

/* Where LIO makes guard tags, it walks the list page by page. */
#define VHOST_SCSI_PI_ALIGN	4096
/*
 * WRITE ATOMIC: iblock puts BIO_MAX_VECS pages into a bio, and the rest into another. A
 * bio that its disk would have split between pages fails.
 */
#define VHOST_SCSI_ATOMIC_ALIGN	4096
#define VHOST_SCSI_ATOMIC_LEN	(256 * VHOST_SCSI_ATOMIC_ALIGN)
/* The least that a page has, and how far LIO writes past an allocation length. */
#define VHOST_SCSI_LIST_PAGE	4096ULL
#define VHOST_SCSI_OVERSHOOT	32

/* SBC: SYNCHRONIZE CACHE */
#define VHOST_SCSI_IMMED	0x02
/* SBC: WRITE SAME, the same byte */
#define VHOST_SCSI_ANCHOR_NDOB	0x11
#define VHOST_SCSI_PBDATA_LBDATA 0x06

static const struct vhost_scsi_refusal vhost_scsi_refusals[] = {
	[VHOST_SCSI_MOVES_NONE]	 = { "no blocks", VIRTIO_SCSI_S_OK, 0, 0, 0 },
	[VHOST_SCSI_OVERRUN]	 = { "buffer too short, or for the other direction",
				     VIRTIO_SCSI_S_OVERRUN, 0, 0, 0 },
	[VHOST_SCSI_BAD_OPCODE]	 = { "operation code", VIRTIO_SCSI_S_OK,
				     ILLEGAL_REQUEST, 0x20, 0 },
	[VHOST_SCSI_BAD_FIELD]	 = { "field in CDB", VIRTIO_SCSI_S_OK,
				     ILLEGAL_REQUEST, 0x24, 0 },
	[VHOST_SCSI_BAD_RANGE]	 = { "blocks out of range", VIRTIO_SCSI_S_OK,
				     ILLEGAL_REQUEST, 0x21, 0 },
	[VHOST_SCSI_BAD_DATA_LEN] = { "length of data or protection information",
				      VIRTIO_SCSI_S_OK, ILLEGAL_REQUEST, 0x0e, 3 },
	[VHOST_SCSI_BAD_LIST_LEN] = { "length of parameter list", VIRTIO_SCSI_S_OK,
				      ILLEGAL_REQUEST, 0x1a, 0 },
	[VHOST_SCSI_IS_READ_ONLY] = { "read-only", VIRTIO_SCSI_S_OK,
				      DATA_PROTECT, 0x27, 0 },
};

/**
 * vhost_scsi_check_refusal() - the answer to a command that was refused
 * @outcome: why, not VHOST_SCSI_PASS
 *
 * Return: the answer.
 */
const struct vhost_scsi_refusal *
vhost_scsi_check_refusal(enum vhost_scsi_outcome outcome)
{
	return &vhost_scsi_refusals[outcome];
}

/* So many bytes move, through pages of the host. */
static enum vhost_scsi_outcome
vhost_scsi_check_moves(struct vhost_scsi_plan *plan, u8 dir, u32 len)
{
	plan->dir = len ? dir : VHOST_SCSI_DIR_NONE;
	plan->len = len;
	return VHOST_SCSI_PASS;
}

static bool vhost_scsi_check_in_range(const struct vhost_scsi_kind *kind,
				      u64 lba, u64 blocks)
{
	return lba <= kind->blocks && blocks <= kind->blocks - lba;
}

/*
 * RDPROTECT or WRPROTECT asks for protection information: the buffers hold just
 * the blocks and the tuples that the CDB names, for LIO (sbc_check_prot()) believes
 * the CDB, and moves what the buffers hold.
 */
static enum vhost_scsi_outcome
vhost_scsi_check_pi(const struct vhost_scsi_kind *kind, u8 protect, u64 blocks,
		    const struct vhost_scsi_layout *layout,
		    struct vhost_scsi_plan *plan)
{
	/* Types 1 and 3 know values up to 5; type 2 wants 32-byte CDBs. */
	if (!kind->prot_type || kind->prot_type == 2 || protect > 5)
		return VHOST_SCSI_BAD_FIELD;
	if (blocks * VHOST_SCSI_PI_TUPLE != layout->pi_len ||
	    blocks * kind->block_size != layout->data_len)
		return layout->pi_len ? VHOST_SCSI_BAD_DATA_LEN :
					VHOST_SCSI_BAD_FIELD;
	plan->pi = layout->pi_len;
	return VHOST_SCSI_PASS;
}

/* The data goes straight to the medium, as one list. */
static enum vhost_scsi_outcome
vhost_scsi_check_transfer(const struct vhost_scsi_kind *kind,
			  const struct vhost_scsi_op *op, u64 size,
			  const struct vhost_scsi_layout *layout,
			  struct vhost_scsi_plan *plan)
{
	if (layout->dir != op->dir || size > layout->data_len)
		return VHOST_SCSI_OVERRUN;
	if (op->dir == VHOST_SCSI_DIR_OUT && size != layout->data_len)
		return VHOST_SCSI_BAD_DATA_LEN;

	plan->dir = op->dir;
	plan->len = size;
	if (plan->pi || kind->makes_pi) {
		plan->makes_pi = !plan->pi;
		plan->shape.align = VHOST_SCSI_PI_ALIGN;
		return VHOST_SCSI_PASS;
	}
	plan->shape.align = kind->block_size < VHOST_SCSI_SECTOR ?
			    VHOST_SCSI_SECTOR : kind->block_size;
	plan->shape.merge = true;
	return VHOST_SCSI_PASS;
}

static __always_inline enum vhost_scsi_outcome
vhost_scsi_check_extent(const struct vhost_scsi_kind *kind,
			const struct vhost_scsi_op *op, const u8 *cdb,
			const struct vhost_scsi_layout *layout,
			struct vhost_scsi_plan *plan)
{
	u64 lba = vhost_scsi_op_early(cdb, op->lba_at, op->lba_width);
	u64 blocks = vhost_scsi_op_early(cdb, op->len_at, op->len_width);

	if (!op->flags_at) {
		/* LIO would write the blocks without what protects them. */
		if (kind->makes_pi && op->dir == VHOST_SCSI_DIR_OUT)
			return VHOST_SCSI_BAD_OPCODE;
		/* SBC: 21 bits, and 0 stands for 256 in CDBs of six bytes. */
		lba &= 0x1fffff;
		blocks = blocks ?: 256;
	}
	if (!vhost_scsi_check_in_range(kind, lba, blocks))
		return VHOST_SCSI_BAD_RANGE;
	/*
	 * SBC: no error. A write of none meets reservations, too; and LIO protects
	 * nothing then (prot_pto), where it would mark the end of a list without an
	 * entry.
	 */
	if (!blocks) {
		/* LIO looks for the block, and there is none. */
		if (lba == kind->blocks)
			return VHOST_SCSI_MOVES_NONE;
		if (op->dir == VHOST_SCSI_DIR_OUT)
			plan->dir = VHOST_SCSI_DIR_OUT;
		return VHOST_SCSI_PASS;
	}
	return vhost_scsi_check_transfer(kind, op, blocks * kind->block_size,
					 layout, plan);
}

/* All of its blocks reach the medium, or none: they are one bio. */
static enum vhost_scsi_outcome
vhost_scsi_check_atomic(const struct vhost_scsi_kind *kind, const u8 *cdb,
			const struct vhost_scsi_layout *layout)
{
	if (!kind->has_atomic)
		return VHOST_SCSI_BAD_OPCODE;
	if (cdb[10] || cdb[11] || layout->data_len > VHOST_SCSI_ATOMIC_LEN)
		return VHOST_SCSI_BAD_FIELD;
	return VHOST_SCSI_PASS;
}

/* A READ or WRITE with bits that most do not have. */
static noinline enum vhost_scsi_outcome
vhost_scsi_check_flagged(const struct vhost_scsi_kind *kind,
			 const struct vhost_scsi_op *op, const u8 *cdb,
			 const struct vhost_scsi_layout *layout,
			 struct vhost_scsi_plan *plan)
{
	u64 blocks = vhost_scsi_op_early(cdb, op->len_at, op->len_width);
	enum vhost_scsi_outcome outcome = VHOST_SCSI_PASS;
	u8 flags = cdb[op->flags_at];

	if ((flags & VHOST_SCSI_DPO_FUA) && !kind->has_fua)
		return VHOST_SCSI_BAD_FIELD;
	if (flags & VHOST_SCSI_PROTECT)
		outcome = vhost_scsi_check_pi(kind, flags >> 5, blocks, layout,
					      plan);
	if (outcome == VHOST_SCSI_PASS && cdb[0] == WRITE_ATOMIC_16)
		outcome = vhost_scsi_check_atomic(kind, cdb, layout);
	if (outcome != VHOST_SCSI_PASS)
		return outcome;
	outcome = vhost_scsi_check_extent(kind, op, cdb, layout, plan);
	if (cdb[0] == WRITE_ATOMIC_16 && plan->shape.align < VHOST_SCSI_ATOMIC_ALIGN)
		plan->shape.align = VHOST_SCSI_ATOMIC_ALIGN;
	return outcome;
}

/* Most need no register saved: what is rare is out of line, and called last. */
static enum vhost_scsi_outcome
vhost_scsi_check_blocks(const struct vhost_scsi_kind *kind,
			const struct vhost_scsi_op *op, const u8 *cdb,
			const struct vhost_scsi_layout *layout,
			struct vhost_scsi_plan *plan)
{
	if (cdb[0] == WRITE_ATOMIC_16 ||
	    (op->flags_at && (cdb[op->flags_at] &
			      (VHOST_SCSI_PROTECT | VHOST_SCSI_DPO_FUA))))
		return vhost_scsi_check_flagged(kind, op, cdb, layout, plan);
	return vhost_scsi_check_extent(kind, op, cdb, layout, plan);
}

static enum vhost_scsi_outcome
vhost_scsi_check_same(const struct vhost_scsi_kind *kind,
		      const struct vhost_scsi_op *op, const u8 *cdb,
		      const struct vhost_scsi_layout *layout,
		      struct vhost_scsi_plan *plan)
{
	u64 lba = vhost_scsi_op_field(cdb, op->lba_at, op->lba_width);
	u64 blocks = vhost_scsi_op_field(cdb, op->len_at, op->len_width);
	u8 flags = cdb[op->flags_at];

	if (!blocks || blocks > kind->max_write_same ||
	    (flags & (VHOST_SCSI_ANCHOR_NDOB | VHOST_SCSI_PROTECT |
		      VHOST_SCSI_PBDATA_LBDATA)) ||
	    ((flags & VHOST_SCSI_WS_UNMAP) && !kind->has_ws_unmap))
		return VHOST_SCSI_BAD_FIELD;
	/* LIO would protect each block that is written, in memory, and fail then. */
	if (kind->makes_pi && !(flags & VHOST_SCSI_WS_UNMAP))
		return VHOST_SCSI_BAD_OPCODE;
	if (!vhost_scsi_check_in_range(kind, lba, blocks))
		return VHOST_SCSI_BAD_RANGE;
	if (layout->dir != op->dir || layout->data_len < kind->block_size)
		return VHOST_SCSI_OVERRUN;
	return vhost_scsi_check_moves(plan, op->dir, kind->block_size);
}

static enum vhost_scsi_outcome
vhost_scsi_check_pair(const struct vhost_scsi_kind *kind,
		      const struct vhost_scsi_op *op, const u8 *cdb,
		      const struct vhost_scsi_layout *layout,
		      struct vhost_scsi_plan *plan)
{
	u64 lba = vhost_scsi_op_field(cdb, op->lba_at, op->lba_width);
	u32 blocks = vhost_scsi_op_field(cdb, op->len_at, op->len_width);
	u64 size = 2 * (u64)blocks * kind->block_size;

	/* It writes the block without what protects it, and nobody reads it again. */
	if (kind->makes_pi)
		return VHOST_SCSI_BAD_OPCODE;
	/* LIO compares one block at a time. */
	if (blocks > 1 || ((cdb[op->flags_at] & VHOST_SCSI_DPO_FUA) &&
			   !kind->has_fua))
		return VHOST_SCSI_BAD_FIELD;
	if (!vhost_scsi_check_in_range(kind, lba, blocks))
		return VHOST_SCSI_BAD_RANGE;
	if (!blocks)
		return VHOST_SCSI_MOVES_NONE;
	if (layout->dir != op->dir || size > layout->data_len)
		return VHOST_SCSI_OVERRUN;
	if (size != layout->data_len)
		return VHOST_SCSI_BAD_DATA_LEN;
	return vhost_scsi_check_moves(plan, op->dir, size);
}

/* LIO maps whole pages, and must not get near the end of the last one. */
static u64 vhost_scsi_check_leave_room(const u8 *cdb, u64 len)
{
	u64 end = (len + VHOST_SCSI_LIST_PAGE - 1) & ~(VHOST_SCSI_LIST_PAGE - 1);

	if (!vhost_scsi_op_overshoots(cdb))
		return len;
	return len + VHOST_SCSI_OVERSHOOT > end && end ?
	       end - VHOST_SCSI_OVERSHOOT : len;
}

static enum vhost_scsi_outcome
vhost_scsi_check_alloc(const struct vhost_scsi_op *op, u8 *cdb,
		       const struct vhost_scsi_layout *layout,
		       struct vhost_scsi_plan *plan)
{
	u64 room = layout->dir == VHOST_SCSI_DIR_IN ? layout->data_len : 0;
	u64 len = op->counts == VHOST_SCSI_FIXED ? op->len_at :
		  vhost_scsi_op_field(cdb, op->len_at, op->len_width);

	if (!vhost_scsi_op_fields_ok(cdb))
		return VHOST_SCSI_BAD_FIELD;
	if (len && layout->dir == VHOST_SCSI_DIR_OUT)
		return VHOST_SCSI_OVERRUN;
	room = vhost_scsi_check_leave_room(cdb, len < room ? len : room);
	if (len > room) {
		len = room;
		vhost_scsi_op_set_len(op, cdb, len);
	}
	if (len < op->min)
		return VHOST_SCSI_BAD_FIELD;
	/* SPC: no error. LIO finds no list to write to, and fails. */
	if (!len && cdb[0] == REQUEST_SENSE)
		return VHOST_SCSI_MOVES_NONE;
	return vhost_scsi_check_moves(plan, VHOST_SCSI_DIR_IN, len);
}

static bool vhost_scsi_check_takes_list(const struct vhost_scsi_kind *kind,
					const u8 *cdb)
{
	switch (cdb[0]) {
	case UNMAP:
		return kind->has_unmap;
	case EXTENDED_COPY:
		/* LIO knows the form with a one-byte list identifier. */
		return kind->has_copy && !(cdb[1] & 0x1f);
	}
	return true;
}

static enum vhost_scsi_outcome
vhost_scsi_check_list(const struct vhost_scsi_kind *kind,
		      const struct vhost_scsi_op *op, const u8 *cdb,
		      const struct vhost_scsi_layout *layout,
		      struct vhost_scsi_plan *plan)
{
	u64 len = vhost_scsi_op_field(cdb, op->len_at, op->len_width);

	if (!vhost_scsi_check_takes_list(kind, cdb))
		return VHOST_SCSI_BAD_OPCODE;
	if (!vhost_scsi_op_fields_ok(cdb))
		return VHOST_SCSI_BAD_FIELD;
	if (len && (layout->dir != op->dir || len > layout->data_len))
		return VHOST_SCSI_OVERRUN;
	/* No list is no error of those two. */
	if (len < op->min &&
	    (len || (cdb[0] != UNMAP && cdb[0] != EXTENDED_COPY)))
		return VHOST_SCSI_BAD_LIST_LEN;
	return vhost_scsi_check_moves(plan, op->dir, len);
}

/*
 * No data. Of blocks in range LIO would make a length, and print that none comes.
 * With IMMED a SYNCHRONIZE CACHE would be over while LIO works on it: the disk could
 * be taken away, and the slot be the next one's.
 */
static enum vhost_scsi_outcome
vhost_scsi_check_no_data(const struct vhost_scsi_kind *kind,
			 const struct vhost_scsi_op *op, u8 *cdb,
			 struct vhost_scsi_plan *plan)
{
	if (op->lba_width &&
	    !vhost_scsi_check_in_range(kind,
				       vhost_scsi_op_field(cdb, op->lba_at,
							   op->lba_width),
				       vhost_scsi_op_field(cdb, op->len_at,
							   op->len_width)))
		return VHOST_SCSI_BAD_RANGE;
	vhost_scsi_op_set_len(op, cdb, 0);
	if (cdb[0] == SYNCHRONIZE_CACHE || cdb[0] == SYNCHRONIZE_CACHE_16)
		cdb[1] &= ~VHOST_SCSI_IMMED;
	return vhost_scsi_check_moves(plan, VHOST_SCSI_DIR_NONE, 0);
}

static noinline enum vhost_scsi_outcome
vhost_scsi_check_rare(const struct vhost_scsi_kind *kind,
		      const struct vhost_scsi_op *op, u8 *cdb,
		      const struct vhost_scsi_layout *layout,
		      struct vhost_scsi_plan *plan)
{
	switch (op->counts) {
	case VHOST_SCSI_NO_DATA:
		return vhost_scsi_check_no_data(kind, op, cdb, plan);
	case VHOST_SCSI_SAME:
		return vhost_scsi_check_same(kind, op, cdb, layout, plan);
	case VHOST_SCSI_PAIR:
		return vhost_scsi_check_pair(kind, op, cdb, layout, plan);
	case VHOST_SCSI_ALLOC:
		if (cdb[0] == RECEIVE_COPY_RESULTS && !kind->has_copy)
			break;
		return vhost_scsi_check_alloc(op, cdb, layout, plan);
	case VHOST_SCSI_FIXED:
		return vhost_scsi_check_alloc(op, cdb, layout, plan);
	case VHOST_SCSI_LIST:
		return vhost_scsi_check_list(kind, op, cdb, layout, plan);
	}
	return VHOST_SCSI_BAD_OPCODE;
}

static enum vhost_scsi_outcome
vhost_scsi_check_emulated(const struct vhost_scsi_kind *kind,
			  const struct vhost_scsi_op *op, u8 *cdb,
			  const struct vhost_scsi_layout *layout,
			  struct vhost_scsi_plan *plan)
{
	/* LIO goes by the direction, and prints a line for each. */
	if (kind->read_only && op->dir == VHOST_SCSI_DIR_OUT)
		return VHOST_SCSI_IS_READ_ONLY;
	if (op->counts == VHOST_SCSI_BLOCKS)
		return vhost_scsi_check_blocks(kind, op, cdb, layout, plan);
	return vhost_scsi_check_rare(kind, op, cdb, layout, plan);
}

/* A unit that is passed through, or a command with a service action. */
static noinline enum vhost_scsi_outcome
vhost_scsi_check_other(const struct vhost_scsi_kind *kind, u8 *cdb,
		       const struct vhost_scsi_layout *layout,
		       struct vhost_scsi_plan *plan)
{
	if (kind->is_passed && !vhost_scsi_passed_is_lios(kind, cdb[0]))
		return vhost_scsi_passed_check(kind, cdb, layout, plan);
	return vhost_scsi_check_emulated(kind, vhost_scsi_op_find(cdb), cdb, layout,
					 plan);
}

/**
 * vhost_scsi_check() - may a unit have a command, and what does LIO get?
 * @kind: what the unit is
 * @req: the request. An allocation length beyond the buffer becomes the buffer's
 * @layout: its data
 * @plan: result with VHOST_SCSI_PASS
 *
 * Return: VHOST_SCSI_PASS, or why LIO does not get it.
 */
enum vhost_scsi_outcome vhost_scsi_check(const struct vhost_scsi_kind *kind,
					 struct vhost_scsi_req *req,
					 const struct vhost_scsi_layout *layout,
					 struct vhost_scsi_plan *plan)
{
	const struct vhost_scsi_op *op = &vhost_scsi_op_table[req->cdb[0]];

	memset(plan, 0, sizeof(*plan));
	/* LIO counts bytes in 32 bits, and so does the residual. */
	if (req->cdb_len > sizeof(req->cdb) ||
	    (u64)layout->data_len >> 32)
		return VHOST_SCSI_BAD_FIELD;
	if (kind->is_passed || !op->counts)
		return vhost_scsi_check_other(kind, req->cdb, layout, plan);
	return vhost_scsi_check_emulated(kind, op, req->cdb, layout, plan);
}
