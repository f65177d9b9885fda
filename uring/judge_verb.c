/* SPDX-License-Identifier: MIT */
/*
 * The verb `judge`: what the live policy would answer to each of some endpoints. It is done at once
 * and not as a job, as it takes no longer than the answers to as many calls.
 */
#include <errno.h>
#include <string.h>

#include "core/listeners.h"
#include "policy/explain.h"
#include "uring/control.h"

/* NULL when `text` is no endpoint, or one that no policy judges. */
static const char *judge(struct engine *e, const char *text)
{
	char line[ENDPOINT_NAME_MAX + 64], name[DOMAIN_TEXT_MAX];
	struct policy_error err;
	struct endpoint endpoint;

	if (!text || strlen(text) >= sizeof(line))
		return NULL;
	strcpy(line, text);
	if (explain_parse(line, name, &endpoint, &err) != 1)
		return NULL;
	/* As the next call would be judged, however long ago the last one was. */
	e->live.now = loop_now();
	endpoint.self = policy_asks_self(e->policy, &e->live, &endpoint) &&
			listeners_has(&e->listeners, e->listeners.diag, &endpoint);
	return verdict_name(policy_decide(e->policy, &e->live, &endpoint).verdict);
}

int control_judge(struct control *c, struct control_client *client, json_t *request, json_t *reply,
		  int *reply_fd)
{
	struct engine *e = c->config.engine;
	const json_t *endpoints = json_object_get(request, "endpoints");
	json_t *verdicts;

	(void)client;
	(void)reply_fd;
	if (!json_is_array(endpoints) || json_array_size(endpoints) > CONTROL_JUDGE_MAX)
		return control_refuse(reply,
				      "judge: expected \"endpoints\" to be an array of at most %d",
				      CONTROL_JUDGE_MAX);
	verdicts = json_array();
	for (size_t i = 0; i < json_array_size(endpoints); i++) {
		const char *verdict = judge(e, json_string_value(json_array_get(endpoints, i)));

		json_array_append_new(verdicts, verdict ? json_string(verdict) : json_null());
	}
	if (json_object_set_new(reply, "verdicts", verdicts) ||
	    json_array_size(verdicts) != json_array_size(endpoints))
		return -ENOMEM;
	return json_object_set_new(reply, "generation", json_integer((json_int_t)e->generation))
		       ? -ENOMEM
		       : 0;
}
