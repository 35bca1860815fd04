"""The product's numbers, each as a ratio to a reference measured in the same run.

    bench/run.py [row ...]    rows: health synthesis first-byte memory start size metering
                              wall keys usage stream-input sockets timeline
Prints a table in Markdown. Rounds of ours and the reference alternate; medians are compared.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import httpx

from measure import BUILD, PARAGRAPH, SECONDS, SENTENCE
from measure import compare, pool_bench, post_script, print_table, program, report, wrk
from support.admin import admin
from support.server import Server, wait_until
from speech import stream


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """One worker, `return 200` with a request id header and an access log."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vf-nginx-"))
        self.port = free_port()
        (self.folder / "nginx.conf").write_text(f"""
worker_processes 1;
error_log {self.folder}/error.log;
pid {self.folder}/nginx.pid;
daemon off;
events {{ worker_connections 1024; }}
http {{
    log_format json escape=json '{{"time":"$time_iso8601","request_id":"$request_id","method":"$request_method","route":"$uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,"peer":"$remote_addr","agent":"$http_user_agent"}}';
    access_log {self.folder}/access.log json buffer=64k flush=200ms;
    keepalive_requests 100000000;
    server {{
        listen 127.0.0.1:{self.port};
        location / {{
            default_type application/json;
            add_header X-Request-Id $request_id;
            return 200 '{{"status":"ok"}}';
        }}
    }}
}}
""")
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", self.folder / "nginx.conf"])
        wait_until(self.answers, what="nginx")

    def answers(self):
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/").status_code == 200
        except httpx.HTTPError:
            return False

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def health():
    log = tempfile.NamedTemporaryFile()
    server, nginx = Server(settings={"LOG_FILE": log.name}), Nginx()
    try:
        ours, theirs = compare(lambda: wrk(server.url + "/health", 64),
                               lambda: wrk(f"http://127.0.0.1:{nginx.port}/", 64))
    finally:
        nginx.close()
        server.close()
    ratio = ours / theirs
    report("GET /health, keep-alive, 64 connections, access log and request id in both",
           f"{ours:,.0f}/s", f"nginx {theirs:,.0f}/s", f"{ratio:.2f}", "≥ 0.9 ×", ratio >= 0.9)


def synthesis():
    # The same number of callers on both sides: as many as workers, then twice as many.
    server = Server(settings={"LOG_LEVEL": "warning", "HTTP_ACCESS_LOG": "true"})
    cores = os.cpu_count()
    try:
        for name, rate, callers in (("pcm", 16000, cores), ("pcm", 16000, 2 * cores),
                                    ("mp3", 24000, cores), ("mp3", 24000, 2 * cores)):
            body = {"text": SENTENCE, "voice": "slt", "format": name, "sample_rate": rate}
            script = post_script(body)
            pool = ["--voice", "slt", "--text", SENTENCE, "--workers", cores, "--callers", callers,
                    "--seconds", SECONDS]
            ways = {"bare pool": []}
            what = "pcm at the engine's rate"
            if name == "mp3":
                # Encoding after the synthesis or beside it: the faster one is the reference.
                ways = {"pool, then encoder": ["--mp3", rate],
                        "pool beside encoder": ["--mp3", rate, "--per-chunk"]}
                what = "mp3, levelled"
            ours, *references = compare(
                lambda: wrk(server.url + "/v1/generate", callers, script),
                *(lambda more=more: pool_bench(*pool, *more)["requests_per_second"]
                  for more in ways.values()))
            theirs = max(references)
            beside = list(ways)[references.index(theirs)]
            ratio = ours / theirs
            report(f"synthesis over HTTP, {callers} callers, {cores} workers, flite slt, {what}", f"{ours:.1f}/s",
                   f"{beside} {theirs:.1f}/s", f"{ratio:.2f}", "≥ 0.9 ×", ratio >= 0.9)
    finally:
        server.close()


def first_audio_byte(port, body):
    """Milliseconds from the request to the first byte of audio."""
    text = json.dumps(body)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        connection.sendall((f"POST /v1/generate/stream HTTP/1.1\r\nHost: localhost\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n"
                            f"Connection: close\r\n\r\n{text}").encode())
        data = b""
        while True:
            data += connection.recv(65536)
            head, _, rest = data.partition(b"\r\n\r\n")
            if rest.count(b"\r\n") >= 1 and len(rest.split(b"\r\n", 1)[1]) > 0:
                took = (time.perf_counter() - started) * 1000
                break
        while connection.recv(65536):
            pass
    return took


def first_byte():
    server = Server(settings={"LOG_LEVEL": "warning"})
    first_sentence = PARAGRAPH.split(". ")[0] + "."
    try:
        body = {"text": PARAGRAPH, "voice": "slt", "format": "pcm", "sample_rate": 16000}
        for _ in range(3):
            first_audio_byte(server.port, body)

        def ours_ms():
            return statistics.median(first_audio_byte(server.port, body) for _ in range(8))

        def engine_ms():
            return pool_bench("--voice", "slt", "--text", first_sentence, "--workers", 1,
                              "--seconds", 1)["first_chunk_ms_p50"]
        ours, theirs = compare(ours_ms, engine_ms)
    finally:
        server.close()
    ratio = ours / theirs
    report("first audio byte, streaming, 500-character paragraph, flite slt", f"{ours:.1f} ms",
           f"the engine's own first chunk {theirs:.1f} ms", f"{ratio:.2f}", "≤ 1.2 ×", ratio <= 1.2)


def pss_mb(server):
    total = 0
    for pid in [server.process.pid, *server.children()]:
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        match = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
        total += int(match[1]) if match else 0
    return total / 1024


def memory():
    server = Server(settings={"LOG_LEVEL": "warning"})
    try:
        time.sleep(2)
        idle = pss_mb(server)
        for voice in ("slt", "rms", "awb", "kal16", "espeak-en-us"):
            script = post_script({"text": PARAGRAPH, "voice": voice, "format": "mp3"})
            wrk(server.url + "/v1/generate", 4, script, 3)
        loaded = pss_mb(server)
        before = pss_mb(server)
        sockets = []
        for _ in range(10_000):
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connection.recv(4096)
            sockets.append(connection)
        idle_connections = pss_mb(server) - before
        for connection in sockets:
            connection.close()
    finally:
        server.close()
    report("memory idle (PSS), engines and PostgreSQL included", f"{idle:.0f} MB", "–", "–",
           "≤ 150 MB", idle <= 150)
    report("memory after load in five voices", f"{loaded:.0f} MB", "–", "–", "told", True)
    report("10,000 idle keep-alive connections", f"{idle_connections:.0f} MB", "none", "–",
           "≤ 150 MB more", idle_connections <= 150)


def start():
    folder = tempfile.mkdtemp(prefix="vf-bench-")
    os.chmod(folder, 0o755)
    data = pathlib.Path(folder) / "data"
    try:
        server = Server(data)
        cold = server.ready_after
        server.stop()
        warm = []
        for _ in range(3):
            server = Server(data)
            warm.append(server.ready_after)
            server.stop()
        server = Server(data)
        children = server.children()
        server.kill()
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        server = Server(data)
        after_kill = server.ready_after
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report("first start on an empty data folder, to ready", f"{cold:.2f} s", "–", "–", "told", True)
    warm = statistics.median(warm)
    report("start after a clean stop, to ready", f"{warm:.2f} s", "–", "–", "< 1 s", warm < 1)
    report("start after kill -9 of everything, to ready", f"{after_kill:.2f} s", "–", "–", "< 5 s",
           after_kill < 5)


def size():
    with tempfile.TemporaryDirectory() as stage:
        subprocess.run(["cmake", "--install", BUILD, "--prefix", stage, "--strip"], check=True,
                       capture_output=True)
        files = [p for p in pathlib.Path(stage).rglob("*") if p.is_file()]
        # The neural models' library is somebody else's, and comes in a package of its own.
        foreign = {p for p in files if p.parent.name == "voiceflow" and p.suffix == ".so"}
        own = sum(p.stat().st_size for p in files if p not in foreign) / 2**20
        brought = sum(p.stat().st_size for p in foreign) / 2**20
        libraries = set()
        for path in files:
            out = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
            libraries |= set(re.findall(r"=> (/\S+)", out))
    packages = {"postgresql-15", "postgresql-client-15", "postgresql-common",
                "postgresql-client-common", "espeak-ng-data", "pocketsphinx-en-us"}
    for library in libraries:
        for name in (library, library.removeprefix("/usr"), str(pathlib.Path(library).resolve())):
            out = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True).stdout
            if out:
                packages.add(out.split(":")[0])
                break
    out = subprocess.run(["dpkg-query", "-W", "-f", "${Installed-Size}\n", *packages],
                         capture_output=True, text=True).stdout
    total = own + brought + sum(map(int, out.split())) / 1024
    report("our own binaries and files, installed", f"{own:.0f} MB", "–", "–", "≤ 50 MB", own <= 50)
    report("with the packages they run on, PostgreSQL included", f"{total:.0f} MB", "–", "–",
           "≤ 500 MB", total <= 500)


def metering():
    server = Server(settings={"LOG_LEVEL": "warning", "HTTP_ACCESS_LOG": "false",
                              "ENGINES_ENABLE": "fake"})
    bare = subprocess.Popen([BUILD / "bin" / "bare_speech_server", "fake"], stdout=subprocess.PIPE,
                            text=True)
    try:
        port = int(bare.stdout.readline())
        team = admin(server, "create-team", "Bench", "--plan", "enterprise")["id"]
        key = admin(server, "create-key", team)["key"]
        text = "A short sentence."
        metered = (post_script({"text": text, "voice": "fake-tone", "format": "pcm",
                                "sample_rate": 16000})
                   + f"wrk.headers['Authorization'] = 'Bearer {key}'\n")
        plain = post_script({"text": text, "voice": "fake-tone"})
        ours, theirs = compare(
            lambda: wrk(server.url + "/v1/generate", 8, metered),
            lambda: wrk(f"http://127.0.0.1:{port}/speak", 8, plain))
    finally:
        bare.terminate()
        bare.wait()
        server.close()
    ratio = ours / theirs
    report("replies of the fake engine with key, plan, budgets and journal", f"{ours:.0f}/s",
           f"the corridor alone {theirs:.0f}/s", f"{ratio:.2f}", "≥ 0.8 ×", ratio >= 0.8)


def wall():
    out = program("wall_bench")
    walled, bare, ratio = re.search(r"selects (\d+) /s  plain pipelined (\d+) /s  ratio ([\d.]+)",
                                    out).groups()
    report("team-scoped selects, one connection", f"{int(walled):,}/s", f"plain {int(bare):,}/s",
           ratio, "≥ 0.65 ×", float(ratio) >= 0.65)


def keys():
    nanos = int(re.search(r"warm key check (\d+) ns", program("key_bench"))[1])
    report("warm check of an API key", f"{nanos / 1000:.2f} us", "–", "–", "< 2 us", nanos < 2000)


def usage():
    out = program("usage_bench")
    rates = re.findall(r"bare COPY\s+(\d+) rows/s\s+journal to PostgreSQL\s+(\d+) rows/s", out)
    copied = statistics.median(int(a) for a, _ in rates)
    shipped = statistics.median(int(b) for _, b in rates)
    ratio = shipped / copied
    report("usage rows into PostgreSQL", f"{shipped:,.0f}/s", f"bare COPY {copied:,.0f}/s",
           f"{ratio:.2f}", "≥ 0.5 ×", ratio >= 0.5)
    late = float(re.search(r"all in PostgreSQL ([\d.]+) s after the last", out)[1])
    report("at 20,000 usage rows a second, the last is in PostgreSQL after", f"{late:.2f} s", "–",
           "–", "≤ 2 s", late <= 2)
    print(next(line for line in out.splitlines() if line.startswith("journal append")))


ALL = {"health": health, "synthesis": synthesis, "first-byte": first_byte, "memory": memory,
       "start": start, "size": size,
       "metering": metering, "wall": wall, "keys": keys, "usage": usage,
       "stream-input": stream.stream_input, "sockets": stream.sockets, "timeline": stream.timeline}


def main():
    for name in sys.argv[1:] or ALL:
        ALL[name]()
    print_table()


if __name__ == "__main__":
    main()
