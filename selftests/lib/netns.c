/* SPDX-License-Identifier: MIT */
#include "selftests/lib/netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/harness.h"

static int __attribute__((format(printf, 2, 3)))
write_file(const char *path, const char *format, ...)
{
	va_list args;
	int fd, result;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	va_start(args, format);
	result = vdprintf(fd, format, args) < 0 ? -errno : 0;
	va_end(args);
	close(fd);
	return result;
}

/* user_namespaces(7): the own ids are all that an unprivileged process may map. */
static int unshare_unprivileged(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int result;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -errno;
	result = write_file("/proc/self/setgroups", "deny");
	if (!result)
		result = write_file("/proc/self/uid_map", "%u %u 1", uid, uid);
	if (!result)
		result = write_file("/proc/self/gid_map", "%u %u 1", gid, gid);
	return result;
}

static int loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), result;

	if (fd < 0)
		return -errno;
	result = ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
	close(fd);
	return result;
}

/* rtnetlink(7), RTM_NEWADDR. */
int netns_add_address(const char *text)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg message;
		struct rtattr attribute;
		unsigned char bytes[sizeof(struct in6_addr)];
	} request = {
		.header = { .nlmsg_type = RTM_NEWADDR,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.message = {
			.ifa_family = family,
			.ifa_flags = IFA_F_NODAD, /* usable at once */
			.ifa_index = if_nametoindex("lo"),
		},
		.attribute = { .rta_type = IFA_LOCAL },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} reply = { 0 };
	size_t len = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	int fd, result = 0;

	inet_pton(family, text, request.bytes);
	request.message.ifa_prefixlen = 8 * len;
	request.attribute.rta_len = RTA_LENGTH(len);
	request.header.nlmsg_len = NLMSG_LENGTH(sizeof(request.message)) + RTA_LENGTH(len);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (send(fd, &request, request.header.nlmsg_len, 0) < 0 ||
	    recv(fd, &reply, sizeof(reply), 0) < 0)
		result = -errno;
	else
		result = reply.error.error;
	close(fd);
	return result;
}

int netns_add_public(void)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
		struct rtattr oif_attr;
		unsigned oif;
		struct rtattr dst_attr;
		unsigned char dst[4];
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_NEWROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.route = { .rtm_family = AF_INET,
			   .rtm_dst_len = 24,
			   .rtm_table = RT_TABLE_LOCAL,
			   .rtm_protocol = RTPROT_BOOT,
			   .rtm_scope = RT_SCOPE_HOST,
			   .rtm_type = RTN_LOCAL },
		.oif_attr = { .rta_len = RTA_LENGTH(4), .rta_type = RTA_OIF },
		.oif = if_nametoindex("lo"),
		.dst_attr = { .rta_len = RTA_LENGTH(4), .rta_type = RTA_DST },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} reply = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), result;

	if (fd < 0)
		return -errno;
	inet_pton(AF_INET, NETNS_PUBLIC "0", request.dst);
	if (send(fd, &request, sizeof(request), 0) < 0 || recv(fd, &reply, sizeof(reply), 0) < 0)
		result = -errno;
	else
		result = reply.error.error;
	close(fd);
	return result;
}

int netns_enter(void)
{
	int result = 0;

	if (unshare(CLONE_NEWNET))
		result = errno == EPERM ? unshare_unprivileged() : -errno;
	if (!result)
		result = loopback_up();
	if (!result)
		result = netns_add_address(NETNS_ADDR4);
	if (!result)
		result = netns_add_address(NETNS_ADDR6);
	if (!result)
		result = write_file("/proc/sys/net/ipv4/ping_group_range", "%u %u", getegid(),
				    getegid());
	/* ip-sysctl.rst, tcp_fastopen: client, server, no cookies (0x4, 0x200), all listeners. */
	if (!result)
		result = write_file("/proc/sys/net/ipv4/tcp_fastopen", "%d", 0x607);
	return result;
}

bool netns_or_skip(void)
{
	int result = netns_enter();

	if (result == -EPERM || result == -ENOSPC || result == -EUSERS)
		SKIP(return false, "no network namespace: %s", strerror(-result));
	EXPECT_EQ(0, result);
	return !result;
}

void netns_take_hosts(void *path)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(path, "/etc/hosts", NULL, MS_BIND, NULL))
		_exit(99);
}
