/* SPDX-License-Identifier: MIT */
/*
 * Asks the sandbox, now and then, for what the ledger has not.
 */
#ifndef SANDTOP_TUI_LOOKS_H
#define SANDTOP_TUI_LOOKS_H

struct monitor;

/* Ask for what is due, as far as it shows. The replies come to replies.c. */
void looks_ask(struct monitor *m);

#endif
