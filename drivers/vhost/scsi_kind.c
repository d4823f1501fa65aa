// SPDX-License-Identifier: GPL-2.0
/*
 * What a unit is: LIO's side of struct vhost_scsi_kind.
 *
 * Enters: a nexus and a LUN; a command that LIO has looked at. Leaves: what the
 * unit is, for scsi_check.c.
 * Context: a vhost worker; takes the RCU read lock, no other, and does not sleep.
 * Invariant: what was read of a unit is compared with the unit that LIO found, before
 * anything goes on to a backstore.
 */
#include <linux/blk_types.h>
#include <linux/rculist.h>
#include <linux/string.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

#include "vhost_scsi.h"

static bool vhost_scsi_kind_is_backend(const struct se_device *dev,
				       const char *name)
{
	return !strcmp(dev->transport->name, name);
}

/* As target_check_fua() of the target core. */
static bool vhost_scsi_kind_has_fua(struct se_device *dev)
{
	if (dev->dev_attrib.emulate_fua_write <= 0)
		return false;
	return dev->transport->get_write_cache ?
	       dev->transport->get_write_cache(dev) :
	       dev->dev_attrib.emulate_write_cache > 0;
}

/* The rest of a unit, for commands that are not plain reads and writes. */
static noinline void vhost_scsi_kind_read_more(struct vhost_scsi_kind *kind,
					       struct se_device *dev,
					       const struct vhost_scsi_tpg *tpg)
{
	const struct se_dev_attrib *attrib = &dev->dev_attrib;

	kind->max_write_same = attrib->max_write_same_len;
	kind->has_fua = vhost_scsi_kind_has_fua(dev);
	kind->has_unmap = attrib->emulate_tpu;
	kind->has_ws_unmap = attrib->emulate_tpws;
	kind->has_atomic = vhost_scsi_has_atomic(dev);
	kind->has_copy = READ_ONCE(tpg->extended_copy);
}

static noinline void vhost_scsi_kind_read_passed(struct vhost_scsi_kind *kind,
						 struct se_device *dev,
						 const struct vhost_scsi_tpg *tpg)
{
	kind->is_passed = true;
	kind->has_copy = READ_ONCE(tpg->extended_copy);
	kind->in_place = vhost_scsi_kind_is_backend(dev, "pscsi");
	kind->lio_pr = !(dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH_PGR);
	kind->type = dev->transport->get_device_type(dev);
	if (kind->in_place)
		kind->max_len = min_t(u64, U32_MAX,
				      (u64)dev->dev_attrib.hw_max_sectors *
				      SECTOR_SIZE);
}

/*
 * Protection: of a unit that stores it, or LIO's in front of one that does not. What
 * comes without, the block layer protects by itself under iblock, LIO under the
 * other backends that store it; and nobody has to, where the port only checks.
 */
static void vhost_scsi_kind_read_prot(struct vhost_scsi_kind *kind,
				      const struct se_device *dev,
				      const struct se_session *sess)
{
	kind->prot_type = dev->dev_attrib.pi_prot_type;
	if (!kind->prot_type) {
		kind->prot_type = READ_ONCE(sess->sess_prot_type);
		return;
	}
	kind->makes_pi = !vhost_scsi_kind_is_backend(dev, "iblock");
}

static void vhost_scsi_kind_read(struct vhost_scsi_kind *kind,
				 struct se_device *dev,
				 const struct se_session *sess, const u8 *cdb)
{
	if (dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH) {
		vhost_scsi_kind_read_passed(kind, dev, to_vtpg(sess->se_tpg));
		/* REPORT LUNS, and reservations, are LIO's. */
		return;
	}
	kind->block_size = dev->dev_attrib.block_size;
	kind->blocks = dev->transport->get_blocks(dev) + 1;
	vhost_scsi_kind_read_prot(kind, dev, sess);
	if (!vhost_scsi_op_is_plain(cdb))
		vhost_scsi_kind_read_more(kind, dev, to_vtpg(sess->se_tpg));
}

/*
 * LIO has a LUN 0 of its own where none is linked, through which a guest finds
 * the others. It answers all other commands, too, as a unit would: a READ is
 * GOOD without data, a WRITE is refused as protected, which tells a guest with
 * another path not to try that.
 */
static struct se_device *
vhost_scsi_kind_find_lun0(const struct se_session *sess,
			  const struct vhost_scsi_req *req)
{
	switch (req->cdb[0]) {
	case INQUIRY:
	case REPORT_LUNS:
	case TEST_UNIT_READY:
		if (!req->lun)
			return rcu_dereference(sess->se_tpg->tpg_virt_lun0->lun_se_dev);
	}
	return NULL;
}

/**
 * vhost_scsi_kind_find() - what does the nexus see at a LUN?
 * @sess: I_T nexus
 * @req: the request, for its LUN and for what its CDB depends on
 * @kind: result
 *
 * LIO would find a missing unit too, but it prints a line each time (I5).
 *
 * Return: the unit, by which vhost_scsi_kind_is() knows it again, and for nothing
 * else: it may be gone. NULL if there is none.
 */
const struct se_device *vhost_scsi_kind_find(const struct se_session *sess,
					     const struct vhost_scsi_req *req,
					     struct vhost_scsi_kind *kind)
{
	struct se_device *dev = NULL;
	struct se_dev_entry *deve;

	memset(kind, 0, sizeof(*kind));
	rcu_read_lock();
	deve = target_nacl_find_deve(sess->se_node_acl, req->lun);
	if (deve) {
		dev = rcu_dereference(deve->se_lun->lun_se_dev);
		/* LIO knows of its ACL only, not of a backstore's readonly=1. */
		kind->read_only = deve->lun_access_ro ||
				  deve->se_lun->lun_access_ro;
	} else {
		dev = vhost_scsi_kind_find_lun0(sess, req);
	}
	if (dev)
		vhost_scsi_kind_read(kind, dev, sess, req->cdb);
	rcu_read_unlock();
	return dev;
}

/* Out of line, so that a unit that LIO emulates saves no register for it. */
static noinline bool
vhost_scsi_kind_is_in_place(const struct vhost_scsi_kind *kind,
			    const struct se_device *dev)
{
	return kind->in_place == vhost_scsi_kind_is_backend(dev, "pscsi") &&
	       kind->lio_pr == !(dev->transport_flags &
				 TRANSPORT_FLAG_PASSTHROUGH_PGR);
}

/**
 * vhost_scsi_kind_is() - is it the unit that was looked at?
 * @kind: what that unit was
 * @unit: from vhost_scsi_kind_find()
 * @se_cmd: command with the unit that LIO found
 *
 * Between the two, pages are pinned, which takes as long as a VMM likes, and an
 * administrator may link another unit, in the memory of the first one even.
 *
 * Return: false if it is another one, or has changed.
 */
bool vhost_scsi_kind_is(const struct vhost_scsi_kind *kind,
			const struct se_device *unit,
			const struct se_cmd *se_cmd)
{
	const struct se_device *dev = se_cmd->se_dev;
	bool is_passed = dev->transport_flags & TRANSPORT_FLAG_PASSTHROUGH;

	if (dev != unit || is_passed != kind->is_passed)
		return false;
	if (is_passed)
		return vhost_scsi_kind_is_in_place(kind, dev);
	return dev->dev_attrib.block_size == kind->block_size &&
	       (!dev->dev_attrib.pi_prot_type ||
		dev->dev_attrib.pi_prot_type == kind->prot_type);
}
