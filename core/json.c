/* SPDX-License-Identifier: MIT */
#include "core/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/escape.h"
#include "core/line.h"
#include "policy/addr.h"
#include "policy/explain.h"

/* The line so far. After an overflow nothing more is added. */
struct out {
	char *buf;
	size_t size, len;
	bool overflow;
};

static void out_add(struct out *o, const char *s, size_t n)
{
	if (o->overflow || n >= o->size - o->len) {
		o->overflow = true;
		return;
	}
	memcpy(o->buf + o->len, s, n);
	o->len += n;
}

/* For numbers and punctuation. */
__attribute__((format(printf, 2, 3))) static void out_printf(struct out *o, const char *format, ...)
{
	char text[128];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	out_add(o, text, (size_t)n);
}

/* One character of `s` as it stands in a JSON string; returns how many bytes of `s` it took. */
static size_t out_character(const char *s, char text[static 16])
{
	uint32_t c;
	size_t len = escape_decode(s, &c);

	if (len == 0) {
		memcpy(text, "\\ufffd", 7);
		return 1;
	}
	if (c == '"' || c == '\\')
		snprintf(text, 16, "\\%c", (char)c);
	else if (escape_printable(c))
		*(char *)mempcpy(text, s, len) = '\0';
	else if (c < 0x10000)
		snprintf(text, 16, "\\u%04x", c);
	else
		snprintf(text, 16, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
	return len;
}

static void out_string(struct out *o, const char *s)
{
	size_t len = 0, n;
	char text[16];

	if (!s) {
		out_add(o, "null", 4);
		return;
	}
	out_add(o, "\"", 1);
	while (*s) {
		s += out_character(s, text);
		n = strlen(text);
		if (len + n > JSON_STRING_MAX - 3) {
			out_add(o, "...", 3);
			break;
		}
		out_add(o, text, n);
		len += n;
	}
	out_add(o, "\"", 1);
}

static void out_member(struct out *o, const char *key, const char *value)
{
	out_printf(o, ",\"%s\":", key);
	out_string(o, value);
}

static struct out event_begin(char *buf, size_t size, const char *event, struct timespec ts,
			      uint64_t seq, uint64_t generation)
{
	struct out o = { .buf = buf, .size = size, .overflow = size == 0 };
	char time[LINE_TIME_MAX];

	out_printf(&o, "{\"v\":1,\"event\":\"%s\",\"ts\":\"%s\"", event, line_time(ts, time));
	out_printf(&o, ",\"seq\":%ju,\"generation\":%ju", (uintmax_t)seq, (uintmax_t)generation);
	return o;
}

static int event_end(struct out *o)
{
	out_add(o, "}", 1);
	if (o->overflow)
		return -ENOSPC;
	o->buf[o->len] = '\0';
	return (int)o->len;
}

int json_start(const struct json_start *s, char *buf, size_t size)
{
	struct out o = event_begin(buf, size, "start", s->ts, 0, s->generation);
	size_t start;
	char *const *arg;

	out_member(&o, "name", s->name);
	out_printf(&o, ",\"pid\":%d,\"argv\":[", s->pid);
	start = o.len;
	for (arg = s->argv; *arg && o.len - start < (size_t)2 * JSON_STRING_MAX; arg++) {
		if (arg != s->argv)
			out_add(&o, ",", 1);
		out_string(&o, *arg);
	}
	out_add(&o, "]", 1);
	return event_end(&o);
}

/* Where the request wanted to go; what does not apply to the protocol is null. */
static void out_endpoint(struct out *o, const struct record *r)
{
	const struct endpoint *e = &r->endpoint;
	char addr[ADDR_TEXT_MAX];

	out_member(o, "direction", e->dir == DIR_IN ? "in" : "out");
	out_member(o, "verdict", verdict_name(r->decision.verdict));
	out_member(o, "proto", proto_name(e->proto));
	out_member(o, "addr", e->addr.family ? addr_text(e->addr, addr) : NULL);
	if (e->proto == PROTO_TCP || e->proto == PROTO_UDP)
		out_printf(o, ",\"port\":%u", e->port);
	else
		out_printf(o, ",\"port\":null");
	out_member(o, "host", e->proto == PROTO_DNS ? e->name : r->host);
	out_member(o, "path", e->proto == PROTO_UNIX ? e->name : NULL);
}

static void out_task(struct out *o, const struct record *r)
{
	out_printf(o, ",\"pid\":%d,\"tid\":%d", r->pid, r->tid);
	out_member(o, "comm", r->comm);
	out_member(o, "exe", r->exe);
	out_member(o, "syscall", r->syscall);
}

int json_decision(const struct record *r, char *buf, size_t size)
{
	struct out o = event_begin(buf, size, "decision", r->ts, r->seq, r->generation);
	char reason[LINE_REASON_MAX];
	char rule[EXPLAIN_HINT_MAX];

	out_endpoint(&o, r);
	out_task(&o, r);
	if (r->decision.reason == REASON_RULE) {
		out_member(&o, "rule", r->rule);
		out_printf(&o, ",\"rule_index\":%d", r->decision.rule);
	} else {
		out_member(&o, "rule", line_reason(&r->decision, reason));
		out_printf(&o, ",\"rule_index\":null");
	}
	out_printf(&o, ",\"errno\":%d,\"latency_us\":%ju", r->error,
		   (uintmax_t)(r->latency_ns + 500) / 1000);
	out_member(&o, "hint", explain_flip(&r->endpoint, r->decision, rule));
	if (r->answers)
		out_printf(&o, ",\"answers\":%ju", (uintmax_t)r->answers);
	else
		out_printf(&o, ",\"answers\":null");
	return event_end(&o);
}

int json_exit(const struct json_exit *e, char *buf, size_t size)
{
	struct out o = event_begin(buf, size, "exit", e->ts, e->seq, e->generation);

	out_printf(&o, ",\"exit\":%d", e->exit);
	if (e->signal)
		out_printf(&o, ",\"signal\":%d", e->signal);
	else
		out_printf(&o, ",\"signal\":null");
	out_member(&o, "by", e->by);
	out_printf(&o, ",\"allowed\":%ju,\"denied\":%ju", (uintmax_t)e->allowed,
		   (uintmax_t)e->denied);
	return event_end(&o);
}
