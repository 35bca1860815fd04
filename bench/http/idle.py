#!/usr/bin/env python3
"""Memory of idle keep-alive connections: opens N, makes one request on each, prints the growth.

Usage: idle.py BUILD_FOLDER [--connections 10000]
"""
import argparse
import pathlib
import resource
import socket
import subprocess
import tempfile


def rss_kib(pid: int) -> int:
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--connections", type=int, default=10000)
    options = parser.parse_args()
    wanted = options.connections + 100
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([str(pathlib.Path(options.build) / "bin/http_bench_server"),
                                   str(port), f"{folder}/log"], stdout=subprocess.PIPE)
        try:
            server.stdout.readline()
            request = b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"X-A: %s\r\n" % (b"b" * 600) + b"\r\n"
            clients = []
            before = rss_kib(server.pid)
            for _ in range(options.connections):
                client = socket.create_connection(("127.0.0.1", port))
                client.sendall(request)
                client.recv(1000)
                clients.append(client)
            after = rss_kib(server.pid)
            print(f"{len(clients)} idle connections: {(after - before) / 1024:.1f} MiB more, "
                  f"{(after - before) / len(clients):.2f} KiB each")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
