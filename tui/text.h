/* SPDX-License-Identifier: MIT */
/*
 * Numbers and times in a few columns.
 */
#ifndef SANDTOP_TUI_TEXT_H
#define SANDTOP_TUI_TEXT_H

#include <stdint.h>

enum { TEXT_MAX = 32 }; /* holds every text with its NUL */

/* At most five columns: "0", "9999", "12k", "3.4M". Returns `buf`, as all of these do. */
const char *text_count(uint64_t n, char buf[static TEXT_MAX]);

/* Nanoseconds since then, at most four columns: "now", "59s", "5m", "3h", "12d". */
const char *text_age(uint64_t ns, char buf[static TEXT_MAX]);

/* Nanoseconds as a clock: "0:42", "1:02:03", "3d 04:05". */
const char *text_uptime(uint64_t ns, char buf[static TEXT_MAX]);

/* Nanoseconds of an answer, two or three digits: "9us", "1.2ms", "3.4s". */
const char *text_latency(uint64_t ns, char buf[static TEXT_MAX]);

#endif
