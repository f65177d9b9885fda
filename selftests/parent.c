/* SPDX-License-Identifier: MIT */
/*
 * Processes, as programs make them: scenarios for compat_test.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/scenario.h"

enum { CHILDREN = 500, STARTS = 100, CALLS = 400 };

static char true_name[] = "true";
static char *const true_argv[] = { true_name, NULL };
static char *const no_environment[] = { NULL };

/* Collects every child. Returns how many ended with `code`. */
static int collect(int code)
{
	int status, count = 0;

	while (wait(&status) > 0)
		count += WIFEXITED(status) && WEXITSTATUS(status) == code;
	return count;
}

static void vfork_and_exec(const char *path)
{
	pid_t pid = vfork();

	if (!pid) {
		execve(path, true_argv, no_environment);
		_exit(errno == ENOENT ? 3 : 4);
	}
	MUST(pid);
}

static void starts(char **args)
{
	pid_t pid;

	(void)args;
	for (int i = 0; i < STARTS; i++)
		vfork_and_exec("/bin/true");
	tell("vfork: %d", collect(0));
	vfork_and_exec("/bin/nonsuch");
	tell("vfork of nothing: %d", collect(3));
	for (int i = 0; i < STARTS; i++)
		MUST(-posix_spawn(&pid, "/bin/true", NULL, NULL, true_argv, no_environment));
	tell("posix_spawn: %d", collect(0));
	tell("posix_spawn of nothing: %s",
	     strerrorname_np(
		     posix_spawn(&pid, "/bin/nonsuch", NULL, NULL, true_argv, no_environment)));
}

/* Every child sends one datagram; none gets lost. */
static void fork_storm(char **args)
{
	union name to;
	socklen_t len;
	int receiver = open_receiver(SOCK_DGRAM, "127.0.0.1", &to, &len), got = 0;
	const int room = 1 << 20;
	char byte;

	(void)args;
	MUST(setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)));
	for (int i = 0; i < CHILDREN; i++)
		if (!MUST(fork())) {
			int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

			_exit(sendto(fd, "x", 1, 0, &to.any, len) != 1);
		} else if (i % 20 == 19) {
			/* As many at once as a buffer holds; each brings a datagram. */
			for (; got <= i && !await(receiver, POLLIN); got++)
				MUST(recv(receiver, &byte, 1, 0));
		}
	tell("ended well %d", collect(0));
	tell("received %d", got);
}

/* daemon(3) by hand: who asked for it ends at once, the daemon is a stranger's child and works on.
 */
static void daemonize(char **args)
{
	union name to;
	socklen_t len;
	int listener = open_receiver(SOCK_STREAM, "127.0.0.1", &to, &len), fd;
	char text[64];
	ssize_t n;

	(void)args;
	if (!MUST(fork())) {
		MUST(setsid());
		if (MUST(fork()))
			_exit(0);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, &to.any, len))
			_exit(1);
		snprintf(text, sizeof(text), "a session of my parent's %d", getsid(0) != getpid());
		_exit(send(fd, text, strlen(text), 0) < 0);
	}
	tell("the first child ended well %d", collect(0));
	MUST(await(listener, POLLIN));
	fd = MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	MUST(await(fd, POLLIN));
	n = MUST(recv(fd, text, sizeof(text), 0));
	tell("the daemon says '%.*s'", (int)n, text);
}

static void nothing(int number)
{
	(void)number;
}

/* Go interrupts its threads with SIGURG and SA_RESTART, as often as it pleases. */
static void urgent(char **args)
{
	const struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	int connected = 0, sent = 0, accepted = 0, fd;
	pid_t self = getpid(), storm;
	union name to;
	socklen_t len;
	int listener = open_receiver(SOCK_STREAM, "127.0.0.1", &to, &len);

	(void)args;
	MUST(sigaction(SIGURG, &action, NULL));
	storm = MUST(fork());
	if (!storm)
		while (!kill(self, SIGURG) && getppid() == self)
			usleep(200);
	for (int i = 0; i < CALLS; i++) {
		char word[] = "word";
		struct iovec v = { word, 4 };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

		fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
		connected += !connect(fd, &to.any, len);
		sent += sendmsg(fd, &m, MSG_NOSIGNAL) == 4;
		accepted += !close(MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC)));
		close(fd);
	}
	MUST(kill(storm, SIGKILL));
	MUST(waitpid(storm, NULL, 0));
	tell("connected %d, sent %d, accepted %d", connected, sent, accepted);
}

int main(int argc, char **argv)
{
	static const struct scenario table[] = {
		{ "starts", starts },
		{ "fork_storm", fork_storm },
		{ "daemonize", daemonize },
		{ "urgent", urgent },
		{ 0 },
	};

	return scenario_main(argc, argv, table);
}
