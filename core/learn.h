/* SPDX-License-Identifier: MIT */
/*
 * What the command used while a policy is learned (--learn).
 *
 * The ledger forgets flows when it is full; this must not, so a flow that
 * finds no room is denied. The memory is shared: the supervisor writes, and
 * the process that started it reads when the supervisor has ended, however it
 * has. Writing files is nothing for a supervisor.
 */
#ifndef SANDTOP_CORE_LEARN_H
#define SANDTOP_CORE_LEARN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/record.h"
#include "policy/learned.h"

enum {
	LEARN_FLOWS = 65536,
	LEARN_TEXT = 8 << 20, /* bytes of their names */
};

struct learn;

/* Returns shared memory, to be freed with learn_free(), or NULL for want of it. */
struct learn *learn_new(void);
void learn_free(struct learn *l);

/*
 * Make room for a flow that is about to be allowed, of which `host` is the name or NULL; texts are
 * copied. Returns false when there is none.
 */
bool learn_admit(struct learn *l, const struct endpoint *e, const char *host);

/*
 * A decision was made. It matters when it allowed, or when it kept a service of this machine from
 * the command; what was not admitted before is remembered if there is room.
 */
void learn_note(struct learn *l, const struct record *r);

/* What was learned, which stays the learn's: *n flows. */
const struct learned *learn_flows(const struct learn *l, size_t *n);

#endif
