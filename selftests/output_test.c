/* SPDX-License-Identifier: MIT */
/*
 * What a run writes for others: lines, JSON, metrics, and what it does when it
 * cannot.
 */
#include <inttypes.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/scribe.h"

FIXTURE(output)
{
	struct command c;
	char dir[32];
};

FIXTURE_SETUP(output)
{
	if (!netns_or_skip())
		return;
	snprintf(self->dir, sizeof(self->dir), "/tmp/output.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
}

FIXTURE_TEARDOWN(output)
{
	char path[128];

	command_free(&self->c);
	for (const char *const *name = ARGS("log", "json", "metrics"); *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", self->dir, *name);
		unlink(path);
	}
	/* With another file in it, one that was left behind, this fails. */
	if (self->dir[0])
		EXPECT_EQ(0, rmdir(self->dir));
}

static const char *file_in(struct output_data *self, const char *name, char path[static 128])
{
	snprintf(path, 128, "%s/%s", self->dir, name);
	return path;
}

/* How many lines of --json sandtop said that it had to drop. */
static unsigned told_lost(struct output_data *self)
{
	const char *line = strstr(self->c.err.text, "sandtop: --json: ");
	unsigned n = 0;

	if (line)
		sscanf(line, "sandtop: --json: %u line", &n);
	return n;
}

/*
 * In all three formats, whatever the command is called. A loaded machine can be too slow for the
 * file; what it misses is told.
 */
TEST_F_TIMEOUT(output, hostile_names_leave_every_line_valid, 60)
{
	char line[20000], path[128];
	unsigned lines = 0;
	FILE *file;

	ASSERT_EQ(0,
		  command_start(&self->c,
				ARGS("sandtop", "-b", "-v", "--json", file_in(self, "json", path),
				     SCRIBE_RULES, "--", "scribe", "2050", "100", "25500"),
				NULL, NULL));
	scribe_expect(&self->c, "ready\n");
	scribe_go_on(&self->c);
	scribe_expect(&self->c, "done\n");
	scribe_go_on(&self->c);
	scribe_finish(&self->c);
	file = fopen(path, "re");
	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file)) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		ASSERT_NE(NULL, json)
		{
			TH_LOG("%s", line);
		}
		json_decref(json);
		for (char *c = line; *c && *c != '\n'; c++)
			ASSERT_LE(' ', (unsigned char)*c);
		lines++;
	}
	fclose(file);
	EXPECT_EQ(25500 + 2, lines + told_lost(self));
	EXPECT_LT(25500 / 2, lines);
	for (const char *c = self->c.err.text; *c; c++)
		ASSERT_TRUE(*c == '\n' || ((unsigned char)*c >= ' ' && *c != 0x7f));
}

static unsigned count_in(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* The run is what it would be with a log: each datagram judged, and the end told. */
static void expect_unharmed(struct output_data *self, long lost)
{
	char count[32];

	scribe_expect(&self->c, "ready\n");
	scribe_go_on(&self->c);
	scribe_expect(&self->c, "done\n");
	EXPECT_EQ(500, scribe_said(self->c.out.text, "sent "));
	EXPECT_EQ(500, scribe_said(self->c.out.text, "refused "));
	scribe_go_on(&self->c);
	scribe_finish(&self->c);
	snprintf(count, sizeof(count), "%ld line", lost);
	EXPECT_STRIN(count, self->c.err.text);
	EXPECT_EQ(1, count_in(self->c.err.text, "further lines are lost"));
	EXPECT_EQ(1, count_in(self->c.err.text, " lost\n"));
	/* First why, then how many. */
	EXPECT_LT(strstr(self->c.err.text, "further lines are lost"),
		  strstr(self->c.err.text, "were lost\n"));
	EXPECT_EQ(lost, scribe_said(self->c.err.text, "log lines lost "));
}

TEST_F(output, goes_on_with_a_full_disk)
{
	ASSERT_EQ(0, command_start(&self->c,
				   ARGS("sandtop", "-b", "--stats", "--log", "/dev/full",
					SCRIBE_RULES, "--", "scribe", "2050", "100", "1000"),
				   NULL, NULL));
	expect_unharmed(self, 1000);
	EXPECT_STRIN("sandtop: --log: No space left on device: further lines are lost",
		     self->c.err.text);
	EXPECT_STRIN("sandtop: --log: 1000 lines were lost\n", self->c.err.text);
}

static void close_pipe(void *arg)
{
	int fds[2];

	(void)arg;
	if (pipe(fds))
		_exit(1);
	close(fds[0]);
	dup2(fds[1], 9);
}

TEST_F(output, goes_on_with_a_closed_pipe)
{
	ASSERT_EQ(0, command_start(&self->c,
				   ARGS("sandtop", "-b", "--stats", "--json", "/dev/fd/9",
					SCRIBE_RULES, "--", "scribe", "2050", "100", "1000"),
				   close_pipe, NULL));
	expect_unharmed(self, 1002);
	EXPECT_STRIN("sandtop: --json: Broken pipe: further lines are lost", self->c.err.text);
	EXPECT_STRIN("sandtop: --json: 1002 lines were lost\n", self->c.err.text);
}

/* ---- --metrics-file ---------------------------------------------------- */

static char *read_text(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

/* The value of a sample with these labels, and with no others but the sandbox. */
static double sample(const char *text, const char *name, const char *labels)
{
	char line[256];
	const char *at;

	snprintf(line, sizeof(line), "\nsandtop_%s{sandbox=\"measured\"%s} ", name, labels);
	at = strstr(text, line);
	ASSERT_NE(NULL, at)
	{
		TH_LOG("no '%s' in: %s", line, text);
	}
	return atof(at + strlen(line));
}

static void expect_sample(const char *text, long expected, const char *name, const char *labels)
{
	EXPECT_EQ(expected, (long)sample(text, name, labels))
	{
		TH_LOG("%s%s", name, labels);
	}
}

static void allow_group(void *arg)
{
	(void)arg;
	umask(027);
}

TEST_F(output, metrics_say_what_the_statistics_say)
{
	char path[128];
	struct stat st;
	const char *text;

	ASSERT_EQ(0, command_start(&self->c,
				   ARGS("sandtop", "-b", "-q", "--stats", "--name", "measured",
					"--metrics-file", file_in(self, "metrics", path),
					SCRIBE_RULES, "--", "scribe", "2050", "100", "1000"),
				   allow_group, NULL));
	scribe_expect(&self->c, "ready\n");
	/* It is there from the beginning. */
	for (int64_t end = deadline_in(SCRIBE_PATIENCE); access(path, F_OK) && deadline_left(end);)
		sched_yield();
	text = read_text(path);
	ASSERT_NE(NULL, text);
	expect_sample(text, 0, "decisions_total", ",verdict=\"allow\",proto=\"udp\"");
	expect_sample(text, 1, "policy_generation", "");
	scribe_go_on(&self->c);
	scribe_expect(&self->c, "done\n");
	scribe_go_on(&self->c);
	scribe_finish(&self->c);

	text = read_text(path);
	ASSERT_NE(NULL, text);
	expect_sample(text, 500, "decisions_total", ",verdict=\"allow\",proto=\"udp\"");
	expect_sample(text, 500, "decisions_total", ",verdict=\"deny\",proto=\"udp\"");
	expect_sample(text, 0, "decisions_total", ",verdict=\"deny\",proto=\"tcp\"");
	expect_sample(text, scribe_said(self->c.err.text, "  allowed "), "decisions_total",
		      ",verdict=\"allow\",proto=\"udp\"");
	expect_sample(text, scribe_said(self->c.err.text, "  notifications "),
		      "notifications_total", "");
	expect_sample(text, scribe_said(self->c.err.text, "  failed undecided "), "errors_total",
		      "");
	expect_sample(text, scribe_said(self->c.err.text, "  log lines lost "),
		      "log_lines_lost_total", "");
	expect_sample(text, 0, "held", "");
	expect_sample(text, 0, "flows_evicted_total", "");
	expect_sample(text, 1000, "answer_latency_seconds_count", "");
	expect_sample(text, 1000, "answer_latency_seconds_bucket", ",le=\"+Inf\"");
	EXPECT_LT(0, (long)(1e6 * sample(text, "answer_latency_seconds_sum", "")));
	EXPECT_EQ(0, stat(path, &st));
	EXPECT_EQ(0640, st.st_mode & 07777);
}

static void expect_refused(struct output_data *self, const char *file, int code,
			   const char *message)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS("sandtop", "-b", "--metrics-file", file,
						"--net-allow", ":1", "--", "true")));
	EXPECT_EQ(code, command_code(&self->c));
	EXPECT_STRIN(message, self->c.err.text);
	command_free(&self->c);
	self->c = (struct command){ 0 };
}

TEST_F(output, metrics_replace_no_device)
{
	struct stat before, after;

	ASSERT_EQ(0, stat("/dev/null", &before));
	expect_refused(self, "/dev/null", 2,
		       "sandtop: --metrics-file: '/dev/null': expected a regular file");
	expect_refused(self, self->dir, 2, "expected a regular file");
	expect_refused(self, "-", 2, "sandtop: --metrics-file: invalid value '-'");
	expect_refused(
		self, "/nonexistent/metrics", 125,
		"sandtop: --metrics-file: cannot write '/nonexistent/metrics': No such file");
	ASSERT_EQ(0, stat("/dev/null", &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_HARNESS_MAIN
