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
#include "core/process.h"
#include "core/task.h"
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

/* The path of the executable behind a tab; nothing behind it if it cannot be read. */
static void write_exe(FILE *f, pid_t tid)
{
	char exe[PROCESS_EXE_MAX] = "", text[4 * sizeof(exe)];

	if (task_exe(tid, exe, sizeof(exe)))
		exe[0] = '\0';
	escape_text(exe, text, sizeof(text));
	fprintf(f, "\t%s", text);
}

/* ID, protocol, target, host, process and seconds left, between tabs; `exe`: and the executable. */
static void write_question(FILE *f, const struct call *c, uint64_t now, bool exe)
{
	char target[LINE_TARGET_MAX], comm[16], text[64];
	const struct endpoint *endpoint = &c->target.endpoint;
	pid_t tgid = task_tgid(c->n.tid);

	task_comm(c->n.tid, comm);
	escape_text(comm, text, sizeof(text));
	/* The name was checked to be one of a host when it was learned. */
	fprintf(f, "%" PRIu64 "\t%s%s\t%s\t%s\t%s[%d]\t%" PRIu64, c->question,
		endpoint->dir == DIR_IN ? "in " : "", proto_name(endpoint->proto),
		line_target(endpoint, target), c->host ? c->host : "", text,
		tgid < 0 ? c->n.tid : tgid, (ask_time_left(c, now) + 999999999) / 1000000000);
	if (exe)
		write_exe(f, c->n.tid);
	fputc('\n', f);
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
	const bool exe = json_is_true(json_object_get(request, "exe"));
	uint64_t now = loop_now();
	char *text = NULL;
	size_t size, n = 0;
	FILE *f = open_memstream(&text, &size);
	int ret;

	(void)client;
	if (!f)
		return -ENOMEM;
	for (const struct call *q = c->config.engine->waiting; q && n < ASK_HELD; q = q->next)
		if (q->question && !q->answered)
			held[n++] = q;
	c->config.engine->ask.shown = c->config.engine->ask.last;
	qsort(held, n, sizeof(*held), by_number);
	for (size_t i = 0; i < n; i++)
		write_question(f, held[i], now, exe);
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
	else if (!(c = ask_find(e, (uint64_t)number)) || c->answering)
		control_refuse(reply,
			       "question %" JSON_INTEGER_FORMAT
			       " is over: it was answered, or nobody waits for it any more",
			       number);
	return c && !c->answering ? c : NULL;
}

/* How long an answer holds. */
enum lifetime { ONCE, SESSION, PROFILE, TEN_MINUTES, LIFETIMES };

enum { TEN_MINUTES_SECONDS = 600 };

static const char *const lifetimes[LIFETIMES] = { "once", "session", "profile", "ten-minutes" };

struct answer {
	enum verdict verdict;
	enum lifetime lifetime;
	enum scope scope;
	unsigned seconds; /* with TEN_MINUTES */
};

static int find_lifetime(const char *word)
{
	for (int i = 0; i < LIFETIMES; i++)
		if (word && !strcmp(lifetimes[i], word))
			return i;
	return -EINVAL;
}

/* Returns 0, or -EINVAL with the reason in the reply. */
static int parse_answer(const json_t *request, json_t *reply, struct answer *a)
{
	const char *action = word_of(request, "verdict", "");
	const char *word = word_of(request, "scope", scope_name(SCOPE_ENDPOINT));
	const json_t *seconds = json_object_get(request, "seconds");
	json_int_t n = seconds ? json_integer_value(seconds) : TEN_MINUTES_SECONDS;
	int lifetime = find_lifetime(word_of(request, "lifetime", lifetimes[ONCE]));
	int scope = word ? scope_find(word) : -EINVAL;

	if (!action || (strcmp(action, "allow") && strcmp(action, "deny")))
		return control_refuse(reply, "answer: expected allow or deny");
	if (lifetime < 0)
		return control_refuse(reply,
				      "answer: expected once, session, profile or ten-minutes");
	if (scope < 0)
		return control_refuse(reply,
				      "answer: expected host, ip:port, network, port or any");
	if (lifetime == ONCE && scope != SCOPE_ENDPOINT)
		return control_refuse(reply, "once is for ip:port alone: expected session "
					     "with this scope");
	if (lifetime == PROFILE && scope == SCOPE_ANY)
		return control_refuse(reply, "a profile is not opened or closed to "
					     "everything: expected another scope than any");
	if (seconds && (lifetime != TEN_MINUTES || n < 1 || n > TEN_MINUTES_SECONDS))
		return control_refuse(reply, "answer: expected \"seconds\" to be a number from 1 "
					     "to 600, with ten-minutes");
	*a = (struct answer){
		.verdict = strcmp(action, "allow") ? VERDICT_DENY : VERDICT_ALLOW,
		.lifetime = (enum lifetime)lifetime,
		.scope = (enum scope)scope,
		.seconds = (unsigned)n,
	};
	return 0;
}

/*
 * The profile that gets the rule of an answer: the one that the run began with, or that an answer
 * names. NULL with the reason in the reply.
 */
static const char *profile_of(struct control *c, const json_t *request, json_t *reply)
{
	const json_t *named = json_object_get(request, "profile");
	const char *path = json_string_value(named);

	if (named && (!path || *path != '/'))
		control_refuse(reply, "answer: expected \"profile\" to be an absolute path");
	else if (named && c->config.profile)
		control_refuse(reply,
			       "answer: the sandbox was started with the profile '%s': "
			       "expected none to be named",
			       c->config.profile);
	else if (named) {
		free(c->profile);
		c->profile = strdup(path);
		return c->profile;
	} else if (c->config.profile || c->profile)
		return c->config.profile ? c->config.profile : c->profile;
	else
		control_refuse(reply, "answer: the sandbox was started without a profile: "
				      "expected once, session or ten-minutes");
	return NULL;
}

/* The answer becomes a rule. */
static int insert(struct control *c, struct control_client *client, const struct answer *a,
		  const struct call *q, const json_t *request, json_t *reply)
{
	char text[SCOPE_RULE_MAX];
	struct swap_rule rule = {
		.text = text,
		.seconds = a->lifetime == TEN_MINUTES ? a->seconds : 0,
		.question = q->question,
		.verdict = a->verdict,
	};

	if (a->lifetime == PROFILE && !(rule.profile = profile_of(c, request, reply)))
		return -EINVAL;
	if (a->scope == SCOPE_HOST && !q->host)
		return control_refuse(reply, "answer: no host name is known for this address: "
					     "expected ip:port, network, port or any");
	if (scope_rule(a->scope, a->verdict, &q->target.endpoint, q->host, text))
		return control_refuse(reply, "answer: scope '%s' is none of a %s socket",
				      scope_name(a->scope), proto_name(q->target.endpoint.proto));
	return swap_insert(c->config.swap, client, &rule);
}

int control_answer(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		   int *reply_fd)
{
	struct engine *e = c->config.engine;
	struct answer a;
	struct call *q;
	int ret;

	(void)reply_fd;
	if (parse_answer(request, reply, &a))
		return -EINVAL;
	q = asked_for(e, request, reply);
	if (!q)
		return -EINVAL;
	if (a.lifetime != ONCE) {
		ret = insert(c, client, &a, q, request, reply);
		/* The rule takes its time. Whoever answers meanwhile is not the first. */
		q->answering = ret == CONTROL_LATER;
		return ret;
	}
	return json_object_set_new(reply, "released", json_integer(ask_answer(e, q, a.verdict)));
}
