/* SPDX-License-Identifier: MIT */
/*
 * Names while the policy changes: what is blocked stays blocked, what is denied
 * ends, what is allowed can be asked for. The peer and the name server tell.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/driven.h"
#include "selftests/lib/nameserver.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"

enum { DNS_PORT = 5300, PORT = 8080 };

#define EVIL    "evil.example.test"
#define FIXED   "fixed.example.test"
#define ADDRESS NETNS_PUBLIC "1"

FIXTURE(change)
{
	struct nameserver *ns;
	struct server *server;
	struct driven d;
	char profile[128];
};

static void write_profile(const char *path, const char *more)
{
	FILE *f = fopen(path, "we");

	ASSERT_NE(NULL, f);
	fprintf(f, "[dns]\nupstream = ['127.0.0.1:%d']\n%s", DNS_PORT, more);
	fclose(f);
}

FIXTURE_SETUP(change)
{
	if (!netns_or_skip())
		return;
	ASSERT_EQ(0, netns_add_public());
	driven_init();
	self->ns = nameserver_new(DNS_PORT);
	ASSERT_NE(NULL, self->ns);
	self->server = server_new(SOCK_STREAM, "0.0.0.0", PORT);
	ASSERT_NE(NULL, self->server);
	snprintf(self->profile, sizeof(self->profile), "%s/dns.toml", harness_dir());
	write_profile(self->profile, "");
}

FIXTURE_TEARDOWN(change)
{
	driven_free(&self->d);
	server_free(self->server);
	nameserver_free(self->ns);
}

static void start(FIXTURE_DATA(change) * self, const char *flag, const char *value)
{
	driven_start(&self->d, "web", ARGS("--profile-file", self->profile, flag, value), NULL,
		     NULL);
}

static char *say(FIXTURE_DATA(change) * self, const char *what, const char *operand)
{
	return (char *)driven_say(&self->d, "%s %s", what, operand);
}

/* The list of this machine's names has been read; the rule comes later. */
TEST_F(change, a_suffix_that_is_allowed_holds_at_once)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/hosts", harness_dir());
	f = fopen(path, "we");
	ASSERT_NE(NULL, f);
	fprintf(f, "127.0.0.2 nas.home.arpa\n");
	fclose(f);
	driven_start(&self->d, "web",
		     ARGS("--profile-file", self->profile, "--preset", "public-only"),
		     netns_take_hosts, path);
	EXPECT_STREQ("open ECONNREFUSED", say(self, "open tcp", "127.0.0.2 8080"));
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("allow", "*.home.arpa")));
	EXPECT_STREQ("open 0 0", say(self, "open tcp", "127.0.0.2 8080"));
	EXPECT_STREQ("open ECONNREFUSED", say(self, "open tcp", "127.0.0.3 8080"));
	EXPECT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));
}

/* Of a list that is learned in parts the last line counts as well. */
TEST_F(change, a_suffix_knows_a_long_hosts_file_at_once)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/hosts", harness_dir());
	f = fopen(path, "we");
	ASSERT_NE(NULL, f);
	for (int i = 0; i < 20000; i++)
		fprintf(f, "203.0.%d.%d n%d.corp.test\n0.0.0.0 ads%d.corp.test\n", i / 200, i % 200,
			i, i);
	fprintf(f, ADDRESS " last.corp.test\n");
	fclose(f);
	driven_start(&self->d, "web", ARGS("--net-allow", "*.example.test:8080"), netns_take_hosts,
		     path);
	EXPECT_STREQ("open ECONNREFUSED", say(self, "open tcp", ADDRESS " 8080"));
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("allow", "*.corp.test")));
	EXPECT_STREQ("open 0 0", say(self, "open tcp", ADDRESS " 8080"));
	EXPECT_STREQ("open ECONNREFUSED", say(self, "open tcp", NETNS_PUBLIC "9 8080"));
	EXPECT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));
	EXPECT_EQ(1, server_count(self->server));
}

TEST_F(change, a_denied_name_is_gone_with_its_connections)
{
	start(self, "--preset", "public-only");
	EXPECT_STREQ("resolve " ADDRESS, say(self, "resolve", FIXED));
	EXPECT_STREQ("open 0 0", say(self, "open tcp", ADDRESS " 8080"));
	EXPECT_STREQ("open 1 0", say(self, "open tcp", NETNS_PUBLIC "9 8080"));

	EXPECT_STREQ("generation 2, 1 flows shut\n", driven_ctl(0, ARGS("deny", FIXED)));
	EXPECT_STREQ("send 0 EPIPE", say(self, "send", "0"));
	EXPECT_STREQ("send 1 5", say(self, "send", "1"));
	EXPECT_STREQ("resolve 0.0.0.0", say(self, "resolve", FIXED));
	EXPECT_STREQ("open ECONNREFUSED", say(self, "open tcp", ADDRESS " 8080"));
	EXPECT_EQ(2, server_count(self->server));

	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("undo")));
	EXPECT_STREQ("resolve " ADDRESS, say(self, "resolve", FIXED));
	EXPECT_STREQ("open 2 0", say(self, "open tcp", ADDRESS " 8080"));
}

TEST_F(change, an_allowed_name_can_be_asked_for)
{
	start(self, "--net-allow", "other.example.test:8080");
	EXPECT_STREQ("resolve 0.0.0.0", say(self, "resolve", FIXED));
	EXPECT_EQ(0, nameserver_asked(self->ns, FIXED));
	EXPECT_STREQ("open ECONNREFUSED", say(self, "open tcp", ADDRESS " 8080"));

	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("allow", FIXED ":8080")));
	EXPECT_STREQ("resolve " ADDRESS, say(self, "resolve", FIXED));
	EXPECT_STREQ("open 0 0", say(self, "open tcp", ADDRESS " 8080"));
	EXPECT_EQ(0, server_wait(self->server, 1, COMMAND_TIMEOUT));

	/* What a name has permitted is still permitted by it when the policy changes. */
	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("deny", "10.0.0.1")));
	EXPECT_STREQ("send 0 5", say(self, "send", "0"));
	EXPECT_STREQ("generation 3, 1 flows shut\n", driven_ctl(0, ARGS("shut", FIXED)));
	EXPECT_STREQ("send 0 EPIPE", say(self, "send", "0"));
}

static void open_port_53(FIXTURE_DATA(change) * self, bool open)
{
	char rules[128];

	snprintf(rules, sizeof(rules), "[network]\nrules = [%s]\npreset = 'public-only'\n",
		 open ? "'allow any://" ADDRESS ":53'" : "");
	write_profile(self->profile, rules);
}

/* What a rule has led around the sinkhole does not outlive the rule. */
TEST_F(change, a_name_server_of_its_own_is_gone_with_its_rule)
{
	struct server *tcp = server_new(SOCK_STREAM, ADDRESS, 53);
	struct server *udp = server_new(SOCK_DGRAM, ADDRESS, 53);

	ASSERT_NE(NULL, tcp);
	ASSERT_NE(NULL, udp);
	open_port_53(self, true);
	start(self, "-q", NULL);
	EXPECT_STREQ("open 0 0", say(self, "open tcp", ADDRESS " 53"));
	EXPECT_STREQ("open 1 0", say(self, "open udp", ADDRESS " 53"));
	EXPECT_STREQ("send 0 5", say(self, "send", "0"));
	EXPECT_STREQ("send 1 5", say(self, "send", "1"));
	EXPECT_EQ(0, server_wait(tcp, 1, COMMAND_TIMEOUT));
	EXPECT_EQ(0, server_wait(udp, 1, COMMAND_TIMEOUT));

	/* A change that is about something else leaves them alone. */
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("deny", "10.0.0.1")));
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("shut", "10.0.0.1")));
	open_port_53(self, false);
	EXPECT_STREQ("generation 3, 2 flows shut\n", driven_ctl(0, ARGS("reload")));
	EXPECT_STREQ("send 0 EPIPE", say(self, "send", "0"));
	EXPECT_STREQ("send 1 EPIPE", say(self, "send", "1"));

	/*
	 * The same address is now the sinkhole, whose connections a change leaves alone; socket 1
	 * still has its peer, and is shut once more.
	 */
	EXPECT_STREQ("open 2 0", say(self, "open tcp", ADDRESS " 53"));
	EXPECT_STREQ("open 3 0", say(self, "open udp", ADDRESS " 53"));
	EXPECT_STREQ("generation 4, 1 flows shut\n", driven_ctl(0, ARGS("deny", "10.0.0.2")));
	EXPECT_STREQ("send 3 5", say(self, "send", "3"));
	EXPECT_EQ(1, server_count(tcp));
	EXPECT_EQ(1, server_count(udp));
	server_free(tcp);
	server_free(udp);
}

TEST_F(change, a_connect_that_waits_does_not_lead_around_the_sinkhole)
{
	int hole;

	open_port_53(self, true);
	start(self, "-q", NULL);
	hole = driven_black_hole(&self->d, ADDRESS, 53);
	driven_begin(&self->d, "open tcp " ADDRESS " 53");
	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("deny", "10.0.0.1")));
	open_port_53(self, false);
	EXPECT_STREQ("generation 3, 2 flows shut\n", driven_ctl(0, ARGS("reload")));
	EXPECT_STREQ("open ECONNREFUSED", driven_answer(&self->d));
	close(hole);
}

TEST_F(change, a_list_of_blocked_names_outlives_it)
{
	char list[160], other[160];
	FILE *f;

	snprintf(list, sizeof(list), "%s/ads", harness_dir());
	snprintf(other, sizeof(other), "%s/other.toml", harness_dir());
	f = fopen(list, "we");
	ASSERT_NE(NULL, f);
	fprintf(f, EVIL "\n");
	fclose(f);
	write_profile(self->profile, "block_file = ['ads']\n");
	write_profile(other, "block_file = ['not-read']\n");
	start(self, "--preset", "public-only");
	EXPECT_STREQ("resolve 0.0.0.0", say(self, "resolve", EVIL));
	EXPECT_STREQ("resolve " ADDRESS, say(self, "resolve", FIXED));

	EXPECT_STREQ("generation 2, 0 flows shut\n", driven_ctl(0, ARGS("allow", ":1")));
	EXPECT_STREQ("resolve 0.0.0.0", say(self, "resolve", EVIL));
	EXPECT_STREQ("generation 3, 0 flows shut\n", driven_ctl(0, ARGS("reload")));
	EXPECT_STREQ("resolve 0.0.0.0", say(self, "resolve", EVIL));
	EXPECT_NE(NULL, strstr(driven_ctl(1, ARGS("reload", other)), "this run has not read it"));
	EXPECT_STREQ("resolve 0.0.0.0", say(self, "resolve", EVIL));
	EXPECT_NE(NULL, strstr(driven_ctl(0, ARGS("policy")), list));
	EXPECT_EQ(0, nameserver_asked(self->ns, EVIL));

	/* The control: without the list the name is one like any other. */
	write_profile(self->profile, "");
	EXPECT_STREQ("generation 4, 0 flows shut\n", driven_ctl(0, ARGS("reload")));
	EXPECT_STREQ("resolve " NETNS_PUBLIC "9", say(self, "resolve", EVIL));
}

TEST_HARNESS_MAIN
