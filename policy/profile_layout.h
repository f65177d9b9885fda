/* SPDX-License-Identifier: MIT */
/*
 * Where things are in the text of a profile, and a new text that is made of an
 * old one piece by piece. Private to the files that edit profiles.
 */
#ifndef SANDTOP_POLICY_PROFILE_LAYOUT_H
#define SANDTOP_POLICY_PROFILE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "policy/policy.h"
#include "policy/toml.h"

/* Bytes of the text: from `at` up to `end`. */
struct span {
	size_t at, end;
};

/* The value of a key of [network], mostly a list. */
struct place {
	char key[12]; /* empty: there is none */
	size_t key_at;
	struct span value; /* only its begin, of a list */
	bool is_list;
	struct span *elements;
	size_t n_elements;
};

struct layout {
	const char *text;
	size_t size;
	bool network;      /* there is a [network] */
	size_t network_at; /* its header, or the brace of an inline table */
	size_t n_keys;     /* that it has */
	struct place list; /* "allow", "deny" or "rules" */
	struct place bind; /* "allow_bind" */

	/* Where the last place was found: the next one is mostly behind it. */
	struct toml_place seen;
	size_t seen_at;
};

/*
 * Find out the layout of a text that is known to be a profile, which must outlive it. Returns 0, to
 * be freed with layout_free(), or -ENOMEM.
 */
int layout_read(struct layout *l, const char *text, size_t size);
void layout_free(struct layout *l);

/* Whether the text is what the parser's places say, as far as an edit relies on it. */
bool layout_is_plain(const struct layout *l);

/* Whether [network] is an inline table: `network = { ... }`. */
bool layout_is_inline(const struct layout *l);

/* The first place from `at` on that has no blank. */
size_t layout_skip_blanks(const struct layout *l, size_t at);

/* Where the line that has `at` ends, with its end. */
size_t layout_next_line(const struct layout *l, size_t at);

/* The blanks in front of `at` when nothing else is on its line; else nothing. */
struct span layout_indent(const struct layout *l, size_t at);

/* A new text that is being made of an old one. */
struct edit {
	const struct layout *old;
	size_t done; /* bytes of the old text that are copied or left out */
	const char *eol;
	FILE *out;
	char *text;
	size_t size;
};

/* Begin a new text. Returns 0 or -ENOMEM. */
int edit_begin(struct edit *e, const struct layout *old);

/* Take over the old text up to `at`. */
void edit_copy_to(struct edit *e, size_t at);

/* Take over the old text up to the front of [network], which is made if there is none. */
void edit_to_network(struct edit *e);

/* Write bytes of the old text. */
void edit_repeat(struct edit *e, struct span s);

/*
 * Take over the rest, and see that the text means what `wanted` does, a text of profile_write(), or
 * NULL: then there is no memory for it. Returns 0 with *out to be freed, -EINVAL when it does not,
 * -ENOMEM. Takes ownership of `wanted`.
 */
int edit_end(struct edit *e, char *wanted, char **out);

#endif
