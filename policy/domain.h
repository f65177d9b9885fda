/* SPDX-License-Identifier: MIT */
/*
 * Maps from domain names, a million strong.
 */
#ifndef SANDTOP_POLICY_DOMAIN_H
#define SANDTOP_POLICY_DOMAIN_H

#include <stddef.h>
#include <stdint.h>

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

/*
 * Map a normalised name to `value`, which is above 0; of several values the lowest counts. Returns
 * 0 or -ENOMEM.
 */
int domain_map_add(struct domain_map *m, const char *name, enum domain_kind kind, int value);

/* The value of exactly this name and kind, or 0. */
int domain_map_get(const struct domain_map *m, const char *name, enum domain_kind kind);

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

#endif
