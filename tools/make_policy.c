/* SPDX-License-Identifier: MIT */
#include "tools/make_policy.h"

#include <errno.h>

#include "core/escape.h"
#include "core/resolve.h"
#include "tools/cmd.h"

static int (*const add_option[])(struct draft *d, const char *text, struct policy_error *err) = {
	[OPTIONS_ALLOW] = draft_allow,
	[OPTIONS_DENY] = draft_deny,
	[OPTIONS_ALLOW_BIND] = draft_allow_bind,
	[OPTIONS_DENY_BIND] = draft_deny_bind,
	[OPTIONS_RULE] = draft_rule,
	[OPTIONS_PRESET] = draft_preset,
	[OPTIONS_DEFAULT] = draft_default,
};

static int out_of_memory(void)
{
	complain("out of memory");
	return EXIT_HOST;
}

/* Returns what the functions of a draft return, with the user told about -EINVAL. */
static int add_options(struct draft *d, const struct options *o)
{
	struct policy_error err = { "" };
	char text[4 * sizeof(err.text)];

	for (size_t i = 0; i < o->policies; i++) {
		int ret = add_option[o->policy[i].kind](d, o->policy[i].text, &err);

		if (ret == -EINVAL) {
			escape_text(err.text, text, sizeof(text));
			complain("%s: %s", o->policy[i].flag, text);
		}
		if (ret)
			return ret;
	}
	return 0;
}

static int add_profile(struct draft *d, const struct profile_file *f)
{
	struct policy_error err = { "" };
	int ret = profile_add(&f->profile, d, &err);

	if (ret == -EINVAL)
		profile_file_complain(f->path, &err);
	return ret;
}

int make_draft(const struct options *o, const struct profile_file *f, struct draft **out)
{
	struct draft *d = draft_new();
	int ret;

	if (!d)
		return out_of_memory();
	ret = add_options(d, o);
	if (!ret)
		ret = add_profile(d, f);
	if (!ret) {
		*out = d;
		return 0;
	}
	draft_free(d);
	return ret == -EINVAL ? EXIT_USAGE : out_of_memory();
}

struct source *make_source(const struct options *o, const struct profile_file *f)
{
	struct source *s = source_new();
	int ret = s ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < o->policies; i++)
		ret = source_add(s, add_option[o->policy[i].kind], o->policy[i].flag,
				 o->policy[i].text);
	if (!ret && f->text)
		ret = source_set_profile(s, f->path, f->text, f->size);
	if (!ret)
		return s;
	source_free(s);
	out_of_memory();
	return NULL;
}

int make_policy(struct draft *d, struct policy **out)
{
	struct policy_error err = { "" };
	char text[4 * sizeof(err.text)];

	if (resolve_policy(d, out, &err) == 0)
		return 0;
	escape_text(err.text, text, sizeof(text));
	complain("%s", text);
	return EXIT_HOST;
}
