"""POST /v1/forced-alignment: texts found in recordings, against the times that the engine tells."""

import base64
import io
import json
import statistics
import wave

import httpx
import numpy as np
import pytest

from support.admin import team_with_key
from support.server import Server

PATH = "/v1/forced-alignment"
SENTENCES = ["She sells fresh bread and cheese on the market square every morning.",
             "Rain is expected in the north later this evening, with some wind.",
             "Please read this sentence carefully before you answer the question.",
             "We measured the distance between the station and the river twice."]


def spoken(http, text, voice="slt", **more):
    """The audio of a text and its words as the engine tells them."""
    body = {"text": text, "voice": voice, "format": "pcm", "sample_rate": 16000, **more}
    lines = http.post("/v1/generate/stream", json=body,
                      headers={"Accept": "application/x-ndjson"}).text.splitlines()
    events = [json.loads(line) for line in lines]
    audio = b"".join(base64.b64decode(event.get("audio", "")) for event in events)
    return audio, [word for event in events for word in event.get("words", [])]


def as_wav(pcm, rate=16000, channels=1):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return out.getvalue()


def aligned(http, text, audio, name="speech.wav"):
    return http.post(PATH, files={"file": (name, audio)}, data={"text": text})


@pytest.mark.parametrize("voice", ["slt", "rms", "awb"])
def test_times_are_those_of_the_engine(http, voice):
    off = []
    for text in SENTENCES:
        audio, words = spoken(http, text, voice)
        response = aligned(http, text, as_wav(audio))
        assert response.status_code == 200, response.text
        found = response.json()
        assert [w["text"] for w in found["words"]] == [w["text"] for w in words]
        assert "".join(c["text"] for c in found["characters"]) == text
        starts = [c["start"] for c in found["characters"]]
        assert starts == sorted(starts)
        assert found["characters"][-1]["end"] <= len(audio) / 32000 + 0.001
        assert found["loss"] < 8
        for ours, theirs in zip(found["words"], words):
            off += [abs(ours["start"] - theirs["start"]), abs(ours["end"] - theirs["end"])]
    off.sort()
    assert statistics.mean(off) <= 0.025
    assert off[len(off) * 95 // 100] <= 0.060


def test_numbers_stand_as_they_were_written(http):
    text = "Dr. Smith paid $12.50 for 3 books."
    audio, _ = spoken(http, text)
    found = aligned(http, text, as_wav(audio)).json()
    assert [w["text"] for w in found["words"]] == ["Dr", "Smith", "paid", "$12.50", "for", "3",
                                                   "books"]
    price = found["words"][3]
    assert price["end"] - price["start"] > 0.6
    assert "".join(c["text"] for c in found["characters"]) == text


@pytest.mark.parametrize("name", ["mp3", "flac", "opus", "wav"])
def test_files_of_every_kind(http, name):
    body = {"text": SENTENCES[0], "voice": "slt", "format": name}
    audio = http.post("/v1/generate", json=body).content
    response = aligned(http, SENTENCES[0], audio, "whatever." + name)
    assert response.status_code == 200, response.text
    assert len(response.json()["words"]) == 12
    assert response.json()["loss"] < 8


def test_stereo_at_another_rate(http):
    audio, words = spoken(http, SENTENCES[0], sample_rate=44100)
    stereo = np.repeat(np.frombuffer(audio, dtype="<i2"), 2).tobytes()
    found = aligned(http, SENTENCES[0], as_wav(stereo, 44100, 2)).json()
    assert abs(found["words"][-1]["start"] - words[-1]["start"]) < 0.08


def test_a_text_that_was_not_said_has_a_loss_that_tells(http):
    audio, _ = spoken(http, SENTENCES[0])
    right = aligned(http, SENTENCES[0], as_wav(audio)).json()["loss"]
    response = aligned(http, "A completely other thing was said.", as_wav(audio))
    assert response.status_code == 400 or response.json()["loss"] > 1.5 * right


@pytest.mark.parametrize("text, audio, code", [
    ("Hello.", b"these bytes are no audio", "invalid_audio"),
    ("Hello.", b"RIFF\xff\xff\xff\xffWAVEfmt ", "invalid_audio"),
    ("Hello.", b"ID3" + bytes(100), "invalid_audio"),
    ("Hello.", as_wav(bytes(2 * 16000 * 601)), "audio_too_long"),
    ("Hello " * 300, as_wav(bytes(32000)), "invalid_text"),
    ("...", as_wav(bytes(32000)), "empty_text"),
    ("x" * 20001, as_wav(bytes(32000)), "text_too_long"),
    (b"\xff\xfe", as_wav(bytes(32000)), "invalid_text"),
])
def test_what_cannot_be_aligned(http, text, audio, code):
    response = aligned(http, text, audio)
    assert response.status_code == 400, response.text
    detail = response.json()["detail"]
    assert detail["code"] == code and detail["message"]


@pytest.mark.parametrize("fields, missing", [
    ({"text": (None, "Hello.")}, "file"),
    ({"file": ("a.wav", as_wav(bytes(32000)))}, "text"),
    ({"file": ("a.wav", b""), "text": (None, "Hello.")}, "file"),
])
def test_missing_parts(http, fields, missing):
    response = http.post(PATH, files=fields)
    assert response.status_code == 422
    assert missing in json.dumps(response.json()["detail"])


def test_a_body_that_is_too_large(http):
    response = http.post(PATH, files={"file": ("a.wav", bytes(65 << 20))}, data={"text": "Hello."})
    assert response.status_code == 413


def test_only_a_key_that_may_speak():
    server = Server()
    try:
        files = {"file": ("a.wav", as_wav(bytes(32000)))}
        _, key = team_with_key(server, "Acme", "pro", "--scope", "usage:read")
        response = httpx.post(server.url + PATH, files=files, data={"text": "Hello."})
        assert response.status_code == 401
        response = httpx.post(server.url + PATH, files=files, data={"text": "Hello."},
                              headers={"xi-api-key": key})
        assert response.status_code == 403
    finally:
        server.close()


def test_without_the_aligner():
    server = Server(settings={"ENGINES_ALIGNMENT": "false"})
    try:
        response = httpx.post(server.url + PATH, files={"file": ("a.wav", as_wav(bytes(32000)))},
                              data={"text": "Hello."})
        assert response.status_code == 503
        assert response.json()["detail"]["message"]
    finally:
        server.close()
