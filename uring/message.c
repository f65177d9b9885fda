/* SPDX-License-Identifier: MIT */
#include "uring/message.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* include/linux/fs.h MAX_RW_COUNT: no call transfers more. */
static const size_t max_total = 0x7ffff000;

/* RFC 2292 forms (include/uapi/linux/in6.h); the C library's header has another number. */
enum { KERNEL_IPV6_2292RTHDR = 5 };

/* lib/iov_iter.c copy_iovec_from_user() and __import_iovec(). */
static int sum_vectors(struct scratch *s, struct message *m)
{
	m->total = 0;
	for (size_t i = 0; i < m->count; i++) {
		size_t len = s->remote[i].iov_len;

		if ((ssize_t)len < 0)
			return -EINVAL;
		if (len > max_total - m->total) {
			len = max_total - m->total;
			s->remote[i].iov_len = len;
		}
		m->total += len;
	}
	return 0;
}

int message_read_sendto(struct scratch *s, const struct notif *n, struct message *out)
{
	*out = (struct message){
		.count = 1,
		.name = n->args[4],
		.name_len = (int)n->args[5],
	};
	s->remote[0] = (struct iovec){
		.iov_base = (void *)(uintptr_t)n->args[1],
		.iov_len = n->args[2] < max_total ? n->args[2] : max_total,
	};
	return sum_vectors(s, out);
}

/* net/socket.c __copy_msghdr(): a name that is too long is cut, an empty one is none. */
static int from_header(const struct msghdr *header, struct message *out)
{
	*out = (struct message){
		.count = header->msg_iovlen,
		.name = (uintptr_t)header->msg_name,
		.name_len = (int)header->msg_namelen,
		.control = (uintptr_t)header->msg_control,
		.control_len = header->msg_controllen,
	};
	if (!out->name)
		out->name_len = 0;
	if (out->name_len < 0)
		return -EINVAL;
	if ((size_t)out->name_len > sizeof(struct sockaddr_storage))
		out->name_len = sizeof(struct sockaddr_storage);
	if (!out->name_len)
		out->name = 0;
	return out->count > SCRATCH_VECTORS ? -EMSGSIZE : 0;
}

/*
 * Read two pieces of the task's memory at once: all of the first, or an error. Returns how much of
 * the second was read.
 */
static ssize_t read_two(pid_t tid, const struct iovec local[2], const struct iovec remote[2])
{
	ssize_t n;

	if (!local[0].iov_len && !local[1].iov_len)
		return 0;
	n = process_vm_readv(tid, local, 2, remote, 2, 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < local[0].iov_len || (n == 0 && local[1].iov_len))
		return -EFAULT;
	return n - (ssize_t)local[0].iov_len;
}

static struct iovec remote_piece(uint64_t addr, size_t len)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)addr, .iov_len = len };
}

/* The vectors of a message whose header has been read, and its name if `name` is not NULL. */
static int read_vectors(struct scratch *s, pid_t tid, const struct msghdr *header,
			struct message *m, struct sockaddr_storage *name)
{
	size_t name_len = name ? (size_t)m->name_len : 0;
	size_t vectors = m->count * sizeof(s->remote[0]);
	const struct iovec local[2] = { { name, name_len }, { s->remote, vectors } };
	const struct iovec remote[2] = { remote_piece(m->name, name_len),
					 remote_piece((uintptr_t)header->msg_iov, vectors) };
	ssize_t n = read_two(tid, local, remote);

	if (n < 0)
		return (int)n;
	return (size_t)n < vectors ? -EFAULT : sum_vectors(s, m);
}

/* The header alone: whatever may be said against it is found here. */
static int read_header(pid_t tid, uint64_t addr, struct msghdr *header, struct message *out)
{
	int ret = task_read(tid, header, addr, sizeof(*header));

	return ret ? ret : from_header(header, out);
}

int message_read_header(struct scratch *s, pid_t tid, uint64_t addr, struct message *out)
{
	struct msghdr header;
	int ret = read_header(tid, addr, &header, out);

	return ret ? ret : read_vectors(s, tid, &header, out, NULL);
}

static struct places places_of(const struct msghdr *header, const struct message *m)
{
	return (struct places){
		.name = m->name,
		.name_len = (size_t)m->name_len,
		.vectors = (uintptr_t)header->msg_iov,
		.count = m->count,
	};
}

/*
 * Read a header, and with it what it points to if that is where it was last time: the name, the
 * vectors, and the payload if it fits. Returns how much of all that was read, in this order, or
 * -errno.
 */
static ssize_t read_guessed(struct scratch *s, const struct guess *g, struct msghdr *header,
			    struct sockaddr_storage *name)
{
	const struct places *p = &g->places;
	size_t vectors = p->count * sizeof(s->remote[0]);
	size_t payload = g->payload_steady ? guess_payload(g) : 0;
	bool with_payload = payload && payload <= SCRATCH_PAYLOAD;
	const struct iovec local[] = { { header, sizeof(*header) },
				       { name, p->name_len },
				       { s->remote, vectors },
				       { s->payload, payload } };
	struct iovec remote[3 + GUESS_VECTORS] = { remote_piece(g->at, sizeof(*header)),
						   remote_piece(p->name, p->name_len),
						   remote_piece(p->vectors, vectors) };
	ssize_t n;

	memcpy(remote + 3, g->vectors, vectors);
	n = process_vm_readv(g->tid, local, with_payload ? 4 : 3, remote,
			     with_payload ? 3 + p->count : 3, 0);
	return n < 0 ? -errno : n;
}

/* A header that is where the thread's last one was. */
static int read_again(struct scratch *s, const struct guess *g, struct msghdr *header,
		      struct message *out, struct sockaddr_storage *name, ssize_t *payload)
{
	ssize_t n = read_guessed(s, g, header, name);
	struct places places;
	size_t known;
	int ret;

	if (n < (ssize_t)sizeof(*header))
		ret = read_header(g->tid, g->at, header, out);
	else
		ret = from_header(header, out);
	if (ret)
		return ret;
	places = places_of(header, out);
	known = sizeof(*header) + places.name_len + places.count * sizeof(s->remote[0]);
	if (n < (ssize_t)known || !guess_is_right(g, &places)) {
		memset(name, 0, sizeof(*name));
		return read_vectors(s, g->tid, header, out, name);
	}
	ret = sum_vectors(s, out);
	if (!ret && (size_t)n - known >= out->total && guess_covers(g, s->remote, out->count))
		*payload = (ssize_t)out->total;
	return ret;
}

/* In one read if it is all where it was the last time, else in two, and the payload is not read. */
static int read_sendmsg_all(struct scratch *s, struct guess *g, pid_t tid, uint64_t addr,
			    struct message *out, struct sockaddr_storage *name, ssize_t *payload)
{
	struct msghdr header;
	struct places places;
	int ret;

	*payload = -EAGAIN;
	if (guess_is_good(g, tid, addr)) {
		ret = read_again(s, g, &header, out, name, payload);
	} else {
		ret = read_header(tid, addr, &header, out);
		if (!ret)
			ret = read_vectors(s, tid, &header, out, name);
	}
	if (ret)
		return ret;
	places = places_of(&header, out);
	guess_learn(g, tid, addr, &places, s->remote);
	return 0;
}

/* Name and payload of a sendto are known from its registers: one read. */
static int read_sendto_all(struct scratch *s, const struct notif *n, struct message *out,
			   struct sockaddr_storage *name, size_t *name_len, ssize_t *payload)
{
	struct iovec local[2] = { { .iov_base = name }, { .iov_base = s->payload } };
	struct iovec remote[2];
	int ret = message_read_sendto(s, n, out);

	if (!ret && out->name && (out->name_len < 0 || (size_t)out->name_len > sizeof(*name)))
		ret = -EINVAL;
	if (ret)
		return ret;
	*name_len = out->name ? (size_t)out->name_len : 0;
	local[0].iov_len = *name_len;
	local[1].iov_len = out->total < SCRATCH_PAYLOAD ? out->total : SCRATCH_PAYLOAD;
	remote[0] = remote_piece(out->name, local[0].iov_len);
	remote[1] = remote_piece(n->args[1], local[1].iov_len);
	*payload = read_two(n->tid, local, remote);
	if (*payload < 0)
		return (int)*payload;
	if (*payload == 0 && local[1].iov_len)
		*payload = -EFAULT; /* of no consequence until the address has been judged */
	return 0;
}

int message_read_first(struct scratch *s, struct guess *g, const struct notif *n, uint64_t header,
		       struct message *out, struct sockaddr_storage *name, size_t *name_len,
		       ssize_t *payload)
{
	int ret;

	memset(name, 0, sizeof(*name));
	if (n->nr == SYS_sendto)
		return read_sendto_all(s, n, out, name, name_len, payload);
	ret = read_sendmsg_all(s, g, n->tid, header, out, name, payload);
	*name_len = ret ? 0 : (size_t)out->name_len;
	return ret;
}

ssize_t message_read_payload(struct scratch *s, pid_t tid, const struct message *m, size_t skip)
{
	size_t left = m->total - skip;
	size_t first = 0;
	struct iovec saved;
	ssize_t n;

	if (left > SCRATCH_PAYLOAD)
		left = SCRATCH_PAYLOAD;
	if (!left)
		return 0;
	while (skip >= s->remote[first].iov_len)
		skip -= s->remote[first++].iov_len;
	saved = s->remote[first];
	s->remote[first].iov_base = (void *)((uintptr_t)saved.iov_base + skip);
	s->remote[first].iov_len = saved.iov_len - skip;
	n = task_readv(tid, s->payload, left, s->remote + first, m->count - first);
	s->remote[first] = saved;
	return n;
}

/*
 * A source route names other hosts than the destination, and the packet goes there first: RFC 791
 * (loose and strict source route), RFC 8200 section 4.4 and RFC 8754 (routing header).
 */
static bool is_source_route(const struct cmsghdr *c)
{
	if (c->cmsg_level == IPPROTO_IP)
		return c->cmsg_type == IP_RETOPTS;
	if (c->cmsg_level == IPPROTO_IPV6)
		return c->cmsg_type == IPV6_RTHDR || c->cmsg_type == KERNEL_IPV6_2292RTHDR;
	return false;
}

/* Walks exactly as the kernel does (include/linux/socket.h, for_each_cmsghdr and CMSG_OK). */
int message_check_control(const uint8_t *control, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(struct cmsghdr)) {
		struct cmsghdr c;

		memcpy(&c, control + at, sizeof(c));
		if (c.cmsg_len < sizeof(c) || c.cmsg_len > len - at)
			return 0; /* the kernel refuses the whole message */
		if (is_source_route(&c))
			return -EPERM;
		if (CMSG_ALIGN(c.cmsg_len) > len - at)
			break;
		at += CMSG_ALIGN(c.cmsg_len);
	}
	return 0;
}

int message_read_control(struct scratch *s, pid_t tid, const struct message *m)
{
	s->control_len = m->control_len;
	if (m->control_len > SCRATCH_CONTROL)
		return -ENOBUFS;
	return m->control_len ? task_read(tid, s->control, m->control, m->control_len) : 0;
}
