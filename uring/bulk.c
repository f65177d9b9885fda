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
 * are read as one with what is between them, to s->cover. Returns the address that is the first
 * there, or 0 when that is not worth it, or not possible: then nothing has been read.
 */
static uint64_t read_cover(struct scratch *s, pid_t tid, const struct iovec *pieces, size_t count)
{
	uint64_t first = UINT64_MAX, end = 0;
	size_t most = count * COVER_A_PIECE;

	for (size_t i = 0; i < count; i++) {
		uint64_t at = (uintptr_t)pieces[i].iov_base;

		if (!pieces[i].iov_len)
			continue;
		if (pieces[i].iov_len > SCRATCH_COVER || at > UINT64_MAX - SCRATCH_COVER)
			return 0;
		first = at < first ? at : first;
		end = at + pieces[i].iov_len > end ? at + pieces[i].iov_len : end;
	}
	if (count < COVER_PIECES || first > end || end - first > SCRATCH_COVER ||
	    end - first > most || task_read(tid, s->cover, first, end - first))
		return 0;
	return first;
}

static const uint8_t *covered(const struct scratch *s, uint64_t first, const struct iovec *piece)
{
	return s->cover + ((uintptr_t)piece->iov_base - first);
}

/*
 * Gather what s->gather describes in the task to where s->local says. A list of empty vectors needs
 * no reading. Returns how many vectors were filled, or -errno when none was.
 */
static int gather(struct scratch *s, pid_t tid, unsigned count)
{
	size_t total = 0;
	uint64_t cover;
	ssize_t n;

	for (unsigned i = 0; i < count; i++)
		total += s->local[i].iov_len;
	if (!total)
		return (int)count;
	cover = read_cover(s, tid, s->gather, count);
	for (unsigned i = 0; cover && i < count; i++)
		if (s->local[i].iov_len)
			memcpy(s->local[i].iov_base, covered(s, cover, &s->gather[i]),
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

static int read_headers(struct scratch *s, const struct call *c, unsigned count)
{
	struct iovec remote = {
		.iov_base = (void *)(uintptr_t)bulk_header(c, c->messages),
		.iov_len = count * sizeof(s->headers[0]),
	};
	ssize_t n = task_readv(c->n.tid, s->headers, remote.iov_len, &remote, 1);

	if (n < 0)
		return (int)n;
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
	return gather(s, c->n.tid, count);
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
	return gather(s, c->n.tid, count);
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
	uint64_t cover;
	ssize_t n;

	for (unsigned i = 0; i < count; i++) {
		vectors += s->messages[i].count;
		all += s->messages[i].total;
	}
	cover = read_cover(s, c->n.tid, s->remote, vectors);
	for (size_t i = 0; cover && i < vectors; i++) {
		if (s->remote[i].iov_len)
			memcpy(to, covered(s, cover, &s->remote[i]), s->remote[i].iov_len);
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

typedef int read_fn(struct scratch *s, const struct call *c, unsigned count);

int bulk_read(struct scratch *s, const struct call *c)
{
	static read_fn *const stage[] = { read_headers, read_names, read_vectors };
	int n = (int)(bulk_count(c) - c->messages);

	for (size_t i = 0; i < sizeof(stage) / sizeof(stage[0]) && n > 0; i++)
		n = stage[i](s, c, (unsigned)n);
	if (n > 0)
		n = sum_totals(s, (unsigned)n);
	if (n > 0)
		n = read_controls(s, c, (unsigned)n);
	if (n > 0)
		n = read_payloads(s, c, (unsigned)n);
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

/* A thread that is alone waits for us, and nobody changes its headers. */
unsigned bulk_tell(struct engine *e, const struct call *c, unsigned count)
{
	ssize_t n;

	if (count >= COVER_PIECES && tasks_is_alone(&e->tasks, c->n.tid))
		n = write_headers(e->scratch, c, count);
	else
		n = write_each_length(e->scratch, c, count);
	return n < 0 ? 0 : (unsigned)n;
}
