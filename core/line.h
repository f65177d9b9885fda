/* SPDX-License-Identifier: MIT */
/*
 * A decision as one line of text for a person:
 *
 *	VERDICT[ in] PROTO TARGET[ (HOST)] COMM[PID] (rule N: RULE)
 *
 * or, without a rule, (REASON). Everything that came from the command is
 * escaped. Neither the "sandtop: " in front nor the line break at the end is
 * part of it: they belong to whoever writes it.
 */
#ifndef SANDTOP_CORE_LINE_H
#define SANDTOP_CORE_LINE_H

#include <stddef.h>
#include <time.h>

#include "core/record.h"

enum {
	LINE_TEXT_MAX = 2048,  /* holds every line with its NUL */
	LINE_TARGET_MAX = 512, /* holds every target with its NUL */
	LINE_REASON_MAX = 512, /* holds every reason with its NUL; a longer name is cut */
	LINE_TIME_MAX = 32,    /* holds every time stamp with its NUL */
};

/* Write the line. Returns its length; a line that does not fit is cut, as by snprintf(3). */
size_t line_format(const struct record *r, char *buf, size_t size);

/* "1.2.3.4:443", "[::1]:443", "1.1.1.1" (icmp), a path, "@name" or host name, escaped. */
const char *line_target(const struct endpoint *e, char buf[static LINE_TARGET_MAX]);

/* "default", "bind-default", "error EFAULT", ...: the reason of a decision without a rule. */
const char *line_reason(const struct decision *d, char buf[static LINE_REASON_MAX]);

/* CLOCK_REALTIME as RFC 3339 in UTC: "2026-01-31T23:59:59.123456Z". */
const char *line_time(struct timespec ts, char buf[static LINE_TIME_MAX]);

#endif
