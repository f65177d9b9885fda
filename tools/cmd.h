/* SPDX-License-Identifier: MIT */
/*
 * The sub-commands of sandtop. Each is one function in a file of its own; its
 * argv[0] is its name, and what it returns is the exit status.
 */
#ifndef SANDTOP_TOOLS_CMD_H
#define SANDTOP_TOOLS_CMD_H

enum {
	EXIT_USAGE = 2,       /* what the user wrote is wrong */
	EXIT_HOST = 125,      /* the host or the run */
	EXIT_NOT_RUN = 126,   /* the command cannot be executed */
	EXIT_NOT_FOUND = 127, /* there is no such command */
};

/* sandtop [OPTIONS] -- CMD: the whole command line, argv[0] is sandtop. */
int cmd_run(int argc, char **argv);

int cmd_attach(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_profile(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_ctl(int argc, char **argv);

/* Print "sandtop: " and the message as one line to stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
