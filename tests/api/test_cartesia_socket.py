"""Cartesia's socket: contexts, continuations, flushes, cancelling, and what it refuses."""

import json
import time

import httpx
import pytest

from support.admin import admin, team_with_key
from support.audio import align, decode
from support.cartesia import RAW16, SOCKET, audio_of, generation, say, timed, until_done
from support.elevenlabs_sockets import heard_after
from support.server import Server, wait_until
from support.sockets import BINARY, RawSocket, connect, receive, refused, send, until_closed

TEXT = "The quick brown fox jumps over the lazy dog. It had 12 apples."


def idle(server):
    engines = httpx.get(server.url + "/api/server").json()["engines"]
    return all(engine["busy"] == 0 for engine in engines)


def test_one_message_is_one_speech(server):
    with connect(server, SOCKET) as ws:
        say(ws, TEXT, add_timestamps=True, add_phoneme_timestamps=True)
        messages = until_done(ws)
    assert messages[-1] == {"type": "done", "done": True, "status_code": 200, "context_id": "c"}
    assert all(m["context_id"] == "c" and m["status_code"] == 206 and m["flush_id"] == 1 and
               m["done"] is False for m in messages[:-1])
    sound = decode(audio_of(messages), "pcm", 16000)
    assert [word for word, *_ in timed(messages)] == TEXT.split()
    assert timed(messages, "phoneme_timestamps", "phonemes")
    words = "the quick brown fox jumps over the lazy dog it had twelve apples".split()
    heard = [(w, s) for w, s, _ in align(sound, words) if not w.startswith("<")]
    told = timed(messages)
    assert max(abs(a[1] - b[1]) for a, b in zip(heard, told)) < 0.1


def test_text_in_parts_is_one_speech_on_one_clock(server):
    with connect(server, SOCKET) as ws:
        for word in TEXT.split():
            say(ws, word + " ", **{"continue": True}, add_timestamps=True)
        say(ws, "", **{"continue": False}, add_timestamps=True)
        messages = until_done(ws)
    assert [word for word, *_ in timed(messages)] == TEXT.split()
    starts = [start for _, start, _ in timed(messages)]
    assert starts == sorted(starts)
    seconds = decode(audio_of(messages), "pcm", 16000).seconds
    assert 3 < seconds < 8 and starts[-1] < seconds
    assert sum(m["type"] == "done" for m in messages) == 1


def test_a_sentence_is_spoken_before_the_next_one_comes(server):
    with connect(server, SOCKET) as ws:
        say(ws, "The first sentence. And the", **{"continue": True})
        assert receive(ws, 2)["type"] == "chunk"
        assert not any(m["type"] == "done" for m in heard_after(ws, 0.5))
        say(ws, " second.")
        assert until_done(ws)[-1]["type"] == "done"


def test_waiting_text_is_spoken_after_its_delay(server):
    for delay, least, most in ((0, 0, 0.5), (600, 0.5, 1.6)):
        with connect(server, SOCKET) as ws:
            say(ws, "No sentence at all", **{"continue": True}, max_buffer_delay_ms=delay)
            started = time.monotonic()
            assert receive(ws, 5)["type"] == "chunk"
            assert least <= time.monotonic() - started < most
            send(ws, context_id="c", cancel=True)


def test_contexts_are_spoken_beside_each_other(server):
    texts = {f"c{i}": f"This is context number {i} with words of its own. " * 3 for i in range(3)}
    forms = {"c0": {"sample_rate": 8000, "encoding": "pcm_mulaw"}, "c1": {"sample_rate": 48000},
             "c2": {"encoding": "pcm_f32le"}}
    with connect(server, SOCKET) as ws:
        for context, text in texts.items():
            say(ws, text, context, output_format={**RAW16, **forms[context]}, add_timestamps=True)
        messages = until_done(ws, *texts)
    order = [m["context_id"] for m in messages if m["type"] == "chunk"]
    assert order != sorted(order), "one after the other"
    for context, name, rate in (("c0", "ulaw", 8000), ("c1", "pcm", 48000), ("c2", "f32", 16000)):
        sound = decode(audio_of(messages, context), name, rate)
        assert 6 < sound.seconds < 14
        mine = [m for m in messages if m["context_id"] == context]
        assert [w for w, *_ in timed(mine)] == texts[context].split()
        assert mine[-1]["type"] == "done"


def test_flushes_part_the_audio(server):
    with connect(server, SOCKET) as ws:
        say(ws, "Stay hungry, ", **{"continue": True})
        say(ws, "", **{"continue": True}, flush=True)
        say(ws, "stay foolish", **{"continue": True})
        say(ws, "", **{"continue": True}, flush=True)
        say(ws, "That is all.")
        messages = until_done(ws)
    flushes = [m for m in messages if m["type"] == "flush_done"]
    assert [m["flush_id"] for m in flushes] == [1, 2]
    assert all(m["flush_done"] is True and m["done"] is False for m in flushes)
    by_id = {}
    for m in messages:
        if m["type"] == "chunk":
            by_id.setdefault(m["flush_id"], []).append(m)
    assert sorted(by_id) == [1, 2, 3]
    assert all(0.3 < len(audio_of(part)) / 32000 < 2.5 for part in by_id.values())
    assert messages.index(by_id[1][-1]) < messages.index(flushes[0]) < messages.index(by_id[2][0])


def test_a_flush_of_nothing_is_done_at_once(server):
    with connect(server, SOCKET) as ws:
        say(ws, "", **{"continue": True}, flush=True)
        assert receive(ws, 2)["type"] == "flush_done"
        say(ws, "", **{"continue": False})
        assert [m["type"] for m in until_done(ws)] == ["done"]


def test_cancel_is_the_last_of_a_context(fake_server):
    with connect(fake_server, SOCKET) as ws:
        slow = {"mode": "id", "id": "fake-slow"}
        say(ws, "Twenty letters here. " * 60, "old", voice=slow)
        assert receive(ws)["type"] == "chunk"
        send(ws, context_id="old", cancel=True)
        send(ws, context_id="never", cancel=True)
        say(ws, "Hello.", "new")
        messages = until_done(ws, "new")
        assert audio_of(messages, "new")
        assert not [m for m in messages[3:] if m["context_id"] == "old"]
        wait_until(lambda: idle(fake_server), 2, "idle workers")
        say(ws, "Hello.", "old")  # the name is free again
        assert until_done(ws, "old")[-1]["type"] == "done"
        assert heard_after(ws, 0.2) == []


def test_close_in_the_middle_frees_the_worker(fake_server):
    with connect(fake_server, SOCKET) as ws:
        say(ws, "Twenty letters here. " * 60, voice={"mode": "id", "id": "fake-slow"})
        assert receive(ws)["type"] == "chunk"
    wait_until(lambda: idle(fake_server), 2, "idle workers")


def test_a_context_that_fails_leaves_the_others(fake_server):
    with connect(fake_server, SOCKET) as ws:
        say(ws, "Never.", "bad", voice="fake-refuse")
        say(ws, "Hello.", "good")
        messages = until_done(ws, "bad", "good")
    error = next(m for m in messages if m["type"] == "error")
    assert error["context_id"] == "bad" and error["done"] and error["status_code"] == 400
    assert error["title"] and error["message"] and error["error_code"] and error["request_id"]
    assert audio_of(messages, "good")


WRONG = [
    ({"voice": "nobody"}, 404, "voice_not_found"),
    ({"voice": {"mode": "embedding", "embedding": [1]}}, 400, "invalid_request"),
    ({"output_format": {"container": "mp3", "sample_rate": 44100, "bit_rate": 128000}}, 400,
     "invalid_request"),
    ({"output_format": {**RAW16, "sample_rate": 12345}}, 400, "invalid_request"),
    ({"transcript": None}, 400, "invalid_request"),
    ({"transcript": "a " * 11_000}, 400, "text_too_long"),
    ({"continue": "yes"}, 400, "invalid_request"),
    ({"cancel": 1}, 400, "invalid_request"),
    ({"max_buffer_delay_ms": 5001}, 400, "invalid_request"),
    ({"language": "en", "locale": "en"}, 400, "invalid_request"),
    ({"pronunciation_dict_id": "dict_" + "0" * 32}, 404, "pronunciation_dict_not_found"),
]


@pytest.mark.parametrize("change, status, code", WRONG)
def test_what_is_wrong_ends_its_context_only(server, change, status, code):
    with connect(server, SOCKET) as ws:
        say(ws, "Still here.", "good", **{"continue": True})
        send(ws, **generation("Hi.", context_id="bad") | change)
        error = until_done(ws, "bad")[-1]
        assert (error["type"], error["status_code"], error["error_code"]) == ("error", status, code)
        say(ws, "", "good", **{"continue": False})
        assert until_done(ws, "good")[-1]["type"] == "done"


@pytest.mark.parametrize("text", ["speak", "[]", "{", '{"transcript":"a"}', '{"context_id":7}',
                                  json.dumps({"context_id": "x" * 300}), "{}" * 1000])
def test_messages_of_no_context(server, text):
    with connect(server, SOCKET) as ws:
        ws.send(text)
        error = receive(ws)
        assert error["type"] == "error" and error["status_code"] == 400
        assert error["context_id"] is None and error["done"] is True
        say(ws, "The socket lives.")
        assert until_done(ws)[-1]["type"] == "done"


def test_binary_closes(server):
    with connect(server, SOCKET) as ws:
        ws.send(b"\x00\x01")
        messages, code = until_closed(ws)
    assert code == 1003 and messages[-1]["error_code"] == "invalid_message"


def test_a_megabyte(server):
    with connect(server, SOCKET) as ws:
        say(ws, "a" * (1 << 20))
        try:
            message = receive(ws)
            assert message["error_code"] == "text_too_long"
        except Exception as closed:  # beyond http.ws_max_message
            assert "1009" in str(closed)


def test_a_thousand_contexts(server):
    with connect(server, SOCKET) as ws:
        for i in range(1000):
            say(ws, "Hi", f"c{i}", **{"continue": True}, max_buffer_delay_ms=5000)
        errors = [receive(ws) for _ in range(990)]
        assert all(m["error_code"] == "concurrency_limited" and m["status_code"] == 429
                   for m in errors)
        assert errors[0]["context_id"] == "c10"
        say(ws, " there.", "c3")
        assert audio_of(until_done(ws, "c3"), "c3")
        say(ws, "There is room again.", "another")
        assert until_done(ws, "another")[-1]["type"] == "done"


def test_an_ended_context_takes_no_more_text(fake_server):
    with connect(fake_server, SOCKET) as ws:
        slow = {"mode": "id", "id": "fake-slow"}
        say(ws, "Twenty letters here. " * 20, voice=slow)
        say(ws, "Too late.", voice=slow)
        message = receive(ws)
        while message["type"] != "error":
            message = receive(ws)
        assert message["error_code"] == "context_closed" and message["context_id"] == "c"


def test_silence():
    server = Server(settings={"SOCKETS_VENDOR_IDLE_TIMEOUT": "700ms", "ENGINES_ENABLE": "flite"})
    try:
        with connect(server, SOCKET) as ws:
            messages, code = until_closed(ws, 5)
        assert code == 1008 and messages[-1]["error_code"] == "idle_timeout"
        with connect(server, SOCKET) as ws:
            say(ws, "Forgotten words", **{"continue": True})
            messages, code = until_closed(ws, 10)
        assert code == 1008
        assert audio_of(messages) and [m["type"] for m in messages[-2:]] == ["done", "error"]
    finally:
        server.close()


def test_the_server_stops_after_what_was_begun():
    server = Server(settings={"ENGINES_ENABLE": "flite"})
    try:
        with connect(server, SOCKET) as ws:
            say(ws, "This is spoken to its end. " * 4, **{"continue": True})
            assert receive(ws)["type"] == "chunk"
            server.process.terminate()
            messages, code = until_closed(ws)
        assert code == 1001 and messages[-1]["type"] == "done"
    finally:
        server.close()


@pytest.fixture(scope="module")
def keyed():
    server = Server(settings={"ENGINES_ENABLE": "flite"})
    _, server.key = team_with_key(server)
    yield server
    server.close()


@pytest.mark.parametrize("query, headers", [
    ("?api_key={}", {}), ("?access_token={}", {}), ("?api_key={0}&access_token={0}", {}),
    ("?cartesia_version=2026-08-14", {"X-API-Key": "{}"}), ("", {"Authorization": "Bearer {}"})])
def test_keys(keyed, query, headers):
    headers = {name: value.format(keyed.key) for name, value in headers.items()}
    with connect(keyed, SOCKET + query.format(keyed.key), additional_headers=headers) as ws:
        say(ws, "Hi.")
        assert until_done(ws)[-1]["type"] == "done"


def test_wrong_keys(keyed):
    response = refused(keyed, SOCKET + "?api_key=vf_live_x")
    assert response.status_code == 401
    assert json.loads(response.body)["error_code"] == "invalid_api_key"
    response = refused(keyed, SOCKET + f"?api_key={keyed.key}&access_token=vf_live_x")
    assert json.loads(response.body)["error_code"] == "conflicting_credentials"
    key = admin(keyed, "create-key", admin(keyed, "create-team", "No", "--plan", "pro")["id"],
                "--scope", "keys:read")["key"]
    assert refused(keyed, SOCKET + "?api_key=" + key).status_code == 403
    with connect(keyed, SOCKET) as ws:
        messages, code = until_closed(ws)
    assert code == 1008 and messages[-1]["error_code"] == "missing_api_key"
    with connect(keyed, SOCKET + f"?cartesia_version=new&api_key={keyed.key}") as ws:
        messages, code = until_closed(ws)
    assert code == 1008 and messages[-1]["error_code"] == "invalid_version"


def test_a_half_frame_and_then_nothing(server):
    raw = RawSocket(server, SOCKET)
    raw.send(bytes([0x80 | BINARY, 0xFF]))
    raw.connection.close()
    with connect(server, SOCKET) as ws:
        say(ws, "Hi.")
        assert until_done(ws)[-1]["type"] == "done"


def test_below_the_prefix(server):
    with connect(server, "/cartesia" + SOCKET) as ws:
        say(ws, "Hi.")
        assert until_done(ws)[-1]["type"] == "done"
