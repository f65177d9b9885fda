/* SPDX-License-Identifier: MIT */
#include "tui/replies.h"

#include <stdlib.h>

#include "tui/edits.h"
#include "tui/effects.h"
#include "tui/monitor_state.h"

void replies_answered(struct monitor *m, uint64_t id, bool ok)
{
	struct event e = feed_event(EVENT_ANSWERED);

	e.answered.id = id;
	e.answered.ok = ok;
	model_apply(m->model, &e);
}

static void take_connections(struct monitor *m, struct link_message *message)
{
	struct event e = feed_event(EVENT_CONNECTIONS);

	e.connections = &message->connections;
	model_apply(m->model, &e);
	free(message->connections.v);
	free(message->body);
}

static void take_questions(struct monitor *m, char *text)
{
	struct event e = feed_event(EVENT_QUESTIONS);
	struct effect effect;

	e.questions = text;
	effect = model_apply(m->model, &e);
	effects_act(m, &effect);
	free(text);
}

static void take_reply(struct monitor *m, const struct link_message *message)
{
	if (message->question) {
		replies_answered(m, message->question, message->ok);
		m->look_held = 0;
	}
	if (message->is_pause) {
		struct event e = feed_event(EVENT_PAUSED);

		e.paused = message->paused;
		model_apply(m->model, &e);
	}
	feed_tell(m->model, message->ok, message->text);
	m->look = 0;
}

static void take_judged(struct monitor *m, const struct judged_reply *reply)
{
	struct event e = feed_event(EVENT_JUDGED);

	e.judged.batch = &m->judged;
	e.judged.reply = reply;
	model_apply(m->model, &e);
}

static void command_ended(struct monitor *m, const struct link_message *message)
{
	struct event e = feed_event(EVENT_ENDED);

	m->result->status = message->status;
	m->result->by_sandtop = message->by_sandtop;
	m->result->end = m->killing ? MONITOR_KILLED : MONITOR_EXITED;
	m->over = true;
	e.status = message->status;
	model_apply(m->model, &e);
	feed_read(&m->feed, m->link.ledger, m->model);
	if (!m->config.hold)
		m->ended = true;
}

void replies_read(struct monitor *m)
{
	struct link_message message;

	do {
		link_receive(&m->link, &message);
		switch (message.news) {
		case LINK_NOTHING:
			break;
		case LINK_SWAP:
			m->look = 0;
			break;
		case LINK_REPLY:
			take_reply(m, &message);
			break;
		case LINK_QUESTIONS:
			take_questions(m, message.body);
			break;
		case LINK_POLICY:
			/* Its rules have no hits yet: ask for them without a pause. */
			m->look = 0;
			edits_take(m->model, &message);
			break;
		case LINK_TERMINAL:
			output_renew(&m->output, monitor_output_rect(m));
			break;
		case LINK_HITS:
		case LINK_SAVE:
		case LINK_TRIAL:
			edits_take(m->model, &message);
			break;
		case LINK_CONNECTIONS:
			take_connections(m, &message);
			break;
		case LINK_JUDGED:
			take_judged(m, &message.judged);
			break;
		case LINK_EXIT:
			command_ended(m, &message);
			break;
		case LINK_GONE:
			monitor_finish(m, MONITOR_LOST);
			break;
		}
	} while (message.news != LINK_NOTHING && !m->ended && !m->over);
}
