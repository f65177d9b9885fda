/* SPDX-License-Identifier: MIT */
/*
 * The harness and the runner themselves, judged from outside: the samples below
 * fail on purpose, in every way there is, and what is reported of them is read.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/sandbox.h"

FIXTURE(sample)
{
	int value;
};

FIXTURE_VARIANT(sample)
{
	int start;
};

FIXTURE_VARIANT_ADD(sample, from_one){ .start = 1 };
FIXTURE_VARIANT_ADD(sample, from_two){ .start = 2 };

FIXTURE_SETUP(sample)
{
	EXPECT_EQ(0, self->value);
	self->value = variant->start;
}

FIXTURE_TEARDOWN(sample)
{
	TH_LOG("teardown of %d", variant->start);
}

TEST_F(sample, passes)
{
	EXPECT_EQ(variant->start, self->value);
	self->value = 7;
}

TEST_F(sample, ignores_nothing)
{
	sigset_t blocked;

	EXPECT_EQ(SIG_DFL, signal(SIGINT, SIG_DFL));
	EXPECT_EQ(SIG_DFL, signal(SIGCHLD, SIG_DFL));
	EXPECT_EQ(0, sigprocmask(SIG_SETMASK, NULL, &blocked));
	EXPECT_EQ(0, sigismember(&blocked, SIGTERM));
}

TEST_F(sample, expects_too_much)
{
	EXPECT_EQ(KSFT_SKIP, self->value);
	EXPECT_STREQ("one", "two")
	{
		TH_LOG("the block after it");
	}
	TH_LOG("still here");
}

TEST_F(sample, asserts_too_much)
{
	ASSERT_LT(9, self->value);
	TH_LOG("never here");
}

TEST_F(sample, fails_in_a_child)
{
	pid_t pid = fork();

	if (!pid) {
		ASSERT_TRUE(false);
		TH_LOG("never here");
	}
	waitpid(pid, NULL, 0);
}

/* Says where it was, leaves things there and is killed. */
TEST_F(sample, leaves_files)
{
	char path[128];

	TH_LOG("dir is %s", harness_dir());
	snprintf(path, sizeof(path), "%s/below", harness_dir());
	EXPECT_EQ(0, mkdir(path, 0700));
	EXPECT_EQ(0, symlink("/", strcat(path, "/link")));
	raise(SIGKILL);
}

TEST_F(sample, skips)
{
	SKIP(return, "there is no %s here", "moon");
}

TEST_F(sample, crashes)
{
	raise(SIGKILL);
}

TEST_F(sample, leaves_early)
{
	_exit(0);
}

TEST_F_TIMEOUT(sample, hangs, 1)
{
	pause();
}

/* Two generations, outside the test's process group, that hold its output open. */
TEST_F(sample, leaves_a_daemon)
{
	int ready[2];
	char byte;

	ASSERT_EQ(0, pipe(ready));
	if (fork()) {
		close(ready[1]);
		EXPECT_EQ(2, read(ready[0], &byte, 1) + read(ready[0], &byte, 1));
		return;
	}
	setsid();
	fork();
	TH_LOG("daemon is %d", getpid());
	EXPECT_EQ(1, write(ready[1], "", 1));
	pause();
}

FIXTURE(broken_sample){};

FIXTURE_SETUP(broken_sample)
{
	ASSERT_TRUE(false);
}

FIXTURE_TEARDOWN(broken_sample)
{
	TH_LOG("teardown");
}

TEST_F(broken_sample, never_runs)
{
	TH_LOG("body");
}

/* One run of this very program on its samples, or of the runner on small scripts. */
FIXTURE(harness)
{
	struct command c;
};

FIXTURE_SETUP(harness)
{
}

FIXTURE_TEARDOWN(harness)
{
	command_free(&self->c);
}

static void run_samples(struct command *c, const char *test, int code)
{
	ASSERT_EQ(0, command_run(c, ARGS("/proc/self/exe", "-v", "from_two", "-f", "sample", "-t",
					 test)));
	EXPECT_EQ(code, command_code(c));
	EXPECT_STRIN("TAP version 13\n1..1\n", c->out.text);
	EXPECT_STREQ("", c->err.text);
}

/* As a parent that ignores and blocks what it likes. */
static void start_badly(void *arg __attribute__((unused)))
{
	sigset_t set;

	signal(SIGINT, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

TEST_F(harness, resets_signals)
{
	ASSERT_EQ(0, command_start(&self->c,
				   ARGS("/proc/self/exe", "-v", "from_two", "-f", "sample", "-t",
					"ignores_nothing"),
				   start_badly, NULL));
	ASSERT_EQ(0, command_wait(&self->c, COMMAND_TIMEOUT));
	EXPECT_EQ(KSFT_PASS, command_code(&self->c))
	{
		TH_LOG("%s", self->c.out.text);
	}
}

TEST_F(harness, gives_each_test_a_fresh_fixture)
{
	run_samples(&self->c, "passes", KSFT_PASS);
	EXPECT_STRIN("\nok 1 sample.from_two.passes\n", self->c.out.text);
	EXPECT_STRIN(":passes:teardown of 2\n", self->c.out.text);
}

TEST_F(harness, goes_on_after_a_failed_expectation)
{
	run_samples(&self->c, "expects_too_much", KSFT_FAIL);
	EXPECT_STRIN("harness_test.c:", self->c.out.text);
	EXPECT_STRIN(":expects_too_much:Expected KSFT_SKIP (4) == self->value (2)\n",
		     self->c.out.text);
	EXPECT_STRIN(":expects_too_much:Expected \"one\" (\"one\") == \"two\" (\"two\")\n",
		     self->c.out.text);
	EXPECT_STRIN(":expects_too_much:the block after it\n", self->c.out.text);
	EXPECT_STRIN(":expects_too_much:still here\n", self->c.out.text);
	EXPECT_STRIN(":expects_too_much:teardown of 2\n", self->c.out.text);
	EXPECT_STRIN("\nnot ok 1 sample.from_two.expects_too_much\n", self->c.out.text);
}

TEST_F(harness, tears_down_after_a_failed_assertion)
{
	run_samples(&self->c, "asserts_too_much", KSFT_FAIL);
	EXPECT_STRIN(":asserts_too_much:Expected 9 (9) < self->value (2)\n", self->c.out.text);
	EXPECT_STRNOTIN("never here", self->c.out.text);
	EXPECT_STRIN(":asserts_too_much:teardown of 2\n", self->c.out.text);
	EXPECT_STRIN("\nnot ok 1 sample.from_two.asserts_too_much\n", self->c.out.text);
}

TEST_F(harness, counts_a_failure_in_a_child)
{
	run_samples(&self->c, "fails_in_a_child", KSFT_FAIL);
	EXPECT_STRNOTIN("never here", self->c.out.text);
	EXPECT_STRIN("\nnot ok 1 sample.from_two.fails_in_a_child\n", self->c.out.text);
}

TEST_F(harness, gives_the_reason_of_a_skip)
{
	run_samples(&self->c, "skips", KSFT_SKIP);
	EXPECT_STRIN("\nok 1 sample.from_two.skips # SKIP there is no moon here\n",
		     self->c.out.text);
}

TEST_F(harness, names_the_signal_of_a_crash)
{
	run_samples(&self->c, "crashes", KSFT_FAIL);
	EXPECT_STRIN("# killed by signal 9 (Killed)\n", self->c.out.text);
	EXPECT_STRIN("\nnot ok 1 sample.from_two.crashes\n", self->c.out.text);
}

TEST_F(harness, does_not_take_an_early_exit_for_success)
{
	run_samples(&self->c, "leaves_early", KSFT_FAIL);
	EXPECT_STRIN("# left with exit status 0 before its end\n", self->c.out.text);
	EXPECT_STRIN("\nnot ok 1 sample.from_two.leaves_early\n", self->c.out.text);
}

TEST_F(harness, ends_a_test_that_hangs)
{
	run_samples(&self->c, "hangs", KSFT_FAIL);
	EXPECT_STRIN("\nnot ok 1 sample.from_two.hangs # TIMEOUT 1 seconds\n", self->c.out.text);
}

TEST_F(harness, leaves_no_process_behind)
{
	const char *line;
	pid_t pid;

	run_samples(&self->c, "leaves_a_daemon", KSFT_PASS);
	line = self->c.out.text;
	for (int i = 0; i < 2; i++) {
		line = strstr(line, "daemon is ");
		ASSERT_NE(NULL, line);
		ASSERT_EQ(1, sscanf(line, "daemon is %d", &pid));
		EXPECT_EQ(-1, kill(pid, 0));
		line++;
	}
}

TEST_F(harness, leaves_no_file_behind)
{
	const char *line;
	char dir[64];

	run_samples(&self->c, "leaves_files", KSFT_FAIL);
	line = strstr(self->c.out.text, "dir is ");
	ASSERT_NE(NULL, line);
	ASSERT_EQ(1, sscanf(line, "dir is %63s", dir));
	EXPECT_NE(0, access(dir, F_OK));
}

TEST_F(harness, does_not_run_what_could_not_be_set_up)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS("/proc/self/exe", "-f", "broken_sample")));
	EXPECT_EQ(KSFT_FAIL, command_code(&self->c));
	EXPECT_STRIN("\nnot ok 1 broken_sample.never_runs\n", self->c.out.text);
	EXPECT_STRNOTIN("body", self->c.out.text);
	EXPECT_STRNOTIN("teardown", self->c.out.text);
}

TEST_F(harness, lists_every_cell)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS("/proc/self/exe", "-l", "-t", "passes")));
	EXPECT_EQ(0, command_code(&self->c));
	EXPECT_STREQ("sample.from_one.passes\nsample.from_two.passes\n", self->c.out.text);
}

TEST_F(harness, runs_one_cell_by_its_name)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS("/proc/self/exe", "-r", "sample.from_one.passes")));
	EXPECT_EQ(0, command_code(&self->c));
	EXPECT_STRIN("\n1..1\n", self->c.out.text);
}

TEST_F(harness, leaves_out_what_an_upper_case_option_matches)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS("/proc/self/exe", "-l", "-f", "sample", "-V",
						"*one", "-T", "[a-oq-z]*")));
	EXPECT_STREQ("sample.from_two.passes\n", self->c.out.text);
}

TEST_F(harness, fails_when_no_test_matches)
{
	ASSERT_EQ(0, command_run(&self->c, ARGS("/proc/self/exe", "-t", "nothing")));
	EXPECT_EQ(KSFT_FAIL, command_code(&self->c));
	EXPECT_STRIN("no such test", self->c.err.text);
}

/* The runner on small scripts: a table, as each needs its own. */
FIXTURE(runner)
{
	char dir[32];
	struct command c;
};

FIXTURE_VARIANT(runner)
{
	const char *name;   /* of the script */
	const char *script; /* its body */
	bool must_run;
	const char *timeout;
	int code;
	const char *report; /* what the runner must print, to its last byte */
};

#define HEAD "KTAP version 1\n1..1\n  KTAP version 1\n"

FIXTURE_VARIANT_ADD(runner, passing_program){
	.name = "a",
	.script = "echo TAP version 13; echo 1..2; echo '# note'; echo ok 1 x; echo ok 2 - y",
	.code = 0,
	.report = HEAD "  1..2\n  # note\n  ok 1 x\n  ok 2 y\nok 1 a\n"
		       "2 passed, 0 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, failing_program){
	.name = "a",
	.script = "echo 1..2; echo ok 1 x; echo why >&2; echo not ok 2 y; exit 1",
	.code = 1,
	.report = HEAD "  1..2\n  ok 1 x\n  # why\n  not ok 2 y\nnot ok 1 a\n"
		       "1 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, skipped_test){
	.name = "a",
	.script = "echo 1..2; echo ok 1 x; echo 'ok 2 y # SKIP no moon'",
	.code = 0,
	.report = HEAD "  1..2\n  ok 1 x\n  ok 2 y # SKIP no moon\nok 1 a\n"
		       "1 passed, 0 failed, 1 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, skipped_test_that_must_run){
	.name = "a",
	.script = "echo 1..2; echo ok 1 x; echo 'ok 2 y # SKIP no moon'",
	.must_run = true,
	.code = 1,
	.report = HEAD "  1..2\n  ok 1 x\n  # MUST_RUN: SKIP no moon\n  not ok 2 y\nnot ok 1 a\n"
		       "1 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, skipped_program){
	.name = "a",
	.script = "echo '1..0 # SKIP no moon'; exit 4",
	.code = 1,
	.report = HEAD "ok 1 a # SKIP no moon\n# no test ran\n0 passed, 0 failed, 1 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, skipped_program_that_must_run){
	.name = "a",
	.script = "echo '1..0 # SKIP no moon'; exit 4",
	.must_run = true,
	.code = 1,
	.report = HEAD "# MUST_RUN: SKIP no moon\nnot ok 1 a\n0 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, status_worse_than_results){
	.name = "a",
	.script = "echo 1..1; echo ok 1 x; exit 3",
	.code = 1,
	.report = HEAD "  1..1\n  ok 1 x\nnot ok 1 a # ERROR exit status 3, but no test failed\n"
		       "1 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, status_better_than_results){
	.name = "a",
	.script = "echo 1..1; echo not ok 1 x",
	.code = 1,
	.report = HEAD "  1..1\n  not ok 1 x\nnot ok 1 a # ERROR exit status 0, but 1 failed\n"
		       "0 passed, 2 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, no_output_at_all){
	.name = "a",
	.script = "exit 0",
	.code = 1,
	.report = HEAD "not ok 1 a # ERROR no plan\n0 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, no_test_in_the_plan){
	.name = "a",
	.script = "echo 1..0",
	.code = 1,
	.report = HEAD "  1..0\nnot ok 1 a # ERROR no test\n0 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, too_few_results){
	.name = "a",
	.script = "echo 1..3; echo ok 1 x",
	.code = 1,
	.report = HEAD "  1..3\n  ok 1 x\nnot ok 1 a # ERROR planned 3 tests, saw 1\n"
		       "1 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, crashing_program){
	.name = "a",
	.script = "echo 1..2; echo ok 1 x; kill -SEGV $$",
	.code = 1,
	.report = HEAD "  1..2\n  ok 1 x\n"
		       "not ok 1 a # ERROR killed by signal 11 (Segmentation fault)\n"
		       "1 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, hanging_program){
	.name = "a",
	.script = "echo 1..2; echo ok 1 x; exec tail -f /dev/null",
	.timeout = "1",
	.code = 1,
	.report = HEAD "  1..2\n  ok 1 x\nnot ok 1 a # TIMEOUT 1 seconds\n"
		       "1 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, program_that_leaves_its_output_open){
	.name = "a",
	.script = "tail -f /dev/null & echo 1..1; echo ok 1 x",
	.code = 0,
	.report = HEAD "  1..1\n  ok 1 x\nok 1 a\n1 passed, 0 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, wrong_numbers){
	.name = "a",
	.script = "echo 1..2; echo ok 1 x; echo ok 1 y",
	.code = 1,
	.report = HEAD "  1..2\n  ok 1 x\n  ok 2 y\nnot ok 1 a # ERROR result 2 is numbered 1\n"
		       "2 passed, 1 failed, 0 skipped\n",
};

FIXTURE_VARIANT_ADD(runner, criterion_program){
	.name = "a_unit",
	.script = "echo $1; echo 1..2; echo 'not ok - s::x  (0.01s)'; echo '  ---'; "
		  "echo 'ok - s::y  (0.00s)'; exit 1",
	.code = 1,
	.report = HEAD "  # --tap=-\n  1..2\n  #   ---\n  not ok 1 s::x\n  ok 2 s::y\n"
		       "not ok 1 a_unit\n1 passed, 1 failed, 0 skipped\n",
};

FIXTURE_SETUP(runner)
{
}

FIXTURE_TEARDOWN(runner)
{
	command_free(&self->c);
}

/* A script of this name in the test's directory. Returns its path, good until the next call. */
static const char *write_script(const char *name, const char *body)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", harness_dir(), name);
	file = fopen(path, "we");
	ASSERT_NE(NULL, file);
	fprintf(file, "#!/bin/sh\n%s\n", body);
	EXPECT_EQ(0, fclose(file));
	/* For its owner alone: the runner copies what others must run. */
	EXPECT_EQ(0, chmod(path, 0700));
	return path;
}

TEST_F(runner, reports)
{
	const char *must_run = variant->must_run ? "MUST_RUN=1" : "MUST_RUN=";
	const char *timeout = variant->timeout ? variant->timeout : "10";

	ASSERT_EQ(0, command_run(&self->c, ARGS("env", must_run, "runner", "--timeout", timeout,
						write_script(variant->name, variant->script))));
	EXPECT_STREQ(variant->report, self->c.out.text);
	EXPECT_STREQ("", self->c.err.text);
	EXPECT_EQ(variant->code, command_code(&self->c));
}

/* A suite runs from a copy, as root and as nobody, or as whoever the runner is. */
TEST(runner_chooses_user_and_place)
{
	const char *script = "echo 1..1; echo \"# dir $PWD\"\n"
			     "[ \"$PWD\" = \"$SANDTOP_BIN_DIR\" ] || exit 9\n"
			     "echo ok 1 $(id -u) $(id -G) $(grep CapPrm /proc/self/status)";
	struct command c;
	char stage[64];

	ASSERT_EQ(0, command_run(&c, ARGS("env", "MUST_RUN=", "runner",
					  write_script("who_test", script))));
	EXPECT_EQ(0, command_code(&c));
	if (!geteuid()) {
		EXPECT_STRIN("\n1..2\n  KTAP version 1\n  1..1\n", c.out.text);
		EXPECT_STRIN("\n  ok 1 0 ", c.out.text);
		EXPECT_STRIN("ok 1 who_test as root\n", c.out.text);
		EXPECT_STRIN("\n  ok 1 65534 65534 CapPrm: 0000000000000000\n", c.out.text);
		EXPECT_STRIN("ok 2 who_test as nobody\n2 passed, 0 failed, 0 skipped\n",
			     c.out.text);
	} else {
		EXPECT_STRIN("\n1..1\n  KTAP version 1\n  1..1\n", c.out.text);
		EXPECT_STRIN("ok 1 who_test\n1 passed, 0 failed, 0 skipped\n", c.out.text);
	}
	ASSERT_EQ(1, sscanf(strstr(c.out.text, "# dir "), "# dir %63s", stage));
	EXPECT_STRIN("/tmp/sandtop-selftests.", stage);
	EXPECT_NE(0, access(stage, F_OK));
	command_free(&c);
}

TEST(runner_resets_signals)
{
	struct command c;

	/* With SIGCHLD ignored, it would not hear of the status. */
	ASSERT_EQ(0, command_start(&c,
				   ARGS("runner",
					write_script("status", "echo 1..1; echo ok 1 x; exit 1")),
				   start_badly, NULL));
	ASSERT_EQ(0, command_wait(&c, COMMAND_TIMEOUT));
	EXPECT_STRIN("not ok 1 status # ERROR exit status 1, but no test failed\n", c.out.text);
	command_free(&c);
}

TEST(runner_raises_a_low_limit_of_descriptors)
{
	const char *program = write_script("files", "echo 1..1; echo ok 1 $(ulimit -n)");
	const char *low = "ulimit -Sn 256; exec runner \"$0\"",
		   *too_low = "ulimit -n 256; exec setpriv --bounding-set=-sys_resource "
			      "--inh-caps=-sys_resource runner \"$0\"";
	struct command c;

	ASSERT_EQ(0, command_run(&c, ARGS("sh", "-c", low, program)));
	EXPECT_STRIN("KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 1024\n", c.out.text);
	command_free(&c);
	ASSERT_EQ(0, command_run(&c, ARGS("sh", "-c", too_low, program)));
	EXPECT_STRIN("# RLIMIT_NOFILE is 256: some tests need 4096 (ulimit -Hn)\n", c.out.text);
	EXPECT_STRIN("  ok 1 256\n", c.out.text);
	command_free(&c);
}

/* Two programs of which each waits for the other to begin, and does `last` in the end. */
static void write_friends(const char *paths[2], const char *kind, int patience, const char *last)
{
	static char kept[2][128];
	char name[32], body[256];

	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%d", kind, i);
		snprintf(body, sizeof(body),
			 "cd %s; echo 1..1; : >began%d\n"
			 "timeout %d sh -c 'until [ -e began%d ]; do :; done'\n"
			 "echo \"ok 1 $?\"; %s began%d",
			 harness_dir(), i, patience, !i, last, i);
		snprintf(kept[i], sizeof(kept[i]), "%s", write_script(name, body));
		paths[i] = kept[i];
	}
}

TEST(runner_runs_two_at_a_time)
{
	const char *friends[2];
	struct command c;

	write_friends(friends, "friend", 9, "test -e");
	ASSERT_EQ(0, command_run(&c, ARGS("runner", "--jobs", "2", friends[0], friends[1])));
	EXPECT_STRIN("KTAP version 1\n1..2\n  KTAP version 1\n  1..1\n  ok 1 0\nok 1 friend",
		     c.out.text);
	EXPECT_STRIN("  KTAP version 1\n  1..1\n  ok 1 0\nok 2 friend", c.out.text);
	EXPECT_STRIN("\n2 passed, 0 failed, 0 skipped\n", c.out.text);
	EXPECT_STREQ("", c.err.text);
	command_free(&c);
}

/* 124: it waited in vain (timeout(1)). */
TEST(runner_leaves_alone_what_wants_to_be)
{
	const char *friends[2];
	struct command c;

	write_friends(friends, "hermit", 1, "rm");
	ASSERT_EQ(0, command_run(&c, ARGS("runner", "--jobs", "2", "--alone", "hermit0", "--times",
					  friends[0], friends[1])));
	EXPECT_STRIN("1..2\n  KTAP version 1\n  1..1\n  ok 1 124\n# hermit1 took ", c.out.text);
	EXPECT_STRIN(
		" of a CPU\nok 1 hermit1\n  KTAP version 1\n  1..1\n  ok 1 124\n# hermit0 took ",
		c.out.text);
	EXPECT_STRIN(" of a CPU\nok 2 hermit0\n2 passed, 0 failed, 0 skipped\n", c.out.text);
	command_free(&c);
}

/* The samples fail on purpose: they run only when they are asked for. */
int main(int argc, char **argv)
{
	char options[] = "-F", samples[] = "*sample";
	char *without_samples[] = { argv[0], options, samples, NULL };

	return argc > 1 ? harness_main(argc, argv) : harness_main(3, without_samples);
}
