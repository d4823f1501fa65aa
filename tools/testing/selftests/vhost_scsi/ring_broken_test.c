// SPDX-License-Identifier: GPL-2.0
/*
 * Chains that no driver would write: one that the core cannot take stops its ring alone,
 * says so once, and is over with the next reset.
 */
#include "ring_fixture.h"

/* Where nothing lies in the guest. */
#define NOWHERE	0x7000000000ULL

/* One way to break a ring: writes descriptors and makes them available. */
struct fault {
	const char *name;
	void (*make)(struct vs_dev *dev, struct vs_ring *ring);
};

static void self_loop(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 64), 64, NEXT, 0);
	vs_ring_expose(ring, 0);
}

static void loop_of_two(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 64), 64, NEXT, 1);
	vs_ring_write_desc(ring, 1, scratch(dev, 64), 64, NEXT, 0);
	vs_ring_expose(ring, 0);
}

static void next_outside(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 64), 64, NEXT, ring->num);
	vs_ring_expose(ring, 0);
}

static void loop_in_table(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vring_desc *t = vs_ring_table(ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 64), 64, NEXT, 1 };
	t[1] = (struct vring_desc){ scratch(dev, 64), 64, NEXT, 0 };
	vs_ring_expose(ring, 0);
}

/* The core reads a table from first to last, whatever "next" says. */
static void table_without_end(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vring_desc *t = vs_ring_table(ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 64), 64, NEXT, 2 };
	t[1] = (struct vring_desc){ scratch(dev, 64), 64, NEXT, 2 };
	vs_ring_expose(ring, 0);
}

static void empty_table(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_table(ring, 2, 0, 0);
	vs_ring_expose(ring, 0);
}

static void odd_table(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_table(ring, 2, 17, 0);
	vs_ring_expose(ring, 0);
}

static void table_of_1025(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vring_desc *t = vs_ring_table(ring, 1025, 1025 * 16, 0);
	uint64_t gpa = scratch(dev, 64);
	unsigned int i;

	for (i = 0; i < 1025; i++)
		t[i] = (struct vring_desc){ gpa, 64, i < 1024 ? NEXT : 0,
					    i + 1 };
	vs_ring_expose(ring, 0);
}

static void table_of_65537(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_table(ring, 65537, 65537 * 16, 0);
	vs_ring_expose(ring, 0);
}

static void nested_table(struct vs_dev *dev, struct vs_ring *ring)
{
	struct vring_desc *t = vs_ring_table(ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 64), 32, INDIR, 0 };
	vs_ring_expose(ring, 0);
}

static void table_writes_before_it_reads(struct vs_dev *dev,
					 struct vs_ring *ring)
{
	struct vring_desc *t = vs_ring_table(ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 128), 108, NEXT | WRITE, 1 };
	t[1] = (struct vring_desc){ scratch(dev, 64), 51, 0, 0 };
	vs_ring_expose(ring, 0);
}

/* The second of two entries, the first of which is a good header. */
static void table_with(struct vs_dev *dev, struct vs_ring *ring, uint64_t addr,
		       uint32_t len)
{
	struct vring_desc *t = vs_ring_table(ring, 2, 32, 0);

	t[0] = (struct vring_desc){ scratch(dev, 64), 51, NEXT, 1 };
	t[1] = (struct vring_desc){ addr, len, WRITE, 0 };
	vs_ring_expose(ring, 0);
}

static void table_points_nowhere(struct vs_dev *dev, struct vs_ring *ring)
{
	table_with(dev, ring, NOWHERE, 108);
}

static void table_points_over_the_end(struct vs_dev *dev, struct vs_ring *ring)
{
	table_with(dev, ring, VS_GPA + dev->mem.size - 107, 108);
}

static void table_points_before_the_start(struct vs_dev *dev,
					  struct vs_ring *ring)
{
	table_with(dev, ring, VS_GPA - 1, 108);
}

static void table_address_wraps(struct vs_dev *dev, struct vs_ring *ring)
{
	table_with(dev, ring, ~0ULL - 16, 108);
}

static void table_length_is_the_largest(struct vs_dev *dev,
					struct vs_ring *ring)
{
	table_with(dev, ring, scratch(dev, 128), 0xffffffff);
}

static void table_is_nowhere(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_write_desc(ring, 0, NOWHERE, 32, INDIR, 0);
	vs_ring_expose(ring, 0);
}

static void table_is_over_the_end(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, VS_GPA + dev->mem.size - 16, 32, INDIR, 0);
	vs_ring_expose(ring, 0);
}

static void write_before_read(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 128), 108, NEXT | WRITE, 1);
	vs_ring_write_desc(ring, 1, scratch(dev, 64), 51, 0, 0);
	vs_ring_expose(ring, 0);
}

static void address_nowhere(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_write_desc(ring, 0, NOWHERE, 64, 0, 0);
	vs_ring_expose(ring, 0);
}

static void buffer_over_the_end(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, VS_GPA + dev->mem.size - 32, 64, 0, 0);
	vs_ring_expose(ring, 0);
}

static void address_wraps(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_write_desc(ring, 0, ~0ULL - 16, 64, 0, 0);
	vs_ring_expose(ring, 0);
}

static void length_is_the_largest(struct vs_dev *dev, struct vs_ring *ring)
{
	vs_ring_write_desc(ring, 0, scratch(dev, 64), 0xffffffff, 0, 0);
	vs_ring_expose(ring, 0);
}

static void head_is_num(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_expose(ring, ring->num);
}

static void head_is_ffff(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	vs_ring_expose(ring, 0xffff);
}

static void index_jumps(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	ring->next_avail += ring->num + 1;
	ring->avail->idx = ring->next_avail;
}

static void index_goes_back(struct vs_dev *dev, struct vs_ring *ring)
{
	(void)dev;
	ring->next_avail--;
	ring->avail->idx = ring->next_avail;
}

#define EXPECT_STUCK(fault, n) do {					\
	size_t __mark = self->dev->mem.used;				\
	size_t __i;							\
									\
	for (__i = 0; __i < (n); __i++) {				\
		const struct fault *__f = &(fault)[__i];		\
									\
		TH_LOG("%s", __f->name);				\
		self->dev->mem.used = __mark;				\
		__f->make(self->dev, self->ring);			\
		vs_ring_kick(self->ring);				\
		EXPECT_TRUE(complained(self->ring));			\
		/* No answer, no spinning, and the others go on. */	\
		EXPECT_EQ(0, vs_scsi_settle(self->dev, TAG, 0));	\
		vs_ring_errors(self->ring);				\
		usleep(20000);						\
		EXPECT_EQ(0, vs_ring_errors(self->ring));		\
		EXPECT_EQ(0, vs_ring_pending(self->ring));		\
		ASSERT_EQ(0, reset_ring(self->dev, self->ring));	\
		EXPECT_EQ(0, ring_works(self->dev, self->ring));	\
		ASSERT_EQ(0, reset_ring(self->dev, self->ring));	\
	}								\
} while (0)

#define F(fn) { #fn, fn }

TEST_F(ring, broken_links_stop_the_ring_alone)
{
	static const struct fault fault[] = {
		F(self_loop), F(loop_of_two), F(next_outside),
		F(loop_in_table), F(table_without_end), F(write_before_read),
	};

	COVERS("F-RG-01 F-RG-15 REQ-49");
	EXPECT_STUCK(fault, ARRAY_SIZE(fault));
}

TEST_F(ring, broken_tables_stop_the_ring_alone)
{
	static const struct fault fault[] = {
		F(empty_table), F(odd_table), F(table_of_1025),
		F(table_of_65537), F(nested_table),
		F(table_writes_before_it_reads), F(table_points_nowhere),
		F(table_points_over_the_end), F(table_points_before_the_start),
		F(table_address_wraps), F(table_length_is_the_largest),
		F(table_is_nowhere), F(table_is_over_the_end),
	};

	COVERS("F-RG-02 F-RG-03 FEA-09 REQ-07 REQ-49");
	SKIP_BEHIND_IOMMU("an address without access is waited for, and asked for again");
	EXPECT_STUCK(fault, ARRAY_SIZE(fault));
}

TEST_F(ring, broken_addresses_stop_the_ring_alone)
{
	static const struct fault fault[] = {
		F(address_nowhere), F(buffer_over_the_end), F(address_wraps),
		F(length_is_the_largest),
	};

	COVERS("F-RG-09 F-RG-10 F-SE-05 REQ-49");
	SKIP_BEHIND_IOMMU("an address without access is waited for, and asked for again");
	EXPECT_STUCK(fault, ARRAY_SIZE(fault));
}

TEST_F(ring, broken_indexes_stop_the_ring_alone)
{
	static const struct fault fault[] = {
		F(head_is_num), F(head_is_ffff), F(index_jumps),
		F(index_goes_back),
	};

	COVERS("F-RG-04 REQ-49");
	EXPECT_STUCK(fault, ARRAY_SIZE(fault));
}

TEST_HARNESS_MAIN
