/* SPDX-License-Identifier: MIT */
/*
 * What a program can notice of being supervised, and nothing else: a line of the
 * table is one of Documentation/compatibility.rst.
 */
#include "selftests/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"

struct fact {
	const char *what, *native, *sandboxed; /* NULL: it depends on the host */
};

static const struct fact facts[] = {
	{ "io_uring_setup", NULL, "ENOSYS" },
	{ "clone3", "EINVAL", "ENOSYS" },
	{ "PR_SET_DUMPABLE", "0", "0" },
	{ "PR_GET_DUMPABLE", "0", "1" },
	{ "PR_SET_DUMPABLE again", "0", "0" },
	{ "PR_GET_NO_NEW_PRIVS", NULL, "1" },
	{ "PR_GET_SECCOMP", NULL, "2" },
	{ "socket tcp", "0", "0" },
	{ "socket mptcp", NULL, "EPROTONOSUPPORT" },
	{ "socket raw", NULL, "EPERM" },
	{ "socket algorithm", NULL, "EAFNOSUPPORT" },
	{ "socket route", "0", "0" },
	{ "socket diag", "0", "EPROTONOSUPPORT" },
	{ "bind to events", "0", "0" },
	{ "sendto events", NULL, "EPERM" },
	{ "SO_ZEROCOPY", "0", "ENOPROTOOPT" },
	{ "kill outside", "0", "EPERM" },
	{ "kill myself", "0", "0" },
	{ "sched_setaffinity of 0", "0", "0" },
	{ "sched_setaffinity of my number", "0", "0" },
	{ "setpriority of 0", "0", "0" },
	{ "setpriority of my number", "0", "0" },
	{ "prlimit of 0", "0", "0" },
	{ "prlimit of my number", "0", "0" },
	{ "ioprio_set of my number", "0", "0" },
	{ "sched_setscheduler of my number", "0", "0" },
	{ "sched_setaffinity of a thread, by itself", "0", "0" },
	{ "sched_setaffinity of its process", "0", "0" },
	{ "sched_setaffinity of a thread beside it", "0", "EPERM" },
	{ "sched_setscheduler of a thread beside it, as it is", "0", "0" },
	{ "sched_setscheduler of a thread beside it", "0", "EPERM" },
	{ "sched_setscheduler of a thread beside it, back", "0", "0" },
	{ "pthread_create with the ordinary scheduling", "0", "0" },
	{ "sched_setaffinity of a child", "0", "EPERM" },
	{ "sched_setscheduler of a child", "0", "EPERM" },
	{ "prlimit of a child", "0", "EPERM" },
	{ "setpriority outside", NULL, "EPERM" },
	{ "prlimit that only asks", "0", "0" },
	{ "a child that wants to be traced", "0", "0" },
	{ "SO_PEERCRED of a pair of streams:", "mine", "mine" },
	{ "SCM_CREDENTIALS in a pair of streams:", "mine", "mine" },
	{ "SO_PEERCRED of a pair of packets:", "mine", "mine" },
	{ "SCM_CREDENTIALS in a pair of packets:", "mine", "mine" },
	{ "SO_PEERCRED of a pair of datagrams:", "mine", "mine" },
	{ "SCM_CREDENTIALS in a pair of datagrams:", "mine", "another's" },
	{ "SO_PEERCRED of who connected:", "mine", "another's" },
	{ "SO_PEERCRED of who listens:", "mine", "another's" },
	{ "an orphan's parent is", NULL, "sandtop" },
	{ "connect interrupted", "EINTR", "EINTR" },
	{ "bind in a Landlock domain of its own", "EACCES", "0" },
	{ "SANDTOP is", "not set", "set" },
	{ 0 },
};

static const struct fact facts_of_ping[] = {
	{ "connect of ping", "0", "0" },
	{ "address of ping:", "0x7f000001", "0x7f000001" },
	{ "getpeername of ping", "0", "ENOTCONN" },
	{ "send of ping", "1", "EDESTADDRREQ" },
	{ 0 },
};

static const struct fact facts_of_namespace[] = {
	{ "my number", "1", "1" },
	{ "sched_setaffinity of my number", "0", "0" },
	{ "setpriority of my number", "0", "0" },
	{ "sched_setaffinity of a thread, by itself", "0", "0" },
	{ "sched_setaffinity of its process", "0", "0" },
	{ "sched_setaffinity of my number outside", "ESRCH", "EPERM" },
	{ 0 },
};

FIXTURE(notice)
{
	struct sandbox sandbox;
};

FIXTURE_SETUP(notice)
{
	netns_or_skip();
}

FIXTURE_TEARDOWN(notice)
{
	sandbox_free(&self->sandbox);
}

/* The value that the transcript has of `what`, in its own line. */
static const char *value_of(const char *transcript, const char *what, char *value, size_t size)
{
	size_t length = strlen(what);

	for (const char *line = transcript; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, what, length) || line[length] != ' ')
			continue;
		line += length + 1;
		snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
		if (!strchr(value, ' ') || !strcmp(value, "not set"))
			return value;
	}
	return "(nothing)";
}

/* Run the scenario with these options, NULL: without sandtop. */
static void expect_facts(struct notice_data *self, const struct fact *fact, const char *scenario,
			 const char *const options[])
{
	char outside[16], value[64];

	snprintf(outside, sizeof(outside), "%d", getpid());
	ASSERT_EQ(0, sandbox_run(&self->sandbox, options, ARGS("noticer", scenario, outside)));
	EXPECT_EQ(0, command_code(&self->sandbox.command))
	{
		TH_LOG("%s", self->sandbox.command.err.text);
	}
	for (; fact->what; fact++) {
		const char *expected = options ? fact->sandboxed : fact->native;
		const char *seen =
			value_of(self->sandbox.command.out.text, fact->what, value, sizeof(value));

		if (expected)
			EXPECT_STREQ(expected, seen)
			{
				TH_LOG("%s", fact->what);
			}
	}
}

TEST_F(notice, nothing_without_sandtop)
{
	expect_facts(self, facts, "facts", NULL);
}

TEST_F(notice, what_the_table_says_and_no_more)
{
	expect_facts(self, facts, "facts", ARGS("-q", "--net-allow", "any://*"));
}

TEST_F(notice, ones_own_number_in_a_pid_namespace)
{
	expect_facts(self, facts_of_namespace, "namespace", NULL);
	sandbox_free(&self->sandbox);
	expect_facts(self, facts_of_namespace, "namespace", ARGS("-q", "--net-allow", "any://*"));
}

/* With icmp allowed and udp not, the socket learns its address and is not connected. */
TEST_F(notice, a_ping_asks_for_its_address)
{
	expect_facts(self, facts_of_ping, "ping", NULL);
	sandbox_free(&self->sandbox);
	expect_facts(self, facts_of_ping, "ping", ARGS("-q", "--allow-icmp"));
}

TEST_HARNESS_MAIN
