/* SPDX-License-Identifier: MIT */
/*
 * The paths that a draft's `unix:` specs are about, and what they are on this
 * machine once the caller has said so (policy.h, draft_path_set).
 */
#ifndef SANDTOP_POLICY_PATHNAME_H
#define SANDTOP_POLICY_PATHNAME_H

#include "policy/endpoint.h"
#include "policy/path.h"

struct pathname {
	char *name; /* as written, with its `*` */
	char *real; /* without it; NULL until it is known */
};

struct pathnames {
	struct pathname **v;
	size_t n;
	void *by_name; /* tsearch(3) tree of them */
};

/*
 * Note the NAME of a spec `unix:NAME`, unless it is there already or means the same on every
 * machine. Returns 0 or -ENOMEM.
 */
int pathnames_add(struct pathnames *p, const char *name);
void pathnames_free(struct pathnames *p);

/* Returns 0 or -ENOMEM. */
int pathnames_set(struct pathnames *p, size_t i, const char *real);

/*
 * What NAME is about: a text to be freed in out->text, and out->prefix; the rule is left alone. A
 * path that nobody has resolved is taken as it is written. Returns 1; 0 when it has a variable that
 * nobody has resolved, and is about nothing; -ENOMEM.
 */
int pathnames_entry(const struct pathnames *p, const char *name, struct path_entry *out);

/*
 * The NAME of the spec that is about exactly `name`, "/path" or "@name" of less than
 * ENDPOINT_NAME_MAX bytes; one that ends in `*` is about more. Returns `buf`.
 */
const char *pathname_write(const char *name, char buf[static 2 * ENDPOINT_NAME_MAX]);

#endif
