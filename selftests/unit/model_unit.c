/* SPDX-License-Identifier: MIT */
#include "tui/model.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/addr.h"

#define SECOND UINT64_C(1000000000)

enum { START = 1000 }; /* seconds */

static struct model *model;
static uint64_t elapsed; /* tenths of a second */

static void set_up(void)
{
	model = model_new(true, true);
	cr_assert_not_null(model);
	elapsed = 0;
}

static void tear_down(void)
{
	model_free(model);
}

TestSuite(model, .init = set_up, .fini = tear_down);

static struct event event(enum event_kind kind)
{
	return (struct event){ .kind = kind,
			       .now = START * SECOND + elapsed * SECOND / 10,
			       .elapsed = elapsed * SECOND / 10 };
}

static struct effect press(uint16_t code)
{
	struct key key = { .code = code };
	struct event e = event(EVENT_KEY);

	e.key = &key;
	return model_apply(model, &e);
}

static void type(const char *text)
{
	for (; *text; text++)
		press((uint8_t)*text);
	press('\r');
}

static void head(uint64_t allowed, uint64_t denied)
{
	struct ledger_head h = { .decisions = allowed + denied, .start = START * SECOND };
	struct event e = event(EVENT_HEAD);

	h.stats.counter[STAT_ALLOWED] = allowed;
	h.stats.counter[STAT_DENIED] = denied;
	e.head = &h;
	model_apply(model, &e);
}

static void size(unsigned int page)
{
	struct event e = event(EVENT_SIZE);

	e.page = page;
	model_apply(model, &e);
}

/* A denied flow to 10.0.0.N:443, active at that second. */
static struct flow flow(uint64_t id, uint64_t last)
{
	struct flow f = {
		.id = id,
		.last = last * SECOND,
		.denied = id,
		.family = 4,
		.addr = { 10, 0, 0, (uint8_t)id },
		.port = 443,
		.verdict = VERDICT_DENY,
		.reason = REASON_DEFAULT,
		.pid = (int32_t)(100 - id),
		.comm = "curl",
		.rule_text = "default",
	};

	return f;
}

static void show(const struct flow *flows, unsigned int n)
{
	struct event e = event(EVENT_FLOWS);

	e.flows.v = flows;
	e.flows.n = n;
	model_apply(model, &e);
}

/* Rows 1 to n, the last of them active last. */
static void show_rows(unsigned int n)
{
	static struct flow flows[FLOW_ROWS];

	for (unsigned int i = 0; i < n; i++)
		flows[i] = flow(i + 1, i + 1);
	show(flows, n);
}

static uint64_t shown_id(unsigned int position)
{
	cr_assert_lt(position, model->shown);
	return model->flows[model->order[position]].id;
}

Test(model, newest_activity_first)
{
	show_rows(3);
	cr_expect_eq(model->shown, 3);
	cr_expect_eq(shown_id(0), 3);
	cr_expect_eq(shown_id(2), 1);
}

Test(model, nothing_is_selected_until_somebody_goes_there)
{
	show_rows(3);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect(model->message_is_error);
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	cr_expect_eq(model->mode, MODEL_PANE);
	press(KEYS_DOWN);
	cr_expect_eq(model->selected, 3);
	press(KEYS_DOWN);
	cr_expect_eq(model->selected, 2);
}

Test(model, an_answer_hits_the_row_that_was_selected_wherever_it_is)
{
	struct flow flows[] = { flow(1, 1), flow(2, 2), flow(3, 3) };
	struct effect effect;

	show(flows, 3);
	press(KEYS_DOWN);
	press(KEYS_DOWN);
	cr_assert_eq(model->selected, 2);
	flows[0].last = 9 * SECOND; /* row 1 comes first */
	show(flows, 3);
	cr_expect_eq(model_position(model), 2);
	effect = press('a');
	cr_expect_eq(effect.kind, EFFECT_ALLOW);
	cr_expect_str_eq(effect.spec, "10.0.0.2:443");
	/* It is gone from the table, and another is where it was. */
	flows[1] = flow(7, 2);
	show(flows, 3);
	cr_expect_eq(model_position(model), -1);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect_eq(press('d').kind, EFFECT_NONE);
}

Test(model, the_selected_row_keeps_its_line_on_the_screen)
{
	struct flow flows[40];
	unsigned int line;

	for (int i = 0; i < 40; i++)
		flows[i] = flow((uint64_t)i + 1, (uint64_t)i + 1);
	size(10);
	show(flows, 40);
	for (int i = 0; i < 25; i++)
		press(KEYS_DOWN);
	line = (unsigned int)model_position(model) - model->top;
	for (int i = 0; i < 5; i++)
		flows[i].last = 100 * SECOND;
	show(flows, 40);
	cr_expect_eq(model_position(model), 29);
	cr_expect_eq((unsigned int)model_position(model) - model->top, line);
}

Test(model, scrolling_stays_within_the_rows)
{
	size(10);
	show_rows(25);
	press(KEYS_END);
	cr_expect_eq(model->selected, 1);
	cr_expect_eq(model->top, 15);
	press(KEYS_PAGE_UP);
	cr_expect_eq(model->selected, 11);
	press(KEYS_HOME);
	cr_expect(model->selected == 25 && model->top == 0);
	press(KEYS_UP);
	cr_expect_eq(model->selected, 25);
	press(KEYS_PAGE_DOWN);
	press(KEYS_PAGE_DOWN);
	press(KEYS_PAGE_DOWN);
	cr_expect_eq(model->selected, 1);
	/* Fewer rows, and a higher screen. */
	show_rows(3);
	cr_expect_eq(model->top, 0);
	size(100);
	cr_expect_eq(model->top, 0);
	show_rows(0);
	press(KEYS_DOWN);
	press(KEYS_END);
	cr_expect_eq(model->top, 0);
}

static void judge(const struct judged_batch *batch, uint64_t generation, enum verdict verdict)
{
	struct judged_reply reply = { .generation = generation, .n = batch->n };
	struct event e = event(EVENT_JUDGED);

	memset(reply.verdict, (int)verdict, sizeof(reply.verdict));
	e.judged.batch = batch;
	e.judged.reply = &reply;
	model_apply(model, &e);
}

Test(model, only_rows_on_the_screen_are_judged_and_only_when_they_must_be)
{
	static struct judged_batch batch;
	struct flow f = flow(20, 20);

	size(3);
	show_rows(20);
	cr_assert(judged_wanted(model, 0, &batch));
	cr_expect_eq(batch.n, 3);
	cr_expect_eq(batch.flow[0], 20);
	cr_expect_str_eq(batch.endpoint[0], "tcp 10.0.0.20 443");
	judge(&batch, 0, VERDICT_ALLOW);
	cr_expect_eq(judged_of(model, &f)->verdict, VERDICT_ALLOW);
	cr_expect_not(judged_wanted(model, elapsed * SECOND / 10, &batch));
	/* Another row comes onto the screen. */
	for (int i = 0; i < 4; i++)
		press(KEYS_DOWN);
	cr_assert(judged_wanted(model, elapsed * SECOND / 10, &batch));
	cr_expect_eq(batch.n, 1);
	cr_expect_eq(batch.flow[0], 17);
	/* A second later, names may have expired; another policy makes what was said void at once.
	 */
	cr_assert(judged_wanted(model, SECOND, &batch));
	cr_expect_eq(batch.n, 3);
	model->head.generation = 2;
	cr_expect_null(judged_of(model, &f));
	cr_expect(judged_wanted(model, elapsed * SECOND / 10, &batch));
}

Test(model, what_no_policy_judges_has_no_answer)
{
	static struct judged_batch batch;
	struct flow f = flow(1, 1);

	f.family = 0;
	f.proto = PROTO_UNIX;
	f.name_len = 4000;
	show(&f, 1);
	cr_assert(judged_wanted(model, 0, &batch));
	cr_expect_str_eq(batch.endpoint[0], "");
	judge(&batch, 0, (enum verdict) - 1);
	cr_expect_null(judged_of(model, &f));
	cr_expect_not(judged_wanted(model, 0, &batch));
}

Test(model, a_search_goes_from_row_to_row_and_around)
{
	struct flow flows[] = { flow(1, 1), flow(2, 2), flow(3, 3), flow(4, 4) };

	strcpy(flows[0].comm, "Wget");
	strcpy(flows[2].comm, "wget2");
	size(10);
	show(flows, 4);
	press(KEYS_F(3));
	type("wGET");
	cr_expect_eq(model->selected, 3);
	cr_expect_eq(model->shown, 4);
	press('n');
	cr_expect_eq(model->selected, 1);
	press('n');
	cr_expect_eq(model->selected, 3);
	press('N');
	cr_expect_eq(model->selected, 1);
	/* What is found is selected: it can be answered. */
	cr_expect_eq(press('a').kind, EFFECT_ALLOW);
	/* The only one that is left is found again. */
	show(flows, 1);
	press('n');
	cr_expect_eq(model->selected, 1);
	press('/');
	press(KEYS_CTRL('u'));
	type("ssh");
	cr_expect_eq(model->selected, 1);
	cr_expect_str_eq(model->message, "no other row contains 'ssh'");
}

Test(model, a_search_selects_a_connection)
{
	struct opened v[] = { { .cookie = 1, .comm = "git" }, { .cookie = 2, .comm = "curl" } };
	struct opened_list list = { .v = v, .n = 2 };
	struct event e = event(EVENT_CONNECTIONS);

	e.connections = &list;
	model_apply(model, &e);
	press('\t');
	press(KEYS_F(3));
	type("curl");
	cr_expect_eq(model->connections.selected, 2);
	press('n');
	cr_expect_eq(model->connections.selected, 2);
	press(KEYS_F(3));
	press(KEYS_CTRL('u'));
	type("git");
	cr_expect_eq(model->connections.selected, 1);
}

Test(model, when_the_command_has_ended_quitting_asks_nothing)
{
	struct event e = event(EVENT_ENDED);

	press('q');
	cr_assert_eq(model->mode, MODEL_QUIT);
	e.status = 3;
	model_apply(model, &e);
	cr_expect_eq(model->mode, MODEL_PANE);
	press(KEYS_F(5));
	cr_expect_eq(press('x').kind, EFFECT_NONE);
	press('\t');
	cr_expect_eq(model->pane, MODEL_DECISIONS);
	press(KEYS_F(5));
	cr_expect_eq(press('q').kind, EFFECT_DETACH);
}

Test(model, when_the_command_has_ended_no_key_changes_anything)
{
	struct event e = event(EVENT_ENDED);

	show_rows(3);
	press(KEYS_DOWN);
	press('X');
	cr_assert_eq(model->mode, MODEL_PANIC);
	model_apply(model, &e);
	cr_expect_eq(model->mode, MODEL_PANE);
	for (const char *c = "adADurwPX"; *c; c++) {
		model->message[0] = '\0';
		cr_expect_eq(press((uint8_t)*c).kind, EFFECT_NONE, "%c", *c);
		cr_expect_str_eq(model->message, MODEL_NOTHING_LEFT, "%c", *c);
		cr_expect_eq(model->mode, MODEL_PANE, "%c", *c);
	}
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	cr_expect_eq(model->mode, MODEL_DETAIL);
}

Test(model, a_row_that_the_filter_hides_is_not_answered)
{
	struct flow flows[] = { flow(1, 1), flow(2, 2) };

	strcpy(flows[0].comm, "Wget");
	show(flows, 2);
	press(KEYS_DOWN);
	cr_assert_eq(model->selected, 2);
	press(KEYS_F(4));
	for (const char *c = "wGEx"; *c; c++)
		press((uint16_t)*c);
	press(0x7f);
	press('t');
	press('\r');
	cr_expect_str_eq(model->filter, "wGEt");
	cr_expect_eq(model->shown, 1);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect(model->message_is_error);
	press(KEYS_DOWN);
	cr_expect_eq(model->selected, 1);
	cr_expect_eq(press('a').kind, EFFECT_ALLOW);
	press(KEYS_ESCAPE);
	cr_expect_eq(model->shown, 2);
	cr_expect_eq(model->selected, 1);
}

Test(model, typing_a_filter_is_no_command)
{
	show_rows(1);
	press(KEYS_DOWN);
	press(KEYS_F(4));
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect_eq(press('q').kind, EFFECT_NONE);
	press(KEYS_ESCAPE);
	cr_expect_str_eq(model->filter, "");
	cr_expect_eq(model->mode, MODEL_PANE);
	press(KEYS_F(4));
	for (int i = 0; i < 3 * MODEL_FILTER_MAX; i++)
		press(i % 2 ? 0xa9 : 0xc3);
	for (int i = 0; i < 3 * MODEL_FILTER_MAX; i++)
		press(0x7f);
	cr_expect_str_eq(model->typed, "");
}

Test(model, every_order_is_total)
{
	static const uint64_t first[ORDER_COUNT] = {
		[ORDER_LAST] = 3,    [ORDER_HITS] = 4,    [ORDER_VERDICT] = 2,
		[ORDER_ADDRESS] = 1, [ORDER_PROCESS] = 4,
	};
	struct flow flows[] = { flow(1, 1), flow(2, 2), flow(3, 9), flow(4, 4) };

	flows[1].verdict = VERDICT_ASK;
	show(flows, 4);
	for (int i = 0; i < ORDER_COUNT; i++) {
		cr_expect_eq(shown_id(0), first[model->sort], "%s", order_name(model->sort));
		press(KEYS_F(6));
	}
	cr_expect_eq(model->sort, ORDER_LAST);
}

Test(model, the_rule_is_the_narrowest)
{
	struct flow rows[6];
	static const char *const allow[] = { "10.0.0.1:443",       "udp://[2001:db8::1]:53",
					     "icmp://10.0.0.3",    "in tcp://10.0.0.4:8080",
					     "unix:/run/a.socket", "unix:@abstract" };
	char rule[EXPLAIN_HINT_MAX];

	for (int i = 0; i < 6; i++)
		rows[i] = flow((uint64_t)i + 1, 1);
	rows[1].proto = PROTO_UDP;
	rows[1].family = 6;
	rows[1].port = 53;
	memcpy(rows[1].addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	rows[2].proto = PROTO_ICMP;
	rows[2].port = 0;
	rows[3].dir = DIR_IN;
	rows[3].port = 8080;
	for (int i = 4; i < 6; i++) {
		rows[i].proto = PROTO_UNIX;
		rows[i].family = 0;
		rows[i].port = 0;
		strcpy(rows[i].name, i == 4 ? "/run/a.socket" : "@abstract");
		rows[i].name_len = (uint16_t)strlen(rows[i].name);
	}
	for (int i = 0; i < 6; i++) {
		cr_expect(model_rule(&rows[i], VERDICT_DENY, rule), "%d: %s", i, rule);
		/* tcp needs no scheme behind allow. */
		cr_expect(!strncmp(rule, "allow ", 6));
		if (i != 3)
			cr_expect_str_eq(rule + 6, allow[i]);
		cr_expect(model_rule(&rows[i], VERDICT_ALLOW, rule));
		cr_expect(!strncmp(rule, "deny ", 5), "%s", rule);
	}
}

Test(model, how_much_a_rule_covers_is_asked)
{
	struct effect e;

	size(10);
	show_rows(3);
	press('A');
	cr_expect_eq(scope_bar_rows(model), 0);
	cr_expect_str_eq(model->message, "select a row first: Up and Down");
	press(KEYS_DOWN);
	cr_expect_eq(press('A').kind, EFFECT_NONE);
	cr_expect_eq(scope_bar_rows(model), 5);
	/* Other rows and other keys change nothing about what is asked. */
	show_rows(1);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect_eq(press('9').kind, EFFECT_NONE);
	/* Its name is not known. */
	cr_expect_eq(press('1').kind, EFFECT_NONE);
	e = press('3');
	cr_expect_eq(e.kind, EFFECT_ALLOW);
	cr_expect_str_eq(e.spec, "tcp://10.0.0.3/24");
	cr_expect_eq(scope_bar_rows(model), 0);

	press(KEYS_DOWN);
	press('D');
	press(KEYS_ESCAPE);
	cr_expect_eq(press('4').kind, EFFECT_NONE);
	press('D');
	e = press('4');
	cr_expect_eq(e.kind, EFFECT_DENY);
	cr_expect_str_eq(e.spec, "tcp://*:443");
}

Test(model, a_name_that_a_rule_would_take_for_a_pattern_makes_none)
{
	static const char *const names[] = { "/run/*", "/$HOME/x", "/a,b", "/a b",
					     "/a\nb",  "/a\177",   "@x*" };
	struct flow f = flow(1, 1);
	char rule[EXPLAIN_HINT_MAX];

	f.proto = PROTO_UNIX;
	f.family = 0;
	f.port = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		strcpy(f.name, names[i]);
		f.name_len = (uint16_t)strlen(names[i]);
		cr_expect(!model_rule(&f, VERDICT_DENY, rule), "%s", names[i]);
	}
	/* Only its beginning is known. */
	memset(f.name, 'a', sizeof(f.name) - 1);
	f.name[0] = '/';
	f.name_len = 500;
	cr_expect(!model_rule(&f, VERDICT_DENY, rule));
	show(&f, 1);
	press(KEYS_DOWN);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect(model->message_is_error);
}

Test(model, in_the_output_every_key_is_the_commands)
{
	static const uint16_t codes[] = { 'a',
					  'd',
					  'q',
					  'u',
					  '\t',
					  KEYS_ESCAPE,
					  KEYS_F(1),
					  KEYS_UP,
					  KEYS_CTRL('c'),
					  KEYS_CTRL('z'),
					  KEYS_RAW,
					  KEYS_MOUSE };

	show_rows(2);
	press(KEYS_DOWN);
	press(KEYS_F(5));
	cr_assert_eq(model->pane, MODEL_OUTPUT);
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		struct effect effect = press(codes[i]);

		cr_expect_eq(effect.kind, EFFECT_SEND);
		cr_expect_eq(effect.key.code, codes[i]);
		cr_expect_eq(model->pane, MODEL_OUTPUT);
	}
}

Test(model, the_prefix_leads_back_and_twice_sends_one)
{
	press(KEYS_F(5));
	cr_expect_eq(press(KEYS_CTRL(']')).kind, EFFECT_NONE);
	cr_expect_eq(model->pane, MODEL_DECISIONS);
	cr_expect_eq(press(KEYS_CTRL(']')).kind, EFFECT_SEND);
	cr_expect_eq(model->pane, MODEL_OUTPUT);
	press(KEYS_CTRL(']'));
	press(KEYS_DOWN);
	/* Later it is a way to the output like others. */
	cr_expect_eq(press(KEYS_CTRL(']')).kind, EFFECT_NONE);
	cr_expect_eq(model->pane, MODEL_OUTPUT);
}

Test(model, what_is_pasted_is_no_command)
{
	show_rows(2);
	press(KEYS_DOWN);
	press(KEYS_PASTE_START);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect_eq(press('d').kind, EFFECT_NONE);
	cr_expect_eq(press('q').kind, EFFECT_NONE);
	cr_expect_eq(model->mode, MODEL_PANE);
	press(KEYS_PASTE_END);
	cr_expect_eq(press('a').kind, EFFECT_ALLOW);
	/* To the command it goes as it is, the prefix too. */
	press(KEYS_F(5));
	cr_expect_eq(press(KEYS_PASTE_START).kind, EFFECT_SEND);
	cr_expect_eq(press(KEYS_CTRL(']')).kind, EFFECT_SEND);
	cr_expect_eq(press(KEYS_PASTE_END).kind, EFFECT_SEND);
	cr_expect_eq(model->pane, MODEL_OUTPUT);
}

Test(model, a_paste_without_an_end_is_over_some_time)
{
	show_rows(1);
	press(KEYS_DOWN);
	press(KEYS_PASTE_START);
	press('x');
	elapsed += 40;
	cr_expect_eq(press('a').kind, EFFECT_ALLOW);
}

Test(model, without_a_terminal_of_its_own_there_is_no_output)
{
	model_free(model);
	model = model_new(false, false);
	cr_assert_not_null(model);
	cr_expect_eq(model->pane, MODEL_DECISIONS);
	press(KEYS_F(5));
	cr_expect_eq(model->pane, MODEL_DECISIONS);
	cr_expect(model->message_is_error);
	press(KEYS_CTRL(']'));
	cr_expect_eq(model->pane, MODEL_DECISIONS);
}

/* So that nobody wonders whether it still listens. */
Test(model, a_key_without_a_meaning_says_so)
{
	press('e');
	cr_expect_str_eq(model->message, "e does nothing here: Rules: edit the selected one");
	press('z');
	cr_expect_str_eq(model->message, "z does nothing here: F1 shows the keys");
	press(KEYS_F(7));
	cr_expect_str_eq(model->message, "F7 does nothing here: F1 shows the keys");
	press(KEYS_DOWN);
	cr_expect_str_empty(model->message);
	press(KEYS_RAW);
	cr_expect_str_empty(model->message);
}

/* What is typed stays, and the screen can be left all the same. */
Test(model, no_bar_takes_what_stops_or_draws_again)
{
	press(KEYS_F(4));
	press('x');
	cr_expect_eq(press(KEYS_CTRL('z')).kind, EFFECT_STOP);
	cr_expect_eq(press(KEYS_CTRL('l')).kind, EFFECT_REDRAW);
	cr_expect_str_eq(model->typed, "x");
	press('\r');
	cr_expect_str_eq(model->filter, "x");
}

Test(model, leaving_is_asked)
{
	cr_expect_eq(press('q').kind, EFFECT_NONE);
	cr_expect_eq(model->mode, MODEL_QUIT);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect_eq(press(KEYS_ESCAPE).kind, EFFECT_NONE);
	cr_expect_eq(model->mode, MODEL_PANE);
	press('q');
	cr_expect_eq(press('d').kind, EFFECT_DETACH);
	press('q');
	cr_expect_eq(press('k').kind, EFFECT_KILL);
	/* Elsewhere k is no such thing. */
	press(KEYS_ESCAPE);
	cr_expect_eq(press('k').kind, EFFECT_NONE);
}

Test(model, rates_come_from_the_times_of_readings)
{
	/* What was counted before the first reading is no part of it. */
	head(1000000, 0);
	cr_expect_eq(model->rate.now, 0);
	for (int i = 1; i <= 30; i++) {
		elapsed++;
		head(1000000 + (uint64_t)i * 320, 0);
	}
	cr_expect_eq(model->rate.now, 3200);
	cr_expect_eq(model->rate.peak, 3200);
	for (int i = 0; i < 12; i++) {
		elapsed++;
		head(1000000 + 30 * 320, 0);
	}
	cr_expect_eq(model->rate.now, 0);
	cr_expect_eq(model->rate.peak, 3200);
	/* A burst in a tenth of a second is not ten times as much. */
	elapsed++;
	head(1000000 + 30 * 320, 1000);
	cr_expect_leq(model->rate.now, 1000);
	/* After a long sleep. */
	elapsed += 1000;
	head(1000000 + 30 * 320, 2000);
	cr_expect_leq(model->rate.now, 1000);
}

Test(model, one_a_second_is_a_rate)
{
	uint64_t total = 0;

	for (int i = 0; i < 60; i++) {
		elapsed++;
		total += i % 10 == 0;
		head(total, 0);
		if (i > 12)
			cr_expect_eq(model->rate.now, 1, "at %d", i);
	}
}

Test(model, an_idle_run_changes_nothing_but_its_clock)
{
	int drawn = 0;

	head(5, 5);
	for (int i = 0; i < 30; i++) {
		elapsed++;
		head(5, 5);
		drawn += model->dirty;
		model->dirty = false;
	}
	cr_expect_leq(drawn, 4);
}

Test(model, a_message_stays_for_a_while)
{
	struct event e = event(EVENT_REPLY);

	e.reply.ok = true;
	e.reply.text = "done \033[31m";
	model_apply(model, &e);
	cr_expect_str_eq(model->message, "done \\x1B[31m");
	elapsed += 10;
	head(1, 1);
	cr_expect(model->message[0]);
	elapsed += 100;
	head(1, 1);
	cr_expect_not(model->message[0]);
}

Test(model, the_processes_of_a_flow)
{
	struct ledger_decision decisions[3] = {
		{ .seq = 1, .flow = 2, .pid = 10, .ts = 1 },
		{ .seq = 2, .flow = 1, .pid = 11, .ts = 2 },
		{ .seq = 3, .flow = 2, .pid = 12, .ts = 3 },
	};
	struct model_process processes[MODEL_PROCESSES];
	struct event e = event(EVENT_DECISIONS);

	e.decisions.v = decisions;
	e.decisions.n = 3;
	show_rows(2);
	press(KEYS_DOWN);
	for (int i = 0; i < 2000; i++)
		model_apply(model, &e);
	cr_expect_eq(model_processes(model, processes), 2);
	cr_expect_eq(processes[0].pid, 12);
	cr_expect_eq(processes[1].pid, 10);
	cr_expect_gt(processes[1].decisions, 300);
}

/* ---- connections ---------------------------------------------------------- */

static struct opened socket_of(uint64_t cookie, uint64_t bytes)
{
	return (struct opened){
		.cookie = cookie,
		.proto = PROTO_TCP,
		.state = 1,
		.outbound = true,
		.has_bytes = true,
		.in = bytes,
		.peer = { 4, { 10, 0, 0, (uint8_t)cookie } },
		.peer_port = 443,
	};
}

static void show_sockets(struct opened *v, size_t n)
{
	const struct opened_list list = { .v = v, .n = n };
	struct event e = event(EVENT_CONNECTIONS);

	e.connections = &list;
	model_apply(model, &e);
}

Test(model, a_connection_stays_selected_wherever_it_is)
{
	struct opened v[] = { socket_of(1, 0), socket_of(2, 0), socket_of(3, 0) };
	struct effect effect;

	size(10);
	show_sockets(v, 3);
	press('\t');
	cr_assert_eq(model->pane, MODEL_CONNECTIONS);
	cr_expect_eq(press('k').kind, EFFECT_NONE);
	cr_expect(model->message_is_error);
	press(KEYS_DOWN);
	press(KEYS_DOWN);
	cr_assert_eq(model->connections.selected, 2);
	elapsed += 10;
	v[0].in = 4000;
	show_sockets(v, 3);
	cr_expect_eq(socklist_selected(&model->connections)->socket.cookie, 2);
	press('s'); /* by rate: row 1 comes first */
	cr_expect_eq(model->connections.rows[model->connections.order[0]].rate, 4000);
	cr_expect_eq(model->connections.rows[model->connections.order[0]].socket.cookie, 1);
	effect = press('k');
	cr_expect_eq(effect.kind, EFFECT_DISCONNECT);
	cr_expect_eq(effect.cookie, 2);
	cr_expect_str_eq(effect.spec, "tcp://10.0.0.2:443");
	cr_expect_eq(press('K').kind, EFFECT_SHUT);
	/* It is closed, and another is where it was. */
	v[1] = socket_of(7, 0);
	show_sockets(v, 3);
	cr_expect_eq(press('k').kind, EFFECT_NONE);
	cr_expect(model->message_is_error);
}

Test(model, what_cannot_be_shut)
{
	struct opened v[] = { socket_of(1, 0), socket_of(2, 0) };

	v[0].peer.family = 0; /* a listener */
	v[1].outbound = false;
	show_sockets(v, 2);
	press('\t');
	press(KEYS_DOWN);
	cr_assert_eq(model->connections.selected, 2);
	cr_expect_eq(press('k').kind, EFFECT_DISCONNECT);
	cr_expect_eq(press('K').kind, EFFECT_NONE);
	press(KEYS_DOWN);
	cr_expect_eq(press('k').kind, EFFECT_NONE);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
}

Test(model, the_filter_is_for_connections_too)
{
	struct opened v[] = { socket_of(1, 0), socket_of(2, 0) };

	size(10);
	show_sockets(v, 2);
	press('\t');
	press(KEYS_F(4));
	for (const char *c = "10.0.0.2"; *c; c++)
		press((uint8_t)*c);
	press('\r');
	cr_expect_eq(model->connections.shown, 1);
	press(KEYS_ESCAPE);
	cr_expect_eq(model->connections.shown, 2);
}
