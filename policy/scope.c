/* SPDX-License-Identifier: MIT */
#include "policy/scope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/addr.h"

static const char *const names[SCOPE_COUNT] = {
	[SCOPE_HOST] = "host", [SCOPE_ENDPOINT] = "ip:port", [SCOPE_NETWORK] = "network",
	[SCOPE_PORT] = "port", [SCOPE_ANY] = "any",
};

const char *scope_name(enum scope scope)
{
	return names[scope];
}

int scope_find(const char *name)
{
	for (int i = 0; i < SCOPE_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return -EINVAL;
}

int scope_rule(enum scope scope, enum verdict verdict, const struct endpoint *e, const char *host,
	       char buf[static SCOPE_RULE_MAX])
{
	const char *action = verdict_name(verdict);
	const char *in = e->dir == DIR_IN ? "in " : "";
	const char *proto = proto_name(e->proto);
	char addr[ADDR_TEXT_MAX], port[8] = "";

	if (scope == SCOPE_ENDPOINT) {
		/* What turns the opposite round. */
		explain_hint(e, verdict == VERDICT_ALLOW ? VERDICT_DENY : VERDICT_ALLOW, buf);
		return 0;
	}
	if (!e->addr.family)
		return -EINVAL;
	switch (scope) {
	case SCOPE_HOST:
		if (!host || e->dir == DIR_IN)
			return -EINVAL;
		if (e->port)
			snprintf(port, sizeof(port), ":%u", e->port);
		snprintf(buf, SCOPE_RULE_MAX, "%s %s://%s%s", action, proto, host, port);
		return 0;
	case SCOPE_NETWORK:
		if (e->dir == DIR_IN)
			return -EINVAL;
		snprintf(buf, SCOPE_RULE_MAX, "%s %s://%s/%d", action, proto,
			 addr_text(e->addr, addr), e->addr.family == 4 ? 24 : 64);
		return 0;
	case SCOPE_PORT:
		if (!e->port)
			return -EINVAL;
		snprintf(buf, SCOPE_RULE_MAX, "%s %s%s://*:%u", action, in, proto, e->port);
		return 0;
	case SCOPE_ANY:
		snprintf(buf, SCOPE_RULE_MAX, "%s %sany://*", action, in);
		return 0;
	default:
		return -EINVAL;
	}
}
