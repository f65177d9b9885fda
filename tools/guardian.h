/* SPDX-License-Identifier: MIT */
/*
 * The guardian: the process that the user started. It waits for the supervisor,
 * passes signals on, stops and continues with the command, and ends the whole
 * tree if the supervisor is lost.
 */
#ifndef SANDTOP_TOOLS_GUARDIAN_H
#define SANDTOP_TOOLS_GUARDIAN_H

#include "uring/supervisor.h"

/*
 * Run what `config` says in a supervisor process; config->guardian and the launch's signal masks
 * are filled in here. A line for --status-fd goes to `status_fd` unless it is -1.
 * Returns the exit status.
 */
int guardian_run(struct supervisor_config *config, int status_fd);

/* Write that line for a run that failed, with that exit status, before guardian_run() was called.
 */
void guardian_say_failure(int status_fd, int status);

/*
 * Tell the user that the launch failed at `failed` with the positive errno `error`, and what to do
 * about it. Returns the exit status for that.
 */
int complain_failure(const struct launch_config *launch, const char *failed, int error);

#endif
