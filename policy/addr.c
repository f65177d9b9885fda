/* SPDX-License-Identifier: MIT */
#include "policy/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4291 2.5.5.2: ::ffff:a.b.c.d. */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static const uint8_t zeros[16];

struct addr addr_from_v4(const void *bytes4)
{
	struct addr a = { .family = 4 };

	memcpy(a.bytes, bytes4, 4);
	return a;
}

static struct addr addr_from_v6_raw(const void *bytes16)
{
	struct addr a = { .family = 6 };

	memcpy(a.bytes, bytes16, 16);
	return a;
}

static bool addr_is_mapped(struct addr a)
{
	return a.family == 6 && !memcmp(a.bytes, mapped, sizeof(mapped));
}

struct addr addr_from_v6(const void *bytes16)
{
	struct addr a = addr_from_v6_raw(bytes16);

	return addr_is_mapped(a) ? addr_from_v4(a.bytes + sizeof(mapped)) : a;
}

/* As addr_parse(), but a v4-mapped address stays IPv6. */
static int addr_parse_raw(const char *text, struct addr *out)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*out = addr_from_v4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*out = addr_from_v6_raw(bytes);
	else
		return -EINVAL;
	return 0;
}

int addr_parse(const char *text, struct addr *out)
{
	struct addr a;

	if (addr_parse_raw(text, &a))
		return -EINVAL;
	*out = a.family == 6 ? addr_from_v6(a.bytes) : a;
	return 0;
}

const char *addr_text(struct addr a, char buf[static ADDR_TEXT_MAX])
{
	/* inet_ntop(3) prints ::1:80 as ::0.1.0.128, which RFC 5952 5 does not recommend. */
	if (a.family == 6 && !memcmp(a.bytes, zeros, 12) && (a.bytes[12] || a.bytes[13]))
		snprintf(buf, ADDR_TEXT_MAX, "::%x:%x", a.bytes[12] << 8 | a.bytes[13],
			 a.bytes[14] << 8 | a.bytes[15]);
	else
		inet_ntop(a.family == 4 ? AF_INET : AF_INET6, a.bytes, buf, ADDR_TEXT_MAX);
	return buf;
}

bool addr_equal(struct addr a, struct addr b)
{
	return a.family == b.family && !memcmp(a.bytes, b.bytes, sizeof(a.bytes));
}

bool addr_is_loopback(struct addr a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a.family == 4)
		return a.bytes[0] == 127;
	return a.family == 6 && !memcmp(a.bytes, one, sizeof(one));
}

bool addr_is_unspecified(struct addr a)
{
	return a.family && !memcmp(a.bytes, zeros, sizeof(zeros));
}

unsigned int addr_embedded_v4(struct addr a, struct addr *v4)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (a.family != 6)
		return 0;
	if (!memcmp(a.bytes, nat64, sizeof(nat64))) {
		*v4 = addr_from_v4(a.bytes + 12);
		return 96;
	}
	if (a.bytes[0] == 0x20 && a.bytes[1] == 0x02) {
		*v4 = addr_from_v4(a.bytes + 2);
		return 16;
	}
	return 0;
}

static void mask(struct prefix *p)
{
	unsigned int keep = p->len / 8;

	if (p->len % 8) {
		p->addr.bytes[keep] &= 0xff00 >> (p->len % 8);
		keep++;
	}
	memset(p->addr.bytes + keep, 0, sizeof(p->addr.bytes) - keep);
}

/* The number behind the slash: digits, saturating. Returns it or -EINVAL. */
static int prefix_len(const char *text)
{
	int len = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (len <= 128)
			len = 10 * len + (*text - '0');
	}
	return len;
}

int prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[ADDR_TEXT_MAX];
	struct prefix p;
	int len;

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse_raw(host, &p.addr))
		return -EINVAL;

	len = slash ? prefix_len(slash + 1) : (int)addr_bits(p.addr.family);
	if (len < 0)
		return -EINVAL;
	if (len > (int)addr_bits(p.addr.family))
		return -ERANGE;
	p.len = len;
	if (len >= 96 && addr_is_mapped(p.addr)) {
		p.addr = addr_from_v6(p.addr.bytes);
		p.len -= 96;
	}
	mask(&p);
	*out = p;
	return 0;
}

struct prefix prefix_of(struct addr a)
{
	return (struct prefix){ .addr = a, .len = addr_bits(a.family) };
}

const char *prefix_text(struct prefix p, char buf[static PREFIX_TEXT_MAX])
{
	addr_text(p.addr, buf);
	if (p.len < addr_bits(p.addr.family)) {
		size_t n = strlen(buf);

		snprintf(buf + n, PREFIX_TEXT_MAX - n, "/%u", p.len);
	}
	return buf;
}

int prefix_compare(struct prefix p, struct prefix q)
{
	int diff = p.addr.family - q.addr.family;

	if (!diff)
		diff = memcmp(p.addr.bytes, q.addr.bytes, sizeof(p.addr.bytes));
	return diff ? diff : p.len - q.len;
}

bool prefix_holds(struct prefix p, struct addr a)
{
	struct prefix q = { .addr = a, .len = p.len };

	if (p.addr.family != a.family)
		return false;
	mask(&q);
	return addr_equal(p.addr, q.addr);
}

struct endpoint endpoint_out(enum proto proto, struct addr a, uint16_t port)
{
	struct endpoint e = { .dir = DIR_OUT, .proto = proto, .addr = a, .port = port };

	if (addr_is_unspecified(a)) {
		e.unspecified = true;
		if (a.family == 4)
			e.addr.bytes[0] = 127;
		e.addr.bytes[a.family == 4 ? 3 : 15] = 1;
	}
	return e;
}

struct endpoint endpoint_in(enum proto proto, struct addr a, uint16_t port)
{
	return (struct endpoint){ .dir = DIR_IN, .proto = proto, .addr = a, .port = port };
}
