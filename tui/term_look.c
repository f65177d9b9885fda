/* SPDX-License-Identifier: MIT */
#include "tui/term_look.h"

static const struct term_look color_looks[ROLE_COUNT] = {
	[ROLE_TEXT] = { -1, -1, 0 },
	[ROLE_TITLE] = { -1, -1, A_BOLD },
	[ROLE_DIM] = { COLOR_CYAN, -1, 0 },
	[ROLE_ALLOW] = { COLOR_GREEN, -1, 0 },
	[ROLE_DENY] = { COLOR_RED, -1, A_BOLD },
	[ROLE_HOLD] = { COLOR_YELLOW, -1, A_BOLD },
	[ROLE_TAB] = { -1, -1, 0 },
	[ROLE_TAB_CURRENT] = { COLOR_BLACK, COLOR_GREEN, 0 },
	[ROLE_COLUMNS] = { COLOR_BLACK, COLOR_GREEN, 0 },
	[ROLE_SELECTED] = { COLOR_BLACK, COLOR_CYAN, 0 },
	[ROLE_KEY] = { -1, -1, 0 },
	[ROLE_BAR] = { COLOR_BLACK, COLOR_CYAN, 0 },
	[ROLE_MESSAGE] = { -1, -1, A_BOLD },
	[ROLE_ERROR] = { COLOR_WHITE, COLOR_RED, A_BOLD },
	[ROLE_COMMAND] = { -1, -1, 0 },
};

static const struct term_look mono_looks[ROLE_COUNT] = {
	[ROLE_TEXT] = { -1, -1, 0 },
	[ROLE_TITLE] = { -1, -1, A_BOLD },
	[ROLE_DIM] = { -1, -1, 0 },
	[ROLE_ALLOW] = { -1, -1, 0 },
	[ROLE_DENY] = { -1, -1, A_BOLD },
	[ROLE_HOLD] = { -1, -1, A_BOLD | A_UNDERLINE },
	[ROLE_TAB] = { -1, -1, 0 },
	[ROLE_TAB_CURRENT] = { -1, -1, A_REVERSE },
	[ROLE_COLUMNS] = { -1, -1, A_REVERSE },
	[ROLE_SELECTED] = { -1, -1, A_REVERSE | A_BOLD },
	[ROLE_KEY] = { -1, -1, 0 },
	[ROLE_BAR] = { -1, -1, A_REVERSE },
	[ROLE_MESSAGE] = { -1, -1, A_BOLD },
	[ROLE_ERROR] = { -1, -1, A_REVERSE | A_BOLD },
	[ROLE_COMMAND] = { -1, -1, 0 },
};

/* The nearest of the first 16 colours, of which a terminal may have only the first 8. */
static short low_color(uint32_t r, uint32_t g, uint32_t b)
{
	uint32_t max = r > g ? r : g;
	uint32_t half = (max > b ? max : b) / 2;
	short color;

	if (max < 0x40 && b < 0x40)
		return COLOR_BLACK;
	color = (short)((r > half ? 1 : 0) | (g > half ? 2 : 0) | (b > half ? 4 : 0));
	return COLORS >= 16 && half > 0x60 ? (short)(color + 8) : color;
}

/* A colour of the 6x6x6 cube, as xterm has it from 16 on. */
static short cube_color(uint32_t r, uint32_t g, uint32_t b)
{
	return (short)(16 + 36 * ((r * 5 + 127) / 255) + 6 * ((g * 5 + 127) / 255) +
		       (b * 5 + 127) / 255);
}

/* The other way round; the greys are from 232 on. */
static void palette_rgb(uint32_t index, uint32_t rgb[static 3])
{
	index -= 16;
	rgb[0] = index < 216 ? index / 36 * 51 : 8 + (index - 216) * 10;
	rgb[1] = index < 216 ? index / 6 % 6 * 51 : rgb[0];
	rgb[2] = index < 216 ? index % 6 * 51 : rgb[0];
}

static short curses_color(uint32_t color)
{
	uint32_t value = color & 0xffffff;
	uint32_t rgb[3] = { value >> 16, value >> 8 & 0xff, value & 0xff };

	if (color & COLOR_RGB)
		return COLORS >= 256 ? cube_color(rgb[0], rgb[1], rgb[2])
				     : low_color(rgb[0], rgb[1], rgb[2]);
	if (!(color & COLOR_INDEXED))
		return -1;
	if ((int)value < COLORS)
		return (short)value;
	if (value < 16)
		return (short)(value % 8);
	palette_rgb(value, rgb);
	return low_color(rgb[0], rgb[1], rgb[2]);
}

static attr_t style_attrs(uint8_t attrs)
{
	return (attrs & STYLE_BOLD ? A_BOLD : 0) | (attrs & STYLE_UNDERLINE ? A_UNDERLINE : 0) |
	       (attrs & STYLE_ITALIC ? A_ITALIC : 0) | (attrs & STYLE_BLINK ? A_BLINK : 0) |
	       (attrs & STYLE_REVERSE ? A_REVERSE : 0);
}

struct term_look term_look(bool color, const struct cell *cell)
{
	struct term_look look = color ? color_looks[cell->role] : mono_looks[cell->role];

	if (cell->role != ROLE_COMMAND)
		return look;
	look.attrs = style_attrs(cell->style.attrs);
	if (color) {
		look.fg = curses_color(cell->style.fg);
		look.bg = curses_color(cell->style.bg);
	}
	return look;
}
