/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * libvterm parses what the command writes and keeps the state of its terminal:
 * modes, margins, the cursor. The cells are ours: the command chooses what is
 * put where, and libvterm's own screen layer (0.1) writes through a null pointer
 * when a wide character, a repetition or enough combining ones end beyond the
 * right margin.
 */
#include "tui/pane.h"

#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#include "tui/scrollback.h"

enum { MAIN, ALTERNATE };

struct pane {
	VTerm *vt;
	VTermState *state;
	struct cells screens[2]; /* MAIN and ALTERNATE, of the same size */
	int current;
	struct style pen;
	bool reversed; /* the whole screen */
	bool replay;
	bool bell;
	bool cursor_visible, cursor_blinks;
	int cursor_shape;
	enum pane_mouse mouse;
	struct scrollback scrollback;
	char *input;
	size_t input_len;
};

/* A wide character has a place on every row. */
enum { MIN_ROWS = 1, MIN_COLS = 2 };

static int clamp(int n, int min)
{
	return n < min ? min : n > CELLS_MAX ? CELLS_MAX : n;
}

/* What the terminal sends: keys and answers. */
static void queue(const char *bytes, size_t len, void *arg)
{
	struct pane *p = arg;

	/* Half a sequence would be worse than none. */
	if (p->replay || len > PANE_INPUT_MAX - p->input_len)
		return;
	memcpy(p->input + p->input_len, bytes, len);
	p->input_len += len;
}

size_t pane_input(const struct pane *p, const char **bytes)
{
	*bytes = p->input;
	return p->input_len;
}

void pane_sent(struct pane *p, size_t len)
{
	p->input_len -= len;
	memmove(p->input, p->input + len, p->input_len);
}

static uint32_t color_of(VTermColor color)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(&color) || VTERM_COLOR_IS_DEFAULT_BG(&color))
		return COLOR_DEFAULT;
	if (VTERM_COLOR_IS_INDEXED(&color))
		return COLOR_INDEXED | color.indexed.idx;
	return COLOR_RGB | (uint32_t)color.rgb.red << 16 | (uint32_t)color.rgb.green << 8 |
	       color.rgb.blue;
}

static int put_glyph(VTermGlyphInfo *info, VTermPos pos, void *arg)
{
	struct pane *p = arg;
	size_t n = 0;

	while (n < CELLS_CHARS && info->chars[n])
		n++;
	cells_put(&p->screens[p->current], pos.col, pos.row, info->chars, n,
		  info->width < 1 ? 1 : info->width, ROLE_COMMAND, p->pen);
	return 1;
}

static struct rect rect_of(VTermRect r)
{
	return (struct rect){ r.start_col, r.start_row, r.end_col - r.start_col,
			      r.end_row - r.start_row };
}

/* With the colour of the pen behind it, as terminals do. */
static int erase_rect(VTermRect rect, int selective, void *arg)
{
	struct pane *p = arg;
	struct cells *c = &p->screens[p->current];
	const struct style style = { .bg = p->pen.bg };

	(void)selective;
	for (int y = rect.start_row; y < rect.end_row; y++)
		for (int x = rect.start_col; x < rect.end_col; x++)
			cells_put(c, x, y, NULL, 0, 1, ROLE_COMMAND, style);
	return 1;
}

static int move_rect(VTermRect to, VTermRect from, void *arg)
{
	struct pane *p = arg;

	cells_move(&p->screens[p->current], rect_of(from), to.start_col, to.start_row);
	return 1;
}

/* Lines that leave the main screen at the top are kept; the moving is left to move_rect(). */
static int scroll_rect(VTermRect rect, int downward, int rightward, void *arg)
{
	struct pane *p = arg;
	const struct cells *c = &p->screens[MAIN];

	if (p->current != MAIN || rect.start_row != 0 || rect.start_col != 0 ||
	    rect.end_col != c->w || rightward)
		return 0;
	for (int y = 0; y < downward && y < c->h; y++)
		scrollback_push(&p->scrollback, c, y);
	return 0;
}

static int init_pen(void *arg)
{
	struct pane *p = arg;

	p->pen = (struct style){ 0 };
	return 1;
}

static void set_attr(struct pane *p, enum style_attr attr, bool on)
{
	p->pen.attrs = (uint8_t)(on ? p->pen.attrs | attr : p->pen.attrs & ~attr);
}

static int set_pen(VTermAttr attr, VTermValue *value, void *arg)
{
	struct pane *p = arg;

	switch (attr) {
	case VTERM_ATTR_BOLD:
		set_attr(p, STYLE_BOLD, value->boolean);
		break;
	case VTERM_ATTR_UNDERLINE:
		set_attr(p, STYLE_UNDERLINE, value->number);
		break;
	case VTERM_ATTR_ITALIC:
		set_attr(p, STYLE_ITALIC, value->boolean);
		break;
	case VTERM_ATTR_BLINK:
		set_attr(p, STYLE_BLINK, value->boolean);
		break;
	case VTERM_ATTR_REVERSE:
		set_attr(p, STYLE_REVERSE, value->boolean);
		break;
	case VTERM_ATTR_FOREGROUND:
		p->pen.fg = color_of(value->color);
		break;
	case VTERM_ATTR_BACKGROUND:
		p->pen.bg = color_of(value->color);
		break;
	default:
		break;
	}
	return 1;
}

static int set_property(VTermProp prop, VTermValue *value, void *arg)
{
	struct pane *p = arg;

	switch (prop) {
	case VTERM_PROP_CURSORVISIBLE:
		p->cursor_visible = value->boolean;
		break;
	case VTERM_PROP_CURSORBLINK:
		p->cursor_blinks = value->boolean;
		break;
	case VTERM_PROP_CURSORSHAPE:
		p->cursor_shape = value->number;
		break;
	case VTERM_PROP_ALTSCREEN:
		p->current = value->boolean ? ALTERNATE : MAIN;
		break;
	case VTERM_PROP_REVERSE:
		p->reversed = value->boolean;
		break;
	case VTERM_PROP_MOUSE:
		p->mouse = (enum pane_mouse)value->number;
		break;
	default:
		break;
	}
	return 1;
}

static int ring_bell(void *arg)
{
	struct pane *p = arg;

	p->bell |= !p->replay;
	return 1;
}

/* How many rows of the main screen are in use: down to the cursor, or to what is written below. */
static int used_rows(const struct pane *p, int cursor_row)
{
	const struct cells *c = &p->screens[MAIN];
	int used = 0;

	for (int y = 0; y < c->h; y++)
		for (int x = 0; x < c->w; x++)
			if (c->v[(size_t)y * c->w + x].chars[0])
				used = y + 1;
	if (cursor_row >= used)
		used = cursor_row + 1;
	/* What libvterm believes is not relied on. */
	return used < c->h ? used : c->h;
}

/*
 * A lower screen loses its first lines to the scrollback, but only those for which there is no more
 * room; a higher one gets them back.
 */
static int resize_screens(int rows, int cols, VTermPos *delta, void *arg)
{
	struct pane *p = arg;
	struct cells *c = &p->screens[MAIN];
	const int old = c->h;
	VTermPos cursor;
	int shift = 0;

	vterm_state_get_cursorpos(p->state, &cursor);
	if (p->current == MAIN && rows < old)
		shift = used_rows(p, cursor.row) - rows;
	if (shift > 0) {
		for (int y = 0; y < shift; y++)
			scrollback_push(&p->scrollback, c, y);
		cells_move(c, (struct rect){ 0, shift, c->w, old - shift }, 0, 0);
		delta->row -= shift;
	}
	if (cells_grow(c, cols, rows) || cells_grow(&p->screens[ALTERNATE], cols, rows))
		return 1;
	for (int missing = p->current == MAIN ? rows - old : 0; missing > 0; missing--) {
		if (p->scrollback.count == 0)
			break;
		cells_move(c, (struct rect){ 0, 0, cols, rows - 1 }, 0, 1);
		scrollback_pop(&p->scrollback, c, 0);
		delta->row++;
	}
	return 1;
}

static const VTermStateCallbacks callbacks = {
	.putglyph = put_glyph,
	.scrollrect = scroll_rect,
	.moverect = move_rect,
	.erase = erase_rect,
	.initpen = init_pen,
	.setpenattr = set_pen,
	.settermprop = set_property,
	.bell = ring_bell,
	.resize = resize_screens,
};

struct pane *pane_new(int rows, int cols)
{
	struct pane *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	rows = clamp(rows, MIN_ROWS);
	cols = clamp(cols, MIN_COLS);
	p->input = malloc(PANE_INPUT_MAX);
	p->vt = vterm_new(rows, cols);
	if (!p->input || !p->vt || scrollback_init(&p->scrollback) ||
	    cells_resize(&p->screens[MAIN], cols, rows) ||
	    cells_resize(&p->screens[ALTERNATE], cols, rows)) {
		pane_free(p);
		return NULL;
	}
	vterm_set_utf8(p->vt, 1);
	vterm_output_set_callback(p->vt, queue, p);
	p->state = vterm_obtain_state(p->vt);
	vterm_state_set_callbacks(p->state, &callbacks, p);
	vterm_state_reset(p->state, 1);
	return p;
}

void pane_free(struct pane *p)
{
	if (!p)
		return;
	if (p->vt)
		vterm_free(p->vt);
	scrollback_exit(&p->scrollback);
	cells_exit(&p->screens[MAIN]);
	cells_exit(&p->screens[ALTERNATE]);
	free(p->input);
	free(p);
}

void pane_resize(struct pane *p, int rows, int cols)
{
	rows = clamp(rows, MIN_ROWS);
	cols = clamp(cols, MIN_COLS);
	if (rows != p->screens[MAIN].h || cols != p->screens[MAIN].w)
		vterm_set_size(p->vt, rows, cols);
}

void pane_write(struct pane *p, const char *bytes, size_t len, bool replay)
{
	p->replay = replay;
	vterm_input_write(p->vt, bytes, len);
	p->replay = false;
}

/* What the terminal makes of a key depends on the modes that the command has set. */
static VTermKey vterm_key(uint16_t code)
{
	static const VTermKey keys[] = {
		[KEYS_UP - KEYS_UP] = VTERM_KEY_UP,
		[KEYS_DOWN - KEYS_UP] = VTERM_KEY_DOWN,
		[KEYS_LEFT - KEYS_UP] = VTERM_KEY_LEFT,
		[KEYS_RIGHT - KEYS_UP] = VTERM_KEY_RIGHT,
		[KEYS_INSERT - KEYS_UP] = VTERM_KEY_INS,
		[KEYS_DELETE - KEYS_UP] = VTERM_KEY_DEL,
		[KEYS_HOME - KEYS_UP] = VTERM_KEY_HOME,
		[KEYS_END - KEYS_UP] = VTERM_KEY_END,
		[KEYS_PAGE_UP - KEYS_UP] = VTERM_KEY_PAGEUP,
		[KEYS_PAGE_DOWN - KEYS_UP] = VTERM_KEY_PAGEDOWN,
	};

	if (code > KEYS_F0 && code <= KEYS_F12)
		return VTERM_KEY_FUNCTION(code - KEYS_F0);
	return keys[code - KEYS_UP];
}

/* libvterm has the line feed for it, but a terminal sends what its other Enter does. */
static void keypad_enter(struct pane *p)
{
	size_t before = p->input_len;

	vterm_keyboard_key(p->vt, VTERM_KEY_KP_ENTER, VTERM_MOD_NONE);
	if (p->input_len == before + 1)
		p->input[before] = '\r';
}

static VTermModifier vterm_mods(uint8_t mods)
{
	return (mods & KEYS_SHIFT ? VTERM_MOD_SHIFT : 0) | (mods & KEYS_ALT ? VTERM_MOD_ALT : 0) |
	       (mods & KEYS_CONTROL ? VTERM_MOD_CTRL : 0);
}

static void mouse_key(struct pane *p, const struct key *k)
{
	VTermModifier mods = vterm_mods(k->mods);

	if (p->mouse == PANE_MOUSE_NONE || k->x < 0 || k->y < 0 || k->x >= p->screens[MAIN].w ||
	    k->y >= p->screens[MAIN].h)
		return;
	vterm_mouse_move(p->vt, k->y, k->x, mods);
	if (k->button)
		vterm_mouse_button(p->vt, k->button, k->pressed, mods);
}

void pane_key(struct pane *p, const struct key *k)
{
	char byte = (char)k->code;

	if (k->code < KEYS_UP)
		queue(&byte, 1, p);
	else if (k->code == KEYS_KEYPAD_ENTER)
		keypad_enter(p);
	else if (k->code == KEYS_BACKTAB)
		vterm_keyboard_key(p->vt, VTERM_KEY_TAB, VTERM_MOD_SHIFT);
	else if (k->code <= KEYS_F12)
		vterm_keyboard_key(p->vt, vterm_key(k->code), vterm_mods(k->mods));
	else if (k->code == KEYS_PASTE_START)
		vterm_keyboard_start_paste(p->vt);
	else if (k->code == KEYS_PASTE_END)
		vterm_keyboard_end_paste(p->vt);
	else if (k->code == KEYS_MOUSE)
		mouse_key(p, k);
	else if (k->code == KEYS_RAW)
		queue(k->raw, k->raw_len, p);
}

enum pane_mouse pane_mouse(const struct pane *p)
{
	return p->mouse;
}

bool pane_take_bell(struct pane *p)
{
	bool bell = p->bell;

	p->bell = false;
	return bell;
}

static void place_cursor(const struct pane *p, struct cells *c, struct rect r)
{
	VTermPos pos;

	vterm_state_get_cursorpos(p->state, &pos);
	if (pos.col >= r.w || pos.row >= r.h)
		return;
	c->cursor.x = r.x + pos.col;
	c->cursor.y = r.y + pos.row;
	c->cursor.visible = p->cursor_visible;
	/*
	 * As DECSCUSR counts: a pair for each shape, the blinking one first. A blinking block is
	 * what libvterm begins with, and stands for the operator's own.
	 */
	c->cursor.shape = (uint8_t)(2 * p->cursor_shape - p->cursor_blinks);
	if (c->cursor.shape == 1)
		c->cursor.shape = 0;
}

void pane_render(const struct pane *p, struct cells *c, struct rect r)
{
	const struct cells *screen = &p->screens[p->current];

	for (int y = 0; y < screen->h && y < r.h; y++)
		for (int x = 0; x < screen->w && x < r.w; x++) {
			const struct cell *cell = &screen->v[(size_t)y * screen->w + x];
			struct style style = cell->style;

			if (cell->width == 0)
				continue;
			if (p->reversed)
				style.attrs ^= STYLE_REVERSE;
			cells_put(c, r.x + x, r.y + y, cell->chars, CELLS_CHARS,
				  x + cell->width > r.w ? 1 : cell->width, ROLE_COMMAND, style);
		}
	place_cursor(p, c, r);
}

void pane_reprint(struct pane *p, FILE *out, bool color, bool ascii)
{
	VTermPos cursor;
	int rows;

	/* A full-screen program that was killed left its own screen on. */
	pane_write(p, "\033[?1049l", 8, true);
	vterm_state_get_cursorpos(p->state, &cursor);
	rows = used_rows(p, cursor.col ? cursor.row : -1);
	scrollback_print(&p->scrollback, out, color, ascii);
	for (int y = 0; y < rows; y++)
		scrollback_print_row(&p->screens[MAIN], y, out, color, ascii);
}
