/* SPDX-License-Identifier: MIT */
/*
 * Calls whose arguments are wrong in more than one way, for compat_test: which of the errors the
 * kernel tells depends on what it looks at first (net/socket.c).
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

static const struct sockaddr_in discard = { .sin_family = AF_INET, .sin_port = 9 };

/* No memory of the task is there, nor can be. */
static void *const nowhere = (void *)8, *const beyond = (void *)(intptr_t)-4096;

static void connects(int fd)
{
	static const int lengths[] = { 0, 16, 128, 129, -1 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		say(connect(fd, nowhere, lengths[i]), "connect to %d bytes nowhere", lengths[i]);
	say(connect(fd, (const struct sockaddr *)&discard, sizeof(discard)), "connect");
}

static void binds(int fd)
{
	say(bind(fd, nowhere, 16), "bind to nowhere");
	say(bind(fd, nowhere, -1), "bind to -1 bytes");
	say(listen(fd, 1), "listen");
}

static void sends(int fd)
{
	struct mmsghdr name = { .msg_hdr = { .msg_name = nowhere, .msg_namelen = 16 } };

	say(sendto(fd, "x", 1, 0, nowhere, 16), "sendto to nowhere");
	say(sendto(fd, "x", 1, 0, nowhere, -1), "sendto to -1 bytes");
	say(sendto(fd, nowhere, 1, 0, (const struct sockaddr *)&discard, sizeof(discard)),
	    "sendto of nothing");
	say(sendto(fd, beyond, 1, 0, (const struct sockaddr *)&discard, sizeof(discard)),
	    "sendto of the kernel's memory");
	say(sendmsg(fd, nowhere, 0), "sendmsg without a header");
	say(sendmsg(fd, &name.msg_hdr, 0), "sendmsg to nowhere");
	say(sendmmsg(fd, nowhere, 1, 0), "sendmmsg without headers");
	say(sendmmsg(fd, &name, 1, 0), "sendmmsg to nowhere");
}

static void call_all(const char *what, int fd)
{
	tell("with %s:", what);
	connects(fd);
	binds(fd);
	sends(fd);
}

static void descriptor(char **args)
{
	(void)args;
	call_all("a file", MUST(open("/dev/null", O_RDWR | O_CLOEXEC)));
	call_all("a path", MUST(open("/", O_PATH | O_CLOEXEC)));
	call_all("nothing", -1);
}

int main(int argc, char **argv)
{
	static const struct scenario table[] = {
		{ "descriptor", descriptor },
		{ 0 },
	};

	return scenario_main(argc, argv, table);
}
