/* SPDX-License-Identifier: MIT */
/*
 * Pausing the command's network: every new call is held, unread and unjudged,
 * until the pause is over, and begins then. A held one is a blocked call
 * (blocked.h): signals end it as they would any other. With every call taken the
 * kernel holds the rest.
 */
#ifndef SANDTOP_URING_PAUSE_H
#define SANDTOP_URING_PAUSE_H

#include "uring/call.h"

/* Hold a new call; `begin` is what it begins with. */
void pause_hold(struct engine *e, struct call *c, call_fn *begin);

/* From now on new calls are held, or not any more: those that are begin in the next turn. */
void pause_set(struct engine *e, bool on);

#endif
