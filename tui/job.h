/* SPDX-License-Identifier: MIT */
#ifndef SANDTOP_TUI_JOB_H
#define SANDTOP_TUI_JOB_H

#include <stdbool.h>

/*
 * Stop this job as Ctrl-Z on a terminal does, until the shell continues it. SIGTSTP must be
 * blocked. Returns whether it was stopped: without a shell that could continue it, it is not.
 */
bool job_stop(void);

#endif
