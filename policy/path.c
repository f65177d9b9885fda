/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * Whole names are sorted and searched by halves. So are the beginnings, each with a link to the
 * longest other one that it begins with itself. All that begins with P stands in one stretch from P
 * on, so the last beginning that is not behind a name in the order begins with every beginning that
 * fits the name: going up its links until one is no longer than what it has in common with the name
 * gives the longest that fits, and that one knows the lowest rule on the way to the top.
 */
#include "policy/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct path_node {
	const char *text;
	size_t len;
	int rule;      /* the lowest of this text */
	int best;      /* the lowest of this text and of all beginnings of it */
	size_t parent; /* index of the longest other beginning of it, or NONE */
};

static const size_t NONE = (size_t)-1;

static int by_text(const void *a, const void *b)
{
	const struct path_node *m = a;
	const struct path_node *n = b;
	int order = strcmp(m->text, n->text);

	return order ? order : m->rule - n->rule;
}

/* Sort, and keep of each text the lowest rule. Returns how many are left. */
static size_t sort_nodes(struct path_node *v, size_t n)
{
	size_t kept = 0;

	qsort(v, n, sizeof(*v), by_text);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(v[kept - 1].text, v[i].text))
			v[kept++] = v[i];
	return kept;
}

static int lower(int a, int b)
{
	return b && (!a || b < a) ? b : a;
}

static void link_prefixes(struct path_node *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t parent = i ? i - 1 : NONE;

		while (parent != NONE && strncmp(v[parent].text, v[i].text, v[parent].len))
			parent = v[parent].parent;
		v[i].parent = parent;
		v[i].best = lower(v[i].rule, parent == NONE ? 0 : v[parent].best);
	}
}

static struct path_node *collect(const struct path_entry *entries, size_t n, bool prefix,
				 size_t *count)
{
	struct path_node *v = reallocarray(NULL, n + 1, sizeof(*v));

	*count = 0;
	for (size_t i = 0; v && i < n; i++) {
		if (entries[i].prefix != prefix)
			continue;
		v[(*count)++] = (struct path_node){
			.text = entries[i].text,
			.len = strlen(entries[i].text),
			.rule = entries[i].rule,
			.best = entries[i].rule,
			.parent = NONE,
		};
	}
	if (v)
		*count = sort_nodes(v, *count);
	return v;
}

int path_table_build(struct path_table *t, const struct path_entry *entries, size_t n)
{
	*t = (struct path_table){ 0 };
	t->exact = collect(entries, n, false, &t->n_exact);
	t->prefix = collect(entries, n, true, &t->n_prefix);
	if (!t->exact || !t->prefix)
		return -ENOMEM;
	link_prefixes(t->prefix, t->n_prefix);
	return 0;
}

void path_table_free(struct path_table *t)
{
	free(t->exact);
	free(t->prefix);
	*t = (struct path_table){ 0 };
}

/* How many of the sorted nodes are not behind `name`. */
static size_t count_until(const struct path_node *v, size_t n, const char *name)
{
	size_t at = 0;

	while (at < n) {
		size_t mid = at + (n - at) / 2;

		if (strcmp(v[mid].text, name) <= 0)
			at = mid + 1;
		else
			n = mid;
	}
	return at;
}

static size_t common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static int find_exact(const struct path_table *t, const char *name)
{
	size_t n = count_until(t->exact, t->n_exact, name);

	return n && !strcmp(t->exact[n - 1].text, name) ? t->exact[n - 1].rule : 0;
}

static int find_prefix(const struct path_table *t, const char *name)
{
	size_t n = count_until(t->prefix, t->n_prefix, name);
	size_t at = n ? n - 1 : NONE;
	size_t shared = n ? common(t->prefix[at].text, name) : 0;

	while (at != NONE && t->prefix[at].len > shared)
		at = t->prefix[at].parent;
	return at == NONE ? 0 : t->prefix[at].best;
}

int path_table_find(const struct path_table *t, const char *name)
{
	return lower(find_exact(t, name), find_prefix(t, name));
}

bool path_entry_matches(const struct path_entry *e, const char *name)
{
	return e->prefix ? !strncmp(name, e->text, strlen(e->text)) : !strcmp(name, e->text);
}

int path_table_winner(const struct path_table *t, const struct path_entry *e)
{
	return e->prefix ? find_prefix(t, e->text) : path_table_find(t, e->text);
}
