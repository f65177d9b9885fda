/* SPDX-License-Identifier: MIT */
/*
 * IP addresses and prefixes: parsing, printing, canonical form.
 */
#ifndef SANDTOP_POLICY_ADDR_H
#define SANDTOP_POLICY_ADDR_H

#include <stddef.h>
#include <stdbool.h>

#include "policy/endpoint.h"

enum {
	ADDR_TEXT_MAX = 46,                  /* INET6_ADDRSTRLEN: the longest text plus its NUL */
	PREFIX_TEXT_MAX = ADDR_TEXT_MAX + 4, /* and "/128" */
};

/* A CIDR. The bits of addr behind the first len are 0. */
struct prefix {
	struct addr addr;
	uint8_t len;
};

/* From bytes in network order; addr_from_v6() turns a v4-mapped address into IPv4. */
struct addr addr_from_v4(const void *bytes4);
struct addr addr_from_v6(const void *bytes16);

/*
 * Read dotted-quad IPv4 or RFC 4291 IPv6 text (no brackets, no zone, no
 * prefix); the result is canonical. Returns 0 or -EINVAL.
 */
int addr_parse(const char *text, struct addr *out);

/* Write the canonical text (RFC 5952) with its NUL to `buf`, and return `buf`. */
const char *addr_text(struct addr a, char buf[static ADDR_TEXT_MAX]);

bool addr_equal(struct addr a, struct addr b);

/* 127.0.0.0/8 and ::1. */
bool addr_is_loopback(struct addr a);

/* 0.0.0.0 and ::. */
bool addr_is_unspecified(struct addr a);

/* How many bits an address of the family (4 or 6) has. */
static inline unsigned int addr_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

/*
 * The IPv4 address that a NAT64 (64:ff9b::/96, RFC 6052) or 6to4 (2002::/16, RFC 3056) gateway
 * sends `a` on to. Returns the length of the gateway's own prefix, or 0 when `a` is none of these.
 */
unsigned int addr_embedded_v4(struct addr a, struct addr *v4);

/*
 * Read ADDRESS or ADDRESS/LEN; host bits are masked off. A v4-mapped prefix of 96 bits or more is
 * IPv4. Returns 0; -EINVAL when it is neither; -ERANGE when only LEN is too large.
 */
int prefix_parse(const char *text, struct prefix *out);

/* The prefix that holds `a` alone. */
struct prefix prefix_of(struct addr a);

/* Write the text with its NUL to `buf`, a single address without /LEN, and return `buf`. */
const char *prefix_text(struct prefix p, char buf[static PREFIX_TEXT_MAX]);

/* Below, at or above 0: IPv4 first, then by address, outer prefixes before those inside them. */
int prefix_compare(struct prefix p, struct prefix q);

/* Families never match each other. */
bool prefix_holds(struct prefix p, struct addr a);

/*
 * The endpoint of an outgoing request to `a`:`port`: an unspecified address becomes the loopback
 * address that Linux sends it to, and is remembered as such.
 */
struct endpoint endpoint_out(enum proto proto, struct addr a, uint16_t port);

/* The endpoint of a bind to, or a listen on, the local address `a`:`port`. */
struct endpoint endpoint_in(enum proto proto, struct addr a, uint16_t port);

#endif
