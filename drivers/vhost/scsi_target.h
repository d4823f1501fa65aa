/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What administrators make, and what of it a device serves: WWNs, TPGs, units and
 * endpoints. For scsi_fabric.c, scsi_attrib.c, scsi_tpg.c, scsi_nexus.c, scsi_unit.c
 * and scsi_endpoint.c, and for the data path, which reads them. Locks: vhost_scsi.h.
 */
#ifndef VHOST_SCSI_TARGET_H
#define VHOST_SCSI_TARGET_H

#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <target/target_core_base.h>

/* Target ids that the LUN field of a request can name */
#define VHOST_SCSI_MAX_TARGET	256
/* Longest name of a WWN's directory, terminated; the ioctl carries 224 bytes only */
#define VHOST_SCSI_NAME_LEN	256
/* Watching a queue before sleeping, in microseconds: a millisecond at most */
#define VHOST_SCSI_MAX_BUSYLOOP_US	1000
/* Looking for what has changed about units: within a second */
#define VHOST_SCSI_SCAN_PERIOD	(HZ / 2)
/* Looking whether an ACL that is being removed is freed */
#define VHOST_SCSI_FORGET_PERIOD	(HZ / 50 + 1)
/* SPC: additional sense code of what has changed */
#define VHOST_SCSI_CHANGE_ASC	0x2a

struct configfs_attribute;
struct vhost_scsi;
struct vhost_scsi_held;
struct vhost_scsi_tpg;

/**
 * struct vhost_scsi_ep - an endpoint: the targets that a device serves
 * @vs: the device
 * @entry: entry of the list of endpoints (scsi_tpg.c)
 * @scan: looks for changed units while the endpoint is set
 * @name: WWN that SET_ENDPOINT named
 * @nr_io: request queues that it serves
 * @pin_memory: one of the TPGs had the attribute when it was bound
 * @leaving: who refers to the endpoint and is not in @tpg any more, or may not be:
 *	TPGs on their way out, and sessions
 * @held: guest memory that stays pinned, NULL if none does; changes with the memory
 *	table while the queues run, under dev.mutex. Taking it away waits for them
 * @memcg: the owner's, to which workers that are kernel threads charge
 * @tpg: TPGs bound to the device, by tag; NULL where there is none. Targets
 *	come and go while the queues run: an entry is written under the TPG's
 *	mutex, and taken away before its nexus goes (I4)
 *
 * Complete before it is published as the queues' backend.
 */
struct vhost_scsi_ep {
	struct vhost_scsi *vs;
	struct list_head entry;
	struct delayed_work scan;
	char name[VHOST_SCSI_NAME_LEN];
	unsigned int nr_io;
	bool pin_memory;
	atomic_t leaving;
	struct vhost_scsi_held *held;
	struct mem_cgroup *memcg;
	struct vhost_scsi_tpg *tpg[VHOST_SCSI_MAX_TARGET];
};

/*
 * A worker that is a task of the owner charges what it allocates to the owner's memory
 * cgroup; a kernel thread (VHOST_FORK_OWNER_KTHREAD) has none. It charges between these
 * two as the owner does.
 */
static inline void vhost_scsi_ep_charge(const struct vhost_scsi_ep *ep)
{
	if (current->flags & PF_KTHREAD)
		set_active_memcg(ep->memcg);
}

static inline void vhost_scsi_ep_uncharge(void)
{
	if (current->flags & PF_KTHREAD)
		set_active_memcg(NULL);
}

/**
 * struct vhost_scsi_proto - a protocol that targets and initiators have names of
 * @prefix: what its names begin with
 * @cut: how much of that is no part of the name
 * @id: SCSI_PROTOCOL_*
 * @valid: does what follows the prefix make a TransportID?
 * @want: what would, for the log
 */
struct vhost_scsi_proto {
	const char *prefix;
	u8 cut;
	u8 id;
	bool (*valid)(const char *rest);
	const char *want;
};

/**
 * struct vhost_scsi_tport - a WWN directory
 * @wwn: LIO's part
 * @proto: what the prefix of the name says
 * @name: what SET_ENDPOINT and VPD page 83h call it
 */
struct vhost_scsi_tport {
	struct se_wwn wwn;
	const struct vhost_scsi_proto *proto;
	char name[VHOST_SCSI_NAME_LEN];
};

/**
 * struct vhost_scsi_tpg - a TPG: one target of the guest
 * @se_tpg: LIO's part
 * @tport: WWN that it belongs to
 * @tag: target id that the guest sees
 * @users: references to its memory
 * @entry: entry of the registry, under the registry mutex
 * @mutex: guards @ep to @fabric_prot_type, and @units together with @unit_lock
 * @ep: endpoint that it is a target of, NULL if none; that there is one may be read
 *	without the mutex. While it is set there is a @sess: the data path relies on
 *	that and reads @sess without the mutex
 * @sess: I_T nexus, NULL if none; written under the mutex
 * @nr_luns: linked LUNs
 * @nr_leaving: those of them that are on their way out
 * @settled: woken when @nr_leaving has become 0
 * @fabric_prot_type: 0, 1 or 3, the protection that LIO may offer by itself
 * @busyloop_us: how long a queue may be polled for more after a command to it,
 *	0 to VHOST_SCSI_MAX_BUSYLOOP_US; read and written without the mutex
 * @pin_memory: an endpoint with this target keeps guest memory pinned; read and
 *	written without the mutex
 * @extended_copy: units take EXTENDED COPY; read and written without the mutex
 * @name_lock: guards @nexus: whoever reads it does not wait for the mutex, which is held
 *	while a guest's worker, or a disk, is waited for
 * @nexus: name of the initiator, empty without a @sess
 * @units: the units that the nexus sees, by LUN (scsi_unit.c), as they were when a guest
 *	was last served; written under @mutex and @unit_lock, read under either
 * @unit_lock: lets commands look at @units
 * @disks: what the disk of a LUN takes, by LUN; none for LUNs whose commands workers do
 *	not execute (scsi_direct.c)
 * @attentions: changes of @units that the nexus has yet to be told, written
 *	under @unit_lock
 */
struct vhost_scsi_tpg {
	struct se_portal_group se_tpg;
	struct vhost_scsi_tport *tport;
	u16 tag;
	refcount_t users;
	struct list_head entry;
	struct mutex mutex;	/* up to @fabric_prot_type; @units */
	struct vhost_scsi_ep *ep;
	struct se_session *sess;
	unsigned int nr_luns;
	unsigned int nr_leaving;
	wait_queue_head_t settled;
	int fabric_prot_type;
	unsigned int busyloop_us;
	bool pin_memory;
	bool extended_copy;
	spinlock_t name_lock;	/* @nexus */
	char nexus[TRANSPORT_IQN_LEN];
	struct xarray units;
	spinlock_t unit_lock;	/* @attentions, and @units with the mutex */
	struct xarray disks;
	unsigned int attentions;
};

static inline struct vhost_scsi_tpg *to_vtpg(struct se_portal_group *se_tpg)
{
	return container_of(se_tpg, struct vhost_scsi_tpg, se_tpg);
}

static inline struct vhost_scsi_tport *to_tport(struct se_wwn *wwn)
{
	return container_of(wwn, struct vhost_scsi_tport, wwn);
}

/* scsi_owner.c */
void vhost_scsi_owner_disown(struct vhost_scsi *vs);
bool vhost_scsi_owner_look(struct vhost_scsi *vs);
void vhost_scsi_owner_work(struct work_struct *work);

/* scsi_tpg.c */
void vhost_scsi_tpg_register(struct vhost_scsi_tpg *tpg);
void vhost_scsi_tpg_unregister(struct vhost_scsi_tpg *tpg);
struct vhost_scsi_tpg *vhost_scsi_tpg_of_session(const struct se_session *sess);
void vhost_scsi_tpg_put(struct vhost_scsi_tpg *tpg);
int vhost_scsi_tpg_bind_all(struct vhost_scsi_ep *ep, bool goes_on);
void vhost_scsi_tpg_bind_more(struct vhost_scsi_ep *ep);
void vhost_scsi_tpg_unbind_all(struct vhost_scsi_ep *ep);
void vhost_scsi_tpg_scan_all(struct vhost_scsi_ep *ep);
void vhost_scsi_tpg_lun_linked(struct vhost_scsi_tpg *tpg,
			       const struct se_lun *lun);
void vhost_scsi_tpg_lun_unlinked(struct vhost_scsi_tpg *tpg,
				 const struct se_lun *lun);
void vhost_scsi_tpg_announce(struct vhost_scsi_tpg *tpg);
void vhost_scsi_tpg_sync_queues(struct vhost_scsi *vs);
struct vhost_scsi_ep *vhost_scsi_tpg_hold(struct vhost_scsi_tpg *tpg);
void vhost_scsi_tpg_release(struct vhost_scsi_ep *ep);
void vhost_scsi_tpg_unplug(struct vhost_scsi_tpg *tpg);

/* scsi_nexus.c */
int vhost_scsi_nexus_add(struct vhost_scsi_tpg *tpg, const char *name);
int vhost_scsi_nexus_name(struct vhost_scsi_tpg *tpg, const char *name);
bool vhost_scsi_nexus_read(struct vhost_scsi_tpg *tpg, char name[TRANSPORT_IQN_LEN]);
int vhost_scsi_nexus_drop(struct vhost_scsi_tpg *tpg);
void vhost_scsi_nexus_set_prot_type(struct vhost_scsi_tpg *tpg, int type);
void vhost_scsi_nexus_end(struct vhost_scsi_tpg *tpg);
void vhost_scsi_nexus_renew(struct vhost_scsi_tpg *tpg,
			    struct se_session *sess);
void vhost_scsi_nexus_lun_leaves(struct vhost_scsi_tpg *tpg, struct se_lun *lun);

/* scsi_unit.c */
void vhost_scsi_unit_scan(struct vhost_scsi_tpg *tpg);
void vhost_scsi_unit_forget(struct vhost_scsi_tpg *tpg);
u8 vhost_scsi_unit_attention(struct vhost_scsi_tpg *tpg, u64 lun, u8 op);

/* scsi_attrib.c */
extern struct configfs_attribute *vhost_scsi_attrib_tpg_attrs[];
extern struct configfs_attribute *vhost_scsi_attrib_attrs[];

/* scsi_name.c */
const struct vhost_scsi_proto *vhost_scsi_name_proto(const char *name);
const char *vhost_scsi_name_flaw(const char *name,
				 const struct vhost_scsi_proto *target);

/* scsi_fabric.c */
int vhost_scsi_fabric_init(void);
void vhost_scsi_fabric_exit(void);

#endif
