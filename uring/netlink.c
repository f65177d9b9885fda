/* SPDX-License-Identifier: MIT */
/*
 * AF_NETLINK on behalf: the C library asks the kernel for addresses and routes
 * this way. Only to the kernel, and in the network namespace that we are in, too,
 * questions only.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "uring/call.h"

/* net/core/rtnetlink.c rtnl_msgtype_kind(): NEW, DEL, GET, SET in turn. */
enum { KIND_MASK = 3, KIND_GET = 2 };

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

/*
 * A network namespace that the command made is its own to configure: it has CAP_NET_ADMIN there,
 * and no way out of it. Unlike send(2) this is our call, and we have the capability as well, as who
 * made the namespace is our user; but whoever opened the socket must have had it. The kernel asks
 * that of a message without a name only (net/netlink/af_netlink.c __netlink_ns_capable(),
 * NETLINK_SKB_DST), so it is sent without: it could be none but the kernel's.
 */
static bool is_elsewhere(const struct engine *e, int sock)
{
	uint64_t netns = 0;
	socklen_t len = sizeof(netns);

	return e->listeners.netns &&
	       getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &netns, &len) == 0 &&
	       netns != e->listeners.netns;
}

/* Walks as net/netlink/af_netlink.c netlink_rcv_skb() does. */
static bool configures(const uint8_t *payload, size_t len)
{
	while (len >= NLMSG_HDRLEN) {
		struct nlmsghdr h;
		size_t step;

		memcpy(&h, payload, sizeof(h));
		if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > len)
			return false;
		if (h.nlmsg_type >= RTM_BASE && ((h.nlmsg_type - RTM_BASE) & KIND_MASK) != KIND_GET)
			return true;
		step = NLMSG_ALIGN(h.nlmsg_len);
		if (step > len)
			step = len;
		payload += step;
		len -= step;
	}
	return false;
}

int netlink_check_payload(const struct engine *e, int sock, const uint8_t *payload, size_t len)
{
	return configures(payload, len) && !is_elsewhere(e, sock) ? -EPERM : 0;
}
