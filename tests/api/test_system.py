"""Health, metrics, the description, the page's files, and what HTTP itself owes."""

import gzip
import json
import re
import threading

import pytest

from support import contract
from support.raw import connect, exchange, parse, read_all


def test_health_and_readiness(http):
    assert http.get("/health").json() == {"status": "ok"}
    assert http.get("/ready").json() == {"status": "ready", "engines": "ready", "database": "ready",
                                         "journal": "ready"}


def test_server_describes_itself(http):
    body = http.get("/api/server").json()
    assert re.fullmatch(r"inst_[0-9a-f]{32}", body["instance_id"])
    assert body["schema_version"] >= 1 and body["voices"] > 17
    assert {"flite"} <= {engine["name"] for engine in body["engines"]}
    assert http.get("/api/v1/server").json()["instance_id"] == body["instance_id"]


def test_the_description_is_served_and_true_to_the_routes(http):
    served = http.get("/openapi.json").json()
    assert served["paths"].keys() == contract.SPEC["paths"].keys()


def test_registered_routes_and_the_description_agree():
    import subprocess
    from support.server import VOICEFLOWD
    listed = subprocess.run([VOICEFLOWD, "routes"], capture_output=True, text=True, check=True)
    registered = {tuple(line.split()) for line in listed.stdout.splitlines()}
    described = {(method.upper(), path) for path, _, method, _ in contract.OPERATIONS}
    described |= {("WS", path) for path in contract.SPEC["x-websockets"]}
    assert registered == described


def test_options_allow_what_is_described(http):
    methods = {path: {"GET"} for path in contract.SPEC["x-websockets"]}
    for path, _, method, _ in contract.OPERATIONS:
        methods.setdefault(path, set()).add(method.upper())
    for path, described in methods.items():
        if "GET" in described:
            described.add("HEAD")
        filled = re.sub(r"\{(\w*_)?id\}", "0" * 32, path)
        response = http.request("OPTIONS", re.sub(r"\{\w+\}", "x", filled))
        assert response.status_code == 204, path
        assert set(response.headers["allow"].split(", ")) == described | {"OPTIONS"}, path


def test_metrics_have_the_names_operators_know(http):
    http.post("/v1/generate", json={"text": "Hi.", "voice": "slt"})
    text = http.get("/metrics").text
    for name in ("voiceflow_requests_total", "voiceflow_request_latency_seconds_bucket",
                 "voiceflow_tts_requests_total", "voiceflow_tts_request_duration_seconds_count",
                 "voiceflow_tts_audio_duration_seconds_sum", "voiceflow_engine_workers"):
        assert re.search(rf"^{name}[{{ ]", text, re.M), name
    for i in range(50):
        http.get(f"/nothing-{i}")
        http.request("GET", "/health", headers={"X-Noise": str(i)})
    assert "nothing-" not in http.get("/metrics").text


def test_voices_and_their_filters(http):
    def ids(**query):
        return [v["id"] for v in http.get("/api/voices", params=query).json()["voices"]]
    everything = ids()
    assert everything == sorted(everything) and len(everything) > 100
    assert {"alloy", "slt", "espeak-de"} <= set(everything)
    assert set(ids(engine="flite")) < set(everything)
    assert "espeak-de" in ids(language="de") and "slt" not in ids(language="de")
    assert {"slt", "espeak-en-us"} <= set(ids(language="en"))
    assert "rms" not in ids(gender="female") and "slt" in ids(gender="female")
    assert ids(search="SLT") and not ids(search="nobody-has-this-name")
    assert ids(quality="basic")
    assert http.get("/api/v1/voices").json() == http.get("/api/voices").json()
    for query in ({"gender": "loud"}, {"language": "!"}, {"colour": "red"}, {"quality": ""},
                  [("engine", "flite"), ("engine", "espeak")]):
        for path in ("/api/voices", "/api/v1/voices"):
            response = http.get(path, params=query)
            assert response.status_code == 400 and response.json()["errors"][0]["parameter"], query


def test_406_when_json_is_not_wanted(http):
    for path in ("/api/voices", "/api/v1/voices", "/api/server", "/api/v1/server"):
        assert http.get(path, headers={"Accept": "text/html"}).status_code == 406
        assert http.get(path, headers={"Accept": "text/*;q=0.1, */*"}).status_code == 200


def test_head_and_options(http):
    head = http.head("/api/voices")
    full = http.get("/api/voices", headers={"Accept-Encoding": "identity"})
    assert head.status_code == 200 and head.content == b""
    assert head.headers["content-type"] == full.headers["content-type"]
    options = http.options("/v1/generate")
    assert options.status_code == 204 and "POST" in options.headers["allow"]


def test_json_is_compressed_when_wanted(server):
    reply = exchange(server.port, "GET /api/voices HTTP/1.1\r\nHost: localhost\r\n"
                     "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n")
    assert reply.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in reply.headers["vary"].lower()
    assert json.loads(gzip.decompress(reply.body))["voices"]


@pytest.mark.parametrize("path", ["/", "/assets/page.js", "/assets/page.css", "/assets/icon.svg"])
def test_files_have_tags_and_a_strict_policy(http, path):
    first = http.get(path)
    assert first.status_code == 200
    again = http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert first.headers["x-content-type-options"] == "nosniff"
    if path == "/":
        policy = first.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy


def test_no_way_out_of_the_assets(http, server):
    for path in ("/assets/nothing.js", "/assets/..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/x"):
        reply = exchange(server.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert reply.status in (400, 404), path
    assert http.get("/assets/nothing.js").status_code == 404


@pytest.mark.parametrize("path", ["/assets/%zz", "/assets/%ff", "/v1/models/%zz", "/v1/models/%ff"])
def test_malformed_paths_are_400(server, path):
    reply = exchange(server.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert reply.status == 400
    reply.check("GET", path)


def test_methods_that_no_path_has(server):
    for method, status in (("TRACE", 405), ("BREW", 501)):
        reply = exchange(server.port, f"{method} /health HTTP/1.1\r\nHost: localhost\r\n"
                         "Connection: close\r\n\r\n")
        assert reply.status == status, method


def test_limits_of_a_request_head(server):
    big = "X-Big: " + "a" * 65536
    reply = exchange(server.port, f"GET /health HTTP/1.1\r\nHost: localhost\r\n{big}\r\n\r\n")
    assert reply.status == 431
    reply = exchange(server.port, f"GET /{'a' * 9000} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert reply.status == 414


SMUGGLED = [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "Content-Length: 5\r\nContent-Length: 5\r\n",
    "Content-Length: +5\r\n",
    "Content-Length: 5, 5\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding : chunked\r\n",
    "X: a\r\n b\r\nContent-Length: 5\r\n",
    "Content-Length: 5\nX: y\r\n",
]


@pytest.mark.parametrize("headers", SMUGGLED)
def test_no_second_request_is_smuggled(server, headers):
    data = (f"POST /v1/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"{headers}\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    raw = exchange(server.port, data).raw
    assert raw.count(b"HTTP/1.1 ") == 1
    assert parse(raw).status in (400, 501)


def test_garbage_gets_400_and_a_closed_connection(server, http):
    import random
    seeded = random.Random(7)
    for _ in range(50):
        data = bytes(seeded.randrange(256) for _ in range(seeded.randrange(1, 400))) + b"\r\n\r\n"
        raw = exchange(server.port, data, half_close=True).raw
        assert raw == b"" or parse(raw).status in (400, 405, 431, 501, 505), raw[:100]
    assert http.get("/health").status_code == 200


def test_a_half_closed_client_gets_its_audio(server):
    body = json.dumps({"text": "Half closed.", "format": "pcm", "voice": "slt"})
    reply = exchange(server.port, f"POST /v1/generate HTTP/1.1\r\nHost: localhost\r\n"
                     f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                     f"Connection: close\r\n\r\n{body}", half_close=True)
    assert reply.status == 200 and len(reply.body) == int(reply.headers["content-length"])


def test_pipelined_requests_are_answered_in_order(server):
    one = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: n{}\r\n\r\n"
    last = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connect(server.port) as connection:
        connection.sendall(("".join(one.format(i) for i in range(50)) + last).encode())
        raw = read_all(connection).decode()
    ids = re.findall(r"(?i)x-request-id: n(\d+)", raw)
    assert ids == [str(i) for i in range(50)] and raw.count("HTTP/1.1 200") == 51


def test_a_thousand_connections_at_once(server, http):
    failures = []

    def one():
        try:
            reply = exchange(server.port,
                             "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if reply.status not in (200, 503):
                failures.append(reply.status)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert http.get("/health").status_code == 200
