/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: /sys/kernel/tracing/events/vhost_scsi/. The tag joins them with
 * LIO's own, target:target_sequencer_start and target:target_cmd_complete.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vhost_scsi

#if !defined(VHOST_SCSI_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VHOST_SCSI_TRACE_H

#include <linux/tracepoint.h>
#include <linux/trace_seq.h>

#include "vhost_scsi.h"

#define show_vhost_scsi_response(val)					\
	__print_symbolic(val,						\
		{ VIRTIO_SCSI_S_OK,			"OK" },		\
		{ VIRTIO_SCSI_S_OVERRUN,		"OVERRUN" },	\
		{ VIRTIO_SCSI_S_ABORTED,		"ABORTED" },	\
		{ VIRTIO_SCSI_S_BAD_TARGET,		"BAD_TARGET" },	\
		{ VIRTIO_SCSI_S_RESET,			"RESET" },	\
		{ VIRTIO_SCSI_S_BUSY,			"BUSY" },	\
		{ VIRTIO_SCSI_S_FAILURE,		"FAILURE" },	\
		{ VIRTIO_SCSI_S_FUNCTION_SUCCEEDED,	"SUCCEEDED" },	\
		{ VIRTIO_SCSI_S_FUNCTION_REJECTED,	"REJECTED" },	\
		{ VIRTIO_SCSI_S_INCORRECT_LUN,		"INCORRECT_LUN" })

#define show_vhost_scsi_subtype(val)					\
	__print_symbolic(val,						\
		{ VIRTIO_SCSI_T_TMF_ABORT_TASK,		"ABORT_TASK" },	\
		{ VIRTIO_SCSI_T_TMF_ABORT_TASK_SET,	"ABORT_TASK_SET" }, \
		{ VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET,	"CLEAR_TASK_SET" }, \
		{ VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET,	"I_T_NEXUS_RESET" }, \
		{ VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,	"LOGICAL_UNIT_RESET" }, \
		{ VIRTIO_SCSI_T_TMF_QUERY_TASK,		"QUERY_TASK" },	\
		{ VIRTIO_SCSI_T_TMF_QUERY_TASK_SET,	"QUERY_TASK_SET" })

#define show_vhost_scsi_dir(val)					\
	__print_symbolic(val,						\
		{ VHOST_SCSI_DIR_NONE,			"none" },	\
		{ VHOST_SCSI_DIR_OUT,			"out" },	\
		{ VHOST_SCSI_DIR_IN,			"in" })

TRACE_EVENT(vhost_scsi_cmd_start,
	TP_PROTO(const struct vhost_scsi_vq *svq, unsigned int desc,
		 const struct vhost_scsi_req *req,
		 const struct vhost_scsi_layout *layout),
	TP_ARGS(svq, desc, req, layout),
	TP_STRUCT__entry(
		__field(unsigned int, vq)
		__field(unsigned int, head)
		__field(u64, tag)
		__field(u8, target)
		__field(u16, lun)
		__field(u8, dir)
		__field(size_t, pi_len)
		__field(size_t, data_len)
		__array(u8, cdb, VIRTIO_SCSI_CDB_DEFAULT_SIZE)
	),
	TP_fast_assign(
		__entry->vq = svq->index;
		__entry->head = desc;
		__entry->tag = req->tag;
		__entry->target = req->target;
		__entry->lun = req->lun;
		__entry->dir = layout->dir;
		__entry->pi_len = layout->pi_len;
		__entry->data_len = layout->data_len;
		memcpy(__entry->cdb, req->cdb, sizeof(__entry->cdb));
	),
	TP_printk("vq=%u head=%u tag=%#llx target=%u lun=%u dir=%s pi=%zu len=%zu cdb=%s",
		  __entry->vq, __entry->head, __entry->tag, __entry->target,
		  __entry->lun, show_vhost_scsi_dir(__entry->dir),
		  __entry->pi_len, __entry->data_len,
		  __print_hex(__entry->cdb, 16))
);

TRACE_EVENT(vhost_scsi_cmd_done,
	TP_PROTO(const struct vhost_scsi_vq *svq, unsigned int desc, u64 tag,
		 const struct vhost_scsi_result *res, u32 written),
	TP_ARGS(svq, desc, tag, res, written),
	TP_STRUCT__entry(
		__field(unsigned int, vq)
		__field(unsigned int, head)
		__field(u64, tag)
		__field(u8, response)
		__field(u8, status)
		__field(u32, resid)
		__field(u32, written)
	),
	TP_fast_assign(
		__entry->vq = svq->index;
		__entry->head = desc;
		__entry->tag = tag;
		__entry->response = res->response;
		__entry->status = res->status;
		__entry->resid = res->resid;
		__entry->written = written;
	),
	TP_printk("vq=%u head=%u tag=%#llx response=%s status=%#x resid=%u written=%u",
		  __entry->vq, __entry->head, __entry->tag,
		  show_vhost_scsi_response(__entry->response),
		  __entry->status, __entry->resid, __entry->written)
);

/* A request that goes no further; @why says what refused it, or how LIO disagreed. */
TRACE_EVENT(vhost_scsi_cmd_reject,
	TP_PROTO(const struct vhost_scsi_vq *svq, unsigned int desc,
		 const char *why, const struct vhost_scsi_result *res),
	TP_ARGS(svq, desc, why, res),
	TP_STRUCT__entry(
		__field(unsigned int, vq)
		__field(unsigned int, head)
		__string(why, why)
		__field(u8, response)
		__field(u8, status)
	),
	TP_fast_assign(
		__entry->vq = svq->index;
		__entry->head = desc;
		__assign_str(why);
		__entry->response = res->response;
		__entry->status = res->status;
	),
	TP_printk("vq=%u head=%u why=%s response=%s status=%#x",
		  __entry->vq, __entry->head, __get_str(why),
		  show_vhost_scsi_response(__entry->response),
		  __entry->status)
);

/* A function whose target exists, and its unit if it is about one. */
TRACE_EVENT(vhost_scsi_tmf_start,
	TP_PROTO(const struct vhost_scsi_vq *svq, unsigned int desc,
		 const struct vhost_scsi_tmf_req *req),
	TP_ARGS(svq, desc, req),
	TP_STRUCT__entry(
		__field(unsigned int, vq)
		__field(unsigned int, head)
		__field(u32, subtype)
		__field(u64, tag)
		__field(u8, target)
		__field(u16, lun)
	),
	TP_fast_assign(
		__entry->vq = svq->index;
		__entry->head = desc;
		__entry->subtype = req->subtype;
		__entry->tag = req->tag;
		__entry->target = req->target;
		__entry->lun = req->lun;
	),
	TP_printk("vq=%u head=%u function=%s tag=%#llx target=%u lun=%u",
		  __entry->vq, __entry->head,
		  show_vhost_scsi_subtype(__entry->subtype), __entry->tag,
		  __entry->target, __entry->lun)
);

/* A function that had commands to wait for, or a unit to reset, is answered. */
TRACE_EVENT(vhost_scsi_tmf_done,
	TP_PROTO(const struct vhost_scsi_vq *svq, unsigned int desc,
		 u32 subtype, u8 response, u32 written),
	TP_ARGS(svq, desc, subtype, response, written),
	TP_STRUCT__entry(
		__field(unsigned int, vq)
		__field(unsigned int, head)
		__field(u32, subtype)
		__field(u8, response)
		__field(u32, written)
	),
	TP_fast_assign(
		__entry->vq = svq->index;
		__entry->head = desc;
		__entry->subtype = subtype;
		__entry->response = response;
		__entry->written = written;
	),
	TP_printk("vq=%u head=%u function=%s response=%s written=%u",
		  __entry->vq, __entry->head,
		  show_vhost_scsi_subtype(__entry->subtype),
		  show_vhost_scsi_response(__entry->response),
		  __entry->written)
);

/*
 * Once a second while CLEAR_ENDPOINT, release or a new memory table waits for
 * what LIO works on; @left is how much of the queue's that still is.
 */
TRACE_EVENT(vhost_scsi_drain,
	TP_PROTO(const struct vhost_scsi_vq *svq, unsigned int left),
	TP_ARGS(svq, left),
	TP_STRUCT__entry(
		__field(unsigned int, vq)
		__field(unsigned int, left)
	),
	TP_fast_assign(
		__entry->vq = svq->index;
		__entry->left = left;
	),
	TP_printk("vq=%u left=%u", __entry->vq, __entry->left)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE scsi_trace
#include <trace/define_trace.h>
