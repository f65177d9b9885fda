/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation
 *
 * One memfd, mapped once for writing and then sealed: nobody can map it for
 * writing, write to it or change its size any more, while the mapping that there
 * is goes on. Pages that no row has used do not exist.
 *
 * Texts about the run, each row of a flow and each recent decision have a
 * sequence counter (shared.h). Numbers that are one word need none: they are
 * stored and loaded whole, and each is right by itself.
 */
#include "core/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/line.h"
#include "core/shared.h"
#include "core/uapi.h"

enum {
	SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL,
	SLOTS_AHEAD = 32, /* some ten pages */
};

static const char magic[8] = "sandtop";

/* Where a part is: so that a reader of another build refuses instead of misreading. */
struct part {
	uint32_t offset, size; /* bytes; of one element */
	uint32_t count;        /* elements */
	uint32_t stride;       /* bytes from one to the next */
};

struct layout {
	char magic[8];
	uint32_t version;
	uint32_t size; /* of the whole */
	struct part run, live, flows, decisions;
};

/* What is said of the run. */
struct run {
	char name[LEDGER_NAME_MAX];
	char command[LEDGER_COMMAND_MAX];
	char fallback[LEDGER_WORD_MAX];
	char profile[LEDGER_PROFILE_MAX];
	uint64_t pid;
	uint64_t start;
};

/* What changes one word at a time. */
struct live {
	uint64_t generation;
	_Atomic uint64_t decisions;
	uint64_t held;
	uint64_t tasks;
	struct stats stats;
};

struct slot {
	_Alignas(64) shared_seq seq;
	struct ledger_decision decision;
};

struct shared {
	struct layout layout;
	_Alignas(64) shared_seq run_seq;
	struct run run;
	_Alignas(64) struct live live;
	_Alignas(64) struct slot slots[LEDGER_DECISIONS];
	/* The flow table follows. */
};

struct ledger {
	int fd;
	struct shared *shared;
	struct flow_table *flows;
};

struct ledger_reader {
	int fd;
	const struct shared *shared;
};

static size_t ledger_size(void)
{
	return sizeof(struct shared) + flow_table_size(FLOW_ROWS);
}

static void *flow_memory(const struct shared *shared)
{
	return (void *)(shared + 1);
}

static struct layout this_layout(void)
{
	struct layout layout = {
		.version = LEDGER_VERSION,
		.size = (uint32_t)ledger_size(),
		.run = { offsetof(struct shared, run), sizeof(struct run), 1, sizeof(struct run) },
		.live = { offsetof(struct shared, live), sizeof(struct live), 1,
			  sizeof(struct live) },
		.flows = { sizeof(struct shared), sizeof(struct flow), FLOW_ROWS,
			   (uint32_t)(flow_table_size(2) - flow_table_size(1)) },
		.decisions = { offsetof(struct shared, slots), sizeof(struct ledger_decision),
			       LEDGER_DECISIONS, sizeof(struct slot) },
	};

	memcpy(layout.magic, magic, sizeof(magic));
	return layout;
}

static int make_memory(void)
{
	int fd = memfd_create("sandtop-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	/* Before Linux 6.3. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("sandtop-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

struct ledger *ledger_new(void)
{
	struct ledger *l = calloc(1, sizeof(*l));
	struct layout layout = this_layout();
	int error;

	if (!l)
		return NULL;
	l->fd = make_memory();
	if (l->fd < 0)
		goto out_free;
	if (ftruncate(l->fd, (off_t)ledger_size()))
		goto out_close;
	l->shared = mmap(NULL, ledger_size(), PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
	if (l->shared == MAP_FAILED)
		goto out_close;
	if (fcntl(l->fd, F_ADD_SEALS, SEALS))
		goto out_unmap;
	l->flows = flow_table_new(flow_memory(l->shared), FLOW_ROWS);
	if (!l->flows)
		goto out_unmap;
	memcpy(&l->shared->layout, &layout, sizeof(layout));
	return l;

out_unmap:
	error = errno;
	munmap(l->shared, ledger_size());
	errno = error;
out_close:
	error = errno;
	close(l->fd);
	errno = error;
out_free:
	error = errno;
	free(l);
	errno = error;
	return NULL;
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	flow_table_free(l->flows);
	munmap(l->shared, ledger_size());
	close(l->fd);
	free(l);
}

int ledger_fd(const struct ledger *l)
{
	return l->fd;
}

struct stats *ledger_stats(struct ledger *l)
{
	return &l->shared->live.stats;
}

struct flow_table *ledger_flows(struct ledger *l)
{
	return l->flows;
}

/* The words with blanks between, as far as they fit. */
static void join_words(char *const *words, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (; *words && len < size - 1; words++) {
		int n = snprintf(buf + len, size - len, "%s%s", len ? " " : "", *words);

		len += n < 0 ? 0 : (size_t)n;
	}
}

void ledger_set_run(struct ledger *l, const char *name, pid_t pid, char *const *argv)
{
	struct run *run = &l->shared->run;
	char command[LEDGER_COMMAND_MAX];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	join_words(argv, command, sizeof(command));
	shared_begin(&l->shared->run_seq);
	shared_put_text(run->name, sizeof(run->name), name);
	shared_put_text(run->command, sizeof(run->command), command);
	shared_store(run->pid, (uint64_t)pid);
	shared_store(run->start, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	shared_end(&l->shared->run_seq);
}

void ledger_set_policy(struct ledger *l, uint64_t generation, const char *fallback,
		       const char *profile)
{
	struct run *run = &l->shared->run;

	shared_begin(&l->shared->run_seq);
	shared_put_text(run->fallback, sizeof(run->fallback), fallback);
	shared_put_text(run->profile, sizeof(run->profile), profile ? profile : "");
	shared_end(&l->shared->run_seq);
	shared_store(l->shared->live.generation, generation);
}

void ledger_set_held(struct ledger *l, uint64_t held)
{
	shared_store(l->shared->live.held, held);
}

void ledger_set_tasks(struct ledger *l, uint64_t tasks)
{
	shared_store(l->shared->live.tasks, tasks);
}

/* All numbers of a decision, up to the field `name`. */
static struct ledger_decision decision_of(const struct record *r, const struct flow *flow)
{
	const struct endpoint *e = &r->endpoint;
	struct ledger_decision d;

	/* The texts are written by themselves. */
	memset(&d, 0, offsetof(struct ledger_decision, name));
	d.seq = r->seq;
	d.generation = r->generation;
	d.ts = (uint64_t)r->ts.tv_sec * 1000000000 + (uint64_t)r->ts.tv_nsec;
	d.latency_ns = r->latency_ns;
	d.answers = r->answers;
	d.flow = flow->id;
	memcpy(d.addr, e->addr.bytes, sizeof(d.addr));
	d.dir = (uint8_t)e->dir;
	d.proto = (uint8_t)e->proto;
	d.family = e->addr.family;
	d.verdict = (uint8_t)r->decision.verdict;
	d.reason = (uint8_t)r->decision.reason;
	d.port = e->port;
	d.rule = r->decision.rule;
	d.decision_error = r->decision.error;
	d.error = r->error;
	d.pid = r->pid;
	d.tid = r->tid;
	memcpy(d.comm, r->comm, sizeof(d.comm));
	strncpy(d.syscall, r->syscall ? r->syscall : "", sizeof(d.syscall) - 1);
	return d;
}

static void put_text(char to[static LEDGER_TEXT_MAX], const char *text)
{
	shared_put_text(to, LEDGER_TEXT_MAX, text ? text : "");
}

/*
 * In the first round of the slots, ask for the memory of the next ones before they are used: a page
 * fault each takes ten times as long. Without it only that is lost, so errors do not matter.
 */
static void make_room(const struct ledger *l, uint64_t seq)
{
	const struct slot *slots = l->shared->slots;
	uintptr_t page, begin, end;

	if (seq >= LEDGER_DECISIONS || (seq != 1 && seq % SLOTS_AHEAD != 0))
		return;
	page = (uintptr_t)sysconf(_SC_PAGESIZE);
	begin = (uintptr_t)&slots[seq] & ~(page - 1);
	end = (uintptr_t)&slots[seq - seq % SLOTS_AHEAD + SLOTS_AHEAD];
	madvise((void *)begin, end - begin, MADV_POPULATE_WRITE);
}

const struct flow *ledger_add(struct ledger *l, const struct record *r, bool *is_new)
{
	const struct flow *flow = flow_touch(l->flows, r, is_new);
	struct slot *slot = &l->shared->slots[r->seq % LEDGER_DECISIONS];
	struct ledger_decision d = decision_of(r, flow);
	char reason[LINE_REASON_MAX];

	make_room(l, r->seq);
	shared_begin(&slot->seq);
	shared_put(&slot->decision, &d, offsetof(struct ledger_decision, name));
	put_text(slot->decision.name, r->endpoint.name);
	put_text(slot->decision.rule_text,
		 r->decision.reason == REASON_RULE ? r->rule : line_reason(&r->decision, reason));
	put_text(slot->decision.host, r->host);
	put_text(slot->decision.exe, r->exe);
	shared_end(&slot->seq);
	atomic_store_explicit(&l->shared->live.decisions, r->seq, memory_order_release);
	return flow;
}

/* Whether the file can neither shrink under a reader nor hold another layout. Returns 0 or -errno.
 */
static int check_file(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st))
		return -EINVAL;
	return st.st_size < (off_t)sizeof(struct layout) ? -EINVAL : 0;
}

static int check_layout(const struct layout *seen, int fd)
{
	struct layout layout = this_layout();
	struct stat st;

	if (memcmp(seen->magic, magic, sizeof(magic)) != 0)
		return -EINVAL;
	if (memcmp(seen, &layout, sizeof(layout)) != 0)
		return -EPROTO;
	return fstat(fd, &st) || st.st_size != (off_t)ledger_size() ? -EINVAL : 0;
}

/* Returns 0 with r->shared mapped, or -errno. */
static int reader_map(struct ledger_reader *r)
{
	int ret = check_file(r->fd);
	void *map;

	if (ret)
		return ret;
	/* What is behind the end of a smaller file is not touched before the layout is known. */
	map = mmap(NULL, ledger_size(), PROT_READ, MAP_SHARED, r->fd, 0);
	if (map == MAP_FAILED)
		return errno == ENOMEM ? -ENOMEM : -EINVAL;
	ret = check_layout(map, r->fd);
	if (ret)
		munmap(map, ledger_size());
	else
		r->shared = map;
	return ret;
}

struct ledger_reader *ledger_reader_new(int fd)
{
	struct ledger_reader *r = calloc(1, sizeof(*r));
	int ret = -ENOMEM;

	if (r) {
		r->fd = fd;
		ret = reader_map(r);
	}
	if (!ret)
		return r;
	free(r);
	close(fd);
	errno = -ret;
	return NULL;
}

void ledger_reader_free(struct ledger_reader *r)
{
	if (!r)
		return;
	munmap((void *)r->shared, ledger_size());
	close(r->fd);
	free(r);
}

static void read_head(const struct shared *shared, struct ledger_head *out)
{
	const struct live *live = &shared->live;
	struct run run;

	if (!shared_read(&shared->run_seq, &run, &shared->run, sizeof(run)))
		memset(&run, 0, sizeof(run));
	memset(out, 0, sizeof(*out));
	memcpy(out->name, run.name, sizeof(out->name));
	memcpy(out->command, run.command, sizeof(out->command));
	memcpy(out->fallback, run.fallback, sizeof(out->fallback));
	memcpy(out->profile, run.profile, sizeof(out->profile));
	out->pid = (pid_t)run.pid;
	out->start = run.start;
	out->generation = shared_load(live->generation);
	out->decisions = atomic_load_explicit(&live->decisions, memory_order_acquire);
	out->held = shared_load(live->held);
	out->tasks = shared_load(live->tasks);
	out->evicted = flow_read_evicted(flow_memory(shared));
	shared_get(&out->stats, &live->stats, sizeof(out->stats));
}

void ledger_head(const struct ledger *l, struct ledger_head *out)
{
	read_head(l->shared, out);
}

void ledger_read_head(const struct ledger_reader *r, struct ledger_head *out)
{
	read_head(r->shared, out);
}

unsigned int ledger_read_flows(const struct ledger_reader *r, struct flow *out, unsigned int max)
{
	return flow_read(flow_memory(r->shared), FLOW_ROWS, out, max);
}

/* Returns whether the decision `seq`, which has been published, was still there. */
static bool read_slot(const struct ledger_reader *r, uint64_t seq, struct ledger_decision *out)
{
	const struct slot *slot = &r->shared->slots[seq % LEDGER_DECISIONS];

	return shared_read(&slot->seq, out, &slot->decision, sizeof(*out)) && out->seq == seq;
}

unsigned int ledger_read_decisions(struct ledger_reader *r, uint64_t *next,
				   struct ledger_decision *out, unsigned int max, uint64_t *missed)
{
	uint64_t last = atomic_load_explicit(&r->shared->live.decisions, memory_order_acquire);
	uint64_t seq = *next ? *next : 1, lost = 0;
	unsigned int n = 0;

	if (last >= LEDGER_DECISIONS && seq <= last - LEDGER_DECISIONS) {
		lost = last - LEDGER_DECISIONS + 1 - seq;
		seq += lost;
	}
	for (; seq <= last && n < max; seq++) {
		if (read_slot(r, seq, &out[n])) {
			n++;
			continue;
		}
		/* It was overwritten meanwhile. A gap comes before what is returned, never inside.
		 */
		if (n)
			break;
		lost++;
	}
	*next = seq;
	if (missed)
		*missed += lost;
	return n;
}

struct record ledger_record(const struct ledger_decision *d)
{
	struct record r = {
		.seq = d->seq,
		.generation = d->generation,
		.ts = { .tv_sec = (time_t)(d->ts / 1000000000),
			.tv_nsec = (long)(d->ts % 1000000000) },
		.endpoint = {
			.dir = d->dir,
			.proto = d->proto,
			.addr.family = d->family,
			.port = d->port,
			.name = d->name[0] ? d->name : NULL,
		},
		.decision = {
			.verdict = d->verdict,
			.reason = d->reason,
			.rule = d->rule,
			.error = d->decision_error,
		},
		.rule = d->reason == REASON_RULE ? d->rule_text : NULL,
		.host = d->host[0] ? d->host : NULL,
		.pid = d->pid,
		.tid = d->tid,
		.exe = d->exe[0] ? d->exe : NULL,
		.syscall = d->syscall[0] ? d->syscall : NULL,
		.error = d->error,
		.latency_ns = d->latency_ns,
		.answers = d->answers,
	};

	memcpy(r.endpoint.addr.bytes, d->addr, sizeof(d->addr));
	memcpy(r.comm, d->comm, sizeof(d->comm));
	return r;
}
