/* SPDX-License-Identifier: MIT */
#include "tui/term.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "tui/term_look.h"
#include "tui/term_state.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum {
	ESCAPE_DELAY = 25, /* ms between an ESC and what belongs to it */
	RESTORE_MAX = 512,
};

/* What a crash does: there is no way to hand it a pointer. */
static struct {
	int fd;
	struct termios modes;
	char text[RESTORE_MAX];
	size_t len;
} restore = { .fd = -1 };

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

/* Bytes that do not come from curses. It has flushed its own whenever this is called. */
static void send_text(int fd, const char *text, size_t len)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		/* Whose terminal this is may have made it non-blocking. */
		if (n < 0 && errno == EAGAIN)
			poll(&pollfd, 1, -1);
		else if (n < 0 && errno != EINTR)
			return;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

static void crashed(int sig)
{
	send_text(restore.fd, restore.text, restore.len);
	tcsetattr(restore.fd, TCSANOW, &restore.modes);
	/* SA_RESETHAND: this is the end. */
	raise(sig);
}

static void restore_add(const char *text)
{
	size_t len = strlen(text);

	if (len > RESTORE_MAX - restore.len)
		return;
	memcpy(restore.text + restore.len, text, len);
	restore.len += len;
}

/* Whether the terminal's description has a string of this name, for curses to use. */
static bool has_string(const char *name)
{
	const char *text = tigetstr(name);

	return text && text != (char *)-1;
}

/* The string, if it can be sent as it is, without the delays of old terminals; or NULL. */
static const char *capability(const char *name)
{
	return has_string(name) && !strstr(tigetstr(name), "$<") ? tigetstr(name) : NULL;
}

static const char mouse_off[] = "\033[?1003l\033[?1002l\033[?1000l\033[?1006l";
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

static void catch_crashes(const struct term *t, const struct termios *modes)
{
	static const char *const leave[] = { "rmkx", "sgr0", "cnorm", "Se", "rmcup" };
	struct sigaction action = { .sa_handler = crashed, .sa_flags = SA_RESETHAND | SA_NODEFER };

	restore.fd = t->out;
	restore.modes = *modes;
	restore.len = 0;
	if (t->xterm) {
		restore_add(mouse_off);
		restore_add(paste_off);
	}
	for (size_t i = 0; i < COUNT(leave); i++)
		if (capability(leave[i]))
			restore_add(capability(leave[i]));
	for (size_t i = 0; i < COUNT(crashes); i++)
		sigaction(crashes[i], &action, NULL);
}

static void forget_crashes(void)
{
	for (size_t i = 0; i < COUNT(crashes); i++)
		signal(crashes[i], SIG_DFL);
	restore.fd = -1;
}

static void set_modes(struct term *t)
{
	if (t->xterm)
		send_text(t->out, paste_on, strlen(paste_on));
}

static void reset_modes(struct term *t)
{
	const char *shape = capability("Se");

	term_set_mouse(t, PANE_MOUSE_NONE);
	if (t->xterm)
		send_text(t->out, paste_off, strlen(paste_off));
	if (t->cursor_shape && shape)
		send_text(t->out, shape, strlen(shape));
	t->cursor_shape = 0;
}

/*
 * A terminal that has one screen alone (linux, vt100, screen(1) as it comes) is left empty: what it
 * had is overwritten, and what comes next would stand between the last lines of a picture.
 */
static void give_back(struct term *t)
{
	erase();
	refresh();
	reset_modes(t);
	/* Otherwise the cursor stays where and as the command had it. */
	curs_set(1);
	endwin();
}

static bool wants_color(void)
{
	const char *no_color = getenv("NO_COLOR");

	return !no_color || !*no_color;
}

/* Returns 0 or -errno. */
static int open_screen(struct term *t)
{
	t->in_file = fdopen(dup(t->in), "r");
	t->out_file = fdopen(dup(t->out), "w");
	if (!t->in_file || !t->out_file)
		return -errno;
	/* What the environment says of the size is not true for long. */
	unsetenv("LINES");
	unsetenv("COLUMNS");
	t->screen = newterm(NULL, t->out_file, t->in_file);
	if (!t->screen)
		return -EOPNOTSUPP;
	set_term(t->screen);
	return has_string("cup") ? 0 : -EOPNOTSUPP;
}

static void prepare_screen(struct term *t)
{
	t->xterm = capability("kmous");
	t->color = wants_color() && has_colors() && start_color() == OK;
	if (t->color)
		use_default_colors();
	raw();
	noecho();
	nonl();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY);
	/* A picture is not left unfinished for a key: it takes less than a millisecond. */
	typeahead(-1);
	/* Reports of the mouse are decoded in keys.c. */
	define_key(NULL, KEY_MOUSE);
}

struct term *term_new(int tty_in, int tty_out)
{
	struct termios modes;
	struct term *t;
	int ret;

	if (tcgetattr(tty_in, &modes) || !isatty(tty_out))
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	setlocale(LC_CTYPE, "");
	t->in = tty_in;
	t->out = tty_out;
	t->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	t->forget = true;
	t->picture = memfd_create("picture", MFD_CLOEXEC);
	cells_init(&t->shown, t->ascii);
	ret = open_screen(t);
	if (ret) {
		term_free(t);
		errno = -ret;
		return NULL;
	}
	prepare_screen(t);
	catch_crashes(t, &modes);
	set_modes(t);
	return t;
}

void term_free(struct term *t)
{
	if (!t)
		return;
	if (t->screen) {
		give_back(t);
		forget_crashes();
		delscreen(t->screen);
	}
	if (t->in_file)
		fclose(t->in_file);
	if (t->out_file)
		fclose(t->out_file);
	if (t->picture >= 0)
		close(t->picture);
	cells_exit(&t->shown);
	free(t->bound);
	free(t);
}

bool term_is_ascii(const struct term *t)
{
	return t->ascii;
}

bool term_has_color(const struct term *t)
{
	return t->color;
}

void term_measure(int fd, int *w, int *h)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_col == 0 || size.ws_row == 0)
		size = (struct winsize){ .ws_col = 80, .ws_row = 24 };
	*w = size.ws_col < CELLS_MAX ? size.ws_col : CELLS_MAX;
	*h = size.ws_row < CELLS_MAX ? size.ws_row : CELLS_MAX;
}

void term_size(struct term *t, int *w, int *h)
{
	term_measure(t->out, w, h);
	if (*w != COLS || *h != LINES)
		resizeterm(*h, *w);
	/* It may have been smaller meanwhile, and have lost what did not fit then. */
	t->forget = true;
}

static void draw_cell(const struct term *t, int x, int y, const struct cell *cell)
{
	const struct term_look look = term_look(t->color, cell);
	int pair = t->color && (look.fg >= 0 || look.bg >= 0) ? alloc_pair(look.fg, look.bg) : 0;
	wchar_t text[CELLS_CHARS + 1] = L" ";
	cchar_t out;

	for (int i = 0; i < CELLS_CHARS && cell->chars[i]; i++)
		text[i] = (wchar_t)cell->chars[i];
	if (setcchar(&out, text, look.attrs, 0, pair > 0 ? &pair : NULL) == OK)
		mvadd_wch(y, x, &out);
}

static void draw_row(const struct term *t, const struct cells *c, int y)
{
	const struct cell *row = &c->v[(size_t)y * c->w];

	for (int x = 0; x < c->w; x++)
		if (row[x].width)
			draw_cell(t, x, y, &row[x]);
}

static void draw_cursor(struct term *t, const struct cells_cursor *cursor)
{
	const char *set = capability("Ss");
	const char *text;

	curs_set(cursor->visible);
	if (!set || !cursor->visible || cursor->shape == t->cursor_shape)
		return;
	text = cursor->shape ? tparm(set, (long)cursor->shape, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L)
			     : capability("Se");
	if (text)
		send_text(t->out, text, strlen(text));
	t->cursor_shape = cursor->shape;
}

/* Send what curses has written to t->picture, at once. */
static void send_picture(struct term *t)
{
	off_t size = lseek(t->picture, 0, SEEK_CUR);
	char *text = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, t->picture, 0)
			      : MAP_FAILED;

	if (text != MAP_FAILED) {
		send_text(t->out, text, (size_t)size);
		munmap(text, (size_t)size);
	}
	lseek(t->picture, 0, SEEK_SET);
}

/*
 * Curses (6.4) writes whenever it has moved the cursor, a hundred times for a list whose times have
 * changed. Each of these would wake the terminal, which takes a processor from whoever has it: the
 * supervisor's slowest answers came from that. A terminal may also show what is half drawn.
 */
static void refresh_at_once(struct term *t)
{
	int fd = fileno(t->out_file);

	if (t->picture < 0 || dup3(t->picture, fd, O_CLOEXEC) < 0) {
		refresh();
		return;
	}
	refresh();
	dup3(t->out, fd, O_CLOEXEC);
	send_picture(t);
}

void term_draw(struct term *t, const struct cells *c)
{
	const size_t row = (size_t)c->w * sizeof(*c->v);

	if (t->forget || c->w != t->shown.w || c->h != t->shown.h) {
		if (cells_resize(&t->shown, c->w, c->h))
			return;
		erase();
		clearok(stdscr, t->forget);
	}
	for (int y = 0; y < c->h; y++) {
		struct cell *shown = &t->shown.v[(size_t)y * c->w];

		if (!t->forget && memcmp(shown, &c->v[(size_t)y * c->w], row) == 0)
			continue;
		memcpy(shown, &c->v[(size_t)y * c->w], row);
		draw_row(t, c, y);
	}
	t->forget = false;
	if (c->cursor.visible)
		move(c->cursor.y, c->cursor.x);
	refresh_at_once(t);
	draw_cursor(t, &c->cursor);
}

void term_forget(struct term *t)
{
	t->forget = true;
}

void term_set_mouse(struct term *t, enum pane_mouse mouse)
{
	static const char *const on[] = {
		[PANE_MOUSE_CLICK] = "\033[?1006h\033[?1000h",
		[PANE_MOUSE_DRAG] = "\033[?1006h\033[?1002h",
		[PANE_MOUSE_MOVE] = "\033[?1006h\033[?1003h",
	};

	if (mouse == t->mouse || !t->xterm)
		return;
	t->mouse = mouse;
	send_text(t->out, mouse_off, strlen(mouse_off));
	if (mouse != PANE_MOUSE_NONE)
		send_text(t->out, on[mouse], strlen(on[mouse]));
}

void term_ring(struct term *t)
{
	send_text(t->out, "\a", 1);
}

void term_leave(struct term *t)
{
	t->wanted = t->mouse;
	give_back(t);
}

void term_enter(struct term *t)
{
	t->forget = true;
	refresh();
	set_modes(t);
	term_set_mouse(t, t->wanted);
}
