#!/usr/bin/env python3
"""GET /health over keep-alive connections, ours against nginx `return 200`, in turn.

Both write an access log and send a request id. Needs wrk and nginx; prints one line per round and
the ratio of the medians. Usage: health.py BUILD_FOLDER [--seconds 5] [--rounds 3]
"""
import argparse
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import time

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  log_format line escape=json '{{"time":"$time_iso8601","request_id":"$request_id","method":"$request_method",'
    '"route":"$uri","status":$status,"bytes":$bytes_sent,"duration_ms":$request_time,"peer":"$remote_addr",'
    '"user_agent":"$http_user_agent"}}';
  access_log {folder}/access.log line{buffered};
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    default_type text/plain;
    add_header X-Request-Id $request_id;
    add_header X-Content-Type-Options nosniff;
    location /health {{ return 200 "ok\\n"; }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_open(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nothing listens on {port}")


def wrk(port: int, seconds: int, path: str) -> tuple[float, str]:
    out = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}{path}"],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    return rate, re.search(r"99%\s+(\S+)", out).group(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ports = {"ours": free_port(), "nginx": free_port(), "nginx, buffered log": free_port()}
        commands = {"ours": [str(pathlib.Path(options.build) / "bin/http_bench_server"),
                             str(ports["ours"]), f"{folder}/ours.log"]}
        for name, buffered in (("nginx", ""), ("nginx, buffered log", " buffer=64k flush=200ms")):
            own = pathlib.Path(folder) / name.replace(" ", "-").replace(",", "")
            own.mkdir()
            config = own / "nginx.conf"
            config.write_text(NGINX.format(folder=own, port=ports[name], buffered=buffered))
            commands[name] = ["nginx", "-p", str(own), "-c", str(config)]
        running = [subprocess.Popen(c, stdout=subprocess.DEVNULL) for c in commands.values()]
        try:
            for port in ports.values():
                wait_open(port)
            rates: dict[str, list[float]] = {}
            for _ in range(options.rounds):
                for name, path in (("ours", "/health"), ("nginx", "/health"),
                                   ("nginx, buffered log", "/health"), ("ours, task", "/task")):
                    rate, p99 = wrk(ports[name.replace(", task", "")], options.seconds, path)
                    rates.setdefault(name, []).append(rate)
                    print(f"{name:22} {rate:10.0f} req/s   p99 {p99}")
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait()
        ours = statistics.median(rates["ours"])
        for name in ("nginx", "nginx, buffered log"):
            print(f"ratio ours / {name}: {ours / statistics.median(rates[name]):.2f}")


if __name__ == "__main__":
    main()
