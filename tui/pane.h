/* SPDX-License-Identifier: MIT */
/*
 * The command's own terminal: what the command writes becomes a picture, what
 * is typed becomes what its terminal would send. Knows nothing of the terminal
 * that it is shown on.
 */
#ifndef SANDTOP_TUI_PANE_H
#define SANDTOP_TUI_PANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tui/cells.h"
#include "tui/keys.h"

enum { PANE_INPUT_MAX = 256 * 1024 }; /* bytes for the command that wait to be taken */

/* Which reports of the mouse the command asked for. */
enum pane_mouse { PANE_MOUSE_NONE, PANE_MOUSE_CLICK, PANE_MOUSE_DRAG, PANE_MOUSE_MOVE };

struct pane;

/* Sizes are clamped, here and in pane_resize(): 1 to CELLS_MAX rows, 2 to CELLS_MAX columns.
 * Returns NULL for want of memory. */
struct pane *pane_new(int rows, int cols);
void pane_free(struct pane *p);

void pane_resize(struct pane *p, int rows, int cols);

/*
 * Take output of the command. With `replay`, it is of earlier: bells are not rung again and
 * questions to the terminal not answered again.
 */
void pane_write(struct pane *p, const char *bytes, size_t len, bool replay);

/* Take a key; KEYS_MOUSE with coordinates of the pane. What does not fit any more is dropped. */
void pane_key(struct pane *p, const struct key *k);

/* What is to be sent to the command; pane_sent() takes the first `len` bytes away. */
size_t pane_input(const struct pane *p, const char **bytes);
void pane_sent(struct pane *p, size_t len);

enum pane_mouse pane_mouse(const struct pane *p);

/* Whether the bell rang since the last call. */
bool pane_take_bell(struct pane *p);

/* Draw it, with the upper left corner at that of `r`, and place the cursor. */
void pane_render(const struct pane *p, struct cells *c, struct rect r);

/*
 * Write everything that is kept of the command's output as plain lines, without the colours unless
 * `color`, in ASCII if `ascii`. What is written holds no control character but line breaks and
 * the sequences for colours and attributes.
 */
void pane_reprint(struct pane *p, FILE *out, bool color, bool ascii);

#endif
