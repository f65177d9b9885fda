/* SPDX-License-Identifier: MIT */
#include "selftests/lib/nameserver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftests/lib/netns.h"

enum {
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	LOG_MAX = 4096,
	MESSAGE_MAX = 4096,
	HEADER = 12,
};

struct nameserver {
	pthread_t thread;
	pthread_mutex_t lock;
	int udp, tcp, stop[2];
	unsigned turn, losses;
	size_t count;
	char name[LOG_MAX][256];
};

/* A message being written. */
struct message {
	uint8_t bytes[MESSAGE_MAX];
	size_t len, question; /* bytes so far, and where the question ends */
	bool tcp;
};

static void put16(struct message *m, unsigned v)
{
	m->bytes[m->len++] = v >> 8;
	m->bytes[m->len++] = v;
}

static void put_name(struct message *m, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		m->bytes[m->len++] = n;
		memcpy(m->bytes + m->len, name, n);
		m->len += n;
		name += n + (name[n] == '.');
	}
	m->bytes[m->len++] = 0;
}

/* A record of `owner`, or of the name in the question with NULL, up to its data. */
static void put_record(struct message *m, const char *owner, unsigned type, unsigned section)
{
	unsigned count = m->bytes[section + 1] + 1;

	m->bytes[section + 1] = count;
	if (owner)
		put_name(m, owner);
	else
		put16(m, 0xc000 | HEADER);
	put16(m, type);
	put16(m, 1);
	put16(m, 0); /* the TTL is 0 */
	put16(m, 0);
}

enum { ANSWER = 6, ADDITIONAL = 10 };

static void put_address(struct message *m, const char *owner, const char *address, unsigned section)
{
	put_record(m, owner, TYPE_A, section);
	put16(m, 4);
	inet_pton(AF_INET, address, m->bytes + m->len);
	m->len += 4;
}

static void put_cname(struct message *m, const char *target)
{
	size_t at;

	put_record(m, NULL, TYPE_CNAME, ANSWER);
	at = m->len;
	put16(m, 0);
	put_name(m, target);
	m->bytes[at + 1] = m->len - at - 2;
}

static void put_large(struct message *m)
{
	if (!m->tcp) {
		m->bytes[2] |= 2; /* TC */
		return;
	}
	for (int i = 0; i < 8; i++) {
		put_record(m, NULL, TYPE_TXT, ANSWER);
		put16(m, 251);
		m->bytes[m->len++] = 250;
		memset(m->bytes + m->len, 'a' + i, 250);
		m->len += 250;
	}
}

static void put_mail(struct message *m)
{
	size_t at;

	put_record(m, NULL, TYPE_MX, ANSWER);
	at = m->len;
	put16(m, 0);
	put16(m, 10);
	put_name(m, "mx.other.test");
	m->bytes[at + 1] = m->len - at - 2;
	put_address(m, "mx.other.test", NETNS_PUBLIC "9", ADDITIONAL);
}

static void put_api(struct nameserver *n, struct message *m, const char *owner)
{
	static const char *const addresses[] = { NETNS_PUBLIC "1", NETNS_PUBLIC "2",
						 NETNS_PUBLIC "3" };

	put_address(m, owner, addresses[n->turn++ % 3], ANSWER);
}

/* Whether the message is to be sent. */
static bool answer(struct nameserver *n, struct message *m, const char *name, unsigned type)
{
	static const char api[] = "api.example.test", evil[] = "evil.example.test";
	char label[64] = "";

	if (strlen(name) > 13 && strlen(name) - 13 < sizeof(label) &&
	    !strcasecmp(name + strlen(name) - 13, ".example.test"))
		memcpy(label, name, strlen(name) - 13);
	if (!strcmp(label, "silent") || (!strcmp(label, "lossy") && n->losses++ % 2 == 0))
		return false;
	if (!strcmp(label, "garbage")) {
		m->bytes[7] = 3; /* records that are not there */
		put16(m, 0xffff);
	} else if (!strcmp(label, "loop")) {
		m->bytes[7] = 1;
		put16(m, 0xc000 | m->len);
	} else if (!strcmp(label, "mail") && type == TYPE_MX) {
		put_mail(m);
	} else if (!strcmp(label, "large") && type == TYPE_TXT) {
		put_large(m);
	} else if (type != TYPE_A && *label) {
		return true; /* no such record */
	} else if (!strcmp(label, "api")) {
		put_api(n, m, NULL);
	} else if (!strcmp(label, "fixed") || !strcmp(label, "mail") ||
		   !strcmp(label, "lossy")) {
		put_address(m, NULL, NETNS_PUBLIC "1", ANSWER);
	} else if (!strcmp(label, "www")) {
		put_cname(m, api);
		put_api(n, m, api);
	} else if (!strcmp(label, "evil")) {
		put_address(m, NULL, NETNS_PUBLIC "9", ANSWER);
	} else if (!strcmp(label, "ads")) {
		put_cname(m, evil);
		put_address(m, evil, NETNS_PUBLIC "9", ANSWER);
	} else if (!strcmp(label, "rebind")) {
		put_address(m, NULL, "10.0.0.5", ANSWER);
	} else if (!strcmp(label, "mixed")) {
		put_address(m, NULL, NETNS_PUBLIC "1", ANSWER);
		put_address(m, NULL, "10.0.0.5", ANSWER);
	} else if (!strcmp(label, "zero")) {
		put_address(m, NULL, "0.0.0.0", ANSWER);
	} else {
		m->bytes[3] |= 3; /* NXDOMAIN */
	}
	return true;
}

/* Make the answer to `len` bytes of query. Returns false if there is to be none. */
static bool make_answer(struct nameserver *n, const uint8_t *query, size_t len, struct message *m)
{
	char name[256] = "";
	size_t at = HEADER, out = 0;
	unsigned type;

	while (at < len && query[at] && at + query[at] + 5U < len && out + query[at] + 2U < 255) {
		if (out)
			name[out++] = '.';
		memcpy(name + out, query + at + 1, query[at]);
		out += query[at];
		at += query[at] + 1U;
	}
	if (at + 5 > len)
		return false;
	type = query[at + 1] << 8 | query[at + 2];
	at += 5;
	pthread_mutex_lock(&n->lock);
	if (n->count < LOG_MAX)
		strcpy(n->name[n->count++], name);
	pthread_mutex_unlock(&n->lock);
	memset(m->bytes, 0, sizeof(m->bytes));
	memcpy(m->bytes, query, at);
	m->bytes[2] = 0x81; /* QR, RD */
	m->bytes[3] = 0x80; /* RA */
	memset(m->bytes + 6, 0, 6);
	m->len = m->question = at;
	return answer(n, m, name, type);
}

static void serve_datagram(struct nameserver *n)
{
	struct message m = { .tcp = false };
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer);
	uint8_t query[MESSAGE_MAX];
	ssize_t len =
		recvfrom(n->udp, query, sizeof(query), 0, (struct sockaddr *)&peer, &peer_len);

	if (len > 0 && make_answer(n, query, len, &m))
		sendto(n->udp, m.bytes, m.len, 0, (struct sockaddr *)&peer, peer_len);
}

/* One query a connection is what resolvers ask after a cut answer. */
static void serve_connection(struct nameserver *n)
{
	struct timeval patience = { .tv_sec = 2 };
	struct message m = { .tcp = true };
	uint8_t query[MESSAGE_MAX];
	uint8_t prefix[2];
	int fd = accept4(n->tcp, NULL, NULL, SOCK_CLOEXEC);
	size_t len;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (recv(fd, prefix, 2, MSG_WAITALL) == 2) {
		len = prefix[0] << 8 | prefix[1];
		if (len <= sizeof(query) && recv(fd, query, len, MSG_WAITALL) == (ssize_t)len &&
		    make_answer(n, query, len, &m)) {
			prefix[0] = m.len >> 8;
			prefix[1] = m.len;
			send(fd, prefix, 2, MSG_MORE | MSG_NOSIGNAL);
			send(fd, m.bytes, m.len, MSG_NOSIGNAL);
		}
	}
	close(fd);
}

static void *serve(void *arg)
{
	struct nameserver *n = arg;
	struct pollfd fds[] = {
		{ .fd = n->stop[0], .events = POLLIN },
		{ .fd = n->udp, .events = POLLIN },
		{ .fd = n->tcp, .events = POLLIN },
	};

	while (poll(fds, 3, -1) > 0 && !fds[0].revents) {
		if (fds[1].revents)
			serve_datagram(n);
		if (fds[2].revents)
			serve_connection(n);
	}
	return NULL;
}

static int open_socket(int type, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int on = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    (type == SOCK_STREAM && listen(fd, 16))) {
		close(fd);
		return -1;
	}
	return fd;
}

struct nameserver *nameserver_new(uint16_t port)
{
	struct nameserver *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	pthread_mutex_init(&n->lock, NULL);
	n->udp = open_socket(SOCK_DGRAM, port);
	n->tcp = open_socket(SOCK_STREAM, port);
	if (n->udp < 0 || n->tcp < 0 || pipe2(n->stop, O_CLOEXEC) ||
	    (errno = pthread_create(&n->thread, NULL, serve, n))) {
		free(n);
		return NULL;
	}
	return n;
}

void nameserver_free(struct nameserver *n)
{
	if (!n)
		return;
	close(n->stop[1]);
	pthread_join(n->thread, NULL);
	close(n->stop[0]);
	close(n->udp);
	close(n->tcp);
	free(n);
}

size_t nameserver_asked(struct nameserver *n, const char *name)
{
	size_t count = 0;

	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < n->count; i++)
		count += !name || !strcasecmp(n->name[i], name);
	pthread_mutex_unlock(&n->lock);
	return count;
}
