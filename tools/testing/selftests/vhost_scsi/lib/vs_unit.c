// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vs_unit.h"

#define KEY		"vs-test."

/* Where the blocks of a kind come from. */
enum origin {
	RAMDISK,
	FILEIO,
	BRD,
	SDEBUG,		/* the block device of an adapter's disk */
	PSCSI,
	USER,
};

/* How a kind is made: @params are those of scsi_debug, @attr of the backstore. */
struct recipe {
	struct vs_unit_type type;
	enum origin origin;
	const char *params;
	const char *attr[8];
	bool port_pi;
	const char *symbol;
};

#define EMULATED(name_, size_, pi_)					\
	{ .name = name_, .block_size = size_, .emulated = true,		\
	  .has_pi = pi_, .writable = true, .writes_same = true }
#define PASSED(name_, size_, type_, writable_, lun_)			\
	{ .name = name_, .block_size = size_, .device_type = type_,	\
	  .writable = writable_, .lun = lun_ }

static const struct recipe recipes[VS_UNIT_KINDS] = {
	[VS_UNIT_RAMDISK] = {
		{ .name = "ramdisk", .block_size = 512, .emulated = true,
		  .has_pi = false, .makes_pi = false, .writable = true }, RAMDISK,
	},
	[VS_UNIT_FILE] = {
		EMULATED("file", 512, false), FILEIO,
	},
	[VS_UNIT_BLOCK] = {
		EMULATED("block", 512, false), BRD,
	},
	[VS_UNIT_FILE_4K] = {
		EMULATED("file_4k", 4096, false), FILEIO,
		.attr = { "block_size", "4096" },
	},
	[VS_UNIT_BLOCK_4K] = {
		EMULATED("block_4k", 4096, false), SDEBUG, "sector_size=4096",
	},
	[VS_UNIT_RAMDISK_PI] = {
		{ .name = "ramdisk_pi", .block_size = 512, .emulated = true,
		  .has_pi = true, .makes_pi = true, .writable = true }, RAMDISK,
		.attr = { "pi_prot_type", "1", "pi_prot_verify", "1" },
	},
	[VS_UNIT_FILE_PI] = {
		{ .name = "file_pi", .block_size = 512, .emulated = true,
		  .has_pi = true, .makes_pi = true, .writable = true, .writes_same = true }, FILEIO,
		.attr = { "pi_prot_type", "1", "pi_prot_format", "1",
			  "pi_prot_verify", "1" },
	},
	[VS_UNIT_FILE_PORT_PI] = {
		EMULATED("file_port_pi", 512, true), FILEIO,
		.port_pi = true,
	},
	[VS_UNIT_BLOCK_PI] = {
		EMULATED("block_pi", 512, true), SDEBUG, "dif=1 dix=1 guard=0",
	},
	[VS_UNIT_BLOCK_ATOMIC] = {
		EMULATED("block_atomic", 512, false), SDEBUG,
		"atomic_wr=1 lbpu=1 lbpws=1 lbpws10=1",
	},
	[VS_UNIT_BLOCK_ATOMIC_PI] = {
		EMULATED("block_atomic_pi", 512, true), SDEBUG, "atomic_wr=1",
		.port_pi = true,
	},
	[VS_UNIT_PSCSI_DISK] = {
		PASSED("pscsi_disk", 512, 0, true, 0), PSCSI,
		"lbpu=1 lbpws=1 lbpws10=1",
	},
	[VS_UNIT_PSCSI_SCSI2] = {
		PASSED("pscsi_scsi2", 512, 0, true, 3), PSCSI,
		"scsi_level=2 max_luns=4",
	},
	[VS_UNIT_PSCSI_CD] = {
		PASSED("pscsi_cd", 512, 5, false, 0), PSCSI, "ptype=5",
	},
	[VS_UNIT_PSCSI_TAPE] = {
		PASSED("pscsi_tape", 0, 1, false, 0), PSCSI, "ptype=1",
		.symbol = "resp_write_filemarks",
	},
	[VS_UNIT_USER] = {
		PASSED("user", VS_TCMU_BLOCK, 0, true, 0), USER,
	},
};

const struct vs_unit_type *vs_unit_type(enum vs_unit_kind kind)
{
	return &recipes[kind].type;
}

bool vs_unit_wanted(enum vs_unit_kind kind)
{
	switch (kind) {
	case VS_UNIT_FILE:
	case VS_UNIT_BLOCK:
	case VS_UNIT_FILE_PI:
	case VS_UNIT_BLOCK_PI:
	case VS_UNIT_PSCSI_DISK:
	case VS_UNIT_USER:
		return true;
	default:
		return vs_rounds(0, 1);
	}
}

static int get_sdebug(struct vs_unit *unit, const struct recipe *recipe)
{
	int ret = vs_sdebug_get(&unit->sdebug, recipe->type.name, recipe->params,
				recipe->type.lun);

	if (ret == -EBUSY)
		unit->why = "scsi_debug is in use by somebody else";
	else if (ret == -ENODEV)
		unit->why = "this kernel has no scsi_debug, or none that takes the parameters";
	else if (!ret && recipe->symbol && !vs_kernel_has(recipe->symbol))
		unit->why = "this kernel's scsi_debug does not know this type of unit";
	return unit->why ? -ENODEV : ret;
}

static int get_pscsi(struct vs_unit *unit, struct vs_backstore *bs)
{
	const unsigned int hctl[4] = {
		unit->sdebug.host, 0, 0, unit->sdebug.lun
	};
	int ret;

	if (access("/sys/module/target_core_pscsi", F_OK))
		system("modprobe -q target_core_pscsi 2>/dev/null");
	ret = vs_pscsi_get(bs, 0, hctl, unit->sdebug.node[0] ?
			   unit->sdebug.node : unit->sdebug.hctl);
	if (ret == -EINVAL || ret == -ENOENT) {
		unit->why = "this kernel has no pscsi";
		return -ENODEV;
	}
	return ret;
}

static int get_brd(struct vs_unit *unit, struct vs_backstore *bs)
{
	if (access(VS_RAM_DISK, F_OK))
		system("modprobe -q brd 2>/dev/null");
	if (!access(VS_RAM_DISK, F_OK))
		return vs_iblock_get(bs, 0, VS_RAM_DISK);
	unit->why = "this kernel has no RAM disk (brd)";
	return -ENODEV;
}

static int get_user(struct vs_unit *unit, struct vs_backstore *bs)
{
	int ret = vs_tcmu_get(&unit->tcmu, bs, 0, VS_UNIT_MIB);

	if (ret == -ENODEV)
		unit->why = "this kernel has no tcm_user";
	return ret;
}

static int get_backstore(struct vs_unit *unit, const struct recipe *recipe,
			 unsigned int mib)
{
	struct vs_backstore *bs = &unit->env.bs[0];
	int ret = 0;

	if (recipe->origin == SDEBUG || recipe->origin == PSCSI)
		ret = get_sdebug(unit, recipe);
	if (ret)
		return ret;
	switch (recipe->origin) {
	case RAMDISK:
		return vs_ramdisk_get(bs, 0, VS_UNIT_MIB, false);
	case FILEIO:
		return vs_fileio_get(bs, 0, VS_FILE, mib ? mib : VS_UNIT_MIB);
	case BRD:
		return get_brd(unit, bs);
	case SDEBUG:
		return vs_iblock_get(bs, 0, unit->sdebug.node);
	case PSCSI:
		return get_pscsi(unit, bs);
	case USER:
		return get_user(unit, bs);
	}
	return -EINVAL;
}

/* The LUN, and what of its properties must be there before a session is. */
static int link_unit(struct vs_unit *unit, const struct recipe *recipe,
		     unsigned int mods)
{
	const struct vs_backstore *bs = &unit->env.bs[0];
	int ret = 0;
	size_t i;

	for (i = 0; i < 8 && recipe->attr[i] && !ret; i += 2)
		ret = vs_backstore_attr(bs, recipe->attr[i], recipe->attr[i + 1]);
	if (!ret && recipe->port_pi)
		ret = vs_tpg_attr(VS_WWN, VS_TAG, "fabric_prot_type", "1");
	if (!ret)
		ret = vs_nexus_write(VS_WWN, VS_TAG, "NULL");
	if (!ret)
		ret = vs_lun_link(VS_WWN, VS_TAG, unit->lun, bs);
	if (!ret && mods & VS_UNIT_READ_ONLY)
		ret = vs_acl_map(VS_WWN, VS_TAG, VS_NEXUS, unit->lun, true);
	if (!ret)
		ret = vs_nexus_write(VS_WWN, VS_TAG, VS_NEXUS);
	if (ret || !mods)
		return ret;
	ret = vs_tpg_get(VS_WWN, VS_TAG2);
	if (!ret)
		ret = vs_nexus_write(VS_WWN, VS_TAG2, VS_NEXUS2);
	return ret ? ret : vs_lun_link(VS_WWN, VS_TAG2, unit->lun, bs);
}

static int pr_out(struct vs_unit *unit, uint8_t action, uint8_t type,
		  unsigned int key_at)
{
	struct vs_cdb cdb = vs_cdb_pr(VS_PR_OUT, action, 24);
	uint8_t *list = vs_mem_alloc(&unit->dev->mem, 24, 64);
	struct vs_result res;

	cdb.b[2] = type;
	memset(list, 0, 24);
	memcpy(list + key_at, KEY, 8);
	res = vs_scsi_write(unit->dev, VS_TAG2, unit->lun, cdb, list, 24);
	return res.err ? res.err : res.response || res.status ? -EIO : 0;
}

/* The other nexus registers, and reserves the unit for its own writes. */
static int reserve(struct vs_unit *unit)
{
	int ret = pr_out(unit, 0, 0, 8);

	return ret ? ret : pr_out(unit, 1, 1, 0);
}

static int give(struct vs_unit *unit, unsigned int mods)
{
	int ret = vs_dev_set_endpoint(unit->dev, VS_WWN);

	if (!ret)
		ret = vs_scsi_settle(unit->dev, VS_TAG, unit->lun);
	if (!ret && mods)
		ret = vs_scsi_settle(unit->dev, VS_TAG2, unit->lun);
	if (!ret && mods & VS_UNIT_RESERVED)
		ret = reserve(unit);
	return ret;
}

int vs_unit_get(struct vs_unit *unit, const struct vs_unit_opts *opts)
{
	const struct recipe *recipe = &recipes[opts->kind];
	struct vs_env_opts env = {
		.dev = opts->dev,
		.disk = VS_DISK_NONE,
		.no_endpoint = true,
	};
	int ret;

	memset(unit, 0, sizeof(*unit));
	unit->type = &recipe->type;
	unit->lun = recipe->type.lun;
	if (opts->mods & VS_UNIT_RESERVED && recipe->origin == PSCSI) {
		unit->why = "it keeps its reservations itself, and knows this host only";
		return -ENODEV;
	}
	ret = vs_env_get(&unit->env, &env);
	if (ret)
		return ret;
	unit->dev = &unit->env.dev;
	ret = get_backstore(unit, recipe, opts->mib);
	if (!ret)
		ret = link_unit(unit, recipe, opts->mods);
	if (!ret)
		ret = give(unit, opts->mods);
	if (!ret)
		return 0;
	if (ret != -ENODEV)
		fprintf(stderr, "# unit %s: %s\n", unit->type->name, strerror(-ret));
	vs_unit_put(unit);
	return ret == -ENODEV && !unit->why ? -EIO : ret;
}

int vs_unit_put(struct vs_unit *unit)
{
	int bad;

	/* What lies under the unit goes after it. */
	bad = vs_env_put(&unit->env);
	vs_tcmu_put(&unit->tcmu);
	if (vs_sdebug_put(&unit->sdebug)) {
		fprintf(stderr, "# leak: the adapter\n");
		bad++;
	}
	return bad;
}
