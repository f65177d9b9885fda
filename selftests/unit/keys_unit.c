/* SPDX-License-Identifier: MIT */
#include "tui/keys.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Decode the bytes, and say that no more come. Returns how many keys they were. */
static size_t decode(const char *bytes, struct key *keys, size_t max)
{
	struct keys_decoder d = { 0 };
	size_t n = 0;

	for (; *bytes && n < max; bytes++)
		n += keys_decode(&d, (uint8_t)*bytes, &keys[n]);
	if (n < max)
		n += keys_flush(&d, &keys[n]);
	cr_expect(!keys_is_pending(&d) || n == max);
	return n;
}

Test(keys, sequences_are_one_key)
{
	static const struct {
		const char *bytes;
		uint16_t code;
		uint8_t mods;
	} rows[] = {
		{ "a", 'a', 0 },
		{ "\r", '\r', 0 },
		{ "\x7f", 0x7f, 0 },
		{ "\033", KEYS_ESCAPE, 0 },
		{ "\033[A", KEYS_UP, 0 },
		{ "\033OB", KEYS_DOWN, 0 },
		{ "\033[1;5D", KEYS_LEFT, KEYS_CONTROL },
		{ "\033[1;8C", KEYS_RIGHT, KEYS_SHIFT | KEYS_ALT | KEYS_CONTROL },
		{ "\033[5;2~", KEYS_PAGE_UP, KEYS_SHIFT },
		{ "\033[3~", KEYS_DELETE, 0 },
		{ "\033OP", KEYS_F(1), 0 },
		{ "\033[1;2P", KEYS_F(1), KEYS_SHIFT },
		{ "\033[15~", KEYS_F(5), 0 },
		{ "\033[24;6~", KEYS_F(12), KEYS_SHIFT | KEYS_CONTROL },
		{ "\033[Z", KEYS_BACKTAB, 0 },
		{ "\033OM", KEYS_KEYPAD_ENTER, 0 },
		{ "\033[200~", KEYS_PASTE_START, 0 },
		{ "\033[201~", KEYS_PASTE_END, 0 },
		{ "\033a", KEYS_RAW, 0 },
		{ "\033[27;5;97~", KEYS_RAW, 0 },
		{ "\033[97;5u", KEYS_RAW, 0 },
		{ "\033[?62;22c", KEYS_RAW, 0 },
		{ "\033[", KEYS_RAW, 0 },
		{ "\033[1;9A", KEYS_RAW, 0 },
		{ "\033[2A", KEYS_RAW, 0 },
		{ "\033[[A", KEYS_RAW, 0 },
		{ "\033]11;rgb:dddd/aaaa/dddd\a", KEYS_RAW, 0 },
		{ "\033]11;rgb:dddd/aaaa/dddd\033\\", KEYS_RAW, 0 },
		{ "\033P1+r5463=61\033\\", KEYS_RAW, 0 },
		{ "\033]52;c;aaaa", KEYS_RAW, 0 },
	};
	struct key keys[4];

	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(keys, 0, sizeof(keys));
		cr_expect_eq(decode(rows[i].bytes, keys, COUNT(keys)), 1, "%s", rows[i].bytes + 1);
		cr_expect_eq(keys[0].code, rows[i].code, "%s", rows[i].bytes + 1);
		cr_expect_eq(keys[0].mods, rows[i].mods, "%s", rows[i].bytes + 1);
		if (keys[0].code == KEYS_RAW)
			cr_expect(keys[0].raw_len == strlen(rows[i].bytes) &&
				  !memcmp(keys[0].raw, rows[i].bytes, keys[0].raw_len));
	}
}

Test(keys, no_letter_of_a_sequence_is_a_command)
{
	/* A terminal's answer, Alt with a letter, a cut sequence followed by another. */
	static const char *const rows[] = {
		"\033]11;rgb:adad/udud/qqqq\033\\",
		"\033a",
		"\033d",
		"\033[1;1;1;1;1;1;1;1d",
		"\033[<0;1;1a",
		"\033Oa",
		"\033[?1;2\033[A",
		"\033[Maaa",
		"\033[M ad",
	};
	struct key keys[8];

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = decode(rows[i], keys, COUNT(keys));

		for (size_t k = 0; k < n; k++) {
			enum command c = keys_command(&keys[k], KEYS_IN_LIST);

			cr_expect(c == COMMAND_NONE || c == COMMAND_UP, "%s: key %zu is command %d",
				  rows[i] + 1, k, c);
		}
	}
}

Test(keys, an_endless_sequence_is_dropped_whole)
{
	struct keys_decoder d = { 0 };
	struct key key;

	cr_assert(!keys_decode(&d, KEYS_ESCAPE, &key));
	cr_assert(!keys_decode(&d, ']', &key));
	for (int i = 0; i < 10000; i++)
		cr_assert(!keys_decode(&d, 'a', &key));
	cr_expect(!keys_decode(&d, '\a', &key));
	cr_expect(keys_decode(&d, 'b', &key));
	cr_expect_eq(key.code, 'b');
}

Test(keys, two_escapes_and_what_follows_an_escape)
{
	struct key keys[4];

	cr_expect_eq(decode("\033\033", keys, COUNT(keys)), 2);
	cr_expect_eq(keys[1].code, KEYS_ESCAPE);
	cr_expect_eq(decode("\033\033[A", keys, COUNT(keys)), 2);
	cr_expect_eq(keys[0].code, KEYS_ESCAPE);
	cr_expect_eq(keys[1].code, KEYS_UP);
}

Test(keys, the_mouse)
{
	static const struct {
		const char *bytes;
		uint8_t button, mods;
		bool pressed;
		int x, y;
	} rows[] = {
		{ "\033[<0;1;1M", 1, 0, true, 0, 0 },
		{ "\033[<0;10;20m", 1, 0, false, 9, 19 },
		{ "\033[<2;1;1M", 3, 0, true, 0, 0 },
		{ "\033[<64;5;6M", 4, 0, true, 4, 5 },
		{ "\033[<65;5;6M", 5, 0, true, 4, 5 },
		{ "\033[<35;300;4M", 0, 0, true, 299, 3 },
		{ "\033[<16;1;1M", 1, KEYS_CONTROL, true, 0, 0 },
		{ "\033[M !!", 1, 0, true, 0, 0 },
		{ "\033[M#+5", 1, 0, false, 10, 20 },
		{ "\033[M`%&", 4, 0, true, 4, 5 },
		{ "\033[M\"\377&", 3, 0, true, 222, 5 },
	};
	struct key k;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cr_expect_eq(decode(rows[i].bytes, &k, 1), 1);
		cr_expect_eq(k.code, KEYS_MOUSE, "%s", rows[i].bytes + 1);
		cr_expect(k.button == rows[i].button && k.mods == rows[i].mods &&
				  k.pressed == rows[i].pressed && k.x == rows[i].x &&
				  k.y == rows[i].y,
			  "%s", rows[i].bytes + 1);
		cr_expect_eq(keys_command(&k, KEYS_IN_LIST), COMMAND_NONE);
	}
	cr_expect_eq(decode("\033[<0;0;1M", &k, 1), 1);
	cr_expect_eq(k.code, KEYS_RAW);
}

Test(keys, in_the_output_only_the_prefix_is_taken)
{
	for (uint16_t code = 1; code < KEYS_PASTE_START; code++) {
		struct key k = { .code = code };

		cr_expect_eq(keys_command(&k, KEYS_IN_OUTPUT),
			     code == KEYS_CTRL(']') ? COMMAND_LEAVE_OUTPUT : COMMAND_NONE, "%u",
			     code);
	}
}

Test(keys, no_key_has_two_meanings_in_a_place)
{
	for (int place = 1; place < 1 << KEYS_PLACES; place *= 2)
		for (uint16_t code = 1; code < KEYS_PASTE_START; code++) {
			int meanings = 0;

			for (enum command c = 0; c < COMMAND_COUNT; c++)
				for (int i = 0; i < KEYS_PER_COMMAND; i++)
					meanings += (keys_row(c)->places & place) &&
						    keys_row(c)->keys[i] == code;
			cr_expect_leq(meanings, 1, "key %u at place %d", code, place);
		}
}

Test(keys, every_command_can_be_reached_and_is_explained)
{
	char name[KEYS_NAME_MAX];

	for (enum command c = COMMAND_NONE + 1; c < COMMAND_COUNT; c++) {
		const struct keys_row *row = keys_row(c);

		cr_expect(row->keys[0] && row->places, "command %d", c);
		cr_expect(row->help || row->bar, "command %d", c);
		cr_expect_eq(!row->bar, !row->bar_places, "command %d", c);
		cr_expect_eq(row->bar_places & ~row->places, 0, "command %d", c);
		for (int i = 0; i < KEYS_PER_COMMAND && row->keys[i]; i++)
			cr_expect(*keys_name(row->keys[i], name), "command %d", c);
	}
}

Test(keys, with_a_modifier_a_key_is_another)
{
	struct key k = { .code = KEYS_UP, .mods = KEYS_CONTROL };

	cr_expect_eq(keys_command(&k, KEYS_IN_LIST), COMMAND_NONE);
}

Test(keys, names)
{
	static const struct {
		uint16_t code;
		const char *name;
	} rows[] = {
		{ KEYS_F(1), "F1" },
		{ KEYS_F(12), "F12" },
		{ KEYS_UP, "Up" },
		{ '\r', "Enter" },
		{ KEYS_CTRL(']'), "Ctrl-]" },
		{ KEYS_CTRL('l'), "Ctrl-L" },
		{ 'a', "a" },
		{ ' ', "Space" },
		{ KEYS_ESCAPE, "Esc" },
		{ '\t', "Tab" },
		{ KEYS_BACKTAB, "Shift-Tab" },
		{ '?', "?" },
	};
	char name[KEYS_NAME_MAX];

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_str_eq(keys_name(rows[i].code, name), rows[i].name);
}
