/* SPDX-License-Identifier: MIT */
#include "policy/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/draft.h"

/* A line of a policy, and whether the other one has it as well. */
struct line {
	char *text;
	size_t place;
	bool common;
};

struct lines {
	struct line *v;
	size_t n;
};

static int add(struct lines *l, const char *key, const char *text)
{
	struct line *v = array_room(l->v, l->n, sizeof(*v));
	char *line;

	if (!v)
		return -ENOMEM;
	l->v = v;
	if (asprintf(&line, "%s%s%s", key, *key ? " " : "", text) < 0)
		return -ENOMEM;
	v[l->n] = (struct line){ .text = line, .place = l->n };
	l->n++;
	return 0;
}

static int lines_of(const struct draft *d, struct lines *out)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < draft_n_rules(d); i++)
		ret = add(out, "", draft_rule_at(d, i)->text);
	if (!ret && !d->preset.n)
		ret = add(out, "default", verdict_name(draft_fallback(d)));
	for (size_t i = 0; !ret && i < d->binds.n; i++)
		ret = add(out, d->bind == BIND_ALLOW ? "allow_bind" : "deny_bind",
			  d->binds.v[i].text);
	return ret;
}

static void lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].text);
	free(l->v);
}

static int by_text(const void *a, const void *b)
{
	const struct line *l = a;
	const struct line *m = b;
	int order = strcmp(l->text, m->text);

	if (order)
		return order;
	return (l->place > m->place) - (l->place < m->place);
}

static int by_place(const void *a, const void *b)
{
	const struct line *l = a;
	const struct line *m = b;

	return (l->place > m->place) - (l->place < m->place);
}

static void sort(struct lines *l, int (*order)(const void *, const void *))
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), order);
}

static void find_common(struct lines *a, struct lines *b)
{
	size_t i = 0, k = 0;

	sort(a, by_text);
	sort(b, by_text);
	while (i < a->n && k < b->n) {
		int order = strcmp(a->v[i].text, b->v[k].text);

		if (order == 0)
			a->v[i].common = b->v[k].common = true;
		i += order <= 0;
		k += order >= 0;
	}
	sort(a, by_place);
	sort(b, by_place);
}

static bool is_moved(const struct lines *a, const struct lines *b)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a->n && !a->v[i].common)
			i++;
		while (k < b->n && !b->v[k].common)
			k++;
		if (i == a->n || k == b->n)
			return false;
		if (strcmp(a->v[i++].text, b->v[k++].text))
			return true;
	}
}

/* Takes over the texts of those that only this policy has. */
static int take_own(struct lines *l, struct diff_lines *out)
{
	for (size_t i = 0; i < l->n; i++) {
		char **v;

		if (l->v[i].common)
			continue;
		v = array_room(out->v, out->n, sizeof(*v));
		if (!v)
			return -ENOMEM;
		out->v = v;
		v[out->n++] = l->v[i].text;
		l->v[i].text = NULL;
	}
	return 0;
}

int draft_diff(struct draft *from, struct draft *to, struct diff *out)
{
	struct lines a = { 0 }, b = { 0 };
	int ret = 0;

	*out = (struct diff){ 0 };
	if (from->family != to->family) {
		ret = draft_to_rules(from);
		if (!ret)
			ret = draft_to_rules(to);
	}
	if (!ret)
		ret = lines_of(from, &a);
	if (!ret)
		ret = lines_of(to, &b);
	if (!ret) {
		find_common(&a, &b);
		out->moved = is_moved(&a, &b);
		ret = take_own(&a, &out->removed);
	}
	if (!ret)
		ret = take_own(&b, &out->added);
	lines_free(&a);
	lines_free(&b);
	if (ret)
		diff_free(out);
	return ret;
}

static void texts_free(struct diff_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

void diff_free(struct diff *d)
{
	texts_free(&d->added);
	texts_free(&d->removed);
	*d = (struct diff){ 0 };
}
