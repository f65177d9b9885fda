/* SPDX-License-Identifier: MIT */
/*
 * Calls that wait: for a connection, for room in a socket's buffer, for their
 * turn. While there are any, a tick looks after them: a task that is gone, that
 * has a signal to handle, or whose SO_SNDTIMEO is over does not wait on.
 * Private to the engine's files.
 */
#ifndef SANDTOP_URING_BLOCKED_H
#define SANDTOP_URING_BLOCKED_H

#include "uring/call.h"

void blocked_init(struct engine *e);

/* Let the calls go on that yielded. */
void blocked_run(struct engine *e);

/*
 * The policy has changed: cancel those that it does not allow. Each is answered with its denial,
 * once the ring lets go of it. Returns how many.
 */
unsigned blocked_judge_again(struct engine *e);

/* Drop a waiting call without an answer: at the end of the run. */
void blocked_forget(struct engine *e, struct call *c);

#endif
