/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * A small set is searched by halving. A large one has an index: a slot for every 256 services leads
 * to the few pieces there or, where they crowd, to a page with the piece of each service. So the
 * search takes a handful of steps, whatever the number of ports that rules mention.
 */
#include "policy/service.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/array.h"

enum {
	/* A set with more pieces than these gets an index, a slot with more than those a page. */
	SET_MAX = 32,
	SLOT_MAX = 8,

	SLOT_BITS = 8,
	PAGE_SERVICES = 1 << SLOT_BITS,
	N_SLOTS = (PROTO_ICMP << 16 >> SLOT_BITS) + 1, /* icmp has one service */
};

/* A slot with a page: `first` is its number. */
#define SLOT_PAGED UINT32_MAX

struct service_index {
	uint32_t first, n; /* the pieces of the set */
	struct service_set slot[N_SLOTS];
};

/* For each service 1 + the number of its piece, or 0. */
struct service_page {
	uint32_t piece[PAGE_SERVICES];
};

void services_free(struct services *s)
{
	free(s->pieces);
	free(s->indexes);
	free(s->pages);
}

/* Who paints first: the earlier rule, and of one rule the more exact words. */
static int by_precedence(const void *a, const void *b)
{
	const struct service_piece *p = a;
	const struct service_piece *q = b;

	if (p->rule != q->rule)
		return p->rule < q->rule ? -1 : 1;
	return (p->len < q->len) - (p->len > q->len);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The index of the last of the sorted numbers that is not above x; the first one never is. */
static size_t index_of(const uint32_t *sorted, size_t n, uint32_t x)
{
	size_t lo = 0;

	while (n > 1) {
		size_t half = n / 2;

		if (sorted[lo + half] <= x)
			lo += half;
		n -= half;
	}
	return lo;
}

/* The first cell from i on that is still unpainted; next[i] leads there by way of painted cells. */
static uint32_t unpainted(uint32_t *next, uint32_t i)
{
	while (next[i] != i)
		i = next[i] = next[next[i]];
	return i;
}

static int add_piece(struct services *s, uint32_t first, struct service_piece piece)
{
	struct service_piece *last = s->n_pieces > first ? &s->pieces[s->n_pieces - 1] : NULL;
	struct service_piece *pieces;

	if (last && last->hi + 1 == piece.lo && last->rule == piece.rule &&
	    last->len == piece.len) {
		last->hi = piece.hi;
		return 0;
	}
	pieces = array_room(s->pieces, s->n_pieces, sizeof(*pieces));
	if (!pieces)
		return -ENOMEM;
	s->pieces = pieces;
	pieces[s->n_pieces++] = piece;
	return 0;
}

/* Paint the cells between all borders, each cell once, and add what was painted. */
static int paint(struct services *s, struct service_piece *from, size_t n, uint32_t *scratch)
{
	uint32_t *border = scratch;
	uint32_t *next = border + 2 * n;
	uint32_t *painter = next + 2 * n; /* 1 + its index; 0 is unpainted */
	uint32_t first = s->n_pieces;
	size_t n_borders = 0;
	int ret = 0;

	qsort(from, n, sizeof(*from), by_precedence);
	for (size_t i = 0; i < n; i++) {
		border[2 * i] = from[i].lo;
		border[2 * i + 1] = from[i].hi + 1;
	}
	qsort(border, 2 * n, sizeof(*border), by_number);
	for (size_t i = 0; i < 2 * n; i++) {
		if (!i || border[i] != border[n_borders - 1])
			border[n_borders++] = border[i];
	}
	for (size_t i = 0; i < n_borders; i++) {
		next[i] = i;
		painter[i] = 0;
	}

	for (size_t i = 0; i < n; i++) {
		uint32_t end = index_of(border, n_borders, from[i].hi + 1);
		uint32_t cell = unpainted(next, index_of(border, n_borders, from[i].lo));

		for (; cell < end; cell = unpainted(next, cell)) {
			painter[cell] = i + 1;
			next[cell] = cell + 1;
		}
	}

	for (size_t i = 0; !ret && i + 1 < n_borders; i++) {
		struct service_piece piece;

		if (!painter[i])
			continue;
		piece = from[painter[i] - 1];
		piece.lo = border[i];
		piece.hi = border[i + 1] - 1;
		ret = add_piece(s, first, piece);
	}
	return ret;
}

/* Replace the pieces of the slot that begins at service `begin` by a page. */
static int add_page(struct services *s, uint32_t begin, struct service_set *slot)
{
	struct service_page *pages = array_room(s->pages, s->n_pages, sizeof(*pages));
	struct service_page *page;

	if (!pages)
		return -ENOMEM;
	s->pages = pages;
	page = &pages[s->n_pages];
	*page = (struct service_page){ 0 };
	for (uint32_t i = slot->first; i < slot->first + slot->n; i++) {
		const struct service_piece *piece = &s->pieces[i];
		uint32_t lo = piece->lo > begin ? piece->lo - begin : 0;
		uint32_t hi =
			piece->hi - begin < PAGE_SERVICES ? piece->hi - begin : PAGE_SERVICES - 1;

		for (; lo <= hi; lo++)
			page->piece[lo] = i + 1;
	}
	*slot = (struct service_set){ s->n_pages++, SLOT_PAGED };
	return 0;
}

/* Give the set an index. Returns 0 or -ENOMEM. */
static int add_index(struct services *s, struct service_set *set)
{
	struct service_index *indexes = array_room(s->indexes, s->n_indexes, sizeof(*indexes));
	struct service_index *index;
	uint32_t end = set->first + set->n;
	uint32_t at = set->first;
	int ret = 0;

	if (!indexes)
		return -ENOMEM;
	s->indexes = indexes;
	index = &indexes[s->n_indexes];
	index->first = set->first;
	index->n = set->n;
	for (uint32_t i = 0; !ret && i < N_SLOTS; i++) {
		struct service_set *slot = &index->slot[i];
		uint32_t begin = i << SLOT_BITS;

		while (at < end && s->pieces[at].hi < begin)
			at++;
		*slot = (struct service_set){ .first = at };
		while (slot->first + slot->n < end &&
		       s->pieces[slot->first + slot->n].lo < begin + PAGE_SERVICES)
			slot->n++;
		if (slot->n > SLOT_MAX)
			ret = add_page(s, begin, slot);
	}
	*set = (struct service_set){ s->n_indexes++, SERVICE_INDEXED };
	return ret;
}

int services_add(struct services *s, struct service_piece *from, size_t n, uint32_t *scratch,
		 struct service_set *out)
{
	struct service_set set = { .first = s->n_pieces };
	int ret = paint(s, from, n, scratch);

	set.n = s->n_pieces - set.first;
	if (!ret && set.n > SET_MAX)
		ret = add_index(s, &set);
	if (!ret)
		*out = set;
	return ret;
}

const struct service_piece *services_pieces(const struct services *s, struct service_set set,
					    size_t *n)
{
	if (set.n == SERVICE_INDEXED) {
		const struct service_index *index = &s->indexes[set.first];

		set = (struct service_set){ index->first, index->n };
	}
	*n = set.n;
	return s->pieces + set.first;
}

const struct service_piece *services_find(const struct services *s, struct service_set set,
					  uint32_t service)
{
	const struct service_piece *at;

	if (set.n == SERVICE_INDEXED) {
		set = s->indexes[set.first].slot[service >> SLOT_BITS];
		if (set.n == SLOT_PAGED) {
			uint32_t piece = s->pages[set.first].piece[service % PAGE_SERVICES];

			return piece ? &s->pieces[piece - 1] : NULL;
		}
	}
	at = s->pieces + set.first;
	for (uint32_t n = set.n; n > 1; n -= n / 2) {
		if (at[n / 2].lo <= service)
			at += n / 2;
	}
	return set.n && at->lo <= service && service <= at->hi ? at : NULL;
}
