/* SPDX-License-Identifier: MIT */
/*
 * sandtop attach [--no-mouse] [NAME|PID]: the monitor on a sandbox that runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/control.h"
#include "core/escape.h"
#include "tools/cmd.h"
#include "tui/monitor.h"

static int usage(const char *word)
{
	char text[1024];

	escape_text(word, text, sizeof(text));
	complain("attach: unexpected '%s': expected [--no-mouse] and NAME or PID of one sandbox",
		 text);
	return EXIT_USAGE;
}

static bool has_terminal(void)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return true;
	complain("attach: standard %s is not a terminal: the monitor needs one to show itself on",
		 isatty(STDIN_FILENO) ? "output" : "input");
	return false;
}

static int say_end(const struct monitor_result *r)
{
	switch (r->end) {
	case MONITOR_EXITED:
	case MONITOR_KILLED:
		complain(r->by_sandtop ? "the run has been ended by sandtop, with status %d"
				       : "the command has ended with status %d",
			 r->status);
		return EXIT_SUCCESS;
	case MONITOR_LOST:
		complain("attach: the sandbox is gone, and did not say how its command ended");
		return EXIT_FAILURE;
	case MONITOR_DETACHED:
		break;
	}
	return EXIT_SUCCESS;
}

int cmd_attach(int argc, char **argv)
{
	struct monitor_config config = {
		.tty_in = STDIN_FILENO, .tty_out = STDOUT_FILENO, .messages = -1, .attached = true
	};
	struct control_error err = { "" };
	struct monitor_result result;
	char text[2 * sizeof(err.text)];
	int ret;

	if (argc > 1 && strcmp(argv[1], "--no-mouse") == 0) {
		config.no_mouse = true;
		argv++;
		argc--;
	}
	if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
		return usage(argv[argc > 2 ? 2 : 1]);
	if (!has_terminal())
		return EXIT_FAILURE;
	config.control = control_connect(argv[1], &err);
	if (config.control < 0) {
		escape_text(err.text, text, sizeof(text));
		complain("attach: %s", text);
		return EXIT_FAILURE;
	}
	ret = monitor_run(&config, &result);
	close(config.control);
	if (!ret)
		return say_end(&result);
	escape_text(result.error, text, sizeof(text));
	complain("attach: %s", text);
	return EXIT_FAILURE;
}
