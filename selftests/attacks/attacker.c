/* SPDX-License-Identifier: MIT */
#include "selftests/attacks/attack.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIXED_ARGS = 5 };

uint16_t allowed, forbidden;
pid_t victim;

/* The attack may have used up whatever a process can: a new one has it again. */
static void be_served(void *arg)
{
	union name n;
	socklen_t len = allowed_at(&n, "127.0.0.1");
	int fd = (int)MUST(new_socket(AF_INET, SOCK_STREAM, 0));

	(void)arg;
	if (connect(fd, &n.any, len) == 0)
		tell("done");
	else
		tell("no longer served: %s", strerror(errno));
}

void won(const char *format, ...)
{
	va_list args;

	fputs("won: ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void absent(const char *format, ...)
{
	va_list args;

	fputs("absent: ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	in_child(be_served, NULL);
	exit(0);
}

int new_socket(int domain, int type, int protocol)
{
	return socket(domain, type | SOCK_CLOEXEC, protocol);
}

socklen_t forbidden_at(union name *n, const char *text)
{
	return name_set(n, text, forbidden);
}

socklen_t allowed_at(union name *n, const char *text)
{
	return name_set(n, text, allowed);
}

void reach_by_connect(int fd, const void *address, socklen_t len)
{
	struct timeval limit = { .tv_usec = REACH_MS * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, address, len) == 0)
		send(fd, "c", 1, MSG_NOSIGNAL);
}

void reach_by_sends(int fd, const void *address, socklen_t len, int flags)
{
	struct iovec v = { (char[]){ 's' }, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_name = (void *)address,
					  .msg_namelen = len,
					  .msg_iov = &v,
					  .msg_iovlen = 1 } };

	flags |= MSG_NOSIGNAL | MSG_DONTWAIT;
	sendto(fd, "s", 1, flags, address, len);
	sendmsg(fd, &m.msg_hdr, flags);
	sendmmsg(fd, &m, 1, flags);
}

void reach_by_all(const void *address, socklen_t len)
{
	int family = ((const struct sockaddr *)address)->sa_family;

	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		int fd = new_socket(family, type, 0);

		reach_by_connect(fd, address, len);
		close(fd);
		fd = new_socket(family, type, 0);
		reach_by_sends(fd, address, len, type == SOCK_STREAM ? MSG_FASTOPEN : 0);
		close(fd);
	}
}

int in_child(void (*attack)(void *arg), void *arg)
{
	int status;
	pid_t pid = (pid_t)MUST(fork());

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		attack(arg);
		fflush(NULL);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	return status;
}

static atomic_bool race_runs, race_over;
static void (*race_step)(unsigned turn);

static void *run_steps(void *arg)
{
	for (unsigned turn = 0; !race_over; turn++) {
		race_step(turn);
		race_runs = true;
	}
	return arg;
}

void race(void (*step)(unsigned turn), void (*shot)(unsigned turn))
{
	const char *given = getenv("RACE_MS");
	int64_t end = now_ns() + (given ? atoi(given) : RACE_MS_DEFAULT) * INT64_C(1000000);
	pthread_t thread;
	unsigned shots = 0;

	race_step = step;
	errno = pthread_create(&thread, NULL, run_steps, NULL);
	MUST(errno ? -1 : 0);
	while (!race_runs)
		;
	do
		shot(shots++);
	while (now_ns() < end);
	race_over = true;
	pthread_join(thread, NULL);
	figure("shots %u", shots);
}

static const struct scenario *find(const char *name)
{
	static const struct scenario *const tables[] = {
		race_attacks,    door_attacks,  raw_attacks,   address_attacks, authority_attacks,
		process_attacks, stall_attacks, other_attacks, twin_attacks
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct scenario *s = tables[i]; s->name; s++)
			if (!strcmp(s->name, name))
				return s;
	errx(SCENARIO_BROKEN, "'%s': expected an attack", name);
}

int main(int argc, char **argv)
{
	if (argc < FIXED_ARGS)
		errx(SCENARIO_BROKEN, "expected NAME ALLOWED FORBIDDEN VICTIM");
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	allowed = (uint16_t)atoi(argv[2]);
	forbidden = (uint16_t)atoi(argv[3]);
	victim = atoi(argv[4]);
	find(argv[1])->run(argv + FIXED_ARGS);
	in_child(be_served, NULL);
	return 0;
}
