/* SPDX-License-Identifier: MIT */
/*
 * Leading a task's name queries to the sinkhole: its socket becomes one of the mirror. Private to
 * the engine's files.
 *
 * Only the descriptor that the task used is replaced. A duplicate of it is still the socket of
 * before, which was connected to nothing for it: each use of that is judged as any other.
 */
#ifndef SANDTOP_URING_DIVERT_H
#define SANDTOP_URING_DIVERT_H

#include "uring/call.h"

/*
 * What of the policy's decision stands for the call's socket: one of the mirror reaches the sinkhole
 * and nothing else, and what else is asked of it is refused.
 */
struct decision divert_decide(const struct engine *e, const struct call *c, struct decision d);

/* Whether such a decision leads to the sinkhole. */
bool divert_applies(const struct decision *d);

/* Whether a socket is one of the mirror. */
bool divert_is_mirrored(const struct engine *e, const struct socket_info *info);

/*
 * c->target is to be reached in the sinkhole, with a socket that is none of the mirror: connect the
 * task to it, and finish the call.
 */
void divert_connect(struct engine *e, struct call *c, int res);

/*
 * The same for a send to it, which then goes on with a socket of the mirror. Returns false when the
 * call is finished, or will be begun again by `again`.
 */
bool divert_send(struct engine *e, struct call *c, call_fn *again);

#endif
