/* SPDX-License-Identifier: MIT */
#include "core/line.h"

#include <stdio.h>
#include <string.h>

#include "core/escape.h"
#include "core/option.h"
#include "policy/addr.h"

/* Longer texts of the command's or the operator's are cut. */
enum {
	HOST_TEXT_MAX = 512,
	RULE_TEXT_MAX = 768,
	COMM_TEXT_MAX = 4 * 16,
};

/* The length of what snprintf(3) wrote, given what it returned. */
static size_t written(int n, size_t size)
{
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

const char *line_target(const struct endpoint *e, char buf[static LINE_TARGET_MAX])
{
	char addr[ADDR_TEXT_MAX];

	if (e->proto == PROTO_UNIX || e->proto == PROTO_DNS) {
		escape_text(e->name ? e->name : "?", buf, LINE_TARGET_MAX);
		return buf;
	}
	if (e->addr.family == 0)
		strcpy(addr, "?");
	else
		addr_text(e->addr, addr);
	if (e->proto == PROTO_ICMP)
		snprintf(buf, LINE_TARGET_MAX, "%s", addr);
	else
		snprintf(buf, LINE_TARGET_MAX, e->addr.family == 6 ? "[%s]:%u" : "%s:%u", addr,
			 e->port);
	return buf;
}

const char *line_reason(const struct decision *d, char buf[static LINE_REASON_MAX])
{
	const char *name;

	if (d->reason != REASON_ERROR) {
		char text[LINE_REASON_MAX - 32];

		if (d->name)
			escape_text(d->name, text, sizeof(text));
		snprintf(buf, LINE_REASON_MAX, d->name ? "%s %s" : "%s", reason_name(d->reason),
			 text);
		return buf;
	}
	name = strerrorname_np(d->error);
	if (name)
		snprintf(buf, LINE_REASON_MAX, "error %s", name);
	else
		snprintf(buf, LINE_REASON_MAX, "error %d", d->error);
	return buf;
}

const char *line_time(struct timespec ts, char buf[static LINE_TIME_MAX])
{
	struct tm tm;
	size_t n;

	if (!gmtime_r(&ts.tv_sec, &tm))
		memset(&tm, 0, sizeof(tm));
	n = strftime(buf, LINE_TIME_MAX, "%FT%T", &tm);
	snprintf(buf + n, LINE_TIME_MAX - n, ".%06ldZ", ts.tv_nsec / 1000);
	return buf;
}

/* " (allow: --net-allow-bind 3000)" for a bind that no rule decided, or "". */
static void line_bind(const struct record *r, char *buf, size_t size)
{
	const struct option_policy policy = {
		.has_in = r->decision.reason == REASON_BIND_UNMATCHED,
	};
	char option[OPTION_TEXT_MAX];

	buf[0] = '\0';
	switch (r->decision.reason) {
	case REASON_BIND_DEFAULT:
	case REASON_BIND_UNMATCHED:
	case REASON_BIND_UNLISTED:
		if (option_to_allow(&policy, r, option, sizeof(option)))
			snprintf(buf, size, " (allow: %s)", option);
		break;
	case REASON_BIND_LISTED:
		if (r->decision.verdict == VERDICT_DENY)
			snprintf(buf, size, " (listed: --net-deny-bind)");
		break;
	default:
		break;
	}
}

/* "(rule 2: allow :443)" or "(default)". */
static void line_why(const struct record *r, char *buf, size_t size)
{
	char rule[RULE_TEXT_MAX], reason[LINE_REASON_MAX], bind[OPTION_TEXT_MAX + 16];

	if (r->decision.reason == REASON_RULE) {
		escape_text(r->rule ? r->rule : "?", rule, sizeof(rule));
		snprintf(buf, size, "(rule %d: %s)", r->decision.rule, rule);
		return;
	}
	line_reason(&r->decision, reason);
	line_bind(r, bind, sizeof(bind));
	snprintf(buf, size, "(%s)%s", reason, bind);
}

size_t line_format(const struct record *r, char *buf, size_t size)
{
	static const char *const verdict[] = {
		[VERDICT_DENY] = "DENY",
		[VERDICT_ALLOW] = "ALLOW",
		[VERDICT_ASK] = "ASK",
	};
	char target[LINE_TARGET_MAX], host[HOST_TEXT_MAX] = "", comm[COMM_TEXT_MAX];
	char why[RULE_TEXT_MAX + OPTION_TEXT_MAX];

	line_target(&r->endpoint, target);
	if (r->host)
		escape_text(r->host, host, sizeof(host));
	escape_text(r->comm, comm, sizeof(comm));
	line_why(r, why, sizeof(why));
	return written(
		snprintf(buf, size, "%s%s %s %s%s%s%s %s[%d] %s", verdict[r->decision.verdict],
			 r->endpoint.dir == DIR_IN ? " in" : "", proto_name(r->endpoint.proto),
			 target, r->host ? " (" : "", host, r->host ? ")" : "", comm, r->pid, why),
		size);
}
