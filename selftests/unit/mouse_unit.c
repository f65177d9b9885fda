/* SPDX-License-Identifier: MIT */
/*
 * What a click means: where it hits is learned from a picture, as the operator does.
 */
#include "tui/mouse.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <string.h>

#include "tui/view.h"

#define SECOND UINT64_C(1000000000)

enum { W = 80, H = 24, LEFT = 1, RIGHT = 3, WHEEL_UP = 4, WHEEL_DOWN = 5 };

static struct model *model;
static struct cells cells;
static uint64_t elapsed;

static struct event event(enum event_kind kind)
{
	return (struct event){ .kind = kind, .now = 1000 * SECOND, .elapsed = elapsed };
}

static void draw(void)
{
	struct event e = event(EVENT_DRAWN);

	view_render(model, &cells);
	model_apply(model, &e);
}

static void show_rows(unsigned int n)
{
	static struct flow flows[FLOW_ROWS];
	struct event e = event(EVENT_FLOWS);

	for (unsigned int i = 0; i < n; i++)
		flows[i] = (struct flow){ .id = i + 1,
					  .last = (i + 1) * SECOND,
					  .denied = i % 3,
					  .family = 4,
					  .addr = { 10, 0, 0, (uint8_t)(i + 1) },
					  .port = 443,
					  .comm = "curl",
					  .rule_text = "default" };
	e.flows.v = flows;
	e.flows.n = n;
	model_apply(model, &e);
	draw();
}

static void set_up(void)
{
	struct event e = event(EVENT_SIZE);
	struct view_layout l = view_layout(MODEL_DECISIONS, W, H);

	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	elapsed = 60 * SECOND;
	model = model_new(true, true);
	cr_assert_not_null(model);
	cells_init(&cells, false);
	cr_assert_eq(cells_resize(&cells, W, H), 0);
	e.page = (unsigned int)l.body.h;
	e.bar_w = W;
	e.bar_room = l.body.h + 1;
	model_apply(model, &e);
	show_rows(5);
}

static void tear_down(void)
{
	model_free(model);
	cells_exit(&cells);
}

TestSuite(mouse, .init = set_up, .fini = tear_down);

static struct effect give(struct key key)
{
	struct event e = event(EVENT_KEY);

	e.key = &key;
	e.spot = spot_at(&cells.spots, key.x, key.y);
	return model_apply(model, &e);
}

static struct effect press(uint16_t code)
{
	struct effect effect = give((struct key){ .code = code });

	draw();
	return effect;
}

static bool is_at(int x, int y, const char *text)
{
	for (; *text && x < W; text++, x++) {
		uint32_t ch = cells.v[y * W + x].chars[0];

		if ((ch ? ch : ' ') != (uint8_t)*text)
			return false;
	}
	return !*text;
}

/* Where that text begins on the screen. */
static void find(const char *text, int *x, int *y)
{
	for (*y = 0; *y < H; ++*y)
		for (*x = 0; *x < W; ++*x)
			if (is_at(*x, *y, text))
				return;
	cr_assert_fail("'%s' is not on the screen", text);
}

static struct effect click_with(uint8_t button, uint8_t mods, const char *text)
{
	struct key key = { .code = KEYS_MOUSE, .button = button, .mods = mods, .pressed = true };
	struct effect effect;

	find(text, &key.x, &key.y);
	effect = give(key);
	/* The other half of a click does nothing; in Output the command's terminal drops it. */
	key.pressed = false;
	if (model->pane != MODEL_OUTPUT)
		cr_assert_eq(give(key).kind, EFFECT_NONE);
	draw();
	return effect;
}

static struct effect click(const char *text)
{
	return click_with(LEFT, 0, text);
}

Test(mouse, a_tab_is_gone_to)
{
	click("Rules ");
	cr_expect_eq(model->pane, MODEL_RULES);
	click("Log ");
	cr_expect_eq(model->pane, MODEL_LOG);
	press(KEYS_F(1));
	click("Connections ");
	cr_expect_eq(model->pane, MODEL_CONNECTIONS);
	cr_expect_eq(model->mode, MODEL_PANE);
	click("Output ");
	cr_expect_eq(model->pane, MODEL_OUTPUT);
}

Test(mouse, a_row_is_selected_by_what_was_seen_there)
{
	click("10.0.0.2 ");
	cr_expect_eq(model->selected, 2);
	/* Newer activity has moved the rows since the picture. */
	struct key key = { .code = KEYS_MOUSE, .button = LEFT, .pressed = true };
	struct flow flows[2] = { model->flows[0], model->flows[3] };
	struct event e = event(EVENT_FLOWS);

	find("10.0.0.4 ", &key.x, &key.y);
	flows[0].last = 100 * SECOND;
	e.flows.v = flows;
	e.flows.n = 2;
	model_apply(model, &e);
	give(key);
	cr_expect_eq(model->selected, 4);
}

Test(mouse, a_head_sorts)
{
	click("HITS");
	cr_expect_eq(model->sort, ORDER_HITS);
	click("ADDRESS");
	cr_expect_eq(model->sort, ORDER_ADDRESS);
	click("ADDRESS");
	cr_expect_eq(model->sort, ORDER_ADDRESS);
	click("PORT");
	cr_expect_eq(model->sort, ORDER_ADDRESS);
	click("Connections ");
	click("RATE");
	cr_expect_eq(model->connections.sort, SOCKLIST_RATE);
	cr_expect_eq(model->sort, ORDER_ADDRESS);
}

Test(mouse, the_wheel_moves_by_three)
{
	show_rows(100);
	click("10.0.0.99 ");
	click_with(WHEEL_DOWN, 0, "10.0.0.99 ");
	cr_expect_eq(model_position(model), 4);
	click_with(WHEEL_UP, 0, "10.0.0.99 ");
	cr_expect_eq(model_position(model), 1);
	press(KEYS_F(1));
	click_with(WHEEL_DOWN, 0, "F3");
	cr_expect_eq(model->scroll, 3);
}

Test(mouse, the_function_bar_is_its_keys)
{
	cr_expect_eq(click("a Allow").kind, EFFECT_NONE);
	click("select a row");
	cr_expect_eq(model->selected, 0);
	press(KEYS_ESCAPE);
	click("10.0.0.3 ");
	cr_expect_eq(click("a Allow").kind, EFFECT_ALLOW);
	click("q Quit");
	cr_expect_eq(model->mode, MODEL_QUIT);
	/* No way out of the question but its answers. */
	click("Rules ");
	cr_expect_eq(model->mode, MODEL_QUIT);
	cr_expect_eq(click("d Detach").kind, EFFECT_DETACH);
}

Test(mouse, a_scope_is_chosen)
{
	struct effect effect;

	click("10.0.0.3 ");
	press('A');
	cr_expect(model->scope_bar.open);
	click("Esc: no");
	cr_expect_not(model->scope_bar.open);
	press('A');
	effect = click("allow tcp://10.0.0.3/24");
	cr_expect_eq(effect.kind, EFFECT_ALLOW);
	cr_expect_str_eq(effect.spec, "tcp://10.0.0.3/24");
}

static void propose(void)
{
	struct event e = event(EVENT_TRIAL);

	press(KEYS_F(2));
	press('i');
	for (const char *c = "deny :25"; *c; c++)
		press((uint8_t)*c);
	cr_assert_eq(press('\r').kind, EFFECT_TRY);
	e.trial.ok = true;
	e.trial.text = "+deny :25\n";
	e.trial.generation = 1;
	model_apply(model, &e);
	draw();
}

Test(mouse, a_change_is_made_or_not)
{
	static const char policy[] = "[network]\nrules = []\n";
	struct event e = event(EVENT_POLICY);

	e.policy.text = policy;
	e.policy.size = sizeof(policy) - 1;
	e.policy.generation = 1;
	model_apply(model, &e);
	propose();
	cr_expect_eq(click("Esc: no").kind, EFFECT_NONE);
	cr_expect_not(model->review.open);
	propose();
	cr_expect_eq(click("Enter: apply").kind, EFFECT_APPLY);
}

/* As with keys: what comes before the question can have been read is not meant for it. */
Test(mouse, a_question_is_answered_when_it_has_been_read)
{
	struct event e = event(EVENT_QUESTIONS);

	e.questions = "7\ttcp\t10.0.0.9:443\t\tcurl[9]\t57\t/usr/bin/curl\n";
	model_apply(model, &e);
	draw();
	click("a Allow");
	click("Enter Send");
	cr_expect_eq(model->prompt.verdict, VERDICT_ASK);
	elapsed += SECOND;
	click("a Allow");
	click("session");
	cr_expect_eq(model->prompt.lifetime, PROMPT_SESSION);
	cr_expect_eq(click("Enter Send").kind, EFFECT_ANSWER);
}

Test(mouse, nothing_is_hit_where_text_is_typed)
{
	press(KEYS_F(4));
	press('1');
	click("Rules ");
	click("10.0.0.3 ");
	click("HITS");
	cr_expect_eq(model->mode, MODEL_FILTER);
	cr_expect_eq(model->pane, MODEL_DECISIONS);
	cr_expect_eq(model->selected, 0);
	cr_expect_eq(model->sort, ORDER_LAST);
}

Test(mouse, other_buttons_and_modifiers_do_nothing)
{
	click_with(RIGHT, 0, "10.0.0.3 ");
	click_with(LEFT, KEYS_CONTROL, "10.0.0.3 ");
	click_with(LEFT, KEYS_SHIFT, "Rules ");
	cr_expect_eq(model->selected, 0);
	cr_expect_eq(model->pane, MODEL_DECISIONS);
}

Test(mouse, in_output_it_is_the_commands)
{
	struct key key = { .code = KEYS_MOUSE, .button = LEFT, .pressed = true };

	press(KEYS_F(5));
	find("Rules ", &key.x, &key.y);
	cr_expect_eq(give(key).kind, EFFECT_SEND);
	cr_expect_eq(model->pane, MODEL_OUTPUT);
}
