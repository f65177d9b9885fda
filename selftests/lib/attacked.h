/* SPDX-License-Identifier: MIT */
/*
 * The ground that attacks are judged on: two listeners on every address of the
 * machine, of which a policy opens one, a multicast group, UNIX services and a
 * process that could be sent a signal.
 */
#ifndef SANDTOP_SELFTESTS_LIB_ATTACKED_H
#define SANDTOP_SELFTESTS_LIB_ATTACKED_H

#include <stddef.h>

#include "selftests/lib/command.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

enum { ALLOWED = 7001, FORBIDDEN = 7002, ATTACKED_SERVICES = 3 };

#define ALLOWED_TEXT   "7001"
#define FORBIDDEN_TEXT "7002"

enum policy {
	ALLOW_LIST,
	DENY_LIST,
	PRESET,
	POLICIES,
	ALLOW_BIND = POLICIES, /* instead of these three: the policy is not what stops it */
};

struct attacked {
	struct server *allowed[2], *forbidden[2], *group; /* TCP, UDP */
	int member;
	int services[ATTACKED_SERVICES];
	struct command victim;
	struct sandbox sandbox; /* what runs there */
	char abstract[32];
};

/* In a network namespace of its own; without one the test is skipped. */
void attacked_init(struct attacked *a);
void attacked_free(struct attacked *a);

/* New listeners, that have heard nothing yet. */
void attacked_renew(struct attacked *a);

/* The oracle: how often the attack had its effect. */
size_t attacked_effects(struct attacked *a);

/* sandtop's options that open the allowed port alone. */
const char *const *attacked_options(enum policy policy);

/* The attacker with this scenario and one argument or none. Good until the next call. */
const char *const *attacked_by(const char *scenario, const char *argument);

/* Wait until the command has written `text` to its stdout. */
void attacked_says(struct attacked *a, const char *text);

#endif
