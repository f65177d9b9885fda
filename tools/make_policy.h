/* SPDX-License-Identifier: MIT */
/*
 * From the policy options to a policy, with the user told what is wrong.
 */
#ifndef SANDTOP_TOOLS_MAKE_POLICY_H
#define SANDTOP_TOOLS_MAKE_POLICY_H

#include "core/resolve.h"
#include "policy/policy.h"
#include "policy/source.h"
#include "tools/options.h"
#include "tools/profile_file.h"

/*
 * Put a draft together, to be freed with draft_free(): what the options say, and then the profile.
 * Returns 0, or an exit status.
 */
int make_draft(const struct options *o, struct profile_file *f, struct draft **out);

/*
 * What make_draft() would put together, to be made again while the command runs; to be freed with
 * source_free(). `path` is the profile's, absolute; a `sinkhole` is there for good. Returns NULL for
 * want of memory.
 */
struct source *make_source(const struct options *o, const struct profile_file *f, const char *path,
			   bool sinkhole);

/*
 * Resolve the draft's names, look at this machine, and compile: may block. The policy is to be
 * freed with policy_free(). `unknown` is as in core/resolve.h. Returns 0, or an exit status.
 */
int make_policy(struct draft *d, resolve_unknown_fn *unknown, struct policy **out);

#endif
