/* SPDX-License-Identifier: MIT */
#include "tui/edits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/profile_store.h"
#include "core/read_file.h"
#include "tui/feed.h"

static struct link_profile profile_of(const struct review *r)
{
	return (struct link_profile){
		.path = r->path,
		.text = r->profile,
		.size = r->size,
		.whole = r->whole,
		.generation = r->generation,
	};
}

static const char *why_not(int ret)
{
	return ret == -EAGAIN ? "the sandbox does not answer" : strerror(-ret);
}

/* A trial has an answer in any case. */
static void try_it(struct link *l, struct model *m)
{
	const struct link_profile p = profile_of(&m->review);
	struct event e = feed_event(EVENT_TRIAL);
	int ret = link_reload(l, &p, true);

	if (!ret)
		return;
	e.trial.text = why_not(ret);
	model_apply(m, &e);
}

static void apply(struct link *l, struct model *m)
{
	const struct link_profile p = profile_of(&m->review);
	int ret = link_reload(l, &p, false);

	if (ret)
		feed_tell(m, false, why_not(ret));
}

static void reload(struct link *l, struct model *m)
{
	struct event e = feed_event(EVENT_FILE);
	struct effect effect;
	char text[512], *file;
	size_t size;
	int ret;

	if (!l->profile) {
		feed_tell(m, false, "reload: the run began without a profile: edit the rules here");
		return;
	}
	ret = read_file(l->profile, PROFILE_SIZE_MAX, &file, &size);
	if (ret) {
		snprintf(text, sizeof(text), "reload: %.400s: %s", l->profile, strerror(-ret));
		feed_tell(m, false, text);
		return;
	}
	e.file.path = l->profile;
	e.file.text = file;
	e.file.size = size;
	effect = model_apply(m, &e);
	free(file);
	if (effect.kind == EFFECT_TRY)
		try_it(l, m);
}

void edits_act(struct link *l, struct model *m, enum effect_kind kind)
{
	switch (kind) {
	case EFFECT_TRY:
		try_it(l, m);
		break;
	case EFFECT_APPLY:
		apply(l, m);
		break;
	case EFFECT_RELOAD:
		reload(l, m);
		break;
	case EFFECT_SAVE:
		feed_asked(m, link_ask_policy(l, true));
		break;
	default:
		break;
	}
}

static void save(struct model *m, const struct link_message *message)
{
	const char *path = m->rules_bar.typing.text;
	struct policy_error err = { "" };
	char text[600];
	int ret = profile_store_save(path, message->body, message->size, &err);

	if (ret)
		snprintf(text, sizeof(text), "save: %s", err.text);
	else
		snprintf(text, sizeof(text), "saved: %.500s", path);
	feed_tell(m, !ret, text);
}

void edits_take(struct model *m, struct link_message *message)
{
	struct event e = feed_event(message->news == LINK_HITS ? EVENT_HITS : EVENT_POLICY);

	if (message->news == LINK_SAVE) {
		save(m, message);
	} else if (message->news == LINK_TRIAL) {
		e.kind = EVENT_TRIAL;
		e.trial.ok = message->ok;
		e.trial.text = message->ok ? message->body : message->text;
		e.trial.generation = message->generation;
		model_apply(m, &e);
	} else {
		e.policy.text = message->body;
		e.policy.size = message->size;
		e.policy.generation = message->generation;
		model_apply(m, &e);
	}
	free(message->body);
}

void edits_look(struct link *l, const struct model *m)
{
	/* What does not go now goes the next time. */
	if (!m->rules.policy || m->rules.generation != m->head.generation)
		link_ask_policy(l, false);
	else
		link_ask_hits(l);
}
