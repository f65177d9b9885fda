/* SPDX-License-Identifier: MIT */
/*
 * How often the monitor looks at the ledger. Whoever is woken on a processor
 * that the monitor has meets it there: the slowest answers of the sandbox are
 * those. Ten looks a second at a full table take two to three hundredths of a
 * processor; at one hundredth the 99th percentile does not know of them.
 */
#ifndef SANDTOP_TUI_PACE_H
#define SANDTOP_TUI_PACE_H

#include <stdint.h>

/* How long to wait for the next look, in ns, when the last one took so much of a processor. */
uint64_t pace_wait(uint64_t cost);

/* What this process has used of a processor since the last call, in ns. */
uint64_t pace_spent(void);

#endif
