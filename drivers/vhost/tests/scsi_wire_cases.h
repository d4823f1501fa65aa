/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables of bytes against scsi_wire.c and scsi_wire_ctl.c, for KUnit (scsi_wire_kunit.c)
 * and for a program with sanitizers (tools/testing/selftests/vhost_scsi/unit).
 *
 * Requests and answers stand here as bytes at their offsets on the wire, never as
 * members of the structs that scsi_wire.c uses, so that a wrong struct cannot agree
 * with itself.
 *
 * The includer has struct tap_test, with a name, the rows that a test covers and what
 * to run, and expect(), which takes a condition and a format.
 */
#define OUT(n)		(51 + (n))
#define IN(n)		(108 + (n))

/* Writes a number as the ring stores it, independently of the code tested. */
static void put(u8 *at, unsigned int bytes, bool le, u64 val)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		at[le ? i : bytes - 1 - i] = val >> (8 * i);
}

static u8 decode(const u8 *raw, bool le, struct vhost_scsi_req *req)
{
	union vhost_scsi_wire_req wire;

	memcpy(&wire, raw, 51);
	memset(req, 0xa5, sizeof(*req));
	return vhost_scsi_wire_decode_cmd(&wire, le, false, req);
}

static u8 decode_pi(const u8 *raw, bool le, struct vhost_scsi_req *req)
{
	union vhost_scsi_wire_req wire;

	memcpy(&wire, raw, 59);
	memset(req, 0xa5, sizeof(*req));
	return vhost_scsi_wire_decode_cmd(&wire, le, true, req);
}

/* A request to target 3, unit 5, with this operation code. */
static void raw_req(u8 *raw, u8 opcode)
{
	memset(raw, 0, 51);
	raw[0] = 1;
	raw[1] = 3;
	raw[3] = 5;
	raw[19] = opcode;
}

static const struct lun_row {
	u8 lun[8];
	bool ok;
	u16 unit;
} lun_good[] = {
	/* peripheral addressing */
	{ { 1, 0, 0x00, 0x00 }, true, 0 },
	{ { 1, 7, 0x00, 0x01 }, true, 1 },
	{ { 1, 255, 0x00, 0xff }, true, 255 },
	/* flat addressing, also for small units */
	{ { 1, 0, 0x40, 0x00 }, true, 0 },
	{ { 1, 1, 0x40, 0x05 }, true, 5 },
	{ { 1, 2, 0x41, 0x00 }, true, 256 },
	{ { 1, 255, 0x7f, 0xff }, true, 16383 },
	/* plain big-endian, as LIO lists units from 256 on */
	{ { 1, 0, 0x01, 0x00 }, true, 256 },
	{ { 1, 3, 0x12, 0x34 }, true, 0x1234 },
	{ { 1, 255, 0x3f, 0xff }, true, 16383 },
}, lun_tail[] = {
	{ { 1, 3, 0x00, 0x05, 0xff, 0xff, 0xff, 0xff }, true, 5 },
	{ { 1, 3, 0x40, 0x05, 0x00, 0x00, 0x00, 0x01 }, true, 5 },
	{ { 1, 3, 0x01, 0x05, 0x80, 0x00, 0x00, 0x00 }, true, 0x105 },
}, lun_bad_method[] = {
	/* logical unit addressing, extended addressing */
	{ { 1, 3, 0x80, 0x01 }, false, 0 },
	{ { 1, 3, 0xbf, 0xff }, false, 0 },
	{ { 1, 3, 0xc0, 0x01 }, false, 0 },
	{ { 1, 3, 0xc1, 0x01 }, false, 0 },
	{ { 1, 3, 0xd2, 0x00, 0x40, 0x00 }, false, 0 },
	{ { 1, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, false, 0 },
};

static void check_luns(const struct lun_row *row, size_t n)
{
	struct vhost_scsi_req req;
	u8 raw[51], ret;

	for (; n--; row++) {
		raw_req(raw, 0);
		memcpy(raw, row->lun, 8);
		ret = decode(raw, true, &req);
		expect(ret == (row->ok ? 0 : 3),
		       "LUN %02x%02x %02x%02x: response %u", row->lun[0],
		       row->lun[1], row->lun[2], row->lun[3], ret);
		if (ret || !row->ok)
			continue;
		expect(req.target == row->lun[1] && req.lun == row->unit,
		       "LUN %02x%02x %02x%02x: target %u unit %u", row->lun[0],
		       row->lun[1], row->lun[2], row->lun[3], req.target,
		       req.lun);
	}
}

static void test_lun_byte0(void)
{
	struct vhost_scsi_req req;
	u8 raw[51], ret;
	int i;

	for (i = 0; i < 256; i++) {
		raw_req(raw, 0);
		raw[0] = i;
		ret = decode(raw, true, &req);
		expect(ret == (i == 1 ? 0 : 3), "byte 0 is %u: response %u",
		       i, ret);
		raw_req(raw, 0);
		raw[1] = i;
		ret = decode(raw, true, &req);
		expect(!ret && req.target == i, "target %d: response %u", i,
		       ret);
	}
}

static void test_lun_forms(void)
{
	check_luns(lun_good, ARRAY_SIZE(lun_good));
}

static void test_lun_methods(void)
{
	check_luns(lun_bad_method, ARRAY_SIZE(lun_bad_method));
}

static void test_lun_tail(void)
{
	check_luns(lun_tail, ARRAY_SIZE(lun_tail));
}

/* All 65536 values of bytes 2 and 3: never another unit. */
static void test_lun_exhaustive(void)
{
	u8 lun[8] = { 1, 9 }, target;
	u16 unit;
	int i;

	for (i = 0; i < 0x10000; i++) {
		bool ok;

		lun[2] = i >> 8;
		lun[3] = i;
		ok = vhost_scsi_wire_decode_lun(lun, &target, &unit);
		expect(ok == (i < 0x8000), "form %04x: %d", i, ok);
		expect(target == 9, "form %04x: target %u", i, target);
		if (ok)
			expect(unit == i % 0x4000, "form %04x: unit %u", i,
			       unit);
	}
}

static void test_header(void)
{
	struct vhost_scsi_req req;
	u8 raw[51], cdb[32], ret;
	int i, le;

	for (le = 0; le < 2; le++) {
		raw_req(raw, 0);
		raw[4] = 0xee;
		put(raw + 8, 8, le, 0xfedcba9876543210);
		raw[16] = 2;
		raw[17] = 0xff;
		raw[18] = 0xff;
		for (i = 0; i < 32; i++)
			cdb[i] = 0x80 + i;
		memcpy(raw + 19, cdb, 32);
		memset(cdb + 16, 0, 16);

		ret = decode(raw, le, &req);
		expect(!ret, "response %u", ret);
		expect(req.tag == 0xfedcba9876543210, "le %d: tag %llx", le,
		       (unsigned long long)req.tag);
		expect(req.target == 3 && req.lun == 5, "target %u unit %u",
		       req.target, req.lun);
		expect(req.task_attr == 2, "attribute %u", req.task_attr);
		expect(req.cdb_len == 16 && !memcmp(req.cdb, cdb, 32),
		       "le %d: CDB of %u", le, req.cdb_len);
	}
}

static void test_task_attr(void)
{
	struct vhost_scsi_req req;
	u8 raw[51];
	int i;

	for (i = 0; i < 256; i++) {
		raw_req(raw, 0);
		raw[16] = i;
		decode(raw, true, &req);
		expect(req.task_attr == (i < 4 ? i : 0), "attribute %d: %u", i,
		       req.task_attr);
	}
}

static const struct cdb_row {
	u8 first, last;
	u16 len;
} cdb_rows[] = {
	{ 0x00, 0x1f, 6 }, { 0x20, 0x5f, 10 }, { 0x60, 0x7e, 12 },
	{ 0x80, 0x9f, 16 }, { 0xa0, 0xbf, 12 },
	{ 0xc0, 0xff, 10 },
};

/* The CDB as it must arrive: what lies behind its length is zero. */
static void check_cdb(u8 *raw, u16 len)
{
	struct vhost_scsi_req req;
	int i;

	decode(raw, true, &req);
	expect(req.cdb_len == len, "opcode %02x: length %u, not %u", raw[19],
	       req.cdb_len, len);
	for (i = 0; i < 32; i++)
		expect(req.cdb[i] == (i < len ? raw[19 + i] : 0),
		       "opcode %02x length %u: byte %d is %02x", raw[19], len,
		       i, req.cdb[i]);
}

static void test_cdb_groups(void)
{
	const struct cdb_row *row;
	u8 raw[51];
	int op;

	for (row = cdb_rows; row < cdb_rows + ARRAY_SIZE(cdb_rows); row++)
		for (op = row->first; op <= row->last; op++) {
			raw_req(raw, op);
			memset(raw + 20, 0xff, 31);
			check_cdb(raw, row->len);
		}
	raw_req(raw, 0);
	check_cdb(raw, 6);
}

static void test_cdb_variable(void)
{
	u8 raw[51];
	int i;

	for (i = 0; i < 256; i++) {
		raw_req(raw, 0x7f);
		memset(raw + 20, 0xff, 31);
		raw[19 + 7] = i;
		check_cdb(raw, i + 8);
	}
}

static const struct layout_row {
	size_t out, in;
	u8 ret, dir;
	size_t data;
} layout_good[] = {
	{ OUT(0), IN(0), 0, VHOST_SCSI_DIR_NONE, 0 },
	{ OUT(1), IN(0), 0, VHOST_SCSI_DIR_OUT, 1 },
	{ OUT(4096), IN(0), 0, VHOST_SCSI_DIR_OUT, 4096 },
	{ OUT(0), IN(1), 0, VHOST_SCSI_DIR_IN, 1 },
	{ OUT(0), IN(8 << 20), 0, VHOST_SCSI_DIR_IN, 8 << 20 },
	{ OUT(0), SIZE_MAX, 0, VHOST_SCSI_DIR_IN, SIZE_MAX - 108 },
	{ SIZE_MAX, IN(0), 0, VHOST_SCSI_DIR_OUT, SIZE_MAX - 51 },
}, layout_both[] = {
	{ OUT(1), IN(1), 9, 0, 0 },
	{ OUT(512), IN(512), 9, 0, 0 },
	{ OUT(1), SIZE_MAX, 9, 0, 0 },
	{ SIZE_MAX, SIZE_MAX, 9, 0, 0 },
}, layout_short[] = {
	{ 0, IN(0), 9, 0, 0 },
	{ 1, IN(0), 9, 0, 0 },
	{ OUT(-1), IN(0), 9, 0, 0 },
	{ OUT(-1), IN(512), 9, 0, 0 },
	{ OUT(0), 0, 9, 0, 0 },
	{ OUT(0), 1, 9, 0, 0 },
	{ OUT(0), IN(-1), 9, 0, 0 },
	{ OUT(512), IN(-1), 9, 0, 0 },
	{ 0, 0, 9, 0, 0 },
};

static void check_layouts(const struct layout_row *row, size_t n)
{
	struct vhost_scsi_layout l;
	u8 ret;

	for (; n--; row++) {
		memset(&l, 0xa5, sizeof(l));
		ret = vhost_scsi_wire_layout(row->out, row->in, 51, &l);
		expect(ret == row->ret, "%zu out, %zu in: response %u",
		       row->out, row->in, ret);
		if (ret || row->ret)
			continue;
		expect(l.dir == row->dir && l.data_len == row->data,
		       "%zu out, %zu in: direction %d, %zu bytes", row->out,
		       row->in, l.dir, l.data_len);
	}
}

/* Lengths of protection information in a request of 59 + 520 bytes. */
static const struct pi_row {
	bool le;
	bool write;
	u32 out, in;
	u8 ret;
} pi_rows[] = {
	{ true, true, 8, 0, 0 }, { true, false, 0, 8, 0 },
	{ false, true, 8, 0, 0 }, { false, false, 0, 8, 0 },
	{ true, true, 0, 0, 0 }, { true, false, 0, 0, 0 },
	{ true, true, 519, 0, 0 }, { true, false, 0, 519, 0 },
	/* nothing left, more than there is, what wraps around */
	{ true, true, 520, 0, 9 }, { true, false, 0, 520, 9 },
	{ true, true, 521, 0, 9 }, { true, false, 0, 521, 9 },
	{ true, true, 0x80000000, 0, 9 }, { true, false, 0, 0x80000000, 9 },
	{ true, true, ~0U, 0, 9 }, { true, false, 0, ~0U, 9 },
	{ false, true, ~0U, 0, 9 }, { false, false, 0, ~0U, 9 },
	/* the other direction, both */
	{ true, true, 0, 8, 9 }, { true, false, 8, 0, 9 },
	{ true, true, 8, 8, 9 }, { true, false, 8, 8, 9 },
	{ false, true, 8, 1, 9 }, { false, false, 1, 8, 9 },
};

static u8 split_lengths(const struct pi_row *row, size_t data,
			struct vhost_scsi_layout *l)
{
	union vhost_scsi_wire_req wire;
	u8 raw[59];

	raw_req(raw, 0);
	put(raw + 19, 4, row->le, row->out);
	put(raw + 23, 4, row->le, row->in);
	memcpy(&wire, raw, sizeof(raw));
	vhost_scsi_wire_layout(59 + (row->write ? data : 0),
			       IN(row->write ? 0 : data), 59, l);
	return vhost_scsi_wire_split_pi(&wire.pi, row->le, l);
}

static void test_split_pi(void)
{
	const struct pi_row *row = pi_rows;
	struct vhost_scsi_layout l;
	u32 len;
	u8 ret;

	for (; row < pi_rows + ARRAY_SIZE(pi_rows); row++) {
		ret = split_lengths(row, 520, &l);
		expect(ret == row->ret, "%u out, %u in: response %u", row->out,
		       row->in, ret);
		len = row->write ? row->out : row->in;
		expect(ret || (l.pi_len == len && l.data_len == 520 - len),
		       "%u out, %u in: %zu and %zu bytes", row->out, row->in,
		       l.pi_len, l.data_len);
		/* Without data only lengths of 0 are right. */
		ret = split_lengths(row, 0, &l);
		expect(ret == (row->out || row->in ? 9 : 0),
		       "no data, %u out, %u in: response %u", row->out, row->in,
		       ret);
	}
}

static void test_header_pi(void)
{
	struct vhost_scsi_req req;
	u8 raw[59];
	int le;

	expect(vhost_scsi_wire_req_len(false) == 51, "plain header");
	expect(vhost_scsi_wire_req_len(true) == 59, "header with lengths");
	for (le = 0; le < 2; le++) {
		raw_req(raw, 0xff);
		put(raw + 8, 8, le, 0x1122334455667788);
		memset(raw + 19, 0xff, 8);
		memset(raw + 27, 0, 32);
		raw[27] = 0x88;
		raw[27 + 15] = 0x5a;
		expect(!decode_pi(raw, le, &req), "refused");
		expect(req.tag == 0x1122334455667788 && req.target == 3 &&
		       req.lun == 5, "fields in front of the lengths");
		expect(req.cdb[0] == 0x88 && req.cdb[15] == 0x5a &&
		       req.cdb_len == 16, "CDB behind the lengths");
	}
}

static void test_layout(void)
{
	check_layouts(layout_good, ARRAY_SIZE(layout_good));
}

static void test_layout_both(void)
{
	check_layouts(layout_both, ARRAY_SIZE(layout_both));
}

static void test_layout_short(void)
{
	check_layouts(layout_short, ARRAY_SIZE(layout_short));
}

/*
 * Encodes into a buffer full of rubbish, twice with different rubbish, and
 * compares all 108 bytes with @want.
 */
static void check_resp(const char *what, bool le,
		       const struct vhost_scsi_result *res, const u8 *want)
{
	static const u8 rubbish[] = { 0xa5, 0x5a };
	struct virtio_scsi_cmd_resp wire;
	u8 got[108];
	int i, k;

	for (k = 0; k < 2; k++) {
		memset(&wire, rubbish[k], sizeof(wire));
		vhost_scsi_wire_encode_cmd(&wire, le, res);
		memcpy(got, &wire, 108);
		for (i = 0; i < 108; i++)
			expect(got[i] == want[i],
			       "%s, le %d: byte %d is %02x, not %02x", what,
			       le, i, got[i], want[i]);
	}
}

static void test_resp_fields(void)
{
	struct vhost_scsi_result res = {
		.status = 0x02, .sense_len = 18, .resid = 0x12345678,
	};
	u8 sense[96], want[108];
	int i, le;

	for (i = 0; i < 96; i++)
		sense[i] = 0xff - i;
	res.sense = sense;
	for (le = 0; le < 2; le++) {
		memset(want, 0, 108);
		put(want, 4, le, 18);
		put(want + 4, 4, le, 0x12345678);
		want[10] = 0x02;
		memcpy(want + 12, sense, 18);
		check_resp("CHECK CONDITION", le, &res, want);
	}
}

static void test_resp_status(void)
{
	static const u8 status[] = { 0x00, 0x02, 0x08, 0x18, 0x28, 0x40 };
	struct vhost_scsi_result res = { 0 };
	u8 want[108] = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(status); i++) {
		res.status = status[i];
		want[10] = status[i];
		check_resp("status with OK", true, &res, want);
	}
}

/* With any other response than OK, status and sense are not valid. */
static void test_resp_codes(void)
{
	u8 sense[96], want[108] = { 0 };
	struct vhost_scsi_result res = {
		.status = 0x02, .sense_len = 96, .resid = 512, .sense = sense,
	};
	int code, le;

	memset(sense, 0xff, 96);
	for (le = 0; le < 2; le++)
		for (code = 1; code <= 12; code++) {
			res.response = code;
			put(want + 4, 4, le, 512);
			want[11] = code;
			check_resp("response code", le, &res, want);
		}
}

/* Sense data that was built where it belongs. */
static void test_resp_sense_in_place(void)
{
	struct vhost_scsi_result res = { .status = 0x02, .sense_len = 18 };
	struct virtio_scsi_cmd_resp wire;
	int i;

	memset(&wire, 0xa5, sizeof(wire));
	for (i = 0; i < 96; i++)
		wire.sense[i] = 0xff - i;
	res.sense = wire.sense;
	vhost_scsi_wire_encode_cmd(&wire, true, &res);
	for (i = 0; i < 96; i++)
		expect(wire.sense[i] == (i < 18 ? 0xff - i : 0),
		       "sense in its place: byte %d is %02x", i, wire.sense[i]);
	expect(wire.status == 0x02 && !wire.response && !wire.resid,
	       "header before sense in its place");

	res.response = 3;
	vhost_scsi_wire_encode_cmd(&wire, true, &res);
	for (i = 0; i < 96; i++)
		expect(!wire.sense[i], "sense of a refusal: byte %d", i);
}

static void test_resp_sense(void)
{
	static const u16 lens[] = { 0, 1, 8, 18, 95, 96, 97, 252, 0xffff };
	struct vhost_scsi_result res = { .status = 0x02 };
	u8 sense[96], want[108];
	size_t i, n;
	int le;

	memset(sense, 0xee, 96);
	for (le = 0; le < 2; le++)
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			n = lens[i] < 96 ? lens[i] : 96;
			res.sense = sense;
			res.sense_len = lens[i];
			memset(want, 0, 108);
			put(want, 4, le, n);
			want[10] = 0x02;
			memset(want + 12, 0xee, n);
			check_resp("sense", le, &res, want);

			res.sense = NULL;
			memset(want, 0, 108);
			want[10] = 0x02;
			check_resp("no sense", le, &res, want);
		}
}

static const u8 no_lun_inquiry[36] = { 0x7f, 0, 0, 2, 31 };
static const u8 no_lun_sense[36] = {
	0x70, 0, 0x05, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x25, 0x00
};

static const struct no_lun_row {
	const char *what;
	u8 cdb[6];
	size_t len;
	const u8 *data;
} no_lun_rows[] = {
	{ "INQUIRY 0", { 0x12, 0, 0, 0, 0 }, 0, no_lun_inquiry },
	{ "INQUIRY 5", { 0x12, 0, 0, 0, 5 }, 5, no_lun_inquiry },
	{ "INQUIRY 35", { 0x12, 0, 0, 0, 35 }, 35, no_lun_inquiry },
	{ "INQUIRY 36", { 0x12, 0, 0, 0, 36 }, 36, no_lun_inquiry },
	{ "INQUIRY 255", { 0x12, 0, 0, 0, 255 }, 36, no_lun_inquiry },
	{ "INQUIRY 256", { 0x12, 0, 0, 1, 0 }, 36, no_lun_inquiry },
	{ "INQUIRY 65535", { 0x12, 0, 0, 255, 255 }, 36, no_lun_inquiry },
	{ "REQUEST SENSE 0", { 0x03, 0, 0, 0, 0 }, 0, no_lun_sense },
	{ "REQUEST SENSE 17", { 0x03, 0, 0, 0, 17 }, 17, no_lun_sense },
	{ "REQUEST SENSE 18", { 0x03, 0, 0, 0, 18 }, 18, no_lun_sense },
	{ "REQUEST SENSE 252", { 0x03, 0, 0, 0, 252 }, 18, no_lun_sense },
	/* byte 3 of REQUEST SENSE is reserved, no part of the length */
	{ "REQUEST SENSE 4", { 0x03, 0, 0, 1, 4 }, 4, no_lun_sense },
};

static void test_no_lun(void)
{
	const struct no_lun_row *row = no_lun_rows;
	struct vhost_scsi_req req;
	size_t i, len;
	u8 data[36];

	for (i = 0; i < ARRAY_SIZE(no_lun_rows); i++, row++) {
		memset(&req, 0, sizeof(req));
		memcpy(req.cdb, row->cdb, 6);
		memset(data, 0xa5, 36);
		len = vhost_scsi_wire_no_lun(&req, data);
		expect(len == row->len, "%s: %zu bytes", row->what, len);
		expect(!memcmp(data, row->data, 36), "%s: data", row->what);
	}
}

static const struct ctl_row {
	u32 type;
	size_t req, rsp;
} ctl_rows[] = {
	{ 0, 24, 1 }, { 1, 16, 5 }, { 2, 16, 5 },
	{ 3, 0, 0 }, { 255, 0, 0 }, { 0x100, 0, 0 }, { 0xffff, 0, 0 },
	/* what a byte swap makes of the types */
	{ 0x01000000, 0, 0 }, { 0x02000000, 0, 0 }, { 0xffffffff, 0, 0 },
};

static void test_ctl_sizes(void)
{
	const struct ctl_row *row = ctl_rows;
	__virtio32 wire;
	u8 raw[4];
	size_t i;
	u32 type;
	int le;

	for (i = 0; i < ARRAY_SIZE(ctl_rows); i++, row++)
		for (le = 0; le < 2; le++) {
			put(raw, 4, le, row->type);
			memcpy(&wire, raw, 4);
			type = vhost_scsi_wire_ctl_type(wire, le);
			expect(type == row->type, "le %d: type %x, not %x", le,
			       type, row->type);
			expect(vhost_scsi_wire_ctl_req_len(type) == row->req,
			       "type %x: request size", type);
			expect(vhost_scsi_wire_ctl_rsp_len(type) == row->rsp,
			       "type %x: response size", type);
		}
}

static struct vhost_scsi_tmf_req decode_tmf(const u8 *raw, bool le)
{
	struct virtio_scsi_ctrl_tmf_req wire;
	struct vhost_scsi_tmf_req req;

	memcpy(&wire, raw, 24);
	memset(&req, 0, sizeof(req));
	vhost_scsi_wire_decode_tmf(&wire, le, &req);
	return req;
}

static void test_tmf(void)
{
	static const u32 subtypes[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 0x01000000, 0xffffffff
	};
	struct vhost_scsi_tmf_req req;
	u8 raw[24];
	size_t i;
	int le;

	for (le = 0; le < 2; le++)
		for (i = 0; i < ARRAY_SIZE(subtypes); i++) {
			memset(raw, 0, 24);
			put(raw + 4, 4, le, subtypes[i]);
			raw[8] = 1;
			raw[9] = 200;
			raw[10] = 0x41;
			raw[11] = 0x02;
			put(raw + 16, 8, le, 0x0123456789abcdef);
			req = decode_tmf(raw, le);
			expect(req.subtype == subtypes[i],
			       "le %d: subtype %x, not %x", le, req.subtype,
			       subtypes[i]);
			expect(req.tag == 0x0123456789abcdef,
			       "le %d: tag %llx", le,
			       (unsigned long long)req.tag);
			expect(req.target_ok && req.target == 200,
			       "le %d: target %u", le, req.target);
			expect(req.lun_ok && req.lun == 0x102, "le %d: unit %u",
			       le, req.lun);
		}
}

static void test_tmf_lun(void)
{
	static const struct {
		u8 lun[8];
		bool target_ok, lun_ok;
	} rows[] = {
		{ { 1, 9, 0x00, 0x05 }, true, true },
		{ { 1, 9, 0x40, 0x05, 0xff, 0, 0, 0xff }, true, true },
		/* the target still stands, for I_T NEXUS RESET */
		{ { 1, 9, 0x80, 0x05 }, true, false },
		{ { 1, 9, 0xff, 0xff }, true, false },
		{ { 0, 9, 0x00, 0x05 }, false, false },
		{ { 2, 9, 0x40, 0x05 }, false, false },
		{ { 0xc1, 1 }, false, false },
		{ { 0xff, 9, 0xff, 0xff }, false, false },
	};
	struct vhost_scsi_tmf_req req;
	u8 raw[24];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(raw, 0, 24);
		memcpy(raw + 8, rows[i].lun, 8);
		req = decode_tmf(raw, true);
		expect(req.target_ok == rows[i].target_ok &&
		       req.lun_ok == rows[i].lun_ok,
		       "row %zu: target_ok %d lun_ok %d", i, req.target_ok,
		       req.lun_ok);
		if (req.target_ok)
			expect(req.target == 9, "row %zu: target %u", i,
			       req.target);
		if (req.lun_ok)
			expect(req.lun == 5, "row %zu: unit %u", i, req.lun);
	}
}

static void test_evt_lun(void)
{
	static const struct {
		u8 target;
		u16 unit;
		u8 lun[8];
	} rows[] = {
		{ 0, 0, { 1, 0, 0x00, 0x00 } },
		{ 5, 1, { 1, 5, 0x00, 0x01 } },
		{ 255, 255, { 1, 255, 0x00, 0xff } },
		{ 0, 256, { 1, 0, 0x01, 0x00 } },
		{ 7, 0x1234, { 1, 7, 0x12, 0x34 } },
		{ 255, 16383, { 1, 255, 0x3f, 0xff } },
	};
	u8 lun[8], target;
	u16 unit;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(lun, 0xa5, 8);
		vhost_scsi_wire_encode_lun(lun, rows[i].target, rows[i].unit);
		expect(!memcmp(lun, rows[i].lun, 8), "target %u unit %u",
		       rows[i].target, rows[i].unit);
	}
	for (i = 0; i <= VHOST_SCSI_MAX_LUN; i++) {
		vhost_scsi_wire_encode_lun(lun, i, i);
		expect(vhost_scsi_wire_decode_lun(lun, &target, &unit) &&
		       target == (u8)i && unit == i, "unit %zu", i);
	}
}

static void test_evt(void)
{
	static const struct {
		u32 event, reason;
	} rows[] = {
		{ 0x80000000, 0 },	/* NO_EVENT, some were missed */
		{ 1, 0 }, { 1, 1 }, { 1, 2 },
		{ 0x80000001, 1 },
		{ 3, 0x092a },		/* capacity changed */
		{ 0xffffffff, 0x12345678 },
	};
	struct virtio_scsi_event wire;
	u8 got[16], want[16];
	size_t i;
	int le;

	for (le = 0; le < 2; le++)
		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			memset(&wire, 0xa5, sizeof(wire));
			vhost_scsi_wire_encode_lun(wire.lun, 6, 0x0102);
			vhost_scsi_wire_encode_evt(&wire, le, rows[i].event,
						   rows[i].reason);
			memcpy(got, &wire, 16);
			memset(want, 0, 16);
			put(want, 4, le, rows[i].event);
			memcpy(want + 4, "\x01\x06\x01\x02", 4);
			put(want + 12, 4, le, rows[i].reason);
			expect(!memcmp(got, want, 16),
			       "le %d: event %x reason %x", le, rows[i].event,
			       rows[i].reason);
		}
}

static const struct tap_test wire_cases[] = {
	{ "LUN: byte 0 is 1, byte 1 any target",
	  "REQ-08 F-RQ-01", test_lun_byte0 },
	{ "LUN: all forms of one unit",
	  "REQ-09", test_lun_forms },
	{ "LUN: other addressing methods name no unit",
	  "REQ-10 F-RQ-03", test_lun_methods },
	{ "LUN: bytes 4 to 7 are ignored",
	  "REQ-11 F-RQ-03", test_lun_tail },
	{ "LUN: every value of bytes 2 and 3",
	  "REQ-09 REQ-10 F-RQ-03", test_lun_exhaustive },
	{ "request: field offsets, both byte orders, prio and crn ignored",
	  "REQ-01 REQ-18 FEA-05", test_header },
	{ "request: task attributes",
	  "REQ-16 F-RQ-07", test_task_attr },
	{ "CDB: length of every operation code, zero behind it",
	  "REQ-19 REQ-20 F-RQ-05", test_cdb_groups },
	{ "CDB: variable length, every additional length",
	  "REQ-20 F-RQ-05", test_cdb_variable },
	{ "layout: direction and length of the data",
	  "REQ-21", test_layout },
	{ "layout: protection information in front of the data",
	  "REQ-53 REQ-54 REQ-55 F-RQ-12", test_split_pi },
	{ "request: field offsets with lengths of protection information",
	  "FEA-20 REQ-02 FEA-05", test_header_pi },
	{ "layout: data in both directions is refused",
	  "REQ-23 F-RQ-09", test_layout_both },
	{ "layout: short headers are refused",
	  "F-RG-17", test_layout_short },
	{ "response: field offsets, both byte orders",
	  "REQ-03 REQ-38 FEA-05 F-SE-03", test_resp_fields },
	{ "response: SCSI status with OK",
	  "REQ-26 REQ-36", test_resp_status },
	{ "response: no status or sense without OK",
	  "REQ-36 F-SE-03", test_resp_codes },
	{ "response: sense length and zero padding",
	  "REQ-37 F-SE-03", test_resp_sense },
	{ "response: sense data in its place",
	  "REQ-37 F-SE-03", test_resp_sense_in_place },
	{ "missing unit: INQUIRY and REQUEST SENSE data",
	  "REQ-14", test_no_lun },
	{ "control: type and sizes, both byte orders",
	  "CTL-01 FEA-05 F-RQ-15", test_ctl_sizes },
	{ "control: TMF fields, both byte orders",
	  "CTL-01 FEA-05 F-RQ-15", test_tmf },
	{ "control: LUN field of a TMF",
	  "REQ-08 REQ-10 F-RQ-01 F-RQ-03", test_tmf_lun },
	{ "event: LUN field",
	  "EVT-02 F-EV-08", test_evt_lun },
	{ "event: every byte, both byte orders",
	  "EVT-01 FEA-05 F-SE-03", test_evt },
};
