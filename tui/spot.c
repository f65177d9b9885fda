/* SPDX-License-Identifier: MIT */
#include "tui/spot.h"

#include <stdlib.h>
#include <string.h>

struct spot_place {
	int x, y, w;
	struct spot spot;
};

void spot_add(struct spots *s, int x, int y, int w, enum spot_kind kind, uint64_t value)
{
	if (s->n == s->room) {
		int room = s->room ? 2 * s->room : 64;
		struct spot_place *v = realloc(s->v, (size_t)room * sizeof(*v));

		if (!v)
			return;
		s->v = v;
		s->room = room;
	}
	s->v[s->n++] = (struct spot_place){ x, y, w, { kind, value } };
}

void spot_add_key(struct spots *s, int x, int y, const char *text, const char *name, uint16_t code)
{
	const char *at = strstr(text, name);

	if (at)
		spot_add(s, x + (int)(at - text), y, (int)strlen(name), SPOT_KEY, code);
}

struct spot spot_at(const struct spots *s, int x, int y)
{
	for (int i = s->n; i-- > 0;) {
		const struct spot_place *p = &s->v[i];

		if (y == p->y && x >= p->x && x < p->x + p->w)
			return p->spot;
	}
	return (struct spot){ SPOT_NONE, 0 };
}

void spot_clear(struct spots *s)
{
	s->n = 0;
}

void spot_free(struct spots *s)
{
	free(s->v);
	*s = (struct spots){ 0 };
}
