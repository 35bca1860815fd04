"""Deepgram's sockets: the one of text and audio (/v1/speak) and the one of turns (/v2/speak)."""

import contextlib
import json
import time

import httpx
import pytest
import websockets

from support.admin import admin, team_with_key
from support.audio import align, decode
from support.deepgram import SPEAK, TURNS, parted, say, until
from support.elevenlabs_sockets import heard_after
from support.server import Server, wait_until
from support.sockets import BINARY, RawSocket, connect, receive, refused, send, until_closed

TEXT = "The quick brown fox jumps over the lazy dog. It had 12 apples."
WORDS = "the quick brown fox jumps over the lazy dog it had twelve apples".split()
BOTH = pytest.mark.parametrize("path", [SPEAK, TURNS])


def idle(server):
    engines = httpx.get(server.url + "/api/server").json()["engines"]
    return all(engine["busy"] == 0 for engine in engines)


def test_text_word_by_word_becomes_audio(server):
    with connect(server, SPEAK) as ws:
        hello = receive(ws)
        assert hello["type"] == "Metadata" and hello["model_name"] == "slt"
        assert hello["request_id"] and hello["model_uuid"] and hello["model_version"]
        say(ws, *[word + " " for word in TEXT.split()])
        audio, messages = until(ws, "Flushed")
        assert messages == [{"type": "Flushed", "sequence_id": 0}]
        heard = [w for w, *_ in align(decode(audio, "pcm", 16000), WORDS) if not w.startswith("<")]
        assert heard == WORDS
        say(ws, "And again.")
        audio, messages = until(ws, "Flushed")
        assert messages == [{"type": "Flushed", "sequence_id": 1}] and len(audio) > 16000
        send(ws, type="Close")
        assert until_closed(ws) == ([], 1000)


@pytest.mark.parametrize("encoding, name, rates", [
    ("linear16", "pcm", (8000, 16000, 24000, 32000, 48000)), ("mulaw", "ulaw", (8000, 16000)),
    ("alaw", "alaw", (8000, 16000))])
@pytest.mark.parametrize("version", [1, 2])
def test_encodings(server, version, encoding, name, rates):
    for rate in rates + ((44100,) if (version, name) == (2, "pcm") else ()):
        path = f"/v{version}/speak?model=aura-2-thalia-en&encoding={encoding}&sample_rate={rate}"
        with connect(server, path) as ws:
            say(ws, "Hello, world.")
            audio, _ = until(ws, "Flushed")
        assert 0.6 < decode(audio, name, rate).seconds < 2.5


def test_a_sentence_is_spoken_before_the_flush(server):
    with connect(server, SPEAK) as ws:
        receive(ws)
        say(ws, "The first sentence. And the", flush=False)
        assert isinstance(receive(ws, 2), bytes)
        assert all(isinstance(m, bytes) for m in heard_after(ws, 0.5))
        say(ws, " second.")
        assert until(ws, "Flushed")[0]


def test_flushes_are_answered_in_their_order(server):
    with connect(server, SPEAK) as ws:
        receive(ws)
        send(ws, type="Flush")  # of nothing
        say(ws, "One.")
        send(ws, type="Flush")
        say(ws, "Two and three.")
        order = []
        while order.count("f") < 4:
            message = receive(ws)
            kind = "a" if isinstance(message, bytes) else "f"
            if kind == "f" or order[-1:] != ["a"]:
                order.append(kind)
        assert order == ["f", "a", "f", "f", "a", "f"]


def test_clear_is_the_last_of_what_was_said(fake_server):
    with connect(fake_server, SPEAK.replace("slt", "fake-slow")) as ws:
        receive(ws)
        say(ws, "Twenty letters here. " * 60)
        say(ws, "This one waits behind it.")
        assert isinstance(receive(ws), bytes)
        send(ws, type="Clear")
        _, messages = until(ws, "Cleared")
        assert messages == [{"type": "Cleared", "sequence_id": 0}]
        assert heard_after(ws, 0.3) == []
        wait_until(lambda: idle(fake_server), 2, "idle workers")
        say(ws, "Twenty letters here.")
        audio, messages = until(ws, "Flushed")
        assert audio and messages == [{"type": "Flushed", "sequence_id": 1}]
        send(ws, type="Clear")
        assert receive(ws) == {"type": "Cleared", "sequence_id": 2}


def test_twenty_flushes_a_minute(server):
    with connect(server, SPEAK) as ws:
        receive(ws)
        for _ in range(21):
            send(ws, type="Flush")
        _, messages = until(ws, "Flushed", 20)
        if not any(m["type"] == "Warning" for m in messages):
            messages.append(receive(ws))
        warning = next(m for m in messages if m["type"] == "Warning")
        assert warning["code"] == "EXCESSIVE_FLUSH" and "20 times" in warning["description"]
        say(ws, "This is said all the same. ", flush=False)
        send(ws, type="Close")
        audio, _ = parted(until_closed(ws)[0])
        assert audio


def test_close_speaks_what_was_begun(server):
    for path in (SPEAK, TURNS):
        with connect(server, path) as ws:
            receive(ws)
            say(ws, "This is spoken, although nobody flushed it", flush=False)
            send(ws, type="Close")
            send(ws, type="Speak", text="Not this.")
            messages, code = until_closed(ws)
        audio, said = parted(messages)
        assert code == 1000 and 1 < len(audio) / 32000 < 5
        assert "Flushed" not in [m["type"] for m in said] or path == TURNS


def test_turns(server):
    with connect(server, TURNS) as ws:
        hello = receive(ws)
        assert hello["type"] == "Connected" and hello["model_name"] == "slt"
        assert hello["request_id"] and len(hello["model_uuids"]) == 1
        texts = ["The first turn.", "The second turn is longer. It has two sentences."]
        for text in texts:
            say(ws, *[word + " " for word in text.split()])
        order, lengths, metadata, ids = [], [0, 0], [], []
        while len(metadata) < 2 or order[-1] != "Flushed":
            message = receive(ws)
            if isinstance(message, bytes):
                lengths[len(metadata)] += len(message)
                if order[-1] != "audio":
                    order.append("audio")
                continue
            order.append(message["type"])
            if message["type"] == "SpeechStarted":
                ids.append(message["speech_id"])
            if message["type"] == "SpeechMetadata":
                metadata.append(message)
        assert order == ["SpeechStarted", "audio", "SpeechMetadata", "Flushed"] * 2
        for text, length, told, name in zip(texts, lengths, metadata, ids):
            assert told["speech_id"] == name and name.startswith("dg_sp_") and len(name) == 18
            assert abs(told["audio_duration_ms"] - length / 32) <= 1
            assert told["input_character_count"] == len(text) + 1
            assert told["controls_applied"]["breaks_applied"] == 0
        send(ws, type="Close")
        (last,), code = until_closed(ws)
        assert code == 1000 and last == {
            "type": "SessionMetadata",
            "total_audio_duration_ms": sum(m["audio_duration_ms"] for m in metadata),
            "total_input_character_count": sum(len(t) + 1 for t in texts),
            "total_billable_character_count": sum(len(t) + 1 for t in texts)}


def test_turns_of_nothing(server):
    with connect(server, TURNS) as ws:
        receive(ws)
        send(ws, type="Flush")
        assert receive(ws)["code"] == "NO_ACTIVE_SPEECH"
        say(ws, " ... ")
        _, messages = until(ws, "Flushed")
        assert [m["type"] for m in messages] == ["SpeechStarted", "Warning", "SpeechMetadata",
                                                 "Flushed"]
        assert messages[1]["code"] == "NO_SYNTHESIZABLE_TEXT"
        assert messages[2]["audio_duration_ms"] == 0


def test_an_interrupt_says_what_was_heard(server):
    with connect(server, TURNS) as ws:
        receive(ws)
        send(ws, type="Interrupt")
        assert receive(ws)["code"] == "NO_AUDIO_GENERATED"
        say(ws, TEXT)
        until(ws, "Flushed")
        offset = {"type": "time_ms", "value": 1200}
        send(ws, type="Interrupt", playback_offset=offset)
        told = receive(ws)
        assert told["type"] == "SpeechInterrupted" and told["audio_played_ms"] == 1200
        assert told["text_spoken"] + told["text_remaining"] == TEXT
        assert "quick brown" in told["text_spoken"] and "apples" in told["text_remaining"]
        assert told["metadata"]["input_character_count"] == len(TEXT)
        say(ws, "Next.")
        until(ws, "Flushed")
        send(ws, type="Interrupt", playback_offset=offset)
        assert receive(ws)["code"] == "INVALID_INTERRUPT_OFFSET"
        send(ws, type="Close")
        messages, _ = until_closed(ws)
        assert messages[-1]["total_audio_duration_ms"] < 1200 + 1500


def test_an_interrupt_stops_the_voice(fake_server):
    with connect(fake_server, TURNS.replace("slt", "fake-slow")) as ws:
        receive(ws)
        say(ws, "Twenty letters here. " * 60)
        assert receive(ws)["type"] == "SpeechStarted"
        assert isinstance(receive(ws), bytes)
        send(ws, type="Interrupt")
        _, messages = until(ws, "SpeechInterrupted")
        assert "text_spoken" not in messages[-1] and messages[-1]["audio_played_ms"] > 0
        assert heard_after(ws, 0.3) == []
        wait_until(lambda: idle(fake_server), 2, "idle workers")


def test_configure_changes_the_turns_after_it(server):
    def length(ws):
        say(ws, "This sentence is as long as it was.")
        return len(until(ws, "Flushed")[0])
    with connect(server, TURNS) as ws:
        receive(ws)
        plain = length(ws)
        send(ws, type="Configure", speed=1.5)
        assert receive(ws) == {"type": "ConfigureSuccess", "applied": {"speed": 1.5}}
        assert length(ws) < plain * 0.8
        for speed, code in ((1.6, "SPEED_OUT_OF_RANGE"), (1.23, "SPEED_INCREMENT_INVALID")):
            send(ws, type="Configure", speed=speed)
            failed = receive(ws)
            assert (failed["code"], failed["field"], failed["value"]) == (code, "speed", speed)


@BOTH
@pytest.mark.parametrize("text, code", [
    ("speak", "MESSAGE-0000"), ("[]", "MESSAGE-0000"), ("{}", "MESSAGE-0000"),
    ('{"type":"Shout"}', "MESSAGE-0000"), ('{"type":"Speak"}', "MESSAGE-0000"),
    ('{"type":"Speak","text":["a"]}', "MESSAGE-0000"),
    (json.dumps({"type": "Speak", "text": "a" * 50_000}), "BIG-0000")])
def test_what_is_wrong_closes(server, path, text, code):
    with connect(server, path) as ws:
        receive(ws)
        ws.send(text)
        messages, close = until_closed(ws)
    assert close == 1008
    error = messages[-1]
    assert error["type"] == "Error" and error["code"] == code and error["description"]


@BOTH
def test_binary_closes(server, path):
    with connect(server, path) as ws:
        receive(ws)
        ws.send(b"\x00\x01")
        messages, code = until_closed(ws)
    assert code == 1003 and messages[-1]["code"] == "DATA-0000"


@BOTH
def test_a_megabyte(server, path):
    with connect(server, path) as ws:
        receive(ws)
        ws.send(json.dumps({"type": "Speak", "text": "a" * (1 << 20)}))
        assert until_closed(ws)[1] in (1008, 1009)


@BOTH
def test_a_thousand_turns_that_wait(fake_server, path):
    with connect(fake_server, path.replace("slt", "fake-slow")) as ws:
        receive(ws)
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(1000):
                say(ws, "Some four hundred bytes of text. " * 12, flush=path == TURNS)
        messages, code = until_closed(ws)
        assert code == 1008 and parted(messages)[1][-1]["code"] == "BIG-0000"
    wait_until(lambda: idle(fake_server), 2, "idle workers")


@BOTH
def test_close_in_the_middle_frees_the_worker(fake_server, path):
    with connect(fake_server, path.replace("slt", "fake-slow")) as ws:
        say(ws, "Twenty letters here. " * 60)
        while not isinstance(receive(ws), bytes):
            pass
    wait_until(lambda: idle(fake_server), 2, "idle workers")


@BOTH
def test_an_engine_that_fails(fake_server, path):
    with connect(fake_server, path.replace("slt", "fake-refuse")) as ws:
        say(ws, "Never.")
        messages, code = until_closed(ws)
    assert code == 1008 and messages[-1]["type"] == "Error" and messages[-1]["description"]


@pytest.mark.parametrize("path, word", [
    ("/v1/speak?model=nova-2", "MODEL_NOT_FOUND"), ("/v2/speak", "INVALID_QUERY_PARAMETER"),
    ("/v1/speak?encoding=mp3", "UNSUPPORTED_AUDIO_FORMAT"),
    ("/v1/speak?sample_rate=44100", "UNSUPPORTED_AUDIO_FORMAT"),
    ("/v1/speak?container=wav", "UNSUPPORTED_AUDIO_FORMAT"),
    ("/v1/speak?speed=2", "INVALID_QUERY_PARAMETER"),
    ("/v1/speak?callback=http://x", "CALLBACK_NOT_SUPPORTED")])
def test_a_wrong_query_is_refused_before_the_upgrade(server, path, word):
    response = refused(server, path)
    assert response.status_code == 400 and json.loads(response.body)["err_code"] == word


def test_silence():
    server = Server(settings={"SOCKETS_VENDOR_IDLE_TIMEOUT": "700ms", "ENGINES_ENABLE": "flite"})
    try:
        for path in (SPEAK, TURNS):
            with connect(server, path) as ws:
                say(ws, "Forgotten words", flush=False)
                messages, code = until_closed(ws, 5)
            assert code == 1008 and messages[-1]["code"] == "NET-0001"
    finally:
        server.close()


def test_the_server_stops_after_what_was_begun():
    server = Server(settings={"ENGINES_ENABLE": "flite"})
    try:
        with connect(server, TURNS) as ws:
            say(ws, "This is spoken to its end. " * 4, flush=False)
            while not isinstance(receive(ws), bytes):
                pass
            server.process.terminate()
            messages, code = until_closed(ws)
        assert code == 1001
        assert [m["type"] for m in parted(messages)[1]][-1] == "SessionMetadata"
    finally:
        server.close()


@pytest.fixture(scope="module")
def keyed():
    server = Server(settings={"ENGINES_ENABLE": "flite"})
    _, server.key = team_with_key(server)
    yield server
    server.close()


@BOTH
def test_keys(keyed, path):
    for options in ({"additional_headers": {"Authorization": "Token " + keyed.key}},
                    {"additional_headers": {"Authorization": "Bearer " + keyed.key}},
                    {"subprotocols": ["token", keyed.key]}, {"subprotocols": ["bearer", keyed.key]}):
        with connect(keyed, path, **options) as ws:
            assert ws.subprotocol == options.get("subprotocols", [None])[0]
            say(ws, "Hi.")
            assert until(ws, "Flushed")[0]


@BOTH
def test_wrong_keys(keyed, path):
    for options in ({"additional_headers": {"Authorization": "Token vf_live_x"}},
                    {"subprotocols": ["token", "vf_live_x"]}):
        response = refused(keyed, path, **options)
        assert response.status_code == 401
        assert json.loads(response.body)["err_code"] == "INVALID_AUTH"
    key = admin(keyed, "create-key", admin(keyed, "create-team", "No", "--plan", "pro")["id"],
                "--scope", "keys:read")["key"]
    response = refused(keyed, path, subprotocols=["token", key])
    assert response.status_code == 403
    assert json.loads(response.body)["err_code"] == "INSUFFICIENT_PERMISSIONS"
    with connect(keyed, path) as ws:
        messages, code = until_closed(ws)
    assert code == 1008 and messages[-1]["code"] == "INVALID_AUTH"


@BOTH
def test_below_the_prefix(server, path):
    with connect(server, "/deepgram" + path) as ws:
        say(ws, "Hi.")
        assert until(ws, "Flushed")[0]


def test_a_half_frame_and_then_nothing(server):
    raw = RawSocket(server, SPEAK)
    raw.send(bytes([0x80 | BINARY, 0xFF]))
    raw.connection.close()
    started = time.monotonic()
    with connect(server, SPEAK) as ws:
        say(ws, "Hi.")
        assert until(ws, "Flushed")[0]
    assert time.monotonic() - started < 5
