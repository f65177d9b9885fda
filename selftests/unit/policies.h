/* SPDX-License-Identifier: MIT */
/*
 * Policies from option texts and what they decide, as text, for the units about them.
 */
#ifndef SANDTOP_SELFTESTS_UNIT_POLICIES_H
#define SANDTOP_SELFTESTS_UNIT_POLICIES_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/addr.h"
#include "policy/policy.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A list of option texts, for readable rows. */
#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline struct addr addr(const char *text)
{
	struct addr a;

	cr_assert_eq(addr_parse(text, &a), 0, "%s", text);
	return a;
}

/* "tcp 1.2.3.4 80" or "in tcp 1.2.3.4 80" */
static inline struct endpoint endpoint(const char *text)
{
	static const struct {
		const char *name;
		enum proto proto;
	} protos[] = { { "tcp", PROTO_TCP }, { "udp", PROTO_UDP }, { "icmp", PROTO_ICMP } };
	bool in = !strncmp(text, "in ", 3);
	char proto[8];
	char address[50];
	int port = 0;

	cr_assert_geq(sscanf(text + (in ? 3 : 0), "%7s %49s %d", proto, address, &port), 2, "%s",
		      text);
	for (size_t i = 0; i < COUNT(protos); i++) {
		if (!strcmp(proto, protos[i].name))
			return (in ? endpoint_in : endpoint_out)(protos[i].proto, addr(address),
								 port);
	}
	cr_assert_fail("%s", text);
	return (struct endpoint){ 0 };
}

/* What the decision says, as a line has it: "deny (rule 2: deny 10.0.0.0/8)", "allow (default)". */
static inline const char *decide(const struct policy *p, const char *text)
{
	static char line[300];
	struct endpoint e = endpoint(text);
	struct decision d = policy_decide(p, NULL, &e);

	if (d.reason == REASON_RULE)
		snprintf(line, sizeof(line), "%s (rule %d: %s)", verdict_name(d.verdict), d.rule,
			 policy_rule_text(p, d.rule));
	else
		snprintf(line, sizeof(line), "%s (%s)", verdict_name(d.verdict),
			 reason_name(d.reason));
	return line;
}

static inline void expect_decision(const struct policy *p, const char *text, const char *wanted)
{
	const char *seen = decide(p, text);

	cr_expect_str_eq(seen, wanted, "%s: %s, not %s", text, seen, wanted);
}

static inline struct draft *new_draft(void)
{
	struct draft *d = draft_new();

	cr_assert(d);
	return d;
}

static inline void must(int ret, const struct policy_error *err)
{
	cr_assert_eq(ret, 0, "%d: %s", ret, err->text);
}

static inline struct policy *compile(struct draft *d)
{
	struct policy *p = NULL;

	cr_assert_eq(policy_compile(d, &p), 0);
	draft_free(d);
	return p;
}

static inline struct policy *
options(int (*add)(struct draft *, const char *, struct policy_error *), const char *const *texts)
{
	struct policy_error err = { "" };
	struct draft *d = new_draft();

	for (; *texts; texts++)
		must(add(d, *texts, &err), &err);
	return compile(d);
}

static inline struct policy *allow(const char *const *texts)
{
	return options(draft_allow, texts);
}

static inline struct policy *deny(const char *const *texts)
{
	return options(draft_deny, texts);
}

static inline struct policy *rules(const char *const *texts)
{
	return options(draft_rule, texts);
}

static inline struct policy *preset(const char *name)
{
	return options(draft_preset, TEXTS(name));
}

/* The option was refused with -EINVAL and a message with these words. */
static inline void expect_refused(int ret, const struct policy_error *err, const char *const *words)
{
	cr_expect_eq(ret, -EINVAL, "%d: %s", ret, *words);
	for (; *words; words++)
		cr_expect(strstr(err->text, *words), "'%s' lacks '%s'", err->text, *words);
}

#endif
