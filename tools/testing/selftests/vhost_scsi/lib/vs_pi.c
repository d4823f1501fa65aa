// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "vs_pi.h"

/* SBC: x^16 + x^15 + x^11 + x^9 + x^8 + x^7 + x^5 + x^4 + x^2 + x + 1 */
static uint16_t guard(const uint8_t *data, size_t len)
{
	uint16_t crc = 0;
	unsigned int bit;

	while (len--) {
		crc ^= *data++ << 8;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x8bb7 : crc << 1;
	}
	return crc;
}

void vs_pi_make(struct vs_pi *pi, const void *data, uint32_t lba,
		unsigned int blocks, unsigned int size)
{
	const uint8_t *at = data;

	for (; blocks--; pi++, lba++, at += size) {
		uint16_t crc = guard(at, size);

		pi->guard[0] = crc >> 8;
		pi->guard[1] = crc & 0xff;
		memset(pi->app, 0, sizeof(pi->app));
		pi->ref[0] = lba >> 24;
		pi->ref[1] = lba >> 16 & 0xff;
		pi->ref[2] = lba >> 8 & 0xff;
		pi->ref[3] = lba & 0xff;
	}
}

struct vs_cdb vs_pi_cdb(struct vs_cdb cdb, uint8_t protect)
{
	cdb.b[1] |= protect << 5;
	return cdb;
}

struct vs_result vs_pi_write(struct vs_dev *dev, uint8_t target, uint16_t lun,
			     struct vs_cdb cdb, const void *pi, size_t pi_len,
			     const void *data, size_t len)
{
	struct vs_req req;

	vs_req_get(&req, dev, target, lun, cdb);
	vs_req_pi(&req, pi_len, 0);
	if (pi_len)
		vs_req_out(&req, pi, pi_len);
	vs_req_out(&req, data, len);
	return vs_req_finish(&req);
}

struct vs_result vs_pi_read(struct vs_dev *dev, uint8_t target, uint16_t lun,
			    struct vs_cdb cdb, void *pi, size_t pi_len,
			    void *data, size_t len)
{
	struct vs_req req;

	vs_req_get(&req, dev, target, lun, cdb);
	vs_req_pi(&req, 0, pi_len);
	if (pi_len)
		vs_req_in(&req, pi, pi_len);
	vs_req_in(&req, data, len);
	return vs_req_finish(&req);
}
