/* SPDX-License-Identifier: MIT */
/*
 * Names: what the sandbox can resolve, what its rules make of that, and that
 * nothing else leaves the machine. The name server is asked what reached it.
 */
#include "selftests/harness.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/nameserver.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

enum { DNS_PORT = 5300, PORT = 8080 };

#define API   "api.example.test"
#define EVIL  "evil.example.test"
#define FIXED "fixed.example.test"
#define SOME  "*.example.test:443" /* of these the supervisor asks for none by itself */

FIXTURE(names)
{
	struct nameserver *ns;
	struct server *server;
	struct sandbox sandbox;
	char profile[128];
};

FIXTURE_SETUP(names)
{
	FILE *f;

	if (!netns_or_skip())
		return;
	ASSERT_EQ(0, netns_add_public());
	self->ns = nameserver_new(DNS_PORT);
	ASSERT_NE(NULL, self->ns);
	self->server = server_new(SOCK_STREAM, "0.0.0.0", PORT);
	ASSERT_NE(NULL, self->server);
	snprintf(self->profile, sizeof(self->profile), "%s/dns.toml", harness_dir());
	f = fopen(self->profile, "w");
	ASSERT_NE(NULL, f);
	fprintf(f, "[dns]\nupstream = ['127.0.0.1:%d']\n", DNS_PORT);
	fclose(f);
}

FIXTURE_TEARDOWN(names)
{
	sandbox_free(&self->sandbox);
	server_free(self->server);
	nameserver_free(self->ns);
}

/* Run the asker under a policy of a few words, with the test's name server. */
#define RUN(policy, ...) run(self, policy, ARGS("asker", __VA_ARGS__))
#define POLICY(...)      ((const char *const[]){ __VA_ARGS__, NULL })

static void run(FIXTURE_DATA(names) * self, const char *const policy[], const char *const argv[])
{
	const char *options[32] = { "-q", "--profile-file", self->profile };
	int n = 3;

	while (*policy)
		options[n++] = *policy++;
	sandbox_free(&self->sandbox);
	memset(&self->sandbox, 0, sizeof(self->sandbox));
	ASSERT_EQ(0, sandbox_run(&self->sandbox, options, argv));
	EXPECT_EQ(0, command_code(&self->sandbox.command));
	EXPECT_STREQ("", self->sandbox.command.err.text);
}

#define OUT (self->sandbox.command.out.text)

/* The i-th decision of this protocol, or NULL. */
static const json_t *decision(const struct sandbox *s, const char *proto, size_t i)
{
	const json_t *event;

	for (size_t k = 0; (event = sandbox_event(s, "decision", k)); k++)
		if (!strcmp(event_text(event, "proto"), proto) && !i--)
			return event;
	return NULL;
}

TEST_F(names, a_permitted_name_is_answered_and_another_is_not)
{
	const json_t *event;

	RUN(POLICY("--net-allow", SOME), "ask", FIXED, "A");
	EXPECT_STREQ("connect 0\n"
		     "send 36\n"
		     "rcode 0, 1 records, cut 0, last " NETNS_PUBLIC "1\n"
		     "peer 8.8.8.8\n"
		     "sendto 36\n"
		     "answer from 8.8.8.8:53\n"
		     "rcode 0, 1 records, cut 0, last " NETNS_PUBLIC "1\n"
		     "flags 1 1\n"
		     "connect 0\n"
		     "send 38\n"
		     "rcode 0, 1 records, cut 0, last " NETNS_PUBLIC "1\n"
		     "flags 0 0\n",
		     OUT);
	EXPECT_EQ(3, nameserver_asked(self->ns, NULL));
	event = decision(&self->sandbox, "dns", 0);
	ASSERT_NE(NULL, event);
	EXPECT_STREQ("allow", event_text(event, "verdict"));
	EXPECT_STREQ(FIXED, event_text(event, "host"));
	EXPECT_STREQ("8.8.8.8", event_text(event, "addr"));
	EXPECT_STREQ("asker", event_text(event, "comm"));
	EXPECT_STREQ("allow " SOME, event_text(event, "rule"));

	RUN(POLICY("--net-allow", SOME), "ask", "other.test", "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 0, 1 records, cut 0, last 0.0.0.0\n"));
	EXPECT_EQ(0, nameserver_asked(self->ns, "other.test"));
	event = decision(&self->sandbox, "dns", 0);
	ASSERT_NE(NULL, event);
	EXPECT_STREQ("deny", event_text(event, "verdict"));
	EXPECT_STREQ("not-needed other.test", event_text(event, "rule"));
	EXPECT_EQ(3, nameserver_asked(self->ns, NULL));
}

TEST_F(names, a_rule_follows_the_addresses_of_its_name)
{
	const json_t *event;

	RUN(POLICY("--net-allow", API ":8080"), "fetch", API, "8080", "6");
	EXPECT_STREQ("connect 0\nconnect 0\nconnect 0\nconnect 0\nconnect 0\nconnect 0\n", OUT);
	EXPECT_EQ(0, server_wait(self->server, 6, COMMAND_TIMEOUT));
	event = decision(&self->sandbox, "tcp", 0);
	ASSERT_NE(NULL, event);
	EXPECT_STREQ(API, event_text(event, "host"));
	EXPECT_STREQ("allow " API ":8080", event_text(event, "rule"));

	/* The address of a permitted name is not permitted by itself, nor on another port. */
	RUN(POLICY("--net-allow", API ":8081"), "fetch", API, "8080", "1");
	EXPECT_STREQ("connect ECONNREFUSED\n", OUT);
	RUN(POLICY("--net-allow", "*.example.test:8080"), "fetch", "www.example.test", "8080", "1");
	EXPECT_STREQ("connect 0\n", OUT);
	EXPECT_EQ(0, server_wait(self->server, 7, COMMAND_TIMEOUT));
	EXPECT_EQ(7, server_count(self->server));
}

TEST_F(names, what_is_blocked_stays_blocked_behind_an_alias)
{
	static const char *const policies[][5] = {
		{ "--preset", "public-only", "--block-domain", EVIL, NULL },
		{ "--rule", "deny " EVIL, "--preset", "public-only", NULL },
	};

	for (size_t i = 0; i < 2; i++) {
		RUN(policies[i], "fetch", EVIL, "8080", "1");
		EXPECT_STREQ("connect ECONNREFUSED\n", OUT);
		RUN(policies[i], "fetch", "ads.example.test", "8080", "1");
		EXPECT_STREQ("connect ECONNREFUSED\n", OUT);
		RUN(policies[i], "fetch", "EVIL.Example.Test.", "8080", "1");
		EXPECT_STREQ("connect ECONNREFUSED\n", OUT);
	}
	EXPECT_EQ(0, server_count(self->server));
	EXPECT_EQ(0, nameserver_asked(self->ns, EVIL));
	/* The control: nothing but the block is in the way. */
	RUN(POLICY("--preset", "public-only"), "fetch", "ads.example.test", "8080", "1");
	EXPECT_STREQ("connect 0\n", OUT);
}

TEST_F(names, an_internal_address_is_no_answer)
{
	static const char *const inside[] = { "rebind.example.test", "mixed.example.test" };

	for (size_t i = 0; i < 2; i++) {
		RUN(POLICY("--preset", "public-only"), "lookup", inside[i]);
		EXPECT_NE(NULL, strstr(OUT, ": 0.0.0.0\n"));
		EXPECT_EQ(NULL, strstr(OUT, "10.0.0.5"));
		EXPECT_EQ(NULL, strstr(OUT, NETNS_PUBLIC));
		RUN(POLICY("--preset", "public-only", "--rule", "allow 10.0.0.5:80"), "lookup",
		    inside[i]);
		EXPECT_NE(NULL, strstr(OUT, "10.0.0.5"));
	}
	/* Not the loopback door either. */
	RUN(POLICY("--net-allow", "*.example.test:8080"), "fetch", "zero.example.test", "8080",
	    "1");
	EXPECT_STREQ("connect ECONNREFUSED\n", OUT);
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(names, an_address_beside_the_answer_is_not_learned)
{
	/* Its mail server's is in the additional section of what was asked for. */
	RUN(POLICY("--net-allow", "mail.example.test:8080"), "ask", "mail.example.test", "15");
	EXPECT_NE(NULL, strstr(OUT, "last " NETNS_PUBLIC "9"));
	RUN(POLICY("--net-allow", "mail.example.test:8080"), "elsewhere", NETNS_PUBLIC "9", "8080");
	EXPECT_EQ(0, server_count(self->server));
}

TEST_F(names, answers_that_are_cut_are_whole_over_tcp)
{
	RUN(POLICY("--preset", "public-only"), "ask", "large.example.test", "TXT");
	EXPECT_NE(NULL, strstr(OUT, "rcode 0, 0 records, cut 1"));
	EXPECT_NE(NULL, strstr(OUT, "rcode 0, 8 records, cut 0"));
}

TEST_F(names, a_name_server_that_misbehaves_is_a_failure)
{
	RUN(POLICY("--preset", "public-only"), "ask", "garbage.example.test", "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 2, 0 records"));
	RUN(POLICY("--preset", "public-only"), "ask", "loop.example.test", "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 2, 0 records"));
	RUN(POLICY("--preset", "public-only"), "ask", "none.example.test", "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 3, 0 records"));
}

TEST_F(names, other_types_of_a_refused_name_have_no_data)
{
	RUN(POLICY("--net-allow", SOME), "ask", "other.test", "TXT");
	EXPECT_NE(NULL, strstr(OUT, "rcode 0, 0 records"));
	EXPECT_EQ(0, nameserver_asked(self->ns, NULL));
}

TEST_F(names, a_permitted_name_with_a_search_domain_does_not_exist)
{
	RUN(POLICY("--net-allow", SOME), "ask", API ".corp.example", "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 3, 0 records"));
	EXPECT_EQ(0, nameserver_asked(self->ns, NULL));
}

TEST_F(names, which_names_may_be_resolved)
{
	RUN(POLICY("--net-allow", API ":443", "--resolve", "none"), "lookup", API);
	EXPECT_NE(NULL, strstr(OUT, API ": 0.0.0.0\n"));
	EXPECT_EQ(0, nameserver_asked(self->ns, NULL));
	RUN(POLICY("--net-allow", API ":443", "--resolve", "all"), "lookup", EVIL);
	EXPECT_NE(NULL, strstr(OUT, EVIL ": " NETNS_PUBLIC "9\n"));
	RUN(POLICY("--net-allow", API ":443"), "lookup", "localhost");
	EXPECT_NE(NULL, strstr(OUT, "localhost: 127.0.0.1\n"));
}

TEST_F(names, a_name_that_this_machine_knows_need_not_be_needed)
{
	RUN(POLICY("--net-allow", API ":443", "--resolve", "none"), "ask", "localhost", "A");
	EXPECT_STREQ("allow", event_text(decision(&self->sandbox, "dns", 0), "verdict"));
	RUN(POLICY("--rule", "deny localhost", "--resolve", "none"), "ask", "localhost", "A");
	EXPECT_STREQ("deny", event_text(decision(&self->sandbox, "dns", 0), "verdict"));
}

/*
 * A program that reads the file itself asks nobody. What the list gives an address of this machine
 * is blocked by it, unless it is a local name.
 */
TEST_F(names, a_suffix_holds_for_a_name_that_this_machine_knows)
{
	static const struct {
		const char *address, *rule, *allowed;
	} rows[] = {
		{ NETNS_PUBLIC "1", "*.example.test:8080", "connect 0\n" },
		{ NETNS_PUBLIC "1", "*.other.test:8080", "connect ECONNREFUSED\n" },
		{ NETNS_PUBLIC "2", "*.example.test:8080", "connect ECONNREFUSED\n" },
		{ "127.0.0.1", "*.example.test:8080", "connect ECONNREFUSED\n" },
		{ "127.0.0.2", "*.home.arpa:8080", "connect 0\n" },
	};
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/hosts", harness_dir());
	f = fopen(path, "w");
	ASSERT_NE(NULL, f);
	fprintf(f, NETNS_PUBLIC "1 db.example.test\n127.0.0.1 ads.example.test\n"
				"0.0.0.0 more.example.test\n127.0.0.2 nas.home.arpa\n");
	fclose(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ASSERT_EQ(0, sandbox_start(&self->sandbox,
					   ARGS("-q", "--profile-file", self->profile,
						"--net-allow", rows[i].rule),
					   ARGS("probe", "connect", "tcp", rows[i].address, "8080"),
					   netns_take_hosts, path));
		ASSERT_EQ(0, sandbox_wait(&self->sandbox));
		EXPECT_STREQ(rows[i].allowed, OUT)
		{
			TH_LOG("%s under %s: %s", rows[i].address, rows[i].rule,
			       self->sandbox.command.err.text);
		}
		sandbox_free(&self->sandbox);
	}
	EXPECT_EQ(0, server_wait(self->server, 2, COMMAND_TIMEOUT));
}

TEST_F(names, a_rule_holds_for_a_program_that_never_asks)
{
	RUN(POLICY("--net-allow", FIXED ":8080"), "insist", NETNS_PUBLIC "1", "8080");
	EXPECT_STREQ("connect 0\n", OUT);
	EXPECT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));
}

TEST_F(names, a_rule_for_no_name_is_a_warning)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox,
				 ARGS("--profile-file", self->profile, "--net-allow",
				      "none.example.test:80"),
				 ARGS("asker", "lookup", "none.example.test")));
	EXPECT_EQ(0, command_code(&self->sandbox.command));
	EXPECT_NE(NULL, strstr(self->sandbox.command.err.text,
			       "sandtop: warning: failed to resolve 'none.example.test': "
			       "its rule waits for answers\n"));
}

TEST_F(names, a_rule_for_a_name_of_this_machine_asks_nobody)
{
	RUN(POLICY("--net-allow", "localhost:8080," API ":443"), "lookup", API);
	EXPECT_STREQ("", self->sandbox.command.err.text);
	EXPECT_LT(0, nameserver_asked(self->ns, API));
	EXPECT_EQ(0, nameserver_asked(self->ns, "localhost"));
}

/* As a machine that permits no namespaces: the limit is that of a user namespace of its own. */
static void forbid_namespaces(void *arg)
{
	uid_t uid = geteuid();
	char map[32];
	int fd;

	(void)arg;
	if (unshare(CLONE_NEWUSER))
		_exit(126);
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	fd = open("/proc/self/uid_map", O_WRONLY);
	if (write(fd, map, strlen(map)) < 0)
		_exit(126);
	fd = open("/proc/sys/user/max_net_namespaces", O_WRONLY);
	if (write(fd, "0", 1) != 1)
		_exit(126);
}

TEST_F(names, without_namespaces_names_are_resolved_once)
{
	ASSERT_EQ(0, sandbox_start(&self->sandbox, ARGS("--net-allow", "localhost:8080"),
				   ARGS("probe", "connect", "tcp", "127.0.0.1", "8080"),
				   forbid_namespaces, NULL));
	ASSERT_EQ(0, sandbox_wait(&self->sandbox));
	EXPECT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));
	EXPECT_NE(NULL, strstr(self->sandbox.command.err.text,
			       "sandtop: names: cannot make a network namespace: "));
	sandbox_free(&self->sandbox);
	memset(&self->sandbox, 0, sizeof(self->sandbox));
	/* But what is to be blocked has to be. */
	ASSERT_EQ(0, sandbox_start(&self->sandbox,
				   ARGS("--preset", "public-only", "--block-domain", EVIL),
				   ARGS("true"), forbid_namespaces, NULL));
	ASSERT_EQ(0, sandbox_wait(&self->sandbox));
	EXPECT_EQ(125, command_code(&self->sandbox.command));
	EXPECT_NE(NULL, strstr(self->sandbox.command.err.text, "names cannot be blocked: "));
}

/* ---- the socket in the mirror ------------------------------------------- */

TEST_F(names, epoll_waits_for_the_new_socket)
{
	RUN(POLICY("--net-allow", SOME), "epoll", FIXED);
	EXPECT_STREQ("sendto 36\n"
		     "events 1\n"
		     "data 1122334455667788\n"
		     "rcode 0, 1 records, cut 0, last " NETNS_PUBLIC "1\n"
		     "modify 0\n"
		     "delete 0\n",
		     OUT);
}

TEST_F(names, a_socket_of_the_mirror_reaches_nothing_else)
{
	struct server *udp = server_new(SOCK_DGRAM, "0.0.0.0", PORT);

	ASSERT_NE(NULL, udp);
	/* Also where the policy would permit the destination. */
	RUN(POLICY("--net-allow", SOME, "--net-allow", "udp://" NETNS_PUBLIC "9:8080"), "elsewhere",
	    NETNS_PUBLIC "9", "8080");
	EXPECT_STREQ("to the resolver 36\n"
		     "rcode 0, 1 records, cut 0, last " NETNS_PUBLIC "1\n"
		     "elsewhere ECONNREFUSED\n"
		     "connect elsewhere ECONNREFUSED\n"
		     "send EDESTADDRREQ\n"
		     "both 1\n"
		     "both with a new socket 1\n",
		     OUT);
	EXPECT_EQ(0, server_count(udp));
	server_free(udp);
}

TEST_F(names, a_duplicate_of_the_old_socket_is_judged_as_ever)
{
	struct server *udp = server_new(SOCK_DGRAM, "0.0.0.0", PORT);

	ASSERT_NE(NULL, udp);
	/* The control. */
	ASSERT_EQ(0, sandbox_run(&self->sandbox, NULL,
				 ARGS("asker", "duplicate", NETNS_PUBLIC "9", "8080")));
	EXPECT_EQ(0, server_wait(udp, 2, COMMAND_TIMEOUT));
	EXPECT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));
	RUN(POLICY("--net-allow", SOME), "duplicate", NETNS_PUBLIC "9", "8080");
	EXPECT_STREQ("connect 0\n"
		     "send by the duplicate EDESTADDRREQ\n"
		     "sendto by the duplicate ECONNREFUSED\n"
		     "send in a child EDESTADDRREQ\n"
		     "connect in a child ECONNREFUSED\n"
		     "send in a child EDESTADDRREQ\n"
		     "connect 0\n"
		     "send by the duplicate EPIPE\n"
		     "connect by the duplicate ECONNREFUSED\n",
		     OUT);
	EXPECT_EQ(2, server_count(udp));
	EXPECT_EQ(1, server_count(self->server));
	server_free(udp);
}

TEST_F(names, the_mirror_cannot_be_entered)
{
	RUN(POLICY("--net-allow", SOME), "mirror");
	EXPECT_STREQ("connect 0\nits namespace EPERM\nsendto 0\nbind EACCES\n", OUT);
}

TEST_F(names, malformed_queries_get_formerr_or_nothing)
{
	RUN(POLICY("--net-allow", SOME), "datagrams",
	    /* nothing; less than a header; an answer */
	    "", "0001", "000281000000000000000000",
	    /* no question; two; a name beyond the end; a label of 64; a pointer to itself */
	    "000301000000000000000000",
	    "000401000002000000000000016100000100010161000001"
	    "0001",
	    "0005010000010000000000003f61", "000601000001000000000000400000010001",
	    "000701000001000000000000c00c00010001",
	    /* NOTIFY; a zone transfer; class CHAOS */
	    "00082100000100000000000001610000010001", "00090100000100000000000001610000fc0001",
	    "000a0100000100000000000001610000010003",
	    /* a NUL and a dot in a label */
	    "000b0100000100000000000003612e000000010001");
	EXPECT_STREQ("send 0\n"
		     "send 2\n"
		     "send 12\n"
		     "send 12\n"
		     "id 0003 rcode 1 of enough bytes\n"
		     "send 26\n"
		     "id 0004 rcode 1 of enough bytes\n"
		     "send 14\n"
		     "id 0005 rcode 1 of enough bytes\n"
		     "send 18\n"
		     "id 0006 rcode 1 of enough bytes\n"
		     "send 18\n"
		     "id 0007 rcode 1 of enough bytes\n"
		     "send 19\n"
		     "id 0008 rcode 4 of enough bytes\n"
		     "send 19\n"
		     "id 0009 rcode 4 of enough bytes\n"
		     "send 19\n"
		     "id 000a rcode 4 of enough bytes\n"
		     "send 21\n"
		     "id 000b rcode 0 of enough bytes\n",
		     OUT);
}

TEST_F(names, a_flood_of_queries_keeps_nobody_from_asking)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox,
				 ARGS("-q", "--profile-file", self->profile, "--net-allow", SOME),
				 ARGS("asker", "flood", "4000")));
	EXPECT_EQ(0, command_code(&self->sandbox.command));
	EXPECT_NE(NULL, strstr(OUT, API ": " NETNS_PUBLIC));
}

/* Everyone's command line begins with "sandtop", also that of the helper: it is known by its name.
 */
static pid_t find_helper(pid_t guardian)
{
	char path[64], comm[32] = "";
	pid_t pid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", guardian, guardian);
	f = fopen(path, "r");
	while (f && fscanf(f, "%d", &pid) == 1) {
		FILE *name;

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		name = fopen(path, "r");
		if (name && fscanf(name, "%31s", comm) == 1 && !strcmp(comm, "sandtop-mirror")) {
			fclose(name);
			fclose(f);
			return pid;
		}
		if (name)
			fclose(name);
	}
	if (f)
		fclose(f);
	return -1;
}

TEST_F(names, without_the_helper_nothing_is_resolved)
{
	pid_t helper;

	ASSERT_EQ(0, sandbox_start(&self->sandbox,
				   ARGS("-q", "--profile-file", self->profile, "--net-allow", SOME),
				   ARGS("asker", "exhaust", FIXED), NULL, NULL));
	ASSERT_EQ(0, command_wait_text(&self->sandbox.command, &self->sandbox.command.out, "ready",
				       COMMAND_TIMEOUT));
	helper = find_helper(self->sandbox.command.pid);
	ASSERT_NE(-1, helper);
	EXPECT_EQ(0, kill(helper, SIGKILL));
	ASSERT_EQ(0, sandbox_wait(&self->sandbox));
	EXPECT_EQ(0, command_code(&self->sandbox.command));
	/* What was at hand is used up, then there is nothing, and nothing leads around it. */
	EXPECT_NE(NULL, strstr(OUT, "ready\nended ECONNREFUSED\n"));
}

TEST_F(names, a_list_of_blocked_names)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/ads.hosts", harness_dir());
	f = fopen(path, "w");
	ASSERT_NE(NULL, f);
	fprintf(f, "# ads\n127.0.0.1 localhost\n0.0.0.0 " EVIL "\n");
	fclose(f);
	f = fopen(self->profile, "a");
	fprintf(f, "block_file = ['ads.hosts']\n");
	fclose(f);
	RUN(POLICY("--preset", "public-only"), "lookup", EVIL);
	EXPECT_NE(NULL, strstr(OUT, EVIL ": 0.0.0.0\n"));
	RUN(POLICY("--preset", "public-only"), "lookup", FIXED);
	EXPECT_NE(NULL, strstr(OUT, FIXED ": " NETNS_PUBLIC "1\n"));
	EXPECT_EQ(0, nameserver_asked(self->ns, EVIL));

	f = fopen(path, "a");
	fprintf(f, "no address\n");
	fclose(f);
	sandbox_free(&self->sandbox);
	memset(&self->sandbox, 0, sizeof(self->sandbox));
	ASSERT_EQ(0, sandbox_run(&self->sandbox,
				 ARGS("--profile-file", self->profile, "--preset", "public-only"),
				 ARGS("true")));
	EXPECT_EQ(2, command_code(&self->sandbox.command));
	EXPECT_NE(NULL, strstr(self->sandbox.command.err.text,
			       "/ads.hosts:4: 'no address': expected a name"));
}

TEST_F(names, a_list_that_is_not_there_is_told_with_its_place)
{
	char expected[400];
	FILE *f = fopen(self->profile, "w");

	ASSERT_NE(NULL, f);
	fprintf(f, "[dns]\nblock_file = [\n  'ads.hosts',\n]\n");
	fclose(f);
	ASSERT_EQ(0, sandbox_run(&self->sandbox,
				 ARGS("--profile-file", self->profile, "--preset", "public-only"),
				 ARGS("true")));
	EXPECT_EQ(2, command_code(&self->sandbox.command));
	snprintf(expected, sizeof(expected),
		 "sandtop: %s:3:3: dns.block_file: cannot read '%s/ads.hosts': No such file or "
		 "directory\n",
		 self->profile, harness_dir());
	EXPECT_STREQ(expected, self->sandbox.command.err.text);
}

/* ---- what the user is told ---------------------------------------------- */

TEST_F(names, blocks_alone_are_no_policy)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("--block-domain", EVIL), ARGS("true")));
	EXPECT_EQ(2, command_code(&self->sandbox.command));
	EXPECT_STREQ("sandtop: --block-domain: there is nothing that it could be an exception of: "
		     "add --preset public-only\n",
		     self->sandbox.command.err.text);
}

TEST_F(names, blocks_alone_in_a_profile_name_it)
{
	char expected[400];
	FILE *f = fopen(self->profile, "w");

	ASSERT_NE(NULL, f);
	fprintf(f, "[dns]\nblock = ['" EVIL "']\n");
	fclose(f);
	ASSERT_EQ(0, sandbox_run(&self->sandbox, ARGS("--profile-file", self->profile),
				 ARGS("true")));
	EXPECT_EQ(2, command_code(&self->sandbox.command));
	snprintf(expected, sizeof(expected), "sandtop: %s: [dns]: there is nothing", self->profile);
	EXPECT_STRIN(expected, self->sandbox.command.err.text);
}

TEST_F(names, a_denied_name_is_a_line)
{
	ASSERT_EQ(0, sandbox_run(&self->sandbox,
				 ARGS("--net-allow", "10.1.1.1", "--net-allow", ".example.test"),
				 ARGS("asker", "lookup", "evil.test")));
	EXPECT_NE(NULL,
		  strstr(self->sandbox.command.err.text, "sandtop: DENY dns evil.test asker["));
	EXPECT_NE(NULL, strstr(self->sandbox.command.err.text, "(not-needed evil.test)\n"));
	EXPECT_NE(NULL,
		  strstr(self->sandbox.command.err.text, "\nsandtop:   --allow-host evil.test\n"));
}

TEST_HARNESS_MAIN
