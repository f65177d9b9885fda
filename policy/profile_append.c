/* SPDX-License-Identifier: MIT */
#include "policy/profile_append.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/draft.h"
#include "policy/error.h"
#include "policy/profile.h"
#include "policy/profile_layout.h"

struct lines {
	const struct profile_line *v;
	size_t n;
	bool bare; /* the list says the action */
};

static const char *spec_of(const char *rule)
{
	return rule + strlen("allow ");
}

static void write_line(struct edit *e, const struct profile_line *line, bool bare)
{
	fputs(line->remark || !line->rule ? "\t# " : "\t", e->out);
	if (line->rule) {
		profile_write_text(e->out, bare ? spec_of(line->rule) : line->rule);
		fputc(',', e->out);
	}
	if (line->comment)
		fprintf(e->out, "%s%s",
			!line->rule    ? ""
			: line->remark ? " "
				       : " # ",
			line->comment);
	fputs(e->eol, e->out);
}

static void write_lines(struct edit *e, const struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		write_line(e, &lines->v[i], lines->bare);
}

/* The bracket at the end of a list, from the end of its last element on. */
static size_t find_bracket(const struct layout *l, size_t at, bool *comma)
{
	*comma = false;
	while (at < l->size && l->text[at] != ']') {
		if (l->text[at] == '#') {
			at = layout_next_line(l, at);
			continue;
		}
		*comma |= l->text[at] == ',';
		at++;
	}
	return at;
}

static void append(struct edit *e, const struct place *p, const struct lines *lines)
{
	const struct layout *l = e->old;
	size_t last = p->n_elements ? p->elements[p->n_elements - 1].end : p->value.at + 1;
	bool comma;
	size_t bracket = find_bracket(l, last, &comma);
	struct span indent = layout_indent(l, bracket);

	edit_copy_to(e, last);
	if (p->n_elements && !comma)
		fputc(',', e->out);
	/* On lines of their own, in front of the bracket's line or making it one. */
	if (indent.at && l->text[indent.at - 1] == '\n') {
		edit_copy_to(e, indent.at);
	} else {
		edit_copy_to(e, bracket);
		fputs(e->eol, e->out);
	}
	write_lines(e, lines);
}

/* A new list, as the first of [network]. */
static void add_list(struct edit *e, const char *key, const struct lines *lines)
{
	const struct layout *l = e->old;

	edit_to_network(e);
	fprintf(e->out, "%s = [%s", key, e->eol);
	write_lines(e, lines);
	fputc(']', e->out);
	fputs(!layout_is_inline(l) ? e->eol : l->n_keys ? "," : "", e->out);
}

/* `allow_bind = 80` becomes a list. */
static void append_to_scalar(struct edit *e, const struct place *p, const struct lines *lines)
{
	edit_copy_to(e, p->value.at);
	fputc('[', e->out);
	edit_copy_to(e, p->value.end);
	fprintf(e->out, ",%s", e->eol);
	write_lines(e, lines);
	fputc(']', e->out);
}

static int write_edited(const struct layout *l, const struct place *p, const char *key,
			const struct lines *lines, char *wanted, char **out)
{
	struct edit e;
	int ret = layout_is_plain(l) ? edit_begin(&e, l) : -EINVAL;

	if (ret) {
		free(wanted);
		return ret;
	}
	if (!*p->key)
		add_list(&e, key, lines);
	else if (p->is_list)
		append(&e, p, lines);
	else
		append_to_scalar(&e, p, lines);
	return edit_end(&e, wanted, out);
}

/* A profile that is being added to. */
struct target {
	struct profile p;
	struct draft *draft;
	struct layout layout;
};

static void target_free(struct target *t)
{
	layout_free(&t->layout);
	profile_free(&t->p);
	draft_free(t->draft);
}

/* Returns 0, to be freed; -EINVAL with *err filled; -ENOMEM. */
static int target_read(struct target *t, const char *text, size_t size, struct policy_error *err)
{
	int ret;

	*t = (struct target){ .draft = draft_new() };
	if (!t->draft)
		return -ENOMEM;
	ret = profile_read(text, size, &t->p, err);
	if (!ret)
		ret = profile_add(&t->p, t->draft, err);
	if (!ret)
		ret = layout_read(&t->layout, text, size);
	if (ret)
		target_free(t);
	return ret;
}

/* What is added, added to the draft. Returns 0; -EINVAL with *err filled; -ENOMEM. */
static int add_to_draft(struct draft *d, const struct lines *lines, bool binds,
			struct policy_error *err)
{
	struct policy_error wrong;
	int ret = 0;

	for (size_t i = 0; !ret && i < lines->n; i++) {
		const struct profile_line *line = &lines->v[i];

		if (!line->rule || line->remark)
			continue;
		ret = binds         ? draft_allow_bind(d, line->rule, &wrong)
		      : lines->bare ? draft_allow(d, spec_of(line->rule), &wrong)
				    : draft_rule(d, line->rule, &wrong);
	}
	return ret == -EINVAL ? policy_error_set(err, " %s", wrong.text) : ret;
}

static int add(const char *text, size_t size, const struct profile_line *v, size_t n, bool binds,
	       char **out, struct policy_error *err)
{
	struct lines lines = { .v = v, .n = n };
	struct target t;
	const struct place *p;
	int ret = target_read(&t, text, size, err);

	if (ret)
		return ret;
	p = binds ? &t.layout.bind : &t.layout.list;
	lines.bare = !binds && !strcmp(p->key, "allow");
	ret = add_to_draft(t.draft, &lines, binds, err);
	if (!ret)
		ret = draft_to_rules(t.draft);
	if (!ret) {
		ret = write_edited(&t.layout, p, binds ? "allow_bind" : "rules", &lines,
				   profile_write(t.draft, &t.p), out);
		if (ret == -EINVAL)
			policy_error_set(err,
					 " a layout that cannot be added to: expected %s in "
					 "[network]",
					 binds ? "a list allow_bind" : "a list");
	}
	target_free(&t);
	return ret;
}

int profile_append_rules(const char *text, size_t size, const struct profile_line *lines, size_t n,
			 char **out, struct policy_error *err)
{
	return add(text, size, lines, n, false, out, err);
}

int profile_append_binds(const char *text, size_t size, const struct profile_line *lines, size_t n,
			 char **out, struct policy_error *err)
{
	return add(text, size, lines, n, true, out, err);
}
