# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What programs do that is easily broken, as the scenarios of the suites do it. There each is one
# run, and what its peer received is checked; here it is measured.

# repeat COUNT PROGRAM SCENARIO: its figures, in lines that begin with #, are its own.
repeat() {
	for ((i = 0; i < $1; i++)); do
		"$SANDTOP_PROGRAMS/$2" "$3" || echo "status $?"
	done | grep -v '^# '
}

program epoll_first q '' 'connect:2' 'registered with epoll before the connect'
run_epoll_first() { repeat 1 staller epoll; }

program mptcp q '' 'connect:10' 'as Go does: MPTCP, or else TCP'
run_mptcp() { repeat 10 caller mptcp; }

program udp_gso q '' 'sendmsg:10' 'UDP_SEGMENT'
run_udp_gso() { repeat 10 courier segment; }

program sendmmsg_1024 q '' 'sendmmsg:4' '1024 messages in one call'
run_sendmmsg_1024() { repeat 4 sender many; }

program sendmsg_64m q '' 'sendmsg:1' '64 MiB in one blocking call'
run_sendmsg_64m() { repeat 1 sender big; }

program empty_datagrams q '' 'sendmsg:10 sendto:10' 'datagrams of no length'
run_empty_datagrams() { repeat 10 sender empty; }

program msg_more q '' 'sendmsg:10' 'MSG_MORE'
run_msg_more() { repeat 10 sender more; }

program msg_oob q '' 'sendmsg:10' 'MSG_OOB'
run_msg_oob() { repeat 10 sender out_of_band; }

program sigurg q '' 'connect:400 sendmsg:400' '400 connects and sends in a storm of signals'
run_sigurg() { repeat 1 parent urgent; }

program spawn q '' '' '100 of each: vfork and exec, posix_spawn'
run_spawn() { repeat 1 parent starts; }

program daemon q '' 'connect:1' 'a daemon, in a session of its own'
run_daemon() { repeat 1 parent daemonize; }

program fork_storm q '' 'sendto:500' '500 processes at once'
run_fork_storm() { repeat 1 parent fork_storm; }
