/* SPDX-License-Identifier: MIT */
/*
 * What a policy's words stood for at one moment, for a thread beside the loop:
 * a copy of what the engine judges by.
 *
 * A name stands for every address that is remembered of it: a flow that its name has permitted
 * stays when the answer has become old.
 */
#ifndef SANDTOP_CORE_FACTS_H
#define SANDTOP_CORE_FACTS_H

#include "core/listeners.h"
#include "policy/live.h"

struct facts {
	struct live live; /* points into the rest */
	struct addr_set this_host;
	struct names *names;
	struct listeners listeners;
};

/* Returns a copy, to be freed with facts_free(), or NULL for want of memory. */
struct facts *facts_new(const struct live *live, const struct listeners *listeners);

/* NULL is fine. */
void facts_free(struct facts *f);

#endif
