/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the device IOTLB share. */
#ifndef IOTLB_FIXTURE_H
#define IOTLB_FIXTURE_H

#include "vs_iotlb.h"
#include "vs_test.h"
#include "vs_thread.h"

#define TAG		VS_TAG
#define READS		8
#define LUN_RESET	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET

/* Reads of the first blocks of the disk, each into a page of its own. */
struct reads {
	struct vs_req req[READS];
	void *page[READS];
};

static inline int submit_reads(struct vs_dev *dev, struct reads *reads)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < READS && !ret; i++) {
		struct vs_req *req = &reads->req[i];

		reads->page[i] = vs_mem_page(&dev->mem, 1);
		vs_req_get(req, dev, TAG, 0, vs_cdb_rw10(VS_READ_10, i * 8, 8));
		vs_req_in(req, reads->page[i], VS_PAGE);
		ret = vs_req_submit(req);
	}
	return ret;
}

/* The disk keeps them. Returns once the device has taken them. */
static inline int hold_reads(struct vs_dev *dev, struct vs_hold *hold, struct reads *reads)
{
	int ret = vs_hold_stop(hold);

	if (!ret)
		ret = submit_reads(dev, reads);
	return ret ? ret : vs_ring_wait_taken(reads->req[0].ring, vs_patience());
}

/* Each of them is GOOD, with what fill_disk() has written; or has @reset of the unit. */
static inline int end_reads_or(struct reads *reads, bool reset)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < READS; i++) {
		struct vs_req *req = &reads->req[i];
		bool good, aborted;

		ret = vs_req_wait(req) ?: ret;
		good = !req->rsp->response && !req->rsp->status &&
		       vs_differs(reads->page[i], VS_PAGE, i) < 0;
		aborted = reset && req->rsp->response == VIRTIO_SCSI_S_RESET;
		if (!good && !aborted)
			ret = ret ?: -EIO;
		vs_req_put(req);
	}
	return ret;
}

static inline int end_reads(struct reads *reads)
{
	return end_reads_or(reads, false);
}

static inline int fill_disk(struct vs_dev *dev)
{
	size_t used = dev->mem.used;
	void *page = vs_mem_page(&dev->mem, 1);
	struct vs_result res;
	unsigned int i;

	for (i = 0; i < READS; i++) {
		vs_fill(page, VS_PAGE, i);
		res = vs_scsi_write(dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, i * 8, 8), page,
				    VS_PAGE);
		if (res.err || res.response || res.status)
			return -EIO;
	}
	dev->mem.used = used;
	return 0;
}

static inline int invalidate_all(void *dev)
{
	return vs_iotlb_invalidate(dev, 0, VS_IOTLB_ALL);
}

/* Waits until a call waits for commands (TASK_IDLE), not for a mutex. */
static inline int wait_idle(struct vs_thread *call)
{
	int64_t end = vs_now_ms() + vs_patience();
	pid_t tid;

	do {
		tid = __atomic_load_n(&call->tid, __ATOMIC_ACQUIRE);
		if (call->done || vs_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	} while (!tid || vs_thread_state(getpid(), tid) != 'I');
	return 0;
}

/*
 * Nobody answers, and all is translated: the used ring of a queue by the oldest
 * translation, what lies before and behind it by two others.
 */
static inline int map_apart(struct vs_dev *dev, struct vs_ring *ring)
{
	const size_t before = (uint8_t *)ring->used - dev->mem.base;
	const size_t size = vs_ring_used_size(ring), end = before + size;
	int ret;

	vs_iotlb_pause(dev, true);
	ret = invalidate_all(dev);
	if (!ret)
		ret = vs_iotlb_map(dev, VS_GPA + before, size, ring->used, VHOST_ACCESS_RW);
	if (!ret)
		ret = vs_iotlb_map(dev, VS_GPA, before, dev->mem.base, VHOST_ACCESS_RW);
	if (!ret)
		ret = vs_iotlb_map(dev, VS_GPA + end, dev->mem.size - end,
				   dev->mem.base + end, VHOST_ACCESS_RW);
	return ret;
}

/* After map_apart(): a full IOTLB retires the oldest translation, and nobody waits. */
static inline int retire_used(struct vs_dev *dev)
{
	unsigned int i, limit = vs_iotlb_limit();
	int ret = limit < 4 ? -EINVAL : 0;

	for (i = 0; i < limit - 2 && !ret; i++)
		ret = vs_iotlb_map(dev, (i + 1) * VS_PAGE, VS_PAGE, dev->mem.base,
				   VHOST_ACCESS_RW);
	return ret;
}

#endif /* IOTLB_FIXTURE_H */
