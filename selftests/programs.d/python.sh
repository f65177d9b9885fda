# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Python.

program python_requests q 'python3 python:requests' 'connect:2' '50 requests in one session, one refused'
run_python_requests() {
	echo hello >file
	serve_files
	python3 -c '
import requests
with requests.Session() as s:
    for i in range(50):
        r = s.get("http://127.0.0.1:8000/file", timeout=10)
        print(r.status_code, r.text.strip())
    try:
        s.get("http://127.0.0.1:9/", timeout=10)
    except requests.ConnectionError as e:
        print(type(e).__name__)'
}

program python_urllib q python3 'connect:50' '50 requests to a server of its own'
run_python_urllib() {
	python3 -c '
import http.server, threading, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(self.path.encode())
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for i in range(50):
    print(urllib.request.urlopen("http://localhost:%d/%d" % (server.server_port, i)).read())'
}

program python_asyncio q python3 'connect:200' '200 connections at once'
run_python_asyncio() {
	python3 -c '
import asyncio
async def serve(r, w):
    w.write((await r.readline()).upper()); await w.drain(); w.close()
async def ask(port, i):
    r, w = await asyncio.open_connection("127.0.0.1", port)
    w.write(b"hello %d\n" % i); answer = await r.read(); w.close()
    return answer
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]
    print(await asyncio.gather(*(ask(port, i) for i in range(200))))
asyncio.run(main())'
}

program python_multiprocessing q python3 'connect:1' 'a pool of 4 over 2000 items, a manager'
run_python_multiprocessing() {
	python3 -c '
import multiprocessing
def square(n): return n * n
if __name__ == "__main__":
    with multiprocessing.Pool(4) as pool:
        print(sum(pool.map(square, range(2000))))
    with multiprocessing.Manager() as m:
        d = m.dict(); d["a"] = 1; print(dict(d))'
}
