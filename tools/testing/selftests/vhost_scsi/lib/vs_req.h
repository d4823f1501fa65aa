/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio-scsi requests: header and response in guest memory, and the chain
 * that carries them. The plain layout is one segment for the header and one
 * for the response, data behind; tests build any other from the same parts.
 */
#ifndef VS_REQ_H
#define VS_REQ_H

#include <linux/virtio_scsi.h>

#include "vs_cdb.h"
#include "vs_dev.h"

#define VS_HDR		sizeof(struct virtio_scsi_cmd_req)
#define VS_HDR_PI	sizeof(struct virtio_scsi_cmd_req_pi)
#define VS_RSP		sizeof(struct virtio_scsi_cmd_resp)

/* What a response buffer holds before the device writes it. */
#define VS_POISON	0xee

/**
 * struct vs_req - one request
 * @dev: the device
 * @ring: queue that it goes to, first request queue unless changed
 * @hdr: request header
 * @hdr_len: its bytes: VS_HDR, or VS_HDR_PI on a device with T10_PI
 * @rsp: response
 * @chain: its segments
 */
struct vs_req {
	struct vs_dev *dev;
	struct vs_ring *ring;
	struct virtio_scsi_cmd_req *hdr;
	size_t hdr_len;
	struct virtio_scsi_cmd_resp *rsp;
	struct vs_chain chain;
};

/**
 * vs_lun() - write the address of a unit, flat form, as Linux does
 * @lun: eight bytes
 * @target: TPG tag
 * @n: LUN
 */
void vs_lun(uint8_t *lun, uint8_t target, uint16_t n);

/**
 * vs_req_bare() - make a request without segments
 * @req: what to fill in
 * @dev: a device
 * @target: TPG tag
 * @lun: LUN
 * @cdb: command
 *
 * Header and response lie in guest memory; the response is VS_POISON.
 */
void vs_req_bare(struct vs_req *req, struct vs_dev *dev, uint8_t target,
		 uint16_t lun, struct vs_cdb cdb);

/**
 * vs_req_get() - make a request in the plain layout, without data
 * @req: what to fill in
 * @dev: a device
 * @target: TPG tag
 * @lun: LUN
 * @cdb: command
 */
void vs_req_get(struct vs_req *req, struct vs_dev *dev, uint8_t target,
		uint16_t lun, struct vs_cdb cdb);

/**
 * vs_req_pi() - say how much protection information a request carries
 * @req: request to a device with T10_PI
 * @out: bytes in front of the data that the device reads
 * @in: bytes in front of the data that the device writes
 */
void vs_req_pi(struct vs_req *req, uint32_t out, uint32_t in);

/**
 * vs_req_put() - free what a request holds outside guest memory
 * @req: from vs_req_get() or vs_req_bare()
 */
void vs_req_put(struct vs_req *req);

/**
 * vs_req_out() - append a segment that the device reads
 * @req: a request
 * @p: pointer into guest memory
 * @len: bytes
 */
void vs_req_out(struct vs_req *req, const void *p, size_t len);

/**
 * vs_req_in() - append a segment that the device writes
 * @req: a request
 * @p: pointer into guest memory
 * @len: bytes
 */
void vs_req_in(struct vs_req *req, void *p, size_t len);

/**
 * vs_req_out_cut() - append memory in pieces, to be read
 * @req: a request
 * @p: pointer into guest memory
 * @len: bytes
 * @piece: bytes of each piece
 */
void vs_req_out_cut(struct vs_req *req, const void *p, size_t len,
		    size_t piece);

/**
 * vs_req_in_cut() - append memory in pieces, to be written
 * @req: a request
 * @p: pointer into guest memory
 * @len: bytes
 * @piece: bytes of each piece
 */
void vs_req_in_cut(struct vs_req *req, void *p, size_t len, size_t piece);

/**
 * vs_req_submit() - make a request available and kick
 * @req: a request
 *
 * Return: 0 or -ENOSPC.
 */
int vs_req_submit(struct vs_req *req);

/**
 * vs_req_wait() - wait until a request is done
 * @req: a submitted request
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_req_wait(struct vs_req *req);

/**
 * vs_req_end_all() - wait for requests, and give them back
 * @req: the first one
 * @n: how many
 *
 * Return: 0, or -ETIMEDOUT if one of them did not come.
 */
int vs_req_end_all(struct vs_req *req, unsigned int n);

/**
 * vs_req_run() - submit a request and wait until it is done
 * @req: a request
 *
 * Return: 0, -ENOSPC or -ETIMEDOUT.
 */
int vs_req_run(struct vs_req *req);

/**
 * vs_req_sense() - sense key and code of a response
 * @req: a done request
 *
 * Return: key << 16 | asc << 8 | ascq, or -1 if there is no sense.
 */
int vs_req_sense(const struct vs_req *req);

/**
 * struct vs_result - outcome of vs_scsi()
 * @err: 0 or -errno of the transport: everything else is valid only with 0
 * @response: virtio response code
 * @status: SCSI status
 * @sense: as vs_req_sense()
 * @resid: residual
 * @used_len: length in the used ring
 */
struct vs_result {
	int err;
	uint8_t response;
	uint8_t status;
	int sense;
	uint32_t resid;
	uint32_t used_len;
};

/**
 * vs_req_finish() - run a request and free it
 * @req: a request
 *
 * Return: the outcome.
 */
struct vs_result vs_req_finish(struct vs_req *req);

/**
 * vs_scsi_read() - run a command that reads
 * @dev: a device
 * @target: TPG tag
 * @lun: LUN
 * @cdb: command
 * @buf: pointer into guest memory
 * @len: bytes, 0 for a command without data
 *
 * Return: the outcome.
 */
struct vs_result vs_scsi_read(struct vs_dev *dev, uint8_t target, uint16_t lun,
			      struct vs_cdb cdb, void *buf, size_t len);

/**
 * vs_scsi_write() - run a command that writes
 * @dev: a device
 * @target: TPG tag
 * @lun: LUN
 * @cdb: command
 * @buf: pointer into guest memory
 * @len: bytes, 0 for a command without data
 *
 * Return: the outcome.
 */
struct vs_result vs_scsi_write(struct vs_dev *dev, uint8_t target, uint16_t lun,
			       struct vs_cdb cdb, const void *buf, size_t len);

/**
 * vs_scsi_settle() - take the unit attentions that wait at a unit
 * @dev: a device
 * @target: TPG tag
 * @lun: LUN
 *
 * Return: 0 once TEST UNIT READY is GOOD, else -EIO or -ETIMEDOUT.
 */
int vs_scsi_settle(struct vs_dev *dev, uint8_t target, uint16_t lun);

/**
 * vs_scsi_blocks() - blocks of a unit, from READ CAPACITY(10)
 * @dev: a device
 * @target: TPG tag
 * @lun: LUN
 *
 * Return: how many, or 0 if it does not say.
 */
uint32_t vs_scsi_blocks(struct vs_dev *dev, uint8_t target, uint16_t lun);

/**
 * vs_tmf_chain() - build a task management request
 * @chain: from vs_chain_get()
 * @dev: a device
 * @target: TPG tag
 * @lun: LUN
 * @subtype: which function
 * @tag: task
 *
 * Return: where the response byte will be, VS_POISON until then.
 */
uint8_t *vs_tmf_chain(struct vs_chain *chain, struct vs_dev *dev,
		      uint8_t target, uint16_t lun, uint32_t subtype,
		      uint64_t tag);

/**
 * vs_tmf() - run a task management function
 * @dev: a device
 * @target: TPG tag
 * @lun: LUN
 * @subtype: which function
 * @tag: task
 * @used_len: length in the used ring, may be NULL
 *
 * Return: the response code, or -errno.
 */
int vs_tmf(struct vs_dev *dev, uint8_t target, uint16_t lun, uint32_t subtype,
	   uint64_t tag, uint32_t *used_len);

#endif /* VS_REQ_H */
