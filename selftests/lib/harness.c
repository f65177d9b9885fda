/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: the harness forks one child for each selected cell
 * (fixture x variant x test) and waits for it on a pidfd. What the child has to
 * say beside its exit status lies in a shared page, so that a failure noticed
 * in a grandchild counts too.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/reap.h"
#include "selftests/lib/signals.h"

enum { FILTERS_MAX = 64, NAME_MAX_LEN = 256 };

struct filter {
	int option; /* as on the command line */
	const char *pattern;
};

struct cell {
	const struct harness_fixture *fixture;
	const struct harness_variant *variant; /* NULL: the fixture has none */
	const struct harness_test *test;
	char name[NAME_MAX_LEN];
};

/* What the test says, in memory shared with all its processes. */
struct report {
	bool failed;
	bool finished; /* it came to its end, not just to an exit() */
	bool skipped;
	char reason[512];
	char dir[40]; /* its scratch directory, if it asked for one */
};

struct harness_fixture harness_global = { .name = "global" };

static struct harness_fixture *fixtures = &harness_global;
static struct filter filters[FILTERS_MAX];
static size_t filters_used;
static struct report *report;

/* Of the process that runs a test. */
static struct {
	pid_t pid;
	const struct cell *cell;
	void *self;
	bool is_set_up;
} running;

void harness_add_fixture(struct harness_fixture *f)
{
	struct harness_fixture **end = &fixtures;

	while (*end)
		end = &(*end)->next;
	*end = f;
}

void harness_add_variant(struct harness_fixture *f, struct harness_variant *v)
{
	struct harness_variant **end = &f->variants;

	while (*end)
		end = &(*end)->next;
	*end = v;
}

void harness_add_test(struct harness_fixture *f, struct harness_test *t)
{
	struct harness_test **end = &f->tests;

	while (*end)
		end = &(*end)->next;
	*end = t;
}

/* Every line of it becomes a TAP diagnostic. */
void harness_log(const char *file, int line, const char *format, ...)
{
	char text[8192], *part, *rest = text;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# %s:%d:%s:%s\n", file, line, running.cell ? running.cell->test->name : "",
	       strsep(&rest, "\n"));
	while ((part = strsep(&rest, "\n")))
		if (*part)
			printf("#	%s\n", part);
	fflush(stdout);
}

const char *harness_dir(void)
{
	if (!report->dir[0]) {
		strcpy(report->dir, "/tmp/sandtop-test.XXXXXX");
		if (!mkdtemp(report->dir)) {
			harness_log(__FILE__, __LINE__, "mkdtemp: %s", strerror(errno));
			harness_failed(true);
		}
	}
	return report->dir;
}

static int remove_one(const char *path, const struct stat *st __attribute__((unused)),
		      int type __attribute__((unused)), struct FTW *at __attribute__((unused)))
{
	return remove(path);
}

static void remove_dir(void)
{
	if (report->dir[0])
		nftw(report->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void harness_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(report->reason, sizeof(report->reason), format, args);
	va_end(args);
	report->skipped = true;
}

bool harness_int(const char *file, int line, const char *expected_text, intmax_t expected,
		 const char *op, const char *seen_text, intmax_t seen)
{
	bool holds = false;

	if (!strcmp(op, "=="))
		holds = expected == seen;
	else if (!strcmp(op, "!="))
		holds = expected != seen;
	else if (!strcmp(op, "<"))
		holds = expected < seen;
	else if (!strcmp(op, "<="))
		holds = expected <= seen;
	else if (!strcmp(op, ">"))
		holds = expected > seen;
	else if (!strcmp(op, ">="))
		holds = expected >= seen;
	if (!holds)
		harness_log(file, line, "Expected %s (%jd) %s %s (%jd)", expected_text, expected,
			    op, seen_text, seen);
	return holds;
}

bool harness_text(const char *file, int line, const char *expected_text, const char *expected,
		  const char *op, const char *seen_text, const char *seen)
{
	bool holds = false;

	if (!expected || !seen)
		holds = false;
	else if (!strcmp(op, "=="))
		holds = !strcmp(expected, seen);
	else if (!strcmp(op, "!="))
		holds = strcmp(expected, seen);
	else if (!strcmp(op, "in"))
		holds = strstr(seen, expected);
	else if (!strcmp(op, "not in"))
		holds = !strstr(seen, expected);
	if (!holds)
		harness_log(file, line, "Expected %s (\"%s\") %s %s (\"%s\")", expected_text,
			    expected ? expected : "NULL", op, seen_text, seen ? seen : "NULL");
	return holds;
}

/* The last thing a test's process does. */
static void __attribute__((noreturn)) finish(void)
{
	bool is_set_up = running.is_set_up;

	running.is_set_up = false; /* a failure in the teardown does not start it again */
	if (is_set_up && running.cell->fixture->teardown)
		running.cell->fixture->teardown(
			running.self, running.cell->variant ? running.cell->variant->data : NULL);
	report->finished = true;
	fflush(NULL);
	_exit(report->failed ? KSFT_FAIL : KSFT_PASS);
}

bool harness_failed(bool fatal)
{
	report->failed = true;
	if (fatal && getpid() == running.pid)
		finish();
	if (fatal) {
		fflush(NULL);
		_exit(KSFT_FAIL);
	}
	return false;
}

static void __attribute__((noreturn)) run_test(const struct cell *cell)
{
	const struct harness_fixture *fixture = cell->fixture;
	const void *variant = cell->variant ? cell->variant->data : NULL;

	/* The harness may be killed by its own supervisor: the test goes with it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	running.pid = getpid();
	running.cell = cell;
	running.self = calloc(1, fixture->size ? fixture->size : 1);
	if (!running.self)
		harness_failed(true);
	if (fixture->setup)
		fixture->setup(running.self, variant);
	if (!report->failed && !report->skipped) {
		running.is_set_up = true;
		cell->test->run(running.self, variant);
	}
	finish();
}

/* Waits for the test; *timed_out says whether it had to be killed. Returns its wait status. */
static int await_test(pid_t pid, unsigned int seconds, bool *timed_out)
{
	struct pollfd exited = { .events = POLLIN };
	int ready, status = 0;

	exited.fd = syscall(SYS_pidfd_open, pid, 0);
	if (exited.fd < 0) {
		perror("pidfd_open");
		exit(KSFT_FAIL);
	}
	do
		ready = poll(&exited, 1, seconds * 1000);
	while (ready < 0 && errno == EINTR);
	*timed_out = !ready;
	close(exited.fd);
	/* Its number names the group for as long as it has not been waited for. */
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	reap_all();
	return status;
}

/* Runs one cell and prints its result. */
static int run_cell(const struct cell *cell, unsigned int number)
{
	bool timed_out, passed = false;
	char directive[sizeof(report->reason) + 16] = "";
	pid_t pid;
	int status;

	memset(report, 0, sizeof(*report));
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(KSFT_FAIL);
	}
	if (!pid)
		run_test(cell);
	status = await_test(pid, cell->test->timeout, &timed_out);
	remove_dir();

	if (timed_out)
		snprintf(directive, sizeof(directive), " # TIMEOUT %u seconds",
			 cell->test->timeout);
	else if (WIFSIGNALED(status))
		printf("# killed by signal %d (%s)\n", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	else if (!report->finished)
		printf("# left with exit status %d before its end\n", WEXITSTATUS(status));
	else
		passed = !report->failed;
	if (passed && report->skipped)
		snprintf(directive, sizeof(directive), " # SKIP %s", report->reason);
	printf("%s %u %s%s\n", passed ? "ok" : "not ok", number, cell->name, directive);
	fflush(stdout);
	return !passed ? KSFT_FAIL : report->skipped ? KSFT_SKIP : KSFT_PASS;
}

/* The part of the cell's name that this option speaks of, or NULL if it has none. */
static const char *named_by(const struct cell *cell, int option)
{
	switch (option) {
	case 'f':
		return cell->fixture->name;
	case 'v':
		return cell->variant ? cell->variant->name : NULL;
	case 't':
		return cell->test->name;
	default:
		return cell->name;
	}
}

/* An upper case option leaves out what its lower case one would choose. */
static bool is_selected(const struct cell *cell)
{
	static const char options[] = "rfvt";
	bool wanted, asked;
	const char *name;

	for (const char *option = options; *option; option++) {
		name = named_by(cell, *option);
		wanted = asked = false;
		for (size_t i = 0; i < filters_used; i++) {
			bool matches = name && !fnmatch(filters[i].pattern, name, 0);

			if (filters[i].option == *option) {
				asked = true;
				wanted |= matches;
			} else if (filters[i].option == *option - 'a' + 'A' && matches) {
				return false;
			}
		}
		if (asked && !wanted)
			return false;
	}
	return true;
}

/* Adds the cell to `cells` if it is selected, which may be NULL to count only. */
static void add_cell(struct cell *cells, size_t *count, const struct harness_fixture *f,
		     const struct harness_variant *v, const struct harness_test *t)
{
	struct cell cell = { .fixture = f, .variant = v, .test = t };

	snprintf(cell.name, sizeof(cell.name), "%s%s%s.%s", f->name, v ? "." : "", v ? v->name : "",
		 t->name);
	if (!is_selected(&cell))
		return;
	if (cells)
		cells[*count] = cell;
	(*count)++;
}

static size_t collect(struct cell *cells)
{
	size_t count = 0;

	for (const struct harness_fixture *f = fixtures; f; f = f->next) {
		const struct harness_variant *v = f->variants;

		do {
			for (const struct harness_test *t = f->tests; t; t = t->next)
				add_cell(cells, &count, f, v, t);
		} while (v && (v = v->next));
	}
	return count;
}

static int run_all(const struct cell *cells, size_t count)
{
	unsigned int seen[KSFT_SKIP + 1] = { 0 };

	printf("TAP version 13\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++)
		seen[run_cell(&cells[i], i + 1)]++;
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n", seen[KSFT_PASS],
	       seen[KSFT_FAIL], seen[KSFT_SKIP]);
	if (seen[KSFT_FAIL])
		return KSFT_FAIL;
	return seen[KSFT_PASS] ? KSFT_PASS : KSFT_SKIP;
}

/* Returns whether only a list is wanted. */
static bool parse_options(int argc, char **argv)
{
	bool list = false;
	int option;

	while ((option = getopt(argc, argv, "lr:f:v:t:F:V:T:")) != -1) {
		if (option == 'l') {
			list = true;
		} else if (option == '?' || filters_used == FILTERS_MAX) {
			optind = argc + 1;
			break;
		} else {
			filters[filters_used++] = (struct filter){ option, optarg };
		}
	}
	if (optind != argc) {
		fprintf(stderr, "usage: %s [-l] [-r NAME] [-f|-v|-t|-F|-V|-T PATTERN]...\n",
			argv[0]);
		exit(KSFT_FAIL);
	}
	return list;
}

int harness_main(int argc, char **argv)
{
	bool list = parse_options(argc, argv);
	size_t count = collect(NULL);
	struct cell *cells = calloc(count, sizeof(*cells));
	int status = KSFT_PASS;

	signals_reset();
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (!cells || report == MAP_FAILED || reap_init() < 0 || !count) {
		fprintf(stderr, "%s: %s\n", argv[0], count ? strerror(errno) : "no such test");
		free(cells);
		return KSFT_FAIL;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	collect(cells);
	if (list)
		for (size_t i = 0; i < count; i++)
			puts(cells[i].name);
	else
		status = run_all(cells, count);
	free(cells);
	return status;
}
