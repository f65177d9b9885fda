/* SPDX-License-Identifier: MIT */
/*
 * A terminal with a person in front of it: a pseudo-terminal whose screen can
 * be read (by libvterm) and on which can be typed.
 */
#ifndef SANDTOP_SELFTESTS_LIB_TTY_H
#define SANDTOP_SELFTESTS_LIB_TTY_H

#include <stdbool.h>
#include <termios.h>
#include <vterm.h>

#include "selftests/lib/command.h"

enum { TTY_TIMEOUT = 10000 }; /* ms: far more than anything takes to show */

struct tty {
	int master, slave;
	VTerm *vt;
	VTermScreen *screen;
	int rows, cols;
	char *text;    /* the screen, each row without the blanks at its end and with '\n' */
	size_t reads;  /* how often something was there to be read */
	bool saw_8bit; /* a byte above 0x7f was ever written */
	struct termios settings; /* as they were at first */
};

/*
 * What this process and its children take a terminal for, and where a run is to be found (in the
 * test's own directory), whatever the environment of the tests says.
 */
void tty_environment(void);

/* Returns 0 or -errno; then there is nothing to close. Nothing is done to one that is all zero. */
int tty_open(struct tty *t, int rows, int cols);
void tty_close(struct tty *t);

/* Close its window: what is on it is hung up. Nothing can be waited for on it any more. */
void tty_hang_up(struct tty *t);

/* For command_start(): this terminal becomes the controlling one, and stdin, stdout, stderr. */
void tty_become(void *tty);

/* Wait until the screen contains `text`, or does not any more. Returns 0 or -ETIMEDOUT. */
int tty_wait(struct tty *t, const char *text);
int tty_wait_gone(struct tty *t, const char *text);

/* Wait until it contains one of the two. The same. */
int tty_wait_either(struct tty *t, const char *text, const char *other);

/* Wait until the program has ended, and take what it wrote last. Returns 0 or -ETIMEDOUT. */
int tty_wait_end(struct tty *t, struct command *c);

/* Returns 0 or -errno. */
int tty_type(struct tty *t, const char *keys);
int tty_resize(struct tty *t, int rows, int cols);

/* Whether clicks are reported to the program. */
bool tty_has_mouse(const struct tty *t);

/* Whether any cell of the screen has a colour. */
bool tty_has_color(const struct tty *t);

/* Whether its settings are those of the beginning, and its screen is the one of the beginning. */
bool tty_is_restored(const struct tty *t);

#endif
