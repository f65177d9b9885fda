/* SPDX-License-Identifier: MIT */
#include "tui/cells.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <string.h>

static void use_utf8(void)
{
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
}

TestSuite(cells, .init = use_utf8);

static struct cells picture(int w, int h)
{
	struct cells c;

	cells_init(&c, false);
	cr_assert_eq(cells_resize(&c, w, h), 0);
	return c;
}

/* Every half of a wide character has its other half, and nothing else has. */
static void expect_sound(const struct cells *c, const char *what)
{
	for (int y = 0; y < c->h; y++)
		for (int x = 0; x < c->w; x++) {
			const struct cell *cell = &c->v[y * c->w + x];

			if (cell->width == 0)
				cr_expect(x > 0 && cell[-1].width == 2, "%s", what);
			if (cell->width == 2)
				cr_expect(x + 1 < c->w && cell[1].width == 0, "%s", what);
		}
}

Test(cells, text_stays_in_its_columns)
{
	static const char *const rows[] = {
		"plain",
		"a longer text than fits",
		"日本語日本語日本語",
		"e\u0301e\u0301",
		"a\u0300\u0301\u0302\u0303\u0304",
		"\u0301\u0301\u0301",
		"\u202eabc",
		"\033[31mred",
		"a\nb\tc",
		"\xff\xfe\x80",
		"👨\u200d👩\u200d👧",
		"",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int max = 0; max < 10; max++) {
			struct cells c = picture(12, 1);

			cells_fill(&c, (struct rect){ 0, 0, 12, 1 }, ROLE_BAR);
			cr_expect_leq(cells_foreign(&c, 1, 0, max, ROLE_DENY, rows[i]), max);
			expect_sound(&c, rows[i]);
			for (int x = 0; x < 12; x++) {
				bool inside = x > 0 && x <= max;

				cr_expect(inside || c.v[x].role == ROLE_BAR, "%s in %d", rows[i],
					  max);
				for (int k = 0; k < CELLS_CHARS; k++)
					cr_expect(c.v[x].chars[k] == 0 || c.v[x].chars[k] >= ' ',
						  "%s", rows[i]);
			}
			cells_exit(&c);
		}
}

Test(cells, a_cut_shows)
{
	struct cells c = picture(8, 1);

	cr_expect_eq(cells_text(&c, 0, 0, 4, ROLE_TEXT, "abcdef"), 4);
	cr_expect_eq(c.v[2].chars[0], 'c');
	cr_expect_eq(c.v[3].chars[0], 0x2026);
	/* A wide character that would be cut in two is left out. */
	cr_expect_eq(cells_text(&c, 0, 0, 4, ROLE_TEXT, "a日本"), 4);
	cr_expect_eq(c.v[3].chars[0], 0x2026);
	cr_expect_eq(cells_text(&c, 0, 0, 4, ROLE_TEXT, "日本"), 4);
	expect_sound(&c, "wide");
	cells_exit(&c);
}

Test(cells, drawing_over_half_of_a_wide_character_takes_all_of_it)
{
	struct cells c = picture(4, 1);

	for (int x = 0; x < 4; x++) {
		cells_clear(&c);
		cells_text(&c, 0, 0, 4, ROLE_TEXT, "日本");
		cells_text(&c, x, 0, 1, ROLE_TEXT, "x");
		expect_sound(&c, "over");
		cells_clear(&c);
		cells_text(&c, 0, 0, 4, ROLE_TEXT, "日本");
		cells_fill(&c, (struct rect){ x, 0, 1, 1 }, ROLE_BAR);
		expect_sound(&c, "fill");
	}
	cells_exit(&c);
}

Test(cells, what_lies_outside_is_not_drawn)
{
	static const int sizes[][2] = { { 0, 0 }, { 1, 1 }, { 3, 2 }, { 0, 5 }, { -3, 7 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct cells c = picture(sizes[i][0], sizes[i][1]);

		for (int y = -2; y < 5; y++)
			for (int x = -5; x < 8; x++) {
				cells_text(&c, x, y, 20, ROLE_TEXT, "ab日本語cd");
				cells_fill(&c, (struct rect){ x, y, 3, 3 }, ROLE_BAR);
				cells_text(&c, x, y, -1, ROLE_TEXT, "日");
				expect_sound(&c, "outside");
			}
		cells_exit(&c);
	}
}

Test(cells, a_width_that_the_terminal_would_not_give_is_replaced)
{
	const uint32_t wide = 0x65e5, narrow = 'a', bidi = 0x202e, mark = 0x301;
	const uint32_t marked[] = { 'e', 0x301, 0x202e, 0x302 };
	struct cells c = picture(6, 1);

	cells_put(&c, 0, 0, &wide, 1, 1, ROLE_COMMAND, (struct style){ 0 });
	cr_expect_eq(c.v[0].chars[0], 0xfffd);
	cells_put(&c, 0, 0, &narrow, 1, 2, ROLE_COMMAND, (struct style){ 0 });
	cr_expect(c.v[0].width == 1 && c.v[1].width == 1 && c.v[1].chars[0] == 0);
	cells_put(&c, 0, 0, &bidi, 1, 1, ROLE_COMMAND, (struct style){ 0 });
	cr_expect_eq(c.v[0].chars[0], 0xfffd);
	cells_put(&c, 0, 0, &mark, 1, 1, ROLE_COMMAND, (struct style){ 0 });
	cr_expect_eq(c.v[0].chars[0], 0xfffd);
	cells_put(&c, 0, 0, marked, 4, 1, ROLE_COMMAND, (struct style){ 0 });
	cr_expect(c.v[0].chars[1] == 0x301 && c.v[0].chars[2] == 0x302);
	/* No room for the other half. */
	cells_put(&c, 5, 0, &wide, 1, 2, ROLE_COMMAND, (struct style){ 0 });
	cr_expect(c.v[5].width == 1 && c.v[5].chars[0] == 0xfffd);
	cells_exit(&c);
}

Test(cells, ascii_only)
{
	const uint32_t line = 0x2500, corner = 0x250c, wide = 0x65e5;
	struct cells c;

	cells_init(&c, true);
	cr_assert_eq(cells_resize(&c, 10, 1), 0);
	cells_put(&c, 0, 0, &line, 1, 1, ROLE_COMMAND, (struct style){ 0 });
	cells_put(&c, 1, 0, &corner, 1, 1, ROLE_COMMAND, (struct style){ 0 });
	cells_put(&c, 2, 0, &wide, 1, 2, ROLE_COMMAND, (struct style){ 0 });
	cr_expect_eq(c.v[0].chars[0], '-');
	cr_expect_eq(c.v[1].chars[0], '+');
	cr_expect_eq(c.v[2].chars[0], '?');
	cr_expect_eq(cells_text(&c, 4, 0, 6, ROLE_TEXT, "\u00e9e\u0301 \u2026xyz"), 6);
	for (int x = 0; x < 10; x++)
		cr_expect(c.v[x].chars[0] < 0x80 && c.v[x].width == 1);
	cells_exit(&c);
}
