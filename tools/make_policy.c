/* SPDX-License-Identifier: MIT */
#include "tools/make_policy.h"

#include <errno.h>
#include <stdlib.h>

#include "core/escape.h"
#include "core/host.h"
#include "core/hosts.h"
#include "core/locate.h"
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

static int resolve_host(struct draft *d, size_t i)
{
	struct host_of_draft h = { .draft = d, .index = i };
	const char *why = "out of memory";

	if (!host_resolve(draft_host(d, i), add_host_address, &h, &why))
		return 0;
	/* The sinkhole learns its addresses as soon as the command asks for it. */
	if (draft_has_sinkhole(d)) {
		complain("warning: failed to resolve '%s': %s: its rule waits for answers",
			 draft_host(d, i), why);
		return 0;
	}
	complain("failed to resolve '%s': %s", draft_host(d, i), why);
	return EXIT_HOST;
}

/* What /etc/hosts says of a name holds for good. */
static int look_up_host(struct draft *d, size_t i, const struct hosts *hosts)
{
	struct addr addrs[HOSTS_ADDRESSES];
	size_t n = hosts_find(hosts, draft_host(d, i), addrs, HOSTS_ADDRESSES);
	int ret = 0;

	for (size_t k = 0; !ret && k < n; k++)
		ret = draft_host_add(d, i, addrs[k]);
	return ret ? out_of_memory() : 0;
}

/* Returns 0 or an exit status, with the user told. */
static int resolve_hosts(struct draft *d, enum make_names names)
{
	struct hosts hosts = { 0 };
	int status = 0;

	if (names == NAMES_LATER && hosts_read(&hosts, "/etc/hosts"))
		status = out_of_memory();
	for (size_t i = 0; !status && i < draft_hosts(d); i++)
		status = names == NAMES_LATER ? look_up_host(d, i, &hosts) : resolve_host(d, i);
	hosts_free(&hosts);
	return status;
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

/* Where the names come from that are blocked. */
static const char *block_option(const struct options *o)
{
	for (size_t i = 0; i < o->policies; i++)
		if (o->policy[i].kind == OPTIONS_BLOCK_DOMAIN ||
		    o->policy[i].kind == OPTIONS_BLOCK_SUFFIX)
			return o->policy[i].flag;
	return "[dns]";
}

int make_draft(const struct options *o, const struct profile_file *f, struct draft **out)
{
	struct draft *d = draft_new();
	int ret = d ? add_options(d, o) : -ENOMEM;
	int status;

	if (!ret)
		ret = add_profile(d, f);
	status = !ret ? profile_file_block(f, d) : ret == -EINVAL ? EXIT_USAGE : out_of_memory();
	if (!status && draft_only_blocks(d)) {
		complain("%s: there is nothing that it could be an exception of: add --preset "
			 "public-only",
			 block_option(o));
		status = EXIT_USAGE;
	}
	if (status)
		draft_free(d);
	else
		*out = d;
	return status;
}

int make_policy(struct draft *d, enum make_names names, struct policy **out)
{
	int status = resolve_hosts(d, names);

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
