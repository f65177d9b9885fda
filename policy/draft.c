/* SPDX-License-Identifier: MIT */
#include "policy/draft.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "policy/array.h"
#include "policy/error.h"

static const struct {
	const char *name;
	const char *rules[6];
} presets[] = {
	{ "none", { "deny any://*" } },
	{ "allow-all", { "allow any://*", "allow in any://*", "allow unix:*" } },
	{ "public-only", { "deny any://private", "allow any://*" } },
	{ "non-local",
	  { "deny any://@loopback", "deny any://@link-local", "deny any://@metadata",
	    "deny any://@this-host", "allow any://*" } },
};

struct draft *draft_new(void)
{
	return calloc(1, sizeof(struct draft));
}

static void rules_free(struct draft_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		free(rules->v[i].text);
		spec_list_free(&rules->v[i].specs);
	}
	free(rules->v);
}

static void keep(void *node)
{
	(void)node; /* the tree's nodes are hosts, which the array owns */
}

void draft_free(struct draft *d)
{
	if (!d)
		return;
	tdestroy(d->hosts_by_name, keep);
	for (size_t i = 0; i < d->n_hosts; i++) {
		free(d->hosts[i]->name);
		prefix_list_free(&d->hosts[i]->prefixes);
		free(d->hosts[i]);
	}
	free(d->hosts);
	pathnames_free(&d->paths);
	rules_free(&d->rules);
	rules_free(&d->preset);
	rules_free(&d->binds);
	addr_set_free(&d->this_host);
	prefix_list_free(&d->nameservers);
	dns_draft_free(&d->dns);
	free(d);
}

static int by_name(const void *a, const void *b)
{
	const struct draft_host *g = a;
	const struct draft_host *h = b;

	return strcmp(g->name, h->name);
}

const struct draft_host *draft_host_find(const struct draft *d, const char *name)
{
	struct draft_host key = { .name = (char *)name };
	struct draft_host **node = tfind(&key, &d->hosts_by_name, by_name);

	return node ? *node : NULL;
}

enum verdict draft_fallback(const struct draft *d)
{
	if (d->has_default)
		return d->fallback;
	return d->family == FAMILY_DENY ? VERDICT_ALLOW : VERDICT_DENY;
}

void draft_set_learning(struct draft *d)
{
	d->learns = true;
}

static int add_host(struct draft *d, const char *name)
{
	struct draft_host **hosts;
	struct draft_host *host;

	if (draft_host_find(d, name))
		return 0;
	hosts = array_room(d->hosts, d->n_hosts, sizeof(*hosts));
	if (!hosts)
		return -ENOMEM;
	d->hosts = hosts;

	host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	host->name = strdup(name);
	if (!host->name || !tsearch(host, &d->hosts_by_name, by_name)) {
		free(host->name);
		free(host);
		return -ENOMEM;
	}
	hosts[d->n_hosts++] = host;
	return 0;
}

/* Takes ownership of rule->specs when it succeeds; the text is copied. */
static int add_rule(struct draft *d, struct draft_rules *rules, const struct draft_rule *rule)
{
	struct draft_rule *v = array_room(rules->v, rules->n, sizeof(*v));
	char *text;

	if (!v)
		return -ENOMEM;
	rules->v = v;
	for (size_t i = 0; i < rule->specs.n; i++) {
		const struct spec *spec = &rule->specs.v[i];

		if (spec->target == SPEC_HOST && add_host(d, spec->name))
			return -ENOMEM;
		d->has_suffix |= spec->target == SPEC_SUFFIX;
		if (spec->target == SPEC_PATH && pathnames_add(&d->paths, spec->name))
			return -ENOMEM;
	}
	text = strdup(rule->text);
	if (!text)
		return -ENOMEM;
	v[rules->n] = *rule;
	v[rules->n++].text = text;
	return 0;
}

/* The option by which the draft's family was chosen. */
static const char *family_option(const struct draft *d)
{
	switch (d->family) {
	case FAMILY_ALLOW:
		return "--net-allow";
	case FAMILY_DENY:
		return "--net-deny";
	default:
		return d->rules.n ? "--rule" : "--preset";
	}
}

/* Whether the family leaves what no rule matches to this verdict. */
static bool goes_with(enum draft_family family, enum verdict fallback)
{
	return family == FAMILY_ALLOW  ? fallback != VERDICT_ALLOW
	       : family == FAMILY_DENY ? fallback != VERDICT_DENY
				       : true;
}

/* Whether rules of the family may be added by an option that says `text`. */
static int check_family(const struct draft *d, enum draft_family family, const char *text,
			struct policy_error *err)
{
	if (d->family != FAMILY_NONE && d->family != family &&
	    !(d->only_hosts && family == FAMILY_RULES))
		return policy_error_set(err,
					QUOTED ": mutually exclusive with %s: "
					       "write all of them as --rule",
					text, family_option(d));
	if (d->has_default && !goes_with(family, d->fallback))
		return policy_error_set(err, QUOTED ": does not go with --default %s: expected %s",
					text, verdict_name(d->fallback),
					family == FAMILY_ALLOW ? "deny or ask" : "allow or ask");
	return 0;
}

/* A --net-deny with a name, or with what is denied without it. */
static int check_deny(const struct spec_list *specs, const char *text, struct policy_error *err)
{
	for (size_t i = 0; i < specs->n; i++) {
		const struct spec *spec = &specs->v[i];

		/* Resolved once, a deny rule lets through every address the name gets later. */
		if (spec->target == SPEC_HOST)
			return policy_error_set(err,
						QUOTED ": cannot deny a name by its addresses: "
						       "use --block-domain %.100s",
						text, spec->name);
		if (spec->target == SPEC_SUFFIX)
			return policy_error_set(err,
						QUOTED ": cannot deny names by their addresses: "
						       "use --block-suffix .%.100s, or "
						       "--block-domain for the name itself",
						text, spec->name);
		if (spec->target == SPEC_PATH)
			return policy_error_set(err,
						QUOTED ": every unix socket outside the sandbox "
						       "is denied anyway: leave it out, or write "
						       "all of them as --rule",
						text);
	}
	return 0;
}

/* Rules with direction `in` match the local address of bind and listen. */
static int check_in(struct draft_rule *rule, const char *text, struct policy_error *err)
{
	for (size_t i = 0; i < rule->specs.n; i++) {
		struct spec *spec = &rule->specs.v[i];

		spec->protos &= SPEC_TCP | SPEC_UDP;
		if (!spec->protos || spec->name ||
		    (spec->target == SPEC_GROUP && spec->group == GROUP_SELF))
			return policy_error_set(err,
						QUOTED
						": not a local address: expected tcp, udp "
						"or any with an address, * or a group other than "
						"@self",
						text);
	}
	return 0;
}

static int add_option(struct draft *d, enum draft_family family, const char *text,
		      struct policy_error *err)
{
	struct draft_rule rule = {
		.verdict = family == FAMILY_DENY ? VERDICT_DENY : VERDICT_ALLOW,
		.dir = DIR_OUT,
	};
	const char *action = verdict_name(rule.verdict);
	int ret;

	ret = check_family(d, family, text, err);
	if (ret)
		return ret;
	ret = spec_parse(text, SPEC_TCP, &rule.specs, err);
	if (ret)
		return ret;
	ret = family == FAMILY_DENY ? check_deny(&rule.specs, text, err) : 0;
	if (ret)
		goto out_free;

	rule.text = malloc(strlen(action) + 1 + strlen(text) + 1);
	if (!rule.text) {
		ret = -ENOMEM;
		goto out_free;
	}
	stpcpy(stpcpy(stpcpy(rule.text, action), " "), text);
	ret = add_rule(d, &d->rules, &rule);
	free(rule.text);
	if (!ret) {
		d->family = family;
		d->only_hosts = false;
		return 0;
	}
out_free:
	spec_list_free(&rule.specs);
	return ret;
}

int draft_allow(struct draft *d, const char *text, struct policy_error *err)
{
	return add_option(d, FAMILY_ALLOW, text, err);
}

int draft_deny(struct draft *d, const char *text, struct policy_error *err)
{
	return add_option(d, FAMILY_DENY, text, err);
}

/* The next word of *s, `len` bytes; *s moves behind it and the blanks around it. */
static const char *next_word(const char **s, size_t *len)
{
	const char *word = *s + strspn(*s, SPEC_BLANKS);

	*len = strcspn(word, SPEC_BLANKS);
	*s = word + *len;
	*s += strspn(*s, SPEC_BLANKS);
	return word;
}

static bool is_word(const char *word, size_t len, const char *name)
{
	return len == strlen(name) && !strncmp(word, name, len);
}

/* The verdict that the word names, or -EINVAL. */
static int find_action(const char *word, size_t len)
{
	for (int verdict = VERDICT_DENY; verdict <= VERDICT_ASK; verdict++) {
		if (is_word(word, len, verdict_name(verdict)))
			return verdict;
	}
	return -EINVAL;
}

/* Read a rule; on success rule->specs is to be freed and rule->text is `text` itself. */
static int parse_rule(struct draft_rule *rule, const char *text, struct policy_error *err)
{
	const char *spec = text;
	const char *after;
	const char *word;
	size_t len;
	int action;

	word = next_word(&spec, &len);
	if (!len)
		return policy_error_set(err,
					QUOTED ": empty rule: expected allow, deny or ask and "
					       "an endpoint",
					text);
	action = find_action(word, len);
	if (action < 0)
		return policy_error_set(
			err, QUOTED ": unknown action '%.*s': expected allow, deny or ask", text,
			len > 50 ? 50 : (int)len, word);
	*rule = (struct draft_rule){ .verdict = action, .dir = DIR_OUT, .text = (char *)text };
	after = spec;
	word = next_word(&after, &len);
	if (is_word(word, len, "in") || is_word(word, len, "out")) {
		rule->dir = is_word(word, len, "in") ? DIR_IN : DIR_OUT;
		spec = after;
		next_word(&after, &len);
	}
	if (!len)
		return policy_error_set(
			err, QUOTED ": empty rule: expected an endpoint, such as *:443", text);
	return spec_parse(spec, action == VERDICT_ALLOW ? SPEC_TCP : SPEC_ANY, &rule->specs, err);
}

static const char *bind_option(enum draft_bind bind)
{
	return bind == BIND_ALLOW ? "--net-allow-bind" : "--net-deny-bind";
}

static int check_bind(const struct draft *d, const char *text, struct policy_error *err)
{
	if (d->bind == BIND_NONE)
		return 0;
	return policy_error_set(err, QUOTED ": rules with 'in' and %s are mutually exclusive", text,
				bind_option(d->bind));
}

int draft_rule(struct draft *d, const char *text, struct policy_error *err)
{
	struct draft_rule rule;
	int ret;

	ret = check_family(d, FAMILY_RULES, text, err);
	if (ret)
		return ret;
	ret = parse_rule(&rule, text, err);
	if (ret)
		return ret;
	if (rule.dir == DIR_IN) {
		ret = check_in(&rule, text, err);
		if (!ret)
			ret = check_bind(d, text, err);
	}
	if (!ret)
		ret = add_rule(d, &d->rules, &rule);
	if (ret) {
		spec_list_free(&rule.specs);
		return ret;
	}
	d->has_in |= rule.dir == DIR_IN;
	d->family = FAMILY_RULES;
	d->only_hosts = false;
	return 0;
}

/* Nothing is checked but the grammar: a preset may say what this build keeps from the user. */
static int add_preset_rule(struct draft *d, const char *text, struct policy_error *err)
{
	struct draft_rule rule;
	int ret;

	ret = parse_rule(&rule, text, err);
	if (ret)
		return ret;
	ret = rule.dir == DIR_IN ? check_in(&rule, text, err) : 0;
	if (!ret)
		ret = add_rule(d, &d->preset, &rule);
	if (ret)
		spec_list_free(&rule.specs);
	return ret;
}

static int find_preset(const char *name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(*presets); i++) {
		if (!strcmp(name, presets[i].name))
			return i;
	}
	return -EINVAL;
}

static int check_preset(const struct draft *d, const char *name, struct policy_error *err)
{
	if (d->preset.n)
		return policy_error_set(err, QUOTED ": a second preset: expected one", name);
	if (d->has_default)
		return policy_error_set(err,
					QUOTED ": decides every request: "
					       "expected no --default beside it",
					name);
	return 0;
}

int draft_preset(struct draft *d, const char *name, struct policy_error *err)
{
	int preset = find_preset(name);
	bool has_in = false;
	int ret;

	if (preset < 0)
		return policy_error_set(err,
					QUOTED ": unknown preset: expected none, allow-all, "
					       "public-only or non-local",
					name);
	ret = check_family(d, FAMILY_RULES, name, err);
	if (!ret)
		ret = check_preset(d, name, err);
	if (ret)
		return ret;

	for (const char *const *text = presets[preset].rules; !ret && *text; text++)
		ret = add_preset_rule(d, *text, err);
	for (size_t i = 0; i < d->preset.n; i++)
		has_in |= d->preset.v[i].dir == DIR_IN;
	if (!ret && has_in)
		ret = check_bind(d, name, err);
	if (ret) {
		rules_free(&d->preset);
		d->preset = (struct draft_rules){ 0 };
		return ret;
	}
	d->has_in |= has_in;
	d->family = FAMILY_RULES;
	d->only_hosts = false;
	d->preset_name = presets[preset].name;
	return 0;
}

void draft_set_panic(struct draft *d)
{
	d->panic = true;
}

int draft_default(struct draft *d, const char *text, struct policy_error *err)
{
	int verdict = find_action(text, strlen(text));

	if (verdict < 0)
		return policy_error_set(err, QUOTED ": invalid value: expected allow, deny or ask",
					text);
	if (d->preset.n)
		return policy_error_set(err,
					QUOTED ": does not go with --preset, "
					       "which decides every request",
					text);
	if (!goes_with(d->family, verdict))
		return policy_error_set(err, QUOTED ": does not go with %s: expected %s", text,
					family_option(d),
					d->family == FAMILY_ALLOW ? "deny or ask" : "allow or ask");
	d->has_default = true;
	d->fallback = verdict;
	return 0;
}

static int add_bind(struct draft *d, enum draft_bind bind, const char *ports,
		    struct policy_error *err)
{
	struct draft_rule rule = { .text = (char *)ports };
	int ret;

	if (d->bind != BIND_NONE && d->bind != bind)
		return policy_error_set(err,
					QUOTED ": mutually exclusive with %s: "
					       "expected one of both",
					ports, bind_option(d->bind));
	if (d->has_in)
		return policy_error_set(err,
					QUOTED ": mutually exclusive with rules that have 'in': "
					       "write it as one of them",
					ports);
	ret = spec_parse_ports(ports, &rule.specs, err);
	if (ret)
		return ret;
	ret = add_rule(d, &d->binds, &rule);
	if (ret)
		spec_list_free(&rule.specs);
	else
		d->bind = bind;
	return ret;
}

int draft_allow_bind(struct draft *d, const char *ports, struct policy_error *err)
{
	return add_bind(d, BIND_ALLOW, ports, err);
}

int draft_deny_bind(struct draft *d, const char *ports, struct policy_error *err)
{
	return add_bind(d, BIND_DENY, ports, err);
}

size_t draft_hosts(const struct draft *d)
{
	return d->n_hosts;
}

const char *draft_host(const struct draft *d, size_t i)
{
	return d->hosts[i]->name;
}

size_t draft_paths(const struct draft *d)
{
	return d->paths.n;
}

const char *draft_path(const struct draft *d, size_t i)
{
	return d->paths.v[i]->name;
}

int draft_path_set(struct draft *d, size_t i, const char *real)
{
	return pathnames_set(&d->paths, i, real);
}

int draft_host_add(struct draft *d, size_t i, struct addr addr)
{
	/* How a resolver says that a name is blocked; it must not open this machine's loopback. */
	if (addr_is_unspecified(addr))
		return 0;
	return prefix_list_add(&d->hosts[i]->prefixes, prefix_of(addr));
}

int draft_this_host_add(struct draft *d, struct addr addr)
{
	return addr_set_add(&d->this_host, addr);
}

int draft_nameserver_add(struct draft *d, struct addr addr)
{
	struct endpoint e = endpoint_out(PROTO_UDP, addr, 53);

	return prefix_list_add(&d->nameservers, prefix_of(e.addr));
}
