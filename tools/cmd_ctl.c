/* SPDX-License-Identifier: MIT */
/*
 * sandtop ctl [NAME|PID] VERB [ARG...]: drive a running sandbox.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/control.h"
#include "core/escape.h"
#include "tools/cmd.h"
#include "tools/ctl.h"

static const struct ctl_verb verbs[] = {
	{ "policy", NULL, "print the live policy as a profile", 0, 0, ctl_policy },
	{ "reload", "[FILE]", "read the profile again, or another one", 0, 1, ctl_reload },
	{ "allow", "SPEC", "put 'allow SPEC' in front of all rules", 1, 1, ctl_insert },
	{ "deny", "SPEC", "put 'deny SPEC' in front of all rules", 1, 1, ctl_insert },
	{ "undo", NULL, "go back to the policy before (repeatable)", 0, 0, ctl_undo },
	{ "flows", "[--json]", "who talked to whom, and what became of it", 0, 1, ctl_flows },
	{ "why", "ENDPOINT", "what the policy says to 'tcp 1.2.3.4 443'", 1, 4, ctl_why },
	{ "log", "[-f]", "the last decisions; -f: and those to come", 0, 1, ctl_log },
	{ "save", "FILE", "write the live policy to a profile", 1, 1, ctl_save },
	{ "shut", "SPEC", "close the open flows that match", 1, 1, ctl_shut },
	{ "metrics", NULL, "figures for Prometheus", 0, 0, ctl_metrics },
	{ "reopen", NULL, "open the files of --log and --json anew", 0, 0, ctl_reopen },
	{ "kill", "[SIGNAL]", "send TERM, or SIGNAL, to every task", 0, 1, ctl_kill },
	{ "held", "[--wait]", "the questions that wait; --wait: and those to come", 0, 1,
	  ctl_held },
	{ "answer", "ID allow|deny [once|session|profile|ten-minutes] [SCOPE]", "answer a question",
	  2, 4, ctl_answer },
};

static const struct ctl_verb *find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static void help(void)
{
	char text[64];

	puts("Usage: sandtop ctl [NAME|PID] VERB [ARG...]\n"
	     "Drive a running sandbox; NAME may be left out when only one runs.\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!verbs[i].help)
			continue;
		snprintf(text, sizeof(text), "%s %s", verbs[i].name,
			 verbs[i].args ? verbs[i].args : "");
		printf("  %-18s %s\n", text, verbs[i].help);
	}
	puts("\nA change holds from the next system call on; open flows that the new policy "
	     "denies\n"
	     "are shut. It prints 'generation N, M flows shut'.\n"
	     "Exit status: 1 if it was refused or no such sandbox runs, 2 if the command line is\n"
	     "wrong.");
}

static int usage(const struct ctl_verb *verb, const char *word)
{
	char text[400];

	if (!word) {
		complain("ctl %s: a word is missing: expected sandtop ctl [NAME|PID] %s %s",
			 verb->name, verb->name, verb->args);
		return EXIT_USAGE;
	}
	escape_text(word, text, sizeof(text));
	complain("ctl %s: unexpected '%s': expected sandtop ctl [NAME|PID] %s%s%s", verb->name,
		 text, verb->name, verb->args ? " " : "", verb->args ? verb->args : "");
	return EXIT_USAGE;
}

static int unknown(const char *word)
{
	char text[400];

	if (word) {
		escape_text(word, text, sizeof(text));
		complain("ctl: unknown verb '%s': expected sandtop ctl [NAME|PID] VERB; see "
			 "sandtop ctl --help",
			 text);
	} else {
		complain("ctl: a verb is missing: see sandtop ctl --help");
	}
	return EXIT_USAGE;
}

/* The only flag that a verb may have is the one that its usage text has in brackets. */
static bool is_wrong_flag(const struct ctl_verb *verb, const char *word)
{
	size_t n = strlen(word);

	if (word[0] != '-' || !verb->args || verb->args[0] != '[' || verb->args[1] != '-')
		return verb->args && verb->args[0] == '[' && verb->args[1] == '-';
	return strncmp(verb->args + 1, word, n) || verb->args[n + 1] != ']';
}

void ctl_complain(const char *verb, const struct control_error *err)
{
	char text[4 * sizeof(err->text)];

	escape_text(err->text, text, sizeof(text));
	complain("ctl %s: %s", verb, text);
}

json_t *ctl_ask(int fd, const char *verb, const char *key, const char *value, int body_fd,
		int *reply_fd)
{
	json_t *request = control_request(verb), *reply;
	struct control_error err = { "" };

	if (key && json_object_set_new(request, key, json_string(value))) {
		complain("ctl %s: expected UTF-8", verb);
		json_decref(request);
		return NULL;
	}
	reply = control_call(fd, request, body_fd, reply_fd);
	json_decref(request);
	if (control_succeeded(reply, &err))
		return reply;
	json_decref(reply);
	ctl_complain(verb, &err);
	return NULL;
}

int cmd_ctl(int argc, char **argv)
{
	char **arg = argv + 1;
	const char *name = NULL;
	const struct ctl_verb *verb;
	struct control_error err = { "" };
	int fd, status, words;

	if (argc == 2 && (!strcmp(*arg, "--help") || !strcmp(*arg, "-h"))) {
		help();
		return EXIT_SUCCESS;
	}
	if (!*arg)
		return unknown(NULL);
	/* No sandbox has the name of a verb. */
	if (!find(*arg) && arg[1])
		name = *arg++;
	verb = find(*arg);
	if (!verb)
		return unknown(*arg);
	words = argc - (int)(++arg - argv);
	if (!verb->help) {
		complain("ctl %s: not in this build", verb->name);
		return EXIT_USAGE;
	}
	if (words < verb->min)
		return usage(verb, NULL);
	if (words > verb->max)
		return usage(verb, arg[verb->max]);
	if (words && is_wrong_flag(verb, *arg))
		return usage(verb, *arg);
	fd = control_connect(name, &err);
	if (fd < 0) {
		char text[4 * sizeof(err.text)];

		escape_text(err.text, text, sizeof(text));
		complain("ctl: %s", text);
		return EXIT_FAILURE;
	}
	status = verb->run(verb, fd, arg);
	close(fd);
	return status;
}
