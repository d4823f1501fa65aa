/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CHECK_RULES_H
#define CHECK_RULES_H

#include "scsi_check.h"

const char *check_rules_broken(const struct vhost_scsi_kind *kind,
			       const struct vhost_scsi_req *before,
			       const struct vhost_scsi_layout *layout);

#endif
