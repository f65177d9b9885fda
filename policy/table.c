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
 * A node has a set of services, in which entries that an earlier one hides are gone. It also
 * absorbs the pieces of its parent, unless they are many: then it refers to the parent. The answer
 * is the lowest number in the node and the few that it refers to.
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

/* Node 0 stands above all others, holds everything and has no pieces. */
struct table_node {
	uint32_t parent; /* or an ancestor beyond those that were absorbed */
	struct service_set set;
};

/* An interval lasts until the next one begins; its node is copied to have it at hand. */
struct table_interval {
	point start;
	struct table_node node;
};

/*
 * A node absorbs so many pieces, and so many for each entry of its own: the size stays linear, and
 * few nodes remain to be asked.
 */
enum { ABSORB_MAX = 16, ABSORB_TIMES = 4 };

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

/* Room for the pieces of one node, and for making a set of them. */
struct bench {
	struct service_piece *from;
	uint32_t *scratch;
};

/* Add the node of n entries with the same prefix below `parent`. Returns 0 or -ENOMEM. */
static int add_node(struct table *t, uint32_t parent, const struct table_entry *e, size_t n,
		    const struct bench *b)
{
	struct table_node *node = &t->nodes[t->n_nodes++];
	const struct table_node *above = &t->nodes[parent];
	const struct service_piece *inherited;
	size_t n_inherited;
	bool literal = addr_is_unspecified(e->prefix.addr) &&
		       e->prefix.len == addr_bits(e->prefix.addr.family);

	for (size_t i = 0; i < n; i++)
		b->from[i] = (struct service_piece){ e[i].lo, e[i].hi, e[i].rule, e[i].exact };
	node->parent = parent;
	inherited = services_pieces(&t->services, above->set, &n_inherited);
	/* table_find_single() needs what is written for the unspecified address by itself. */
	if (!literal && n_inherited <= ABSORB_MAX + ABSORB_TIMES * n) {
		node->parent = above->parent;
		for (size_t i = 0; i < n_inherited; i++)
			b->from[n++] = inherited[i];
	}
	return services_add(&t->services, b->from, n, b->scratch, &node->set);
}

static int add_nodes(struct table *t, const struct table_entry *e, size_t n, const struct bench *b)
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
		ret = add_node(t, path.node[path.depth - 1], e + i, end - i, b);
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
	size_t room = n + ABSORB_MAX + ABSORB_TIMES * n;
	struct bench b;
	int ret = -ENOMEM;

	*t = (struct table){ 0 };
	if (!n)
		return 0;
	b.from = reallocarray(NULL, room, sizeof(*b.from));
	b.scratch = reallocarray(NULL, SERVICE_SCRATCH(room), sizeof(*b.scratch));
	t->intervals = reallocarray(NULL, 2 * n + 1, sizeof(*t->intervals));
	t->nodes = reallocarray(NULL, n + 1, sizeof(*t->nodes));
	if (b.from && b.scratch && t->intervals && t->nodes) {
		qsort(entries, n, sizeof(*entries), by_prefix);
		ret = add_nodes(t, entries, n, &b);
	}
	if (!ret)
		ret = make_slot(t, &t->root, 0, t->n_intervals - 1);
	free(b.from);
	free(b.scratch);
	return ret;
}

void table_free(struct table *t)
{
	free(t->intervals);
	free(t->nodes);
	services_free(&t->services);
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

struct table_match table_find(const struct table *t, struct addr a, uint32_t service)
{
	struct table_match match = { 0 };
	const struct table_node *node;

	if (!t->n_intervals)
		return match;
	node = node_at(t, point_of(a));
	for (;;) {
		const struct service_piece *piece = services_find(&t->services, node->set, service);

		if (piece && (!match.rule || piece->rule < match.rule))
			match = (struct table_match){ piece->rule, piece->len };
		if (!node->parent)
			return match;
		node = &t->nodes[node->parent];
	}
}

struct table_match table_find_single(const struct table *t, struct addr a, uint32_t service)
{
	const struct service_piece *piece;

	if (!t->n_intervals)
		return (struct table_match){ 0 };
	piece = services_find(&t->services, node_at(t, point_of(a))->set, service);
	if (!piece || piece->len != addr_bits(a.family))
		return (struct table_match){ 0 };
	return (struct table_match){ piece->rule, piece->len };
}

/* Whether the piece's rule is the first somewhere, with `from` the deepest node there. */
static bool piece_wins(const struct table *t, const struct table_node *from,
		       const struct service_piece *piece)
{
	uint32_t at = piece->lo;

	for (;;) {
		const struct table_node *node = from;
		const struct service_piece *other = services_find(&t->services, node->set, at);

		while (!(other && other->rule < piece->rule) && node->parent) {
			node = &t->nodes[node->parent];
			other = services_find(&t->services, node->set, at);
		}
		if (!other || other->rule >= piece->rule)
			return true;
		if (other->hi >= piece->hi)
			return false;
		at = other->hi + 1;
	}
}

/* Pieces of which it is not yet known that they are the first ones somewhere. */
struct contest {
	bool *wins;     /* by rule */
	uint32_t *left; /* of each set, in place of its pieces: numbers of pieces */
	uint32_t *n;    /* how many, in place of the set's first piece ... */
	bool *counted;  /* ... once it was looked at */
};

/* Take out of the node's pieces those that win, with `from` the deepest node around. */
static void contest_node(const struct table *t, struct contest *c, const struct table_node *from,
			 const struct table_node *node)
{
	size_t n, kept = 0;
	const struct service_piece *piece = services_pieces(&t->services, node->set, &n);
	size_t first = piece - t->services.pieces;

	if (!n)
		return;
	if (!c->counted[first]) {
		c->counted[first] = true;
		c->n[first] = n;
		for (size_t i = 0; i < n; i++)
			c->left[first + i] = first + i;
	}
	for (size_t i = 0; i < c->n[first]; i++) {
		uint32_t number = c->left[first + i];
		const struct service_piece *at = &t->services.pieces[number];

		if (!c->wins[at->rule] && !piece_wins(t, from, at))
			c->left[first + kept++] = number;
		else
			c->wins[at->rule] = true;
	}
	c->n[first] = kept;
}

int table_winners(const struct table *t, bool *wins)
{
	size_t n = t->services.n_pieces;
	struct contest c = {
		.wins = wins,
		.left = calloc(n + 1, sizeof(*c.left)),
		.n = calloc(n + 1, sizeof(*c.n)),
		.counted = calloc(n + 1, sizeof(*c.counted)),
	};
	int ret = c.left && c.n && c.counted ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < t->n_intervals; i++) {
		const struct table_node *from = &t->intervals[i].node;
		const struct table_node *node = from;

		contest_node(t, &c, from, node);
		while (node->parent) {
			node = &t->nodes[node->parent];
			contest_node(t, &c, from, node);
		}
	}
	free(c.left);
	free(c.n);
	free(c.counted);
	return ret;
}
