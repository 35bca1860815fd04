"""Deepgram's POST /v1/speak; its sockets stand in test_deepgram_sockets.py, its clients in tests/sdk."""

import uuid

import httpx
import pytest

from support import operations
from support.admin import admin, team_with_key
from support.audio import align, decode
from support.raw import exchange
from support.server import Server

PATH = "/v1/speak"
TEXT = "Speech as these clients ask for it."
WORDS = ["speech", "as", "these", "clients", "ask", "for", "it"]
# (parameters, as ffmpeg knows it, rate of headerless samples)
COMBINATIONS = [({}, "mp3", 0), ({"encoding": "mp3", "bit_rate": 32000}, "mp3", 0),
                ({"encoding": "opus"}, "ogg", 0), ({"encoding": "opus", "bit_rate": 64000}, "ogg", 0),
                ({"encoding": "aac"}, "aac", 0), ({"encoding": "flac"}, "flac", 0)]
COMBINATIONS += [({"encoding": "flac", "sample_rate": rate}, "flac", 0)
                 for rate in (8000, 16000, 22050, 32000, 48000)]
for encoding, raw, rates in (("linear16", "pcm", (8000, 16000, 24000, 32000, 48000)),
                             ("mulaw", "ulaw", (8000, 16000)), ("alaw", "alaw", (8000, 16000))):
    for rate in rates:
        COMBINATIONS += [({"encoding": encoding, "sample_rate": rate}, "wav", 0),
                         ({"encoding": encoding, "sample_rate": rate, "container": "none"}, raw,
                          rate)]


def refused(response, status, code, words=""):
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"err_code", "err_msg", "request_id"}
    assert body["err_code"] == code and words in body["err_msg"], body
    assert body["request_id"] == response.headers["dg-request-id"]
    return body


@pytest.mark.parametrize("query, name, rate", COMBINATIONS)
def test_every_combination(http, query, name, rate):
    response = http.post(PATH, params={"model": "slt", **query}, json={"text": TEXT})
    assert response.status_code == 200, response.text
    sound = decode(response.content, name, rate)
    assert 1.5 < sound.seconds < 4
    heard = [word for word, *_ in align(sound, WORDS) if not word.startswith("<")]
    assert heard == WORDS
    assert response.headers["dg-request-id"] == response.headers["x-request-id"]
    assert response.headers["dg-char-count"] == str(len(TEXT))
    assert response.headers["dg-model-name"] == "slt"
    assert uuid.UUID(response.headers["dg-model-uuid"]).version == 8


def test_models_are_voices(http):
    voices = {v["id"]: v for v in http.get("/api/voices").json()["voices"]}
    for model, gender, language in (("aura-asteria-en", "female", "en"),
                                    ("aura-2-zeus-en", "male", "en"),
                                    ("aura-2-viktoria-de", "female", "de"),
                                    ("aura-2-alvaro-es", "male", "es")):
        response = http.post(PATH, params={"model": model}, json={"text": "Ja."})
        assert response.status_code == 200, response.text
        assert response.headers["dg-model-name"] == model
        voice = voices[response.headers["x-voiceflow-voice"]]
        assert voice["languages"][0].startswith(language)
        if language == "en":
            assert voice["gender"] == gender
    both = {http.post(PATH, params={"model": m}, json={"text": "Hi."}).headers["x-voiceflow-voice"]
            for m in ("aura-2-thalia-en", "aura-2-luna-en", "aura-2-apollo-en")}
    assert len(both) == 3


def test_speed_acts_and_what_means_nothing_here_is_accepted(http):
    def seconds(**query):
        response = http.post(PATH, json={"text": TEXT, "more": 1}, params={
            "encoding": "linear16", "container": "none", "sample_rate": 16000, **query})
        assert response.status_code == 200, response.text
        return len(response.content) / 32000
    plain = seconds(tag="a", mip_opt_out="true", callback_method="POST", callback="")
    assert seconds(speed=0.7) == pytest.approx(plain / 0.7, rel=0.1)
    assert seconds(speed=1.5) == pytest.approx(plain / 1.5, rel=0.1)


WRONG = [
    ({"encoding": "vorbis"}, "UNSUPPORTED_AUDIO_FORMAT", "encoding"),
    ({"encoding": "mp3", "container": "wav"}, "UNSUPPORTED_AUDIO_FORMAT", "container"),
    ({"encoding": "mp3", "sample_rate": 44100}, "UNSUPPORTED_AUDIO_FORMAT", "22050"),
    ({"encoding": "opus", "container": "none"}, "UNSUPPORTED_AUDIO_FORMAT", "ogg"),
    ({"encoding": "linear16", "sample_rate": 44100}, "UNSUPPORTED_AUDIO_FORMAT", "48000"),
    ({"encoding": "mulaw", "sample_rate": 24000}, "UNSUPPORTED_AUDIO_FORMAT", "16000"),
    ({"encoding": "linear16", "bit_rate": 64000}, "UNSUPPORTED_AUDIO_FORMAT", "bit_rate"),
    ({"bit_rate": 64000}, "UNSUPPORTED_AUDIO_FORMAT", "48000"),
    ({"sample_rate": "high"}, "INVALID_QUERY_PARAMETER", "sample_rate"),
    ({"speed": 0.69}, "INVALID_QUERY_PARAMETER", "speed"),
    ({"speed": 1.51}, "INVALID_QUERY_PARAMETER", "speed"),
    ({"model": "nova-2"}, "MODEL_NOT_FOUND", "nova-2"),
    ({"model": "aura-2-nobody-en"}, "MODEL_NOT_FOUND", "aura-2-thalia-en"),
    ({"model": "flux-alexis-xx"}, "MODEL_NOT_FOUND", "language"),
    ({"callback": "https://example.com/x"}, "CALLBACK_NOT_SUPPORTED", "not supported"),
]


@pytest.mark.parametrize("query, code, words", WRONG)
def test_wrong_parameters(http, query, code, words):
    refused(http.post(PATH, params=query, json={"text": TEXT}), 400, code, words)


@pytest.mark.parametrize("body, code, status", [
    ({"text": ""}, "TEXT_EMPTY", 400), ({"text": " … "}, "TEXT_NOT_SPEAKABLE", 400),
    ({}, "INVALID_REQUEST", 400), ({"text": None}, "INVALID_REQUEST", 400),
    ({"text": 7}, "INVALID_REQUEST", 400), ({"url": "https://example.com"}, "INVALID_REQUEST", 400),
    ([], "INVALID_REQUEST", 400), ({"text": "a" * 2001}, "TEXT_TOO_LONG", 413)])
def test_wrong_bodies(http, body, code, status):
    refused(http.post(PATH, json=body), status, code)


@pytest.mark.parametrize("body", [b"", b"{", b"\x00\xff\xfe", b"text"])
def test_garbage(http, body):
    response = http.post(PATH, content=body, headers={"Content-Type": "application/json"})
    refused(response, 400, "INVALID_UTF8" if b"\xff" in body else "INVALID_JSON")


def test_below_the_prefix(http):
    assert http.post("/deepgram" + PATH, json={"text": "Hi."}).status_code == 200
    refused(http.get("/deepgram/v1/speak/nothing"), 404, "NOT_FOUND")


def test_404_405_and_426(server, http):
    refused(http.delete(PATH), 405, "METHOD_NOT_ALLOWED")
    refused(http.post("/v2/speak"), 405, "METHOD_NOT_ALLOWED")
    refused(http.get("/v1/speak/nothing"), 404, "NOT_FOUND")
    for path in ("/v1/speak", "/v2/speak?model=slt"):
        reply = exchange(server.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                                      "Connection: close\r\n\r\n")
        assert reply.status == 426 and b"UPGRADE_REQUIRED" in reply.body


@pytest.mark.parametrize("method, path", operations.of_tag("deepgram", 415))
def test_411_413_415(server, http, method, path):
    refused(http.request(method, path, content=b"x", headers={"Content-Type": "image/png"}), 415,
            "UNSUPPORTED_MEDIA_TYPE")
    head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: {operations.media_type(method, path)}\r\n")
    for more, status in (("", 411), ("Content-Length: 99000000\r\n", 413)):
        reply = exchange(server.port, head + more + "\r\n")
        assert reply.status == status
        reply.check(method, path)


PLANS = """
[[plan]]
id = "tiny"
name = "Tiny"
tier = "free"
currency = "USD"
price_minor = 0
requests = 2
quality = "standard"

[[plan]]
id = "alone"
name = "Alone"
tier = "free"
currency = "USD"
price_minor = 0
concurrency = 1
quality = "standard"
"""


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    server = Server(settings={"ENGINES_ENABLE": "flite"})
    plans = tmp_path_factory.mktemp("plans") / "plans.toml"
    plans.write_text(PLANS)
    admin(server, "load-plans", plans)
    team_with_key(server)  # ends the demo mode
    yield server
    server.close()


def test_401_and_403(keyed):
    url = keyed.url + PATH
    refused(httpx.post(url, json={"text": "Hi."}), 401, "INVALID_AUTH")
    for value in ("Token vf_live_x", "Bearer vf_live_x", "token vf_live_x", "Basic eDp5"):
        refused(httpx.post(url, json={"text": "Hi."}, headers={"Authorization": value}), 401,
                "INVALID_AUTH")
    team = admin(keyed, "create-team", "Without rights", "--plan", "pro")["id"]
    key = admin(keyed, "create-key", team, "--scope", "keys:read")["key"]
    refused(httpx.post(url, json={"text": "Hi."}, headers={"Authorization": "Token " + key}), 403,
            "INSUFFICIENT_PERMISSIONS")


def test_a_key_in_every_header_and_the_allowance_of_its_plan(keyed):
    _, key = team_with_key(keyed, "Tiny", "tiny")
    for scheme in ("Token ", "Bearer "):
        response = httpx.post(keyed.url + PATH, json={"text": "Hi."}, timeout=60,
                              headers={"Authorization": scheme + key})
        assert response.status_code == 200, response.text
    refused(httpx.post(keyed.url + PATH, json={"text": "Hi."},
                       headers={"Authorization": "Token " + key}), 402, "PAYMENT_REQUIRED")


def test_more_at_once_than_the_plan_allows_is_429(keyed):
    _, key = team_with_key(keyed, "Alone", "alone")
    head = {"Authorization": "Token " + key}
    # The tail of the reply cannot leave before somebody reads it.
    with httpx.stream("POST", keyed.url + "/v1/audio/speech", headers=head, timeout=60, json={
            "model": "tts-1", "voice": "slt", "input": "A long text. " * 300,
            "response_format": "pcm", "sample_rate": 48000}) as held:
        assert held.status_code == 200
        response = httpx.post(keyed.url + PATH, json={"text": "Hi."}, headers=head)
        refused(response, 429, "TOO_MANY_REQUESTS")
        assert int(response.headers["Retry-After"]) >= 1


def test_a_retry_with_the_same_key_is_one_speech(http):
    head = {"Idempotency-Key": str(uuid.uuid4())}
    first = http.post(PATH, json={"text": TEXT}, headers=head)
    again = http.post(PATH, json={"text": TEXT}, headers=head)
    assert first.status_code == 200 and again.content == first.content
    assert again.headers["dg-char-count"] == first.headers["dg-char-count"]
    refused(http.post(PATH, json={"text": "Something else."}, headers=head), 409,
            "IDEMPOTENCY_KEY_REUSED")
