/* SPDX-License-Identifier: MIT */
/*
 * Run test programs, several at a time, and report on all of them as nested
 * KTAP (Documentation/dev-tools/ktap.rst in the kernel's source):
 *
 *	runner [--as root,nobody] [--both NAME]... [--jobs N] [--alone NAME]...
 *	       [--times] [--timeout SECONDS] [--stage FILE]... PROGRAM...
 *
 * A NAME_test is a suite of selftests/harness.h. It runs as root and as an
 * unprivileged user when the runner is root (--as names one of them, for all
 * programs but those of --both), else as the user there is. Suites run from
 * copies in a new directory under /tmp, because the build folder may be closed
 * to that user; --stage copies more programs there, and SANDTOP_BIN_DIR names
 * the directory. A NAME_unit is a Criterion program and runs in place; anything
 * else prints TAP by itself.
 *
 * N programs run at a time (1), and what each has to say appears when it has
 * ended; if N is 1, at once. A program that --alone names, because its tests
 * measure time, runs after the others and beside none but itself as the other
 * user. --times says how long each took.
 *
 * What a program prints is not trusted further than its exit status, nor the
 * reverse: a crash, a missing plan, a missing result or a disagreement is an
 * error. With MUST_RUN=1 in the environment a skip is a failure. The last line
 * is "N passed, N failed, N skipped", where a program that failed as a whole
 * counts as one. The exit status is 1 if anything failed or nothing ran, and 2
 * when the runner itself could not work.
 *
 * Theory of operation: each run has a worker, a process that is the subreaper of
 * all that the program starts, so that it can end exactly that. The worker's
 * report lies in a memfd until it is complete, the outcome in shared memory.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/job.h"
#include "selftests/lib/reap.h"
#include "selftests/lib/signals.h"

enum {
	USAGE = 2,
	NAMES_MAX = 64,
	JOBS_MAX = 64,
	/* What the kernel itself starts with (include/linux/fs.h, INR_OPEN_CUR and INR_OPEN_MAX).
	 */
	FILES_MIN = 1024,
	FILES_MAX_MIN = 4096,
};

static const char *const identity_suffix[IDENTITIES] = {
	[AS_IS] = "",
	[AS_ROOT] = " as root",
	[AS_NOBODY] = " as nobody",
};

/* One that runs. */
struct worker {
	const struct job *job; /* NULL: none */
	struct outcome *outcome;
	pid_t pid;
	int pidfd;
	int report; /* a memfd, -1 if it goes to stdout at once */
};

/* A list of what an option named. */
struct names {
	const char *text[NAMES_MAX];
	size_t count;
};

static struct {
	int timeout; /* seconds for one program */
	int jobs;    /* at a time */
	bool times;
	bool wanted[IDENTITIES];
	struct names staged, both, alone;
	bool must_run;
	char stage[64]; /* the directory of the copies */
	pid_t pid;
	int signals; /* a signalfd for what ends the runner */
} config = { .timeout = 600, .jobs = 1 };

static struct worker workers[JOBS_MAX];
static unsigned int passed, failed, skipped, reported;

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
	struct dirent *entry;
	DIR *dir;

	if (getpid() != config.pid) /* a worker that cannot work */
		return;
	dir = opendir(config.stage);

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
	for (size_t i = 0; i < config.staged.count; i++)
		stage_file(config.staged.text[i]);
	for (size_t i = 0; i < count; i++)
		if (is_suite(programs[i]))
			stage_file(programs[i]);
	if (setenv("SANDTOP_BIN_DIR", config.stage, 1))
		err(USAGE, "setenv");
}

/* The program's own result line, and its part of the sums. */
static void report(const struct job *job, const struct outcome *out)
{
	bool whole_failed = out->timed_out || out->problem[0];
	char name[256];

	snprintf(name, sizeof(name), "%s%s", base_name(job->program),
		 identity_suffix[job->identity]);
	reported++;
	passed += out->passed;
	failed += out->failed;
	skipped += out->skipped;
	if (config.times)
		printf("# %s took %.1f s, %.1f s of a CPU\n", name, (double)out->ms / 1000,
		       (double)out->cpu_ms / 1000);
	if (out->skip[0] && !whole_failed && config.must_run) {
		printf("# MUST_RUN: SKIP %s\n", out->skip);
		whole_failed = true;
	} else if (out->skip[0] && !whole_failed) {
		printf("ok %u %s # SKIP %s\n", reported, name, out->skip);
		skipped++;
		return;
	}
	failed += whole_failed;
	printf("%s %u %s", whole_failed || out->failed ? "not ok" : "ok", reported, name);
	if (out->timed_out)
		printf(" # TIMEOUT %d seconds", config.timeout);
	else if (out->problem[0])
		printf(" # ERROR %s", out->problem);
	putchar('\n');
}

/* In the worker. */
static void __attribute__((noreturn)) work(const struct worker *w)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (w->report >= 0 && dup2(w->report, STDOUT_FILENO) < 0)
		err(USAGE, "dup2");
	if (reap_init() < 0)
		errx(USAGE, "cannot start");
	puts("  KTAP version 1");
	job_run(w->job, w->outcome);
	fflush(stdout);
	_exit(0);
}

static void start(struct worker *w, const struct job *job)
{
	w->job = job;
	memset(w->outcome, 0, sizeof(*w->outcome));
	/* It is the worker's last word if it never gets to say another. */
	strcpy(w->outcome->problem, "the runner lost it");
	w->report = config.jobs > 1 ? memfd_create("report", MFD_CLOEXEC) : -1;
	fflush(stdout);
	w->pid = fork();
	if (w->pid < 0 || (config.jobs > 1 && w->report < 0))
		err(USAGE, "cannot start '%s'", job->program);
	if (!w->pid)
		work(w);
	w->pidfd = syscall(SYS_pidfd_open, w->pid, 0);
	if (w->pidfd < 0)
		err(USAGE, "pidfd_open");
}

static void finish(struct worker *w)
{
	char text[4096];
	ssize_t n;

	waitpid(w->pid, NULL, 0);
	close(w->pidfd);
	for (off_t at = 0; (n = pread(w->report, text, sizeof(text), at)) > 0; at += n)
		fwrite(text, 1, n, stdout);
	if (w->report >= 0)
		close(w->report);
	report(w->job, w->outcome);
	fflush(stdout);
	w->job = NULL;
}

/* Wait until a worker has ended, and report what came of its program. */
static void await_worker(void)
{
	struct pollfd fds[JOBS_MAX + 1];

	for (int i = 0; i < config.jobs; i++)
		fds[i] = (struct pollfd){ .fd = workers[i].job ? workers[i].pidfd : -1,
					  .events = POLLIN };
	fds[config.jobs] = (struct pollfd){ .fd = config.signals, .events = POLLIN };
	if (poll(fds, config.jobs + 1, -1) < 0)
		err(USAGE, "poll");
	if (fds[config.jobs].revents) {
		reap_all();
		errx(USAGE, "interrupted");
	}
	for (int i = 0; i < config.jobs; i++)
		if (fds[i].revents)
			finish(&workers[i]);
}

static struct worker *idle_worker(void)
{
	for (int i = 0; i < config.jobs; i++)
		if (!workers[i].job)
			return &workers[i];
	return NULL;
}

static void await_all(void)
{
	for (int i = 0; i < config.jobs; i++)
		while (workers[i].job)
			await_worker();
}

static bool is_named(const struct names *names, const char *program)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->text[i], base_name(program)))
			return true;
	return false;
}

/* Those that may have company, then the others. */
static void run_all(const struct job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_named(&config.alone, jobs[i].program))
			continue;
		while (!idle_worker())
			await_worker();
		start(idle_worker(), &jobs[i]);
	}
	await_all();
	for (size_t i = 0; i < count; i++) {
		if (!is_named(&config.alone, jobs[i].program))
			continue;
		while (!idle_worker())
			await_worker();
		start(idle_worker(), &jobs[i]);
		/* Next to itself as somebody else it has an even share. */
		if (i + 1 == count || jobs[i + 1].program != jobs[i].program)
			await_all();
	}
}

static struct job make_job(const char *program, enum identity who)
{
	struct job job = { .program = program,
			   .identity = who,
			   .is_unit = is_unit(program),
			   .must_run = config.must_run,
			   .timeout = config.timeout };
	char *copy;

	if (!is_suite(program))
		return job;
	if (asprintf(&copy, "%s/%s", config.stage, base_name(program)) < 0)
		err(USAGE, "cannot start");
	job.copy = copy;
	return job;
}

/* Fills `jobs`, which holds two for each program; returns how many there are. */
static size_t plan(char **programs, size_t count, struct job *jobs)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_suite(programs[i]) || geteuid()) {
			jobs[used++] = make_job(programs[i], AS_IS);
			continue;
		}
		for (enum identity who = AS_ROOT; who < IDENTITIES; who++)
			if (config.wanted[who] || is_named(&config.both, programs[i]))
				jobs[used++] = make_job(programs[i], who);
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

static void add_name(struct names *names, const char *option, const char *text)
{
	if (names->count == NAMES_MAX)
		errx(USAGE, "%s '%s': expected at most %d of them", option, text, NAMES_MAX);
	names->text[names->count++] = text;
}

static int parse_count(const char *option, const char *text, int max)
{
	char *end;
	long count = strtol(text, &end, 10);

	if (*end || count < 1 || count > max)
		errx(USAGE, "%s '%s': expected a number from 1 to %d", option, text, max);
	return (int)count;
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "as", required_argument, NULL, 'a' },
		{ "alone", required_argument, NULL, 'l' },
		{ "both", required_argument, NULL, 'b' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "stage", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ "times", no_argument, NULL, 'T' },
		{ 0 },
	};
	int option;

	parse_identities("root,nobody");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			parse_identities(optarg);
		else if (option == 'l')
			add_name(&config.alone, "--alone", optarg);
		else if (option == 'b')
			add_name(&config.both, "--both", optarg);
		else if (option == 'j')
			config.jobs = parse_count("--jobs", optarg, JOBS_MAX);
		else if (option == 's')
			add_name(&config.staged, "--stage", optarg);
		else if (option == 't')
			config.timeout = parse_count("--timeout", optarg, 24 * 3600);
		else if (option == 'T')
			config.times = true;
		else
			exit(USAGE);
	}
	if (optind == argc)
		errx(USAGE, "expected the programs to run");
	config.must_run = getenv("MUST_RUN") && !strcmp(getenv("MUST_RUN"), "1");
}

/* Some tests hold as many descriptors as any process usually may. */
static void raise_files_limit(void)
{
	struct rlimit files, wanted;

	if (getrlimit(RLIMIT_NOFILE, &files))
		err(USAGE, "getrlimit");
	wanted.rlim_max = files.rlim_max < FILES_MAX_MIN ? FILES_MAX_MIN : files.rlim_max;
	wanted.rlim_cur = files.rlim_cur < FILES_MIN ? FILES_MIN : files.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &wanted))
		printf("# RLIMIT_NOFILE is %ju: some tests need %d (ulimit -Hn)\n",
		       (uintmax_t)files.rlim_max, FILES_MAX_MIN);
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

static void make_workers(void)
{
	struct outcome *outcomes = mmap(NULL, JOBS_MAX * sizeof(*outcomes), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (outcomes == MAP_FAILED)
		err(USAGE, "mmap");
	for (int i = 0; i < JOBS_MAX; i++)
		workers[i].outcome = &outcomes[i];
}

int main(int argc, char **argv)
{
	struct job *jobs;
	size_t count;

	parse_options(argc, argv);
	signals_reset();
	raise_files_limit();
	config.pid = getpid();
	config.signals = open_signals();
	jobs = calloc(2 * (argc - optind), sizeof(*jobs));
	if (!jobs || config.signals < 0 || reap_init() < 0)
		err(USAGE, "cannot start");
	make_workers();
	stage(argv + optind, argc - optind);
	count = plan(argv + optind, argc - optind, jobs);
	printf("KTAP version 1\n1..%zu\n", count);
	run_all(jobs, count);
	if (!passed && !failed)
		puts("# no test ran");
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	for (size_t i = 0; i < count; i++)
		free((char *)jobs[i].copy);
	free(jobs);
	return failed || !passed;
}
