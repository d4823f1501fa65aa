/* SPDX-License-Identifier: GPL-2.0 */
/* How often a page can be pinned: for scsi_sg.c and scsi_held.c. */
#ifndef VHOST_SCSI_PIN_H
#define VHOST_SCSI_PIN_H

#include <linux/mm.h>

/* References to a page beyond which it is not pinned: it cannot count 2^31 */
#define VHOST_SCSI_MAX_REFS	BIT(30)

/**
 * vhost_scsi_pin_wears() - could the count of a page overflow?
 * @page: page that was pinned a moment ago
 *
 * A guest's buffers may name one page as often as they like, a VMM may map it as
 * often, and guests may share one. A pin is 1024 references to a small page.
 *
 * Return: true if it has so many references that the pin is to be undone.
 */
static inline bool vhost_scsi_pin_wears(struct page *page)
{
	return (unsigned int)folio_ref_count(page_folio(page)) >
	       VHOST_SCSI_MAX_REFS;
}

#endif
