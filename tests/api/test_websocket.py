"""The protocol below the dialects: opening, abuse, closing, how many."""

import concurrent.futures
import json
import re
import socket
import time

import httpx
import pytest

from support import raw
from support.admin import team_with_key
from support.server import Server, wait_until
from support.sockets import (BINARY, CLOSE, PING, PONG, TEXT, RawSocket, connect, frame, receive,
                             refused, send, until_closed)

PATHS = ["/v1/stream", "/v1/text-to-speech/slt/stream-input",
         "/v1/text-to-speech/slt/multi-stream-input"]
START = json.dumps({"type": "start", "voice": "slt"})


def metric(server, name):
    text = httpx.get(server.url + "/metrics", timeout=10).text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))


def busy(server):
    engines = httpx.get(server.url + "/api/server", timeout=10).json()["engines"]
    return sum(engine["busy"] for engine in engines)


@pytest.mark.parametrize("path", PATHS)
def test_a_plain_get_is_told_to_upgrade(server, path):
    reply = raw.exchange(server.port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                      "Connection: close\r\n\r\n")
    assert reply.status == 426 and reply.headers["upgrade"] == "websocket"
    assert "upgrade_required" in reply.body.decode()
    reply = raw.exchange(server.port, f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                      "Connection: close\r\nContent-Length: 0\r\n\r\n")
    assert reply.status == 405 and "GET" in reply.headers["allow"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers, code", [
    ({"Authorization": "Bearer vf_live_0000"}, "invalid_api_key"),
    ({"xi-api-key": "a", "X-API-Key": "b"}, "conflicting_credentials")])
def test_wrong_credentials_are_refused_before_the_upgrade(server, path, headers, code):
    response = refused(server, path, additional_headers=headers)
    if path != "/v1/stream" and code == "conflicting_credentials":
        code = "invalid_authorization_header"  # ElevenLabs' name
    assert response.status_code == 401 and code in response.body.decode()
    assert response.headers["X-Request-Id"]


def test_there_is_no_socket_where_there_is_no_route(server):
    assert refused(server, "/v1/streams").status_code == 404
    assert refused(server, "/v1/voices/stream-input").status_code in (404, 405)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"},
                                     {"X-Forwarded-For": "10.1.2.3"},
                                     {"Sec-Fetch-Site": "cross-site"}])
def test_other_origins_are_no_demo_callers(server, path, headers):
    first = {"type": "start"} if path == "/v1/stream" else {"text": " "}
    with connect(server, path, additional_headers=headers) as ws:
        send(ws, **first)
        messages, code = until_closed(ws)
    assert code == 1008 and "missing_api_key" in json.dumps(messages)


def test_a_page_of_this_machine_may(server):
    with connect(server, "/v1/stream", additional_headers={"Origin": "http://localhost:3000"}) as ws:
        send(ws, type="start", voice="slt", text="Hi.", end=True)
        assert receive(ws)["type"] == "started"


@pytest.mark.parametrize("data, code", [
    (b"\x81\x02hi", 1002),                                    # not masked
    (frame(TEXT, "{}", reserved=4), 1002),                    # compression that was not agreed on
    (frame(TEXT, "{}", reserved=1), 1002),
    (frame(3, "x"), 1002),                                    # an unknown opcode
    (frame(0, "x"), 1002),                                    # continues nothing
    (frame(PING, "x", final=False), 1002),
    (frame(PING, b"x" * 126), 1002),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1002),
    (b"\xff" * 64, 1002),
    (frame(TEXT, b"\xff\xfe"), 1007),
    (frame(TEXT, b"", length=2 ** 20 + 1), 1009),
    (frame(TEXT, b"x" * 2 ** 20, final=False) + frame(0, b"x"), 1009),
    (frame(CLOSE, b"\x03"), 1002),
    (frame(CLOSE, b"\x03\xed"), 1002),                        # 1005 is never sent
])
@pytest.mark.parametrize("path", PATHS[:2])
def test_what_is_no_frame_closes_with_its_code(server, path, data, code):
    with RawSocket(server, path) as ws:
        ws.send(data)
        assert ws.close_code()[0] == code
        with pytest.raises(ConnectionError):  # the connection ends as well
            ws.send(frame(CLOSE))
            ws.next()


def test_fragments_and_pings_in_between_are_one_message(server):
    with RawSocket(server, "/v1/stream") as ws:
        for i, byte in enumerate(START.encode()):
            ws.send(frame(TEXT if i == 0 else 0, bytes([byte]), final=i == len(START) - 1))
            if i % 10 == 0:
                ws.send(frame(PING, b"%d" % i))
        seen = [ws.next() for _ in range(len(range(0, len(START), 10)) + 1)]
        assert [payload for opcode, payload in seen if opcode == PONG] == [
            b"%d" % i for i in range(0, len(START), 10)]
        assert json.loads(seen[-1][1])["type"] == "started"
        ws.send(frame(CLOSE, b"\x03\xe8"))
        assert ws.close_code()[0] == 1000


def test_a_megabyte_of_text_is_read_and_refused_by_its_length(server):
    text = "a" * (2 ** 20 - 100)
    with connect(server, "/v1/stream") as ws:
        send(ws, type="start", voice="slt")
        assert receive(ws)["type"] == "started"
        send(ws, type="text", text=text)
        error = receive(ws)
        assert (error["type"], error["context"], error["code"]) == ("error", "default", "text_too_long")
        send(ws, type="start", voice="slt", text="Hi.", end=True)  # the socket goes on
        assert receive(ws)["type"] == "started"


def test_messages_by_the_thousand_from_a_client_that_does_not_read(server):
    """Every one is answered by an error, which nobody takes: the client has to wait, then it is
    gone. Others are not disturbed."""
    with RawSocket(server, "/v1/stream") as ws:
        ws.connection.settimeout(1)
        message = frame(TEXT, json.dumps({"type": "text", "text": "x", "context": "n" * 100})) * 1000
        with pytest.raises(TimeoutError):
            for _ in range(1000):
                ws.connection.sendall(message)
        started = time.monotonic()
        assert httpx.get(server.url + "/health").status_code == 200
        assert time.monotonic() - started < 1


def test_silence_without_a_key_is_short():
    with_limits = Server(settings={"SOCKETS_ADMISSION_TIME": "200ms",
                                   "SOCKETS_IDLE_TIMEOUT": "400ms"})
    try:
        headers = {"X-Forwarded-For": "10.1.2.3"}
        for path in PATHS:
            with connect(with_limits, path, additional_headers=headers) as ws:
                messages, code = until_closed(ws)
                assert code == 1008 and "missing_api_key" in json.dumps(messages)
        with connect(with_limits, "/v1/stream") as ws:
            messages, code = until_closed(ws)
            assert code == 1008 and messages[-1]["code"] == "idle_timeout"
    finally:
        with_limits.close()


@pytest.fixture(scope="module")
def keyed():
    """A server with keys: (server, key)."""
    running = Server()
    yield running, team_with_key(running)[1]
    code = running.stop()
    running.close()
    assert code == 0


def test_keys_in_headers_query_and_first_message(keyed):
    server, key = keyed
    path = PATHS[1]
    for headers, query, first in [
            ({"xi-api-key": key}, "", {}), ({"Authorization": f"Bearer {key}"}, "", {}),
            ({}, f"?authorization=Bearer%20{key}", {}), ({}, f"?authorization={key}", {}),
            ({}, "", {"xi-api-key": key}), ({}, "", {"xi_api_key": key}),
            ({}, "", {"authorization": f"Bearer {key}"}),
            ({"xi-api-key": key}, "", {"xi_api_key": key})]:
        with connect(server, path + query, additional_headers=headers) as ws:
            send(ws, text=" ", **first)
            send(ws, text="Hi.")
            send(ws, text="")
            messages, code = until_closed(ws)
        assert code == 1000 and messages[-1]["isFinal"] is True, (headers, query, first)
    with connect(server, "/v1/stream") as ws:
        send(ws, type="start", voice="slt", text="Hi.", end=True, api_key=key)
        assert receive(ws)["type"] == "started"


def test_wrong_keys_in_query_and_first_message(keyed):
    server, key = keyed
    assert refused(server, PATHS[1] + "?authorization=vf_live_x").status_code == 401
    assert refused(server, PATHS[1] + "?authorization=sk-1").status_code == 401
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    for headers, first, expected in [
            ({}, {}, "missing_api_key"), ({}, {"xi_api_key": "sk-1"}, "invalid_api_key"),
            ({}, {"xi_api_key": wrong}, "invalid_api_key"),
            ({"xi-api-key": key}, {"xi_api_key": wrong}, "invalid_authorization_header")]:
        with connect(server, PATHS[1], additional_headers=headers) as ws:
            send(ws, text=" ", **first)
            messages, code = until_closed(ws)
        assert code == 1008 and messages[-1]["error"] == expected
        assert messages[-1]["message"]


def test_a_revoked_key_ends_its_sockets(keyed):
    from support.admin import admin
    server, _ = keyed
    team = admin(server, "create-team", "Short", "--plan", "free")["id"]
    made = admin(server, "create-key", team)
    with connect(server, "/v1/stream", additional_headers={"X-API-Key": made["key"]}) as ws:
        send(ws, type="start", voice="slt")
        assert receive(ws)["type"] == "started"
        admin(server, "revoke-key", made["id"])

        def ended():
            try:
                send(ws, type="keep_alive")
                return receive(ws, 0.05)
            except TimeoutError:
                return None
        assert wait_until(ended, 5)["code"] == "api_key_revoked"
        assert until_closed(ws)[1] == 1008


def test_the_scope_is_asked_for(keyed):
    from support.admin import admin
    server, _ = keyed
    team = admin(server, "create-team", "Reader", "--plan", "free")["id"]
    key = admin(server, "create-key", team, "--scope", "voices:read")["key"]
    assert refused(server, "/v1/stream", additional_headers={"X-API-Key": key}).status_code == 403
    with connect(server, "/v1/stream") as ws:
        send(ws, type="start", api_key=key)
        messages, code = until_closed(ws)
    assert code == 1008 and messages[-1]["code"] == "missing_scope"


def test_a_client_that_leaves_frees_its_worker(fake_server):
    """fake-slow speaks in real time: nobody waits for its end."""
    text = "Twenty letters here. " * 100
    for leave in ("close", "reset", "vanish"):
        with RawSocket(fake_server, "/v1/stream") as ws:
            ws.send(frame(TEXT, json.dumps({"type": "start", "voice": "fake-slow", "text": text,
                                            "end": True})))
            while ws.next()[0] != BINARY:
                pass
            assert busy(fake_server) >= 1
            if leave == "close":
                ws.send(frame(CLOSE, b"\x03\xe8"))
            elif leave == "reset":
                import struct
                ws.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                         struct.pack("ii", 1, 0))
                ws.connection.close()
            else:
                ws.connection.close()
            wait_until(lambda: busy(fake_server) == 0, 1, "the worker is free")


def test_200_sockets_at_once(server):
    def speak(number):
        audio = 0
        with connect(server, "/v1/stream", open_timeout=60) as ws:
            send(ws, type="start", voice="espeak-en-gb", format="pcm", sample_rate=22050)
            for word in f"This is the speech of the socket with the number {number}.".split():
                send(ws, type="text", text=word + " ")
            send(ws, type="end")
            while True:
                message = receive(ws, 120)
                if isinstance(message, bytes):
                    audio += len(message)
                elif message["type"] == "done":
                    return audio / 2 / 22050, message["duration"]
                else:
                    assert message["type"] in ("started", "audio", "timing"), message

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        results = list(pool.map(speak, range(200)))
    for seconds, duration in results:
        assert seconds > 1.5 and abs(seconds - duration) < 0.01
    wait_until(lambda: metric(server, "voiceflow_http_sockets") == 0, 10, "no socket is open")


def test_too_many_sockets():
    small = Server(settings={"HTTP_WS_MAX_SOCKETS": "3"})
    try:
        with connect(small, "/v1/stream"), connect(small, "/v1/stream"), connect(small, "/v1/stream"):
            response = refused(small, "/v1/stream")
            assert response.status_code == 503 and response.headers["Retry-After"] == "1"
            assert metric(small, "voiceflow_http_sockets") == 3
        with connect(small, "/v1/stream") as ws:
            send(ws, type="keep_alive")
    finally:
        small.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_server_that_stops_finishes_what_was_begun(path):
    stopping = Server()
    try:
        with connect(stopping, path) as idle, connect(stopping, path) as ws:
            text = "This sentence is spoken to its end, although the server stops. "
            if path == "/v1/stream":
                send(ws, type="start", voice="slt", text=text)
            else:
                send(ws, text=" ")
                send(ws, text=text)
            # The server has the text when it has answered a ping behind it.
            ws.ping().wait(5)
            import signal
            stopping.process.send_signal(signal.SIGTERM)
            messages, code = until_closed(ws)
            assert code == 1001
            last = [message for message in messages if isinstance(message, dict)][-1]
            assert last.get("type") == "done" or last.get("isFinal") is True
            assert until_closed(idle)[1] == 1001
        assert stopping.process.wait(15) == 0
    finally:
        stopping.close()


def test_the_log_has_one_line_a_socket(server):
    with connect(server, "/v1/stream?authorization=nothing") as ws:
        send(ws, type="start", voice="slt", text="A secret sentence.", end=True)
        while isinstance(message := receive(ws), bytes) or message["type"] != "done":
            pass

    def line():
        return [text for text in server.log
                if '"route":"/v1/stream"' in text and '"status":101' in text]
    wait_until(line, 5)
    entry = json.loads(line()[-1])
    assert entry["bytes"] > 10000 and entry["complete"] is True
    assert "secret" not in "".join(server.log) and "authorization" not in "".join(server.log)
