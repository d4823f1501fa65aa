// SPDX-License-Identifier: GPL-2.0
/*
 * Names of targets and initiators (SPC-4 7.6.4, TransportIDs).
 *
 * Enters: what an administrator has written. Leaves: the protocol it belongs to, or
 * what is wrong with it.
 * Context: any.
 * Invariant: LIO makes a TransportID of each name that passes.
 */
#include <linux/ctype.h>
#include <linux/string.h>
#include <scsi/scsi_proto.h>

#include "scsi_target.h"

static bool vhost_scsi_is_sas(const char *rest)
{
	return strspn(rest, "0123456789abcdefABCDEF") == 16 && !rest[16];
}

static bool vhost_scsi_is_fcp(const char *rest)
{
	unsigned int i;

	for (i = 0; i < 23; i++)
		if (i % 3 == 2 ? rest[i] != ':' : !isxdigit(rest[i]))
			return false;
	return !rest[i];
}

/* A comma begins the session's part of a TransportID. */
static bool vhost_scsi_is_iscsi(const char *rest)
{
	const char *p;

	for (p = rest; *p; p++)
		if (!isascii(*p) || !isgraph(*p) || *p == ',')
			return false;
	return p != rest;
}

static const struct vhost_scsi_proto vhost_scsi_protos[] = {
	{ "naa.", 0, SCSI_PROTOCOL_SAS, vhost_scsi_is_sas,
	  "naa. wants 16 hexadecimal digits behind it" },
	{ "fc.", 3, SCSI_PROTOCOL_FCP, vhost_scsi_is_fcp,
	  "fc. wants 8 bytes of 2 hexadecimal digits behind it, with colons between" },
	{ "iqn.", 0, SCSI_PROTOCOL_ISCSI, vhost_scsi_is_iscsi,
	  "iqn. wants printable ASCII without blank and comma behind it" },
};

/**
 * vhost_scsi_name_proto() - which protocol does a name belong to?
 * @name: of a WWN or of an initiator
 *
 * Return: the protocol; NULL if none has names of that prefix.
 */
const struct vhost_scsi_proto *vhost_scsi_name_proto(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vhost_scsi_protos); i++)
		if (str_has_prefix(name, vhost_scsi_protos[i].prefix))
			return &vhost_scsi_protos[i];
	return NULL;
}

/**
 * vhost_scsi_name_flaw() - can an initiator of a target have that name?
 * @name: the name
 * @target: what the target's name belongs to
 *
 * Return: NULL if it can; if not, what is wrong with it, for the log.
 */
const char *vhost_scsi_name_flaw(const char *name,
				 const struct vhost_scsi_proto *target)
{
	const struct vhost_scsi_proto *proto = vhost_scsi_name_proto(name);

	if (!proto)
		return "a name begins with naa., fc. or iqn.";
	if (proto != target)
		return "its prefix differs from the target's";
	/* LIO cuts READ FULL STATUS short at a name without TransportID. */
	return proto->valid(name + strlen(proto->prefix)) ? NULL : proto->want;
}
