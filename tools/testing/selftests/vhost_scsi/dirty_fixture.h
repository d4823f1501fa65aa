/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of the dirty log: a disk whose data is nowhere in guest memory. */
#ifndef DIRTY_FIXTURE_H
#define DIRTY_FIXTURE_H

#include "vs_dirty.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define MEM	(8 << 20)
#define MAX_LEN	(64 << 10)	/* bytes of one request */

/* The disk has data that no test writes into memory by itself. */
static inline int fill_disk(struct vs_dev *dev)
{
	uint8_t *buf = vs_mem_page(&dev->mem, MAX_LEN / VS_PAGE);
	struct vs_result res = {};
	uint32_t lba;

	for (lba = 0; lba < VS_DISK_MIB * 2048 && !res.err && !res.status; lba += MAX_LEN / 512) {
		vs_fill(buf, MAX_LEN, lba + 1);
		res = vs_scsi_write(dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, lba,
							     MAX_LEN / 512),
				    buf, MAX_LEN);
	}
	return res.err || res.response || res.status ? -EIO : 0;
}

#endif /* DIRTY_FIXTURE_H */
