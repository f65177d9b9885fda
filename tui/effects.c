/* SPDX-License-Identifier: MIT */
#include "tui/effects.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tui/edits.h"
#include "tui/job.h"
#include "tui/monitor_state.h"
#include "tui/replies.h"

bool effects_stop_alone(void)
{
	raise(SIGSTOP);
	return true;
}

void effects_stop(struct monitor *m, bool (*how)(void))
{
	term_leave(m->term);
	if (!how())
		feed_tell(m->model, false, "not stopped: there is no shell that could continue it");
	term_enter(m->term);
	monitor_resize(m);
}

static void send_key(struct monitor *m, struct key key)
{
	struct rect r = monitor_output_rect(m);

	if (!m->output.pane)
		return;
	key.x -= r.x;
	key.y -= r.y;
	pane_key(m->output.pane, &key);
}

static void ask(struct monitor *m, const char *verb, const char *spec)
{
	feed_asked(m->model, link_ask(&m->link, verb, spec));
}

/* SIGTERM first; whoever asks again does not want to wait. */
static void kill_command(struct monitor *m)
{
	int ret = link_kill(&m->link, m->killing ? SIGKILL : SIGTERM);

	if (ret)
		feed_tell(m->model, false, "the sandbox does not answer: nothing was killed");
	else if (!m->killing)
		feed_tell(m->model, true, "told the command to end (SIGTERM); again: SIGKILL");
	m->killing = true;
}

static void answer(struct monitor *m, const struct effect *effect)
{
	const struct question *q = prompt_find(&m->model->prompt, effect->answer.id);
	const char *name = effect->answer.profile;
	char path[PATH_MAX], dir[PATH_MAX], about[sizeof(q->proto) + sizeof(q->target)] = "";
	int ret;

	/* The sandbox has another working directory. */
	if (name && *name != '/' && getcwd(dir, sizeof(dir)) &&
	    snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		name = path;
	if (q)
		snprintf(about, sizeof(about), "%s %s", q->proto, q->target);
	ret = link_answer(&m->link, effect->answer.id, about, effect->answer.verdict,
			  effect->answer.lifetime, effect->answer.scope, name);

	feed_asked(m->model, ret);
	if (ret)
		replies_answered(m, effect->answer.id, false);
}

/* What only a sandbox that runs can be asked. */
static bool is_request(enum effect_kind kind)
{
	switch (kind) {
	case EFFECT_NONE:
	case EFFECT_SEND:
	case EFFECT_DETACH:
	case EFFECT_REDRAW:
	case EFFECT_STOP:
		return false;
	default:
		return true;
	}
}

void effects_act(struct monitor *m, const struct effect *effect)
{
	if (m->over && is_request(effect->kind)) {
		feed_tell(m->model, false, MODEL_NOTHING_LEFT);
		return;
	}
	switch (effect->kind) {
	case EFFECT_NONE:
		break;
	case EFFECT_SEND:
		send_key(m, effect->key);
		break;
	case EFFECT_ALLOW:
		ask(m, "allow", effect->spec);
		break;
	case EFFECT_DENY:
		ask(m, "deny", effect->spec);
		break;
	case EFFECT_UNDO:
		ask(m, "undo", NULL);
		break;
	case EFFECT_DISCONNECT:
		feed_asked(m->model, link_disconnect(&m->link, effect->cookie, effect->spec));
		break;
	case EFFECT_SHUT:
		ask(m, "shut", effect->spec);
		break;
	case EFFECT_TRY:
	case EFFECT_APPLY:
	case EFFECT_RELOAD:
	case EFFECT_SAVE:
		edits_act(&m->link, m->model, effect->kind);
		break;
	case EFFECT_DETACH:
		monitor_finish(m, MONITOR_DETACHED);
		break;
	case EFFECT_KILL:
		kill_command(m);
		break;
	case EFFECT_REDRAW:
		term_forget(m->term);
		break;
	case EFFECT_STOP:
		effects_stop(m, job_stop);
		break;
	case EFFECT_ANSWER:
		answer(m, effect);
		break;
	case EFFECT_PAUSE:
	case EFFECT_RESUME:
		feed_asked(m->model, link_pause(&m->link, effect->kind == EFFECT_PAUSE));
		break;
	case EFFECT_PANIC:
		ask(m, "panic", NULL);
		break;
	case EFFECT_RING:
		term_ring(m->term);
		break;
	}
}
