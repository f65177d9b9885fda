/* SPDX-License-Identifier: MIT */
/*
 * Domain names in one form, and maps from them, a million strong.
 */
#ifndef SANDTOP_POLICY_DOMAIN_H
#define SANDTOP_POLICY_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOMAIN_TEXT_MAX = 254 }; /* 253 octets (RFC 1035 2.3.4, as text) and the NUL */

/*
 * Write the form of `text` in which names are compared: lower case, without the dot at the end,
 * with A-labels (libidn2) for what is not ASCII. Returns 0, or -EINVAL when it is no host name:
 * labels of letters, digits, - and _, 1 to 63 octets each.
 */
int domain_normalise(const char *text, char out[static DOMAIN_TEXT_MAX]);

/* What a name in the map stands for. */
enum domain_kind {
	DOMAIN_EXACT,  /* itself */
	DOMAIN_SUFFIX, /* every name below it */
};

/* From names to positive numbers. Zeroed it is empty. */
struct domain_map {
	struct domain_slot *slots;
	size_t n_slots; /* a power of two, or 0 */
	size_t used;
	size_t longest; /* octets of a name in it */
	char *texts;
	size_t texts_len, texts_size;
};

/* What was found. */
struct domain_match {
	int value;        /* 0: nothing */
	const char *name; /* the map's, without the dot in front; borrowed from the map */
};

/*
 * Map a normalised name to `value`, which is above 0; of several values the lowest counts. Returns
 * 0 or -ENOMEM.
 */
int domain_map_add(struct domain_map *m, const char *name, enum domain_kind kind, int value);

/* The lowest value that a normalised name has: by itself, or by a suffix that it is below. */
struct domain_match domain_map_find(const struct domain_map *m, const char *name);

/* The value of exactly this name and kind, or 0. */
int domain_map_get(const struct domain_map *m, const char *name, enum domain_kind kind);

/*
 * The names that have a value of this kind, one a call, in no order: *at is where to go on, 0 at
 * first. Borrowed from the map. Returns NULL after the last one.
 */
const char *domain_map_next(const struct domain_map *m, enum domain_kind kind, size_t *at);

/* Copy a map; *out is written on success only. Returns 0 or -ENOMEM. */
int domain_map_copy(const struct domain_map *m, struct domain_map *out);

/* Where a walk over what a name is, and is below, has come to. */
struct domain_walk {
	const char *name; /* normalised; stays the caller's */
	size_t len, at;
	uint32_t hash;
};

struct domain_walk domain_walk_begin(const char *name);

/*
 * The next value that the map has for the name itself (DOMAIN_EXACT) or for what it is below
 * (DOMAIN_SUFFIX), from the top of the tree down; 0 at the end. Each octet is looked at once.
 */
int domain_walk_next(const struct domain_map *m, struct domain_walk *w);

void domain_map_free(struct domain_map *m);

/* What a list of names has that is none. */
struct domain_fault {
	unsigned int line; /* from 1 */
	char text[128];    /* the line, its beginning if it is longer */
};

/*
 * Add the names of a list, `size` bytes of text: one a line, or in the format of hosts(5) an address
 * and names. What follows # is a comment. Returns 0; -ENOMEM; -EINVAL with *fault filled for the
 * first line that is neither.
 */
int domain_map_add_list(struct domain_map *m, const char *text, size_t size, int value,
			struct domain_fault *fault);

/*
 * Whether a name is one that the public DNS has nothing to do with: of one label, or below a domain
 * that is reserved for local use (RFC 6761, 6762, 8375 and .internal).
 */
bool domain_is_local(const char *name);

#endif
