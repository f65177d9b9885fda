/* SPDX-License-Identifier: MIT */
#include "tui/scrollback.h"

#include <errno.h>
#include <stdlib.h>

#include "tui/sgr.h"

int scrollback_init(struct scrollback *s)
{
	*s = (struct scrollback){ .lines = calloc(SCROLLBACK_LINES, sizeof(*s->lines)) };
	return s->lines ? 0 : -ENOMEM;
}

void scrollback_exit(struct scrollback *s)
{
	for (size_t i = 0; s->lines && i < SCROLLBACK_LINES; i++)
		free(s->lines[i]);
	free(s->lines);
	*s = (struct scrollback){ 0 };
}

static bool is_blank(const struct cell *cell)
{
	return cell->width == 1 && cell->chars[0] == 0 && cell->style.bg == COLOR_DEFAULT &&
	       !(cell->style.attrs & (STYLE_UNDERLINE | STYLE_REVERSE));
}

/* To be freed; NULL for want of memory. */
static char *encode(const struct cells *c, int y)
{
	const struct cell *row = &c->v[(size_t)y * c->w];
	struct style now = { 0 };
	char *text = NULL;
	int end = c->w;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while (end > 0 && is_blank(&row[end - 1]))
		end--;
	for (int x = 0; x < end; x++) {
		if (row[x].width == 0)
			continue;
		sgr_change(out, &now, row[x].style);
		sgr_chars(out, row[x].chars, CELLS_CHARS);
	}
	sgr_change(out, &now, (struct style){ 0 });
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void decode(const char *line, struct cells *c, int y)
{
	struct style now = { 0 };
	uint32_t chars[CELLS_CHARS];
	size_t len, n;
	int x = 0;

	cells_fill(c, (struct rect){ 0, y, c->w, 1 }, ROLE_COMMAND);
	while ((len = sgr_next(line, &now, chars, &n))) {
		int width = n ? cells_char_width(chars[0]) : 0;

		if (width > 0)
			cells_put(c, x, y, chars, n, width, ROLE_COMMAND, now);
		x += width;
		line += len;
	}
}

void scrollback_push(struct scrollback *s, const struct cells *c, int y)
{
	char **line = &s->lines[(s->first + s->count) % SCROLLBACK_LINES];

	if (s->count == SCROLLBACK_LINES)
		s->first = (s->first + 1) % SCROLLBACK_LINES;
	else
		s->count++;
	free(*line);
	*line = encode(c, y);
}

bool scrollback_pop(struct scrollback *s, struct cells *c, int y)
{
	char **line;

	if (s->count == 0)
		return false;
	s->count--;
	line = &s->lines[(s->first + s->count) % SCROLLBACK_LINES];
	decode(*line ? *line : "", c, y);
	free(*line);
	*line = NULL;
	return true;
}

void scrollback_print(const struct scrollback *s, FILE *out, bool color, bool ascii)
{
	for (size_t i = 0; i < s->count; i++) {
		const char *line = s->lines[(s->first + i) % SCROLLBACK_LINES];

		sgr_print(out, line ? line : "", color, ascii);
	}
}

void scrollback_print_row(const struct cells *c, int y, FILE *out, bool color, bool ascii)
{
	char *line = encode(c, y);

	sgr_print(out, line ? line : "", color, ascii);
	free(line);
}
