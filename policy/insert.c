/* SPDX-License-Identifier: MIT */
/*
 * Putting a rule in front of a policy that may have been written with
 * --net-allow or --net-deny: it becomes the list of rules that means the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/draft.h"

static void write_spec(FILE *out, const struct spec *spec)
{
	char text[PREFIX_TEXT_MAX];
	bool bracket;

	switch (spec->protos) {
	case SPEC_TCP:
	case SPEC_UDP:
	case SPEC_ICMP:
		fprintf(out, "%s://",
			proto_name(spec->protos == SPEC_TCP   ? PROTO_TCP
				   : spec->protos == SPEC_UDP ? PROTO_UDP
							      : PROTO_ICMP));
		break;
	default:
		fputs("any://", out);
	}
	switch (spec->target) {
	case SPEC_EVERY:
		fputc('*', out);
		break;
	case SPEC_PREFIX:
		bracket = spec->n_ports && spec->prefix.addr.family == 6;
		fprintf(out, "%s%s%s", bracket ? "[" : "", prefix_text(spec->prefix, text),
			bracket ? "]" : "");
		break;
	case SPEC_GROUP:
		fputs(group_name(spec->group), out);
		break;
	case SPEC_SUFFIX:
		fprintf(out, ".%s", spec->name);
		break;
	case SPEC_HOST:
	case SPEC_PATH:
		fputs(spec->name, out);
		break;
	}
	for (size_t i = 0; i < spec->n_ports; i++) {
		const struct port_range *p = &spec->ports[i];

		fprintf(out, "%c%u", i ? ',' : ':', p->lo);
		if (p->hi != p->lo)
			fprintf(out, "-%u", p->hi);
	}
}

/* Whether the specs mean the same to a rule of that verdict as they did to the option. */
static int means_the_same(const struct draft_rule *rule, const char *text)
{
	struct policy_error err;
	struct spec_list specs;
	bool same;
	int ret = spec_parse(text, SPEC_ANY, &specs, &err);

	if (ret)
		return ret == -ENOMEM ? ret : 0;
	same = specs.n == rule->specs.n;
	for (size_t i = 0; same && i < specs.n; i++)
		same = specs.v[i].protos == rule->specs.v[i].protos;
	spec_list_free(&specs);
	return same;
}

int draft_spell_out(struct draft_rule *rule)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	fputs("deny ", out);
	for (size_t i = 0; i < rule->specs.n; i++) {
		if (i)
			fputc(',', out);
		write_spec(out, &rule->specs.v[i]);
	}
	if (ferror(out) | fclose(out)) {
		free(text);
		return -ENOMEM;
	}
	free(rule->text);
	rule->text = text;
	return 0;
}

/*
 * A --net-deny without a scheme is about tcp, a deny rule about every protocol: such a text changes.
 */
static int make_rule(struct draft_rule *rule)
{
	int same = means_the_same(rule, rule->text + strlen("deny "));

	if (same)
		return same < 0 ? same : 0;
	return draft_spell_out(rule);
}

int draft_to_rules(struct draft *d)
{
	int ret = 0;

	if (d->family == FAMILY_DENY) {
		for (size_t i = 0; !ret && i < d->rules.n; i++)
			ret = make_rule(&d->rules.v[i]);
		if (ret)
			return ret;
		d->fallback = draft_fallback(d);
		d->has_default = true;
	}
	if (d->family != FAMILY_NONE)
		d->family = FAMILY_RULES;
	return 0;
}

int draft_insert(struct draft *d, const char *rule, struct policy_error *err)
{
	struct draft_rule last;
	int ret = draft_to_rules(d);

	if (!ret)
		ret = draft_rule(d, rule, err);
	if (ret)
		return ret;
	last = d->rules.v[d->rules.n - 1];
	memmove(d->rules.v + 1, d->rules.v, (d->rules.n - 1) * sizeof(last));
	d->rules.v[0] = last;
	return 0;
}
