"""WS /v1/stream: contexts, timing, flush, cancel."""

import json
import pathlib
import re
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest

from support.audio import align, decode
from support.server import ROOT, wait_until
from support.sockets import connect, receive, send, until_closed

PATH = "/v1/stream"


def collect(ws, until, seconds=30):
    """(messages, {context: audio}) up to the message for which `until` holds. A binary message
    belongs to the audio message right before it."""
    messages, audio, announced = [], {}, None
    while True:
        message = receive(ws, seconds)
        if isinstance(message, bytes):
            assert announced and announced["bytes"] == len(message)
            audio[announced["context"]] = audio.get(announced["context"], b"") + message
            announced = None
            continue
        assert announced is None, "the audio does not follow its announcement"
        announced = message if message["type"] == "audio" else None
        messages.append(message)
        if until(message):
            return messages, audio


def is_type(*types):
    return lambda message: message["type"] in types


def entries(messages, name):
    return [entry for message in messages for entry in message.get(name, [])]


def test_one_message_speaks(server):
    with connect(server, PATH) as ws:
        send(ws, type="start", voice="slt", sample_rate=16000, end=True,
             text="The quick brown fox jumps over the lazy dog.")
        messages, audio = collect(ws, is_type("done"))
    started, *_, done = messages
    assert started["context"] == "default" and started["voice"] == "slt"
    assert (started["format"], started["media_type"]) == ("pcm", "audio/pcm")
    assert started["sample_rate"] == 16000 and started["operation"].startswith("op_")
    assert abs(done["duration"] - len(audio["default"]) / 32000) < 0.001
    assert done["character_count"] == 44 and done["operation"] == started["operation"]
    stretches = [(m["start"], m["end"]) for m in messages if m["type"] == "audio"]
    assert stretches[0][0] == 0 and abs(stretches[-1][1] - done["duration"]) < 0.001
    assert all(a[1] == b[0] for a, b in zip(stretches, stretches[1:]))
    told = {word["text"].lower(): word["start"] for word in entries(messages, "words")}
    words = align(decode(audio["default"], "pcm", rate=16000),
                  "the quick brown fox jumps over the lazy dog".split())
    heard = {word: start for word, start, _ in words}
    for word in ("quick", "brown", "jumps", "lazy"):
        assert abs(told[word] - heard[word]) < 0.08
    assert "".join(c["text"] for c in entries(messages, "characters")).startswith("The quick")
    assert entries(messages, "phonemes") and entries(messages, "visemes")


def test_text_bit_by_bit_has_positions_in_all_of_it(server):
    text = "Grüße aus Köln. The second sentence."
    with connect(server, PATH) as ws:
        send(ws, type="start", voice="slt")
        for character in text:
            send(ws, type="text", text=character)
        send(ws, type="end")
        messages, _ = collect(ws, is_type("done"))
    for word in entries(messages, "words"):
        assert text[word["text_begin"]:word["text_end"]] == word["text"]
        assert text.encode()[word["byte_begin"]:word["byte_end"]].decode() == word["text"]
    assert [w["text"] for w in entries(messages, "words")][-1] == "sentence"


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "flac", "aac", "pcm", "ulaw", "alaw"])
def test_every_format(server, name):
    with connect(server, PATH) as ws:
        send(ws, type="start", voice="slt", format=name, text="Hello, world.", end=True)
        messages, audio = collect(ws, is_type("done"))
    sound = decode(audio["default"], {"opus": "ogg"}.get(name, name),
                   rate=messages[0]["sample_rate"])
    assert abs(sound.seconds - messages[-1]["duration"]) < 0.15


def test_without_timing(server):
    with connect(server, PATH) as ws:
        send(ws, type="start", voice="slt", text="Hello.", end=True, timing=False)
        messages, audio = collect(ws, is_type("done"))
    assert audio["default"]
    assert all(set(m) <= {"type", "context", "bytes", "start", "end"}
               for m in messages if m["type"] == "audio")


def test_sound_normalising_and_dictionaries_as_in_a_request(server):
    made = httpx.post(server.url + "/api/dictionaries", json={
        "name": "Socket names", "rules": [{"grapheme": "VF", "alias": "voice flow"}]})
    assert made.status_code == 201, made.text
    how = {"voice": "slt", "sample_rate": 16000, "end": True, "text": "VF has 3 doors."}
    with connect(server, PATH) as ws:
        spoken = {}
        for name, more in {"plain": {}, "named": {"dictionaries": [made.json()["id"]]},
                           "raw": {"normalisation": {"enabled": False}},
                           "dull": {"brightness": -12, "presence": -12, "pitch_range": 0.5,
                                    "dynamics": 0.5}}.items():
            send(ws, type="start", context=name, **how, **more)
            messages, audio = collect(ws, is_type("done"))
            spoken[name] = ([word["spoken"].lower() for word in entries(messages, "words")],
                            audio[name])
    assert spoken["named"][0][:2] == ["voice", "flow"] and "voice" not in spoken["plain"][0]
    assert "three" in spoken["plain"][0]
    edges = [np.abs(np.diff(decode(spoken[name][1], "pcm", rate=16000).samples)).mean()
             for name in ("plain", "dull")]
    assert edges[1] < 0.8 * edges[0]


def test_ssml_with_marks(server):
    with connect(server, PATH) as ws:
        send(ws, type="start", voice="slt", markup="ssml", end=True,
             text='<speak>One. <mark name="here"/> Two.</speak>')
        messages, _ = collect(ws, is_type("done"))
        (mark,) = entries(messages, "marks")
        assert mark["name"] == "here" and 0 < mark["time"] < messages[-1]["duration"]
        send(ws, type="start", voice="slt", markup="ssml", text="<speak>One.</spaek>", end=True)
        messages, _ = collect(ws, is_type("error", "done"))
    assert messages[-1]["code"] == "invalid_ssml" or "line" in messages[-1]["detail"]


def test_contexts_beside_each_other(server):
    with connect(server, PATH) as ws:
        for name in ("a", "b", "c"):
            send(ws, type="start", context=name, voice="slt", sample_rate=16000)
            send(ws, type="text", context=name, text=f"Context {name} has some words. " * 4)
            send(ws, type="end", context=name)
        seen = []

        def all_done(message):
            seen.append(message["type"])
            return seen.count("done") == 3
        messages, audio = collect(ws, all_done)
    for message in messages:
        if message["type"] == "done":
            seconds = len(audio[message["context"]]) / 32000
            assert abs(message["duration"] - seconds) < 0.001
    order = [m["context"] for m in messages if m["type"] == "audio"]
    assert order != sorted(order)


def test_flush_speaks_half_a_sentence_and_says_when_it_is_out(server):
    with connect(server, PATH) as ws:
        send(ws, type="start", voice="slt")
        send(ws, type="text", text="Half a sentence")
        with pytest.raises(TimeoutError):
            receive(ws, 0.3), receive(ws, 0.3)
        send(ws, type="flush")
        messages, audio = collect(ws, is_type("flushed"))
        assert audio["default"] and messages[-1]["context"] == "default"
        words = [word["text"] for word in entries(messages, "words")]
        assert words == ["Half", "a", "sentence"]
        send(ws, type="flush")  # nothing waits: at once
        assert receive(ws) == {"type": "flushed", "context": "default"}
        send(ws, type="text", text=" and the rest.")
        send(ws, type="end")
        messages, _ = collect(ws, is_type("done"))
        assert [word["text"] for word in entries(messages, "words")] == ["and", "the", "rest"]


def test_cancel_is_the_last_that_is_heard_of_a_context(fake_server):
    with connect(fake_server, PATH) as ws:
        send(ws, type="start", voice="fake-slow", text="Twenty letters here. " * 60, end=True)
        collect(ws, is_type("audio"))
        receive(ws)  # its audio
        started = time.monotonic()
        send(ws, type="cancel")
        collect(ws, is_type("cancelled"))
        assert time.monotonic() - started < 1
        send(ws, type="cancel")
        assert receive(ws)["code"] == "context_not_found"
        send(ws, type="start", voice="fake-tone", text="Again. ", end=True)  # the name is free
        messages, _ = collect(ws, is_type("done"))
        assert messages[0]["type"] == "started"

    def idle():
        engines = httpx.get(fake_server.url + "/api/server").json()["engines"]
        return all(engine["busy"] == 0 for engine in engines)
    wait_until(idle, 2, "idle workers")


@pytest.mark.parametrize("message, code, pointer", [
    ({"type": "start", "voice": "nobody"}, "voice_not_found", "/voice"),
    ({"type": "start", "format": "mp3", "sample_rate": 7000}, "unsupported_sample_rate",
     "/sample_rate"),
    ({"type": "text", "text": "Nobody listens."}, "context_not_found", None),
    ({"type": "flush"}, "context_not_found", None),
    ({"type": "end", "context": "x"}, "context_not_found", None)])
def test_errors_of_a_context_leave_the_socket_open(server, message, code, pointer):
    with connect(server, PATH) as ws:
        send(ws, **message)
        error = receive(ws)
        assert error["type"] == "error" and error["code"] == code
        assert error["context"] == message.get("context", "default")
        assert error["detail"] and error["status"] in (400, 404) and error["request_id"]
        if pointer:
            assert error["errors"][0]["pointer"] == pointer
        send(ws, type="start", voice="slt", text="Hi.", end=True)
        assert collect(ws, is_type("done"))


@pytest.mark.parametrize("data, code, close", [
    ("{", "malformed_json", 1008), ("[]", "invalid_request", 1008),
    ('{"type":"speak"}', "unknown_type", 1008),
    ('{"type":"start","voices":"slt"}', "invalid_request", 1008),
    ('{"type":"text"}', "invalid_request", 1008), (b"\0", "invalid_message", 1003)])
def test_messages_that_are_none_close_the_socket(server, data, code, close):
    with connect(server, PATH) as ws:
        ws.send(data)
        messages, closed = until_closed(ws)
    assert closed == close and messages[-1]["code"] == code and "context" not in messages[-1]


def test_names_are_unique_and_few(server):
    with connect(server, PATH) as ws:
        for i in range(10):
            send(ws, type="start", context=f"c{i}")
            assert receive(ws)["type"] == "started"
        send(ws, type="start", context="one too many")
        assert receive(ws)["code"] == "too_many_contexts"
        send(ws, type="cancel", context="c9")
        assert receive(ws) == {"type": "cancelled", "context": "c9"}
        send(ws, type="start", context="c3")
        assert receive(ws)["code"] == "context_exists"


def test_an_engine_that_fails_ends_its_context_only(fake_server):
    with connect(fake_server, PATH) as ws:
        send(ws, type="start", voice="fake-refuse", text="No. ", end=True)
        messages, _ = collect(ws, is_type("error"))
        assert messages[-1]["context"] == "default"
        send(ws, type="start", voice="fake-tone", text="Yes. ", end=True)
        collect(ws, is_type("done"))


def test_a_listener_who_does_not_read_holds_no_worker(fake_server):
    """Its speech waits for it; others speak on."""
    with connect(fake_server, PATH, max_queue=1) as ws:
        for i in range(8):
            send(ws, type="start", context=f"c{i}", voice="slt", format="wav", sample_rate=48000,
                 text="A sentence of some length that nobody listens to. " * 100, end=True)
        reply = httpx.post(fake_server.url + "/v1/generate", timeout=30,
                           json={"text": "Somebody reads.", "voice": "slt"})
        assert reply.status_code == 200


def test_the_documented_python_example_runs(server, tmp_path):
    text = (ROOT / "docs" / "streaming.md").read_text()
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.S)
                  if "/v1/stream" in block]
    file = tmp_path / "example.py"
    file.write_text(example.replace("ws://127.0.0.1:8080", server.url.replace("http", "ws")))
    done = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert decode((pathlib.Path(tmp_path) / "out.pcm").read_bytes(), "pcm", rate=24000).seconds > 1
    assert json.dumps("Hello") not in done.stderr
