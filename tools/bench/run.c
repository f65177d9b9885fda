/* SPDX-License-Identifier: MIT */
#include "tools/bench/run.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/watched.h"

enum {
	DEADLINE_S = 60,
	DEADLINE_ONCE_S = 600,
	OUTPUT_MAX = 65536, /* a peer may talk, too */
	COMMAND_MAX = 4,
};

void run_pin(void)
{
	cpu_set_t allowed, one;
	int last = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		err(1, "sched_getaffinity");
	/* The first CPU often serves most interrupts. */
	while (!CPU_ISSET(last, &allowed))
		last--;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		err(1, "sched_setaffinity");
}

pid_t run_spawn(const struct run_prefix *prefix, const char *const *command, bool pinned, int in,
		int out)
{
	const char *argv[RUN_PREFIX_MAX + COMMAND_MAX + 1];
	int n = 0;
	pid_t pid;

	for (int i = 0; i < prefix->words; i++)
		argv[n++] = prefix->word[i];
	for (int i = 0; command[i]; i++)
		argv[n++] = command[i];
	argv[n] = NULL;
	pid = fork();
	if (pid < 0)
		warn("fork");
	if (pid)
		return pid;
	if (pinned)
		run_pin();
	if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) || dup2(out, STDOUT_FILENO) < 0)
		err(1, "dup2");
	execvp(argv[0], (char *const *)argv);
	err(127, "cannot run '%s'", argv[0]);
}

/* Read to the end into a string; what does not fit is dropped. Returns false after the deadline. */
static bool read_all(int fd, int seconds, char out[static OUTPUT_MAX])
{
	double deadline = sample_now() + 1e9 * seconds;
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		double left = deadline - sample_now();
		char spill[512];
		bool fits = len < OUTPUT_MAX - 1;
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)(left / 1e6) + 1) <= 0)
			continue;
		n = fits ? read(fd, out + len, OUTPUT_MAX - 1 - len)
			 : read(fd, spill, sizeof(spill));
		if (n <= 0)
			break;
		len += fits ? (size_t)n : 0;
	}
	out[len] = '\0';
	return true;
}

bool run_reap(pid_t pid, const char *column, const char *row)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFEXITED(status))
		warnx("%s: %s run: exit status %d", row, column, WEXITSTATUS(status));
	else
		warnx("%s: %s run: killed by signal %d", row, column, WTERMSIG(status));
	return false;
}

/* Run a command to its end. Returns true with its stdout, or false with the user told. */
static bool run_command(const struct run_prefix *prefix, const char *const *command,
			const struct row *row, bool pinned, char output[static OUTPUT_MAX])
{
	int seconds = row->rounds == 1 ? DEADLINE_ONCE_S : DEADLINE_S;
	bool ended = false;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		warn("pipe");
		return false;
	}
	pid = run_spawn(prefix, command, pinned, -1, fds[1]);
	close(fds[1]);
	if (pid >= 0)
		ended = read_all(fds[0], seconds, output);
	close(fds[0]);
	if (pid < 0)
		return false;
	if (!ended) {
		warnx("%s: %s run: not finished after %d s", row->name, prefix->name, seconds);
		kill(pid, SIGKILL);
	}
	return run_reap(pid, prefix->name, row->name) && ended;
}

void run_print(const struct row *row, const struct sample *s)
{
	printf("bench-%s value=%.3f base=%.3f\n", row->name, s->value, s->base);
}

bool run_parse(const struct row *row, const char *output, struct sample *out)
{
	char start[80];
	const char *line;

	snprintf(start, sizeof(start), "bench-%s value=", row->name);
	line = strstr(output, start);
	return line && sscanf(line + strlen(start), "%lf base=%lf", &out->value, &out->base) == 2;
}

static bool run_client(const char *self, const struct run_prefix *prefix, const struct row *row,
		       unsigned count, bool pinned, struct sample *out)
{
	char number[16], output[OUTPUT_MAX];
	const char *const client[] = { self, "client", row->name, number, NULL };
	const char *const program[] = { "tools/bench/programs", row->name, number, NULL };

	snprintf(number, sizeof(number), "%u", count);
	if (!run_command(prefix, row->kind == ROW_PROGRAM ? program : client, row, pinned, output))
		return false;
	if (run_parse(row, output, out))
		return true;
	warnx("%s: %s run: no result in its output", row->name, prefix->name);
	return false;
}

/* From fork to the end of true(1), the median of `count` in ns. */
static bool run_startup(const struct run_prefix *prefix, const struct row *row, unsigned count,
			bool pinned, struct sample *out)
{
	static const char *const command[] = { "true", NULL };
	double *cost = calloc(count, sizeof(*cost));
	char output[OUTPUT_MAX];
	bool ok = true;

	if (!cost)
		err(1, "calloc");
	for (unsigned i = 0; ok && i < count; i++) {
		double start = sample_now();

		ok = run_command(prefix, command, row, pinned, output);
		cost[i] = sample_now() - start;
	}
	if (ok)
		*out = (struct sample){ .value = sample_median(cost, count) };
	free(cost);
	return ok;
}

bool run_row(const char *self, const struct run_prefix *prefix, const struct row *row,
	     unsigned count, bool pinned, struct sample *out)
{
	if (row->kind == ROW_STARTUP)
		return run_startup(prefix, row, count, pinned, out);
	if (row->kind == ROW_WATCHED)
		return watched_run(self, prefix, row, count, pinned, out);
	return run_client(self, prefix, row, count, pinned, out);
}
