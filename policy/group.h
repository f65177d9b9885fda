/* SPDX-License-Identifier: MIT */
/*
 * Destination groups: @loopback, @private, ... and the word `private`.
 */
#ifndef SANDTOP_POLICY_GROUP_H
#define SANDTOP_POLICY_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/addr.h"

enum group {
	GROUP_LOOPBACK,
	GROUP_PRIVATE,
	GROUP_LINK_LOCAL,
	GROUP_METADATA,
	GROUP_MULTICAST,
	GROUP_THIS_HOST, /* known only while the sandbox runs; has no prefixes */
	GROUP_RESERVED,  /* the rest of what is internal; has no name */
	GROUP_INTERNAL,  /* all of the above, written `private` */
	GROUP_PUBLIC,    /* everything but GROUP_INTERNAL and :: */
	GROUP_SELF,      /* the same */
	GROUP_COUNT,
};

/* A growing array of prefixes; zeroed it is empty. */
struct prefix_list {
	struct prefix *v;
	size_t n;
};

/* Returns 0 or -ENOMEM. */
int prefix_list_add(struct prefix_list *list, struct prefix p);
void prefix_list_free(struct prefix_list *list);

/* The group that is written `@name` or `private`, in any case of letters; -EINVAL if there is none.
 */
int group_find(const char *text);

/* "@loopback", ..., or "private". Not for GROUP_RESERVED, which cannot be written. */
const char *group_name(enum group group);

/* "@loopback, @private, ...": every name, for a message. */
const char *group_names(void);

/*
 * Append the prefixes of `group` to `out`; those of GROUP_PUBLIC are sorted and disjoint. Which
 * addresses are this machine's own is not known here: GROUP_THIS_HOST and GROUP_SELF have no
 * prefixes, and whoever asks takes it into account. Returns 0 or -ENOMEM; `out` may then have grown
 * and is still to be freed.
 */
int group_prefixes(enum group group, struct prefix_list *out);

/* Whether this machine's own addresses belong to the group, whatever they are. */
static inline bool group_has_this_host(enum group group)
{
	return group == GROUP_THIS_HOST || group == GROUP_INTERNAL;
}

#endif
