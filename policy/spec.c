/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * A text is cut at its commas. A piece that can only be a port is one more port of the spec before
 * it if that has a port part; every other piece is a spec of its own, read from the left (scheme),
 * then from the right (ports). What remains is the target.
 */
#include "policy/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/array.h"
#include "policy/domain.h"
#include "policy/error.h"

#define DIGITS "0123456789"

struct parser {
	struct spec_list list;
	unsigned int protos; /* of a spec without a scheme */
	struct policy_error *err;

	/* The last spec of the list: its text, and what it has. */
	const char *text;
	int text_len;
	const char *scheme; /* or NULL */
	bool has_ports;
	bool has_star;
};

static const struct {
	const char *name;
	unsigned int protos;
} schemes[] = {
	{ "tcp", SPEC_TCP },
	{ "udp", SPEC_UDP },
	{ "icmp", SPEC_ICMP },
	{ "any", SPEC_ANY },
};

__attribute__((format(printf, 2, 3))) static int fail(struct parser *p, const char *fmt, ...)
{
	char what[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return policy_error_set(p->err, "'%.*s': %s", p->text_len > 100 ? 100 : p->text_len,
				p->text, what);
}

static struct spec *last_spec(struct parser *p)
{
	return &p->list.v[p->list.n - 1];
}

static int add_spec(struct parser *p)
{
	struct spec *v = array_room(p->list.v, p->list.n, sizeof(*v));

	if (!v)
		return -ENOMEM;
	p->list.v = v;
	v[p->list.n++] = (struct spec){ .protos = p->protos };
	p->scheme = NULL;
	p->has_ports = false;
	p->has_star = false;
	return 0;
}

/* Skips the blanks in front and cuts off those at the end. */
static char *trim(char *s)
{
	size_t n;

	s += strspn(s, SPEC_BLANKS);
	n = strlen(s);
	while (n && strchr(SPEC_BLANKS, s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

/* A port, a range or `*`, or what was meant to be one. */
static bool looks_like_ports(const char *s)
{
	return !s[strspn(s, DIGITS "-*" SPEC_BLANKS)];
}

/* Returns the number in front of *s and moves *s behind it, or returns -EINVAL. */
static int parse_port(struct parser *p, const char **s)
{
	size_t digits = strspn(*s, DIGITS);
	unsigned long port = strtoul(*s, NULL, 10);

	if (!digits || digits > 5 || port > UINT16_MAX)
		return fail(p, "invalid port '%.50s': expected 1 to 65535, LO-HI or *", *s);
	if (!port)
		return fail(p, "port 0 cannot be named: expected 1 to 65535");
	*s += digits;
	return port;
}

/* One port, range or `*` of the last spec. */
static int parse_ports(struct parser *p, const char *text)
{
	struct spec *spec = last_spec(p);
	bool star = !strcmp(text, "*");
	struct port_range *ports;
	const char *s = text;
	int lo, hi;

	if ((star && spec->n_ports) || (!star && p->has_star))
		return fail(p, "cannot mix * with ports: expected one or the other");
	if (star) {
		p->has_star = true;
		return 0;
	}

	lo = hi = parse_port(p, &s);
	if (lo > 0 && *s == '-') {
		s++;
		hi = parse_port(p, &s);
	}
	if (lo < 0 || hi < 0)
		return -EINVAL;
	if (*s || hi < lo)
		return fail(p, "invalid port '%.50s': expected 1 to 65535, LO-HI or *", text);

	ports = array_room(spec->ports, spec->n_ports, sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	spec->ports = ports;
	ports[spec->n_ports++] = (struct port_range){ lo, hi };
	/* `any` is icmp too as long as no port is given. */
	spec->protos &= ~SPEC_ICMP;
	return 0;
}

/* A last label that inet_aton(3), and so getaddrinfo(3), reads as a part of an address. */
static bool is_numeric(const char *label)
{
	if (!strncasecmp(label, "0x", 2)) {
		label += 2;
		return !label[strspn(label, DIGITS "abcdefABCDEF")];
	}
	return !label[strspn(label, DIGITS)];
}

/* Whether a domain name can be a host's, which is never read as an address (RFC 1123 2.1). */
static bool is_host_name(const char *name)
{
	const char *label = name;

	for (;;) {
		size_t n = strcspn(label, ".");

		if (label[0] == '-' || label[n - 1] == '-')
			return false;
		if (!label[n])
			return !is_numeric(label);
		label += n + 1;
	}
}

bool spec_is_host(const char *name)
{
	char normal[DOMAIN_TEXT_MAX];

	return !domain_normalise(name, normal) && is_host_name(normal);
}

/* What to write in place of a text that is no name. */
static const char *name_expected(const char *text)
{
	if (strchr(text, '*'))
		return "* for any host, or *.NAME for what is below a name";
	return "a host name, a full address or *";
}

static int set_path(struct parser *p, const char *path)
{
	struct spec *spec = last_spec(p);

	spec->target = SPEC_PATH;
	spec->name = strdup(path);
	return spec->name ? 0 : -ENOMEM;
}

static int set_name(struct parser *p, enum spec_target target, const char *name)
{
	struct spec *spec = last_spec(p);
	char normal[DOMAIN_TEXT_MAX];

	if (domain_normalise(name, normal) || !is_host_name(normal))
		return fail(p, "'%.100s' is not a host: expected %s", name, name_expected(name));
	spec->target = target;
	spec->name = strdup(normal);
	return spec->name ? 0 : -ENOMEM;
}

/*
 * An address or a CIDR. Returns 1 when it was one, 0 when the text is something else, or -EINVAL
 * when it is one with too long a prefix.
 */
static int parse_prefix(struct parser *p, const char *text)
{
	struct spec *spec = last_spec(p);
	int ret = prefix_parse(text, &spec->prefix);

	if (ret == -ERANGE)
		return fail(p, "prefix length too large: expected at most /%d",
			    strchr(text, ':') ? 128 : 32);
	if (ret)
		return 0;
	spec->target = SPEC_PREFIX;
	return 1;
}

static int parse_group(struct parser *p, const char *text)
{
	struct spec *spec = last_spec(p);
	int group = group_find(text);

	if (group < 0)
		return fail(p, "unknown group '%.50s': expected one of %s", text, group_names());
	spec->target = SPEC_GROUP;
	spec->group = group;
	if (group == GROUP_INTERNAL && !p->scheme)
		spec->protos = SPEC_ANY;
	return 0;
}

static int parse_target(struct parser *p, const char *target)
{
	int ret;

	if (strpbrk(target, SPEC_BLANKS))
		return fail(p, "blank in '%.100s': expected blanks only around commas and ports",
			    target);
	if (!*target || !strcmp(target, "*"))
		return 0; /* SPEC_EVERY, which a new spec is */
	if (*target == '@' || group_find(target) >= 0)
		return parse_group(p, target);
	if (*target == '.')
		return set_name(p, SPEC_SUFFIX, target + 1);
	if (!strncmp(target, "*.", 2))
		return set_name(p, SPEC_SUFFIX, target + 2);

	ret = parse_prefix(p, target);
	if (ret)
		return ret < 0 ? ret : 0;
	if (*target == '/')
		return fail(p, "a path: expected unix:%.50s for a UNIX socket", target);
	if (strchr(target, '/'))
		return fail(p, "not a CIDR: expected ADDRESS/LENGTH, or a host without a path");
	/* Of more digits it is an address as one number rather than a port. */
	if (!p->has_ports && isdigit((unsigned char)*target) && looks_like_ports(target) &&
	    strspn(target, DIGITS) <= strlen("65535"))
		return fail(p, "%.50s is not a host: write :%.50s", target, target);
	return set_name(p, SPEC_HOST, target);
}

/* "[IPV6]" or "[IPV6/LEN]"; *ports is what follows behind a colon, or NULL. */
static int parse_bracket(struct parser *p, char *body, char **ports)
{
	char *end = strchr(body, ']');
	int ret = 0;

	if (end && (!end[1] || end[1] == ':')) {
		*end = '\0';
		if (end[1]) {
			*ports = end + 2;
			p->has_ports = true;
		}
		if (strchr(body, ':'))
			ret = parse_prefix(p, body + 1);
	}
	if (ret < 0)
		return ret;
	return ret ? 0 : fail(p, "malformed bracket: expected [IPV6], [IPV6/LEN] or [IPV6]:PORTS");
}

/* The target of a body without brackets; *ports is what follows behind the last colon, or NULL. */
static int parse_plain(struct parser *p, char *body, char **ports)
{
	char *colon;
	int ret;

	ret = parse_prefix(p, body);
	if (ret)
		return ret < 0 ? ret : 0;

	colon = strrchr(body, ':');
	if (colon) {
		*colon = '\0';
		*ports = colon + 1;
		p->has_ports = true;
	}
	if (strchr(body, ':'))
		return fail(p, "more than one colon: expected HOST:PORTS or [IPV6]:PORTS");
	return parse_target(p, body);
}

/* What stands behind the scheme; `body` is scratch. */
static int parse_body(struct parser *p, char *body)
{
	char *ports = NULL;
	int ret;

	if (!*body && last_spec(p)->protos == SPEC_ICMP)
		return fail(p, "icmp needs a host: expected icmp://HOST, or icmp://* for any host");
	if (!body[strspn(body, SPEC_BLANKS)])
		return fail(p, "empty rule: use * for any host");
	if (strchr(body, '%'))
		return fail(p, "a zone id cannot be matched: leave out %% and what follows it");

	ret = *body == '[' ? parse_bracket(p, body, &ports) : parse_plain(p, body, &ports);
	if (ret || !ports)
		return ret;
	if (last_spec(p)->protos == SPEC_ICMP)
		return fail(p, "icmp takes no port: leave out :%.50s", ports);
	return parse_ports(p, trim(ports));
}

/* unix:PATH and unix:@NAME: all that is left of the text. */
static int parse_unix(struct parser *p, const char *text)
{
	const char *name = text + strlen("unix:");
	int ret = add_spec(p);

	if (ret)
		return ret;
	p->text = text;
	p->text_len = strlen(text);
	last_spec(p)->protos = SPEC_UNIX;
	if (!*name || !strchr("/$@*", *name) || !strcmp(name, "@"))
		return fail(p, "not a unix socket: expected unix:/PATH or unix:@NAME");
	if (name[strcspn(name, "*")] && name[strcspn(name, "*") + 1])
		return fail(p, "'*' within a path: expected one at the end only");
	if (strlen(name) >= ENDPOINT_NAME_MAX)
		return fail(p, "too long: expected at most %d bytes", ENDPOINT_NAME_MAX - 1);
	for (const char *c = name; *name != '@' && (c = strchr(c, '$')); c += 2)
		if (c[1] != '$' && !isalpha((unsigned char)c[1]) && c[1] != '_')
			return fail(p, "'%.20s' is not a variable: expected $NAME, or $$ for a $",
				    c);
	return set_path(p, name);
}

/* The protocols of a scheme; 0 after an error. */
static unsigned int parse_scheme(struct parser *p, const char *text, size_t n)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (n == strlen(schemes[i].name) && !strncasecmp(text, schemes[i].name, n)) {
			p->scheme = schemes[i].name;
			return schemes[i].protos;
		}
	}
	/* What is copied from a browser. */
	fail(p, "unknown scheme '%.*s': expected tcp, udp, icmp or any%s", n > 50 ? 50 : (int)n,
	     text, strncasecmp(text, "http", 4) ? "" : "; for a web site write HOST:443");
	return 0;
}

static int parse_spec(struct parser *p, const char *piece)
{
	const char *before = p->scheme;
	const char *body = strstr(piece, "://");
	char *scratch;
	int ret;

	ret = add_spec(p);
	if (ret)
		return ret;
	if (body) {
		last_spec(p)->protos = parse_scheme(p, piece, body - piece);
		if (!last_spec(p)->protos)
			return -EINVAL;
		body += 3;
	} else if (*piece && before && strcmp(before, "tcp")) {
		return fail(p, "no scheme behind a spec with %s://: write %s:// again, or tcp://",
			    before, before);
	} else {
		body = piece;
	}

	scratch = strdup(body);
	if (!scratch)
		return -ENOMEM;
	ret = parse_body(p, scratch);
	free(scratch);
	return ret;
}

/* Whatever stands in text[at..end), between two commas or ends of the text. */
static int parse_piece(struct parser *p, const char *text, size_t at, size_t end)
{
	char *piece;
	int ret;

	piece = strndup(text + at, end - at);
	if (!piece)
		return -ENOMEM;
	if (p->has_ports && looks_like_ports(piece)) {
		p->text_len = text + end - p->text;
		ret = parse_ports(p, trim(piece));
	} else {
		p->text = text + at;
		p->text_len = end - at;
		ret = parse_spec(p, piece);
	}
	free(piece);
	return ret;
}

int spec_parse(const char *text, unsigned int protos, struct spec_list *out,
	       struct policy_error *err)
{
	struct parser p = { .protos = protos, .err = err, .text = text };
	size_t at = 0;
	int ret;

	for (;;) {
		size_t comma = at + strcspn(text + at, ",");
		size_t end = comma;

		if (!strncmp(text + at, "unix:", 5)) {
			ret = parse_unix(&p, text + at);
			break;
		}
		/* Blanks before a comma belong to it, like those behind it. */
		while (text[comma] && end > at && strchr(SPEC_BLANKS, text[end - 1]))
			end--;
		ret = parse_piece(&p, text, at, end);
		if (ret || !text[comma])
			break;
		at = comma + 1;
		at += strspn(text + at, SPEC_BLANKS);
	}
	if (ret)
		spec_list_free(&p.list);
	else
		*out = p.list;
	return ret;
}

int spec_parse_ports(const char *text, struct spec_list *out, struct policy_error *err)
{
	struct parser p = {
		.protos = SPEC_TCP | SPEC_UDP,
		.err = err,
		.text = text,
		.text_len = strlen(text),
	};
	char *rest = NULL;
	char *copy;
	char *next;
	int ret;

	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	ret = add_spec(&p);
	rest = copy;
	while (!ret && (next = strsep(&rest, ",")))
		ret = parse_ports(&p, trim(next));
	free(copy);
	if (ret)
		spec_list_free(&p.list);
	else
		*out = p.list;
	return ret;
}

bool spec_has_name(const struct spec *spec)
{
	return spec->target == SPEC_HOST || spec->target == SPEC_SUFFIX;
}

void spec_list_free(struct spec_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].name);
		free(list->v[i].ports);
	}
	free(list->v);
}
