/* SPDX-License-Identifier: MIT */
#include "selftests/lib/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/deadline.h"

static void *read_screen(void *arg)
{
	struct console *c = arg;
	struct pollfd fds[] = {
		{ .fd = c->master, .events = POLLIN },
		{ .fd = c->stop[0], .events = POLLIN },
	};
	char buf[4096];
	ssize_t n;

	/* The other side is open here too: the master has no end of its own. */
	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		n = read(c->master, buf, sizeof(buf));
		if (n <= 0)
			break;
		pthread_mutex_lock(&c->lock);
		c->text = realloc(c->text, c->len + (size_t)n + 1);
		if (!c->text)
			abort();
		memcpy(c->text + c->len, buf, (size_t)n);
		c->len += (size_t)n;
		c->text[c->len] = '\0';
		pthread_cond_broadcast(&c->more);
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

static int open_terminal(struct console *c)
{
	struct winsize size = { .ws_row = 30, .ws_col = 100 };
	int unlock = 0;

	c->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->master < 0)
		return -errno;
	if (ioctl(c->master, TIOCSPTLCK, &unlock) || ioctl(c->master, TIOCSWINSZ, &size) ||
	    ptsname_r(c->master, c->name, sizeof(c->name)))
		return -errno;
	c->slave = ioctl(c->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return c->slave < 0 || tcgetattr(c->slave, &c->settings) ? -errno : 0;
}

struct seat {
	int slave;
	void (*prepare)(void *arg);
	void *arg;
};

static void sit_down(void *arg)
{
	const struct seat *seat = arg;

	setsid();
	ioctl(seat->slave, TIOCSCTTY, 0);
	for (int fd = 0; fd <= 2; fd++)
		dup2(seat->slave, fd);
	setenv("TERM", "xterm-256color", 1);
	if (seat->prepare)
		seat->prepare(seat->arg);
}

int console_start(struct console *c, const char *const argv[], void (*prepare)(void *arg),
		  void *arg)
{
	struct seat seat = { .prepare = prepare, .arg = arg };
	struct command command;
	int result;

	*c = (struct console){ .master = -1, .slave = -1, .pidfd = -1 };
	result = open_terminal(c);
	if (result)
		return result;
	seat.slave = c->slave;
	result = command_start(&command, argv, sit_down, &seat);
	if (result)
		return result;
	/* It has no outputs but the terminal. */
	close(command.out.fd);
	close(command.err.fd);
	free(command.out.text);
	free(command.err.text);
	c->pid = command.pid;
	c->pidfd = command.pidfd;
	c->text = calloc(1, 1);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->more, NULL);
	if (pipe2(c->stop, O_CLOEXEC))
		return -errno;
	return c->text ? -pthread_create(&c->reader, NULL, read_screen, c) : -ENOMEM;
}

int console_type(struct console *c, const char *keys)
{
	return write(c->master, keys, strlen(keys)) == (ssize_t)strlen(keys) ? 0 : -errno;
}

int console_resize(struct console *c, unsigned short rows, unsigned short cols)
{
	struct winsize size = { .ws_row = rows, .ws_col = cols };

	return ioctl(c->master, TIOCSWINSZ, &size) ? -errno : 0;
}

int console_wait_text(struct console *c, size_t from, const char *text, int ms)
{
	struct timespec end;
	int result = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ms / 1000;
	pthread_mutex_lock(&c->lock);
	while (!result && (c->len < from || !strstr(c->text + from, text)))
		result = -pthread_cond_timedwait(&c->more, &c->lock, &end);
	pthread_mutex_unlock(&c->lock);
	return result;
}

size_t console_shown(struct console *c)
{
	size_t len;

	pthread_mutex_lock(&c->lock);
	len = c->len;
	pthread_mutex_unlock(&c->lock);
	return len;
}

int console_wait(struct console *c, int ms)
{
	struct pollfd ended = { .fd = c->pidfd, .events = POLLIN };
	int status;

	if (poll(&ended, 1, ms) != 1)
		return -ETIMEDOUT;
	if (waitpid(c->pid, &status, 0) != c->pid)
		return -errno;
	close(c->pidfd);
	c->pidfd = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void stop_reading(struct console *c)
{
	if (c->hung_up)
		return;
	close(c->stop[1]);
	pthread_join(c->reader, NULL);
	close(c->stop[0]);
	close(c->slave);
	close(c->master);
	c->hung_up = true;
}

void console_hang_up(struct console *c)
{
	stop_reading(c);
}

void console_free(struct console *c)
{
	if (!c->pid)
		return;
	if (c->pidfd >= 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		close(c->pidfd);
	}
	stop_reading(c);
	free(c->text);
	c->pid = 0;
}
