/* SPDX-License-Identifier: GPL-2.0 */
/* CDB builders: the commands that the tests send, as values. */
#ifndef VS_CDB_H
#define VS_CDB_H

#include <linux/virtio_scsi.h>
#include <stdint.h>

#define VS_TEST_UNIT_READY	0x00
#define VS_REQUEST_SENSE	0x03
#define VS_READ_6		0x08
#define VS_WRITE_6		0x0a
#define VS_INQUIRY		0x12
#define VS_MODE_SELECT_6	0x15
#define VS_MODE_SENSE_6		0x1a
#define VS_RESERVE_6		0x16
#define VS_RELEASE_6		0x17
#define VS_READ_CAPACITY_10	0x25
#define VS_READ_10		0x28
#define VS_WRITE_10		0x2a
#define VS_SYNCHRONIZE_CACHE	0x35
#define VS_WRITE_SAME_10	0x41
#define VS_UNMAP		0x42
#define VS_MODE_SENSE_10	0x5a
#define VS_PR_IN		0x5e
#define VS_PR_OUT		0x5f
#define VS_VARIABLE_LENGTH	0x7f
#define VS_EXTENDED_COPY	0x83
#define VS_READ_16		0x88
#define VS_COMPARE_AND_WRITE	0x89
#define VS_WRITE_16		0x8a
#define VS_WRITE_SAME_16	0x93
#define VS_WRITE_ATOMIC_16	0x9c
#define VS_READ_CAPACITY_16	0x9e
#define VS_REPORT_LUNS		0xa0
#define VS_MAINTENANCE_OUT	0xa4
#define VS_READ_12		0xa8
#define VS_WRITE_12		0xaa

#define VS_GOOD			0x00
#define VS_CHECK_CONDITION	0x02
#define VS_BUSY			0x08
#define VS_RESERVATION_CONFLICT	0x18
#define VS_TASK_SET_FULL	0x28

/**
 * struct vs_cdb - a CDB in the fixed field of a request
 * @b: its bytes
 */
struct vs_cdb {
	uint8_t b[VIRTIO_SCSI_CDB_SIZE];
};

/**
 * vs_cdb_op() - a CDB of an opcode and zeroes
 * @op: opcode
 *
 * Return: the CDB.
 */
struct vs_cdb vs_cdb_op(uint8_t op);

/**
 * vs_cdb_inquiry() - INQUIRY
 * @len: allocation length
 *
 * Return: the CDB.
 */
struct vs_cdb vs_cdb_inquiry(uint16_t len);

/**
 * vs_cdb_vpd() - INQUIRY of a vital product data page
 * @page: page code
 * @len: allocation length
 *
 * Return: the CDB.
 */
struct vs_cdb vs_cdb_vpd(uint8_t page, uint16_t len);

/**
 * vs_cdb_report_luns() - REPORT LUNS
 * @len: allocation length
 *
 * Return: the CDB.
 */
struct vs_cdb vs_cdb_report_luns(uint32_t len);

/**
 * vs_cdb_rw10() - READ(10) or WRITE(10)
 * @op: which
 * @lba: first block
 * @blocks: how many
 *
 * Return: the CDB.
 */
struct vs_cdb vs_cdb_rw10(uint8_t op, uint32_t lba, uint16_t blocks);

/**
 * vs_cdb_rw16() - READ(16) or WRITE(16)
 * @op: which
 * @lba: first block
 * @blocks: how many
 *
 * Return: the CDB.
 */
struct vs_cdb vs_cdb_rw16(uint8_t op, uint64_t lba, uint32_t blocks);

/**
 * vs_cdb_len6() - a six-byte CDB with a one-byte allocation length
 * @op: opcode
 * @page: byte 2
 * @len: allocation length
 *
 * Return: the CDB.
 */
struct vs_cdb vs_cdb_len6(uint8_t op, uint8_t page, uint8_t len);

/**
 * vs_cdb_pr() - PERSISTENT RESERVE IN or OUT
 * @op: which
 * @action: service action
 * @len: allocation or parameter list length
 *
 * Return: the CDB.
 */
struct vs_cdb vs_cdb_pr(uint8_t op, uint8_t action, uint16_t len);

/**
 * vs_get_be32() - read a big-endian number
 * @p: four bytes
 *
 * Return: the number.
 */
uint32_t vs_get_be32(const uint8_t *p);

#endif /* VS_CDB_H */
