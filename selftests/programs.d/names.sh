# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Programs that ask for names, or whether a host is there.

program getaddrinfo_glibc q python3 '' 'literals, localhost, an unknown name'
run_getaddrinfo_glibc() {
	python3 -c '
import socket
for name in ("127.0.0.1", "::1", "localhost", "nonsuch.invalid"):
    try:
        print(name, sorted(set(a[4][0] for a in socket.getaddrinfo(name, 80))))
    except socket.gaierror as e:
        print(name, e)'
}

program getaddrinfo_musl q musl-gcc '' 'the same, linked with musl'
run_getaddrinfo_musl() {
	musl-gcc -o names -x c - <<-'END' && ./names
		#include <arpa/inet.h>
		#include <netdb.h>
		#include <stdio.h>
		int main(void)
		{
			const char *names[] = { "127.0.0.1", "::1", "localhost", "nonsuch.invalid" };
			for (int i = 0; i < 4; i++) {
				struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *a;
				int error = getaddrinfo(names[i], "80", &hints, &a);
				printf("%s %s\n", names[i], error ? gai_strerror(error) : "found");
				for (; !error && a; a = a->ai_next)
					printf("  family %d\n", a->ai_family);
			}
		}
	END
}

program dig q 'dig dnsmasq' 'bind:2 sendmsg:6' 'queries over udp and tcp'
run_dig() {
	printf '127.0.0.1 one.test\n::1 one.test\n' >hosts
	serve 5300 dnsmasq -k -p 5300 --listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts \
		--addn-hosts="$PWD/hosts" --conf-file=/dev/null --pid-file= --user= --group=
	for options in +notcp +tcp +bufsize=4096; do
		dig @127.0.0.1 -p 5300 +short $options one.test A one.test AAAA nonsuch.test
		echo "status $?"
	done
}

program ping q ping 'sendto:10' 'IPv4 and IPv6, five each'
run_ping() {
	ping -c 5 -i 0.01 127.0.0.1 | grep transmitted | sed 's/, time.*//'
	ping -c 5 -i 0.01 ::1 | grep transmitted | sed 's/, time.*//'
}
