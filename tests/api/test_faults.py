"""What breaks while somebody listens: workers, engines that lie, the database, slow clients."""

import json
import os
import random
import signal
import socket
import time

import httpx
import pytest

from support.audio import decode
from support.raw import connect, dechunk, read_all
from support.server import wait_until

LONG = "This is a sentence that takes a little while to say. " * 12


def post(body, path="/v1/generate/stream"):
    text = json.dumps(body)
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}").encode()


def restarts(client):
    return sum(engine["restarts"] for engine in client.get("/api/server").json()["engines"])


def worker_pids(server, engine="flite"):
    return server.children(f"voiceflow-worker-{engine}")


def test_a_worker_killed_in_mid_sentence_costs_no_cut_audio(fake_server, fake_http):
    """The client gets complete audio or an error, never a cut body that looks complete."""
    seeded = random.Random(3)
    outcomes = set()
    for attempt in range(12):
        # A text of its own each time: what has killed two workers is not tried again.
        body = {"text": LONG + f"Attempt {attempt}.", "voice": "slt", "format": "pcm"}
        expected = len(fake_http.post("/v1/generate", json=body).content)
        with connect(fake_server.port, timeout=60) as connection:
            connection.sendall(post(body))
            time.sleep(seeded.uniform(0.0, 0.25))
            for pid in worker_pids(fake_server):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            # Reads until the last chunk or the end of the connection.
            raw = b""
            while not raw.endswith(b"\r\n0\r\n\r\n"):
                more = connection.recv(65536)
                if not more:
                    break
                raw += more
                if not raw.startswith(b"HTTP/1.1 200") and len(raw) > 12:
                    break
        if not raw.startswith(b"HTTP/1.1 200"):
            outcomes.add("refused")
            continue
        body, complete = dechunk(raw.split(b"\r\n\r\n", 1)[1])
        if complete:
            assert abs(len(body) - expected) < 0.03 * expected
            outcomes.add("complete")
        else:
            outcomes.add("ended without the last chunk")
    assert outcomes
    wait_until(lambda: fake_http.post("/v1/generate", json={"text": "Hi.", "voice": "slt"})
               .status_code == 200, what="speech after the kills")


FAKES = {
    # voice: statuses that a speech may be answered with; 400 when the retry killed a second worker
    "fake-crash": {503, 400},
    "fake-crash-before-audio": {503, 400},
    "fake-hang": {504, 400},
    "fake-flood": {503, 504, 400},
    "fake-lie-id": {503, 400},
    "fake-lie-total": {503, 400},
    "fake-lie-hello": {503, 400},
    "fake-garbage": {503, 400},
    "fake-exit": {503, 400},
}


@pytest.mark.parametrize("voice", FAKES)
def test_engines_that_misbehave(fake_server, fake_http, voice):
    text = f"Unlike the others: {voice}."
    whole = fake_http.post("/v1/generate", json={"text": text, "voice": voice})
    assert whole.status_code in FAKES[voice], whole.text
    assert whole.json()["code"] in ("engine_failed", "engine_timeout", "text_not_speakable",
                                    "no_worker"), whole.text
    with connect(fake_server.port, timeout=30) as connection:
        connection.sendall(post({"text": text + " Streamed.", "voice": voice, "format": "pcm"}))
        connection.shutdown(socket.SHUT_WR)
        raw = read_all(connection)
    if raw.startswith(b"HTTP/1.1 200"):
        _, complete = dechunk(raw.split(b"\r\n\r\n", 1)[1])
        assert not complete
    else:
        assert int(raw.split()[1]) in FAKES[voice]
    fine = fake_http.post("/v1/generate", json={"text": "Still here.", "voice": "slt"})
    assert fine.status_code == 200


def test_text_that_killed_two_workers_is_refused_at_once(fake_http):
    body = {"text": "Poison for this engine.", "voice": "fake-crash-before-audio"}
    first = fake_http.post("/v1/generate", json=body)
    assert first.status_code in (400, 503)
    before = restarts(fake_http)
    again = fake_http.post("/v1/generate", json=body)
    assert again.status_code == 400 and again.json()["code"] == "text_not_speakable"
    assert restarts(fake_http) == before


def test_a_failed_sse_speech_says_so(fake_server):
    text, broke = "", False
    with httpx.stream("POST", fake_server.url + "/v1/audio/speech", json={
            "model": "gpt-4o-mini-tts", "input": "Breaks in the middle.", "voice": "fake-crash",
            "stream_format": "sse"}) as reply:
        try:
            for chunk in reply.iter_text():
                text += chunk
        except httpx.RemoteProtocolError:
            broke = True
    # Before the first audio it is a plain error, afterwards an event and a connection that breaks.
    assert broke or reply.status_code in (400, 503)
    assert '"error"' in text or '"code"' in text
    assert "speech.audio.done" not in text


def test_clients_that_leave_free_the_engines(fake_server, fake_http):
    for _ in range(20):
        connection = connect(fake_server.port)
        connection.sendall(post({"text": LONG, "voice": "slt", "format": "pcm"}))
        connection.recv(4096)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    def idle():
        engines = fake_http.get("/api/server").json()["engines"]
        return all(engine["busy"] == 0 for engine in engines)
    wait_until(idle, 5, "idle workers")
    started = time.monotonic()
    assert fake_http.post("/v1/generate", json={"text": "Hi.", "voice": "slt"}).status_code == 200
    assert time.monotonic() - started < 5


def test_a_client_that_does_not_read_holds_no_worker(fake_server, fake_http):
    connections = []
    for _ in range(8):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", fake_server.port))
        connection.sendall(post({"text": LONG, "voice": "slt", "format": "pcm"}))
        connections.append(connection)
    fine = fake_http.post("/v1/generate", json={"text": "Somebody reads.", "voice": "slt"})
    assert fine.status_code == 200
    for connection in connections:
        connection.close()


def test_a_slow_sender_is_cut_off(slow_server):
    connection = connect(slow_server.port, timeout=30)
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: local")
    raw = read_all(connection)
    assert raw == b"" or raw.startswith(b"HTTP/1.1 408")
    connection = connect(slow_server.port, timeout=30)
    connection.sendall(post({"text": "a" * 4000})[:300])
    raw = read_all(connection)
    assert raw == b"" or raw.startswith(b"HTTP/1.1 408")


@pytest.fixture(scope="module")
def slow_server():
    from support.server import Server
    running = Server(settings={"HTTP_HEADER_TIMEOUT": "1s", "HTTP_BODY_TIMEOUT": "1s",
                               "HTTP_IDLE_TIMEOUT": "1s"})
    yield running
    running.close()


def test_one_byte_at_a_time_is_cut_off(slow_server):
    with connect(slow_server.port, timeout=30) as connection:
        try:
            for byte in b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
            raw = read_all(connection)
        except (BrokenPipeError, ConnectionResetError):
            return
    assert not raw.startswith(b"HTTP/1.1 200")


def test_resets_and_floods_do_no_harm(server, http):
    seeded = random.Random(11)
    for _ in range(200):
        connection = connect(server.port)
        data = post({"text": "Reset me.", "voice": "slt"})
        connection.sendall(data[:seeded.randrange(1, len(data))])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    assert http.get("/ready").status_code == 200


def test_postgresql_stopped_and_back(own_server):
    """Speech goes on, what needs the database says 503, and recovery needs no restart."""
    from support.plugin import checking_client
    with checking_client(own_server.url) as client:
        instance = client.get("/api/server").json()["instance_id"]
        for sign in (signal.SIGKILL, signal.SIGINT):
            postmaster = int((own_server.data_dir / "postgres" / "postmaster.pid")
                             .read_text().splitlines()[0])
            os.kill(postmaster, sign)
            wait_until(lambda: client.get("/api/server").status_code == 503
                       or not os.path.exists(f"/proc/{postmaster}"), what="its end")
            assert client.post("/v1/generate", json={"text": "On it goes."}).status_code == 200
            answers = set()

            def back():
                response = client.get("/api/server")
                answers.add(response.status_code)
                return response.status_code == 200
            wait_until(back, 30, "the database")
            assert answers <= {200, 503}
        assert client.get("/api/server").json()["instance_id"] == instance


def test_while_the_database_is_away(own_server, tmp_path_factory):
    """With a database elsewhere that does not answer: not ready, but alive and honest."""
    from support.plugin import checking_client
    from support.server import Server
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    away = Server(settings={"DATABASE_URL": f"postgresql://u:p@127.0.0.1:{closed.getsockname()[1]}/d",
                            "HTTP_PORT": free_port()}, wait=False)
    url = f"http://127.0.0.1:{away.settings['HTTP_PORT']}"
    try:
        wait_until(lambda: reachable(url), what="an open socket")
        with checking_client(url) as client:
            wait_until(lambda: client.get("/ready").json()["engines"] == "ready", what="engines")
            for path in ("/api/server", "/api/v1/server"):
                response = client.get(path)
                assert response.status_code == 503 and response.json()["code"] == "database_unavailable"
                assert int(response.headers["retry-after"]) >= 1
            assert client.get("/ready").status_code == 503
            assert client.get("/health").status_code == 200
        assert not [line for line in away.log if "u:p@" in line], "the password is in the log"
    finally:
        assert away.stop() == 0
        away.close()


def test_before_the_engines_are_up(tmp_path):
    from support.plugin import checking_client
    from support.server import Server
    port = free_port()
    silent = Server(settings={"ENGINES_ENABLE": "nothing-here", "HTTP_PORT": port}, wait=False)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: reachable(url), what="an open socket")
        with checking_client(url) as client:
            for path, body in (("/v1/generate", {"text": "Hi."}),
                               ("/v1/generate/stream", {"text": "Hi."}),
                               ("/generate", {"text": "Hi."}), ("/generate/stream", {"text": "Hi."}),
                               ("/v1/audio/speech", {"model": "tts-1", "voice": "alloy", "input": "Hi."})):
                response = client.post(path, json=body)
                assert response.status_code == 503 and response.headers["retry-after"]
            assert client.get("/ready").json()["engines"] in ("starting", "unavailable")
    finally:
        silent.stop()
        silent.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reachable(url):
    try:
        return httpx.get(url + "/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def own_server():
    from support.server import Server
    running = Server()
    yield running
    running.close()


def test_audio_of_the_click_train_is_exact(fake_http):
    """What the engine gave arrives: the fake tone lasts as long as it says, in every format."""
    lengths = {}
    for name in ("wav", "flac", "pcm"):
        reply = fake_http.post("/v1/generate", json={
            "text": "Exactly.", "voice": "fake-tone", "format": name, "sample_rate": 24000})
        assert reply.status_code == 200, reply.text
        lengths[name] = len(decode(reply.content, name, 24000, out_rate=24000).samples)
    assert len(set(lengths.values())) == 1, lengths


@pytest.mark.parametrize("name", ["pcm", "ulaw", "aac"])
def test_whole_and_streamed_carry_the_same_samples(fake_http, name):
    body = {"text": "One sentence. And another one.", "voice": "fake-tone", "format": name}
    whole = fake_http.post("/v1/generate", json=body).content
    assert whole == fake_http.post("/v1/generate/stream", json=body).content
