/* SPDX-License-Identifier: MIT */
/*
 * AF_NETLINK on behalf: the C library asks the kernel for addresses and routes
 * this way. Questions only, and only to the kernel.
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
