/* SPDX-License-Identifier: MIT */
#include "uring/metrics_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct loop loop;
static struct report report;
static struct metrics_file metrics;
static struct ledger *ledger;
static char dir[32], path[64], temp[80];
static int standard_error;

static void start(void)
{
	struct report_config config = { .log_fd = -1, .json_fd = -1 };

	snprintf(dir, sizeof(dir), "/tmp/metrics.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/m.prom", dir);
	snprintf(temp, sizeof(temp), "%s.%d.new", path, getpid());
	standard_error = memfd_create("stderr", MFD_CLOEXEC);
	dup2(standard_error, 2);
	ledger = ledger_new();
	cr_assert_not_null(ledger);
	cr_assert_eq(loop_init(&loop, 32, 32, ledger_stats(ledger)), 0);
	report_init(&report, &config, &loop, ledger);
}

static void finish(void)
{
	loop_exit(&loop);
	ledger_free(ledger);
	unlink(path);
	unlink(temp);
	cr_assert_eq(rmdir(dir), 0);
}

static void run(void)
{
	report_flush(&report);
	while (!metrics_file_is_idle(&metrics) || !report_is_idle(&report)) {
		cr_assert_eq(loop_turn(&loop), 0);
		report_flush(&report);
	}
}

static void begin(void)
{
	cr_assert_eq(metrics_file_init(&metrics, &loop, ledger, &report, path), 0);
	run();
}

static void write_last(void)
{
	metrics_file_finish(&metrics);
	run();
}

static const char *content(int fd)
{
	static char text[METRICS_TEXT_MAX];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static bool file_has(const char *what)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool has = fd >= 0 && strstr(content(fd), what);

	close(fd);
	return has;
}

Test(metrics_file, is_written_at_the_beginning_and_the_end)
{
	start();
	begin();
	cr_assert(file_has("notifications_total{sandbox=\"\"} 0\n"));
	stats_add(ledger_stats(ledger), STAT_NOTIFICATIONS, 5);
	write_last();
	cr_assert(file_has("notifications_total{sandbox=\"\"} 5\n"));
	cr_assert_neq(access(temp, F_OK), 0);
	cr_assert_str_empty(content(standard_error));
	finish();
}

/* Whoever has it open goes on reading the old text. */
Test(metrics_file, is_replaced_and_not_changed)
{
	int fd;

	start();
	begin();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	stats_add(ledger_stats(ledger), STAT_NOTIFICATIONS, 5);
	write_last();
	cr_assert_not_null(strstr(content(fd), "notifications_total{sandbox=\"\"} 0\n"));
	close(fd);
	finish();
}

Test(metrics_file, follows_no_link_at_its_temporary_name)
{
	char victim[80];
	struct stat st;

	start();
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	close(open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	cr_assert_eq(symlink(victim, temp), 0);
	begin();
	cr_assert(file_has("notifications_total"));
	cr_assert_eq(stat(victim, &st), 0);
	cr_assert_eq(st.st_size, 0);
	unlink(victim);
	finish();
}

Test(metrics_file, has_the_mode_that_the_umask_leaves)
{
	struct stat st;

	start();
	umask(027);
	begin();
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0640);
	/* As while a socket is bound for a task with another one. */
	umask(0);
	write_last();
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0640);
	finish();
}

Test(metrics_file, a_failure_is_said_once_and_is_no_end)
{
	char moved[64];

	start();
	snprintf(moved, sizeof(moved), "%s.moved", dir);
	begin();
	cr_assert_eq(rename(dir, moved), 0);
	for (int i = 0; i < 3; i++)
		write_last();
	cr_assert_not_null(
		strstr(content(standard_error), "sandtop: --metrics-file: cannot write '"));
	cr_assert_null(strstr(strstr(content(standard_error), "cannot write") + 1, "cannot write"));
	cr_assert_eq(rename(moved, dir), 0);
	stats_add(ledger_stats(ledger), STAT_NOTIFICATIONS, 5);
	write_last();
	cr_assert(file_has("notifications_total{sandbox=\"\"} 5\n"));
	finish();
}

Test(metrics_file, without_a_path_there_is_none)
{
	start();
	cr_assert_eq(metrics_file_init(&metrics, &loop, ledger, &report, NULL), 0);
	write_last();
	cr_assert(metrics_file_is_idle(&metrics));
	finish();
}
