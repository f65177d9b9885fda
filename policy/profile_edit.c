/* SPDX-License-Identifier: MIT */
#include "policy/profile_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/draft.h"
#include "policy/error.h"
#include "policy/profile.h"
#include "policy/profile_layout.h"

/* The rule without its action. */
static const char *spec_of(const struct draft_rule *rule)
{
	const char *spec = rule->text + strcspn(rule->text, " \t");

	return spec + strspn(spec, " \t");
}

/* The first elements of the list: on lines of their own where the list has lines. */
static void write_elements(struct edit *e, const struct draft_rule *rules, size_t n, bool bare)
{
	const struct layout *l = e->old;
	size_t at = layout_skip_blanks(l, l->list.value.at + 1);
	bool has_lines = at < l->size && strchr("#\r\n", l->text[at]);
	struct span indent = { 0 };

	edit_copy_to(e, has_lines ? layout_next_line(l, at) : at);
	if (l->list.n_elements)
		indent = layout_indent(l, l->list.elements[0].at);
	for (size_t i = 0; i < n; i++) {
		if (has_lines && indent.end > indent.at)
			edit_repeat(e, indent);
		else if (has_lines)
			fputc('\t', e->out);
		profile_write_text(e->out, bare ? spec_of(&rules[i]) : rules[i].text);
		if (has_lines)
			fprintf(e->out, ",%s", e->eol);
		else if (l->list.n_elements || i + 1 < n)
			fputs(", ", e->out);
	}
}

/*
 * Write the list as `rules`, of which `rules` is the new draft: its first `n` are the new ones, the
 * others are those of the elements.
 */
static void convert_list(struct edit *e, const struct draft_rules *rules, size_t n,
			 bool write_default)
{
	const struct layout *l = e->old;
	struct span indent = layout_indent(l, l->list.key_at);

	edit_copy_to(e, l->list.key_at);
	if (write_default && layout_is_inline(l)) {
		fputs("default = \"allow\", ", e->out);
	} else if (write_default) {
		fprintf(e->out, "default = \"allow\"%s", e->eol);
		edit_repeat(e, indent);
	}
	fputs("rules", e->out);
	e->done += strlen(l->list.key);
	write_elements(e, rules->v, n, false);
	for (size_t i = 0; i < l->list.n_elements && i + n < rules->n; i++) {
		edit_copy_to(e, l->list.elements[i].at);
		profile_write_text(e->out, rules->v[i + n].text);
		e->done = l->list.elements[i].end;
	}
}

/* A list for a profile that has none. */
static void add_list(struct edit *e, const struct draft_rule *rules, size_t n)
{
	const struct layout *l = e->old;
	bool is_inline = layout_is_inline(l);

	edit_to_network(e);
	fprintf(e->out, "rules = [%s", is_inline ? "" : e->eol);
	for (size_t i = 0; i < n; i++) {
		fputs(!is_inline ? "\t" : i ? ", " : "", e->out);
		profile_write_text(e->out, rules[i].text);
		if (!is_inline)
			fprintf(e->out, ",%s", e->eol);
	}
	fprintf(e->out, "]%s", !is_inline ? e->eol : l->n_keys ? "," : "");
}

/*
 * Whether the list can have the rule, without its action, and means the same by it. The rule has
 * then every scheme written down where the list is a `deny`. Returns 1, 0 or -ENOMEM.
 */
static int fits(const struct layout *l, struct draft_rule *rule)
{
	struct policy_error err;
	struct draft *d;
	bool deny = rule->verdict == VERDICT_DENY;
	int ret;

	/* An empty `deny` denies all, as an empty profile does; with one element it would not. */
	if (rule->dir != DIR_OUT || strcmp(l->list.key, verdict_name(rule->verdict)) ||
	    (deny && !l->list.n_elements))
		return 0;
	ret = deny ? draft_spell_out(rule) : 0;
	if (ret)
		return ret;
	d = draft_new();
	if (!d)
		return -ENOMEM;
	ret = deny ? draft_deny(d, spec_of(rule), &err) : draft_allow(d, spec_of(rule), &err);
	draft_free(d);
	return ret == -ENOMEM ? ret : !ret;
}

static int all_fit(const struct layout *l, struct draft_rules *rules)
{
	int ret = 1;

	for (size_t i = 0; ret > 0 && i < rules->n; i++)
		ret = fits(l, &rules->v[i]);
	return ret;
}

/* Make the new text of the layout. `d` is the policy with the `n` rules in front. */
static int write_edited(const struct layout *l, const struct profile *p, const struct draft *d,
			size_t n, bool opens, bool fitting, char **out)
{
	struct edit e;
	int ret = edit_begin(&e, l);

	if (ret)
		return ret;
	if (!*l->list.key)
		add_list(&e, d->rules.v, n);
	else if (fitting || !strcmp(l->list.key, "rules"))
		write_elements(&e, d->rules.v, n, fitting);
	else
		convert_list(&e, &d->rules, n, opens);
	return edit_end(&e, profile_write(d, p), out);
}

/* The edit itself, with the policy of the profile in `d` and the rules alone in `added`. */
static int insert(struct layout *l, const struct profile *p, struct draft *d, struct draft *added,
		  char **out, struct policy_error *err)
{
	bool opens = d->family == FAMILY_DENY && !d->has_default;
	struct draft_rules *rules = &added->rules;
	struct policy_error wrong;
	int fitting = all_fit(l, rules);
	int ret = fitting < 0 ? fitting : 0;

	for (size_t i = rules->n; !ret && i > 0; i--)
		ret = draft_insert(d, rules->v[i - 1].text, &wrong);
	if (ret == -EINVAL)
		policy_error_set(err, " %s", wrong.text);
	if (ret)
		return ret;
	ret = layout_is_plain(l) ? write_edited(l, p, d, rules->n, opens, fitting, out) : -EINVAL;
	if (ret == -EINVAL)
		policy_error_set(err,
				 " " QUOTED
				 ": cannot be put into a profile that is laid out like this "
				 "one: expected a list in [network]; write the rule by hand",
				 rules->v[0].text);
	return ret;
}

int profile_edit_insert(const char *text, size_t size, const char *const *rules, size_t n,
			char **out, struct policy_error *err)
{
	struct draft *d = draft_new();
	struct draft *added = draft_new();
	struct policy_error wrong;
	struct profile p = { 0 };
	struct layout l;
	int ret = d && added ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < n; i++)
		ret = draft_rule(added, rules[i], &wrong);
	if (ret == -EINVAL)
		policy_error_set(err, " %s", wrong.text);
	if (!ret)
		ret = profile_read(text, size, &p, err);
	if (ret)
		goto out;
	ret = profile_add(&p, d, err);
	if (!ret)
		ret = layout_read(&l, text, size);
	if (!ret) {
		ret = insert(&l, &p, d, added, out, err);
		layout_free(&l);
	}
	profile_free(&p);
out:
	draft_free(added);
	draft_free(d);
	return ret;
}
