/* SPDX-License-Identifier: MIT */
/*
 * Takes what comes from the sandbox, for the model.
 */
#ifndef SANDTOP_TUI_REPLIES_H
#define SANDTOP_TUI_REPLIES_H

#include <stdbool.h>
#include <stdint.h>

struct monitor;

/* Take all that has come. */
void replies_read(struct monitor *m);

/* What became of the answer to the question of that number. */
void replies_answered(struct monitor *m, uint64_t id, bool ok);

#endif
