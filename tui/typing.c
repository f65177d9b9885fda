/* SPDX-License-Identifier: MIT */
#include "tui/typing.h"

#include <stdio.h>
#include <string.h>

#include "core/escape.h"

void typing_set(struct typing *t, const char *text)
{
	snprintf(t->text, sizeof(t->text), "%s", text);
	t->cursor = strlen(t->text);
}

/* The character before or behind the place, all of its bytes. */
static size_t before(const struct typing *t, size_t at)
{
	while (at > 0 && (t->text[--at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t behind(const struct typing *t, size_t at)
{
	if (t->text[at])
		at++;
	while ((t->text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void erase(struct typing *t, size_t from, size_t to)
{
	memmove(t->text + from, t->text + to, strlen(t->text + to) + 1);
	t->cursor = from;
}

static void insert(struct typing *t, char c)
{
	size_t len = strlen(t->text);

	if (len + 1 == sizeof(t->text))
		return;
	memmove(t->text + t->cursor + 1, t->text + t->cursor, len - t->cursor + 1);
	t->text[t->cursor++] = c;
}

bool typing_key(struct typing *t, const struct key *k)
{
	if (k->mods)
		return false;
	switch (k->code) {
	case KEYS_LEFT:
		t->cursor = before(t, t->cursor);
		return true;
	case KEYS_RIGHT:
		t->cursor = behind(t, t->cursor);
		return true;
	case KEYS_HOME:
	case KEYS_CTRL('a'):
		t->cursor = 0;
		return true;
	case KEYS_END:
	case KEYS_CTRL('e'):
		t->cursor = strlen(t->text);
		return true;
	case 0x7f:
	case '\b':
		erase(t, before(t, t->cursor), t->cursor);
		return true;
	case KEYS_DELETE:
		erase(t, t->cursor, behind(t, t->cursor));
		return true;
	case KEYS_CTRL('u'):
		erase(t, 0, t->cursor);
		return true;
	}
	if (k->code < ' ' || k->code >= KEYS_UP)
		return false;
	insert(t, (char)k->code);
	return true;
}

/* How many columns a part of the text takes as it is shown. */
static int width_of(const struct typing *t, const struct cells *c, size_t from, size_t to)
{
	char part[TYPING_MAX], shown[4 * TYPING_MAX];

	snprintf(part, sizeof(part), "%.*s", (int)(to - from), t->text + from);
	escape_text(part, shown, sizeof(shown));
	return cells_text_width(c, shown);
}

void typing_render(const struct typing *t, struct cells *c, struct rect r, const char *label)
{
	int x = r.x + cells_text(c, r.x, r.y, r.w, ROLE_KEY, label);
	int room = r.x + r.w - x - 1; /* the cursor may be behind the text */
	size_t from = 0;

	if (room < 1)
		return;
	while (from < t->cursor && width_of(t, c, from, t->cursor) > room)
		from = behind(t, from);
	cells_foreign(c, x, r.y, room, ROLE_MESSAGE, t->text + from);
	c->cursor = (struct cells_cursor){
		.x = x + width_of(t, c, from, t->cursor),
		.y = r.y,
		.visible = true,
	};
}
