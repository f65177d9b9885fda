/* SPDX-License-Identifier: MIT */
/*
 * Few process numbers, so that they soon are used again.
 */
#ifndef SANDTOP_SELFTESTS_LIB_PIDNS_H
#define SANDTOP_SELFTESTS_LIB_PIDNS_H

enum { PIDNS_NO_PROC = 98, PIDNS_NO_LIMIT = 99 }; /* exit statuses */

/*
 * In the child that is about to execute a program (command_start()): continue as
 * the second process of a namespace with a /proc of its own, mounted with `options` or NULL; this
 * one waits for it and ends as it does. Needs the rights of a namespace's owner.
 * Ends with PIDNS_NO_PROC where the kernel refuses.
 */
void pidns_enter(const char *options);

/* The same with 400 numbers, or PIDNS_NO_LIMIT. */
void pidns_enter_small(void);

#endif
