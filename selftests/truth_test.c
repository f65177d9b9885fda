/* SPDX-License-Identifier: MIT */
/*
 * What sandtop says is what it does: verdicts, explanations, policies and text
 * that comes from the command. The hazards of truth (attacks/elsewhere.h) that
 * are more than one row of attacks_test.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "selftests/lib/attacked.h"

enum { RACE_ROUNDS = 20 }; /* at most */

FIXTURE(truth)
{
	struct attacked at;
	char path[96];
};

FIXTURE_SETUP(truth)
{
	attacked_init(&self->at);
}

FIXTURE_TEARDOWN(truth)
{
	attacked_free(&self->at);
}

static size_t count_decisions(const struct truth_data *self, const char *verdict, long port)
{
	const json_t *decision;
	size_t count = 0;

	for (size_t i = 0; (decision = sandbox_event(&self->at.sandbox, "decision", i)); i++)
		count += event_number(decision, "port") == port &&
			 !strcmp(event_text(decision, "verdict"), verdict);
	return count;
}

/* Until the race has been seen: on a busy machine who changes the address may not get its turn. */
TEST_F(truth, verdicts_are_what_arrived)
{
	size_t allowed = 0, denied = 0;

	setenv("RACE_MS", "200", 1);
	for (int round = 0; round < RACE_ROUNDS && !(allowed && denied); round++) {
		sandbox_free(&self->at.sandbox);
		ASSERT_EQ(0, sandbox_run(&self->at.sandbox, attacked_options(ALLOW_LIST),
					 attacked_by("race_address", NULL)));
		allowed += count_decisions(self, "allow", ALLOWED);
		denied += count_decisions(self, "deny", FORBIDDEN);
		EXPECT_EQ(0, count_decisions(self, "allow", FORBIDDEN));
		EXPECT_EQ(0, count_decisions(self, "deny", ALLOWED));
	}
	EXPECT_NE(0, denied);
	EXPECT_EQ(0, attacked_effects(&self->at));
	EXPECT_EQ(0, server_knock(self->at.allowed[1]));
	/* A full buffer loses datagrams; none comes that was not allowed. */
	EXPECT_NE(0, server_count(self->at.allowed[1]));
	EXPECT_LE(server_count(self->at.allowed[1]), allowed);
}

static void write_profile(struct truth_data *self, const char *text)
{
	int fd;

	snprintf(self->path, sizeof(self->path), "%s/profile.toml", harness_dir());
	fd = open(self->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

/* Either refused with status 2, or nothing gets out. */
TEST_F(truth, empty_policies)
{
	static const char *const profiles[] = {
		"",
		"# nothing\n",
		"[network]\n",
		"[network]\nallow = []\n",
		"[network]\ndeny = []\n",
		"[network]\nrules = []\n",
		"[network]\nallow = ['']\n",
		"[network]\nrules = ['']\n",
		"[network]\npreset = ''\n",
		"[network]\ndefault = ''\n",
		"[netwrok]\nallow = ['*']\n",
		"\xef\xbb\xbf[network]\nallow = []\n",
	};
	const char *const *const options[] = {
		NO_OPTIONS,         ARGS("--net-allow", ""), ARGS("--net-deny", ""),
		ARGS("--rule", ""), ARGS("--net-deny", ","),
	};
	int code;

	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		write_profile(self, profiles[i]);
		ASSERT_EQ(0, sandbox_run(&self->at.sandbox, ARGS("--profile-file", self->path),
					 attacked_by("address", "127.0.0.1")));
		code = command_code(&self->at.sandbox.command);
		EXPECT_TRUE(code == 0 || code == 2);
		EXPECT_EQ(0, attacked_effects(&self->at))
		{
			TH_LOG("%s", profiles[i]);
		}
		sandbox_free(&self->at.sandbox);
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		ASSERT_EQ(0, sandbox_run(&self->at.sandbox, options[i],
					 attacked_by("address", "127.0.0.1")));
		EXPECT_EQ(0, attacked_effects(&self->at))
		{
			TH_LOG("%s", options[i][0]);
		}
		sandbox_free(&self->at.sandbox);
	}
}

/* Line by line. */
static void expect_agreement(char *explained, char *enforced, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *verdict = strsep(&explained, "\n"), *result = strsep(&enforced, "\n");

		ASSERT_TRUE(verdict && result);
		EXPECT_STREQ(strncmp(verdict, "allow\t", 6) ? "connect ECONNREFUSED" : "connect 0",
			     result)
		{
			TH_LOG("%s", verdict);
		}
	}
}

/* Each of these has a listener on both ports: what is allowed succeeds. */
TEST_F(truth, explanations)
{
	static const char *const at[] = {
		"127.0.0.1",        "127.0.0.2",        "0.0.0.0", "0.1.2.3",
		"10.99.0.1",        "1.2.3.4",          "::1",     "::",
		"::ffff:127.0.0.1", "::ffff:10.99.0.1", "fd00::1", "2002:7f00:1::1",
		"64:ff9b::7f00:1",
	};
	enum { COUNT = sizeof(at) / sizeof(at[0]) };
	static const enum policy policies[] = { ALLOW_LIST, DENY_LIST, PRESET };

	for (size_t p = 0; p < 3; p++) {
		const char *const *options = attacked_options(policies[p]);
		const char *explain[16 + 2 * COUNT] = { "sandtop", "explain" };
		const char *probe[2 + 2 * COUNT * 5] = { "probe" };
		char endpoints[2 * COUNT][64];
		struct command c;
		int n = 2, words = 1;

		for (int i = 1; options[i]; i++) /* without -q */
			explain[n++] = options[i];
		for (size_t i = 0; i < 2 * COUNT; i++) {
			const char *port = i & 1 ? ALLOWED_TEXT : FORBIDDEN_TEXT;

			snprintf(endpoints[i], sizeof(endpoints[i]), "tcp %s %s", at[i / 2], port);
			explain[n++] = endpoints[i];
			probe[words++] = "connect";
			probe[words++] = "tcp";
			probe[words++] = at[i / 2];
			probe[words++] = port;
			probe[words++] = ",";
		}
		probe[words - 1] = NULL;
		ASSERT_EQ(0, command_run(&c, explain));
		ASSERT_EQ(0, sandbox_run(&self->at.sandbox, options, probe));
		expect_agreement(c.out.text, self->at.sandbox.command.out.text, 2 * COUNT);
		command_free(&c);
		sandbox_free(&self->at.sandbox);
	}
}

/* Nothing that a terminal would obey: C0 but the newline, DEL, C1 as UTF-8 or alone. */
static void expect_plain(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++) {
		bool control = (*at < 0x20 && *at != '\n') || *at == 0x7f ||
			       (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) ||
			       (*at >= 0x80 && *at < 0xa0 &&
				(at == (const unsigned char *)text || at[-1] < 0xc0));

		EXPECT_FALSE(control)
		{
			TH_LOG("byte %02x", *at);
		}
	}
}

TEST_F(truth, control_characters)
{
	char text[16384];
	ssize_t n;
	int fd;

	snprintf(self->path, sizeof(self->path), "%s/log", harness_dir());
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox,
				 ARGS("-v", "--log", self->path, "--net-allow",
				      "any://127.0.0.1:" ALLOWED_TEXT),
				 attacked_by("control_characters", NULL)));
	EXPECT_STRIN("sandtop: DENY tcp 127.0.0.1:" FORBIDDEN_TEXT " ",
		     self->at.sandbox.command.err.text);
	expect_plain(self->at.sandbox.command.err.text);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	ASSERT_LT(0, n);
	text[n] = '\0';
	expect_plain(text);
	EXPECT_NE(0, count_decisions(self, "deny", FORBIDDEN));
}

/* Nobody is attached who could answer: nobody's answer is no. */
TEST_F(truth, question_to_nobody)
{
	ASSERT_EQ(0, sandbox_run(&self->at.sandbox,
				 ARGS("--default", "ask", "--net-allow",
				      "any://127.0.0.1:" ALLOWED_TEXT),
				 attacked_by("address", "127.0.0.1")));
	EXPECT_EQ(0, attacked_effects(&self->at));
}

TEST_HARNESS_MAIN
