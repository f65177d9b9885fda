/* SPDX-License-Identifier: MIT */
/*
 * Questions in the monitor: an operator on a terminal reads who wants to go where, and answers by
 * keys. What the peers received is what counts.
 */
#include "selftests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/command.h"
#include "selftests/lib/deadline.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/tty.h"

#define LEAVE_OUTPUT "\035" /* Ctrl-] */
#define F5           "\033[15~"
#define READY        "choose first: a to allow, d to deny"

enum {
	PORT = 9000,
	MANY = 50,
	BY_KEYS = 10, /* answered one by one: half a second each; all of them with ANSWERS=all */
};

/* Connects to 127.0.1.N for each N and sends that; says which were let through. */
static const char script[] = "import errno, socket, sys, threading\n"
			     "said = {}\n"
			     "def attempt(n):\n"
			     "    print('try', flush=True)\n"
			     "    s = socket.socket()\n"
			     "    try:\n"
			     "        s.connect((f'127.0.1.{n}', 9000))\n"
			     "        s.send(b'%d' % n)\n"
			     "        said[n] = 'ok'\n"
			     "    except OSError as e:\n"
			     "        said[n] = errno.errorcode[e.errno]\n"
			     "    s.close()\n"
			     "threads = [threading.Thread(target=attempt, args=(n + 1,)) for n in "
			     "range(int(sys.argv[1]))]\n"
			     "for t in threads:\n"
			     "    t.start()\n"
			     /* Rows that come and move meanwhile. */
			     "n = 0\n"
			     "while len(sys.argv) > 2 and any(t.is_alive() for t in threads):\n"
			     "    n = n % 200 + 1\n"
			     "    s = socket.socket()\n"
			     "    s.settimeout(5)\n"
			     "    s.connect_ex((f'127.0.2.{n}', 9001))\n"
			     "    s.close()\n"
			     "    threads[0].join(0.01)\n"
			     "for t in threads:\n"
			     "    t.join()\n"
			     "print('first', said[1], 'good', sum(s == 'ok' for s in "
			     "said.values()), 'end', flush=True)\n"
			     "sys.stdin.readline()\n";

/*
 * Runs the script after it once a line comes. What starts an interpreter may connect too (bash asks
 * nscd for the user where HOME is not set), so it has to be up before the operator's keys.
 */
static const char when_told[] = "import sys\n"
				"print('ready', flush=True)\n"
				"sys.stdin.readline()\n"
				"print('went', flush=True)\n"
				"del sys.argv[0]\n"
				"exec(sys.argv[0])\n";

FIXTURE(prompt)
{
	struct server *server;
	struct tty tty;
	struct command run;
};

FIXTURE_SETUP(prompt)
{
	if (!netns_or_skip())
		return;
	tty_environment();
	self->server = server_new(SOCK_STREAM, "0.0.0.0", PORT);
	ASSERT_NE(NULL, self->server);
	ASSERT_EQ(0, tty_open(&self->tty, 24, 80));
}

FIXTURE_TEARDOWN(prompt)
{
	command_free(&self->run);
	tty_close(&self->tty);
	server_free(self->server);
}

static void start(FIXTURE_DATA(prompt) * self, const char *const argv[])
{
	ASSERT_EQ(0, command_start(&self->run, argv, tty_become, &self->tty));
}

static void expect_screen(FIXTURE_DATA(prompt) * self, const char *text)
{
	ASSERT_EQ(0, tty_wait(&self->tty, text))
	{
		TH_LOG("no '%s' in:\n%s", text, self->tty.text);
	}
}

static void type(FIXTURE_DATA(prompt) * self, const char *keys)
{
	ASSERT_EQ(0, tty_type(&self->tty, keys));
}

/* The command has said so, and ends. */
static void finish(FIXTURE_DATA(prompt) * self, const char *said)
{
	type(self, F5);
	expect_screen(self, said);
	type(self, "\r");
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_EQ(0, command_code(&self->run));
	ASSERT_EQ(0, server_knock(self->server));
}

TEST_F(prompt, without_sandtop_the_peer_is_reached)
{
	start(self, ARGS(PYTHON, script, "1"));
	expect_screen(self, "first ok good 1 end");
	EXPECT_EQ(0, server_wait(self->server, 1, TTY_TIMEOUT));
}

/* Without any policy, a run with a monitor asks. */
TEST_F(prompt, allows)
{
	start(self, ARGS("sandtop", "--", PYTHON, script, "1"));
	expect_screen(self, "1 waiting, Ctrl-] to answer");
	EXPECT_EQ(0, server_count(self->server));
	type(self, LEAVE_OUTPUT);
	expect_screen(self, READY);
	EXPECT_STRIN("tcp 127.0.1.1:9000  python3[", self->tty.text);
	EXPECT_STRIN("/bin/python3", self->tty.text);
	type(self, "a");
	expect_screen(self, "Enter: allow this once");
	EXPECT_EQ(0, server_count(self->server));
	type(self, "\r");
	finish(self, "first ok good 1 end");
	EXPECT_EQ(1, server_count(self->server));
}

TEST_F(prompt, denies)
{
	start(self, ARGS("sandtop", "--", PYTHON, script, "1"));
	expect_screen(self, "1 waiting, Ctrl-] to answer");
	type(self, LEAVE_OUTPUT);
	expect_screen(self, READY);
	type(self, "d");
	expect_screen(self, "Enter: deny this once");
	type(self, "\r");
	finish(self, "first ECONNREFUSED good 0 end");
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(prompt, a_wider_answer_becomes_a_rule)
{
	start(self, ARGS("sandtop", "--", PYTHON, script, "3"));
	expect_screen(self, "3 waiting, Ctrl-] to answer");
	type(self, LEAVE_OUTPUT);
	expect_screen(self, READY);
	type(self, "as3");
	expect_screen(self, "Enter: allow this network (/24, every port) as long as the command runs");
	type(self, "\r");
	expect_screen(self, "generation 2");
	finish(self, "first ok good 3 end");
	EXPECT_EQ(3, server_count(self->server));
}

TEST_F(prompt, an_answer_for_good_asks_for_a_profile)
{
	char path[128], rule[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/p.toml", harness_dir());
	start(self, ARGS("sandtop", "--", PYTHON, script, "3"));
	expect_screen(self, "3 waiting, Ctrl-] to answer");
	type(self, LEAVE_OUTPUT);
	expect_screen(self, READY);
	type(self, "ap3");
	expect_screen(self, "Enter: allow this network (/24, every port) from now on, by the profile");
	type(self, "\r");
	expect_screen(self, "Profile to write it to");
	type(self, path);
	type(self, "\r");
	expect_screen(self, "generation 2");
	finish(self, "first ok good 3 end");
	EXPECT_EQ(3, server_count(self->server));
	file = fopen(path, "re");
	ASSERT_NE(NULL, file);
	while (!strstr(rule, "allow ") && fgets(rule, sizeof(rule), file))
		;
	fclose(file);
	EXPECT_EQ(0, strncmp("\t\"allow tcp://127.0.1.", rule, 22))
	{
		TH_LOG("%s", rule);
	}
}

/* Typed at once behind the key that shows the question, nobody can have read it. */
TEST_F(prompt, stray_keys_answer_nothing)
{
	start(self, ARGS("sandtop", "--", PYTHON, script, "1"));
	expect_screen(self, "1 waiting, Ctrl-] to answer");
	type(self, LEAVE_OUTPUT "a\ra\ra\r");
	expect_screen(self, READY);
	EXPECT_EQ(0, server_count(self->server));
	type(self, "d\r");
	finish(self, "first ECONNREFUSED good 0 end");
	EXPECT_EQ(0, server_count(self->server));
}

/*
 * A key that is pressed when the question is on the screen, but for less than half a second. Where
 * this machine was slower than that, it proves nothing, and is pressed again.
 */
TEST_F(prompt, a_key_within_half_a_second_counts_for_nothing)
{
	bool counted = true;

	start(self, ARGS("sandtop", "--", PYTHON, script, "1"));
	expect_screen(self, "1 waiting, Ctrl-] to answer");
	for (int i = 0; i < 10 && counted; i++) {
		int64_t begin = deadline_in(0);

		type(self, LEAVE_OUTPUT);
		expect_screen(self, "one moment");
		type(self, "a");
		ASSERT_EQ(0, tty_wait_gone(&self->tty, "one moment"));
		counted = strstr(self->tty.text, "Enter: allow");
		EXPECT_FALSE(counted && deadline_in(0) - begin < 500);
		if (!counted)
			break;
		type(self, F5);
		expect_screen(self, "1 waiting, Ctrl-] to answer");
	}
	EXPECT_STRIN(READY, self->tty.text);
	type(self, "d\r");
	finish(self, "first ECONNREFUSED good 0 end");
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(prompt, keys_typed_in_output_answer_nothing)
{
	start(self, ARGS("sandtop", "--ask-timeout", "60", "--", PYTHON, script, "1"));
	expect_screen(self, "1 waiting, Ctrl-] to answer");
	/* They go to the command, whose terminal echoes them. */
	type(self, "a\ra\rAaA");
	expect_screen(self, "AaA");
	EXPECT_EQ(0, server_count(self->server));
	type(self, LEAVE_OUTPUT);
	expect_screen(self, READY);
	EXPECT_EQ(0, server_count(self->server));
	type(self, "d\r");
	/* A line was there for it to read already. */
	ASSERT_EQ(0, tty_wait_end(&self->tty, &self->run));
	EXPECT_STRIN("first ECONNREFUSED good 0 end", self->tty.text);
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(prompt, what_nobody_answers_is_denied_and_leaves_with_a_word)
{
	start(self, ARGS("sandtop", "--ask-timeout", "1.5", "--", PYTHON, script, "1"));
	expect_screen(self, "1 waiting, Ctrl-] to answer");
	type(self, LEAVE_OUTPUT);
	expect_screen(self, "not answered in time, so denied: tcp 127.0.1.1:9000");
	finish(self, "first ECONNREFUSED good 0 end");
	EXPECT_EQ(0, server_count(self->server));
}

/* Whoever reads while the window changes reads it again, and all of it. */
TEST_F(prompt, a_change_of_size_begins_the_half_second_anew)
{
	start(self, ARGS("sandtop", "--", PYTHON, script, "1"));
	expect_screen(self, "1 waiting, Ctrl-] to answer");
	type(self, LEAVE_OUTPUT);
	expect_screen(self, READY);
	type(self, "a");
	expect_screen(self, "Enter: allow this once");
	ASSERT_EQ(0, tty_resize(&self->tty, 5, 20));
	expect_screen(self, "enlarge the screen");
	/* Nothing counts that cannot be read. */
	type(self, "\r");
	ASSERT_EQ(0, tty_resize(&self->tty, 12, 40));
	expect_screen(self, "one moment");
	type(self, "\r");
	expect_screen(self, "Enter: allow this once");
	EXPECT_STRIN("tcp 127.0.1.1:9000", self->tty.text);
	EXPECT_EQ(0, server_count(self->server));
	type(self, "d");
	expect_screen(self, "Enter: deny this once");
	ASSERT_EQ(0, tty_resize(&self->tty, 50, 132));
	expect_screen(self, "one moment");
	expect_screen(self, "Enter: deny this once");
	type(self, "\r");
	finish(self, "first ECONNREFUSED good 0 end");
	EXPECT_EQ(0, server_count(self->server));
}

/* The run goes on, and whoever attaches then finds the question. */
TEST_F(prompt, a_question_outlives_the_terminal)
{
	struct command attached;
	struct tty other;

	ASSERT_EQ(0, tty_open(&other, 24, 80));
	start(self, ARGS("sandtop", "--name", "watched", "--", PYTHON, script, "1"));
	expect_screen(self, "1 waiting, Ctrl-] to answer");
	tty_hang_up(&self->tty);
	ASSERT_EQ(0, command_wait(&self->run, COMMAND_TIMEOUT));
	ASSERT_EQ(0, server_knock(self->server));
	EXPECT_EQ(0, server_count(self->server));
	ASSERT_EQ(0, command_start(&attached, ARGS("sandtop", "attach", "watched"), tty_become,
				   &other));
	ASSERT_EQ(0, tty_wait(&other, READY));
	ASSERT_EQ(0, tty_type(&other, "a\r"));
	EXPECT_EQ(0, server_wait(self->server, 1, TTY_TIMEOUT));
	ASSERT_EQ(0, tty_type(&other, F5));
	EXPECT_EQ(0, tty_wait(&other, "first ok good 1 end"));
	ASSERT_EQ(0, tty_type(&other, "\r"));
	ASSERT_EQ(0, tty_wait_end(&other, &attached));
	EXPECT_EQ(0, command_code(&attached));
	command_free(&attached);
	tty_close(&other);
}

/* What a rule allows is held all the same, until the same key lets it go on. */
TEST_F(prompt, a_pause_holds_what_is_allowed)
{
	start(self, ARGS("sandtop", "--preset", "allow-all", "--", PYTHON, when_told, script, "1"));
	expect_screen(self, "ready");
	type(self, LEAVE_OUTPUT "P");
	expect_screen(self, "PAUSED, P goes on");
	expect_screen(self, "paused: every new call waits");
	type(self, F5);
	expect_screen(self, "PAUSED, Ctrl-] P goes on");
	type(self, "\r");
	expect_screen(self, "went");
	expect_screen(self, "try");
	EXPECT_EQ(0, server_count(self->server));
	type(self, LEAVE_OUTPUT "P");
	EXPECT_EQ(0, server_wait(self->server, 1, TTY_TIMEOUT));
	finish(self, "first ok good 1 end");
}

TEST_F(prompt, a_panic_denies_what_was_allowed)
{
	start(self, ARGS("sandtop", "--preset", "allow-all", "--", PYTHON, when_told, script, "1"));
	expect_screen(self, "ready");
	type(self, LEAVE_OUTPUT "X");
	expect_screen(self, "Deny everything, and shut every connection?");
	type(self, "y");
	expect_screen(self, "panic: generation 2");
	type(self, F5 "\r");
	finish(self, "first ECONNREFUSED good 0 end");
	EXPECT_EQ(0, server_count(self->server));
}

/* Who is asked about, once keys count and nothing is chosen yet. */
static unsigned int read_question(FIXTURE_DATA(prompt) * self)
{
	const char *hold, *target;
	unsigned int n = 0;

	expect_screen(self, READY);
	hold = strstr(self->tty.text, "HOLD 1 of ");
	ASSERT_NE(NULL, hold);
	target = strstr(hold, "tcp 127.0.1.");
	ASSERT_NE(NULL, target);
	ASSERT_EQ(1, sscanf(target, "tcp 127.0.1.%u:", &n));
	ASSERT_TRUE(n >= 1 && n <= MANY);
	return n;
}

/* Those with an even number are allowed, and nobody else's answer may reach them. */
TEST_F_TIMEOUT(prompt, each_of_fifty_gets_its_own_answer, 90)
{
	const unsigned int by_keys = getenv("ANSWERS") ? MANY : BY_KEYS;
	bool allowed[MANY + 1] = { false }, seen[MANY + 1] = { false };
	unsigned int expected = 0;
	char payload[16], said[64];

	start(self, ARGS("sandtop", "--rule", "ask 127.0.1.0/24", "--rule", "deny 127.0.2.0/24",
			 "--", PYTHON, script, "50", "busy"));
	expect_screen(self, "50 waiting, Ctrl-] to answer");
	type(self, LEAVE_OUTPUT);
	for (unsigned int i = 0; i < by_keys; i++) {
		unsigned int n = read_question(self);

		EXPECT_FALSE(seen[n]);
		seen[n] = true;
		allowed[n] = n % 2 == 0;
		expected += allowed[n];
		type(self, allowed[n] ? "a" : "d");
		expect_screen(self,
			      allowed[n] ? "Enter: allow this once" : "Enter: deny this once");
		type(self, "\r");
	}
	if (by_keys < MANY) {
		read_question(self);
		EXPECT_EQ(expected, server_count(self->server));
		type(self, "ds3");
		expect_screen(self, "Enter: deny this network");
		type(self, "\r");
	}
	snprintf(said, sizeof(said), "good %u end", expected);
	finish(self, said);
	EXPECT_EQ(expected, server_count(self->server));
	for (size_t i = 0; i < server_count(self->server); i++) {
		unsigned long n;

		ASSERT_LT(0, server_payload(self->server, i, payload, sizeof(payload),
					    COMMAND_TIMEOUT));
		n = strtoul(payload, NULL, 10);
		ASSERT_TRUE(n >= 1 && n <= MANY);
		EXPECT_TRUE(allowed[n]);
		allowed[n] = false;
	}
}

TEST_HARNESS_MAIN
