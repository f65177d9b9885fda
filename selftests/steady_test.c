/* SPDX-License-Identifier: MIT */
/*
 * A command that makes one call after the other is waited for in NOTIF_RECV
 * itself. While the supervisor sleeps there it must be deaf to nothing else.
 */
#include "selftests/harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/deadline.h"
#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/textfile.h"

enum { PORT = 8081, CALLS = 100 };

FIXTURE(steady)
{
	struct driven d;
	struct server *server;
};

FIXTURE_SETUP(steady)
{
	if (!netns_or_skip())
		return;
	driven_init();
	self->server = server_new(SOCK_STREAM, "127.0.0.1", PORT);
	ASSERT_NE(NULL, self->server);
}

FIXTURE_TEARDOWN(steady)
{
	driven_free(&self->d);
	server_free(self->server);
}

/* It has made its calls, and waits for a line. */
static void start(FIXTURE_DATA(steady) * self, const char *const options[])
{
	driven_start(&self->d, "web", options, NULL, NULL);
	EXPECT_STREQ("many 100", driven_say(&self->d, "many 127.0.0.1 %d %d", PORT, CALLS));
	EXPECT_EQ(0, server_wait(self->server, CALLS, 10000));
}

static long waits(const struct driven *d)
{
	const char *line = strstr(d->sandbox.command.err.text, "waits for a call itself");

	ASSERT_NE(NULL, line)
	{
		TH_LOG("%s", d->sandbox.command.err.text);
	}
	return strtol(line + strcspn(line, "0123456789"), NULL, 10);
}

TEST_F(steady, waits_are_for_calls)
{
	start(self, ARGS("-q", "--stats", "--net-allow", "127.0.0.1"));
	driven_quit(&self->d);
	EXPECT_LT(CALLS / 2, waits(&self->d));
}

/* Nobody waits for the ring then, and no change may be later than the next call. */
TEST_F(steady, a_change_of_the_policy_is_heard)
{
	start(self, ARGS("-q", "--stats", "--net-allow", "127.0.0.1"));
	for (int i = 0; i < 10; i++) {
		driven_ctl(0, ARGS("deny", "127.0.0.1:8081"));
		EXPECT_STREQ("many 0",
			     driven_say(&self->d, "many 127.0.0.1 %d %d", PORT, CALLS / 4));
		EXPECT_EQ(CALLS + i, server_count(self->server));
		driven_ctl(0, ARGS("undo"));
		EXPECT_STREQ("many 1", driven_say(&self->d, "many 127.0.0.1 %d 1", PORT));
		EXPECT_EQ(0, server_wait(self->server, CALLS + i + 1, 10000));
	}
	driven_quit(&self->d);
	EXPECT_LT(CALLS, waits(&self->d));
}

static size_t count_lines(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

TEST_F(steady, the_log_has_the_last_call)
{
	int64_t deadline = deadline_in(5000);
	char path[64], options[96];

	snprintf(path, sizeof(path), "%s/log", harness_dir());
	snprintf(options, sizeof(options), "--log=%s", path);
	start(self, ARGS("-q", options, "--net-allow", "127.0.0.1"));
	while (count_lines(textfile_read(path), "ALLOW tcp 127.0.0.1:8081") < CALLS &&
	       deadline_again(deadline))
		;
	EXPECT_EQ(CALLS, count_lines(textfile_read(path), "ALLOW tcp 127.0.0.1:8081"));
}

TEST_F(steady, a_signal_is_passed_on)
{
	start(self, ARGS("-q", "--net-allow", "127.0.0.1"));
	EXPECT_EQ(0, kill(self->d.sandbox.command.pid, SIGTERM));
	ASSERT_EQ(0, sandbox_wait(&self->d.sandbox));
	EXPECT_EQ(128 + SIGTERM, command_code(&self->d.sandbox.command));
}

TEST_F(steady, its_time_ends)
{
	start(self, ARGS("-q", "--timeout", "1", "--net-allow", "127.0.0.1"));
	ASSERT_EQ(0, sandbox_wait(&self->d.sandbox));
	EXPECT_EQ(124, command_code(&self->d.sandbox.command));
}

/* A call that has to wait does so on the ring, and what is over by itself is heard of, too. */
TEST_F(steady, a_connect_that_waits_is_ended_by_its_end)
{
	int hole;

	start(self, ARGS("-q", "--net-allow", "127.0.0.1"));
	hole = driven_black_hole(&self->d, "127.0.0.1", PORT + 1);
	EXPECT_STREQ("many 100", driven_say(&self->d, "many 127.0.0.1 %d %d", PORT, CALLS));
	driven_begin(&self->d, "open tcp 127.0.0.1 %d", PORT + 1);
	driven_ctl(0, ARGS("deny", "127.0.0.1:8082"));
	EXPECT_STREQ("open ECONNREFUSED", driven_answer(&self->d));
	close(hole);
	driven_quit(&self->d);
}

TEST_F(steady, the_command_dies_with_sandtop)
{
	start(self, ARGS("-q", "--net-allow", "127.0.0.1"));
	EXPECT_EQ(0, kill(self->d.sandbox.command.pid, SIGKILL));
	ASSERT_EQ(0, command_wait(&self->d.sandbox.command, COMMAND_TIMEOUT));
}

TEST_HARNESS_MAIN
