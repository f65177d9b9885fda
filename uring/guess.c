/* SPDX-License-Identifier: MIT */
#include "uring/guess.h"

#include <string.h>

struct guess *guess_of(struct guesses *g, pid_t tid)
{
	return &g->slot[(unsigned)tid % GUESSES];
}

bool guess_is_good(const struct guess *g, pid_t tid, uint64_t at)
{
	return g->tid == tid && g->at == at && g->steady;
}

bool guess_is_right(const struct guess *g, const struct places *places)
{
	return g->places.name == places->name && g->places.name_len == places->name_len &&
	       g->places.vectors == places->vectors && g->places.count == places->count;
}

bool guess_covers(const struct guess *g, const struct iovec *vectors, size_t count)
{
	if (count > GUESS_VECTORS || count != g->places.count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct iovec *last = &g->vectors[i];

		/* The last piece may be a shorter one: that is where the payload ends. */
		if (vectors[i].iov_base != last->iov_base || vectors[i].iov_len > last->iov_len ||
		    (i + 1 < count && vectors[i].iov_len != last->iov_len))
			return false;
	}
	return true;
}

size_t guess_payload(const struct guess *g)
{
	size_t total = 0;

	for (size_t i = 0; i < g->places.count; i++)
		total += g->vectors[i].iov_len;
	return total;
}

void guess_learn(struct guess *g, pid_t tid, uint64_t at, const struct places *places,
		 const struct iovec *vectors)
{
	bool again = g->tid == tid && g->at == at && guess_is_right(g, places);

	if (places->count > GUESS_VECTORS) {
		g->tid = 0;
		return;
	}
	g->steady = g->payload_steady = again;
	for (size_t i = 0; again && i < places->count; i++)
		g->payload_steady &= vectors[i].iov_base == g->vectors[i].iov_base;
	g->tid = tid;
	g->at = at;
	g->places = *places;
	memcpy(g->vectors, vectors, places->count * sizeof(vectors[0]));
}
