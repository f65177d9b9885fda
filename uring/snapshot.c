/* SPDX-License-Identifier: MIT */
#include "uring/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct snapshot *snapshot_new(struct policy *policy, struct source *source)
{
	struct snapshot *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct snapshot){ .policy = policy, .source = source, .refs = 1 };
	s->hits = calloc((size_t)policy_rules(policy) + 1, sizeof(*s->hits));
	if (!s->hits) {
		free(s);
		return NULL;
	}
	return s;
}

void snapshot_free(struct snapshot *list)
{
	while (list) {
		struct snapshot *s = list;

		list = s->next;
		policy_free(s->policy);
		source_free(s->source);
		free(s->hits);
		free(s);
	}
}

struct numbered {
	const char *text;
	int rule;
};

static int by_text(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

/* The rules sorted by their texts, to be freed; NULL for want of memory. */
static struct numbered *sorted(const struct policy *p)
{
	int n = policy_rules(p);
	struct numbered *v = calloc((size_t)n + 1, sizeof(*v));

	if (!v)
		return NULL;
	for (int i = 0; i < n; i++)
		v[i] = (struct numbered){ policy_rule_text(p, i + 1), i + 1 };
	qsort(v, (size_t)n, sizeof(*v), by_text);
	return v;
}

int snapshot_match(const struct policy *from, const struct policy *to, int **out)
{
	int n = policy_rules(from), m = policy_rules(to), i = 0, k = 0;
	struct numbered *old = sorted(from), *new = sorted(to);
	int *match = calloc((size_t)m + 1, sizeof(*match));
	int ret = old && new &&match ? 0 : -ENOMEM;

	while (!ret && i < n && k < m) {
		int order = strcmp(old[i].text, new[k].text);

		if (order == 0)
			match[new[k].rule] = old[i].rule;
		i += order <= 0;
		k += order >= 0;
	}
	free(old);
	free(new);
	if (ret)
		free(match);
	else
		*out = match;
	return ret;
}

void snapshot_carry(struct snapshot *s, const struct snapshot *from, const int *match)
{
	int n = policy_rules(s->policy);

	for (int i = 1; i <= n; i++)
		if (match[i])
			shared_store(s->hits[i], from->hits[match[i]]);
}
