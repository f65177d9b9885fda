/* SPDX-License-Identifier: MIT */
/*
 * sandtop ctl: the verbs that change something.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/control.h"
#include "core/escape.h"
#include "tools/cmd.h"
#include "tools/ctl.h"
#include "tools/profile_file.h"

static long number(const json_t *reply, const char *key)
{
	return (long)json_integer_value(json_object_get(reply, key));
}

int ctl_print_change(json_t *reply)
{
	const char *warning = json_string_value(json_object_get(reply, "warning"));
	char text[1024];

	if (!reply)
		return EXIT_FAILURE;
	printf("generation %ld, %ld flows shut\n", number(reply, "generation"),
	       number(reply, "shut"));
	if (warning) {
		escape_text(warning, text, sizeof(text));
		complain("ctl: %s", text);
	}
	if (number(reply, "unseen"))
		complain("ctl: %ld tasks cannot be looked into: what they have open was not shut",
			 number(reply, "unseen"));
	json_decref(reply);
	return EXIT_SUCCESS;
}

int ctl_insert(const struct ctl_verb *verb, int fd, char **arg)
{
	return ctl_print_change(ctl_ask(fd, verb->name, "spec", arg[0], -1, NULL));
}

int ctl_shut(const struct ctl_verb *verb, int fd, char **arg)
{
	return ctl_print_change(ctl_ask(fd, verb->name, "spec", arg[0], -1, NULL));
}

int ctl_undo(const struct ctl_verb *verb, int fd, char **arg)
{
	(void)arg;
	return ctl_print_change(ctl_ask(fd, verb->name, NULL, NULL, -1, NULL));
}

/* The profile that the sandbox was started with, to be freed; NULL with the user told. */
static char *profile_of(int fd)
{
	json_t *reply = ctl_ask(fd, "hello", NULL, NULL, -1, NULL);
	const char *path = json_string_value(json_object_get(reply, "profile"));
	char *copy = path ? strdup(path) : NULL;

	if (reply && !path)
		complain("ctl reload: the sandbox was started without a profile: expected "
			 "sandtop ctl [NAME|PID] reload FILE");
	json_decref(reply);
	return copy;
}

int ctl_reload(const struct ctl_verb *verb, int fd, char **arg)
{
	char *path = arg[0] ? strdup(arg[0]) : profile_of(fd);
	char *text, shown[1024];
	size_t size;
	int body, status;

	if (!path)
		return EXIT_FAILURE;
	status = profile_file_load("ctl reload", path, &text, &size);
	escape_text(path, shown, sizeof(shown));
	free(path);
	if (status)
		return status;
	body = control_body_new(text, size);
	free(text);
	if (body < 0) {
		complain("ctl reload: %s", strerror(-body));
		return EXIT_FAILURE;
	}
	status = ctl_print_change(ctl_ask(fd, verb->name, "path", shown, body, NULL));
	close(body);
	return status;
}

int ctl_reopen(const struct ctl_verb *verb, int fd, char **arg)
{
	json_t *reply = ctl_ask(fd, verb->name, NULL, NULL, -1, NULL);

	(void)arg;
	json_decref(reply);
	return reply ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* "TERM", "SIGTERM" or "15". Returns -1 for anything else. */
static int parse_signal(const char *word)
{
	char *end;
	long n = strtol(word, &end, 10);

	if (*word >= '1' && *word <= '9' && !*end && n < NSIG)
		return (int)n;
	if (!strncmp(word, "SIG", 3))
		word += 3;
	for (int sig = 1; sig < NSIG; sig++) {
		const char *name = sigabbrev_np(sig);

		if (name && !strcmp(name, word))
			return sig;
	}
	return -1;
}

int ctl_kill(const struct ctl_verb *verb, int fd, char **arg)
{
	int sig = arg[0] ? parse_signal(arg[0]) : SIGTERM;
	json_t *request, *reply;
	struct control_error err = { "" };
	char text[4 * sizeof(err.text)];

	if (sig < 0) {
		escape_text(arg[0], text, sizeof(text));
		complain("ctl kill: unknown signal '%s': expected a name such as TERM, or a number",
			 text);
		return EXIT_USAGE;
	}
	request = control_request(verb->name);
	json_object_set_new(request, "signal", json_integer(sig));
	reply = control_call(fd, request, -1, NULL);
	json_decref(request);
	if (!control_succeeded(reply, &err)) {
		escape_text(err.text, text, sizeof(text));
		complain("ctl kill: %s", text);
		json_decref(reply);
		return EXIT_FAILURE;
	}
	printf("%ld process%s signalled\n", number(reply, "processes"),
	       number(reply, "processes") == 1 ? "" : "es");
	json_decref(reply);
	return EXIT_SUCCESS;
}
