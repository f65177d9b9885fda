/* SPDX-License-Identifier: MIT */
#include "tui/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "tui/model.h"
#include "tui/rules.h"

enum { LINES_MAX = 8 }; /* of the difference that the bar shows */

void review_free(struct review *r)
{
	free(r->profile);
	free(r->lines);
	*r = (struct review){ .trials = r->trials };
}

struct effect review_begin(struct model *m, char *profile, size_t size, bool whole,
			   const char *path, uint64_t generation)
{
	review_free(&m->review);
	m->review.profile = profile;
	m->review.size = size;
	m->review.whole = whole;
	m->review.generation = generation;
	snprintf(m->review.path, sizeof(m->review.path), "%s", path);
	m->review.trials++;
	return (struct effect){ .kind = EFFECT_TRY };
}

void review_take(struct model *m, const struct event *e)
{
	struct review *r = &m->review;
	char text[MODEL_MESSAGE_MAX];

	if (r->trials)
		r->trials--;
	if (r->trials || !r->profile)
		return;
	if (e->trial.ok && !*e->trial.text) {
		review_free(r);
		rules_edited(m);
		model_tell(m, e, false, "nothing to change: the live policy is the same");
	} else if (e->trial.ok) {
		rules_edited(m);
		free(r->lines);
		r->lines = strdup(e->trial.text);
		r->generation = e->trial.generation;
		r->open = r->lines != NULL;
	} else {
		review_free(r);
		escape_text(e->trial.text, text, sizeof(text));
		if (!rules_refused(m, text))
			model_tell(m, e, true, text);
	}
	m->dirty = true;
}

static int count_lines(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int review_rows(const struct model *m)
{
	int n;

	if (!m->review.open)
		return 0;
	n = count_lines(m->review.lines);
	return 1 + (n < LINES_MAX ? n : LINES_MAX);
}

bool review_key(struct model *m, const struct event *e, struct effect *effect)
{
	switch (e->key->code) {
	case '\r':
	case KEYS_KEYPAD_ENTER:
		m->review.open = false;
		*effect = (struct effect){ .kind = EFFECT_APPLY };
		break;
	case KEYS_ESCAPE:
	case KEYS_CTRL('c'):
		review_free(&m->review);
		model_tell(m, e, false, "nothing was changed");
		break;
	}
	return true;
}

static void render_line(struct cells *c, int y, struct rect r, const char *line, size_t len)
{
	char text[1024];
	enum role role = *line == '+' ? ROLE_ALLOW : *line == '-' ? ROLE_DENY : ROLE_DIM;

	snprintf(text, sizeof(text), "%.*s", (int)len - 1, line + 1);
	cells_text(c, r.x, y, r.w, role, *line == '+' ? "+ " : *line == '-' ? "- " : "  ");
	cells_foreign(c, r.x + 2, y, r.w - 2, role, text);
}

/* The question is on the last line: it is there on the lowest screen, too. */
void review_render(const struct model *m, struct cells *c, struct rect r)
{
	const char *line = m->review.lines;
	const char *text = m->review.whole ? "Enter: apply Esc: no  what the rules change"
					   : "Enter: apply Esc: no  what the profile changes";
	int n = count_lines(line), y = 0, room = r.h - 1, last = r.y + r.h - 1;
	char more[64];

	cells_fill(c, r, ROLE_TEXT);
	for (; *line && y < room; y++) {
		size_t len = strcspn(line, "\n");

		if (y == room - 1 && n > room) {
			snprintf(more, sizeof(more), "  and %d more", n - y);
			cells_text(c, r.x, r.y + y, r.w, ROLE_DIM, more);
			break;
		}
		render_line(c, r.y + y, r, line, len);
		line += len + (line[len] == '\n');
	}
	cells_fill(c, (struct rect){ r.x, last, r.w, 1 }, ROLE_MESSAGE);
	cells_text(c, r.x, last, r.w, ROLE_MESSAGE, text);
	spot_add_key(&c->spots, r.x, last, text, "Enter: apply", '\r');
	spot_add_key(&c->spots, r.x, last, text, "Esc: no", KEYS_ESCAPE);
}
