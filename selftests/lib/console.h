/* SPDX-License-Identifier: MIT */
/*
 * A program on a terminal of the test's: the test is the person in front of it.
 * A thread of this process reads whatever is shown, so that the program never
 * waits for it; enter namespaces first.
 */
#ifndef SANDTOP_SELFTESTS_LIB_CONSOLE_H
#define SANDTOP_SELFTESTS_LIB_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

struct console {
	int master, slave;       /* the test keeps the slave open, to look at the settings */
	char name[64];           /* "/dev/pts/N" */
	struct termios settings; /* as they were at first */
	pid_t pid;               /* a session leader on the terminal */
	int pidfd;
	pthread_t reader;
	int stop[2]; /* a pipe: its end is the reader's */
	pthread_mutex_t lock;
	pthread_cond_t more;
	char *text; /* all that was shown; NUL-terminated; under the lock */
	size_t len;
	bool hung_up;
};

/*
 * Start argv[0] (as command_start() finds it) with all of stdin, stdout and stderr on a new
 * terminal of 30 rows and 100 columns. `prepare`, if not NULL, runs in the child just before the
 * exec and may change any of that. Returns 0 or -errno.
 */
int console_start(struct console *c, const char *const argv[], void (*prepare)(void *arg),
		  void *arg);

/* Type. Returns 0 or -errno. */
int console_type(struct console *c, const char *keys);

int console_resize(struct console *c, unsigned short rows, unsigned short cols);

/* Wait until `text` has been shown after the first `from` bytes. Returns 0 or -ETIMEDOUT. */
int console_wait_text(struct console *c, size_t from, const char *text, int ms);

/* How many bytes have been shown. */
size_t console_shown(struct console *c);

/* Wait until the program has ended. Returns its status as a shell would show it, or -ETIMEDOUT. */
int console_wait(struct console *c, int ms);

/* Close the window: the terminal is hung up. */
void console_hang_up(struct console *c);

/* Kill the program if it still runs. Nothing is done to one that is all zero. */
void console_free(struct console *c);

#endif
