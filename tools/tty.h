/* SPDX-License-Identifier: MIT */
/*
 * The operator's terminal while a monitor has it: what it was like before, and
 * how it becomes so again, whatever state a monitor has left it in.
 */
#ifndef SANDTOP_TOOLS_TTY_H
#define SANDTOP_TOOLS_TTY_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

struct tty {
	int in, out; /* the caller's; may be the same */
	struct termios settings;
	struct winsize size; /* 24 by 80 when the terminal does not know */
};

/* Remember how it is. Returns 0, or -ENOTTY, or -errno. */
int tty_save(struct tty *t, int in, int out);

/*
 * Let nobody else open it, or end that: a command of the same user could otherwise read what the
 * operator types and draw over what he sees. Somebody with CAP_SYS_ADMIN still can.
 */
void tty_set_exclusive(const struct tty *t, bool exclusive);

/*
 * Put the settings back. With `screen` also leave the alternate screen, show the cursor and end
 * every mode that a monitor may have set: for one that could not do so itself.
 */
void tty_restore(const struct tty *t, bool screen);

/* Whether this process may use it now; true also when it is not its controlling terminal. */
bool tty_is_foreground(const struct tty *t);

/* Whether it was hung up: its window was closed, its connection is gone. */
bool tty_is_gone(const struct tty *t);

#endif
