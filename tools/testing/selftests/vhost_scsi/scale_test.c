// SPDX-License-Identifier: GPL-2.0
/* Many devices with many queues on one host. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vs_measure.h"
#include "vs_proc.h"
#include "vs_test.h"

#define TAG	VS_TAG
#define QUEUES	128	/* of a device: what max_io_vqs is by default */
#define FEW	3	/* devices */
#define MANY	100

FIXTURE(scale) {
	struct vs_env env;
	struct vs_dev *dev;
	unsigned int n;
};

typedef FIXTURE_DATA(scale) scale_data;

static const char *wwn(unsigned int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "naa.500140500000%04x", 0x100 + i);
	return name;
}

FIXTURE_SETUP(scale)
{
	const struct vs_env_opts opts = { .no_dev = true };
	/* Kick, call and err of each queue, and more */
	const rlim_t most = 4 * MANY * (VS_IO + QUEUES);
	const struct rlimit files = { most, most };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ENV_GET(&self->env, &opts);
	self->n = vs_rounds(FEW, MANY);
	self->dev = calloc(self->n, sizeof(*self->dev));
	ASSERT_NE(NULL, self->dev);
}

FIXTURE_TEARDOWN(scale)
{
	unsigned int i;

	for (i = 0; i < self->n; i++) {
		vs_dev_close(&self->dev[i]);
		EXPECT_EQ(0, vs_wwn_remove(wwn(i)));
	}
	free(self->dev);
	ENV_PUT(&self->env);
}

/* A device with a target of its own; how long VHOST_SCSI_SET_ENDPOINT took. */
static int start(scale_data *self, unsigned int i, uint64_t *ns)
{
	const struct vs_dev_opts opts = {
		.n_io = QUEUES, .ring_size = 32, .mem_size = 2 << 20,
	};
	struct vs_dev *dev = &self->dev[i];
	uint64_t begin;
	int ret;

	ret = vs_wwn_get(wwn(i)) ?: vs_tpg_get(wwn(i), TAG) ?:
	      vs_nexus_write(wwn(i), TAG, VS_NEXUS) ?:
	      vs_lun_link(wwn(i), TAG, 0, &self->env.bs[0]) ?:
	      vs_dev_open(dev, &opts) ?: vs_dev_setup(dev);
	if (ret)
		return ret;
	begin = vs_now_ns();
	ret = vs_dev_set_endpoint(dev, wwn(i));
	*ns = vs_now_ns() - begin;
	return ret;
}

static long free_mib(void)
{
	return sysconf(_SC_AVPHYS_PAGES) * (VS_PAGE >> 10) >> 10;
}

/* One command on a queue is GOOD. */
static int serves(struct vs_dev *dev, unsigned int queue)
{
	size_t mark = dev->mem.used;
	struct vs_req req;
	int ret;

	vs_req_get(&req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, queue, 1));
	req.ring = &dev->ring[VS_IO + queue];
	vs_req_in(&req, vs_mem_page(&dev->mem, 1), 512);
	ret = vs_req_submit(&req) ?: vs_req_wait(&req);
	if (!ret && (req.rsp->response || req.rsp->status))
		ret = -EIO;
	vs_req_put(&req);
	dev->mem.used = mark;
	return ret;
}

TEST_F(scale, devices_of_128_queues_serve_side_by_side)
{
	unsigned int i, queue;
	uint64_t ns;

	COVERS("REQ-43");
	for (i = 0; i < self->n; i++) {
		ASSERT_EQ(0, start(self, i, &ns))
			TH_LOG("device %u, %ld MiB of the host free", i, free_mib());
		if (!i || i == self->n - 1)
			TH_LOG("device %u: endpoint set in %llu us, %ld MiB of the host free",
			       i, (unsigned long long)ns / 1000,
			       free_mib());
	}
	for (i = 0; i < self->n; i++) {
		ASSERT_EQ(0, vs_scsi_settle(&self->dev[i], TAG, 0));
		for (queue = 0; queue < QUEUES; queue++)
			ASSERT_EQ(0, serves(&self->dev[i], queue))
				TH_LOG("device %u, queue %u", i, queue);
	}
	TH_LOG("%ld MiB free after a command on each queue",
	       free_mib());
}

TEST_HARNESS_MAIN
