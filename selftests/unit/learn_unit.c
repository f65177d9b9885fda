/* SPDX-License-Identifier: MIT */
/*
 * The memory of --learn forgets nothing, and says when it is full.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/learn.h"
#include "policy/addr.h"

static struct endpoint to(uint8_t last, uint16_t port)
{
	struct addr a = { .family = 4, .bytes = { 192, 0, 2, last } };

	return endpoint_out(PROTO_TCP, a, port);
}

static void note(struct learn *l, const struct endpoint *e, const char *host, const char *comm,
		 enum verdict verdict)
{
	struct record r = {
		.endpoint = *e,
		.host = host,
		.decision = { .verdict = verdict },
		.ts = { .tv_sec = 5 },
		.syscall = "connect",
	};

	strcpy(r.comm, comm);
	learn_note(l, &r);
}

static size_t count(const struct learn *l)
{
	size_t n;

	learn_flows(l, &n);
	return n;
}

Test(learn, a_flow_is_remembered_once)
{
	struct learn *l = learn_new();
	struct endpoint e = to(1, 443), other = to(2, 443);
	const struct learned *flow;
	size_t n;

	cr_assert(learn_admit(l, &e, NULL));
	cr_assert(learn_admit(l, &e, NULL));
	note(l, &e, NULL, "curl", VERDICT_ALLOW);
	note(l, &e, NULL, "wget", VERDICT_ALLOW);
	flow = learn_flows(l, &n);
	cr_expect_eq(n, 1);
	cr_expect_eq(flow->count, 2);
	cr_expect_eq(flow->first, 5);
	cr_expect_str_eq(flow->comm, "curl");
	cr_expect(flow->several && !flow->sends);

	/* By its name, at whichever address; beside that without a name. */
	cr_assert(learn_admit(l, &e, "a.test"));
	cr_assert(learn_admit(l, &other, "a.test"));
	cr_expect_eq(count(l), 2);
	other.dir = DIR_IN;
	cr_assert(learn_admit(l, &other, NULL));
	cr_expect_eq(count(l), 3);
	/* A denial is nothing to remember. */
	e = to(9, 1);
	note(l, &e, NULL, "curl", VERDICT_DENY);
	cr_expect_eq(count(l), 3);
	learn_free(l);
}

Test(learn, full_of_flows)
{
	struct learn *l = learn_new();
	struct endpoint e;

	for (int i = 0; i < LEARN_FLOWS; i++) {
		e = to((uint8_t)(i >> 15), (uint16_t)(1 + (i & 0x7fff)));
		cr_assert(learn_admit(l, &e, NULL), "%d", i);
	}
	e = to(9, 9);
	cr_expect(!learn_admit(l, &e, NULL));
	note(l, &e, NULL, "curl", VERDICT_ALLOW);
	e = to(0, 1);
	cr_expect(learn_admit(l, &e, NULL));
	cr_expect_eq(count(l), LEARN_FLOWS);
	learn_free(l);
}

Test(learn, full_of_names)
{
	struct learn *l = learn_new();
	struct endpoint e = to(1, 443);
	char name[1001];
	int n = 0;

	memset(name, 'a', 1000);
	name[1000] = '\0';
	do {
		snprintf(name, 7, "%06d", n);
		name[6] = 'a';
	} while (learn_admit(l, &e, name) && n++ < LEARN_FLOWS);
	cr_expect_eq(n, LEARN_TEXT / 1001);
	cr_expect(learn_admit(l, &e, NULL));
	learn_free(l);
}
