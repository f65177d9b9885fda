/* SPDX-License-Identifier: MIT */
/*
 * Whether this is a build with sanitizers, in which time says nothing.
 */
#ifndef SANDTOP_SELFTESTS_UNIT_SANITIZED_H
#define SANDTOP_SELFTESTS_UNIT_SANITIZED_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = true };
#elif defined(__has_feature)
enum { SANITIZED = __has_feature(address_sanitizer) };
#else
enum { SANITIZED = false };
#endif

#endif
