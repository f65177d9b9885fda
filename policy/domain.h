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

void domain_map_free(struct domain_map *m);

#endif
