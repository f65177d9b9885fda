/* SPDX-License-Identifier: MIT */
#include "uring/report.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A report that logs to a file, in a directory of its own. */
static struct loop loop;
static struct report report;
static struct ledger *ledger;
static char dir[32], path[64], old[64];
static int standard_error;

static void start(const char *target)
{
	struct report_config config = { .quiet = true, .json_fd = -1, .log_path = path };
	struct stats *stats;

	snprintf(dir, sizeof(dir), "/tmp/report.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(old, sizeof(old), "%s/old", dir);
	if (target)
		cr_assert_eq(symlink(target, path), 0);
	config.log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(config.log_fd, 0);
	/* What the report tells the user is read back. */
	standard_error = memfd_create("stderr", MFD_CLOEXEC);
	dup2(standard_error, 2);
	ledger = ledger_new();
	cr_assert_not_null(ledger);
	stats = ledger_stats(ledger);
	cr_assert_eq(loop_init(&loop, 32, 32, stats), 0);
	report_init(&report, &config, &loop, ledger);
}

static void finish(void)
{
	report_exit(&report);
	loop_exit(&loop);
	ledger_free(ledger);
	unlink(path);
	unlink(old);
	rmdir(dir);
}

static void run_until(bool (*done)(void))
{
	report_flush(&report);
	while (!done()) {
		cr_assert_eq(loop_turn(&loop), 0);
		report_flush(&report);
	}
}

static bool is_written(void)
{
	return report_is_idle(&report);
}

static void decide_of(enum proto proto, uint16_t port)
{
	struct record r = {
		.generation = 1,
		.endpoint = { .proto = proto, .addr = { 4, { 10, 0, 0, 1 } }, .port = port },
		.decision = { .reason = REASON_DEFAULT },
		.tid = getpid(),
		.syscall = "connect",
	};

	report_decision(&report, &r);
	run_until(is_written);
}

static void decide(uint16_t port)
{
	decide_of(PROTO_TCP, port);
}

static bool answered;
static char answer[600];

static void take_answer(void *arg, const char *error)
{
	cr_assert_eq(arg, &report);
	snprintf(answer, sizeof(answer), "%s", error ? error : "");
	answered = true;
}

static bool is_answered(void)
{
	return answered;
}

static void reopen(void)
{
	answered = false;
	cr_assert_eq(report_reopen(&report, take_answer, &report), 0);
	cr_assert_eq(report_reopen(&report, take_answer, &report), -EBUSY);
	run_until(is_answered);
}

static const char *content(int fd)
{
	static char text[32768];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static const char *file(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	const char *text = content(fd);

	close(fd);
	return text;
}

static unsigned count_in(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

Test(report, a_log_goes_on_in_a_new_file_after_a_rotation)
{
	start(NULL);
	decide(1);
	cr_assert_eq(rename(path, old), 0);
	decide(2);
	reopen();
	cr_assert_str_empty(answer);
	decide(3);
	cr_assert_not_null(strstr(file(old), "10.0.0.1:1 "));
	cr_assert_not_null(strstr(file(old), "10.0.0.1:2 "));
	cr_assert_eq(count_in(file(old), "\n"), 2);
	cr_assert_not_null(strstr(file(path), "10.0.0.1:3 "));
	cr_assert_eq(count_in(file(path), "\n"), 1);
	cr_assert_str_empty(content(standard_error));
	finish();
}

Test(report, a_log_that_cannot_be_opened_anew_goes_on_as_it_is)
{
	start(NULL);
	decide(1);
	cr_assert_eq(rename(path, old), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	reopen();
	cr_assert_not_null(strstr(answer, "--log: cannot reopen '/tmp/report."), "%s", answer);
	cr_assert_not_null(strstr(answer, "/log': Is a directory"), "%s", answer);
	decide(2);
	cr_assert_eq(count_in(file(old), "\n"), 2);
	cr_assert_eq(rmdir(path), 0);
	reopen();
	cr_assert_str_empty(answer);
	decide(3);
	cr_assert_eq(count_in(file(path), "\n"), 1);
	finish();
}

Test(report, a_log_that_became_a_fifo_waits_for_no_reader)
{
	char line[256];
	ssize_t n;
	int reader;

	start(NULL);
	decide(1);
	cr_assert_eq(rename(path, old), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	reopen();
	cr_assert_not_null(strstr(answer, "/log': nobody reads this FIFO"), "%s", answer);
	decide(2);
	cr_assert_eq(count_in(file(old), "\n"), 2);

	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	reopen();
	cr_assert_str_empty(answer);
	/* A full pipe makes the ring wait, not the supervisor try again and again. */
	cr_assert_eq(fcntl(report.log.fd, F_GETFL) & O_NONBLOCK, 0);
	decide(3);
	n = read(reader, line, sizeof(line) - 1);
	cr_assert_gt(n, 0);
	line[n] = '\0';
	cr_assert_not_null(strstr(line, "10.0.0.1:3 "), "%s", line);
	close(reader);
	finish();
}

Test(report, what_a_full_disk_lost_is_said_once_and_counted)
{
	start("/dev/full");
	decide(1);
	decide(2);
	decide(3);
	cr_assert_eq(count_in(content(standard_error), "--log: No space left on device"), 1);
	cr_assert_eq(ledger_stats(ledger)->counter[STAT_LINES_LOST], 3);
	cr_assert_eq(unlink(path), 0);
	reopen();
	decide(4);
	cr_assert_eq(count_in(file(path), "\n"), 1);
	cr_assert_not_null(strstr(file(path), "10.0.0.1:4 "));
	/* Full again. */
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink("/dev/full", path), 0);
	reopen();
	decide(5);
	decide(6);
	cr_assert_eq(count_in(content(standard_error), "--log: No space left on device"), 2);
	report_end(&report, 1, 0, 0, "command");
	run_until(is_written);
	cr_assert_not_null(strstr(content(standard_error), "sandtop: --log: 5 lines were lost\n"));
	finish();
}

/* The disk is full in the middle of a line. */
Test(report, a_torn_line_does_not_spoil_the_next)
{
	struct rlimit limit = { 0, RLIM_INFINITY };

	start(NULL);
	decide(1);
	limit.rlim_cur = strlen(file(path)) + 10;
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	decide(2);
	cr_assert_eq(strlen(file(path)), limit.rlim_cur);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	decide(3);
	cr_assert_eq(count_in(file(path), "\n"), 1);
	cr_assert_eq(ledger_stats(ledger)->counter[STAT_LINES_LOST], 2);
	reopen();
	decide(4);
	cr_assert_eq(count_in(file(path), "\n"), 3);
	cr_assert_not_null(strstr(file(path), "Z sandtop: DENY tcp 10.0.0.1:4 "));
	finish();
}

/* After a rotation the torn line is in the other file. */
Test(report, a_new_file_begins_with_a_line)
{
	struct rlimit limit = { 5, RLIM_INFINITY };

	start(NULL);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	decide(1);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(rename(path, old), 0);
	reopen();
	decide(2);
	cr_assert_eq(strlen(file(old)), 5);
	cr_assert_eq(*file(path), '2');
	cr_assert_eq(count_in(file(path), "\n"), 1);
	finish();
}

Test(report, without_files_there_is_nothing_to_open_anew)
{
	start(NULL);
	report.log.path = NULL;
	cr_assert_eq(report_reopen(&report, take_answer, &report), -ENOENT);
	finish();
}

/* Many flows that were refused, port 2 more often than the others. */
static void be_refused(unsigned int flows)
{
	report.config.quiet = false;
	for (uint16_t port = 1; port <= flows; port++)
		decide(port);
	decide(2);
	decide(2);
	report_end(&report, 1, 0, 0, "command");
	run_until(is_written);
}

Test(report, the_end_says_how_to_allow_what_was_refused_most)
{
	const char *text, *second, *first;

	start(NULL);
	be_refused(12);
	text = strstr(content(standard_error), "sandtop: to allow what was denied:\n");
	cr_assert_not_null(text);
	second = strstr(text, "sandtop:   --net-allow 10.0.0.1:2\n");
	first = strstr(text, "sandtop:   --net-allow 10.0.0.1:1\n");
	cr_assert(second && first && second < first);
	cr_assert_eq(count_in(text, "--net-allow"), 10);
	cr_assert_not_null(strstr(text, "sandtop:   and 2 more\n"));
	/* Where every line was printed nobody has to be told once more. */
	cr_assert_null(strstr(content(standard_error), "decisions allowed"));
	finish();
}

Test(report, the_end_of_a_monitored_run_says_what_was_decided)
{
	const char *text;

	start(NULL);
	report.config.monitored = true;
	be_refused(3);
	text = content(standard_error);
	cr_assert_eq(strncmp(text,
			     "sandtop: 0 decisions allowed, 5 denied:\n"
			     "sandtop:   3 x DENY tcp 10.0.0.1:2 ",
			     72),
		     0, "%s", text);
	cr_assert_eq(count_in(text, "1 x DENY tcp 10.0.0.1:"), 2);
	cr_assert_eq(count_in(text, "sandtop:   --net-allow 10.0.0.1:"), 3);
	finish();
}

/* getaddrinfo connects UDP sockets to sort addresses: no line is about those, but they count. */
Test(report, the_lines_at_the_end_of_a_monitored_run_add_up_to_what_was_denied)
{
	start(NULL);
	report.config.monitored = true;
	report.config.quiet = false;
	decide_of(PROTO_UDP, 1);
	decide_of(PROTO_UDP, 2);
	be_refused(3);
	cr_assert_not_null(
		strstr(content(standard_error), "sandtop: 0 decisions allowed, 7 denied:\n"));
	cr_assert_not_null(strstr(content(standard_error),
				  "sandtop:   2 x others: UDP that was only connected, or"));
	finish();
}

Test(report, the_end_of_a_monitored_run_without_decisions_says_nothing)
{
	start(NULL);
	report.config.quiet = false;
	report.config.monitored = true;
	report_end(&report, 1, 0, 0, "command");
	run_until(is_written);
	cr_assert_str_empty(content(standard_error));
	finish();
}
