/* SPDX-License-Identifier: MIT */
/*
 * How a monitor is left, on purpose or not: the command's end with --hold, signals, a terminal
 * that goes. The terminal is as before, and what was denied is denied still.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"
#include "selftests/lib/watched.h"

#define CTRL_BRACKET "\035"
#define DOWN         "\033OB"

FIXTURE(leaving)
{
	struct watched run;
	struct command monitor; /* attach, or the run itself */
	struct tty tty;
};

FIXTURE_VARIANT(leaving)
{
	bool attached;
};

FIXTURE_VARIANT_ADD(leaving, of_an_attached_monitor){ true };
FIXTURE_VARIANT_ADD(leaving, of_the_runs_own_monitor){ false };

FIXTURE_SETUP(leaving)
{
	if (!netns_or_skip())
		return;
	tty_environment();
	watched_init(&self->run);
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
	if (!variant->attached) {
		ASSERT_EQ(0, command_start(&self->monitor,
					   ARGS("sandtop", "--name", "watched", "--net-allow",
						self->run.rule, "--", "sh", self->run.script),
					   tty_become, &self->tty));
		ASSERT_EQ(0, tty_wait(&self->tty, "started"));
		return;
	}
	watched_start(&self->run);
	ASSERT_EQ(0, command_start(&self->monitor, ARGS("sandtop", "attach", "watched"), tty_become,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "has not tried"));
}

FIXTURE_TEARDOWN(leaving)
{
	watched_end(&self->run);
	command_free(&self->monitor);
	tty_close(&self->tty);
	watched_free(&self->run);
}

TEST_F(leaving, because_the_window_was_closed)
{
	watched_expect_promise_kept(&self->run);
	tty_hang_up(&self->tty);
	ASSERT_EQ(0, command_wait(&self->monitor, COMMAND_TIMEOUT));
	EXPECT_EQ(variant->attached ? 0 : 128 + SIGHUP, command_code(&self->monitor));
	watched_expect_promise_kept(&self->run);
}

TEST_F(leaving, for_a_while_because_it_was_stopped)
{
	siginfo_t info;

	if (!variant->attached) {
		/* There it is a key, and the command's. */
		watched_expect_promise_kept(&self->run);
		return;
	}
	ASSERT_EQ(0, kill(self->monitor.pid, SIGTSTP));
	ASSERT_EQ(0, waitid(P_PID, (id_t)self->monitor.pid, &info, WSTOPPED));
	EXPECT_EQ(0, tty_wait_gone(&self->tty, "has not tried"));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	watched_expect_promise_kept(&self->run);
	ASSERT_EQ(0, kill(self->monitor.pid, SIGCONT));
	EXPECT_EQ(0, tty_wait(&self->tty, "DENY"));
	EXPECT_FALSE(tty_is_restored(&self->tty));
	ASSERT_EQ(0, kill(self->monitor.pid, SIGTERM));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	watched_expect_promise_kept(&self->run);
}

TEST_F(leaving, because_of_a_signal_that_cannot_be_caught)
{
	ASSERT_EQ(0, kill(self->monitor.pid, SIGKILL));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	EXPECT_EQ(128 + SIGKILL, command_code(&self->monitor));
	watched_expect_promise_kept(&self->run);
}

/* ---- a screen that is held ------------------------------------------------------ */

FIXTURE(hold)
{
	struct server *denied;
	struct command run;
	struct tty tty;
};

FIXTURE_SETUP(hold)
{
	if (!netns_or_skip())
		return;
	tty_environment();
	self->denied = server_new(SOCK_STREAM, "127.0.0.1", 0);
	ASSERT_NE(NULL, self->denied);
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
}

FIXTURE_TEARDOWN(hold)
{
	command_free(&self->run);
	tty_close(&self->tty);
	server_free(self->denied);
}

static void run(FIXTURE_DATA(hold) * self, const char *option)
{
	char script[256];

	snprintf(script, sizeof(script),
		 "echo before; probe connect tcp 127.0.0.1 %u; echo 'the last line'; exit 3",
		 server_port(self->denied));
	ASSERT_EQ(0, command_start(&self->run,
				   ARGS("sandtop", "--net-allow", "127.0.0.2", option, "--", "sh",
					"-c", script),
				   tty_become, &self->tty));
}

static void expect_end(FIXTURE_DATA(hold) * self)
{
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_EQ(3, command_code(&self->run));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	EXPECT_STRIN("before\n", self->tty.text);
	EXPECT_STRIN("the last line\n", self->tty.text);
	EXPECT_STRIN("sandtop: 0 decisions allowed, 1 denied:\n"
		     "sandtop:   1 x DENY tcp 127.0.0.1:",
		     self->tty.text);
	EXPECT_STRIN("sandtop: to allow what was denied:\nsandtop:   --net-allow 127.0.0.1:",
		     self->tty.text);
	EXPECT_EQ(0, server_count(self->denied));
}

TEST_F(hold, a_command_that_does_not_heed_sigterm_is_killed_by_another_k)
{
	ASSERT_EQ(0, command_start(&self->run,
				   ARGS("sandtop", "--net-allow", "127.0.0.2", "--", "sh", "-c",
					"trap '' TERM; echo be''fore; tail -f /dev/null"),
				   tty_become, &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "before"));
	ASSERT_EQ(0, tty_type(&self->tty, CTRL_BRACKET));
	ASSERT_EQ(0, tty_wait(&self->tty, "has not tried"));
	ASSERT_EQ(0, tty_type(&self->tty, "q"));
	ASSERT_EQ(0, tty_wait(&self->tty, "Leave the monitor?"));
	ASSERT_EQ(0, tty_type(&self->tty, "k"));
	EXPECT_EQ(0, tty_wait(&self->tty, "told the command to end (SIGTERM); again: SIGKILL"));
	ASSERT_EQ(0, tty_type(&self->tty, "k"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_EQ(128 + SIGKILL, command_code(&self->run));
	EXPECT_TRUE(tty_is_restored(&self->tty));
}

TEST_F(hold, without_it_the_end_of_the_command_is_the_end)
{
	run(self, "--linger");
	expect_end(self);
}

TEST_F(hold, lists_and_output_can_be_looked_at_until_q)
{
	run(self, "--hold");
	ASSERT_EQ(0, tty_wait(&self->tty, "ended with status 3: q leaves"));
	EXPECT_EQ(0, tty_wait(&self->tty, "the last line"));
	EXPECT_FALSE(tty_is_restored(&self->tty));
	/* What is typed goes to nobody. */
	ASSERT_EQ(0, tty_type(&self->tty, "word\r" CTRL_BRACKET));
	EXPECT_EQ(0, tty_wait(&self->tty, "DENY    tcp    127.0.0.1"));
	ASSERT_EQ(0, tty_type(&self->tty, DOWN "a"));
	EXPECT_EQ(0, tty_wait(&self->tty, "the command has ended: nothing is left to change"));
	/* What nobody can be asked for any more. */
	ASSERT_EQ(0, tty_type(&self->tty, "\t"));
	EXPECT_EQ(0, tty_wait(&self->tty, "the command has ended: nothing is open"));
	ASSERT_EQ(0, tty_type(&self->tty, "\t"));
	EXPECT_EQ(0, tty_wait(&self->tty, "what no rule matches: deny"));
	ASSERT_EQ(0, tty_resize(&self->tty, 30, 100));
	EXPECT_EQ(0, tty_wait(&self->tty, "ended with status 3: q leaves"));
	ASSERT_EQ(0, tty_type(&self->tty, "q"));
	expect_end(self);
}

TEST_F(hold, sigterm_ends_it)
{
	run(self, "--hold");
	ASSERT_EQ(0, tty_wait(&self->tty, "ended with status 3: q leaves"));
	ASSERT_EQ(0, kill(self->run.pid, SIGTERM));
	expect_end(self);
}

/* The guardian ends last of the run; nothing tells of it but that it is gone. */
static void wait_for_one_child(const FIXTURE_DATA(hold) * self)
{
	int64_t deadline = deadline_in(COMMAND_TIMEOUT);
	char path[64];
	int children = 2, pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", self->run.pid, self->run.pid);
	while (children != 1 && deadline_left(deadline)) {
		FILE *f = fopen(path, "re");

		ASSERT_NE(NULL, f);
		for (children = 0; fscanf(f, "%d", &pid) == 1; children++)
			;
		fclose(f);
		poll(NULL, 0, 2);
	}
	EXPECT_EQ(1, children);
}

TEST_F(hold, the_status_is_the_commands_also_when_the_window_is_closed)
{
	run(self, "--hold");
	ASSERT_EQ(0, tty_wait(&self->tty, "ended with status 3: q leaves"));
	wait_for_one_child(self);
	tty_hang_up(&self->tty);
	ASSERT_EQ(0, command_wait(&self->run, COMMAND_TIMEOUT));
	EXPECT_EQ(3, command_code(&self->run));
}

TEST_HARNESS_MAIN
