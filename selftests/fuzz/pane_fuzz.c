/* SPDX-License-Identifier: MIT */
/*
 * What a command writes to its terminal, and how that is resized meanwhile, under libFuzzer:
 * whatever it is, it is drawn within the screen, and printed again without control characters but
 * line breaks and colours. A byte 0xf8, which UTF-8 does not have, and two more are a new size.
 */
#include <assert.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "tui/pane.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_picture(const struct pane *p)
{
	struct cells c;

	cells_init(&c, false);
	assert(!cells_resize(&c, 40, 12));
	pane_render(p, &c, (struct rect){ 1, 2, 35, 9 });
	for (int y = 0; y < c.h; y++)
		for (int x = 0; x < c.w; x++) {
			const struct cell *cell = &c.v[y * c.w + x];
			bool inside = x >= 1 && x < 36 && y >= 2 && y < 11;

			assert(inside || cell->role == ROLE_TEXT);
			assert(cell->width != 0 || (x > 0 && cell[-1].width == 2));
			assert(cell->width != 2 || (x + 1 < c.w && cell[1].width == 0));
			for (int i = 0; i < CELLS_CHARS; i++)
				assert(cell->chars[i] == 0 ||
				       cells_char_width(cell->chars[i]) >= 0);
		}
	cells_exit(&c);
}

static void check_reprint(struct pane *p)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert(out);
	pane_reprint(p, out, false, false);
	fclose(out);
	for (size_t i = 0; i < size; i++)
		assert(text[i] == '\n' || ((unsigned char)text[i] >= ' ' && text[i] != 0x7f));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pane *p = pane_new(10, 30);
	const char *bytes;
	size_t n;

	setlocale(LC_CTYPE, "C.UTF-8");
	assert(p);
	for (; size > 0; data += n, size -= n) {
		const uint8_t *next = memchr(data, 0xf8, size);

		n = next ? (size_t)(next - data) : size;
		pane_write(p, (const char *)data, n, false);
		if (next && size - n >= 3) {
			pane_resize(p, next[1] % 40, next[2] % 90);
			n += 3;
		} else if (next) {
			n = size;
		}
	}
	pane_sent(p, pane_input(p, &bytes));
	check_picture(p);
	check_reprint(p);
	pane_free(p);
	return 0;
}
