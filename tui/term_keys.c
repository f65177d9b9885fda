/* SPDX-License-Identifier: MIT */
#include "tui/term_state.h"

#include <poll.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { SEQUENCE_DELAY = 50 }; /* ms between the bytes of a sequence */

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
