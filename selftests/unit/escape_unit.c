/* SPDX-License-Identifier: MIT */
#include "core/escape.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *escaped(const char *text)
{
	static char buf[256];

	cr_assert_eq(escape_text(text, buf, sizeof(buf)), strlen(buf));
	return buf;
}

Test(escape, text_that_shows_as_itself_is_kept)
{
	static const char *const kept[] = { "",
					    "curl",
					    "Web Content",
					    "~!@#$%^&*()[]{}'\"",
					    "h\xc3\xa9llo",
					    "\xe6\x97\xa5\xe6\x9c\xac",
					    "\xf0\x9f\xa6\x8a",
					    NULL };
	const char *const *text;

	for (text = kept; *text; text++)
		cr_assert_str_eq(escaped(*text), *text);
}

Test(escape, what_acts_on_a_terminal_or_a_reader_is_spelled_out)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "a\nb", "a\\x0Ab" },
		{ "\x1b[2J", "\\x1B[2J" },
		{ "\x7f", "\\x7F" },
		{ "a\\x0Ab", "a\\\\x0Ab" },
		{ "\xc2\x9b", "\\u{9B}" },            /* CSI */
		{ "\xe2\x80\xae", "\\u{202E}" },      /* right-to-left override */
		{ "\xe2\x81\xa6", "\\u{2066}" },      /* left-to-right isolate */
		{ "\xe2\x80\x8b", "\\u{200B}" },      /* zero width space */
		{ "\xe2\x80\xa8", "\\u{2028}" },      /* line separator */
		{ "\xf3\xa0\x81\x81", "\\u{E0041}" }, /* tag A */
		{ "\xef\xbf\xbf", "\\u{FFFF}" },      /* noncharacter */
		{ "\xff", "\\xFF" },
		{ "\xc3", "\\xC3" },                            /* cut off */
		{ "\xc0\xaf", "\\xC0\\xAF" },                   /* overlong */
		{ "\xe0\x80\xaf", "\\xE0\\x80\\xAF" },          /* overlong */
		{ "\xed\xa0\x80", "\\xED\\xA0\\x80" },          /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80" }, /* over U+10FFFF */
		{ "\x80\xc3\xa9", "\\x80\xc3\xa9" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_str_eq(escaped(rows[i].text), rows[i].shown, "row %zu: %s", i,
				 escaped(rows[i].text));
}

Test(escape, a_text_that_does_not_fit_is_cut_between_characters_and_marked)
{
	char buf[12];

	cr_assert_eq(escape_text("12345678901", buf, sizeof(buf)), 11);
	cr_assert_str_eq(buf, "12345678901");
	cr_assert_eq(escape_text("123456789012", buf, sizeof(buf)), 11);
	cr_assert_str_eq(buf, "12345678...");
	cr_assert_eq(escape_text("12345\x1b"
				 "6789012",
				 buf, sizeof(buf)),
		     8);
	cr_assert_str_eq(buf, "12345...");
	cr_assert_eq(escape_text("ab", buf, 4), 2);
	cr_assert_eq(escape_text("\x1b", buf, 4), 3);
	cr_assert_str_eq(buf, "...");
}

Test(escape, every_size_and_every_byte_stays_inside_the_buffer)
{
	char text[256], buf[1100];
	size_t size, i;

	for (i = 0; i < 255; i++)
		text[i] = (char)(i + 1);
	text[255] = '\0';
	for (size = 4; size < sizeof(buf); size++) {
		memset(buf, 'X', sizeof(buf));
		cr_assert_lt(escape_text(text, buf, size), size);
		cr_assert_eq(buf[size], 'X');
	}
}
