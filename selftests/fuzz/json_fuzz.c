/* SPDX-License-Identifier: MIT */
/*
 * Records with any bytes in their texts, under libFuzzer: the JSON line parses,
 * the text line has no byte that acts on a terminal. `make SAN=1 build/san/json_fuzz`.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "core/json.h"
#include "core/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the input has not been used for yet. */
struct input {
	const uint8_t *data;
	size_t size;
};

static void take(struct input *in, void *out, size_t size)
{
	size_t n = size < in->size ? size : in->size;

	memset(out, 0, size);
	memcpy(out, in->data, n);
	in->data += n;
	in->size -= n;
}

/* A text whose length comes first, or NULL. */
static char *take_text(struct input *in)
{
	uint16_t len;
	char *text;

	take(in, &len, sizeof(len));
	if (len % 16 == 0)
		return NULL;
	text = malloc(len + 1u);
	assert(text);
	take(in, text, len);
	text[len] = '\0';
	return text;
}

static void check_line(const struct record *r)
{
	char text[LINE_TEXT_MAX];
	size_t len = line_format(r, text, sizeof(text)), n;
	uint32_t c;

	assert(len == strlen(text));
	for (const char *s = text; *s; s += n) {
		n = escape_decode(s, &c);
		assert(n && escape_printable(c));
	}
}

static void check_json(const struct record *r)
{
	char text[JSON_LINE_MAX];
	int len = json_decision(r, text, sizeof(text));
	json_t *json;

	assert(len > 0 && (size_t)len == strlen(text));
	for (const char *s = text; *s; s++)
		assert((unsigned char)*s >= ' ' && *s != 0x7f);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert(json && json_object_size(json) == 23);
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *name, *rule, *host, *exe, *syscall;
	struct record r = { 0 };
	uint8_t kind[6];

	take(&in, kind, sizeof(kind));
	take(&in, r.endpoint.addr.bytes, sizeof(r.endpoint.addr.bytes));
	take(&in, r.comm, sizeof(r.comm) - 1);
	take(&in, &r.endpoint.port, sizeof(r.endpoint.port));
	take(&in, &r.seq, sizeof(r.seq));
	take(&in, &r.ts.tv_sec, sizeof(r.ts.tv_sec));
	r.seq >>= 1; /* jansson has no larger numbers, and no run gets there */
	r.endpoint.dir = kind[0] % 2;
	r.endpoint.proto = kind[1] % PROTO_COUNT;
	r.endpoint.addr.family = (const uint8_t[]){ 0, 4, 6 }[kind[2] % 3];
	r.decision.verdict = kind[3] % (VERDICT_ASK + 1);
	r.decision.reason = kind[4] % REASON_COUNT;
	r.decision.rule = r.decision.error = kind[5];
	name = take_text(&in);
	rule = take_text(&in);
	host = take_text(&in);
	exe = take_text(&in);
	syscall = take_text(&in);
	r.endpoint.name = name;
	r.rule = rule;
	r.host = host;
	r.exe = exe;
	r.syscall = syscall;
	check_line(&r);
	check_json(&r);
	free(name);
	free(rule);
	free(host);
	free(exe);
	free(syscall);
	return 0;
}
