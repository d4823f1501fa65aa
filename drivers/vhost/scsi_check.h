/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a command does to a unit: direction, bytes, list, protection. The one gate
 * in front of LIO.
 *
 * Pure, as scsi_wire.h: no vhost, no LIO, no allocation, no user memory.
 */
#ifndef VHOST_SCSI_CHECK_H
#define VHOST_SCSI_CHECK_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>

#include "scsi_wire.h"

/**
 * struct vhost_scsi_kind - what a unit is, as far as a command depends on it
 * @blocks: capacity, of an emulated unit
 * @block_size: bytes of a block
 * @max_len: bytes that its HBA takes at once, 0 for any number
 * @max_write_same: blocks that WRITE SAME may write
 * @type: peripheral device type (SPC), of a unit that is passed through
 * @prot_type: protection that it has or LIO offers for it, 0 for none
 * @is_passed: commands are passed through; LIO emulates all other units
 * @in_place: what is passed through goes to an HBA, with the list that LIO gets
 * @lio_pr: LIO keeps its reservations
 * @makes_pi: LIO makes protection information for data that comes without
 * @read_only: the nexus may not write it
 * @has_fua: it takes the FUA and DPO bits
 * @has_unmap: it takes UNMAP
 * @has_ws_unmap: it takes WRITE SAME with the UNMAP bit
 * @has_atomic: it takes WRITE ATOMIC
 * @has_copy: it takes EXTENDED COPY
 *
 * Members from @has_fua on, and @max_write_same, are valid for commands that are
 * not plain, see vhost_scsi_op_is_plain().
 */
struct vhost_scsi_kind {
	u64 blocks;
	u32 block_size;
	u32 max_len;
	u32 max_write_same;
	u8 type;
	u8 prot_type;
	bool is_passed;
	bool in_place;
	bool lio_pr;
	bool makes_pi;
	bool read_only;
	bool has_fua;
	bool has_unmap;
	bool has_ws_unmap;
	bool has_atomic;
	bool has_copy;
};

/**
 * struct vhost_scsi_shape - what the scatterlist of a command must look like
 * @align: where its segments may begin and end: at multiples of so many bytes, a
 *	power of two. A backstore moves whole blocks, and takes a segment for so many
 *	of them. Pages where LIO computes guard tags, over blocks that it believes to
 *	end in the entry behind, if not in the same. 0 where the guest's memory will
 *	not do: LIO maps the list of an emulated command page by page, and fills it
 *	past the data that it reports
 * @merge: contiguous pages may be one entry
 */
struct vhost_scsi_shape {
	u32 align;
	bool merge;
};

/* Segments begin and end where the block layer's sectors do. */
#define VHOST_SCSI_SECTOR	512

/**
 * struct vhost_scsi_plan - what LIO gets
 * @dir: direction that it is told. A command that changes the medium is a write,
 *	even without data: LIO keeps read-only units and reservations by it
 * @len: bytes that the CDB moves; the list holds so many, and not one more
 * @shape: of the list
 * @pi: the guest's protection information goes along
 * @makes_pi: LIO makes protection information
 */
struct vhost_scsi_plan {
	enum vhost_scsi_dir dir;
	u32 len;
	struct vhost_scsi_shape shape;
	bool pi;
	bool makes_pi;
};

/**
 * enum vhost_scsi_outcome - what came of checking a command
 * @VHOST_SCSI_PASS: LIO gets it
 * @VHOST_SCSI_MOVES_NONE: it is GOOD without LIO: it moves no block
 * @VHOST_SCSI_OVERRUN: the buffer is too short, or on the wrong side
 * @VHOST_SCSI_BAD_OPCODE: the unit does not know the command
 * @VHOST_SCSI_BAD_FIELD: nor this field of the CDB
 * @VHOST_SCSI_BAD_RANGE: the blocks are not all there
 * @VHOST_SCSI_BAD_DATA_LEN: the buffer of a write is longer than the CDB says, or
 *	does not fit the protection information
 * @VHOST_SCSI_BAD_LIST_LEN: the parameter list cannot be so short
 * @VHOST_SCSI_IS_READ_ONLY: the nexus may not write the unit
 */
enum vhost_scsi_outcome {
	VHOST_SCSI_PASS,
	VHOST_SCSI_MOVES_NONE,
	VHOST_SCSI_OVERRUN,
	VHOST_SCSI_BAD_OPCODE,
	VHOST_SCSI_BAD_FIELD,
	VHOST_SCSI_BAD_RANGE,
	VHOST_SCSI_BAD_DATA_LEN,
	VHOST_SCSI_BAD_LIST_LEN,
	VHOST_SCSI_IS_READ_ONLY,
};

/**
 * struct vhost_scsi_refusal - the answer to a command that LIO does not get
 * @why: for the tracepoint
 * @response: VIRTIO_SCSI_S_*
 * @key: sense key with VIRTIO_SCSI_S_OK, 0 for GOOD
 * @asc: additional sense code
 * @ascq: its qualifier
 */
struct vhost_scsi_refusal {
	const char *why;
	u8 response;
	u8 key;
	u8 asc;
	u8 ascq;
};

/* scsi_check.c */
enum vhost_scsi_outcome vhost_scsi_check(const struct vhost_scsi_kind *kind,
					 struct vhost_scsi_req *req,
					 const struct vhost_scsi_layout *layout,
					 struct vhost_scsi_plan *plan);
const struct vhost_scsi_refusal *
vhost_scsi_check_refusal(enum vhost_scsi_outcome outcome);

/* scsi_op.c */

/* SBC: RDPROTECT or WRPROTECT, and DPO and FUA: byte 1, or 10 of a long CDB */
#define VHOST_SCSI_PROTECT	0xe0
#define VHOST_SCSI_DPO_FUA	0x18

/**
 * enum vhost_scsi_counts - what the length field of a CDB counts
 * @VHOST_SCSI_UNKNOWN: nobody knows the command
 * @VHOST_SCSI_NO_DATA: there is none, or it does not matter
 * @VHOST_SCSI_BLOCKS: blocks that move (SBC: TRANSFER LENGTH)
 * @VHOST_SCSI_SAME: blocks that one block in the buffer is written to (WRITE SAME)
 * @VHOST_SCSI_PAIR: blocks, twice in the buffer (COMPARE AND WRITE)
 * @VHOST_SCSI_ALLOC: bytes that the guest has room for (SPC: ALLOCATION LENGTH)
 * @VHOST_SCSI_LIST: bytes that it sends (SPC: PARAMETER LIST LENGTH)
 * @VHOST_SCSI_FIXED: nothing: as many bytes come as @len_at says
 */
enum vhost_scsi_counts {
	VHOST_SCSI_UNKNOWN,
	VHOST_SCSI_NO_DATA,
	VHOST_SCSI_BLOCKS,
	VHOST_SCSI_SAME,
	VHOST_SCSI_PAIR,
	VHOST_SCSI_ALLOC,
	VHOST_SCSI_LIST,
	VHOST_SCSI_FIXED,
};

/**
 * struct vhost_scsi_op - a command that LIO emulates
 * @counts: enum vhost_scsi_counts, what its length field counts
 * @dir: enum vhost_scsi_dir of the data
 * @len_at: first byte of the length field
 * @len_width: bytes of it
 * @lba_at: first byte of the LOGICAL BLOCK ADDRESS
 * @lba_width: bytes of it, 0 if there is none
 * @flags_at: byte with RDPROTECT or WRPROTECT, FUA and DPO; 0 for none
 * @min: shortest list or allocation length that LIO takes in silence
 */
struct vhost_scsi_op {
	u8 counts;
	u8 dir;
	u8 len_at;
	u8 len_width;
	u8 lba_at;
	u8 lba_width;
	u8 flags_at;
	u8 min;
};

/* SBC: WRITE SAME, byte flags_at */
#define VHOST_SCSI_WS_UNMAP	0x08

/* Rows by operation code; those with service actions are unknown in here. */
extern const struct vhost_scsi_op vhost_scsi_op_table[256];

const struct vhost_scsi_op *vhost_scsi_op_of_action(const u8 *cdb);
bool vhost_scsi_op_overshoots(const u8 *cdb);
bool vhost_scsi_op_fields_ok(const u8 *cdb);
void vhost_scsi_op_set_len(const struct vhost_scsi_op *op, u8 *cdb, u32 len);

/**
 * vhost_scsi_op_find() - what LIO does with a command to a unit that it emulates
 * @cdb: command descriptor block, VIRTIO_SCSI_CDB_DEFAULT_SIZE bytes
 *
 * Return: its row; one that counts VHOST_SCSI_UNKNOWN if it does nothing.
 */
static inline const struct vhost_scsi_op *vhost_scsi_op_find(const u8 *cdb)
{
	const struct vhost_scsi_op *op = &vhost_scsi_op_table[cdb[0]];

	return op->counts ? op : vhost_scsi_op_of_action(cdb);
}

/**
 * vhost_scsi_op_is_plain() - does the command only move blocks?
 * @cdb: command descriptor block, VIRTIO_SCSI_CDB_DEFAULT_SIZE bytes
 *
 * Return: true if a unit's capacity, block size and protection decide it.
 */
static inline bool vhost_scsi_op_is_plain(const u8 *cdb)
{
	const struct vhost_scsi_op *op = &vhost_scsi_op_table[cdb[0]];

	return op->counts == VHOST_SCSI_BLOCKS && cdb[0] != WRITE_ATOMIC_16 &&
	       !(op->flags_at && (cdb[op->flags_at] & VHOST_SCSI_DPO_FUA));
}

/**
 * vhost_scsi_op_early() - a number in a CDB, but for its end
 * @cdb: command descriptor block, VIRTIO_SCSI_CDB_DEFAULT_SIZE bytes
 * @at: first byte of the number, up to 24: all of a CDB of up to 16 bytes
 * @width: bytes of it, 1 to 8
 *
 * Return: the number.
 */
static inline u64 vhost_scsi_op_early(const u8 *cdb, unsigned int at,
				      unsigned int width)
{
	/* Eight bytes at once, and of them the first ones. */
	return get_unaligned_be64(cdb + at) >> (64 - 8 * width);
}

/**
 * vhost_scsi_op_field() - a number in a CDB
 * @cdb: command descriptor block, VIRTIO_SCSI_CDB_DEFAULT_SIZE bytes
 * @at: first byte of the number
 * @width: bytes of it, 1 to 8; 4 behind byte 24
 *
 * Return: the number. Fields end within the CDB.
 */
static inline u64 vhost_scsi_op_field(const u8 *cdb, unsigned int at,
				      unsigned int width)
{
	if (at <= VIRTIO_SCSI_CDB_DEFAULT_SIZE - 8)
		return vhost_scsi_op_early(cdb, at, width);
	/* The last field of a long CDB. */
	return get_unaligned_be32(cdb + VIRTIO_SCSI_CDB_DEFAULT_SIZE - 4);
}

/* scsi_passed.c */

/**
 * enum vhost_scsi_effect - what a command does to the medium of a unit that is passed
 *	through
 * @VHOST_SCSI_EFFECT_NONE: nothing, or nobody knows
 * @VHOST_SCSI_EFFECT_READS: it reads the medium, into a data-in buffer
 * @VHOST_SCSI_EFFECT_CHANGES: it changes the medium, with a data-out buffer or without any
 */
enum vhost_scsi_effect {
	VHOST_SCSI_EFFECT_NONE,
	VHOST_SCSI_EFFECT_READS,
	VHOST_SCSI_EFFECT_CHANGES,
};

/* Peripheral device types (SPC) */
#define VHOST_SCSI_TYPE_TAPE	0x01
#define VHOST_SCSI_TYPE_ROM	0x05

bool vhost_scsi_passed_is_lios(const struct vhost_scsi_kind *kind, u8 op);
enum vhost_scsi_effect vhost_scsi_passed_effect(u8 type, const u8 *cdb);
enum vhost_scsi_outcome
vhost_scsi_passed_check(const struct vhost_scsi_kind *kind, u8 *cdb,
			const struct vhost_scsi_layout *layout,
			struct vhost_scsi_plan *plan);

/* scsi_read_only.c */
bool vhost_scsi_read_only_takes(u8 type, const u8 *cdb);

#endif
