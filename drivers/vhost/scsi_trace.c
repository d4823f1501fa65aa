// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of scsi_trace.h: their code, once.
 *
 * Enters, leaves: nothing. Context: any; a tracepoint that is off is a jump.
 */
#define CREATE_TRACE_POINTS
#include "scsi_trace.h"
