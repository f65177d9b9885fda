/* SPDX-License-Identifier: MIT */
/*
 * Everything that reads a text of the policy language, under libFuzzer:
 *
 *   make SAN=1 build/san/spec_fuzz
 *   build/san/spec_fuzz -dict=selftests/fuzz/spec.dict -max_len=300
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/explain.h"
#include "policy/live.h"
#include "policy/names.h"
#include "policy/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is refused has a message of one line. */
static bool accepted(int ret, const struct policy_error *err)
{
	assert(ret >= 0 || ret == -EINVAL);
	assert(ret >= 0 || (*err->text && !strpbrk(err->text, "\r\n")));
	return ret >= 0;
}

static void check_spec(const struct spec *s)
{
	char text[PREFIX_TEXT_MAX];
	struct prefix again;

	assert(s->protos);
	for (size_t i = 0; i < s->n_ports; i++)
		assert(s->ports[i].lo && s->ports[i].lo <= s->ports[i].hi);
	switch (s->target) {
	case SPEC_PREFIX:
		assert(!prefix_parse(prefix_text(s->prefix, text), &again));
		assert(!prefix_compare(s->prefix, again));
		break;
	case SPEC_HOST:
	case SPEC_SUFFIX:
		assert(*s->name && strlen(s->name) <= 253 && !strpbrk(s->name, " \t/:,%*@"));
		break;
	default:
		break;
	}
}

static void try_spec(const char *text, unsigned int protos)
{
	struct policy_error err = { "" };
	struct spec_list list;

	if (!accepted(spec_parse(text, protos, &list, &err), &err))
		return;
	assert(list.n);
	for (size_t i = 0; i < list.n; i++)
		check_spec(&list.v[i]);
	spec_list_free(&list);
}

/* Ask as if everything that can be live were: the address has names and is this machine's. */
static void try_endpoint(const struct policy *p, struct endpoint *e)
{
	struct addr_set this_host = { 0 };
	struct names *names = names_new();
	struct live live = { .this_host = &this_host, .names = names };

	assert(names && !addr_set_add(&this_host, e->addr));
	assert(!names_bind(names, e->addr, "www.host.example", 1));
	assert(!names_bind(names, e->addr, "host.example", 1));
	free(explain_why(p, NULL, e));
	e->self = policy_asks_self(p, &live, e);
	policy_decide(p, &live, e);
	free(explain_why(p, &live, e));
	live.host = LIVE_HOST_UNSURE;
	policy_decide(p, &live, e);
	names_free(names);
	addr_set_free(&this_host);
}

static void try_rule(const char *rule, char *line)
{
	struct policy_error err = { "" };
	struct draft *d = draft_new();
	struct policy *p = NULL;
	char name[DOMAIN_TEXT_MAX];
	struct endpoint e;

	assert(d);
	if (accepted(draft_rule(d, rule, &err), &err)) {
		for (size_t i = 0; i < draft_hosts(d); i++)
			assert(*draft_host(d, i));
		assert(!policy_compile(d, &p));
		if (explain_parse(line, name, &e, &err) == 1)
			try_endpoint(p, &e);
		policy_free(p);
	}
	draft_free(d);
}

/* The input is a rule and, behind a newline, an endpoint. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_error err = { "" };
	char *text = strndup((const char *)data, size);
	struct spec_list ports;
	char *line;

	assert(text);
	try_spec(text, SPEC_TCP);
	try_spec(text, SPEC_ANY);
	if (accepted(spec_parse_ports(text, &ports, &err), &err))
		spec_list_free(&ports);
	line = text;
	strsep(&line, "\n");
	try_rule(text, line ? line : text + strlen(text));
	free(text);
	return 0;
}
