/* SPDX-License-Identifier: MIT */
#include "tui/prompt_view.h"

#include <stdio.h>
#include <string.h>

#include "tui/prompt.h"

/* How much of the bar there is room for: never a part of what is asked. */
enum size {
	WHOLE,
	WITHOUT_KEYS, /* the question, and what Enter does */
	TOO_SMALL,    /* nothing can be answered */
};

/* Where the next word goes; what does not fit is counted all the same. */
struct writer {
	struct cells *c;
	struct rect r;
	int x, y;
};

static void new_line(struct writer *w)
{
	w->y += w->x > 0;
	w->x = 0;
}

/* Keep the next word together on a line if one can hold it. */
static void make_room(struct writer *w, int width, int gap)
{
	if (w->x > 0 && w->x + gap + width > w->r.w)
		new_line(w);
	else if (w->x > 0)
		w->x += gap;
}

static void put_word(struct writer *w, enum role role, const char *text)
{
	if (!*text)
		return;
	make_room(w, cells_text_width(w->c, text), 2);
	cells_wrap(w->c, w->r, &w->x, &w->y, role, text);
}

static void put_question(struct writer *w, const struct prompt *p)
{
	const struct question *q = prompt_current(p);
	char text[sizeof(q->proto) + sizeof(q->target) + 1];

	snprintf(text, sizeof(text), "HOLD %u of %u, %us left", prompt_position(p),
		 prompt_waiting(p), q->left);
	put_word(w, ROLE_HOLD, text);
	snprintf(text, sizeof(text), "%s %s", q->proto, q->target);
	put_word(w, ROLE_TITLE, text);
	put_word(w, ROLE_TITLE, q->host);
	put_word(w, ROLE_TITLE, q->process);
	put_word(w, ROLE_TEXT, q->exe);
	new_line(w);
}

static bool is_chosen(const struct prompt *p, enum command command)
{
	return command == COMMAND_ANSWER_ALLOW  ? p->verdict == VERDICT_ALLOW
	       : command == COMMAND_ANSWER_DENY ? p->verdict == VERDICT_DENY
	       : command >= COMMAND_SCOPE_HOST && command <= COMMAND_SCOPE_ANY
		       ? p->scope == (enum prompt_scope)(command - COMMAND_SCOPE_HOST)
	       : command >= COMMAND_ONCE && command <= COMMAND_TEN_MINUTES
		       ? p->lifetime == (enum prompt_lifetime)(command - COMMAND_ONCE)
		       : false;
}

static bool is_possible(const struct prompt *p, enum command command)
{
	if (command == COMMAND_NEXT_QUESTION)
		return prompt_waiting(p) > 1;
	if (command < COMMAND_SCOPE_HOST || command > COMMAND_SCOPE_ANY)
		return true;
	return prompt_has_scope(prompt_current(p),
				(enum prompt_scope)(command - COMMAND_SCOPE_HOST));
}

static void put_keys(struct writer *w, const struct prompt *p)
{
	char name[KEYS_NAME_MAX];

	for (enum command i = COMMAND_ANSWER_ALLOW; i <= COMMAND_NEXT_QUESTION; i++) {
		const char *word = keys_row(i)->bar;

		if (!is_possible(p, i))
			continue;
		keys_name(keys_row(i)->keys[0], name);
		make_room(w, (int)(strlen(name) + strlen(word)) + 1, 1);
		/* Not when it is merely measured. */
		if (w->c->w > 0)
			spot_add(&w->c->spots, w->r.x + w->x, w->r.y + w->y,
				 (int)(strlen(name) + strlen(word)) + 1, SPOT_KEY,
				 keys_row(i)->keys[0]);
		cells_wrap(w->c, w->r, &w->x, &w->y, ROLE_KEY, name);
		cells_wrap(w->c, w->r, &w->x, &w->y, ROLE_BAR, " ");
		cells_wrap(w->c, w->r, &w->x, &w->y, is_chosen(p, i) ? ROLE_SELECTED : ROLE_BAR,
			   word);
	}
	new_line(w);
}

/* A port is behind one colon. */
static bool is_ipv6(const struct question *q)
{
	return strchr(q->target, ':') != strrchr(q->target, ':');
}

/* What Enter would do now. */
static void describe_answer(const struct prompt *p, char *buf, size_t size)
{
	const char *const scopes[] = {
		[PROMPT_HOST] = "this host and port",
		[PROMPT_ENDPOINT] = "this address and port",
		[PROMPT_NETWORK] = is_ipv6(prompt_current(p)) ? "this network (/64, every port)"
							      : "this network (/24, every port)",
		[PROMPT_PORT] = "this port everywhere",
		[PROMPT_ANY] = "everything",
	};
	static const char *const lifetimes[] = {
		[PROMPT_ONCE] = "",
		[PROMPT_SESSION] = " as long as the command runs",
		[PROMPT_PROFILE] = " from now on, by the profile",
		[PROMPT_TEN_MINUTES] = " for ten minutes",
	};

	if (!p->ready)
		snprintf(buf, size, "one moment");
	else if (prompt_refusal(p))
		snprintf(buf, size, "%s", prompt_refusal(p));
	else if (p->lifetime == PROMPT_ONCE)
		snprintf(buf, size, "Enter: %s this once", verdict_name(p->verdict));
	else
		snprintf(buf, size, "Enter: %s %s%s", verdict_name(p->verdict), scopes[p->scope],
			 lifetimes[p->lifetime]);
}

static void put_message(struct writer *w, const struct model *m)
{
	cells_words(w->c, w->r, &w->x, &w->y, m->message_is_error ? ROLE_ERROR : ROLE_MESSAGE,
		    m->message);
	new_line(w);
}

static void put_answer(struct writer *w, const struct model *m)
{
	char text[128];

	describe_answer(&m->prompt, text, sizeof(text));
	put_word(w, ROLE_MESSAGE, text);
	new_line(w);
}

/* Draw the bar at that size. Returns how many lines it takes. */
static int put_bar(const struct model *m, struct cells *c, struct rect r, enum size size)
{
	struct writer w = { .c = c, .r = r };

	if (size == TOO_SMALL)
		put_word(&w, ROLE_ERROR, "enlarge the screen to answer");
	new_line(&w);
	put_question(&w, &m->prompt);
	if (size == WHOLE)
		put_keys(&w, &m->prompt);
	if (size != TOO_SMALL)
		put_message(&w, m);
	if (size == WHOLE || (size == WITHOUT_KEYS && !m->message[0]))
		put_answer(&w, m);
	return w.y;
}

/* What there is room for, and how many lines that takes. */
static enum size fit(const struct model *m, int *rows)
{
	const struct rect r = { .w = m->bar_w };
	struct cells none = { 0 };

	for (enum size size = WHOLE; size < TOO_SMALL; size++) {
		*rows = put_bar(m, &none, r, size);
		if (*rows <= m->bar_room && m->bar_w >= 20)
			return size;
	}
	*rows = m->bar_room > 0 ? m->bar_room : 1;
	return TOO_SMALL;
}

int prompt_view_rows(const struct model *m)
{
	int rows;

	if (!prompt_current(&m->prompt) || m->pane == MODEL_OUTPUT || m->mode == MODEL_QUIT ||
	    m->mode == MODEL_PANIC)
		return 0;
	fit(m, &rows);
	return rows;
}

void prompt_view_render(const struct model *m, struct cells *c, struct rect r)
{
	int rows;
	enum size size = fit(m, &rows);

	cells_fill(c, r, ROLE_TEXT);
	put_bar(m, c, r, size);
}

static void send_answer(struct model *m, const struct event *e, struct effect *effect)
{
	struct prompt *p = &m->prompt;
	const char *why = prompt_refusal(p);

	if (why) {
		model_tell(m, e, true, why);
		return;
	}
	effect->kind = EFFECT_ANSWER;
	effect->answer.id = p->id;
	effect->answer.verdict = verdict_name(p->verdict);
	effect->answer.lifetime = prompt_lifetime_word(p->lifetime);
	effect->answer.scope = p->lifetime == PROMPT_ONCE ? NULL : prompt_scope_word(p->scope);
	if (p->lifetime == PROMPT_PROFILE && !m->profile && !m->name_bar.taken)
		name_bar_open(m, effect);
	else
		prompt_answered(p, p->id);
}

bool prompt_view_key(struct model *m, const struct event *e, struct effect *effect)
{
	enum command command = keys_command(e->key, KEYS_IN_PROMPT);
	const char *why;
	int rows;

	if (command == COMMAND_NONE)
		return false;
	/* Not meant for this question, and not for the pane either: it may have been covered. */
	if (!prompt_listens(&m->prompt, e->elapsed) || fit(m, &rows) == TOO_SMALL)
		return true;
	m->message[0] = '\0';
	if (command == COMMAND_ANSWER) {
		send_answer(m, e, effect);
		return true;
	}
	why = prompt_choose(&m->prompt, command);
	if (why)
		model_tell(m, e, true, why);
	return true;
}

/* A question that nobody here has answered leaves with a word. */
static void tell_over(struct model *m, const struct event *e, const struct prompt_news *news)
{
	const struct question *q = &news->last;
	const char *many = news->over == 1 ? "one question waits" : "more questions wait";
	char text[2 * MODEL_MESSAGE_MAX];

	/* As seldom as a list comes while nothing changes, the last one may be that old. */
	if (news->current_is_over && q->left <= 2)
		snprintf(text, sizeof(text), "not answered in time, so denied: %s %s of %s",
			 q->proto, q->target, q->process);
	else if (m->message[0])
		/* Perhaps it says why. */
		snprintf(text, sizeof(text), "%s; %s no more", m->message, many);
	else if (news->current_is_over)
		snprintf(text, sizeof(text),
			 "answered elsewhere, or its task has gone: %s %s of %s", q->proto,
			 q->target, q->process);
	else
		snprintf(text, sizeof(text), "%s no more", many);
	model_tell(m, e, m->message[0] && m->message_is_error, text);
}

bool prompt_view_take(struct model *m, const struct event *e)
{
	struct prompt_news news;

	prompt_take(&m->prompt, e->questions, &news);
	if (news.over)
		tell_over(m, e, &news);
	m->dirty = true;
	return news.arrived;
}
