// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "vs_evt.h"
#include "vs_req.h"

void vs_evt_get(struct vs_evt *evt, struct vs_dev *dev)
{
	vs_chain_get(&evt->chain);
	evt->buf = vs_mem_page(&dev->mem, 1);
	memset(evt->buf, VS_POISON, VS_PAGE);
}

int vs_evt_post(struct vs_evt *evt, struct vs_dev *dev)
{
	int ret;

	vs_evt_get(evt, dev);
	vs_chain_in(&evt->chain, &dev->mem, evt->buf, sizeof(*evt->buf));
	ret = vs_ring_add(&dev->ring[VS_EVT], &evt->chain);
	if (!ret)
		vs_ring_kick(&dev->ring[VS_EVT]);
	return ret;
}

int vs_evt_wait(struct vs_evt *evt, struct vs_dev *dev)
{
	return vs_chain_wait(&dev->ring[VS_EVT], &evt->chain, vs_patience());
}

void vs_evt_put(struct vs_evt *evt, struct vs_dev *dev)
{
	if (!evt->chain.done)
		dev->ring[VS_EVT].owner[evt->chain.head] = NULL;
	vs_chain_put(&evt->chain);
}

int vs_evt_missed(struct vs_dev *dev)
{
	uint32_t flag = 77;
	int ret = vs_ioctl(dev->fd, VHOST_SCSI_GET_EVENTS_MISSED, &flag);

	return ret ? ret : (int)flag;
}
