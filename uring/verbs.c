/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the control protocol: a row and a function each. Their requests
 * and replies are in Documentation/control-protocol.rst.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/reap.h"
#include "uring/control.h"

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
	(void)c;
	(void)client;
	(void)request;
	(void)reply_fd;
	return control_refuse(reply, "ledger: not in this build");
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

/* Returns 0, or -EINVAL with the reply filled. */
static int size_of(const struct control *c, const char *verb, const json_t *request, json_t *reply,
		   unsigned short *rows, unsigned short *cols)
{
	json_int_t r = json_integer_value(json_object_get(request, "rows"));
	json_int_t w = json_integer_value(json_object_get(request, "cols"));

	if (!c->config.terminal)
		return control_refuse(reply, "the command has no terminal of its own");
	if (r < 1 || r > USHRT_MAX || w < 1 || w > USHRT_MAX)
		return control_refuse(
			reply, "%s: expected \"rows\" and \"cols\" to be numbers from 1 to %d",
			verb, USHRT_MAX);
	*rows = (unsigned short)r;
	*cols = (unsigned short)w;
	return 0;
}

static int terminal(struct control *c, struct control_client *client, json_t *request,
		    json_t *reply, int *reply_fd)
{
	unsigned short rows, cols;
	size_t replay;
	int ret = size_of(c, "terminal", request, reply, &rows, &cols);

	(void)client;
	if (ret)
		return ret;
	ret = terminal_attach(c->config.terminal, rows, cols, reply_fd, &replay);
	if (ret == -EBUSY)
		return control_refuse(reply, "terminal: %d monitors are attached already",
				      TERMINAL_CLIENTS);
	return ret ? ret : json_object_set_new(reply, "replay", json_integer((json_int_t)replay));
}

static int size(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		int *reply_fd)
{
	unsigned short rows, cols;
	int ret = size_of(c, "size", request, reply, &rows, &cols);

	(void)client;
	(void)reply_fd;
	return ret ? ret : terminal_resize(c->config.terminal, rows, cols);
}

static const struct control_verb verbs[] = {
	{ "hello", hello },     { "watch", watch },       { "ledger", ledger },
	{ "kill", kill_tasks }, { "terminal", terminal }, { "size", size },
};

const struct control_verb *control_verb_find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}
