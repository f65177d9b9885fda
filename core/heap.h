/* SPDX-License-Identifier: MIT */
/*
 * How the C library gets its memory from the kernel.
 *
 * calloc(3) clears what lay on the heap before, and makes a large table a mapping of its own. Both
 * touch pages or change page tables for what a short run never looks at.
 */
#ifndef SANDTOP_CORE_HEAP_H
#define SANDTOP_CORE_HEAP_H

#include <stdbool.h>

/*
 * Between true and false, tables come from fresh memory at the end of the heap, which need not be
 * cleared, and what is freed is kept: to unmap it costs more than to leave that to the end of the
 * process. For the start and the end of one; in between the heap is to shrink again.
 */
void heap_grow_only(bool on);

#endif
