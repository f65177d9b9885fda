/* SPDX-License-Identifier: MIT */
/*
 * AF_NETLINK: the C library asks the kernel for addresses and routes this way, and
 * bwrap(1) and ip(8) set up the network namespaces that they make. On behalf only
 * questions are asked, and only the kernel, as a request would be made with the
 * supervisor's rights.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "uring/call.h"

/* net/core/rtnetlink.c rtnl_msgtype_kind(): NEW, DEL, GET, SET in turn. */
enum { KIND_MASK = 3, KIND_GET = 2 };

/*
 * To let the kernel run a send on a netlink socket gives nothing away, whatever the memory says by
 * the time that it is read: one of send(2) or write(2) is not trapped either, and the kernel checks
 * each with the task's own rights. In the host's network the command has none to change anything
 * (core/caps.h), nor to name another process as the receiver (net/netlink/af_netlink.c,
 * netlink_sendmsg()). The descriptor must still be this socket.
 */
bool netlink_may_continue(struct engine *e, const struct call *c)
{
	return c->info.kind == SOCKET_NETLINK && call_owns_table(e, c);
}

int netlink_check_target(const struct target *t)
{
	struct sockaddr_nl to;

	if (t->len == 0 || t->address.ss_family == AF_UNSPEC)
		return 0;
	if (t->len < sizeof(to))
		return -EINVAL;
	memcpy(&to, &t->address, sizeof(to));
	if (to.nl_family != AF_NETLINK)
		return -EINVAL;
	return to.nl_pid || to.nl_groups ? -EPERM : 0;
}

/* Walks as net/netlink/af_netlink.c netlink_rcv_skb() does. */
int netlink_check_payload(const uint8_t *payload, size_t len)
{
	while (len >= NLMSG_HDRLEN) {
		struct nlmsghdr h;
		size_t step;

		memcpy(&h, payload, sizeof(h));
		if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > len)
			return 0;
		if (h.nlmsg_type >= RTM_BASE && ((h.nlmsg_type - RTM_BASE) & KIND_MASK) != KIND_GET)
			return -EPERM;
		step = NLMSG_ALIGN(h.nlmsg_len);
		if (step > len)
			step = len;
		payload += step;
		len -= step;
	}
	return 0;
}
