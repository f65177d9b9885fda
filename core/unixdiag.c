/* SPDX-License-Identifier: MIT */
#include "core/unixdiag.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What one recv(2) is given room for: NLMSG_GOODSIZE is at most this (include/linux/netlink.h). */
enum { BUFFER = 32 * 1024 };

void unixdiag_init(struct unixdiag *d)
{
	*d = (struct unixdiag){
		.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG),
	};
}

void unixdiag_exit(struct unixdiag *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

/* Any cookie will do: INET_DIAG_NOCOOKIE (net/core/sock_diag.c sock_diag_check_cookie()). */
static const uint64_t any_cookie = ~(uint64_t)0;

static int ask(const struct unixdiag *d, uint16_t flags, uint32_t states, uint32_t ino,
	       uint64_t cookie)
{
	struct {
		struct nlmsghdr nlh;
		struct unix_diag_req req;
	} msg = {
		.nlh = {
			.nlmsg_len = sizeof(msg),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | flags,
		},
		.req = {
			.sdiag_family = AF_UNIX,
			.udiag_states = states,
			.udiag_ino = ino,
			.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS,
			.udiag_cookie = { (uint32_t)cookie, (uint32_t)(cookie >> 32) },
		},
	};

	return send(d->fd, &msg, sizeof(msg), 0) == sizeof(msg) ? 0 : -errno;
}

static void read_attribute(const struct nlattr *a, struct unixdiag_socket *out)
{
	const void *data = (const char *)a + NLA_HDRLEN;
	size_t len = a->nla_len - NLA_HDRLEN;
	struct unix_diag_vfs vfs;

	if (a->nla_type == UNIX_DIAG_NAME && len < sizeof(out->name)) {
		out->name_len = len;
		memcpy(out->name, data, len);
	} else if (a->nla_type == UNIX_DIAG_VFS && len >= sizeof(vfs)) {
		memcpy(&vfs, data, sizeof(vfs));
		out->vfs_dev = vfs.udiag_vfs_dev;
		out->vfs_ino = vfs.udiag_vfs_ino;
	}
}

static int read_socket(const struct nlmsghdr *h, struct unixdiag_socket *out)
{
	const struct unix_diag_msg *msg = NLMSG_DATA(h);
	size_t at = NLMSG_LENGTH(sizeof(*msg));

	if (h->nlmsg_len < at)
		return -EIO;
	*out = (struct unixdiag_socket){ .ino = msg->udiag_ino, .type = msg->udiag_type };
	while (at + NLA_HDRLEN <= h->nlmsg_len) {
		const struct nlattr *a = (const struct nlattr *)((const char *)h + at);

		if (a->nla_len < NLA_HDRLEN || a->nla_len > h->nlmsg_len - at)
			return -EIO;
		read_attribute(a, out);
		at += NLA_ALIGN(a->nla_len);
	}
	return 0;
}

/* Who is shown the sockets of an answer, until one is enough. */
struct audience {
	unixdiag_fn *fn;
	void *arg;
	int ret; /* what `fn` returned last */
};

/*
 * Read one packet of the answer to the last question; *more says whether another follows. Returns 0
 * or -errno. Requests are served inside send() and recv(): nothing waits.
 */
static int read_packet(struct unixdiag *d, struct audience *to, bool *more)
{
	_Alignas(struct nlmsghdr) char buf[BUFFER];
	ssize_t n = recv(d->fd, buf, sizeof(buf), MSG_DONTWAIT);
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	struct unixdiag_socket s;
	int ret;

	*more = false;
	if (n < 0)
		return -errno;
	for (; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
		*more = h->nlmsg_flags & NLM_F_MULTI && h->nlmsg_type != NLMSG_DONE;
		if (h->nlmsg_type == NLMSG_DONE)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
		ret = to->ret ? 0 : read_socket(h, &s);
		if (ret)
			return ret;
		if (!to->ret)
			to->ret = to->fn(to->arg, &s);
	}
	return 0;
}

/* To the end: the kernel begins no other answer before. */
static int read_answer(struct unixdiag *d, unixdiag_fn *fn, void *arg)
{
	struct audience to = { .fn = fn, .arg = arg };
	bool more;
	int ret;

	do {
		ret = read_packet(d, &to, &more);
	} while (!ret && more);
	return ret ? ret : to.ret;
}

static int take(void *arg, const struct unixdiag_socket *s)
{
	*(struct unixdiag_socket *)arg = *s;
	return 1; /* the search is over */
}

int unixdiag_find(struct unixdiag *d, uint32_t ino, uint64_t cookie, struct unixdiag_socket *out)
{
	int ret = ask(d, 0, ~0U, ino, cookie);

	if (!ret)
		ret = read_answer(d, take, out);
	if (ret == 1)
		return out->ino == ino ? 0 : -EIO;
	return ret ? ret : -ENOENT;
}

int unixdiag_listeners(struct unixdiag *d, unixdiag_fn *fn, void *arg)
{
	int ret = ask(d, NLM_F_DUMP, 1U << TCP_LISTEN, 0, any_cookie);

	return ret ? ret : read_answer(d, fn, arg);
}
