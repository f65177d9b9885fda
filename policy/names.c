/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * Bindings are the elements of an array and numbered from 1. Those whose addresses hash alike are a
 * list, the latest first. A heap of their numbers has the one that ends first on top: when all
 * are in use, that one is given up. A lookup reads one list and changes nothing. An address has a
 * bounded number of names, as every decision about it looks at all of them, and whoever owns a
 * domain can give it any number.
 */
#include "policy/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/array.h"

/* Copies of the table share them. */
struct name {
	struct name *next; /* of those that are given up */
	char text[];
};

struct binding {
	struct addr addr;
	struct name *name;
	uint64_t until;
	uint32_t next; /* of the list, or 0 */
	uint32_t heap; /* where it stands in the heap */
};

struct copies {
	unsigned n;        /* of the table, without the table itself */
	struct name *gone; /* from the table, but perhaps not from its copies */
};

struct names {
	struct copies *copies; /* one for the table and all of them */
	bool is_copy;
	struct binding *bindings; /* number N is bindings[N - 1] */
	uint32_t *heap;           /* of numbers */
	uint32_t n;
	uint64_t secret; /* so that a name server cannot choose addresses that hash alike */
	uint32_t lists[NAMES_MAX]; /* the first of each, or 0 */
};

struct names *names_new(void)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->copies = calloc(1, sizeof(*n->copies));
	if (!n->copies) {
		free(n);
		return NULL;
	}
	if (getrandom(&n->secret, sizeof(n->secret), GRND_NONBLOCK) != sizeof(n->secret))
		n->secret = (uintptr_t)n; /* lists may get longer than they should: no more */
	return n;
}

static struct name *name_new(const char *text)
{
	struct name *name = malloc(sizeof(*name) + strlen(text) + 1);

	if (name)
		strcpy(name->text, text);
	return name;
}

static void give_up(struct names *n, struct name *name)
{
	if (!n->copies->n) {
		free(name);
		return;
	}
	name->next = n->copies->gone;
	n->copies->gone = name;
}

static void free_gone(struct copies *c)
{
	while (c->gone) {
		struct name *next = c->gone->next;

		free(c->gone);
		c->gone = next;
	}
}

void names_free(struct names *n)
{
	if (!n)
		return;
	if (n->is_copy) {
		if (--n->copies->n == 0)
			free_gone(n->copies);
	} else {
		for (uint32_t i = 0; i < n->n; i++)
			free(n->bindings[i].name);
		free_gone(n->copies);
		free(n->copies);
	}
	free(n->bindings);
	free(n->heap);
	free(n);
}

static uint32_t *list_of(const struct names *n, struct addr addr)
{
	uint64_t hash = n->secret ^ addr.family;
	uint64_t half[2];

	memcpy(half, addr.bytes, sizeof(half));
	for (int i = 0; i < 2; i++) {
		unsigned __int128 product =
			(unsigned __int128)(hash ^ half[i]) * 0x9e3779b97f4a7c15;

		hash = (uint64_t)product ^ (uint64_t)(product >> 64);
	}
	return (uint32_t *)&n->lists[hash % NAMES_MAX];
}

static struct binding *binding(const struct names *n, uint32_t number)
{
	return &n->bindings[number - 1];
}

/* Whether what stands at i in the heap ends before what stands at k. */
static bool ends_before(const struct names *n, uint32_t i, uint32_t k)
{
	return binding(n, n->heap[i])->until < binding(n, n->heap[k])->until;
}

static void heap_swap(struct names *n, uint32_t i, uint32_t k)
{
	uint32_t number = n->heap[i];

	n->heap[i] = n->heap[k];
	n->heap[k] = number;
	binding(n, n->heap[i])->heap = i;
	binding(n, n->heap[k])->heap = k;
}

/* Put what stands at i in its place. */
static void heap_settle(struct names *n, uint32_t i)
{
	for (; i && ends_before(n, i, (i - 1) / 2); i = (i - 1) / 2)
		heap_swap(n, i, (i - 1) / 2);
	for (;;) {
		uint32_t first = i;

		for (uint32_t k = 2 * i + 1; k <= 2 * i + 2 && k < n->n; k++)
			if (ends_before(n, k, first))
				first = k;
		if (first == i)
			return;
		heap_swap(n, i, first);
		i = first;
	}
}

/* Take a binding out of its list. */
static void unlink_binding(struct names *n, uint32_t number)
{
	uint32_t *link = list_of(n, binding(n, number)->addr);

	while (*link != number)
		link = &binding(n, *link)->next;
	*link = binding(n, number)->next;
}

static void link_binding(struct names *n, uint32_t number)
{
	uint32_t *list = list_of(n, binding(n, number)->addr);

	binding(n, number)->next = *list;
	*list = number;
}

/* What a new binding has to replace: of so many of an address the first to end, or 0. */
static uint32_t surplus(const struct names *n, struct addr addr)
{
	uint32_t number = *list_of(n, addr);
	uint32_t first = 0, count = 0;

	for (; number; number = binding(n, number)->next) {
		if (!addr_equal(binding(n, number)->addr, addr))
			continue;
		count++;
		if (!first || binding(n, number)->until <= binding(n, first)->until)
			first = number;
	}
	if (count >= NAMES_OF_ADDRESS)
		return first;
	return n->n == NAMES_MAX ? n->heap[0] : 0;
}

/*
 * The number of a binding for `addr` that may be overwritten, whose place in the heap is set, or
 * -ENOMEM.
 */
static int take_number(struct names *n, struct addr addr)
{
	uint32_t number = surplus(n, addr);
	struct binding *bindings;
	uint32_t *heap;

	if (number) {
		unlink_binding(n, number);
		give_up(n, binding(n, number)->name);
		return (int)number;
	}
	bindings = array_room(n->bindings, n->n, sizeof(*bindings));
	if (!bindings)
		return -ENOMEM;
	n->bindings = bindings;
	heap = array_room(n->heap, n->n, sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	n->heap = heap;
	heap[n->n] = n->n + 1;
	bindings[n->n] = (struct binding){ .heap = n->n };
	return (int)++n->n;
}

int names_bind(struct names *n, struct addr addr, const char *name, uint64_t until)
{
	uint32_t number = *list_of(n, addr);
	struct binding *b;
	struct name *copy;
	int ret;

	while (number && !(addr_equal(binding(n, number)->addr, addr) &&
			   !strcmp(binding(n, number)->name->text, name)))
		number = binding(n, number)->next;
	if (number) {
		b = binding(n, number);
		unlink_binding(n, number);
		if (b->until < until)
			b->until = until;
	} else {
		copy = name_new(name);
		ret = copy ? take_number(n, addr) : -ENOMEM;
		if (ret < 0) {
			free(copy);
			return ret;
		}
		number = (uint32_t)ret;
		b = binding(n, number);
		b->addr = addr;
		b->name = copy;
		b->until = until;
	}
	link_binding(n, number);
	heap_settle(n, b->heap);
	return 0;
}

const char *names_next(const struct names *n, struct addr addr, uint64_t now, uint32_t *at)
{
	uint32_t number = *at ? binding(n, *at)->next : *list_of(n, addr);

	for (; number; number = binding(n, number)->next) {
		const struct binding *b = binding(n, number);

		if (b->until > now && addr_equal(b->addr, addr)) {
			*at = number;
			return b->name->text;
		}
	}
	return NULL;
}

/* Nothing is allocated for a name: with all of them in use that took longer than a frame. */
struct names *names_copy(const struct names *n)
{
	struct names *copy = malloc(sizeof(*copy));
	struct binding *bindings = malloc((n->n + 1) * sizeof(*bindings));

	if (!copy || !bindings) {
		free(copy);
		free(bindings);
		return NULL;
	}
	*copy = *n;
	copy->is_copy = true;
	copy->heap = NULL; /* for what is bound later */
	copy->bindings = bindings;
	if (n->n)
		memcpy(bindings, n->bindings, n->n * sizeof(*bindings));
	copy->copies->n++;
	return copy;
}

size_t names_count(const struct names *n)
{
	return n->n;
}
