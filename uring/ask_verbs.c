/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the control protocol that are about questions: `attend`, `held`
 * and `answer`.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "core/line.h"
#include "core/task.h"
#include "policy/names.h"
#include "policy/scope.h"
#include "uring/ask.h"
#include "uring/control.h"
#include "uring/pause.h"
#include "uring/swap.h"

int control_attend(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		   int *reply_fd)
{
	(void)c;
	(void)request;
	(void)reply;
	(void)reply_fd;
	client->attends = true;
	return 0;
}

static bool is_paused(const struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].pauses)
			return true;
	return false;
}

void control_end_pause(struct control_client *client)
{
	struct control *c = client->control;

	client->pauses = false;
	if (c->config.engine->paused && !is_paused(c))
		pause_set(c->config.engine, false);
}

int control_pause(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd)
{
	const json_t *on = json_object_get(request, "on");

	(void)reply_fd;
	if (!json_is_boolean(on))
		return control_refuse(reply, "pause: expected \"on\" to be true or false");
	if (json_is_true(on)) {
		client->pauses = true;
		pause_set(c->config.engine, true);
	} else {
		control_end_pause(client);
	}
	return json_object_set_new(reply, "paused", json_boolean(is_paused(c)));
}

/* ID, protocol, target, host, process and seconds left, between tabs. */
static void write_question(FILE *f, const struct call *c, uint64_t now)
{
	char target[LINE_TARGET_MAX], comm[16], text[64];
	const struct engine *e = c->engine;
	const struct endpoint *endpoint = &c->target.endpoint;
	const char *host = NULL;
	uint32_t at = 0;
	pid_t tgid = task_tgid(c->n.tid);

	task_comm(c->n.tid, comm);
	escape_text(comm, text, sizeof(text));
	/* It was checked to be a host name when it was learned. */
	if (endpoint->addr.family && endpoint->dir == DIR_OUT)
		host = names_next(e->names, endpoint->addr, e->live.now, &at);
	fprintf(f, "%" PRIu64 "\t%s%s\t%s\t%s\t%s[%d]\t%" PRIu64 "\n", c->question,
		endpoint->dir == DIR_IN ? "in " : "", proto_name(endpoint->proto),
		line_target(endpoint, target), host ? host : "", text, tgid < 0 ? c->n.tid : tgid,
		(ask_time_left(c, now) + 999999999) / 1000000000);
}

static int by_number(const void *a, const void *b)
{
	const struct call *x = *(const struct call *const *)a, *y = *(const struct call *const *)b;

	return x->question < y->question ? -1 : x->question > y->question;
}

int control_held(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		 int *reply_fd)
{
	const struct call *held[ASK_HELD];
	uint64_t now = loop_now();
	char *text = NULL;
	size_t size, n = 0;
	FILE *f = open_memstream(&text, &size);
	int ret;

	(void)client;
	(void)request;
	if (!f)
		return -ENOMEM;
	for (const struct call *q = c->config.engine->waiting; q && n < ASK_HELD; q = q->next)
		if (q->question && !q->answered)
			held[n++] = q;
	c->config.engine->ask.shown = c->config.engine->ask.last;
	qsort(held, n, sizeof(*held), by_number);
	for (size_t i = 0; i < n; i++)
		write_question(f, held[i], now);
	ret = fclose(f) ? -ENOMEM : control_put_text(reply, reply_fd, text, size);
	free(text);
	return ret;
}

/* The word that a request has for `key`, or `otherwise`. */
static const char *word_of(const json_t *request, const char *key, const char *otherwise)
{
	const json_t *value = json_object_get(request, key);

	return value ? json_string_value(value) : otherwise;
}

/* The call that an answer is about; NULL with the reason in the reply. */
static struct call *asked_for(const struct engine *e, const json_t *request, json_t *reply)
{
	const json_t *id = json_object_get(request, "id");
	json_int_t number = json_integer_value(id);
	struct call *c = NULL;

	if (!json_is_integer(id) || number < 1)
		control_refuse(reply, "answer: expected \"id\" to be a number from 1");
	else if ((uint64_t)number > e->ask.shown)
		control_refuse(reply, "there is no question %" JSON_INTEGER_FORMAT, number);
	else if (!(c = ask_find(e, (uint64_t)number)))
		control_refuse(reply,
			       "question %" JSON_INTEGER_FORMAT
			       " is over: it was answered, or nobody waits for it any more",
			       number);
	return c;
}

int control_answer(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		   int *reply_fd)
{
	struct engine *e = c->config.engine;
	const char *action = word_of(request, "verdict", "");
	const char *lifetime = word_of(request, "lifetime", "once");
	const char *word = word_of(request, "scope", scope_name(SCOPE_ENDPOINT));
	int scope = word ? scope_find(word) : -EINVAL;
	enum verdict verdict;
	char rule[SCOPE_RULE_MAX];
	struct call *q;

	(void)reply_fd;
	if (!action || (strcmp(action, "allow") && strcmp(action, "deny")))
		return control_refuse(reply, "answer: expected allow or deny");
	if (!lifetime || (strcmp(lifetime, "once") && strcmp(lifetime, "session")))
		return control_refuse(reply, "answer: expected once or session");
	if (scope < 0)
		return control_refuse(reply, "answer: expected ip:port, network, port or any");
	q = asked_for(e, request, reply);
	if (!q)
		return -EINVAL;
	verdict = strcmp(action, "allow") ? VERDICT_DENY : VERDICT_ALLOW;
	if (!strcmp(lifetime, "session")) {
		if (scope_rule(scope, verdict, &q->target.endpoint, rule))
			return control_refuse(reply, "answer: scope '%s' is none of a %s socket",
					      word, proto_name(q->target.endpoint.proto));
		return swap_insert(c->config.swap, client, rule);
	}
	if (scope != SCOPE_ENDPOINT)
		return control_refuse(reply, "answer: once is for ip:port alone: expected session "
					     "with this scope");
	return json_object_set_new(reply, "released", json_integer(ask_answer(e, q, verdict)));
}
