/* SPDX-License-Identifier: MIT */
/*
 * Which rows a list of flows shows, and in which order.
 */
#ifndef SANDTOP_TUI_ORDER_H
#define SANDTOP_TUI_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/flow.h"

enum order_sort {
	ORDER_LAST, /* newest activity first */
	ORDER_HITS,
	ORDER_VERDICT, /* what waits, what is denied, what is allowed */
	ORDER_ADDRESS,
	ORDER_PROCESS,
	ORDER_COUNT,
};

/*
 * Write the indices of the flows that contain the text `filter` (in any case; "" is in all) to
 * `order`, sorted. Returns how many.
 */
unsigned int order_rows(const struct flow *flows, unsigned int n, enum order_sort sort,
			const char *filter, uint16_t *order);

/* Whether one of the texts that a row shows contains `text`, in any case. */
bool order_contains(const struct flow *f, const char *text);

/* "newest activity", "hits", ... */
const char *order_name(enum order_sort sort);

#endif
