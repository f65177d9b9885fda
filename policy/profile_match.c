/* SPDX-License-Identifier: MIT */
#include "policy/profile_match.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/dns.h"
#include "policy/draft.h"
#include "policy/error.h"
#include "policy/profile.h"
#include "policy/profile_edit.h"

/* The policy of a profile, with its rules as a list. */
struct side {
	struct draft *draft;
	struct profile rest; /* what else counts as policy */
};

/* Returns 0; -EINVAL with *err filled; -ENOMEM. */
static int side_read(struct side *s, const char *text, size_t size, struct policy_error *err)
{
	struct profile p;
	int ret;

	*s = (struct side){ .draft = draft_new() };
	if (!s->draft)
		return -ENOMEM;
	ret = profile_read(text, size, &p, err);
	if (ret)
		return ret;
	s->rest.max_connections = p.max_connections;
	ret = profile_add(&p, s->draft, err);
	profile_free(&p);
	return ret ? ret : draft_to_rules(s->draft);
}

/*
 * How many rules `wanted` has in front of those of `old`. Returns 0, or -EINVAL with *err filled
 * when `old` is not the end of it.
 */
static int count_new(const struct draft *old, const struct draft *wanted, size_t *out,
		     struct policy_error *err)
{
	size_t n = old->rules.n, m = wanted->rules.n;

	for (size_t i = 1; i <= n; i++) {
		const char *rule = old->rules.v[n - i].text;

		if (i > m || strcmp(rule, wanted->rules.v[m - i].text))
			return policy_error_set(err,
						" it has the rule " QUOTED
						", which the live policy does not have there",
						rule);
	}
	*out = m - n;
	return 0;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		if (strcspn(text, "\n") == len && !memcmp(text, line, len))
			return true;
	return false;
}

/* The first line of `text` that `other` does not have, comments aside; *len is 0 without one. */
static const char *odd_line(const char *text, const char *other, size_t *len)
{
	for (; *text; text += *len + 1) {
		*len = strcspn(text, "\n");
		if (*len && *text != '#' && !has_line(other, text, *len))
			return text;
	}
	*len = 0;
	return text;
}

/* Whether two texts of profile_write() say the same. Returns 0, or -EINVAL with *err filled. */
static int compare(const char *old, const char *wanted, struct policy_error *err)
{
	size_t len;
	const char *line = odd_line(old, wanted, &len);

	if (len)
		return policy_error_set(err, " it has '%.*s', which the live policy does not have",
					len > 100 ? 100 : (int)len, line);
	line = odd_line(wanted, old, &len);
	if (len)
		return policy_error_set(err,
					" it does not have '%.*s', as the live policy has: only "
					"rules are put into a profile",
					len > 100 ? 100 : (int)len, line);
	return 0;
}

static int compare_sides(const struct side *old, const struct side *wanted,
			 struct policy_error *err)
{
	char *a = profile_write(old->draft, &old->rest);
	char *b = profile_write(wanted->draft, &wanted->rest);
	int ret = a && b ? compare(a, b, err) : -ENOMEM;

	free(a);
	free(b);
	return ret;
}

static char *copy(const char *text, size_t size)
{
	char *out = malloc(size + 1);

	if (!out)
		return NULL;
	memcpy(out, text, size);
	out[size] = '\0';
	return out;
}

/* Put the first `n` rules of `wanted` in front, here and there. */
static int add_rules(struct side *old, const struct draft *wanted, size_t n, const char *text,
		     size_t size, char **out, struct policy_error *err)
{
	const char **rules = calloc(n + 1, sizeof(*rules));
	int ret = rules ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < n; i++)
		rules[i] = wanted->rules.v[i].text;
	if (!ret && n)
		ret = profile_edit_insert(text, size, rules, n, out, err);
	else if (!ret)
		ret = (*out = copy(text, size)) ? 0 : -ENOMEM;
	free(rules);
	for (size_t i = n; !ret && i > 0; i--)
		ret = draft_insert(old->draft, wanted->rules.v[i - 1].text, err);
	return ret;
}

static bool is_written(const struct draft *d, const struct profile *p, const char *text, size_t size)
{
	char *written = profile_write(d, p);
	bool same = written && strlen(written) == size && !memcmp(written, text, size);

	free(written);
	return same;
}

bool profile_is_written(const char *text, size_t size)
{
	struct draft *d = draft_new();
	struct policy_error err;
	struct profile p;
	bool same = false;

	if (d && !profile_read(text, size, &p, &err)) {
		if (!profile_add(&p, d, &err)) {
			same = is_written(d, &p, text, size);
			/* The same profile, of a run that had one, has a comment less. */
			draft_set_sinkhole(d);
			same = same || is_written(d, &p, text, size);
		}
		profile_free(&p);
	}
	draft_free(d);
	return same;
}

int profile_match(const char *text, size_t size, const char *wanted, size_t wanted_size, char **out,
		  struct policy_error *err)
{
	struct side a = { 0 }, b = { 0 };
	char *edited = NULL;
	size_t n = 0;
	int ret = side_read(&b, wanted, wanted_size, err);

	if (ret == -EINVAL)
		ret = -EBADMSG;
	if (!ret)
		ret = side_read(&a, text, size, err);
	if (!ret)
		ret = count_new(a.draft, b.draft, &n, err);
	if (!ret)
		ret = add_rules(&a, b.draft, n, text, size, &edited, err);
	if (!ret)
		ret = compare_sides(&a, &b, err);
	if (ret)
		free(edited);
	else
		*out = edited;
	draft_free(a.draft);
	draft_free(b.draft);
	return ret;
}
