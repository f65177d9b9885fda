/* SPDX-License-Identifier: MIT */
#include "core/resolve.h"

#include <errno.h>
#include <stdlib.h>

#include "core/host.h"
#include "core/hosts.h"
#include "core/locate.h"
#include "policy/dns.h"
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

static int resolve_host(struct draft *d, size_t i, resolve_unknown_fn *unknown,
			struct policy_error *err)
{
	struct host_of_draft h = { .draft = d, .index = i };
	const char *why = "out of memory";

	if (!host_resolve(draft_host(d, i), add_host_address, &h, &why))
		return 0;
	/* The sinkhole learns its addresses as soon as the command asks for it. */
	if (draft_has_sinkhole(d)) {
		unknown(draft_host(d, i), why);
		return 0;
	}
	policy_error_set(err, "failed to resolve '%s': %s", draft_host(d, i), why);
	return -ENOENT;
}

/* What /etc/hosts says of a name holds for good. */
static int look_up_host(struct draft *d, size_t i, const struct hosts *hosts)
{
	struct addr addrs[HOSTS_ADDRESSES];
	size_t n = hosts_find(hosts, draft_host(d, i), addrs, HOSTS_ADDRESSES);
	int ret = 0;

	for (size_t k = 0; !ret && k < n; k++)
		ret = draft_host_add(d, i, addrs[k]);
	return ret;
}

static int resolve_hosts(struct draft *d, resolve_unknown_fn *unknown, struct policy_error *err)
{
	bool later = draft_has_sinkhole(d) && !unknown;
	struct hosts hosts = { 0 };
	int ret = later ? hosts_read(&hosts, "/etc/hosts") : 0;

	for (size_t i = 0; !ret && i < draft_hosts(d); i++)
		ret = later ? look_up_host(d, i, &hosts) : resolve_host(d, i, unknown, err);
	hosts_free(&hosts);
	if (ret && ret != -ENOENT)
		policy_error_set(err, "out of memory");
	return ret;
}

static int locate_paths(struct draft *d, struct policy_error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < draft_paths(d); i++) {
		char why[sizeof(err->text)];
		char *real;

		ret = locate_rule(draft_path(d, i), &real, why, sizeof(why));
		if (ret == -EINVAL) {
			policy_error_set(err, "failed to resolve 'unix:%s': %s", draft_path(d, i),
					 why);
			return -ENOENT;
		}
		if (!ret) {
			ret = draft_path_set(d, i, real);
			free(real);
		}
	}
	if (ret)
		policy_error_set(err, "out of memory");
	return ret;
}

int resolve_policy(struct draft *d, resolve_unknown_fn *unknown, struct policy **out,
		   struct policy_error *err)
{
	int ret = resolve_hosts(d, unknown, err);

	if (!ret)
		ret = locate_paths(d, err);
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
