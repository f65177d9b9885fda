/* SPDX-License-Identifier: MIT */
/*
 * Live name bindings: which names an address was resolved from, and until when
 * that holds.
 */
#ifndef SANDTOP_POLICY_NAMES_H
#define SANDTOP_POLICY_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "policy/addr.h"

/* Bindings, of all addresses and of one; a further one takes the place of the first to end. */
enum { NAMES_MAX = 65536, NAMES_OF_ADDRESS = 64 };

struct names;

/* Times are in nanoseconds of CLOCK_MONOTONIC. */

/* Returns a new table without bindings, to be freed with names_free(), or NULL for want of memory.
 */
struct names *names_new(void);
void names_free(struct names *n);

/*
 * `name` (normalised; copied) means `addr` until then; a binding that there is already lasts until
 * the later time, and counts as the latest of the address. Returns 0 or -ENOMEM.
 */
int names_bind(struct names *n, struct addr addr, const char *name, uint64_t until);

/*
 * The names that are bound to `addr` at the time `now`, one a call, the latest first: *at is where
 * to go on, 0 at first. Borrowed until the next names_bind(). Returns NULL after the last one.
 */
const char *names_next(const struct names *n, struct addr addr, uint64_t now, uint32_t *at);

/*
 * A copy of the table, for names_next() alone, to be freed with names_free() before the table is, or
 * NULL for want of memory. Made and freed by the thread that binds; any may read it meanwhile.
 */
struct names *names_copy(const struct names *n);

/* How many bindings there are, ended ones included that nothing has taken the place of. */
size_t names_count(const struct names *n);

#endif
