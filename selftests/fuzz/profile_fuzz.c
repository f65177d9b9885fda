/* SPDX-License-Identifier: MIT */
/*
 * The profile reader under libFuzzer; what it takes is to survive being written and read again.
 *
 *   make SAN=1 build/san/profile_fuzz
 *   build/san/profile_fuzz -dict=selftests/fuzz/profile.dict -max_len=400
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lint.h"
#include "policy/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore(void *arg, const struct lint_warning *w)
{
	const struct profile *p = arg;
	const struct profile_item *item = profile_rule(p, w->rule);

	assert(item >= p->items && item < p->items + p->n_items);
	return 0;
}

/* What is refused has a message of one line that begins with its place. */
static bool accepted(int ret, const struct policy_error *err)
{
	assert(!ret || ret == -EINVAL);
	if (!ret)
		return true;
	assert(*err->text >= '1' && *err->text <= '9');
	assert(!strpbrk(err->text, "\r\n"));
	return false;
}

/* The profile as a text, to be freed; NULL if it is refused. */
static char *rewrite(const char *text, size_t size)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	struct profile p = { 0 };
	char *out = NULL;

	assert(d);
	if (accepted(profile_read(text, size, &p, &err), &err)) {
		if (accepted(profile_add(&p, d, &err), &err)) {
			assert(!lint(d, ignore, &p));
			out = profile_write(d, &p);
			assert(out);
		}
		profile_free(&p);
	}
	draft_free(d);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *once = rewrite((const char *)data, size);
	char *twice;

	if (!once)
		return 0;
	twice = rewrite(once, strlen(once));
	assert(twice && !strcmp(once, twice));
	free(once);
	free(twice);
	return 0;
}
