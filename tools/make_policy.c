/* SPDX-License-Identifier: MIT */
#include "tools/make_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/host.h"
#include "tools/cmd.h"

static int add_default(struct draft *d, const char *text, struct policy_error *err)
{
	for (enum verdict v = VERDICT_DENY; v <= VERDICT_ASK; v++)
		if (strcmp(text, verdict_name(v)) == 0)
			return draft_default(d, v, err);
	snprintf(err->text, sizeof(err->text),
		 "invalid value '%.100s': expected allow, deny or ask", text);
	return -EINVAL;
}

static int add_option(struct draft *d, const struct options_policy *o, struct policy_error *err)
{
	switch (o->kind) {
	case OPTIONS_ALLOW:
		return draft_allow(d, o->text, err);
	case OPTIONS_DENY:
		return draft_deny(d, o->text, err);
	case OPTIONS_ALLOW_BIND:
		return draft_allow_bind(d, o->text, err);
	case OPTIONS_DENY_BIND:
		return draft_deny_bind(d, o->text, err);
	case OPTIONS_RULE:
		return draft_rule(d, o->text, err);
	case OPTIONS_PRESET:
		return draft_preset(d, o->text, err);
	case OPTIONS_DEFAULT:
		return add_default(d, o->text, err);
	}
	return -EINVAL;
}

static int add_this_host(void *arg, struct addr addr)
{
	return draft_this_host_add(arg, addr);
}

static int add_nameserver(void *arg, struct addr addr)
{
	return draft_nameserver_add(arg, addr);
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

static int out_of_memory(void)
{
	complain("out of memory");
	return EXIT_HOST;
}

int make_draft(const struct options *o, struct draft **out)
{
	struct draft *d = draft_new();
	struct policy_error err;

	if (!d)
		return out_of_memory();
	for (size_t i = 0; i < o->policies; i++) {
		int ret = add_option(d, &o->policy[i], &err);

		if (!ret)
			continue;
		draft_free(d);
		if (ret == -ENOMEM)
			return out_of_memory();
		complain("%s: %s", o->policy[i].flag, err.text);
		return EXIT_USAGE;
	}
	*out = d;
	return 0;
}

int make_policy(struct draft *d, struct policy **out)
{
	int status = resolve_hosts(d);

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
