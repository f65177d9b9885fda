/* SPDX-License-Identifier: MIT */
/*
 * The attacks: ATTACK(NAME, HAZARD, SOURCE, SCENARIO AND ITS ARGUMENTS, ...). The
 * arguments may say DIR, the test's directory, and SERVICE, the abstract name of a
 * host service. Included by attacks_test.c and hazards_unit.c.
 */

/* ---- races ---------------------------------------------------------------- */

ATTACK(race_on_the_address_of_a_send, "race: the address bytes",
       "seccomp_unotify(2), time-of-check", ("race_address"), .is_race = true)
ATTACK(race_on_the_address_of_a_connect, "race: the address bytes",
       "seccomp_unotify(2), time-of-check", ("race_address_of_connect"), .is_race = true)
ATTACK(race_on_the_address_by_a_process, "race: the address bytes",
       "seccomp_unotify(2), time-of-check", ("race_address_by_process"), .is_race = true)
ATTACK(race_on_the_address_by_proc_mem, "race: the address bytes",
       "process_vm_writev(2), proc_pid_mem(5)", ("race_memory"), .is_race = true)
ATTACK(race_on_the_address_by_remapping, "race: the address bytes", "mmap(2), MAP_FIXED",
       ("race_mapping"), .is_race = true)
ATTACK(race_on_the_family, "race: the address family", "net/ipv4/udp.c udp_sendmsg()",
       ("race_family"), .is_race = true)
ATTACK(race_on_the_length, "race: the length", "net/socket.c __copy_msghdr()", ("race_length"),
       .is_race = true)
ATTACK(race_on_the_name_pointer, "race: the msghdr's name pointer", "seccomp_unotify(2)",
       ("race_pointer"), .is_race = true)
ATTACK(race_on_a_message, "race: an mmsghdr entry", "sendmmsg(2)", ("race_entry"), .is_race = true)
ATTACK(race_on_a_vector, "race: an iovec", "readv(2): measured, then copied", ("race_vector"),
       .is_race = true, .no_control = true)
ATTACK(race_on_the_number_by_dup2, "race: the descriptor number", "seccomp_unotify(2), CONTINUE",
       ("race_number"), .is_race = true)
ATTACK(race_on_the_number_by_close, "race: the descriptor number", "close(2), open(2)",
       ("race_reopened"), .is_race = true)
ATTACK(race_on_the_number_by_a_shared_table, "race: the descriptor number", "clone(2), CLONE_FILES",
       ("race_shared_table"), .is_race = true)
ATTACK(race_with_a_kill, "race: a task is killed in mid-request",
       "seccomp_unotify(2), SECCOMP_IOCTL_NOTIF_ID_VALID", ("race_killed"), .is_race = true)
ATTACK(race_with_an_exec, "race: a task is killed in mid-request", "execve(2) of a thread's group",
       ("race_exec"), .is_race = true)
ATTACK(race_with_a_kill_and_reused_pids, "race: a pid is reused",
       "seccomp_unotify(2), SECCOMP_IOCTL_NOTIF_ID_VALID", ("race_killed"), .is_race = true,
       .small_pidns = true)
ATTACK(race_of_reconnect_and_write, "race: what the socket itself is", "connect(2), AF_UNSPEC",
       ("race_reconnect"), .is_race = true)
ATTACK(race_on_the_form, "race: what the socket itself is", "ipv6(7), IPV6_ADDRFORM",
       ("race_reform"), .is_race = true)

/* ---- other doors ------------------------------------------------------------ */

ATTACK(io_uring, "door: io_uring", "io_uring(7): no filter sees its calls", ("io_uring"))
ATTACK(fast_open_by_sendto, "door: MSG_FASTOPEN in sendto", "tcp(7)", ("fast_open_sendto"))
ATTACK(fast_open_by_sendmsg, "door: MSG_FASTOPEN in sendmsg", "tcp(7)", ("fast_open_sendmsg"))
ATTACK(fast_open_by_sendmmsg, "door: MSG_FASTOPEN in sendmmsg", "tcp(7)", ("fast_open_sendmmsg"))
ATTACK(fast_open_by_connect, "door: TCP_FASTOPEN_CONNECT", "tcp(7)", ("fast_open_connect"))
ATTACK(mptcp, "door: MPTCP", "Landlock does not see it (landlock.rst)", ("mptcp"))
ATTACK(smc, "door: protocols that fall back to TCP", "net/smc, IPPROTO_SMC", ("smc"))
ATTACK(every_protocol, "door: protocols that fall back to TCP", "socket(2)", ("every_protocol"))
ATTACK(sctp, "door: SCTP", "socket(2)", ("sctp"))
ATTACK(udplite, "door: UDP-Lite", "udplite(7)", ("udplite"))
ATTACK(dccp, "door: DCCP", "socket(2)", ("dccp"))
ATTACK(inet_with_sock_packet, "door: AF_INET with SOCK_PACKET", "packet(7), compatibility",
       ("inet_packet"))
ATTACK(raw_sockets, "door: raw sockets as root", "raw(7)", ("raw"))
ATTACK(packet_sockets, "door: packet sockets as root", "packet(7)", ("packet"))
ATTACK(vsock, "door: vsock", "vsock(7)", ("vsock"))
ATTACK(every_family, "door: exotic families", "socket(2)", ("every_family"))
ATTACK(netlink_families, "door: exotic families", "netlink(7)", ("netlink_families"))
ATTACK(i386_entry, "door: the i386 entry", "seccomp(2), AUDIT_ARCH", ("i386"))
ATTACK(x32_entry, "door: the x32 entry", "seccomp(2), __X32_SYSCALL_BIT", ("x32"))
ATTACK(listen_without_bind, "door: listen without bind", "listen(2)", ("listen_unbound"))
ATTACK(bind_to_the_wildcard, "door: listen without bind", "bind(2)", ("bind_wildcard"))
ATTACK(disconnect_and_connect, "door: connect(AF_UNSPEC)", "connect(2)", ("disconnect"))
ATTACK(sends_with_af_unspec, "door: sends with AF_UNSPEC", "net/ipv4/udp.c udp_sendmsg()",
       ("unspec"))
ATTACK(upper_halves, "door: garbage in the upper half of arguments",
       "CVE-2019-10063 (flatpak), CVE-2019-7303 (snapd)", ("fast_open_sendto"))
ATTACK(flags_of_sends, "door: garbage in the upper half of arguments", "send(2)", ("flags"))
ATTACK(addresses_of_connected_sockets, "door: sends with AF_UNSPEC", "send(2)", ("connected"))
ATTACK(user_namespace, "door: new user namespaces", "user_namespaces(7)", ("user_namespace"))
ATTACK(network_namespace, "door: new network namespaces", "network_namespaces(7), setns(2)",
       ("network_namespace"))
ATTACK(without_an_address, "door: calls that name no peer", "splice(2), sendfile(2), write(2)",
       ("without_address"), .no_control = true)
ATTACK(netlink_by_write, "door: the network reconfigured as root", "netlink(7)", ("netlink_write"))
ATTACK(interface_ioctl, "door: the network reconfigured as root", "netdevice(7)",
       ("interface_ioctl"))
ATTACK(tun, "door: the network reconfigured as root", "Documentation/networking/tuntap.rst",
       ("tun"))
ATTACK(given_tun, "door: a network device for the user", "tuntap.rst, TUNSETPERSIST",
       ("given_tun"), .gives = GIVES_TUN)
ATTACK(bpf_at_the_cgroup, "door: the network reconfigured as root",
       "bpf(2), BPF_CGROUP_INET4_CONNECT", ("bpf", "DIR/closed"))
ATTACK(tcp_repair, "door: the network reconfigured as root", "tcp(7), TCP_REPAIR", ("repair"))
ATTACK(ptrace_of_a_sibling, "door: a task makes another's calls", "seccomp(2), ptrace before 4.8",
       ("ptrace"))
ATTACK(ptrace_changes_the_number, "door: a task makes another's calls",
       "seccomp(2), ptrace before 4.8", ("ptrace_number"))
ATTACK(ptrace_suspends_the_filter, "door: a task makes another's calls", "CVE-2022-30594",
       ("ptrace_suspend"))
ATTACK(passed_sockets, "door: a task makes another's calls", "unix(7), pidfd_getfd(2)",
       ("passed_socket"))
ATTACK(own_filters, "door: filters of the command's own", "seccomp(2)", ("filters"))
ATTACK(own_listener, "door: filters of the command's own", "seccomp_unotify(2)", ("own_listener"))
ATTACK(prctl, "door: filters of the command's own", "prctl(2)", ("prctl"))
ATTACK(other_user, "door: filters of the command's own", "a task that cannot be looked into",
       ("other_user"))
ATTACK(personality, "door: filters of the command's own", "personality(2)", ("personality"))
ATTACK(ulp, "door: what a socket can become", "tcp(7), TCP_ULP; net/smc", ("ulp"))
ATTACK(form, "door: what a socket can become", "ipv6(7), IPV6_ADDRFORM", ("form"),
       .no_control = true)

/* ---- addresses ---------------------------------------------------------------- */

ATTACK(address_0000, "address: 0.0.0.0", "net/ipv4/route.c", ("address", "0.0.0.0"))
ATTACK(address_0000_of_a_bound_socket, "address: 0.0.0.0", "net/ipv4/route.c", ("bound"))
ATTACK(address_0_8, "address: all of 0/8", "Linux 5.3: 0/8 is unicast", ("address", "0.1.2.3"))
ATTACK(address_any6, "address: ::", "net/ipv6/tcp_ipv6.c", ("address", "::"))
ATTACK(address_mapped_any, "address: ::ffff:0.0.0.0", "net/ipv6/tcp_ipv6.c",
       ("address", "::ffff:0.0.0.0"))
ATTACK(address_mapped, "address: mapped", "RFC 4291, 2.5.5.2", ("address", "::ffff:127.0.0.1"))
ATTACK(address_mapped_0_8, "address: mapped", "RFC 4291, 2.5.5.2", ("address", "::ffff:0.1.2.3"))
ATTACK(address_of_the_other_family, "address: mapped", "net/ipv6/udp.c", ("family"))
ATTACK(address_6to4, "address: 6to4", "RFC 3056", ("address", "2002:7f00:1::1"))
ATTACK(address_nat64, "address: NAT64", "RFC 6052", ("address", "64:ff9b::7f00:1"))
ATTACK(address_own4, "address: the machine's own", "a service bound to the LAN",
       ("address", "10.99.0.1"))
ATTACK(address_own6, "address: the machine's own", "a service bound to the LAN",
       ("address", "fd00::1"))
ATTACK(address_own_public, "address: the machine's own", "no private range covers it",
       ("address", "1.2.3.4"))
ATTACK(address_127_2, "address: 127/8 beyond .1", "RFC 1122, 3.2.1.3", ("address", "127.0.0.2"))
ATTACK(address_127_last, "address: 127/8 beyond .1", "RFC 1122, 3.2.1.3",
       ("address", "127.255.255.254"))
ATTACK(address_broadcast, "address: broadcast", "ip(7), SO_BROADCAST",
       ("broadcast", "255.255.255.255"))
ATTACK(address_broadcast_of_a_net, "address: broadcast", "ip(7), SO_BROADCAST",
       ("broadcast", "127.255.255.255"))
ATTACK(address_multicast, "address: multicast", "ip(7), IP_MULTICAST_IF",
       ("multicast", GROUP_ADDRESS))
ATTACK(address_mapped_multicast, "address: multicast", "ip(7), IP_MULTICAST_IF",
       ("multicast", "::ffff:" GROUP_ADDRESS), .no_control = true)
ATTACK(address_link_local, "address: link-local scope ids", "ipv6(7), sin6_scope_id",
       ("address", "fe80::1"))
ATTACK(address_lengths, "address: odd lengths", "net/ipv6.h, SIN6_LEN_RFC2133", ("lengths"))
ATTACK(address_of_a_foreign_source, "address: source routes", "ip(7), IP_TRANSPARENT",
       ("foreign_source"))
ATTACK(source_routes, "address: source routes", "RFC 791, RFC 8754", ("route_options"))

/* ---- borrowed authority ---------------------------------------------------------- */

ATTACK(low_port, "authority: low ports", "ip(7), ip_unprivileged_port_start", ("low_port", "keep"),
       .policy = ALLOW_BIND)
ATTACK(chroot, "authority: UNIX paths in the wrong root", "chroot(2)",
       ("chroot", "keep", "DIR/service"))
ATTACK(closed_path, "authority: UNIX paths with more rights", "path_resolution(7)",
       ("closed_path", "keep", "DIR/closed/service"))
ATTACK(mark, "authority: privileged control messages", "socket(7), SO_MARK", ("mark", "keep"))
ATTACK(inherited_socket, "authority: sockets inherited at start", "CVE-2024-21626 (runc)",
       ("inherited", "77"), .gives = GIVES_UDP)
ATTACK(inherited_stdin, "authority: sockets inherited at start", "inetd(8)", ("inherited", "0"),
       .gives = GIVES_STDIN)
ATTACK(inherited_listener, "authority: sockets inherited at start", "sd_listen_fds(3)",
       ("inherited_listener", "77"), .gives = GIVES_LISTENER)
ATTACK(host_service_by_path, "authority: host services on UNIX sockets",
       "D-Bus, docker.sock, ssh-agent", ("services", "DIR/service"))
ATTACK(host_service_by_abstract_name, "authority: host services on UNIX sockets",
       "CVE-2020-15257 (containerd)", ("services", "SERVICE"))
ATTACK(host_service_by_other_names, "authority: host services on UNIX sockets", "unix(7)",
       ("service_by_other_names", "DIR"))
ATTACK(host_service_by_a_swapped_name, "authority: host services on UNIX sockets", "unix(7)",
       ("service_by_swap", "DIR"), .is_race = true)
ATTACK(host_service_by_a_twin, "authority: host services on UNIX sockets",
       "unix_diag: 32 bits of an inode's number, and no subvolume", ("service_by_twin", "DIR/btrfs"),
       .gives = GIVES_BTRFS)
ATTACK(supervisor, "authority: the supervisor's memory and descriptors",
       "ptrace(2), pidfd_getfd(2), proc_pid_mem(5)", ("supervisor"))
ATTACK(supervisor_signals, "authority: signals to the supervisor", "kill(2), pidfd_send_signal(2)",
       ("supervisor"))
ATTACK(supervisor_signals_by_owner, "authority: signals to the supervisor", "fcntl(2), F_SETOWN",
       ("signal_by_owner"))
ATTACK(supervisor_limits, "authority: limits and scheduling of the supervisor",
       "prlimit(2), setpriority(2), sched_setscheduler(2)", ("supervisor"))
ATTACK(namespace_of_a_socket, "authority: the namespace of a socket", "SIOCGSKNS", ("siocgskns"))
ATTACK(namespace_by_its_handle, "authority: the namespace of a socket",
       "open_by_handle_at(2) of nsfs, Linux 6.18", ("handle"))
ATTACK(request_key, "authority: helpers of the kernel", "request_key(2), dns_resolver",
       ("request_key"), .no_control = true)

/* ---- availability ------------------------------------------------------------------ */

ATTACK(stall_by_a_connect_called_off, "availability: a blocking connect stalls everyone",
       "connect(2), EALREADY", ("stall_called_off"), .no_control = true)
ATTACK(stall_by_clearing_nonblock, "availability: a blocking connect stalls everyone",
       "fcntl(2), O_NONBLOCK", ("stall_nonblock"), .no_control = true, .is_race = true)
ATTACK(userfaultfd, "availability: userfaultfd", "userfaultfd(2)", ("userfaultfd"))
ATTACK(leaks, "availability: descriptors leaked per request", "pidfd_getfd(2): one a call",
       ("leaks"), .no_control = true, .nofile = 640)

ATTACK(perfmon, "authority: the supervisor's memory and descriptors",
       "mm_access(): CAP_PERFMON reads without ptrace(2)", ("supervisor"))

/* ---- truth -------------------------------------------------------------------------- */

ATTACK(mixed_messages, "truth: an error while the connection was made", "sendmmsg(2)",
       ("mixed_messages"))
ATTACK(tiocsti, "truth: TIOCSTI", "CVE-2017-5226 (bubblewrap), CVE-2019-10063 (flatpak)",
       ("tiocsti"))
ATTACK(tioclinux, "truth: TIOCLINUX", "CVE-2023-1523 (snapd), CVE-2023-28100 (flatpak)",
       ("tioclinux"))
