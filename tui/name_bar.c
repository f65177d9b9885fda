/* SPDX-License-Identifier: MIT */
#include "tui/name_bar.h"

#include "tui/model.h"

void name_bar_open(struct model *m, struct effect *effect)
{
	struct name_bar *b = &m->name_bar;

	b->open = true;
	b->question = effect->answer.id;
	b->verdict = effect->answer.verdict;
	b->scope = effect->answer.scope;
	*effect = (struct effect){ .kind = EFFECT_NONE };
}

void name_bar_replied(struct name_bar *b, uint64_t question, bool ok)
{
	b->taken |= ok && question == b->question;
}

int name_bar_rows(const struct model *m)
{
	return m->name_bar.open;
}

bool name_bar_key(struct model *m, const struct event *e, struct effect *effect)
{
	struct name_bar *b = &m->name_bar;
	const uint16_t code = e->key->code;

	if (code == KEYS_ESCAPE || code == KEYS_CTRL('c')) {
		b->open = false;
	} else if ((code == '\r' || code == KEYS_KEYPAD_ENTER) && b->typing.text[0]) {
		b->open = false;
		effect->kind = EFFECT_ANSWER;
		effect->answer.id = b->question;
		effect->answer.verdict = b->verdict;
		effect->answer.lifetime = prompt_lifetime_word(PROMPT_PROFILE);
		effect->answer.scope = b->scope;
		effect->answer.profile = b->typing.text;
		prompt_answered(&m->prompt, b->question);
	} else {
		typing_key(&b->typing, e->key);
	}
	return true;
}

void name_bar_render(const struct model *m, struct cells *c, struct rect r)
{
	typing_render(&m->name_bar.typing, c, r, "Profile to write it to (a file; Esc: none): ");
}
