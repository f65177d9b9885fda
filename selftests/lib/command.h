/* SPDX-License-Identifier: MIT */
/*
 * A program run by a test: started, watched, waited for.
 */
#ifndef SANDTOP_SELFTESTS_LIB_COMMAND_H
#define SANDTOP_SELFTESTS_LIB_COMMAND_H

#include <stddef.h>
#include <sys/types.h>

/* An argument list in place: ARGS("ls", "-l"). */
#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/*
 * The system's interpreter, to be followed by the program's text. One that $PATH finds first may be
 * a script that looks for it, ten times as slow, with calls of its own.
 */
#define PYTHON "/usr/bin/python3", "-c"

enum { COMMAND_TIMEOUT = 25000 }; /* ms: far more than anything here takes, on a busy machine too */

/* What was read from one of its outputs so far. */
struct capture {
	int fd;     /* -1 at its end */
	char *text; /* NUL-terminated; NUL bytes from the program are kept */
	size_t len;
};

struct command {
	pid_t pid;
	int pidfd;  /* -1 once it has been waited for */
	int status; /* from then on, as waitpid(2) gives it */
	struct capture out, err;
};

/*
 * Start argv[0] with stdin from /dev/null and both outputs captured. A name
 * without a slash is that of a program of this build ("sandtop", "probe") or is
 * looked up in $PATH. `prepare`, if not NULL, runs in the child
 * just before the exec and may change any of that. The program is killed when
 * this process ends.
 *
 * Returns 0, or -errno, also if the exec failed; `c` is then not to be used.
 */
int command_start(struct command *c, const char *const argv[], void (*prepare)(void *arg),
		  void *arg);

/*
 * Wait until it has ended and take what it wrote. Returns 0, or -ETIMEDOUT
 * after `ms` milliseconds: it is then still running.
 */
int command_wait(struct command *c, int ms);

/*
 * Wait until `text` has appeared in what `which` (&c->out or &c->err) got.
 * Returns 0, -ETIMEDOUT, or -EPIPE if it ended without having said so.
 */
int command_wait_text(struct command *c, const struct capture *which, const char *text, int ms);

/* The three steps at once, with COMMAND_TIMEOUT; what still runs then is killed. */
int command_run(struct command *c, const char *const argv[]);

/* The exit status as a shell would show it: 128+N after signal N; -1 while it runs. */
int command_code(const struct command *c);

/* Kill it if it still runs, and free the texts. Nothing is done to one that is all zero. */
void command_free(struct command *c);

/* Wait until a process, which need not be a child, is gone: COMMAND_TIMEOUT. Returns 0 or -errno.
 */
int command_await_death(pid_t pid);

#endif
