/* SPDX-License-Identifier: GPL-2.0 */
/* Buffers of the event queue, and what arrives in them. */
#ifndef VS_EVT_H
#define VS_EVT_H

#include "vs_dev.h"

/**
 * struct vs_evt - one buffer on its way
 * @chain: its descriptors
 * @buf: a page of guest memory, all VS_POISON to begin with
 */
struct vs_evt {
	struct vs_chain chain;
	struct virtio_scsi_event *buf;
};

/**
 * vs_evt_get() - a buffer without descriptors
 * @evt: what to fill in
 * @dev: a device
 */
void vs_evt_get(struct vs_evt *evt, struct vs_dev *dev);

/**
 * vs_evt_post() - make a plain buffer of 16 bytes available, and kick
 * @evt: what to fill in
 * @dev: a device
 *
 * Return: 0 or -ENOSPC.
 */
int vs_evt_post(struct vs_evt *evt, struct vs_dev *dev);

/**
 * vs_evt_wait() - wait until a buffer has come back
 * @evt: from vs_evt_post()
 * @dev: its device
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_evt_wait(struct vs_evt *evt, struct vs_dev *dev);

/**
 * vs_evt_put() - forget a buffer, wherever it is
 * @evt: from vs_evt_get() or vs_evt_post()
 * @dev: its device
 */
void vs_evt_put(struct vs_evt *evt, struct vs_dev *dev);

/**
 * vs_evt_missed() - VHOST_SCSI_GET_EVENTS_MISSED
 * @dev: a device
 *
 * Return: the flag, or -errno.
 */
int vs_evt_missed(struct vs_dev *dev);

#endif /* VS_EVT_H */
