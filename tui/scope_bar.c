/* SPDX-License-Identifier: MIT */
#include "tui/scope_bar.h"

#include <stdio.h>
#include <string.h>

#include "policy/scope.h"
#include "tui/model.h"

/* The rule of that scope; false when such a flow has none. */
static bool rule_of(const struct scope_bar *b, enum scope scope, char buf[static SCOPE_RULE_MAX])
{
	const struct record r = flow_record(&b->flow);

	return !scope_rule(scope, b->allow ? VERDICT_ALLOW : VERDICT_DENY, &r.endpoint,
			   b->flow.host[0] ? b->flow.host : NULL, buf);
}

void scope_bar_open(struct model *m, const struct flow *f, bool allow)
{
	m->scope_bar = (struct scope_bar){ .open = true, .allow = allow, .flow = *f };
}

int scope_bar_rows(const struct model *m)
{
	char rule[SCOPE_RULE_MAX];
	int n = 1;

	if (!m->scope_bar.open)
		return 0;
	for (enum scope i = 0; i < SCOPE_COUNT; i++)
		n += rule_of(&m->scope_bar, i, rule);
	return n;
}

bool scope_bar_key(struct model *m, const struct event *e, struct effect *effect)
{
	struct scope_bar *b = &m->scope_bar;
	const uint16_t code = e->key->code;
	char rule[SCOPE_RULE_MAX];

	if (code == KEYS_ESCAPE || code == KEYS_CTRL('c')) {
		b->open = false;
	} else if (!e->key->mods && code >= '1' && code < '1' + SCOPE_COUNT &&
		   rule_of(b, (enum scope)(code - '1'), rule)) {
		b->open = false;
		effect->kind = b->allow ? EFFECT_ALLOW : EFFECT_DENY;
		/* Behind the action. */
		snprintf(effect->spec, sizeof(effect->spec), "%s", strchr(rule, ' ') + 1);
	}
	return true;
}

void scope_bar_render(const struct model *m, struct cells *c, struct rect r)
{
	const struct scope_bar *b = &m->scope_bar;
	static const char text[] = "A number: insert that rule  Esc: no";
	char rule[SCOPE_RULE_MAX], number[] = "1 ";
	int y = r.y;

	cells_fill(c, r, ROLE_TEXT);
	for (enum scope i = 0; i < SCOPE_COUNT; i++) {
		if (!rule_of(b, i, rule) || y >= r.y + r.h - 1)
			continue;
		number[0] = (char)('1' + i);
		spot_add(&c->spots, r.x, y, r.w, SPOT_KEY, (uint64_t)number[0]);
		cells_text(c, r.x, y, r.w, ROLE_KEY, number);
		cells_foreign(c, r.x + 2, y++, r.w - 2, b->allow ? ROLE_ALLOW : ROLE_DENY, rule);
	}
	cells_fill(c, (struct rect){ r.x, r.y + r.h - 1, r.w, 1 }, ROLE_MESSAGE);
	cells_text(c, r.x, r.y + r.h - 1, r.w, ROLE_MESSAGE, text);
	spot_add_key(&c->spots, r.x, r.y + r.h - 1, text, "Esc: no", KEYS_ESCAPE);
}
