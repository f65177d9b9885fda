/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the control protocol: a row and a function each. Their requests
 * and replies are in Documentation/control-protocol.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/facts.h"
#include "core/locate.h"
#include "core/metrics.h"
#include "core/reap.h"
#include "policy/error.h"
#include "policy/explain.h"
#include "policy/profile.h"
#include "uring/control.h"
#include "uring/swap.h"

static int hello(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		 int *reply_fd)
{
	const struct control_config *config = &c->config;
	const uint64_t *counter = config->stats->counter;
	/* Neither need be UTF-8: then they are null. */
	json_t *command = json_string(c->command);
	json_t *profile = config->profile ? json_string(config->profile) : NULL;
	json_t *more =
		json_pack("{s:s, s:i, s:i, s:I, s:f, s:b, s:I, s:I}", "name", config->name, "pid",
			  config->pid, "sandtop", getppid(), "generation",
			  (json_int_t)config->engine->generation, "start", c->start, "monitored",
			  config->terminal != NULL, "allowed", (json_int_t)counter[STAT_ALLOWED],
			  "denied", (json_int_t)counter[STAT_DENIED]);

	(void)client;
	(void)request;
	(void)reply_fd;
	json_object_set_new(reply, "command", command ? command : json_null());
	json_object_set_new(reply, "profile", profile ? profile : json_null());
	if (!more || json_object_update(reply, more)) {
		json_decref(more);
		return -ENOMEM;
	}
	json_decref(more);
	return 0;
}

static int watch(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		 int *reply_fd)
{
	(void)request;
	(void)reply_fd;
	client->watches = true;
	return json_object_set_new(reply, "generation",
				   json_integer((json_int_t)c->config.engine->generation));
}

static int ledger(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd)
{
	(void)client;
	(void)request;
	(void)reply;
	*reply_fd = fcntl(ledger_fd(c->config.ledger), F_DUPFD_CLOEXEC, 3);
	return *reply_fd < 0 ? -errno : 0;
}

static int metrics(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		   int *reply_fd)
{
	char text[METRICS_TEXT_MAX];
	struct ledger_head head;

	(void)client;
	(void)request;
	ledger_head(c->config.ledger, &head);
	return control_put_text(reply, reply_fd, text, metrics_text(&head, text));
}

static void reopened(void *arg, const char *error)
{
	json_t *reply = json_object();
	int ret = error ? control_refuse(reply, "%s", error) : 0;

	control_reply(arg, reply, ret, -1);
}

static int reopen(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd)
{
	int ret = report_reopen(c->config.report, reopened, client);

	(void)request;
	(void)reply_fd;
	if (ret == -ENOENT)
		return control_refuse(reply, "neither --log nor --json is a file");
	return ret ? ret : CONTROL_LATER;
}

/* The signal that a request names, 15 without one, or -EINVAL. */
static int signal_of(const json_t *request)
{
	const json_t *value = json_object_get(request, "signal");

	if (!value)
		return SIGTERM;
	if (!json_is_integer(value) || json_integer_value(value) < 1 ||
	    json_integer_value(value) > SIGRTMAX)
		return -EINVAL;
	return (int)json_integer_value(value);
}

static int kill_tasks(struct control *c, struct control_client *client, json_t *request,
		      json_t *reply, int *reply_fd)
{
	int sig = signal_of(request);
	pid_t pids[4096];
	int n, told = 0;

	(void)c;
	(void)client;
	(void)reply_fd;
	if (sig < 0)
		return control_refuse(
			reply, "kill: expected \"signal\" to be a number from 1 to %d", SIGRTMAX);
	n = reap_descendants(pids, sizeof(pids) / sizeof(pids[0]));
	if (n < 0)
		return n;
	for (int i = 0; i < n && i < (int)(sizeof(pids) / sizeof(pids[0])); i++)
		told += kill(pids[i], sig) == 0;
	return json_object_set_new(reply, "processes", json_integer(told));
}

/* A text that a request must have; NULL with the reason in the reply. */
static const char *text_of(const json_t *request, const char *key, json_t *reply)
{
	const char *text = json_string_value(json_object_get(request, key));

	if (!text)
		control_refuse(reply, "%s: expected \"%s\" to be a text",
			       json_string_value(json_object_get(request, "verb")), key);
	return text;
}

/* "allow SPEC" or "deny SPEC", to be freed; NULL with the reason in the reply. */
static char *rule_of(const json_t *request, const char *action, json_t *reply)
{
	const char *spec = text_of(request, "spec", reply);
	char *rule = NULL;

	if (spec && asprintf(&rule, "%s %s", action, spec) < 0)
		rule = NULL;
	return rule;
}

static int insert(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd)
{
	char *rule = rule_of(request, json_string_value(json_object_get(request, "verb")), reply);
	const struct swap_rule inserted = { .text = rule };
	int ret = rule ? swap_insert(c->config.swap, client, &inserted) : -EINVAL;

	(void)reply_fd;
	free(rule);
	return ret;
}

static int shut(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		int *reply_fd)
{
	char *rule = rule_of(request, "deny", reply);
	int ret = rule ? swap_shut(c->config.swap, client, rule) : -EINVAL;

	(void)reply_fd;
	free(rule);
	return ret;
}

static int undo(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		int *reply_fd)
{
	(void)request;
	(void)reply;
	(void)reply_fd;
	return swap_undo(c->config.swap, client);
}

static int panic(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		 int *reply_fd)
{
	(void)request;
	(void)reply;
	(void)reply_fd;
	return swap_panic(c->config.swap, client);
}

static int reload(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd)
{
	const char *path = text_of(request, "path", reply);
	const json_t *generation = json_object_get(request, "generation");
	struct reload r = {
		.path = path,
		.whole = json_is_true(json_object_get(request, "whole")),
		.is_trial = json_is_true(json_object_get(request, "trial")),
		.generation = (uint64_t)json_integer_value(generation),
	};
	const json_t *inlined = json_object_get(request, "text");
	char *text = NULL;
	int ret;

	(void)reply_fd;
	if (!path)
		return -EINVAL;
	if (generation && json_integer_value(generation) < 1)
		return control_refuse(reply,
				      "reload: expected \"generation\" to be a number from 1");
	r.text = json_string_value(inlined);
	r.size = json_string_length(inlined);
	if (r.text)
		return swap_reload(c->config.swap, client, &r);
	if (client->body < 0)
		return control_refuse(reply,
				      "reload: expected the profile as \"text\" or as a body");
	ret = control_body_read(client->body, &text, &r.size);
	if (ret == -EBADMSG)
		return control_refuse(reply, "reload: expected the body to be a sealed memfd");
	r.text = text;
	if (!ret)
		ret = swap_reload(c->config.swap, client, &r);
	free(text);
	return ret;
}

enum query_kind {
	QUERY_POLICY, /* as a profile */
	QUERY_WHY,    /* what it says to an endpoint */
	QUERY_HITS,   /* what each rule has decided */
};

/* Something that is looked up beside the loop. */
struct query {
	struct job job;
	struct control *control;
	struct control_client *client;
	struct snapshot *snapshot;
	uint64_t generation; /* of the snapshot */
	struct facts *facts;
	enum query_kind kind;
	char *endpoint; /* QUERY_WHY */
	bool lasting;   /* without the rules that end */
	char *text;     /* the answer */
	int ret;
	struct policy_error err;
};

static void explain(struct query *q)
{
	char name[DOMAIN_TEXT_MAX];
	struct endpoint e;
	char *real = NULL;
	int ret = explain_parse(q->endpoint, name, &e, &q->err);

	if (ret == 0)
		ret = policy_error_set(&q->err, "empty: expected 'tcp 1.2.3.4 443'");
	/* As a call is judged: by where the path really is. */
	if (ret > 0 && e.proto == PROTO_UNIX && *e.name == '/')
		ret = locate_path(e.name, false, &real) ? -ENOMEM : ret;
	q->ret = ret < 0 ? ret : 0;
	if (ret <= 0)
		return;
	if (real)
		e.name = real;
	e.self = policy_asks_self(q->snapshot->policy, &q->facts->live, &e) &&
		 listeners_has(&q->facts->listeners, q->facts->listeners.diag, &e);
	q->text = explain_why(q->snapshot->policy, &q->facts->live, &e);
	free(real);
}

static void write_policy(struct query *q)
{
	struct profile rest = {
		.max_connections = q->control->config.max_connections,
		.now = loop_now(),
	};
	struct source *source = source_copy(q->snapshot->source);
	struct draft *d = NULL;

	if (!source) {
		q->ret = -ENOMEM;
		return;
	}
	source_end(source, q->lasting ? UINT64_MAX : rest.now);
	q->ret = source_build(source, &d, &q->err);
	rest.block_files = source_lists(source, &rest.n_block_files);
	if (!q->ret)
		q->text = profile_write(d, &rest);
	draft_free(d);
	source_free(source);
}

static void count_hits(struct query *q)
{
	size_t size;
	FILE *out = open_memstream(&q->text, &size);
	int n = policy_rules(q->snapshot->policy);

	if (!out)
		return;
	for (int i = 1; i <= n; i++)
		if (!q->lasting || !source_has_ended(q->snapshot->source, i, UINT64_MAX))
			fprintf(out, "%" PRIu64 "\n", shared_load(q->snapshot->hits[i]));
	if (ferror(out) | fclose(out)) {
		free(q->text);
		q->text = NULL;
	}
}

static void query(struct job *j)
{
	static void (*const run[])(struct query *) = {
		[QUERY_POLICY] = write_policy,
		[QUERY_WHY] = explain,
		[QUERY_HITS] = count_hits,
	};
	struct query *q = (struct query *)j;

	run[q->kind](q);
	if (!q->ret && !q->text)
		q->ret = -ENOMEM;
}

static void query_free(struct query *q)
{
	snapshot_put(q->snapshot, &q->control->config.engine->retired);
	facts_free(q->facts);
	free(q->endpoint);
	free(q->text);
	free(q);
}

static void answered(struct job *j)
{
	struct query *q = (struct query *)j;
	json_t *reply = json_object();
	int fd = -1;
	int ret = j->error ? j->error : q->ret;

	if (!ret)
		ret = control_put_text(reply, &fd, q->text, strlen(q->text));
	if (!ret)
		json_object_set_new(reply, "generation", json_integer((json_int_t)q->generation));
	else if (*q->err.text)
		control_refuse(reply, "%s", q->err.text);
	control_reply(q->client, reply, ret, fd);
	query_free(q);
}

/* `endpoint` is copied, and NULL unless it is QUERY_WHY, for which `lasting` is nothing. */
static int ask(struct control *c, struct control_client *client, enum query_kind kind,
	       const char *endpoint, bool lasting)
{
	const struct engine *e = c->config.engine;
	struct query *q = malloc(sizeof(*q));
	int ret;

	if (!q)
		return -ENOMEM;
	*q = (struct query){
		.job = { .work = query, .done = answered },
		.control = c,
		.client = client,
		.kind = kind,
		.generation = e->generation,
		.endpoint = endpoint ? strdup(endpoint) : NULL,
		.lasting = lasting,
		.snapshot = snapshot_get(e->snapshot),
		.facts = facts_new(&e->live, &e->listeners),
	};
	if (q->facts)
		q->facts->live.now = loop_now();
	ret = (endpoint && !q->endpoint) || !q->facts ? -ENOMEM : jobs_add(c->config.jobs, &q->job);
	if (!ret)
		return CONTROL_LATER;
	query_free(q);
	return ret;
}

/* Ask about the rules, with or without those that end. */
static int ask_rules(struct control *c, struct control_client *client, enum query_kind kind,
		     const json_t *request, json_t *reply)
{
	const json_t *rules = json_object_get(request, "rules");

	if (rules && (!json_is_string(rules) || strcmp(json_string_value(rules), "lasting")))
		return control_refuse(reply, "%s: expected \"rules\" to be \"lasting\"",
				      json_string_value(json_object_get(request, "verb")));
	return ask(c, client, kind, NULL, rules != NULL);
}

static int policy(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd)
{
	(void)reply_fd;
	return ask_rules(c, client, QUERY_POLICY, request, reply);
}

static int hits(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		int *reply_fd)
{
	(void)reply_fd;
	return ask_rules(c, client, QUERY_HITS, request, reply);
}

static int why(struct control *c, struct control_client *client, json_t *request, json_t *reply,
	       int *reply_fd)
{
	const char *endpoint = text_of(request, "endpoint", reply);

	(void)reply_fd;
	return endpoint ? ask(c, client, QUERY_WHY, endpoint, false) : -EINVAL;
}

static const struct control_verb verbs[] = {
	{ "hello", hello },
	{ "watch", watch },
	{ "ledger", ledger },
	{ "policy", policy },
	{ "hits", hits },
	{ "reload", reload },
	{ "allow", insert },
	{ "deny", insert },
	{ "undo", undo },
	{ "panic", panic },
	{ "why", why },
	{ "judge", control_judge },
	{ "shut", shut },
	{ "metrics", metrics },
	{ "reopen", reopen },
	{ "kill", kill_tasks },
	{ "terminal", control_terminal },
	{ "size", control_size },
	{ "connections", control_connections },
	{ "disconnect", control_disconnect },
	{ "attend", control_attend },
	{ "held", control_held },
	{ "answer", control_answer },
	{ "pause", control_pause },
};

const struct control_verb *control_verb_find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}
