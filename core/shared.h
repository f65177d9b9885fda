/* SPDX-License-Identifier: MIT */
/*
 * Memory that one process writes while others read it.
 *
 * A part of it that changes as a whole has a sequence counter, odd while the
 * part is being written. The writer never waits: a reader that has met a writer
 * finds another number behind its copy than before, and copies again. So that
 * this holds for the compiler and for every machine, the part itself is read
 * and written in relaxed atomic words alone (H. Boehm, "Can seqlocks get along
 * with programming language memory models?", 2012).
 *
 * The writer may read what it wrote as plain memory: nobody else changes it.
 */
#ifndef SANDTOP_CORE_SHARED_H
#define SANDTOP_CORE_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef _Atomic uint64_t shared_seq;

/* Any object, seen as words. */
typedef uint64_t __attribute__((may_alias)) shared_word;

/* How often a reader tries to copy a part before it gives up: far more than chance needs. */
enum { SHARED_TRIES = 128 };

/* One number, up to a word. */
#define shared_store(object, value) __atomic_store_n(&(object), (value), __ATOMIC_RELAXED)
#define shared_load(object)         __atomic_load_n(&(object), __ATOMIC_RELAXED)

static inline void shared_begin(shared_seq *seq)
{
	atomic_store_explicit(seq, *(uint64_t *)seq + 1, memory_order_relaxed);
	/* No store of the part comes before this one. */
	atomic_thread_fence(memory_order_release);
}

static inline void shared_end(shared_seq *seq)
{
	/* No store of the part comes after this one. */
	atomic_store_explicit(seq, *(uint64_t *)seq + 1, memory_order_release);
}

/* Between begin and end: write `len` bytes, a multiple of 8, to `to`, aligned to 8. */
static inline void shared_put(void *to, const void *from, size_t len)
{
	shared_word *out = to;
	const char *in = from;

	for (size_t i = 0; i < len / sizeof(*out); i++) {
		uint64_t word;

		memcpy(&word, in + i * sizeof(word), sizeof(word));
		__atomic_store_n(&out[i], word, __ATOMIC_RELAXED);
	}
}

/*
 * The same with as much of a text as fits, NUL included, into the field `to`, whose size is a
 * multiple of 8. What the field holds behind the NUL is no longer of any meaning.
 */
static inline void shared_put_text(char *to, size_t size, const char *from)
{
	shared_word *out = (shared_word *)(void *)to;
	size_t len = strnlen(from, size - 1);

	for (size_t i = 0; i <= len; i += sizeof(*out)) {
		uint64_t word = 0;

		memcpy(&word, from + i, len - i < sizeof(word) ? len - i : sizeof(word));
		__atomic_store_n(out++, word, __ATOMIC_RELAXED);
	}
}

/* Copy `len` bytes, a multiple of 8, between two looks at a sequence counter. */
static inline void shared_get(void *to, const void *from, size_t len)
{
	const shared_word *in = from;
	char *out = to;

	for (size_t i = 0; i < len / sizeof(*in); i++) {
		uint64_t word = __atomic_load_n(&in[i], __ATOMIC_RELAXED);

		memcpy(out + i * sizeof(word), &word, sizeof(word));
	}
}

/* One try to copy a part. Returns the counter it had all the while, or 0: it was being written. */
static inline uint64_t shared_try_read(const shared_seq *seq, void *to, const void *from,
				       size_t len)
{
	uint64_t before = atomic_load_explicit(seq, memory_order_acquire);

	if (before & 1)
		return 0;
	shared_get(to, from, len);
	/* No load of the part comes after the second look. */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(seq, memory_order_relaxed) == before ? before : 0;
}

/* Returns whether one of SHARED_TRIES tries gave a whole copy of a part that was ever written. */
static inline bool shared_read(const shared_seq *seq, void *to, const void *from, size_t len)
{
	for (int i = 0; i < SHARED_TRIES; i++)
		if (shared_try_read(seq, to, from, len))
			return true;
	return false;
}

#endif
