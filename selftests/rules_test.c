/* SPDX-License-Identifier: MIT */
/*
 * The live policy edited on the monitor's pane Rules, as a person does it: keys go in, and what
 * counts is what the peer gets.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/command.h"
#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"

#define DOWN  "\033OB"
#define F2    "\033OQ"
#define ERASE "\177\177\177\177\177"

FIXTURE(rules)
{
	struct driven d;
	struct server *one, *other;
	char profile[128];
	struct tty tty;
	struct command monitor;
};

static void write_profile(FIXTURE_DATA(rules) * self, uint16_t port)
{
	FILE *f = fopen(self->profile, "we");

	ASSERT_NE(NULL, f);
	fprintf(f, "# mine\n[network]\nrules = [\n\t\"allow 127.0.0.1:%u\", # one\n]\n", port);
	fclose(f);
}

FIXTURE_SETUP(rules)
{
	if (!netns_or_skip())
		return;
	driven_init();
	tty_environment();
	self->one = server_new(SOCK_STREAM, "127.0.0.1", 10001);
	self->other = server_new(SOCK_STREAM, "127.0.0.1", 10002);
	ASSERT_NE(NULL, self->one);
	ASSERT_NE(NULL, self->other);
	snprintf(self->profile, sizeof(self->profile), "%s/p.toml", harness_dir());
	write_profile(self, 10001);
	driven_start(&self->d, "web", ARGS("-q", "--profile-file", self->profile), NULL, NULL);
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
	ASSERT_EQ(0, command_start(&self->monitor, ARGS("sandtop", "attach", "web"), tty_become,
				   &self->tty));
	ASSERT_EQ(0, tty_wait(&self->tty, "Decisions"));
	ASSERT_EQ(0, tty_type(&self->tty, F2));
	ASSERT_EQ(0, tty_wait(&self->tty, "1     0 allow 127.0.0.1:10001"));
}

FIXTURE_TEARDOWN(rules)
{
	command_free(&self->monitor);
	tty_close(&self->tty);
	driven_free(&self->d);
	server_free(self->one);
	server_free(self->other);
}

/* Whether the server gets a connection of the command's; it does get those from outside. */
static bool reaches(FIXTURE_DATA(rules) * self, struct server *server)
{
	size_t count = server_count(server);

	driven_say(&self->d, "open tcp 127.0.0.1 %u", server_port(server));
	return server_count(server) > count;
}

TEST_F(rules, an_edited_rule_decides_the_next_connection)
{
	EXPECT_TRUE(reaches(self, self->one));
	EXPECT_FALSE(reaches(self, self->other));
	ASSERT_EQ(0, tty_wait(&self->tty, "1     1 allow 127.0.0.1:10001"));

	ASSERT_EQ(0, tty_type(&self->tty, DOWN "e" ERASE "10002\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "- allow 127.0.0.1:10001"));
	ASSERT_EQ(0, tty_wait(&self->tty, "+ allow 127.0.0.1:10002"));
	/* It is not made yet. */
	EXPECT_TRUE(reaches(self, self->one));
	EXPECT_FALSE(reaches(self, self->other));

	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 2, 2 flows shut"));
	EXPECT_FALSE(reaches(self, self->one));
	EXPECT_TRUE(reaches(self, self->other));

	ASSERT_EQ(0, tty_type(&self->tty, "u"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 3, 1 flows shut"));
	EXPECT_TRUE(reaches(self, self->one));
	EXPECT_FALSE(reaches(self, self->other));
}

TEST_F(rules, a_rule_is_inserted_and_switched_off_and_on)
{
	ASSERT_EQ(0, tty_type(&self->tty, "iallow 127.0.0.1:10002x\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "invalid port '10002x'"));
	ASSERT_EQ(0, tty_type(&self->tty, "\177\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "+ allow 127.0.0.1:10002"));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "2     0 allow 127.0.0.1:10002"));
	EXPECT_TRUE(reaches(self, self->other));

	ASSERT_EQ(0, tty_type(&self->tty, DOWN DOWN "t"));
	ASSERT_EQ(0, tty_wait(&self->tty, "- allow 127.0.0.1:10002"));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "off     - allow 127.0.0.1:10002"));
	EXPECT_FALSE(reaches(self, self->other));
	EXPECT_TRUE(reaches(self, self->one));

	ASSERT_EQ(0, tty_type(&self->tty, "t"));
	ASSERT_EQ(0, tty_wait(&self->tty, "+ allow 127.0.0.1:10002"));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait_gone(&self->tty, "off     -"));
	EXPECT_TRUE(reaches(self, self->other));
}

/* What somebody else has done since is not undone. */
TEST_F(rules, a_change_that_was_made_for_another_policy_is_refused)
{
	ASSERT_EQ(0, tty_type(&self->tty, DOWN "x"));
	ASSERT_EQ(0, tty_wait(&self->tty, "- allow 127.0.0.1:10001"));
	EXPECT_STREQ("generation 2, 0 flows shut\n",
		     driven_ctl(0, ARGS("allow", "127.0.0.1:10002")));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "the policy has changed meanwhile"));
	EXPECT_TRUE(reaches(self, self->one));
	EXPECT_TRUE(reaches(self, self->other));
	EXPECT_EQ(0, tty_wait(&self->tty, "1     1 allow 127.0.0.1:10002"));
	EXPECT_EQ(0, tty_wait(&self->tty, "2     1 allow 127.0.0.1:10001"));
}

TEST_F(rules, the_profile_is_loaded_and_saved)
{
	char text[512] = "";
	int fd;

	write_profile(self, 10002);
	ASSERT_EQ(0, tty_type(&self->tty, "r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "+ allow 127.0.0.1:10002"));
	EXPECT_FALSE(reaches(self, self->other));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 2"));
	EXPECT_TRUE(reaches(self, self->other));
	ASSERT_EQ(0, tty_wait(&self->tty, "1     1 allow 127.0.0.1:10002"));

	ASSERT_EQ(0, tty_type(&self->tty, DOWN "iallow 127.0.0.1:10001\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "+ allow 127.0.0.1:10001"));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "generation 3"));
	ASSERT_EQ(0, tty_type(&self->tty, "w"));
	ASSERT_EQ(0, tty_wait(&self->tty, "Save to: "));
	ASSERT_EQ(0, tty_type(&self->tty, "\r"));
	ASSERT_EQ(0, tty_wait(&self->tty, "saved: "));
	fd = open(self->profile, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_LT(0, read(fd, text, sizeof(text) - 1));
	close(fd);
	EXPECT_STRIN("# mine", text);
	EXPECT_STRIN("allow 127.0.0.1:10001", text);
	EXPECT_STRIN("\"allow 127.0.0.1:10002\", # one", text);
}

TEST_HARNESS_MAIN
