/* SPDX-License-Identifier: MIT */
#include "selftests/lib/scenario.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "selftests/lib/deadline.h"

int scenario_main(int argc, char **argv, const struct scenario *table)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; argc > 1 && table->name; table++) {
		if (strcmp(table->name, argv[1]))
			continue;
		table->run(argv + 2);
		return 0;
	}
	errx(SCENARIO_BROKEN, "'%s': expected a scenario", argc > 1 ? argv[1] : "");
}

void say(long result, const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (result >= 0)
		printf(" %ld\n", result);
	else if (strerrorname_np(error))
		printf(" %s\n", strerrorname_np(error));
	else
		printf(" errno %d\n", error); /* 512: never for the eyes of a program */
	errno = error;
}

void tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void figure(const char *format, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

long must(long result, const char *what)
{
	if (result < 0)
		err(SCENARIO_BROKEN, "%s", what);
	return result;
}

socklen_t name_set(union name *n, const char *text, uint16_t port)
{
	memset(n, 0, sizeof(*n));
	if (inet_pton(AF_INET, text, &n->v4.sin_addr) == 1) {
		n->v4.sin_family = AF_INET;
		n->v4.sin_port = htons(port);
		return sizeof(n->v4);
	}
	if (inet_pton(AF_INET6, text, &n->v6.sin6_addr) != 1)
		errx(SCENARIO_BROKEN, "'%s': expected an address", text);
	n->v6.sin6_family = AF_INET6;
	n->v6.sin6_port = htons(port);
	return sizeof(n->v6);
}

int open_receiver(int type, const char *text, union name *n, socklen_t *len)
{
	int fd;

	*len = name_set(n, text, 0);
	fd = MUST(socket(n->any.sa_family, type | SOCK_CLOEXEC, 0));
	MUST(bind(fd, &n->any, *len));
	if ((type & ~SOCK_NONBLOCK) == SOCK_STREAM)
		MUST(listen(fd, 128));
	MUST(getsockname(fd, &n->any, len));
	return fd;
}

void open_connection(const char *text, int fds[2])
{
	union name n;
	socklen_t len;
	int listener = open_receiver(SOCK_STREAM, text, &n, &len);

	fds[0] = MUST(socket(n.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(connect(fds[0], &n.any, len));
	fds[1] = MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
}

int await(int fd, short events)
{
	struct pollfd ready = { .fd = fd, .events = events };
	int64_t deadline = deadline_in(SCENARIO_PATIENCE);
	int count;

	do
		count = poll(&ready, 1, deadline_left(deadline));
	while (count < 0 && errno == EINTR);
	if (!count)
		errno = ETIMEDOUT;
	return count > 0 ? 0 : -1;
}

/* proc_pid_syscall(5): "running", or the number and the arguments of the call it is blocked in. */
int await_blocked(pid_t tid, long nr)
{
	int64_t deadline = deadline_in(SCENARIO_PATIENCE);
	char path[64], text[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	for (;;) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n < 0)
			return -1;
		text[n] = '\0';
		if (*text >= '0' && *text <= '9' && atol(text) == nr)
			return 0;
		if (!deadline_left(deadline)) {
			errno = ETIMEDOUT;
			return -1;
		}
		sched_yield();
	}
}

char *fence(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
	char *memory = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED)
		err(SCENARIO_BROKEN, "mmap");
	MUST(mprotect(memory + whole, page, PROT_NONE));
	return memory + whole;
}

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

uint64_t digest(uint64_t digest, const void *bytes, size_t size)
{
	for (const unsigned char *b = bytes; size--; b++)
		digest = (digest ^ *b) * 0x100000001b3U;
	return digest;
}

void fill(void *bytes, size_t size, uint64_t seed)
{
	unsigned char *b = bytes;

	/* A linear congruential generator (Knuth's MMIX constants), its upper bits. */
	for (size_t i = 0; i < size; i++) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		b[i] = seed >> 56;
	}
}
