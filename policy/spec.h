/* SPDX-License-Identifier: MIT */
/*
 * Endpoint specs: `tcp://github.com:22,443`, `10.0.0.0/8`, `@private:80`, ...
 */
#ifndef SANDTOP_POLICY_SPEC_H
#define SANDTOP_POLICY_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/addr.h"
#include "policy/group.h"
#include "policy/policy.h"

#define SPEC_BLANKS " \t"

/* Sets of protocols. */
enum {
	SPEC_TCP = 1 << PROTO_TCP,
	SPEC_UDP = 1 << PROTO_UDP,
	SPEC_ICMP = 1 << PROTO_ICMP,
	SPEC_UNIX = 1 << PROTO_UNIX,
	SPEC_ANY = SPEC_TCP | SPEC_UDP | SPEC_ICMP,
};

enum spec_target {
	SPEC_EVERY,  /* any address */
	SPEC_PREFIX, /* an address or a CIDR: prefix */
	SPEC_GROUP,  /* group */
	SPEC_HOST,   /* name: a host name, in lower case */
	SPEC_SUFFIX, /* name: in lower case, without the dot in front */
	SPEC_PATH,   /* name: the PATH or @NAME of unix:, as written */
};

struct port_range {
	uint16_t lo, hi;
};

struct spec {
	unsigned int protos; /* SPEC_TCP | ... */
	enum spec_target target;
	struct prefix prefix;
	enum group group;
	char *name;
	struct port_range *ports; /* as written; they hold for tcp and udp */
	size_t n_ports;           /* 0 means every port */
};

struct spec_list {
	struct spec *v;
	size_t n;
};

/*
 * Read the comma-separated specs of `text`; one without a scheme means `protos` (`private` always
 * means SPEC_ANY). Nothing is resolved. Returns 0; -EINVAL when the text is wrong, with *err
 * filled; -ENOMEM. *out is written on success only and is to be freed with spec_list_free().
 */
int spec_parse(const char *text, unsigned int protos, struct spec_list *out,
	       struct policy_error *err);

/*
 * Read a list of ports alone, `8080,9000-9005` or `*`, as one spec for every address over tcp and
 * udp. Returns and gives what spec_parse() does.
 */
int spec_parse_ports(const char *text, struct spec_list *out, struct policy_error *err);

/*
 * Whether a spec can have the name: in any case, with or without a dot at the end, of letters of any
 * language. What inet_aton(3) reads as an address is none (RFC 1123 2.1).
 */
bool spec_is_host(const char *name);

/* Whether it names a host or a suffix. */
bool spec_has_name(const struct spec *spec);

void spec_list_free(struct spec_list *list);

#endif
