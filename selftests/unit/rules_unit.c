/* SPDX-License-Identifier: MIT */
/*
 * Editing the live policy in the monitor, as far as the model: keys go in, and what the sandbox is
 * to be asked comes out. The sandbox is played by the test.
 */
#include "tui/rules.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct model *model;

static struct effect apply(struct event e)
{
	return model_apply(model, &e);
}

static struct effect press(uint16_t code)
{
	struct key key = { .code = code };

	return apply((struct event){ .kind = EVENT_KEY, .key = &key });
}

static struct effect type(const char *text)
{
	struct effect effect = { .kind = EFFECT_NONE };

	for (; *text; text++)
		effect = press((uint8_t)*text);
	return effect;
}

static void policy(const char *text, uint64_t generation)
{
	apply((struct event){ .kind = EVENT_POLICY, .policy = { text, strlen(text), generation } });
}

static void trial(bool ok, const char *text)
{
	apply((struct event){ .kind = EVENT_TRIAL,
			      .trial = { ok, text, model->rules.generation } });
}

static void set_up(void)
{
	model = model_new(true, false);
	cr_assert_not_null(model);
	apply((struct event){ .kind = EVENT_SIZE, .page = 10 });
	press(KEYS_F(2));
	policy("[network]\nrules = [\"allow :1\", \"allow :2\", \"deny :3\"]\n", 1);
}

static void tear_down(void)
{
	model_free(model);
}

TestSuite(rules, .init = set_up, .fini = tear_down);

/* The rows as text, those that are off in brackets, and the selected one with a star. */
static const char *rows(void)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < model->rules.rows.n; i++) {
		const struct rulelist_row *r = &model->rules.rows.v[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s%s%s", i ? ", " : "",
					r->off ? "[" : "", r->text, r->off ? "]" : "",
					r->id == model->rules.selected ? "*" : "");
	}
	return text;
}

static void expect_proposal(struct effect effect, const char *rules)
{
	cr_expect_eq(effect.kind, EFFECT_TRY);
	cr_assert_not_null(model->review.profile);
	cr_expect(strstr(model->review.profile, rules), "no %s in %s", rules,
		  model->review.profile);
	cr_expect(model->review.whole);
	cr_expect_eq(model->review.generation, 1);
}

Test(rules, a_search_goes_from_rule_to_rule_and_around)
{
	press('/');
	type("allow");
	press('\r');
	cr_expect_str_eq(rows(), "allow :1*, allow :2, deny :3");
	press('n');
	cr_expect_str_eq(rows(), "allow :1, allow :2*, deny :3");
	press('n');
	cr_expect_str_eq(rows(), "allow :1*, allow :2, deny :3");
	press('N');
	cr_expect_str_eq(rows(), "allow :1, allow :2*, deny :3");
	press('/');
	press(KEYS_CTRL('u'));
	type("nowhere");
	press('\r');
	cr_expect_str_eq(model->message, "no other row contains 'nowhere'");
}

Test(rules, an_edit_is_tried_then_shown_then_made)
{
	press(KEYS_DOWN);
	press('e');
	expect_proposal(type("9\r"), "\"allow :19\", # 1\n\t\"allow :2\", # 2");
	cr_expect_eq(review_rows(model), 0);
	trial(true, "-allow :1\n+allow :19\n");
	cr_expect_eq(review_rows(model), 3);
	/* Nothing but Enter means yes. */
	cr_expect_eq(type("ayu ").kind, EFFECT_NONE);
	cr_expect_eq(press('\r').kind, EFFECT_APPLY);
	cr_expect_eq(review_rows(model), 0);
	cr_expect_str_eq(rows(), "allow :1*, allow :2, deny :3");
	policy("[network]\nrules = [\"allow :19\", \"allow :2\", \"deny :3\"]\n", 2);
	cr_expect_str_eq(rows(), "allow :19*, allow :2, deny :3");
}

Test(rules, a_mistake_is_told_and_the_text_stays)
{
	press(KEYS_DOWN);
	press('e');
	cr_expect_eq(type("x\r").kind, EFFECT_NONE);
	cr_expect_str_eq(model->rules_bar.error,
			 "':1x': invalid port '1x': expected 1 to 65535, LO-HI or *");
	cr_expect_str_eq(model->rules_bar.typing.text, "allow :1x");
	/* What only the sandbox finds out stays there as well. */
	type("\b");
	expect_proposal(type("7\r"), "allow :17");
	trial(false, "failed to resolve 'x'");
	cr_expect_str_eq(model->rules_bar.error, "failed to resolve 'x'");
	cr_expect_str_eq(model->rules_bar.typing.text, "allow :17");
	press(KEYS_ESCAPE);
	cr_expect_eq(rules_bar_rows(model), 0);
}

Test(rules, insert_delete_and_move)
{
	press(KEYS_DOWN);
	press(KEYS_DOWN);
	press('i');
	expect_proposal(type("ask :5\r"),
			"\"allow :1\", # 1\n\t\"ask :5\", # 2\n\t\"allow :2\", # 3");
	trial(true, "+ask :5\n");
	press(KEYS_ESCAPE);
	cr_expect_str_eq(rows(), "allow :1, allow :2*, deny :3");
	expect_proposal(press('x'), "\"allow :1\", # 1\n\t\"deny :3\", # 2");
	expect_proposal(press('<'), "\"allow :2\", # 1\n\t\"allow :1\", # 2");
	expect_proposal(press('>'), "\"deny :3\", # 2\n\t\"allow :2\", # 3");
	press(KEYS_HOME);
	cr_expect_eq(press('<').kind, EFFECT_NONE);
}

Test(rules, without_a_row_nothing_is_changed)
{
	static const char keys[] = "ext<>";

	for (size_t i = 0; keys[i]; i++) {
		cr_expect_eq(press((uint8_t)keys[i]).kind, EFFECT_NONE);
		cr_expect_str_eq(model->message, "select a row first: Up and Down");
	}
	/* The end is where the weakest rule is. */
	press('i');
	expect_proposal(type("deny :9\r"), "\"deny :3\", # 3\n\t\"deny :9\", # 4");
}

Test(rules, a_rule_that_is_off_keeps_its_place)
{
	press(KEYS_DOWN);
	press(KEYS_DOWN);
	expect_proposal(press('t'), "\"allow :1\", # 1\n\t\"deny :3\", # 2");
	trial(true, "-allow :2\n");
	press('\r');
	policy("[network]\nrules = [\"allow :1\", \"deny :3\"]\n", 2);
	cr_expect_str_eq(rows(), "allow :1, [allow :2]*, deny :3");
	/* Somebody else inserts a rule. */
	policy("[network]\nrules = [\"deny :8\", \"allow :1\", \"deny :3\"]\n", 3);
	cr_expect_str_eq(rows(), "deny :8, allow :1, [allow :2]*, deny :3");
	/* Moving it is no change of the policy. */
	cr_expect_eq(press('>').kind, EFFECT_NONE);
	cr_expect_str_eq(rows(), "deny :8, allow :1, deny :3, [allow :2]*");
	cr_expect_eq(press('t').kind, EFFECT_TRY);
	cr_expect(strstr(model->review.profile, "\"allow :2\", # 4"));
	cr_expect_eq(press('x').kind, EFFECT_NONE);
	cr_expect_str_eq(rows(), "deny :8, allow :1, deny :3");
}

/* The key was for the row, not for its place: and what comes late is not made of something new. */
Test(rules, a_row_is_itself_wherever_it_moves)
{
	press(KEYS_DOWN);
	policy("[network]\nrules = [\"deny :3\", \"allow :2\", \"allow :1\"]\n", 1);
	cr_expect_str_eq(rows(), "deny :3, allow :2, allow :1*");
	expect_proposal(press('x'), "\"deny :3\", # 1\n\t\"allow :2\", # 2\n]");
	policy("[network]\nrules = [\"deny :3\"]\n", 1);
	cr_expect_null(rulelist_selected(&model->rules));
	press('e');
	cr_expect_eq(rules_bar_rows(model), 0);
}

Test(rules, the_last_of_two_changes_is_the_one_that_shows)
{
	press(KEYS_DOWN);
	press('x');
	press('>');
	trial(true, "-allow :1\n");
	cr_expect_eq(review_rows(model), 0);
	trial(true, " the order of the others changes\n");
	cr_expect_eq(review_rows(model), 2);
	cr_expect(strstr(model->review.profile, "\"allow :2\", # 1\n\t\"allow :1\", # 2"));
}

Test(rules, a_preset_is_no_row_to_edit)
{
	static const char keys[] = "ext<>";

	policy("[network]\nrules = [\"allow :1\"]\npreset = \"public-only\"\n", 1);
	press(KEYS_END);
	for (size_t i = 0; keys[i]; i++)
		cr_expect_eq(press((uint8_t)keys[i]).kind, EFFECT_NONE, "%c", keys[i]);
	press('i');
	expect_proposal(type("deny :9\r"), "\"allow :1\", # 1\n\t\"deny :9\", # 2");
}

Test(rules, hits_of_another_policy_do_not_count)
{
	apply((struct event){ .kind = EVENT_HITS, .policy = { "5\n0\n7\n", 0, 1 } });
	cr_expect_eq(model->rules.rows.v[0].hits, 5);
	cr_expect_eq(model->rules.rows.v[2].hits, 7);
	apply((struct event){ .kind = EVENT_HITS, .policy = { "9\n9\n9\n", 0, 2 } });
	cr_expect_eq(model->rules.rows.v[0].hits, 5);
	/* Fewer than there are rules. */
	apply((struct event){ .kind = EVENT_HITS, .policy = { "6\n", 0, 1 } });
	cr_expect_eq(model->rules.rows.v[0].hits, 6);
}

Test(rules, a_file_is_loaded_as_a_profile_and_saving_asks_where_to)
{
	const char text[] = "[network]\nallow = [\":1\"]\n";
	struct effect effect;

	model->profile = "/home/user/p.toml";
	cr_expect_eq(press('r').kind, EFFECT_RELOAD);
	effect = apply((struct event){ .kind = EVENT_FILE,
				       .file = { model->profile, text, strlen(text) } });
	cr_expect_eq(effect.kind, EFFECT_TRY);
	cr_expect(!model->review.whole);
	trial(true, "");
	cr_expect_str_eq(model->message, "nothing to change: the live policy is the same");
	press('w');
	cr_expect_eq(press('\r').kind, EFFECT_SAVE);
	cr_expect_str_eq(model->rules_bar.typing.text, "/home/user/p.toml");
}

Test(rules, what_is_typed_is_edited_where_the_cursor_is)
{
	press('i');
	type("deny \xc3\xb6");
	press(KEYS_LEFT);
	type("x");
	press(KEYS_END);
	type("\b");
	cr_expect_str_eq(model->rules_bar.typing.text, "deny x");
	press(KEYS_HOME);
	press(KEYS_DELETE);
	press(KEYS_RIGHT);
	press(KEYS_CTRL('u'));
	cr_expect_str_eq(model->rules_bar.typing.text, "ny x");
}
