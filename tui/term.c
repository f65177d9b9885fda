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

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum {
	ESCAPE_DELAY = 25,   /* ms between an ESC and what belongs to it */
	SEQUENCE_DELAY = 50, /* ms between the bytes of a sequence */
	RESTORE_MAX = 512,
};

struct term {
	int in, out;
	FILE *in_file, *out_file;
	SCREEN *screen;
	int picture; /* where curses writes while it draws, or -1: to the terminal */
	bool ascii, color;
	bool xterm; /* knows xterm's modes for mouse and paste */
	struct cells shown;
	bool forget;
	uint8_t cursor_shape;
	enum pane_mouse mouse, wanted; /* reports that it sends; and after term_enter() */
	struct keys_decoder decoder;
	const char *feed; /* bytes still to be decoded, or NULL */
	char *bound;      /* what they belong to */
	struct key next;  /* was read already, if it has a code */
};

/* What a crash does: there is no way to hand it a pointer. */
static struct {
	int fd;
	struct termios modes;
	char text[RESTORE_MAX];
	size_t len;
} restore = { .fd = -1 };

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

struct look {
	short fg, bg; /* -1: the terminal's own */
	attr_t attrs;
};

static const struct look color_looks[ROLE_COUNT] = {
	[ROLE_TEXT] = { -1, -1, 0 },
	[ROLE_TITLE] = { -1, -1, A_BOLD },
	[ROLE_DIM] = { COLOR_CYAN, -1, 0 },
	[ROLE_ALLOW] = { COLOR_GREEN, -1, 0 },
	[ROLE_DENY] = { COLOR_RED, -1, A_BOLD },
	[ROLE_HOLD] = { COLOR_YELLOW, -1, A_BOLD },
	[ROLE_TAB] = { -1, -1, 0 },
	[ROLE_TAB_CURRENT] = { COLOR_BLACK, COLOR_GREEN, 0 },
	[ROLE_COLUMNS] = { COLOR_BLACK, COLOR_GREEN, 0 },
	[ROLE_SELECTED] = { COLOR_BLACK, COLOR_CYAN, 0 },
	[ROLE_KEY] = { -1, -1, 0 },
	[ROLE_BAR] = { COLOR_BLACK, COLOR_CYAN, 0 },
	[ROLE_MESSAGE] = { -1, -1, A_BOLD },
	[ROLE_ERROR] = { COLOR_WHITE, COLOR_RED, A_BOLD },
	[ROLE_COMMAND] = { -1, -1, 0 },
};

static const struct look mono_looks[ROLE_COUNT] = {
	[ROLE_TEXT] = { -1, -1, 0 },
	[ROLE_TITLE] = { -1, -1, A_BOLD },
	[ROLE_DIM] = { -1, -1, 0 },
	[ROLE_ALLOW] = { -1, -1, 0 },
	[ROLE_DENY] = { -1, -1, A_BOLD },
	[ROLE_HOLD] = { -1, -1, A_BOLD | A_UNDERLINE },
	[ROLE_TAB] = { -1, -1, 0 },
	[ROLE_TAB_CURRENT] = { -1, -1, A_REVERSE },
	[ROLE_COLUMNS] = { -1, -1, A_REVERSE },
	[ROLE_SELECTED] = { -1, -1, A_REVERSE | A_BOLD },
	[ROLE_KEY] = { -1, -1, 0 },
	[ROLE_BAR] = { -1, -1, A_REVERSE },
	[ROLE_MESSAGE] = { -1, -1, A_BOLD },
	[ROLE_ERROR] = { -1, -1, A_REVERSE | A_BOLD },
	[ROLE_COMMAND] = { -1, -1, 0 },
};

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

/* The nearest of the first 16 colours, of which a terminal may have only the first 8. */
static short low_color(uint32_t r, uint32_t g, uint32_t b)
{
	uint32_t max = r > g ? r : g;
	uint32_t half = (max > b ? max : b) / 2;
	short color;

	if (max < 0x40 && b < 0x40)
		return COLOR_BLACK;
	color = (short)((r > half ? 1 : 0) | (g > half ? 2 : 0) | (b > half ? 4 : 0));
	return COLORS >= 16 && half > 0x60 ? (short)(color + 8) : color;
}

/* A colour of the 6x6x6 cube, as xterm has it from 16 on. */
static short cube_color(uint32_t r, uint32_t g, uint32_t b)
{
	return (short)(16 + 36 * ((r * 5 + 127) / 255) + 6 * ((g * 5 + 127) / 255) +
		       (b * 5 + 127) / 255);
}

/* The other way round; the greys are from 232 on. */
static void palette_rgb(uint32_t index, uint32_t rgb[static 3])
{
	index -= 16;
	rgb[0] = index < 216 ? index / 36 * 51 : 8 + (index - 216) * 10;
	rgb[1] = index < 216 ? index / 6 % 6 * 51 : rgb[0];
	rgb[2] = index < 216 ? index % 6 * 51 : rgb[0];
}

static short curses_color(uint32_t color)
{
	uint32_t value = color & 0xffffff;
	uint32_t rgb[3] = { value >> 16, value >> 8 & 0xff, value & 0xff };

	if (color & COLOR_RGB)
		return COLORS >= 256 ? cube_color(rgb[0], rgb[1], rgb[2])
				     : low_color(rgb[0], rgb[1], rgb[2]);
	if (!(color & COLOR_INDEXED))
		return -1;
	if ((int)value < COLORS)
		return (short)value;
	if (value < 16)
		return (short)(value % 8);
	palette_rgb(value, rgb);
	return low_color(rgb[0], rgb[1], rgb[2]);
}

static attr_t style_attrs(uint8_t attrs)
{
	return (attrs & STYLE_BOLD ? A_BOLD : 0) | (attrs & STYLE_UNDERLINE ? A_UNDERLINE : 0) |
	       (attrs & STYLE_ITALIC ? A_ITALIC : 0) | (attrs & STYLE_BLINK ? A_BLINK : 0) |
	       (attrs & STYLE_REVERSE ? A_REVERSE : 0);
}

static struct look cell_look(const struct term *t, const struct cell *cell)
{
	struct look look = t->color ? color_looks[cell->role] : mono_looks[cell->role];

	if (cell->role != ROLE_COMMAND)
		return look;
	look.attrs = style_attrs(cell->style.attrs);
	if (t->color) {
		look.fg = curses_color(cell->style.fg);
		look.bg = curses_color(cell->style.bg);
	}
	return look;
}

static void draw_cell(const struct term *t, int x, int y, const struct cell *cell)
{
	const struct look look = cell_look(t, cell);
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

/* What curses has a name for, whatever bytes the terminal sends for it. */
static uint16_t code_of(int ch)
{
	static const struct {
		int ch;
		uint16_t code;
	} codes[] = {
		{ KEY_UP, KEYS_UP },
		{ KEY_DOWN, KEYS_DOWN },
		{ KEY_LEFT, KEYS_LEFT },
		{ KEY_RIGHT, KEYS_RIGHT },
		{ KEY_IC, KEYS_INSERT },
		{ KEY_DC, KEYS_DELETE },
		{ KEY_HOME, KEYS_HOME },
		{ KEY_END, KEYS_END },
		{ KEY_PPAGE, KEYS_PAGE_UP },
		{ KEY_NPAGE, KEYS_PAGE_DOWN },
		{ KEY_ENTER, KEYS_KEYPAD_ENTER },
		{ KEY_BTAB, KEYS_BACKTAB },
	};

	if (ch >= KEY_F(1) && ch <= KEY_F(12))
		return (uint16_t)KEYS_F(ch - KEY_F0);
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].ch == ch)
			return codes[i].code;
	return 0;
}

/*
 * Take what curses read: a byte, a known key, or another key, of which the bytes are decoded as if
 * curses did not know it either. Returns whether that completed a key.
 */
static bool take(struct term *t, int ch, struct key *out)
{
	struct key key = { .code = code_of(ch) };

	if (ch < KEY_MIN)
		return keys_decode(&t->decoder, (uint8_t)ch, out);
	if (key.code) {
		if (!keys_flush(&t->decoder, out))
			*out = key;
		else
			t->next = key;
		return true;
	}
	if (ch != KEY_RESIZE) {
		free(t->bound);
		t->bound = keybound(ch, 0);
		t->feed = t->bound;
	}
	return false;
}

/* Whether the rest of a sequence comes. A lone ESC has been waited for by curses. */
static bool rest_comes(const struct term *t)
{
	struct pollfd pollfd = { .fd = t->in, .events = POLLIN };

	return t->decoder.key.raw_len > 1 && poll(&pollfd, 1, SEQUENCE_DELAY) == 1 &&
	       pollfd.revents == POLLIN;
}

bool term_read(struct term *t, struct key *out)
{
	int ch;

	if (t->next.code) {
		*out = t->next;
		t->next.code = 0;
		return true;
	}
	for (;;) {
		if (t->feed && *t->feed) {
			if (keys_decode(&t->decoder, (uint8_t)*t->feed++, out))
				return true;
			continue;
		}
		ch = getch();
		if (ch != ERR) {
			if (take(t, ch, out))
				return true;
		} else if (!keys_is_pending(&t->decoder)) {
			return false;
		} else if (!rest_comes(t)) {
			return keys_flush(&t->decoder, out);
		}
	}
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
