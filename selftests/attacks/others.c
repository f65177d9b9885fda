/* SPDX-License-Identifier: MIT */
/*
 * On the operator's screen, and against what the operator is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"

/* What a terminal would obey, in every text that the attacker can put into a log. */
static void run_control_characters(char **args)
{
	union name n = { .un = { .sun_family = AF_UNIX,
				 .sun_path = "/tmp/\033[2J\033]0;title\a\r\n\"\\\x9b\xc2\x9b"
					     "1m" } };
	union name bad;
	socklen_t len = forbidden_at(&bad, "127.0.0.1");

	(void)args;
	prctl(PR_SET_NAME, "\033[2J\r\n\"\\\x9b\a");
	reach_by_all(&bad, len);
	connect(new_socket(AF_UNIX, SOCK_STREAM, 0), &n.any, sizeof(n.un));
	n.un.sun_path[0] = '\0';
	connect(new_socket(AF_UNIX, SOCK_STREAM, 0), &n.any, sizeof(n.un));
}

/* A terminal of its own: what is typed into one's own may be typed into the shared one. */
static void type_into_terminal(void *arg)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, typed = 0;
	struct termios raw;

	(void)arg;
	MUST(master);
	MUST(grantpt(master));
	MUST(unlockpt(master));
	MUST(setsid());
	slave = (int)MUST(open(ptsname(master), O_RDWR));
	MUST(ioctl(slave, TIOCSCTTY, 0));
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	ioctl(slave, TIOCSTI, "i");
	syscall(SYS_ioctl, slave, TIOCSTI | 0xdeadbeef00000000UL, "i");
	ioctl(slave, FIONREAD, &typed);
	if (typed)
		won("%d characters typed into the terminal", typed);
	else if (errno == EIO)
		absent("this kernel has no TIOCSTI (dev.tty.legacy_tiocsti)");
}

static void run_tiocsti(char **args)
{
	(void)args;
	in_child(type_into_terminal, NULL);
}

/* The console's selection is pasted as if typed; here only asked for the state of the shift key. */
static void run_tioclinux(char **args)
{
	enum { SHIFT_STATE = 6 };
	char sub = SHIFT_STATE;
	int fd = open("/dev/tty1", O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)args;
	if (fd < 0)
		absent("/dev/tty1: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		unsigned long request = TIOCLINUX | (i ? 0xdeadbeef00000000UL : 0);

		sub = SHIFT_STATE;
		if (syscall(SYS_ioctl, fd, request, &sub) >= 0)
			won("an ioctl that pastes into the console");
		else if (errno == ENOTTY)
			absent("/dev/tty1 is no console");
	}
}

/* One message too many for the policy among those that it allows. */
static void run_mixed_messages(char **args)
{
	enum { MESSAGES = 8 };
	struct mmsghdr m[MESSAGES];
	struct iovec v = { (char[]){ 'x' }, 1 };
	union name good, bad;
	socklen_t len = allowed_at(&good, "127.0.0.1");

	(void)args;
	forbidden_at(&bad, "127.0.0.1");
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		for (int at = 0; at < MESSAGES; at++) {
			int fd = new_socket(AF_INET, type, 0);

			for (int i = 0; i < MESSAGES; i++)
				m[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = i == at ? &bad
											  : &good,
								      .msg_namelen = len,
								      .msg_iov = &v,
								      .msg_iovlen = 1 } };
			sendmmsg(fd, m, MESSAGES,
				 MSG_NOSIGNAL | (type == SOCK_STREAM ? MSG_FASTOPEN : 0));
			close(fd);
		}
	}
}

const struct scenario other_attacks[] = {
	{ "control_characters", run_control_characters },
	{ "tiocsti", run_tiocsti },
	{ "tioclinux", run_tioclinux },
	{ "mixed_messages", run_mixed_messages },
	{ 0 },
};
