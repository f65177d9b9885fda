/* SPDX-License-Identifier: MIT */
/*
 * The option of the command line that would allow what was denied.
 */
#ifndef SANDTOP_CORE_OPTION_H
#define SANDTOP_CORE_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/record.h"
#include "policy/draft.h"

enum { OPTION_TEXT_MAX = 288 }; /* holds every option with its NUL */

/* Of which options a command line's policy is made: what another one may be. */
struct option_policy {
	enum draft_family family; /* FAMILY_RULES also where --net-allow would be refused */
	bool has_in;   /* it has rules with `in` */
	bool sinkhole; /* refused names are answered with 0.0.0.0, which nobody means to open */
	int own_rules; /* those behind are a preset's */
};

struct option_policy option_policy(const struct draft *d);

/*
 * Write the option that, added to the policy's, would allow this flow, ready to be pasted into a
 * shell: "--net-allow udp://[::1]:53", "--net-allow-bind 3000", "--rule 'allow unix:/run/bus'".
 *
 * Returns its length; 0, with an empty text, when none does: the flow is allowed already, a rule
 * other than a preset's refuses it, nothing can be added to a --net-deny, it has a name and no
 * address, or the reason is no policy's (an error, a protocol, a limit).
 */
size_t option_to_allow(const struct option_policy *p, const struct record *r, char *buf,
		       size_t size);

#endif
