/* SPDX-License-Identifier: MIT */
#include "core/host.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/addr.h"

static bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *out)
{
	if (sa->sa_family == AF_INET)
		*out = addr_from_v4(&((const struct sockaddr_in *)sa)->sin_addr);
	else if (sa->sa_family == AF_INET6)
		*out = addr_from_v6(&((const struct sockaddr_in6 *)sa)->sin6_addr);
	else
		return false;
	return true;
}

int host_resolve(const char *name, host_fn *fn, void *arg, const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	struct addr addr;
	int ret = getaddrinfo(name, NULL, &hints, &list);

	if (ret) {
		*why = ret == EAI_SYSTEM ? strerror(errno) : gai_strerror(ret);
		return -ENOENT;
	}
	for (struct addrinfo *a = list; a && !ret; a = a->ai_next)
		if (addr_from_sockaddr(a->ai_addr, &addr))
			ret = fn(arg, addr);
	freeaddrinfo(list);
	return ret;
}

int host_addresses(host_fn *fn, void *arg)
{
	struct ifaddrs *list;
	struct addr addr;
	int ret = 0;

	if (getifaddrs(&list))
		return -errno;
	for (struct ifaddrs *i = list; i && !ret; i = i->ifa_next)
		if (i->ifa_addr && addr_from_sockaddr(i->ifa_addr, &addr))
			ret = fn(arg, addr);
	freeifaddrs(list);
	return ret;
}

int host_watch_addresses(void)
{
	struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int error;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

int host_nameservers(host_fn *fn, void *arg)
{
	char line[512], text[ADDR_TEXT_MAX];
	struct addr addr;
	bool any = false;
	int ret = 0;
	FILE *f = fopen("/etc/resolv.conf", "re");

	while (f && !ret && fgets(line, sizeof(line), f)) {
		/* A zone (fe80::1%eth0) is for the C library; the address is what is connected to.
		 */
		if (sscanf(line, "nameserver %45[0-9A-Fa-f.:]", text) != 1 ||
		    addr_parse(text, &addr))
			continue;
		any = true;
		ret = fn(arg, addr);
	}
	if (f)
		fclose(f);
	if (!any)
		ret = fn(arg, (struct addr){ .family = 4, .bytes = { 127, 0, 0, 1 } });
	return ret;
}
