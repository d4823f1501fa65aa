/* SPDX-License-Identifier: GPL-2.0 */
/* How often a page can be pinned: for scsi_sg.c and scsi_held.c. */
#ifndef VHOST_SCSI_PIN_H
#define VHOST_SCSI_PIN_H

#include <linux/mm.h>

/* References to a page beyond which it is not pinned: it cannot count 2^31 */
#define VHOST_SCSI_MAX_REFS	BIT(30)

/**
 * vhost_scsi_pin_wears() - could the count of a page overflow?
 * @pages: pages that were pinned a moment ago
 * @nr: how many
 *
 * A guest's buffers may name one page as often as they like, a VMM may map it as
 * often, and guests may share one. A pin is 1024 references to a small page.
 *
 * Return: true if one of them has so many references that the pins are to be undone.
 */
static inline bool vhost_scsi_pin_wears(struct page **pages, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if ((unsigned int)folio_ref_count(page_folio(pages[i])) >
		    VHOST_SCSI_MAX_REFS)
			return true;
	return false;
}

#endif
