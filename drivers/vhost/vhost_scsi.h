/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An in-kernel virtio-scsi target: types, locks and the functions that one
 * file offers the others. scsi.c opens with the map of the module.
 *
 * Words:
 *
 *   chain     the descriptors of one buffer; its head is the index of the first
 *   request   a chain of a request queue, decoded
 *   slot      where a request lives until it is answered: struct vhost_scsi_cmd
 *   command   a request that LIO has: the se_cmd of a slot
 *   function  a task management function that the guest asked for
 *   part      what LIO does for a function: one command to abort, or one unit to reset
 *   task      what LIO works on: a command or a part
 *   response  what virtio defines as the answer, in the guest's memory
 *   map       the data of a command as a scatterlist: the guest's pages, or others
 *   held      guest memory that stays pinned while an endpoint is set (pin_memory)
 *   endpoint  what a device serves: the TPGs of one WWN
 *   target    a TPG of an endpoint, as the guest sees it
 *   nexus     the I_T nexus of a TPG: LIO's session
 *   unit      a LUN of a target, and the disk behind it
 *
 * Locks, in the order in which they are taken:
 *
 *   vs->dev.mutex             ioctls and release: endpoint, owner, rings' set-up
 *     registry mutex          lists of TPGs and endpoints (scsi_tpg.c)
 *       tpg->mutex            nexus, endpoint, LUN count
 *         vq->mutex           one virtqueue: ring, backend, slots, counts;
 *                             task management takes those of the request
 *                             queues inside the control queue's, and
 *                             lun_entry_mutex of LIO's node ACL
 *           evt.lock            events on their way
 *         tpg->unit_lock        what waits for a guest about changed units
 *
 * configfs calls mkdir, rmdir, link and unlink (scsi_fabric.c) with its directory locks
 * held, in front of the registry mutex. Those callbacks never take vs->dev.mutex, and
 * nothing takes locks of configfs with one of these mutexes held.
 *
 * Invariants:
 *
 *   I1  Every head taken from a ring is pushed exactly once, faults included; unless the
 *       used ring cannot be written, or the owner is gone.
 *   I2  The slot of a command of LIO's is free only after its head is pushed.
 *   I3  Pages pinned equal pages released; those that the device wrote are
 *       dirtied first.
 *   I4  When CLEAR_ENDPOINT returns, the device does not refer to the session.
 *   I5  Nothing that a guest or a VMM does reaches WARN, BUG or the log.
 *   I6  An aborted command never reads as success.
 *   I7  LIO gets no byte more than the CDB moves, and nothing goes on to a backstore
 *       unless what LIO made of a command agrees with what was decided about it.
 *   I8  A guest, VMM or backstore that is stuck holds up nobody else: no worker sleeps
 *       for a backstore, unless its submit_type asks for it; and nobody waits for a lock
 *       that is held over guest memory, but who takes something from the stuck guest.
 */
#ifndef VHOST_SCSI_H
#define VHOST_SCSI_H

#include <linux/llist.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <target/target_core_base.h>
#include <target/target_core_fabric.h>

#include "scsi_check.h"
#include "scsi_compat.h"
#include "scsi_iotlb.h"
#include "scsi_map.h"
#include "scsi_poll.h"
#include "scsi_ring.h"
#include "scsi_target.h"
#include "scsi_wire.h"
#include "vhost.h"

/* Virtqueues of the device (virtio 1.2, "SCSI Host Device: Virtqueues") */
#define VHOST_SCSI_VQ_CTL	0
#define VHOST_SCSI_VQ_EVT	1
#define VHOST_SCSI_VQ_IO	2

/* Heads taken in one turn before the worker's other work gets one */
#define VHOST_SCSI_WEIGHT	256
/* Used elements collected for one update of the used ring */
#define VHOST_SCSI_BATCH	64
/*
 * Requests for LIO that task management has under way. Each blocks a thread of the
 * system workqueue, of which a CPU has 256 or more, and on which the commands wait
 * that LIO delays: other devices must find some, too.
 */
#define VHOST_SCSI_MAX_TMRS	32
/* Events waiting for the guest's buffers; further ones are missed */
#define VHOST_SCSI_MAX_EVENTS	128

struct seq_file;
struct vhost_scsi;
struct vhost_scsi_io;
struct vhost_scsi_task;
struct vhost_scsi_vq;

/**
 * enum vhost_scsi_verdict - what to do with a head after a stage
 * @VHOST_SCSI_SUBMITTED: LIO owns the request; its completion pushes the head
 * @VHOST_SCSI_REPLY: write the answer and push the head now
 * @VHOST_SCSI_NO_ROOM: no room for an answer; push the head with length 0
 */
enum vhost_scsi_verdict {
	VHOST_SCSI_SUBMITTED,
	VHOST_SCSI_REPLY,
	VHOST_SCSI_NO_ROOM,
};

/**
 * struct vhost_scsi_task - what LIO works on: a command, or a part of a function
 * @se_cmd: LIO's struct, cleared for each use
 * @done: entry of the queue's list of tasks that LIO has released
 * @svq: queue that the request came from, never changes
 * @aborted: LIO ended the task without a status (I6)
 */
struct vhost_scsi_task {
	struct se_cmd se_cmd;
	struct llist_node done;
	struct vhost_scsi_vq *svq;
	bool aborted;
};

/**
 * struct vhost_scsi_wrap - what LIO would call, where it calls us (scsi_execute.c)
 * @execute: executes the command
 * @complete: goes on with a COMPARE AND WRITE that was read
 */
struct vhost_scsi_wrap {
	sense_reason_t (*execute)(struct se_cmd *se_cmd);
	sense_reason_t (*complete)(struct se_cmd *se_cmd, bool success,
				   int *post_ret);
};

/**
 * struct vhost_scsi_cmd - a slot: one request of a request queue
 * @task: what LIO knows of it; first
 * @rsp: where the response goes
 * @next: next free slot, valid while the slot is free
 * @wrap: LIO's functions of a command that is executed through us
 * @map: data of the command
 * @data_len: bytes of the data buffer
 * @len: bytes of it that LIO got, those that the CDB moves
 * @pi_len: bytes of the buffer for protection information in front of it
 * @in_place: what the unit returns is in @map, whatever LIO says of the command
 * @target: target id; its session may be gone, and the answer not yet given
 * @busy: the slot is taken
 * @tmf_response: VIRTIO_SCSI_S_* if LIO aborts it for a function of the guest's,
 *	which is answered after it; 0 if no function is about it
 * @ordered: its task attribute is not SIMPLE; counted in the queue's nr_ordered
 * @queued: where it is counted by scsi_queued.c, 0 if it is not
 * @wire: the response; LIO writes sense data into it, which is all zero while the
 *	slot is free
 */
struct vhost_scsi_cmd {
	struct vhost_scsi_task task;
	struct vhost_scsi_rsp rsp;
	struct vhost_scsi_cmd *next;
	struct vhost_scsi_wrap wrap;
	struct vhost_scsi_map map;
	u32 data_len;
	u32 len;
	u32 pi_len;
	bool in_place;
	u8 target;
	bool busy;
	u8 tmf_response;
	bool ordered;
	u8 queued;
	struct virtio_scsi_cmd_resp wire;
} ____cacheline_aligned_in_smp;

static_assert(VIRTIO_SCSI_SENSE_DEFAULT_SIZE >= TRANSPORT_SENSE_BUFFER);

/**
 * struct vhost_scsi_inflight - commands, or functions, of a queue under way
 * @count: tasks taken in each of two epochs, written under vq->mutex
 * @epoch: the one that new tasks count in, under vq->mutex
 *
 * A waiter begins a new epoch and waits until the count of the old one is 0,
 * so that a guest that never pauses cannot keep it waiting.
 */
struct vhost_scsi_inflight {
	unsigned int count[2];
	u8 epoch;
};

/**
 * struct vhost_scsi_stats - what a request queue did since the device was opened
 * @commands: commands of LIO's that were answered
 * @bytes: of data that they moved
 * @refused: requests that did not reach LIO
 * @kicks: times that a kick brought the worker to the queue
 * @wakeups: times that finished commands did
 * @batches: updates of the used ring, after each of which the guest is signalled
 *	if it wants that
 * @polls_won: times that the queue was polled and something came
 * @polls_lost: times that it was polled in vain
 * @yields_won: times that others ran before the queue was left, and something had come
 * @yields_lost: times that nothing had
 *
 * Written under vq->mutex.
 */
struct vhost_scsi_stats {
	u64 commands;
	u64 bytes;
	u64 refused;
	u64 kicks;
	u64 wakeups;
	u64 batches;
	u64 polls_won;
	u64 polls_lost;
	u64 yields_won;
	u64 yields_lost;
};

/**
 * struct vhost_scsi_vq - one virtqueue with what it needs to serve it
 * @vq: vhost's part
 * @index: its number, VHOST_SCSI_VQ_*
 * @set_up: its ring belongs to those that the next endpoint serves; under
 *	dev.mutex, see vhost_scsi_ep_ring_set_up()
 * @used: used elements not yet on the ring, under vq->mutex
 * @nr_used: how many, under vq->mutex
 * @slots: commands of a request queue, by chunks, while an endpoint is set; as many as
 *	were needed at once so far, and no more than the ring has entries
 * @nr_slots: how many, under vq->mutex
 * @free: free slots, under vq->mutex
 * @nr_ordered: taken slots whose command must not be overtaken, under vq->mutex
 * @inflight: what LIO works on, under vq->mutex
 * @poll: polling the queue
 * @stats: what it did
 * @done: tasks that LIO has released, lockless; written by other processors, and thus
 *	on a cache line without what the worker writes for each command
 * @worker_active: a worker is at the queue, and looks at @done before it leaves;
 *	written under vq->mutex
 * @done_work: answers @done in the queue's vhost worker
 * @drop_work: gives back what @done holds when there is no worker any more
 * @pages: scratch for pinning, under vq->mutex
 * @iotlb: how the rings are translated, for a guest behind a virtual IOMMU
 */
struct vhost_scsi_vq {
	struct vhost_virtqueue vq;
	unsigned int index;
	bool set_up;
	struct vring_used_elem used[VHOST_SCSI_BATCH];
	unsigned int nr_used;
	struct vhost_scsi_cmd **slots;
	unsigned int nr_slots;
	struct vhost_scsi_cmd *free;
	unsigned int nr_ordered;
	struct vhost_scsi_inflight inflight;
	struct vhost_scsi_poll poll;
	struct vhost_scsi_stats stats;
	struct llist_head done ____cacheline_aligned_in_smp;
	bool worker_active;
	struct vhost_work done_work;
	struct work_struct drop_work;
	struct page *pages[VHOST_SCSI_PIN_BATCH];
	struct vhost_scsi_iotlb iotlb;
};

/**
 * struct vhost_scsi_evt_queue - events on their way to the guest
 * @lock: the members below but @work; nobody sleeps or touches guest memory with it
 * @open: an endpoint is set
 * @hotplug: its guest wants to know what comes and goes
 * @change: and what changes
 * @pending: events in the order in which they arose
 * @nr: entries of @pending, at most VHOST_SCSI_MAX_EVENTS
 * @missed: an event was dropped; the next one delivered says so
 * @work: delivers @pending in the event queue's worker
 */
struct vhost_scsi_evt_queue {
	spinlock_t lock;	/* the members below */
	bool open;
	bool hotplug;
	bool change;
	struct list_head pending;
	unsigned int nr;
	bool missed;
	struct vhost_work work;
};

/**
 * struct vhost_scsi - one open /dev/vhost-scsi
 * @dev: vhost's part
 * @ep: endpoint, NULL if none is set; under dev.mutex. Each queue's backend is
 *	the same pointer, under its vq->mutex
 * @rings_old: no ring was set up since the last CLEAR_ENDPOINT; under dev.mutex
 * @ep_work: binds TPGs that came after the endpoint was set; ends that of a dead owner
 * @evt: events
 * @tmfs: task management functions not yet answered, under the mutex of the
 *	control virtqueue
 * @nr_tmrs: what LIO works on for them, under the same mutex
 * @drained: woken when an epoch of a queue has ended
 * @nr_lent: what the device IOTLB has only as long as somebody waits (scsi_drain.c);
 *	written under all vq mutexes
 * @vqs: what @dev knows the queues by
 * @nr_vqs: entries of @svq
 * @svq: the queues
 */
struct vhost_scsi {
	struct vhost_dev dev;
	struct vhost_scsi_ep *ep;
	bool rings_old;
	struct work_struct ep_work;
	struct vhost_scsi_evt_queue evt;
	struct list_head tmfs;
	unsigned int nr_tmrs;
	wait_queue_head_t drained;
	unsigned int nr_lent;
	struct vhost_virtqueue **vqs;
	unsigned int nr_vqs;
	struct vhost_scsi_vq svq[] __counted_by(nr_vqs);
};

static inline struct vhost_scsi_vq *to_svq(struct vhost_virtqueue *vq)
{
	return container_of(vq, struct vhost_scsi_vq, vq);
}

static inline struct vhost_scsi *to_vs(struct vhost_scsi_vq *svq)
{
	return container_of(svq->vq.dev, struct vhost_scsi, dev);
}

static inline struct vhost_scsi_task *to_task(struct se_cmd *se_cmd)
{
	return container_of(se_cmd, struct vhost_scsi_task, se_cmd);
}

static inline struct vhost_scsi_cmd *to_cmd(struct vhost_scsi_task *task)
{
	return container_of(task, struct vhost_scsi_cmd, task);
}

/* scsi_endpoint.c */
int vhost_scsi_ep_set(struct vhost_scsi *vs, const struct vhost_scsi_target *t);
int vhost_scsi_ep_clear(struct vhost_scsi *vs,
			const struct vhost_scsi_target *t);
void vhost_scsi_ep_release(struct vhost_scsi *vs);
void vhost_scsi_ep_memory_changed(struct vhost_scsi *vs);
void vhost_scsi_ep_ring_set_up(struct vhost_scsi *vs, unsigned int index);
bool vhost_scsi_ep_is_orphan(const struct vhost_scsi *vs);

/* scsi_io.c */
void vhost_scsi_io_kick(struct vhost_work *work);
void vhost_scsi_io_done_work(struct vhost_work *work);

/* Can answers be pushed, vq->mutex held? If not, the queue is kicked again. */
static inline bool vhost_scsi_iotlb_ready(struct vhost_scsi_vq *svq)
{
	return !svq->vq.iotlb || vhost_scsi_iotlb_may_push(svq);
}

/* And chains be taken? */
static inline bool vhost_scsi_iotlb_open(struct vhost_scsi_vq *svq)
{
	return !svq->vq.iotlb || vhost_scsi_iotlb_may_take(svq);
}

/* scsi_ctl.c */
void vhost_scsi_ctl_kick(struct vhost_work *work);

/* scsi_event.c */
void vhost_scsi_evt_init(struct vhost_scsi *vs);
void vhost_scsi_evt_kick(struct vhost_work *work);
void vhost_scsi_evt_post_lun(struct vhost_scsi *vs, u8 target, u64 lun,
			     u32 reason);
void vhost_scsi_evt_post_change(struct vhost_scsi *vs, u8 target, u64 lun,
				u8 asc, u8 ascq);
void vhost_scsi_evt_open(struct vhost_scsi *vs);
void vhost_scsi_evt_close(struct vhost_scsi *vs);
void vhost_scsi_evt_set_missed(struct vhost_scsi *vs, bool missed);
bool vhost_scsi_evt_get_missed(struct vhost_scsi *vs);

/* scsi_kind.c */
const struct se_device *vhost_scsi_kind_find(const struct se_session *sess,
					     const struct vhost_scsi_req *req,
					     struct vhost_scsi_kind *kind);
bool vhost_scsi_kind_is(const struct vhost_scsi_kind *kind,
			const struct se_device *unit,
			const struct se_cmd *se_cmd);

/* scsi_slot.c */
struct vhost_scsi_match;
int vhost_scsi_slot_alloc(struct vhost_scsi_vq *svq);
void vhost_scsi_slot_free_all(struct vhost_scsi_vq *svq);
struct vhost_scsi_cmd *vhost_scsi_slot_get(struct vhost_scsi_vq *svq,
					   unsigned int head);
void vhost_scsi_slot_set_ordered(struct vhost_scsi_cmd *cmd, bool ordered);
void vhost_scsi_slot_put(struct vhost_scsi_cmd *cmd);
struct vhost_scsi_cmd *vhost_scsi_slot_next(struct vhost_scsi_vq *svq,
					    unsigned int *at,
					    const struct vhost_scsi_match *match);

/* scsi_submit.c */
int vhost_scsi_submit(struct vhost_scsi_io *io);

/* scsi_cmd.c */
void vhost_scsi_cmd_drain(struct vhost_scsi_vq *svq);
void vhost_scsi_cmd_drop_work(struct work_struct *work);
int vhost_scsi_write_pending(struct se_cmd *se_cmd);
int vhost_scsi_queue_data_in(struct se_cmd *se_cmd);
int vhost_scsi_queue_status(struct se_cmd *se_cmd);

/* scsi_task.c */
struct llist_node *vhost_scsi_task_take_done(struct vhost_scsi_vq *svq);
void vhost_scsi_task_wake(struct vhost_scsi_vq *svq);
void vhost_scsi_release_cmd(struct se_cmd *se_cmd);
int vhost_scsi_check_stop_free(struct se_cmd *se_cmd);
void vhost_scsi_aborted_task(struct se_cmd *se_cmd);

/* scsi_direct.c */
void vhost_scsi_direct_linked(struct vhost_scsi_tpg *tpg,
			      const struct se_lun *lun);
void vhost_scsi_direct_unlinked(struct vhost_scsi_tpg *tpg,
				const struct se_lun *lun);
bool vhost_scsi_direct(const struct vhost_scsi_cmd *cmd);
void vhost_scsi_direct_not(struct vhost_scsi_cmd *cmd);

/* scsi_execute.c */
void vhost_scsi_execute_own(struct se_cmd *se_cmd);
void vhost_scsi_execute_wrap(struct vhost_scsi_cmd *cmd);

/* scsi_reserve.c */
int vhost_scsi_reserve_init(void);
void vhost_scsi_reserve_exit(void);
void vhost_scsi_reserve_wrap(struct vhost_scsi_cmd *cmd);
void vhost_scsi_reserve_lun_leaves(const struct se_lun *lun);
void vhost_scsi_reserve_lun_left(const struct se_lun *lun);

/* scsi_ua.c */
void vhost_scsi_ua_nexus_lost(struct se_node_acl *nacl);
void vhost_scsi_ua_trim(struct se_device *dev);
void vhost_scsi_ua_conflict(struct se_cmd *se_cmd);

/* scsi_stats.c */
void vhost_scsi_stats_show(struct seq_file *m, struct file *file);

/* scsi_inflight.c */
u8 vhost_scsi_inflight_get(struct vhost_scsi_vq *svq);
void vhost_scsi_inflight_put(struct vhost_scsi_vq *svq, u8 epoch);
unsigned int vhost_scsi_inflight_nr(const struct vhost_scsi_vq *svq);
bool vhost_scsi_inflight_has(const struct vhost_scsi_vq *svq);
bool vhost_scsi_inflight_any(const struct vhost_scsi *vs);
void vhost_scsi_inflight_wait(struct vhost_scsi *vs);

#endif
