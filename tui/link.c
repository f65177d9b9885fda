/* SPDX-License-Identifier: MIT */
#include "tui/link.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Verbs, by which their replies are known. */
static const char connections[] = "connections", held[] = "held", judge[] = "judge";

/* Packs as json_pack() does, and adds version and verb. NULL when a text is not UTF-8. */
static json_t *request(const char *verb, const char *format, ...)
{
	json_t *packet = control_request(verb), *more;
	va_list ap;

	va_start(ap, format);
	more = json_vpack_ex(NULL, 0, format, ap);
	va_end(ap);
	if (!more || json_object_update(packet, more)) {
		json_decref(packet);
		packet = NULL;
	}
	json_decref(more);
	return packet;
}

/* Ask and wait. Returns the reply, or NULL with *err filled. Takes `packet` over. */
static json_t *call(struct link *l, json_t *packet, int *fd, struct control_error *err)
{
	json_t *reply;

	errno = ENOMEM;
	reply = packet ? control_call(l->control, packet, -1, fd) : NULL;
	json_decref(packet);
	if (control_succeeded(reply, err))
		return reply;
	json_decref(reply);
	return NULL;
}

static int open_ledger(struct link *l, struct control_error *err)
{
	int fd = -1;
	json_t *reply = call(l, control_request("ledger"), &fd, err);

	if (!reply)
		return -EPROTO;
	json_decref(reply);
	l->ledger = ledger_reader_new(fd);
	if (l->ledger)
		return 0;
	snprintf(err->text, sizeof(err->text), "the ledger cannot be read: %s",
		 errno == EPROTO ? "it is of another version of sandtop" : strerror(errno));
	return -EPROTO;
}

/* A refusal is no failure: the run has no terminal of its own. */
static void open_terminal(struct link *l, int rows, int cols)
{
	struct control_error err = { "" };
	json_t *reply = call(l, request("terminal", "{s:i, s:i}", "rows", rows, "cols", cols),
			     &l->terminal, &err);

	l->replay = (size_t)json_integer_value(json_object_get(reply, "replay"));
	json_decref(reply);
}

int link_open(struct link *l, int control, int rows, int cols, struct control_error *err)
{
	json_t *reply;
	int ret;

	*l = (struct link){ .control = control, .terminal = -1 };
	ret = open_ledger(l, err);
	if (ret)
		return ret;
	open_terminal(l, rows, cols);
	/* The last one: control_call() drops events that come before a reply. */
	reply = call(l, control_request("watch"), NULL, err);
	if (!reply) {
		link_close(l);
		return -EPROTO;
	}
	json_decref(reply);
	fcntl(control, F_SETFL, fcntl(control, F_GETFL) | O_NONBLOCK);
	return 0;
}

void link_close(struct link *l)
{
	ledger_reader_free(l->ledger);
	if (l->terminal >= 0)
		close(l->terminal);
	l->ledger = NULL;
	l->terminal = -1;
}

/* Send a packet, which is taken over, of which `what` is the description. */
static int ask(struct link *l, json_t *packet, const char *what)
{
	int ret = packet ? 0 : -EINVAL;

	if (!ret && l->n_asked == LINK_ASKED)
		ret = -EAGAIN;
	if (!ret)
		ret = control_send(l->control, packet, -1);
	json_decref(packet);
	if (!ret) {
		l->answered[l->n_asked] = 0;
		snprintf(l->asked[l->n_asked++], LINK_WHAT_MAX, "%s", what);
	}
	return ret;
}

int link_ask(struct link *l, const char *verb, const char *spec)
{
	char what[LINK_WHAT_MAX];

	if (!spec)
		return ask(l, control_request(verb), verb);
	snprintf(what, sizeof(what), "%s %s", verb, spec);
	return ask(l, request(verb, "{s:s}", "spec", spec), what);
}

static bool is_asked(const struct link *l, const char *what)
{
	for (unsigned int i = 0; i < l->n_asked; i++)
		if (!strcmp(l->asked[i], what))
			return true;
	return false;
}

int link_ask_connections(struct link *l)
{
	return is_asked(l, connections) ? -EALREADY
					: ask(l, control_request(connections), connections);
}

int link_judge(struct link *l, const struct judged_batch *batch)
{
	json_t *endpoints;

	if (is_asked(l, judge))
		return -EALREADY;
	endpoints = json_array();
	for (unsigned int i = 0; i < batch->n; i++) {
		json_t *text = json_string(batch->endpoint[i]);

		/* What is not UTF-8 is no endpoint: the answer says so. */
		json_array_append_new(endpoints, text ? text : json_null());
	}
	return ask(l, request(judge, "{s:o}", "endpoints", endpoints), judge);
}

int link_ask_questions(struct link *l)
{
	if (is_asked(l, held))
		return -EALREADY;
	return ask(l, request(held, "{s:b}", "exe", 1), held);
}

int link_answer(struct link *l, uint64_t id, const char *verdict, const char *lifetime,
		const char *scope)
{
	char what[LINK_WHAT_MAX];
	int ret;

	snprintf(what, sizeof(what), "question %" PRIu64 ": %s%s%s, %s", id, verdict,
		 scope ? " " : "", scope ? scope : "", lifetime);
	ret = ask(l,
		  request("answer", "{s:I, s:s, s:s, s:s*}", "id", (json_int_t)id, "verdict",
			  verdict, "lifetime", lifetime, "scope", scope),
		  what);
	if (!ret)
		l->answered[l->n_asked - 1] = id;
	return ret;
}

int link_disconnect(struct link *l, uint64_t cookie, const char *what)
{
	char text[LINK_WHAT_MAX];

	snprintf(text, sizeof(text), "shut one of %s", what);
	return ask(l, request("disconnect", "{s:I}", "cookie", (json_int_t)cookie), text);
}

int link_kill(struct link *l, int sig)
{
	return ask(l, request("kill", "{s:i}", "signal", sig), "kill");
}

int link_resize(struct link *l, int rows, int cols)
{
	return ask(l, request("size", "{s:i, s:i}", "rows", rows, "cols", cols), "");
}

/* The text of a reply, which is in it or in a body; to be freed. NULL if there is none. */
static char *read_text(const json_t *packet, int body)
{
	const char *value = json_string_value(json_object_get(packet, "text"));
	char *text = NULL;
	size_t len;

	if (body < 0)
		return value ? strdup(value) : NULL;
	return control_body_read(body, &text, &len) ? NULL : text;
}

static int read_connections(const json_t *packet, int body, struct opened_list *out)
{
	char *text = read_text(packet, body);
	int ret = text ? opened_parse(text, strlen(text), out) : -EBADMSG;

	free(text);
	return ret;
}

static void read_verdicts(const json_t *packet, struct judged_reply *out)
{
	const json_t *verdicts = json_object_get(packet, "verdicts");
	size_t n = json_array_size(verdicts);

	out->generation = (uint64_t)json_integer_value(json_object_get(packet, "generation"));
	for (out->n = 0; out->n < n && out->n < CONTROL_JUDGE_MAX; out->n++) {
		const char *text = json_string_value(json_array_get(verdicts, out->n));

		out->verdict[out->n] = -1;
		for (int v = 0; text && v < VERDICT_COUNT; v++)
			if (!strcmp(text, verdict_name((enum verdict)v)))
				out->verdict[out->n] = (int8_t)v;
	}
}

/* Forget the oldest request, of which this is the reply. */
static void take_reply(struct link *l, const json_t *packet, int body, struct link_message *out)
{
	const json_t *generation = json_object_get(packet, "generation");
	const json_t *shut = json_object_get(packet, "shut");
	const json_t *released = json_object_get(packet, "released");
	struct control_error err = { "" };
	const char *what = l->asked[0];

	out->ok = control_succeeded(packet, &err);
	out->news = l->n_asked && what[0] ? LINK_REPLY : LINK_NOTHING;
	out->question = l->n_asked ? l->answered[0] : 0;
	if (l->n_asked && !strcmp(what, held)) {
		out->questions = read_text(packet, body);
		out->news = out->questions ? LINK_QUESTIONS : LINK_NOTHING;
	} else if (!out->ok)
		snprintf(out->text, sizeof(out->text), "%s: %s", what, err.text);
	else if (l->n_asked && !strcmp(what, connections) &&
		 !read_connections(packet, body, &out->connections))
		out->news = LINK_CONNECTIONS;
	else if (l->n_asked && !strcmp(what, judge)) {
		out->news = LINK_JUDGED;
		read_verdicts(packet, &out->judged);
	} else if (generation)
		snprintf(out->text, sizeof(out->text),
			 "%s: generation %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
			 " flows shut",
			 what, json_integer_value(generation), json_integer_value(shut));
	else if (released)
		snprintf(out->text, sizeof(out->text), "%s: %" JSON_INTEGER_FORMAT " released",
			 what, json_integer_value(released));
	else
		snprintf(out->text, sizeof(out->text), "%s: done", what);
	if (l->n_asked == 0)
		return;
	l->n_asked--;
	memmove(l->asked[0], l->asked[1], l->n_asked * sizeof(l->asked[0]));
	memmove(&l->answered[0], &l->answered[1], l->n_asked * sizeof(l->answered[0]));
}

static void take_event(const json_t *packet, const char *event, struct link_message *out)
{
	const char *by = json_string_value(json_object_get(packet, "by"));

	if (!strcmp(event, "swap"))
		out->news = LINK_SWAP;
	else if (!strcmp(event, "exit"))
		out->news = LINK_EXIT;
	out->by_sandtop = by && !strcmp(by, "sandtop");
	out->status = (int)json_integer_value(json_object_get(packet, "exit"));
}

void link_receive(struct link *l, struct link_message *out)
{
	int body = -1;
	json_t *packet = control_recv(l->control, &body);
	const char *event;

	*out = (struct link_message){ .news = LINK_NOTHING };
	if (!packet) {
		if (errno != EAGAIN && errno != EBADMSG && errno != EMSGSIZE)
			out->news = LINK_GONE;
		return;
	}
	event = json_string_value(json_object_get(packet, "event"));
	if (event)
		take_event(packet, event, out);
	else
		take_reply(l, packet, body, out);
	if (body >= 0)
		close(body);
	json_decref(packet);
}
