/* SPDX-License-Identifier: MIT */
/*
 * The pane Log: what it shows while lines come, while it stands still, and when it is searched.
 */
#include "tui/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tui/model.h"

enum { PAGE = 4 };

static struct model *model;

static void apply(struct event e)
{
	model_apply(model, &e);
}

static void press(uint16_t code)
{
	struct key key = { .code = code };

	apply((struct event){ .kind = EVENT_KEY, .key = &key });
}

static void type(const char *text)
{
	for (; *text; text++)
		press((uint8_t)*text);
	press('\r');
}

static void set_up(void)
{
	model = model_new(true, true);
	cr_assert_not_null(model);
	apply((struct event){ .kind = EVENT_SIZE, .page = PAGE });
	while (model->pane != MODEL_LOG)
		press('\t');
}

static void tear_down(void)
{
	model_free(model);
}

TestSuite(logpane, .init = set_up, .fini = tear_down);

static void decide(uint16_t port, enum verdict verdict)
{
	struct ledger_decision d = { .family = 4,
				     .addr = { 10, 0, 0, 1 },
				     .port = port,
				     .verdict = (uint8_t)verdict,
				     .reason = REASON_DEFAULT,
				     .pid = 7,
				     .comm = "curl" };

	apply((struct event){ .kind = EVENT_DECISIONS, .decisions = { .v = &d, .n = 1 } });
}

static void decide_many(uint16_t from, uint16_t to)
{
	for (uint16_t port = from; port <= to; port++)
		decide(port, port % 2 ? VERDICT_DENY : VERDICT_ALLOW);
}

/* The ports of the decisions that show, and messages as they are. */
static void expect(const char *expected)
{
	uint64_t lines[PAGE];
	unsigned int n = log_visible(&model->log, PAGE, lines);
	char text[PAGE * LOG_TEXT_MAX] = "";
	char buf[LOG_TEXT_MAX];
	size_t len = 0;

	for (unsigned int i = 0; i < n; i++) {
		const char *line = log_text(&model->log, lines[i], buf);
		const char *port = strstr(line, "10.0.0.1:");
		int width = port ? (int)strcspn(port + 9, " ") : (int)strlen(line);

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", i ? " " : "",
					width, port ? port + 9 : line);
	}
	cr_expect_str_eq(text, expected);
}

static const char *found(void)
{
	static char buf[LOG_TEXT_MAX];

	return model->log.found ? log_text(&model->log, model->log.found - 1, buf) : "";
}

Test(logpane, the_newest_lines_are_last)
{
	char buf[LOG_TEXT_MAX];

	expect("");
	decide_many(1, 2);
	expect("1 2");
	decide_many(3, 10);
	expect("7 8 9 10");
	cr_expect_str_eq(log_text(&model->log, 8, buf), "DENY tcp 10.0.0.1:9 curl[7] (default)");
}

Test(logpane, it_stands_still_for_who_goes_up_until_the_end)
{
	decide_many(1, 10);
	press(KEYS_UP);
	expect("6 7 8 9");
	decide_many(11, 12);
	expect("6 7 8 9");
	press(KEYS_HOME);
	expect("1 2 3 4");
	press(KEYS_UP);
	expect("1 2 3 4");
	press(KEYS_PAGE_DOWN);
	expect("5 6 7 8");
	press(KEYS_END);
	decide(13, VERDICT_ALLOW);
	expect("10 11 12 13");
}

Test(logpane, it_can_be_paused)
{
	decide_many(1, 10);
	press('Z');
	decide_many(11, 12);
	expect("7 8 9 10");
	press('Z');
	expect("9 10 11 12");
	press('Z');
	press(KEYS_ESCAPE);
	decide(13, VERDICT_ALLOW);
	expect("10 11 12 13");
}

Test(logpane, what_was_paused_for_too_long_goes_from_the_top)
{
	decide_many(1, 10);
	press('Z');
	decide_many(11, 10 + LOG_LINES);
	/* Lines 1 to 10 are overwritten. */
	expect("11 12 13 14");
}

Test(logpane, a_filter_leaves_lines_out)
{
	decide_many(1, 10);
	press(KEYS_F(4));
	type("deny");
	expect("3 5 7 9");
	press(KEYS_UP);
	expect("1 3 5 7");
	decide_many(11, 20);
	expect("1 3 5 7");
	press(KEYS_DOWN);
	expect("3 5 7 9");
	press(KEYS_ESCAPE);
	press(KEYS_END);
	expect("17 18 19 20");
}

Test(logpane, a_search_goes_from_the_newest_to_older_ones)
{
	decide_many(1, 20);
	press(KEYS_F(3));
	type("10.0.0.1:1");
	cr_expect_str_eq(found(), "DENY tcp 10.0.0.1:19 curl[7] (default)");
	press('n');
	cr_expect_str_eq(found(), "ALLOW tcp 10.0.0.1:18 curl[7] (default)");
	press('N');
	cr_expect_str_eq(found(), "DENY tcp 10.0.0.1:19 curl[7] (default)");
	press('N');
	cr_expect_str_eq(model->message, "no other row contains '10.0.0.1:1'");
	for (int i = 0; i < 9; i++)
		press('n');
	cr_expect_str_eq(found(), "ALLOW tcp 10.0.0.1:10 curl[7] (default)");
	press('n');
	cr_expect_str_eq(found(), "DENY tcp 10.0.0.1:1 curl[7] (default)");
	expect("1 2 3 4");
	/* It stays on the same line, whatever comes. */
	decide_many(21, 30);
	expect("1 2 3 4");
	cr_expect_str_eq(found(), "DENY tcp 10.0.0.1:1 curl[7] (default)");
	press(KEYS_F(3));
	press(KEYS_CTRL('u'));
	type("no such\x1b");
	press(KEYS_ESCAPE);
	cr_expect_str_eq(found(), "");
}

Test(logpane, a_search_without_a_text_says_so)
{
	press('n');
	cr_expect_str_eq(model->message, "F3 first: what to search for");
}

Test(logpane, what_sandtop_says_is_a_line_and_inert)
{
	apply((struct event){ .kind = EVENT_MESSAGE, .text = "sandtop: --log: \033[2Jfull" });
	expect("sandtop: --log: \\x1B[2Jfull");
	cr_expect_str_eq(model->message, "sandtop: --log: \\x1B[2Jfull");
	apply((struct event){ .kind = EVENT_REPLY, .reply = { true, "allow :1: generation 2" } });
	apply((struct event){ .kind = EVENT_DECISIONS, .decisions = { .missed = 12 } });
	press(KEYS_F(4));
	type("too fast");
	expect("12 decisions came too fast for this list (--log has all)");
}
