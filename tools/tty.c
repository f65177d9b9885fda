/* SPDX-License-Identifier: MIT */
#include "tools/tty.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* What any terminal of today understands; each is harmless where it changes nothing. */
static const char reset[] = "\33[r"                               /* scroll the whole screen */
			    "\33[?1049l"                          /* leave the alternate screen */
			    "\33[?1l\33>"                         /* cursor keys and keypad */
			    "\33[?1000l\33[?1002l\33[?1003l"      /* no mouse */
			    "\33[?1006l\33[?1004l\33[?2004l"      /* nor focus, nor pasting */
			    "\33[?7h\33[4l\33(B\17\33[m\33[?25h"; /* wrap, plain text, cursor */

int tty_save(struct tty *t, int in, int out)
{
	*t = (struct tty){ .in = in, .out = out };
	if (tcgetattr(in, &t->settings) || !isatty(out))
		return -errno;
	if (ioctl(out, TIOCGWINSZ, &t->size) || !t->size.ws_row || !t->size.ws_col)
		t->size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return 0;
}

void tty_set_exclusive(const struct tty *t, bool exclusive)
{
	ioctl(t->in, exclusive ? TIOCEXCL : TIOCNXCL);
	ioctl(t->out, exclusive ? TIOCEXCL : TIOCNXCL);
}

void tty_restore(const struct tty *t, bool screen)
{
	if (screen)
		(void)!write(t->out, reset, strlen(reset));
	/* Not TCSAFLUSH: that waits for output, which can be stopped. */
	tcsetattr(t->in, TCSANOW, &t->settings);
	/* Half a key of the monitor's would be a word to the shell. */
	if (screen)
		tcflush(t->in, TCIFLUSH);
}

bool tty_is_foreground(const struct tty *t)
{
	pid_t group = tcgetpgrp(t->in);

	return group < 0 || group == getpgrp();
}

bool tty_is_gone(const struct tty *t)
{
	struct termios settings;
	struct pollfd out = { .fd = t->out };

	return (tcgetattr(t->in, &settings) && errno == EIO) ||
	       (poll(&out, 1, 0) == 1 && out.revents & (POLLHUP | POLLERR | POLLNVAL));
}
