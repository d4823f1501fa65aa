/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Units of every kind that LIO can serve, so that a test runs on all of them:
 * what one backstore does by itself, another leaves to the driver.
 */
#ifndef VS_UNIT_H
#define VS_UNIT_H

#include "vs_env.h"
#include "vs_sdebug.h"
#include "vs_tcmu.h"

/* Size of a unit, unless the test wants another. */
#define VS_UNIT_MIB	16

/* The TPG through which another nexus may write a unit that has a modifier. */
#define VS_TAG2		2

/* What VS_UNIT_BLOCK is on; vs_hold.h has the other one. */
#define VS_RAM_DISK	"/dev/ram0"

/**
 * enum vs_unit_kind - what a unit is made of
 * @VS_UNIT_RAMDISK: rd_mcp
 * @VS_UNIT_FILE: fileio on a regular file
 * @VS_UNIT_BLOCK: iblock on a RAM disk of the block layer
 * @VS_UNIT_FILE_4K: fileio with blocks of 4,096 bytes
 * @VS_UNIT_BLOCK_4K: iblock on a disk with blocks of 4,096 bytes
 * @VS_UNIT_RAMDISK_PI: rd_mcp with protection information
 * @VS_UNIT_FILE_PI: fileio with protection information
 * @VS_UNIT_FILE_PORT_PI: fileio whose port makes and checks it in its place
 * @VS_UNIT_BLOCK_PI: iblock on a disk that has it
 * @VS_UNIT_BLOCK_ATOMIC: iblock on a disk that knows atomic writes
 * @VS_UNIT_BLOCK_ATOMIC_PI: and with protection by the port
 * @VS_UNIT_PSCSI_DISK: a disk that is passed through
 * @VS_UNIT_PSCSI_SCSI2: a disk of the SCSI-2 kind, LUN 3 here and there
 * @VS_UNIT_PSCSI_CD: a CD drive that is passed through
 * @VS_UNIT_PSCSI_TAPE: a tape drive that is passed through
 * @VS_UNIT_USER: tcm_user, served by the test
 * @VS_UNIT_KINDS: how many there are
 */
enum vs_unit_kind {
	VS_UNIT_RAMDISK,
	VS_UNIT_FILE,
	VS_UNIT_BLOCK,
	VS_UNIT_FILE_4K,
	VS_UNIT_BLOCK_4K,
	VS_UNIT_RAMDISK_PI,
	VS_UNIT_FILE_PI,
	VS_UNIT_FILE_PORT_PI,
	VS_UNIT_BLOCK_PI,
	VS_UNIT_BLOCK_ATOMIC,
	VS_UNIT_BLOCK_ATOMIC_PI,
	VS_UNIT_PSCSI_DISK,
	VS_UNIT_PSCSI_SCSI2,
	VS_UNIT_PSCSI_CD,
	VS_UNIT_PSCSI_TAPE,
	VS_UNIT_USER,
	VS_UNIT_KINDS,
};

/* Modifiers of any kind. */
#define VS_UNIT_READ_ONLY	0x1	/* an ACL maps it read-only */
#define VS_UNIT_RESERVED	0x2	/* WRITE EXCLUSIVE, by another nexus */

/**
 * struct vs_unit_type - what a test knows of a kind
 * @name: its name
 * @block_size: bytes of a block, 0 for a tape
 * @device_type: peripheral device type
 * @emulated: LIO executes its commands; else they are passed through
 * @has_pi: it has protection information, or its port has it
 * @makes_pi: LIO makes it, for data that comes without
 * @writes_same: it takes WRITE SAME
 * @writable: a medium with blocks that can be written
 * @lun: its LUN
 */
struct vs_unit_type {
	const char *name;
	unsigned int block_size;
	uint8_t device_type;
	bool emulated;
	bool has_pi;
	bool makes_pi;
	bool writes_same;
	bool writable;
	uint16_t lun;
};

/**
 * struct vs_unit_opts - how a unit is made
 * @kind: what it is made of
 * @mods: VS_UNIT_READ_ONLY, VS_UNIT_RESERVED
 * @mib: size of a unit in a file, 0 means VS_UNIT_MIB
 * @dev: the device that it is given to
 */
struct vs_unit_opts {
	enum vs_unit_kind kind;
	unsigned int mods;
	unsigned int mib;
	struct vs_dev_opts dev;
};

/**
 * struct vs_unit - a unit with its environment
 * @env: target, device and endpoint
 * @dev: the environment's device
 * @type: what is known of its kind
 * @lun: its LUN, of target VS_TAG
 * @sdebug: the adapter under it
 * @tcmu: the other side of VS_UNIT_USER
 * @why: the reason, if there can be no such unit here
 */
struct vs_unit {
	struct vs_env env;
	struct vs_dev *dev;
	const struct vs_unit_type *type;
	uint16_t lun;
	struct vs_sdebug sdebug;
	struct vs_tcmu tcmu;
	const char *why;
};

/**
 * vs_unit_type() - what is known of a kind, without making one
 * @kind: a kind
 *
 * Return: the type.
 */
const struct vs_unit_type *vs_unit_type(enum vs_unit_kind kind);

/**
 * vs_unit_wanted() - is it time for units of a kind?
 * @kind: a kind
 *
 * Return: true for kinds that differ in who executes what, and for all others if
 *	   VS_LONG is in the environment.
 */
bool vs_unit_wanted(enum vs_unit_kind kind);

/**
 * vs_unit_get() - make a unit, and give it to a device whose endpoint is set
 * @unit: what to fill in
 * @opts: how
 *
 * No unit attention waits at it.
 *
 * Return: 0; -ENODEV if this kernel cannot have it, with the reason in @unit->why;
 *	   or another -errno. Only after 0 is there something to put.
 */
int vs_unit_get(struct vs_unit *unit, const struct vs_unit_opts *opts);

/**
 * vs_unit_put() - remove a unit, and look for what it left behind
 * @unit: from vs_unit_get()
 *
 * Return: number of complaints.
 */
int vs_unit_put(struct vs_unit *unit);

/*
 * A variant of a fixture that has a member @kind: tests are the rows of a table,
 * variants its columns. vs_unit_emulated.h and vs_unit_passed.h have one for each
 * kind that LIO emulates, and for each that is passed through.
 */
#define VS_UNIT_VARIANT(fixture, variant_name, variant_kind)		\
	FIXTURE_VARIANT_ADD(fixture, variant_name) {			\
		.kind = variant_kind,					\
	}

/* Unit up, or the test ends: skipped where the host cannot have such a unit. */
#define UNIT_GET(unit, opts) do {						\
	int __ret = vs_unit_get(unit, opts);				\
									\
	if (__ret == -ENODEV)						\
		SKIP(return, "%s", (unit)->why);			\
	ASSERT_EQ(0, __ret);						\
} while (0)

/* The same of a kind that not every run has time for. */
#define UNIT_GET_WANTED(unit, opts) do {					\
	if (!vs_unit_wanted((opts)->kind))				\
		SKIP(return, "in the long round of check-all");		\
	UNIT_GET(unit, opts);						\
} while (0)

/* Unit down; whatever it left behind fails the test. */
#define UNIT_PUT(unit) EXPECT_EQ(0, vs_unit_put(unit))

/* The teardown of a fixture that has nothing but a unit to give back. */
#define UNIT_TEARDOWN(fixture)						\
	FIXTURE_TEARDOWN(fixture)					\
	{								\
		UNIT_PUT(&self->unit);					\
	}

#endif /* VS_UNIT_H */
