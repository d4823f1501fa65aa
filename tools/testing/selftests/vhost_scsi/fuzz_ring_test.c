// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that writes anything into its rings: headers, CDBs, layouts, descriptors,
 * addresses, available entries; then the same while other threads change the bytes
 * that the device reads, and take pages away.
 *
 * A batch is a function of its seed, so that what went wrong comes again with the
 * seed that was printed: VS_SEED=SEED VS_ROUNDS=BATCH fuzz_ring_test. Whatever a batch
 * holds, each head comes back once (I1); where the device cannot know what a chain
 * was, it stops and says so, and goes on when the entry has been replaced.
 */
#include <pthread.h>
#include <sys/stat.h>

#include "fuzz_ring.h"
#include "vs_test.h"

#define LIMIT	1100	/* seconds */

FIXTURE(fuzz) {
	struct vs_env env;
	struct fuzz f;
};

FIXTURE_VARIANT(fuzz) {
	enum vs_disk disk;
	bool pi;
	bool pin_memory;
};

FIXTURE_VARIANT_ADD(fuzz, block_device) {
	.disk = VS_DISK_HOLD,
};

FIXTURE_VARIANT_ADD(fuzz, protected_ramdisk) {
	.disk = VS_DISK_RAM,
	.pi = true,
};

FIXTURE_VARIANT_ADD(fuzz, file_and_pinned_memory) {
	.disk = VS_DISK_FILE,
	.pin_memory = true,
};

FIXTURE_SETUP(fuzz)
{
	static const char * const protect[] = {
		"pi_prot_type", "1", NULL
	};
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | (variant->pi ?
				VS_BIT(VIRTIO_SCSI_F_T10_PI) : 0),
		.dev.mem_size = 32UL << 20,
		.dev.mem = VS_MEM_PRIVATE,
		.disk = variant->disk,
		.mib = 4,
		.disk_attr = variant->pi ? protect : NULL,
		.pin_memory = variant->pin_memory,
	};
	struct fuzz *f = &self->f;
	unsigned int i;

	memset(f, 0, sizeof(*f));
	ENV_GET(&self->env, &opts);
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 4, true));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]));
	f->dev = &self->env.dev;
	f->ring = &f->dev->ring[VS_IO];
	f->pi = variant->pi;
	ASSERT_EQ(0, vs_scsi_settle(f->dev, TAG, 0));
	ASSERT_EQ(0, vs_scsi_settle(f->dev, TAG, 1));
	fuzz_make_good(f);
	f->room = vs_mem_alloc(&f->dev->mem, BATCH * ROOM, VS_PAGE);
	/* Last, so that what is too long leaves the guest's memory. */
	f->data = vs_mem_alloc(&f->dev->mem, DATA, VS_PAGE);
	f->glass = f->data;
	for (i = 0; i < GLASS; i += 4)
		ASSERT_EQ(0, munmap(f->glass + i * VS_PAGE, VS_PAGE));
	f->seed = vs_seed(20261126);
	f->trace = fuzz_trace_open();
	ASSERT_LE(0, f->trace);
}

FIXTURE_TEARDOWN(fuzz)
{
	fuzz_trace_close(self->f.trace);
	/* The books were kept here: nothing of the library's is in the ring. */
	ENV_PUT(&self->env);
}

TEST_F_TIMEOUT(fuzz, anything_in_the_ring_is_answered, LIMIT)
{
	unsigned long shots = vs_rounds(10000, 10000), reached;
	struct fuzz *f = &self->f;
	uint64_t first = f->seed;
	size_t i;

	COVERS("F-RG-01 F-RG-20 F-RQ-13");
	ASSERT_TRUE(fuzz_run(f, shots));
	reached = vs_dev_counter(f->dev, VS_IO, "commands") * 100 / f->shots;
	TH_LOG("seed %#llx: %lu requests, %lu %% reached a unit, %lu entries replaced",
	       (unsigned long long)first, f->shots, reached, f->repairs);
	for (i = 0; i < FUZZ_REASONS; i++)
		TH_LOG("%6lu %s", f->hit[i], fuzz_reasons[i].why);
	EXPECT_LE(30, reached);
	for (i = 0; i < FUZZ_REASONS && shots >= 10000; i++) {
		if (!fuzz_reasons[i].pi_only || f->pi)
			EXPECT_LT(0, f->hit[i]);
	}
	/* The rest of the ring's life is the library's. */
	EXPECT_EQ(0, vs_dev_clear_endpoint(f->dev, VS_WWN));
}

/* Another request in a header, another segment in a table. */
static void *change_bytes(void *arg)
{
	struct fuzz *f = arg;
	uint64_t seed = f->seed + 1;

	while (!f->stop) {
		unsigned int i = vs_pick(&seed, BATCH);
		uint8_t *room = f->room + i * ROOM;
		struct vring_desc *d = vs_chance(&seed, 50) ?
			f->ring->desc + i * STRIDE : (void *)(room + 1024);

		d += vs_pick(&seed, STRIDE);
		switch (vs_pick(&seed, 6)) {
		case 0:
			room[vs_pick(&seed, VS_HDR_PI)] = vs_pick(&seed, 256);
			break;
		case 1:
			d->flags = vs_pick(&seed, 8);
			break;
		case 2:
			d->next = vs_pick(&seed, f->ring->num);
			break;
		case 3:
			d->len = vs_pick(&seed, 70000);
			break;
		case 4:
			d->addr = vs_mem_gpa(&f->dev->mem, f->data +
					     vs_pick(&seed, DATA));
			break;
		default:
			usleep(vs_pick(&seed, 50));
			break;
		}
	}
	return NULL;
}

/* Pages that cannot be touched, written, that are new or not there. */
static void *change_pages(void *arg)
{
	static const int prot[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
	};
	struct fuzz *f = arg;
	uint64_t seed = f->seed + 2;

	while (!f->stop) {
		uint8_t *page = f->glass + vs_pick(&seed, GLASS) * VS_PAGE;

		switch (vs_pick(&seed, 4)) {
		case 0:
			munmap(page, VS_PAGE);
			usleep(vs_pick(&seed, 200));
			mmap(page, VS_PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			break;
		case 1:
			madvise(page, VS_PAGE, MADV_DONTNEED);
			break;
		default:
			mprotect(page, VS_PAGE,
				 prot[vs_pick(&seed, ARRAY_SIZE(prot))]);
			break;
		}
		usleep(vs_pick(&seed, 200));
	}
	mprotect(f->glass, GLASS * VS_PAGE, PROT_READ | PROT_WRITE);
	return NULL;
}

TEST_F_TIMEOUT(fuzz, what_changes_while_it_is_read_is_answered, LIMIT)
{
	unsigned long shots = vs_rounds(1500, 10000);
	struct fuzz *f = &self->f;
	uint64_t first = f->seed;
	pthread_t bytes, pages;
	bool all;

	COVERS("F-RG-12 F-RQ-01");
	ASSERT_EQ(0, pthread_create(&bytes, NULL, change_bytes, f));
	ASSERT_EQ(0, pthread_create(&pages, NULL, change_pages, f));
	all = fuzz_run(f, shots);
	f->stop = true;
	pthread_join(bytes, NULL);
	pthread_join(pages, NULL);
	EXPECT_TRUE(all);
	TH_LOG("seed %#llx: %lu requests, %lu %% reached a unit, %lu entries replaced",
	       (unsigned long long)first, f->shots,
	       vs_dev_counter(f->dev, VS_IO, "commands") * 100 / f->shots, f->repairs);
	EXPECT_EQ(0, vs_dev_clear_endpoint(f->dev, VS_WWN));
}

TEST_HARNESS_MAIN
