/* SPDX-License-Identifier: MIT */
#include "selftests/lib/asked.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/deadline.h"

enum { WAIT = 10000 }; /* ms */

void asked_init(struct asked *a)
{
	*a = (struct asked){ .control = -1 };
	driven_init();
	a->server = server_new(SOCK_STREAM, "0.0.0.0", ASKED_PORT);
	ASSERT_NE(NULL, a->server);
	ASSERT_EQ(0, pipe(a->input));
}

void asked_free(struct asked *a)
{
	if (!a->server)
		return;
	if (a->control >= 0)
		close(a->control);
	sandbox_free(&a->s);
	server_free(a->server);
}

static void take_stdin(void *arg)
{
	dup2(((struct asked *)arg)->input[0], 0);
}

void asked_start(struct asked *a, const char *const options[], const char *text, const char *what,
		 const char *count)
{
	static char gated[8192];
	const char *all[16] = { "--name", "asked", "-q" };
	int n = 3;

	while (*options)
		all[n++] = *options++;
	snprintf(gated, sizeof(gated),
		 "import sys\nprint('here', flush=True)\n"
		 "sys.stdin.readline()\n%s",
		 text);
	ASSERT_EQ(0, sandbox_start(&a->s, all, ARGS(PYTHON, gated, what, count), take_stdin, a));
	asked_says(a, "here\n");
	a->control = driven_connect("asked");
	ASSERT_LE(0, a->control);
	json_decref(asked_request(a, "{\"v\":1,\"verb\":\"attend\"}"));
}

void asked_go(struct asked *a)
{
	EXPECT_EQ(1, write(a->input[1], "\n", 1));
}

static json_t *send_request(struct asked *a, const char *format, va_list ap)
{
	char packet[512];

	vsnprintf(packet, sizeof(packet), format, ap);
	return driven_request(a->control, packet);
}

json_t *asked_request(struct asked *a, const char *format, ...)
{
	json_t *reply;
	va_list ap;

	va_start(ap, format);
	reply = send_request(a, format, ap);
	va_end(ap);
	return reply;
}

long asked_do(struct asked *a, const char *key, const char *format, ...)
{
	json_t *reply;
	va_list ap;
	long value;

	va_start(ap, format);
	reply = send_request(a, format, ap);
	va_end(ap);
	EXPECT_TRUE(json_is_true(json_object_get(reply, "ok")))
	{
		TH_LOG("%s: %s", format, reply ? event_text(reply, "error") : "no reply");
	}
	value = reply ? event_number(reply, key) : -1;
	json_decref(reply);
	return value;
}

const char *asked_refusal(struct asked *a, const char *format, ...)
{
	static char text[1024];
	const char *error;
	json_t *reply;
	va_list ap;

	va_start(ap, format);
	reply = send_request(a, format, ap);
	va_end(ap);
	error = reply ? event_text(reply, "error") : NULL;
	snprintf(text, sizeof(text), "%s", error ? error : "not refused");
	json_decref(reply);
	return text;
}

/* What is held now, in `text`; returns how many questions that is. */
static int look(struct asked *a, char *text, size_t size)
{
	json_t *reply = asked_request(a, "{\"v\":1,\"verb\":\"held\"}");
	int n = 0;

	ASSERT_NE(NULL, reply);
	ASSERT_NE(NULL, event_text(reply, "text"));
	snprintf(text, size, "%s", event_text(reply, "text"));
	json_decref(reply);
	for (const char *c = text; *c; c++)
		n += *c == '\n';
	return n;
}

const char *asked_held(struct asked *a, int count)
{
	static char text[64 * 1024];
	int64_t deadline = deadline_in(WAIT);

	while (look(a, text, sizeof(text)) != count && deadline_again(deadline))
		;
	EXPECT_EQ(count, look(a, text, sizeof(text)));
	return text;
}

void asked_question(struct asked *a, unsigned long id)
{
	int64_t deadline = deadline_in(WAIT);
	char text[4096];

	while ((look(a, text, sizeof(text)) != 1 || strtoul(text, NULL, 10) != id) &&
	       deadline_again(deadline))
		;
	ASSERT_EQ(id, strtoul(text, NULL, 10));
}

void asked_await(struct asked *a, int count)
{
	int64_t deadline = deadline_in(WAIT);
	char line[64];
	bool there;

	snprintf(line, sizeof(line), "\nsandtop_held{sandbox=\"asked\"} %d\n", count);
	do {
		json_t *reply = asked_request(a, "{\"v\":1,\"verb\":\"metrics\"}");

		ASSERT_NE(NULL, reply);
		there = strstr(event_text(reply, "text"), line);
		json_decref(reply);
	} while (!there && deadline_again(deadline));
	EXPECT_TRUE(there);
}

void asked_answer(struct asked *a, unsigned long id, const char *verdict, const char *lifetime)
{
	asked_do(a, "released",
		 "{\"v\":1,\"verb\":\"answer\",\"id\":%lu,\"verdict\":\"%s\",\"lifetime\":\"%s\"}",
		 id, verdict, lifetime);
}

void asked_says(struct asked *a, const char *text)
{
	ASSERT_EQ(0, command_wait_text(&a->s.command, &a->s.command.out, text, COMMAND_TIMEOUT))
	{
		TH_LOG("%s%s", a->s.command.out.text, a->s.command.err.text);
	}
}

void asked_finish(struct asked *a)
{
	/* A sandbox that ends has no reply to the change that let it end. */
	asked_go(a);
	ASSERT_EQ(0, sandbox_wait(&a->s));
	EXPECT_STRNOTIN("wrong", a->s.command.out.text);
	EXPECT_STRNOTIN("Traceback", a->s.command.err.text);
}

int asked_decisions(const struct asked *a, const char *verdict, const char *rule)
{
	int n = 0;
	const json_t *e;

	for (size_t i = 0; (e = sandbox_event(&a->s, "decision", i)); i++)
		n += !strcmp(event_text(e, "verdict"), verdict) &&
		     !strcmp(event_text(e, "rule"), rule);
	return n;
}
