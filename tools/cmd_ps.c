/* SPDX-License-Identifier: MIT */
/*
 * sandtop ps [--json]: the sandboxes of this user that run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/control.h"
#include "core/escape.h"
#include "tools/cmd.h"

/* What a sandbox says of itself; NULL when nobody is there, or it does not answer. */
static json_t *ask(const char *name)
{
	struct control_error err = { "" };
	json_t *request = control_request("hello"), *reply = NULL;
	int fd = control_connect(name, &err);

	if (fd >= 0) {
		control_set_patience(fd, CONTROL_PATIENCE);
		reply = request ? control_call(fd, request, -1, NULL) : NULL;
		close(fd);
	}
	json_decref(request);
	/* Nobody there is somebody who has gone. */
	if (fd >= 0 && !control_succeeded(reply, &err)) {
		char text[4 * sizeof(err.text)];

		escape_text(err.text, text, sizeof(text));
		complain("ps: '%s': %s", name, text);
		json_decref(reply);
		return NULL;
	}
	return reply;
}

static int64_t uptime_of(const json_t *reply)
{
	int64_t seconds =
		(int64_t)(time(NULL) - json_number_value(json_object_get(reply, "start")));

	return seconds > 0 ? seconds : 0;
}

/* The two largest units. */
static const char *duration(int64_t s, char buf[static 32])
{
	if (s < 60)
		snprintf(buf, 32, "%" PRId64 "s", s);
	else if (s < 3600)
		snprintf(buf, 32, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, 32, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(buf, 32, "%" PRId64 "d%02" PRId64 "h", s / 86400, s / 3600 % 24);
	return buf;
}

static json_int_t number(const json_t *reply, const char *key)
{
	return json_integer_value(json_object_get(reply, key));
}

static void print_row(const json_t *reply, const char *name, int width)
{
	const char *command = json_string_value(json_object_get(reply, "command"));
	char text[4096], up[32];

	escape_text(command ? command : "?", text, sizeof(text));
	printf("%-*s %7" JSON_INTEGER_FORMAT " %7s %4" JSON_INTEGER_FORMAT " %7" JSON_INTEGER_FORMAT
	       " %7" JSON_INTEGER_FORMAT " %s\n",
	       width, name, number(reply, "pid"), duration(uptime_of(reply), up),
	       number(reply, "generation"), number(reply, "allowed"), number(reply, "denied"),
	       text);
}

static void print_json(json_t *reply)
{
	json_object_del(reply, "ok");
	json_object_set_new(reply, "uptime", json_integer(uptime_of(reply)));
	json_dumpf(reply, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
}

int cmd_ps(int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	struct control_names names;
	bool any = false;
	int width = 4;
	int ret;

	if (argc > 1 + json) {
		char word[400];

		escape_text(argv[1 + json], word, sizeof(word));
		complain("ps: unexpected '%s': expected nothing or --json", word);
		return EXIT_USAGE;
	}
	ret = control_names(&names);
	if (ret) {
		complain("ps: cannot list the sandboxes: %s", strerror(-ret));
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < names.n; i++)
		if ((int)strlen(names.v[i]) > width)
			width = (int)strlen(names.v[i]);
	for (size_t i = 0; i < names.n; i++) {
		json_t *reply = ask(names.v[i]);

		if (!reply)
			continue;
		if (!any && !json)
			printf("%-*s %7s %7s %4s %7s %7s %s\n", width, "NAME", "PID", "UPTIME",
			       "GEN", "ALLOW", "DENY", "CMD");
		if (json)
			print_json(reply);
		else
			print_row(reply, names.v[i], width);
		any = true;
		json_decref(reply);
	}
	free(names.v);
	if (!any)
		complain("ps: no sandbox is running");
	return any ? EXIT_SUCCESS : EXIT_FAILURE;
}
