/* SPDX-License-Identifier: MIT */
/*
 * The monitor as a job of the shell that it was started from.
 */
#ifndef SANDTOP_TUI_JOB_H
#define SANDTOP_TUI_JOB_H

#include <stdbool.h>

/*
 * Stop this job as Ctrl-Z on a terminal does, until the shell continues it. SIGTSTP must be
 * blocked. Returns whether it was stopped: without a shell that could continue it, it is not.
 */
bool job_stop(void);

#endif
