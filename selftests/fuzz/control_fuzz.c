/* SPDX-License-Identifier: MIT */
/*
 * What a client sends, under libFuzzer: a packet, and what a reload makes of a
 * rule or a profile in it.
 *
 *   make SAN=1 build/san/control_fuzz && build/san/control_fuzz -max_len=4096
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/control.h"
#include "policy/diff.h"
#include "policy/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct draft *build(const struct source *s)
{
	struct policy_error err = { "" };
	struct draft *d = NULL;
	int ret = source_build(s, &d, &err);

	assert(ret == 0 || ret == -EINVAL);
	assert(ret == 0 || (*err.text && !strpbrk(err.text, "\r\n")));
	return d;
}

/* A change as it is made of a request, with the diff that its reply has. */
static void change(const char *rule, const char *profile, size_t size)
{
	struct source *before = source_new(), *after;
	struct draft *from, *to;
	struct policy *p;
	struct diff diff;

	assert(before && !source_set_profile(before, "p", profile, size));
	after = source_copy(before);
	assert(after && !source_insert(after, rule));
	from = build(before);
	to = build(after);
	if (to) {
		assert(!policy_compile(to, &p));
		policy_free(p);
	}
	if (from && to) {
		assert(!draft_diff(from, to, &diff));
		assert(diff.added.n <= 2);
		diff_free(&diff);
	}
	draft_free(from);
	draft_free(to);
	source_free(before);
	source_free(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *packet = control_parse((const char *)data, size);
	const json_t *text = json_object_get(packet, "text");
	const char *rule = json_string_value(json_object_get(packet, "rule"));

	if (packet)
		assert(json_is_object(packet) && size <= CONTROL_PACKET_MAX);
	if (rule && json_is_string(text))
		change(rule, json_string_value(text), json_string_length(text));
	json_decref(packet);
	return 0;
}
