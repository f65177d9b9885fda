/* SPDX-License-Identifier: MIT */
/*
 * From the policy options to a policy, with the user told what is wrong.
 */
#ifndef SANDTOP_TOOLS_MAKE_POLICY_H
#define SANDTOP_TOOLS_MAKE_POLICY_H

#include "policy/policy.h"
#include "tools/options.h"
#include "tools/profile_file.h"

/*
 * Put a draft together, to be freed with draft_free(): what the options say, and then the profile.
 * Returns 0, or an exit status.
 */
int make_draft(const struct options *o, const struct profile_file *f, struct draft **out);

/* When the names of rules are resolved. */
enum make_names {
	NAMES_NOW,
	NAMES_LATER, /* by the sinkhole, but for those of /etc/hosts */
};

/*
 * Resolve the draft's names, look at this machine, and compile: may block. The policy is to be
 * freed with policy_free(). Returns 0, or an exit status.
 */
int make_policy(struct draft *d, enum make_names names, struct policy **out);

#endif
