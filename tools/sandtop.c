/* SPDX-License-Identifier: MIT */
/*
 * sandtop: run a command under a network policy and show every decision.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd.h"

void complain(const char *format, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(stderr, "sandtop: %s\n", text);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help; /* for --help; NULL: the sub-command sees to it */
} commands[] = {
	{ "check", cmd_check,
	  "Usage: sandtop check [--plan]\n"
	  "Say what this host supports, and what to do where something is missing.\n"
	  "--plan: what becomes of each system call that the filter knows.\n"
	  "Exit status: 1 if sandtop cannot run here." },
	{ "explain", cmd_explain, NULL },
	{ "profile", cmd_profile,
	  "Usage: sandtop profile list\n"
	  "       sandtop profile show NAME\n"
	  "       sandtop profile check [--strict] [NAME...]\n"
	  "List, print or check saved profiles; NAME can be a file. check without a NAME takes\n"
	  "all of them; with --strict a warning counts as an error.\n"
	  "Exit status: 1 if there is none, or not a good one." },
	{ "ps", cmd_ps,
	  "Usage: sandtop ps [--json]\n"
	  "List the sandboxes that run; --json: a line of JSON for each.\n"
	  "Exit status: 1 if there is none." },
	{ "ctl", cmd_ctl, NULL },
	{ "attach", cmd_attach,
	  "Usage: sandtop attach [--no-mouse] [NAME|PID]\n"
	  "Show the monitor of a sandbox; NAME may be left out when only one runs.\n"
	  "With --no-mouse the mouse is left to the terminal, to select text with.\n"
	  "Exit status: 1 if no such sandbox runs." },
};

/*
 * A descriptor that is closed at the start would become one of ours, and what is printed to
 * "stderr" would go there. The command finds it closed again.
 */
static int fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			return -errno;
	return 0;
}

static void do_nothing(int sig)
{
	(void)sig;
}

/*
 * What is over RLIMIT_FSIZE is an error of the write. By a handler, as the command is to find the
 * signal as it was, and exec takes handlers away.
 */
static int survive_file_limit(void)
{
	struct sigaction sa;

	if (sigaction(SIGXFSZ, NULL, &sa))
		return -errno;
	if (sa.sa_handler != SIG_DFL)
		return 0;
	sa.sa_handler = do_nothing;
	sa.sa_flags = SA_RESTART;
	return sigaction(SIGXFSZ, &sa, NULL) ? -errno : 0;
}

/* What is printed is written when it ends: a full disk, and nobody would know. */
static int finish(int status)
{
	bool failed = fflush(stdout) || ferror(stdout);

	if (status || !failed)
		return status;
	complain("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILURE;
}

static bool asks_for_help(const char *word)
{
	return word && (!strcmp(word, "--help") || !strcmp(word, "-h"));
}

static int run(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (commands[i].help && asks_for_help(argv[2])) {
			puts(commands[i].help);
			return EXIT_SUCCESS;
		}
		return commands[i].run(argc - 1, argv + 1);
	}
	return cmd_run(argc, argv);
}

int main(int argc, char **argv)
{
	if (fill_standard_descriptors() || survive_file_limit())
		return EXIT_HOST;
	/* What exit(3) adds is to give memory back in every library, which the kernel does, too. */
	_exit(finish(run(argc, argv)));
}
