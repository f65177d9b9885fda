/* SPDX-License-Identifier: MIT */
/*
 * The policy as the rest of sandtop sees it.
 *
 * A draft collects what the user wrote; policy_compile() turns it into a
 * snapshot that never changes again and that policy_decide() reads. The
 * snapshot is the only thing the supervisor keeps: replacing a policy is
 * replacing one pointer.
 *
 * Everything here is pure: nothing is read, resolved or printed. The caller
 * resolves the host names and paths that a draft contains (draft_host,
 * draft_path) and hands back what they are (draft_host_add, draft_path_set).
 */
#ifndef SANDTOP_POLICY_POLICY_H
#define SANDTOP_POLICY_POLICY_H

#include <stddef.h>

#include "policy/endpoint.h"

struct policy; /* one immutable compiled policy */
struct draft;  /* a policy that is being put together */
struct live;   /* what its words stand for right now: live.h */

/* What is wrong with what the user wrote: it quotes the text and says what was expected. */
struct policy_error {
	char text[512];
};

/* Returns a new draft without any rule, to be freed with draft_free(), or NULL for want of memory.
 */
struct draft *draft_new(void);
void draft_free(struct draft *d);

/*
 * What the user wrote, option by option. Each function returns 0; -EINVAL when the text is wrong or
 * the option does not go with an earlier one, with *err filled and the draft unchanged; -ENOMEM.
 * Texts are copied. The message quotes the text, and the caller says in front of it which option,
 * or which place in a file, had it.
 *
 * --net-allow, --net-deny, and --rule with --preset are three families: a draft has rules of one.
 */

/* The specs of one --net-allow or --net-deny. Several specs in one text (commas) are one rule. */
int draft_allow(struct draft *d, const char *text, struct policy_error *err);
int draft_deny(struct draft *d, const char *text, struct policy_error *err);

/* One --rule: `allow SPEC`, `deny in SPEC`, ... */
int draft_rule(struct draft *d, const char *text, struct policy_error *err);

/*
 * As draft_rule(), but in front of all rules, and whatever the policy is written with: one of
 * --net-allow or --net-deny becomes the list of rules, with the default, that means the same. After
 * an error that may have happened, and nothing else.
 */
int draft_insert(struct draft *d, const char *rule, struct policy_error *err);

/*
 * --preset: its rules come after those of draft_rule(), whenever those are added, and name servers
 * that the policy implies come between them. One to a draft, and not with a default.
 */
int draft_preset(struct draft *d, const char *name, struct policy_error *err);

/* Deny everything, whatever else the draft has: the reason of each decision is REASON_PANIC. */
void draft_set_panic(struct draft *d);

/* --default: what a request gets that no rule matches, "allow", "deny" or "ask". The last counts. */
int draft_default(struct draft *d, const char *verdict, struct policy_error *err);

/*
 * --learn: an outgoing request that no rule matches is allowed (REASON_LEARN), whatever the default
 * says. Nothing else is opened, and the draft is written as a profile without it.
 */
void draft_set_learning(struct draft *d);

/*
 * --net-allow-bind, --net-deny-bind: which ports may be bound, `8080,9000-9005` or `*`. They
 * exclude each other and rules with direction `in`.
 */
int draft_allow_bind(struct draft *d, const char *ports, struct policy_error *err);
int draft_deny_bind(struct draft *d, const char *ports, struct policy_error *err);

/* How many different literal host names the draft's specs mention. */
size_t draft_hosts(const struct draft *d);

/* The i-th of them; borrowed from the draft. */
const char *draft_host(const struct draft *d, size_t i);

/*
 * Say that the i-th host name means `addr` (any number of times; a name without
 * an address matches nothing; the unspecified address, which resolvers give for
 * a blocked name, is none). Returns 0 or -ENOMEM.
 */
int draft_host_add(struct draft *d, size_t i, struct addr addr);

/*
 * How many different paths the draft's `unix:` specs mention, and the i-th of them as it is
 * written, with `$VAR` and the `*` at its end; borrowed from the draft.
 */
size_t draft_paths(const struct draft *d);
const char *draft_path(const struct draft *d, size_t i);

/*
 * Say which real path, absolute and free of links, the i-th path is on this machine; of one with a
 * `*`, what stands before it. One of which nothing is said is taken as it is written, and one with
 * a variable matches nothing. Returns 0 or -ENOMEM.
 */
int draft_path_set(struct draft *d, size_t i, const char *real);

/* Say that `addr` belongs to one of this machine's interfaces (@this-host). Returns 0 or -ENOMEM.
 */
int draft_this_host_add(struct draft *d, struct addr addr);

/*
 * Say that `addr` is a name server of this machine. A policy with a host name,
 * or one that can allow a public address, then permits tcp and udp port 53 of
 * it when none of the user's rules matched (REASON_IMPLIED_DNS). Returns 0 or -ENOMEM.
 */
int draft_nameserver_add(struct draft *d, struct addr addr);

/*
 * Compile the draft into a new snapshot, to be freed with policy_free(). The
 * draft is only read and may be freed at once. An empty draft denies everything.
 * Returns 0 or -ENOMEM; *out is written on success only.
 */
int policy_compile(const struct draft *d, struct policy **out);
void policy_free(struct policy *p);

/*
 * Judge one request. Pure: no allocation, no lock, no system call, and the same
 * answer for the same arguments. `live` may be NULL: then this machine has the
 * addresses that the policy was made with, and no name is known. Never fails:
 * what matches nothing gets the default.
 */
struct decision policy_decide(const struct policy *p, const struct live *live,
			      const struct endpoint *e);

/*
 * Whether the decision hangs on e->self, which the caller then finds out and sets before it asks
 * for it. Pure as well.
 */
bool policy_asks_self(const struct policy *p, const struct live *live, const struct endpoint *e);

/* The text of rule `rule` (from 1) as the user wrote it, "allow SPEC"; borrowed from the policy. */
const char *policy_rule_text(const struct policy *p, int rule);

/* What an outgoing request gets that no rule matches. */
enum verdict policy_fallback(const struct policy *p);

/* Whether it denies everything because of draft_set_panic(). */
bool policy_panics(const struct policy *p);

/* Whether that is so for the sake of learning. */
bool policy_learns(const struct policy *p);

/* How these are told: "deny", "allow", "ask", "learn" or "panic". */
const char *policy_fallback_name(const struct policy *p);

/* How many rules the policy has. */
int policy_rules(const struct policy *p);

/* Whether any request could get REASON_IMPLIED_DNS. */
bool policy_implies_dns(const struct policy *p);

#endif
