/* SPDX-License-Identifier: MIT */
/*
 * Profiles: a policy, and what may go with it, as a TOML text.
 *
 * Reading is in two steps. profile_read() knows the keys and their types, and profile_add() adds
 * the policy to a draft, as the options of the same names would.
 */
#ifndef SANDTOP_POLICY_PROFILE_H
#define SANDTOP_POLICY_PROFILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/policy.h"

/* One text of [network] or [dns], with the place of its value in the file. */
struct profile_item {
	const char *table, *key; /* static */
	int (*add)(struct draft *d, const char *text, struct policy_error *err);
	char *text;
	unsigned int line, column;
};

/* Where in its text a value stands; both count from 1. */
struct profile_place {
	unsigned int line, column;
};

/* Everything is owned by the profile; what the file does not say is NULL or 0. */
struct profile {
	struct profile_item *items; /* in the order of the file */
	size_t n_items;
	unsigned int max_connections;
	char **command; /* [program] exec and args, with a NULL behind them */
	size_t n_command;
	char **block_files; /* [dns] block_file, as written */
	struct profile_place *block_places; /* one each; not needed for profile_write() */
	size_t n_block_files;
	char *log_json, *log_text;
	uint64_t now; /* for profile_write(): what is left of rules that end is counted from here */
};

/* What a profile may have for max_connections, and the command line as well. */
enum { PROFILE_CONNECTIONS_MAX = 1000000000 };

/*
 * Read a profile of `size` bytes. Returns 0 with *out filled, to be freed with profile_free();
 * -EINVAL with *err filled, whose text begins with "LINE:COLUMN: " and is to be printed behind the
 * name of the file and a colon; -ENOMEM.
 */
int profile_read(const char *text, size_t size, struct profile *out, struct policy_error *err);
void profile_free(struct profile *p);

/*
 * Add the profile's policy to a draft that has what the command line says: its rules come behind
 * those, and the default and the preset that the draft has already stay. Returns what
 * profile_read() does; after an error some of the profile may have been added.
 */
int profile_add(const struct profile *p, struct draft *d, struct policy_error *err);

/* The item that rule number `rule` of a draft comes from to which the profile alone was added. */
const struct profile_item *profile_rule(const struct profile *p, int rule);

/*
 * The path of a list that the profile at `profile` names: a relative one begins in the profile's
 * directory. What does not fit is cut.
 */
void profile_list_path(const char *profile, const char *name, char *buf, size_t size);

/*
 * The draft's policy as a profile, with the other members of `rest` (which has no items), and the
 * numbers of rules as comments: profile_read() and profile_add() make the same draft of it. What
 * `rest` has is to be UTF-8, as TOML is. To be freed by the caller; NULL for want of memory.
 */
char *profile_write(const struct draft *d, const struct profile *rest);

/* Write a text in quotes, as a profile has it: a basic string of TOML 1.0. */
void profile_write_text(FILE *out, const char *text);

#endif
