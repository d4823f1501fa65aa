// SPDX-License-Identifier: GPL-2.0
/* A queue that is watched while others of its worker are next: they do not wait for it. */
#include <sched.h>

#include "poll_fixture.h"
#include "vs_hole.h"

/*
 * A worker that finds requests by watching goes on with the limit that it began with:
 * one that it has to be kicked for is the first of another turn. It comes as soon as the
 * worker sleeps.
 */
static int run_until_kicked(struct vs_req *req)
{
	unsigned int kicks = 0, pause;
	int ret = 0;

	for (pause = 10; !ret && !kicks; pause *= 2) {
		usleep(pause);
		ret = run_req(req, &kicks, true);
	}
	return ret;
}

/* A request whose header is not there, with a descriptor of the hole. */
static int stuck_submit(struct vs_req *req, void **page, struct vs_dev *dev,
			struct vs_ring *ring)
{
	int fd;

	*page = vs_mem_page(&dev->mem, 1);
	vs_req_get(req, dev, TAG, 0, vs_cdb_op(VS_TEST_UNIT_READY));
	req->ring = ring;
	req->chain.out[0].gpa = vs_mem_gpa(&dev->mem, *page);
	fd = vs_hole_get(*page);
	if (fd < 0)
		return fd;
	/* No interrupt: who is woken by it wants a processor. */
	*vs_ring_used_event(ring) = ring->last_used - 1;
	if (vs_ring_add(ring, &req->chain))
		return -ENOSPC;
	vs_ring_kick(ring);
	return fd;
}

/* What stands in the attribute, without the time that it takes to open it. */
static int set_open_attr(int fd, const char *value)
{
	return pwrite(fd, value, strlen(value), 0) < 0 ? -errno : 0;
}

/*
 * Two queues are kicked while their worker is stuck in a third one, so that it takes
 * both at once, and gets stuck in the second. The request to the first is for a unit
 * that is not there, which the worker answers by itself. Whether the queue can be
 * watched then depends on its last wait; what is returned says if it was.
 */
static long watch_before_other(watch_data *self, int attr, bool *early)
{
	struct vs_ring *ring = self->dev->ring;
	struct vs_chain tmf;
	struct vs_req req[2];
	void *page[2];
	int hole[2];
	long before;

	/* The other queues have waited longer than the limit: they have no window. */
	usleep(2000);
	self->req.hdr->lun[3] = 9;
	if (set_open_attr(attr, "1000") || run_soon(&self->req) ||
	    set_open_attr(attr, "0") || run_until_kicked(&self->req))
		return -1;
	before = polls(self->dev);
	hole[0] = stuck_submit(&req[0], &page[0], self->dev, &ring[VS_IO + 1]);
	if (hole[0] < 0 || vs_hole_wait(hole[0]) ||
	    set_open_attr(attr, "1000") ||
	    vs_ring_add(self->req.ring, &self->req.chain))
		return -1;
	vs_ring_kick(self->req.ring);
	hole[1] = stuck_submit(&req[1], &page[1], self->dev, &ring[VS_IO + 2]);
	if (hole[1] < 0 || vs_hole_fill(hole[0], page[0]) ||
	    vs_hole_wait(hole[1]))
		return -1;
	*early = polls(self->dev) != before;
	/* More than the largest window goes by. The function comes last of all. */
	usleep(2000);
	vs_chain_get(&tmf);
	vs_tmf_chain(&tmf, self->dev, TAG, 0, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0);
	if (vs_ring_add(&ring[VS_CTL], &tmf))
		return -1;
	vs_ring_kick(&ring[VS_CTL]);
	if (vs_hole_fill(hole[1], page[1]) ||
	    vs_chain_wait(&ring[VS_CTL], &tmf, vs_patience()) ||
	    wait_one(&ring[VS_IO + 1], true) ||
	    wait_one(&ring[VS_IO + 2], true) || wait_one(self->req.ring, true))
		return -1;
	vs_chain_put(&tmf);
	close(hole[0]);
	close(hole[1]);
	vs_req_put(&req[0]);
	vs_req_put(&req[1]);
	return polls(self->dev) - before;
}

#define TRIES	9

/*
 * A host that takes the processor away between two instructions of the worker lets the
 * window go by, which counts as a queue that was watched. It does not each time; a
 * worker that waits for the window would.
 */
TEST_F(watch, queues_that_are_next_do_not_wait_for_the_window)
{
	struct sched_param urgent = { .sched_priority = 1 };
	int64_t end = vs_now_ms() + vs_patience();
	size_t mark = self->dev->mem.used;
	unsigned int tries = 0, waited = 0;
	bool early;
	char path[512];
	long watched;
	int attr;

	COVERS("IOC-27");
	vs_tpg_path(path, sizeof(path), VS_WWN, TAG, "attrib/busyloop_us");
	attr = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, attr);
	/* On one processor the worker is alone when this thread waits, not before. */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &urgent));
	do {
		self->dev->mem.used = mark;
		watched = watch_before_other(self, attr, &early);
		ASSERT_LE(0, watched);
		tries += watched > 0;
		waited += watched > 0 && early;
	} while (tries < TRIES && vs_now_ms() < end);
	TH_LOG("%u of %u times", waited, tries);
	EXPECT_LT(0, tries);
	EXPECT_LE(waited, tries / 2);
	close(attr);
}

TEST_HARNESS_MAIN
