// SPDX-License-Identifier: GPL-2.0
/*
 * What only a machine can show, with huge pages, a wide address space and memory of
 * devices: User-Mode Linux has none of it.
 */
#include <dirent.h>
#include <stdio.h>

#include "vs_test.h"

#define TAG	VS_TAG

FIXTURE(machine) {
	struct vs_env env;
	struct vs_dev *dev;
};

FIXTURE_VARIANT(machine) {
	bool pin_memory;
};

FIXTURE_VARIANT_ADD(machine, pinned_by_the_command) {
	.pin_memory = false,
};

FIXTURE_VARIANT_ADD(machine, pinned_by_the_endpoint) {
	.pin_memory = true,
};

FIXTURE_SETUP(machine)
{
	struct vs_env_opts opts = {
		.dev.features = VS_F_MODERN | VS_F_EVENT_IDX,
		.dev.mem = VS_MEM_PRIVATE,
		.pin_memory = variant->pin_memory,
	};

	if (!vs_has_huge_pages())
		SKIP(return, "User-Mode Linux is no machine");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

FIXTURE_TEARDOWN(machine)
{
	if (!self->dev)
		return;
	ENV_PUT(&self->env);
}

TEST_F(machine, huge_page_is_read_whole)
{
	size_t huge = 2UL << 20, off;
	uint8_t *buf;

	COVERS("F-RS-05 REQ-45");
	off = -(uintptr_t)self->dev->mem.base & (huge - 1);
	/* Past the rings and the requests of this test. */
	buf = self->dev->mem.base + off + 4 * huge;
	self->dev->mem.used = 6 * huge;
	ASSERT_EQ(0, madvise(buf, huge, MADV_HUGEPAGE));
	for (off = 0; off < 512; off++)
		vs_fill(buf + off * VS_PAGE, VS_PAGE, off);
	ASSERT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw16(VS_WRITE_16, 0, huge / 512), buf,
				  huge));
	memset(buf, 0x5a, huge);
	ASSERT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw16(VS_READ_16, 0, huge / 512), buf,
				 huge));
	for (off = 0; off < 512; off++)
		ASSERT_EQ(-1, vs_differs(buf + off * VS_PAGE, VS_PAGE, off));
}

/* A region so large that its pages cannot even be listed. */
TEST_F(machine, region_of_many_tebibytes_is_no_use_to_pinned_memory)
{
	struct vhost_memory_region region[2];
	size_t size = 16UL << 40;
	int64_t pins;
	uint8_t *big;

	COVERS("F-RS-06 F-RS-01");
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	pins = vs_pins();
	big = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, big);
	region[0] = (struct vhost_memory_region){
		.guest_phys_addr = VS_GPA,
		.memory_size = self->dev->mem.size,
		.userspace_addr = (uintptr_t)self->dev->mem.base,
	};
	region[1] = (struct vhost_memory_region){
		.guest_phys_addr = 1ULL << 46,
		.memory_size = size,
		.userspace_addr = (uintptr_t)big,
	};
	ASSERT_EQ(0, vs_dev_set_regions(self->dev, region, 2));
	EXPECT_EQ(variant->pin_memory ? -ENOMEM : 0,
		  vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(pins, vs_pins());
	EXPECT_EQ(0, vs_env_logged(&self->env, "vhost"));
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_mem(self->dev));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	munmap(big, size);
}

/* The last page that a process can have, with page tables of five levels or four. */
static void *last_page(void)
{
	static const uintptr_t end[] = { 1UL << 56, 1UL << 47 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(end); i++) {
		void *want = (void *)(end[i] - 2 * VS_PAGE), *page;

		page = mmap(want, VS_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			    -1, 0);
		if (page == want)
			return page;
	}
	return NULL;
}

/* EVENT_IDX makes rings two bytes longer, and this one has no room for them. */
TEST_F(machine, close_clears_whatever_has_become_of_a_ring)
{
	struct vs_ring *ring = &self->dev->ring[VS_IO];
	size_t size = sizeof(*ring->avail) + 2 * ring->num;
	void *page = last_page();

	COVERS("IOC-34 F-LC-08 FEA-03");
	ASSERT_NE(NULL, page);
	ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	ASSERT_EQ(0, vs_dev_set_features(self->dev, VS_F_MODERN));
	ring->avail = memcpy(page + VS_PAGE - size, ring->avail, size);
	ASSERT_EQ(0, vs_dev_set_addr(self->dev, ring));
	ASSERT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
	EXPECT_EQ(-EBUSY, vs_dev_set_features(self->dev, VS_F_MODERN |
					      VS_F_EVENT_IDX));
	vs_dev_close(self->dev);
	EXPECT_EQ(0, vs_wwn_remove(VS_WWN));
	munmap(page, VS_PAGE);
}

#define STRANGE_GPA 0x90000000ULL

/* Makes memory of this process, whatever it is, part of the guest's. */
static int add_region(struct vs_dev *dev, void *p, size_t size)
{
	struct vhost_memory_region region[2] = {
		{
			.guest_phys_addr = VS_GPA,
			.memory_size = dev->mem.size,
			.userspace_addr = (uintptr_t)dev->mem.base,
		}, {
			.guest_phys_addr = STRANGE_GPA,
			.memory_size = size,
			.userspace_addr = (uintptr_t)p,
		},
	};

	return vs_dev_set_regions(dev, region, 2);
}

/* Runs a command with one page of the strange region as its data. */
static struct vs_result use_region(struct vs_dev *dev, struct vs_cdb cdb,
				   bool out)
{
	struct vs_result res = {};
	struct vs_seg seg = { .gpa = STRANGE_GPA, .len = VS_PAGE };
	struct vs_req req;

	vs_req_get(&req, dev, TAG, 0, cdb);
	if (out)
		req.chain.out[req.chain.n_out++] = seg;
	else
		req.chain.in[req.chain.n_in++] = seg;
	res.err = vs_req_run(&req);
	res.response = req.rsp->response;
	res.status = req.rsp->status;
	vs_req_put(&req);
	return res;
}

/* The first page of data that the kernel shares with every process. */
static void *vvar_page(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[256];
	void *p = NULL;

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[vvar]"))
			p = (void *)strtoul(line, NULL, 16);
	if (maps)
		fclose(maps);
	return p;
}

/* A page of the memory of any PCI device that lets itself be mapped. */
static void *device_page(void)
{
	static const char dir[] = "/sys/bus/pci/devices";
	void *p = MAP_FAILED;
	struct dirent *de;
	DIR *d = opendir(dir);

	while (d && p == MAP_FAILED && (de = readdir(d))) {
		int bar, fd;

		for (bar = 0; bar < 6 && p == MAP_FAILED; bar++) {
			char path[512];

			snprintf(path, sizeof(path), "%s/%s/resource%d", dir,
				 de->d_name, bar);
			fd = open(path, O_RDWR | O_CLOEXEC);
			if (fd < 0)
				continue;
			p = mmap(NULL, VS_PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED, fd, 0);
			close(fd);
		}
	}
	if (d)
		closedir(d);
	return p == MAP_FAILED ? NULL : p;
}

TEST_F(machine, memory_that_cannot_be_pinned_is_refused_or_copied)
{
	struct vs_cdb write = vs_cdb_rw10(VS_WRITE_10, 0, VS_PAGE / 512);
	struct vs_cdb read = vs_cdb_rw10(VS_READ_10, 0, VS_PAGE / 512);
	void *page = vvar_page();
	struct vs_result res;

	COVERS("F-RG-12 REQ-47 REQ-31");
	ASSERT_NE(NULL, page);
	ASSERT_EQ(0, add_region(self->dev, page, VS_PAGE));
	/* Newer kernels have pages behind it. */
	res = use_region(self->dev, write, true);
	EXPECT_EQ(0, res.err);
	EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_FAILURE | 1U << VIRTIO_SCSI_S_OK,
		      res.response);
	/* Nobody may write there, and LIO's emulation goes through a copy. */
	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE,
			use_region(self->dev, read, false));
	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE,
			use_region(self->dev, vs_cdb_inquiry(VS_PAGE), false));
	page = device_page();
	if (page) {
		TH_LOG("a PCI device's memory, too");
		ASSERT_EQ(0, add_region(self->dev, page, VS_PAGE));
		EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE,
				use_region(self->dev, write, true));
		EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE,
				use_region(self->dev, read, false));
		res = use_region(self->dev, vs_cdb_inquiry(36), false);
		EXPECT_EQ(0, res.err);
		EXPECT_ONE_OF(1U << VIRTIO_SCSI_S_FAILURE |
			      1U << VIRTIO_SCSI_S_OK, res.response);
		munmap(page, VS_PAGE);
	}
	EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
}

#define ZRAM	"/dev/zram0"
#define LOOP	"/dev/loop6"	/* not the one of VS_DISK_LOOP, which vs_env_put() frees */
#define IMAGE	"/tmp/vs-blocks"

/* zram where the kernel has it, else a loop device, which bears more. */
static const char *large_blocks(void)
{
	if (access(ZRAM, F_OK) && system("modprobe -q zram"))
		return system("modprobe -qa loop; truncate -s 8M " IMAGE
			      " && losetup --sector-size 4096 " LOOP " " IMAGE) ?
		       NULL : LOOP;
	return vs_write_file("/sys/block/zram0/disksize", "8388608") ? NULL :
	       ZRAM;
}

/* A disk with blocks of 4 KiB, whose driver takes each segment for whole blocks. */
FIXTURE(large_blocks) {
	struct vs_env env;
	struct vs_dev *dev;
	const char *disk;
	uint8_t *buf, *data;
};

FIXTURE_SETUP(large_blocks)
{
	struct vs_env_opts opts = { .disk = VS_DISK_NONE };

	if (!vs_has_huge_pages())
		SKIP(return, "User-Mode Linux is no machine");
	ENV_GET(&self->env, &opts);
	self->dev = &self->env.dev;
	self->disk = large_blocks();
	ASSERT_NE(NULL, self->disk);
	ASSERT_EQ(0, vs_iblock_get(&self->env.bs[0], 0, self->disk));
	ASSERT_EQ(0, vs_lun_link(VS_WWN, TAG, 0, &self->env.bs[0]));
	ASSERT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));
	self->data = vs_mem_page(&self->dev->mem, 1);
	self->buf = vs_mem_page(&self->dev->mem, 16);
	memset(self->buf, 0xaa, 16 * VS_PAGE);
	vs_fill(self->data, VS_PAGE, 7);
}

FIXTURE_TEARDOWN(large_blocks)
{
	if (!self->disk)
		return;
	ENV_PUT(&self->env);
	if (!strcmp(self->disk, ZRAM)) {
		EXPECT_EQ(0, vs_write_file("/sys/block/zram0/reset", "1"));
	} else {
		EXPECT_EQ(0, system("losetup -d " LOOP));
	}
	unlink(IMAGE);
}

TEST_F(large_blocks, block_at_a_sector_of_a_page_is_served)
{
	uint8_t *at = self->buf + VS_PAGE + 512;

	COVERS("REQ-45 F-RQ-13 F-SE-02");
	memcpy(at, self->data, VS_PAGE);
	EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 4, 1), at, VS_PAGE));
	memset(at, 0xaa, VS_PAGE);
	EXPECT_GOOD(vs_scsi_read(self->dev, TAG, 0,
				 vs_cdb_rw10(VS_READ_10, 4, 1), at, VS_PAGE));
	EXPECT_EQ(-1, vs_differs(at, VS_PAGE, 7));
	EXPECT_EQ(-1, vs_not_all(self->buf, at - self->buf, 0xaa));
	EXPECT_EQ(-1, vs_not_all(at + VS_PAGE, 8 * VS_PAGE, 0xaa));
}

TEST_F(large_blocks, block_in_pieces_of_a_sector_is_served)
{
	struct vs_req req;
	unsigned int i;

	COVERS("REQ-45 F-RQ-13 F-SE-02");
	EXPECT_GOOD(vs_scsi_write(self->dev, TAG, 0,
				  vs_cdb_rw10(VS_WRITE_10, 12, 1), self->data,
				  VS_PAGE));
	vs_req_get(&req, self->dev, TAG, 0, vs_cdb_rw10(VS_READ_10, 12, 1));
	for (i = 0; i < 8; i++)
		vs_req_in(&req, self->buf + 2 * i * VS_PAGE, 512);
	EXPECT_GOOD(vs_req_finish(&req));
	for (i = 0; i < 8; i++) {
		uint8_t *at = self->buf + 2 * i * VS_PAGE;

		EXPECT_EQ(0, memcmp(at, self->data + 512 * i, 512));
		EXPECT_EQ(-1, vs_not_all(at + 512, VS_PAGE - 512, 0xaa));
	}
}

TEST_HARNESS_MAIN
