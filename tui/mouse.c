/* SPDX-License-Identifier: MIT */
#include "tui/mouse.h"

#include "tui/panes.h"
#include "tui/prompt_view.h"

enum { WHEEL_ROWS = 3, LEFT = 1, WHEEL_UP = 4, WHEEL_DOWN = 5 };

static const struct effect nothing = { .kind = EFFECT_NONE };

/* Whether that key would do something where the mouse is: a bar in which is typed takes all. */
static bool is_open_for(const struct model *m, uint16_t code)
{
	const struct key key = { .code = code };
	const struct bar_ops *bar = panes_bar(m);

	return (!bar || bar->key == prompt_view_key) &&
	       keys_command(&key, model_place(m)) != COMMAND_NONE;
}

static struct effect press(struct model *m, const struct event *e, uint16_t code)
{
	const struct key key = { .code = code };
	struct event typed = *e;

	typed.key = &key;
	return model_apply(m, &typed);
}

struct effect mouse_take(struct model *m, const struct event *e)
{
	const struct pane_ops *pane = panes_get(m->pane);
	const struct key *k = e->key;
	const struct spot spot = k->button == LEFT ? e->spot : (struct spot){ SPOT_NONE, 0 };

	if (!k->pressed || k->mods)
		return nothing;
	if ((k->button == WHEEL_UP || k->button == WHEEL_DOWN) && is_open_for(m, KEYS_UP))
		model_move(m, k->button == WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
	if (spot.kind == SPOT_KEY)
		return press(m, e, (uint16_t)spot.value);
	if (spot.kind == SPOT_PANE && is_open_for(m, '\t'))
		model_go_to(m, e, (enum pane_kind)spot.value);
	if (m->mode != MODEL_PANE || !is_open_for(m, KEYS_UP))
		return nothing;
	if (spot.kind == SPOT_ROW && pane->select)
		pane->select(m, spot.value);
	if (spot.kind == SPOT_SORT)
		model_sort(m, e, (int)spot.value);
	return nothing;
}

void mouse_toggle(struct model *m, const struct event *e)
{
	m->mouse = !m->mouse;
	model_tell(m, e, false,
		   m->mouse ? "the mouse clicks on tabs, rows, heads and keys"
			    : "the mouse is the terminal's, to select text: M takes it again");
}
