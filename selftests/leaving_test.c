/* SPDX-License-Identifier: MIT */
/*
 * How a monitor is left, on purpose or not: the command's end with --hold, signals, a terminal
 * that goes. The terminal is as before, and what was denied is denied still.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"

#define CTRL_BRACKET "\035"
#define DOWN         "\033OB"

FIXTURE(leaving)
{
	struct server *allowed, *denied;
	struct sandbox batch;   /* with attach: the run */
	struct command monitor; /* attach, or the run itself */
	struct tty tty;
	int order; /* ports go in, and the command connects to each */
};

FIXTURE_VARIANT(leaving)
{
	bool attached;
};

FIXTURE_VARIANT_ADD(leaving, of_an_attached_monitor){ true };
FIXTURE_VARIANT_ADD(leaving, of_the_runs_own_monitor){ false };

static void set_environment(void)
{
	setenv("XDG_RUNTIME_DIR", harness_dir(), 1);
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("NO_COLOR");
}

FIXTURE_SETUP(leaving)
{
	char fifo[128], script[512], rule[64];

	if (!netns_or_skip())
		return;
	set_environment();
	self->allowed = server_new(SOCK_STREAM, "127.0.0.1", 0);
	self->denied = server_new(SOCK_STREAM, "127.0.0.1", 0);
	ASSERT_NE(NULL, self->allowed);
	ASSERT_NE(NULL, self->denied);
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
	snprintf(fifo, sizeof(fifo), "%s/order", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	self->order = open(fifo, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->order);
	snprintf(script, sizeof(script),
		 "echo started; while read port; do case $port in exit) exit 7;; esac; "
		 "probe connect tcp 127.0.0.1 $port; done <%s",
		 fifo);
	snprintf(rule, sizeof(rule), "allow 127.0.0.1:%u", server_port(self->allowed));
	if (!variant->attached) {
		ASSERT_EQ(0, command_start(&self->monitor,
					   ARGS("sandtop", "--name", "watched", "--rule", rule,
						"--", "sh", "-c", script),
					   tty_become, &self->tty));
		ASSERT_EQ(0, tty_wait(&self->tty, "started"));
		return;
	}
	ASSERT_EQ(0, sandbox_start(&self->batch, ARGS("--name", "watched", "-q", "--rule", rule),
				   ARGS("sh", "-c", script), NULL, NULL));
	ASSERT_EQ(0, command_wait_text(&self->batch.command, &self->batch.command.out, "started",
				       COMMAND_TIMEOUT));
	ASSERT_EQ(0, command_start(&self->monitor, ARGS("sandtop", "attach", "watched"), tty_become,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "has not tried"));
}

FIXTURE_TEARDOWN(leaving)
{
	/* A run that goes on without its monitor ends by itself. */
	if (self->order > 0)
		dprintf(self->order, "exit\n");
	if (self->order > 0 && self->batch.events)
		sandbox_wait(&self->batch);
	command_free(&self->monitor);
	tty_close(&self->tty);
	if (self->order > 0)
		close(self->order);
	sandbox_free(&self->batch);
	server_free(self->allowed);
	server_free(self->denied);
}

/* The run goes on: what is allowed arrives, what is denied does not. */
static void expect_promise_kept(FIXTURE_DATA(leaving) * self)
{
	const size_t arrived = server_count(self->allowed);

	ASSERT_LT(0, dprintf(self->order, "%u\n%u\n", server_port(self->denied),
			     server_port(self->allowed)));
	EXPECT_EQ(0, server_wait(self->allowed, arrived + 1, TTY_TIMEOUT));
	EXPECT_EQ(0, server_count(self->denied));
}

TEST_F(leaving, because_the_window_was_closed)
{
	expect_promise_kept(self);
	tty_hang_up(&self->tty);
	ASSERT_EQ(0, command_wait(&self->monitor, COMMAND_TIMEOUT));
	EXPECT_EQ(variant->attached ? 0 : 128 + SIGHUP, command_code(&self->monitor));
	expect_promise_kept(self);
}

TEST_F(leaving, for_a_while_because_it_was_stopped)
{
	siginfo_t info;

	if (!variant->attached) {
		/* There it is a key, and the command's. */
		expect_promise_kept(self);
		return;
	}
	ASSERT_EQ(0, kill(self->monitor.pid, SIGTSTP));
	ASSERT_EQ(0, waitid(P_PID, (id_t)self->monitor.pid, &info, WSTOPPED));
	EXPECT_EQ(0, tty_wait_gone(&self->tty, "has not tried"));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	expect_promise_kept(self);
	ASSERT_EQ(0, kill(self->monitor.pid, SIGCONT));
	EXPECT_EQ(0, tty_wait(&self->tty, "DENY"));
	EXPECT_FALSE(tty_is_restored(&self->tty));
	ASSERT_EQ(0, kill(self->monitor.pid, SIGTERM));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	expect_promise_kept(self);
}

TEST_F(leaving, because_of_a_signal_that_cannot_be_caught)
{
	ASSERT_EQ(0, kill(self->monitor.pid, SIGKILL));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->monitor));
	EXPECT_EQ(128 + SIGKILL, command_code(&self->monitor));
	expect_promise_kept(self);
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
	set_environment();
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
