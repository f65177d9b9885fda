/* SPDX-License-Identifier: MIT */
#ifndef SANDTOP_SELFTESTS_LIB_SIGNALS_H
#define SANDTOP_SELFTESTS_LIB_SIGNALS_H

/*
 * Whatever this process was started with, no signal is ignored or blocked from
 * now on, for it and what it starts. An ignored SIGCHLD would lose exit
 * statuses, and a shell cannot trap what was ignored when it began.
 */
void signals_reset(void);

#endif
