/* SPDX-License-Identifier: MIT */
#include "core/resolve.h"

#include <errno.h>

#include "core/host.h"
#include "policy/error.h"

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

static int resolve_hosts(struct draft *d, struct policy_error *err)
{
	for (size_t i = 0; i < draft_hosts(d); i++) {
		struct host_of_draft h = { .draft = d, .index = i };
		const char *why = "out of memory";

		if (host_resolve(draft_host(d, i), add_host_address, &h, &why)) {
			policy_error_set(err, "failed to resolve '%s': %s", draft_host(d, i), why);
			return -ENOENT;
		}
	}
	return 0;
}

int resolve_policy(struct draft *d, struct policy **out, struct policy_error *err)
{
	int ret = resolve_hosts(d, err);

	if (ret)
		return ret;
	/* Without an answer @this-host would silently mean nothing. */
	if (host_addresses(add_this_host, d)) {
		policy_error_set(err, "cannot list the addresses of this machine");
		return -EIO;
	}
	if (host_nameservers(add_nameserver, d) || policy_compile(d, out)) {
		policy_error_set(err, "out of memory");
		return -ENOMEM;
	}
	return 0;
}
