/* SPDX-License-Identifier: MIT */
#include "policy/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"

static int compare(struct addr a, struct addr b)
{
	return prefix_compare(prefix_of(a), prefix_of(b));
}

/* Where the address is, or where it would have to be. */
static size_t position(const struct addr_set *set, struct addr addr)
{
	size_t at = 0;
	size_t end = set->n;

	while (at < end) {
		size_t mid = at + (end - at) / 2;

		if (compare(set->v[mid], addr) < 0)
			at = mid + 1;
		else
			end = mid;
	}
	return at;
}

bool addr_set_has(const struct addr_set *set, struct addr addr)
{
	size_t at = position(set, addr);

	return at < set->n && addr_equal(set->v[at], addr);
}

int addr_set_add(struct addr_set *set, struct addr addr)
{
	size_t at = position(set, addr);
	struct addr *v;

	if (at < set->n && addr_equal(set->v[at], addr))
		return 0;
	v = array_room(set->v, set->n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	set->v = v;
	memmove(v + at + 1, v + at, (set->n++ - at) * sizeof(*v));
	v[at] = addr;
	return 0;
}

int addr_set_copy(const struct addr_set *set, struct addr_set *out)
{
	struct addr_set copy = { 0 };

	for (size_t i = 0; i < set->n; i++) {
		if (addr_set_add(&copy, set->v[i])) {
			addr_set_free(&copy);
			return -ENOMEM;
		}
	}
	*out = copy;
	return 0;
}

void addr_set_free(struct addr_set *set)
{
	free(set->v);
	*set = (struct addr_set){ 0 };
}
