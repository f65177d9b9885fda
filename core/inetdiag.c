/* SPDX-License-Identifier: MIT */
#include "core/inetdiag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
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
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*m)))
		return -EIO;
	out->state = m->idiag_state;
	out->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	return 0;
}
