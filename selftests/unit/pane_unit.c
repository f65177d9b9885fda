/* SPDX-License-Identifier: MIT */
#include "tui/pane.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "tui/scrollback.h"

static void use_utf8(void)
{
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
}

TestSuite(pane, .init = use_utf8);

static void show(struct pane *p, const char *text)
{
	pane_write(p, text, strlen(text), false);
}

static struct cells draw(const struct pane *p, int w, int h)
{
	struct cells c;

	cells_init(&c, false);
	cr_assert_eq(cells_resize(&c, w, h), 0);
	pane_render(p, &c, (struct rect){ 0, 0, w, h });
	return c;
}

/* The ASCII of a row, without the blanks at its end. */
static const char *row(const struct cells *c, int y)
{
	static char text[CELLS_MAX + 1];
	int n = 0;

	for (int x = 0; x < c->w; x++) {
		uint32_t ch = c->v[y * c->w + x].chars[0];

		text[x] = ch ? (char)ch : ' ';
		if (ch)
			n = x + 1;
	}
	text[n] = '\0';
	return text;
}

/* What the keys become, once the command has set some modes. */
static void expect_sent(const char *modes, struct key key, const char *expected)
{
	struct pane *p = pane_new(24, 80);
	const char *bytes;
	size_t len;

	cr_assert_not_null(p);
	show(p, modes);
	len = pane_input(p, &bytes);
	pane_sent(p, len);
	pane_key(p, &key);
	len = pane_input(p, &bytes);
	cr_expect(len == strlen(expected) && !memcmp(bytes, expected, len),
		  "key %u with modes %s sends '%.*s'", key.code, modes + !!*modes, (int)len, bytes);
	pane_free(p);
}

Test(pane, keys_become_what_the_modes_ask_for)
{
	expect_sent("", (struct key){ .code = 'a' }, "a");
	expect_sent("", (struct key){ .code = KEYS_CTRL(']') }, "\035");
	expect_sent("", (struct key){ .code = KEYS_CTRL('c') }, "\003");
	expect_sent("", (struct key){ .code = 0xc3 }, "\xc3");
	expect_sent("", (struct key){ .code = KEYS_ESCAPE }, "\033");
	expect_sent("", (struct key){ .code = KEYS_UP }, "\033[A");
	expect_sent("\033[?1h", (struct key){ .code = KEYS_UP }, "\033OA");
	expect_sent("", (struct key){ .code = KEYS_LEFT, .mods = KEYS_CONTROL }, "\033[1;5D");
	expect_sent("", (struct key){ .code = KEYS_F(1) }, "\033OP");
	expect_sent("", (struct key){ .code = KEYS_F(12) }, "\033[24~");
	expect_sent("", (struct key){ .code = KEYS_F(5), .mods = KEYS_SHIFT }, "\033[15;2~");
	expect_sent("", (struct key){ .code = KEYS_BACKTAB }, "\033[Z");
	expect_sent("", (struct key){ .code = KEYS_DELETE }, "\033[3~");
	expect_sent("", (struct key){ .code = KEYS_PAGE_UP }, "\033[5~");
	expect_sent("", (struct key){ .code = KEYS_KEYPAD_ENTER }, "\r");
	expect_sent("", (struct key){ .code = KEYS_PASTE_START }, "");
	expect_sent("\033[?2004h", (struct key){ .code = KEYS_PASTE_START }, "\033[200~");
	expect_sent("\033[?2004h", (struct key){ .code = KEYS_PASTE_END }, "\033[201~");
	expect_sent("", (struct key){ .code = KEYS_RAW, .raw = "\033x", .raw_len = 2 }, "\033x");
}

Test(pane, the_mouse_is_reported_when_asked_for)
{
	struct key press = { .code = KEYS_MOUSE, .button = 1, .pressed = true, .x = 4, .y = 2 };
	struct key outside = { .code = KEYS_MOUSE, .button = 1, .pressed = true, .x = 80, .y = 2 };

	expect_sent("", press, "");
	expect_sent("\033[?1000h\033[?1006h", press, "\033[<0;5;3M");
	expect_sent("\033[?1000h\033[?1006h", outside, "");
	press.button = 4;
	expect_sent("\033[?1002h\033[?1006h", press, "\033[<64;5;3M");
}

Test(pane, colours_and_attributes)
{
	struct pane *p = pane_new(2, 10);
	struct cells c;

	show(p, "\033[1;31mA\033[0;38;5;200;4mB\033[0;48;2;1;2;3;7mC\033[m日\033[3md");
	c = draw(p, 10, 2);
	cr_expect_eq(c.v[0].role, ROLE_COMMAND);
	cr_expect_eq(c.v[0].style.fg, COLOR_INDEXED | 1);
	cr_expect_eq(c.v[0].style.attrs, STYLE_BOLD);
	cr_expect_eq(c.v[1].style.fg, COLOR_INDEXED | 200);
	cr_expect_eq(c.v[1].style.attrs, STYLE_UNDERLINE);
	cr_expect_eq(c.v[2].style.bg, COLOR_RGB | 0x010203);
	cr_expect_eq(c.v[2].style.attrs, STYLE_REVERSE);
	cr_expect(c.v[3].width == 2 && c.v[3].style.fg == COLOR_DEFAULT);
	cr_expect_eq(c.v[5].style.attrs, STYLE_ITALIC);
	cells_exit(&c);
	pane_free(p);
}

Test(pane, the_alternate_screen_leaves_the_first_as_it_was)
{
	struct pane *p = pane_new(3, 20);
	struct cells c;

	show(p, "before\033[?1049h\033[2J\033[Hinside\r\n\n\n\nmore");
	c = draw(p, 20, 3);
	cr_expect_str_eq(row(&c, 2), "more");
	cells_exit(&c);
	show(p, "\033[?1049l");
	c = draw(p, 20, 3);
	cr_expect_str_eq(row(&c, 0), "before");
	cells_exit(&c);
	pane_free(p);
}

Test(pane, cursor_place_visibility_and_shape)
{
	struct pane *p = pane_new(5, 20);
	struct cells c = draw(p, 20, 5);

	cr_expect(c.cursor.visible && c.cursor.x == 0 && c.cursor.shape == 0);
	show(p, "\033[3;7H\033[6 q");
	cells_exit(&c);
	c = draw(p, 20, 5);
	cr_expect(c.cursor.visible && c.cursor.x == 6 && c.cursor.y == 2);
	cr_expect_eq(c.cursor.shape, 6);
	cells_exit(&c);
	show(p, "\033[?25l");
	c = draw(p, 20, 5);
	cr_expect(!c.cursor.visible);
	cells_exit(&c);
	pane_free(p);
}

Test(pane, questions_are_answered_once)
{
	struct pane *p = pane_new(5, 20);
	const char *bytes;

	pane_write(p, "\033[6n\a", 5, true);
	cr_expect_eq(pane_input(p, &bytes), 0);
	cr_expect(!pane_take_bell(p));
	show(p, "\033[6n\a");
	cr_expect_eq(pane_input(p, &bytes), 6);
	cr_expect(!memcmp(bytes, "\033[1;1R", 6));
	cr_expect(pane_take_bell(p));
	cr_expect(!pane_take_bell(p));
	pane_sent(p, 2);
	cr_expect_eq(pane_input(p, &bytes), 4);
	cr_expect(!memcmp(bytes, "1;1R", 4));
	pane_free(p);
}

static char *reprint(struct pane *p, bool color, bool ascii)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	pane_reprint(p, out, color, ascii);
	fclose(out);
	return text;
}

Test(pane, everything_that_scrolled_by_is_reprinted)
{
	struct pane *p = pane_new(3, 20);
	char *text;

	show(p, "one\r\ntwo \033[31mred\033[m\r\nd\u00e9f\r\nfour\r\n");
	text = reprint(p, false, false);
	cr_expect_str_eq(text, "one\ntwo red\nd\u00e9f\nfour\n");
	free(text);
	text = reprint(p, true, false);
	cr_expect_str_eq(text, "one\ntwo \033[0;31mred\033[0m\nd\u00e9f\nfour\n");
	free(text);
	text = reprint(p, false, true);
	cr_expect_str_eq(text, "one\ntwo red\nd?f\nfour\n");
	free(text);
	pane_free(p);
}

Test(pane, a_killed_full_screen_program_is_not_reprinted)
{
	struct pane *p = pane_new(3, 20);
	char *text;

	show(p, "one\r\n\033[?1049h\033[2J\033[Hinside");
	text = reprint(p, false, false);
	cr_expect_str_eq(text, "one\n");
	free(text);
	pane_free(p);
}

Test(pane, what_is_reprinted_has_no_other_control_characters)
{
	struct pane *p = pane_new(4, 40);
	char *text;

	show(p, "\033]0;title\a\033]52;c;aGk=\a\033P$"
		"q\033\\x\u202ey\xc2\x85z\u200d\xff\x01\r\n\n\n\n");
	text = reprint(p, true, false);
	for (const char *c = text; *c; c++)
		cr_expect(*c == '\n' || (unsigned char)*c >= ' ', "%02x", (unsigned char)*c);
	cr_expect_null(strstr(text, "\u202e"));
	cr_expect_null(strstr(text, "\u200d"));
	free(text);
	pane_free(p);
}

Test(pane, the_last_lines_are_kept)
{
	struct pane *p = pane_new(2, 20);
	char line[32], *text;
	int lines = 0;

	for (int i = 0; i < SCROLLBACK_LINES + 500; i++) {
		snprintf(line, sizeof(line), "line %d\r\n", i);
		show(p, line);
	}
	text = reprint(p, false, false);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	cr_expect_eq(lines, SCROLLBACK_LINES + 1);
	cr_expect(!strncmp(text, "line 499\n", 9), "%.20s", text);
	free(text);
	pane_free(p);
}

Test(pane, lines_come_back_when_it_grows)
{
	struct pane *p = pane_new(5, 20);
	struct cells c;

	show(p, "one\r\ntwo\r\n\033[32mthree\033[m\r\nfour\r\nfive");
	pane_resize(p, 2, 20);
	c = draw(p, 20, 2);
	cr_expect_str_eq(row(&c, 1), "five");
	cells_exit(&c);
	pane_resize(p, 5, 20);
	c = draw(p, 20, 5);
	cr_expect_str_eq(row(&c, 0), "one");
	cr_expect_str_eq(row(&c, 2), "three");
	cr_expect_eq(c.v[40].style.fg, COLOR_INDEXED | 2);
	cr_expect_str_eq(row(&c, 4), "five");
	cells_exit(&c);
	pane_free(p);
}

/* Each of these ended libvterm's own screen layer with SIGSEGV. */
Test(pane, wide_characters_beyond_the_margin)
{
	static const char *const rows[] = {
		"\033[?7l\033[1;5H日",      "\033[1;5H日\033[9b", "a\u302f\u302f\u302f\u302f\u302f",
		"\ufffd\u302f\r\n\n\n\n\n", "日日日日日日日日日",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int cols = 1; cols < 7; cols++) {
			struct pane *p = pane_new(2, cols);
			struct cells c;

			show(p, rows[i]);
			pane_resize(p, 9, cols + 1);
			show(p, rows[i]);
			c = draw(p, cols, 2);
			cells_exit(&c);
			pane_free(p);
		}
}

Test(pane, any_size_and_any_output)
{
	static const int sizes[][2] = { { 1, 1 },  { 24, 80 }, { 2, 3 },  { 0, 0 },
					{ 60, 7 }, { 1, 200 }, { -5, 1 }, { 50, 1 } };
	struct pane *p = pane_new(24, 80);
	uint32_t random = 1;

	for (int round = 0; round < 400; round++) {
		const int *size = sizes[round % 8];
		char bytes[512];
		struct cells c;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			random = random * 1664525 + 1013904223;
			/* Beginnings of sequences are frequent. */
			bytes[i] = random >> 28 == 0   ? '\033'
				   : random >> 28 == 1 ? '['
				   : random >> 28 == 2 ? (char)('0' + (random >> 20) % 10)
				   : random >> 28 == 3 ? '\n'
						       : (char)(random >> 16);
		}
		pane_write(p, bytes, sizeof(bytes), false);
		pane_resize(p, size[0], size[1]);
		c = draw(p, 1 + round % 90, 1 + round % 30);
		cells_exit(&c);
	}
	free(reprint(p, true, false));
	pane_free(p);
}
