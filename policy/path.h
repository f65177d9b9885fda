/* SPDX-License-Identifier: MIT */
/*
 * First match among many names of UNIX sockets: whole paths and abstract names,
 * and beginnings of them.
 */
#ifndef SANDTOP_POLICY_PATH_H
#define SANDTOP_POLICY_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Rule number `rule` is about this name, or with `prefix` about every one that begins so. */
struct path_entry {
	char *text; /* "/path" or "@name", without the `*`; with `prefix` it may be empty */
	bool prefix;
	int rule; /* from 1 */
};

struct path_table {
	struct path_node *exact, *prefix; /* each sorted by text */
	size_t n_exact, n_prefix;
};

/*
 * Build a table from `entries`, whose texts must outlive it. Returns 0 or -ENOMEM; *t is to be
 * freed with path_table_free() in any case, and a zeroed one too.
 */
int path_table_build(struct path_table *t, const struct path_entry *entries, size_t n);
void path_table_free(struct path_table *t);

/* The lowest number of a rule that is about `name`, or 0. */
int path_table_find(const struct path_table *t, const char *name);

/* Whether the entry is about `name`. */
bool path_entry_matches(const struct path_entry *e, const char *name);

/* The lowest number of a rule that is about all that `e`, an entry of the table, is about. */
int path_table_winner(const struct path_table *t, const struct path_entry *e);

#endif
