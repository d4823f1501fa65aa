// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "vs_req.h"

void vs_lun(uint8_t *lun, uint8_t target, uint16_t n)
{
	memset(lun, 0, 8);
	lun[0] = 1;
	lun[1] = target;
	lun[2] = 0x40 | n >> 8;
	lun[3] = n & 0xff;
}

void vs_req_bare(struct vs_req *req, struct vs_dev *dev, uint8_t target,
		 uint16_t lun, struct vs_cdb cdb)
{
	static uint64_t next_tag;
	bool pi = dev->features & VS_BIT(VIRTIO_SCSI_F_T10_PI);
	size_t at = pi ? offsetof(struct virtio_scsi_cmd_req_pi, cdb) :
			 offsetof(struct virtio_scsi_cmd_req, cdb);

	memset(req, 0, sizeof(*req));
	req->dev = dev;
	req->ring = &dev->ring[VS_IO];
	vs_chain_get(&req->chain);
	req->hdr_len = pi ? VS_HDR_PI : VS_HDR;
	req->hdr = vs_mem_alloc(&dev->mem, req->hdr_len, 64);
	req->rsp = vs_mem_alloc(&dev->mem, VS_RSP, 64);
	memset(req->hdr, 0, req->hdr_len);
	memset(req->rsp, VS_POISON, VS_RSP);
	vs_lun(req->hdr->lun, target, lun);
	req->hdr->tag = ++next_tag;
	memcpy((uint8_t *)req->hdr + at, cdb.b, sizeof(cdb.b));
}

void vs_req_get(struct vs_req *req, struct vs_dev *dev, uint8_t target,
		uint16_t lun, struct vs_cdb cdb)
{
	vs_req_bare(req, dev, target, lun, cdb);
	vs_req_out(req, req->hdr, req->hdr_len);
	vs_req_in(req, req->rsp, VS_RSP);
}

void vs_req_pi(struct vs_req *req, uint32_t out, uint32_t in)
{
	struct virtio_scsi_cmd_req_pi *hdr = (void *)req->hdr;

	hdr->pi_bytesout = out;
	hdr->pi_bytesin = in;
}

void vs_req_put(struct vs_req *req)
{
	/* A head that never came back must not find a chain that is gone. */
	if (req->ring && req->ring->mem && req->chain.out &&
	    req->ring->owner[req->chain.head] == &req->chain)
		req->ring->owner[req->chain.head] = NULL;
	vs_chain_put(&req->chain);
}

void vs_req_out(struct vs_req *req, const void *p, size_t len)
{
	vs_chain_out(&req->chain, &req->dev->mem, p, len);
}

void vs_req_in(struct vs_req *req, void *p, size_t len)
{
	vs_chain_in(&req->chain, &req->dev->mem, p, len);
}

void vs_req_out_cut(struct vs_req *req, const void *p, size_t len,
		    size_t piece)
{
	vs_chain_out_cut(&req->chain, &req->dev->mem, p, len, piece);
}

void vs_req_in_cut(struct vs_req *req, void *p, size_t len, size_t piece)
{
	vs_chain_in_cut(&req->chain, &req->dev->mem, p, len, piece);
}

int vs_req_submit(struct vs_req *req)
{
	int ret = vs_ring_add(req->ring, &req->chain);

	if (!ret)
		vs_ring_kick(req->ring);
	return ret;
}

int vs_req_wait(struct vs_req *req)
{
	return vs_chain_wait(req->ring, &req->chain, vs_patience());
}

int vs_req_end_all(struct vs_req *req, unsigned int n)
{
	int ret = 0;

	for (; n; n--, req++) {
		ret = vs_req_wait(req) ?: ret;
		vs_req_put(req);
	}
	return ret;
}

int vs_req_run(struct vs_req *req)
{
	return vs_chain_run(req->ring, &req->chain);
}

int vs_req_sense(const struct vs_req *req)
{
	const uint8_t *s = req->rsp->sense;

	if (req->rsp->sense_len < 14 || req->rsp->sense_len > sizeof(req->rsp->sense))
		return -1;
	/* Descriptor format (72h, 73h), else fixed format. */
	if ((s[0] & 0x7f) >= 0x72)
		return (s[1] & 0xf) << 16 | s[2] << 8 | s[3];
	return (s[2] & 0xf) << 16 | s[12] << 8 | s[13];
}

struct vs_result vs_req_finish(struct vs_req *req)
{
	struct vs_result res = { .err = vs_req_run(req) };

	if (!res.err) {
		res.response = req->rsp->response;
		res.status = req->rsp->status;
		res.sense = vs_req_sense(req);
		res.resid = req->rsp->resid;
		res.used_len = req->chain.used_len;
	}
	vs_req_put(req);
	return res;
}

struct vs_result vs_scsi_read(struct vs_dev *dev, uint8_t target, uint16_t lun,
			      struct vs_cdb cdb, void *buf, size_t len)
{
	struct vs_req req;

	vs_req_get(&req, dev, target, lun, cdb);
	if (len)
		vs_req_in(&req, buf, len);
	return vs_req_finish(&req);
}

struct vs_result vs_scsi_write(struct vs_dev *dev, uint8_t target, uint16_t lun,
			       struct vs_cdb cdb, const void *buf, size_t len)
{
	struct vs_req req;

	vs_req_get(&req, dev, target, lun, cdb);
	if (len)
		vs_req_out(&req, buf, len);
	return vs_req_finish(&req);
}

int vs_scsi_settle(struct vs_dev *dev, uint8_t target, uint16_t lun)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct vs_result res;

		res = vs_scsi_read(dev, target, lun,
				   vs_cdb_op(VS_TEST_UNIT_READY), NULL, 0);
		if (res.err)
			return res.err;
		if (res.response == VIRTIO_SCSI_S_OK && res.status == VS_GOOD)
			return 0;
	}
	return -EIO;
}

uint32_t vs_scsi_blocks(struct vs_dev *dev, uint8_t target, uint16_t lun)
{
	uint8_t *buf = vs_mem_alloc(&dev->mem, 64, 64);
	struct vs_result res;

	res = vs_scsi_read(dev, target, lun, vs_cdb_op(VS_READ_CAPACITY_10),
			   buf, 8);
	return res.err || res.response || res.status ? 0 :
	       vs_get_be32(buf) + 1;
}

uint8_t *vs_tmf_chain(struct vs_chain *chain, struct vs_dev *dev,
		      uint8_t target, uint16_t lun, uint32_t subtype,
		      uint64_t tag)
{
	struct virtio_scsi_ctrl_tmf_req *tmf;
	uint8_t *rsp;

	tmf = vs_mem_alloc(&dev->mem, sizeof(*tmf), 64);
	rsp = vs_mem_alloc(&dev->mem, 64, 64);
	memset(rsp, VS_POISON, 64);
	tmf->type = VIRTIO_SCSI_T_TMF;
	tmf->subtype = subtype;
	tmf->tag = tag;
	vs_lun(tmf->lun, target, lun);
	vs_chain_out(chain, &dev->mem, tmf, sizeof(*tmf));
	vs_chain_in(chain, &dev->mem, rsp, 1);
	return rsp;
}

int vs_tmf(struct vs_dev *dev, uint8_t target, uint16_t lun, uint32_t subtype,
	   uint64_t tag, uint32_t *used_len)
{
	struct vs_chain chain;
	uint8_t *rsp;
	int ret;

	vs_chain_get(&chain);
	rsp = vs_tmf_chain(&chain, dev, target, lun, subtype, tag);
	ret = vs_chain_run(&dev->ring[VS_CTL], &chain);
	if (used_len)
		*used_len = chain.used_len;
	if (ret)
		dev->ring[VS_CTL].owner[chain.head] = NULL;
	vs_chain_put(&chain);
	return ret ? ret : *rsp;
}
