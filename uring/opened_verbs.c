/* SPDX-License-Identifier: MIT */
/*
 * The verbs `connections` and `disconnect`: what the sandbox has open, and the
 * end of one of these. Both are jobs (jobs.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/opened.h"
#include "uring/control.h"

struct look {
	struct job job;
	struct control *control;
	struct control_client *client;
	uint64_t cookie; /* to disconnect; 0: list them all */
	char *text;
	int ret;
};

/* On the job's thread. */
static void look(struct job *j)
{
	struct look *l = (struct look *)j;
	struct opened_list list;

	if (l->cookie) {
		l->ret = opened_shut(l->cookie);
		return;
	}
	l->ret = opened_look(&l->control->config.engine->outbound, &list);
	if (l->ret)
		return;
	l->text = opened_text(&list);
	l->ret = l->text ? 0 : -ENOMEM;
	free(list.v);
}

static void looked(struct job *j)
{
	struct look *l = (struct look *)j;
	json_t *reply = json_object();
	int fd = -1;
	int ret = j->error ? j->error : l->ret;

	if (!ret && l->text)
		ret = control_put_text(reply, &fd, l->text, strlen(l->text));
	else if (l->cookie && ret == -ENOENT)
		control_refuse(reply, "it is closed already");
	else if (l->cookie && ret == -ENOTCONN)
		control_refuse(reply, "it is not connected");
	control_reply(l->client, reply, ret, fd);
	free(l->text);
	free(l);
}

static int add(struct control *c, struct control_client *client, uint64_t cookie)
{
	struct look *l = malloc(sizeof(*l));
	int ret;

	if (!l)
		return -ENOMEM;
	*l = (struct look){
		.job = { .work = look, .done = looked },
		.control = c,
		.client = client,
		.cookie = cookie,
	};
	ret = jobs_add(c->config.jobs, &l->job);
	if (!ret)
		return CONTROL_LATER;
	free(l);
	return ret;
}

int control_connections(struct control *c, struct control_client *client, json_t *request,
			json_t *reply, int *reply_fd)
{
	(void)request;
	(void)reply;
	(void)reply_fd;
	return add(c, client, 0);
}

int control_disconnect(struct control *c, struct control_client *client, json_t *request,
		       json_t *reply, int *reply_fd)
{
	json_int_t cookie = json_integer_value(json_object_get(request, "cookie"));

	(void)reply_fd;
	if (cookie <= 0)
		return control_refuse(reply,
				      "disconnect: expected \"cookie\" to be one of connections");
	return add(c, client, (uint64_t)cookie);
}
