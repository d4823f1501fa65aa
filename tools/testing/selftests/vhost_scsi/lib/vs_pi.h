/* SPDX-License-Identifier: GPL-2.0 */
/*
 * T10 protection information: eight bytes a block, guard, application and
 * reference tag, and requests that carry it.
 */
#ifndef VS_PI_H
#define VS_PI_H

#include "vs_req.h"

/**
 * struct vs_pi - protection information of a block, as it is stored
 * @guard: CRC of the block, big-endian
 * @app: application tag; ff ff says "do not check"
 * @ref: low bytes of the LBA (type 1), big-endian
 */
struct vs_pi {
	uint8_t guard[2];
	uint8_t app[2];
	uint8_t ref[4];
};

/**
 * vs_pi_make() - protection information of type 1 for data
 * @pi: what to fill in, one for each block
 * @data: the blocks
 * @lba: number of the first one
 * @blocks: how many
 * @size: bytes of one
 */
void vs_pi_make(struct vs_pi *pi, const void *data, uint32_t lba,
		unsigned int blocks, unsigned int size);

/**
 * vs_pi_cdb() - set RDPROTECT or WRPROTECT
 * @cdb: READ or WRITE of 10 bytes and more
 * @protect: 0 to 7
 *
 * Return: the CDB.
 */
struct vs_cdb vs_pi_cdb(struct vs_cdb cdb, uint8_t protect);

/**
 * vs_pi_write() - run a command that writes data with protection information
 * @dev: a device with T10_PI
 * @target: TPG tag
 * @lun: LUN
 * @cdb: command
 * @pi: pointer into guest memory
 * @pi_len: its bytes, 0 for none
 * @data: pointer into guest memory
 * @len: its bytes
 *
 * Return: the outcome.
 */
struct vs_result vs_pi_write(struct vs_dev *dev, uint8_t target, uint16_t lun,
			     struct vs_cdb cdb, const void *pi, size_t pi_len,
			     const void *data, size_t len);

/**
 * vs_pi_read() - run a command that reads data with protection information
 * @dev: a device with T10_PI
 * @target: TPG tag
 * @lun: LUN
 * @cdb: command
 * @pi: pointer into guest memory
 * @pi_len: its bytes, 0 for none
 * @data: pointer into guest memory
 * @len: its bytes
 *
 * Return: the outcome.
 */
struct vs_result vs_pi_read(struct vs_dev *dev, uint8_t target, uint16_t lun,
			    struct vs_cdb cdb, void *pi, size_t pi_len,
			    void *data, size_t len);

#endif /* VS_PI_H */
