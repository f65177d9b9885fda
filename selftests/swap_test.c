/* SPDX-License-Identifier: MIT */
/*
 * Swapping under traffic: two policies in turn, each of which allows one of two
 * ports. Every decision must be that of the generation it carries, and in the
 * end only what the last one allows may be open. What both allow never fails, and what neither
 * does is never reached.
 *
 * SWAPS=N in the environment says how many (10000 take a minute or two).
 */
#include "selftests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/driven.h"
#include "selftests/lib/netns.h"
#include "selftests/lib/server.h"
#include "selftests/lib/textfile.h"

enum {
	ODD_PORT = 8081,
	EVEN_PORT = 8082,
	ALWAYS_PORT = 8083,
	NEVER_PORT = 8084,
	SWAPS = 100,
	STORM_SWAPS = 20,
	TASKS = 8,
	LONG = 600,           /* seconds */
	RSS_TOLERANCE = 4096, /* KiB */
};

#define ALWAYS(quote) quote "any://127.0.0.1:8083" quote

FIXTURE(swap)
{
	struct driven d;
	struct server *odd, *even;
	int control;
};

FIXTURE_SETUP(swap)
{
	if (!netns_or_skip())
		return;
	driven_init();
	/* A sanitizer keeps what was freed; not for long, here. */
	setenv("ASAN_OPTIONS", "detect_leaks=0:quarantine_size_mb=1", 1);
	self->odd = server_new(SOCK_STREAM, "127.0.0.1", ODD_PORT);
	self->even = server_new(SOCK_STREAM, "127.0.0.1", EVEN_PORT);
	ASSERT_NE(NULL, self->odd);
	ASSERT_NE(NULL, self->even);
	driven_start(&self->d, "web", ARGS("-q", "--profile-file", "/dev/null"), NULL, NULL);
	self->control = driven_connect("web");
	ASSERT_LE(0, self->control);
}

FIXTURE_TEARDOWN(swap)
{
	close(self->control);
	driven_free(&self->d);
	server_free(self->odd);
	server_free(self->even);
}

/* The profile of a generation allows one port only. */
static void change_to(FIXTURE_DATA(swap) * self, long generation)
{
	static const char *const requests[] = {
		"{\"v\":1,\"verb\":\"reload\",\"path\":\"even\","
		"\"text\":\"[network]\\nallow = [\\\"any://127.0.0.1:8082\\\"," ALWAYS(
			"\\\"") "]\"}",
		"{\"v\":1,\"verb\":\"reload\",\"path\":\"odd\","
		"\"text\":\"[network]\\nallow = [\\\"any://127.0.0.1:8081\\\"," ALWAYS(
			"\\\"") "]\"}",
	};
	json_t *reply = driven_request(self->control, requests[generation % 2]);

	ASSERT_EQ(generation, event_number(reply, "generation"))
	{
		TH_LOG("%s", event_text(reply, "error"));
	}
	json_decref(reply);
}

/* The first generation denies everything; then 8082 and 8081 in turn. */
static const char *oracle(long generation, long port)
{
	if (generation == 1)
		return "deny";
	if (port == ALWAYS_PORT)
		return "allow";
	return port == (generation % 2 ? ODD_PORT : EVEN_PORT) ? "allow" : "deny";
}

/* The supervisor. */
static pid_t parent_of_command(FIXTURE_DATA(swap) * self)
{
	const char *text = driven_say(&self->d, "parent");

	ASSERT_EQ(0, strncmp(text, "parent ", 7));
	return atoi(text + 7);
}

static void check_decisions(FIXTURE_DATA(swap) * self, long swaps)
{
	long decisions = 0, wrong = 0, allowed = 0;
	const json_t *e;
	size_t index;
	json_t *event;

	json_array_foreach(self->d.sandbox.events, index, event)
	{
		e = event;
		if (strcmp(event_text(e, "event"), "decision"))
			continue;
		decisions++;
		allowed += !strcmp(event_text(e, "verdict"), "allow");
		if (strcmp(event_text(e, "verdict"),
			   oracle(event_number(e, "generation"), event_number(e, "port"))) &&
		    wrong++ < 5)
			TH_LOG("generation %ld, port %ld: %s", event_number(e, "generation"),
			       event_number(e, "port"), event_text(e, "verdict"));
	}
	EXPECT_EQ(0, wrong);
	TH_LOG("%ld swaps, %ld decisions, %ld allowed", swaps, decisions, allowed);
	EXPECT_LT(swaps / 10, decisions);
	EXPECT_LT(0, allowed);
}

TEST_F_TIMEOUT(swap, every_decision_is_of_its_generation, LONG)
{
	long swaps = getenv("SWAPS") ? atol(getenv("SWAPS")) : SWAPS;
	const char *answer;
	int odd, even;

	driven_begin(&self->d, "churn 127.0.0.1 %d %d", ODD_PORT, EVEN_PORT);
	for (long generation = 2; generation < 2 + swaps; generation++)
		change_to(self, generation);
	/* An even number of swaps ends with an odd generation. */
	driven_begin(&self->d, "many 127.0.0.1 %d 1", ODD_PORT);
	answer = driven_answer(&self->d);
	ASSERT_NE(NULL, strstr(answer, "many"));
	driven_quit(&self->d);

	ASSERT_NE(NULL, strstr(self->d.sandbox.command.out.text, "\nchurn "));
	ASSERT_EQ(2, sscanf(strstr(self->d.sandbox.command.out.text, "\nchurn "), "\nchurn %d %d",
			    &odd, &even));
	EXPECT_EQ(0, swaps % 2 ? odd : even)
	{
		TH_LOG("still open: %d and %d", odd, even);
	}
	check_decisions(self, swaps);
}

/* Resident memory (KiB) and the size of the descriptor table of a process. */
static void look_at(pid_t pid, long *rss, long *table)
{
	char path[64];
	const char *text;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = textfile_read(path);
	ASSERT_NE(NULL, strstr(text, "VmRSS:"));
	*rss = atol(strstr(text, "VmRSS:") + 6);
	*table = atol(strstr(text, "FDSize:") + 7);
}

TEST_F_TIMEOUT(swap, harms_nobody_beside_it, LONG)
{
	long swaps = getenv("SWAPS") ? atol(getenv("SWAPS")) : STORM_SWAPS;
	struct server *never[] = { server_new(SOCK_STREAM, "127.0.0.1", NEVER_PORT),
				   server_new(SOCK_DGRAM, "127.0.0.1", NEVER_PORT) };
	struct server *always[] = { server_new(SOCK_STREAM, "127.0.0.1", ALWAYS_PORT),
				    server_new(SOCK_DGRAM, "127.0.0.1", ALWAYS_PORT) };
	long failed = -1, reached = -1, calls = 0, rss[2], table[2];
	pid_t supervisor = parent_of_command(self);
	const char *storm;

	ASSERT_TRUE(never[0] && never[1] && always[0] && always[1]);
	change_to(self, 2);
	driven_begin(&self->d, "storm 127.0.0.1 %d %d", ODD_PORT, TASKS);
	for (long generation = 3; generation < 2 + swaps; generation++) {
		change_to(self, generation);
		if (generation == 2 + swaps / 2)
			look_at(supervisor, &rss[0], &table[0]);
	}
	look_at(supervisor, &rss[1], &table[1]);
	driven_quit(&self->d);

	storm = strstr(self->d.sandbox.command.out.text, "\nstorm ");
	ASSERT_NE(NULL, storm);
	ASSERT_EQ(3, sscanf(storm, "\nstorm %ld %ld %ld", &failed, &reached, &calls));
	EXPECT_EQ(0, failed);
	EXPECT_EQ(0, reached);
	TH_LOG("%ld swaps, %ld calls; RSS %ld KiB, then %ld KiB; descriptors %ld, then %ld", swaps,
	       calls, rss[0], rss[1], table[0], table[1]);
	EXPECT_LT(TASKS * 9, calls);
	EXPECT_GE(rss[0] + RSS_TOLERANCE, rss[1]);
	EXPECT_GE(2 * table[0], table[1]);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, server_knock(never[i]));
		EXPECT_EQ(0, server_count(never[i]));
		EXPECT_LT(TASKS, server_count(always[i]));
		server_free(never[i]);
		server_free(always[i]);
	}
	check_decisions(self, swaps);
}

TEST_HARNESS_MAIN
