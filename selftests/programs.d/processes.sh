# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Programs that start many processes, or namespaces, and talk to nobody else.

program dash_pipelines q dash '' 'pipelines of three, by the thousand'
run_dash_pipelines() {
	[ -n "$QUICK" ] && count=50 || count=1000
	dash -c 'i=0; while [ $i -lt $1 ]; do echo $i | cat | tr 0-9 a-j; i=$((i+1)); done' - $count | digest
}

program make_j q 'make gcc' '' 'make -j4 of 20 objects'
run_make_j() {
	for i in {1..20}; do
		echo "int f$i(void) { return $i; }" >"f$i.c"
	done
	make -s -j4 $(printf 'f%d.o ' {1..20})
	echo "status $?, $(ls f*.o | wc -l) objects"
}

program own_network q 'unshare ip python3' 'connect:1 listen:1' 'a network namespace of its own, set up by ip'
run_own_network() {
	cat >hello.py <<-'END'
		import socket
		server = socket.create_server(("127.0.0.1", 8000))
		client = socket.create_connection(("127.0.0.1", 8000))
		server.accept()[0].send(b"hello")
		print(client.recv(9).decode())
	END
	unshare -Urn sh -c 'ip link set lo up && python3 hello.py'
}
