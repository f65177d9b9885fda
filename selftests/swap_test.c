/* SPDX-License-Identifier: MIT */
/*
 * Swapping under traffic: two policies in turn, each of which allows one of two
 * ports. Every decision must be that of the generation it carries, and in the
 * end only what the last one allows may be open.
 *
 * SWAPS=N in the environment says how many (10000 takes about a minute).
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

enum { ODD_PORT = 8081, EVEN_PORT = 8082, SWAPS = 100, LONG = 600 /* seconds */ };

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
		"\"text\":\"[network]\\nallow = [\\\"127.0.0.1:8082\\\"]\"}",
		"{\"v\":1,\"verb\":\"reload\",\"path\":\"odd\","
		"\"text\":\"[network]\\nallow = [\\\"127.0.0.1:8081\\\"]\"}",
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
	return port == (generation % 2 ? ODD_PORT : EVEN_PORT) ? "allow" : "deny";
}

TEST_F_TIMEOUT(swap, every_decision_is_of_its_generation, LONG)
{
	long swaps = getenv("SWAPS") ? atol(getenv("SWAPS")) : SWAPS;
	long decisions = 0, wrong = 0, allowed = 0;
	const char *answer;
	const json_t *e;
	size_t index;
	json_t *event;
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

TEST_HARNESS_MAIN
