# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Programs that speak HTTP, those that install packages with it included.

program curl q 'curl python3' 'connect:21 listen:1' '20 downloads of 1 MB, one refused'
run_curl() {
	head -c 1000000 /dev/zero >file
	serve_files
	for i in {1..20}; do
		curl -sS -w '%{http_code} %{remote_ip}\n' -o out http://127.0.0.1:8000/file
		digest <out
	done
	curl -s http://127.0.0.1:9/
	echo "status $?"
}

program happy_eyeballs q 'curl python3' 'connect:2' 'a name with a dead IPv6 and a live IPv4 address'
run_happy_eyeballs() {
	echo hello >file
	serve_files
	# At first nobody listens at ::1, then one who never accepts what comes.
	curl -sS --resolve 'refused.test:8000:[::1],127.0.0.1' -w '%{remote_ip}\n' http://refused.test:8000/file
	python3 -c '
import socket, signal
full = socket.socket(socket.AF_INET6)
full.bind(("::1", 8000)); full.listen(0)
waiting = [socket.socket(socket.AF_INET6) for i in range(4)]
for s in waiting:
    s.setblocking(False); s.connect_ex(("::1", 8000))
open("full", "w").close()
signal.pause()' &
	servers="$servers $!"
	until [ -e full ]; do sleep 0.01; done
	curl -sS --resolve 'silent.test:8000:[::1],127.0.0.1' -w '%{remote_ip}\n' http://silent.test:8000/file
}

program apt_get q 'apt-get dpkg-deb python3' 'connect:2' 'update, and download a package'
run_apt_get() {
	mkdir -p tree/DEBIAN tree/usr/share/small repository state/lists/partial cache/archives/partial
	printf 'Package: small\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@invalid>\nDescription: small\n' >tree/DEBIAN/control
	echo 'value = 7' >tree/usr/share/small/value
	SOURCE_DATE_EPOCH=1700000000 dpkg-deb --root-owner-group -b tree repository/small.deb >/dev/null
	{
		cat tree/DEBIAN/control
		echo "Filename: ./small.deb"
		echo "Size: $(stat -c %s repository/small.deb)"
		echo "SHA256: $(sha256sum <repository/small.deb | cut -d ' ' -f 1)"
	} >repository/Packages
	echo 'deb [trusted=yes] http://127.0.0.1:8000/ ./' >sources.list
	: >status
	serve_files --directory repository
	options="-qq -o Dir::State=$PWD/state -o Dir::State::status=$PWD/status -o Dir::Cache=$PWD/cache
		-o Dir::Etc::sourcelist=$PWD/sources.list -o Dir::Etc::sourceparts=- -o Acquire::Languages=none"
	apt-get $options update
	echo "status $?"
	apt-get $options download small
	echo "status $?"
	dpkg-deb --fsys-tarfile small*.deb | tar -xO ./usr/share/small/value
}

program npm '' 'npm node' 'connect:1' 'install a package from a tarball'
run_npm() {
	mkdir package app
	echo '{"name":"small","version":"1.0.0"}' >package/package.json
	tar czf small.tgz package
	serve_files
	export HOME=$PWD
	(cd app && npm install --no-audit --no-fund --no-update-notifier http://127.0.0.1:8000/small.tgz | sed 's/ in .*//')
	cat app/node_modules/small/package.json
}

program pip '' 'pip python3' 'connect:1' 'install a package from an index'
run_pip() {
	mkdir -p index/small tree/small
	echo 'value = 7' >tree/small/__init__.py
	python3 - <<-'END'
		import zipfile
		with zipfile.ZipFile("index/small/small-1.0-py3-none-any.whl", "w") as z:
		    z.write("tree/small/__init__.py", "small/__init__.py")
		    z.writestr("small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
		    z.writestr("small-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
		    z.writestr("small-1.0.dist-info/RECORD", "")
	END
	echo '<a href="small-1.0-py3-none-any.whl">small-1.0-py3-none-any.whl</a>' >index/small/index.html
	serve_files --directory index
	HOME=$PWD python3 -m pip install -q --disable-pip-version-check --no-cache-dir \
		--index-url http://127.0.0.1:8000/ --target site small
	echo "status $?"
	PYTHONPATH=site python3 -c 'import small; print(small.value)'
}

program node q node 'connect:1 listen:1' '100 requests to a server of its own'
run_node() {
	node -e '
const http = require("http");
const server = http.createServer((q, r) => r.end(q.url)).listen(0, "127.0.0.1", async () => {
	for (let i = 0; i < 100; i++)
		console.log(await (await fetch(`http://localhost:${server.address().port}/${i}`)).text());
	process.exit();
});'
}

program go '' go 'connect:1 listen:1' 'a server and 100 requests'
run_go() {
	export HOME=$PWD GOFLAGS=-mod=mod GO111MODULE=off
	cat >main.go <<-'END'
		package main

		import ("fmt"; "io"; "net"; "net/http")

		func main() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil { panic(err) }
			go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
			for i := 0; i < 100; i++ {
				r, err := http.Get(fmt.Sprintf("http://%s/%d", l.Addr(), i))
				if err != nil { panic(err) }
				b, _ := io.ReadAll(r.Body)
				fmt.Println(string(b))
			}
		}
	END
	go run main.go
}

program java '' java 'connect:1 listen:1' 'a server and 100 requests'
run_java() {
	cat >Main.java <<-'END'
		import com.sun.net.httpserver.HttpServer;
		import java.net.*;
		import java.net.http.*;
		public class Main {
			public static void main(String[] args) throws Exception {
				HttpServer s = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
				s.createContext("/", e -> {
					byte[] b = e.getRequestURI().toString().getBytes();
					e.sendResponseHeaders(200, b.length);
					e.getResponseBody().write(b);
					e.close();
				});
				s.start();
				HttpClient c = HttpClient.newHttpClient();
				for (int i = 0; i < 100; i++)
					System.out.println(c.send(HttpRequest.newBuilder(URI.create(
						"http://127.0.0.1:" + s.getAddress().getPort() + "/" + i)).build(),
						HttpResponse.BodyHandlers.ofString()).body());
				System.exit(0);
			}
		}
	END
	java Main.java
}

program nginx_wrk '' 'nginx wrk' 'connect:32 listen:1' 'requests a second, two seconds of load'
run_nginx_wrk() {
	echo hello >index.html
	cat >nginx.conf <<-END
		daemon off; pid $PWD/pid; error_log $PWD/error.log; worker_processes 2;
		events { }
		http {
			access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fast;
			uwsgi_temp_path uwsgi; scgi_temp_path scgi;
			server { listen 127.0.0.1:8080; root $PWD; }
		}
	END
	serve 8080 nginx -p "$PWD" -c nginx.conf -e error.log
	wrk -t2 -c32 -d2 http://127.0.0.1:8080/ >wrk.log
	echo "status $?"
	rate "$(awk '/Requests\/sec/ { print $2 }' wrk.log)"
	grep -c 'Socket errors\|Non-2xx' wrk.log
	curl -sS http://127.0.0.1:8080/
}
