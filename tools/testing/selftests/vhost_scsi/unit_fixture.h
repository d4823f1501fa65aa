/* SPDX-License-Identifier: GPL-2.0 */
/* Units of every kind, for tests that read and write them. */
#ifndef UNIT_FIXTURE_H
#define UNIT_FIXTURE_H

#include "vs_test.h"
#include "vs_unit.h"

/* What nobody writes. */
#define GUARD	0x5a
#define MIB	1048576UL

/* Where the tests write, somewhere that is no multiple of anything. */
#define LBA	5

FIXTURE(unit) {
	struct vs_unit unit;
	struct vs_dev *dev;
	unsigned int block;
	uint32_t blocks;
};

typedef FIXTURE_DATA(unit) unit_data;

FIXTURE_VARIANT(unit) {
	enum vs_unit_kind kind;
};

#define UNIT_FIXTURE unit
#include "vs_unit_emulated.h"
#include "vs_unit_passed.h"

FIXTURE_SETUP(unit)
{
	struct vs_unit_opts opts = { .kind = variant->kind };

	UNIT_GET_WANTED(&self->unit, &opts);
	self->dev = self->unit.dev;
	self->block = self->unit.type->block_size;
	self->blocks = self->block ?
		       vs_scsi_blocks(self->dev, VS_TAG, self->unit.lun) : 0;
}

UNIT_TEARDOWN(unit);

static inline struct vs_cdb rw_cdb(uint8_t op, uint64_t lba, uint32_t blocks)
{
	return op < 0x80 ? vs_cdb_rw10(op, lba, blocks) :
	       vs_cdb_rw16(op, lba, blocks);
}

static inline struct vs_result in(unit_data *self, struct vs_cdb cdb, void *buf,
				  size_t len)
{
	return vs_scsi_read(self->dev, VS_TAG, self->unit.lun, cdb, buf, len);
}

static inline struct vs_result out(unit_data *self, struct vs_cdb cdb,
				   const void *buf, size_t len)
{
	return vs_scsi_write(self->dev, VS_TAG, self->unit.lun, cdb, buf, len);
}

/* Blocks of a seed at an address; of a CD, whatever is there already. */
static inline struct vs_result prepare(unit_data *self, uint32_t lba,
				       unsigned int blocks, uint8_t *buf,
				       unsigned int seed)
{
	size_t len = blocks * self->block;

	if (!self->unit.type->writable)
		return in(self, rw_cdb(VS_READ_10, lba, blocks), buf, len);
	vs_fill(buf, len, seed);
	return out(self, rw_cdb(VS_WRITE_10, lba, blocks), buf, len);
}

/* Do the blocks hold the same as before? */
static inline bool unchanged(unit_data *self, uint32_t lba, unsigned int blocks,
			     const uint8_t *want)
{
	size_t len = blocks * self->block, used = self->dev->mem.used;
	uint8_t *now = vs_mem_page(&self->dev->mem, len / VS_PAGE + 1);
	struct vs_result res;

	res = in(self, rw_cdb(VS_READ_10, lba, blocks), now, len);
	self->dev->mem.used = used;
	return !res.err && !res.response && !res.status &&
	       !memcmp(now, want, len);
}

#define NO_BLOCKS	"it has no blocks"
#define NO_WRITES	"it has no blocks to write"
#define NOT_EMULATED	"the unit answers itself"

#endif /* UNIT_FIXTURE_H */
