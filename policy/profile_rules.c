/* SPDX-License-Identifier: MIT */
#include "policy/profile_rules.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/draft.h"
#include "policy/lint.h"
#include "policy/profile.h"

/* The draft of a profile, which is to be freed as well after success. */
static int read_draft(const char *text, size_t size, struct profile *profile, struct draft **out,
		      struct policy_error *err)
{
	struct draft *d;
	int ret = profile_read(text, size, profile, err);

	if (ret)
		return ret;
	d = draft_new();
	ret = d ? profile_add(profile, d, err) : -ENOMEM;
	if (ret) {
		draft_free(d);
		profile_free(profile);
	} else {
		*out = d;
	}
	return ret;
}

/* The first warning about each rule. */
static int take_warning(void *arg, const struct lint_warning *w)
{
	struct profile_rules *r = arg;
	struct profile_rule_text *rule = &r->v[w->rule - 1];

	if (rule->warning)
		return 0;
	rule->warning = strdup(w->text);
	rule->lint = lint_name(w->id);
	return rule->warning ? 0 : -ENOMEM;
}

static int list_rules(const struct draft *d, struct profile_rules *r)
{
	const size_t n = draft_n_rules(d);

	*r = (struct profile_rules){ .preset = d->preset_name, .n_own = d->rules.n };
	if (!r->preset)
		r->fallback = verdict_name(draft_fallback(d));
	r->v = calloc(n + 1, sizeof(*r->v));
	if (!r->v)
		return -ENOMEM;
	for (; r->n < n; r->n++) {
		r->v[r->n].text = strdup(draft_rule_at(d, r->n)->text);
		if (!r->v[r->n].text)
			return -ENOMEM;
	}
	return lint(d, take_warning, r);
}

int profile_rules_read(const char *text, size_t size, struct profile_rules *out,
		       struct policy_error *err)
{
	struct profile profile;
	struct draft *d;
	int ret = read_draft(text, size, &profile, &d, err);

	if (ret)
		return ret;
	ret = draft_to_rules(d);
	if (!ret) {
		ret = list_rules(d, out);
		if (ret)
			profile_rules_free(out);
	}
	draft_free(d);
	profile_free(&profile);
	return ret;
}

void profile_rules_free(struct profile_rules *r)
{
	for (size_t i = 0; r->v && i < r->n; i++) {
		free(r->v[i].text);
		free(r->v[i].warning);
	}
	free(r->v);
	*r = (struct profile_rules){ 0 };
}

static bool is_rule(const struct profile_item *item)
{
	return !strcmp(item->table, "network") &&
	       (!strcmp(item->key, "allow") || !strcmp(item->key, "deny") ||
		!strcmp(item->key, "rules"));
}

/* Leave the profile without items, as profile_write() wants it. */
static void drop_items(struct profile *p, bool (*which)(const struct profile_item *))
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_items; i++) {
		if (!which || which(&p->items[i]))
			free(p->items[i].text);
		else
			p->items[kept++] = p->items[i];
	}
	p->n_items = kept;
}

int profile_rules_write(const char *text, size_t size, const char *const *rules, size_t n,
			char **out, struct policy_error *err)
{
	struct profile profile;
	struct draft *d;
	int ret = profile_read(text, size, &profile, err);

	if (ret)
		return ret;
	drop_items(&profile, is_rule);
	d = draft_new();
	ret = d ? 0 : -ENOMEM;
	/* First: what is wrong with a rule is said without a place. */
	for (size_t i = 0; !ret && i < n; i++)
		ret = draft_rule(d, rules[i], err);
	if (!ret)
		ret = profile_add(&profile, d, err);
	if (!ret) {
		drop_items(&profile, NULL);
		*out = profile_write(d, &profile);
		ret = *out ? 0 : -ENOMEM;
	}
	draft_free(d);
	profile_free(&profile);
	return ret;
}
