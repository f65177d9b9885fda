/* SPDX-License-Identifier: MIT */
#include "tui/keys.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Where the decoder is in a sequence (ECMA-48, section 5.4). */
enum {
	GROUND,
	ESCAPE,
	CSI,
	SS3,
	STRING, /* OSC, DCS, ...: up to BEL or ESC \ */
	STRING_ESCAPE,
	MOUSE, /* CSI M and three bytes: of terminals that do not know CSI < */
};

enum { OLD_MOUSE_LEN = 6 };

bool keys_is_pending(const struct keys_decoder *d)
{
	return d->state != GROUND;
}

/* The modifiers as xterm counts them: 1 and a bit for each. */
static uint8_t mods_of(int parameter)
{
	int bits = parameter - 1;

	return (bits & 1 ? KEYS_SHIFT : 0) | (bits & 2 ? KEYS_ALT : 0) |
	       (bits & 4 ? KEYS_CONTROL : 0);
}

/* CSI 1 ; MODS LETTER and SS3 LETTER. */
static uint16_t code_of_letter(char final)
{
	static const struct {
		char final;
		uint16_t code;
	} letters[] = {
		{ 'A', KEYS_UP },   { 'B', KEYS_DOWN }, { 'C', KEYS_RIGHT },   { 'D', KEYS_LEFT },
		{ 'H', KEYS_HOME }, { 'F', KEYS_END },  { 'P', KEYS_F(1) },    { 'Q', KEYS_F(2) },
		{ 'R', KEYS_F(3) }, { 'S', KEYS_F(4) }, { 'Z', KEYS_BACKTAB },
	};

	for (size_t i = 0; i < COUNT(letters); i++)
		if (letters[i].final == final)
			return letters[i].code;
	return 0;
}

/* CSI NUMBER ; MODS ~ */
static uint16_t code_of_number(int number)
{
	static const uint16_t codes[] = {
		[1] = KEYS_HOME,        [2] = KEYS_INSERT,  [3] = KEYS_DELETE,
		[4] = KEYS_END,         [5] = KEYS_PAGE_UP, [6] = KEYS_PAGE_DOWN,
		[7] = KEYS_HOME,        [8] = KEYS_END,     [11] = KEYS_F(1),
		[12] = KEYS_F(2),       [13] = KEYS_F(3),   [14] = KEYS_F(4),
		[15] = KEYS_F(5),       [17] = KEYS_F(6),   [18] = KEYS_F(7),
		[19] = KEYS_F(8),       [20] = KEYS_F(9),   [21] = KEYS_F(10),
		[23] = KEYS_F(11),      [24] = KEYS_F(12),  [200] = KEYS_PASTE_START,
		[201] = KEYS_PASTE_END,
	};

	return number >= 0 && (size_t)number < COUNT(codes) ? codes[number] : 0;
}

/* CSI < BUTTON ; COLUMN ; ROW M (pressed) or m (released). */
static bool decode_mouse(struct key *k, const char *text)
{
	int flags, x, y, end = 0;
	char final;

	if (sscanf(text, "<%4d;%4d;%4d%c%n", &flags, &x, &y, &final, &end) != 4 || text[end] ||
	    (final != 'M' && final != 'm') || x < 1 || y < 1 || flags < 0)
		return false;
	k->code = KEYS_MOUSE;
	k->mods = (flags & 4 ? KEYS_SHIFT : 0) | (flags & 8 ? KEYS_ALT : 0) |
		  (flags & 16 ? KEYS_CONTROL : 0);
	if (flags & 32)
		k->button = 0;
	else
		k->button = (flags & 3) + (flags & 64 ? 4 : 1);
	k->pressed = final == 'M';
	k->x = x - 1;
	k->y = y - 1;
	return true;
}

/* BUTTON, COLUMN and ROW, each and 32 as a byte. Which button was released they do not say. */
static void decode_old_mouse(struct key *k)
{
	const uint8_t *bytes = (const uint8_t *)k->raw + 3;
	const bool released = (bytes[0] & 3) == 3;
	char text[32];

	if (bytes[0] < ' ' || bytes[1] <= ' ' || bytes[2] <= ' ')
		return;
	snprintf(text, sizeof(text), "<%d;%d;%d%c", (bytes[0] & (released ? ~3 : ~0)) - ' ',
		 bytes[1] - ' ', bytes[2] - ' ', released ? 'm' : 'M');
	decode_mouse(k, text);
}

/* What stands behind CSI, with its final byte. */
static void decode_csi(struct key *k, const char *text, char final)
{
	int first = 1, mods = 1, end = 0;
	uint16_t code;

	if (text[0] == '<' && decode_mouse(k, text))
		return;
	if (text[0] != final && sscanf(text, "%4d;%2d%n", &first, &mods, &end) != 2)
		sscanf(text, "%4d%n", &first, &end);
	if (text[end] != final || text[end + 1])
		return;
	code = final == '~' ? code_of_number(first) : first == 1 ? code_of_letter(final) : 0;
	if (!code || mods < 1 || mods > 8)
		return;
	k->code = code;
	k->mods = mods_of(mods);
}

/* The sequence is complete: what does it mean? */
static bool finish(struct keys_decoder *d, struct key *out)
{
	char text[KEYS_RAW_MAX + 1];
	struct key *k = &d->key;
	uint8_t state = d->state;
	bool too_long = d->too_long;

	memcpy(text, k->raw, k->raw_len);
	text[k->raw_len] = '\0';
	k->code = KEYS_RAW;
	if (state == MOUSE && k->raw_len == OLD_MOUSE_LEN)
		decode_old_mouse(k);
	else if (state == CSI && k->raw_len > 2 && !too_long)
		decode_csi(k, text + 2, text[k->raw_len - 1]);
	else if (state == SS3 && k->raw_len == 3 && text[2] == 'M')
		k->code = KEYS_KEYPAD_ENTER;
	else if (state == SS3 && k->raw_len == 3 && code_of_letter(text[2]))
		k->code = code_of_letter(text[2]);
	*out = *k;
	*d = (struct keys_decoder){ .state = GROUND };
	return !too_long;
}

static bool begin_sequence(struct keys_decoder *d)
{
	*d = (struct keys_decoder){ .state = ESCAPE, .key.raw = { KEYS_ESCAPE }, .key.raw_len = 1 };
	return false;
}

static bool text_byte(uint8_t byte, struct key *out)
{
	*out = (struct key){ .code = byte };
	return true;
}

bool keys_flush(struct keys_decoder *d, struct key *out)
{
	if (d->state == GROUND)
		return false;
	if (d->state == ESCAPE) {
		*d = (struct keys_decoder){ .state = GROUND };
		return text_byte(KEYS_ESCAPE, out);
	}
	d->state = STRING;
	return finish(d, out);
}

static void add(struct keys_decoder *d, uint8_t byte)
{
	if (d->key.raw_len < KEYS_RAW_MAX)
		d->key.raw[d->key.raw_len++] = (char)byte;
	else
		d->too_long = true;
}

/* The byte behind ESC. */
static bool after_escape(struct keys_decoder *d, uint8_t byte, struct key *out)
{
	/* Two: the first was the key. */
	if (byte == KEYS_ESCAPE)
		return text_byte(KEYS_ESCAPE, out);
	add(d, byte);
	switch (byte) {
	case '[':
		d->state = CSI;
		return false;
	case 'O':
		d->state = SS3;
		return false;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		d->state = STRING;
		return false;
	}
	return finish(d, out);
}

bool keys_decode(struct keys_decoder *d, uint8_t byte, struct key *out)
{
	switch (d->state) {
	case GROUND:
		return byte == KEYS_ESCAPE ? begin_sequence(d) : text_byte(byte, out);
	case ESCAPE:
		return after_escape(d, byte, out);
	case STRING:
		add(d, byte);
		if (byte == KEYS_ESCAPE)
			d->state = STRING_ESCAPE;
		return byte == '\a' && finish(d, out);
	case STRING_ESCAPE:
		add(d, byte);
		d->state = STRING;
		return finish(d, out);
	}
	if (d->state == MOUSE) {
		add(d, byte);
		return d->key.raw_len == OLD_MOUSE_LEN && finish(d, out);
	}
	/* CSI and SS3: an ESC within is the beginning of the next one. */
	if (byte == KEYS_ESCAPE) {
		bool complete = finish(d, out);

		begin_sequence(d);
		return complete;
	}
	add(d, byte);
	if (d->state == CSI && byte == 'M' && d->key.raw_len == 3) {
		d->state = MOUSE;
		return false;
	}
	if (d->state == SS3 || byte < ' ' || (byte >= '@' && byte != '['))
		return finish(d, out);
	return false;
}
