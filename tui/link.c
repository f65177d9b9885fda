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

/* What was asked for, and so how its reply is known. */
static const char connections[] = "connections", held[] = "held", judge[] = "judge",
		  policy[] = "policy", hits[] = "hits", save[] = "save", terminal[] = "terminal",
		  trial[] = "trial";

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

/*
 * The rules, while there is certainly somebody to answer: the reply is kept as if it came later.
 * Without it they are asked for when they are to show.
 */
static void open_policy(struct link *l)
{
	struct control_error err;
	json_t *reply = call(l, request(policy, "{s:s}", "rules", "lasting"), &l->early_body, &err);

	if (!reply)
		return;
	json_array_append_new(l->early, reply);
	snprintf(l->asked[l->n_asked++], LINK_WHAT_MAX, "%s", policy);
}

/*
 * The command may begin with this, and end at once: so it is the last request, and what is told
 * before its reply is kept; events have no descriptor. A refusal is no failure: the run has no
 * terminal of its own.
 */
static void open_terminal(struct link *l, int rows, int cols)
{
	json_t *packet = request(terminal, "{s:i, s:i}", "rows", rows, "cols", cols);
	int ret = packet ? control_send(l->control, packet, -1) : -ENOMEM;

	json_decref(packet);
	if (ret)
		return;
	while ((packet = control_recv(l->control, &l->terminal)) != NULL &&
	       json_object_get(packet, "event"))
		json_array_append_new(l->early, packet);
	l->replay = (size_t)json_integer_value(json_object_get(packet, "replay"));
	json_decref(packet);
}

int link_open(struct link *l, int control, int rows, int cols, struct control_error *err)
{
	const char *path;
	json_t *reply;
	int ret;

	*l = (struct link){ .control = control, .terminal = -1, .early_body = -1 };
	ret = open_ledger(l, err);
	if (ret)
		return ret;
	reply = call(l, control_request("hello"), NULL, err);
	if (!reply) {
		link_close(l);
		return -EPROTO;
	}
	path = json_string_value(json_object_get(reply, "profile"));
	l->profile = path ? strdup(path) : NULL;
	json_decref(reply);
	l->early = json_array();
	/* Before events may come between. */
	open_policy(l);
	reply = call(l, control_request("watch"), NULL, err);
	if (!reply) {
		link_close(l);
		return -EPROTO;
	}
	json_decref(reply);
	open_terminal(l, rows, cols);
	fcntl(control, F_SETFL, fcntl(control, F_GETFL) | O_NONBLOCK);
	return 0;
}

void link_close(struct link *l)
{
	ledger_reader_free(l->ledger);
	json_decref(l->early);
	l->early = NULL;
	if (l->early_body >= 0)
		close(l->early_body);
	l->early_body = -1;
	free(l->profile);
	l->profile = NULL;
	if (l->terminal >= 0)
		close(l->terminal);
	l->ledger = NULL;
	l->terminal = -1;
}

/* Send a packet, which is taken over, of which `what` is the description. `body`: -1 for none. */
static int ask_with(struct link *l, json_t *packet, int body, const char *what)
{
	int ret = packet ? 0 : -EINVAL;

	if (!ret && l->n_asked == LINK_ASKED)
		ret = -EAGAIN;
	if (!ret)
		ret = control_send(l->control, packet, body);
	json_decref(packet);
	if (!ret) {
		l->answered[l->n_asked] = 0;
		snprintf(l->asked[l->n_asked++], LINK_WHAT_MAX, "%s", what);
	}
	return ret;
}

static int ask(struct link *l, json_t *packet, const char *what)
{
	return ask_with(l, packet, -1, what);
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

/* Ask, unless the last answer has not come. Takes ownership of the packet. */
static int ask_once(struct link *l, json_t *packet, const char *what)
{
	if (!is_asked(l, what))
		return ask(l, packet, what);
	json_decref(packet);
	return -EALREADY;
}

int link_ask_connections(struct link *l)
{
	return ask_once(l, control_request(connections), connections);
}

int link_ask_policy(struct link *l, bool to_save)
{
	return ask_once(l, request(policy, "{s:s}", "rules", "lasting"), to_save ? save : policy);
}

int link_ask_hits(struct link *l)
{
	return ask_once(l, request(hits, "{s:s}", "rules", "lasting"), hits);
}

int link_reload(struct link *l, const struct link_profile *p, bool is_trial)
{
	json_t *packet = request("reload", "{s:s, s:b, s:b}", "path", p->path, "whole", p->whole,
				 "trial", is_trial);
	int body = packet ? control_body_new(p->text, p->size) : -EINVAL;
	int ret;

	if (body < 0) {
		json_decref(packet);
		return body;
	}
	if (p->generation)
		json_object_set_new(packet, "generation", json_integer((json_int_t)p->generation));
	ret = ask_with(l, packet, body, is_trial ? trial : "change");
	close(body);
	return ret;
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
	return ask_once(l, request(held, "{s:b}", "exe", 1), held);
}

int link_answer(struct link *l, uint64_t id, const char *about, const char *verdict,
		const char *lifetime, const char *scope, const char *profile)
{
	char what[LINK_WHAT_MAX];
	int ret;

	snprintf(what, sizeof(what), "%s %.200s (%s%s%s)", verdict, about, scope ? scope : "",
		 scope ? ", " : "", lifetime);
	ret = ask(l,
		  request("answer", "{s:I, s:s, s:s, s:s*, s:s*}", "id", (json_int_t)id, "verdict",
			  verdict, "lifetime", lifetime, "scope", scope, "profile", profile),
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

int link_pause(struct link *l, bool on)
{
	return ask(l, request("pause", "{s:b}", "on", on), on ? "pause" : "pause, off");
}

int link_ask_terminal(struct link *l, int rows, int cols)
{
	return ask_once(l, request(terminal, "{s:i, s:i}", "rows", rows, "cols", cols), terminal);
}

int link_kill(struct link *l, int sig)
{
	return ask(l, request("kill", "{s:i}", "signal", sig), "kill");
}

int link_resize(struct link *l, int rows, int cols)
{
	return ask(l, request("size", "{s:i, s:i}", "rows", rows, "cols", cols), "");
}

/* The text of a reply, which is in it or in a body. Returns 0 or -errno. */
static int read_text(const json_t *packet, int body, char **text, size_t *size)
{
	const json_t *value = json_object_get(packet, "text");

	if (body >= 0)
		return control_body_read(body, text, size);
	*text = value ? strdup(json_string_value(value)) : NULL;
	*size = json_string_length(value);
	return value ? *text ? 0 : -ENOMEM : -EBADMSG;
}

static void print_lines(FILE *out, const json_t *packet, char sign, const char *key,
			const char *count)
{
	const json_t *lines = json_object_get(packet, key);
	json_int_t more = json_integer_value(json_object_get(packet, count)) -
			  (json_int_t)json_array_size(lines);

	for (size_t i = 0; i < json_array_size(lines); i++)
		fprintf(out, "%c%s\n", sign, json_string_value(json_array_get(lines, i)));
	if (more > 0)
		fprintf(out, "%cand %" JSON_INTEGER_FORMAT " more\n", sign, more);
}

/* The difference that a trial tells of, as struct review has it. */
static char *difference(const json_t *packet)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_lines(out, packet, '-', "removed", "removed_count");
	print_lines(out, packet, '+', "added", "added_count");
	if (json_is_true(json_object_get(packet, "moved")))
		fputs(" the order of the others changes\n", out);
	if (ferror(out) | fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
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

/* What has a message of its own. */
static void take_text(const char *what, const json_t *packet, int body, struct link_message *out)
{
	static const struct {
		const char *what;
		enum link_news news;
	} kinds[] = { { connections, LINK_CONNECTIONS },
		      { held, LINK_QUESTIONS },
		      { policy, LINK_POLICY },
		      { hits, LINK_HITS },
		      { save, LINK_SAVE } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].what, what) &&
		    !read_text(packet, body, &out->body, &out->size))
			out->news = kinds[i].news;
	if (out->news == LINK_CONNECTIONS && opened_parse(out->body, out->size, &out->connections))
		out->news = LINK_REPLY;
	if (!strcmp(what, judge)) {
		read_verdicts(packet, &out->judged);
		out->news = LINK_JUDGED;
	} else if (!strcmp(what, trial)) {
		out->body = difference(packet);
		out->news = LINK_TRIAL;
		out->ok = out->body != NULL;
	}
}

/* Takes the descriptor over. */
static void take_terminal(struct link *l, const json_t *packet, int *fd, struct link_message *out)
{
	if (l->terminal >= 0)
		close(l->terminal);
	l->terminal = *fd;
	*fd = -1;
	l->replay = (size_t)json_integer_value(json_object_get(packet, "replay"));
	out->news = LINK_TERMINAL;
}

static void refuse_trial(const struct control_error *err, struct link_message *out)
{
	out->news = LINK_TRIAL;
	snprintf(out->text, sizeof(out->text), "%s", err->text);
}

/* Forget the oldest request, of which this is the reply. */
static void take_reply(struct link *l, const json_t *packet, int *body, struct link_message *out)
{
	const json_t *generation = json_object_get(packet, "generation");
	const json_t *shut = json_object_get(packet, "shut");
	const json_t *released = json_object_get(packet, "released");
	const json_t *paused = json_object_get(packet, "paused");
	const json_t *signalled = json_object_get(packet, "processes");
	struct control_error err = { "" };
	const char *what = l->asked[0];

	out->ok = control_succeeded(packet, &err);
	out->generation = (uint64_t)json_integer_value(generation);
	out->news = l->n_asked && what[0] ? LINK_REPLY : LINK_NOTHING;
	/* What was sent, and what another k would send, was said when it was. */
	if (out->ok && signalled)
		out->news = LINK_NOTHING;
	out->is_pause = out->ok && paused;
	out->paused = json_is_true(paused);
	out->question = l->n_asked ? l->answered[0] : 0;
	if (!out->ok)
		snprintf(out->text, sizeof(out->text), "%s: %s", what, err.text);
	else if (generation && shut)
		snprintf(out->text, sizeof(out->text),
			 "%s: generation %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
			 " flows shut",
			 what, json_integer_value(generation), json_integer_value(shut));
	else if (paused)
		snprintf(out->text, sizeof(out->text), "%s",
			 out->paused ? "paused: every new call waits"
				     : "the pause is over: what waited is judged now");
	else if (released)
		snprintf(out->text, sizeof(out->text), "%s: %" JSON_INTEGER_FORMAT " released",
			 what, json_integer_value(released));
	else
		snprintf(out->text, sizeof(out->text), "%s: done", what);
	if (out->ok && l->n_asked && !strcmp(what, terminal))
		take_terminal(l, packet, body, out);
	else if (out->ok && l->n_asked)
		take_text(what, packet, *body, out);
	else if (l->n_asked && !strcmp(what, trial))
		refuse_trial(&err, out);
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

static json_t *take_early(struct link *l, int *body)
{
	json_t *packet = json_incref(json_array_get(l->early, 0));

	if (!json_object_get(packet, "event")) {
		*body = l->early_body;
		l->early_body = -1;
	}
	json_array_remove(l->early, 0);
	return packet;
}

void link_receive(struct link *l, struct link_message *out)
{
	int body = -1;
	json_t *packet =
		json_array_size(l->early) ? take_early(l, &body) : control_recv(l->control, &body);
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
		take_reply(l, packet, &body, out);
	if (body >= 0)
		close(body);
	json_decref(packet);
}
