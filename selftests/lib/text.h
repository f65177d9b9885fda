/* SPDX-License-Identifier: MIT */
/*
 * Looking into what was said.
 */
#ifndef SANDTOP_SELFTESTS_LIB_TEXT_H
#define SANDTOP_SELFTESTS_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* How often `part`, which is not empty, is there. */
size_t text_count(const char *text, const char *part);

/* Whether the extended regular expression (regex(7)) matches; false if there is no text. */
bool text_matches(const char *pattern, const char *text);

#endif
