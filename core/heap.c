/* SPDX-License-Identifier: MIT */
#include "core/heap.h"

#include <limits.h>
#include <malloc.h>

enum {
	DEFAULT = 128 * 1024,         /* of all three, says mallopt(3) */
	TABLE_MAX = 16 * 1024 * 1024, /* larger than any table */
};

void heap_grow_only(bool on)
{
	mallopt(M_MMAP_THRESHOLD, on ? TABLE_MAX : DEFAULT);
	mallopt(M_TOP_PAD, on ? 0 : DEFAULT);
	mallopt(M_TRIM_THRESHOLD, on ? INT_MAX : DEFAULT);
}
