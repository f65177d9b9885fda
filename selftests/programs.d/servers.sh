# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Servers with the clients that measure them.

program redis q 'redis-server redis-cli' 'connect:5' 'set, get, a pipe of 2000 commands'
run_redis() {
	serve 6399 redis-server --port 6399 --bind 127.0.0.1 --save '' --appendonly no
	redis-cli -p 6399 set a b
	redis-cli -p 6399 get a
	for i in {1..2000}; do echo "incr n"; done | redis-cli -p 6399 --pipe
	redis-cli -p 6399 get n
	redis-cli -p 6399 shutdown nosave
}

program redis_benchmark '' 'redis-server redis-benchmark' 'connect:50' 'GET a second'
run_redis_benchmark() {
	serve 6399 redis-server --port 6399 --bind 127.0.0.1 --save '' --appendonly no
	redis-benchmark -p 6399 -q -t get -n 50000 --csv >rates
	echo "status $?"
	rate "$(awk -F '"' '$2 == "GET" { print $4 }' rates)"
}

program postgresql '' psql 'connect:5' 'initdb, psql, pgbench: transactions a second'
run_postgresql() {
	PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1):$PATH
	export PGHOST=127.0.0.1 PGPORT=5499 PGUSER=tester PGDATABASE=postgres
	initdb -D data -U tester -A trust >initdb.log 2>&1
	echo "initdb $?"
	serve 5499 postgres -D data -p 5499 -k "$PWD" -c listen_addresses=127.0.0.1
	until psql -qc 'select 1' >/dev/null 2>&1; do sleep 0.05; done
	psql -Atc 'create table t as select generate_series(1, 1000) n; select sum(n) from t'
	psql -h "$PWD" -Atc 'select count(*) from t'
	pgbench -iq >pgbench.log 2>&1
	pgbench -c 4 -t 250 >pgbench.log 2>&1
	echo "pgbench $?"
	grep 'actually processed' pgbench.log
	rate "$(awk '$1 == "tps" { print $3 }' pgbench.log)"
}

# "... 1234 Mbits/sec ... receiver"
rate_of_iperf() {
	rate "$(awk '/receiver/ { for (i = 2; i <= NF; i++) if ($i == "Mbits/sec") print $(i - 1) }' iperf.log)"
}

program iperf3_tcp '' iperf3 'connect:2' 'Mbit/s of two seconds'
run_iperf3_tcp() {
	serve 5201 iperf3 -s -B 127.0.0.1
	iperf3 -c 127.0.0.1 -t 2 -f m >iperf.log
	echo "status $?"
	rate_of_iperf
}

program iperf3_udp '' iperf3 'connect:2' 'Mbit/s of two seconds at 100'
run_iperf3_udp() {
	serve 5201 iperf3 -s -B 127.0.0.1
	iperf3 -c 127.0.0.1 -u -b 100M -t 2 -f m >iperf.log
	echo "status $?"
	rate_of_iperf
}
