/* SPDX-License-Identifier: MIT */
#include "selftests/lib/signals.h"

#include <signal.h>
#include <stddef.h>

void signals_reset(void)
{
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		signal(sig, SIG_DFL); /* refused for those that are never ignored */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
