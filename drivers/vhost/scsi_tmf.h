/* SPDX-License-Identifier: GPL-2.0 */
/* Task management functions: scsi_tmf.c, and their parts, scsi_tmr.c. */
#ifndef VHOST_SCSI_TMF_H
#define VHOST_SCSI_TMF_H

#include "vhost_scsi.h"

struct vhost_scsi_tmr;

/**
 * struct vhost_scsi_match - which commands a task management function is about
 * @target: those of the I_T nexus with this target
 * @sess: its session; it may have had another one before (scsi_nexus.c)
 * @lun: and of this unit, unless @all_luns
 * @tag: and with this tag of the guest's, if @by_tag
 * @all_luns: of every unit
 * @by_tag: the tag counts
 * @marked: those only that a function was started for
 */
struct vhost_scsi_match {
	u8 target;
	struct se_session *sess;
	u64 lun;
	u64 tag;
	bool all_luns;
	bool by_tag;
	bool marked;
};

/**
 * struct vhost_scsi_tmf_progress - what LIO does for a task management function
 * @nr: parts that it works on
 * @response: VIRTIO_SCSI_S_* for the guest, as far as they are known
 *
 * Under the mutex of the control virtqueue.
 */
struct vhost_scsi_tmf_progress {
	unsigned int nr;
	u8 response;
};

/* scsi_tmf.c */
enum vhost_scsi_verdict
vhost_scsi_tmf_run(struct vhost_scsi_vq *ctl,
		   const struct vhost_scsi_chain *chain,
		   const struct vhost_scsi_tmf_req *req,
		   struct se_session *sess, u8 *response);
void vhost_scsi_tmf_done_work(struct vhost_work *work);
void vhost_scsi_tmf_drop_work(struct work_struct *work);

/* scsi_tmr.c */
struct vhost_scsi_tmr *vhost_scsi_tmr_alloc(struct vhost_scsi *vs,
					    struct vhost_scsi_tmf_progress *progress);
bool vhost_scsi_tmr_submit(struct vhost_scsi *vs, struct vhost_scsi_tmr *tmr,
			   struct se_session *sess, u8 function, u64 lun,
			   u64 tag);
void vhost_scsi_tmr_count(struct vhost_scsi *vs);
void vhost_scsi_queue_tm_rsp(struct se_cmd *se_cmd);

#endif
