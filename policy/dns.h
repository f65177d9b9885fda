/* SPDX-License-Identifier: MIT */
/*
 * Which names the command may resolve, and what goes with that: blocked names, name servers,
 * what a refused name is answered.
 *
 * A sinkhole is a name server of sandtop's own that is asked in place of every other. Where there
 * is one, port 53 is judged by the names that are asked for; a rule that writes port 53 goes
 * before that.
 */
#ifndef SANDTOP_POLICY_DNS_H
#define SANDTOP_POLICY_DNS_H

#include "policy/domain.h"
#include "policy/live.h"
#include "policy/policy.h"
#include "policy/table.h"

enum { DNS_PORT = 53, DNS_TLS_PORT = 853 };

/* --resolve */
enum dns_resolve {
	DNS_NEEDED, /* names that some rule has a use for */
	DNS_ALL,
	DNS_NONE,
};

/* What a refused name is answered. */
enum dns_denied {
	DNS_ZERO, /* 0.0.0.0 and :: */
	DNS_NXDOMAIN,
	DNS_REFUSED,
};

struct dns_server {
	struct addr addr;
	uint16_t port;
};

/* What the user chose; zeroed it is what holds by default. */
struct dns_settings {
	enum dns_resolve resolve;
	enum dns_denied denied;
	bool rebinding; /* answers with internal addresses pass */
	bool encrypted; /* so does DNS over TLS, QUIC and HTTPS */
	bool sinkhole;  /* there is one */
};

struct dns_draft {
	struct dns_settings settings;
	bool has_resolve;
	bool given;                 /* any of the settings, or a name server */
	struct domain_map block;    /* the names of the options and of the lists */
	char **blocked, **suffixes; /* those of the options, as written */
	size_t n_blocked, n_suffixes;
	struct dns_server *upstream;
	size_t n_upstream;
};

struct dns_policy {
	struct dns_settings settings;
	bool has_names; /* a rule has a name, or one is blocked */
	struct domain_map blocked;
	struct domain_map named; /* to the first rule that is about the name */
	char **hosts;            /* names of rules that do not deny, each once */
	size_t n_hosts;
	struct domain_map direct_names; /* to the first rule that allows exactly this name */
	int at_large;             /* the first rule that may allow what no name is known of, or 0 */
	struct table written[2];  /* rules that write port 53 or 853, by policy_family() */
	struct table literal[2];  /* rules that allow addresses by number or group */
	bool own_literal;         /* one of them allows this machine's own */
	struct table internal[2]; /* the internal groups, as rule 1 */
	struct dns_server *upstream;
	size_t n_upstream;
};

/*
 * --allow-host: every port, over tcp and udp, of a host, a suffix (`*.example.com`), an address or
 * a CIDR. Unlike the rules of --net-allow it also goes with those of --rule, in the place where it
 * stands.
 */
int draft_allow_host(struct draft *d, const char *text, struct policy_error *err);

/*
 * The options and the keys of [dns] in a profile; each returns what the functions of policy.h do.
 * The last one counts of those that are no list, but a profile does not overrule the command line.
 */
int draft_block_domain(struct draft *d, const char *text, struct policy_error *err);
int draft_block_suffix(struct draft *d, const char *text, struct policy_error *err);
int draft_resolve(struct draft *d, const char *text, struct policy_error *err);
int draft_denied(struct draft *d, const char *text, struct policy_error *err);
int draft_rebind_protection(struct draft *d, const char *text, struct policy_error *err);
int draft_encrypted(struct draft *d, const char *text, struct policy_error *err);
int draft_upstream(struct draft *d, const char *text, struct policy_error *err);

/*
 * Block the names of a list (domain.h). Of an error *err says the line, "LINE: ", in front; some of
 * the list may then have been added.
 */
int draft_block_list(struct draft *d, const char *text, size_t size, struct policy_error *err);

/*
 * Whether a policy of the draft is about names, or can let the command have use for them. Returns
 * 1, 0 or -ENOMEM.
 */
int draft_needs_sinkhole(const struct draft *d);

/* Whether names are blocked by a policy that has nothing else: it allows nothing anyway. */
bool draft_only_blocks(const struct draft *d);

/* Whether without a sinkhole such a policy would let through what the user wants refused. */
bool draft_relies_on_sinkhole(const struct draft *d);

/* Say that there is a sinkhole. No name server is then implied. */
void draft_set_sinkhole(struct draft *d);
bool draft_has_sinkhole(const struct draft *d);

/*
 * What the policy says to the resolution of a name, which is as domain_normalise() makes it, or no
 * such name at all. `name` is borrowed by the decision.
 */
struct decision policy_resolve(const struct policy *p, const char *name);

/*
 * The same to a name that need not be needed: a permitted one turned out to be an alias of it, or
 * this machine knows it.
 */
struct decision policy_resolve_alias(const struct policy *p, const char *name);

/* Whether a rule is about the name, by itself or by a suffix. */
bool policy_is_about(const struct policy *p, const char *name);

/*
 * What a refused name is answered. One that is a permitted name with a search domain behind it
 * (resolv.conf(5)) does not exist, so that the permitted one is tried.
 */
enum dns_denied policy_denied(const struct policy *p, const char *name);

/* Whether an answer for this name must not contain that address. */
bool policy_is_rebinding(const struct policy *p, const struct live *live, const char *name,
			 struct addr addr);

/* The name servers of [dns] upstream; none means those of the system. */
const struct dns_server *policy_upstream(const struct policy *p, size_t *n);

/* The host names of rules that do not deny, the i-th of them; NULL behind the last one. */
const char *policy_host(const struct policy *p, size_t i);

bool policy_has_sinkhole(const struct policy *p);

/*
 * Private to the policy's files: what of a decision on an outgoing request to this endpoint hangs
 * on the sinkhole. Returns false when that has no say.
 */
bool dns_decide(const struct policy *p, const struct endpoint *e, struct decision *out);

/*
 * Whether what would be allowed is to 0.0.0.0 or ::, with which refused names are answered, and no
 * rule has exactly that.
 */
bool dns_closes(const struct policy *p, const struct endpoint *e);

/* Whether a rule has a name, or one is blocked. */
bool draft_has_names(const struct draft *d);

void dns_draft_free(struct dns_draft *d);
int dns_compile(const struct draft *d, struct policy *p);
void dns_policy_free(struct dns_policy *p);

#endif
