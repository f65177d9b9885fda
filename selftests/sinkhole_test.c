/* SPDX-License-Identifier: MIT */
/*
 * The sinkhole when name servers fail, names are odd, and a program looks for a
 * way around it. The name server and the listeners are asked what reached them.
 */
#include "selftests/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "selftests/lib/nameserver.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/sandbox.h"
#include "selftests/lib/server.h"

enum { DNS_PORT = 5300, DEAD_PORT = 5301, PORT = 8080 };

#define FIXED "fixed.example.test"
#define GOOD  "rcode 0, 1 records, cut 0, last " NETNS_PUBLIC "1\n"
#define SOME  "*.example.test:443"

FIXTURE(sinkhole)
{
	struct nameserver *ns;
	struct sandbox sandbox;
	char profile[128];
};

static void configure(FIXTURE_DATA(sinkhole) * self, const char *lines)
{
	FILE *f = fopen(self->profile, "w");

	ASSERT_NE(NULL, f);
	fprintf(f, "[dns]\n%s\n", lines);
	fclose(f);
}

FIXTURE_SETUP(sinkhole)
{
	if (!netns_or_skip())
		return;
	ASSERT_EQ(0, netns_add_public());
	self->ns = nameserver_new(DNS_PORT);
	ASSERT_NE(NULL, self->ns);
	snprintf(self->profile, sizeof(self->profile), "%s/dns.toml", harness_dir());
	configure(self, "upstream = ['127.0.0.1:5300']");
}

FIXTURE_TEARDOWN(sinkhole)
{
	sandbox_free(&self->sandbox);
	nameserver_free(self->ns);
}

static void run(FIXTURE_DATA(sinkhole) * self, const char *rule, const char *const argv[])
{
	sandbox_free(&self->sandbox);
	memset(&self->sandbox, 0, sizeof(self->sandbox));
	ASSERT_EQ(0, sandbox_run(&self->sandbox,
				 ARGS("-q", "--profile-file", self->profile, "--net-allow", rule),
				 argv));
	EXPECT_EQ(0, command_code(&self->sandbox.command));
	EXPECT_STREQ("", self->sandbox.command.err.text);
}

#define RUN(rule, ...) run(self, rule, ARGS("asker", __VA_ARGS__))
#define OUT            (self->sandbox.command.out.text)

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- name servers that fail --------------------------------------------- */

TEST_F(sinkhole, says_servfail_after_five_seconds_of_silence)
{
	double start = seconds();

	RUN(SOME, "question", "silent.example.test", "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 2, 0 records"));
	EXPECT_LE(3, seconds() - start);
	EXPECT_GE(7, seconds() - start);
}

TEST_F(sinkhole, asks_again_when_a_datagram_is_lost)
{
	RUN(SOME, "question", "lossy.example.test", "A");
	EXPECT_STREQ(GOOD, OUT);
	EXPECT_EQ(2, nameserver_asked(self->ns, "lossy.example.test"));
}

TEST_F(sinkhole, asks_the_next_name_server)
{
	configure(self, "upstream = ['127.0.0.1:5301', '127.0.0.1:5300']");
	RUN(SOME, "question", FIXED, "A");
	EXPECT_STREQ(GOOD, OUT);
	configure(self, "upstream = ['127.0.0.1:5301']");
	RUN(SOME, "question", FIXED, "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 2, 0 records"));
}

/* ---- what is asked for -------------------------------------------------- */

TEST_F(sinkhole, refuses_in_three_ways)
{
	static const struct {
		const char *denied, *answer;
	} rows[] = {
		{ "zero", "rcode 0, 1 records, cut 0, last 0.0.0.0\n" },
		{ "nxdomain", "rcode 3, 0 records" },
		{ "refused", "rcode 5, 0 records" },
	};

	for (size_t i = 0; i < 3; i++) {
		char lines[128];

		snprintf(lines, sizeof(lines), "upstream = ['127.0.0.1:5300']\ndenied = '%s'",
			 rows[i].denied);
		configure(self, lines);
		RUN(SOME, "question", "other.test", "A");
		EXPECT_EQ(0, strncmp(OUT, rows[i].answer, strlen(rows[i].answer)))
		{
			TH_LOG("%s: %s", rows[i].denied, OUT);
		}
		RUN(SOME, "question", FIXED, "A");
		EXPECT_STREQ(GOOD, OUT);
	}
	EXPECT_EQ(0, nameserver_asked(self->ns, "other.test"));
}

#define LABEL62 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12"

TEST_F(sinkhole, knows_a_name_in_each_of_its_forms)
{
	static const char longest[] = LABEL62
		"." LABEL62 "." LABEL62 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeff"
		".test";

	RUN("*.xn--bcher-kva.test:443", "question", "www.XN--BCHER-kva.TEST.", "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 3"));
	EXPECT_EQ(1, nameserver_asked(self->ns, "www.xn--bcher-kva.test"));
	RUN(SOME, "question", "FiXeD.eXaMpLe.TeSt", "A");
	EXPECT_STREQ(GOOD, OUT);
	RUN("*.test:443", "question", longest, "A");
	EXPECT_NE(NULL, strstr(OUT, "rcode 3"));
	EXPECT_EQ(1, nameserver_asked(self->ns, longest));
	RUN(SOME, "question", longest, "A");
	EXPECT_NE(NULL, strstr(OUT, "last 0.0.0.0\n"));
	EXPECT_EQ(1, nameserver_asked(self->ns, longest));
}

/* Labels with a dot or a NUL in them are no way to look like a permitted name. */
TEST_F(sinkhole, is_not_deceived_by_what_a_label_contains)
{
	RUN(SOME, "datagrams",
	    /* "x.example.test" and "fixed\0.example.test" as one label, then "evil" */
	    "000101000001000000000000"
	    "0e782e6578616d706c652e74657374046576696c0000010001",
	    "000201000001000000000000"
	    "146669786564002e6578616d706c652e74657374046576696c0000010001",
	    /* one label "fixed.example.test" */
	    "000301000001000000000000"
	    "1266697865642e6578616d706c652e746573740000010001");
	EXPECT_EQ(nameserver_asked(self->ns, NULL), nameserver_asked(self->ns, FIXED));
	/* The three queries of the scenario itself: what it asks for after each of the above. */
	EXPECT_EQ(3, nameserver_asked(self->ns, FIXED));
}

TEST_F(sinkhole, takes_queries_over_tcp_in_pieces)
{
	RUN(SOME, "pieces", FIXED);
	EXPECT_STREQ(GOOD GOOD, OUT);
}

/* ---- ways around --------------------------------------------------------- */

TEST_F(sinkhole, lets_no_refused_name_leave)
{
	static const char *const secrets[] = { "c2VjcmV0.evil.test", "example.test.evil.test",
					       "fixed.example.test.evil.test", "evilexample.test",
					       "example.test" };
	static const char *const types[] = { "A", "28", "TXT", "15", "65", "255", "16", "2" };

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		RUN(SOME, "ask", secrets[i], "A");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		RUN(SOME, "question", secrets[0], types[i]);
	EXPECT_EQ(0, nameserver_asked(self->ns, NULL));
	/* The control. */
	RUN(SOME, "question", FIXED, "A");
	EXPECT_EQ(1, nameserver_asked(self->ns, NULL));
}

TEST_F(sinkhole, makes_zero_no_door_to_this_machine)
{
	struct server *server = server_new(SOCK_STREAM, "0.0.0.0", PORT);

	ASSERT_NE(NULL, server);
	RUN(":8080", "fetch", "0.0.0.0", "8080", "1");
	EXPECT_STREQ("connect ECONNREFUSED\n", OUT);
	EXPECT_EQ(0, server_count(server));
	RUN("0.0.0.0:8080", "fetch", "0.0.0.0", "8080", "1");
	EXPECT_STREQ("connect 0\n", OUT);
	EXPECT_EQ(0, server_wait(server, 1, COMMAND_TIMEOUT));
	server_free(server);
}

TEST_F(sinkhole, holds_for_sockets_that_are_passed_on)
{
	struct server *udp = server_new(SOCK_DGRAM, "0.0.0.0", PORT);

	ASSERT_NE(NULL, udp);
	RUN(SOME, "passed", NETNS_PUBLIC "9", "8080", "answer");
	EXPECT_STREQ("connect 0\n"
		     "send by the old one EDESTADDRREQ\n"
		     "sendto by the old one ECONNREFUSED\n"
		     "sendto by the new one ECONNREFUSED\n"
		     "send by the new one 36\n" GOOD,
		     OUT);
	EXPECT_EQ(0, server_count(udp));
	/* The control. */
	sandbox_free(&self->sandbox);
	memset(&self->sandbox, 0, sizeof(self->sandbox));
	ASSERT_EQ(0, sandbox_run(&self->sandbox, NULL,
				 ARGS("asker", "passed", NETNS_PUBLIC "9", "8080")));
	EXPECT_EQ(0, server_wait(udp, 2, COMMAND_TIMEOUT));
	server_free(udp);
}

TEST_HARNESS_MAIN
