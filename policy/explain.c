/* SPDX-License-Identifier: MIT */
#include "policy/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/error.h"
#include "policy/names.h"
#include "policy/spec.h"

#define BLANKS " \t\r\n"

/* The next word of *rest, which moves to the one behind it; "" at the end. */
static char *next_word(char **rest)
{
	char *word = *rest;

	*rest += strcspn(*rest, BLANKS);
	if (**rest)
		*(*rest)++ = '\0';
	*rest += strspn(*rest, BLANKS);
	return word;
}

static int find_proto(const char *name)
{
	for (enum proto proto = 0; proto < PROTO_COUNT; proto++) {
		if (!strcmp(name, proto_name(proto)))
			return proto;
	}
	return -EINVAL;
}

/* An address, perhaps in brackets and with a scope id, which is cut off. */
static int parse_addr(char *text, struct addr *addr, struct policy_error *err)
{
	size_t n = strlen(text);
	char *zone;

	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		text[n - 1] = '\0';
		text++;
	}
	zone = strchr(text, '%');
	if (zone)
		*zone = '\0';
	if (addr_parse(text, addr))
		return policy_error_set(
			err, QUOTED ": not an address: expected IPv4 or IPv6, no name", text);
	return 0;
}

/* Returns a port number or -EINVAL. */
static int parse_port(const char *text, struct policy_error *err)
{
	unsigned long port = strtoul(text, NULL, 10);

	if (!*text || strlen(text) > 5 || text[strspn(text, "0123456789")] || port > UINT16_MAX)
		return policy_error_set(err, QUOTED ": invalid port: expected a number up to 65535",
					text);
	return port;
}

/* Cut ADDR:PORT or [ADDR]:PORT in two; returns the port, or "" when there is none. */
static char *cut_port(char *body)
{
	char *from = *body == '[' ? body + strcspn(body, "]") : body;
	char *colon = strchr(from, ':');

	if (!colon || strchr(colon + 1, ':'))
		return body + strlen(body);
	*colon = '\0';
	return colon + 1;
}

static int refuse_direction(enum proto proto, struct policy_error *err)
{
	return policy_error_set(err, "'in %s': expected in tcp or in udp", proto_name(proto));
}

/* What stands behind the protocol of tcp, udp and icmp. */
static int parse_inet(enum direction dir, enum proto proto, char *text, char *port,
		      struct endpoint *e, struct policy_error *err)
{
	struct addr addr;
	int number = 0;
	int ret;

	if (dir == DIR_IN && proto == PROTO_ICMP)
		return refuse_direction(proto, err);
	if (!*text || (proto != PROTO_ICMP && !*port))
		return policy_error_set(err, "%s is missing: expected %s ADDR%s",
					*text ? "a port" : "an address", proto_name(proto),
					proto == PROTO_ICMP ? "" : " PORT");
	ret = parse_addr(text, &addr, err);
	if (ret)
		return ret;
	if (proto != PROTO_ICMP) {
		number = parse_port(port, err);
		if (number < 0)
			return number;
	}
	*e = dir == DIR_IN ? endpoint_in(proto, addr, number) : endpoint_out(proto, addr, number);
	return 1;
}

/* What stands behind unix. */
static int parse_socket(const char *name, struct endpoint *e, struct policy_error *err)
{
	if (*name != '/' && *name != '@')
		return policy_error_set(err, QUOTED ": expected unix /PATH or unix @NAME", name);
	if (strlen(name) >= ENDPOINT_NAME_MAX)
		return policy_error_set(err, QUOTED ": too long: expected at most %d bytes", name,
					ENDPOINT_NAME_MAX - 1);
	/* An answer has its fields between tabs and ends with a newline. */
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return policy_error_set(err, QUOTED ": expected no control characters",
						name);
	*e = (struct endpoint){ .proto = PROTO_UNIX, .name = name };
	return 1;
}

/* What stands behind dns. */
static int parse_host(const char *text, char name[static DOMAIN_TEXT_MAX], struct endpoint *e,
		      struct policy_error *err)
{
	if (domain_normalise(text, name))
		return policy_error_set(err, QUOTED ": expected dns NAME", text);
	*e = (struct endpoint){ .proto = PROTO_DNS, .name = name };
	return 1;
}

static int extra(const char *text, struct policy_error *err)
{
	return policy_error_set(err, QUOTED ": expected nothing more on the line", text);
}

int explain_parse(char *line, char name[static DOMAIN_TEXT_MAX], struct endpoint *e,
		  struct policy_error *err)
{
	enum direction dir = DIR_OUT;
	size_t n = strlen(line);
	char *addr, *port;
	char *word, *scheme;
	int proto;

	while (n && strchr(BLANKS, line[n - 1]))
		line[--n] = '\0';
	line += strspn(line, BLANKS);
	if (!*line || *line == '#')
		return 0;

	word = next_word(&line);
	if (!strcmp(word, "in")) {
		dir = DIR_IN;
		word = next_word(&line);
	}
	scheme = strstr(word, "://");
	if (scheme)
		*scheme = '\0';
	proto = find_proto(word);
	if (proto < 0)
		return policy_error_set(
			err,
			QUOTED ": unknown protocol: expected tcp, udp, icmp, unix or dns, as in "
			       "tcp://1.2.3.4:443",
			word);
	addr = scheme ? scheme + 3 : line;
	if (scheme && *line)
		return extra(line, err);
	if (dir == DIR_IN && (proto == PROTO_UNIX || proto == PROTO_DNS))
		return refuse_direction(proto, err);
	/* A path may have blanks. */
	if (proto == PROTO_UNIX)
		return parse_socket(addr, e, err);
	if (proto == PROTO_DNS)
		return parse_host(addr, name, e, err);
	if (scheme) {
		port = cut_port(addr);
	} else {
		addr = next_word(&line);
		port = next_word(&line);
	}
	if (*line)
		return extra(line, err);
	return parse_inet(dir, proto, addr, port, e, err);
}

/* Close the stream that writes to *text; returns *text, or NULL after an error. */
static char *finish(FILE *out, char **text)
{
	bool failed = ferror(out);

	if (!fclose(out) && !failed)
		return *text;
	free(*text);
	return NULL;
}

/* ADDR, a path or a name, as the endpoint is judged. */
static const char *target_text(const struct endpoint *e, char buf[static ADDR_TEXT_MAX])
{
	return e->name ? e->name : addr_text(e->addr, buf);
}

static bool has_port(const struct endpoint *e)
{
	return e->proto == PROTO_TCP || e->proto == PROTO_UDP;
}

static void print_answer(FILE *out, const struct policy *p, const struct endpoint *e,
			 struct decision d)
{
	char addr[ADDR_TEXT_MAX];

	fprintf(out, "%s\t%s%s\t%s\t", verdict_name(d.verdict), e->dir == DIR_IN ? "in " : "",
		proto_name(e->proto), target_text(e, addr));
	if (has_port(e))
		fprintf(out, "%u\t", e->port);
	else
		fprintf(out, "-\t");
	if (d.reason == REASON_RULE)
		fprintf(out, "%d\t%s", d.rule, policy_rule_text(p, d.rule));
	else
		fprintf(out, "-\t%s%s%s", reason_name(d.reason), d.name ? " " : "",
			d.name ? d.name : "");
}

char *explain_answer(const struct policy *p, const struct live *live, const struct endpoint *e)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_answer(out, p, e, policy_decide(p, live, e));
	return finish(out, &text);
}

/* How far one entry of a rule goes along with the endpoint. */
enum fit { FIT_NOTHING, FIT_PROTO, FIT_ADDR, FIT_PORT };

/* What is explained. */
struct asked {
	const struct policy *policy;
	const struct live *live;
	const struct endpoint *endpoint;
	const struct addr *outer; /* the address that has the endpoint's inside, or NULL */
};

/* Whether a name that the address has is the entry's. */
static bool has_name(const struct asked *a, const struct table_entry *entry, struct addr addr)
{
	const char *name;
	uint32_t at = 0;

	if (!a->live || !a->live->names)
		return false;
	while ((name = names_next(a->live->names, addr, a->live->now, &at)))
		if (policy_name_holds(a->policy, entry->prefix, name))
			return true;
	return false;
}

/* Whether the endpoint's address is whom the entry is about. */
static bool is_about(const struct asked *a, const struct table_entry *entry)
{
	const struct endpoint *e = a->endpoint;
	struct prefix literal = prefix_of((struct addr){ .family = e->addr.family });
	bool own = policy_is_this_host(a->policy, a->live, e->addr);

	switch ((enum subject)entry->subject) {
	case SUBJECT_NAME:
		return has_name(a, entry, e->addr) || (a->outer && has_name(a, entry, *a->outer));
	case SUBJECT_SELF:
		return e->self && prefix_holds(entry->prefix, e->addr);
	case SUBJECT_THIS_HOST:
		return own && prefix_holds(entry->prefix, e->addr);
	case SUBJECT_PUBLIC:
		return !own && prefix_holds(entry->prefix, e->addr);
	default:
		return prefix_holds(entry->prefix, e->addr) ||
		       (e->unspecified && !prefix_compare(entry->prefix, literal));
	}
}

static enum fit entry_fit(const struct asked *a, const struct table_entry *entry)
{
	const struct endpoint *e = a->endpoint;
	uint32_t what = service(e->proto, e->proto == PROTO_ICMP ? 0 : e->port);

	if (entry->lo >> 16 != what >> 16)
		return FIT_NOTHING;
	if (!is_about(a, entry))
		return FIT_PROTO;
	return entry->lo <= what && what <= entry->hi ? FIT_PORT : FIT_ADDR;
}

/* The index of the rule's first path; what follows up to p->rules[rule - 1].paths_end is its own.
 */
static size_t first_path(const struct policy *p, int rule)
{
	return rule > 1 ? p->rules[rule - 2].paths_end : 0;
}

static bool has_paths(const struct policy *p, int rule)
{
	return first_path(p, rule) < p->rules[rule - 1].paths_end;
}

static const char *path_fit(const struct policy *p, int rule, const char *name)
{
	for (size_t i = first_path(p, rule); i < p->rules[rule - 1].paths_end; i++)
		if (path_entry_matches(&p->paths[i], name))
			return "match";
	return has_paths(p, rule) ? "other path" : "other protocol";
}

/* Why no address of the rule, whose entries are begin .. end, is the endpoint's. */
static const char *other_address(const struct policy *p, size_t begin, size_t end)
{
	const char *why = "no live name";

	for (size_t i = begin; i < end; i++) {
		if (p->entries[i].subject == SUBJECT_SELF)
			why = "no socket of the sandbox";
		else if (p->entries[i].subject != SUBJECT_NAME)
			return "other address";
	}
	return why;
}

static bool is_every_port(const struct table_entry *entry)
{
	return !(uint16_t)entry->lo && (uint16_t)entry->hi == UINT16_MAX;
}

/* "match", or why the rule has no say in a query for a name. */
static const char *query_fit(const struct asked *a, int rule)
{
	const struct policy *p = a->policy;
	const struct policy_rule *r = &p->rules[rule - 1];
	const char *fit = "other protocol";

	if (!policy_has_sinkhole(p))
		return fit;
	if (r->at_large)
		return "match";
	for (size_t i = rule > 1 ? r[-1].end : 0; i < r->end; i++) {
		const struct table_entry *entry = &p->entries[i];

		if (entry->subject != SUBJECT_NAME)
			continue;
		if (!policy_name_holds(p, entry->prefix, a->endpoint->name))
			fit = "other name";
		/* A name that is refused on some ports has a use on the others. */
		else if (r->verdict == VERDICT_DENY && !is_every_port(entry))
			return "other port";
		else
			return "match";
	}
	return fit;
}

/* "match", or what did not match. */
static const char *rule_fit(const struct asked *a, int rule)
{
	static const char *const names[] = {
		[FIT_NOTHING] = "other protocol",
		[FIT_ADDR] = "other port",
		[FIT_PORT] = "match",
	};
	const struct policy *p = a->policy;
	size_t begin = rule > 1 ? p->rules[rule - 2].end : 0;
	size_t end = p->rules[rule - 1].end;
	enum fit best = FIT_NOTHING;

	if (p->rules[rule - 1].dir != a->endpoint->dir)
		return "other direction";
	if (a->endpoint->proto == PROTO_DNS)
		return query_fit(a, rule);
	if (a->endpoint->proto == PROTO_UNIX)
		return path_fit(p, rule, a->endpoint->name);
	for (size_t i = begin; i < end; i++) {
		enum fit fit = entry_fit(a, &p->entries[i]);

		if (fit > best)
			best = fit;
	}
	return best == FIT_PROTO ? other_address(p, begin, end) : names[best];
}

static void print_rules(FILE *out, const struct asked *a)
{
	for (int rule = 1; rule <= a->policy->n_rules; rule++)
		fprintf(out, "%d\t%s\t%s\n", rule, rule_fit(a, rule),
			policy_rule_text(a->policy, rule));
}

char *explain_why(const struct policy *p, const struct live *live, const struct endpoint *e)
{
	struct decision d = policy_decide(p, live, e);
	char rule[EXPLAIN_HINT_MAX];
	const char *flip = explain_flip(e, d, rule);
	char buf[ADDR_TEXT_MAX];
	struct addr v4;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_answer(out, p, e, d);
	fputc('\n', out);
	print_rules(out, &(struct asked){ p, live, e, NULL });
	if (e->dir == DIR_OUT && addr_embedded_v4(e->addr, &v4)) {
		struct endpoint inner = endpoint_out(e->proto, v4, e->port);

		fprintf(out, "also judged as %s\n", addr_text(inner.addr, buf));
		print_rules(out, &(struct asked){ p, live, &inner, &e->addr });
	}
	fprintf(out, "flip\t%s\n", flip ? flip : "-");
	return finish(out, &text);
}

const char *explain_hint(const struct endpoint *e, enum verdict verdict,
			 char buf[static EXPLAIN_HINT_MAX])
{
	const char *action = verdict == VERDICT_ALLOW ? "deny" : "allow";
	bool port = has_port(e) && e->port;
	bool bracket = port && e->addr.family == 6;
	char addr[ADDR_TEXT_MAX];
	char path[2 * ENDPOINT_NAME_MAX];
	char ports[8] = "";
	const char *scheme;
	/* A rule for the loopback address would not open what names are refused with. */
	const char *target = e->unspecified
				     ? addr_text((struct addr){ .family = e->addr.family }, addr)
				     : target_text(e, addr);

	/* What a rule without a scheme means depends on its action. */
	if (e->proto == PROTO_UNIX)
		scheme = "unix:";
	else if (e->proto == PROTO_DNS || (e->proto == PROTO_TCP && verdict != VERDICT_ALLOW))
		scheme = "";
	else
		scheme = e->proto == PROTO_TCP   ? "tcp://"
			 : e->proto == PROTO_UDP ? "udp://"
						 : "icmp://";
	if (e->proto == PROTO_UNIX)
		target = pathname_write(target, path);
	if (port)
		snprintf(ports, sizeof(ports), ":%u", e->port);
	snprintf(buf, EXPLAIN_HINT_MAX, "%s %s%s%s%s%s%s", action, e->dir == DIR_IN ? "in " : "",
		 scheme, bracket ? "[" : "", target, bracket ? "]" : "", ports);
	return buf;
}

const char *explain_flip(const struct endpoint *e, struct decision d,
			 char buf[static EXPLAIN_HINT_MAX])
{
	/* The longest name that explain_hint() does not cut: a rule for the beginning is another. */
	const size_t max = EXPLAIN_HINT_MAX - 32;

	if (reason_is_final(d.reason))
		return NULL;
	switch (e->proto) {
	case PROTO_DNS:
		if (!e->name || !spec_is_host(e->name))
			return NULL;
		break;
	case PROTO_UNIX:
		if (!e->name || strlen(e->name) > max)
			return NULL;
		break;
	default:
		if (!e->addr.family)
			return NULL;
		break;
	}
	return explain_hint(e, d.verdict, buf);
}
