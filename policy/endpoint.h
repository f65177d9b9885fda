/* SPDX-License-Identifier: MIT */
/*
 * The values that a decision is made of: addresses, endpoints, verdicts.
 *
 * Everything here is plain data without ownership: copy it, compare it, put it
 * on the stack. An endpoint is what one network system call wants; a decision
 * is what the policy says to it.
 */
#ifndef SANDTOP_POLICY_ENDPOINT_H
#define SANDTOP_POLICY_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum proto {
	PROTO_TCP,
	PROTO_UDP,
	PROTO_ICMP, /* ICMPv4 and ICMPv6 ping sockets */
	PROTO_UNIX,
	PROTO_DNS,
	PROTO_COUNT,
};

enum direction {
	DIR_OUT, /* connect and sends: the address is the peer's */
	DIR_IN,  /* bind and listen: the address is the local one */
};

enum verdict {
	VERDICT_DENY, /* zero, so that a zeroed decision refuses */
	VERDICT_ALLOW,
	VERDICT_ASK,
	VERDICT_COUNT,
};

/* An IP address in canonical form: a v4-mapped IPv6 address is IPv4. */
struct addr {
	uint8_t family;    /* 0 (no address), 4 or 6 */
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest are 0 */
};

/* Room for a name with its NUL. A request with a longer one is refused before it is judged. */
enum { ENDPOINT_NAME_MAX = 1024 };

/* Who a request wants to talk to, or, with DIR_IN, where it wants to listen. */
struct endpoint {
	enum direction dir;
	enum proto proto;
	/*
	 * tcp, udp, icmp: canonical, as it is judged. With DIR_OUT Linux sends
	 * 0.0.0.0 to 127.0.0.1 and :: to ::1, so addr holds the loopback address
	 * and unspecified remembers what was asked for; with DIR_IN the wildcard
	 * address is kept.
	 */
	struct addr addr;
	bool unspecified;
	bool self;        /* DIR_OUT: a socket of this sandbox listens there */
	bool listening;   /* DIR_IN: listen rather than bind; then port 0 is a port yet unknown */
	uint16_t port;    /* host order; 0 for icmp, unix and dns */
	const char *name; /* unix: "/path" or "@name"; dns: the name; else NULL. Borrowed. */
};

/* Why a decision came out as it did, when no rule gave it. */
enum reason {
	REASON_RULE,
	REASON_DEFAULT,
	REASON_BIND_DEFAULT,   /* nothing is said of ports that are bound */
	REASON_BIND_UNMATCHED, /* no `in` rule matched */
	REASON_BIND_UNLISTED,  /* there are bind options, which `in` rules cannot be added to ... */
	REASON_BIND_LISTED,    /* ... and this port is among those that may not be bound */
	REASON_UNIX_DEFAULT,
	REASON_CONTROL_SOCKET, /* of a sandtop: no rule opens it */
	REASON_MAX_CONNECTIONS,
	REASON_IMPLIED_DNS,
	REASON_SINKHOLE,   /* port 53, or 0.0.0.0: see policy/dns.h */
	REASON_BLOCKED,    /* name: the name that is blocked, or the domain above it */
	REASON_NOT_NEEDED, /* name: the one asked for */
	REASON_NONE_RESOLVED, /* the same: whatever the rules say */
	REASON_REBIND,     /* the same */
	REASON_ENCRYPTED_DNS,
	REASON_HOSTS, /* a name that this machine answers itself */
	REASON_PROTOCOL,
	REASON_LEARN,       /* no rule matched, and the policy is being learned */
	REASON_LEARN_FULL,  /* the same, and no more flows can be remembered */
	REASON_ASK_TIMEOUT, /* held, and not answered in time */
	REASON_ASK_NOBODY,  /* nobody is there to answer */
	REASON_ASK_FULL,    /* too many are held */
	REASON_PANIC,       /* the operator has had everything denied */
	REASON_ERROR,
	REASON_COUNT,
};

struct decision {
	enum verdict verdict;
	enum reason reason;
	int rule;         /* number of the rule, from 1, with REASON_RULE; else 0 */
	int error;        /* a positive errno with REASON_ERROR; else 0 */
	const char *name; /* with the reasons that have one; else NULL. Borrowed. */
};

/* Whether no rule, put before all others, would have changed what has this reason. */
bool reason_is_final(enum reason reason);

/* "tcp", "udp", "icmp", "unix", "dns". */
const char *proto_name(enum proto proto);

/* "allow", "deny", "ask". */
const char *verdict_name(enum verdict verdict);

/* "default", "bind-default", ...; REASON_ERROR is "error" (the caller adds the errno's name). */
const char *reason_name(enum reason reason);

#endif
