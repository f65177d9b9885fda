/* SPDX-License-Identifier: MIT */
#include "core/outbound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 };

/*
 * Cookies are given out in a row. Fibonacci hashing spreads them, but those of a block lie side by
 * side: a run with few connections is not to touch a page of the table with each.
 */
static size_t slot_of(uint64_t cookie)
{
	uint64_t block = (cookie / BLOCK) * 0x9e3779b97f4a7c15U >> 48;

	return (size_t)(block * BLOCK + cookie % BLOCK) % OUTBOUND_SLOTS;
}

/* The slot that has the cookie, or the free one where it belongs: a table is half empty. */
static _Atomic uint64_t *find(_Atomic uint64_t *table, uint64_t cookie)
{
	size_t at = slot_of(cookie);

	while (table[at] && table[at] != cookie)
		at = (at + 1) % OUTBOUND_SLOTS;
	return &table[at];
}

int outbound_init(struct outbound *o)
{
	*o = (struct outbound){ 0 };
	for (int i = 0; i < 2; i++) {
		o->table[i] = calloc(OUTBOUND_SLOTS, sizeof(*o->table[i]));
		if (!o->table[i])
			return -ENOMEM;
	}
	return 0;
}

void outbound_exit(struct outbound *o)
{
	for (int i = 0; i < 2; i++)
		free(o->table[i]);
}

bool outbound_add(struct outbound *o, uint64_t cookie)
{
	_Atomic uint64_t *slot;

	if (o->count == OUTBOUND_MAX) {
		o->overflow = true; /* the other table has not come back in time */
		return false;
	}
	slot = find(o->table[o->live], cookie);
	if (*slot == cookie)
		return false;
	*slot = cookie;
	if (++o->count < OUTBOUND_MAX || o->set_aside)
		return false;
	o->set_aside = true;
	o->live = !o->live;
	o->count = 0;
	return true;
}

bool outbound_has(const struct outbound *o, uint64_t cookie)
{
	return o->overflow || *find(o->table[0], cookie) == cookie ||
	       *find(o->table[1], cookie) == cookie;
}

void outbound_keep(struct outbound *o, const uint64_t *cookies, size_t n)
{
	_Atomic uint64_t *old = o->table[!o->live];

	for (size_t i = 0; i < n; i++)
		if (*find(old, cookies[i]) == cookies[i])
			outbound_add(o, cookies[i]);
	for (size_t i = 0; i < OUTBOUND_SLOTS; i++)
		old[i] = 0;
	o->set_aside = false;
}
