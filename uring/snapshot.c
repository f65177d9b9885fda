/* SPDX-License-Identifier: MIT */
#include "uring/snapshot.h"

#include <stdlib.h>

struct snapshot *snapshot_new(struct policy *policy, struct source *source)
{
	struct snapshot *s = malloc(sizeof(*s));

	if (s)
		*s = (struct snapshot){ .policy = policy, .source = source, .refs = 1 };
	return s;
}

void snapshot_free(struct snapshot *list)
{
	while (list) {
		struct snapshot *s = list;

		list = s->next;
		policy_free(s->policy);
		source_free(s->source);
		free(s);
	}
}
