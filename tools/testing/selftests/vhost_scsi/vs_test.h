/* SPDX-License-Identifier: GPL-2.0 */
/* What every test program shares: the harness, and checks in its style. */
#ifndef VS_TEST_H
#define VS_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vs_env.h"

/* The harness's 30 seconds are short for a debug kernel on a busy machine. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

/* Says which rows of the conformance and fault lists a test covers. */
#define COVERS(rows) fprintf(stderr, "# covers: %s\n", rows)

/* With VS_IOTLB in the environment a test, or a set-up, that says nothing then ends. */
#define SKIP_BEHIND_IOMMU(why) do {					\
	if (getenv("VS_IOTLB"))						\
		SKIP(return, why);					\
} while (0)

/* Environment up, or the test ends. */
#define ENV_GET(env, opts) ASSERT_EQ(0, vs_env_get(env, opts))

/* Environment down; whatever it left behind fails the test. */
#define ENV_PUT(env) EXPECT_EQ(0, vs_env_put(env))

/* The teardown of a fixture that has nothing but an environment to give back. */
#define ENV_TEARDOWN(fixture)						\
	FIXTURE_TEARDOWN(fixture)					\
	{								\
		ENV_PUT(&self->env);					\
	}

/* The outcome of a command: which response, which status, which sense. */
#define EXPECT_RESPONSE(code, res) do {					\
	const struct vs_result __r = (res);				\
									\
	EXPECT_EQ(0, __r.err);						\
	EXPECT_EQ(code, __r.response);					\
} while (0)

#define EXPECT_GOOD(res) do {						\
	const struct vs_result __g = (res);				\
									\
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, __g);				\
	EXPECT_EQ(VS_GOOD, __g.status);					\
} while (0)

#define ASSERT_GOOD(res) do {						\
	const struct vs_result __g = (res);				\
									\
	ASSERT_EQ(0, __g.err);						\
	ASSERT_EQ(VIRTIO_SCSI_S_OK, __g.response);			\
	ASSERT_EQ(VS_GOOD, __g.status);					\
} while (0)

#define EXPECT_CC(key, asc, ascq, res) do {				\
	const struct vs_result __c = (res);				\
									\
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, __c);				\
	EXPECT_EQ(VS_CHECK_CONDITION, __c.status);			\
	EXPECT_EQ((key) << 16 | (asc) << 8 | (ascq), __c.sense);	\
} while (0)

/* One of several response codes is right: pass them as a mask of bits. */
#define EXPECT_ONE_OF(mask, code)					\
	EXPECT_NE(0, (mask) & (1U << (code)))

/**
 * sense() - sense key and code as vs_req_sense() returns them
 * @key: sense key
 * @asc: additional sense code
 * @ascq: its qualifier
 *
 * Return: all in one number.
 */
static inline int sense(int key, int asc, int ascq)
{
	return key << 16 | asc << 8 | ascq;
}

#endif /* VS_TEST_H */
