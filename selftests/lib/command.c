/* SPDX-License-Identifier: MIT */
#include "selftests/lib/command.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/deadline.h"

/*
 * Let the programs of this build be found by their bare names: in
 * $SANDTOP_BIN_DIR, which the runner sets, else beside the suite and, for
 * ./sandtop, in the current directory.
 */
static int set_path(void)
{
	const char *dir = getenv("SANDTOP_BIN_DIR"), *rest = getenv("PATH");
	char self[PATH_MAX] = "", here[PATH_MAX] = "", path[3 * PATH_MAX];
	static bool done;

	if (done)
		return 0;
	if (dir) {
		snprintf(path, sizeof(path), "%s:%s", dir, rest ? rest : "");
	} else {
		if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
		    !getcwd(here, sizeof(here)))
			return -errno;
		snprintf(path, sizeof(path), "%s:%s:%s", dirname(self), here, rest ? rest : "");
	}
	done = !setenv("PATH", path, 1);
	return done ? 0 : -errno;
}

/* Never returns; the errno of what failed goes to the parent. */
static void __attribute__((noreturn))
child(const char *const argv[], int out, int err, int failed, void (*prepare)(void *), void *arg)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(err, STDERR_FILENO) >= 0) {
		if (prepare)
			prepare(arg);
		execvp(argv[0], (char *const *)argv);
	}
	if (write(failed, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

/* A pipe whose reading end never blocks. */
static int open_capture(struct capture *capture, int *writing)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	capture->fd = fds[0];
	*writing = fds[1];
	capture->text = calloc(1, 1);
	return capture->text ? 0 : -ENOMEM;
}

static void close_capture(struct capture *capture)
{
	if (capture->fd >= 0)
		close(capture->fd);
	capture->fd = -1;
}

/* Take what is there now. Returns 0 or -errno. */
static int drain(struct capture *capture)
{
	char buf[65536], *text;
	ssize_t n;

	while (capture->fd >= 0) {
		n = read(capture->fd, buf, sizeof(buf));
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (!n) {
			close_capture(capture);
			break;
		}
		text = realloc(capture->text, capture->len + n + 1);
		if (!text)
			return -ENOMEM;
		memcpy(text + capture->len, buf, n);
		capture->text = text;
		capture->len += n;
		capture->text[capture->len] = '\0';
	}
	return 0;
}

int command_start(struct command *c, const char *const argv[], void (*prepare)(void *arg),
		  void *arg)
{
	int out = -1, err = -1, failed[2] = { -1, -1 }, result, error;

	*c = (struct command){ .pid = -1, .pidfd = -1, .out.fd = -1, .err.fd = -1 };
	result = set_path();
	if (!result)
		result = open_capture(&c->out, &out);
	if (!result)
		result = open_capture(&c->err, &err);
	if (!result && pipe2(failed, O_CLOEXEC))
		result = -errno;
	if (result)
		goto out_close;
	c->pid = fork();
	if (!c->pid)
		child(argv, out, err, failed[1], prepare, arg);
	if (c->pid < 0) {
		result = -errno;
		goto out_close;
	}
	c->pidfd = syscall(SYS_pidfd_open, c->pid, 0);
	close(failed[1]);
	failed[1] = -1;
	/* End of file: the exec closed the child's end. */
	if (read(failed[0], &error, sizeof(error)) == sizeof(error))
		result = -error;
	else if (c->pidfd < 0)
		result = -ENOSYS;
out_close:
	close(out);
	close(err);
	close(failed[0]);
	close(failed[1]);
	if (result)
		command_free(c);
	return result;
}

/* Wait for output or the end. Returns 1 if it has ended, 0 if not, or -errno. */
static int step(struct command *c, int64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = c->pidfd, .events = POLLIN },
		{ .fd = c->out.fd, .events = POLLIN },
		{ .fd = c->err.fd, .events = POLLIN },
	};
	int result, ready = poll(fds, 3, deadline_left(deadline));

	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	if (!ready)
		return -ETIMEDOUT;
	/* What it wrote before it ended is in the pipes by now: drain after the poll. */
	result = drain(&c->out);
	if (!result)
		result = drain(&c->err);
	if (result || !fds[0].revents)
		return result;
	while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
		;
	close(c->pidfd);
	c->pidfd = -1;
	close_capture(&c->out);
	close_capture(&c->err);
	return 1;
}

int command_wait(struct command *c, int ms)
{
	int64_t deadline = deadline_in(ms);
	int result = 0;

	while (!result && c->pidfd >= 0)
		result = step(c, deadline);
	return result < 0 ? result : 0;
}

int command_wait_text(struct command *c, const struct capture *which, const char *text, int ms)
{
	int64_t deadline = deadline_in(ms);
	int result = 0;

	for (;;) {
		if (strstr(which->text, text))
			return 0;
		if (result || c->pidfd < 0)
			return result < 0 ? result : -EPIPE;
		result = step(c, deadline);
	}
}

int command_run(struct command *c, const char *const argv[])
{
	int result = command_start(c, argv, NULL, NULL);

	if (!result)
		result = command_wait(c, COMMAND_TIMEOUT);
	return result;
}

int command_code(const struct command *c)
{
	if (c->pidfd >= 0)
		return -1;
	return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
}

void command_free(struct command *c)
{
	if (!c->pid)
		return;
	if (c->pid > 0 && c->pidfd >= 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		close(c->pidfd);
		c->pidfd = -1;
	}
	close_capture(&c->out);
	close_capture(&c->err);
	free(c->out.text);
	free(c->err.text);
	c->out.text = c->err.text = NULL;
}

int command_await_death(pid_t pid)
{
	struct pollfd gone = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int ready;

	if (gone.fd < 0)
		return errno == ESRCH ? 0 : -errno;
	ready = poll(&gone, 1, COMMAND_TIMEOUT);
	close(gone.fd);
	return ready == 1 ? 0 : -ETIMEDOUT;
}
