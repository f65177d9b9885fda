/* SPDX-License-Identifier: MIT */
#include "selftests/lib/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "selftests/harness.h"
#include "selftests/lib/deadline.h"

/* What a program turned on and must turn off again. */
static bool alternate, mouse, cursor_hidden;

static int set_property(VTermProp prop, VTermValue *value, void *arg)
{
	(void)arg;
	if (prop == VTERM_PROP_ALTSCREEN)
		alternate = value->boolean;
	else if (prop == VTERM_PROP_MOUSE)
		mouse = value->number != VTERM_PROP_MOUSE_NONE;
	else if (prop == VTERM_PROP_CURSORVISIBLE)
		cursor_hidden = !value->boolean;
	return 1;
}

static const VTermScreenCallbacks callbacks = { .settermprop = set_property };

void tty_environment(void)
{
	setenv("XDG_RUNTIME_DIR", harness_dir(), 1);
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("NO_COLOR");
	unsetenv("LINES");
	unsetenv("COLUMNS");
}

int tty_open(struct tty *t, int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	*t = (struct tty){ .rows = rows, .cols = cols };
	if (openpty(&t->master, &t->slave, NULL, NULL, &size))
		return -errno;
	fcntl(t->master, F_SETFD, FD_CLOEXEC);
	fcntl(t->slave, F_SETFD, FD_CLOEXEC);
	fcntl(t->master, F_SETFL, O_NONBLOCK);
	tcgetattr(t->slave, &t->settings);
	t->text = calloc(1, 1);
	t->vt = vterm_new(rows, cols);
	vterm_set_utf8(t->vt, 1);
	t->screen = vterm_obtain_screen(t->vt);
	vterm_screen_set_callbacks(t->screen, &callbacks, NULL);
	vterm_screen_enable_altscreen(t->screen, 1);
	vterm_screen_reset(t->screen, 1);
	return 0;
}

void tty_hang_up(struct tty *t)
{
	if (t->master >= 0)
		close(t->master);
	t->master = -1;
}

void tty_close(struct tty *t)
{
	if (!t->vt)
		return;
	tty_hang_up(t);
	close(t->slave);
	vterm_free(t->vt);
	free(t->text);
	t->vt = NULL;
}

void tty_become(void *tty)
{
	const struct tty *t = tty;

	setsid();
	ioctl(t->slave, TIOCSCTTY, 0);
	dup2(t->slave, STDIN_FILENO);
	dup2(t->slave, STDOUT_FILENO);
	dup2(t->slave, STDERR_FILENO);
}

static void read_screen(struct tty *t)
{
	size_t size = (size_t)t->rows * (size_t)(t->cols * 6 * 4 + 1) + 1, used = 0;

	free(t->text);
	t->text = calloc(1, size);
	for (int y = 0; y < t->rows; y++) {
		VTermRect row = { y, y + 1, 0, t->cols };

		used += vterm_screen_get_text(t->screen, t->text + used, size - used, row);
		while (used > 0 && t->text[used - 1] == ' ')
			used--;
		t->text[used++] = '\n';
	}
	t->text[used] = '\0';
}

/* Take what there is within this time. Returns whether something came. */
static bool pump(struct tty *t, int ms)
{
	struct pollfd pollfd = { .fd = t->master, .events = POLLIN };
	char bytes[4096];
	bool came = false;
	ssize_t n;

	if (poll(&pollfd, 1, ms) <= 0)
		return false;
	while ((n = read(t->master, bytes, sizeof(bytes))) > 0) {
		came = true;
		t->reads++;
		for (ssize_t i = 0; i < n; i++)
			t->saw_8bit |= bytes[i] & 0x80;
		vterm_input_write(t->vt, bytes, (size_t)n);
	}
	if (came)
		read_screen(t);
	return came;
}

static int wait_for(struct tty *t, const char *text, bool there)
{
	int64_t deadline = deadline_in(TTY_TIMEOUT);

	while (!strstr(t->text, text) == there) {
		pump(t, deadline_left(deadline));
		if (deadline_left(deadline) == 0) {
			TH_LOG("'%s' is %s:\n%s", text, there ? "missing" : "still there", t->text);
			return -ETIMEDOUT;
		}
	}
	return 0;
}

int tty_wait(struct tty *t, const char *text)
{
	return wait_for(t, text, true);
}

int tty_wait_gone(struct tty *t, const char *text)
{
	return wait_for(t, text, false);
}

int tty_wait_either(struct tty *t, const char *text, const char *other)
{
	int64_t deadline = deadline_in(TTY_TIMEOUT);

	while (!strstr(t->text, text) && !strstr(t->text, other)) {
		pump(t, deadline_left(deadline));
		if (deadline_left(deadline) == 0) {
			TH_LOG("'%s' and '%s' are missing:\n%s", text, other, t->text);
			return -ETIMEDOUT;
		}
	}
	return 0;
}

int tty_wait_end(struct tty *t, struct command *c)
{
	int64_t deadline = deadline_in(TTY_TIMEOUT);

	while (command_wait(c, 10)) {
		pump(t, 0);
		if (deadline_left(deadline) == 0) {
			TH_LOG("it has not ended:\n%s", t->text);
			return -ETIMEDOUT;
		}
	}
	pump(t, 0);
	return 0;
}

int tty_type(struct tty *t, const char *keys)
{
	size_t len = strlen(keys);

	return write(t->master, keys, len) == (ssize_t)len ? 0 : -errno;
}

int tty_resize(struct tty *t, int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	/* What was written for the old size is not for the new one. */
	pump(t, 0);
	t->rows = rows;
	t->cols = cols;
	vterm_set_size(t->vt, rows, cols);
	read_screen(t);
	return ioctl(t->master, TIOCSWINSZ, &size) ? -errno : 0;
}

bool tty_has_mouse(const struct tty *t)
{
	(void)t;
	return mouse;
}

bool tty_has_color(const struct tty *t)
{
	VTermScreenCell cell;

	for (VTermPos at = { 0, 0 }; at.row < t->rows; at.row++)
		for (at.col = 0; at.col < t->cols; at.col++) {
			vterm_screen_get_cell(t->screen, at, &cell);
			if (!VTERM_COLOR_IS_DEFAULT_FG(&cell.fg) ||
			    !VTERM_COLOR_IS_DEFAULT_BG(&cell.bg))
				return true;
		}
	return false;
}

bool tty_is_restored(const struct tty *t)
{
	struct termios now;

	tcgetattr(t->slave, &now);
	return now.c_iflag == t->settings.c_iflag && now.c_oflag == t->settings.c_oflag &&
	       now.c_cflag == t->settings.c_cflag && now.c_lflag == t->settings.c_lflag &&
	       !memcmp(now.c_cc, t->settings.c_cc, sizeof(now.c_cc)) && !alternate && !mouse &&
	       !cursor_hidden;
}
