/* SPDX-License-Identifier: MIT */
#include "policy/profile_edit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/draft.h"
#include "policy/error.h"
#include "policy/profile.h"
#include "policy/toml.h"

/* Bytes of the text: from `at` up to `end`. */
struct span {
	size_t at, end;
};

/* Where things are in the text of a profile that is known to be one. */
struct layout {
	const char *text;
	size_t size;
	bool network;      /* there is a [network] */
	size_t network_at; /* its header, or the brace of an inline table */
	size_t n_keys;     /* that it has */
	char key[8];       /* "allow", "deny" or "rules", empty without a list */
	size_t key_at, list_at;
	struct span *elements; /* of the list */
	size_t n_elements;

	/* Where the last place was found: the next one is mostly behind it. */
	struct toml_place seen;
	size_t seen_at;
};

/* A new text that is being made of an old one. */
struct edit {
	const struct layout *old;
	size_t done; /* bytes of the old text that are copied or left out */
	const char *eol;
	FILE *out;
};

/* The offset of a place, or of the end when there is no such place. */
static size_t offset_of(struct layout *l, struct toml_place place)
{
	struct toml_place p = l->seen;
	size_t at = l->seen_at;

	if (place.line < p.line || (place.line == p.line && place.column < p.column)) {
		p = (struct toml_place){ 1, 1 };
		at = 0;
	}
	while (p.line < place.line && at < l->size) {
		const char *next = memchr(l->text + at, '\n', l->size - at);

		at = next ? (size_t)(next - l->text) + 1 : l->size;
		p = (struct toml_place){ p.line + 1, 1 };
	}
	/* A column is a character, of which the bytes behind the first are 10xxxxxx in UTF-8. */
	while (p.column < place.column && at < l->size) {
		do
			at++;
		while (at < l->size && ((unsigned char)l->text[at] & 0xc0) == 0x80);
		p.column++;
	}
	l->seen = p;
	l->seen_at = at;
	return at;
}

static bool is_list(const struct toml_value *v)
{
	return v->type == TOML_ARRAY &&
	       (!strcmp(v->key, "allow") || !strcmp(v->key, "deny") || !strcmp(v->key, "rules"));
}

static int find_place(void *arg, const struct toml_value *v)
{
	struct layout *l = arg;
	struct span *elements;

	if (!v->table && !strcmp(v->key, "network")) {
		l->network = true;
		l->network_at = offset_of(l, v->at);
	}
	if (!v->table || strcmp(v->table, "network"))
		return 0;
	if (!v->element) {
		l->n_keys++;
		/* Of two lists, one is empty: it counts for nothing. */
		if (is_list(v) && !l->n_elements) {
			snprintf(l->key, sizeof(l->key), "%s", v->key);
			l->key_at = offset_of(l, v->key_at);
			l->list_at = offset_of(l, v->at);
		}
		return 0;
	}
	if (strcmp(v->key, l->key))
		return 0;
	elements = array_room(l->elements, l->n_elements, sizeof(*elements));
	if (!elements)
		return -ENOMEM;
	l->elements = elements;
	elements[l->n_elements].at = offset_of(l, v->at);
	elements[l->n_elements++].end = offset_of(l, v->end);
	return 0;
}

static void copy_to(struct edit *e, size_t at)
{
	if (at <= e->done)
		return;
	fwrite(e->old->text + e->done, 1, at - e->done, e->out);
	e->done = at;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_blanks(const struct layout *l, size_t at)
{
	while (at < l->size && is_blank(l->text[at]))
		at++;
	return at;
}

/* Where the line that has `at` ends, with its end. */
static size_t next_line(const struct layout *l, size_t at)
{
	const char *next = memchr(l->text + at, '\n', l->size - at);

	return next ? (size_t)(next - l->text) + 1 : l->size;
}

/* The blanks in front of `at` when nothing else is on its line. */
static struct span indent_of(const struct layout *l, size_t at)
{
	size_t begin = at;

	while (begin && is_blank(l->text[begin - 1]))
		begin--;
	if (begin && l->text[begin - 1] != '\n')
		begin = at;
	return (struct span){ begin, at };
}

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
	size_t at = skip_blanks(l, l->list_at + 1);
	bool has_lines = at < l->size && strchr("#\r\n", l->text[at]);
	struct span indent = { 0 };

	copy_to(e, has_lines ? next_line(l, at) : at);
	if (l->n_elements)
		indent = indent_of(l, l->elements[0].at);
	for (size_t i = 0; i < n; i++) {
		if (has_lines && indent.end > indent.at)
			fwrite(l->text + indent.at, 1, indent.end - indent.at, e->out);
		else if (has_lines)
			fputc('\t', e->out);
		profile_write_text(e->out, bare ? spec_of(&rules[i]) : rules[i].text);
		if (has_lines)
			fprintf(e->out, ",%s", e->eol);
		else if (l->n_elements || i + 1 < n)
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
	struct span indent = indent_of(l, l->key_at);

	copy_to(e, l->key_at);
	if (write_default && l->text[l->network_at] == '{') {
		fputs("default = \"allow\", ", e->out);
	} else if (write_default) {
		fprintf(e->out, "default = \"allow\"%s", e->eol);
		fwrite(l->text + indent.at, 1, indent.end - indent.at, e->out);
	}
	fputs("rules", e->out);
	e->done += strlen(l->key);
	write_elements(e, rules->v, n, false);
	for (size_t i = 0; i < l->n_elements && i + n < rules->n; i++) {
		copy_to(e, l->elements[i].at);
		profile_write_text(e->out, rules->v[i + n].text);
		e->done = l->elements[i].end;
	}
}

/* A list for a profile that has none. */
static void add_list(struct edit *e, const struct draft_rule *rules, size_t n)
{
	const struct layout *l = e->old;
	bool is_inline = l->network && l->text[l->network_at] == '{';

	if (is_inline) {
		copy_to(e, l->network_at + 1);
		fputs(" rules = [", e->out);
	} else {
		copy_to(e, l->network ? next_line(l, l->network_at) : l->size);
		if (e->done && l->text[e->done - 1] != '\n')
			fputs(e->eol, e->out);
		if (!l->network)
			fprintf(e->out, "%s[network]%s", e->done ? e->eol : "", e->eol);
		fprintf(e->out, "rules = [%s", e->eol);
	}
	for (size_t i = 0; i < n; i++) {
		fputs(!is_inline ? "\t" : i ? ", " : "", e->out);
		profile_write_text(e->out, rules[i].text);
		if (!is_inline)
			fprintf(e->out, ",%s", e->eol);
	}
	fprintf(e->out, "]%s", !is_inline ? e->eol : l->n_keys ? "," : "");
}

/* Whether the text is what the parser's places say, as far as the edit relies on it. */
static bool is_plain(const struct layout *l)
{
	if (!*l->key)
		return !l->network || (l->network_at < l->size && (l->text[l->network_at] == '[' ||
								   l->text[l->network_at] == '{'));
	return l->list_at < l->size && l->text[l->list_at] == '[' &&
	       !strncmp(l->text + l->key_at, l->key, strlen(l->key));
}

/* What the text means, written the one way that profile_write() has; NULL with *ret set. */
static char *meaning(const char *text, size_t size, int *ret)
{
	struct policy_error err;
	struct profile p;
	struct draft *d = draft_new();
	char *written = NULL;

	*ret = d ? profile_read(text, size, &p, &err) : -ENOMEM;
	if (!*ret) {
		*ret = profile_add(&p, d, &err);
		if (!*ret)
			*ret = draft_to_rules(d);
		if (!*ret) {
			written = profile_write(d, &p);
			*ret = written ? 0 : -ENOMEM;
		}
		profile_free(&p);
	}
	draft_free(d);
	return written;
}

/* Whether `text` means `wanted`. Returns 0, -EINVAL when it does not, or -ENOMEM. */
static int check_meaning(const char *text, size_t size, const char *wanted)
{
	int ret;
	char *seen = meaning(text, size, &ret);

	if (!ret && strcmp(seen, wanted))
		ret = -EINVAL;
	free(seen);
	return ret;
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
	if (rule->dir != DIR_OUT || strcmp(l->key, verdict_name(rule->verdict)) ||
	    (deny && !l->n_elements))
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
static int write_edited(const struct layout *l, const struct draft *d, size_t n, bool opens,
			bool fitting, char **out, size_t *size)
{
	struct edit e = { .old = l };
	bool failed;

	e.eol = memmem(l->text, l->size, "\r\n", 2) ? "\r\n" : "\n";
	e.out = open_memstream(out, size);
	if (!e.out)
		return -ENOMEM;
	if (!*l->key)
		add_list(&e, d->rules.v, n);
	else if (fitting || !strcmp(l->key, "rules"))
		write_elements(&e, d->rules.v, n, fitting);
	else
		convert_list(&e, &d->rules, n, opens);
	copy_to(&e, l->size);
	failed = ferror(e.out);
	if (fclose(e.out) || failed) {
		free(*out);
		return -ENOMEM;
	}
	return 0;
}

/* The edit itself, with the policy of the profile in `d` and the rules alone in `added`. */
static int insert(struct layout *l, const struct profile *p, struct draft *d, struct draft *added,
		  char **out, struct policy_error *err)
{
	bool opens = d->family == FAMILY_DENY && !d->has_default;
	struct draft_rules *rules = &added->rules;
	struct policy_error wrong;
	char *wanted, *text = NULL;
	int fitting = all_fit(l, rules);
	int ret = fitting < 0 ? fitting : 0;
	size_t size;

	for (size_t i = rules->n; !ret && i > 0; i--)
		ret = draft_insert(d, rules->v[i - 1].text, &wrong);
	if (ret == -EINVAL)
		policy_error_set(err, " %s", wrong.text);
	if (ret)
		return ret;
	wanted = profile_write(d, p);
	if (!wanted)
		return -ENOMEM;
	ret = is_plain(l) ? write_edited(l, d, rules->n, opens, fitting, &text, &size) : -EINVAL;
	if (!ret) {
		ret = check_meaning(text, size, wanted);
		if (ret)
			free(text);
		else
			*out = text;
	}
	free(wanted);
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
	struct layout l = { .text = text, .size = size, .seen = { 1, 1 } };
	struct draft *d = draft_new();
	struct draft *added = draft_new();
	struct policy_error wrong;
	struct toml_error unread;
	struct profile p = { 0 };
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
		ret = toml_read(text, size, find_place, &l, &unread);
	if (!ret)
		ret = insert(&l, &p, d, added, out, err);
	free(l.elements);
	profile_free(&p);
out:
	draft_free(added);
	draft_free(d);
	return ret;
}
