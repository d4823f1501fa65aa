/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A unit that user space serves (tcm_user): a RAM disk in this process, behind
 * a thread that answers the commands. A test can have it answer one command as
 * it likes.
 */
#ifndef VS_TCMU_H
#define VS_TCMU_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vs_lio.h"

#define VS_TCMU_BLOCK	512
#define VS_TCMU_SENSE	96

/**
 * struct vs_tcmu_answer - how one command ends
 * @status: SCSI status
 * @sense: sense data, all of it
 * @data: what a command reads, may be NULL
 * @len: bytes of @data
 * @read_len: the unit says that this many bytes were read; 0: it says nothing
 */
struct vs_tcmu_answer {
	uint8_t status;
	uint8_t sense[VS_TCMU_SENSE];
	const void *data;
	size_t len;
	uint32_t read_len;
};

/**
 * struct vs_tcmu - the unit's other side
 * @thread: serves it
 * @lock: guards @op, @answer, @armed, @count and @cdb
 * @uio: device through which the kernel says that there is something to do
 * @stop: eventfd that ends the thread
 * @ring: mailbox, commands and data, shared with the kernel
 * @ring_size: its bytes
 * @disk: the medium
 * @blocks: how many it has
 * @op: operation code of the command that @answer is for
 * @answer: how it ends
 * @armed: it did not come yet
 * @count: commands served
 * @cdb: the last one
 */
struct vs_tcmu {
	pthread_t thread;
	pthread_mutex_t lock;
	int uio;
	int stop;
	void *ring;
	size_t ring_size;
	uint8_t *disk;
	uint64_t blocks;
	uint8_t op;
	struct vs_tcmu_answer answer;
	bool armed;
	unsigned int count;
	uint8_t cdb[16];
};

/**
 * vs_tcmu_get() - a backstore of tcm_user, and who serves it
 * @tcmu: what to fill in
 * @bs: the backstore, filled in
 * @n: its number
 * @mib: size
 *
 * Return: 0, -ENODEV if this kernel has none, or another -errno.
 */
int vs_tcmu_get(struct vs_tcmu *tcmu, struct vs_backstore *bs, unsigned int n,
		unsigned int mib);

/**
 * vs_tcmu_put() - stop serving; nothing uses the backstore any more
 * @tcmu: from vs_tcmu_get(), or zeroed
 */
void vs_tcmu_put(struct vs_tcmu *tcmu);

/**
 * vs_tcmu_answer() - have the next command of a kind end as the test says
 * @tcmu: the unit
 * @op: operation code
 * @answer: how it ends; its data must stay
 */
void vs_tcmu_answer(struct vs_tcmu *tcmu, uint8_t op,
		    const struct vs_tcmu_answer *answer);

/**
 * vs_tcmu_count() - commands that came so far
 * @tcmu: the unit
 * @cdb: 16 bytes, the last one's; may be NULL
 *
 * Return: how many.
 */
unsigned int vs_tcmu_count(struct vs_tcmu *tcmu, uint8_t *cdb);

#endif /* VS_TCMU_H */
