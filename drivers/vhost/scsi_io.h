/* SPDX-License-Identifier: GPL-2.0 */
/* A request between the ring (scsi_io.c) and LIO (scsi_request.c). */
#ifndef VHOST_SCSI_IO_H
#define VHOST_SCSI_IO_H

#include "vhost_scsi.h"

/**
 * struct vhost_scsi_io - requests on their way to LIO, one at a time
 * @svq: queue that it came from
 * @ep: endpoint that the queue serves
 * @with_pi: VIRTIO_SCSI_F_T10_PI is acknowledged
 * @nr: requests taken in this turn
 * @busyloop_us: the largest of the targets that they were for
 * @chain: its descriptors
 * @layout: direction and length of its data
 * @req: the decoded header
 * @sess: I_T nexus that it belongs to
 * @kind: what its unit is
 * @unit: by which that unit is known again
 * @plan: what LIO gets
 * @cmd: its slot, NULL before it has one
 * @verdict: what to do with the head, if a stage refuses it
 * @why: the reason why it was refused, for the tracepoint
 * @res: the answer, with the verdict VHOST_SCSI_REPLY
 * @sense: sense data of @res
 * @answer: data of an answer without LIO
 * @answer_len: bytes of @answer, 0 for none
 *
 * Lives on the worker's stack. Each member is written before it is read, by the
 * stage that finds it out. So it is __uninitialized, as are the three other structs of
 * the path: CONFIG_INIT_STACK_ALL_ZERO would clear them for each command, which is 0.5 %
 * of it (make icount, 2026-11-30: 22 to 25 instructions at queue depth 32, 80 to 86 at 1).
 */
struct vhost_scsi_io {
	struct vhost_scsi_vq *svq;
	struct vhost_scsi_ep *ep;
	bool with_pi;
	int nr;
	unsigned int busyloop_us;
	struct vhost_scsi_chain chain;
	struct vhost_scsi_layout layout;
	struct vhost_scsi_req req;
	struct se_session *sess;
	struct vhost_scsi_kind kind;
	const struct se_device *unit;
	struct vhost_scsi_plan plan;
	struct vhost_scsi_cmd *cmd;
	enum vhost_scsi_verdict verdict;
	const char *why;
	struct vhost_scsi_result res;
	u8 sense[VIRTIO_SCSI_SENSE_DEFAULT_SIZE];
	u8 answer[VHOST_SCSI_NO_LUN_DATA];
	size_t answer_len;
};

enum vhost_scsi_verdict vhost_scsi_req_start(struct vhost_scsi_io *io);

#endif
