/* SPDX-License-Identifier: GPL-2.0 */
/* Disks that store protection information (T10 PI), of two types and two kinds. */
#ifndef PI_FIXTURE_H
#define PI_FIXTURE_H

#include "vs_pi.h"
#include "vs_test.h"

#define TAG		VS_TAG
#define SIZE		512
#define MOST		1024
#define ABORTED_COMMAND	0xb
#define FEATURES	(VS_F_MODERN | VS_BIT(VIRTIO_SCSI_F_T10_PI))
#define READ(lba, n, p)	vs_pi_cdb(vs_cdb_rw10(VS_READ_10, lba, n), p)
#define WRITE(lba, n, p) vs_pi_cdb(vs_cdb_rw10(VS_WRITE_10, lba, n), p)

/* RDPROTECT and WRPROTECT: check all, check nothing (SBC) */
#define CHECK		1
#define TRUST		3

static const char *const type1[] = {
	"pi_prot_type", "1", "pi_prot_verify", "1", NULL
};

static const char *const type3[] = {
	"pi_prot_type", "3", "pi_prot_verify", "1", NULL
};

static const char *const type1_file[] = {
	"pi_prot_type", "1", "pi_prot_format", "1", "pi_prot_verify", "1", NULL
};

FIXTURE(pi) {
	struct vs_env env;
	struct vs_dev *dev;
	struct vs_pi *pi;
	uint8_t *data;
};

typedef FIXTURE_DATA(pi) pi_data;

FIXTURE_VARIANT(pi) {
	enum vs_disk disk;
	const char *const *attr;
	int type;
};

FIXTURE_VARIANT_ADD(pi, ram_type1) {
	.disk = VS_DISK_RAM,
	.attr = type1,
	.type = 1,
};

FIXTURE_VARIANT_ADD(pi, ram_type3) {
	.disk = VS_DISK_RAM,
	.attr = type3,
	.type = 3,
};

FIXTURE_VARIANT_ADD(pi, file_type1) {
	.disk = VS_DISK_FILE,
	.attr = type1_file,
	.type = 1,
};

FIXTURE_SETUP(pi)
{
	struct vs_env_opts opts = {
		.dev.features = FEATURES,
		.dev.ring_size = 512,
		.disk = variant->disk,
		.disk_attr = variant->attr,
	};

	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->pi = vs_mem_page(&self->dev->mem, 3);
	self->data = vs_mem_page(&self->dev->mem, MOST * SIZE / VS_PAGE + 1);
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

ENV_TEARDOWN(pi);

/* Data of a seed and what protects it, in guest memory. */
static inline void prepare(pi_data *self, uint32_t lba, unsigned int blocks,
			   unsigned int seed)
{
	vs_fill(self->data, blocks * SIZE, seed);
	vs_pi_make(self->pi, self->data, lba, blocks, SIZE);
}

static inline struct vs_result write_blocks(pi_data *self, uint32_t lba,
					    unsigned int blocks,
					    uint8_t protect)
{
	return vs_pi_write(self->dev, TAG, 0, WRITE(lba, blocks, protect),
			   self->pi, blocks * sizeof(*self->pi),
			   self->data, blocks * SIZE);
}

static inline struct vs_result read_blocks(pi_data *self, uint32_t lba,
					   unsigned int blocks, uint8_t protect)
{
	memset(self->pi, VS_POISON, blocks * sizeof(*self->pi));
	memset(self->data, VS_POISON, blocks * SIZE);
	return vs_pi_read(self->dev, TAG, 0, READ(lba, blocks, protect),
			  self->pi, blocks * sizeof(*self->pi),
			  self->data, blocks * SIZE);
}

#endif /* PI_FIXTURE_H */
