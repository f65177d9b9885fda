/* SPDX-License-Identifier: MIT */
#include "tui/sgr.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/escape.h"

/* `base` is 30 or 40. */
static void print_color(FILE *out, uint32_t color, int base)
{
	uint32_t value = color & 0xffffff;

	if (color & COLOR_RGB)
		fprintf(out, ";%d;2;%u;%u;%u", base + 8, value >> 16, value >> 8 & 0xff,
			value & 0xff);
	else if (!(color & COLOR_INDEXED))
		return;
	else if (value < 8)
		fprintf(out, ";%u", base + value);
	else if (value < 16)
		fprintf(out, ";%u", base + 60 + value - 8);
	else
		fprintf(out, ";%d;5;%u", base + 8, value);
}

void sgr_change(FILE *out, struct style *now, struct style style)
{
	static const struct {
		uint8_t attr;
		const char *code;
	} attrs[] = {
		{ STYLE_BOLD, ";1" },  { STYLE_ITALIC, ";3" },  { STYLE_UNDERLINE, ";4" },
		{ STYLE_BLINK, ";5" }, { STYLE_REVERSE, ";7" },
	};

	if (now->fg == style.fg && now->bg == style.bg && now->attrs == style.attrs)
		return;
	*now = style;
	fputs("\033[0", out);
	for (size_t i = 0; i < sizeof(attrs) / sizeof(*attrs); i++)
		if (style.attrs & attrs[i].attr)
			fputs(attrs[i].code, out);
	print_color(out, style.fg, 30);
	print_color(out, style.bg, 40);
	fputc('m', out);
}

static void put_utf8(FILE *out, uint32_t c)
{
	if (c < 0x80) {
		fputc((int)c, out);
		return;
	}
	if (c < 0x800) {
		fputc((int)(0xc0 | c >> 6), out);
	} else {
		if (c < 0x10000) {
			fputc((int)(0xe0 | c >> 12), out);
		} else {
			fputc((int)(0xf0 | c >> 18), out);
			fputc((int)(0x80 | (c >> 12 & 0x3f)), out);
		}
		fputc((int)(0x80 | (c >> 6 & 0x3f)), out);
	}
	fputc((int)(0x80 | (c & 0x3f)), out);
}

void sgr_chars(FILE *out, const uint32_t *chars, size_t n)
{
	const uint32_t replacement = 0xfffd;

	if (n == 0 || chars[0] == 0) {
		fputc(' ', out);
		return;
	}
	for (size_t i = 0; i < n && chars[i]; i++) {
		bool valid = chars[i] <= 0x10ffff && escape_printable(chars[i]);

		/* A character keeps its place; what combines with it has none. */
		if (valid || i == 0)
			put_utf8(out, valid ? chars[i] : replacement);
	}
}

/* The length of the SGR sequence at `text`, or 0. */
static size_t sequence_length(const char *text)
{
	return *text == '\033' ? strcspn(text, "m") + 1 : 0;
}

/* The numbers behind 38 or 48, of which `text` is the first. */
static const char *parse_color(const char *text, uint32_t *color)
{
	char *end;
	unsigned long kind = strtoul(text, &end, 10), value = 0;

	for (unsigned int i = kind == 2 ? 3 : 1; i > 0 && *end == ';'; i--)
		value = value << 8 | (strtoul(end + 1, &end, 10) & 0xff);
	*color = (kind == 2 ? COLOR_RGB : COLOR_INDEXED) | (uint32_t)value;
	return end;
}

/* A sequence of sgr_change(): 0 is its first number. */
static void parse_style(const char *text, struct style *now)
{
	static const uint8_t attrs[] = {
		[1] = STYLE_BOLD,  [3] = STYLE_ITALIC,  [4] = STYLE_UNDERLINE,
		[5] = STYLE_BLINK, [7] = STYLE_REVERSE,
	};
	char *end;

	*now = (struct style){ 0 };
	for (; *text == ';' || *text == '['; text = end) {
		unsigned long code = strtoul(text + 1, &end, 10);
		uint32_t *color = code / 10 % 2 ? &now->fg : &now->bg;

		if (code < sizeof(attrs))
			now->attrs |= attrs[code];
		else if (code >= 90)
			*(code < 100 ? &now->fg : &now->bg) = COLOR_INDEXED | (code % 10 + 8);
		else if (code % 10 == 8 && *end == ';')
			end = (char *)parse_color(end + 1, color);
		else
			*color = COLOR_INDEXED | code % 10;
	}
}

size_t sgr_next(const char *line, struct style *now, uint32_t chars[static CELLS_CHARS], size_t *n)
{
	size_t len = sequence_length(line), used;

	*n = 0;
	if (len > 0) {
		parse_style(line + 1, now);
		return len;
	}
	used = escape_decode(line, &chars[0]);
	*n = used > 0;
	while (used > 0 && *n < CELLS_CHARS) {
		len = escape_decode(line + used, &chars[*n]);
		if (len < 2 || wcwidth((wchar_t)chars[*n]) != 0)
			break;
		used += len;
		++*n;
	}
	return used;
}

void sgr_print(FILE *out, const char *line, bool color, bool ascii)
{
	uint32_t c;
	size_t len;

	while (*line) {
		len = sequence_length(line);
		if (len) {
			if (color)
				fwrite(line, 1, len, out);
			line += len;
			continue;
		}
		len = escape_decode(line, &c);
		len = len ? len : 1;
		if (ascii && len > 1)
			fputc('?', out);
		else
			fwrite(line, 1, len, out);
		line += len;
	}
	fputc('\n', out);
}
