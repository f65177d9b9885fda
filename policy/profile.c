/* SPDX-License-Identifier: MIT */
#include "policy/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/compile.h"
#include "policy/error.h"
#include "policy/toml.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { LINE_BYTES_MAX = 16384 };

struct reader {
	const char *text;
	size_t size;
	struct profile *profile;
	struct toml_place args_at;     /* the last of [program] args */
	const struct profile_key *key; /* of the array that is being read */
	struct policy_error *err;
};

enum shape { SHAPE_TEXT, SHAPE_TEXTS, SHAPE_NUMBER, SHAPE_PORTS, SHAPE_BOOLEAN };

/* What a value has to be: enum toml_type of it, and of its elements if it is an array. */
static const struct {
	unsigned int types, elements;
	const char *expected;
} shapes[] = {
	[SHAPE_TEXT] = { TOML_STRING, 0, "a text" },
	[SHAPE_TEXTS] = { TOML_ARRAY, TOML_STRING, "a list of texts" },
	[SHAPE_NUMBER] = { TOML_INTEGER, 0, "a number" },
	[SHAPE_PORTS] = { TOML_STRING | TOML_INTEGER | TOML_ARRAY, TOML_STRING | TOML_INTEGER,
			  "ports as numbers or texts" },
	[SHAPE_BOOLEAN] = { TOML_BOOLEAN, 0, "true or false" },
};

/* A key that a profile may have. */
struct profile_key {
	const char *table, *name;
	enum shape shape;
	/* What is done with the value, or with each element of it: this, */
	int (*set)(struct reader *r, const struct toml_value *v);
	/* or it becomes an item for this. */
	int (*add)(struct draft *d, const char *text, struct policy_error *err);
};

static int set_max_connections(struct reader *r, const struct toml_value *v);
static int add_word(struct reader *r, const struct toml_value *v);
static int add_block_file(struct reader *r, const struct toml_value *v);
static int set_log_json(struct reader *r, const struct toml_value *v);
static int set_log_text(struct reader *r, const struct toml_value *v);

static const struct profile_key keys[] = {
	{ "program", "exec", SHAPE_TEXT, .set = add_word },
	{ "program", "args", SHAPE_TEXTS, .set = add_word },
	{ "network", "allow", SHAPE_TEXTS, .add = draft_allow },
	{ "network", "deny", SHAPE_TEXTS, .add = draft_deny },
	{ "network", "rules", SHAPE_TEXTS, .add = draft_rule },
	{ "network", "preset", SHAPE_TEXT, .add = draft_preset },
	{ "network", "default", SHAPE_TEXT, .add = draft_default },
	{ "network", "allow_bind", SHAPE_PORTS, .add = draft_allow_bind },
	{ "network", "deny_bind", SHAPE_PORTS, .add = draft_deny_bind },
	{ "network", "max_connections", SHAPE_NUMBER, .set = set_max_connections },
	{ "dns", "block", SHAPE_TEXTS, .add = draft_block_domain },
	{ "dns", "block_suffix", SHAPE_TEXTS, .add = draft_block_suffix },
	{ "dns", "block_file", SHAPE_TEXTS, .set = add_block_file },
	{ "dns", "resolve", SHAPE_TEXT, .add = draft_resolve },
	{ "dns", "denied", SHAPE_TEXT, .add = draft_denied },
	{ "dns", "rebind_protection", SHAPE_BOOLEAN, .add = draft_rebind_protection },
	{ "dns", "encrypted", SHAPE_TEXT, .add = draft_encrypted },
	{ "dns", "upstream", SHAPE_TEXTS, .add = draft_upstream },
	{ "log", "json", SHAPE_TEXT, .set = set_log_json },
	{ "log", "text", SHAPE_TEXT, .set = set_log_text },
};

/* "LINE:COLUMN: " and the message. Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) static int fail(struct reader *r, struct toml_place at,
						      const char *fmt, ...)
{
	char text[sizeof(r->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return policy_error_set(r->err, "%u:%u: %s", at.line, at.column, text);
}

/* The line of the file, without the blanks in front: what a message quotes. */
static const char *line_of(const struct reader *r, unsigned int line, int *len)
{
	const char *at = r->text;
	const char *end = r->text + r->size;
	const char *next;

	while (line-- > 1 && (next = memchr(at, '\n', end - at)))
		at = next + 1;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	next = memchr(at, '\n', end - at);
	*len = (next ? next : end) - at;
	if (*len > 100)
		*len = 100;
	return at;
}

static int wrong_value(struct reader *r, const struct toml_value *v, const char *expected)
{
	int len;
	const char *line = line_of(r, v->at.line, &len);

	return fail(r, v->at, "%s.%s in '%.*s': expected %s", v->table, v->key, len, line,
		    expected);
}

static int add_item(struct reader *r, const struct toml_value *v)
{
	struct profile *p = r->profile;
	struct profile_item *items = array_room(p->items, p->n_items, sizeof(*items));
	char number[24];
	char *text;

	if (!items)
		return -ENOMEM;
	p->items = items;
	snprintf(number, sizeof(number), "%" PRId64, v->number);
	text = strdup(v->type == TOML_INTEGER ? number : v->text);
	if (!text)
		return -ENOMEM;
	items[p->n_items++] = (struct profile_item){
		.table = r->key->table,
		.key = r->key->name,
		.add = r->key->add,
		.text = text,
		.line = v->at.line,
		.column = v->at.column,
	};
	return 0;
}

static int set_max_connections(struct reader *r, const struct toml_value *v)
{
	if (v->number < 1 || v->number > PROFILE_CONNECTIONS_MAX)
		return wrong_value(r, v, "a number from 1 to 1000000000");
	r->profile->max_connections = v->number;
	return 0;
}

/* exec is the first word wherever it stands in the file; until then NULL is. */
static int add_word(struct reader *r, const struct toml_value *v)
{
	struct profile *p = r->profile;
	size_t at = v->element ? (p->n_command ? p->n_command : 1) : 0;
	size_t n = at < p->n_command ? p->n_command : at + 1;
	char **command;

	if (!v->element && !*v->text)
		return wrong_value(r, v, "the name of a program");
	command = reallocarray(p->command, n + 1, sizeof(*command));
	if (!command)
		return -ENOMEM;
	if (!p->n_command)
		command[0] = NULL;
	command[at] = strdup(v->text);
	command[n] = NULL;
	p->command = command;
	p->n_command = n;
	r->args_at = v->at;
	return command[at] ? 0 : -ENOMEM;
}

static int add_block_file(struct reader *r, const struct toml_value *v)
{
	struct profile *p = r->profile;
	struct profile_place *places;
	char **files;

	if (!*v->text)
		return wrong_value(r, v, "the name of a file");
	files = array_room(p->block_files, p->n_block_files, sizeof(*files));
	if (!files)
		return -ENOMEM;
	p->block_files = files;
	places = array_room(p->block_places, p->n_block_files, sizeof(*places));
	if (!places)
		return -ENOMEM;
	p->block_places = places;
	places[p->n_block_files] = (struct profile_place){ v->at.line, v->at.column };
	files[p->n_block_files] = strdup(v->text);
	return files[p->n_block_files++] ? 0 : -ENOMEM;
}

static int set_file(struct reader *r, const struct toml_value *v, char **file)
{
	if (!*v->text)
		return wrong_value(r, v, "a file name, or - for stderr");
	*file = strdup(v->text);
	return *file ? 0 : -ENOMEM;
}

static int set_log_json(struct reader *r, const struct toml_value *v)
{
	return set_file(r, v, &r->profile->log_json);
}

static int set_log_text(struct reader *r, const struct toml_value *v)
{
	return set_file(r, v, &r->profile->log_text);
}

/* Append the names of a table's keys, or of all tables. */
static void list_names(const char *table, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < COUNT(keys); i++) {
		bool again = i && !strcmp(keys[i].table, keys[i - 1].table);

		if (table ? strcmp(keys[i].table, table) : again)
			continue;
		len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
				table ? keys[i].name : keys[i].table);
	}
}

/* A key of the top level: one of the tables. */
static int check_table(struct reader *r, const struct toml_value *v)
{
	char names[100];

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (strcmp(keys[i].table, v->key))
			continue;
		return v->type == TOML_TABLE ? 0
					     : fail(r, v->key_at, QUOTED ": expected a table: [%s]",
						    v->key, v->key);
	}
	list_names(NULL, names, sizeof(names));
	return fail(r, v->key_at, QUOTED ": unknown key: expected one of the tables %s", v->key,
		    names);
}

static int find_key(struct reader *r, const struct toml_value *v)
{
	char names[200];

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (strcmp(keys[i].table, v->table) || strcmp(keys[i].name, v->key))
			continue;
		r->key = &keys[i];
		return 0;
	}
	list_names(v->table, names, sizeof(names));
	return fail(r, v->key_at, QUOTED ": unknown key in [%s]: expected one of %s", v->key,
		    v->table, names);
}

static int take_value(void *arg, const struct toml_value *v)
{
	struct reader *r = arg;
	enum shape shape;
	int ret;

	if (!v->table)
		return check_table(r, v);
	if (!v->element) {
		ret = find_key(r, v);
		if (ret)
			return ret;
	}
	shape = r->key->shape;
	if (!(v->type & (v->element ? shapes[shape].elements : shapes[shape].types)))
		return wrong_value(r, v, shapes[shape].expected);
	if (v->type == TOML_ARRAY)
		return 0;
	return r->key->add ? add_item(r, v) : r->key->set(r, v);
}

/* The length of the UTF-8 character (RFC 3629, section 4) at `s`, n bytes; 0 if there is none. */
static size_t utf8_length(const char *s, size_t n)
{
	const unsigned char *c = (const unsigned char *)s;
	size_t len = *c < 0x80   ? 1
		     : *c < 0xc2 ? 0
		     : *c < 0xe0 ? 2
		     : *c < 0xf0 ? 3
		     : *c < 0xf5 ? 4
				 : 0;

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, a surrogate, or beyond U+10FFFF. */
	if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) ||
	    (*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f))
		return 0;
	return len;
}

/*
 * What toml++ 3.3 is not asked to do. It tells where a text is not UTF-8 no more exactly than to 32
 * bytes. It makes a table for every dot of a key, which is on one line, and recurses when it frees
 * them: some 20 000 are too many for its stack.
 */
static int check_text(struct reader *r)
{
	struct toml_place at = { .line = 1, .column = 1 };
	const char *end = r->text + r->size;
	const char *line = r->text;
	size_t n;

	for (const char *s = r->text; s < end; s += n, at.column++) {
		n = utf8_length(s, end - s);
		if (!n)
			return fail(r, at,
				    "byte 0x%02x is not UTF-8: expected that, as in all TOML",
				    (unsigned char)*s);
		if (s - line >= LINE_BYTES_MAX)
			return fail(r, (struct toml_place){ at.line, 1 },
				    "'%.30s...': a long line: expected at most %d bytes", line,
				    LINE_BYTES_MAX);
		if (*s == '\n') {
			line = s + 1;
			at = (struct toml_place){ at.line + 1, 0 };
		}
	}
	return 0;
}

int profile_read(const char *text, size_t size, struct profile *out, struct policy_error *err)
{
	struct profile p = { 0 };
	struct reader r = { .text = text, .size = size, .profile = &p, .err = err };
	struct toml_error wrong = { .text = "" };
	int ret;

	ret = check_text(&r);
	if (!ret)
		ret = toml_read(text, size, take_value, &r, &wrong);
	if (*wrong.text) {
		int len;
		const char *line = line_of(&r, wrong.at.line, &len);

		ret = fail(&r, wrong.at, "'%.*s': not a profile: %s", len, line, wrong.text);
	}
	if (!ret && p.n_command && !p.command[0])
		ret = fail(&r, r.args_at, "'program.args': expected program.exec beside it");
	if (ret)
		profile_free(&p);
	else
		*out = p;
	return ret;
}

void profile_free(struct profile *p)
{
	for (size_t i = 0; i < p->n_items; i++)
		free(p->items[i].text);
	free(p->items);
	for (size_t i = 0; i < p->n_command; i++)
		free(p->command[i]);
	free(p->command);
	for (size_t i = 0; i < p->n_block_files; i++)
		free(p->block_files[i]);
	free(p->block_files);
	free(p->block_places);
	free(p->log_json);
	free(p->log_text);
}

/* Whether the command line has said this already; it can be said only once. */
static bool is_overridden(const struct profile_item *item, const struct draft *d)
{
	return (item->add == draft_default && d->has_default) ||
	       (item->add == draft_preset && d->preset_name) ||
	       (item->add == draft_resolve && d->dns.has_resolve);
}

int profile_add(const struct profile *p, struct draft *d, struct policy_error *err)
{
	for (size_t i = 0; i < p->n_items; i++) {
		const struct profile_item *item = &p->items[i];
		struct policy_error wrong;
		int ret;

		if (is_overridden(item, d))
			continue;
		ret = item->add(d, item->text, &wrong);
		if (ret == -EINVAL)
			policy_error_set(err, "%u:%u: %s.%s: %s", item->line, item->column,
					 item->table, item->key, wrong.text);
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_rule(const struct profile_item *item)
{
	return item->add == draft_allow || item->add == draft_deny || item->add == draft_rule;
}

void profile_list_path(const char *profile, const char *name, char *buf, size_t size)
{
	const char *slash = *name == '/' ? NULL : strrchr(profile, '/');
	int dir = slash ? (int)(slash - profile) + 1 : 0;

	snprintf(buf, size, "%.*s%s", dir, profile, name);
}

const struct profile_item *profile_rule(const struct profile *p, int rule)
{
	const struct profile_item *item = p->items;

	while (!is_rule(item) || --rule)
		item++;
	return item;
}
