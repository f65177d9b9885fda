/* SPDX-License-Identifier: MIT */
#include "uring/message.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

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

int message_read_vectors(struct scratch *s, pid_t tid, const struct msghdr *header,
			 struct message *out)
{
	int ret;

	*out = (struct message){
		.count = header->msg_iovlen,
		.name = (uintptr_t)header->msg_name,
		.name_len = (int)header->msg_namelen,
		.control = (uintptr_t)header->msg_control,
		.control_len = header->msg_controllen,
	};
	/* net/socket.c __copy_msghdr(): a name that is too long is cut, an empty one is none. */
	if (!out->name)
		out->name_len = 0;
	if (out->name_len < 0)
		return -EINVAL;
	if ((size_t)out->name_len > sizeof(struct sockaddr_storage))
		out->name_len = sizeof(struct sockaddr_storage);
	if (!out->name_len)
		out->name = 0;
	if (out->count > SCRATCH_VECTORS)
		return -EMSGSIZE;
	if (out->count) {
		ret = task_read(tid, s->remote, (uintptr_t)header->msg_iov,
				out->count * sizeof(s->remote[0]));
		if (ret)
			return ret;
	}
	return sum_vectors(s, out);
}

int message_read_header(struct scratch *s, pid_t tid, uint64_t addr, struct message *out)
{
	struct msghdr header;
	int ret = task_read(tid, &header, addr, sizeof(header));

	return ret ? ret : message_read_vectors(s, tid, &header, out);
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
	s->remote[first].iov_base = (char *)saved.iov_base + skip;
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
			return -EINVAL;
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
