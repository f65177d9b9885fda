/* SPDX-License-Identifier: MIT */
/*
 * Where a thread had what its last sendmmsg(2) points to. Most programs send
 * from the same places again and again, so all of it can be read along with
 * the headers, before they say where it is. Nothing is decided by a guess: what
 * was read is used only where the headers that were read point to.
 */
#ifndef SANDTOP_URING_SPANS_H
#define SANDTOP_URING_SPANS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum span_kind {
	SPAN_NAMES,
	SPAN_VECTORS,
	SPAN_PAYLOAD,
	SPAN_KINDS,
};

enum { SPANS_THREADS = 16 }; /* remembered at a time, by thread id modulo this */

/* A range of a task's memory. */
struct span {
	uint64_t first;
	size_t len; /* bytes, 0 = there is none */
};

struct spans {
	pid_t tid;
	uint64_t headers; /* address */
	unsigned count;   /* of headers */
	struct span v[SPAN_KINDS];
};

static inline uint64_t span_end(const struct span *s)
{
	return s->first + s->len;
}

static inline int span_holds(const struct span *s, const struct span *part)
{
	return part->first >= s->first && span_end(part) <= span_end(s);
}

#endif
