/* SPDX-License-Identifier: MIT */
/*
 * Questions: a call that the policy asks about is held until the operator
 * answers, the time is over, or a new policy decides.
 *
 * A held call is a blocked call (blocked.h) that waits for a timeout of the
 * ring. Nothing of it is read from the task again when it goes on, except what
 * was no part of the question. At most ASK_HELD calls are held; the next one
 * is denied (`ask-full`), and so is one that nobody could answer (`ask-nobody`).
 */
#ifndef SANDTOP_URING_ASK_H
#define SANDTOP_URING_ASK_H

#include "uring/call.h"

/*
 * c->decision is to ask: hold the call, of which c->target is what it wants, or deny it. When it is
 * allowed later, `resume` is called with 0. The call has been seen to when this returns.
 */
void ask_hold(struct engine *e, struct call *c, call_fn *resume);

/* The policy has changed, and may have the answer now. */
void ask_judge_again(struct engine *e, struct call *c);

/* The held call with this number, if anybody has been shown its question, or NULL. */
struct call *ask_find(const struct engine *e, uint64_t number);

/*
 * Allow or deny the held call, and every other one that is held for the same endpoint and has been
 * shown (e->ask.shown), once. Whoever answers knows of no others.
 * Returns how many.
 */
unsigned ask_answer(struct engine *e, struct call *c, enum verdict verdict);

/* What was to answer this question has failed, so that somebody may answer it again. */
void ask_again(struct engine *e, uint64_t number);

/* How many nanoseconds from `now` on the operator has for it. */
uint64_t ask_time_left(const struct call *c, uint64_t now);

#endif
