/* SPDX-License-Identifier: MIT */
#include "policy/ports.h"

#include <stdio.h>
#include <string.h>

#include "policy/draft.h"

static void add_specs(struct port_set *set, const struct spec_list *specs)
{
	for (size_t i = 0; i < specs->n; i++) {
		const struct spec *spec = &specs->v[i];

		if (!spec->n_ports)
			memset(set, 0xff, sizeof(*set));
		for (size_t k = 0; k < spec->n_ports; k++)
			for (unsigned int port = spec->ports[k].lo; port <= spec->ports[k].hi;
			     port++)
				set->bit[port / 8] |= (uint8_t)(1 << port % 8);
	}
}

static bool is_ports_alone(const struct draft_rule *rule)
{
	if (rule->verdict != VERDICT_ALLOW || rule->dir != DIR_OUT)
		return false;
	for (size_t i = 0; i < rule->specs.n; i++)
		if (rule->specs.v[i].target != SPEC_EVERY || rule->specs.v[i].protos != SPEC_TCP)
			return false;
	return true;
}

struct offenders {
	char *text;
	size_t size, len, count;
};

static void offend(struct offenders *o, const char *text)
{
	int n = snprintf(o->text + o->len, o->size - o->len, "%s'%.100s'", o->count ? ", " : "",
			 text);

	o->count++;
	o->len += (size_t)n;
	if (o->len >= o->size)
		o->len = o->size - 1;
}

size_t draft_ports(const struct draft *d, struct port_set *connect, struct port_set *bind,
		   char *offenders, size_t size)
{
	struct offenders o = { .text = offenders, .size = size };

	memset(connect, 0, sizeof(*connect));
	memset(bind, 0, sizeof(*bind));
	for (size_t i = 0; i < draft_n_rules(d); i++) {
		const struct draft_rule *rule = draft_rule_at(d, i);

		if (is_ports_alone(rule))
			add_specs(connect, &rule->specs);
		else
			offend(&o, rule->text);
	}
	if (d->has_default && d->fallback != VERDICT_DENY)
		offend(&o, d->fallback == VERDICT_ALLOW ? "--default allow" : "--default ask");
	for (size_t i = 0; i < d->binds.n; i++)
		add_specs(bind, &d->binds.v[i].specs);
	for (size_t i = 0; d->bind == BIND_DENY && i < sizeof(bind->bit); i++)
		bind->bit[i] = (uint8_t)~bind->bit[i];
	bind->bit[0] |= 1;
	return o.count;
}
