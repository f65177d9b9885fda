/* SPDX-License-Identifier: MIT */
/*
 * The figures of a run in the text format of Prometheus (exposition format 0.0.4).
 */
#ifndef SANDTOP_CORE_METRICS_H
#define SANDTOP_CORE_METRICS_H

#include <stddef.h>

#include "core/ledger.h"

enum { METRICS_TEXT_MAX = 16384 }; /* holds every text with its NUL */

/* Write the text, and return its length. */
size_t metrics_text(const struct ledger_head *head, char buf[static METRICS_TEXT_MAX]);

#endif
