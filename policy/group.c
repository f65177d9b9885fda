/* SPDX-License-Identifier: MIT */
#include "policy/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/array.h"

static const char *const loopback_nets[] = { "127.0.0.0/8", "::1", NULL };

/*
 * RFC 1918, RFC 6598 (carrier-grade NAT), RFC 4193; RFC 3879 (site-local), where fec0::2 is the
 * host of a QEMU guest with user networking; RFC 8215 (a site's own NAT64, to its IPv4 addresses,
 * too).
 */
static const char *const private_nets[] = {
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
	"fc00::/7",   "fec0::/10",     "64:ff9b:1::/48", NULL,
};

static const char *const link_local_nets[] = { "169.254.0.0/16", "fe80::/10", NULL };

static const char *const metadata_nets[] = {
	"169.254.169.254", /* AWS, Azure, Google, OpenStack, Oracle, DigitalOcean, Hetzner, ... */
	"fd00:ec2::254",   /* AWS */
	"169.254.170.2",   /* AWS ECS task credentials */
	"169.254.170.23",  /* AWS EKS pod identity */
	"fd00:ec2::23",    /* AWS EKS pod identity */
	"fd20:ce::254",    /* Google */
	"168.63.129.16",   /* Azure WireServer */
	"fd00:c1::a9fe:a9fe", /* Oracle */
	"192.0.0.192",        /* Oracle Cloud Classic */
	"100.100.100.200",    /* Alibaba */
	"169.254.0.23",       /* Tencent */
	"169.254.42.42",      /* Scaleway */
	"fd00:42::42",        /* Scaleway */
	"fe80::a9fe:a9fe",    /* OpenStack */
	NULL,
};

static const char *const multicast_nets[] = { "224.0.0.0/4", "ff00::/8", "255.255.255.255", NULL };

/* RFC 1122 3.2.1.3 ("this network") and RFC 1112 4 (class E). */
static const char *const reserved_nets[] = { "0.0.0.0/8", "240.0.0.0/4", NULL };

static const struct {
	const char *name;
	const char *const *prefixes;
} groups[GROUP_COUNT] = {
	[GROUP_LOOPBACK] = { "@loopback", loopback_nets },
	[GROUP_PRIVATE] = { "@private", private_nets },
	[GROUP_LINK_LOCAL] = { "@link-local", link_local_nets },
	[GROUP_METADATA] = { "@metadata", metadata_nets },
	[GROUP_MULTICAST] = { "@multicast", multicast_nets },
	[GROUP_THIS_HOST] = { "@this-host", NULL },
	[GROUP_RESERVED] = { NULL, reserved_nets },
	[GROUP_INTERNAL] = { "private", NULL },
	[GROUP_PUBLIC] = { "@public", NULL },
	[GROUP_SELF] = { "@self", NULL },
};

int prefix_list_add(struct prefix_list *list, struct prefix p)
{
	struct prefix *v = array_room(list->v, list->n, sizeof(*v));

	if (!v)
		return -ENOMEM;
	list->v = v;
	v[list->n++] = p;
	return 0;
}

void prefix_list_free(struct prefix_list *list)
{
	free(list->v);
}

int group_find(const char *text)
{
	for (int g = 0; g < GROUP_COUNT; g++) {
		if (groups[g].name && !strcasecmp(text, groups[g].name))
			return g;
	}
	return -EINVAL;
}

const char *group_name(enum group group)
{
	return groups[group].name;
}

const char *group_names(void)
{
	return "@loopback, @private, @link-local, @metadata, @multicast, @this-host, @public, "
	       "@self";
}

static int add_texts(const char *const *texts, struct prefix_list *out)
{
	int ret = 0;

	for (; !ret && *texts; texts++) {
		struct prefix p;

		ret = prefix_parse(*texts, &p);
		if (!ret)
			ret = prefix_list_add(out, p);
	}
	return ret;
}

static int add_internal(struct prefix_list *out)
{
	int ret = 0;

	for (int g = GROUP_LOOPBACK; !ret && g < GROUP_INTERNAL; g++)
		ret = group_prefixes(g, out);
	return ret;
}

static int by_address(const void *a, const void *b)
{
	const struct prefix *p = a;
	const struct prefix *q = b;

	return prefix_compare(*p, *q);
}

/*
 * Append what is in `p` but in none of v[0..n), which are sorted by address and lie in `p` (or are
 * all of it): halve `p` until each part is wholly in or wholly out.
 */
static int add_complement(struct prefix p, const struct prefix *v, size_t n,
			  struct prefix_list *out)
{
	struct prefix left = { .addr = p.addr, .len = p.len + 1 };
	struct prefix right = left;
	size_t mid = 0;
	int ret;

	if (!n)
		return prefix_list_add(out, p);
	if (v[0].len <= p.len)
		return 0;

	right.addr.bytes[p.len / 8] |= 0x80 >> (p.len % 8);
	while (mid < n && prefix_holds(left, v[mid].addr))
		mid++;
	ret = add_complement(left, v, mid, out);
	return ret ? ret : add_complement(right, v + mid, n - mid, out);
}

static int add_public(struct prefix_list *out)
{
	struct prefix_list in = { 0 };
	size_t v4 = 0;
	int ret;

	ret = add_internal(&in);
	/* ::, which is nobody's address; 0.0.0.0 is internal. */
	if (!ret)
		ret = prefix_list_add(&in, prefix_of((struct addr){ .family = 6 }));
	if (ret)
		goto out_free;
	qsort(in.v, in.n, sizeof(*in.v), by_address);
	while (v4 < in.n && in.v[v4].addr.family == 4)
		v4++;
	ret = add_complement((struct prefix){ .addr.family = 4 }, in.v, v4, out);
	if (!ret)
		ret = add_complement((struct prefix){ .addr.family = 6 }, in.v + v4, in.n - v4,
				     out);
out_free:
	prefix_list_free(&in);
	return ret;
}

int group_prefixes(enum group group, struct prefix_list *out)
{
	switch (group) {
	case GROUP_INTERNAL:
		return add_internal(out);
	case GROUP_PUBLIC:
		return add_public(out);
	default:
		return groups[group].prefixes ? add_texts(groups[group].prefixes, out) : 0;
	}
}
