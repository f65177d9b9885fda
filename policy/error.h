/* SPDX-License-Identifier: MIT */
/*
 * Messages about what the user wrote.
 */
#ifndef SANDTOP_POLICY_ERROR_H
#define SANDTOP_POLICY_ERROR_H

#include "policy/policy.h"

/* How a message quotes the user's text: a long text is cut, so that what was expected still fits.
 */
#define QUOTED "'%.100s'"

/*
 * Fill *err with one line: control characters become '?'. Returns -EINVAL, which is what its
 * callers return.
 */
__attribute__((format(printf, 2, 3))) int policy_error_set(struct policy_error *err,
							   const char *fmt, ...);

#endif
