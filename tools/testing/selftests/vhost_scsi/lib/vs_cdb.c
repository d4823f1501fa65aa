// SPDX-License-Identifier: GPL-2.0
#include "vs_cdb.h"

static void put_be(uint8_t *p, unsigned int bytes, uint64_t v)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

uint32_t vs_get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

struct vs_cdb vs_cdb_op(uint8_t op)
{
	return (struct vs_cdb){ .b[0] = op };
}

struct vs_cdb vs_cdb_inquiry(uint16_t len)
{
	struct vs_cdb cdb = vs_cdb_op(VS_INQUIRY);

	put_be(&cdb.b[3], 2, len);
	return cdb;
}

struct vs_cdb vs_cdb_vpd(uint8_t page, uint16_t len)
{
	struct vs_cdb cdb = vs_cdb_inquiry(len);

	cdb.b[1] = 1;
	cdb.b[2] = page;
	return cdb;
}

struct vs_cdb vs_cdb_report_luns(uint32_t len)
{
	struct vs_cdb cdb = vs_cdb_op(VS_REPORT_LUNS);

	put_be(&cdb.b[6], 4, len);
	return cdb;
}

struct vs_cdb vs_cdb_rw10(uint8_t op, uint32_t lba, uint16_t blocks)
{
	struct vs_cdb cdb = vs_cdb_op(op);

	put_be(&cdb.b[2], 4, lba);
	put_be(&cdb.b[7], 2, blocks);
	return cdb;
}

struct vs_cdb vs_cdb_rw16(uint8_t op, uint64_t lba, uint32_t blocks)
{
	struct vs_cdb cdb = vs_cdb_op(op);

	put_be(&cdb.b[2], 8, lba);
	put_be(&cdb.b[10], 4, blocks);
	return cdb;
}

struct vs_cdb vs_cdb_len6(uint8_t op, uint8_t page, uint8_t len)
{
	struct vs_cdb cdb = vs_cdb_op(op);

	cdb.b[2] = page;
	cdb.b[4] = len;
	return cdb;
}

struct vs_cdb vs_cdb_pr(uint8_t op, uint8_t action, uint16_t len)
{
	struct vs_cdb cdb = vs_cdb_op(op);

	cdb.b[1] = action;
	put_be(&cdb.b[7], 2, len);
	return cdb;
}
