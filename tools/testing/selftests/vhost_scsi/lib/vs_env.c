// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vs_env.h"
#include "vs_loop.h"
#include "vs_sdebug.h"

/* A device-mapper table over a loop device over another table. */
static int make_stack(struct vs_env *env, bool upper)
{
	int ret = vs_hold_get(&env->hold);

	if (!ret)
		ret = vs_loop_get(env->hold.node, VS_DISK_TAGS);
	if (!ret && upper)
		ret = vs_hold_over(&env->upper, VS_LOOP_NODE);
	return ret ? ret : vs_iblock_get(&env->bs[0], 0, upper ?
					 env->upper.node : VS_LOOP_NODE);
}

static int make_disk(struct vs_env *env, const struct vs_env_opts *opts)
{
	unsigned int mib = opts->mib ? opts->mib : VS_DISK_MIB;
	int ret;

	switch (opts->disk) {
	case VS_DISK_RAM:
	case VS_DISK_NULL:
		return vs_ramdisk_get(&env->bs[0], 0, mib,
				      opts->disk == VS_DISK_NULL);
	case VS_DISK_FILE:
		return vs_fileio_get(&env->bs[0], 0, VS_FILE, mib);
	case VS_DISK_HOLD:
		ret = vs_hold_get(&env->hold);
		return ret ? ret : vs_iblock_get(&env->bs[0], 0,
						 env->hold.node);
	case VS_DISK_LOOP:
	case VS_DISK_UPPER:
		return make_stack(env, opts->disk == VS_DISK_UPPER);
	case VS_DISK_BDEV:
		return vs_iblock_get(&env->bs[0], 0, opts->bdev);
	case VS_DISK_NONE:
		return 0;
	}
	return -EINVAL;
}

static int set_attrs(const struct vs_backstore *bs, const char *const *attr)
{
	int ret = 0;

	for (; attr && *attr && !ret; attr += 2)
		ret = vs_backstore_attr(bs, attr[0], attr[1]);
	return ret;
}

static int make_target(struct vs_env *env, const struct vs_env_opts *opts)
{
	int ret;

	ret = make_disk(env, opts);
	if (!ret)
		ret = set_attrs(&env->bs[0], opts->disk_attr);
	if (!ret)
		ret = vs_wwn_get(VS_WWN);
	if (!ret)
		ret = vs_tpg_get(VS_WWN, VS_TAG);
	if (!ret)
		ret = vs_nexus_write(VS_WWN, VS_TAG, VS_NEXUS);
	if (!ret && opts->pin_memory)
		ret = vs_tpg_attr(VS_WWN, VS_TAG, "pin_memory", "1");
	if (!ret && opts->disk != VS_DISK_NONE)
		ret = vs_lun_link(VS_WWN, VS_TAG, 0, &env->bs[0]);
	return ret;
}

int vs_env_get(struct vs_env *env, const struct vs_env_opts *opts)
{
	static const struct vs_env_opts defaults;
	int ret;

	if (!opts)
		opts = &defaults;
	memset(env, 0, sizeof(*env));
	env->dev.fd = -1;
	ret = vs_lio_init();
	if (ret)
		return ret;
	vs_hold_release();
	vs_backstore_release();
	vs_lio_sweep();
	vs_hold_sweep();
	vs_sdebug_sweep();
	env->pins = vs_pins();
	env->kmsg = vs_kmsg_open();
	ret = make_target(env, opts);
	if (!ret && !opts->no_dev) {
		ret = vs_dev_open(&env->dev, &opts->dev);
		if (!ret)
			ret = vs_dev_setup(&env->dev);
		if (!ret && !opts->no_endpoint)
			ret = vs_dev_set_endpoint(&env->dev, VS_WWN);
	}
	if (ret) {
		fprintf(stderr, "# environment: %s\n", strerror(-ret));
		vs_env_put(env);
	}
	return ret;
}

static int complain(const char *what, int err)
{
	if (!err)
		return 0;
	fprintf(stderr, "# leak: %s: %s\n", what, strerror(-err));
	return 1;
}

static int check_pins(const struct vs_env *env)
{
	int64_t now, end = vs_now_ms() + vs_patience();

	/* Releasing may lag behind the last used entry by a work item. */
	while ((now = vs_pins()) != env->pins && vs_now_ms() < end)
		usleep(20000);
	if (now == env->pins)
		return 0;
	fprintf(stderr, "# leak: %lld pages pinned\n",
		(long long)(now - env->pins));
	return 1;
}

int vs_env_logged(struct vs_env *env, const char *text)
{
	char line[1024];
	int n = 0;

	while (vs_kmsg_next(env->kmsg, line, sizeof(line))) {
		bool bad = vs_kmsg_is_bad(line) && !env->may_log;

		if (!bad && !(text && strstr(line, text)))
			continue;
		fprintf(stderr, "# kernel log: %s\n", line);
		n++;
	}
	return n;
}

int vs_env_put(struct vs_env *env)
{
	int bad = 0;
	size_t i;

	vs_hold_release();
	vs_dev_close(&env->dev);
	bad += complain(VS_WWN, vs_wwn_remove(VS_WWN));
	bad += complain(VS_WWN2, vs_wwn_remove(VS_WWN2));
	for (i = 0; i < sizeof(env->bs) / sizeof(env->bs[0]); i++)
		bad += complain("backstore", vs_backstore_put(&env->bs[i]));
	bad += complain("upper device", vs_hold_put(&env->upper));
	vs_loop_sweep();
	bad += complain("held device", vs_hold_put(&env->hold));
	unlink(VS_FILE);
	unlink(VS_FILE_PI);
	bad += check_pins(env);
	bad += vs_env_logged(env, NULL);
	close(env->kmsg);
	return bad;
}
