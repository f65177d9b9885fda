/* SPDX-License-Identifier: MIT */
#include "core/escape.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * What must not reach a screen as itself, ascending: the categories Cc, Cf, Zl
 * and Zp of Unicode 15 (UnicodeData.txt) and the tag characters. The
 * noncharacters are computed.
 */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad },   { 0x0600, 0x0605 },
	{ 0x061c, 0x061c },   { 0x06dd, 0x06dd },   { 0x070f, 0x070f },   { 0x0890, 0x0891 },
	{ 0x08e2, 0x08e2 },   { 0x180e, 0x180e },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
	{ 0x2060, 0x206f },   { 0xfeff, 0xfeff },   { 0xfff9, 0xfffb },   { 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd }, { 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

size_t escape_decode(const char *s, uint32_t *c)
{
	static const uint32_t shortest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t len, i;
	uint32_t v;

	if (p[0] == '\0')
		return 0;
	if (p[0] < 0x80) {
		*c = p[0];
		return 1;
	}
	if (p[0] < 0xc0 || p[0] >= 0xf8)
		return 0;
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	v = p[0] & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < shortest[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*c = v;
	return len;
}

bool escape_printable(uint32_t c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unprintable) && c >= unprintable[i].first; i++)
		if (c <= unprintable[i].last)
			return false;
	return (c & 0xfffe) != 0xfffe && !(c >= 0xfdd0 && c <= 0xfdef);
}

/* The text of the character at `s` in `out`; returns how many bytes of `s` it took. */
static size_t escape_one(const char *s, char out[static 16])
{
	uint32_t c;
	size_t len = escape_decode(s, &c);

	if (len == 0) {
		snprintf(out, 16, "\\x%02X", (unsigned char)s[0]);
		return 1;
	}
	if (c == '\\')
		memcpy(out, "\\\\", 3);
	else if (escape_printable(c))
		*(char *)mempcpy(out, s, len) = '\0';
	else if (c < 0x80)
		snprintf(out, 16, "\\x%02X", c);
	else
		snprintf(out, 16, "\\u{%X}", c);
	return len;
}

size_t escape_text(const char *text, char *buf, size_t size)
{
	size_t used = 0, cut = 0, len;
	char one[16];

	while (*text) {
		text += escape_one(text, one);
		len = strlen(one);
		if (used + len >= size) {
			memcpy(buf + cut, "...", 4);
			return cut + 3;
		}
		memcpy(buf + used, one, len);
		used += len;
		/* The last place where the mark of a cut would still fit. */
		if (used + 4 <= size)
			cut = used;
	}
	buf[used] = '\0';
	return used;
}
