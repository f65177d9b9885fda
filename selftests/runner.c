/* SPDX-License-Identifier: MIT */
/*
 * Run test programs one after the other and report on all of them as nested
 * KTAP (Documentation/dev-tools/ktap.rst in the kernel's source):
 *
 *	runner [--as root,nobody] [--timeout SECONDS] [--stage FILE]... PROGRAM...
 *
 * A NAME_test is a suite of selftests/harness.h. It runs as root and as an
 * unprivileged user when the runner is root (--as names one of them), else as
 * the user there is. Suites run from copies in a new directory under /tmp,
 * because the build folder may be closed to that user; --stage copies more
 * programs there, and SANDTOP_BIN_DIR names the directory. A NAME_unit is a
 * Criterion program and runs in place; anything else prints TAP by itself.
 *
 * What a program prints is not trusted further than its exit status, nor the
 * reverse: a crash, a missing plan, a missing result or a disagreement is an
 * error. With MUST_RUN=1 in the environment a skip is a failure. The last line
 * is "N passed, N failed, N skipped", where a program that failed as a whole
 * counts as one. The exit status is 1 if anything failed or nothing ran, and 2
 * when the runner itself could not work.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/reap.h"
#include "selftests/lib/tap.h"

enum { NOBODY = 65534, USAGE = 2, STAGED_MAX = 64 };

/* Whom a program runs as. */
enum identity { AS_IS, AS_ROOT, AS_NOBODY, IDENTITIES };

static const char *const identity_suffix[IDENTITIES] = {
	[AS_IS] = "",
	[AS_ROOT] = " as root",
	[AS_NOBODY] = " as nobody",
};

/* One run of one program. */
struct job {
	const char *program;
	enum identity identity;
};

static struct {
	int timeout; /* seconds for one program */
	bool wanted[IDENTITIES];
	const char *staged[STAGED_MAX];
	size_t staged_count;
	bool must_run;
	char stage[64]; /* the directory of the copies */
	int signals;    /* a signalfd for what ends the runner */
} config = { .timeout = 300 };

static unsigned int passed, failed, skipped;

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

static bool is_suite(const char *program)
{
	return ends_with(program, "_test");
}

static bool is_unit(const char *program)
{
	return ends_with(program, "_unit");
}

static void unstage(void)
{
	DIR *dir = opendir(config.stage);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(config.stage);
}

static void stage_file(const char *path)
{
	char copy[512];
	struct stat st;
	int in, out;
	ssize_t n;

	snprintf(copy, sizeof(copy), "%s/%s", config.stage, base_name(path));
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st))
		err(USAGE, "cannot read '%s'", path);
	out = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (out < 0)
		err(USAGE, "cannot create '%s'", copy);
	do
		n = sendfile(out, in, NULL, st.st_size);
	while (n > 0);
	/* The umask must not close it to the other user. */
	if (n < 0 || fchmod(out, 0755) || close(out))
		err(USAGE, "cannot copy '%s' to '%s'", path, copy);
	close(in);
}

static void stage(char **programs, size_t count)
{
	snprintf(config.stage, sizeof(config.stage), "/tmp/sandtop-selftests.XXXXXX");
	if (!mkdtemp(config.stage) || chmod(config.stage, 0755))
		err(USAGE, "cannot make a directory in /tmp");
	atexit(unstage);
	for (size_t i = 0; i < config.staged_count; i++)
		stage_file(config.staged[i]);
	for (size_t i = 0; i < count; i++)
		if (is_suite(programs[i]))
			stage_file(programs[i]);
	if (setenv("SANDTOP_BIN_DIR", config.stage, 1))
		err(USAGE, "setenv");
}

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
	const char *argv[] = { job->program, is_unit(job->program) ? "--tap=-" : NULL, NULL };
	char copy[512];
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
	if (is_suite(job->program)) {
		snprintf(copy, sizeof(copy), "%s/%s", config.stage, base_name(job->program));
		argv[0] = copy;
		if (chdir(config.stage))
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
static int follow(struct tap *t, pid_t pid, int output, bool *timed_out)
{
	struct pollfd fds[] = { { .fd = output, .events = POLLIN },
				{ .fd = config.signals, .events = POLLIN },
				{ .events = POLLIN } };
	int64_t deadline = deadline_in(config.timeout * 1000);
	char text[TAP_LINE_MAX] = "";
	int status = 0;

	fds[2].fd = syscall(SYS_pidfd_open, pid, 0);
	*timed_out = false;
	while (!fds[2].revents && !*timed_out) {
		*timed_out = !poll(fds, 3, deadline_left(deadline));
		if (fds[1].revents) {
			reap_all();
			errx(USAGE, "interrupted");
		}
		if (fds[0].revents && !read_output(t, output, text))
			fds[0].fd = -1;
	}
	close(fds[2].fd);
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

/* The program's own result line, and its part of the sums. */
static void report(const struct tap *t, const char *name, unsigned int number, bool timed_out)
{
	bool whole_failed = timed_out || t->problem[0];

	passed += t->passed;
	failed += t->failed;
	skipped += t->skipped;
	if (t->skip[0] && !whole_failed && config.must_run) {
		printf("# MUST_RUN: SKIP %s\n", t->skip);
		whole_failed = true;
	} else if (t->skip[0] && !whole_failed) {
		printf("ok %u %s # SKIP %s\n", number, name, t->skip);
		skipped++;
		return;
	}
	failed += whole_failed;
	printf("%s %u %s", whole_failed || t->failed ? "not ok" : "ok", number, name);
	if (timed_out)
		printf(" # TIMEOUT %d seconds", config.timeout);
	else if (t->problem[0])
		printf(" # ERROR %s", t->problem);
	putchar('\n');
}

static void run(const struct job *job, unsigned int number)
{
	struct tap t = { .unnumbered = is_unit(job->program), .must_run = config.must_run };
	char name[256];
	bool timed_out;
	int output[2], status;
	pid_t pid;

	snprintf(name, sizeof(name), "%s%s", base_name(job->program),
		 identity_suffix[job->identity]);
	printf("  KTAP version 1\n");
	fflush(stdout);
	if (pipe2(output, O_CLOEXEC))
		err(USAGE, "pipe");
	pid = fork();
	if (pid < 0)
		err(USAGE, "fork");
	if (!pid)
		exec_job(job, output[1]);
	close(output[1]);
	status = follow(&t, pid, output[0], &timed_out);
	close(output[0]);
	judge(&t, status);
	report(&t, name, number, timed_out);
	fflush(stdout);
}

/* Fills `jobs`, which holds two for each program; returns how many there are. */
static size_t plan(char **programs, size_t count, struct job *jobs)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_suite(programs[i]) || geteuid()) {
			jobs[used++] = (struct job){ programs[i], AS_IS };
			continue;
		}
		for (enum identity who = AS_ROOT; who < IDENTITIES; who++)
			if (config.wanted[who])
				jobs[used++] = (struct job){ programs[i], who };
	}
	return used;
}

static void parse_identities(const char *text)
{
	config.wanted[AS_ROOT] = !strcmp(text, "root") || !strcmp(text, "root,nobody");
	config.wanted[AS_NOBODY] = !strcmp(text, "nobody") || !strcmp(text, "root,nobody");
	if (!config.wanted[AS_ROOT] && !config.wanted[AS_NOBODY])
		errx(USAGE, "--as '%s': expected root, nobody or root,nobody", text);
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "as", required_argument, NULL, 'a' },
		{ "timeout", required_argument, NULL, 't' },
		{ "stage", required_argument, NULL, 's' },
		{ 0 },
	};
	int option;

	parse_identities("root,nobody");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			parse_identities(optarg);
		else if (option == 't' && atoi(optarg) > 0)
			config.timeout = atoi(optarg);
		else if (option == 't')
			errx(USAGE, "--timeout '%s': expected seconds", optarg);
		else if (option == 's' && config.staged_count < STAGED_MAX)
			config.staged[config.staged_count++] = optarg;
		else
			exit(USAGE);
	}
	if (optind == argc)
		errx(USAGE, "expected the programs to run");
	config.must_run = getenv("MUST_RUN") && !strcmp(getenv("MUST_RUN"), "1");
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct job *jobs;
	size_t count;

	parse_options(argc, argv);
	config.signals = open_signals();
	jobs = calloc(2 * (argc - optind), sizeof(*jobs));
	if (!jobs || config.signals < 0 || reap_init() < 0)
		err(USAGE, "cannot start");
	stage(argv + optind, argc - optind);
	count = plan(argv + optind, argc - optind, jobs);
	printf("KTAP version 1\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++)
		run(&jobs[i], i + 1);
	free(jobs);
	if (!passed && !failed)
		puts("# no test ran");
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed || !passed;
}
