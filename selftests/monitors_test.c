/* SPDX-License-Identifier: MIT */
/*
 * Two monitors of one run, on two terminals: the one it was started on, and one that was attached.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"

#define CTRL_BRACKET "\035"
#define DOWN         "\033OB"
#define F5           "\033[15~"
#define READY        "choose first: a to allow, d to deny"

FIXTURE(monitors)
{
	struct server *server;
	struct command run, attached;
	struct tty here, there;
	int order; /* a port goes in, and the command connects to it */
};

FIXTURE_SETUP(monitors)
{
	char fifo[128], script[256];

	if (!netns_or_skip())
		return;
	tty_environment();
	self->server = server_new(SOCK_STREAM, "127.0.0.1", 0);
	ASSERT_NE(NULL, self->server);
	ASSERT_EQ(0, tty_open(&self->here, 24, 80));
	ASSERT_EQ(0, tty_open(&self->there, 30, 120));
	snprintf(fifo, sizeof(fifo), "%s/order", harness_dir());
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	self->order = open(fifo, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->order);
	snprintf(script, sizeof(script),
		 "echo started; while read port <&3; do probe connect tcp 127.0.0.1 $port; "
		 "echo tried; done 3<%s",
		 fifo);
	ASSERT_EQ(0, command_start(&self->run,
				   ARGS("sandtop", "--name", "watched", "--ask", "--", "sh", "-c",
					script),
				   tty_become, &self->here));
	ASSERT_EQ(0, tty_wait(&self->here, "started"));
	ASSERT_EQ(0, command_start(&self->attached, ARGS("sandtop", "attach", "watched"),
				   tty_become, &self->there));
	ASSERT_EQ(0, tty_wait(&self->there, "has not tried"));
	ASSERT_EQ(0, tty_type(&self->here, CTRL_BRACKET));
	ASSERT_EQ(0, tty_wait(&self->here, "has not tried"));
}

FIXTURE_TEARDOWN(monitors)
{
	command_free(&self->attached);
	command_free(&self->run);
	tty_close(&self->here);
	tty_close(&self->there);
	if (self->order > 0)
		close(self->order);
	server_free(self->server);
}

static void connect_to_server(FIXTURE_DATA(monitors) * self)
{
	ASSERT_LT(0, dprintf(self->order, "%u\n", server_port(self->server)));
}

/* End the run at the keys of one of them. */
static void kill_command(struct tty *tty)
{
	ASSERT_EQ(0, tty_type(tty, "q"));
	ASSERT_EQ(0, tty_wait(tty, "Leave the monitor?"));
	ASSERT_EQ(0, tty_type(tty, "k"));
}

static void expect_both_end(FIXTURE_DATA(monitors) * self)
{
	ASSERT_EQ(0, tty_wait_end(&self->here, &self->run));
	ASSERT_EQ(0, tty_wait_end(&self->there, &self->attached));
	EXPECT_EQ(0, command_code(&self->attached));
	EXPECT_TRUE(tty_is_restored(&self->here));
	EXPECT_TRUE(tty_is_restored(&self->there));
}

TEST_F(monitors, the_first_answer_is_the_answer)
{
	bool allowed;

	connect_to_server(self);
	ASSERT_EQ(0, tty_wait(&self->here, READY));
	ASSERT_EQ(0, tty_wait(&self->there, READY));
	ASSERT_EQ(0, tty_type(&self->here, "as"));
	ASSERT_EQ(0, tty_type(&self->there, "ds"));
	ASSERT_EQ(0, tty_wait(&self->here, "Enter: allow this address and port"));
	ASSERT_EQ(0, tty_wait(&self->there, "Enter: deny this address and port"));
	EXPECT_EQ(0, server_count(self->server));
	ASSERT_EQ(0, tty_type(&self->here, "\r"));
	ASSERT_EQ(0, tty_type(&self->there, "\r"));
	EXPECT_EQ(0, tty_wait(&self->here, "gen 2"));
	EXPECT_EQ(0, tty_wait(&self->there, "gen 2"));
	ASSERT_EQ(0, tty_wait(&self->here, "HITS"));
	ASSERT_EQ(0, server_knock(self->server));
	allowed = server_count(self->server) == 1;
	EXPECT_EQ(0, tty_wait(&self->here, allowed ? "ALLOW   tcp" : "DENY    tcp"));
	EXPECT_EQ(0, tty_wait(&self->there, allowed ? "ALLOW   tcp" : "DENY    tcp"));
	/* Who was not first reads so, whether his answer was sent or not. */
	EXPECT_EQ(0, tty_wait_either(allowed ? &self->there : &self->here, "answered elsewhere",
				     "question 1 is over"));
	/* There is one rule, and it is the one of the answer that was taken. */
	connect_to_server(self);
	EXPECT_EQ(0, tty_wait(&self->here, allowed ? "allow 2  deny 0" : "allow 0  deny 2"));
	ASSERT_EQ(0, server_knock(self->server));
	EXPECT_EQ(allowed ? 2 : 0, server_count(self->server));
	EXPECT_STRIN("gen 2", self->here.text);
	kill_command(&self->here);
	expect_both_end(self);
}

/* The file cannot be written: that was no answer, and the other may give one. */
TEST_F(monitors, after_an_answer_that_failed_there_may_be_another)
{
	connect_to_server(self);
	ASSERT_EQ(0, tty_wait(&self->here, READY));
	ASSERT_EQ(0, tty_wait(&self->there, READY));
	ASSERT_EQ(0, tty_type(&self->here, "ap\r"));
	ASSERT_EQ(0, tty_wait(&self->here, "Profile to write it to"));
	ASSERT_EQ(0, tty_type(&self->here, "/no/such/directory/p.toml\r"));
	EXPECT_EQ(0, tty_wait(&self->here, "such file or directory"));
	EXPECT_EQ(0, server_count(self->server));
	ASSERT_EQ(0, tty_type(&self->there, "as\r"));
	EXPECT_EQ(0, server_wait(self->server, 1, TTY_TIMEOUT));
	EXPECT_EQ(0, tty_wait(&self->here, "gen 2"));
	EXPECT_EQ(0, tty_wait(&self->there, " (ip:port, session): generation 2"));
}

TEST_F(monitors, what_one_changes_the_other_shows)
{
	connect_to_server(self);
	ASSERT_EQ(0, tty_wait(&self->there, READY));
	ASSERT_EQ(0, tty_type(&self->there, "d\r"));
	EXPECT_EQ(0, tty_wait(&self->here, "answered elsewhere"));
	EXPECT_EQ(0, tty_wait(&self->here, "DENY    tcp"));
	ASSERT_EQ(0, tty_type(&self->there, DOWN "a"));
	EXPECT_EQ(0, tty_wait(&self->here, "gen 2"));
	connect_to_server(self);
	EXPECT_EQ(0, server_wait(self->server, 1, TTY_TIMEOUT));
	/* The other takes back what this one has changed. */
	ASSERT_EQ(0, tty_type(&self->here, "u"));
	EXPECT_EQ(0, tty_wait(&self->there, "gen 3"));
	/* A pause is whose it is: both wait, and it ends with the monitor that made it. */
	ASSERT_EQ(0, tty_type(&self->there, "P"));
	ASSERT_EQ(0, tty_wait(&self->there, "PAUSED, P goes on"));
	connect_to_server(self);
	ASSERT_EQ(0, tty_wait(&self->here, "held 1"));
	kill_command(&self->there);
	expect_both_end(self);
	EXPECT_EQ(1, server_count(self->server));
}

/* Both have the command's terminal, of the size of who came or changed last. */
TEST_F(monitors, both_have_the_output)
{
	ASSERT_EQ(0, tty_type(&self->here, F5));
	ASSERT_EQ(0, tty_type(&self->there, F5));
	EXPECT_EQ(0, tty_wait(&self->there, "started"));
	ASSERT_EQ(0, tty_type(&self->there, "from there"));
	EXPECT_EQ(0, tty_wait(&self->here, "from there"));
	ASSERT_EQ(0, tty_type(&self->here, ", from here"));
	EXPECT_EQ(0, tty_wait(&self->there, "from there, from here"));
	/* One leaves, the other goes on. */
	ASSERT_EQ(0, tty_type(&self->here, CTRL_BRACKET "q"));
	ASSERT_EQ(0, tty_wait(&self->here, "Leave the monitor?"));
	ASSERT_EQ(0, tty_type(&self->here, "d"));
	ASSERT_EQ(0, tty_wait_end(&self->here, &self->run));
	EXPECT_EQ(0, command_code(&self->run));
	EXPECT_STRIN("detached; the run goes on: sandtop attach watched", self->here.text);
	ASSERT_EQ(0, tty_type(&self->there, "\r"));
	connect_to_server(self);
	EXPECT_EQ(0, tty_wait(&self->there, "1 waiting, Ctrl-] to answer"));
	ASSERT_EQ(0, tty_type(&self->there, CTRL_BRACKET));
	ASSERT_EQ(0, tty_wait(&self->there, READY));
	ASSERT_EQ(0, tty_type(&self->there, "a\r"));
	EXPECT_EQ(0, server_wait(self->server, 1, TTY_TIMEOUT));
	kill_command(&self->there);
	ASSERT_EQ(0, tty_wait_end(&self->there, &self->attached));
	EXPECT_TRUE(tty_is_restored(&self->there));
}

TEST_HARNESS_MAIN
