/* SPDX-License-Identifier: MIT */
/*
 * Questions through the model, as the monitor has it: lists come, pictures are drawn, keys are
 * pressed at certain moments.
 */
#include "tui/prompt.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model.h"
#include "tui/prompt_view.h"

#define MS UINT64_C(1000000)

static struct model *model;
static uint64_t elapsed;

static struct effect apply(struct event e)
{
	e.elapsed = elapsed;
	return model_apply(model, &e);
}

static void set_size(int w, int room)
{
	apply((struct event){ .kind = EVENT_SIZE, .page = 10, .bar_w = w, .bar_room = room });
}

static void set_up(void)
{
	model = model_new(true, true);
	cr_assert_not_null(model);
	elapsed = 1000 * MS;
	set_size(80, 20);
}

static void tear_down(void)
{
	model_free(model);
}

TestSuite(prompt, .init = set_up, .fini = tear_down);

/* The list of `held`; what is new in it is on the screen at once. */
static struct effect take(const char *text)
{
	struct effect effect = apply((struct event){ .kind = EVENT_QUESTIONS, .questions = text });

	apply((struct event){ .kind = EVENT_DRAWN });
	return effect;
}

static struct effect press(uint16_t code)
{
	struct key key = { .code = code };
	struct effect effect = apply((struct event){ .kind = EVENT_KEY, .key = &key });

	apply((struct event){ .kind = EVENT_DRAWN });
	return effect;
}

/* Let so much time pass that keys count. */
static void pass(void)
{
	elapsed += 500 * MS;
}

#define GIT  "7\ttcp\t140.82.112.3:443\tgithub.com\tgit[4310]\t57\t/usr/bin/git\n"
#define DIG  "8\tudp\t10.0.0.53:53\t\tdig[4311]\t58\t/usr/bin/dig\n"
#define PING "9\ticmp\t1.1.1.1\t\tping[4312]\t59\t\n"
#define BUS  "11\tunix\t/run/bus\t\tgdbus[4313]\t60\t/usr/bin/gdbus\n"
#define SELF "12\tin tcp\t0.0.0.0:80\t\thttpd[4314]\t60\t/usr/sbin/httpd\n"

static void expect_answer(struct effect effect, uint64_t id, const char *verdict,
			  const char *lifetime, const char *scope)
{
	cr_assert_eq(effect.kind, EFFECT_ANSWER);
	cr_expect_eq(effect.answer.id, id);
	cr_expect_str_eq(effect.answer.verdict, verdict);
	cr_expect_str_eq(effect.answer.lifetime, lifetime);
	if (scope)
		cr_expect_str_eq(effect.answer.scope, scope);
	else
		cr_expect_null(effect.answer.scope);
}

Test(prompt, shows_what_is_asked)
{
	const struct question *q;

	take(GIT DIG);
	q = prompt_current(&model->prompt);
	cr_assert_not_null(q);
	cr_expect_eq(q->id, 7);
	cr_expect_str_eq(q->proto, "tcp");
	cr_expect_str_eq(q->target, "140.82.112.3:443");
	cr_expect_str_eq(q->host, "github.com");
	cr_expect_str_eq(q->process, "git[4310]");
	cr_expect_str_eq(q->exe, "/usr/bin/git");
	cr_expect_eq(q->left, 57);
	cr_expect_eq(prompt_waiting(&model->prompt), 2);
	cr_expect_eq(prompt_position(&model->prompt), 1);
}

Test(prompt, rings_once_for_each_arrival)
{
	cr_expect_eq(take(GIT).kind, EFFECT_RING);
	cr_expect_eq(take(GIT).kind, EFFECT_NONE);
	cr_expect_eq(take(GIT DIG).kind, EFFECT_RING);
	cr_expect_eq(take(DIG).kind, EFFECT_NONE);
	cr_expect_eq(take("").kind, EFFECT_NONE);
	cr_expect_eq(take(GIT).kind, EFFECT_NONE);
}

Test(prompt, enter_sends_what_was_chosen)
{
	take(GIT DIG);
	pass();
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	cr_expect(model->message_is_error);
	press('a');
	expect_answer(press('\r'), 7, "allow", "once", NULL);
	pass();
	press('d');
	press('s');
	press('3');
	expect_answer(press(KEYS_KEYPAD_ENTER), 8, "deny", "session", "network");
	pass();
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
}

Test(prompt, every_scope_and_lifetime_has_its_key)
{
	static const struct {
		uint16_t key;
		const char *word;
	} scopes[] = { { '1', "host" },
		       { '2', "ip:port" },
		       { '3', "network" },
		       { '4', "port" },
		       { '5', "any" } },
	  lifetimes[] = { { 's', "session" }, { 'p', "profile" }, { 't', "ten-minutes" } };

	model->profile = "/etc/mine.toml";
	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < 3; k++) {
			char list[128];
			unsigned int id = (unsigned int)(100 + 3 * i + k);

			if (i == 4 && k == 1)
				continue;
			snprintf(list, sizeof(list), "%u\ttcp\t1.2.3.4:5\texample.com\tc[1]\t9\t\n",
				 id);
			take(list);
			pass();
			press('a');
			press(lifetimes[k].key);
			press(scopes[i].key);
			expect_answer(press('\r'), id, "allow", lifetimes[k].word, scopes[i].word);
		}
}

Test(prompt, the_host_is_the_first_choice_where_it_is_known)
{
	take(GIT DIG);
	pass();
	press('a');
	press('s');
	expect_answer(press('\r'), 7, "allow", "session", "host");
	pass();
	press('1');
	cr_expect(model->message_is_error);
	press('a');
	press('s');
	expect_answer(press('\r'), 8, "allow", "session", "ip:port");
}

Test(prompt, a_profile_is_asked_for_where_there_is_none)
{
	struct effect effect;

	take(GIT DIG);
	pass();
	press('a');
	press('p');
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	cr_expect_eq(name_bar_rows(model), 1);
	/* Keys of the question are letters there. */
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	press('d');
	press('n');
	cr_expect_eq(press(KEYS_ESCAPE).kind, EFFECT_NONE);
	cr_expect_eq(name_bar_rows(model), 0);
	cr_expect_eq(model->prompt.id, 7);

	pass();
	press('\r');
	press('.');
	/* What was typed before is still there; a question that goes meanwhile is not answered for.
	 */
	take(DIG);
	effect = press('\r');
	expect_answer(effect, 7, "allow", "profile", "host");
	cr_expect_str_eq(effect.answer.profile, "dn.");
	cr_expect_eq(model->prompt.id, 8);
	apply((struct event){ .kind = EVENT_ANSWERED, .answered = { 7, true } });

	/* It is asked for once. */
	pass();
	press('a');
	press('p');
	effect = press('\r');
	expect_answer(effect, 8, "allow", "profile", "ip:port");
	cr_expect_null(effect.answer.profile);
}

Test(prompt, any_is_not_for_the_profile)
{
	model->profile = "/etc/mine.toml";
	take(GIT);
	pass();
	press('a');
	press('5');
	press('p');
	cr_expect(model->message_is_error);
	cr_expect_eq(model->prompt.lifetime, PROMPT_ONCE);
	press('2');
	press('p');
	press('5');
	cr_expect(model->message_is_error);
	expect_answer(press('\r'), 7, "allow", "profile", "ip:port");
}

Test(prompt, once_is_for_the_request_alone)
{
	take(GIT);
	pass();
	press('a');
	press('4');
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	cr_expect(model->message_is_error);
	press('2');
	expect_answer(press('\r'), 7, "allow", "once", NULL);
}

Test(prompt, offers_only_scopes_that_there_are)
{
	static const struct {
		const char *list, *keys; /* those that are none */
	} rows[] = {
		{ DIG, "1" },
		{ PING, "14" },
		{ BUS, "1345" },
		{ SELF, "13" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		take(rows[i].list);
		pass();
		for (char key = '1'; key <= '5'; key++) {
			press('2');
			press((uint16_t)key);
			cr_expect_eq(model->message_is_error && model->message[0],
				     strchr(rows[i].keys, key) != NULL, "%s %c", rows[i].list, key);
		}
	}
}

Test(prompt, no_key_counts_within_half_a_second)
{
	take(GIT);
	for (int i = 0; i < 5; i++) {
		press('a');
		press('\r');
		elapsed += 99 * MS;
	}
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	elapsed += 5 * MS;
	press('a');
	expect_answer(press('\r'), 7, "allow", "once", NULL);
}

Test(prompt, no_key_counts_before_it_is_drawn)
{
	struct key key = { .code = 'a' };

	apply((struct event){ .kind = EVENT_QUESTIONS, .questions = GIT });
	elapsed += 5000 * MS;
	apply((struct event){ .kind = EVENT_KEY, .key = &key });
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
}

Test(prompt, keys_that_were_meant_for_one_do_not_answer_the_next)
{
	take(GIT DIG);
	pass();
	press('a');
	expect_answer(press('\r'), 7, "allow", "once", NULL);
	press('a');
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	/* It is over, and another one has its place. */
	pass();
	press('a');
	take(PING);
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
}

Test(prompt, keys_that_do_not_count_are_for_no_row_either)
{
	struct flow flow = { .id = 1, .family = 4, .port = 443, .verdict = VERDICT_DENY };

	apply((struct event){ .kind = EVENT_FLOWS, .flows = { &flow, 1 } });
	press(KEYS_DOWN);
	cr_expect_eq(press('a').kind, EFFECT_ALLOW);
	take(GIT);
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	pass();
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect_eq(model->prompt.verdict, VERDICT_ALLOW);
	/* Other keys are still for the pane. */
	press('\t');
	cr_expect_eq(model->pane, MODEL_CONNECTIONS);
}

/* It was answered elsewhere, or in its time nowhere, while the finger was on the key. */
Test(prompt, keys_that_were_meant_for_one_that_has_left_are_for_no_row)
{
	struct flow flow = { .id = 1, .family = 4, .port = 443, .verdict = VERDICT_DENY };

	apply((struct event){ .kind = EVENT_FLOWS, .flows = { &flow, 1 } });
	press(KEYS_DOWN);
	take(GIT);
	pass();
	apply((struct event){ .kind = EVENT_QUESTIONS, .questions = "" });
	/* Nobody has seen that yet. */
	pass();
	cr_expect_eq(press('a').kind, EFFECT_NONE);
	cr_expect(strstr(model->message, "answered elsewhere"));
	take("");
	elapsed += 499 * MS;
	cr_expect_eq(press('d').kind, EFFECT_NONE);
	elapsed += MS;
	cr_expect_eq(press('a').kind, EFFECT_ALLOW);
}

/* Who has answered it knows that it is gone. */
Test(prompt, keys_behind_an_answer_are_for_the_row)
{
	struct flow flow = { .id = 1, .family = 4, .port = 443, .verdict = VERDICT_DENY };

	apply((struct event){ .kind = EVENT_FLOWS, .flows = { &flow, 1 } });
	press(KEYS_DOWN);
	take(GIT);
	pass();
	press('a');
	expect_answer(press('\r'), 7, "allow", "once", NULL);
	cr_expect_eq(press('a').kind, EFFECT_ALLOW);
	take("");
	cr_expect_eq(press('a').kind, EFFECT_ALLOW);
}

Test(prompt, keys_in_output_never_answer)
{
	take(GIT);
	press(KEYS_F(5));
	pass();
	cr_expect_eq(press('a').kind, EFFECT_SEND);
	cr_expect_eq(press('\r').kind, EFFECT_SEND);
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	cr_expect_eq(prompt_view_rows(model), 0);
	/* What was typed on does not answer either when it is the monitor's. */
	press(KEYS_CTRL(']'));
	cr_expect_neq(model->pane, MODEL_OUTPUT);
	press('a');
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
}

Test(prompt, what_is_pasted_answers_nothing)
{
	take(GIT);
	pass();
	press(KEYS_PASTE_START);
	press('a');
	cr_expect_eq(press('\r').kind, EFFECT_NONE);
	press(KEYS_PASTE_END);
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
}

Test(prompt, panic_is_meant_twice)
{
	cr_expect_eq(press('X').kind, EFFECT_NONE);
	cr_expect_eq(press(KEYS_ESCAPE).kind, EFFECT_NONE);
	cr_expect_eq(press('y').kind, EFFECT_NONE);
	press('X');
	cr_expect_eq(press('X').kind, EFFECT_NONE);
	cr_expect_eq(press('y').kind, EFFECT_PANIC);
	cr_expect_eq(model->mode, MODEL_PANE);
}

Test(prompt, a_pause_goes_on_by_the_same_key)
{
	cr_expect_eq(press('P').kind, EFFECT_PAUSE);
	cr_expect_eq(press('P').kind, EFFECT_PAUSE);
	apply((struct event){ .kind = EVENT_PAUSED, .paused = true });
	cr_expect_eq(press('P').kind, EFFECT_RESUME);
}

Test(prompt, the_question_how_to_leave_comes_first)
{
	take(GIT);
	pass();
	press('q');
	cr_expect_eq(prompt_view_rows(model), 0);
	cr_expect_eq(press('d').kind, EFFECT_DETACH);
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
}

Test(prompt, next_goes_through_all_and_forgets_what_was_chosen)
{
	take(GIT DIG PING);
	pass();
	press('a');
	press('s');
	press('n');
	cr_expect_eq(model->prompt.id, 8);
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	cr_expect_eq(model->prompt.lifetime, PROMPT_ONCE);
	pass();
	press('n');
	pass();
	press('n');
	cr_expect_eq(model->prompt.id, 7);
}

Test(prompt, a_new_list_keeps_what_was_chosen)
{
	take(DIG);
	pass();
	press('d');
	take(GIT DIG PING);
	expect_answer(press('\r'), 8, "deny", "once", NULL);
}

Test(prompt, what_was_read_does_not_change)
{
	take(DIG);
	take("8\tudp\t10.0.0.53:53\tinnocent.example\tssh[4311]\t30\t/usr/bin/ssh\n");
	cr_expect_str_eq(prompt_current(&model->prompt)->process, "dig[4311]");
	cr_expect_str_eq(prompt_current(&model->prompt)->host, "");
	cr_expect_eq(prompt_current(&model->prompt)->left, 30);
}

Test(prompt, an_answer_on_its_way_is_not_asked_again)
{
	take(GIT);
	pass();
	press('a');
	press('\r');
	/* This list was made before. */
	take(GIT);
	cr_expect_null(prompt_current(&model->prompt));
	cr_expect_eq(prompt_waiting(&model->prompt), 0);
	take("");
	cr_expect_str_empty(model->message);
}

Test(prompt, an_answer_that_was_refused_waits_again)
{
	take(GIT);
	pass();
	press('a');
	press('\r');
	apply((struct event){ .kind = EVENT_ANSWERED, .answered = { 7, false } });
	cr_expect_eq(model->prompt.id, 7);
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	press('a');
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
}

Test(prompt, an_answer_that_did_not_settle_it_leaves_it_waiting)
{
	take(GIT DIG);
	pass();
	press('a');
	press('s');
	press('\r');
	/* The list was made before the answer came, */
	take(GIT DIG);
	cr_expect_eq(prompt_waiting(&model->prompt), 1);
	apply((struct event){ .kind = EVENT_ANSWERED, .answered = { 7, true } });
	cr_expect_eq(prompt_waiting(&model->prompt), 1);
	/* and this one after it. */
	take(GIT DIG);
	cr_expect_eq(prompt_waiting(&model->prompt), 2);
	take(GIT);
	cr_expect_eq(model->prompt.id, 7);
}

Test(prompt, what_is_over_leaves_with_a_word)
{
	take(GIT DIG);
	take(DIG);
	cr_expect(strstr(model->message, "answered elsewhere, or its task has gone: "
					 "tcp 140.82.112.3:443 of git[4310]"));
	take("8\tudp\t10.0.0.53:53\t\tdig[4311]\t1\t/usr/bin/dig\n");
	take("");
	cr_expect(strstr(model->message, "not answered in time"));
	take(PING);
	apply((struct event){ .kind = EVENT_REPLY, .reply = { true, "generation 2" } });
	take("");
	cr_expect(strstr(model->message, "generation 2; one question waits no more"));
	cr_expect_eq(prompt_view_rows(model), 0);
}

Test(prompt, a_screen_that_cannot_show_all_of_it_answers_nothing)
{
	take(GIT);
	set_size(80, 1);
	apply((struct event){ .kind = EVENT_DRAWN });
	pass();
	press('a');
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	cr_expect_eq(prompt_view_rows(model), 1);
	set_size(1, 1);
	apply((struct event){ .kind = EVENT_DRAWN });
	pass();
	press('a');
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	/* After a change of size it must have been seen anew. */
	set_size(80, 20);
	apply((struct event){ .kind = EVENT_DRAWN });
	press('a');
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	pass();
	press('a');
	cr_expect_eq(model->prompt.verdict, VERDICT_ALLOW);
}

Test(prompt, lines_that_are_none_are_left_out)
{
	char *many = malloc(64 * 1024), *end = many;

	take("x\n\n7\n7\ttcp\n0\ttcp\ta\t\tc[1]\t9\t\n" GIT GIT "6\ttcp\ta\t\tc[1]\t9\t\n" DIG);
	cr_expect_eq(model->prompt.n, 2);
	for (int i = 1; i <= 300; i++)
		end += sprintf(end, "%d\ttcp\t1.2.3.4:5\t\tc[1]\t9\t\n", i + 100);
	take(many);
	cr_expect_eq(model->prompt.n, PROMPT_QUESTIONS);
	free(many);
}
