/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * Two prefixes either nest or have nothing in common. So the different prefixes of all entries form
 * a forest of nodes, and the deepest node around an address, together with its ancestors, are all
 * the nodes that hold the address. Cutting the address space at the borders of every prefix gives
 * sorted intervals, each owned by its deepest node.
 *
 * An index cuts the range of its intervals into equal slots, about one an interval. A slot with
 * more than a few intervals has a finer index of its own, so that addresses that crowd
 * (2001:db8::/32 among all of IPv6) cost one more step and not a search.
 *
 * A node has its entries as sorted, disjoint pieces of the service space, each with the lowest rule
 * number there; entries that an earlier one hides are gone. A node also absorbs the pieces of its
 * parent, unless they are many: then it refers to the parent. The answer is the lowest number in
 * the node and the few that it refers to.
 *
 * The size is linear in the number of entries. The length of an address bounds how deep indexes and
 * prefixes nest, whatever the number of rules.
 */
#include "policy/table.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/array.h"

/* An address or the border of a prefix: its bytes as a number, IPv4 in the uppermost 32 bits. */
typedef unsigned __int128 point;

/* These services have this rule, by a prefix of that length. */
struct table_piece {
	uint32_t lo, hi;
	int rule;
	unsigned int len;
};

/* Node 0 stands above all others, holds everything and has no pieces. */
struct table_node {
	uint32_t parent; /* or an ancestor beyond those that were absorbed */
	uint32_t piece;  /* the first one */
	uint32_t n_pieces;
};

/* An interval lasts until the next one begins; its node is copied to have it at hand. */
struct table_interval {
	point start;
	struct table_node node;
};

/* A node with more pieces than these is not absorbed. */
enum { ABSORB_MAX = 16 };

/* Slot i is about base + (i << shift) and what follows. */
struct table_index {
	point base;
	unsigned int shift;
	uint32_t n_slots;
	struct table_slot *slots;
};

/* A slot with more intervals than these gets an index of its own. */
enum { SLOT_MAX = 8 };

static point point_of(struct addr a)
{
	point x = 0;

	for (size_t i = 0; i < sizeof(a.bytes); i++)
		x = x << 8 | a.bytes[i];
	return x;
}

static point last_of(const struct prefix *p)
{
	return point_of(p->addr) | (p->len < 128 ? ~(point)0 >> p->len : 0);
}

static int by_prefix(const void *a, const void *b)
{
	const struct table_entry *e = a;
	const struct table_entry *f = b;

	return prefix_compare(e->prefix, f->prefix);
}

/* Who paints first: the earlier rule, and of one rule the inner prefix. */
static int by_precedence(const void *a, const void *b)
{
	const struct table_piece *p = a;
	const struct table_piece *q = b;

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

static int add_piece(struct table *t, uint32_t first, struct table_piece piece)
{
	struct table_piece *last = t->n_pieces > first ? &t->pieces[t->n_pieces - 1] : NULL;
	struct table_piece *pieces;

	if (last && last->hi + 1 == piece.lo && last->rule == piece.rule &&
	    last->len == piece.len) {
		last->hi = piece.hi;
		return 0;
	}
	pieces = array_room(t->pieces, t->n_pieces, sizeof(*pieces));
	if (!pieces)
		return -ENOMEM;
	t->pieces = pieces;
	pieces[t->n_pieces++] = piece;
	return 0;
}

/*
 * Make `from`, n pieces that may overlap, the pieces of `node`: paint the cells between all
 * borders, each cell once. `scratch` has room for 6 * n numbers. Returns 0 or -ENOMEM.
 */
static int add_pieces(struct table *t, struct table_node *node, struct table_piece *from, size_t n,
		      uint32_t *scratch)
{
	uint32_t *border = scratch;
	uint32_t *next = border + 2 * n;
	uint32_t *painter = next + 2 * n; /* 1 + its index; 0 is unpainted */
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

	node->piece = t->n_pieces;
	for (size_t i = 0; !ret && i + 1 < n_borders; i++) {
		struct table_piece piece;

		if (!painter[i])
			continue;
		piece = from[painter[i] - 1];
		piece.lo = border[i];
		piece.hi = border[i + 1] - 1;
		ret = add_piece(t, node->piece, piece);
	}
	node->n_pieces = t->n_pieces - node->piece;
	return ret;
}

/* The nodes around the point where the build has come to, from the outermost. */
struct path {
	uint32_t node[130]; /* one for each length of a prefix, and node 0 */
	point last[130];    /* where it ends */
	size_t depth;
};

/* From `at` on, `node` is the deepest one. */
static void cut(struct table *t, point at, uint32_t node)
{
	if (t->n_intervals && t->intervals[t->n_intervals - 1].start == at)
		t->n_intervals--;
	t->intervals[t->n_intervals++] = (struct table_interval){ at, t->nodes[node] };
}

/* Leave every node that ends before `at`. */
static void leave(struct table *t, struct path *path, point at)
{
	while (path->last[path->depth - 1] < at) {
		path->depth--;
		cut(t, path->last[path->depth] + 1, path->node[path->depth - 1]);
	}
}

static void enter(struct table *t, struct path *path, uint32_t node, const struct prefix *p)
{
	cut(t, point_of(p->addr), node);
	path->node[path->depth] = node;
	path->last[path->depth++] = last_of(p);
}

/* Add the node of n entries with the same prefix below `parent`. Returns 0 or -ENOMEM. */
static int add_node(struct table *t, uint32_t parent, const struct table_entry *e, size_t n,
		    struct table_piece *from, uint32_t *scratch)
{
	struct table_node *node = &t->nodes[t->n_nodes++];
	const struct table_node *above = &t->nodes[parent];
	bool literal = addr_is_unspecified(e->prefix.addr) &&
		       e->prefix.len == addr_bits(e->prefix.addr.family);

	for (size_t i = 0; i < n; i++)
		from[i] = (struct table_piece){ e[i].lo, e[i].hi, e[i].rule, e[i].prefix.len };
	node->parent = parent;
	/* table_find_single() needs what is written for the unspecified address by itself. */
	if (!literal && above->n_pieces <= ABSORB_MAX) {
		node->parent = above->parent;
		for (size_t i = 0; i < above->n_pieces; i++)
			from[n++] = t->pieces[above->piece + i];
	}
	return add_pieces(t, node, from, n, scratch);
}

static int add_nodes(struct table *t, const struct table_entry *e, size_t n,
		     struct table_piece *from, uint32_t *scratch)
{
	struct path path = { .last[0] = ~(point)0, .depth = 1 };
	int ret = 0;

	t->nodes[t->n_nodes++] = (struct table_node){ 0 };
	cut(t, 0, 0);
	for (size_t i = 0, end; !ret && i < n; i = end) {
		uint32_t node = t->n_nodes;

		for (end = i + 1; end < n && !by_prefix(&e[i], &e[end]); end++)
			;
		leave(t, &path, point_of(e[i].prefix.addr));
		ret = add_node(t, path.node[path.depth - 1], e + i, end - i, from, scratch);
		enter(t, &path, node, &e[i].prefix);
	}
	leave(t, &path, ~(point)0);
	return ret;
}

/* How many bits it takes to write x. */
static unsigned int width(point x)
{
	uint64_t upper = x >> 64;
	uint64_t lower = x;

	if (upper)
		return 128 - __builtin_clzll(upper);
	return lower ? 64 - __builtin_clzll(lower) : 0;
}

static int make_slot(struct table *t, struct table_slot *slot, uint32_t first, uint32_t n);

/*
 * Fill an index of the intervals first .. first + n. It begins at the second one, as the first one
 * may begin anywhere before. Returns 0 or -ENOMEM.
 */
static int make_slots(struct table *t, const struct table_index *index, uint32_t first, uint32_t n)
{
	uint32_t end = first + n;
	uint32_t last = first;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < index->n_slots; i++) {
		/* The interval in which the slot begins, and the one in which it ends. */
		uint32_t begin = last;

		if (i && t->intervals[last + 1].start - index->base == (point)i << index->shift)
			begin++;
		while (last < end &&
		       (t->intervals[last + 1].start - index->base) >> index->shift <= i)
			last++;
		ret = make_slot(t, &index->slots[i], begin, last - begin);
	}
	return ret;
}

/* Both ends of an index have an interval, so every slot has fewer of them than the whole. */
static int make_slot(struct table *t, struct table_slot *slot, uint32_t first, uint32_t n)
{
	struct table_index *indexes;
	struct table_index index;
	unsigned int bits;
	point span;

	if (n <= SLOT_MAX) {
		*slot = (struct table_slot){ first, n };
		return 0;
	}

	index.base = t->intervals[first + 1].start;
	span = t->intervals[first + n].start - index.base;
	bits = width(n);
	index.shift = width(span) > bits ? width(span) - bits : 0;
	index.n_slots = (span >> index.shift) + 1;
	indexes = array_room(t->indexes, t->n_indexes, sizeof(*indexes));
	if (!indexes)
		return -ENOMEM;
	t->indexes = indexes;
	index.slots = reallocarray(NULL, index.n_slots, sizeof(*index.slots));
	if (!index.slots)
		return -ENOMEM;
	*slot = (struct table_slot){ t->n_indexes, TABLE_FINER };
	indexes[t->n_indexes++] = index;
	return make_slots(t, &index, first, n);
}

int table_build(struct table *t, struct table_entry *entries, size_t n)
{
	struct table_piece *from;
	uint32_t *scratch;
	int ret = -ENOMEM;

	*t = (struct table){ 0 };
	if (!n)
		return 0;
	from = reallocarray(NULL, n + ABSORB_MAX, sizeof(*from));
	scratch = reallocarray(NULL, n + ABSORB_MAX, 6 * sizeof(*scratch));
	t->intervals = reallocarray(NULL, 2 * n + 1, sizeof(*t->intervals));
	t->nodes = reallocarray(NULL, n + 1, sizeof(*t->nodes));
	if (from && scratch && t->intervals && t->nodes) {
		qsort(entries, n, sizeof(*entries), by_prefix);
		ret = add_nodes(t, entries, n, from, scratch);
	}
	if (!ret)
		ret = make_slot(t, &t->root, 0, t->n_intervals - 1);
	free(from);
	free(scratch);
	return ret;
}

void table_free(struct table *t)
{
	free(t->intervals);
	free(t->nodes);
	free(t->pieces);
	for (size_t i = 0; i < t->n_indexes; i++)
		free(t->indexes[i].slots);
	free(t->indexes);
}

/* The slot for x, which is in one of the index's intervals. */
static struct table_slot slot_of(const struct table_index *index, point x)
{
	point i = x > index->base ? (x - index->base) >> index->shift : 0;

	return index->slots[i < index->n_slots ? (uint32_t)i : index->n_slots - 1];
}

/* The deepest node around x. */
static const struct table_node *node_at(const struct table *t, point x)
{
	struct table_slot slot = t->root;
	const struct table_interval *at;

	while (slot.n == TABLE_FINER)
		slot = slot_of(&t->indexes[slot.first], x);
	at = t->intervals + slot.first;
	for (uint32_t n = slot.n + 1; n > 1; n -= n / 2) {
		if (at[n / 2].start <= x)
			at += n / 2;
	}
	return &at->node;
}

/* The node's piece around the service, or NULL. */
static const struct table_piece *piece_at(const struct table *t, const struct table_node *node,
					  uint32_t service)
{
	const struct table_piece *at = t->pieces + node->piece;

	for (uint32_t n = node->n_pieces; n > 1; n -= n / 2) {
		if (at[n / 2].lo <= service)
			at += n / 2;
	}
	return node->n_pieces && at->lo <= service && service <= at->hi ? at : NULL;
}

struct table_match table_find(const struct table *t, struct addr a, uint32_t service)
{
	struct table_match match = { 0 };
	const struct table_node *node;

	if (!t->n_intervals)
		return match;
	node = node_at(t, point_of(a));
	for (;;) {
		const struct table_piece *piece = piece_at(t, node, service);

		if (piece && (!match.rule || piece->rule < match.rule))
			match = (struct table_match){ piece->rule, piece->len };
		if (!node->parent)
			return match;
		node = &t->nodes[node->parent];
	}
}

struct table_match table_find_single(const struct table *t, struct addr a, uint32_t service)
{
	const struct table_piece *piece;

	if (!t->n_intervals)
		return (struct table_match){ 0 };
	piece = piece_at(t, node_at(t, point_of(a)), service);
	if (!piece || piece->len != addr_bits(a.family))
		return (struct table_match){ 0 };
	return (struct table_match){ piece->rule, piece->len };
}

/* Whether the piece's rule is the first somewhere, with `from` the deepest node there. */
static bool piece_wins(const struct table *t, const struct table_node *from,
		       const struct table_piece *piece)
{
	uint32_t at = piece->lo;

	for (;;) {
		const struct table_node *node = from;
		const struct table_piece *other = piece_at(t, node, at);

		while (!(other && other->rule < piece->rule) && node->parent) {
			node = &t->nodes[node->parent];
			other = piece_at(t, node, at);
		}
		if (!other || other->rule >= piece->rule)
			return true;
		if (other->hi >= piece->hi)
			return false;
		at = other->hi + 1;
	}
}

void table_winners(const struct table *t, bool *wins)
{
	for (size_t i = 0; i < t->n_intervals; i++) {
		const struct table_node *from = &t->intervals[i].node;
		const struct table_node *node = from;

		for (;;) {
			const struct table_piece *piece = t->pieces + node->piece;

			for (uint32_t k = 0; k < node->n_pieces; k++, piece++)
				wins[piece->rule] = wins[piece->rule] || piece_wins(t, from, piece);
			if (!node->parent)
				break;
			node = &t->nodes[node->parent];
		}
	}
}
