"""The older form of the native route: the audio is stored, the answer says where."""

import httpx
import pytest

BODY = {"text": "Hello from my own machine.", "voice_id": "slt", "format": "mp3"}
JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("path", ["/generate", "/v1/generate"])
def test_the_link_brings_the_audio(server, path):
    reply = httpx.post(server.url + path, json=BODY, headers=JSON)
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert set(body) == {"audio_url", "quality_score", "duration", "request_id"}
    assert body["request_id"] == reply.headers["x-request-id"]
    assert 0.8 < body["quality_score"] <= 1 and 1 < body["duration"] < 4
    audio = httpx.get(server.url + body["audio_url"])
    assert audio.status_code == 200 and audio.headers["content-type"] == "audio/mpeg"
    assert len(audio.content) > 5000
    changed = body["audio_url"][:-1] + ("0" if body["audio_url"][-1] != "0" else "1")
    assert httpx.get(server.url + changed).status_code in (403, 404)


def test_audio_stays_the_usual_answer(server):
    for accept in ("*/*", "application/json, text/plain, */*", "audio/mpeg, application/json", ""):
        reply = httpx.post(server.url + "/v1/generate", json=BODY, headers={"Accept": accept})
        assert reply.headers["content-type"] == "audio/mpeg", accept


def test_emotion_is_accepted_and_reported(server):
    sad = httpx.post(server.url + "/generate", json={**BODY, "emotion": "sad"})
    assert sad.status_code == 200 and "emotion" in sad.headers["x-voiceflow-warning"]
    neutral = httpx.post(server.url + "/generate", json={**BODY, "emotion": "neutral"})
    assert "x-voiceflow-warning" not in neutral.headers


def test_quality_is_the_bit_rate(server):
    sizes = [len(httpx.post(server.url + "/generate",
                            json={**BODY, "sample_rate": 44100, "quality": q}).content)
             for q in ("draft", "standard", "high", "ultra")]
    assert sizes == sorted(sizes) and sizes[0] * 2 < sizes[-1]


def test_wrong_values(server):
    for body, pointer in [({**BODY, "quality": "best"}, "/quality"),
                          ({**BODY, "voice": "slt"}, "/voice_id"),
                          ({**BODY, "dictionaries": ["nouns"]}, "/dictionaries")]:
        reply = httpx.post(server.url + "/generate", json=body, headers=JSON)
        assert reply.status_code == 400
        assert reply.json()["errors"][0]["pointer"] == pointer
    missing = {**BODY, "dictionaries": ["dict_" + "0" * 32]}
    assert httpx.post(server.url + "/generate", json=missing).json()["code"] == \
        "dictionary_not_found"
