/* SPDX-License-Identifier: MIT */
#include "core/landlock.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/uapi.h"

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : (int)abi;
}

unsigned int landlock_gaps(int abi)
{
	unsigned int gaps = 0;

	if (abi < 4)
		gaps |= LANDLOCK_GAP_TCP;
	if (abi < 6)
		gaps |= LANDLOCK_GAP_SCOPE;
	return gaps;
}

static bool is_full(const struct port_set *set)
{
	for (size_t i = 0; i < sizeof(set->bit); i++)
		if (set->bit[i] != 0xff)
			return false;
	return true;
}

static int add_ports(int ruleset, uint64_t access, const struct port_set *ports)
{
	for (unsigned int port = 0; port <= UINT16_MAX; port++) {
		struct landlock_net_port_attr attr = { .allowed_access = access, .port = port };

		if (port_set_has(ports, (uint16_t)port) &&
		    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_NET_PORT, &attr, 0))
			return -errno;
	}
	return 0;
}

int landlock_prepare(int abi, const struct port_set *connect, const struct port_set *bind)
{
	struct landlock_ruleset_attr_v6 attr = {
		.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL,
	};
	unsigned int gaps = landlock_gaps(abi);
	bool all_connect = connect && is_full(connect);
	bool all_bind = bind && is_full(bind);
	int fd, ret = 0;

	if (gaps & LANDLOCK_GAP_TCP)
		return -EOPNOTSUPP;
	/* What may go anywhere is not handled; a rule for each port would say the same slowly. */
	if (!all_connect)
		attr.handled_access_net |= LANDLOCK_ACCESS_NET_CONNECT_TCP;
	if (!all_bind)
		attr.handled_access_net |= LANDLOCK_ACCESS_NET_BIND_TCP;
	/* An older kernel takes a longer structure if its tail is zero. */
	if (gaps & LANDLOCK_GAP_SCOPE)
		attr.scoped = 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return errno == ENOMSG ? -EOPNOTSUPP : -errno;
	if (connect && !all_connect)
		ret = add_ports(fd, LANDLOCK_ACCESS_NET_CONNECT_TCP, connect);
	if (!ret && bind && !all_bind)
		ret = add_ports(fd, LANDLOCK_ACCESS_NET_BIND_TCP, bind);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int landlock_enforce(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) ? -errno : 0;
}
