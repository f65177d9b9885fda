/* SPDX-License-Identifier: MIT */
/*
 * The verbs of sandtop ctl. Each talks to a sandbox over `fd`, with the words
 * behind the verb in `arg` (NULL at the end), and returns an exit status with
 * the user told.
 */
#ifndef SANDTOP_TOOLS_CTL_H
#define SANDTOP_TOOLS_CTL_H

#include <jansson.h>
#include <stddef.h>

#include "core/control.h"

struct ctl_verb {
	const char *name;
	const char *args; /* for the usage text; NULL: none */
	const char *help; /* NULL: not in this build */
	int min, max;     /* how many words */
	int (*run)(const struct ctl_verb *verb, int fd, char **arg);
};

typedef int ctl_fn(const struct ctl_verb *verb, int fd, char **arg);

/* ctl_change.c */
ctl_fn ctl_insert, ctl_undo, ctl_reload, ctl_shut, ctl_kill, ctl_reopen;

/* ctl_ask.c */
ctl_fn ctl_held, ctl_answer;

/* ctl_show.c */
ctl_fn ctl_policy, ctl_save, ctl_why, ctl_metrics, ctl_flows, ctl_log;

/*
 * Send the request `verb`, with the member `key` (unless it is NULL), and body_fd (-1: none).
 * Returns the reply, or NULL with the user told; *reply_fd, if not NULL, is the caller's.
 */
json_t *ctl_ask(int fd, const char *verb, const char *key, const char *value, int body_fd,
		int *reply_fd);

/* Tell the user why a verb could not be done. */
void ctl_complain(const char *verb, const struct control_error *err);

/*
 * ctl_show.c: the text of a reply, to be freed; NULL with the user told. The second takes
 * ownership of the reply and its body (-1: none).
 */
char *ctl_ask_text(int fd, const char *verb, const char *key, const char *value);
char *ctl_text_of(const char *verb, json_t *reply, int body);

/* ctl_change.c: print what a change came to. Releases the reply; NULL: it was refused. */
int ctl_print_change(json_t *reply);

#endif
