/* SPDX-License-Identifier: MIT */
#include "tools/make_policy.h"

#include <errno.h>
#include <stdlib.h>

#include "core/escape.h"
#include "core/host.h"
#include "core/locate.h"
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

static int add_this_host(void *arg, struct addr addr)
{
	return draft_this_host_add(arg, addr);
}

static int add_nameserver(void *arg, struct addr addr)
{
	return draft_nameserver_add(arg, addr);
}

static int out_of_memory(void)
{
	complain("out of memory");
	return EXIT_HOST;
}

struct host_of_draft {
	struct draft *draft;
	size_t index;
};

static int add_host_address(void *arg, struct addr addr)
{
	struct host_of_draft *h = arg;

	return draft_host_add(h->draft, h->index, addr);
}

/* Returns 0 or an exit status, with the user told. */
static int resolve_hosts(struct draft *d)
{
	for (size_t i = 0; i < draft_hosts(d); i++) {
		struct host_of_draft h = { .draft = d, .index = i };
		const char *why = "out of memory";

		if (host_resolve(draft_host(d, i), add_host_address, &h, &why)) {
			complain("failed to resolve '%s': %s", draft_host(d, i), why);
			return EXIT_HOST;
		}
	}
	return 0;
}

/* Returns 0 or an exit status, with the user told. */
static int locate_paths(struct draft *d)
{
	for (size_t i = 0; i < draft_paths(d); i++) {
		char why[512], text[4 * sizeof(why)], path[4 * ENDPOINT_NAME_MAX];
		char *real;
		int ret = locate_rule(draft_path(d, i), &real, why, sizeof(why));

		if (ret == -EINVAL) {
			escape_text(why, text, sizeof(text));
			escape_text(draft_path(d, i), path, sizeof(path));
			complain("failed to resolve 'unix:%s': %s", path, text);
			return EXIT_HOST;
		}
		if (!ret) {
			ret = draft_path_set(d, i, real);
			free(real);
		}
		if (ret)
			return out_of_memory();
	}
	return 0;
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

int make_policy(struct draft *d, struct policy **out)
{
	int status = resolve_hosts(d);

	if (!status)
		status = locate_paths(d);
	if (status)
		return status;
	/* Without an answer @this-host would silently mean nothing. */
	if (host_addresses(add_this_host, d)) {
		complain("cannot list the addresses of this machine");
		return EXIT_HOST;
	}
	if (host_nameservers(add_nameserver, d) || policy_compile(d, out))
		return out_of_memory();
	return 0;
}
