// SPDX-License-Identifier: GPL-2.0
/*
 * No gate: LIO gets each command as it is, with the guest's whole buffer. A module
 * with this in place of scsi_check.c (lab/modules --no-gate) shows what the second
 * line behind target_submit_prep() does alone.
 */
#include <linux/bug.h>
#include <linux/string.h>

#include "scsi_check.h"

/* Nothing is refused here. */
const struct vhost_scsi_refusal *
vhost_scsi_check_refusal(enum vhost_scsi_outcome outcome)
{
	static const struct vhost_scsi_refusal none;

	return &none;
}

static bool moves_blocks(const struct vhost_scsi_kind *kind, const u8 *cdb)
{
	if (kind->is_passed)
		return vhost_scsi_passed_effect(kind->type, cdb) !=
		       VHOST_SCSI_EFFECT_NONE;
	return vhost_scsi_op_find(cdb)->counts == VHOST_SCSI_BLOCKS;
}

enum vhost_scsi_outcome vhost_scsi_check(const struct vhost_scsi_kind *kind,
					 struct vhost_scsi_req *req,
					 const struct vhost_scsi_layout *layout,
					 struct vhost_scsi_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	/* LIO would read more of it than there is. */
	if (req->cdb_len > sizeof(req->cdb))
		req->cdb[7] = sizeof(req->cdb) - 8;
	plan->dir = layout->dir;
	plan->len = layout->data_len;
	plan->pi = layout->pi_len;
	plan->makes_pi = kind->makes_pi && !plan->pi;
	if (!moves_blocks(kind, req->cdb))
		return VHOST_SCSI_PASS;
	plan->shape.align = plan->pi || plan->makes_pi ? 4096 :
			    kind->block_size > 512 ? kind->block_size : 512;
	plan->shape.merge = !kind->is_passed && !plan->pi && !plan->makes_pi;
	return VHOST_SCSI_PASS;
}
