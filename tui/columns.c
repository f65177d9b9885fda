/* SPDX-License-Identifier: MIT */
#include "tui/columns.h"

#include <string.h>

void columns_heads(struct cells *c, int y, const struct column_head *heads, int n,
		   const int *widths, int sorted)
{
	int x = 0;

	cells_fill(c, (struct rect){ 0, y, c->w, 1 }, ROLE_COLUMNS);
	for (int i = 0; i < n; i++) {
		int len = (int)strlen(heads[i].name);
		int shift = heads[i].right && len < widths[i] ? widths[i] - len : 0;

		if (!widths[i])
			continue;
		cells_text(c, x + shift, y, widths[i] - shift,
			   heads[i].sort && heads[i].sort == 1 + sorted ? ROLE_TAB : ROLE_COLUMNS,
			   heads[i].name);
		if (heads[i].sort)
			spot_add(&c->spots, x, y, widths[i], SPOT_SORT,
				 (uint64_t)heads[i].sort - 1);
		x += widths[i] + 1;
	}
}

void columns_cell(struct cells *c, int *x, int y, const struct column_head *head, int width,
		  enum role role, const char *text, const char *tail)
{
	int tail_width = tail ? (int)strlen(tail) : 0;
	int shift = head->right ? width - (int)strlen(text) : 0;

	if (!width)
		return;
	shift = shift > 0 ? shift : 0;
	shift += cells_foreign(c, *x + shift, y, width - shift - tail_width, role, text);
	if (tail)
		cells_text(c, *x + shift, y, width - shift, role, tail);
	*x += width + 1;
}
