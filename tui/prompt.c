/* SPDX-License-Identifier: MIT */
#include "tui/prompt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const scopes[PROMPT_SCOPES] = {
	[PROMPT_HOST] = "host", [PROMPT_ENDPOINT] = "ip:port", [PROMPT_NETWORK] = "network",
	[PROMPT_PORT] = "port", [PROMPT_ANY] = "any",
};

static const char *const lifetimes[PROMPT_LIFETIMES] = {
	[PROMPT_ONCE] = "once",
	[PROMPT_SESSION] = "session",
	[PROMPT_PROFILE] = "profile",
	[PROMPT_TEN_MINUTES] = "ten-minutes",
};

static const char any_in_profile[] =
	"any is not for the profile: choose another scope, or s for this session";

const char *prompt_scope_word(enum prompt_scope scope)
{
	return scopes[scope];
}

const char *prompt_lifetime_word(enum prompt_lifetime lifetime)
{
	return lifetimes[lifetime];
}

int prompt_new(struct prompt *p)
{
	*p = (struct prompt){ .verdict = VERDICT_ASK };
	p->v = calloc(PROMPT_QUESTIONS, sizeof(*p->v));
	return p->v ? 0 : -ENOMEM;
}

void prompt_free(struct prompt *p)
{
	free(p->v);
}

struct question *prompt_find(const struct prompt *p, uint64_t id)
{
	for (unsigned int i = 0; id && i < p->n; i++)
		if (p->v[i].id == id)
			return &p->v[i];
	return NULL;
}

const struct question *prompt_current(const struct prompt *p)
{
	return prompt_find(p, p->id);
}

unsigned int prompt_waiting(const struct prompt *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n; i++)
		n += !p->v[i].sent;
	return n;
}

unsigned int prompt_position(const struct prompt *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n && p->v[i].id <= p->id; i++)
		n += !p->v[i].sent;
	return n;
}

/* Give the turn to that question, with nothing chosen for it yet. */
static void turn_to(struct prompt *p, uint64_t id)
{
	const struct question *q = prompt_find(p, id);

	p->id = id;
	p->left = false;
	p->verdict = VERDICT_ASK;
	p->scope = q && prompt_has_scope(q, PROMPT_HOST) ? PROMPT_HOST : PROMPT_ENDPOINT;
	p->lifetime = PROMPT_ONCE;
}

/* The turn goes to the next one that waits, behind the last one to the first. */
static void turn_to_next(struct prompt *p)
{
	uint64_t first = 0;

	for (unsigned int i = 0; i < p->n; i++) {
		const struct question *q = &p->v[i];

		if (q->sent)
			continue;
		first = first ? first : q->id;
		if (q->id > p->id) {
			turn_to(p, q->id);
			return;
		}
	}
	turn_to(p, first);
}

/* ---- the list -------------------------------------------------------------- */

/* Take the field up to the next tab. Returns whether there is one and it fits. */
static bool take_field(const char **line, const char *end, char *buf, size_t size)
{
	const char *tab = *line ? memchr(*line, '\t', (size_t)(end - *line)) : NULL;
	size_t len;

	if (!*line)
		return false;
	len = (size_t)((tab ? tab : end) - *line);
	if (len >= size)
		return false;
	memcpy(buf, *line, len);
	buf[len] = '\0';
	*line = tab ? tab + 1 : NULL;
	return true;
}

static bool parse(const char *line, const char *end, struct question *q)
{
	char id[32], left[32];

	*q = (struct question){ 0 };
	if (!take_field(&line, end, id, sizeof(id)) ||
	    !take_field(&line, end, q->proto, sizeof(q->proto)) ||
	    !take_field(&line, end, q->target, sizeof(q->target)) ||
	    !take_field(&line, end, q->host, sizeof(q->host)) ||
	    !take_field(&line, end, q->process, sizeof(q->process)) ||
	    !take_field(&line, end, left, sizeof(left)) ||
	    !take_field(&line, end, q->exe, sizeof(q->exe)))
		return false;
	q->id = strtoull(id, NULL, 10);
	q->left = (unsigned int)strtoul(left, NULL, 10);
	return q->id != 0;
}

/* The list of before, without what is in the new one, is what is over. */
static void see_what_is_over(const struct prompt *p, const struct question *old, unsigned int n,
			     struct prompt_news *news)
{
	for (unsigned int i = 0; i < n; i++) {
		if (old[i].sent || prompt_find(p, old[i].id))
			continue;
		news->over++;
		if (old[i].id != p->id)
			continue;
		news->current_is_over = true;
		news->last = old[i];
	}
}

void prompt_take(struct prompt *p, const char *text, struct prompt_news *news)
{
	struct question *old = p->v;
	struct question *fresh = calloc(PROMPT_QUESTIONS, sizeof(*fresh));
	unsigned int n = p->n, count = 0;
	const char *end;
	bool lingers;

	*news = (struct prompt_news){ 0 };
	/* What there was stays until the next time. */
	if (!fresh)
		return;
	for (; *text && count < PROMPT_QUESTIONS; text = *end ? end + 1 : end) {
		struct question *q = &fresh[count], *known;
		unsigned int left;

		end = strchrnul(text, '\n');
		if (!parse(text, end, q) || (count && q->id <= fresh[count - 1].id))
			continue;
		count++;
		known = prompt_find(p, q->id);
		left = q->left;
		if (known)
			*q = *known;
		q->left = left;
		/* A rule that does not match it after all, or another one before: it waits. */
		if (q->arrived)
			q->sent = q->arrived = false;
		if (q->id <= p->newest)
			continue;
		p->newest = q->id;
		news->arrived = true;
	}
	p->v = fresh;
	p->n = count;
	see_what_is_over(p, old, n, news);
	free(old);
	if (prompt_find(p, p->id))
		return;
	lingers = p->left || (news->current_is_over && p->seen == news->last.id);
	turn_to_next(p);
	p->left = lingers && !p->id;
}

/* ---- what may be meant ------------------------------------------------------ */

void prompt_shown(struct prompt *p, uint64_t id, uint64_t elapsed)
{
	if (p->seen == id)
		return;
	p->seen = id;
	p->seen_elapsed = elapsed;
}

void prompt_unsee(struct prompt *p)
{
	p->seen = 0;
}

bool prompt_listens(const struct prompt *p, uint64_t elapsed)
{
	return p->id && p->seen == p->id && elapsed >= p->seen_elapsed &&
	       elapsed - p->seen_elapsed >= PROMPT_GUARD;
}

bool prompt_lingers(const struct prompt *p, uint64_t elapsed)
{
	return p->left &&
	       (p->seen || elapsed < p->seen_elapsed || elapsed - p->seen_elapsed < PROMPT_GUARD);
}

/* ---- the answer ------------------------------------------------------------- */

bool prompt_has_scope(const struct question *q, enum prompt_scope scope)
{
	const bool is_address = strcmp(q->proto, "unix") && strcmp(q->proto, "dns");

	switch (scope) {
	case PROMPT_HOST:
		return q->host[0];
	case PROMPT_NETWORK:
		return is_address && strncmp(q->proto, "in ", 3);
	case PROMPT_PORT:
		return is_address && !strstr(q->proto, "icmp");
	case PROMPT_ANY:
		return is_address;
	default:
		return true;
	}
}

static const char *choose_scope(struct prompt *p, enum prompt_scope scope)
{
	const struct question *q = prompt_current(p);

	if (!prompt_has_scope(q, scope))
		return scope == PROMPT_HOST ? "its host is not known: choose another scope"
					    : "there is no such scope for this question";
	if (scope == PROMPT_ANY && p->lifetime == PROMPT_PROFILE)
		return any_in_profile;
	p->scope = scope;
	return NULL;
}

static const char *choose_lifetime(struct prompt *p, enum prompt_lifetime lifetime)
{
	if (p->scope == PROMPT_ANY && lifetime == PROMPT_PROFILE)
		return any_in_profile;
	p->lifetime = lifetime;
	return NULL;
}

const char *prompt_choose(struct prompt *p, enum command command)
{
	if (!prompt_current(p))
		return "nothing waits for an answer";
	switch (command) {
	case COMMAND_ANSWER_ALLOW:
		p->verdict = VERDICT_ALLOW;
		return NULL;
	case COMMAND_ANSWER_DENY:
		p->verdict = VERDICT_DENY;
		return NULL;
	case COMMAND_SCOPE_HOST:
	case COMMAND_SCOPE_ENDPOINT:
	case COMMAND_SCOPE_NETWORK:
	case COMMAND_SCOPE_PORT:
	case COMMAND_SCOPE_ANY:
		return choose_scope(p, (enum prompt_scope)(command - COMMAND_SCOPE_HOST));
	case COMMAND_ONCE:
	case COMMAND_SESSION:
	case COMMAND_PROFILE:
	case COMMAND_TEN_MINUTES:
		return choose_lifetime(p, (enum prompt_lifetime)(command - COMMAND_ONCE));
	case COMMAND_NEXT_QUESTION:
		turn_to_next(p);
		return NULL;
	default:
		return NULL;
	}
}

const char *prompt_refusal(const struct prompt *p)
{
	if (p->verdict == VERDICT_ASK)
		return "choose first: a to allow, d to deny";
	if (p->lifetime == PROMPT_ONCE && p->scope > PROMPT_ENDPOINT)
		return "once is for this request alone: for a wider scope choose s, p or t";
	return NULL;
}

void prompt_answered(struct prompt *p, uint64_t id)
{
	struct question *q = prompt_find(p, id);

	if (q)
		q->sent = true;
	if (p->id == id)
		turn_to_next(p);
}

void prompt_replied(struct prompt *p, uint64_t id, bool ok)
{
	struct question *q = prompt_find(p, id);

	if (!q)
		return;
	q->sent = q->arrived = ok;
	if (!prompt_current(p))
		turn_to_next(p);
}
