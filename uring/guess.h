/* SPDX-License-Identifier: MIT */
/*
 * Where the next sendmsg(2) of a thread will have its header, vectors and
 * payload, judging from the one before: most programs send from the same places
 * again and again. So all can be read in one system call instead of three.
 *
 * A guess decides nothing but what is read along with the header. What is used
 * of it is only what the header that came with it points to.
 */
#ifndef SANDTOP_URING_GUESS_H
#define SANDTOP_URING_GUESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
	GUESSES = 64,      /* threads that are remembered */
	GUESS_VECTORS = 8, /* a message of more is not guessed */
};

/* The places of a message: of its name, of which name_len bytes are read, and of its vectors. */
struct places {
	uint64_t name, vectors;
	size_t name_len; /* at most sizeof(struct sockaddr_storage) */
	size_t count;
};

struct guess {
	pid_t tid;   /* whose, 0 = nobody's */
	uint64_t at; /* address of the header */
	struct places places;
	struct iovec vectors[GUESS_VECTORS];
	bool steady;         /* the last two headers pointed to the same places ... */
	bool payload_steady; /* ... and so did their vectors */
};

struct guesses {
	struct guess slot[GUESSES];
};

/* The slot for that thread; what is in it may be another's. */
struct guess *guess_of(struct guesses *g, pid_t tid);

/* Whether it is to be expected that the thread's header at `at` points where the last one did. */
bool guess_is_good(const struct guess *g, pid_t tid, uint64_t at);

/* Whether those are the last one's places, so that the right pieces have been read. */
bool guess_is_right(const struct guess *g, const struct places *places);

/* Whether what the last vectors describe begins with all that the `count` vectors here do. */
bool guess_covers(const struct guess *g, const struct iovec *vectors, size_t count);

/* How many bytes the vectors of the last message describe. */
size_t guess_payload(const struct guess *g);

/* That is what the header at `at` and its vectors, which are in order, said. */
void guess_learn(struct guess *g, pid_t tid, uint64_t at, const struct places *places,
		 const struct iovec *vectors);

#endif
