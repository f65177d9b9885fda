/* SPDX-License-Identifier: MIT */
#include "uring/bulk.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

/* When to read what is between the pieces, too: from so many on, so far apart on average. */
enum { COVER_PIECES = 4, COVER_A_PIECE = 2048 };

unsigned bulk_count(const struct call *c)
{
	unsigned count = (unsigned)c->n.args[2];

	return count < SCRATCH_VECTORS ? count : SCRATCH_VECTORS; /* net/socket.c: UIO_MAXIOV */
}

uint64_t bulk_header(const struct call *c, unsigned message)
{
	return c->n.args[1] + message * sizeof(struct mmsghdr);
}

/* How many of `count` local vectors a read of `bytes` bytes filled. */
static unsigned filled(const struct iovec *v, unsigned count, ssize_t bytes)
{
	unsigned i;

	for (i = 0; i < count && bytes >= (ssize_t)v[i].iov_len; i++)
		bytes -= (ssize_t)v[i].iov_len;
	return i;
}

/*
 * For each piece of another's memory the kernel pins pages anew (mm/process_vm_access.c
 * process_vm_rw_single_vec()), which costs more than to copy a KiB. Pieces that lie close together
 * are read as one with what is between them. Returns that span, with a length of 0 when it is not
 * worth it, or not possible.
 */
static struct span span_of(const struct iovec *pieces, size_t count)
{
	uint64_t first = UINT64_MAX, end = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t at = (uintptr_t)pieces[i].iov_base;

		if (!pieces[i].iov_len)
			continue;
		if (pieces[i].iov_len > SCRATCH_COVER || at > UINT64_MAX - SCRATCH_COVER)
			return (struct span){ 0 };
		first = at < first ? at : first;
		end = at + pieces[i].iov_len > end ? at + pieces[i].iov_len : end;
	}
	if (count < COVER_PIECES || first > end || end - first > SCRATCH_COVER ||
	    end - first > count * COVER_A_PIECE)
		return (struct span){ 0 };
	return (struct span){ first, end - first };
}

/* Where in s->cover the guessed span of that kind is. */
static const uint8_t *guessed(const struct scratch *s, enum span_kind kind)
{
	const uint8_t *at = s->cover;

	for (int i = 0; i < (int)kind; i++)
		at += s->guess.v[i].len;
	return at;
}

/*
 * All pieces with what is between them: as guessed, or read now. Returns a copy of *out, or NULL:
 * then they have to be read one by one.
 */
static const uint8_t *read_cover(struct scratch *s, pid_t tid, enum span_kind kind,
				 const struct iovec *pieces, size_t count, struct span *out)
{
	const struct span *guess = &s->guess.v[kind];

	*out = span_of(pieces, count);
	if (!out->len)
		return NULL;
	if (span_holds(guess, out)) {
		s->found.v[kind] = *out;
		return guessed(s, kind) + (out->first - guess->first);
	}
	/* It is read to where the guessed ones are. */
	s->guess = (struct spans){ 0 };
	if (task_read(tid, s->cover, out->first, out->len))
		return NULL;
	s->found.v[kind] = *out;
	return s->cover;
}

static const uint8_t *covered(const uint8_t *cover, const struct span *span,
			      const struct iovec *piece)
{
	return cover + ((uintptr_t)piece->iov_base - span->first);
}

/*
 * Gather what s->gather describes in the task to where s->local says. A list of empty vectors needs
 * no reading. Returns how many vectors were filled, or -errno when none was.
 */
static int gather(struct scratch *s, pid_t tid, enum span_kind kind, unsigned count)
{
	const uint8_t *cover;
	struct span span;
	size_t total = 0;
	ssize_t n;

	for (unsigned i = 0; i < count; i++)
		total += s->local[i].iov_len;
	if (!total)
		return (int)count;
	cover = read_cover(s, tid, kind, s->gather, count, &span);
	for (unsigned i = 0; cover && i < count; i++)
		if (s->local[i].iov_len)
			memcpy(s->local[i].iov_base, covered(cover, &span, &s->gather[i]),
			       s->local[i].iov_len);
	if (cover)
		return (int)count;
	n = process_vm_readv(tid, s->local, count, s->gather, count, 0);
	if (n < 0)
		return -errno;
	n = filled(s->local, count, n);
	return n ? (int)n : -EFAULT;
}

static void want(struct scratch *s, unsigned i, void *to, const void *from, size_t len)
{
	s->local[i] = (struct iovec){ .iov_base = to, .iov_len = len };
	s->gather[i] = (struct iovec){ .iov_base = (void *)from, .iov_len = len };
}

/*
 * Take over those spans of the thread's last call that fit, if this one is from the same place.
 * Returns how many bytes they have.
 */
static size_t take_guess(struct scratch *s, const struct call *c, const struct spans *last)
{
	size_t total = 0;

	s->guess = (struct spans){ 0 };
	if (c->messages || last->tid != c->n.tid || last->headers != bulk_header(c, 0) ||
	    last->count != bulk_count(c))
		return 0;
	for (int i = 0; i < SPAN_KINDS; i++) {
		if (last->v[i].len > SCRATCH_COVER - total)
			continue;
		s->guess.v[i] = last->v[i];
		total += last->v[i].len;
	}
	return total;
}

/* The headers, and in the same call what they are guessed to point to. */
static int read_headers(struct scratch *s, const struct call *c, const struct spans *last,
			unsigned count)
{
	size_t size = count * sizeof(s->headers[0]), guess = take_guess(s, c, last);
	const struct iovec local[] = { { s->headers, size }, { s->cover, guess } };
	struct iovec remote[1 + SPAN_KINDS] = {
		{ (void *)(uintptr_t)bulk_header(c, c->messages), size },
	};
	ssize_t n;

	for (int i = 0; i < SPAN_KINDS; i++)
		remote[1 + i] = (struct iovec){
			.iov_base = (void *)(uintptr_t)s->guess.v[i].first,
			.iov_len = s->guess.v[i].len,
		};
	n = process_vm_readv(c->n.tid, local, guess ? 2 : 1, remote, guess ? 1 + SPAN_KINDS : 1, 0);
	if (n < 0)
		return -errno;
	/* One of them is not there any more. */
	if ((size_t)n < size + guess)
		s->guess = (struct spans){ 0 };
	if ((size_t)n > size)
		n = (ssize_t)size;
	n /= (ssize_t)sizeof(s->headers[0]);
	memcpy(s->as_read, s->headers, (size_t)n * sizeof(s->headers[0]));
	return n ? (int)n : -EFAULT;
}

static int read_names(struct scratch *s, const struct call *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *h = &s->headers[i].msg_hdr;
		size_t len = h->msg_name ? h->msg_namelen : 0;

		if ((int)len < 0)
			return i ? (int)i : -EINVAL;
		if (len > sizeof(s->names[i]))
			len = sizeof(s->names[i]);
		s->messages[i].name_len = (int)len;
		want(s, i, &s->names[i], h->msg_name, len);
	}
	return gather(s, c->n.tid, SPAN_NAMES, count);
}

/* The vectors of all messages, one after the other, to s->remote. */
static int read_vectors(struct scratch *s, const struct call *c, unsigned count)
{
	size_t vectors = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *h = &s->headers[i].msg_hdr;

		if (h->msg_iovlen > SCRATCH_VECTORS - vectors) {
			if (!i)
				return -EMSGSIZE;
			count = i;
			break;
		}
		want(s, i, s->remote + vectors, h->msg_iov, h->msg_iovlen * sizeof(struct iovec));
		s->messages[i].count = h->msg_iovlen;
		vectors += h->msg_iovlen;
	}
	return gather(s, c->n.tid, SPAN_VECTORS, count);
}

/* Add up the vectors of each message; a message that is too long ends the chunk. */
static int sum_totals(struct scratch *s, unsigned count)
{
	const struct iovec *v = s->remote;
	size_t all = 0;

	for (unsigned i = 0; i < count; i++) {
		size_t total = 0;

		for (size_t k = 0; k < s->messages[i].count; k++, v++) {
			if ((ssize_t)v->iov_len < 0)
				return i ? (int)i : -EINVAL;
			if (v->iov_len > SCRATCH_PAYLOAD - all - total)
				return i ? (int)i : -EMSGSIZE;
			total += v->iov_len;
		}
		s->messages[i].total = total;
		all += total;
	}
	return (int)count;
}

/* The payloads of all messages, one after the other, to s->payload. */
static int read_payloads(struct scratch *s, const struct call *c, unsigned count)
{
	size_t vectors = 0, all = 0;
	uint8_t *to = s->payload;
	const uint8_t *cover;
	struct span span;
	ssize_t n;

	for (unsigned i = 0; i < count; i++) {
		vectors += s->messages[i].count;
		all += s->messages[i].total;
	}
	cover = read_cover(s, c->n.tid, SPAN_PAYLOAD, s->remote, vectors, &span);
	for (size_t i = 0; cover && i < vectors; i++) {
		if (s->remote[i].iov_len)
			memcpy(to, covered(cover, &span, &s->remote[i]), s->remote[i].iov_len);
		to += s->remote[i].iov_len;
	}
	if (cover)
		return (int)count;
	n = task_readv(c->n.tid, s->payload, all, s->remote, vectors);
	if (n < 0)
		return (int)n;
	for (unsigned i = 0; i < count; i++) {
		if (n < (ssize_t)s->messages[i].total)
			return i ? (int)i : -EFAULT;
		n -= (ssize_t)s->messages[i].total;
	}
	return (int)count;
}

/* Control messages are rare: one read each. They stand one after the other in s->control. */
static int read_controls(struct scratch *s, const struct call *c, unsigned count)
{
	size_t all = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *h = &s->headers[i].msg_hdr;
		size_t len = h->msg_controllen;
		int ret;

		s->messages[i].control_len = len;
		if (!len)
			continue;
		if (len > SCRATCH_CONTROL - all)
			return i ? (int)i : -ENOBUFS;
		ret = task_read(c->n.tid, s->control + all, (uintptr_t)h->msg_control, len);
		if (ret)
			return i ? (int)i : ret;
		all += CMSG_ALIGN(len);
		if (all > SCRATCH_CONTROL)
			all = SCRATCH_CONTROL;
	}
	return (int)count;
}

int bulk_read(struct engine *e, const struct call *c)
{
	struct spans *last = &e->spans[(unsigned)c->n.tid % SPANS_THREADS];
	struct scratch *s = e->scratch;
	int n;

	s->found = (struct spans){
		.tid = c->n.tid, .headers = bulk_header(c, 0), .count = bulk_count(c)
	};
	n = read_headers(s, c, last, bulk_count(c) - c->messages);
	if (n > 0)
		n = read_names(s, c, (unsigned)n);
	if (n > 0)
		n = read_vectors(s, c, (unsigned)n);
	if (n > 0)
		n = sum_totals(s, (unsigned)n);
	if (n > 0)
		n = read_controls(s, c, (unsigned)n);
	if (n > 0)
		n = read_payloads(s, c, (unsigned)n);
	if (!c->messages)
		*last = s->found;
	return n;
}

/* Only the lengths, whatever the others of its threads do to the headers meanwhile. */
static ssize_t write_each_length(struct scratch *s, const struct call *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t at = bulk_header(c, c->messages + i) + offsetof(struct mmsghdr, msg_len);
		size_t len = sizeof(s->headers[i].msg_len);

		want(s, i, &s->headers[i].msg_len, (void *)(uintptr_t)at, len);
	}
	return process_vm_writev(c->n.tid, s->local, count, s->gather, count, 0) /
	       (ssize_t)sizeof(s->headers[0].msg_len);
}

/* The headers as they were read, with the lengths: one piece (see read_cover()). */
static ssize_t write_headers(struct scratch *s, const struct call *c, unsigned count)
{
	struct iovec local = { s->as_read, count * sizeof(s->as_read[0]) };
	struct iovec remote = { (void *)(uintptr_t)bulk_header(c, c->messages), local.iov_len };

	for (unsigned i = 0; i < count; i++)
		s->as_read[i].msg_len = s->headers[i].msg_len;
	return process_vm_writev(c->n.tid, &local, 1, &remote, 1, 0) /
	       (ssize_t)sizeof(s->as_read[0]);
}

/* Whoever sends from the same headers again has the lengths of the last time there. */
static bool is_told(const struct scratch *s, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (s->as_read[i].msg_len != s->headers[i].msg_len)
			return false;
	return true;
}

/* A thread that is alone waits for us, and nobody changes its headers. */
unsigned bulk_tell(struct engine *e, const struct call *c, unsigned count)
{
	ssize_t n;

	if (is_told(e->scratch, count))
		return count;
	if (count >= COVER_PIECES && tasks_is_alone(&e->tasks, c->n.tid))
		n = write_headers(e->scratch, c, count);
	else
		n = write_each_length(e->scratch, c, count);
	return n < 0 ? 0 : (unsigned)n;
}
