/* SPDX-License-Identifier: MIT */
#include "policy/source.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/dns.h"
#include "policy/draft.h"
#include "policy/error.h"
#include "policy/profile.h"

/* Copies are made and freed by different threads. */
struct profile_text {
	_Atomic unsigned int users;
	char *path;
	size_t size;
	char text[];
};

/* Shared by copies, too, and as large as a block-list is. */
struct source_list {
	_Atomic unsigned int users;
	char *path;
	size_t size;
	char text[];
};

struct source_option {
	int (*add)(struct draft *d, const char *text, struct policy_error *err);
	const char *flag;
	char *text;
};

struct source_rule {
	char *text;
	uint64_t until; /* 0: for good */
	bool covered;   /* the profile stands for it, too: source_replace() */
};

struct source {
	struct source_option *options;
	size_t n_options;
	struct profile_text *profile; /* NULL: none */
	struct source_rule *inserted; /* in the order in which they came: the last is in front */
	size_t n_inserted;
	struct source_list **lists;
	char **list_paths; /* theirs */
	size_t n_lists;
	bool whole; /* the profile stands for the options, too */
	bool sinkhole, learns, panic;
};

struct source *source_new(void)
{
	return calloc(1, sizeof(struct source));
}

static void drop_profile(struct profile_text *p)
{
	if (!p || --p->users)
		return;
	free(p->path);
	free(p);
}

static void drop_list(struct source_list *l)
{
	if (--l->users)
		return;
	free(l->path);
	free(l);
}

void source_free(struct source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_options; i++)
		free(s->options[i].text);
	free(s->options);
	drop_profile(s->profile);
	for (size_t i = 0; i < s->n_lists; i++)
		drop_list(s->lists[i]);
	free(s->lists);
	free(s->list_paths);
	for (size_t i = 0; i < s->n_inserted; i++)
		free(s->inserted[i].text);
	free(s->inserted);
	free(s);
}

/* The list's reference becomes the source's. Returns 0 or -ENOMEM. */
static int keep_list(struct source *s, struct source_list *l)
{
	struct source_list **lists = array_room(s->lists, s->n_lists, sizeof(struct source_list *));
	char **paths;

	if (!lists)
		return -ENOMEM;
	s->lists = lists;
	paths = array_room(s->list_paths, s->n_lists, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	s->list_paths = paths;
	paths[s->n_lists] = l->path;
	lists[s->n_lists++] = l;
	return 0;
}

/* A copy of a rule behind those that were inserted before. Returns 0 or -ENOMEM. */
static int add_inserted(struct source *s, struct source_rule rule)
{
	struct source_rule *inserted = array_room(s->inserted, s->n_inserted, sizeof(*inserted));

	if (!inserted)
		return -ENOMEM;
	s->inserted = inserted;
	rule.text = strdup(rule.text);
	if (!rule.text)
		return -ENOMEM;
	inserted[s->n_inserted++] = rule;
	return 0;
}

struct source *source_copy(const struct source *s)
{
	struct source *copy = source_new();
	int ret = copy ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < s->n_options; i++)
		ret = source_add(copy, s->options[i].add, s->options[i].flag, s->options[i].text);
	for (size_t i = 0; !ret && i < s->n_inserted; i++)
		ret = add_inserted(copy, s->inserted[i]);
	for (size_t i = 0; !ret && i < s->n_lists; i++) {
		ret = keep_list(copy, s->lists[i]);
		if (!ret)
			s->lists[i]->users++;
	}
	if (ret) {
		source_free(copy);
		return NULL;
	}
	copy->sinkhole = s->sinkhole;
	copy->panic = s->panic;
	copy->whole = s->whole;
	copy->learns = s->learns;
	copy->profile = s->profile;
	if (copy->profile)
		copy->profile->users++;
	return copy;
}

int source_add(struct source *s, int (*add)(struct draft *, const char *, struct policy_error *),
	       const char *flag, const char *text)
{
	struct source_option *options = array_room(s->options, s->n_options, sizeof(*options));

	if (!options)
		return -ENOMEM;
	s->options = options;
	options[s->n_options] = (struct source_option){ add, flag, strdup(text) };
	if (!options[s->n_options].text)
		return -ENOMEM;
	s->n_options++;
	return 0;
}

int source_set_profile(struct source *s, const char *path, const char *text, size_t size)
{
	struct profile_text *p = malloc(sizeof(*p) + size);

	if (!p)
		return -ENOMEM;
	p->path = strdup(path);
	if (!p->path) {
		free(p);
		return -ENOMEM;
	}
	p->users = 1;
	p->size = size;
	memcpy(p->text, text, size);
	drop_profile(s->profile);
	s->profile = p;
	s->whole = false;
	for (size_t i = 0; i < s->n_inserted; i++)
		s->inserted[i].covered = false;
	return 0;
}

int source_replace(struct source *s, const char *path, const char *text, size_t size)
{
	char *kept = s->profile ? strdup(s->profile->path) : NULL;
	int ret = s->profile && !kept ? -ENOMEM
				      : source_set_profile(s, kept ? kept : path, text, size);

	free(kept);
	if (ret)
		return ret;
	s->whole = true;
	for (size_t i = 0; i < s->n_inserted; i++)
		s->inserted[i].covered = !s->inserted[i].until;
	return 0;
}

static bool has_rule(const struct draft *d, const char *text)
{
	for (size_t i = 0; i < d->rules.n; i++)
		if (!strcmp(d->rules.v[i].text, text))
			return true;
	return false;
}

void source_forget(struct source *s, const struct draft *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_inserted; i++) {
		if (s->inserted[i].covered && !has_rule(d, s->inserted[i].text))
			free(s->inserted[i].text);
		else
			s->inserted[kept++] = s->inserted[i];
	}
	s->n_inserted = kept;
}

int source_add_list(struct source *s, const char *path, const char *text, size_t size)
{
	struct source_list *l = malloc(sizeof(*l) + size);
	int ret = -ENOMEM;

	if (!l)
		return -ENOMEM;
	l->path = strdup(path);
	if (l->path)
		ret = keep_list(s, l);
	if (ret) {
		free(l->path);
		free(l);
		return ret;
	}
	l->users = 1;
	l->size = size;
	memcpy(l->text, text, size);
	return 0;
}

char **source_lists(const struct source *s, size_t *n)
{
	*n = s->n_lists;
	return s->list_paths;
}

void source_set_panic(struct source *s)
{
	s->panic = true;
}

bool source_panics(const struct source *s)
{
	return s->panic;
}

void source_set_sinkhole(struct source *s)
{
	s->sinkhole = true;
}

void source_set_learning(struct source *s)
{
	s->learns = true;
}

const char *source_profile(const struct source *s)
{
	return s->profile ? s->profile->path : NULL;
}

int source_insert(struct source *s, const char *rule)
{
	return source_insert_until(s, rule, 0);
}

int source_insert_until(struct source *s, const char *rule, uint64_t until)
{
	return add_inserted(s, (struct source_rule){ .text = (char *)rule, .until = until });
}

uint64_t source_ends(const struct source *s)
{
	uint64_t first = 0;

	for (size_t i = 0; i < s->n_inserted; i++) {
		uint64_t until = s->inserted[i].until;

		if (until && (!first || until < first))
			first = until;
	}
	return first;
}

static bool has_ended(const struct source_rule *r, uint64_t now)
{
	return r->until && r->until <= now;
}

size_t source_end(struct source *s, uint64_t now)
{
	size_t before = s->n_inserted, n = 0;

	for (size_t i = 0; i < before; i++) {
		if (has_ended(&s->inserted[i], now))
			free(s->inserted[i].text);
		else
			s->inserted[n++] = s->inserted[i];
	}
	s->n_inserted = n;
	return before - n;
}

bool source_has_ended(const struct source *s, int rule, uint64_t now)
{
	/* The last one that is not covered is number 1. */
	for (size_t i = s->n_inserted; rule > 0 && i-- > 0;)
		if (!s->inserted[i].covered && --rule == 0)
			return has_ended(&s->inserted[i], now);
	return false;
}

static int add_options(const struct source *s, struct draft *d, struct policy_error *err)
{
	struct policy_error wrong;
	int ret = 0;

	for (size_t i = 0; !ret && i < s->n_options; i++) {
		const struct source_option *o = &s->options[i];

		ret = o->add(d, o->text, &wrong);
		if (ret == -EINVAL)
			policy_error_set(err, "%s: %s", o->flag, wrong.text);
	}
	return ret;
}

/* Files are the business of whoever made the source: a list that it does not have is an error. */
static int add_list(const struct source *s, const struct profile *p, size_t at, struct draft *d,
		    struct policy_error *err)
{
	char path[2 * PATH_MAX];

	profile_list_path(s->profile->path, p->block_files[at], path, sizeof(path));
	for (size_t i = 0; i < s->n_lists; i++)
		if (!strcmp(s->lists[i]->path, path))
			return draft_block_list(d, s->lists[i]->text, s->lists[i]->size, err);
	return policy_error_set(err,
				"%u:%u: dns.block_file: " QUOTED
				": this run has not read it: expected a list that it began with",
				p->block_places[at].line, p->block_places[at].column, path);
}

static int add_profile(const struct source *s, struct draft *d, struct policy_error *err)
{
	const struct profile_text *p = s->profile;
	struct policy_error wrong;
	struct profile profile;
	int ret = profile_read(p->text, p->size, &profile, &wrong);

	if (!ret) {
		ret = profile_add(&profile, d, &wrong);
		for (size_t i = 0; !ret && i < profile.n_block_files; i++)
			ret = add_list(s, &profile, i, d, &wrong);
		profile_free(&profile);
	}
	if (ret == -EINVAL)
		policy_error_set(err, "%s:%s", p->path, wrong.text);
	return ret;
}

static int insert(struct draft *d, const struct source_rule *r, struct policy_error *err)
{
	int ret = draft_insert(d, r->text, err);

	if (!ret)
		d->rules.v[0].until = r->until;
	return ret;
}

int source_build(const struct source *s, struct draft **out, struct policy_error *err)
{
	struct draft *d = draft_new();
	int ret = d ? s->whole ? 0 : add_options(s, d, err) : -ENOMEM;

	if (!ret && s->profile)
		ret = add_profile(s, d, err);
	for (size_t i = 0; !ret && i < s->n_inserted; i++)
		if (!s->inserted[i].covered)
			ret = insert(d, &s->inserted[i], err);
	if (!ret && s->sinkhole)
		draft_set_sinkhole(d);
	if (!ret && s->panic)
		draft_set_panic(d);
	if (!ret && s->learns)
		draft_set_learning(d);
	if (ret)
		draft_free(d);
	else
		*out = d;
	return ret;
}
