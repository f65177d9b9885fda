/* SPDX-License-Identifier: MIT */
#include "core/json.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "policy/addr.h"

static struct record record(void)
{
	struct record r = {
		.seq = 7,
		.generation = 1,
		.ts = { 1769903999, 123456789 },
		.endpoint = { .dir = DIR_OUT, .proto = PROTO_TCP, .port = 443 },
		.decision = { .verdict = VERDICT_DENY, .reason = REASON_DEFAULT },
		.pid = 4211,
		.tid = 4212,
		.comm = "curl",
		.exe = "/usr/bin/curl",
		.syscall = "connect",
		.error = ECONNREFUSED,
		.latency_ns = 12600,
	};

	cr_assert_eq(addr_parse("1.2.3.4", &r.endpoint.addr), 0);
	return r;
}

/* What a reader makes of the line; to be released with json_decref(). */
static json_t *parsed(const char *line, int len)
{
	json_error_t error;
	json_t *json;

	cr_assert_gt(len, 0);
	cr_assert_eq((size_t)len, strlen(line));
	cr_assert_null(strpbrk(line, "\n\r"));
	json = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	cr_assert_not_null(json, "%s at %d: %s", error.text, error.position, line);
	return json;
}

static json_t *decision(const struct record *r)
{
	static char line[JSON_LINE_MAX];

	return parsed(line, json_decision(r, line, sizeof(line)));
}

static const char *member(json_t *json, const char *key)
{
	json_t *value = json_object_get(json, key);

	cr_assert_not_null(value, "no key %s", key);
	return json_string_value(value);
}

static void assert_null(json_t *json, const char *key)
{
	cr_assert(json_is_null(json_object_get(json, key)), "%s is not null", key);
}

Test(json, a_decision_has_every_key)
{
	static const char *const keys[] = {
		"v",          "event", "ts",         "seq",  "generation", "direction",
		"verdict",    "proto", "addr",       "port", "host",       "path",
		"pid",        "tid",   "comm",       "exe",  "syscall",    "rule",
		"rule_index", "errno", "latency_us", "hint", "answers",
	};
	struct record r = record();
	json_t *json = decision(&r);
	json_int_t v, seq, port, index, pid, tid, error, latency;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cr_assert_not_null(json_object_get(json, keys[i]), "no key %s", keys[i]);
	cr_assert_eq(json_object_size(json), i);
	cr_assert_str_eq(member(json, "event"), "decision");
	cr_assert_str_eq(member(json, "ts"), "2026-01-31T23:59:59.123456Z");
	cr_assert_str_eq(member(json, "direction"), "out");
	cr_assert_str_eq(member(json, "verdict"), "deny");
	cr_assert_str_eq(member(json, "proto"), "tcp");
	cr_assert_str_eq(member(json, "addr"), "1.2.3.4");
	cr_assert_str_eq(member(json, "exe"), "/usr/bin/curl");
	cr_assert_str_eq(member(json, "rule"), "default");
	cr_assert_str_eq(member(json, "hint"), "allow 1.2.3.4:443");
	assert_null(json, "host");
	assert_null(json, "path");
	assert_null(json, "rule_index");
	assert_null(json, "answers");
	cr_assert_eq(json_unpack(json, "{sI sI sI sI sI sI sI}", "v", &v, "seq", &seq, "port",
				 &port, "pid", &pid, "tid", &tid, "errno", &error, "latency_us",
				 &latency),
		     0);
	cr_assert_eq(v, 1);
	cr_assert_eq(seq, 7);
	cr_assert_eq(port, 443);
	cr_assert_eq(pid, 4211);
	cr_assert_eq(tid, 4212);
	cr_assert_eq(error, ECONNREFUSED);
	cr_assert_eq(latency, 13);
	json_decref(json);

	r.decision = (struct decision){ .verdict = VERDICT_ALLOW, .rule = 3 };
	r.rule = "allow example.com:443";
	r.host = "example.com";
	r.answers = 6;
	json = decision(&r);
	cr_assert_str_eq(member(json, "rule"), "allow example.com:443");
	cr_assert_str_eq(member(json, "host"), "example.com");
	cr_assert_str_eq(member(json, "hint"), "deny tcp://1.2.3.4:443");
	cr_assert_eq(json_unpack(json, "{sI sI}", "rule_index", &index, "answers", &seq), 0);
	cr_assert_eq(index, 3);
	cr_assert_eq(seq, 6);
	json_decref(json);
}

/* What no rule decided no rule changes. */
Test(json, a_hint_is_a_rule_or_null)
{
	static const struct {
		enum reason reason;
		const char *hint;
	} cases[] = {
		{ REASON_RULE, "allow 1.2.3.4:443" },
		{ REASON_DEFAULT, "allow 1.2.3.4:443" },
		{ REASON_MAX_CONNECTIONS, NULL },
		{ REASON_PROTOCOL, NULL },
		{ REASON_ERROR, NULL },
		{ REASON_BLOCKED, NULL },
		{ REASON_REBIND, NULL },
		{ REASON_NONE_RESOLVED, NULL },
		{ REASON_BIND_UNLISTED, NULL },
		{ REASON_BIND_LISTED, NULL },
		{ REASON_CONTROL_SOCKET, NULL },
		{ REASON_PANIC, NULL },
	};
	struct record r = record();
	json_t *json;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.decision.reason = cases[i].reason;
		json = decision(&r);
		if (cases[i].hint)
			cr_assert_str_eq(member(json, "hint"), cases[i].hint);
		else
			assert_null(json, "hint");
		json_decref(json);
	}
	r.decision.reason = REASON_BIND_DEFAULT;
	r.endpoint.dir = DIR_IN;
	json = decision(&r);
	cr_assert_str_eq(member(json, "hint"), "allow in 1.2.3.4:443");
	json_decref(json);
	r.decision.reason = REASON_UNIX_DEFAULT;
	r.endpoint = (struct endpoint){ .proto = PROTO_UNIX };
	json = decision(&r);
	assert_null(json, "hint");
	json_decref(json);
}

Test(json, what_a_protocol_lacks_is_null)
{
	struct record r = record();
	json_t *json;

	r.endpoint = (struct endpoint){ .proto = PROTO_UNIX, .name = "/run/bus" };
	json = decision(&r);
	cr_assert_str_eq(member(json, "path"), "/run/bus");
	assert_null(json, "addr");
	assert_null(json, "port");
	json_decref(json);

	r.endpoint = (struct endpoint){ .proto = PROTO_DNS, .name = "example.com" };
	json = decision(&r);
	cr_assert_str_eq(member(json, "host"), "example.com");
	assert_null(json, "path");
	json_decref(json);

	r = record();
	r.endpoint.proto = PROTO_ICMP;
	r.decision.reason = REASON_ERROR;
	r.decision.error = EPERM;
	json = decision(&r);
	cr_assert_str_eq(member(json, "addr"), "1.2.3.4");
	cr_assert_str_eq(member(json, "rule"), "error EPERM");
	assert_null(json, "port");
	json_decref(json);
}

Test(json, any_bytes_make_a_line_that_parses)
{
	struct record r = record();
	char every[256], first[16];
	size_t i;
	json_t *json;

	for (i = 0; i < 255; i++)
		every[i] = (char)(i + 1);
	every[255] = '\0';
	r.endpoint = (struct endpoint){ .proto = PROTO_UNIX, .name = every };
	r.host = r.exe = every;
	for (i = 1; i < 256; i++) {
		memset(r.comm, 0, sizeof(r.comm));
		memset(r.comm, (int)i, 1 + i % 15);
		json = decision(&r);
		json_decref(json);
	}

	r.comm[0] = '\0';
	snprintf(first, sizeof(first), "a\"\\\x1b\n\xff");
	strcpy(r.comm, first);
	r.exe = "\xe2\x80\xae\xf3\xa0\x81\x81\xf0\x9f\xa6\x8a";
	json = decision(&r);
	cr_assert_str_eq(member(json, "comm"), "a\"\\\x1b\n\xef\xbf\xbd");
	cr_assert_str_eq(member(json, "exe"), r.exe);
	json_decref(json);
}

Test(json, no_line_acts_on_a_terminal)
{
	struct record r = record();
	char line[JSON_LINE_MAX];

	strcpy(r.comm, "\x1b[2J\xc2\x9b\x7f");
	r.exe = "\xe2\x80\xae";
	cr_assert_gt(json_decision(&r, line, sizeof(line)), 0);
	cr_assert_not_null(strstr(line, "\"comm\":\"\\u001b[2J\\u009b\\u007f\""), "%s", line);
	cr_assert_not_null(strstr(line, "\"exe\":\"\\u202e\""), "%s", line);
}

Test(json, the_longest_texts_fit)
{
	struct record r = record();
	char text[5000];
	json_t *json;

	memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	r.endpoint = (struct endpoint){ .proto = PROTO_UNIX, .name = text };
	r.host = r.exe = r.syscall = r.rule = text;
	r.decision.reason = REASON_RULE;
	r.decision.rule = 1;
	json = decision(&r);
	cr_assert_str_eq(member(json, "exe") + strlen(member(json, "exe")) - 3, "...");
	assert_null(json, "hint");
	json_decref(json);
}

Test(json, a_small_buffer_is_refused_and_not_exceeded)
{
	struct record r = record();
	char line[JSON_LINE_MAX], small[JSON_LINE_MAX];
	int len = json_decision(&r, line, sizeof(line)), size;

	for (size = 0; size <= len; size++) {
		memset(small, 'X', sizeof(small));
		cr_assert_eq(json_decision(&r, small, (size_t)size), -ENOSPC);
		cr_assert_eq(small[size], 'X');
	}
	cr_assert_eq(json_decision(&r, small, (size_t)len + 1), len);
	cr_assert_str_eq(small, line);
}

Test(json, start_names_the_command)
{
	char line[JSON_LINE_MAX], big[JSON_STRING_MAX + 1];
	char curl[] = "curl", url[] = "a\"\xff\n";
	char *argv[] = { curl, url, NULL },
	     *many[] = { big, big, big, big, big, big, big, big, NULL };
	struct json_start s = { .generation = 1, .name = "curl-1", .pid = 9, .argv = argv };
	json_t *json = parsed(line, json_start(&s, line, sizeof(line))), *words;

	cr_assert_str_eq(member(json, "event"), "start");
	cr_assert_str_eq(member(json, "name"), "curl-1");
	words = json_object_get(json, "argv");
	cr_assert_eq(json_array_size(words), 2);
	cr_assert_str_eq(json_string_value(json_array_get(words, 1)), "a\"\xef\xbf\xbd\n");
	json_decref(json);

	memset(big, 1, sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	s.argv = many;
	json = parsed(line, json_start(&s, line, sizeof(line)));
	words = json_object_get(json, "argv");
	cr_assert_geq(json_array_size(words), 2);
	cr_assert_lt(json_array_size(words), 8);
	json_decref(json);
}

Test(json, exit_says_how_and_by_whom)
{
	char line[JSON_LINE_MAX];
	struct json_exit e = { .exit = 3, .by = "command", .allowed = 4, .denied = 5 };
	json_t *json = parsed(line, json_exit(&e, line, sizeof(line)));
	json_int_t status, allowed, denied, number;

	cr_assert_eq(json_unpack(json, "{sI sI sI}", "exit", &status, "allowed", &allowed, "denied",
				 &denied),
		     0);
	cr_assert_eq(status, 3);
	cr_assert_eq(allowed, 4);
	cr_assert_eq(denied, 5);
	assert_null(json, "signal");
	json_decref(json);

	e.exit = 137;
	e.signal = 9;
	e.by = "sandtop";
	json = parsed(line, json_exit(&e, line, sizeof(line)));
	cr_assert_eq(json_unpack(json, "{sI}", "signal", &number), 0);
	cr_assert_eq(number, 9);
	cr_assert_str_eq(member(json, "by"), "sandtop");
	json_decref(json);
}
