/* SPDX-License-Identifier: MIT */
/*
 * From a draft to a policy: its names are resolved, and this machine is looked
 * at. May wait for as long as a name server takes.
 */
#ifndef SANDTOP_CORE_RESOLVE_H
#define SANDTOP_CORE_RESOLVE_H

#include "policy/policy.h"

/*
 * Fill in the addresses of the draft's names, of this machine and of its name servers, and compile.
 * The policy is to be freed with policy_free(). Returns 0, or with *err filled -ENOENT (a name does
 * not resolve), -EIO (this machine's addresses cannot be listed) or -ENOMEM.
 */
int resolve_policy(struct draft *d, struct policy **out, struct policy_error *err);

#endif
