/* SPDX-License-Identifier: MIT */
#include "tui/cells.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/escape.h"

enum {
	REPLACEMENT = 0xfffd,
	ELLIPSIS = 0x2026,
	FOREIGN_MAX =
		2048, /* bytes of an escaped text that are drawn: more than a screen is wide */
};

void cells_init(struct cells *c, bool ascii)
{
	*c = (struct cells){ .ascii = ascii };
}

void cells_exit(struct cells *c)
{
	free(c->v);
	spot_free(&c->spots);
	*c = (struct cells){ .ascii = c->ascii };
}

static int clamp(int n, int max)
{
	return n < 0 ? 0 : n > max ? max : n;
}

int cells_resize(struct cells *c, int w, int h)
{
	struct cell *v;

	w = clamp(w, CELLS_MAX);
	h = clamp(h, CELLS_MAX);
	if (w == 0 || h == 0)
		w = h = 0;
	v = calloc((size_t)w * h + 1, sizeof(*v));
	free(c->v);
	c->v = v;
	c->w = v ? w : 0;
	c->h = v ? h : 0;
	cells_clear(c);
	return v ? 0 : -ENOMEM;
}

void cells_clear(struct cells *c)
{
	c->cursor = (struct cells_cursor){ 0 };
	spot_clear(&c->spots);
	cells_fill(c, (struct rect){ 0, 0, c->w, c->h }, ROLE_TEXT);
}

static bool is_inside(const struct cells *c, int x, int y)
{
	return x >= 0 && x < c->w && y >= 0 && y < c->h;
}

static struct cell *cell_at(struct cells *c, int x, int y)
{
	return &c->v[(size_t)y * c->w + x];
}

/* What is drawn over one half of a wide character takes the other half away. */
static void split(struct cells *c, int x, int y)
{
	struct cell *cell = cell_at(c, x, y);
	struct cell *left = x > 0 ? cell - 1 : NULL;
	struct cell *right = x + 1 < c->w ? cell + 1 : NULL;

	if (cell->width == 0 && left) {
		memset(left->chars, 0, sizeof(left->chars));
		left->width = 1;
	} else if (cell->width == 2 && right) {
		memset(right->chars, 0, sizeof(right->chars));
		right->width = 1;
	}
}

/* A half whose other half was cut off becomes a blank. */
static void mend(struct cells *c, int x, int y)
{
	struct cell *cell = cell_at(c, x, y);
	bool whole = cell->width == 0   ? x > 0 && cell[-1].width == 2
		     : cell->width == 2 ? x + 1 < c->w && cell[1].width == 0
					: true;

	if (!whole) {
		memset(cell->chars, 0, sizeof(cell->chars));
		cell->width = 1;
	}
}

void cells_fill(struct cells *c, struct rect r, enum role role)
{
	int x0 = clamp(r.x, c->w), x1 = clamp(r.x + r.w, c->w);
	int y0 = clamp(r.y, c->h), y1 = clamp(r.y + r.h, c->h);

	for (int y = y0; y < y1; y++) {
		if (x0 < x1) {
			split(c, x0, y);
			split(c, x1 - 1, y);
		}
		for (int x = x0; x < x1; x++)
			*cell_at(c, x, y) = (struct cell){ .width = 1, .role = role };
	}
}

int cells_char_width(uint32_t ch)
{
	return escape_printable(ch) ? wcwidth((wchar_t)ch) : -1;
}

/* The nearest that ASCII has: lines stay lines. */
static uint32_t ascii_of(uint32_t ch)
{
	switch (ch) {
	case 0x2500: /* light, */
	case 0x2501: /* heavy, */
	case 0x2550: /* double */
	case 0x2504:
	case 0x2508:
	case 0x254c:
		return '-';
	case 0x2502:
	case 0x2503:
	case 0x2551:
	case 0x2506:
	case 0x250a:
		return '|';
	case ELLIPSIS:
		return '~';
	}
	if (ch >= 0x250c && ch <= 0x256c)
		return '+';
	if (ch >= 0x2580 && ch <= 0x259f)
		return '#';
	return ch < 0x80 ? ch : '?';
}

/*
 * The terminal counts columns by its own table, ours is that of wcwidth(), and the command's
 * terminal had a third. Where they disagree the rest of the line would be shifted.
 */
static uint32_t fit(const struct cells *c, uint32_t ch, int width)
{
	if (c->ascii)
		return escape_printable(ch) ? ascii_of(ch) : '?';
	return cells_char_width(ch) >= 1 && cells_char_width(ch) <= width ? ch : REPLACEMENT;
}

void cells_put(struct cells *c, int x, int y, const uint32_t *chars, size_t n, int width,
	       enum role role, struct style style)
{
	struct cell *cell;
	size_t used = 0;

	if (!is_inside(c, x, y))
		return;
	if (x + width > c->w)
		width = 1;
	for (int i = 0; i < width; i++)
		split(c, x + i, y);
	cell = cell_at(c, x, y);
	*cell = (struct cell){ .width = 1, .role = role, .style = style };
	for (int i = 1; i < width; i++)
		cell[i] = *cell;
	if (n == 0 || chars[0] == 0 || chars[0] == ' ')
		return;
	cell->chars[used++] = fit(c, chars[0], width);
	/* A narrow character in a wide place is followed by a blank. */
	if (width >= 2 && !c->ascii && cells_char_width(cell->chars[0]) == 2) {
		cell->width = 2;
		cell[1].width = 0;
	}
	for (size_t i = 1; i < n && chars[i] && used < CELLS_CHARS && !c->ascii; i++)
		if (cells_char_width(chars[i]) == 0)
			cell->chars[used++] = chars[i];
}

void cells_move(struct cells *c, struct rect from, int x, int y)
{
	int dx = x - from.x, dy = y - from.y;
	int x0 = clamp(from.x > -dx ? from.x : -dx, c->w), x1 = from.x + from.w;

	x1 = clamp(x1, dx > 0 ? c->w - dx : c->w);
	for (int i = 0; i < from.h; i++) {
		int row = dy > 0 ? from.y + from.h - 1 - i : from.y + i;

		if (!is_inside(c, x0, row) || !is_inside(c, x0 + dx, row + dy) || x1 <= x0)
			continue;
		split(c, x0 + dx, row + dy);
		split(c, x1 - 1 + dx, row + dy);
		memmove(cell_at(c, x0 + dx, row + dy), cell_at(c, x0, row),
			(size_t)(x1 - x0) * sizeof(*c->v));
		mend(c, x0 + dx, row + dy);
		mend(c, x1 - 1 + dx, row + dy);
	}
}

int cells_grow(struct cells *c, int w, int h)
{
	struct cells old = *c;
	int ret;

	c->v = NULL;
	ret = cells_resize(c, w, h);
	if (ret) {
		*c = old;
		return ret;
	}
	for (int y = 0; y < c->h && y < old.h; y++) {
		int n = c->w < old.w ? c->w : old.w;

		memcpy(cell_at(c, 0, y), cell_at(&old, 0, y), (size_t)n * sizeof(*c->v));
		if (n > 0)
			mend(c, n - 1, y);
	}
	free(old.v);
	return 0;
}

/*
 * The next character of the text with all that combines with it. Returns how many bytes it took.
 */
static size_t next_cluster(const char *text, uint32_t chars[static CELLS_CHARS], size_t *n)
{
	size_t used = escape_decode(text, &chars[0]), len;
	uint32_t ch;

	*n = 1;
	if (used == 0) {
		chars[0] = REPLACEMENT;
		return 1;
	}
	while ((len = escape_decode(text + used, &ch)) && ch >= 0x80 && cells_char_width(ch) == 0) {
		if (*n < CELLS_CHARS)
			chars[(*n)++] = ch;
		used += len;
	}
	return used;
}

static int cluster_width(const struct cells *c, uint32_t ch)
{
	return !c->ascii && cells_char_width(ch) == 2 ? 2 : 1;
}

int cells_text_width(const struct cells *c, const char *text)
{
	uint32_t chars[CELLS_CHARS];
	int width = 0;
	size_t n;

	while (*text) {
		text += next_cluster(text, chars, &n);
		width += cluster_width(c, chars[0]);
	}
	return width;
}

int cells_text(struct cells *c, int x, int y, int max, enum role role, const char *text)
{
	const bool cut = max > 0 && cells_text_width(c, text) > max;
	const uint32_t mark = ELLIPSIS;
	uint32_t chars[CELLS_CHARS];
	int used = 0, width;
	size_t n, len;

	while (*text) {
		len = next_cluster(text, chars, &n);
		width = cluster_width(c, chars[0]);
		if (used + width > max - cut)
			break;
		cells_put(c, x + used, y, chars, n, width, role, (struct style){ 0 });
		text += len;
		used += width;
	}
	if (cut)
		cells_put(c, x + used++, y, &mark, 1, 1, role, (struct style){ 0 });
	return used;
}

void cells_wrap(struct cells *c, struct rect r, int *x, int *y, enum role role, const char *text)
{
	uint32_t chars[CELLS_CHARS];
	int width;
	size_t n;

	while (*text) {
		text += next_cluster(text, chars, &n);
		width = cluster_width(c, chars[0]);
		if (*x > 0 && *x + width > r.w) {
			*x = 0;
			++*y;
		}
		if (*y < r.h && *x + width <= r.w)
			cells_put(c, r.x + *x, r.y + *y, chars, n, width, role,
				  (struct style){ 0 });
		*x += width;
	}
}

void cells_words(struct cells *c, struct rect r, int *x, int *y, enum role role, const char *text)
{
	char word[512];

	while (*text) {
		int gap = (int)strspn(text, " "), len = (int)strcspn(text + gap, " ");

		snprintf(word, sizeof(word), "%.*s", len, text + gap);
		text += gap + len;
		if (*x > 0 && *x + gap + cells_text_width(c, word) > r.w) {
			*x = 0;
			++*y;
			gap = 0;
		}
		for (int i = 0; i < gap; i++)
			cells_wrap(c, r, x, y, role, " ");
		cells_wrap(c, r, x, y, role, word);
	}
}

int cells_foreign(struct cells *c, int x, int y, int max, enum role role, const char *text)
{
	char safe[FOREIGN_MAX];

	escape_text(text, safe, sizeof(safe));
	return cells_text(c, x, y, max, role, safe);
}
