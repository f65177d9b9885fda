/* SPDX-License-Identifier: MIT */
#include "tools/make_policy.h"

#include <errno.h>

#include "core/escape.h"
#include "core/resolve.h"
#include "policy/dns.h"
#include "tools/cmd.h"

static int (*const add_option[])(struct draft *d, const char *text, struct policy_error *err) = {
	[OPTIONS_ALLOW] = draft_allow,
	[OPTIONS_DENY] = draft_deny,
	[OPTIONS_ALLOW_BIND] = draft_allow_bind,
	[OPTIONS_DENY_BIND] = draft_deny_bind,
	[OPTIONS_RULE] = draft_rule,
	[OPTIONS_PRESET] = draft_preset,
	[OPTIONS_DEFAULT] = draft_default,
	[OPTIONS_ALLOW_HOST] = draft_allow_host,
	[OPTIONS_BLOCK_DOMAIN] = draft_block_domain,
	[OPTIONS_BLOCK_SUFFIX] = draft_block_suffix,
	[OPTIONS_RESOLVE] = draft_resolve,
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

/* The option that blocks names, or NULL: the profile does. */
static const char *block_option(const struct options *o)
{
	for (size_t i = 0; i < o->policies; i++)
		if (o->policy[i].kind == OPTIONS_BLOCK_DOMAIN ||
		    o->policy[i].kind == OPTIONS_BLOCK_SUFFIX)
			return o->policy[i].flag;
	return NULL;
}

/* Names are blocked, and nothing is allowed that could have them. */
static void complain_only_blocks(const struct options *o, const struct profile_file *f)
{
	const char *option = block_option(o);
	char path[PATH_MAX];

	if (option) {
		complain("%s: there is nothing that it could be an exception of: add --preset "
			 "public-only",
			 option);
		return;
	}
	escape_text(f->path, path, sizeof(path));
	complain("%s: [dns]: there is nothing that it could be an exception of: expected preset = "
		 "\"public-only\" in [network], or other rules",
		 path);
}

int make_draft(const struct options *o, struct profile_file *f, struct draft **out)
{
	struct draft *d = draft_new();
	int ret = d ? add_options(d, o) : -ENOMEM;
	int status;

	if (d && o->learn)
		draft_set_learning(d);
	if (!ret)
		ret = add_profile(d, f);
	status = !ret ? profile_file_block(f, d) : ret == -EINVAL ? EXIT_USAGE : out_of_memory();
	if (!status && draft_only_blocks(d)) {
		complain_only_blocks(o, f);
		status = EXIT_USAGE;
	}
	if (status)
		draft_free(d);
	else
		*out = d;
	return status;
}

/* The profile and the lists that it names. Returns 0 or -ENOMEM. */
static int add_profile_source(struct source *s, const struct profile_file *f, const char *path)
{
	int ret = source_set_profile(s, path, f->text, f->size);

	for (size_t i = 0; !ret && i < f->profile.n_block_files; i++) {
		char list[2 * PATH_MAX];

		profile_list_path(path, f->profile.block_files[i], list, sizeof(list));
		ret = source_add_list(s, list, f->lists[i].text, f->lists[i].size);
	}
	return ret;
}

struct source *make_source(const struct options *o, const struct profile_file *f, const char *path,
			   bool sinkhole)
{
	struct source *s = source_new();
	int ret = s ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < o->policies; i++)
		ret = source_add(s, add_option[o->policy[i].kind], o->policy[i].flag,
				 o->policy[i].text);
	if (!ret && f->text)
		ret = add_profile_source(s, f, path);
	if (!ret && sinkhole)
		source_set_sinkhole(s);
	if (!ret && o->learn)
		source_set_learning(s);
	if (!ret)
		return s;
	source_free(s);
	out_of_memory();
	return NULL;
}

int make_policy(struct draft *d, resolve_unknown_fn *unknown, struct policy **out)
{
	struct policy_error err = { "" };
	char text[4 * sizeof(err.text)];

	if (resolve_policy(d, unknown, out, &err) == 0)
		return 0;
	escape_text(err.text, text, sizeof(text));
	complain("%s", text);
	return EXIT_HOST;
}
