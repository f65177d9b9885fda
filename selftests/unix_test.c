/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX: sockets of the sandbox itself are free and behave as ever; those of
 * the host are out of reach, by whatever name.
 */
#include "selftests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/twin.h"
#include "selftests/lib/unixserver.h"

#define DENY_ALL ARGS("-q", "--preset", "none")

/* ---- the sandbox's own ------------------------------------------------- */

FIXTURE(own)
{
	struct twin twin;
};

FIXTURE_VARIANT(own)
{
	const char *scenario;
	const char *name; /* of the socket; DIR/ stands for the working directory */
};

#define ROW(title, scenario, name)                                                                 \
	FIXTURE_VARIANT_ADD(own, title)                                                            \
	{                                                                                          \
		scenario, name                                                                     \
	}

ROW(absolute_path, "own", "DIR/socket");
ROW(relative_path, "own", "socket");
ROW(relative_path_with_a_directory, "own", "./socket");
ROW(abstract_name, "own", "@sandtop-selftest");
ROW(autobind, "own", "");
ROW(client_with_a_name, "named_client", NULL);
ROW(client_without_a_name, "client_without_a_name", NULL);
ROW(links_and_other_names, "own_by_other_ways", NULL);
ROW(path_by_way_of_proc_self, "own_by_proc", NULL);
ROW(errors, "wrong", NULL);
ROW(umask, "umask", NULL);
ROW(credentials, "credentials", NULL);

FIXTURE_SETUP(own)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(own)
{
	twin_free(&self->twin);
}

TEST_F(own, is_free)
{
	const char *name = variant->name;
	char path[108];

	if (name && !strncmp(name, "DIR/", 4)) {
		snprintf(path, sizeof(path), "%s/%s", harness_dir(), name + 4);
		name = path;
	}
	twin_run(&self->twin, DENY_ALL, ARGS("neighbour", variant->scenario, harness_dir(), name));
	EXPECT_NULL(sandbox_event(&self->twin.sandboxed, "decision", 0));
}

/* ---- the host's -------------------------------------------------------- */

enum {
	KINDS = 3,
	WAYS = 2,
	ATTEMPTS = 6 * (3 + 1), /* six names, each for three kinds of connect and one send */
};

static const struct {
	const char *name;
	int type;
} kinds[KINDS] = {
	{ "stream", SOCK_STREAM },
	{ "dgram", SOCK_DGRAM },
	{ "seqpacket", SOCK_SEQPACKET },
};

FIXTURE(host)
{
	struct sandbox sandbox;
	char abstract[32];
	int fds[KINDS][WAYS]; /* by path, by abstract name */
};

FIXTURE_SETUP(host)
{
	char path[108];

	if (!netns_or_skip())
		return;
	snprintf(self->abstract, sizeof(self->abstract), "host-%d", getpid());
	for (int i = 0; i < KINDS; i++) {
		snprintf(path, sizeof(path), "%s/host.%s", harness_dir(), kinds[i].name);
		self->fds[i][0] = unixserver_open(kinds[i].type, path);
		snprintf(path, sizeof(path), "@%s.%s", self->abstract, kinds[i].name);
		self->fds[i][1] = unixserver_open(kinds[i].type, path);
		ASSERT_LE(0, self->fds[i][0]);
		ASSERT_LE(0, self->fds[i][1]);
	}
}

FIXTURE_TEARDOWN(host)
{
	sandbox_free(&self->sandbox);
}

/* What is printed of the scenario's own sockets is no attempt to reach the host. */
static void expect_attempts(struct host_data *self, bool success)
{
	char *rest = self->sandbox.command.out.text, *line, *result;
	int attempts = 0;

	while ((line = strsep(&rest, "\n")) && *line) {
		result = strrchr(line, ' ') + 1;
		if (!strncmp(line, "bind", 4) || !strncmp(line, "to the own", 10)) {
			EXPECT_STREQ("0", result);
			continue;
		}
		attempts++;
		EXPECT_EQ(success, strcmp(result, "EACCES") != 0)
		{
			TH_LOG("%s", line);
		}
		EXPECT_EQ(success, *result >= '0' && *result <= '9')
		{
			TH_LOG("%s", line);
		}
	}
	EXPECT_EQ(ATTEMPTS, attempts);
}

static void expect_contacts(struct host_data *self, bool some)
{
	for (int i = 0; i < KINDS; i++)
		for (int way = 0; way < WAYS; way++)
			EXPECT_EQ(some, unixserver_count(self->fds[i][way], kinds[i].type) > 0)
			{
				TH_LOG("%s %s", kinds[i].name, way ? "abstract" : "by path");
			}
}

TEST_F(host, is_reached_without_a_sandbox)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, NULL,
				 ARGS("neighbour", "reach", harness_dir(), self->abstract)));
	expect_attempts(self, true);
	expect_contacts(self, true);
}

TEST_F(host, is_out_of_reach)
{
	const json_t *decision;

	ASSERT_EQ(0, sandbox_run(&self->sandbox, DENY_ALL,
				 ARGS("neighbour", "reach", harness_dir(), self->abstract)));
	expect_attempts(self, false);
	expect_contacts(self, false);
	for (int i = 0; i < ATTEMPTS; i++) {
		decision = sandbox_event(&self->sandbox, "decision", i);
		EXPECT_STREQ("unix", event_text(decision, "proto"));
		EXPECT_STREQ("deny", event_text(decision, "verdict"));
		EXPECT_STREQ("unix-default", event_text(decision, "rule"));
		EXPECT_STRNE("", event_text(decision, "path"));
		EXPECT_EQ(EACCES, event_number(decision, "errno"));
	}
	EXPECT_NULL(sandbox_event(&self->sandbox, "decision", ATTEMPTS));
}

/* Whatever the default is: these services can run programs outside the sandbox. */
TEST_F(host, is_out_of_reach_by_a_deny_list_too)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--net-deny", "10.0.0.0/8"),
				 ARGS("neighbour", "reach", harness_dir(), self->abstract)));
	expect_attempts(self, false);
	expect_contacts(self, false);
}

TEST_F(host, is_reached_under_the_preset_that_allows_all)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("-q", "--preset", "allow-all"),
				 ARGS("neighbour", "reach", harness_dir(), self->abstract)));
	expect_attempts(self, true);
	expect_contacts(self, true);
}

/* getaddrinfo(3) asks nscd each time: that nobody is there is no decision. */
TEST_F(host, that_does_not_exist_is_no_decision)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, DENY_ALL,
				 ARGS("probe", "connect", "stream", "/no/such/socket", "0", ",",
				      "sendto", "dgram", "/no/such/socket", "0", ",", "connect",
				      "stream", "/var/run/nscd/no-such-socket", "0")));
	EXPECT_STREQ("connect ENOENT\nsendto ENOENT\nconnect ENOENT\n",
		     self->sandbox.command.out.text);
	EXPECT_NULL(sandbox_event(&self->sandbox, "decision", 0));
	EXPECT_STREQ("", self->sandbox.command.err.text);
}

TEST_HARNESS_MAIN
