/* SPDX-License-Identifier: MIT */
#include "core/procstat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "PID (NAME) STATE PARENT ...". The name may contain anything, what is behind it no parenthesis.
 */
static int parse(char *text, struct procstat *out)
{
	char *name = strchr(text, '('), *end = strrchr(text, ')');

	if (!name || !end || end < name ||
	    sscanf(end + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d",
		   &out->state, &out->parent, &out->threads) != 3)
		return -EIO;
	*end = '\0';
	snprintf(out->name, sizeof(out->name), "%s", name + 1);
	return 0;
}

int procstat_read(pid_t pid, struct procstat *out)
{
	char text[512];
	ssize_t n;
	int fd;

	snprintf(text, sizeof(text), "/proc/%d/stat", pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	return parse(text, out);
}
