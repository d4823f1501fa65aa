/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sweeps over the failure points of a request: every allocation, and every copy from or to the
 * guest, that the worker makes for it fails once.
 */
#ifndef VS_SWEEP_REQ_H
#define VS_SWEEP_REQ_H

#include "vs_fault.h"
#include "vs_req.h"

/**
 * struct vs_sweep_req - a request that is sent again and again
 * @name: for complaints
 * @build: builds it, with data in @buf
 * @check: after success: is the data right? May be NULL
 * @tmf: it is a task management function; @build has put its response byte where the
 *	 response of a command is
 * @lio: LIO's allocations are among those that fail
 */
struct vs_sweep_req {
	const char *name;
	void (*build)(struct vs_req *req, struct vs_dev *dev, uint8_t *buf);
	int (*check)(struct vs_dev *dev, uint8_t *buf);
	bool tmf;
	bool lio;
};

/**
 * vs_sweep_req() - let each failure point of a request fail
 * @fault: faults of the worker
 * @dev: the device
 * @r: the request
 * @buf: handed to its functions
 *
 * Return: number of complaints, said on stderr.
 */
int vs_sweep_req(struct vs_fault *fault, struct vs_dev *dev,
		 const struct vs_sweep_req *r, uint8_t *buf);

#endif /* VS_SWEEP_REQ_H */
