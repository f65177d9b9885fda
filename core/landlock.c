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

int landlock_prepare(int abi)
{
	struct landlock_ruleset_attr_v6 attr = {
		.handled_access_net =
			LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP,
		.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL,
	};
	unsigned int gaps = landlock_gaps(abi);
	int fd;

	if (gaps & LANDLOCK_GAP_TCP)
		return -EOPNOTSUPP;
	/* An older kernel takes a longer structure whose tail is zero: landlock_create_ruleset(2).
	 */
	if (gaps & LANDLOCK_GAP_SCOPE)
		attr.scoped = 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	return fd < 0 ? -errno : fd;
}

int landlock_enforce(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) ? -errno : 0;
}
