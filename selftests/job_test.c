/* SPDX-License-Identifier: MIT */
/*
 * A monitor that was started by a shell is a job of it: Ctrl-Z stops it and gives the terminal
 * back, fg has it on the screen again. The command knows nothing of that, and what is denied is
 * denied.
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/tty.h"
#include "selftests/lib/watched.h"

#define CTRL_BRACKET "\035"
#define CTRL_Z       "\032"
#define F5           "\033[15~"

FIXTURE(job)
{
	struct watched run;
	struct command shell;
	struct tty tty;
};

FIXTURE_VARIANT(job)
{
	bool attached;
	const char *shell; /* what it is asked to do; %s: sandtop and its arguments */
	bool flood;        /* it takes five seconds */
};

#define STOPPED "echo the shell is back; read line; fg >/dev/null; echo it ended with $?"

FIXTURE_VARIANT_ADD(job, of_the_runs_own_monitor){ false, "%s; " STOPPED, true };
FIXTURE_VARIANT_ADD(job, of_an_attached_monitor){ true, "%s; " STOPPED, false };
/* The shell waits for another process than sandtop, as with make(1). */
FIXTURE_VARIANT_ADD(job, below_another_process){ false, "sh -c '%s; exit $?'; " STOPPED, false };

FIXTURE_SETUP(job)
{
	char start[512], words[1024];

	if (!netns_or_skip())
		return;
	tty_environment();
	watched_init(&self->run);
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
	snprintf(start, sizeof(start), "sandtop --name watched --net-allow %s -- sh %s",
		 self->run.rule, self->run.script);
	if (variant->attached) {
		watched_start(&self->run);
		snprintf(start, sizeof(start), "sandtop attach watched");
	}
	snprintf(words, sizeof(words), variant->shell, start);
	/* With job control, as an interactive one has it. */
	ASSERT_EQ(0, command_start(&self->shell, ARGS("sh", "-m", "-c", words), tty_become,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, variant->attached ? "has not tried" : "started"));
	ASSERT_EQ(0, tty_type(&self->tty, variant->attached ? "" : CTRL_BRACKET));
	ASSERT_EQ(0, tty_wait(&self->tty, "has not tried"));
}

FIXTURE_TEARDOWN(job)
{
	watched_end(&self->run);
	command_free(&self->shell);
	tty_close(&self->tty);
	watched_free(&self->run);
}

static void stop(FIXTURE_DATA(job) * self)
{
	ASSERT_EQ(0, tty_type(&self->tty, CTRL_Z));
	ASSERT_EQ(0, tty_wait(&self->tty, "the shell is back"));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	EXPECT_STRNOTIN("VERDICT", self->tty.text);
}

static void expect_end(FIXTURE_DATA(job) * self, const char *said)
{
	watched_tell(&self->run, "exit");
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->shell));
	EXPECT_STRIN(said, self->tty.text);
	EXPECT_TRUE(tty_is_restored(&self->tty));
}

TEST_F(job, is_stopped_and_goes_on)
{
	const char *said = variant->attached ? "it ended with 0" : "it ended with 7";

	for (int i = 0; i < 2; i++)
		watched_expect_promise_kept(&self->run);
	ASSERT_EQ(0, tty_wait(&self->tty, "DENY    tcp    127.0.0.1"));
	stop(self);
	watched_expect_promise_kept(&self->run);
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	EXPECT_EQ(0, tty_wait(&self->tty, "VERDICT PROTO"));
	EXPECT_EQ(0, tty_wait(&self->tty, "allow 3  deny 3"));
	EXPECT_FALSE(tty_is_restored(&self->tty));
	watched_expect_promise_kept(&self->run);
	EXPECT_EQ(0, tty_wait(&self->tty, "allow 4  deny 4"));
	expect_end(self, said);
}

/* It was cut off from the command's terminal, which it has again. */
TEST_F(job, that_was_stopped_has_the_output_again)
{
	char path[128];

	if (!variant->flood)
		return;
	stop(self);
	watched_tell(&self->run, "flood");
	/* More than the ring has: it goes on when the sandbox has lost its patience. */
	snprintf(path, sizeof(path), "%s/flooded", harness_dir());
	for (int64_t end = deadline_in(COMMAND_TIMEOUT); access(path, F_OK); poll(NULL, 0, 5))
		ASSERT_NE(0, deadline_left(end));
	watched_expect_promise_kept(&self->run);
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "VERDICT PROTO"));
	ASSERT_EQ(0, tty_type(&self->tty, F5));
	EXPECT_EQ(0, tty_wait(&self->tty, "flooded"));
	/* What is typed arrives again. */
	ASSERT_EQ(0, tty_type(&self->tty, "typed"));
	EXPECT_EQ(0, tty_wait(&self->tty, "typed"));
	expect_end(self, "it ended with 7");
	EXPECT_STRIN("flooded", self->tty.text);
}

/* ---- without a shell -------------------------------------------------------------- */

TEST(whom_nobody_could_continue_is_not_stopped)
{
	struct command run;
	struct tty tty;

	if (!netns_or_skip())
		return;
	tty_environment();
	ASSERT_EQ(0, tty_open(&tty, 24, 80));
	ASSERT_EQ(0, command_start(&run,
				   ARGS("sandtop", "--net-allow", "127.0.0.2", "--", "sh", "-c",
					"echo started; read x; exit 7"),
				   tty_become, &tty));
	ASSERT_EQ(0, tty_wait(&tty, "started"));
	ASSERT_EQ(0, tty_type(&tty, CTRL_BRACKET));
	ASSERT_EQ(0, tty_wait(&tty, "has not tried"));
	ASSERT_EQ(0, tty_type(&tty, CTRL_Z));
	EXPECT_EQ(0, tty_wait(&tty, "not stopped: there is no shell that could continue it"));
	EXPECT_EQ(0, tty_wait(&tty, "has not tried"));
	EXPECT_FALSE(tty_is_restored(&tty));
	ASSERT_EQ(0, tty_type(&tty, F5 "\r"));
	ASSERT_EQ(0, tty_wait_end(&tty, &run));
	EXPECT_EQ(7, command_code(&run));
	EXPECT_TRUE(tty_is_restored(&tty));
	command_free(&run);
	tty_close(&tty);
}

TEST_HARNESS_MAIN
