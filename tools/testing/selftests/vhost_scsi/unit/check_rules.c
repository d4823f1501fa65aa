// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold for vhost_scsi_check() whatever the command and the unit are: for
 * check_test.c, which tries all commands, and for the fuzzer.
 */
#include <string.h>

#include "check_rules.h"

#define MODE_SENSE_6	0x1a
#define MODE_SENSE_10	0x5a
#define REPORT_LUNS	0xa0

/* One command, and what came of it. */
struct checked {
	const struct vhost_scsi_kind *kind;
	const struct vhost_scsi_layout *layout;
	const struct vhost_scsi_op *op;
	const u8 *before;
	const u8 *cdb;
	struct vhost_scsi_plan plan;
	const char *broken;
};

/* The first rule that is broken is the answer. */
static void rule(struct checked *c, bool kept, const char *what)
{
	if (!kept && !c->broken)
		c->broken = what;
}

#define RULE(cond)	rule(c, cond, #cond)
/* If the first is true, so is the second. */
#define IF(a, b)	rule(c, !(a) || (b), #a ": " #b)

static u64 be(const u8 *at, unsigned int width)
{
	u64 val = 0;

	while (width--)
		val = val << 8 | *at++;
	return val;
}

static u64 length_of(const struct checked *c)
{
	return be(c->cdb + c->op->len_at, c->op->len_width);
}

static void direction_rule(struct checked *c)
{
	bool changes = vhost_scsi_passed_effect(c->kind->type, c->before) ==
		       VHOST_SCSI_EFFECT_CHANGES;
	u8 dir = c->plan.dir;

	RULE(c->plan.len <= c->layout->data_len);
	IF(dir == VHOST_SCSI_DIR_NONE, !c->plan.len);
	IF(dir == VHOST_SCSI_DIR_IN, c->plan.len);
	IF(dir == VHOST_SCSI_DIR_OUT && !c->plan.len,
	   c->kind->is_passed ? changes && !c->layout->data_len :
	   c->op->counts == VHOST_SCSI_BLOCKS && !length_of(c));
	IF(c->plan.len, dir == c->layout->dir);
	IF(dir == VHOST_SCSI_DIR_OUT && c->plan.len,
	   c->layout->dir == VHOST_SCSI_DIR_OUT);
	IF(c->kind->read_only, dir != VHOST_SCSI_DIR_OUT);
	IF(c->kind->read_only && c->kind->is_passed,
	   vhost_scsi_read_only_takes(c->kind->type, c->cdb));
}

static void pi_rule(struct checked *c)
{
	const struct vhost_scsi_plan *plan = &c->plan;
	u64 blocks = plan->len / (c->kind->block_size ?: 1);

	IF(plan->makes_pi, plan->len && c->kind->makes_pi);
	RULE(!(plan->makes_pi && plan->pi));
	IF(plan->pi, c->kind->prot_type == 1 || c->kind->prot_type == 3);
	IF(plan->pi, blocks && c->layout->pi_len == 8 * blocks);
	IF(plan->pi, plan->len == c->layout->data_len);
}

static void shape_rule(struct checked *c)
{
	u32 align = c->plan.shape.align;

	RULE(!(align & (align - 1)));
	RULE(!align || align >= 512);
	IF(c->plan.shape.merge, align);
	IF(c->plan.pi, align >= 4096 && !c->plan.shape.merge);
}

/*
 * The length is the only field that may change, and it never grows; but for the IMMED
 * of SYNCHRONIZE CACHE.
 */
static void cdb_rule(struct checked *c)
{
	u8 at = c->op->len_at, width = c->op->len_width;
	u8 before[VIRTIO_SCSI_CDB_DEFAULT_SIZE];

	memcpy(before, c->before, sizeof(before));
	if (before[0] == 0x35 || before[0] == 0x91)
		before[1] &= ~0x02 | (c->cdb[1] & 0x02);
	if (!memcmp(before, c->cdb, sizeof(before)))
		return;
	RULE(width);
	RULE(!memcmp(before, c->cdb, at));
	RULE(!memcmp(before + at + width, c->cdb + at + width,
		     sizeof(before) - at - width));
	RULE(length_of(c) < be(c->before + at, width));
}

static void blocks_rule(struct checked *c)
{
	u64 lba = be(c->cdb + c->op->lba_at, c->op->lba_width);
	u64 blocks = length_of(c);

	if (c->op->lba_width == 3) {
		lba &= 0x1fffff;
		blocks = blocks ?: 256;
	}
	RULE(lba + blocks >= lba && lba + blocks <= c->kind->blocks);
	RULE(c->plan.len == blocks * c->kind->block_size);
	IF(blocks && c->plan.dir == VHOST_SCSI_DIR_OUT,
	   c->layout->data_len == c->plan.len);
	IF(blocks, c->plan.shape.align >= c->kind->block_size);
	IF(blocks, c->plan.dir == c->op->dir);
	IF(blocks && c->kind->makes_pi, c->plan.pi || c->plan.makes_pi);
	IF(c->plan.makes_pi, c->plan.shape.align >= 4096);
	IF(blocks && c->cdb[0] == 0x9c,
	   c->plan.shape.align >= 4096 && c->plan.len <= 1 << 20);
	IF(c->kind->makes_pi, c->cdb[0] != 0x0a);
}

/* LIO gets just what it will make of the CDB. */
static void emulated_rule(struct checked *c)
{
	RULE(c->op->counts != VHOST_SCSI_UNKNOWN);
	switch (c->op->counts) {
	case VHOST_SCSI_NO_DATA:
		RULE(c->plan.dir == VHOST_SCSI_DIR_NONE);
		break;
	case VHOST_SCSI_BLOCKS:
		blocks_rule(c);
		break;
	case VHOST_SCSI_SAME:
		RULE(c->plan.dir == VHOST_SCSI_DIR_OUT);
		RULE(c->plan.len == c->kind->block_size && length_of(c));
		break;
	case VHOST_SCSI_PAIR:
		RULE(c->plan.dir == VHOST_SCSI_DIR_OUT);
		RULE(c->plan.len == 2 * length_of(c) * c->kind->block_size);
		RULE(c->plan.len == c->layout->data_len);
		break;
	case VHOST_SCSI_ALLOC:
		RULE(c->plan.dir != VHOST_SCSI_DIR_OUT);
		RULE(c->plan.len == length_of(c));
		break;
	case VHOST_SCSI_FIXED:
		RULE(c->plan.dir != VHOST_SCSI_DIR_OUT);
		RULE(c->plan.len <= c->op->len_at);
		break;
	case VHOST_SCSI_LIST:
		RULE(c->plan.dir != VHOST_SCSI_DIR_IN);
		RULE(c->plan.len == length_of(c));
		break;
	}
}

static void passed_rule(struct checked *c)
{
	u8 op = c->cdb[0];
	bool is_mode = op == MODE_SENSE_6 || op == MODE_SENSE_10;
	bool is_lios = c->kind->lio_pr || op == REPORT_LUNS;

	IF(c->kind->max_len && !is_lios, c->plan.len <= c->kind->max_len);
	IF(c->kind->in_place && is_mode, c->plan.len <= 4096);
	IF(c->kind->in_place && is_mode && c->layout->data_len > 4096,
	   length_of(c) <= 4096);
	RULE(!c->plan.pi && !c->plan.makes_pi);
}

static void refusal_rule(struct checked *c, enum vhost_scsi_outcome outcome)
{
	const struct vhost_scsi_refusal *refusal =
		vhost_scsi_check_refusal(outcome);
	bool counts_blocks = c->op->counts == VHOST_SCSI_BLOCKS ||
			     c->op->counts == VHOST_SCSI_PAIR;
	bool is_good = !refusal->key && !refusal->response;

	RULE(refusal->why);
	IF(refusal->key, !refusal->response && refusal->asc);
	/* GOOD without LIO, only where nothing is to be done, or REQUEST SENSE of no byte. */
	IF(is_good, !c->kind->is_passed && !length_of(c));
	IF(is_good, counts_blocks || c->cdb[0] == 0x03);
}

/**
 * check_rules_broken() - check a command, and what came of it
 * @kind: what the unit is
 * @before: the request; a copy of it is checked
 * @layout: its data
 *
 * Return: the rule that is broken, NULL if none is.
 */
const char *check_rules_broken(const struct vhost_scsi_kind *kind,
			       const struct vhost_scsi_req *before,
			       const struct vhost_scsi_layout *layout)
{
	struct vhost_scsi_req req = *before;
	struct checked c = {
		.kind = kind,
		.layout = layout,
		.op = vhost_scsi_op_find(before->cdb),
		.before = before->cdb,
		.cdb = req.cdb,
	};
	enum vhost_scsi_outcome outcome;

	memset(&c.plan, 0xa5, sizeof(c.plan));
	outcome = vhost_scsi_check(kind, &req, layout, &c.plan);
	if (outcome != VHOST_SCSI_PASS) {
		refusal_rule(&c, outcome);
		return c.broken;
	}
	direction_rule(&c);
	pi_rule(&c);
	shape_rule(&c);
	cdb_rule(&c);
	if (kind->is_passed)
		passed_rule(&c);
	else
		emulated_rule(&c);
	return c.broken;
}
