/* SPDX-License-Identifier: MIT */
#include "selftests/lib/unixserver.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64 };

int unixserver_open(int type, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd;

	if (len > sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, name, len);
	if (*name == '@')
		at.sun_path[0] = '\0';
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&at,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) ||
	    (type != SOCK_DGRAM && listen(fd, BACKLOG)))
		return -errno;
	return fd;
}

int unixserver_count(int fd, int type)
{
	char byte;
	int count = 0, accepted;

	for (;; count++) {
		accepted = type == SOCK_DGRAM ? (int)recv(fd, &byte, 1, MSG_DONTWAIT)
					      : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (accepted < 0)
			return count;
		if (type != SOCK_DGRAM)
			close(accepted);
	}
}
