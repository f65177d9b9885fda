/* SPDX-License-Identifier: MIT */
#include "uring/leftovers.h"

#include <stdio.h>
#include <sys/wait.h>

#include "core/escape.h"
#include "core/reap.h"
#include "core/task.h"

enum { NAMED_LEFTOVERS = 10 };

bool leftovers_exist(void)
{
	return waitpid(-1, NULL, WNOHANG) >= 0;
}

void leftovers_kill(struct report *r, bool tell)
{
	char names[NAMED_LEFTOVERS * 64] = "";
	pid_t pids[NAMED_LEFTOVERS];
	size_t len = 0;
	int n;

	if (!leftovers_exist())
		return;
	n = reap_descendants(pids, NAMED_LEFTOVERS);
	for (int i = 0; i < n && i < NAMED_LEFTOVERS; i++) {
		char comm[16];
		char text[64];

		task_comm(pids[i], comm);
		escape_text(comm, text, sizeof(text));
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s[%d]", i ? ", " : "",
					text, pids[i]);
		if (len >= sizeof(names))
			break;
	}
	if (n > 0 && tell)
		report_message(r, "killed what the command left behind: %s%s (see --linger)", names,
			       n > NAMED_LEFTOVERS ? ", ..." : "");
	n = reap_kill_all();
	if (n)
		report_message(r,
			       "%d processes wait for a file system that does not answer, and end "
			       "when it does",
			       n);
}
