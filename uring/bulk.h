/* SPDX-License-Identifier: MIT */
/*
 * The messages of a sendmmsg(2), many at a time, between the task and the
 * scratch buffer. Private to the engine's files.
 */
#ifndef SANDTOP_URING_BULK_H
#define SANDTOP_URING_BULK_H

#include "uring/call.h"

/* How many messages the call has. */
unsigned bulk_count(const struct call *c);

/* Where the header of that message is in the task. */
uint64_t bulk_header(const struct call *c, unsigned message);

/*
 * Read the messages from c->messages on to headers, names, messages, control and payload of the scratch
 * buffer, as many as are whole, well-formed and fit. Returns how many, or -errno when that is none.
 */
int bulk_read(struct engine *e, const struct call *c);

/*
 * Tell the task the lengths of the `count` messages that were just sent, in one write. Returns how
 * many it could be told.
 */
unsigned bulk_tell(struct engine *e, const struct call *c, unsigned count);

#endif
