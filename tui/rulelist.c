/* SPDX-License-Identifier: MIT */
#include "tui/rulelist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/profile_rules.h"

enum { MATCH_MAX = 4096 }; /* rows of another policy that are looked for one by one */

static void rows_free(struct rulelist_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		free(rows->v[i].text);
		free(rows->v[i].warning);
	}
	free(rows->v);
	*rows = (struct rulelist_rows){ 0 };
}

void rulelist_free(struct rulelist *r)
{
	rows_free(&r->rows);
	rows_free(&r->next);
	free(r->policy);
	free(r->order);
	*r = (struct rulelist){ 0 };
}

/* Append a copy; there is room. Returns 0 or -ENOMEM. */
static int append(struct rulelist_rows *rows, const struct rulelist_row *row)
{
	struct rulelist_row *copy = &rows->v[rows->n];

	*copy = *row;
	copy->text = strdup(row->text);
	copy->warning = row->warning ? strdup(row->warning) : NULL;
	if (copy->text && (copy->warning || !row->warning)) {
		rows->n++;
		return 0;
	}
	free(copy->text);
	free(copy->warning);
	return -ENOMEM;
}

static int make_room(struct rulelist_rows *rows, size_t n)
{
	*rows = (struct rulelist_rows){ .v = calloc(n + 1, sizeof(*rows->v)) };
	return rows->v ? 0 : -ENOMEM;
}

/* ---- a policy becomes rows ------------------------------------------------ */

static size_t next_on(const struct rulelist_rows *rows, size_t i)
{
	while (i < rows->n && rows->v[i].off)
		i++;
	return i;
}

/* Whether the rules of these rows, without those that are off, are those of the policy. */
static bool is_policy(const struct rulelist_rows *rows, const struct profile_rules *p)
{
	size_t i = next_on(rows, 0), k = 0;

	for (; i < rows->n && k < p->n; i = next_on(rows, i + 1), k++)
		if (strcmp(rows->v[i].text, p->v[k].text))
			return false;
	return i >= rows->n && k == p->n;
}

/* The row of the policy's rule `k`: an old one that is not used yet, by its text. */
static const struct rulelist_row *find(const struct rulelist_rows *old, bool *used, size_t *hint,
				       const char *text)
{
	for (size_t n = 0; n < old->n && n < MATCH_MAX; n++) {
		size_t i = (*hint + n) % old->n;

		if (used[i] || old->v[i].off || strcmp(old->v[i].text, text))
			continue;
		used[i] = true;
		*hint = i + 1;
		return &old->v[i];
	}
	return NULL;
}

/* The rows that are off behind the old row `at`; they stay behind it. */
static int append_off(struct rulelist_rows *rows, const struct rulelist_rows *old, bool *used,
		      size_t at)
{
	int ret = 0;

	for (size_t i = at; !ret && i < old->n && old->v[i].off && !used[i]; i++) {
		used[i] = true;
		ret = append(rows, &old->v[i]);
	}
	return ret;
}

static int merge(struct rulelist *r, const struct rulelist_rows *old, const struct profile_rules *p,
		 struct rulelist_rows *rows)
{
	bool *used = calloc(old->n + 1, sizeof(*used));
	size_t hint = 0;
	int ret = used ? make_room(rows, old->n + p->n) : -ENOMEM;

	if (!ret)
		ret = append_off(rows, old, used, 0);
	for (size_t k = 0; !ret && k < p->n; k++) {
		const struct rulelist_row *was = find(old, used, &hint, p->v[k].text);
		struct rulelist_row row = {
			.id = was ? was->id : ++r->ids,
			.text = p->v[k].text,
			.warning = p->v[k].warning,
			.lint = p->v[k].lint,
			.preset = k >= p->n_own,
			.hits = was ? was->hits : 0,
		};

		ret = append(rows, &row);
		if (!ret && was)
			ret = append_off(rows, old, used, (size_t)(was - old->v) + 1);
	}
	/* What they were behind is gone. */
	for (size_t i = 0; !ret && i < old->n; i++)
		if (old->v[i].off)
			ret = append_off(rows, old, used, i);
	free(used);
	return ret;
}

int rulelist_take(struct rulelist *r, const char *text, size_t size, uint64_t generation,
		  struct policy_error *err)
{
	struct rulelist_rows rows = { 0 };
	struct profile_rules p;
	char *copy;
	int ret = profile_rules_read(text, size, &p, err);

	if (ret)
		return ret;
	copy = malloc(size + 1);
	ret = copy ? merge(r, is_policy(&r->next, &p) ? &r->next : &r->rows, &p, &rows) : -ENOMEM;
	if (!ret) {
		size_t *order = calloc(rows.n + 1, sizeof(*order));

		ret = order ? 0 : -ENOMEM;
		if (order) {
			free(r->order);
			r->order = order;
			r->shown = 0;
		}
	}
	if (ret) {
		rows_free(&rows);
		free(copy);
	} else {
		memcpy(copy, text, size);
		copy[size] = '\0';
		free(r->policy);
		rows_free(&r->rows);
		rows_free(&r->next);
		r->policy = copy;
		r->size = size;
		r->generation = generation;
		r->rows = rows;
		r->preset = p.preset;
		r->fallback = p.fallback;
	}
	profile_rules_free(&p);
	return ret;
}

void rulelist_take_hits(struct rulelist *r, const char *text, uint64_t generation)
{
	char *end;

	if (generation != r->generation)
		return;
	for (size_t i = next_on(&r->rows, 0); i < r->rows.n; i = next_on(&r->rows, i + 1)) {
		r->rows.v[i].hits = strtoull(text, &end, 10);
		if (*end != '\n')
			return;
		text = end + 1;
	}
}

/* ---- what shows, and what is selected ------------------------------------- */

static long position(const struct rulelist *r)
{
	for (size_t i = 0; r->selected && i < r->shown; i++)
		if (r->rows.v[r->order[i]].id == r->selected)
			return (long)i;
	return -1;
}

static void show_selection(struct rulelist *r, unsigned int page)
{
	long at = position(r), top = (long)r->top;
	long last = r->shown > page ? (long)(r->shown - page) : 0;

	if (at >= 0) {
		top = top > at ? at : top;
		top = top + (long)page <= at ? at - (long)page + 1 : top;
	}
	r->top = (size_t)(top > last ? last : top);
}

void rulelist_arrange(struct rulelist *r, const char *filter, unsigned int page)
{
	r->shown = 0;
	for (size_t i = 0; i < r->rows.n; i++)
		if (strcasestr(r->rows.v[i].text, filter))
			r->order[r->shown++] = i;
	show_selection(r, page);
}

void rulelist_move(struct rulelist *r, long by, unsigned int page)
{
	long to = position(r);

	if (r->shown == 0)
		return;
	to = to >= 0 ? to + by : labs(by) <= 1 ? (long)r->top : by;
	to = to >= (long)r->shown ? (long)r->shown - 1 : to;
	to = to < 0 ? 0 : to;
	r->selected = r->rows.v[r->order[to]].id;
	show_selection(r, page);
}

void rulelist_select(struct rulelist *r, uint64_t id, unsigned int page)
{
	for (size_t i = 0; i < r->shown; i++)
		if (r->rows.v[r->order[i]].id == id)
			r->selected = id;
	show_selection(r, page);
}

bool rulelist_find(struct rulelist *r, const char *text, bool forward, unsigned int page)
{
	const long n = (long)r->shown, step = forward ? 1 : n - 1;
	long at = position(r);

	at = at >= 0 ? at + step : (long)r->top;
	for (long i = 0; i < n; i++, at += step) {
		const struct rulelist_row *row = &r->rows.v[r->order[at % n]];

		if (!strcasestr(row->text, text))
			continue;
		r->selected = row->id;
		show_selection(r, page);
		return true;
	}
	return false;
}

const struct rulelist_row *rulelist_selected(const struct rulelist *r)
{
	long at = position(r);

	return at >= 0 ? &r->rows.v[r->order[at]] : NULL;
}

/* ---- changes ---------------------------------------------------------------- */

/* Copy the rows to the next ones, of which *at is the row of that id. */
static int begin(struct rulelist *r, uint64_t id, size_t *at)
{
	int ret;

	rows_free(&r->next);
	ret = make_room(&r->next, r->rows.n + 1);
	*at = r->rows.n;
	for (size_t i = 0; !ret && i < r->rows.n; i++) {
		if (r->rows.v[i].id == id)
			*at = i;
		ret = append(&r->next, &r->rows.v[i]);
	}
	if (!ret && id && *at == r->rows.n)
		ret = -ENOENT;
	return ret;
}

/* The same, for a row that can be edited. */
static int begin_own(struct rulelist *r, uint64_t id, size_t *at)
{
	int ret = begin(r, id, at);

	return ret ? ret : *at == r->next.n || r->next.v[*at].preset ? -ENOENT : 0;
}

int rulelist_insert(struct rulelist *r, uint64_t id, const char *text)
{
	struct rulelist_row row = { .id = r->ids + 1, .text = (char *)text };
	size_t at, last = 0;
	int ret = begin(r, id, &at);

	if (ret)
		return ret;
	while (last < r->next.n && !r->next.v[last].preset)
		last++;
	at = at < last ? at : last;
	ret = append(&r->next, &row);
	if (ret)
		return ret;
	row = r->next.v[r->next.n - 1];
	memmove(&r->next.v[at + 1], &r->next.v[at], (r->next.n - 1 - at) * sizeof(row));
	r->next.v[at] = row;
	r->ids++;
	return 0;
}

int rulelist_replace(struct rulelist *r, uint64_t id, const char *text)
{
	size_t at;
	int ret = begin_own(r, id, &at);
	char *copy = ret ? NULL : strdup(text);

	if (!copy)
		return ret ? ret : -ENOMEM;
	free(r->next.v[at].text);
	r->next.v[at].text = copy;
	return 0;
}

int rulelist_remove(struct rulelist *r, uint64_t id)
{
	size_t at;
	int ret = begin_own(r, id, &at);

	if (ret)
		return ret;
	free(r->next.v[at].text);
	free(r->next.v[at].warning);
	r->next.n--;
	memmove(&r->next.v[at], &r->next.v[at + 1], (r->next.n - at) * sizeof(*r->next.v));
	return 0;
}

int rulelist_shift(struct rulelist *r, uint64_t id, int by)
{
	struct rulelist_row row;
	size_t at, to;
	int ret = begin_own(r, id, &at);

	if (ret)
		return ret;
	to = at + (size_t)by;
	if (to >= r->next.n || r->next.v[to].preset)
		return -ENOENT;
	row = r->next.v[at];
	r->next.v[at] = r->next.v[to];
	r->next.v[to] = row;
	return 0;
}

int rulelist_toggle(struct rulelist *r, uint64_t id)
{
	size_t at;
	int ret = begin_own(r, id, &at);

	if (!ret)
		r->next.v[at].off = !r->next.v[at].off;
	return ret;
}

static void adopt(struct rulelist *r)
{
	rows_free(&r->rows);
	r->rows = r->next;
	r->next = (struct rulelist_rows){ 0 };
}

/* The texts of the policy's own rules, to be freed as an array; NULL for want of memory. */
static const char **own_texts(const struct rulelist_rows *rows, size_t *n)
{
	const char **texts = calloc(rows->n + 1, sizeof(*texts));

	*n = 0;
	for (size_t i = 0; texts && i < rows->n; i++)
		if (!rows->v[i].off && !rows->v[i].preset)
			texts[(*n)++] = rows->v[i].text;
	return texts;
}

int rulelist_write(struct rulelist *r, char **out, struct policy_error *err)
{
	size_t n, n_now;
	const char **texts = own_texts(&r->next, &n), **now = own_texts(&r->rows, &n_now);
	bool same = texts && now && n == n_now;
	int ret = -ENOMEM;

	for (size_t i = 0; same && i < n; i++)
		same = !strcmp(texts[i], now[i]);
	if (same)
		adopt(r);
	else if (texts && now)
		ret = profile_rules_write(r->policy, r->size, texts, n, out, err);
	free(texts);
	free(now);
	return same ? 1 : ret;
}
