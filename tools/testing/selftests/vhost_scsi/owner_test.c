// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to the process that owns a device while its guest does I/O:
 * signals, stops, freezers, CPUs that go. The guest must not notice. What happens when
 * it is killed: inflight_test, orphan_test, stress_test.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "vs_test.h"

#define TAG	VS_TAG
#define DEPTH	8
#define CGROUP	"/tmp/vs-test-cgroup"

/* What the owner tells this process. */
struct report {
	volatile unsigned long done;
	volatile unsigned long wrong;
	volatile bool ready;
	volatile bool stop;
};

FIXTURE(owner) {
	struct vs_env env;
	struct report *report;
	pid_t pid;
};

static void ignore(int sig)
{
	(void)sig;
}

/* Reads and checks, DEPTH requests at a time, until told to stop. */
static int guest(struct vs_dev *dev, struct report *report)
{
	struct vs_req req[DEPTH];
	size_t mark = dev->mem.used;
	unsigned int i, bad;
	uint8_t *buf;

	while (!report->stop) {
		dev->mem.used = mark;
		buf = vs_mem_page(&dev->mem, DEPTH);
		memset(buf, 0, DEPTH * VS_PAGE);
		for (i = 0; i < DEPTH; i++) {
			vs_req_get(&req[i], dev, TAG, 0,
				   vs_cdb_rw10(VS_READ_10, i * 8, 8));
			vs_req_in(&req[i], buf + i * VS_PAGE, VS_PAGE);
			if (vs_req_submit(&req[i]))
				return 1;
		}
		for (i = 0, bad = 0; i < DEPTH; i++) {
			if (vs_req_wait(&req[i]))
				return 1;
			bad += req[i].rsp->response || req[i].rsp->status ||
			       vs_differs(buf + i * VS_PAGE, VS_PAGE, i) != -1;
			vs_req_put(&req[i]);
		}
		report->wrong += bad;
		report->done += DEPTH;
		report->ready = true;
	}
	return 0;
}

static int be_owner(struct vs_dev *dev, struct report *report)
{
	struct sigaction action = { .sa_handler = ignore };
	unsigned int i;
	uint8_t *buf;

	sigaction(SIGUSR1, &action, NULL);
	if (vs_dev_open(dev, NULL) || vs_dev_setup(dev) ||
	    vs_dev_set_endpoint(dev, VS_WWN) || vs_scsi_settle(dev, TAG, 0))
		return 1;
	buf = vs_mem_page(&dev->mem, DEPTH);
	for (i = 0; i < DEPTH; i++)
		vs_fill(buf + i * VS_PAGE, VS_PAGE, i);
	if (vs_scsi_write(dev, TAG, 0, vs_cdb_rw10(VS_WRITE_10, 0, DEPTH * 8),
			  buf, DEPTH * VS_PAGE).status)
		return 1;
	return guest(dev, report);
}

FIXTURE_SETUP(owner)
{
	struct vs_env_opts opts = { .no_dev = true };
	int64_t end;

	ENV_GET(&self->env, &opts);
	self->report = mmap(NULL, VS_PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->report);
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid)
		_exit(be_owner(&self->env.dev, self->report));
	end = vs_now_ms() + vs_patience();
	while (!self->report->ready && vs_now_ms() < end)
		usleep(1000);
	ASSERT_TRUE(self->report->ready);
}

FIXTURE_TEARDOWN(owner)
{
	int status;

	self->report->stop = true;
	EXPECT_EQ(self->pid, waitpid(self->pid, &status, 0));
	/* It read to the end, and read what it should. */
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, self->report->wrong);
	munmap(self->report, VS_PAGE);
	ENV_PUT(&self->env);
}

/* Requests go on from here; true if they do. */
static bool goes_on(struct report *report)
{
	unsigned long from = report->done;
	int64_t end = vs_now_ms() + vs_patience();

	while (report->done < from + 4 * DEPTH && vs_now_ms() < end)
		usleep(1000);
	return report->done >= from + 4 * DEPTH;
}

/* What is on its way comes to rest, and nothing is done any more. */
static bool rests(struct report *report)
{
	int64_t end = vs_now_ms() + vs_patience();
	unsigned long from;

	do {
		from = report->done;
		usleep(300000);
		if (report->done == from)
			return true;
	} while (vs_now_ms() < end);
	return false;
}

TEST_F(owner, signals_by_the_thousand_are_not_seen_by_the_guest)
{
	int64_t end = vs_now_ms() + 2000;
	unsigned long sent = 0;

	COVERS("F-RS-08");
	while (vs_now_ms() < end) {
		ASSERT_EQ(0, kill(self->pid, SIGUSR1));
		sent++;
		usleep(50);
	}
	TH_LOG("%lu signals", sent);
	EXPECT_TRUE(goes_on(self->report));
}

TEST_F(owner, stopped_owner_resumes_its_io)
{
	unsigned int i;

	COVERS("F-RS-08");
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, kill(self->pid, SIGSTOP));
		EXPECT_TRUE(rests(self->report));
		ASSERT_EQ(0, kill(self->pid, SIGCONT));
		EXPECT_TRUE(goes_on(self->report));
	}
}

TEST_F(owner, frozen_owner_resumes_its_io)
{
	char pid[16];
	unsigned int i;

	COVERS("F-RS-08");
	umount(CGROUP);
	mkdir(CGROUP, 0755);
	ASSERT_EQ(0, mount("none", CGROUP, "cgroup2", 0, NULL));
	ASSERT_EQ(0, mkdir(CGROUP "/vs-test", 0755));
	snprintf(pid, sizeof(pid), "%d", self->pid);
	EXPECT_EQ(0, vs_write_file(CGROUP "/vs-test/cgroup.procs", pid));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, vs_write_file(CGROUP "/vs-test/cgroup.freeze",
					   "1"));
		EXPECT_TRUE(rests(self->report));
		EXPECT_EQ(0, vs_write_file(CGROUP "/vs-test/cgroup.freeze",
					   "0"));
		EXPECT_TRUE(goes_on(self->report));
	}
	EXPECT_EQ(0, vs_write_file(CGROUP "/cgroup.procs", pid));
	EXPECT_EQ(0, rmdir(CGROUP "/vs-test"));
	EXPECT_EQ(0, umount(CGROUP));
	rmdir(CGROUP);
}

TEST_F(owner, suspended_host_resumes_its_io)
{
	COVERS("F-RS-08");
	/* "PM: suspend debug: ..." is no bug. */
	self->env.may_log = true;
	/* As far as the freezer and back; a kernel may not have it. */
	if (!vs_write_file("/sys/power/pm_test", "freezer")) {
		vs_write_file("/sys/module/suspend/parameters/pm_test_delay",
			      "1");
		EXPECT_EQ(0, vs_write_file("/sys/power/state", "freeze"));
		vs_write_file("/sys/power/pm_test", "none");
	}
	EXPECT_TRUE(goes_on(self->report));
}

TEST_F(owner, processor_goes_and_comes_under_load)
{
	static const char cpu[] = "/sys/devices/system/cpu/cpu1/online";
	unsigned int i;

	COVERS("F-RS-08");
	if (access(cpu, W_OK))
		TH_LOG("a host with one CPU");
	for (i = 0; i < 5 && !access(cpu, W_OK); i++) {
		EXPECT_EQ(0, vs_write_file(cpu, "0"));
		EXPECT_TRUE(goes_on(self->report));
		EXPECT_EQ(0, vs_write_file(cpu, "1"));
		EXPECT_TRUE(goes_on(self->report));
	}
	EXPECT_TRUE(goes_on(self->report));
}

TEST_HARNESS_MAIN
