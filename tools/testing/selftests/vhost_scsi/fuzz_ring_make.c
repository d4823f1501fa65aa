// SPDX-License-Identifier: GPL-2.0
/* Requests of anything: headers, CDBs, layouts, descriptors and addresses. */
#include <string.h>

#include "fuzz_ring.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static void scribble(struct fuzz *f, uint8_t *p, size_t len)
{
	while (len--)
		*p++ = pick(f, 256);
}

static struct vs_cdb make_cdb(struct fuzz *f)
{
	static const uint8_t op[] = {
		0x00, 0x03, 0x12, 0x12, 0x15, 0x1a, 0x1b, 0x1d, 0x25, 0x28,
		0x2a, 0x2e, 0x2f, 0x35, 0x41, 0x42, 0x4d, 0x53, 0x55, 0x5a,
		0x5e, 0x5f, 0x7f, 0x83, 0x84, 0x88, 0x89, 0x8a, 0x91, 0x93,
		0x9e, 0xa0, 0xa3, 0xa4, 0xa8, 0xaa, 0xb7, 0xff,
	};
	struct vs_cdb cdb;

	if (chance(f, 60))
		return vs_cdb_rw10(chance(f, 50) ? VS_READ_10 : VS_WRITE_10,
				   pick(f, 4096), pick(f, 64) + 1);
	memset(&cdb, 0, sizeof(cdb));
	if (chance(f, 40))
		scribble(f, cdb.b, sizeof(cdb.b));
	cdb.b[0] = op[pick(f, ARRAY_SIZE(op))];
	if (chance(f, 10))
		cdb.b[0] = pick(f, 256);
	/* EXTENDED COPY waits for a unit for ever, LIO being LIO. */
	if (cdb.b[0] == 0x83)
		cdb.b[0] = 0x84;
	return cdb;
}

static void make_header(struct fuzz *f, struct virtio_scsi_cmd_req *hdr,
			const struct vs_cdb *cdb)
{
	struct virtio_scsi_cmd_req_pi *pi = (void *)hdr;
	uint8_t *at = f->pi ? pi->cdb : hdr->cdb;

	scribble(f, (uint8_t *)hdr, VS_HDR_PI);
	vs_lun(hdr->lun, chance(f, 96) ? TAG : pick(f, 256),
	       chance(f, 94) ? pick(f, 2) : pick(f, 16384));
	if (chance(f, 3))
		scribble(f, hdr->lun, 8);
	hdr->task_attr = chance(f, 90) ? 0 : pick(f, 8);
	if (f->pi) {
		pi->pi_bytesout = chance(f, 80) ? 0 : pick(f, 64) * 8;
		pi->pi_bytesin = chance(f, 80) ? 0 : pick(f, 64) * 8;
		if (chance(f, 2))
			pi->pi_bytesin = pick(f, ~0U);
	}
	memcpy(at, cdb->b, sizeof(cdb->b));
}

/* A place for @len bytes of data; few of them are none, or not in the guest. */
static struct vs_seg data_seg(struct fuzz *f, uint32_t len)
{
	struct vs_seg seg = {
		.gpa = vs_mem_gpa(&f->dev->mem, f->data +
				  pick(f, len < DATA ? DATA - len : 1) / 512 * 512),
		.len = len,
	};

	if (chance(f, 10))
		seg.gpa = vs_mem_gpa(&f->dev->mem,
				     f->glass + pick(f, GLASS * VS_PAGE));
	if (chance(f, 15))
		seg.gpa += pick(f, 512);
	if (chance(f, 1))
		seg.gpa = (uint64_t)pick(f, ~0U) << pick(f, 33);
	if (chance(f, 1))
		seg.len = pick(f, 2 * DATA);
	return seg;
}

/* Splits @len bytes of data into segments; returns how many. */
static unsigned int make_data(struct fuzz *f, struct vs_seg *seg, uint32_t len)
{
	unsigned int n = 0;
	uint32_t part;

	while (len && n < SEGS - 2) {
		part = chance(f, 60) || n == SEGS - 3 ? len :
		       pick(f, len) + 1;
		seg[n++] = data_seg(f, part);
		len -= part;
	}
	return n;
}

/* How much data a request has that is as it should be. */
static uint32_t wanted_len(struct fuzz *f, const struct vs_cdb *cdb)
{
	if (chance(f, 2))
		return 9U << 20;
	if (chance(f, 10))
		return pick(f, 70000);
	if (cdb->b[0] == VS_READ_10 || cdb->b[0] == VS_WRITE_10)
		return (cdb->b[7] << 8 | cdb->b[8]) * 512;
	return chance(f, 30) ? 0 : pick(f, 8192);
}

/*
 * The segments of a request, those that the device reads first: @n_out of them. The
 * header and the response may be cut, short or absent.
 */
static unsigned int make_segs(struct fuzz *f, uint8_t *room,
			      const struct vs_cdb *cdb, struct vs_seg *seg,
			      unsigned int *n_out)
{
	uint32_t len = wanted_len(f, cdb), hdr = f->pi ? VS_HDR_PI : VS_HDR;
	bool out = cdb->b[0] == VS_WRITE_10 || chance(f, 7);
	uint64_t gpa = vs_mem_gpa(&f->dev->mem, room);
	unsigned int n = 0;

	if (chance(f, 2))
		hdr = pick(f, hdr);
	if (chance(f, 3))
		seg[n++] = (struct vs_seg){ gpa, hdr / 2 + 1 };
	seg[n] = (struct vs_seg){ gpa + (n ? seg[0].len : 0),
				  n ? hdr - hdr / 2 : hdr };
	if (chance(f, 2))
		seg[n].gpa = vs_mem_gpa(&f->dev->mem, f->glass);
	n++;
	if (out)
		n += make_data(f, seg + n, len);
	*n_out = n;
	seg[n++] = (struct vs_seg){ gpa + 512, chance(f, 98) ? VS_RSP :
				    pick(f, VS_RSP) + 1 };
	if (!out || chance(f, 2))
		n += make_data(f, seg + n, len);
	if (chance(f, 1))
		*n_out = pick(f, n + 1);
	return n;
}

/* Writes a chain, rightly or wrongly: into the table at @d, to be found as @at. */
static void write_chain(struct fuzz *f, struct vring_desc *d,
			const struct vs_seg *seg, unsigned int n,
			unsigned int n_out, uint16_t at)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		d[i] = (struct vring_desc){
			.addr = seg[i].gpa, .len = seg[i].len,
			.flags = (i >= n_out ? VRING_DESC_F_WRITE : 0) |
				 (i + 1 < n ? VRING_DESC_F_NEXT : 0),
			.next = at + i + 1,
		};
	}
	if (!chance(f, 3))
		return;
	i = pick(f, n);
	switch (pick(f, 4)) {
	case 0:
		d[i].flags = pick(f, 65536);
		break;
	case 1:
		d[i].next = chance(f, 50) ? at : pick(f, 65536);
		break;
	case 2:
		d[i].len = chance(f, 50) ? 0 : pick(f, ~0U);
		break;
	case 3:
		d[i].addr = (uint64_t)pick(f, ~0U) << 32 | pick(f, ~0U);
		break;
	}
}

uint16_t fuzz_request(struct fuzz *f, unsigned int i)
{
	uint8_t *room = f->room + i * ROOM;
	struct vring_desc *table = (void *)(room + 1024);
	struct vring_desc *desc = f->ring->desc + i * STRIDE;
	uint16_t head = desc - f->ring->desc;
	struct vs_seg seg[2 * SEGS];
	struct vs_cdb cdb = make_cdb(f);
	unsigned int n, n_out;
	uint32_t len;

	make_header(f, (void *)room, &cdb);
	n = make_segs(f, room, &cdb, seg, &n_out);
	if (n <= STRIDE && chance(f, 40)) {
		write_chain(f, desc, seg, n, n_out, head);
		return head;
	}
	write_chain(f, table, seg, n, n_out, 0);
	len = n * sizeof(*table);
	if (chance(f, 1))
		len = pick(f, 4096);
	vs_ring_write_desc(f->ring, head, vs_mem_gpa(&f->dev->mem, table), len,
			   VRING_DESC_F_INDIRECT, 0);
	if (chance(f, 1))
		desc->flags = pick(f, 65536);
	if (chance(f, 1))
		table[pick(f, n)].flags |= VRING_DESC_F_INDIRECT;
	return head;
}
