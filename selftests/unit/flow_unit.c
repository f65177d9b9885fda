/* SPDX-License-Identifier: MIT */
#include "core/flow.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"

/* Of the one table that each test has. */
static void *memory;

static struct flow_table *table_new(unsigned int rows)
{
	struct flow_table *t;

	memory = aligned_alloc(64, flow_table_size(rows));
	cr_assert_not_null(memory);
	memset(memory, 0, flow_table_size(rows));
	t = flow_table_new(memory, rows);
	cr_assert_not_null(t);
	return t;
}

static void table_free(struct flow_table *t)
{
	flow_table_free(t);
	free(memory);
}

static struct record record(uint16_t port)
{
	struct record r = {
		.generation = 1,
		.ts = { 100, 5 },
		.endpoint = { .dir = DIR_OUT, .proto = PROTO_TCP, .port = port },
		.decision = { .verdict = VERDICT_DENY, .reason = REASON_DEFAULT },
		.pid = 10,
		.tid = 11,
		.comm = "curl",
		.error = ECONNREFUSED,
	};

	cr_assert_eq(addr_parse("10.0.0.1", &r.endpoint.addr), 0);
	return r;
}

static bool touch(struct flow_table *t, const struct record *r)
{
	bool is_new;

	cr_assert_not_null(flow_touch(t, r, &is_new));
	return is_new;
}

Test(flow, decisions_of_one_flow_share_a_row)
{
	struct flow_table *t = table_new(8);
	struct record r = record(443);
	const struct flow *f;

	cr_assert(touch(t, &r));
	r.ts.tv_sec = 200;
	r.tid = 12;
	r.generation = 2;
	cr_assert(!touch(t, &r));
	r.decision = (struct decision){ .verdict = VERDICT_ALLOW, .rule = 3 };
	r.error = 0;
	cr_assert(!touch(t, &r));
	r.decision.verdict = VERDICT_ASK;
	cr_assert(!touch(t, &r));

	cr_assert_eq(flow_count(t), 1);
	f = flow_at(t, 0);
	cr_assert_eq(f->denied, 2);
	cr_assert_eq(f->allowed, 1);
	cr_assert_eq(f->first, 100000000005);
	cr_assert_eq(f->last, 200000000005);
	cr_assert_eq(f->tid, 12);
	cr_assert_eq(f->generation, 2);
	cr_assert_eq(f->verdict, VERDICT_ASK);
	cr_assert_eq(f->rule, 3);
	cr_assert_eq(f->error, 0);
	cr_assert_str_eq(f->comm, "curl");
	cr_assert(!f->printed);
	r.pid = 0;
	r.comm[0] = '\0';
	cr_assert(!touch(t, &r));
	cr_assert_eq(f->pid, 10);
	cr_assert_str_eq(f->comm, "curl");
	table_free(t);
}

Test(flow, each_part_of_the_key_makes_another_flow)
{
	struct flow_table *t = table_new(16);
	struct record r = record(443);

	cr_assert(touch(t, &r));
	r.endpoint.dir = DIR_IN;
	cr_assert(touch(t, &r));
	r.endpoint.proto = PROTO_UDP;
	cr_assert(touch(t, &r));
	r.endpoint.port = 444;
	cr_assert(touch(t, &r));
	r.endpoint.addr.bytes[3] = 2;
	cr_assert(touch(t, &r));
	r.endpoint.addr.family = 6;
	cr_assert(touch(t, &r));
	r.endpoint.name = "a";
	cr_assert(touch(t, &r));
	r.endpoint.name = "b";
	cr_assert(touch(t, &r));
	cr_assert_eq(flow_count(t), 8);
	table_free(t);
}

Test(flow, names_that_differ_behind_the_field_are_two_flows)
{
	struct flow_table *t = table_new(4);
	struct record r = record(0), seen;
	char name[2 * FLOW_NAME_MAX];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	r.endpoint = (struct endpoint){ .proto = PROTO_UNIX, .name = name };
	cr_assert(touch(t, &r));
	cr_assert(!touch(t, &r));
	name[sizeof(name) - 2] = 'b';
	cr_assert(touch(t, &r));
	cr_assert_eq(flow_count(t), 2);
	seen = flow_record(flow_at(t, 0));
	cr_assert_null(seen.endpoint.name);
	table_free(t);
}

Test(flow, a_row_gives_its_last_decision_back)
{
	struct flow_table *t = table_new(4);
	struct record r = record(443), seen;

	touch(t, &r);
	seen = flow_record(flow_at(t, 0));
	cr_assert(addr_equal(seen.endpoint.addr, r.endpoint.addr));
	cr_assert_eq(seen.endpoint.proto, PROTO_TCP);
	cr_assert_eq(seen.endpoint.port, 443);
	cr_assert_eq(seen.decision.verdict, VERDICT_DENY);
	cr_assert_eq(seen.decision.reason, REASON_DEFAULT);
	cr_assert_eq(seen.ts.tv_sec, 100);
	cr_assert_eq(seen.ts.tv_nsec, 5);
	cr_assert_eq(seen.pid, 10);
	cr_assert_eq(seen.error, ECONNREFUSED);
	cr_assert_str_eq(seen.comm, "curl");

	r.endpoint = (struct endpoint){ .proto = PROTO_UNIX, .name = "@bus" };
	touch(t, &r);
	seen = flow_record(flow_at(t, 1));
	cr_assert_str_eq(seen.endpoint.name, "@bus");
	table_free(t);
}

Test(flow, the_texts_are_those_of_the_last_decision)
{
	struct flow_table *t = table_new(4);
	struct record r = record(443), seen;
	char rule[2 * FLOW_RULE_MAX];
	const struct flow *f;

	touch(t, &r);
	f = flow_at(t, 0);
	cr_assert_str_eq(f->rule_text, "default");
	cr_assert_str_empty(f->host);

	r.decision = (struct decision){ .verdict = VERDICT_ALLOW, .rule = 2 };
	r.rule = "allow 10.0.0.0/8";
	r.host = "intra.example";
	touch(t, &r);
	cr_assert_str_eq(f->rule_text, "allow 10.0.0.0/8");
	cr_assert_str_eq(f->host, "intra.example");
	seen = flow_record(f);
	cr_assert_str_eq(seen.rule, "allow 10.0.0.0/8");
	cr_assert_str_eq(seen.host, "intra.example");

	/* The same number in another policy, and a text that does not fit. */
	memset(rule, 'r', sizeof(rule) - 1);
	rule[sizeof(rule) - 1] = '\0';
	r.generation = 2;
	r.rule = rule;
	r.host = NULL;
	touch(t, &r);
	cr_assert_eq(strlen(f->rule_text), FLOW_RULE_MAX - 1);
	cr_assert_eq(strspn(f->rule_text, "r"), FLOW_RULE_MAX - 1);
	cr_assert_str_empty(f->host);

	r.decision = (struct decision){ .reason = REASON_ERROR, .error = EFAULT };
	touch(t, &r);
	cr_assert_str_eq(f->rule_text, "error EFAULT");
	r.decision.error = ENOMEM;
	touch(t, &r);
	cr_assert_str_eq(f->rule_text, "error ENOMEM");
	cr_assert_null(flow_record(f).rule);
	table_free(t);
}

Test(flow, a_row_that_is_used_again_has_another_id_and_nothing_of_the_old_one)
{
	struct flow_table *t = table_new(1);
	struct record r = record(443);
	const struct flow *f;
	uint64_t id;

	r.decision = (struct decision){ .verdict = VERDICT_ALLOW, .rule = 2 };
	r.rule = "allow 10.0.0.0/8";
	r.host = "intra.example";
	touch(t, &r);
	f = flow_at(t, 0);
	flow_set_printed(t, f);
	cr_assert(f->printed);
	id = f->id;
	touch(t, &r);
	cr_assert_eq(f->id, id);

	r = record(444);
	r.pid = 0;
	touch(t, &r);
	cr_assert_neq(f->id, id);
	cr_assert(!f->printed);
	cr_assert_eq(f->allowed, 0);
	cr_assert_eq(f->pid, 0);
	cr_assert_str_empty(f->comm);
	cr_assert_str_empty(f->host);
	cr_assert_str_eq(f->rule_text, "default");
	table_free(t);
}

Test(flow, another_process_reads_what_is_there)
{
	struct flow_table *t = table_new(3);
	struct record r;
	struct flow seen[4];

	cr_assert_eq(flow_read(memory, 3, seen, 4), 0);
	for (uint16_t port = 1; port <= 5; port++) {
		r = record(port);
		touch(t, &r);
	}
	cr_assert_eq(flow_read(memory, 3, seen, 4), 3);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(memcmp(&seen[i], flow_at(t, i), sizeof(seen[i])), 0);
	cr_assert_eq(flow_read_evicted(memory).rows, 2);
	cr_assert_eq(flow_read_evicted(memory).denied, 2);
	table_free(t);
}

/* As it is when the writer was stopped, or killed, in the middle of a row. */
Test(flow, a_row_that_is_never_finished_costs_a_reader_that_row)
{
	struct flow_table *t = table_new(3);
	size_t row = flow_table_size(2) - flow_table_size(1);
	struct flow seen[3];
	struct record r;

	for (uint16_t port = 1; port <= 3; port++) {
		r = record(port);
		touch(t, &r);
	}
	/* The counter of the second row. */
	++*(uint64_t *)((char *)memory + flow_table_size(0) + row);
	cr_assert_eq(flow_read(memory, 3, seen, 3), 2);
	cr_assert_eq(seen[0].port, 1);
	cr_assert_eq(seen[1].port, 3);
	table_free(t);
}

Test(flow, a_full_table_evicts_the_least_recently_touched_into_the_totals)
{
	struct flow_table *t = table_new(3);
	struct record r;
	uint16_t port;

	for (port = 1; port <= 3; port++) {
		r = record(port);
		touch(t, &r);
		touch(t, &r);
	}
	r = record(1);
	cr_assert(!touch(t, &r));
	r = record(4); /* in the place of 2 */
	cr_assert(touch(t, &r));
	cr_assert_eq(flow_count(t), 3);
	cr_assert_eq(flow_evicted(t).rows, 1);
	cr_assert_eq(flow_evicted(t).denied, 2);
	r = record(1);
	cr_assert(!touch(t, &r));
	r = record(3);
	cr_assert(!touch(t, &r));
	r = record(2); /* in the place of 4 */
	cr_assert(touch(t, &r));
	r = record(4);
	cr_assert(touch(t, &r));
	table_free(t);
}

/* The same table kept by hand: an array searched from front to back, the last touched in front. */
Test(flow, behaves_like_a_list_that_is_searched)
{
	enum { ROWS = 37, PORTS = 80, TOUCHES = 20000 };
	struct flow_table *t = table_new(ROWS);
	uint16_t list[ROWS + 1], port;
	uint64_t denied = 0;
	unsigned int used = 0, i, n, seed = 1;
	struct record r;

	for (n = 0; n < TOUCHES; n++) {
		seed = seed * 1103515245 + 12345;
		port = (uint16_t)((seed >> 16) % PORTS);
		r = record(port);
		for (i = 0; i < used && list[i] != port; i++)
			;
		cr_assert_eq(touch(t, &r), i == used, "touch %u", n);
		if (i == used && used < ROWS)
			used++;
		else if (i == used)
			i--;
		memmove(list + 1, list, i * sizeof(*list));
		list[0] = port;
	}
	cr_assert_eq(flow_count(t), used);
	for (i = 0; i < used; i++)
		denied += flow_at(t, i)->denied;
	cr_assert_eq(denied + flow_evicted(t).denied, TOUCHES);
	table_free(t);
}

Test(flow, one_row_is_enough)
{
	struct flow_table *t = table_new(1);
	struct record a = record(1), b = record(2);

	cr_assert(touch(t, &a));
	cr_assert(!touch(t, &a));
	cr_assert(touch(t, &b));
	cr_assert(touch(t, &a));
	cr_assert_eq(flow_evicted(t).rows, 2);
	table_free(t);
}
