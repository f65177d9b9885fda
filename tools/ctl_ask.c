/* SPDX-License-Identifier: MIT */
/*
 * sandtop ctl: the verbs that are about questions.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/control.h"
#include "core/escape.h"
#include "policy/scope.h"
#include "tools/cmd.h"
#include "tools/ctl.h"

enum { LOOK_MS = 100 }; /* between two looks of held --wait */

/* Print the questions whose number is above *last, and move that on. */
static void print_new(const char *text, unsigned long long *last)
{
	unsigned long long highest = *last;

	while (*text) {
		size_t len = strcspn(text, "\n");
		unsigned long long number = strtoull(text, NULL, 10);

		/* The sandbox has escaped what comes from the command. */
		if (number > *last)
			printf("%.*s\n", (int)len, text);
		if (number > highest)
			highest = number;
		text += len + (text[len] == '\n');
	}
	*last = highest;
	fflush(stdout);
}

/* The questions, or NULL with the user told; who waits for more is not told that it is over. */
static char *ask_questions(const char *verb, int fd, bool waits)
{
	json_t *request = control_request(verb), *reply;
	struct control_error err = { "" };
	bool ended;
	int body;

	reply = control_call(fd, request, -1, &body);
	ended = !reply && (errno == ECONNRESET || errno == EPIPE);
	json_decref(request);
	if (control_succeeded(reply, &err))
		return ctl_text_of(verb, reply, body);
	json_decref(reply);
	if (waits && ended)
		return strdup("");
	ctl_complain(verb, &err);
	return NULL;
}

int ctl_held(const struct ctl_verb *verb, int fd, char **arg)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };
	const bool waits = arg[0];
	unsigned long long last = 0;
	json_t *reply;

	if (waits) {
		reply = ctl_ask(fd, "attend", NULL, NULL, -1, NULL);
		if (!reply)
			return EXIT_FAILURE;
		json_decref(reply);
	}
	do {
		char *text = ask_questions(verb->name, fd, waits);

		if (!text)
			return EXIT_FAILURE;
		print_new(text, &last);
		free(text);
		/* Nothing is sent unasked: that it is readable means that it has ended. */
	} while (waits && poll(&end, 1, LOOK_MS) == 0 && !ferror(stdout));
	return EXIT_SUCCESS;
}

/* The number of a question, or 0. */
static json_int_t parse_id(const char *word)
{
	if (!*word || strlen(word) > 18 || word[strspn(word, "0123456789")])
		return 0;
	return (json_int_t)strtoll(word, NULL, 10);
}

static int wrong(const char *word, const char *expected)
{
	char text[400];

	escape_text(word, text, sizeof(text));
	complain("ctl answer: unexpected '%s': expected %s", text, expected);
	return EXIT_USAGE;
}

static int send_answer(int fd, const json_t *request)
{
	json_t *reply = control_call(fd, request, -1, NULL);
	struct control_error err = { "" };
	char text[4 * sizeof(err.text)];
	const json_t *released = json_object_get(reply, "released");

	if (!control_succeeded(reply, &err)) {
		escape_text(err.text, text, sizeof(text));
		complain("ctl answer: %s", text);
		json_decref(reply);
		return EXIT_FAILURE;
	}
	if (!released)
		return ctl_print_change(reply);
	printf("%" JSON_INTEGER_FORMAT " released\n", json_integer_value(released));
	json_decref(reply);
	return EXIT_SUCCESS;
}

static bool is_one_of(const char *word, const char *const list[])
{
	while (*list && strcmp(*list, word))
		list++;
	return *list;
}

int ctl_answer(const struct ctl_verb *verb, int fd, char **arg)
{
	json_int_t id = parse_id(arg[0]);
	static const char *const lifetimes[] = { "once", "session", "profile", "ten-minutes",
						 NULL };
	const char *scope = arg[2] ? arg[3] : NULL;
	json_t *request;
	int status;

	if (!id)
		return wrong(arg[0], "the number of a question, as ctl held prints it");
	if (strcmp(arg[1], "allow") && strcmp(arg[1], "deny"))
		return wrong(arg[1], "allow or deny");
	if (arg[2] && !is_one_of(arg[2], lifetimes))
		return wrong(arg[2], "once, session, profile or ten-minutes");
	if (scope && scope_find(scope) < 0)
		return wrong(scope, "host, ip:port, network, port or any");
	request = control_request(verb->name);
	json_object_set_new(request, "id", json_integer(id));
	json_object_set_new(request, "verdict", json_string(arg[1]));
	if (arg[2])
		json_object_set_new(request, "lifetime", json_string(arg[2]));
	if (scope)
		json_object_set_new(request, "scope", json_string(scope));
	status = send_answer(fd, request);
	json_decref(request);
	return status;
}
