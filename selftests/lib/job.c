/* SPDX-License-Identifier: MIT */
#include "selftests/lib/job.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/reap.h"
#include "selftests/lib/tap.h"

enum { NOBODY = 65534, CANNOT = 2 };

/* Give up root for good; the capabilities go with it (capabilities(7), user ID changes). */
static int become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	unsetenv("XDG_RUNTIME_DIR");
	setenv("HOME", "/nonexistent", 1);
	setenv("USER", "nobody", 1);
	setenv("LOGNAME", "nobody", 1);
	return 0;
}

static void __attribute__((noreturn)) exec_job(const struct job *job, int output)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const char *argv[] = { job->copy ? job->copy : job->program,
			       job->is_unit ? "--tap=-" : NULL, NULL };
	char dir[512];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	/* Diagnostics must land before the result they explain: one pipe for both. */
	if (dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	if (job->identity == AS_NOBODY && become_nobody() < 0)
		_exit(126);
	/* After the change of user, which clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (job->copy) {
		snprintf(dir, sizeof(dir), "%s", job->copy);
		if (chdir(dirname(dir)))
			_exit(126);
	}
	execv(argv[0], (char *const *)argv);
	warn("cannot run '%s'", argv[0]);
	_exit(127);
}

/* Hand the complete lines of `text` to `t`; what is left moves to the front. */
static void take_lines(struct tap *t, char *text, bool at_end)
{
	char *line = text, *end;

	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		tap_line(t, line);
		line = end + 1;
	}
	if (*line && (at_end || strlen(line) == TAP_LINE_MAX - 1)) {
		tap_line(t, line);
		line += strlen(line);
	}
	memmove(text, line, strlen(line) + 1);
	fflush(stdout);
}

/* Returns whether there may be more. */
static bool read_output(struct tap *t, int fd, char *text)
{
	size_t used = strlen(text);
	ssize_t n = read(fd, text + used, TAP_LINE_MAX - 1 - used);

	if (n < 0)
		n = 0;
	for (char *c = text + used; c < text + used + n; c++)
		if (!*c)
			*c = '?';
	text[used + n] = '\0';
	take_lines(t, text, !n);
	return n;
}

/* Read until the program has ended. Returns its wait status; *timed_out: it had to be killed. */
static int follow(struct tap *t, pid_t pid, int output, int timeout, bool *timed_out)
{
	struct pollfd fds[] = { { .fd = output, .events = POLLIN }, { .events = POLLIN } };
	int64_t deadline = deadline_in(timeout * 1000);
	char text[TAP_LINE_MAX] = "";
	int status = 0;

	fds[1].fd = syscall(SYS_pidfd_open, pid, 0);
	*timed_out = false;
	while (!fds[1].revents && !*timed_out) {
		*timed_out = !poll(fds, 2, deadline_left(deadline));
		if (fds[0].revents && !read_output(t, output, text))
			fds[0].fd = -1;
	}
	close(fds[1].fd);
	if (*timed_out)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	/* Whoever still holds the pipe is gone after this, so it has an end. */
	reap_all();
	while (read_output(t, output, text))
		;
	return status;
}

/* What the exit status says against what was printed. */
static void judge(struct tap *t, int status)
{
	unsigned int really_failed = t->failed - t->must_run_failed;
	int code = WEXITSTATUS(status);

	if (WIFSIGNALED(status))
		tap_complain(t, "killed by signal %d (%s)", WTERMSIG(status),
			     strsignal(WTERMSIG(status)));
	tap_end(t);
	if (code == KSFT_SKIP && t->results == t->skipped + t->must_run_failed)
		return;
	if (code && !really_failed)
		tap_complain(t, "exit status %d, but no test failed", code);
	if (!code && really_failed)
		tap_complain(t, "exit status 0, but %u failed", really_failed);
}

/* What all descendants that were waited for have used. */
static int64_t cpu_ms(void)
{
	struct rusage used;

	getrusage(RUSAGE_CHILDREN, &used);
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * INT64_C(1000) +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

void job_run(const struct job *job, struct outcome *out)
{
	struct tap t = { .unnumbered = job->is_unit, .must_run = job->must_run };
	int64_t start = deadline_in(0), used = cpu_ms();
	int output[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe2(output, O_CLOEXEC))
		err(CANNOT, "pipe");
	pid = fork();
	if (pid < 0)
		err(CANNOT, "fork");
	if (!pid)
		exec_job(job, output[1]);
	close(output[1]);
	status = follow(&t, pid, output[0], job->timeout, &out->timed_out);
	close(output[0]);
	judge(&t, status);
	out->passed = t.passed;
	out->failed = t.failed;
	out->skipped = t.skipped;
	memcpy(out->skip, t.skip, sizeof(out->skip));
	memcpy(out->problem, t.problem, sizeof(out->problem));
	out->ms = deadline_in(0) - start;
	out->cpu_ms = cpu_ms() - used;
	fflush(stdout);
}
