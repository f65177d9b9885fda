/* SPDX-License-Identifier: MIT */
#include "core/inetdiag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

int inetdiag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

static void put_address(const struct sockaddr_storage *from, __be16 *port, __be32 addr[4])
{
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)from;

		*port = sin->sin_port;
		addr[0] = sin->sin_addr.s_addr;
	} else {
		const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)from;

		*port = sin6->sin6_port;
		memcpy(addr, &sin6->sin6_addr, 16);
	}
}

/* Of UDP the kernel takes the two addresses the other way round (net/ipv4/udp_diag.c). */
static struct inet_diag_sockid id_of(const struct inetdiag_query *q)
{
	bool swapped = q->protocol == IPPROTO_UDP;
	uint64_t cookie = q->cookie ? q->cookie : ~(uint64_t)0; /* INET_DIAG_NOCOOKIE */
	struct inet_diag_sockid id = {
		.idiag_if = q->device,
		.idiag_cookie = { (uint32_t)cookie, (uint32_t)(cookie >> 32) },
	};

	put_address(swapped ? &q->peer : &q->local, &id.idiag_sport, id.idiag_src);
	put_address(swapped ? &q->local : &q->peer, &id.idiag_dport, id.idiag_dst);
	return id;
}

/* Whether shutdown(2) has closed it for receiving: include/net/sock.h RCV_SHUTDOWN. */
static bool is_shut(const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	int len = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));

	for (const struct rtattr *a = (const struct rtattr *)(m + 1); RTA_OK(a, len);
	     a = RTA_NEXT(a, len))
		if (a->rta_type == INET_DIAG_SHUTDOWN && RTA_PAYLOAD(a) == 1)
			return *(const uint8_t *)RTA_DATA(a) & 1;
	return false;
}

/* Requests are served inside send(): the answer is there at once. */
int inetdiag_find(int diag, const struct inetdiag_query *q, struct inetdiag_socket *out)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} ask = {
		.nlh = {
			.nlmsg_len = sizeof(ask),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.req = {
			.sdiag_family = (uint8_t)q->local.ss_family,
			.sdiag_protocol = (uint8_t)q->protocol,
			.idiag_states = ~0U,
			.id = id_of(q),
		},
	};
	_Alignas(struct nlmsghdr) char buf[4096];
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	ssize_t n;

	if (send(diag, &ask, sizeof(ask), 0) != sizeof(ask))
		return -errno;
	n = recv(diag, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < (ssize_t)sizeof(*h))
		return -EIO;
	if (h->nlmsg_type == NLMSG_ERROR)
		return -ENOENT;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*m)) || h->nlmsg_len > (size_t)n)
		return -EIO;
	out->receives = m->idiag_inode && !is_shut(h);
	out->state = m->idiag_state;
	out->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	return 0;
}

/* What tcp(7) counts; an older kernel knows less of it. */
static void take_info(struct inetdiag_entry *e, const struct rtattr *attr)
{
	struct tcp_info info = { 0 };

	if (RTA_PAYLOAD(attr) < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof(uint64_t))
		return;
	memcpy(&info, RTA_DATA(attr),
	       RTA_PAYLOAD(attr) < sizeof(info) ? RTA_PAYLOAD(attr) : sizeof(info));
	e->has_bytes = true;
	e->in = info.tcpi_bytes_received;
	/* tcpi_bytes_acked would count SYN and FIN as well. */
	e->out = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
}

static void take_entry(const struct nlmsghdr *h, inetdiag_fn *fn, void *arg)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	int len = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
	struct inetdiag_entry e;

	if (len < 0)
		return;
	e = (struct inetdiag_entry){
		.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0],
		.inode = m->idiag_inode,
		.family = m->idiag_family,
		.state = m->idiag_state,
		.local_port = ntohs(m->id.idiag_sport),
		.peer_port = ntohs(m->id.idiag_dport),
	};
	memcpy(e.local, m->id.idiag_src, sizeof(e.local));
	memcpy(e.peer, m->id.idiag_dst, sizeof(e.peer));
	for (const struct rtattr *a = (const struct rtattr *)(m + 1); RTA_OK(a, len);
	     a = RTA_NEXT(a, len))
		if (a->rta_type == INET_DIAG_INFO)
			take_info(&e, a);
	fn(arg, &e);
}

/* Returns 1 to go on, 0 at the end, or -errno. */
static int take_batch(const char *buf, size_t n, inetdiag_fn *fn, void *arg)
{
	for (const struct nlmsghdr *h = (const struct nlmsghdr *)buf; NLMSG_OK(h, n);
	     h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(h))->error ?: -EIO;
		take_entry(h, fn, arg);
	}
	return 1;
}

int inetdiag_list(int diag, int protocol, int family, int states, inetdiag_fn *fn, void *arg)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} ask = {
		.nlh = {
			.nlmsg_len = sizeof(ask),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.req = {
			.sdiag_family = (uint8_t)family,
			.sdiag_protocol = (uint8_t)protocol,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = (uint32_t)states,
		},
	};
	_Alignas(struct nlmsghdr) char buf[32 * 1024];
	int ret = 1;
	ssize_t n;

	if (send(diag, &ask, sizeof(ask), 0) != sizeof(ask))
		return -errno;
	while (ret > 0) {
		n = recv(diag, buf, sizeof(buf), 0);
		if (n < 0 && errno == EINTR)
			continue;
		ret = n > 0 ? take_batch(buf, (size_t)n, fn, arg) : n < 0 ? -errno : -EIO;
	}
	return ret;
}
