/* SPDX-License-Identifier: MIT */
/*
 * The operator's terminal: term.c, term_look.c and term_keys.c alone know
 * curses.
 *
 * There is one at a time in a process. However the process ends, the terminal
 * is left as it was found, by SIGKILL excepted; the signals that end a process
 * in order are the caller's to block and to read (monitor.c), those of a crash
 * are caught here.
 */
#ifndef SANDTOP_TUI_TERM_H
#define SANDTOP_TUI_TERM_H

#include <stdbool.h>

#include "tui/cells.h"
#include "tui/keys.h"
#include "tui/pane.h"

struct term;

/* The size of the terminal at `fd`, 80 by 24 if it does not know it, at most CELLS_MAX each. */
void term_measure(int fd, int *w, int *h);

/*
 * Take the terminal over. The descriptors stay the caller's and must outlive it. The locale of the
 * environment becomes that of the process. Returns NULL with errno set: ENOTTY, EOPNOTSUPP when
 * $TERM names a terminal that nothing can be placed on, ENOMEM, or another of the descriptors.
 */
struct term *term_new(int tty_in, int tty_out);

/* Give it back. NULL is fine. */
void term_free(struct term *t);

/* Whether it shows ASCII only, and whether it shows colours (also not with $NO_COLOR). */
bool term_is_ascii(const struct term *t);
bool term_has_color(const struct term *t);

/* Learn its size, which may have changed, and draw everything anew at the next term_draw(). */
void term_size(struct term *t, int *w, int *h);

/* Show the picture. */
void term_draw(struct term *t, const struct cells *c);

/* Draw everything anew at the next term_draw(): something else may have written there. */
void term_forget(struct term *t);

/* The next key, without waiting for one to be pressed. Returns whether there was one. */
bool term_read(struct term *t, struct key *out);

/* Ask for these reports of the mouse. */
void term_set_mouse(struct term *t, enum pane_mouse mouse);

void term_ring(struct term *t);

/* Give the terminal back for a while, and take it over again; everything is drawn anew then. */
void term_leave(struct term *t);
void term_enter(struct term *t);

#endif
