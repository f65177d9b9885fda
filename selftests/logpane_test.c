/* SPDX-License-Identifier: MIT */
/*
 * The monitor's pane Log on a terminal: what real connections and sandtop itself write there.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"

#define CTRL_BRACKET "\035"
#define F3           "\033OR"
#define F5           "\033[15~"

FIXTURE(logpane)
{
	struct server *allowed, *denied;
	struct command run;
	struct tty tty;
};

FIXTURE_SETUP(logpane)
{
	char script[512], rule[64];

	if (!netns_or_skip())
		return;
	tty_environment();
	self->allowed = server_new(SOCK_STREAM, "127.0.0.1", 0);
	self->denied = server_new(SOCK_STREAM, "127.0.0.1", 0);
	ASSERT_NE(NULL, self->allowed);
	ASSERT_NE(NULL, self->denied);
	ASSERT_EQ(0, tty_open(&self->tty, 24, 120));
	/* One Enter makes one attempt at each. */
	snprintf(script, sizeof(script),
		 "echo ready; while read x; do probe connect tcp 127.0.0.1 %u; "
		 "probe connect tcp 127.0.0.1 %u; echo tried; done",
		 server_port(self->denied), server_port(self->allowed));
	snprintf(rule, sizeof(rule), "allow 127.0.0.1:%u", server_port(self->allowed));
	/* A log on a full disk gives sandtop something to say. */
	ASSERT_EQ(0, command_start(&self->run,
				   ARGS("sandtop", "--rule", rule, "--log", "/dev/full", "--", "sh",
					"-c", script),
				   tty_become, &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "ready"));
}

FIXTURE_TEARDOWN(logpane)
{
	/* The run goes with its terminal's end of file. */
	if (self->tty.vt && self->run.pid > 0 && self->run.pidfd >= 0) {
		tty_type(&self->tty, F5 "\004");
		tty_wait_end(&self->tty, &self->run);
	}
	command_free(&self->run);
	tty_close(&self->tty);
	server_free(self->allowed);
	server_free(self->denied);
}

static void try_once(FIXTURE_DATA(logpane) * self)
{
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "tried"));
}

/* Ctrl-] leads to Decisions, which Connections, Rules and Log follow. */
static void go_to_log(FIXTURE_DATA(logpane) * self)
{
	ASSERT_EQ(0, tty_type(&self->tty, CTRL_BRACKET "\t\t\t"));
	ASSERT_EQ(0, tty_wait(&self->tty, "TIME     DECISION"));
}

TEST_F(logpane, decisions_as_they_happen)
{
	char denied[64], allowed[64];

	snprintf(denied, sizeof(denied), "DENY tcp 127.0.0.1:%u probe[", server_port(self->denied));
	snprintf(allowed, sizeof(allowed), "ALLOW tcp 127.0.0.1:%u probe[",
		 server_port(self->allowed));
	try_once(self);
	go_to_log(self);
	EXPECT_EQ(0, tty_wait(&self->tty, denied));
	EXPECT_EQ(0, tty_wait(&self->tty, allowed));
	EXPECT_EQ(1, server_count(self->allowed));
	EXPECT_EQ(0, server_count(self->denied));
	/* It stands still while it is paused, and says what it holds back. */
	ASSERT_EQ(0, tty_type(&self->tty, "Z" F5));
	ASSERT_EQ(0, tty_wait_gone(&self->tty, "TIME"));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, server_wait(self->allowed, 2, TTY_TIMEOUT));
	go_to_log(self);
	EXPECT_EQ(0, tty_wait(&self->tty, "paused, 2 newer: Z goes on"));
	ASSERT_EQ(0, tty_type(&self->tty, "Z"));
	EXPECT_EQ(0, tty_wait_gone(&self->tty, "paused"));
	ASSERT_EQ(0, tty_type(&self->tty, F3 "no such row\r"));
	EXPECT_EQ(0, tty_wait(&self->tty, "no other row contains 'no such row'"));
}

TEST_F(logpane, what_sandtop_says_is_there_and_is_printed_at_the_end)
{
	static const char line[] = "sandtop: --log: No space left on device";

	try_once(self);
	/* On the screen of the command it is not. */
	EXPECT_STRNOTIN("No space", self->tty.text);
	go_to_log(self);
	EXPECT_EQ(0, tty_wait(&self->tty, line));
	ASSERT_EQ(0, tty_type(&self->tty, F5 "\004"));
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_EQ(0, command_code(&self->run));
	EXPECT_TRUE(tty_is_restored(&self->tty));
	EXPECT_STRIN(line, self->tty.text);
	EXPECT_STRIN("sandtop: 1 decision allowed, 1 denied:", self->tty.text);
}

TEST_HARNESS_MAIN
