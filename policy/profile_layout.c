/* SPDX-License-Identifier: MIT */
#include "policy/profile_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/draft.h"
#include "policy/profile.h"

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
		at = layout_next_line(l, at);
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

static bool is_rules(const struct toml_value *v)
{
	return v->type == TOML_ARRAY &&
	       (!strcmp(v->key, "allow") || !strcmp(v->key, "deny") || !strcmp(v->key, "rules"));
}

/* The place that a key or an element belongs to, or NULL. */
static struct place *place_of(struct layout *l, const struct toml_value *v)
{
	if (!strcmp(v->key, "allow_bind"))
		return &l->bind;
	if (v->element)
		return strcmp(v->key, l->list.key) ? NULL : &l->list;
	/* Of two lists, one is empty: it counts for nothing. */
	return is_rules(v) && !l->list.n_elements ? &l->list : NULL;
}

static int find_element(struct layout *l, struct place *p, const struct toml_value *v)
{
	struct span *elements = array_room(p->elements, p->n_elements, sizeof(*elements));

	if (!elements)
		return -ENOMEM;
	p->elements = elements;
	elements[p->n_elements].at = offset_of(l, v->at);
	elements[p->n_elements++].end = offset_of(l, v->end);
	return 0;
}

static int find_place(void *arg, const struct toml_value *v)
{
	struct layout *l = arg;
	struct place *p;

	if (!v->table && !strcmp(v->key, "network")) {
		l->network = true;
		l->network_at = offset_of(l, v->at);
	}
	if (!v->table || strcmp(v->table, "network"))
		return 0;
	l->n_keys += !v->element;
	p = place_of(l, v);
	if (!p)
		return 0;
	if (v->element)
		return find_element(l, p, v);
	snprintf(p->key, sizeof(p->key), "%s", v->key);
	p->is_list = v->type == TOML_ARRAY;
	p->key_at = offset_of(l, v->key_at);
	p->value.at = offset_of(l, v->at);
	if (!p->is_list)
		p->value.end = offset_of(l, v->end);
	return 0;
}

int layout_read(struct layout *l, const char *text, size_t size)
{
	struct toml_error err;
	int ret;

	*l = (struct layout){ .text = text, .size = size, .seen = { 1, 1 } };
	ret = toml_read(text, size, find_place, l, &err);
	if (ret)
		layout_free(l);
	return ret;
}

void layout_free(struct layout *l)
{
	free(l->list.elements);
	free(l->bind.elements);
	l->list.elements = l->bind.elements = NULL;
}

static bool is_plain(const struct layout *l, const struct place *p)
{
	return !*p->key || (p->value.at < l->size && (!p->is_list || l->text[p->value.at] == '[') &&
			    !strncmp(l->text + p->key_at, p->key, strlen(p->key)));
}

bool layout_is_plain(const struct layout *l)
{
	if (!*l->list.key && l->network &&
	    (l->network_at >= l->size ||
	     (l->text[l->network_at] != '[' && l->text[l->network_at] != '{')))
		return false;
	return is_plain(l, &l->list) && is_plain(l, &l->bind);
}

bool layout_is_inline(const struct layout *l)
{
	return l->network && l->network_at < l->size && l->text[l->network_at] == '{';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t layout_skip_blanks(const struct layout *l, size_t at)
{
	while (at < l->size && is_blank(l->text[at]))
		at++;
	return at;
}

size_t layout_next_line(const struct layout *l, size_t at)
{
	const char *next = memchr(l->text + at, '\n', l->size - at);

	return next ? (size_t)(next - l->text) + 1 : l->size;
}

struct span layout_indent(const struct layout *l, size_t at)
{
	size_t begin = at;

	while (begin && is_blank(l->text[begin - 1]))
		begin--;
	if (begin && l->text[begin - 1] != '\n')
		begin = at;
	return (struct span){ begin, at };
}

int edit_begin(struct edit *e, const struct layout *old)
{
	*e = (struct edit){ .old = old };
	e->eol = memmem(old->text, old->size, "\r\n", 2) ? "\r\n" : "\n";
	e->out = open_memstream(&e->text, &e->size);
	return e->out ? 0 : -ENOMEM;
}

void edit_copy_to(struct edit *e, size_t at)
{
	if (at <= e->done)
		return;
	edit_repeat(e, (struct span){ e->done, at });
	e->done = at;
}

void edit_to_network(struct edit *e)
{
	const struct layout *l = e->old;

	if (layout_is_inline(l)) {
		edit_copy_to(e, l->network_at + 1);
		fputc(' ', e->out);
		return;
	}
	edit_copy_to(e, l->network ? layout_next_line(l, l->network_at) : l->size);
	if (e->done && l->text[e->done - 1] != '\n')
		fputs(e->eol, e->out);
	if (!l->network)
		fprintf(e->out, "%s[network]%s", e->done ? e->eol : "", e->eol);
}

void edit_repeat(struct edit *e, struct span s)
{
	fwrite(e->old->text + s.at, 1, s.end - s.at, e->out);
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

int edit_end(struct edit *e, char *wanted, char **out)
{
	bool failed;
	int ret;

	edit_copy_to(e, e->old->size);
	failed = ferror(e->out);
	failed |= fclose(e->out) != 0;
	ret = failed || !wanted ? -ENOMEM : check_meaning(e->text, e->size, wanted);
	free(wanted);
	if (ret)
		free(e->text);
	else
		*out = e->text;
	return ret;
}
