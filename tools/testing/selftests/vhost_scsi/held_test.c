// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory that stays pinned while the endpoint is set, attrib/pin_memory: that a page
 * which the owner replaces is never taken for the one that was there before, and that all of
 * them are given back. What of it is charged, and refused, is in held_charge_test.c.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "held_fixture.h"

TEST_F(held, command_pins_nothing)
{
	struct vs_req req;
	uint8_t *buf;

	COVERS("REQ-48");
	ASSERT_EQ(0, start(self));
	buf = vs_mem_page(&self->dev->mem, PAGES);
	ASSERT_EQ(0, fill_disk(self->dev, buf));
	ASSERT_EQ(0, vs_hold_stop(&self->env.hold));
	vs_req_get(&req, self->dev, TAG, 0,
		   vs_cdb_rw10(VS_READ_10, 0, PAGES * 8));
	/* Pieces that follow each other, and one that does not. */
	vs_req_in(&req, buf, VS_PAGE);
	vs_req_in(&req, buf + VS_PAGE, (PAGES - 2) * VS_PAGE - 512);
	vs_req_in(&req, buf + (PAGES - 1) * VS_PAGE, VS_PAGE);
	vs_req_in(&req, buf + (PAGES - 1) * VS_PAGE - 512, 512);
	ASSERT_EQ(0, vs_req_submit(&req));
	ASSERT_EQ(0, vs_ring_wait_taken(req.ring, vs_patience()));
	EXPECT_EQ(MEM_PAGES, vs_pins() - self->pins);
	ASSERT_EQ(0, vs_hold_go(&self->env.hold));
	ASSERT_EQ(0, vs_req_wait(&req));
	EXPECT_EQ(VS_GOOD, req.rsp->status);
	vs_req_put(&req);
}

TEST_F(held, page_that_the_owner_gave_up_is_pinned_anew)
{
	uint8_t *buf;

	COVERS("REQ-48 F-RS-02");
	ASSERT_EQ(0, start(self));
	buf = vs_mem_page(&self->dev->mem, PAGES);
	ASSERT_EQ(0, fill_disk(self->dev, buf));
	/* As a balloon does; with MAP_SHARED the file would keep the page. */
	ASSERT_EQ(0, madvise(buf + VS_PAGE, VS_PAGE,
			     variant->mem == VS_MEM_SHARED ? MADV_REMOVE :
			     MADV_DONTNEED));
	EXPECT_EQ(0, buf[VS_PAGE]);
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
	/* And with what is there now as data. */
	vs_fill(buf, PAGES * VS_PAGE, 2);
	EXPECT_GOOD(rw(self->dev, true, buf));
	memset(buf, 0, PAGES * VS_PAGE);
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 2));
	EXPECT_EQ(MEM_PAGES, vs_pins() - self->pins);
}

TEST_F(held, memory_mapped_over_is_pinned_anew)
{
	uint8_t *buf;

	COVERS("REQ-48 F-LC-16");
	ASSERT_EQ(0, start(self));
	buf = vs_mem_page(&self->dev->mem, PAGES);
	ASSERT_EQ(0, fill_disk(self->dev, buf));
	ASSERT_EQ(buf, mmap(buf, PAGES * VS_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
	ASSERT_EQ(0, munmap(buf, VS_PAGE));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, rw(self->dev, false, buf).response);
}

TEST_F(held, fork_leaves_the_parent_its_pages)
{
	uint8_t *buf;
	pid_t pid;

	COVERS("F-RS-02");
	ASSERT_EQ(0, start(self));
	buf = vs_mem_page(&self->dev->mem, PAGES);
	ASSERT_EQ(0, fill_disk(self->dev, buf));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		pause();
		_exit(0);
	}
	memset(buf, 0xa5, PAGES * VS_PAGE);
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

TEST_F(held, another_memory_table_is_pinned_instead)
{
	struct vhost_memory_region region[2];
	long locked = locked_kib();
	uint8_t *buf;

	COVERS("F-LC-16 IOC-12");
	ASSERT_EQ(0, start(self));
	buf = vs_mem_page(&self->dev->mem, PAGES);
	ASSERT_EQ(0, fill_disk(self->dev, buf));
	halves(self->dev, region, VS_PAGE);
	ASSERT_EQ(0, vs_dev_set_regions(self->dev, region, 2));
	EXPECT_EQ(MEM_PAGES - 1, vs_pins() - self->pins);
	EXPECT_EQ(locked + (long)((MEM_SIZE - VS_PAGE) >> 10), locked_kib());
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
	ASSERT_EQ(0, vs_dev_set_mem(self->dev));
	EXPECT_EQ(MEM_PAGES, vs_pins() - self->pins);
	/* A buffer on both sides of a border that is one no more. */
	buf = self->dev->mem.base + MEM_SIZE / 2 - VS_PAGE;
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
}

TEST_F(held, region_with_a_hole_is_served_and_not_pinned)
{
	struct vhost_memory_region region[2];
	uint8_t *buf, *hole = self->dev->mem.base + MEM_SIZE - VS_PAGE;

	COVERS("F-RG-11 F-RS-04");
	halves(self->dev, region, 0);
	ASSERT_EQ(0, munmap(hole, VS_PAGE));
	ASSERT_EQ(0, vs_dev_set_regions(self->dev, region, 2));
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(MEM_PAGES / 2, vs_pins() - self->pins);
	buf = self->dev->mem.base + MEM_SIZE / 2;
	ASSERT_EQ(0, fill_disk(self->dev, buf));
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
	/* Partly in what is pinned, partly in what is not. */
	buf -= PAGES / 2 * VS_PAGE;
	EXPECT_GOOD(rw(self->dev, false, buf));
	EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
		  rw(self->dev, false,
		     hole - (PAGES - 1) * VS_PAGE).response);
	EXPECT_EQ(MEM_PAGES / 2, vs_pins() - self->pins);
	/* For the harness's munmap() of the whole. */
	ASSERT_EQ(hole, mmap(hole, VS_PAGE, PROT_READ, MAP_PRIVATE |
			     MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

/* Who holds the descriptor when the owner is gone holds its memory, too. */
TEST_F(held, last_close_gives_back_what_a_dead_owner_had)
{
	struct vs_dev *dev = self->dev;
	int pipes[2], status;
	char byte;
	pid_t pid;

	COVERS("F-LC-04 F-RS-02");
	SKIP_BEHIND_IOMMU("who answers what the IOTLB misses has the descriptor, too");
	/* The child is an owner of its own, of a device that we opened. */
	close(dev->fd);
	dev->fd = open("/dev/vhost-scsi", O_RDWR);
	ASSERT_LE(0, dev->fd);
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		byte = vs_dev_setup(dev) || start(self) ? 1 : 0;
		_exit(write(pipes[1], &byte, 1) == 1 ? byte : 1);
	}
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	ASSERT_EQ(0, byte);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(MEM_PAGES, vs_pins() - self->pins);
	EXPECT_EQ(0, close(dev->fd));
	dev->fd = -1;
	EXPECT_EQ(self->pins, vs_pins());
	close(pipes[0]);
	close(pipes[1]);
}

/* A thread that gives pages up, as a balloon does, all the time. */
struct balloon {
	uint8_t *at;
	volatile bool stop;
	volatile unsigned int rounds;
};

static void *balloon_main(void *arg)
{
	struct balloon *balloon = arg;

	while (!balloon->stop) {
		madvise(balloon->at, PAGES * VS_PAGE, MADV_DONTNEED);
		*balloon->at = 1;
		balloon->rounds++;
		usleep(100);
	}
	return NULL;
}

TEST_F(held, balloon_races_with_endpoints_and_io)
{
	struct balloon balloon = {};
	unsigned int i, rounds = vs_rounds(50, 200);
	pthread_t thread;
	uint8_t *buf;

	COVERS("F-RS-02 F-LC-16");
	buf = vs_mem_page(&self->dev->mem, PAGES);
	balloon.at = vs_mem_page(&self->dev->mem, PAGES);
	ASSERT_EQ(0, pthread_create(&thread, NULL, balloon_main, &balloon));
	for (i = 0; i < rounds || balloon.rounds < rounds; i++) {
		ASSERT_EQ(0, start(self));
		ASSERT_EQ(0, fill_disk(self->dev, buf));
		EXPECT_GOOD(rw(self->dev, false, buf));
		EXPECT_EQ(-1, vs_differs(buf, PAGES * VS_PAGE, 1));
		EXPECT_GOOD(rw(self->dev, false, balloon.at));
		ASSERT_EQ(0, vs_dev_clear_endpoint(self->dev, VS_WWN));
	}
	balloon.stop = true;
	pthread_join(thread, NULL);
	TH_LOG("%u endpoints, %u rounds of the balloon", i, balloon.rounds);
	EXPECT_EQ(self->pins, vs_pins());
}

#define SIGNALS	100	/* as many as SET_ENDPOINT meets, not more than end */

/* Stops the clock in time: a slow machine does nothing else meanwhile. */
static void count(int sig)
{
	const struct itimerval never = {};
	static int seen;

	(void)sig;
	if (++seen == SIGNALS)
		setitimer(ITIMER_REAL, &never, NULL);
}

/* The kernel gives up taking all locks of a process at any signal to it. */
TEST_F(held, signals_do_not_keep_an_endpoint_from_being_set)
{
	const struct sigaction action = { .sa_handler = count };
	const struct itimerval often = { { 0, 300 }, { 0, 300 } };
	const struct itimerval never = {};
	unsigned int i, rounds = vs_rounds(10, 30), status = 0;
	struct vs_dev dev;
	pid_t pid;
	int ret;

	COVERS("IOC-02 F-RS-08");
	for (i = 0; i < rounds; i++) {
		/* The first notifier of a process is the one that matters. */
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			sigaction(SIGALRM, &action, NULL);
			if (vs_dev_open(&dev, NULL) || vs_dev_setup(&dev))
				_exit(1);
			setitimer(ITIMER_REAL, &often, NULL);
			ret = vs_dev_set_endpoint(&dev, VS_WWN);
			setitimer(ITIMER_REAL, &never, NULL);
			vs_dev_close(&dev);
			_exit(-ret);
		}
		ASSERT_EQ(pid, waitpid(pid, &ret, 0));
		status += WEXITSTATUS(ret) != 0;
		EXPECT_EQ(0, WEXITSTATUS(ret));
	}
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
