/* SPDX-License-Identifier: MIT */
/*
 * The public suffix list (publicsuffix.org), by way of libpsl.
 */
#ifndef SANDTOP_POLICY_SUFFIX_H
#define SANDTOP_POLICY_SUFFIX_H

#include <stdbool.h>

/*
 * Whether anybody can register a name directly below `name` (lower case, without the dot in front):
 * com, co.uk, github.io. A top-level domain that the list does not know is none.
 */
bool suffix_is_public(const char *name);

#endif
