/* SPDX-License-Identifier: MIT */
/*
 * What a root command can do to the network around itself: packets that it writes
 * itself, and a network that leads elsewhere than the addresses say.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "selftests/attacks/attack.h"
#include "selftests/attacks/ground.h"

/* A datagram to the forbidden port, with its headers: from far away, as from here it would be
 * martian. */
struct packet {
	struct iphdr ip;
	struct udphdr udp;
	char byte;
} __attribute__((packed));

static uint16_t checksum(const void *bytes, size_t size)
{
	const uint16_t *words = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i < size / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static struct packet forge(void)
{
	struct packet p = {
		.ip = { .version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(p)),
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.saddr = inet_addr("10.55.5.5"),
			.daddr = inet_addr("10.99.0.1") },
		.udp = { .source = htons(9),
			 .dest = htons(forbidden),
			 .len = htons(sizeof(p.udp) + 1) }, /* no checksum: allowed by RFC 768 */
		.byte = 'p',
	};

	p.ip.check = checksum(&p.ip, sizeof(p.ip));
	return p;
}

/* Natively a matter of capabilities: EPERM says that this user has not got them. */
static int privileged_socket(int domain, int type, int protocol)
{
	int fd = new_socket(domain, type, protocol);

	if (fd < 0 && (errno == EPERM || errno == EACCES) && geteuid())
		absent("it takes CAP_NET_RAW, which this user has not");
	return fd;
}

static void run_raw(char **args)
{
	struct packet p = forge();
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int fd = privileged_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	(void)args;
	sendto(fd, &p, sizeof(p), 0, &n.any, len);
	fd = privileged_socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	sendto(fd, &p.udp, sizeof(p.udp) + 1, 0, &n.any, len);
}

static void run_packet(char **args)
{
	struct packet p = forge();
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_IP),
				  .sll_ifindex = (int)if_nametoindex("lo"),
				  .sll_halen = ETH_ALEN };
	int fd = privileged_socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));

	(void)args;
	sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to));
}

/* The way of Linux 2.0, which still works: the address is the name of a device. */
static void run_inet_packet(char **args)
{
	struct {
		struct ethhdr ethernet;
		struct packet packet;
	} __attribute__((packed))
	frame = { .ethernet.h_proto = htons(ETH_P_IP), .packet = forge() };
	struct sockaddr to = { .sa_family = AF_INET, .sa_data = "lo" };
	int fd = privileged_socket(AF_INET, SOCK_PACKET, htons(ETH_P_IP));

	(void)args;
	sendto(fd, &frame, sizeof(frame), 0, &to, sizeof(to));
}

/* ---- the network around it -------------------------------------------------- */

static const char *const added = "10.77.7.7";

static bool is_local(const char *text)
{
	union name n;
	socklen_t len = name_set(&n, text, 0);
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0);
	bool local = bind(fd, &n.any, len) == 0;

	close(fd);
	return local;
}

/* Requests that are written, or sent without an address, are no sendto(2) that anybody sees. */
static void run_netlink_write(char **args)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg message;
		struct rtattr attribute;
		struct in_addr address;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_NEWADDR,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE },
		.message = { .ifa_family = AF_INET,
			     .ifa_prefixlen = 32,
			     .ifa_index = if_nametoindex("lo") },
		.attribute = { .rta_type = IFA_LOCAL,
			       .rta_len = RTA_LENGTH(sizeof(struct in_addr)) },
	};
	int fd = new_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	(void)args;
	inet_pton(AF_INET, added, &request.address);
	if (geteuid())
		absent("it takes CAP_NET_ADMIN, which this user has not");
	(void)!write(fd, &request, sizeof(request));
	send(fd, &request, sizeof(request), 0);
	if (is_local(added))
		won("an address of the attacker's choice is this machine's");
}

static void run_interface_ioctl(char **args)
{
	struct ifreq request = { .ifr_name = "lo:7" };
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	int fd = new_socket(AF_INET, SOCK_DGRAM, 0);

	(void)args;
	if (geteuid())
		absent("it takes CAP_NET_ADMIN, which this user has not");
	address->sin_family = AF_INET;
	inet_pton(AF_INET, added, &address->sin_addr);
	if (ioctl(fd, SIOCSIFADDR, &request) == 0)
		won("an address of the attacker's choice is this machine's");
}

static void run_tun(char **args)
{
	struct ifreq request = { .ifr_name = "attack%d", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	(void)args;
	if (fd < 0)
		absent("/dev/net/tun: %s", strerror(errno));
	if (ioctl(fd, TUNSETIFF, &request) == 0)
		won("a network device of its own");
	else if (geteuid())
		absent("it takes CAP_NET_ADMIN, which this user has not");
}

/* One that is there already, as those of virtual machines are, takes no capability. */
static void run_given_tun(char **args)
{
	struct ifreq request = { .ifr_name = TUN_NAME, .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct packet p = forge();

	(void)args;
	if (fd < 0)
		absent("/dev/net/tun: %s", strerror(errno));
	if (!if_nametoindex(TUN_NAME))
		absent("there is no persistent device");
	ioctl(fd, TUNSETIFF, &request);
	(void)!write(fd, &p, sizeof(p));
}

/*
 * DIR: a program at the cgroup's hook turns a connect to the allowed port, after it
 * was judged, into one to the other. In a cgroup of its own, which is removed after.
 */
static long load_rewriter(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_2,
		  .imm = htons(forbidden) },
		{ .code = BPF_STX | BPF_MEM | BPF_W,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_REG_2,
		  .off = offsetof(struct bpf_sock_addr, user_port) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.expected_attach_type = BPF_CGROUP_INET4_CONNECT,
		.insns = (uintptr_t)code,
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.license = (uintptr_t) "MIT",
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
}

static void write_text(const char *dir, const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void connect_through(void *dir)
{
	union name n;
	socklen_t len = allowed_at(&n, "127.0.0.1");

	write_text(dir, "cgroup.procs", "0");
	reach_by_connect(new_socket(AF_INET, SOCK_STREAM, 0), &n, len);
}

static void run_bpf(char **args)
{
	char dir[128];
	long program = load_rewriter();
	union bpf_attr attach = { .attach_type = BPF_CGROUP_INET4_CONNECT,
				  .attach_bpf_fd = (unsigned)program };

	if (geteuid())
		absent("it takes CAP_BPF and CAP_NET_ADMIN, which this user has not");
	if (program < 0 && errno == ENOSYS)
		absent("this kernel has no bpf(2)");
	if (program < 0)
		return;
	/* Every process is in the second version's tree, wherever that is mounted, if at all. */
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", args[0], "cgroup2", 0, NULL))
		absent("no cgroup2 for this user: %s", strerror(errno));
	snprintf(dir, sizeof(dir), "%s/attack-%d", args[0], getpid());
	if (mkdir(dir, 0700))
		absent("%s: %s", dir, strerror(errno));
	attach.target_fd = (unsigned)open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) == 0)
		in_child(connect_through, dir);
	rmdir(dir);
}

/* A socket under repair is established without a handshake. */
static void run_repair(char **args)
{
	union name n;
	socklen_t len = forbidden_at(&n, "127.0.0.1");
	int one = 1, fd = new_socket(AF_INET, SOCK_STREAM, 0);

	(void)args;
	if (geteuid())
		absent("it takes CAP_NET_ADMIN, which this user has not");
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one)))
		return;
	if (connect(fd, &n.any, len) == 0)
		won("a connection in the state established");
}

const struct scenario raw_attacks[] = {
	{ "raw", run_raw },
	{ "packet", run_packet },
	{ "inet_packet", run_inet_packet },
	{ "netlink_write", run_netlink_write },
	{ "interface_ioctl", run_interface_ioctl },
	{ "tun", run_tun },
	{ "given_tun", run_given_tun },
	{ "bpf", run_bpf },
	{ "repair", run_repair },
	{ 0 },
};
