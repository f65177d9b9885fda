/* SPDX-License-Identifier: MIT */
/*
 * From a draft to a policy: its names are resolved, and this machine is looked
 * at. May wait for as long as a name server takes.
 */
#ifndef SANDTOP_CORE_RESOLVE_H
#define SANDTOP_CORE_RESOLVE_H

#include "policy/policy.h"

/* Tells the user that a name of the policy does not resolve now, and why (both borrowed). */
typedef void resolve_unknown_fn(const char *host, const char *why);

/*
 * Fill in the addresses of the draft's names, of this machine and of its name servers, and compile.
 * The policy is to be freed with policy_free().
 *
 * The sinkhole of a draft that has one follows the names itself: of those only what /etc/hosts says
 * is filled in, unless there is an `unknown`. Then they are resolved all the same, for a
 * policy that is not to be run, and those that have no address now are told to it.
 *
 * Returns 0, or with *err filled -ENOENT (a name does not resolve, or a variable in a path is not
 * set), -EIO (this machine's addresses cannot be listed) or -ENOMEM.
 */
int resolve_policy(struct draft *d, resolve_unknown_fn *unknown, struct policy **out,
		   struct policy_error *err);

#endif
