/* SPDX-License-Identifier: MIT */
/*
 * tenant: a command that tells about the terminal it lives on, and uses it.
 *
 *	tenant facts		what it was given, one line each; then "."
 *	tenant sizes		"ready", then a line "size ROWS COLS" after each SIGWINCH
 *	tenant hold		"holding"; then "continued" after each SIGCONT
 *	tenant signals		"ready", then a line "got NAME" for USR1 and HUP; 33 after TERM
 *	tenant mirror BYTES	without echo or line editing: "ready", then each byte as it came
 *	tenant flood BYTES	that many bytes of lines, then "flooded"
 *	tenant connect PORT N	N connects to 127.0.0.1, then "median MICROSECONDS, slowest
 *				MICROSECONDS"
 *	tenant pry TERMINAL	try to get at another terminal and to type into its own
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { USAGE = 2, DESCRIPTORS = 1024 };

static int terminal = 2; /* a descriptor of it */

static void print_size(void)
{
	struct winsize size = { 0 };

	ioctl(terminal, TIOCGWINSZ, &size);
	printf("size %u %u\n", size.ws_row, size.ws_col);
}

static void print_signals(void)
{
	for (int sig = 1; sig < SIGRTMIN; sig++) {
		struct sigaction sa;
		sigset_t mask;

		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			printf("ignored %d\n", sig);
		sigprocmask(SIG_SETMASK, NULL, &mask);
		if (sigismember(&mask, sig) == 1)
			printf("blocked %d\n", sig);
	}
}

static int facts(void)
{
	int fd;

	printf("terminals %d%d%d\n", isatty(0), isatty(1), isatty(2));
	print_size();
	printf("leader %d\n", getsid(0) == getpid() && getpgrp() == getpid());
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	printf("controlling %d\n", fd >= 0);
	printf("foreground %d\n", tcgetpgrp(fd) == getpgrp());
	close(fd);
	for (fd = 3; fd < DESCRIPTORS; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("inherited %d\n", fd);
	print_signals();
	printf("term %s\n", getenv("TERM"));
	printf("sandtop %s\n", getenv("SANDTOP"));
	puts(".");
	return 0;
}

static void handle(int sig)
{
	(void)sig; /* that it comes is all */
}

/* Wait for that signal, again and again. */
static _Noreturn void on_signal(int sig, const char *first, void (*say)(void))
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(sig, handle);
	puts(first);
	for (;;) {
		sigsuspend(&old);
		say();
	}
}

static void say_continued(void)
{
	puts("continued");
}

static int signals(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	while (sigwait(&set, &sig) == 0 && sig != SIGTERM)
		printf("got %s\n", sigabbrev_np(sig));
	return 33;
}

static int mirror(long bytes)
{
	struct termios raw;
	char buf[4096];

	tcgetattr(0, &raw);
	cfmakeraw(&raw);
	tcsetattr(0, TCSANOW, &raw);
	puts("ready\r");
	while (bytes > 0) {
		ssize_t n = read(0, buf, sizeof(buf));

		if (n <= 0)
			return 1;
		for (ssize_t done = 0, out; done < n; done += out) {
			out = write(1, buf + done, (size_t)(n - done));
			if (out < 0)
				return 1;
		}
		bytes -= n;
	}
	return 0;
}

static int flood(long bytes)
{
	char line[1024];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (; bytes > 0; bytes -= (long)sizeof(line))
		if (write(1, line, sizeof(line)) != sizeof(line))
			return 1;
	puts("flooded");
	return 0;
}

static int by_value(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

static long connect_once(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		err(1, "connect");
	clock_gettime(CLOCK_MONOTONIC, &b);
	close(fd);
	return (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
}

static int connect_often(int port, size_t times)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	long *took = calloc(times, sizeof(*took));

	for (size_t i = 0; took && i < times; i++)
		took[i] = connect_once(&address);
	if (!took || !times)
		return 1;
	qsort(took, times, sizeof(*took), by_value);
	printf("median %ld, slowest %ld\n", took[times / 2], took[times - 1]);
	free(took);
	return 0;
}

static void try_open(const char *what, const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	printf("open %s %s\n", what, fd < 0 ? strerrorname_np(errno) : "OK");
	close(fd);
}

static int pry(const char *other)
{
	int own = open("/dev/tty", O_RDWR | O_CLOEXEC);

	try_open("other", other);
	printf("type %s\n", ioctl(own, TIOCSTI, "x") ? strerrorname_np(errno) : "OK");
	puts(".");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int fd = 2; fd >= 0; fd--)
		if (isatty(fd))
			terminal = fd;
	if (!strcmp(what, "facts"))
		return facts();
	if (!strcmp(what, "sizes"))
		on_signal(SIGWINCH, "ready", print_size);
	if (!strcmp(what, "hold"))
		on_signal(SIGCONT, "holding", say_continued);
	if (!strcmp(what, "signals"))
		return signals();
	if (!strcmp(what, "mirror") && argc == 3)
		return mirror(atol(argv[2]));
	if (!strcmp(what, "flood") && argc == 3)
		return flood(atol(argv[2]));
	if (!strcmp(what, "connect") && argc == 4)
		return connect_often(atoi(argv[2]), strtoul(argv[3], NULL, 10));
	if (!strcmp(what, "pry") && argc == 3)
		return pry(argv[2]);
	errx(USAGE, "unknown operation '%s'", what);
}
