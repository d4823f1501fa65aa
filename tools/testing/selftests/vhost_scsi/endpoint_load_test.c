// SPDX-License-Identifier: GPL-2.0
/* Endpoints that come, change and go while others do, and while commands are under way. */
#include <sys/eventfd.h>

#include "endpoint_fixture.h"

#define RACERS 4

/* One of the racers: says when it is ready, and then what it got. */
static void race(int start, int report, int hold)
{
	struct vs_dev dev;
	char c = 'e';

	if (!vs_dev_open(&dev, NULL) && !vs_dev_setup(&dev))
		c = 'r';
	if (write(report, &c, 1) != 1 || read(start, &c, 1) < 0)
		_exit(1);
	c = (char)-vs_dev_set_endpoint(&dev, VS_WWN);
	/* The winner keeps it until all have tried. */
	if (write(report, &c, 1) != 1 || read(hold, &c, 1) < 0)
		_exit(1);
	_exit(0);
}

TEST_F(endpoint, racing_devices_have_one_winner)
{
	unsigned int i, round;
	int status;
	char c;

	COVERS("F-LC-04");
	for (round = 0; round < 5; round++) {
		int start[2], report[2], hold[2];
		unsigned int won = 0, lost = 0;

		ASSERT_EQ(0, pipe(start) | pipe(report) | pipe(hold));
		for (i = 0; i < RACERS; i++) {
			if (fork())
				continue;
			close(start[1]);
			close(hold[1]);
			race(start[0], report[1], hold[0]);
		}
		for (i = 0; i < RACERS; i++) {
			ASSERT_EQ(1, read(report[0], &c, 1));
			EXPECT_EQ('r', c);
		}
		close(start[1]);
		for (i = 0; i < RACERS; i++) {
			ASSERT_EQ(1, read(report[0], &c, 1));
			won += c == 0;
			lost += c == ENODEV;
		}
		EXPECT_EQ(1, won);
		EXPECT_EQ(RACERS - 1, lost);
		close(hold[1]);
		for (i = 0; i < RACERS; i++)
			ASSERT_LT(0, wait(&status));
		close(start[0]);
		close(hold[0]);
		close(report[0]);
		close(report[1]);
	}
	EXPECT_EQ(0, vs_dev_set_endpoint(self->dev, VS_WWN));
}

TEST_F(endpoint, set_and_clear_under_load_loses_no_head)
{
	struct vs_dev *dev = self->dev;
	struct vs_req req[16];
	size_t mark = dev->mem.used;
	unsigned int i, round;
	uint8_t *buf;

	COVERS("F-LC-09 IOC-03 REQ-58 REQ-52");
	for (round = 0; round < 15; round++) {
		dev->mem.used = mark;
		buf = vs_mem_page(&dev->mem, 16);
		ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
		for (i = 0; i < 16; i++) {
			vs_req_get(&req[i], dev, TAG, 0,
				   vs_cdb_rw10(VS_READ_10, i, 8));
			vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
			ASSERT_EQ(0, vs_req_submit(&req[i]));
		}
		ASSERT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
		/* What was taken is answered; the base says how much. */
		EXPECT_EQ((uint16_t)(dev->ring[VS_IO].used->idx),
			  vs_dev_get_base(dev, VS_IO));
		ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
		for (i = 0; i < 16; i++) {
			ASSERT_EQ(0, vs_req_wait(&req[i]));
			EXPECT_EQ(VIRTIO_SCSI_S_OK, req[i].rsp->response);
			EXPECT_EQ(1, req[i].chain.times);
			vs_req_put(&req[i]);
		}
		ASSERT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
	}
}

TEST_F(endpoint, call_eventfd_is_swapped_and_unbound_under_load)
{
	struct vs_dev *dev = self->dev;
	struct vs_req req[8];
	size_t mark = dev->mem.used;
	unsigned int i, round, rounds = vs_rounds(40, 2000);
	uint8_t *buf;

	COVERS("F-LC-18 IOC-26");
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	for (round = 0; round < rounds; round++) {
		int64_t end = vs_now_ms() + vs_patience();
		int call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		dev->mem.used = mark;
		buf = vs_mem_page(&dev->mem, 8);
		for (i = 0; i < 8; i++) {
			vs_req_get(&req[i], dev, TAG, 0,
				   vs_cdb_rw10(VS_READ_10, i, 8));
			vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
			ASSERT_EQ(0, vs_req_submit(&req[i]));
			ASSERT_EQ(0, vs_dev_set_eventfd(dev,
							VHOST_SET_VRING_CALL,
							VS_IO,
							i % 2 ? call : -1));
		}
		close(call);
		while (vs_ring_pending(&dev->ring[VS_IO]) < 8 &&
		       vs_now_ms() < end)
			usleep(100);
		for (i = 0; i < 8; i++)
			ASSERT_TRUE(vs_ring_take(&dev->ring[VS_IO], NULL));
		for (i = 0; i < 8; i++) {
			EXPECT_EQ(1, req[i].chain.times);
			vs_req_put(&req[i]);
		}
	}
	ASSERT_EQ(0, vs_dev_set_eventfd(dev, VHOST_SET_VRING_CALL, VS_IO,
					dev->ring[VS_IO].call));
	EXPECT_TRUE(serves(dev));
}

TEST_F(endpoint, memory_table_changes_under_load)
{
	struct vs_dev *dev = self->dev;
	size_t mark = dev->mem.used;
	struct vs_req req[8];
	unsigned int i, round;
	uint8_t *buf;

	COVERS("F-LC-16 IOC-12");
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	for (round = 0; round < 50; round++) {
		dev->mem.used = mark;
		buf = vs_mem_page(&dev->mem, 8);
		for (i = 0; i < 8; i++) {
			vs_req_get(&req[i], dev, TAG, 0,
				   vs_cdb_rw10(VS_READ_10, i, 8));
			vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
			ASSERT_EQ(0, vs_req_submit(&req[i]));
		}
		ASSERT_EQ(0, vs_dev_set_mem(dev));
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(0, vs_req_wait(&req[i]));
			EXPECT_EQ(VS_GOOD, req[i].rsp->status);
			vs_req_put(&req[i]);
		}
	}
}

TEST_F(endpoint, units_come_and_go_under_load)
{
	struct vs_dev *dev = self->dev;
	size_t mark = dev->mem.used;
	unsigned int i, gone = 0, there = 0;
	int status;
	pid_t pid;

	COVERS("F-AD-01 REQ-57 CFG-22 REQ-14");
	ASSERT_EQ(0, vs_ramdisk_get(&self->env.bs[1], 1, 1, false));
	ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (i = 0; i < 60; i++) {
			if (vs_lun_link(VS_WWN, TAG, 1, &self->env.bs[1]))
				_exit(1);
			/* Long enough to be seen, short enough to race. */
			usleep(i % 8 * 3000);
			if (vs_lun_unlink(VS_WWN, TAG, 1))
				_exit(1);
		}
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		struct vs_req req[8];
		uint8_t *buf;

		dev->mem.used = mark;
		buf = vs_mem_page(&dev->mem, 8);
		for (i = 0; i < 8; i++) {
			vs_req_get(&req[i], dev, TAG, i % 2,
				   vs_cdb_rw10(VS_READ_10, i, 8));
			vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
			ASSERT_EQ(0, vs_req_submit(&req[i]));
		}
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(0, vs_req_wait(&req[i]));
			EXPECT_EQ(VIRTIO_SCSI_S_OK, req[i].rsp->response);
			if (i % 2 && vs_req_sense(&req[i]) ==
			    sense(5, 0x25, 0))
				gone++;
			else if (i % 2)
				there++;
			vs_req_put(&req[i]);
		}
	}
	EXPECT_EQ(0, status);
	TH_LOG("unit 1 was there %u times, gone %u times", there, gone);
	EXPECT_TRUE(serves(dev));
}

TEST_F(endpoint, session_goes_right_behind_its_last_command)
{
	struct vs_dev *dev = self->dev;
	size_t mark = dev->mem.used;
	struct vs_req req[8];
	unsigned int i, round;

	COVERS("IOC-03 F-AD-03 F-LC-09 CFG-12");
	/* Without a LUN there is no other wait between CLEAR and the nexus. */
	ASSERT_EQ(0, vs_lun_unlink(VS_WWN, TAG, 0));
	for (round = 0; round < 30; round++) {
		dev->mem.used = mark;
		ASSERT_EQ(0, vs_dev_set_endpoint(dev, VS_WWN));
		for (i = 0; i < 8; i++) {
			vs_req_get(&req[i], dev, TAG, 0,
				   vs_cdb_op(VS_TEST_UNIT_READY));
			ASSERT_EQ(0, vs_req_submit(&req[i]));
		}
		for (i = 0; i < 8; i++)
			ASSERT_EQ(0, vs_req_wait(&req[i]));
		ASSERT_EQ(0, vs_dev_clear_endpoint(dev, VS_WWN));
		ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, "NULL"));
		ASSERT_EQ(0, vs_nexus_write(VS_WWN, TAG, VS_NEXUS));
		for (i = 0; i < 8; i++)
			vs_req_put(&req[i]);
	}
}

TEST_HARNESS_MAIN
